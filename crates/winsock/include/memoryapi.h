/* Memory by pages. */
#ifndef _MEMORYAPI_H_
#define _MEMORYAPI_H_

#include <minwinbase.h>

#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_WRITECOPY 0x08
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_EXECUTE_WRITECOPY 0x80
#define MEM_COMMIT 0x00001000
#define MEM_RESERVE 0x00002000
#define MEM_DECOMMIT 0x00004000
#define MEM_RELEASE 0x00008000
#define MEM_TOP_DOWN 0x00100000

WS_BEGIN
WS_DECLARE(LPVOID, VirtualAlloc, (LPVOID address, SIZE_T size, DWORD type, DWORD protect));
WS_DECLARE(BOOL, VirtualFree, (LPVOID address, SIZE_T size, DWORD type));
WS_DECLARE(BOOL, VirtualProtect, (LPVOID address, SIZE_T size, DWORD protect, PDWORD old));
WS_END

#endif
