/* Threads. */
#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#include <minwinbase.h>

#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000

typedef VOID(NTAPI *PAPCFUNC)(ULONG_PTR parameter);

WS_BEGIN
WS_DECLARE(HANDLE, CreateThread,
           (LPSECURITY_ATTRIBUTES attributes, SIZE_T stack_size, LPTHREAD_START_ROUTINE start, LPVOID parameter,
            DWORD flags, LPDWORD id));
WS_DECLARE(DWORD, ResumeThread, (HANDLE thread));
WS_DECLARE(BOOL, GetExitCodeThread, (HANDLE thread, LPDWORD code));
WS_DECLARE(HANDLE, GetCurrentThread, (void));
WS_DECLARE(DWORD, GetCurrentThreadId, (void));
WS_DECLARE(HANDLE, GetCurrentProcess, (void));
WS_DECLARE(DWORD, QueueUserAPC, (PAPCFUNC routine, HANDLE thread, ULONG_PTR parameter));
WS_END

#endif
