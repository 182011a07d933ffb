/* Microsoft's debugging heap: accepted, and does nothing; valgrind and sanitizers do it here. */
#ifndef _INC_CRTDBG
#define _INC_CRTDBG

#include <assert.h>
#include <corecrt.h>

#define _CRT_WARN 0
#define _CRT_ERROR 1
#define _CRT_ASSERT 2
#define _CRTDBG_MODE_FILE 0x1
#define _CRTDBG_MODE_DEBUG 0x2
#define _CRTDBG_MODE_WNDW 0x4
#define _CRTDBG_REPORT_MODE (-1)
#define _CRTDBG_FILE_STDOUT ((void *)-4)
#define _CRTDBG_FILE_STDERR ((void *)-5)
#define _CRTDBG_ALLOC_MEM_DF 0x01
#define _CRTDBG_DELAY_FREE_MEM_DF 0x02
#define _CRTDBG_CHECK_ALWAYS_DF 0x04
#define _CRTDBG_CHECK_CRT_DF 0x10
#define _CRTDBG_LEAK_CHECK_DF 0x20
#define _CRTDBG_REPORT_FLAG (-1)
#define _NORMAL_BLOCK 1
#define _CLIENT_BLOCK 4

#define _CrtSetDbgFlag(flags) ((void)(flags), 0)
#define _CrtSetReportMode(kind, mode) ((void)(kind), (void)(mode), 0)
#define _CrtSetReportFile(kind, file) ((void)(kind), (void)(file), (void *)0)
#define _CrtSetBreakAlloc(number) ((void)(number), 0)
#define _CrtDumpMemoryLeaks() 0
#define _CrtCheckMemory() 1
#define _CrtMemCheckpoint(state) ((void)(state))
#define _CrtMemDumpAllObjectsSince(state) ((void)(state))
#define _CrtMemDumpStatistics(state) ((void)(state))
#define _CrtMemDifference(difference, old, current) ((void)(difference), (void)(old), (void)(current), 0)
#define _CrtDbgReport(...) 0
#define _RPT0(kind, format) ((void)0)
#define _RPT1(kind, format, a) ((void)0)
#define _RPT2(kind, format, a, b) ((void)0)
#define _RPTF0(kind, format) ((void)0)
#define _RPTF1(kind, format, a) ((void)0)
#define _RPTF2(kind, format, a, b) ((void)0)
#define _ASSERT(condition) assert(condition)
#define _ASSERTE(condition) assert(condition)
#define _malloc_dbg(size, kind, file, line) malloc(size)
#define _free_dbg(memory, kind) free(memory)

typedef struct _CrtMemState {
    size_t total;
} _CrtMemState;

#endif
