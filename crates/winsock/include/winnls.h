/* Code pages and locales. */
#ifndef _WINNLS_
#define _WINNLS_

#include <winnt.h>

#define CP_ACP 0
#define CP_OEMCP 1
#define CP_MACCP 2
#define CP_THREAD_ACP 3
#define CP_SYMBOL 42
#define CP_UTF7 65000
#define CP_UTF8 65001
#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008
#define WC_COMPOSITECHECK 0x00000200
#define WC_DEFAULTCHAR 0x00000040
#define WC_DISCARDNS 0x00000010
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_NO_BEST_FIT_CHARS 0x00000400
#define WC_SEPCHARS 0x00000020
#define NORM_IGNORECASE 0x00000001
#define CSTR_LESS_THAN 1
#define CSTR_EQUAL 2
#define CSTR_GREATER_THAN 3

WS_BEGIN
WS_DECLARE(int, MultiByteToWideChar,
           (UINT code_page, DWORD flags, LPCSTR bytes, int length, LPWSTR wide, int room));
WS_DECLARE(int, WideCharToMultiByte,
           (UINT code_page, DWORD flags, LPCWSTR wide, int length, LPSTR bytes, int room, LPCSTR default_character,
            LPBOOL used_default));
WS_END

#endif
