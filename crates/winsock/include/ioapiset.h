/* Completion ports, and the results of operations. */
#ifndef _IO_APISET_H_
#define _IO_APISET_H_

#include <minwinbase.h>

WS_BEGIN
WS_DECLARE(HANDLE, CreateIoCompletionPort, (HANDLE file, HANDLE port, ULONG_PTR key, DWORD concurrency));
WS_DECLARE(BOOL, GetQueuedCompletionStatus,
           (HANDLE port, LPDWORD bytes, PULONG_PTR key, LPOVERLAPPED *overlapped, DWORD milliseconds));
WS_DECLARE(BOOL, GetQueuedCompletionStatusEx,
           (HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG count, PULONG removed, DWORD milliseconds, BOOL alertable));
WS_DECLARE(BOOL, PostQueuedCompletionStatus, (HANDLE port, DWORD bytes, ULONG_PTR key, LPOVERLAPPED overlapped));
WS_DECLARE(BOOL, CancelIo, (HANDLE file));
WS_DECLARE(BOOL, CancelIoEx, (HANDLE file, LPOVERLAPPED overlapped));
WS_DECLARE(BOOL, CancelSynchronousIo, (HANDLE thread));
WS_DECLARE(BOOL, GetOverlappedResult, (HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes, BOOL wait));
WS_DECLARE(BOOL, GetOverlappedResultEx,
           (HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes, DWORD milliseconds, BOOL alertable));
WS_END

#ifdef WS_TSAN
/* Tells ThreadSanitizer that the start of the operation was before. Of libwinsock_tsan, if there is that. */
WS_BEGIN
extern void ws_tsan_completed(const void *overlapped) __attribute__((__weak__));
WS_END
WS_INLINE ULONG_PTR ws_status_of(const volatile OVERLAPPED *overlapped) {
    if (ws_tsan_completed) {
        ws_tsan_completed((const void *)overlapped);
    }
    return __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE);
}
#define HasOverlappedIoCompleted(overlapped) (ws_status_of(overlapped) != (ULONG_PTR)STATUS_PENDING)
#else
#define HasOverlappedIoCompleted(overlapped) \
    (__atomic_load_n(&(overlapped)->Internal, __ATOMIC_ACQUIRE) != (ULONG_PTR)STATUS_PENDING)
#endif

#endif
