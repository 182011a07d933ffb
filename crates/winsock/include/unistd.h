/* Around glibc's: Winsock has a `gethostname` of its own. */
#pragma push_macro("gethostname")
#undef gethostname
#define gethostname ws_glibc_gethostname
#include_next <unistd.h>
#undef gethostname
#pragma pop_macro("gethostname")
