/* The compiler's own functions. */
#ifndef _INC_INTRIN
#define _INC_INTRIN

#include <winnt.h>
#include <stdlib.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#define _ReturnAddress() __builtin_return_address(0)
#define _AddressOfReturnAddress() __builtin_frame_address(0)

WS_BEGIN
WS_INLINE unsigned __popcnt(unsigned value) { return (unsigned)__builtin_popcount(value); }
WS_INLINE ULONG64 __popcnt64(ULONG64 value) { return (ULONG64)__builtin_popcountll(value); }
WS_INLINE unsigned __lzcnt(unsigned value) { return value == 0 ? 32 : (unsigned)__builtin_clz(value); }
WS_INLINE ULONG64 _umul128(ULONG64 a, ULONG64 b, ULONG64 *high) {
    unsigned __int128 product = (unsigned __int128)a * b;
    *high = (ULONG64)(product >> 64);
    return (ULONG64)product;
}
WS_INLINE ULONG64 __umulh(ULONG64 a, ULONG64 b) { return (ULONG64)(((unsigned __int128)a * b) >> 64); }
WS_INLINE ULONG64 __shiftright128(ULONG64 low, ULONG64 high, unsigned char shift) {
    return (ULONG64)((((unsigned __int128)high << 64) | low) >> (shift & 63));
}
WS_INLINE ULONG64 __shiftleft128(ULONG64 low, ULONG64 high, unsigned char shift) {
    return (ULONG64)(((((unsigned __int128)high << 64) | low) << (shift & 63)) >> 64);
}
#ifdef __x86_64__
WS_INLINE void ws_cpuid(int registers[4], int function, int sub) {
    __asm__ __volatile__("cpuid"
                         : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]), "=d"(registers[3])
                         : "a"(function), "c"(sub));
}
#undef __cpuid
#undef __cpuidex
#define __cpuid(registers, function) ws_cpuid((registers), (function), 0)
#define __cpuidex(registers, function, sub) ws_cpuid((registers), (function), (sub))
#endif
WS_END

/* The index of a bit, to whatever kind of integer: sources have an `unsigned long` for it. */
#ifdef __cplusplus
WS_CPP_BEGIN
#define WS_BIT_SCAN(name, mask_type, scan) \
    template <class T> inline unsigned char name(T *index, mask_type mask) { \
        if (mask == 0) { \
            return 0; \
        } \
        *index = (T)(scan); \
        return 1; \
    }
WS_BIT_SCAN(_BitScanForward, ULONG, __builtin_ctz(mask))
WS_BIT_SCAN(_BitScanReverse, ULONG, 31 - __builtin_clz(mask))
WS_BIT_SCAN(_BitScanForward64, ULONG64, __builtin_ctzll(mask))
WS_BIT_SCAN(_BitScanReverse64, ULONG64, 63 - __builtin_clzll(mask))
WS_CPP_END
#else
#define WS_BIT_SCAN(index, mask_type, mask, scan) \
    __extension__({ \
        mask_type ws_mask = (mask); \
        ws_mask != 0 ? (*(index) = (ULONG)(scan), (unsigned char)1) : (unsigned char)0; \
    })
#define _BitScanForward(index, mask) WS_BIT_SCAN(index, ULONG, mask, __builtin_ctz(ws_mask))
#define _BitScanReverse(index, mask) WS_BIT_SCAN(index, ULONG, mask, 31 - __builtin_clz(ws_mask))
#define _BitScanForward64(index, mask) WS_BIT_SCAN(index, ULONG64, mask, __builtin_ctzll(ws_mask))
#define _BitScanReverse64(index, mask) WS_BIT_SCAN(index, ULONG64, mask, 63 - __builtin_clzll(ws_mask))
#endif

#endif
