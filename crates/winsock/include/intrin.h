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
WS_INLINE unsigned char _BitScanForward(ULONG *index, ULONG mask) {
    if (mask == 0) {
        return 0;
    }
    *index = (ULONG)__builtin_ctz(mask);
    return 1;
}
WS_INLINE unsigned char _BitScanReverse(ULONG *index, ULONG mask) {
    if (mask == 0) {
        return 0;
    }
    *index = 31 - (ULONG)__builtin_clz(mask);
    return 1;
}
WS_INLINE unsigned char _BitScanForward64(ULONG *index, ULONG64 mask) {
    if (mask == 0) {
        return 0;
    }
    *index = (ULONG)__builtin_ctzll(mask);
    return 1;
}
WS_INLINE unsigned char _BitScanReverse64(ULONG *index, ULONG64 mask) {
    if (mask == 0) {
        return 0;
    }
    *index = 63 - (ULONG)__builtin_clzll(mask);
    return 1;
}
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

#endif
