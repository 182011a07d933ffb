/* glibc's, and what Microsoft's has beyond. The printing functions are our own (stdio.h says why). */
#ifndef WS_WCHAR_H
#define WS_WCHAR_H

#include <features.h>
#include <ws_declare.h>

#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_FORTIFY_LEVEL
#define wprintf ws_glibc_wprintf
#define fwprintf ws_glibc_fwprintf
#define swprintf ws_glibc_swprintf
#define vwprintf ws_glibc_vwprintf
#define vfwprintf ws_glibc_vfwprintf
#define vswprintf ws_glibc_vswprintf
#define vwscanf ws_glibc_vwscanf
#define vfwscanf ws_glibc_vfwscanf
#define vswscanf ws_glibc_vswscanf
#define fputws ws_glibc_fputws
#define fputwc ws_glibc_fputwc
#define putwc ws_glibc_putwc
#define putwchar ws_glibc_putwchar
#include_next <wchar.h>
#undef wprintf
#undef fwprintf
#undef swprintf
#undef vwprintf
#undef vfwprintf
#undef vswprintf
#undef vwscanf
#undef vfwscanf
#undef vswscanf
#undef fputws
#undef fputwc
#undef putwc
#undef putwchar
#pragma pop_macro("__USE_FORTIFY_LEVEL")

#include <corecrt.h>
#include <stdarg.h>

WS_BEGIN
WS_DECLARE(int, vwprintf, (const wchar_t *format, va_list arguments));
WS_DECLARE(int, vfwprintf, (__FILE * file, const wchar_t *format, va_list arguments));
WS_DECLARE(int, vswprintf, (wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments));
WS_DECLARE(int, vwscanf, (const wchar_t *format, va_list arguments));
WS_DECLARE(int, vfwscanf, (__FILE * file, const wchar_t *format, va_list arguments));
WS_DECLARE(int, vswscanf, (const wchar_t *text, const wchar_t *format, va_list arguments));
WS_DECLARE(int, fputws, (const wchar_t *text, __FILE *file));
WS_DECLARE(wint_t, fputwc, (wchar_t character, __FILE *file));
WS_ALIAS(wint_t, putwc, ws_fputwc, (wchar_t character, __FILE *file));
WS_DECLARE(wint_t, putwchar, (wchar_t character));
WS_DECLARE(int, _putws, (const wchar_t *text));
WS_DECLARE(int, _vsnwprintf, (wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments));

WS_VARIADIC int wprintf(const wchar_t *format, ...) __asm__("ws_wprintf");
WS_VARIADIC int fwprintf(__FILE *file, const wchar_t *format, ...) __asm__("ws_fwprintf");
WS_VARIADIC int swprintf(wchar_t *buffer, size_t size, const wchar_t *format, ...) __asm__("ws_swprintf");

WS_VARIADIC int wprintf(const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vwprintf(format, arguments);
    va_end(arguments);
    return length;
}
WS_VARIADIC int fwprintf(__FILE *file, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfwprintf(file, format, arguments);
    va_end(arguments);
    return length;
}
WS_VARIADIC int swprintf(wchar_t *buffer, size_t size, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vswprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int _snwprintf(wchar_t *buffer, size_t size, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnwprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int vswprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments) {
    int length = buffer == 0 || size == 0 ? -1 : vswprintf(buffer, size, format, arguments);
    if (length < 0 && buffer != 0 && size != 0) {
        buffer[0] = 0;
    }
    return length;
}
WS_INLINE int swprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vswprintf_s(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int _vsnwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format, va_list arguments) {
    size_t room = count < size ? count + 1 : size;
    int length = buffer == 0 || size == 0 ? -1 : _vsnwprintf(buffer, room, format, arguments);
    if (room != 0 && buffer != 0 && (length < 0 || (size_t)length >= room)) {
        buffer[room - 1] = 0;
        return -1;
    }
    return length;
}
WS_INLINE int _snwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnwprintf_s(buffer, size, count, format, arguments);
    va_end(arguments);
    return length;
}
WS_ALIAS(int, vwprintf_s, ws_vwprintf, (const wchar_t *format, va_list arguments));
WS_ALIAS(int, vfwprintf_s, ws_vfwprintf, (__FILE * file, const wchar_t *format, va_list arguments));
WS_INLINE int wprintf_s(const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vwprintf(format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int fwprintf_s(__FILE *file, const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfwprintf(file, format, arguments);
    va_end(arguments);
    return length;
}

WS_ALIAS(int, _wcsicmp, wcscasecmp, (const wchar_t *a, const wchar_t *b));
WS_ALIAS(int, wcsicmp, wcscasecmp, (const wchar_t *a, const wchar_t *b));
WS_ALIAS(int, _wcsnicmp, wcsncasecmp, (const wchar_t *a, const wchar_t *b, size_t count));
WS_ALIAS(int, wcsnicmp, wcsncasecmp, (const wchar_t *a, const wchar_t *b, size_t count));
WS_ALIAS(wchar_t *, _wcsdup, wcsdup, (const wchar_t *text));
WS_ALIAS(wchar_t *, wcstok_s, wcstok, (wchar_t * text, const wchar_t *separators, wchar_t **context));
WS_ALIAS(long long, _wcstoi64, wcstoll, (const wchar_t *text, wchar_t **end, int base));
WS_ALIAS(unsigned long long, _wcstoui64, wcstoull, (const wchar_t *text, wchar_t **end, int base));

#define WS_CHAR wchar_t
#define WS_NAME(name) wcs##name
#define WS_UNDERSCORE(name) _wcs##name
#include <ws_string_s.h>

WS_INLINE errno_t wmemcpy_s(wchar_t *to, rsize_t size, const wchar_t *from, rsize_t count) {
    if (count == 0) {
        return 0;
    }
    if (to == 0 || from == 0) {
        return EINVAL;
    }
    if (size < count) {
        wmemset(to, 0, size);
        return ERANGE;
    }
    wmemcpy(to, from, count);
    return 0;
}
WS_INLINE int _wtoi(const wchar_t *text) { return (int)wcstol(text, 0, 10); }
WS_INLINE long _wtol(const wchar_t *text) { return wcstol(text, 0, 10); }
WS_INLINE long long _wtoi64(const wchar_t *text) { return wcstoll(text, 0, 10); }
WS_INLINE double _wtof(const wchar_t *text) { return wcstod(text, 0); }
WS_END

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size, class... T> inline int swprintf_s(wchar_t (&buffer)[size], const wchar_t *format, T... arguments) {
    return swprintf_s(static_cast<wchar_t *>(buffer), size, format, arguments...);
}
template <size_t size, class... T>
inline int _snwprintf_s(wchar_t (&buffer)[size], size_t count, const wchar_t *format, T... arguments) {
    return _snwprintf_s(static_cast<wchar_t *>(buffer), size, count, format, arguments...);
}
template <size_t size> inline int vswprintf_s(wchar_t (&buffer)[size], const wchar_t *format, va_list arguments) {
    return vswprintf_s(static_cast<wchar_t *>(buffer), size, format, arguments);
}
WS_CPP_END
#endif

#endif
