/* What the thread pool and the header `ioapiset.h` have to tell of operations. */
#ifndef WS_TSAN_OPERATIONS_H
#define WS_TSAN_OPERATIONS_H

/* Called when the program learns that an operation is over. */
void ws_tsan_completed(const void *overlapped);

#endif
