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
WS_END

#endif
