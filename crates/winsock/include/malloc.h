/* glibc's, and what Microsoft's has beyond. */
#include_next <malloc.h>
#ifndef WS_MALLOC_H
#define WS_MALLOC_H

#include <stdlib.h>

WS_BEGIN
WS_ALIAS(size_t, _msize, malloc_usable_size, (void *memory));
WS_ALIAS(void, _aligned_free, free, (void *memory));
WS_ALIAS(void *, ws_aligned_alloc, memalign, (size_t alignment, size_t size));
WS_INLINE void *_aligned_malloc(size_t size, size_t alignment) { return ws_aligned_alloc(alignment, size); }
WS_END

#define _alloca(size) __builtin_alloca(size)
#ifndef alloca
#define alloca(size) __builtin_alloca(size)
#endif

#endif
