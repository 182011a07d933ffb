/* Threads of the C runtime, and processes. */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <stdlib.h>

WS_BEGIN
WS_ALIAS(int, _getpid, getpid, (void));
void _exit(int code) WS_NORETURN;
WS_END

#endif
