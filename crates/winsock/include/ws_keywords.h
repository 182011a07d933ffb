/* What Microsoft's compiler has as keywords, so that sources use it before any header: winsock-cc includes this first. */
#ifndef WS_KEYWORDS_H
#define WS_KEYWORDS_H

/* One calling convention for all, that of the system. */
#define __stdcall
#define __cdecl
#define __fastcall
#define __vectorcall
#define __thiscall
#define __clrcall
#define _cdecl
#define _stdcall
#define _fastcall

#define __declspec(what) WS_DECLSPEC_##what
#define _declspec(what) WS_DECLSPEC_##what
#define WS_DECLSPEC_dllimport
#define WS_DECLSPEC_dllexport __attribute__((__visibility__("default")))
#define WS_DECLSPEC_thread __thread
#define WS_DECLSPEC_noreturn __attribute__((__noreturn__))
#define WS_DECLSPEC_noinline __attribute__((__noinline__))
#define WS_DECLSPEC_nothrow __attribute__((__nothrow__))
#define WS_DECLSPEC_naked __attribute__((__naked__))
#define WS_DECLSPEC_novtable
#define WS_DECLSPEC_noalias
#define WS_DECLSPEC_restrict
#define WS_DECLSPEC_selectany __attribute__((__weak__))
#define WS_DECLSPEC_deprecated __attribute__((__deprecated__))
#define WS_DECLSPEC_align(n) __attribute__((__aligned__(n)))
#define WS_DECLSPEC_uuid(id)
#define WS_DECLSPEC_property(what)
#define WS_DECLSPEC_allocate(segment)

#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define _int8 char
#define _int16 short
#define _int32 int
#define _int64 long long

/* Not `static`: members of classes are inlined as well. */
#define __forceinline __inline__ __attribute__((__always_inline__))
#define _inline __inline__
#define __unaligned
#define __w64
#define __ptr32
#define __ptr64
#define __assume(condition) ((condition) ? (void)0 : __builtin_unreachable())
#define __noop(...) ((void)0)
#define __debugbreak() __builtin_trap()
#define __pragma(what)

/* Structured exceptions, as far as C goes: winsock-cc writes `__ws_try` for `__try` and so on, as libstdc++ has macros
 * of the name `__try`. Nothing raises an exception here, so the handler of `__except` never runs; `__finally`'s block
 * runs at the end of `__try`'s or after `__leave`, but not when `return` leaves it. */
#define __ws_try \
    { \
        __label__ ws_leave_;
#define WS_END_TRY \
    ws_leave_: \
    __attribute__((__unused__)); \
    }
#define __ws_finally WS_END_TRY
#define __ws_except(filter) WS_END_TRY if (0 && (filter))
#define __ws_leave goto ws_leave_

/* A va_list as a pointer that is passed by value, as on Windows, by winsock-cc: what a function begins with that gets one, a
 * copy of its own, for which null has no arguments; and an assignment, also to a pointer that is to lead to it. */
#ifdef __x86_64__
#define WS_OWN_VA_LIST(own, given) \
    __builtin_va_list own; \
    (given) ? __builtin_va_copy(own, given) : (void)__builtin_memset(own, 0, sizeof(own))
#define WS_VA_ASSIGN(to, from) \
    (sizeof(to) == sizeof(__builtin_va_list) ? (void)__builtin_memcpy((void *)&(to), from, sizeof(to)) \
                                             : (void)(*(const void **)(void *)&(to) = (from)))
#else
#define WS_OWN_VA_LIST(own, given) \
    __builtin_va_list own; \
    __builtin_va_copy(own, given)
#define WS_VA_ASSIGN(to, from) ((to) = (from))
#endif

#endif
