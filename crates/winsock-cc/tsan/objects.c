/* Objects behind handles: what signals them, and waits. */
#include "keys.h"

uint64_t keys[KEYS];
uint64_t notes[NOTES][KEYS];
uint32_t objects[HANDLES];

static void acquire_handle(HANDLE handle) {
    acquired(signal_of(handle));
    DWORD error = GetLastError();
    DWORD thread = GetThreadId(handle);
    SetLastError(error);
    if (thread != 0) {
        acquired(key(ENDED, thread));
    }
}

/* After a wait for these handles had this result, which is based on WAIT_OBJECT_0 or WAIT_ABANDONED_0. */
static DWORD waited(DWORD result, DWORD count, const HANDLE *handles, BOOL all) {
    BOOL abandoned = result >= WAIT_ABANDONED_0 && result < WAIT_ABANDONED_0 + count;
    if (!abandoned && result >= WAIT_OBJECT_0 + count) {
        return result;
    }
    DWORD index = result - (abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0);
    for (DWORD i = 0; i < count; i++) {
        if (all || i == index) {
            acquire_handle(handles[i]);
        }
    }
    if (abandoned) {
        /* By a thread that has ended. */
        acquired(key(ENDED, 0));
    }
    return result;
}

WRAP(DWORD, WaitForSingleObject, (HANDLE object, DWORD milliseconds)) {
    return waited(WaitForSingleObject(object, milliseconds), 1, &object, FALSE);
}

WRAP(DWORD, WaitForSingleObjectEx, (HANDLE object, DWORD milliseconds, BOOL alertable)) {
    return waited(WaitForSingleObjectEx(object, milliseconds, alertable), 1, &object, FALSE);
}

WRAP(DWORD, WaitForMultipleObjects, (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds)) {
    return waited(WaitForMultipleObjects(count, objects, all, milliseconds), count, objects, all);
}

WRAP(DWORD, WaitForMultipleObjectsEx,
     (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds, BOOL alertable)) {
    return waited(WaitForMultipleObjectsEx(count, objects, all, milliseconds, alertable), count, objects, all);
}

WRAP(DWORD, WSAWaitForMultipleEvents,
     (DWORD count, const WSAEVENT *events, BOOL all, DWORD milliseconds, BOOL alertable)) {
    return waited(WSAWaitForMultipleEvents(count, events, all, milliseconds, alertable), count, events, all);
}

WRAP(DWORD, MsgWaitForMultipleObjects, (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds, DWORD mask)) {
    return waited(MsgWaitForMultipleObjects(count, objects, all, milliseconds, mask), count, objects, all);
}

WRAP(DWORD, MsgWaitForMultipleObjectsEx,
     (DWORD count, const HANDLE *objects, DWORD milliseconds, DWORD mask, DWORD flags)) {
    DWORD result = MsgWaitForMultipleObjectsEx(count, objects, milliseconds, mask, flags);
    return waited(result, count, objects, (flags & MWMO_WAITALL) != 0);
}

WRAP(DWORD, SignalObjectAndWait, (HANDLE signal, HANDLE object, DWORD milliseconds, BOOL alertable)) {
    released(signal_of(signal));
    return waited(SignalObjectAndWait(signal, object, milliseconds, alertable), 1, &object, FALSE);
}

WRAP(BOOL, SetEvent, (HANDLE event)) {
    released(signal_of(event));
    return SetEvent(event);
}

WRAP(BOOL, WSASetEvent, (WSAEVENT event)) {
    released(signal_of(event));
    return WSASetEvent(event);
}

WRAP(BOOL, PulseEvent, (HANDLE event)) {
    released(signal_of(event));
    return PulseEvent(event);
}

WRAP(BOOL, ReleaseSemaphore, (HANDLE semaphore, LONG count, LPLONG previous)) {
    released(signal_of(semaphore));
    return ReleaseSemaphore(semaphore, count, previous);
}

WRAP(BOOL, ReleaseMutex, (HANDLE mutex)) {
    released(signal_of(mutex));
    return ReleaseMutex(mutex);
}

WRAP(BOOL, SetWaitableTimer,
     (HANDLE timer, const LARGE_INTEGER *due, LONG period, PTIMERAPCROUTINE routine, LPVOID argument, BOOL resume)) {
    released(signal_of(timer));
    return SetWaitableTimer(timer, due, period, routine, argument, resume);
}

/* Handles of one object: by its name, or by duplication. */

static HANDLE named_a(HANDLE handle, LPCSTR name) {
    uint64_t hash = 1;
    for (; handle && name && *name; name++) {
        hash = mixed(hash, (unsigned char)*name);
    }
    if (handle && name) {
        is_object(handle, hash | 1);
    }
    return handle;
}

static HANDLE named_w(HANDLE handle, LPCWSTR name) {
    uint64_t hash = 1;
    for (; handle && name && *name; name++) {
        hash = mixed(hash, (uint32_t)*name);
    }
    if (handle && name) {
        is_object(handle, hash | 1);
    }
    return handle;
}

#define WRAP_NAMED(type, parameters, ...) \
    WRAP(HANDLE, type##A, parameters(LPCSTR)) { return named_a(type##A(__VA_ARGS__), name); } \
    WRAP(HANDLE, type##W, parameters(LPCWSTR)) { return named_w(type##W(__VA_ARGS__), name); }

#define EVENT(text) (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, BOOL set, text name)
#define MUTEX(text) (LPSECURITY_ATTRIBUTES attributes, BOOL owned, text name)
#define SEMAPHORE(text) (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, text name)
#define SEMAPHORE_EX(text) \
    (LPSECURITY_ATTRIBUTES attributes, LONG count, LONG maximum, text name, DWORD flags, DWORD access)
#define TIMER(text) (LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset, text name)
#define EX(text) (LPSECURITY_ATTRIBUTES attributes, text name, DWORD flags, DWORD access)
#define OPEN(text) (DWORD access, BOOL inherit, text name)

WRAP_NAMED(CreateEvent, EVENT, attributes, manual_reset, set, name)
WRAP_NAMED(CreateEventEx, EX, attributes, name, flags, access)
WRAP_NAMED(OpenEvent, OPEN, access, inherit, name)
WRAP_NAMED(CreateMutex, MUTEX, attributes, owned, name)
WRAP_NAMED(CreateMutexEx, EX, attributes, name, flags, access)
WRAP_NAMED(OpenMutex, OPEN, access, inherit, name)
WRAP_NAMED(CreateSemaphore, SEMAPHORE, attributes, count, maximum, name)
WRAP_NAMED(CreateSemaphoreEx, SEMAPHORE_EX, attributes, count, maximum, name, flags, access)
WRAP_NAMED(OpenSemaphore, OPEN, access, inherit, name)
WRAP_NAMED(CreateWaitableTimer, TIMER, attributes, manual_reset, name)
WRAP_NAMED(CreateWaitableTimerEx, EX, attributes, name, flags, access)
WRAP_NAMED(OpenWaitableTimer, OPEN, access, inherit, name)

WRAP(BOOL, DuplicateHandle,
     (HANDLE source_process, HANDLE source, HANDLE target_process, LPHANDLE target, DWORD access, BOOL inherit,
      DWORD options)) {
    uint64_t same = object(source);
    BOOL done = DuplicateHandle(source_process, source, target_process, target, access, inherit, options);
    if (done && target) {
        is_object(*target, same);
    }
    return done;
}

WRAP(BOOL, CloseHandle, (HANDLE handle)) {
    is_object(handle, 0);
    return CloseHandle(handle);
}
