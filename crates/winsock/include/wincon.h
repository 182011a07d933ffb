/* The console. */
#ifndef _WINCON_H_
#define _WINCON_H_

#include <winnt.h>

#define CTRL_C_EVENT 0
#define CTRL_BREAK_EVENT 1
#define CTRL_CLOSE_EVENT 2
#define CTRL_LOGOFF_EVENT 5
#define CTRL_SHUTDOWN_EVENT 6

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)

#define FOREGROUND_BLUE 0x0001
#define FOREGROUND_GREEN 0x0002
#define FOREGROUND_RED 0x0004
#define FOREGROUND_INTENSITY 0x0008
#define BACKGROUND_BLUE 0x0010
#define BACKGROUND_GREEN 0x0020
#define BACKGROUND_RED 0x0040
#define BACKGROUND_INTENSITY 0x0080
#define COMMON_LVB_LEADING_BYTE 0x0100
#define COMMON_LVB_TRAILING_BYTE 0x0200
#define COMMON_LVB_GRID_HORIZONTAL 0x0400
#define COMMON_LVB_GRID_LVERTICAL 0x0800
#define COMMON_LVB_GRID_RVERTICAL 0x1000
#define COMMON_LVB_REVERSE_VIDEO 0x4000
#define COMMON_LVB_UNDERSCORE 0x8000
#define ENABLE_PROCESSED_INPUT 0x0001
#define ENABLE_LINE_INPUT 0x0002
#define ENABLE_ECHO_INPUT 0x0004
#define ENABLE_WINDOW_INPUT 0x0008
#define ENABLE_MOUSE_INPUT 0x0010
#define ENABLE_INSERT_MODE 0x0020
#define ENABLE_QUICK_EDIT_MODE 0x0040
#define ENABLE_EXTENDED_FLAGS 0x0080
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x0200
#define ENABLE_PROCESSED_OUTPUT 0x0001
#define ENABLE_WRAP_AT_EOL_OUTPUT 0x0002
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004

typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD event);

typedef struct _COORD {
    SHORT X;
    SHORT Y;
} COORD, *PCOORD;

typedef struct _SMALL_RECT {
    SHORT Left;
    SHORT Top;
    SHORT Right;
    SHORT Bottom;
} SMALL_RECT, *PSMALL_RECT;

typedef struct _CONSOLE_SCREEN_BUFFER_INFO {
    COORD dwSize;
    COORD dwCursorPosition;
    WORD wAttributes;
    SMALL_RECT srWindow;
    COORD dwMaximumWindowSize;
} CONSOLE_SCREEN_BUFFER_INFO, *PCONSOLE_SCREEN_BUFFER_INFO;

typedef struct _CONSOLE_CURSOR_INFO {
    DWORD dwSize;
    BOOL bVisible;
} CONSOLE_CURSOR_INFO, *PCONSOLE_CURSOR_INFO;

WS_BEGIN
WS_DECLARE(HANDLE, GetStdHandle, (DWORD number));
WS_DECLARE(BOOL, WriteConsoleA, (HANDLE console, const VOID *text, DWORD count, LPDWORD written, LPVOID reserved));
WS_DECLARE(BOOL, WriteConsoleW, (HANDLE console, const VOID *text, DWORD count, LPDWORD written, LPVOID reserved));
WS_DECLARE(BOOL, SetConsoleTitleA, (LPCSTR title));
WS_DECLARE(BOOL, SetConsoleTitleW, (LPCWSTR title));
WS_DECLARE(BOOL, SetConsoleOutputCP, (UINT code_page));
WS_DECLARE(BOOL, SetConsoleCP, (UINT code_page));
WS_DECLARE(UINT, GetConsoleOutputCP, (void));
WS_DECLARE(UINT, GetConsoleCP, (void));
WS_DECLARE(BOOL, AllocConsole, (void));
WS_DECLARE(BOOL, FreeConsole, (void));
WS_DECLARE(BOOL, SetConsoleTextAttribute, (HANDLE console, WORD attributes));
WS_DECLARE(BOOL, SetConsoleCtrlHandler, (PHANDLER_ROUTINE handler, BOOL add));
WS_DECLARE(BOOL, GenerateConsoleCtrlEvent, (DWORD event, DWORD group));
WS_END

#ifdef UNICODE
#define WriteConsole WriteConsoleW
#define SetConsoleTitle SetConsoleTitleW
#else
#define WriteConsole WriteConsoleA
#define SetConsoleTitle SetConsoleTitleA
#endif

#endif
