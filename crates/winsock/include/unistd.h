/* Around glibc's: Winsock has a `gethostname` of its own, and its `socklen_t` has a sign. */
#ifndef __socklen_t_defined
typedef int socklen_t;
#define __socklen_t_defined
#endif

#pragma push_macro("gethostname")
#undef gethostname
#define gethostname ws_glibc_gethostname
#include_next <unistd.h>
#undef gethostname
#pragma pop_macro("gethostname")
