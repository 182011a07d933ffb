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
#include <libloaderapi.h>
#include <debugapi.h>
#include <processenv.h>
#include <threadpoolapiset.h>
#include <threadpoollegacyapiset.h>

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

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF
#define MAX_COMPUTERNAME_LENGTH 15

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
WS_DECLARE(DWORD, FormatMessageA,
           (DWORD flags, LPCVOID source, DWORD id, DWORD language, LPSTR buffer, DWORD size, va_list *arguments));
WS_DECLARE(DWORD, FormatMessageW,
           (DWORD flags, LPCVOID source, DWORD id, DWORD language, LPWSTR buffer, DWORD size, va_list *arguments));
WS_DECLARE(BOOL, GetComputerNameA, (LPSTR name, LPDWORD size));
WS_DECLARE(BOOL, GetComputerNameW, (LPWSTR name, LPDWORD size));
WS_END

#ifdef UNICODE
#define FormatMessage FormatMessageW
#define GetComputerName GetComputerNameW
#else
#define FormatMessage FormatMessageA
#define GetComputerName GetComputerNameA
#endif

#endif
