/* glibc's, and what Microsoft's has beyond.
 *
 * The printing functions are our own, which read format strings as Microsoft's do: `%I64d`, `%S`, `%hs`, `%s` in a wide format,
 * and `%ld` as 32 bits, since sources print DWORD and LONG with it. They are bound to symbols of ours under libc's
 * names, so that `std::printf` and pointers to them are ours too; glibc's declarations are renamed away.
 *
 * A `va_list` is a value on Windows: none of these functions uses up the caller's.
 */
#ifndef WS_STDIO_H
#define WS_STDIO_H

#include <features.h>
#include <ws_declare.h>

/* glibc's checked functions would call glibc's own printf. */
#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_FORTIFY_LEVEL
#define printf ws_glibc_printf
#define fprintf ws_glibc_fprintf
#define sprintf ws_glibc_sprintf
#define snprintf ws_glibc_snprintf
#define vprintf ws_glibc_vprintf
#define vfprintf ws_glibc_vfprintf
#define vsprintf ws_glibc_vsprintf
#define vsnprintf ws_glibc_vsnprintf
#define vasprintf ws_glibc_vasprintf
#define vdprintf ws_glibc_vdprintf
#define scanf ws_glibc_scanf
#define fscanf ws_glibc_fscanf
#define sscanf ws_glibc_sscanf
#define vscanf ws_glibc_vscanf
#define vfscanf ws_glibc_vfscanf
#define vsscanf ws_glibc_vsscanf
#define fopen ws_glibc_fopen
#define freopen ws_glibc_freopen
#define remove ws_glibc_remove
#define rename ws_glibc_rename
#define gets ws_glibc_gets
#include_next <stdio.h>
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf
#undef vasprintf
#undef vdprintf
#undef scanf
#undef fscanf
#undef sscanf
#undef vscanf
#undef vfscanf
#undef vsscanf
#undef fopen
#undef freopen
#undef remove
#undef rename
#undef gets
#pragma pop_macro("__USE_FORTIFY_LEVEL")

#include <corecrt.h>
#include <stdarg.h>
#include <wchar.h>

WS_BEGIN
WS_DECLARE(int, vprintf, (const char *format, va_list arguments));
WS_DECLARE(int, vfprintf, (FILE * file, const char *format, va_list arguments));
WS_DECLARE(int, vsprintf, (char *buffer, const char *format, va_list arguments));
WS_DECLARE(int, vsnprintf, (char *buffer, size_t size, const char *format, va_list arguments));
/* Does not end the text if it does not fit, and gives -1 then. */
WS_DECLARE(int, _vsnprintf, (char *buffer, size_t size, const char *format, va_list arguments));
WS_DECLARE(int, _vscwprintf, (const wchar_t *format, va_list arguments));
#ifdef __USE_GNU
WS_DECLARE(int, vasprintf, (char **text, const char *format, va_list arguments));
#endif
#ifdef __USE_XOPEN2K8
WS_DECLARE(int, vdprintf, (int fd, const char *format, va_list arguments));
#endif
WS_DECLARE(char *, gets, (char *buffer));
WS_DECLARE(char *, gets_s, (char *buffer, rsize_t size));
/* Paths: `\` is taken for `/`. */
WS_DECLARE(FILE *, fopen, (const char *name, const char *mode));
WS_DECLARE(FILE *, _wfopen, (const wchar_t *name, const wchar_t *mode));
WS_DECLARE(FILE *, freopen, (const char *name, const char *mode, FILE *file));
WS_DECLARE(int, remove, (const char *name));
WS_DECLARE(int, rename, (const char *old, const char *new_name));

WS_VARIADIC int printf(const char *format, ...) __asm__("ws_printf");
WS_VARIADIC int fprintf(FILE *file, const char *format, ...) __asm__("ws_fprintf");
WS_VARIADIC int sprintf(char *buffer, const char *format, ...) __asm__("ws_sprintf");
WS_VARIADIC int snprintf(char *buffer, size_t size, const char *format, ...) __asm__("ws_snprintf");

WS_VARIADIC int printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vprintf(format, arguments);
    va_end(arguments);
    return length;
}
WS_VARIADIC int fprintf(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(file, format, arguments);
    va_end(arguments);
    return length;
}
WS_VARIADIC int sprintf(char *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsprintf(buffer, format, arguments);
    va_end(arguments);
    return length;
}
WS_VARIADIC int snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

WS_ALIAS(int, vprintf_s, ws_vprintf, (const char *format, va_list arguments));
WS_ALIAS(int, vfprintf_s, ws_vfprintf, (FILE * file, const char *format, va_list arguments));
WS_INLINE int printf_s(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vprintf(format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int fprintf_s(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vfprintf(file, format, arguments);
    va_end(arguments);
    return length;
}
/* The text, or an empty one and -1 if it does not fit. Microsoft's ends the program then. */
WS_INLINE int vsprintf_s(char *buffer, size_t size, const char *format, va_list arguments) {
    int length = buffer == 0 || size == 0 ? -1 : vsnprintf(buffer, size, format, arguments);
    if (length >= 0 && (size_t)length >= size) {
        length = -1;
    }
    if (length < 0 && buffer != 0 && size != 0) {
        buffer[0] = 0;
    }
    return length;
}
WS_INLINE int sprintf_s(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsprintf_s(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int _snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
/* As much as fits, ended; -1 if that is not all. */
WS_INLINE int _vsnprintf_s(char *buffer, size_t size, size_t count, const char *format, va_list arguments) {
    size_t room = count < size ? count + 1 : size;
    int length = buffer == 0 || room == 0 ? -1 : vsnprintf(buffer, room, format, arguments);
    return length >= 0 && (size_t)length >= room ? -1 : length;
}
WS_INLINE int vsnprintf_s(char *buffer, size_t size, size_t count, const char *format, va_list arguments) {
    return _vsnprintf_s(buffer, size, count, format, arguments);
}
WS_INLINE int _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vsnprintf_s(buffer, size, count, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int _vscprintf(const char *format, va_list arguments) { return vsnprintf(0, 0, format, arguments); }
WS_INLINE int _scprintf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vscprintf(format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int _scwprintf(const wchar_t *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = _vscwprintf(format, arguments);
    va_end(arguments);
    return length;
}

/* Reading. `%ld` is a `long` here, of 64 bits: it is an address that the program gives. */

WS_DECLARE(int, vscanf, (const char *format, va_list arguments));
WS_DECLARE(int, vfscanf, (FILE * file, const char *format, va_list arguments));
WS_DECLARE(int, vsscanf, (const char *text, const char *format, va_list arguments));

WS_VARIADIC int scanf(const char *format, ...) __asm__("ws_scanf");
WS_VARIADIC int fscanf(FILE *file, const char *format, ...) __asm__("ws_fscanf");
WS_VARIADIC int sscanf(const char *text, const char *format, ...) __asm__("ws_sscanf");

WS_VARIADIC int scanf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = vscanf(format, arguments);
    va_end(arguments);
    return count;
}
WS_VARIADIC int fscanf(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = vfscanf(file, format, arguments);
    va_end(arguments);
    return count;
}
WS_VARIADIC int sscanf(const char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = vsscanf(text, format, arguments);
    va_end(arguments);
    return count;
}

/* In the `_s` functions each text's address is followed by its size; a text that is longer is read as far as it fits. */

WS_DECLARE(int, _ws_scan_s_arguments, (const char *format));
WS_DECLARE(int, _ws_scan_s, (FILE * file, const char *text, const char *format, void **arguments));
#define WS_SCAN_S_ARGUMENTS 32

WS_INLINE int ws_vscan_s(FILE *file, const char *text, const char *format, va_list arguments) {
    void *addresses[WS_SCAN_S_ARGUMENTS] = {0};
    int count = _ws_scan_s_arguments(format);
    if (count < 0) {
        return EOF;
    }
    va_list copy;
    va_copy(copy, arguments);
    for (int i = 0; i < count; i++) {
        addresses[i] = va_arg(copy, void *);
    }
    va_end(copy);
    return _ws_scan_s(file, text, format, addresses);
}
WS_INLINE int vscanf_s(const char *format, va_list arguments) { return ws_vscan_s(stdin, 0, format, arguments); }
WS_INLINE int vfscanf_s(FILE *file, const char *format, va_list arguments) {
    return ws_vscan_s(file, 0, format, arguments);
}
WS_INLINE int vsscanf_s(const char *text, const char *format, va_list arguments) {
    return ws_vscan_s(0, text, format, arguments);
}
WS_INLINE int scanf_s(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = ws_vscan_s(stdin, 0, format, arguments);
    va_end(arguments);
    return count;
}
WS_INLINE int fscanf_s(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = ws_vscan_s(file, 0, format, arguments);
    va_end(arguments);
    return count;
}
WS_INLINE int sscanf_s(const char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = ws_vscan_s(0, text, format, arguments);
    va_end(arguments);
    return count;
}

/* Files. */

WS_INLINE errno_t fopen_s(FILE **file, const char *name, const char *mode) {
    if (file == 0 || name == 0 || mode == 0) {
        return EINVAL;
    }
    *file = fopen(name, mode);
    return *file != 0 ? 0 : errno;
}
WS_INLINE errno_t _wfopen_s(FILE **file, const wchar_t *name, const wchar_t *mode) {
    if (file == 0 || name == 0 || mode == 0) {
        return EINVAL;
    }
    *file = _wfopen(name, mode);
    return *file != 0 ? 0 : errno;
}
WS_INLINE errno_t freopen_s(FILE **file, const char *name, const char *mode, FILE *old) {
    if (file == 0 || mode == 0 || old == 0) {
        return EINVAL;
    }
    *file = freopen(name, mode, old);
    return *file != 0 ? 0 : errno;
}
WS_INLINE FILE *_fsopen(const char *name, const char *mode, int share) {
    (void)share;
    return fopen(name, mode);
}
WS_ALIAS(int, _fileno, fileno, (FILE * file));
WS_ALIAS(FILE *, _fdopen, fdopen, (int fd, const char *mode));
WS_ALIAS(FILE *, _popen, popen, (const char *command, const char *mode));
WS_ALIAS(int, _pclose, pclose, (FILE * file));
WS_ALIAS(int, _fseeki64, fseeko, (FILE * file, long long offset, int origin));
WS_ALIAS(long long, _ftelli64, ftello, (FILE * file));
WS_DECLARE(int, _unlink, (const char *path));
WS_INLINE int _flushall(void) { return fflush(0); }
WS_END

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size, class... T> inline int sprintf_s(char (&buffer)[size], const char *format, T... arguments) {
    return sprintf_s(static_cast<char *>(buffer), size, format, arguments...);
}
template <size_t size, class... T>
inline int _snprintf_s(char (&buffer)[size], size_t count, const char *format, T... arguments) {
    return _snprintf_s(static_cast<char *>(buffer), size, count, format, arguments...);
}
template <size_t size> inline int vsprintf_s(char (&buffer)[size], const char *format, va_list arguments) {
    return vsprintf_s(static_cast<char *>(buffer), size, format, arguments);
}
template <size_t size>
inline int _vsnprintf_s(char (&buffer)[size], size_t count, const char *format, va_list arguments) {
    return _vsnprintf_s(static_cast<char *>(buffer), size, count, format, arguments);
}
template <size_t size> inline char *gets_s(char (&buffer)[size]) { return gets_s(static_cast<char *>(buffer), size); }
WS_CPP_END
#endif

#endif
