/* The thread pool: what is set or submitted is before its routine, and that is before who waits for it. */
#include "keys.h"

#include <stdlib.h>

#include "operations.h"

/* A routine of the program's, and its context. Those of objects of the pool stay: a routine may run while its object is
 * closed. */
struct routine {
    union {
        PTP_SIMPLE_CALLBACK simple;
        PTP_WORK_CALLBACK work;
        PTP_WAIT_CALLBACK wait;
        PTP_TIMER_CALLBACK timer;
        PTP_WIN32_IO_CALLBACK io;
        LPTHREAD_START_ROUTINE item;
        WAITORTIMERCALLBACK waited;
    };
    PVOID context;
    HANDLE object;
};

static struct routine *new_routine(struct routine routine) {
    struct routine *copy = malloc(sizeof *copy);
    if (!copy) {
        abort();
    }
    *copy = routine;
    return copy;
}

static Key set(const void *object) {
    return key(POOL, (uintptr_t)object);
}

static Key done(const void *object) {
    return key(POOL_DONE, (uintptr_t)object);
}

/* Routines that run once. */

static VOID NTAPI run_simple(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    struct routine routine = *(struct routine *)context;
    acquired(set(context));
    free(context);
    routine.simple(instance, routine.context);
}

WRAP(BOOL, TrySubmitThreadpoolCallback,
     (PTP_SIMPLE_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment)) {
    struct routine *routine = new_routine((struct routine){.simple = callback, .context = context});
    released(set(routine));
    BOOL submitted = TrySubmitThreadpoolCallback(run_simple, routine, environment);
    if (!submitted) {
        free(routine);
    }
    return submitted;
}

static DWORD WINAPI run_item(LPVOID context) {
    struct routine routine = *(struct routine *)context;
    acquired(set(context));
    free(context);
    return routine.item(routine.context);
}

WRAP(BOOL, QueueUserWorkItem, (LPTHREAD_START_ROUTINE function, PVOID context, ULONG flags)) {
    struct routine *routine = new_routine((struct routine){.item = function, .context = context});
    released(set(routine));
    BOOL queued = QueueUserWorkItem(run_item, routine, flags);
    if (!queued) {
        free(routine);
    }
    return queued;
}

/* Objects of the pool. */

static VOID NTAPI run_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    struct routine *routine = context;
    acquired(set(work));
    routine->work(instance, routine->context, work);
    released(done(work));
}

WRAP(PTP_WORK, CreateThreadpoolWork,
     (PTP_WORK_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment)) {
    struct routine *routine = new_routine((struct routine){.work = callback, .context = context});
    return CreateThreadpoolWork(run_work, routine, environment);
}

WRAP(VOID, SubmitThreadpoolWork, (PTP_WORK work)) {
    released(set(work));
    SubmitThreadpoolWork(work);
}

WRAP(VOID, WaitForThreadpoolWorkCallbacks, (PTP_WORK work, BOOL cancel)) {
    WaitForThreadpoolWorkCallbacks(work, cancel);
    acquired(done(work));
}

static VOID NTAPI run_wait(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result) {
    struct routine *routine = context;
    acquired(set(wait));
    acquire_noted(NOTE_HANDLE, wait);
    routine->wait(instance, routine->context, wait, result);
    released(done(wait));
}

WRAP(PTP_WAIT, CreateThreadpoolWait,
     (PTP_WAIT_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment)) {
    struct routine *routine = new_routine((struct routine){.wait = callback, .context = context});
    return CreateThreadpoolWait(run_wait, routine, environment);
}

WRAP(VOID, SetThreadpoolWait, (PTP_WAIT wait, HANDLE object, PFILETIME timeout)) {
    released(set(wait));
    if (object) {
        noted(NOTE_HANDLE, wait, signal_of(object));
    }
    SetThreadpoolWait(wait, object, timeout);
}

WRAP(VOID, WaitForThreadpoolWaitCallbacks, (PTP_WAIT wait, BOOL cancel)) {
    WaitForThreadpoolWaitCallbacks(wait, cancel);
    acquired(done(wait));
}

static VOID NTAPI run_timer(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer) {
    struct routine *routine = context;
    acquired(set(timer));
    routine->timer(instance, routine->context, timer);
    released(done(timer));
}

WRAP(PTP_TIMER, CreateThreadpoolTimer,
     (PTP_TIMER_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment)) {
    struct routine *routine = new_routine((struct routine){.timer = callback, .context = context});
    return CreateThreadpoolTimer(run_timer, routine, environment);
}

WRAP(VOID, SetThreadpoolTimer, (PTP_TIMER timer, PFILETIME due, DWORD period, DWORD window)) {
    released(set(timer));
    SetThreadpoolTimer(timer, due, period, window);
}

WRAP(VOID, WaitForThreadpoolTimerCallbacks, (PTP_TIMER timer, BOOL cancel)) {
    WaitForThreadpoolTimerCallbacks(timer, cancel);
    acquired(done(timer));
}

static VOID WINAPI run_io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG result, ULONG_PTR bytes,
                          PTP_IO io) {
    struct routine *routine = context;
    acquired(set(io));
    ws_tsan_completed(overlapped);
    routine->io(instance, routine->context, overlapped, result, bytes, io);
    released(done(io));
}

WRAP(PTP_IO, CreateThreadpoolIo,
     (HANDLE file, PTP_WIN32_IO_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment)) {
    struct routine *routine = new_routine((struct routine){.io = callback, .context = context});
    return CreateThreadpoolIo(file, run_io, routine, environment);
}

WRAP(VOID, StartThreadpoolIo, (PTP_IO io)) {
    released(set(io));
    StartThreadpoolIo(io);
}

WRAP(VOID, WaitForThreadpoolIoCallbacks, (PTP_IO io, BOOL cancel)) {
    WaitForThreadpoolIoCallbacks(io, cancel);
    acquired(done(io));
}

static VOID NTAPI run_waited(PVOID context, BOOLEAN timed_out) {
    struct routine *routine = context;
    acquired(set(routine));
    acquired(signal_of(routine->object));
    routine->waited(routine->context, timed_out);
    released(done(routine));
}

WRAP(BOOL, RegisterWaitForSingleObject,
     (PHANDLE wait, HANDLE object, WAITORTIMERCALLBACK callback, PVOID context, ULONG milliseconds, ULONG flags)) {
    struct routine *routine = new_routine((struct routine){.waited = callback, .context = context, .object = object});
    released(set(routine));
    BOOL registered = RegisterWaitForSingleObject(wait, object, run_waited, routine, milliseconds, flags);
    if (registered && wait) {
        noted(NOTE_HANDLE, *wait, done(routine));
    }
    return registered;
}

WRAP(BOOL, UnregisterWaitEx, (HANDLE wait, HANDLE event)) {
    BOOL unregistered = UnregisterWaitEx(wait, event);
    acquire_noted(NOTE_HANDLE, wait);
    return unregistered;
}

/* These routines have no context by which to find the program's: each gets a function of its own. Those of a program with
 * more stay as they are, and what they take over is not known to be in order. */

#define BOUND 16
static LPOVERLAPPED_COMPLETION_ROUTINE bound[BOUND];

#define RUN_BOUND(i) \
    static VOID WINAPI run_bound_##i(DWORD error, DWORD bytes, LPOVERLAPPED overlapped) { \
        ws_tsan_completed(overlapped); \
        __atomic_load_n(&bound[i], __ATOMIC_ACQUIRE)(error, bytes, overlapped); \
    }
RUN_BOUND(0) RUN_BOUND(1) RUN_BOUND(2) RUN_BOUND(3) RUN_BOUND(4) RUN_BOUND(5) RUN_BOUND(6) RUN_BOUND(7)
RUN_BOUND(8) RUN_BOUND(9) RUN_BOUND(10) RUN_BOUND(11) RUN_BOUND(12) RUN_BOUND(13) RUN_BOUND(14) RUN_BOUND(15)

WRAP(BOOL, BindIoCompletionCallback, (HANDLE file, LPOVERLAPPED_COMPLETION_ROUTINE function, ULONG flags)) {
    static const LPOVERLAPPED_COMPLETION_ROUTINE runs[BOUND] = {
        run_bound_0, run_bound_1, run_bound_2, run_bound_3, run_bound_4, run_bound_5, run_bound_6, run_bound_7,
        run_bound_8, run_bound_9, run_bound_10, run_bound_11, run_bound_12, run_bound_13, run_bound_14, run_bound_15,
    };
    for (int i = 0; function && i < BOUND; i++) {
        LPOVERLAPPED_COMPLETION_ROUTINE known = NULL;
        if (__atomic_compare_exchange_n(&bound[i], &known, function, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
            known == function) {
            return BindIoCompletionCallback(file, runs[i], flags);
        }
    }
    return BindIoCompletionCallback(file, function, flags);
}
