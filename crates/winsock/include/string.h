/* glibc's, and what Microsoft's has beyond. */
#include_next <string.h>
#ifndef WS_STRING_H
#define WS_STRING_H

#include <corecrt.h>
#include <wchar.h>

WS_BEGIN
WS_ALIAS(int, _stricmp, strcasecmp, (const char *a, const char *b));
WS_ALIAS(int, _strcmpi, strcasecmp, (const char *a, const char *b));
WS_ALIAS(int, stricmp, strcasecmp, (const char *a, const char *b));
WS_ALIAS(int, strcmpi, strcasecmp, (const char *a, const char *b));
WS_ALIAS(int, _strnicmp, strncasecmp, (const char *a, const char *b, size_t count));
WS_ALIAS(int, strnicmp, strncasecmp, (const char *a, const char *b, size_t count));
WS_ALIAS(int, _stricoll, strcasecmp, (const char *a, const char *b));
WS_ALIAS(char *, _strdup, strdup, (const char *text));
WS_ALIAS(char *, strtok_s, strtok_r, (char *text, const char *separators, char **context));
WS_ALIAS(void *, _memccpy, memccpy, (void *to, const void *from, int end, size_t count));

#define WS_CHAR char
#define WS_NAME(name) str##name
#define WS_UNDERSCORE(name) _str##name
#include <ws_string_s.h>

WS_INLINE char *strrev(char *text) { return _strrev(text); }
WS_INLINE char *strlwr(char *text) { return _strlwr(text); }
WS_INLINE char *strupr(char *text) { return _strupr(text); }
WS_INLINE char *strset(char *text, int character) { return _strset(text, character); }

WS_INLINE errno_t memcpy_s(void *to, rsize_t size, const void *from, rsize_t count) {
    if (count == 0) {
        return 0;
    }
    if (to == 0) {
        return EINVAL;
    }
    if (from == 0 || size < count) {
        memset(to, 0, size);
        return from == 0 ? EINVAL : ERANGE;
    }
    memcpy(to, from, count);
    return 0;
}

WS_INLINE errno_t memmove_s(void *to, rsize_t size, const void *from, rsize_t count) {
    if (count == 0) {
        return 0;
    }
    if (to == 0 || from == 0) {
        return EINVAL;
    }
    if (size < count) {
        return ERANGE;
    }
    memmove(to, from, count);
    return 0;
}

WS_INLINE errno_t strerror_s(char *buffer, size_t size, int error) {
    return strncpy_s(buffer, size, strerror(error), _TRUNCATE) == EINVAL ? EINVAL : 0;
}
WS_END

#ifdef __cplusplus
WS_CPP_BEGIN
template <size_t size> inline errno_t strerror_s(char (&buffer)[size], int error) {
    return strerror_s(buffer, size, error);
}
WS_CPP_END
#endif

#endif
