/* Of the shell, the reading of command lines. */
#ifndef _INC_SHELLAPI
#define _INC_SHELLAPI

#include <minwindef.h>

WS_BEGIN
WS_DECLARE(LPWSTR *, CommandLineToArgvW, (LPCWSTR line, int *count));
WS_END

#endif
