#include <minwindef.h>
