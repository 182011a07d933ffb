/* The basic types and macros of Windows, with the sizes that they have on 64-bit Windows. */
#ifndef _MINWINDEF_
#define _MINWINDEF_

#include <basetsd.h>
#include <sal.h>
#include <stdarg.h>
#include <stddef.h>
#include <wchar.h>
#include <ws_declare.h>

#define WINAPI
#define WSAAPI
#define APIENTRY
#define CALLBACK
#define PASCAL
#define FAR
#define NEAR
#define far
#define near
#define CDECL
#define WINBASEAPI
#define WINADVAPI
#define WINUSERAPI
#define WINGDIAPI
#define NTSYSAPI
#define DECLSPEC_IMPORT
#define WINSOCK_API_LINKAGE
#define NTAPI
#define WINAPIV
#define APIPRIVATE
#define STDMETHODCALLTYPE
#define STDAPICALLTYPE
#define DECLSPEC_ALIGN(n) __attribute__((__aligned__(n)))
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#define DECLSPEC_NOINLINE __attribute__((__noinline__))
#define DECLSPEC_SELECTANY __attribute__((__weak__))
#define FORCEINLINE __forceinline
#define CFORCEINLINE __forceinline

#define VOID void
#ifndef CONST
#define CONST const
#endif
#ifndef NULL
#ifdef __cplusplus
#define NULL __null
#else
#define NULL ((void *)0)
#endif
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif
#define MAX_PATH 260

typedef char CHAR, *PCHAR, *LPCH, *PCH, *LPSTR, *PSTR, *NPSTR;
typedef const char *LPCCH, *PCCH, *LPCSTR, *PCSTR;
/* As on Linux: 32 bits, so that literals and libc's wide functions work. */
typedef wchar_t WCHAR, *PWCHAR, *LPWCH, *PWCH, *LPWSTR, *PWSTR, *NWPSTR;
typedef const wchar_t *LPCWCH, *PCWCH, *LPCWSTR, *PCWSTR;
typedef signed char SCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE, UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN;
typedef short SHORT, *PSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD, USHORT, *PUSHORT;
typedef int INT, *PINT, *LPINT, BOOL, *PBOOL, *LPBOOL;
typedef unsigned int UINT, *PUINT;
typedef int LONG, *PLONG, *LPLONG;
typedef unsigned int DWORD, *PDWORD, *LPDWORD, ULONG, *PULONG;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG, QWORD;
typedef float FLOAT, *PFLOAT;
typedef double DOUBLE;
typedef void *PVOID, *LPVOID, *HANDLE;
typedef const void *LPCVOID, *PCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef WORD ATOM;
typedef int HFILE;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM, LRESULT;
typedef HANDLE HGLOBAL, HLOCAL, GLOBALHANDLE, LOCALHANDLE;

#define WS_HANDLE(name) \
    typedef struct name##__ { \
        int unused; \
    } *name
WS_HANDLE(HINSTANCE);
WS_HANDLE(HWND);
WS_HANDLE(HMENU);
WS_HANDLE(HICON);
WS_HANDLE(HBRUSH);
WS_HANDLE(HDC);
WS_HANDLE(HFONT);
WS_HANDLE(HPEN);
WS_HANDLE(HBITMAP);
WS_HANDLE(HKEY);
WS_HANDLE(HRGN);
WS_HANDLE(HACCEL);
WS_HANDLE(HHOOK);
typedef HINSTANCE HMODULE;
typedef HICON HCURSOR;
typedef void *HGDIOBJ;
typedef DWORD COLORREF, *LPCOLORREF;

typedef long long(WINAPI *FARPROC)(void);
typedef long long(WINAPI *NEARPROC)(void);
typedef long long(WINAPI *PROC)(void);

typedef union _LARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        LONG HighPart;
    };
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

typedef struct _LUID {
    DWORD LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef struct tagPOINT {
    LONG x;
    LONG y;
} POINT, *PPOINT, *LPPOINT;

typedef struct tagSIZE {
    LONG cx;
    LONG cy;
} SIZE, *PSIZE, *LPSIZE;

typedef struct tagRECT {
    LONG left;
    LONG top;
    LONG right;
    LONG bottom;
} RECT, *PRECT, *LPRECT;
typedef const RECT *LPCRECT;

#define MAKEWORD(low, high) ((WORD)(((BYTE)(((DWORD_PTR)(low)) & 0xff)) | ((WORD)((BYTE)(((DWORD_PTR)(high)) & 0xff))) << 8))
#define MAKELONG(low, high) ((LONG)(((WORD)(((DWORD_PTR)(low)) & 0xffff)) | ((DWORD)((WORD)(((DWORD_PTR)(high)) & 0xffff))) << 16))
#define LOWORD(l) ((WORD)(((DWORD_PTR)(l)) & 0xffff))
#define HIWORD(l) ((WORD)((((DWORD_PTR)(l)) >> 16) & 0xffff))
#define LOBYTE(w) ((BYTE)(((DWORD_PTR)(w)) & 0xff))
#define HIBYTE(w) ((BYTE)((((DWORD_PTR)(w)) >> 8) & 0xff))
#define MAKEWPARAM(low, high) ((WPARAM)(DWORD)MAKELONG(low, high))
#define MAKELPARAM(low, high) ((LPARAM)(DWORD)MAKELONG(low, high))
#define MAKELRESULT(low, high) ((LRESULT)(DWORD)MAKELONG(low, high))

#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))

/* libstdc++'s own headers have functions of these names, which macros would break. */
#ifndef NOMINMAX
#ifdef __cplusplus
WS_CPP_BEGIN
template <class T> struct ws_decay { typedef T type; };
template <class T> struct ws_decay<const T &> { typedef T type; };
template <class A, class B>
constexpr auto min(const A &a, const B &b) -> typename ws_decay<decltype(b < a ? b : a)>::type {
    return b < a ? b : a;
}
template <class A, class B>
constexpr auto max(const A &a, const B &b) -> typename ws_decay<decltype(a < b ? b : a)>::type {
    return a < b ? b : a;
}
WS_CPP_END
#else
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#endif
