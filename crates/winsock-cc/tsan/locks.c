/* Locks and what else lies in the program's memory: known to ThreadSanitizer by its address. */
#include "keys.h"

WRAP(void, EnterCriticalSection, (LPCRITICAL_SECTION section)) {
    EnterCriticalSection(section);
    __tsan_acquire(section);
}

WRAP(BOOL, TryEnterCriticalSection, (LPCRITICAL_SECTION section)) {
    BOOL entered = TryEnterCriticalSection(section);
    if (entered) {
        __tsan_acquire(section);
    }
    return entered;
}

WRAP(void, LeaveCriticalSection, (LPCRITICAL_SECTION section)) {
    __tsan_release(section);
    LeaveCriticalSection(section);
}

WRAP(void, AcquireSRWLockExclusive, (PSRWLOCK lock)) {
    AcquireSRWLockExclusive(lock);
    __tsan_acquire(lock);
}

WRAP(void, AcquireSRWLockShared, (PSRWLOCK lock)) {
    AcquireSRWLockShared(lock);
    __tsan_acquire(lock);
}

WRAP(BOOLEAN, TryAcquireSRWLockExclusive, (PSRWLOCK lock)) {
    BOOLEAN acquired = TryAcquireSRWLockExclusive(lock);
    if (acquired) {
        __tsan_acquire(lock);
    }
    return acquired;
}

WRAP(BOOLEAN, TryAcquireSRWLockShared, (PSRWLOCK lock)) {
    BOOLEAN acquired = TryAcquireSRWLockShared(lock);
    if (acquired) {
        __tsan_acquire(lock);
    }
    return acquired;
}

WRAP(void, ReleaseSRWLockExclusive, (PSRWLOCK lock)) {
    __tsan_release(lock);
    ReleaseSRWLockExclusive(lock);
}

/* A reader's end is before the next writer's beginning. That readers are in order by this as well hides what two of them
 * write, if they come one after the other. */
WRAP(void, ReleaseSRWLockShared, (PSRWLOCK lock)) {
    __tsan_release(lock);
    ReleaseSRWLockShared(lock);
}

/* The lock is given up and taken again; that somebody wakes another puts nothing in order, as everywhere. */
WRAP(BOOL, SleepConditionVariableCS, (PCONDITION_VARIABLE variable, PCRITICAL_SECTION section, DWORD milliseconds)) {
    __tsan_release(section);
    BOOL woken = SleepConditionVariableCS(variable, section, milliseconds);
    __tsan_acquire(section);
    return woken;
}

WRAP(BOOL, SleepConditionVariableSRW, (PCONDITION_VARIABLE variable, PSRWLOCK lock, DWORD milliseconds, ULONG flags)) {
    __tsan_release(lock);
    BOOL woken = SleepConditionVariableSRW(variable, lock, milliseconds, flags);
    __tsan_acquire(lock);
    return woken;
}

struct first {
    PINIT_ONCE_FN routine;
    PVOID parameter;
};

static BOOL WINAPI first_time(PINIT_ONCE once, PVOID parameter, PVOID *context) {
    struct first *first = parameter;
    BOOL done = first->routine(once, first->parameter, context);
    __tsan_release(once);
    return done;
}

WRAP(BOOL, InitOnceExecuteOnce, (PINIT_ONCE once, PINIT_ONCE_FN routine, PVOID parameter, LPVOID *context)) {
    struct first first = {routine, parameter};
    BOOL done = InitOnceExecuteOnce(once, routine ? first_time : NULL, &first, context);
    if (done) {
        __tsan_acquire(once);
    }
    return done;
}

WRAP(BOOL, InitOnceBeginInitialize, (LPINIT_ONCE once, DWORD flags, PBOOL pending, LPVOID *context)) {
    BOOL done = InitOnceBeginInitialize(once, flags, pending, context);
    if (done) {
        __tsan_acquire(once);
    }
    return done;
}

WRAP(BOOL, InitOnceComplete, (LPINIT_ONCE once, DWORD flags, LPVOID context)) {
    __tsan_release(once);
    return InitOnceComplete(once, flags, context);
}

WRAP(BOOL, EnterSynchronizationBarrier, (LPSYNCHRONIZATION_BARRIER barrier, DWORD flags)) {
    __tsan_release(barrier);
    BOOL last = EnterSynchronizationBarrier(barrier, flags);
    __tsan_acquire(barrier);
    return last;
}

WRAP(BOOL, WaitOnAddress, (volatile VOID * address, PVOID compare, SIZE_T size, DWORD milliseconds)) {
    BOOL changed = WaitOnAddress(address, compare, size, milliseconds);
    if (changed) {
        __tsan_acquire((void *)address);
    }
    return changed;
}

WRAP(void, WakeByAddressSingle, (PVOID address)) {
    __tsan_release(address);
    WakeByAddressSingle(address);
}

WRAP(void, WakeByAddressAll, (PVOID address)) {
    __tsan_release(address);
    WakeByAddressAll(address);
}
