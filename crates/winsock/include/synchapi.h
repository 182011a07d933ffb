/* Waits, and what can be waited for. */
#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#include <minwinbase.h>

#define SYNCHRONIZE 0x00100000
#define CREATE_MUTEX_INITIAL_OWNER 0x00000001
#define CREATE_EVENT_MANUAL_RESET 0x00000001
#define CREATE_EVENT_INITIAL_SET 0x00000002
#define EVENT_ALL_ACCESS 0x001F0003
#define EVENT_MODIFY_STATE 0x0002
#define MUTEX_ALL_ACCESS 0x001F0001
#define SEMAPHORE_ALL_ACCESS 0x001F0003

typedef VOID(APIENTRY *PTIMERAPCROUTINE)(LPVOID argument, DWORD low, DWORD high);

#define CREATE_WAITABLE_TIMER_MANUAL_RESET 0x00000001
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002
#define TIMER_ALL_ACCESS 0x001F0003
#define TIMER_MODIFY_STATE 0x0002
#define SEMAPHORE_MODIFY_STATE 0x0002
#define MUTEX_MODIFY_STATE 0x0001

WS_BEGIN
WS_DECLARE(DWORD, WaitForSingleObject, (HANDLE object, DWORD milliseconds));
WS_DECLARE(DWORD, WaitForSingleObjectEx, (HANDLE object, DWORD milliseconds, BOOL alertable));
WS_DECLARE(DWORD, WaitForMultipleObjects, (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds));
WS_DECLARE(DWORD, WaitForMultipleObjectsEx,
           (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds, BOOL alertable));
WS_DECLARE(DWORD, SignalObjectAndWait, (HANDLE signal, HANDLE object, DWORD milliseconds, BOOL alertable));
WS_DECLARE(void, Sleep, (DWORD milliseconds));
WS_DECLARE(DWORD, SleepEx, (DWORD milliseconds, BOOL alertable));

WS_DECLARE(BOOL, SetEvent, (HANDLE event));
WS_DECLARE(BOOL, ResetEvent, (HANDLE event));
WS_DECLARE(BOOL, PulseEvent, (HANDLE event));
WS_DECLARE(BOOL, ReleaseSemaphore, (HANDLE semaphore, LONG count, LPLONG previous));
WS_DECLARE(BOOL, ReleaseMutex, (HANDLE mutex));
WS_DECLARE(BOOL, SetWaitableTimer,
           (HANDLE timer, const LARGE_INTEGER *due, LONG period, PTIMERAPCROUTINE routine, LPVOID argument, BOOL resume));
WS_DECLARE(BOOL, CancelWaitableTimer, (HANDLE timer));
WS_DECLARE(HANDLE, CreateEventA, (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, BOOL set, LPCSTR name));
WS_DECLARE(HANDLE, CreateEventW, (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, BOOL set, LPCWSTR name));
WS_DECLARE(HANDLE, CreateEventExA, (LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, CreateEventExW, (LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, OpenEventA, (DWORD access, BOOL inherit, LPCSTR name));
WS_DECLARE(HANDLE, OpenEventW, (DWORD access, BOOL inherit, LPCWSTR name));
WS_DECLARE(HANDLE, CreateMutexA, (LPSECURITY_ATTRIBUTES attributes, BOOL owned, LPCSTR name));
WS_DECLARE(HANDLE, CreateMutexW, (LPSECURITY_ATTRIBUTES attributes, BOOL owned, LPCWSTR name));
WS_DECLARE(HANDLE, CreateMutexExA, (LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, CreateMutexExW, (LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, OpenMutexA, (DWORD access, BOOL inherit, LPCSTR name));
WS_DECLARE(HANDLE, OpenMutexW, (DWORD access, BOOL inherit, LPCWSTR name));
WS_DECLARE(HANDLE, CreateSemaphoreA, (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, LPCSTR name));
WS_DECLARE(HANDLE, CreateSemaphoreW, (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, LPCWSTR name));
WS_DECLARE(HANDLE, CreateSemaphoreExA, (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, LPCSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, CreateSemaphoreExW, (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, LPCWSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, OpenSemaphoreA, (DWORD access, BOOL inherit, LPCSTR name));
WS_DECLARE(HANDLE, OpenSemaphoreW, (DWORD access, BOOL inherit, LPCWSTR name));
WS_DECLARE(HANDLE, CreateWaitableTimerA, (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, LPCSTR name));
WS_DECLARE(HANDLE, CreateWaitableTimerW, (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, LPCWSTR name));
WS_DECLARE(HANDLE, CreateWaitableTimerExA, (LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, CreateWaitableTimerExW, (LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags, DWORD access));
WS_DECLARE(HANDLE, OpenWaitableTimerA, (DWORD access, BOOL inherit, LPCSTR name));
WS_DECLARE(HANDLE, OpenWaitableTimerW, (DWORD access, BOOL inherit, LPCWSTR name));
WS_END

#ifdef UNICODE
#define CreateEvent CreateEventW
#define CreateEventEx CreateEventExW
#define OpenEvent OpenEventW
#define CreateMutex CreateMutexW
#define CreateMutexEx CreateMutexExW
#define OpenMutex OpenMutexW
#define CreateSemaphore CreateSemaphoreW
#define CreateSemaphoreEx CreateSemaphoreExW
#define OpenSemaphore OpenSemaphoreW
#define CreateWaitableTimer CreateWaitableTimerW
#define CreateWaitableTimerEx CreateWaitableTimerExW
#define OpenWaitableTimer OpenWaitableTimerW
#else
#define CreateEvent CreateEventA
#define CreateEventEx CreateEventExA
#define OpenEvent OpenEventA
#define CreateMutex CreateMutexA
#define CreateMutexEx CreateMutexExA
#define OpenMutex OpenMutexA
#define CreateSemaphore CreateSemaphoreA
#define CreateSemaphoreEx CreateSemaphoreExA
#define OpenSemaphore OpenSemaphoreA
#define CreateWaitableTimer CreateWaitableTimerA
#define CreateWaitableTimerEx CreateWaitableTimerExA
#define OpenWaitableTimer OpenWaitableTimerA
#endif

#endif
