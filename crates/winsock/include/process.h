/* Threads of the C runtime, and processes. */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <stdlib.h>

WS_BEGIN
WS_ALIAS(int, _getpid, getpid, (void));
void _exit(int code) WS_NORETURN;
/* The routine takes `void *`; with _beginthreadex it answers the exit code. */
WS_DECLARE(uintptr_t, _beginthread, (void(__cdecl *start)(void *), unsigned stack_size, void *argument));
WS_DECLARE(uintptr_t, _beginthreadex,
           (void *security, unsigned stack_size, unsigned(__stdcall *start)(void *), void *argument, unsigned flags,
            unsigned *id));
WS_DECLARE(void, _endthread, (void)) WS_NORETURN;
WS_DECLARE(void, _endthreadex, (unsigned code)) WS_NORETURN;
WS_END

#endif
