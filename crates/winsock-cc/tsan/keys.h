/* By which objects ThreadSanitizer knows what is in order: `released(key)` in one thread comes before `acquired(key)` in
 * another. */
#ifndef WS_TSAN_KEYS_H
#define WS_TSAN_KEYS_H

#include <stdint.h>

#include <winsock2.h>

#include <windows.h>

/* Of the interface of the runtime, which gcc's package does not declare. */
void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* What a key is about. */
enum kind {
    /* A handle that is signalled: by a function, or by an operation of this event. */
    SIGNALLED,
    /* A handle whose operations are ended by another thread, and how it is called off. */
    CLOSED,
    /* A thread by its identifier: that it goes on, that it has ended. */
    RESUMED,
    ENDED,
    /* An operation by its OVERLAPPED. */
    OPERATION,
    /* A packet that was posted; a key under which handles are at a port. */
    PACKET,
    ASSOCIATION,
    /* A message of a window or a thread. */
    MESSAGE,
    /* A port that data are sent to. */
    NETWORK,
    /* An object of the thread pool: that it is set, that its routine has run. */
    POOL,
    POOL_DONE,
};

/* As many as fit, each for any number of things: that two share one hides a race once in a long while, and makes none up. */
#define KEYS 65536
typedef uint16_t Key;

/* The runtime keeps something for each eight bytes. */
extern uint64_t keys[KEYS];

static inline uint64_t mixed(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

static inline Key key(enum kind kind, uint64_t value) {
    return (Key)(mixed(mixed(0, kind + 1), value) >> 16);
}

static inline void released(Key key) {
    __tsan_release(&keys[key]);
}

static inline void acquired(Key key) {
    __tsan_acquire(&keys[key]);
}

/* What is remembered of an operation or an object of the pool: which keys its completion acquires. The last one that was
 * remembered at a place stays: one that is lost makes a false report. */
enum note { NOTE_HANDLE, NOTE_PORT, NOTES };

extern uint64_t notes[NOTES][KEYS];

static inline void noted(enum note note, const void *about, Key other) {
    uint64_t entry = (uint64_t)(uintptr_t)about << 16 | other;
    __atomic_store_n(&notes[note][key(OPERATION, (uintptr_t)about)], entry, __ATOMIC_RELAXED);
}

static inline void acquire_noted(enum note note, const void *about) {
    uint64_t entry = __atomic_load_n(&notes[note][key(OPERATION, (uintptr_t)about)], __ATOMIC_RELAXED);
    if (entry >> 16 == ((uint64_t)(uintptr_t)about & 0xFFFFFFFFFFFF)) {
        acquired((Key)entry);
    }
}

/* Objects that have several handles: for each handle, by the bits of its index, what stands for the object. */
#define HANDLES (1 << 22)
extern uint32_t objects[HANDLES];

static inline uint32_t *object_of(const void *handle) {
    return &objects[((uintptr_t)handle >> 2) & (HANDLES - 1)];
}

static inline uint64_t object(const void *handle) {
    uint32_t other = __atomic_load_n(object_of(handle), __ATOMIC_RELAXED);
    /* The two low bits of a handle mean nothing. */
    return other != 0 ? other : (uintptr_t)handle & ~(uintptr_t)3;
}

static inline void is_object(const void *handle, uint64_t object) {
    __atomic_store_n(object_of(handle), (uint32_t)object, __ATOMIC_RELAXED);
}

static inline Key signal_of(const void *handle) {
    return key(SIGNALLED, object(handle));
}

/* A function that stands before one of libwinsock's in programs that are linked with `--wrap`. */
#define WRAP(type, name, parameters) \
    type wrapped_##name parameters __asm__("__wrap_ws_" #name); \
    type wrapped_##name parameters

#endif
