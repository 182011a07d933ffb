/* Locks that one thread takes and another releases. A slim lock knows no owner; one-time initialisation neither. */
#include <windows.h>
#include <process.h>
#include <stdio.h>

#define LONG_ENOUGH 20000

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static int turn;

static void acquire(BOOL shared) {
    if (shared)
        AcquireSRWLockShared(&lock);
    else
        AcquireSRWLockExclusive(&lock);
}

static void release(BOOL shared) {
    if (shared)
        ReleaseSRWLockShared(&lock);
    else
        ReleaseSRWLockExclusive(&lock);
}

struct round {
    BOOL held, wanted;
    int holds;
    HANDLE holding;
};

static unsigned __stdcall hold_and_want(void *argument) {
    struct round *round = argument;
    int i;
    for (i = 0; i < round->holds; i++)
        acquire(round->held);
    SetEvent(round->holding);
    acquire(round->wanted);
    release(round->wanted);
    return 0;
}

static unsigned __stdcall release_all(void *argument) {
    struct round *round = argument;
    int i;
    for (i = 0; i < round->holds; i++)
        release(round->held);
    return 0;
}

static HANDLE start(unsigned(__stdcall *routine)(void *), void *argument) {
    return (HANDLE)_beginthreadex(NULL, 0, routine, argument, 0, NULL);
}

/* What the thread ended with, or that it did not. */
static const char *ended(HANDLE thread) {
    DWORD outcome = WaitForSingleObject(thread, LONG_ENOUGH);
    CloseHandle(thread);
    return outcome == WAIT_OBJECT_0 ? "goes on" : "hangs";
}

static void play(const char *what, BOOL held, BOOL wanted, int holds) {
    struct round round = {held, wanted, holds, CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE holder = start(hold_and_want, &round);
    WaitForSingleObject(round.holding, LONG_ENOUGH);
    /* Long enough for it to be blocked, as a rule. */
    WaitForSingleObject(holder, 50);
    ended(start(release_all, &round));
    printf("%s: %s\n", what, ended(holder));
    CloseHandle(round.holding);
}

static unsigned __stdcall want_exclusive(void *argument) {
    (void)argument;
    AcquireSRWLockExclusive(&lock);
    turn++;
    ReleaseSRWLockExclusive(&lock);
    return 0;
}

/* Sleeps by a lock that its creator took. */
static unsigned __stdcall sleep_by_lock(void *argument) {
    BOOL shared = argument != NULL, woken = TRUE;
    while (woken && turn == 0)
        woken = SleepConditionVariableSRW(&changed, &lock, LONG_ENOUGH, shared ? CONDITION_VARIABLE_LOCKMODE_SHARED : 0);
    return woken;
}

static void wake(const char *what, BOOL shared) {
    HANDLE sleeper;
    DWORD code = 0;
    turn = 0;
    acquire(shared);
    sleeper = start(sleep_by_lock, shared ? &turn : NULL);
    AcquireSRWLockExclusive(&lock);
    turn = 1;
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&changed);
    WaitForSingleObject(sleeper, LONG_ENOUGH);
    GetExitCodeThread(sleeper, &code);
    printf("%s: woken %lu, ", what, code);
    /* The sleeper took it again, and has ended. */
    printf("free %d, ", TryAcquireSRWLockExclusive(&lock));
    release(shared);
    printf("free %d\n", TryAcquireSRWLockExclusive(&lock));
    ReleaseSRWLockExclusive(&lock);
    CloseHandle(sleeper);
}

static unsigned __stdcall try_each(void *argument) {
    int *got = argument;
    got[0] = TryAcquireSRWLockShared(&lock);
    got[1] = TryAcquireSRWLockExclusive(&lock);
    return 0;
}

static void try_from_another(const char *what) {
    int got[2];
    ended(start(try_each, got));
    printf("%s: shared %d, exclusive %d\n", what, got[0], got[1]);
}

static unsigned __stdcall complete(void *argument) {
    return InitOnceComplete(&once, 0, argument);
}

static unsigned __stdcall begin(void *argument) {
    PVOID context = NULL;
    BOOL pending = TRUE;
    InitOnceBeginInitialize(&once, 0, &pending, &context);
    return !pending && context == argument;
}

static CRITICAL_SECTION section;

static unsigned __stdcall leave(void *argument) {
    (void)argument;
    LeaveCriticalSection(&section);
    return 0;
}

static unsigned __stdcall enter(void *argument) {
    (void)argument;
    EnterCriticalSection(&section);
    LeaveCriticalSection(&section);
    return 0;
}

int main(void) {
    SRWLOCK other;
    HANDLE threads[3];
    BOOL pending = FALSE;
    DWORD code = 0;
    int i;

    play("shared, then exclusive", TRUE, FALSE, 1);
    play("shared three times, then exclusive", TRUE, FALSE, 3);
    play("exclusive, then shared", FALSE, TRUE, 1);
    play("exclusive, then exclusive", FALSE, FALSE, 1);

    /* Three writers wait for two readers, of which neither releases itself. */
    acquire(TRUE);
    acquire(TRUE);
    for (i = 0; i < 3; i++)
        threads[i] = start(want_exclusive, NULL);
    WaitForMultipleObjects(3, threads, FALSE, 50);
    {
        struct round round = {TRUE, FALSE, 2, NULL};
        ended(start(release_all, &round));
    }
    for (i = 0; i < 3; i++)
        printf("writer %d: %s\n", i, ended(threads[i]));
    printf("turns: %d\n", turn);

    wake("exclusive lock of another", FALSE);
    wake("shared lock of another", TRUE);

    try_from_another("free");
    try_from_another("shared");
    release(TRUE);
    release(TRUE);
    acquire(FALSE);
    try_from_another("exclusive");
    release(FALSE);

    /* A free lock is zeros, wherever they are. */
    other = lock;
    printf("zeros: %d\n", other.Ptr == NULL && TryAcquireSRWLockExclusive(&other));

    InitOnceBeginInitialize(&once, 0, &pending, NULL);
    threads[0] = start(begin, &once);
    WaitForSingleObject(threads[0], 50);
    ended(start(complete, &once));
    WaitForSingleObject(threads[0], LONG_ENOUGH);
    GetExitCodeThread(threads[0], &code);
    printf("initialised by another: pending %d, seen %lu\n", pending, code);

    InitializeCriticalSection(&section);
    EnterCriticalSection(&section);
    ended(start(leave, NULL));
    printf("critical section: %s\n", ended(start(enter, NULL)));
    fflush(stdout);
    ExitProcess(0);
}
