/* How the functions of libwinsock are declared: by Windows's names, bound to symbols of our own.
 *
 * The label after a declaration names the symbol in the library. So nothing of libc is shadowed, and no macro touches
 * names such as `bind`, which other code has as well (std::bind).
 */
#ifndef WS_DECLARE_H
#define WS_DECLARE_H

#ifdef __cplusplus
#define WS_BEGIN extern "C" {
#define WS_END }
#else
#define WS_BEGIN
#define WS_END
#endif

#define WS_DECLARE(type, name, parameters) type name parameters __asm__("ws_" #name)

/* For functions that do not return. */
#define WS_NORETURN __attribute__((__noreturn__))

#endif
