/* Handles. */
#ifndef _APISETHANDLE_
#define _APISETHANDLE_

#include <minwinbase.h>

#define DUPLICATE_CLOSE_SOURCE 0x00000001
#define DUPLICATE_SAME_ACCESS 0x00000002

WS_BEGIN
WS_DECLARE(BOOL, CloseHandle, (HANDLE object));
WS_DECLARE(BOOL, DuplicateHandle,
           (HANDLE source_process, HANDLE source, HANDLE target_process, LPHANDLE target, DWORD access, BOOL inherit,
            DWORD options));
WS_END

#endif
