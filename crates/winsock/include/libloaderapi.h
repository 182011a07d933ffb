/* Modules: the program, and this library by the names of those of Windows. */
#ifndef _APISETLIBLOADER_
#define _APISETLIBLOADER_

#include <minwinbase.h>

WS_BEGIN
WS_DECLARE(HMODULE, GetModuleHandleA, (LPCSTR name));
WS_DECLARE(HMODULE, GetModuleHandleW, (LPCWSTR name));
WS_DECLARE(HMODULE, LoadLibraryA, (LPCSTR name));
WS_DECLARE(HMODULE, LoadLibraryW, (LPCWSTR name));
WS_DECLARE(BOOL, FreeLibrary, (HMODULE module));
WS_DECLARE(FARPROC, GetProcAddress, (HMODULE module, LPCSTR name));
WS_DECLARE(DWORD, GetModuleFileNameA, (HMODULE module, LPSTR path, DWORD size));
WS_DECLARE(DWORD, GetModuleFileNameW, (HMODULE module, LPWSTR path, DWORD size));
WS_END

#ifdef UNICODE
#define GetModuleHandle GetModuleHandleW
#define LoadLibrary LoadLibraryW
#define GetModuleFileName GetModuleFileNameW
#else
#define GetModuleHandle GetModuleHandleA
#define LoadLibrary LoadLibraryA
#define GetModuleFileName GetModuleFileNameA
#endif

#endif
