/* What Microsoft's C runtime has in all its headers. */
#ifndef _INC_CORECRT
#define _INC_CORECRT

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <ws_declare.h>

typedef int errno_t;
typedef size_t rsize_t;
typedef int __time32_t;
typedef long long __time64_t;
typedef struct __locale_struct *_locale_t;

#define _TRUNCATE ((size_t)-1)
#define _CRTIMP
#define _ACRTIMP
#define __CRTDECL
#define _CRT_WIDE_(text) L##text
#define _CRT_WIDE(text) _CRT_WIDE_(text)
#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* Of the functions that cut what does not fit. */
#define STRUNCATE 80

#endif
