/* Windows without a screen, their messages and timers. */
#ifndef _WINUSER_
#define _WINUSER_

#include <minwinbase.h>

#define WM_NULL 0
#define WM_CREATE 1
#define WM_DESTROY 2
#define WM_MOVE 3
#define WM_SIZE 5
#define WM_ACTIVATE 6
#define WM_SETFOCUS 7
#define WM_KILLFOCUS 8
#define WM_ENABLE 10
#define WM_SETTEXT 12
#define WM_GETTEXT 13
#define WM_PAINT 15
#define WM_CLOSE 16
#define WM_QUERYENDSESSION 17
#define WM_QUIT 18
#define WM_ERASEBKGND 20
#define WM_ENDSESSION 22
#define WM_SHOWWINDOW 24
#define WM_COPYDATA 74
#define WM_NOTIFY 78
#define WM_NCCREATE 129
#define WM_NCDESTROY 130
#define WM_KEYDOWN 256
#define WM_KEYUP 257
#define WM_CHAR 258
#define WM_INITDIALOG 272
#define WM_COMMAND 273
#define WM_SYSCOMMAND 274
#define WM_TIMER 275
#define WM_HSCROLL 276
#define WM_VSCROLL 277
#define WM_MOUSEMOVE 512
#define WM_LBUTTONDOWN 513
#define WM_LBUTTONUP 514
#define WM_RBUTTONDOWN 516
#define WM_RBUTTONUP 517
#define WM_USER 1024
#define WM_APP 32768

#define CS_VREDRAW 1
#define CS_HREDRAW 2
#define CS_DBLCLKS 8
#define CS_OWNDC 32
#define CS_CLASSDC 64
#define CS_PARENTDC 128
#define CS_NOCLOSE 512
#define CS_SAVEBITS 2048
#define CS_BYTEALIGNCLIENT 4096
#define CS_BYTEALIGNWINDOW 8192
#define CS_GLOBALCLASS 16384
#define CS_IME 65536
#define CS_DROPSHADOW 131072

#define WS_EX_LEFT 0
#define WS_EX_LTRREADING 0
#define WS_EX_RIGHTSCROLLBAR 0
#define WS_OVERLAPPED 0
#define WS_TILED 0
#define WS_ACTIVECAPTION 1
#define WS_EX_DLGMODALFRAME 1
#define WS_EX_NOPARENTNOTIFY 4
#define WS_EX_TOPMOST 8
#define WS_EX_ACCEPTFILES 16
#define WS_EX_TRANSPARENT 32
#define WS_EX_MDICHILD 64
#define WS_EX_TOOLWINDOW 128
#define WS_EX_WINDOWEDGE 256
#define WS_EX_PALETTEWINDOW 392
#define WS_EX_CLIENTEDGE 512
#define WS_EX_OVERLAPPEDWINDOW 768
#define WS_EX_CONTEXTHELP 1024
#define WS_EX_RIGHT 4096
#define WS_EX_RTLREADING 8192
#define WS_EX_LEFTSCROLLBAR 16384
#define WS_EX_CONTROLPARENT 65536
#define WS_MAXIMIZEBOX 65536
#define WS_TABSTOP 65536
#define WS_EX_STATICEDGE 131072
#define WS_GROUP 131072
#define WS_MINIMIZEBOX 131072
#define WS_EX_APPWINDOW 262144
#define WS_SIZEBOX 262144
#define WS_THICKFRAME 262144
#define WS_SYSMENU 524288
#define WS_EX_NOINHERITLAYOUT 1048576
#define WS_HSCROLL 1048576
#define WS_EX_NOREDIRECTIONBITMAP 2097152
#define WS_VSCROLL 2097152
#define WS_DLGFRAME 4194304
#define WS_EX_LAYOUTRTL 4194304
#define WS_BORDER 8388608
#define WS_CAPTION 12582912
#define WS_MAXIMIZE 16777216
#define WS_CLIPCHILDREN 33554432
#define WS_EX_COMPOSITED 33554432
#define WS_CLIPSIBLINGS 67108864
#define WS_DISABLED 134217728
#define WS_EX_NOACTIVATE 134217728
#define WS_VISIBLE 268435456
#define WS_ICONIC 536870912
#define WS_MINIMIZE 536870912
#define WS_CHILD 1073741824
#define WS_CHILDWINDOW 1073741824
#define WS_POPUP 0x80000000
#define WS_OVERLAPPEDWINDOW 0x00CF0000
#define WS_TILEDWINDOW WS_OVERLAPPEDWINDOW
#define WS_POPUPWINDOW 0x80880000
#define CW_USEDEFAULT ((int)0x80000000)

#define SW_HIDE 0
#define SW_NORMAL 1
#define SW_SHOWNORMAL 1
#define SW_SHOWMINIMIZED 2
#define SW_MAXIMIZE 3
#define SW_SHOWMAXIMIZED 3
#define SW_SHOWNOACTIVATE 4
#define SW_SHOW 5
#define SW_MINIMIZE 6
#define SW_SHOWMINNOACTIVE 7
#define SW_SHOWNA 8
#define SW_RESTORE 9
#define SW_SHOWDEFAULT 10
#define SW_FORCEMINIMIZE 11

#define MB_APPLMODAL 0
#define MB_DEFBUTTON1 0
#define MB_OK 0
#define MB_OKCANCEL 1
#define MB_ABORTRETRYIGNORE 2
#define MB_YESNOCANCEL 3
#define MB_YESNO 4
#define MB_RETRYCANCEL 5
#define MB_ICONERROR 16
#define MB_ICONHAND 16
#define MB_ICONSTOP 16
#define MB_ICONQUESTION 32
#define MB_ICONEXCLAMATION 48
#define MB_ICONWARNING 48
#define MB_ICONASTERISK 64
#define MB_ICONINFORMATION 64
#define MB_DEFBUTTON2 256
#define MB_SYSTEMMODAL 4096
#define MB_TASKMODAL 8192
#define MB_SETFOREGROUND 65536
#define MB_TOPMOST 262144
#define IDOK 1
#define IDCANCEL 2
#define IDABORT 3
#define IDRETRY 4
#define IDIGNORE 5
#define IDYES 6
#define IDNO 7

#define PM_NOREMOVE 0
#define PM_REMOVE 1
#define PM_NOYIELD 2
#define QS_KEY 1
#define QS_MOUSEMOVE 2
#define QS_MOUSEBUTTON 4
#define QS_MOUSE 6
#define QS_POSTMESSAGE 8
#define QS_TIMER 16
#define QS_PAINT 32
#define QS_SENDMESSAGE 64
#define QS_HOTKEY 128
#define QS_ALLPOSTMESSAGE 256
#define QS_RAWINPUT 1024
#define QS_INPUT 1031
#define QS_ALLEVENTS 1215
#define QS_ALLINPUT 1279
#define QS_TOUCH 2048
#define QS_POINTER 4096
#define MWMO_WAITALL 0x0001
#define MWMO_ALERTABLE 0x0002
#define MWMO_INPUTAVAILABLE 0x0004
#define USER_TIMER_MAXIMUM 0x7FFFFFFF
#define USER_TIMER_MINIMUM 0x0000000A
#define GWLP_WNDPROC (-4)
#define GWLP_HINSTANCE (-6)
#define GWLP_ID (-12)
#define GWLP_USERDATA (-21)
#define HWND_MESSAGE ((HWND)(LONG_PTR)-3)
#define HWND_BROADCAST ((HWND)(LONG_PTR)0xffff)
#define HWND_DESKTOP ((HWND)0)

typedef LRESULT(CALLBACK *WNDPROC)(HWND window, UINT message, WPARAM wParam, LPARAM lParam);
typedef VOID(CALLBACK *TIMERPROC)(HWND window, UINT message, UINT_PTR id, DWORD time);

typedef struct tagMSG {
    HWND hwnd;
    UINT message;
    WPARAM wParam;
    LPARAM lParam;
    DWORD time;
    POINT pt;
} MSG, *PMSG, *NPMSG, *LPMSG;

typedef struct tagWNDCLASSA {
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
} WNDCLASSA, *PWNDCLASSA, *LPWNDCLASSA;

typedef struct tagWNDCLASSEXA {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCSTR lpszMenuName;
    LPCSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXA, *PWNDCLASSEXA, *LPWNDCLASSEXA;

typedef struct tagCREATESTRUCTA {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    int cy;
    int cx;
    int y;
    int x;
    LONG style;
    LPCSTR lpszName;
    LPCSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTA, *LPCREATESTRUCTA;

typedef struct tagWNDCLASSW {
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
} WNDCLASSW, *PWNDCLASSW, *LPWNDCLASSW;

typedef struct tagWNDCLASSEXW {
    UINT cbSize;
    UINT style;
    WNDPROC lpfnWndProc;
    int cbClsExtra;
    int cbWndExtra;
    HINSTANCE hInstance;
    HICON hIcon;
    HCURSOR hCursor;
    HBRUSH hbrBackground;
    LPCWSTR lpszMenuName;
    LPCWSTR lpszClassName;
    HICON hIconSm;
} WNDCLASSEXW, *PWNDCLASSEXW, *LPWNDCLASSEXW;

typedef struct tagCREATESTRUCTW {
    LPVOID lpCreateParams;
    HINSTANCE hInstance;
    HMENU hMenu;
    HWND hwndParent;
    int cy;
    int cx;
    int y;
    int x;
    LONG style;
    LPCWSTR lpszName;
    LPCWSTR lpszClass;
    DWORD dwExStyle;
} CREATESTRUCTW, *LPCREATESTRUCTW;

#define MAKEINTRESOURCEA(number) ((LPSTR)((ULONG_PTR)((WORD)(number))))
#define MAKEINTRESOURCEW(number) ((LPWSTR)((ULONG_PTR)((WORD)(number))))
#define IS_INTRESOURCE(name) ((((ULONG_PTR)(name)) >> 16) == 0)
#ifdef UNICODE
#define MAKEINTRESOURCE MAKEINTRESOURCEW
#else
#define MAKEINTRESOURCE MAKEINTRESOURCEA
#endif
#define IDI_APPLICATION MAKEINTRESOURCE(32512)
#define IDI_HAND MAKEINTRESOURCE(32513)
#define IDI_ERROR IDI_HAND
#define IDI_QUESTION MAKEINTRESOURCE(32514)
#define IDI_EXCLAMATION MAKEINTRESOURCE(32515)
#define IDI_WARNING IDI_EXCLAMATION
#define IDI_ASTERISK MAKEINTRESOURCE(32516)
#define IDI_INFORMATION IDI_ASTERISK
#define IDI_WINLOGO MAKEINTRESOURCE(32517)
#define IDC_ARROW MAKEINTRESOURCE(32512)
#define IDC_IBEAM MAKEINTRESOURCE(32513)
#define IDC_WAIT MAKEINTRESOURCE(32514)
#define IDC_CROSS MAKEINTRESOURCE(32515)
#define IDC_UPARROW MAKEINTRESOURCE(32516)
#define IDC_HAND MAKEINTRESOURCE(32649)
#define COLOR_WINDOW 5
#define COLOR_WINDOWTEXT 8
#define COLOR_BACKGROUND 1
#define COLOR_BTNFACE 15

WS_BEGIN
WS_DECLARE(ATOM, RegisterClassA, (const WNDCLASSA *window_class));
WS_DECLARE(ATOM, RegisterClassExA, (const WNDCLASSEXA *window_class));
WS_DECLARE(BOOL, UnregisterClassA, (LPCSTR name, HINSTANCE instance));
WS_DECLARE(HWND, CreateWindowExA,
           (DWORD ex_style, LPCSTR class_name, LPCSTR name, DWORD style, int x, int y, int width, int height, HWND parent,
            HMENU menu, HINSTANCE instance, LPVOID parameter));
WS_DECLARE(BOOL, DestroyWindow, (HWND window));
WS_DECLARE(BOOL, IsWindow, (HWND window));
WS_DECLARE(LONG_PTR, GetWindowLongPtrA, (HWND window, int index));
WS_DECLARE(LONG_PTR, GetWindowLongPtrW, (HWND window, int index));
WS_DECLARE(LONG_PTR, SetWindowLongPtrA, (HWND window, int index, LONG_PTR value));
WS_DECLARE(LONG_PTR, SetWindowLongPtrW, (HWND window, int index, LONG_PTR value));
WS_DECLARE(LRESULT, DefWindowProcA, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(LRESULT, DefWindowProcW, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));

WS_DECLARE(BOOL, GetMessageA, (LPMSG msg, HWND window, UINT first, UINT last));
WS_DECLARE(BOOL, GetMessageW, (LPMSG msg, HWND window, UINT first, UINT last));
WS_DECLARE(BOOL, PeekMessageA, (LPMSG msg, HWND window, UINT first, UINT last, UINT remove));
WS_DECLARE(BOOL, PeekMessageW, (LPMSG msg, HWND window, UINT first, UINT last, UINT remove));
WS_DECLARE(BOOL, TranslateMessage, (const MSG *msg));
WS_DECLARE(LRESULT, DispatchMessageA, (const MSG *msg));
WS_DECLARE(LRESULT, DispatchMessageW, (const MSG *msg));
WS_DECLARE(BOOL, PostMessageA, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(BOOL, PostMessageW, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(BOOL, PostThreadMessageA, (DWORD thread, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(BOOL, PostThreadMessageW, (DWORD thread, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(void, PostQuitMessage, (int code));
WS_DECLARE(LRESULT, SendMessageA, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(LRESULT, SendMessageW, (HWND window, UINT message, WPARAM wParam, LPARAM lParam));
WS_DECLARE(BOOL, WaitMessage, (void));
WS_DECLARE(DWORD, GetQueueStatus, (UINT flags));
WS_DECLARE(DWORD, MsgWaitForMultipleObjects,
           (DWORD count, const HANDLE *objects, BOOL all, DWORD milliseconds, DWORD mask));
WS_DECLARE(DWORD, MsgWaitForMultipleObjectsEx,
           (DWORD count, const HANDLE *objects, DWORD milliseconds, DWORD mask, DWORD flags));
WS_DECLARE(UINT_PTR, SetTimer, (HWND window, UINT_PTR id, UINT milliseconds, TIMERPROC procedure));
WS_DECLARE(BOOL, KillTimer, (HWND window, UINT_PTR id));
WS_DECLARE(BOOL, ShowWindow, (HWND window, int command));
WS_DECLARE(BOOL, UpdateWindow, (HWND window));
WS_DECLARE(HICON, LoadIconA, (HINSTANCE instance, LPCSTR name));
WS_DECLARE(HICON, LoadIconW, (HINSTANCE instance, LPCWSTR name));
WS_DECLARE(HCURSOR, LoadCursorA, (HINSTANCE instance, LPCSTR name));
WS_DECLARE(HCURSOR, LoadCursorW, (HINSTANCE instance, LPCWSTR name));
WS_DECLARE(int, MessageBoxA, (HWND window, LPCSTR text, LPCSTR caption, UINT type));
WS_DECLARE(int, MessageBoxW, (HWND window, LPCWSTR text, LPCWSTR caption, UINT type));
WS_DECLARE(ATOM, RegisterClassW, (const WNDCLASSW *window_class));
WS_DECLARE(ATOM, RegisterClassExW, (const WNDCLASSEXW *window_class));
WS_DECLARE(BOOL, UnregisterClassW, (LPCWSTR name, HINSTANCE instance));
WS_DECLARE(HWND, CreateWindowExW,
           (DWORD ex_style, LPCWSTR class_name, LPCWSTR name, DWORD style, int x, int y, int width, int height,
            HWND parent, HMENU menu, HINSTANCE instance, LPVOID parameter));
WS_END

#define CreateWindowA(class_name, name, style, x, y, width, height, parent, menu, instance, parameter) \
    CreateWindowExA(0, class_name, name, style, x, y, width, height, parent, menu, instance, parameter)
#define CreateWindowW(class_name, name, style, x, y, width, height, parent, menu, instance, parameter) \
    CreateWindowExW(0, class_name, name, style, x, y, width, height, parent, menu, instance, parameter)

#ifdef UNICODE
#define WNDCLASS WNDCLASSW
#define LPWNDCLASS LPWNDCLASSW
#define WNDCLASSEX WNDCLASSEXW
#define LPWNDCLASSEX LPWNDCLASSEXW
#define CREATESTRUCT CREATESTRUCTW
#define LPCREATESTRUCT LPCREATESTRUCTW
#define RegisterClass RegisterClassW
#define RegisterClassEx RegisterClassExW
#define UnregisterClass UnregisterClassW
#define CreateWindow CreateWindowW
#define CreateWindowEx CreateWindowExW
#define GetWindowLongPtr GetWindowLongPtrW
#define SetWindowLongPtr SetWindowLongPtrW
#define DefWindowProc DefWindowProcW
#define GetMessage GetMessageW
#define PeekMessage PeekMessageW
#define DispatchMessage DispatchMessageW
#define PostMessage PostMessageW
#define PostThreadMessage PostThreadMessageW
#define SendMessage SendMessageW
#define LoadIcon LoadIconW
#define LoadCursor LoadCursorW
#define MessageBox MessageBoxW
#else
#define WNDCLASS WNDCLASSA
#define LPWNDCLASS LPWNDCLASSA
#define WNDCLASSEX WNDCLASSEXA
#define LPWNDCLASSEX LPWNDCLASSEXA
#define CREATESTRUCT CREATESTRUCTA
#define LPCREATESTRUCT LPCREATESTRUCTA
#define RegisterClass RegisterClassA
#define RegisterClassEx RegisterClassExA
#define UnregisterClass UnregisterClassA
#define CreateWindow CreateWindowA
#define CreateWindowEx CreateWindowExA
#define GetWindowLongPtr GetWindowLongPtrA
#define SetWindowLongPtr SetWindowLongPtrA
#define DefWindowProc DefWindowProcA
#define GetMessage GetMessageA
#define PeekMessage PeekMessageA
#define DispatchMessage DispatchMessageA
#define PostMessage PostMessageA
#define PostThreadMessage PostThreadMessageA
#define SendMessage SendMessageA
#define LoadIcon LoadIconA
#define LoadCursor LoadCursorA
#define MessageBox MessageBoxA
#endif

#endif
