/* Lists that several threads push to and pop from. The lowest bit of the head's address, free because entries lie at
 * multiples of 16, is a lock that is held for a few instructions. */
#ifndef WS_SLIST_H
#define WS_SLIST_H

#include <ws_interlocked.h>

typedef struct _SLIST_ENTRY {
    struct _SLIST_ENTRY *Next;
} __attribute__((__aligned__(16))) SLIST_ENTRY, *PSLIST_ENTRY;

typedef union _SLIST_HEADER {
    __extension__ struct {
        /* The first entry, and the lock. */
        ULONGLONG Alignment;
        /* How many there are. */
        ULONGLONG Region;
    };
} __attribute__((__aligned__(16))) SLIST_HEADER, *PSLIST_HEADER;

WS_BEGIN
WS_INLINE PSLIST_ENTRY ws_slist_lock(PSLIST_HEADER list) {
    ULONGLONG first;
    while ((first = __atomic_fetch_or(&list->Alignment, 1, __ATOMIC_ACQUIRE)) & 1) {
        while (__atomic_load_n(&list->Alignment, __ATOMIC_RELAXED) & 1) {
        }
    }
    return (PSLIST_ENTRY)(ULONG_PTR)first;
}
WS_INLINE void ws_slist_unlock(PSLIST_HEADER list, PSLIST_ENTRY first) {
    __atomic_store_n(&list->Alignment, (ULONG_PTR)first, __ATOMIC_RELEASE);
}
/* With the lock held; QueryDepthSList reads without it. */
WS_INLINE void ws_slist_count(PSLIST_HEADER list, ULONGLONG count) {
    __atomic_store_n(&list->Region, count, __ATOMIC_RELAXED);
}
WS_INLINE void InitializeSListHead(PSLIST_HEADER list) {
    list->Alignment = 0;
    list->Region = 0;
}
WS_INLINE PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER list, PSLIST_ENTRY entry) {
    PSLIST_ENTRY first = ws_slist_lock(list);
    entry->Next = first;
    ws_slist_count(list, list->Region + 1);
    ws_slist_unlock(list, entry);
    return first;
}
WS_INLINE PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER list) {
    PSLIST_ENTRY first = ws_slist_lock(list);
    if (first != 0) {
        ws_slist_count(list, list->Region - 1);
    }
    ws_slist_unlock(list, first == 0 ? 0 : first->Next);
    return first;
}
WS_INLINE PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER list) {
    PSLIST_ENTRY first = ws_slist_lock(list);
    ws_slist_count(list, 0);
    ws_slist_unlock(list, 0);
    return first;
}
WS_INLINE USHORT QueryDepthSList(PSLIST_HEADER list) {
    return (USHORT)__atomic_load_n(&list->Region, __ATOMIC_RELAXED);
}
WS_END

#endif
