/* Memory by pages. */
#ifndef _MEMORYAPI_H_
#define _MEMORYAPI_H_

#include <minwinbase.h>

WS_BEGIN
WS_DECLARE(LPVOID, VirtualAlloc, (LPVOID address, SIZE_T size, DWORD type, DWORD protect));
WS_DECLARE(BOOL, VirtualFree, (LPVOID address, SIZE_T size, DWORD type));
WS_DECLARE(BOOL, VirtualProtect, (LPVOID address, SIZE_T size, DWORD protect, PDWORD old));
WS_END

#endif
