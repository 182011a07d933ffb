/* What programs ask of the machine. */
#ifndef _SYSINFOAPI_H_
#define _SYSINFOAPI_H_

#include <minwinbase.h>

#define PROCESSOR_ARCHITECTURE_INTEL 0
#define PROCESSOR_ARCHITECTURE_ARM 5
#define PROCESSOR_ARCHITECTURE_IA64 6
#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_ARCHITECTURE_ARM64 12
#define PROCESSOR_ARCHITECTURE_UNKNOWN 0xFFFF
#define PROCESSOR_AMD_X8664 8664

typedef struct _SYSTEM_INFO {
    __extension__ union {
        DWORD dwOemId;
        __extension__ struct {
            WORD wProcessorArchitecture;
            WORD wReserved;
        };
    };
    DWORD dwPageSize;
    LPVOID lpMinimumApplicationAddress;
    LPVOID lpMaximumApplicationAddress;
    DWORD_PTR dwActiveProcessorMask;
    DWORD dwNumberOfProcessors;
    DWORD dwProcessorType;
    DWORD dwAllocationGranularity;
    WORD wProcessorLevel;
    WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

#define VER_PLATFORM_WIN32_NT 2

typedef struct _OSVERSIONINFOA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128];
} OSVERSIONINFOA, *POSVERSIONINFOA, *LPOSVERSIONINFOA;

typedef struct _OSVERSIONINFOEXA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128];
    WORD wServicePackMajor;
    WORD wServicePackMinor;
    WORD wSuiteMask;
    BYTE wProductType;
    BYTE wReserved;
} OSVERSIONINFOEXA, *POSVERSIONINFOEXA, *LPOSVERSIONINFOEXA;
#ifndef UNICODE
#define OSVERSIONINFO OSVERSIONINFOA
#define LPOSVERSIONINFO LPOSVERSIONINFOA
#define OSVERSIONINFOEX OSVERSIONINFOEXA
#define GetVersionEx GetVersionExA
#endif

WS_BEGIN
WS_DECLARE(void, GetSystemInfo, (LPSYSTEM_INFO info));
WS_DECLARE(void, GetNativeSystemInfo, (LPSYSTEM_INFO info));
WS_DECLARE(DWORD, GetTickCount, (void));
WS_DECLARE(ULONGLONG, GetTickCount64, (void));
WS_DECLARE(void, GetSystemTime, (LPSYSTEMTIME time));
WS_DECLARE(void, GetLocalTime, (LPSYSTEMTIME time));
WS_DECLARE(void, GetSystemTimeAsFileTime, (LPFILETIME time));
WS_DECLARE(void, GetSystemTimePreciseAsFileTime, (LPFILETIME time));
WS_DECLARE(DWORD, GetVersion, (void));
WS_DECLARE(BOOL, GetVersionExA, (LPOSVERSIONINFOA info));
WS_END

#endif
