/* What Microsoft's <stdlib.h> has beyond the standard's. */
#ifndef WS_STDLIB_H
#define WS_STDLIB_H

#include <corecrt.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define _MAX_PATH 260
#define _MAX_DRIVE 3
#define _MAX_DIR 256
#define _MAX_FNAME 256
#define _MAX_EXT 256
#define _CVTBUFSIZE (309 + 40)
#define _WRITE_ABORT_MSG 0x1
#define _CALL_REPORTFAULT 0x2
#define __max(a, b) (((a) > (b)) ? (a) : (b))
#define __min(a, b) (((a) < (b)) ? (a) : (b))
#define _set_errno(value) (errno = (value), 0)
#define _get_errno(value) (*(value) = errno, 0)

WS_BEGIN
#define WS_CHAR char
#define WS_NAME(type) _##type##toa
#define WS_NAME_S(type) _##type##toa_s
#include <ws_to_text.h>
#define WS_CHAR wchar_t
#define WS_NAME(type) _##type##tow
#define WS_NAME_S(type) _##type##tow_s
#include <ws_to_text.h>

WS_INLINE char *itoa(int value, char *text, int radix) { return _itoa(value, text, radix); }
WS_INLINE char *ltoa(long value, char *text, int radix) { return _ltoa(value, text, radix); }
WS_INLINE char *ultoa(unsigned long value, char *text, int radix) { return _ultoa(value, text, radix); }

WS_ALIAS(long long, _atoi64, atoll, (const char *text));
WS_ALIAS(long long, _strtoi64, strtoll, (const char *text, char **end, int base));
WS_ALIAS(unsigned long long, _strtoui64, strtoull, (const char *text, char **end, int base));
WS_ALIAS(int, _putenv, putenv, (char *text));

WS_INLINE errno_t _putenv_s(const char *name, const char *value) {
    if (name == 0 || value == 0) {
        return EINVAL;
    }
    /* An empty value takes the variable away. */
    int result = *value == 0 ? unsetenv(name) : setenv(name, value, 1);
    return result == 0 ? 0 : errno;
}
WS_INLINE errno_t getenv_s(size_t *needed, char *buffer, rsize_t size, const char *name) {
    const char *value = name != 0 ? getenv(name) : 0;
    if (needed == 0 || name == 0 || (buffer == 0 && size != 0)) {
        return EINVAL;
    }
    *needed = value != 0 ? strlen(value) + 1 : 0;
    if (buffer != 0 && size != 0) {
        buffer[0] = 0;
    }
    if (value == 0 || size == 0) {
        return 0;
    }
    return strcpy_s(buffer, size, value);
}
WS_INLINE errno_t _dupenv_s(char **buffer, size_t *count, const char *name) {
    const char *value = name != 0 ? getenv(name) : 0;
    if (buffer == 0 || name == 0) {
        return EINVAL;
    }
    *buffer = value != 0 ? strdup(value) : 0;
    if (count != 0) {
        *count = value != 0 ? strlen(value) + 1 : 0;
    }
    return value != 0 && *buffer == 0 ? ENOMEM : 0;
}
WS_INLINE char *_fullpath(char *buffer, const char *path, size_t size) {
    char *full = realpath(path, 0);
    if (full == 0 || buffer == 0) {
        return full;
    }
    errno_t error = strcpy_s(buffer, size, full);
    free(full);
    return error == 0 ? buffer : 0;
}

/* gcc's <ia32intrin.h>, which <immintrin.h> brings, has macros of these names. */
#undef _rotl
#undef _rotr
WS_INLINE unsigned _rotl(unsigned value, int shift) { return (value << (shift & 31)) | (value >> (-shift & 31)); }
WS_INLINE unsigned _rotr(unsigned value, int shift) { return (value >> (shift & 31)) | (value << (-shift & 31)); }
WS_INLINE unsigned long long _rotl64(unsigned long long value, int shift) {
    return (value << (shift & 63)) | (value >> (-shift & 63));
}
WS_INLINE unsigned long long _rotr64(unsigned long long value, int shift) {
    return (value >> (shift & 63)) | (value << (-shift & 63));
}
WS_INLINE unsigned short _byteswap_ushort(unsigned short value) { return __builtin_bswap16(value); }
WS_INLINE unsigned _byteswap_ulong(unsigned value) { return __builtin_bswap32(value); }
WS_INLINE unsigned long long _byteswap_uint64(unsigned long long value) { return __builtin_bswap64(value); }

/* Numbers that nobody foresees. */
WS_ALIAS(int, ws_getentropy, getentropy, (void *buffer, size_t length));
WS_INLINE errno_t rand_s(unsigned int *value) {
    return value == 0 ? EINVAL : ws_getentropy(value, sizeof *value) == 0 ? 0 : errno;
}

/* `count` is a limit of characters for `mbstowcs_s` and of bytes for `wcstombs_s`, without the null, or `_TRUNCATE`. */
#define WS_CONVERT_S(name, to_type, from_type, convert) \
    WS_INLINE errno_t name(size_t *converted, to_type *to, rsize_t size, const from_type *from, size_t count) { \
        size_t needed, length; \
        if (converted) \
            *converted = 0; \
        if ((to == 0) != (size == 0) || !from) { \
            if (to && size) \
                to[0] = 0; \
            return EINVAL; \
        } \
        needed = convert(0, from, 0); \
        if (needed == (size_t)-1) { \
            if (to) \
                to[0] = 0; \
            return EILSEQ; \
        } \
        if (!to) { \
            if (converted) \
                *converted = needed + 1; \
            return 0; \
        } \
        if (count >= size && count != _TRUNCATE && needed >= size) { \
            to[0] = 0; \
            return ERANGE; \
        } \
        length = convert(to, from, count < size - 1 ? count : size - 1); \
        to[length] = 0; \
        if (converted) \
            *converted = length + 1; \
        return count == _TRUNCATE && needed >= size ? STRUNCATE : 0; \
    }
WS_CONVERT_S(mbstowcs_s, wchar_t, char, mbstowcs)
WS_CONVERT_S(wcstombs_s, char, wchar_t, wcstombs)
#undef WS_CONVERT_S

/* Accepted: wrong parameters do not end the program here, so there is nothing to set. */
typedef void (*_invalid_parameter_handler)(const wchar_t *expression, const wchar_t *function, const wchar_t *file,
                                           unsigned int line, uintptr_t reserved);
typedef void (*_purecall_handler)(void);
WS_INLINE _invalid_parameter_handler _set_invalid_parameter_handler(_invalid_parameter_handler handler) {
    (void)handler;
    return 0;
}
WS_INLINE _purecall_handler _set_purecall_handler(_purecall_handler handler) {
    (void)handler;
    return 0;
}
WS_INLINE unsigned int _set_abort_behavior(unsigned int flags, unsigned int mask) {
    (void)flags;
    (void)mask;
    return 0;
}
WS_END

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size>
inline errno_t mbstowcs_s(size_t *converted, wchar_t (&to)[size], const char *from, size_t count) {
    return mbstowcs_s(converted, static_cast<wchar_t *>(to), size, from, count);
}
template <size_t size>
inline errno_t wcstombs_s(size_t *converted, char (&to)[size], const wchar_t *from, size_t count) {
    return wcstombs_s(converted, static_cast<char *>(to), size, from, count);
}
template <size_t size> inline errno_t getenv_s(size_t *needed, char (&buffer)[size], const char *name) {
    return getenv_s(needed, static_cast<char *>(buffer), size, name);
}
WS_CPP_END
#endif

#endif
