/* Names and addresses. */
#ifndef _WS2TCPIP_H_
#define _WS2TCPIP_H_

#include <winsock2.h>
#include <ws2ipdef.h>

#ifndef __socklen_t_defined
typedef int socklen_t;
#define __socklen_t_defined
#endif

#define EAI_AGAIN WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL WSANO_RECOVERY
#define EAI_FAMILY WSAEAFNOSUPPORT
#define EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define EAI_NODATA WSANO_DATA
#define EAI_NONAME WSAHOST_NOT_FOUND
#define EAI_SERVICE WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT

WS_BEGIN

WS_DECLARE(INT, getaddrinfo, (PCSTR node, PCSTR service, const ADDRINFOA *hints, PADDRINFOA *result));
WS_DECLARE(void, freeaddrinfo, (PADDRINFOA info));
WS_DECLARE(INT, getnameinfo,
           (const SOCKADDR *address, socklen_t length, PCHAR node, DWORD node_size, PCHAR service, DWORD service_size,
            INT flags));

WS_DECLARE(INT, inet_pton, (INT family, PCSTR text, PVOID address));
WS_DECLARE(INT, InetPtonW, (INT family, PCWSTR text, PVOID address));
WS_DECLARE(PCSTR, inet_ntop, (INT family, const VOID *address, PSTR text, size_t size));
WS_DECLARE(PCWSTR, InetNtopW, (INT family, const VOID *address, PWSTR text, size_t size));
WS_DECLARE(INT, GetAddrInfoW, (PCWSTR node, PCWSTR service, const ADDRINFOW *hints, PADDRINFOW *result));
WS_DECLARE(void, FreeAddrInfoW, (PADDRINFOW info));
WS_DECLARE(INT, GetNameInfoW,
           (const SOCKADDR *address, socklen_t length, PWCHAR node, DWORD node_size, PWCHAR service, DWORD service_size,
            INT flags));

#define GAI_STRERROR_BUFFER_SIZE 1024
/* What an error of getaddrinfo means: in one place for all threads, as in Windows. */
WS_INLINE char *gai_strerrorA(int error) {
    static char text[GAI_STRERROR_BUFFER_SIZE + 1];
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    FormatMessageA(flags, NULL, (DWORD)error, 0, text, GAI_STRERROR_BUFFER_SIZE, NULL);
    return text;
}
WS_INLINE WCHAR *gai_strerrorW(int error) {
    static WCHAR text[GAI_STRERROR_BUFFER_SIZE + 1];
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    FormatMessageW(flags, NULL, (DWORD)error, 0, text, GAI_STRERROR_BUFFER_SIZE, NULL);
    return text;
}
WS_END

#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo
#define InetPtonA inet_pton
#define InetNtopA inet_ntop
#ifdef UNICODE
#define InetPton InetPtonW
#define InetNtop InetNtopW
#define GetAddrInfo GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo GetNameInfoW
#define gai_strerror gai_strerrorW
#else
#define InetPton InetPtonA
#define InetNtop InetNtopA
#define GetAddrInfo GetAddrInfoA
#define FreeAddrInfo FreeAddrInfoA
#define GetNameInfo GetNameInfoA
#define gai_strerror gai_strerrorA
#endif

#endif
