/* The functions of the kernel. */
#ifndef _WINBASE_
#define _WINBASE_

#include <errhandlingapi.h>
#include <fileapi.h>
#include <handleapi.h>
#include <ioapiset.h>
#include <minwinbase.h>
#include <processthreadsapi.h>
#include <synchapi.h>
#include <heapapi.h>
#include <sysinfoapi.h>
#include <ws_lstr.h>
#include <memoryapi.h>
#include <profileapi.h>
#include <timezoneapi.h>

#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_ZEROINIT 0x0040
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define LHND (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_ZEROINIT 0x0040
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
#define GHND (GMEM_MOVEABLE | GMEM_ZEROINIT)

WS_BEGIN
WS_DECLARE(HLOCAL, LocalAlloc, (UINT flags, SIZE_T size));
WS_DECLARE(HLOCAL, LocalReAlloc, (HLOCAL block, SIZE_T size, UINT flags));
WS_DECLARE(HLOCAL, LocalFree, (HLOCAL block));
WS_DECLARE(SIZE_T, LocalSize, (HLOCAL block));
WS_DECLARE(LPVOID, LocalLock, (HLOCAL block));
WS_DECLARE(BOOL, LocalUnlock, (HLOCAL block));
WS_DECLARE(HGLOBAL, GlobalAlloc, (UINT flags, SIZE_T size));
WS_DECLARE(HGLOBAL, GlobalReAlloc, (HGLOBAL block, SIZE_T size, UINT flags));
WS_DECLARE(HGLOBAL, GlobalFree, (HGLOBAL block));
WS_DECLARE(SIZE_T, GlobalSize, (HGLOBAL block));
WS_DECLARE(LPVOID, GlobalLock, (HGLOBAL block));
WS_DECLARE(BOOL, GlobalUnlock, (HGLOBAL block));
WS_END

#endif
