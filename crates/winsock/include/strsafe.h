/* Strings that cannot overflow: everything is cut to what fits, and ended. */
#ifndef _STRSAFE_H_INCLUDED_
#define _STRSAFE_H_INCLUDED_

#include <stdio.h>
#include <string.h>
#include <winerror.h>
#include <winnt.h>

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

WS_BEGIN
#define WS_CHAR char
#define WS_CCH(name) StringCch##name##A
#define WS_CB(name) StringCb##name##A
#define WS_PRINT vsnprintf
#include <ws_strsafe.h>
#define WS_CHAR wchar_t
#define WS_CCH(name) StringCch##name##W
#define WS_CB(name) StringCb##name##W
#define WS_PRINT ws_strsafe_wide
/* In full length, as for `char`: -1 would not tell a text that does not fit from a wrong format. */
WS_INLINE int ws_strsafe_wide(wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments) {
    int length = _vscwprintf(format, arguments);
    if (length >= 0) {
        _vsnwprintf(buffer, size, format, arguments);
        if ((size_t)length >= size) {
            buffer[size - 1] = 0;
        }
    }
    return length;
}
#include <ws_strsafe.h>
WS_END

#ifdef UNICODE
#define WS_STRSAFE(name) name##W
#else
#define WS_STRSAFE(name) name##A
#endif
#define StringCchCopy WS_STRSAFE(StringCchCopy)
#define StringCbCopy WS_STRSAFE(StringCbCopy)
#define StringCchCopyN WS_STRSAFE(StringCchCopyN)
#define StringCbCopyN WS_STRSAFE(StringCbCopyN)
#define StringCchCat WS_STRSAFE(StringCchCat)
#define StringCbCat WS_STRSAFE(StringCbCat)
#define StringCchCatN WS_STRSAFE(StringCchCatN)
#define StringCbCatN WS_STRSAFE(StringCbCatN)
#define StringCchLength WS_STRSAFE(StringCchLength)
#define StringCbLength WS_STRSAFE(StringCbLength)
#define StringCchPrintf WS_STRSAFE(StringCchPrintf)
#define StringCbPrintf WS_STRSAFE(StringCbPrintf)
#define StringCchVPrintf WS_STRSAFE(StringCchVPrintf)
#define StringCbVPrintf WS_STRSAFE(StringCbVPrintf)

#endif
