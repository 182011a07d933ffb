/* How the functions of libwinsock are declared: by Windows's names, bound to symbols of our own.
 *
 * The label after a declaration names the symbol in the library. So nothing of libc is shadowed, and no macro touches
 * names such as `bind`, which other code has as well (std::bind).
 */
#ifndef WS_DECLARE_H
#define WS_DECLARE_H

#include <ws_keywords.h>

#ifdef __cplusplus
#define WS_BEGIN extern "C" {
#define WS_END }
/* Around overloads and templates, for programs that include headers within `extern "C"`. */
#define WS_CPP_BEGIN extern "C++" {
#define WS_CPP_END }
#else
#define WS_BEGIN
#define WS_END
#endif

#define WS_DECLARE(type, name, parameters) type name parameters __asm__("ws_" #name)

/* A function of libc's, under the name that it has on Windows too. */
#define WS_ALIAS(type, name, symbol, parameters) type name parameters __asm__(#symbol)

/* A small function that is in its header: a source that does not use it has nothing of it. */
#define WS_INLINE static __inline__ __attribute__((__unused__))

/* A function with `...` that stands in for one of libc's: one copy a program, although every source brings it. */
#ifdef __cplusplus
#define WS_VARIADIC inline
#else
#define WS_VARIADIC __attribute__((__weak__))
#endif

/* Whether ThreadSanitizer checks the program. */
#if defined(__SANITIZE_THREAD__)
#define WS_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WS_TSAN
#endif
#endif

/* For functions that do not return. */
#define WS_NORETURN __attribute__((__noreturn__))

#endif
