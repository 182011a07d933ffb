/* Heaps. */
#ifndef _HEAPAPI_H_
#define _HEAPAPI_H_

#include <minwinbase.h>

#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GROWABLE 0x00000002
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010

WS_BEGIN
WS_DECLARE(HANDLE, GetProcessHeap, (void));
WS_DECLARE(HANDLE, HeapCreate, (DWORD options, SIZE_T initial_size, SIZE_T maximum_size));
WS_DECLARE(BOOL, HeapDestroy, (HANDLE heap));
WS_DECLARE(LPVOID, HeapAlloc, (HANDLE heap, DWORD flags, SIZE_T size));
WS_DECLARE(LPVOID, HeapReAlloc, (HANDLE heap, DWORD flags, LPVOID block, SIZE_T size));
WS_DECLARE(BOOL, HeapFree, (HANDLE heap, DWORD flags, LPVOID block));
WS_DECLARE(SIZE_T, HeapSize, (HANDLE heap, DWORD flags, LPCVOID block));
WS_END

#endif
