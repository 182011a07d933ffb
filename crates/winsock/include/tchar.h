/* Names that are of `char` or of `wchar_t`, as the source defines _UNICODE or not. */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#ifdef _UNICODE
#define WS_T(narrow, wide) wide
#define __T(text) L##text
typedef wchar_t _TCHAR, _TSCHAR, _TUCHAR, _TXCHAR;
typedef wint_t _TINT;
#else
#define WS_T(narrow, wide) narrow
#define __T(text) text
typedef char _TCHAR, _TXCHAR;
typedef signed char _TSCHAR;
typedef unsigned char _TUCHAR;
typedef int _TINT;
#endif
#define _T(text) __T(text)
#define _TEXT(text) __T(text)
#ifndef _WINNT_
#ifdef _UNICODE
typedef wchar_t TCHAR;
#else
typedef char TCHAR;
#endif
#endif

#define _tprintf WS_T(printf, wprintf)
#define _ftprintf WS_T(fprintf, fwprintf)
#define _stprintf WS_T(sprintf, swprintf)
#define _sntprintf WS_T(_snprintf, _snwprintf)
#define _vtprintf WS_T(vprintf, vwprintf)
#define _vftprintf WS_T(vfprintf, vfwprintf)
#define _vsntprintf WS_T(_vsnprintf, _vsnwprintf)
#define _vstprintf WS_T(vsprintf, vswprintf)

#define _tprintf_s WS_T(printf_s, wprintf_s)
#define _ftprintf_s WS_T(fprintf_s, fwprintf_s)
#define _stprintf_s WS_T(sprintf_s, swprintf_s)
#define _sntprintf_s WS_T(_snprintf_s, _snwprintf_s)
#define _vstprintf_s WS_T(vsprintf_s, vswprintf_s)
#define _vsntprintf_s WS_T(_vsnprintf_s, _vsnwprintf_s)
#define _vsctprintf WS_T(_vscprintf, _vscwprintf)
#define _sctprintf WS_T(_scprintf, _scwprintf)

#define _tscanf WS_T(scanf, wscanf)
#define _ftscanf WS_T(fscanf, fwscanf)
#define _stscanf WS_T(sscanf, swscanf)

#define _fgettc WS_T(fgetc, fgetwc)
#define _gettc WS_T(getc, getwc)
#define _gettchar WS_T(getchar, getwchar)
#define _fputtc WS_T(fputc, fputwc)
#define _puttc WS_T(putc, putwc)
#define _puttchar WS_T(putchar, putwchar)
#define _fgetts WS_T(fgets, fgetws)
#define _fputts WS_T(fputs, fputws)
#define _putts WS_T(puts, _putws)
#define _ungettc WS_T(ungetc, ungetwc)
#define _tfopen WS_T(fopen, _wfopen)
#define _tfopen_s WS_T(fopen_s, _wfopen_s)

#define _tcslen WS_T(strlen, wcslen)
#define _tcsnlen WS_T(strnlen, wcsnlen)
#define _tcscpy WS_T(strcpy, wcscpy)
#define _tcsncpy WS_T(strncpy, wcsncpy)
#define _tcscat WS_T(strcat, wcscat)
#define _tcsncat WS_T(strncat, wcsncat)
#define _tcscmp WS_T(strcmp, wcscmp)
#define _tcsncmp WS_T(strncmp, wcsncmp)
#define _tcsicmp WS_T(_stricmp, _wcsicmp)
#define _tcscmpi WS_T(_stricmp, _wcsicmp)
#define _tcsnicmp WS_T(_strnicmp, _wcsnicmp)
#define _tcscoll WS_T(strcoll, wcscoll)
#define _tcschr WS_T(strchr, wcschr)
#define _tcsrchr WS_T(strrchr, wcsrchr)
#define _tcsstr WS_T(strstr, wcsstr)
#define _tcspbrk WS_T(strpbrk, wcspbrk)
#define _tcsspn WS_T(strspn, wcsspn)
#define _tcscspn WS_T(strcspn, wcscspn)
#define _tcsdup WS_T(_strdup, _wcsdup)
#define _tcsrev WS_T(_strrev, _wcsrev)
#define _tcslwr WS_T(_strlwr, _wcslwr)
#define _tcsupr WS_T(_strupr, _wcsupr)
#define _tcsset WS_T(_strset, _wcsset)

#define _tcscpy_s WS_T(strcpy_s, wcscpy_s)
#define _tcsncpy_s WS_T(strncpy_s, wcsncpy_s)
#define _tcscat_s WS_T(strcat_s, wcscat_s)
#define _tcsncat_s WS_T(strncat_s, wcsncat_s)
#define _tcstok_s WS_T(strtok_s, wcstok_s)
#define _tcslwr_s WS_T(_strlwr_s, _wcslwr_s)
#define _tcsupr_s WS_T(_strupr_s, _wcsupr_s)
#define _tcsnlen_s WS_T(strnlen_s, wcsnlen_s)

#define _tstoi WS_T(atoi, _wtoi)
#define _ttoi WS_T(atoi, _wtoi)
#define _tstol WS_T(atol, _wtol)
#define _ttol WS_T(atol, _wtol)
#define _tstoi64 WS_T(_atoi64, _wtoi64)
#define _ttoi64 WS_T(_atoi64, _wtoi64)
#define _tstof WS_T(atof, _wtof)
#define _tcstol WS_T(strtol, wcstol)
#define _tcstoul WS_T(strtoul, wcstoul)
#define _tcstod WS_T(strtod, wcstod)
#define _tcstoi64 WS_T(_strtoi64, _wcstoi64)
#define _itot WS_T(_itoa, _itow)
#define _itot_s WS_T(_itoa_s, _itow_s)
#define _ltot WS_T(_ltoa, _ltow)
#define _ltot_s WS_T(_ltoa_s, _ltow_s)
#define _ultot WS_T(_ultoa, _ultow)
#define _i64tot WS_T(_i64toa, _i64tow)
#define _ui64tot WS_T(_ui64toa, _ui64tow)

#define _istalpha WS_T(isalpha, iswalpha)
#define _istupper WS_T(isupper, iswupper)
#define _istlower WS_T(islower, iswlower)
#define _istdigit WS_T(isdigit, iswdigit)
#define _istxdigit WS_T(isxdigit, iswxdigit)
#define _istspace WS_T(isspace, iswspace)
#define _istpunct WS_T(ispunct, iswpunct)
#define _istalnum WS_T(isalnum, iswalnum)
#define _istprint WS_T(isprint, iswprint)
#define _istcntrl WS_T(iscntrl, iswcntrl)
#define _totupper WS_T(toupper, towupper)
#define _totlower WS_T(tolower, towlower)

#define _tmain WS_T(main, wmain)
#define _tWinMain WS_T(WinMain, wWinMain)
#define _tcsftime WS_T(strftime, wcsftime)
#define _tsetlocale WS_T(setlocale, _wsetlocale)
#define _TEOF WS_T(EOF, WEOF)

#define _tcstok WS_T(strtok, ws_wcstok)

WS_BEGIN
/* Microsoft's without a context, like strtok. */
WS_INLINE wchar_t *ws_wcstok(wchar_t *text, const wchar_t *separators) {
    static __thread wchar_t *context;
    return wcstok(text, separators, &context);
}
WS_END

#endif
