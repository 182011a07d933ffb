/* Threads. */
#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#include <minwinbase.h>

#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000

typedef VOID(NTAPI *PAPCFUNC)(ULONG_PTR parameter);

#define TLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#define TLS_MINIMUM_AVAILABLE 64
#define THREAD_PRIORITY_IDLE (-15)
#define THREAD_PRIORITY_LOWEST (-2)
#define THREAD_PRIORITY_BELOW_NORMAL (-1)
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_ERROR_RETURN 0x7FFFFFFF

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
WS_DECLARE(void, ExitThread, (DWORD code)) WS_NORETURN;
WS_DECLARE(BOOL, TerminateThread, (HANDLE thread, DWORD code));
WS_DECLARE(DWORD, GetThreadId, (HANDLE thread));
WS_DECLARE(BOOL, SwitchToThread, (void));
WS_DECLARE(BOOL, SetThreadPriority, (HANDLE thread, int priority));
WS_DECLARE(int, GetThreadPriority, (HANDLE thread));
WS_DECLARE(BOOL, SetThreadPriorityBoost, (HANDLE thread, BOOL disable));
WS_DECLARE(DWORD, TlsAlloc, (void));
WS_DECLARE(BOOL, TlsFree, (DWORD index));
WS_DECLARE(LPVOID, TlsGetValue, (DWORD index));
WS_DECLARE(BOOL, TlsSetValue, (DWORD index, LPVOID value));
WS_DECLARE(DWORD, GetCurrentProcessId, (void));
WS_DECLARE(void, ExitProcess, (UINT code)) WS_NORETURN;
WS_DECLARE(BOOL, TerminateProcess, (HANDLE process, UINT code));
WS_END

#endif
