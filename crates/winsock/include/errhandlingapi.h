/* The last error of the thread. */
#ifndef _ERRHANDLING_H_
#define _ERRHANDLING_H_

#include <minwindef.h>
#include <winerror.h>

WS_BEGIN
WS_DECLARE(DWORD, GetLastError, (void));
WS_DECLARE(void, SetLastError, (DWORD error));
WS_END

#endif
