/* glibc's, and what Microsoft's has beyond. */
#include <ws_system.h>
#include_next <stdlib.h>
#include <ws_stdlib.h>
