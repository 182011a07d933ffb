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

/* Of the structures only the sizes are Windows's; all zeros is what each is at first. */
typedef struct _RTL_CRITICAL_SECTION {
    PVOID DebugInfo;
    LONG LockCount;
    LONG RecursionCount;
    HANDLE OwningThread;
    HANDLE LockSemaphore;
    ULONG_PTR SpinCount;
} CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;
typedef CRITICAL_SECTION RTL_CRITICAL_SECTION, *PRTL_CRITICAL_SECTION;
#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000

typedef struct _RTL_SRWLOCK {
    PVOID Ptr;
} SRWLOCK, *PSRWLOCK;
#define SRWLOCK_INIT {0}

typedef struct _RTL_CONDITION_VARIABLE {
    PVOID Ptr;
} CONDITION_VARIABLE, *PCONDITION_VARIABLE;
#define CONDITION_VARIABLE_INIT {0}
#define CONDITION_VARIABLE_LOCKMODE_SHARED 0x1

typedef union _RTL_RUN_ONCE {
    PVOID Ptr;
} INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE once, PVOID parameter, PVOID *context);
#define INIT_ONCE_STATIC_INIT {0}
#define INIT_ONCE_CHECK_ONLY 0x1
#define INIT_ONCE_ASYNC 0x2
#define INIT_ONCE_INIT_FAILED 0x4
#define INIT_ONCE_CTX_RESERVED_BITS 2

typedef struct _RTL_BARRIER {
    DWORD Reserved1;
    DWORD Reserved2;
    ULONG_PTR Reserved3[2];
    DWORD Reserved4;
    DWORD Reserved5;
} SYNCHRONIZATION_BARRIER, *PSYNCHRONIZATION_BARRIER, *LPSYNCHRONIZATION_BARRIER;
#define SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY 0x01
#define SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY 0x02
#define SYNCHRONIZATION_BARRIER_FLAGS_NO_DELETE 0x04

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
WS_DECLARE(void, InitializeCriticalSection, (LPCRITICAL_SECTION section));
WS_DECLARE(BOOL, InitializeCriticalSectionAndSpinCount, (LPCRITICAL_SECTION section, DWORD spin_count));
WS_DECLARE(BOOL, InitializeCriticalSectionEx, (LPCRITICAL_SECTION section, DWORD spin_count, DWORD flags));
WS_DECLARE(DWORD, SetCriticalSectionSpinCount, (LPCRITICAL_SECTION section, DWORD spin_count));
WS_DECLARE(void, EnterCriticalSection, (LPCRITICAL_SECTION section));
WS_DECLARE(BOOL, TryEnterCriticalSection, (LPCRITICAL_SECTION section));
WS_DECLARE(void, LeaveCriticalSection, (LPCRITICAL_SECTION section));
WS_DECLARE(void, DeleteCriticalSection, (LPCRITICAL_SECTION section));

WS_DECLARE(void, InitializeSRWLock, (PSRWLOCK lock));
WS_DECLARE(void, AcquireSRWLockExclusive, (PSRWLOCK lock));
WS_DECLARE(void, AcquireSRWLockShared, (PSRWLOCK lock));
WS_DECLARE(BOOLEAN, TryAcquireSRWLockExclusive, (PSRWLOCK lock));
WS_DECLARE(BOOLEAN, TryAcquireSRWLockShared, (PSRWLOCK lock));
WS_DECLARE(void, ReleaseSRWLockExclusive, (PSRWLOCK lock));
WS_DECLARE(void, ReleaseSRWLockShared, (PSRWLOCK lock));

WS_DECLARE(void, InitializeConditionVariable, (PCONDITION_VARIABLE variable));
WS_DECLARE(BOOL, SleepConditionVariableCS, (PCONDITION_VARIABLE variable, PCRITICAL_SECTION section, DWORD milliseconds));
WS_DECLARE(BOOL, SleepConditionVariableSRW, (PCONDITION_VARIABLE variable, PSRWLOCK lock, DWORD milliseconds, ULONG flags));
WS_DECLARE(void, WakeConditionVariable, (PCONDITION_VARIABLE variable));
WS_DECLARE(void, WakeAllConditionVariable, (PCONDITION_VARIABLE variable));

WS_DECLARE(void, InitOnceInitialize, (PINIT_ONCE once));
WS_DECLARE(BOOL, InitOnceExecuteOnce, (PINIT_ONCE once, PINIT_ONCE_FN routine, PVOID parameter, LPVOID *context));
WS_DECLARE(BOOL, InitOnceBeginInitialize, (LPINIT_ONCE once, DWORD flags, PBOOL pending, LPVOID *context));
WS_DECLARE(BOOL, InitOnceComplete, (LPINIT_ONCE once, DWORD flags, LPVOID context));

WS_DECLARE(BOOL, InitializeSynchronizationBarrier, (LPSYNCHRONIZATION_BARRIER barrier, LONG threads, LONG spin_count));
WS_DECLARE(BOOL, EnterSynchronizationBarrier, (LPSYNCHRONIZATION_BARRIER barrier, DWORD flags));
WS_DECLARE(BOOL, DeleteSynchronizationBarrier, (LPSYNCHRONIZATION_BARRIER barrier));

WS_DECLARE(BOOL, WaitOnAddress, (volatile VOID *address, PVOID compare, SIZE_T size, DWORD milliseconds));
WS_DECLARE(void, WakeByAddressSingle, (PVOID address));
WS_DECLARE(void, WakeByAddressAll, (PVOID address));
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
