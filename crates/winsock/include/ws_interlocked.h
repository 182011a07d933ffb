/* Interlocked functions: each is a full barrier, also those that ask for less by their names.
 *
 * `LONG` has 32 bits and `long` 64. Sources that were written where both are the same give either: C takes both by type-generic
 * macros over functions of LONG, C++ by overloads.
 */
#ifndef WS_INTERLOCKED_H
#define WS_INTERLOCKED_H

#include <minwindef.h>

WS_BEGIN
#define WS_INTERLOCKED(prefix, type, width) \
    WS_INLINE type prefix##InterlockedIncrement##width(type volatile *target) { \
        return __atomic_add_fetch(target, 1, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedDecrement##width(type volatile *target) { \
        return __atomic_sub_fetch(target, 1, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedExchange##width(type volatile *target, type value) { \
        return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedExchangeAdd##width(type volatile *target, type value) { \
        return __atomic_fetch_add(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedAdd##width(type volatile *target, type value) { \
        return __atomic_add_fetch(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedAnd##width(type volatile *target, type value) { \
        return __atomic_fetch_and(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedOr##width(type volatile *target, type value) { \
        return __atomic_fetch_or(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedXor##width(type volatile *target, type value) { \
        return __atomic_fetch_xor(target, value, __ATOMIC_SEQ_CST); \
    } \
    WS_INLINE type prefix##InterlockedCompareExchange##width(type volatile *target, type value, type comparand) { \
        return __sync_val_compare_and_swap(target, comparand, value); \
    }
WS_INTERLOCKED(, CHAR, 8)
WS_INTERLOCKED(, SHORT, 16)
WS_INTERLOCKED(, LONG, )
WS_INTERLOCKED(, LONG64, 64)

WS_INLINE PVOID InterlockedExchangePointer(PVOID volatile *target, PVOID value) {
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}
WS_INLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *target, PVOID value, PVOID comparand) {
    return __sync_val_compare_and_swap(target, comparand, value);
}
WS_INLINE BOOLEAN InterlockedBitTestAndSet(LONG volatile *target, LONG bit) {
    return (BOOLEAN)((__atomic_fetch_or(target, 1u << (bit & 31), __ATOMIC_SEQ_CST) >> (bit & 31)) & 1);
}
WS_INLINE BOOLEAN InterlockedBitTestAndReset(LONG volatile *target, LONG bit) {
    return (BOOLEAN)((__atomic_fetch_and(target, ~(1u << (bit & 31)), __ATOMIC_SEQ_CST) >> (bit & 31)) & 1);
}
#ifdef __x86_64__
#ifdef WS_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif
/* 1 if `target` held what `comparand` holds; `comparand` receives what it held. */
WS_INLINE BOOLEAN InterlockedCompareExchange128(LONG64 volatile *target, LONG64 high, LONG64 low, LONG64 *comparand) {
    BOOLEAN same;
#ifdef WS_TSAN
    /* Which does not see what assembler does. */
    __tsan_release((void *)target);
#endif
    __asm__ __volatile__("lock cmpxchg16b %1"
                         : "=@ccz"(same), "+m"(*(LONG64 volatile(*)[2])target), "+a"(comparand[0]), "+d"(comparand[1])
                         : "b"(low), "c"(high)
                         : "memory");
#ifdef WS_TSAN
    __tsan_acquire((void *)target);
#endif
    return same;
}
#endif
WS_END

#ifdef __cplusplus
WS_CPP_BEGIN
WS_INTERLOCKED(, unsigned int, )
WS_INTERLOCKED(, long, )
WS_INTERLOCKED(, unsigned long, )
WS_INTERLOCKED(, unsigned long long, 64)
WS_INTERLOCKED(, long, 64)
WS_INTERLOCKED(, unsigned long, 64)
WS_CPP_END
#else
WS_INTERLOCKED(ws_long_, long, )

#define WS_INTERLOCKED_OF(target, function) \
    (_Generic((target), \
        long *: ws_long_##function, \
        long volatile *: ws_long_##function, \
        unsigned long *: ws_long_##function, \
        unsigned long volatile *: ws_long_##function, \
        default: function))
#define InterlockedIncrement(target) WS_INTERLOCKED_OF(target, InterlockedIncrement)((void *)(target))
#define InterlockedDecrement(target) WS_INTERLOCKED_OF(target, InterlockedDecrement)((void *)(target))
#define InterlockedExchange(target, value) WS_INTERLOCKED_OF(target, InterlockedExchange)((void *)(target), (value))
#define InterlockedExchangeAdd(target, value) WS_INTERLOCKED_OF(target, InterlockedExchangeAdd)((void *)(target), (value))
#define InterlockedAdd(target, value) WS_INTERLOCKED_OF(target, InterlockedAdd)((void *)(target), (value))
#define InterlockedAnd(target, value) WS_INTERLOCKED_OF(target, InterlockedAnd)((void *)(target), (value))
#define InterlockedOr(target, value) WS_INTERLOCKED_OF(target, InterlockedOr)((void *)(target), (value))
#define InterlockedXor(target, value) WS_INTERLOCKED_OF(target, InterlockedXor)((void *)(target), (value))
#define InterlockedCompareExchange(target, value, comparand) WS_INTERLOCKED_OF(target, InterlockedCompareExchange)((void *)(target), (value), (comparand))
/* `int64_t` is a `long`. */
#define InterlockedIncrement64(target) InterlockedIncrement64((LONG64 volatile *)(target))
#define InterlockedDecrement64(target) InterlockedDecrement64((LONG64 volatile *)(target))
#define InterlockedExchange64(target, value) InterlockedExchange64((LONG64 volatile *)(target), (value))
#define InterlockedExchangeAdd64(target, value) InterlockedExchangeAdd64((LONG64 volatile *)(target), (value))
#define InterlockedAdd64(target, value) InterlockedAdd64((LONG64 volatile *)(target), (value))
#define InterlockedAnd64(target, value) InterlockedAnd64((LONG64 volatile *)(target), (value))
#define InterlockedOr64(target, value) InterlockedOr64((LONG64 volatile *)(target), (value))
#define InterlockedXor64(target, value) InterlockedXor64((LONG64 volatile *)(target), (value))
#define InterlockedCompareExchange64(target, value, comparand) InterlockedCompareExchange64((LONG64 volatile *)(target), (value), (comparand))
#endif

#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedIncrement64Acquire InterlockedIncrement64
#define InterlockedIncrement64Release InterlockedIncrement64
#define InterlockedIncrement64NoFence InterlockedIncrement64
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedDecrement64Acquire InterlockedDecrement64
#define InterlockedDecrement64Release InterlockedDecrement64
#define InterlockedDecrement64NoFence InterlockedDecrement64
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeRelease InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchange64Acquire InterlockedExchange64
#define InterlockedExchange64Release InterlockedExchange64
#define InterlockedExchange64NoFence InterlockedExchange64
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedExchangeAdd64Acquire InterlockedExchangeAdd64
#define InterlockedExchangeAdd64Release InterlockedExchangeAdd64
#define InterlockedExchangeAdd64NoFence InterlockedExchangeAdd64
#define InterlockedAddAcquire InterlockedAdd
#define InterlockedAddRelease InterlockedAdd
#define InterlockedAddNoFence InterlockedAdd
#define InterlockedAdd64Acquire InterlockedAdd64
#define InterlockedAdd64Release InterlockedAdd64
#define InterlockedAdd64NoFence InterlockedAdd64
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedAnd64Acquire InterlockedAnd64
#define InterlockedAnd64Release InterlockedAnd64
#define InterlockedAnd64NoFence InterlockedAnd64
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define InterlockedOr64Acquire InterlockedOr64
#define InterlockedOr64Release InterlockedOr64
#define InterlockedOr64NoFence InterlockedOr64
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXorRelease InterlockedXor
#define InterlockedXorNoFence InterlockedXor
#define InterlockedXor64Acquire InterlockedXor64
#define InterlockedXor64Release InterlockedXor64
#define InterlockedXor64NoFence InterlockedXor64
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedCompareExchange64Acquire InterlockedCompareExchange64
#define InterlockedCompareExchange64Release InterlockedCompareExchange64
#define InterlockedCompareExchange64NoFence InterlockedCompareExchange64
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerRelease InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define InterlockedCompareExchangePointerAcquire InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence InterlockedCompareExchangePointer

/* The compiler's own names. */
#define _InterlockedIncrement8 InterlockedIncrement8
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement8 InterlockedDecrement8
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd8 InterlockedExchangeAdd8
#define _InterlockedExchangeAdd16 InterlockedExchangeAdd16
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedAdd8 InterlockedAdd8
#define _InterlockedAdd16 InterlockedAdd16
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd64
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedAnd16 InterlockedAnd16
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedOr16 InterlockedOr16
#define _InterlockedOr InterlockedOr
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor8 InterlockedXor8
#define _InterlockedXor16 InterlockedXor16
#define _InterlockedXor InterlockedXor
#define _InterlockedXor64 InterlockedXor64
#define _InterlockedCompareExchange8 InterlockedCompareExchange8
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#ifdef __x86_64__
#define _InterlockedCompareExchange128 InterlockedCompareExchange128
#endif

#endif
