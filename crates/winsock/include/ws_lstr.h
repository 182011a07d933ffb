/* The oldest string functions. They take a null pointer for an empty string. */
#ifndef WS_LSTR_H
#define WS_LSTR_H

#include <stdio.h>
#include <string.h>
#include <winnt.h>

WS_BEGIN
WS_INLINE int lstrlenA(LPCSTR text) { return text == 0 ? 0 : (int)strlen(text); }
WS_INLINE int lstrlenW(LPCWSTR text) { return text == 0 ? 0 : (int)wcslen(text); }
WS_INLINE LPSTR lstrcpyA(LPSTR to, LPCSTR from) { return to == 0 || from == 0 ? 0 : strcpy(to, from); }
WS_INLINE LPWSTR lstrcpyW(LPWSTR to, LPCWSTR from) { return to == 0 || from == 0 ? 0 : wcscpy(to, from); }
WS_INLINE LPSTR lstrcatA(LPSTR to, LPCSTR from) { return to == 0 || from == 0 ? 0 : strcat(to, from); }
WS_INLINE LPWSTR lstrcatW(LPWSTR to, LPCWSTR from) { return to == 0 || from == 0 ? 0 : wcscat(to, from); }
WS_INLINE int lstrcmpA(LPCSTR a, LPCSTR b) { return strcmp(a == 0 ? "" : a, b == 0 ? "" : b); }
WS_INLINE int lstrcmpW(LPCWSTR a, LPCWSTR b) { return wcscmp(a == 0 ? L"" : a, b == 0 ? L"" : b); }
WS_INLINE int lstrcmpiA(LPCSTR a, LPCSTR b) { return _stricmp(a == 0 ? "" : a, b == 0 ? "" : b); }
WS_INLINE int lstrcmpiW(LPCWSTR a, LPCWSTR b) { return _wcsicmp(a == 0 ? L"" : a, b == 0 ? L"" : b); }
WS_INLINE LPSTR lstrcpynA(LPSTR to, LPCSTR from, int size) {
    return size > 0 && strncpy_s(to, (size_t)size, from, _TRUNCATE) != EINVAL ? to : 0;
}
WS_INLINE LPWSTR lstrcpynW(LPWSTR to, LPCWSTR from, int size) {
    return size > 0 && wcsncpy_s(to, (size_t)size, from, _TRUNCATE) != EINVAL ? to : 0;
}

/* At most 1,024 characters, with the end. */
#define WS_WSPRINTF 1024
WS_INLINE int wvsprintfA(LPSTR buffer, LPCSTR format, va_list arguments) {
    int length = vsnprintf(buffer, WS_WSPRINTF, format, arguments);
    return length < WS_WSPRINTF ? length : WS_WSPRINTF - 1;
}
WS_INLINE int wvsprintfW(LPWSTR buffer, LPCWSTR format, va_list arguments) {
    int length = _vsnwprintf(buffer, WS_WSPRINTF, format, arguments);
    if (length >= 0 && length < WS_WSPRINTF) {
        return length;
    }
    buffer[WS_WSPRINTF - 1] = 0;
    return WS_WSPRINTF - 1;
}
WS_INLINE int wsprintfA(LPSTR buffer, LPCSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = wvsprintfA(buffer, format, arguments);
    va_end(arguments);
    return length;
}
WS_INLINE int wsprintfW(LPWSTR buffer, LPCWSTR format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = wvsprintfW(buffer, format, arguments);
    va_end(arguments);
    return length;
}
WS_END

#ifdef UNICODE
#define WS_LSTR(name) name##W
#else
#define WS_LSTR(name) name##A
#endif
#define lstrlen WS_LSTR(lstrlen)
#define lstrcpy WS_LSTR(lstrcpy)
#define lstrcat WS_LSTR(lstrcat)
#define lstrcmp WS_LSTR(lstrcmp)
#define lstrcmpi WS_LSTR(lstrcmpi)
#define lstrcpyn WS_LSTR(lstrcpyn)
#define wsprintf WS_LSTR(wsprintf)
#define wvsprintf WS_LSTR(wvsprintf)

#endif
