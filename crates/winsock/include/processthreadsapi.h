/* Threads and processes. */
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

#define CREATE_NEW_CONSOLE 0x00000010
#define CREATE_NO_WINDOW 0x08000000
#define DETACHED_PROCESS 0x00000008
#define CREATE_UNICODE_ENVIRONMENT 0x00000400
#define NORMAL_PRIORITY_CLASS 0x00000020
#define CREATE_NEW_PROCESS_GROUP 0x00000200
#define DEBUG_PROCESS 0x00000001
#define DEBUG_ONLY_THIS_PROCESS 0x00000002
#define EXTENDED_STARTUPINFO_PRESENT 0x00080000
#define STARTF_USESHOWWINDOW 0x00000001
#define STARTF_USESTDHANDLES 0x00000100

typedef struct _STARTUPINFOA {
    DWORD cb;
    LPSTR lpReserved;
    LPSTR lpDesktop;
    LPSTR lpTitle;
    DWORD dwX;
    DWORD dwY;
    DWORD dwXSize;
    DWORD dwYSize;
    DWORD dwXCountChars;
    DWORD dwYCountChars;
    DWORD dwFillAttribute;
    DWORD dwFlags;
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput;
    HANDLE hStdOutput;
    HANDLE hStdError;
} STARTUPINFOA, *LPSTARTUPINFOA;

typedef struct _STARTUPINFOW {
    DWORD cb;
    LPWSTR lpReserved;
    LPWSTR lpDesktop;
    LPWSTR lpTitle;
    DWORD dwX;
    DWORD dwY;
    DWORD dwXSize;
    DWORD dwYSize;
    DWORD dwXCountChars;
    DWORD dwYCountChars;
    DWORD dwFillAttribute;
    DWORD dwFlags;
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput;
    HANDLE hStdOutput;
    HANDLE hStdError;
} STARTUPINFOW, *LPSTARTUPINFOW;

#ifdef UNICODE
typedef STARTUPINFOW STARTUPINFO, *LPSTARTUPINFO;
#else
typedef STARTUPINFOA STARTUPINFO, *LPSTARTUPINFO;
#endif

typedef struct _PROCESS_INFORMATION {
    HANDLE hProcess;
    HANDLE hThread;
    DWORD dwProcessId;
    DWORD dwThreadId;
} PROCESS_INFORMATION, *PPROCESS_INFORMATION, *LPPROCESS_INFORMATION;

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
WS_DECLARE(BOOL, CreateProcessA,
           (LPCSTR application, LPSTR line, LPSECURITY_ATTRIBUTES process_attributes, LPSECURITY_ATTRIBUTES thread_attributes,
            BOOL inherit, DWORD flags, LPVOID environment, LPCSTR directory, LPSTARTUPINFOA startup,
            LPPROCESS_INFORMATION information));
WS_DECLARE(BOOL, CreateProcessW,
           (LPCWSTR application, LPWSTR line, LPSECURITY_ATTRIBUTES process_attributes, LPSECURITY_ATTRIBUTES thread_attributes,
            BOOL inherit, DWORD flags, LPVOID environment, LPCWSTR directory, LPSTARTUPINFOW startup,
            LPPROCESS_INFORMATION information));
WS_DECLARE(BOOL, GetExitCodeProcess, (HANDLE process, LPDWORD code));
WS_DECLARE(DWORD, GetProcessId, (HANDLE process));
WS_END

#ifdef UNICODE
#define CreateProcess CreateProcessW
#else
#define CreateProcess CreateProcessA
#endif

#endif
