/* What is said to a debugger. */
#ifndef _APISETDEBUG_
#define _APISETDEBUG_

#include <minwindef.h>

WS_BEGIN
WS_DECLARE(void, OutputDebugStringA, (LPCSTR text));
WS_DECLARE(void, OutputDebugStringW, (LPCWSTR text));
WS_END

#ifdef UNICODE
#define OutputDebugString OutputDebugStringW
#else
#define OutputDebugString OutputDebugStringA
#endif

#endif
