/* Threads from their beginning to their end, routines that are queued to them, and messages. */
#include "keys.h"

#include <process.h>
#include <stdlib.h>

/* What a thread begins with. */
struct start {
    LPTHREAD_START_ROUTINE thread;
    unsigned(__stdcall *ex)(void *);
    void(__cdecl *plain)(void *);
    void *argument;
};

static struct start *new_start(struct start start) {
    struct start *copy = malloc(sizeof *copy);
    if (!copy) {
        abort();
    }
    *copy = start;
    return copy;
}

static struct start begins(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    acquired(key(RESUMED, GetCurrentThreadId()));
    return start;
}

/* For who waits for this thread, and for who takes over a mutex that a thread had. */
static void ends(void) {
    released(key(ENDED, GetCurrentThreadId()));
    released(key(ENDED, 0));
}

static DWORD WINAPI run_thread(LPVOID argument) {
    struct start start = begins(argument);
    DWORD code = start.thread(start.argument);
    ends();
    return code;
}

static unsigned __stdcall run_ex(void *argument) {
    struct start start = begins(argument);
    unsigned code = start.ex(start.argument);
    ends();
    return code;
}

static void __cdecl run_plain(void *argument) {
    struct start start = begins(argument);
    start.plain(start.argument);
    ends();
}

WRAP(HANDLE, CreateThread,
     (LPSECURITY_ATTRIBUTES attributes, SIZE_T stack_size, LPTHREAD_START_ROUTINE thread, LPVOID parameter, DWORD flags,
      LPDWORD id)) {
    if (!thread) {
        return CreateThread(attributes, stack_size, thread, parameter, flags, id);
    }
    struct start *start = new_start((struct start){.thread = thread, .argument = parameter});
    HANDLE handle = CreateThread(attributes, stack_size, run_thread, start, flags, id);
    if (!handle) {
        free(start);
    }
    return handle;
}

WRAP(uintptr_t, _beginthreadex,
     (void *security, unsigned stack_size, unsigned(__stdcall *ex)(void *), void *argument, unsigned flags,
      unsigned *id)) {
    if (!ex) {
        return _beginthreadex(security, stack_size, ex, argument, flags, id);
    }
    struct start *start = new_start((struct start){.ex = ex, .argument = argument});
    uintptr_t handle = _beginthreadex(security, stack_size, run_ex, start, flags, id);
    if (handle == 0) {
        free(start);
    }
    return handle;
}

WRAP(uintptr_t, _beginthread, (void(__cdecl *plain)(void *), unsigned stack_size, void *argument)) {
    if (!plain) {
        return _beginthread(plain, stack_size, argument);
    }
    struct start *start = new_start((struct start){.plain = plain, .argument = argument});
    uintptr_t handle = _beginthread(run_plain, stack_size, start);
    if (handle == (uintptr_t)-1) {
        free(start);
    }
    return handle;
}

WRAP(void, ExitThread, (DWORD code)) {
    ends();
    ExitThread(code);
}

WRAP(void, _endthread, (void)) {
    ends();
    _endthread();
}

WRAP(void, _endthreadex, (unsigned code)) {
    ends();
    _endthreadex(code);
}

WRAP(DWORD, ResumeThread, (HANDLE thread)) {
    released(key(RESUMED, GetThreadId(thread)));
    return ResumeThread(thread);
}

WRAP(BOOL, GetExitCodeThread, (HANDLE thread, LPDWORD code)) {
    BOOL done = GetExitCodeThread(thread, code);
    if (done && code && *code != STILL_ACTIVE) {
        acquired(key(ENDED, GetThreadId(thread)));
    }
    return done;
}

/* A routine that is queued to a thread. */
struct queued {
    PAPCFUNC routine;
    ULONG_PTR parameter;
};

static VOID NTAPI run_queued(ULONG_PTR parameter) {
    struct queued *queued = (struct queued *)parameter;
    struct queued copy = *queued;
    __tsan_acquire(queued);
    free(queued);
    copy.routine(copy.parameter);
}

WRAP(DWORD, QueueUserAPC, (PAPCFUNC routine, HANDLE thread, ULONG_PTR parameter)) {
    struct queued *queued = routine ? malloc(sizeof *queued) : NULL;
    if (!queued) {
        return QueueUserAPC(routine, thread, parameter);
    }
    *queued = (struct queued){routine, parameter};
    __tsan_release(queued);
    DWORD done = QueueUserAPC(run_queued, thread, (ULONG_PTR)queued);
    if (!done) {
        free(queued);
    }
    return done;
}

static Key message_of(HWND window, UINT message, WPARAM wParam, LPARAM lParam) {
    return key(MESSAGE, mixed(mixed(mixed((uintptr_t)window, message), wParam), (uint64_t)lParam));
}

#define WRAP_MESSAGES(letter) \
    WRAP(BOOL, PostMessage##letter, (HWND window, UINT message, WPARAM wParam, LPARAM lParam)) { \
        released(message_of(window, message, wParam, lParam)); \
        return PostMessage##letter(window, message, wParam, lParam); \
    } \
    WRAP(BOOL, PostThreadMessage##letter, (DWORD thread, UINT message, WPARAM wParam, LPARAM lParam)) { \
        released(message_of(NULL, message, wParam, lParam)); \
        return PostThreadMessage##letter(thread, message, wParam, lParam); \
    } \
    WRAP(BOOL, GetMessage##letter, (LPMSG msg, HWND window, UINT first, UINT last)) { \
        BOOL got = GetMessage##letter(msg, window, first, last); \
        if (got != -1) { \
            acquired(message_of(msg->hwnd, msg->message, msg->wParam, msg->lParam)); \
        } \
        return got; \
    } \
    WRAP(BOOL, PeekMessage##letter, (LPMSG msg, HWND window, UINT first, UINT last, UINT remove)) { \
        BOOL got = PeekMessage##letter(msg, window, first, last, remove); \
        if (got) { \
            acquired(message_of(msg->hwnd, msg->message, msg->wParam, msg->lParam)); \
        } \
        return got; \
    }

WRAP_MESSAGES(A)
WRAP_MESSAGES(W)
