/* Winsock 2. */
#ifndef _WINSOCK2API_
#define _WINSOCK2API_
#define _WINSOCKAPI_

#include <minwinbase.h>
#include <sys/select.h>
#include <sys/types.h>
#include <winerror.h>
#include <ws2def.h>
#include <windows.h>

typedef UINT_PTR SOCKET;

#define INVALID_SOCKET ((SOCKET)(~0))
#define SOCKET_ERROR (-1)
#define WINSOCK_VERSION MAKEWORD(2, 2)

/* Sets of select: a count and an array, as many as the program says before it includes this. */

#ifndef FD_SETSIZE
#define FD_SETSIZE 64
#endif

typedef struct fd_set {
    u_int fd_count;
    SOCKET fd_array[FD_SETSIZE];
} fd_set;
typedef struct fd_set FD_SET, *PFD_SET, *LPFD_SET;

#define FD_ZERO(set) (((fd_set *)(set))->fd_count = 0)
#define FD_SET(fd, set) ws_fd_set((SOCKET)(fd), (fd_set *)(set))
#define FD_CLR(fd, set) ws_fd_clr((SOCKET)(fd), (fd_set *)(set))
#define FD_ISSET(fd, set) __WSAFDIsSet((SOCKET)(fd), (fd_set *)(set))

static __inline__ __attribute__((__unused__)) void ws_fd_set(SOCKET fd, fd_set *set) {
    for (u_int i = 0; i < set->fd_count; i++) {
        if (set->fd_array[i] == fd) {
            return;
        }
    }
    if (set->fd_count < FD_SETSIZE) {
        set->fd_array[set->fd_count++] = fd;
    }
}

static __inline__ __attribute__((__unused__)) void ws_fd_clr(SOCKET fd, fd_set *set) {
    u_int kept = 0;
    for (u_int i = 0; i < set->fd_count; i++) {
        if (set->fd_array[i] != fd) {
            set->fd_array[kept++] = set->fd_array[i];
        }
    }
    set->fd_count = kept;
}

typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;

#ifndef timerisset
#define timerisset(time) ((time)->tv_sec || (time)->tv_usec)
#define timerclear(time) ((time)->tv_sec = (time)->tv_usec = 0)
#endif

/* Names. */

struct hostent {
    char *h_name;
    char **h_aliases;
    short h_addrtype;
    short h_length;
    char **h_addr_list;
#define h_addr h_addr_list[0]
};
typedef struct hostent HOSTENT, *PHOSTENT, *LPHOSTENT;

struct servent {
    char *s_name;
    char **s_aliases;
    /* In this order on 64-bit Windows. */
    char *s_proto;
    short s_port;
};
typedef struct servent SERVENT, *PSERVENT, *LPSERVENT;

struct protoent {
    char *p_name;
    char **p_aliases;
    short p_proto;
};
typedef struct protoent PROTOENT, *PPROTOENT, *LPPROTOENT;

struct linger {
    u_short l_onoff;
    u_short l_linger;
};
typedef struct linger LINGER, *PLINGER, *LPLINGER;

struct sockproto {
    u_short sp_family;
    u_short sp_protocol;
};

/* Startup. */

#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128

typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

/* Options, flags and events. */

#define PF_UNSPEC AF_UNSPEC
#define PF_UNIX AF_UNIX
#define PF_INET AF_INET
#define PF_INET6 AF_INET6
#define AF_UNIX 1
#define SOMAXCONN 0x7fffffff
#define SOMAXCONN_HINT(b) (-(b))

#define SO_OPENTYPE 0x7008
#define SO_SYNCHRONOUS_ALERT 0x10
#define SO_SYNCHRONOUS_NONALERT 0x20
#define SO_PROTOCOL_INFO SO_PROTOCOL_INFOA

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_DONTROUTE 0x4
#define MSG_WAITALL 0x8
#define MSG_PUSH_IMMEDIATE 0x20
#define MSG_TRUNC 0x0100
#define MSG_CTRUNC 0x0200
#define MSG_BCAST 0x0400
#define MSG_MCAST 0x0800
#define MSG_PARTIAL 0x8000
#define MSG_INTERRUPT 0x10
#define MSG_MAXIOVLEN 16

#define SD_RECEIVE 0
#define SD_SEND 1
#define SD_BOTH 2
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH

#define IOC_TYPE 0x66
#define FIONREAD 0x4004667f
#define FIONBIO ((int)0x8004667e)
#define FIOASYNC ((int)0x8004667d)
#define SIOCATMARK 0x40047307

#define FD_READ_BIT 0
#define FD_WRITE_BIT 1
#define FD_OOB_BIT 2
#define FD_ACCEPT_BIT 3
#define FD_CONNECT_BIT 4
#define FD_CLOSE_BIT 5
#define FD_QOS_BIT 6
#define FD_GROUP_QOS_BIT 7
#define FD_ROUTING_INTERFACE_CHANGE_BIT 8
#define FD_ADDRESS_LIST_CHANGE_BIT 9
#define FD_MAX_EVENTS 10
#define FD_READ (1 << FD_READ_BIT)
#define FD_WRITE (1 << FD_WRITE_BIT)
#define FD_OOB (1 << FD_OOB_BIT)
#define FD_ACCEPT (1 << FD_ACCEPT_BIT)
#define FD_CONNECT (1 << FD_CONNECT_BIT)
#define FD_CLOSE (1 << FD_CLOSE_BIT)
#define FD_QOS (1 << FD_QOS_BIT)
#define FD_GROUP_QOS (1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE (1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE (1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_ALL_EVENTS ((1 << FD_MAX_EVENTS) - 1)

#define WSAMAKEASYNCREPLY(length, error) MAKELONG(length, error)
#define WSAMAKESELECTREPLY(event, error) MAKELONG(event, error)
#define WSAGETASYNCBUFLEN(lParam) LOWORD(lParam)
#define WSAGETASYNCERROR(lParam) HIWORD(lParam)
#define WSAGETSELECTEVENT(lParam) LOWORD(lParam)
#define WSAGETSELECTERROR(lParam) HIWORD(lParam)

#define WSAEVENT HANDLE
#define LPWSAEVENT LPHANDLE
#define WSAOVERLAPPED OVERLAPPED
typedef struct _OVERLAPPED *LPWSAOVERLAPPED;

#define WSA_IO_PENDING 997
#define WSA_IO_INCOMPLETE 996
#define WSA_INVALID_HANDLE 6
#define WSA_INVALID_PARAMETER 87
#define WSA_NOT_ENOUGH_MEMORY 8
#define WSA_OPERATION_ABORTED 995
#define WSA_INVALID_EVENT ((WSAEVENT)NULL)
#define WSA_MAXIMUM_WAIT_EVENTS MAXIMUM_WAIT_OBJECTS
#define WSA_WAIT_FAILED WAIT_FAILED
#define WSA_WAIT_EVENT_0 WAIT_OBJECT_0
#define WSA_WAIT_IO_COMPLETION WAIT_IO_COMPLETION
#define WSA_WAIT_TIMEOUT WAIT_TIMEOUT
#define WSA_INFINITE INFINITE

#define HOST_NOT_FOUND WSAHOST_NOT_FOUND
#define TRY_AGAIN WSATRY_AGAIN
#define NO_RECOVERY WSANO_RECOVERY
#define NO_DATA WSANO_DATA
#define NO_ADDRESS WSANO_DATA

#define WSA_FLAG_OVERLAPPED 0x01
#define WSA_FLAG_MULTIPOINT_C_ROOT 0x02
#define WSA_FLAG_MULTIPOINT_C_LEAF 0x04
#define WSA_FLAG_MULTIPOINT_D_ROOT 0x08
#define WSA_FLAG_MULTIPOINT_D_LEAF 0x10
#define WSA_FLAG_ACCESS_SYSTEM_SECURITY 0x40
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80
#define WSA_FLAG_REGISTERED_IO 0x100

#define CF_ACCEPT 0
#define CF_REJECT 1
#define CF_DEFER 2
#define SG_UNCONSTRAINED_GROUP 1
#define SG_CONSTRAINED_GROUP 2
typedef unsigned int GROUP;

typedef struct _WSANETWORKEVENTS {
    LONG lNetworkEvents;
    int iErrorCode[FD_MAX_EVENTS];
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;

typedef struct _flowspec {
    ULONG TokenRate;
    ULONG TokenBucketSize;
    ULONG PeakBandwidth;
    ULONG Latency;
    ULONG DelayVariation;
    ULONG ServiceType;
    ULONG MaxSduSize;
    ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

typedef struct _QualityOfService {
    FLOWSPEC SendingFlowspec;
    FLOWSPEC ReceivingFlowspec;
    WSABUF ProviderSpecific;
} QOS, *LPQOS;

#define MAX_PROTOCOL_CHAIN 7
#define BASE_PROTOCOL 1
#define LAYERED_PROTOCOL 0
#define WSAPROTOCOL_LEN 255
#define FROM_PROTOCOL_INFO (-1)

typedef struct _WSAPROTOCOLCHAIN {
    int ChainLen;
    DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

#define WS_PROTOCOL_INFO(name, character) \
    typedef struct _##name { \
        DWORD dwServiceFlags1; \
        DWORD dwServiceFlags2; \
        DWORD dwServiceFlags3; \
        DWORD dwServiceFlags4; \
        DWORD dwProviderFlags; \
        GUID ProviderId; \
        DWORD dwCatalogEntryId; \
        WSAPROTOCOLCHAIN ProtocolChain; \
        int iVersion; \
        int iAddressFamily; \
        int iMaxSockAddr; \
        int iMinSockAddr; \
        int iSocketType; \
        int iProtocol; \
        int iProtocolMaxOffset; \
        int iNetworkByteOrder; \
        int iSecurityScheme; \
        DWORD dwMessageSize; \
        DWORD dwProviderReserved; \
        character szProtocol[WSAPROTOCOL_LEN + 1]; \
    } name, *LP##name
WS_PROTOCOL_INFO(WSAPROTOCOL_INFOA, CHAR);
WS_PROTOCOL_INFO(WSAPROTOCOL_INFOW, WCHAR);
#ifdef UNICODE
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
#endif

typedef int(CALLBACK *LPCONDITIONPROC)(LPWSABUF caller, LPWSABUF caller_data, LPQOS qos, LPQOS group_qos, LPWSABUF callee,
                                       LPWSABUF callee_data, GROUP *group, DWORD_PTR data);
typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                                           DWORD flags);

/* Byte order. */

static __inline__ __attribute__((__unused__)) u_short htons(u_short value) { return __builtin_bswap16(value); }
static __inline__ __attribute__((__unused__)) u_short ntohs(u_short value) { return __builtin_bswap16(value); }
static __inline__ __attribute__((__unused__)) u_long htonl(u_long value) { return __builtin_bswap32(value); }
static __inline__ __attribute__((__unused__)) u_long ntohl(u_long value) { return __builtin_bswap32(value); }
static __inline__ __attribute__((__unused__)) unsigned long long htonll(unsigned long long value) {
    return __builtin_bswap64(value);
}
static __inline__ __attribute__((__unused__)) unsigned long long ntohll(unsigned long long value) {
    return __builtin_bswap64(value);
}

#define POLLERR 0x0001
#define POLLHUP 0x0002
#define POLLNVAL 0x0004
#define POLLWRNORM 0x0010
#define POLLWRBAND 0x0020
#define POLLRDNORM 0x0100
#define POLLRDBAND 0x0200
#define POLLPRI 0x0400
#define POLLOUT POLLWRNORM
#define POLLIN (POLLRDNORM | POLLRDBAND)

typedef struct pollfd {
    SOCKET fd;
    SHORT events;
    SHORT revents;
} WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;

/* Functions. */

WS_BEGIN

WS_DECLARE(int, WSAStartup, (WORD version, LPWSADATA data));
WS_DECLARE(int, WSACleanup, (void));
WS_DECLARE(int, WSAGetLastError, (void));
#undef h_errno
#define h_errno WSAGetLastError()
WS_DECLARE(void, WSASetLastError, (int error));

WS_DECLARE(SOCKET, socket, (int family, int type, int protocol));
WS_DECLARE(SOCKET, WSASocketW, (int family, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP group, DWORD flags));
WS_DECLARE(int, closesocket, (SOCKET s));
WS_DECLARE(int, bind, (SOCKET s, const struct sockaddr *name, int length));
WS_DECLARE(int, listen, (SOCKET s, int backlog));
WS_DECLARE(SOCKET, accept, (SOCKET s, struct sockaddr *address, int *length));
WS_DECLARE(SOCKET, WSAAccept,
           (SOCKET s, struct sockaddr *address, LPINT length, LPCONDITIONPROC condition, DWORD_PTR data));
WS_DECLARE(int, connect, (SOCKET s, const struct sockaddr *name, int length));
WS_DECLARE(int, WSAConnect,
           (SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller_data, LPWSABUF callee_data, LPQOS qos,
            LPQOS group_qos));
WS_DECLARE(int, shutdown, (SOCKET s, int how));
WS_DECLARE(int, getpeername, (SOCKET s, struct sockaddr *name, int *length));
WS_DECLARE(int, getsockname, (SOCKET s, struct sockaddr *name, int *length));
WS_DECLARE(int, getsockopt, (SOCKET s, int level, int option, char *value, int *length));
WS_DECLARE(int, setsockopt, (SOCKET s, int level, int option, const char *value, int length));
WS_DECLARE(int, WSAIoctl,
           (SOCKET s, DWORD code, LPVOID in, DWORD in_length, LPVOID out, DWORD out_length, LPDWORD returned,
            LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));

WS_DECLARE(int, recv, (SOCKET s, char *buffer, int length, int flags));
WS_DECLARE(int, recvfrom, (SOCKET s, char *buffer, int length, int flags, struct sockaddr *from, int *from_length));
WS_DECLARE(int, send, (SOCKET s, const char *buffer, int length, int flags));
WS_DECLARE(int, sendto,
           (SOCKET s, const char *buffer, int length, int flags, const struct sockaddr *to, int to_length));
WS_DECLARE(int, WSARecv,
           (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags, LPWSAOVERLAPPED overlapped,
            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));
WS_DECLARE(int, WSARecvFrom,
           (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags, struct sockaddr *from,
            LPINT from_length, LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));
WS_DECLARE(int, WSASend,
           (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags, LPWSAOVERLAPPED overlapped,
            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));
WS_DECLARE(int, WSASendTo,
           (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags, const struct sockaddr *to, int to_length,
            LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));
WS_DECLARE(int, WSARecvDisconnect, (SOCKET s, LPWSABUF data));
WS_DECLARE(int, WSASendDisconnect, (SOCKET s, LPWSABUF data));
WS_DECLARE(BOOL, WSAGetOverlappedResult,
           (SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD transferred, BOOL wait, LPDWORD flags));

WS_DECLARE(int, select,
           (int ignored, fd_set *read, fd_set *write, fd_set *except, const struct timeval *timeout));
WS_DECLARE(int, __WSAFDIsSet, (SOCKET fd, fd_set *set));

WS_DECLARE(int, WSAAsyncSelect, (SOCKET s, HWND window, u_int message, LONG events));
WS_DECLARE(int, WSAEventSelect, (SOCKET s, WSAEVENT event, LONG events));
WS_DECLARE(int, WSAEnumNetworkEvents, (SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS events));
WS_DECLARE(WSAEVENT, WSACreateEvent, (void));
WS_DECLARE(BOOL, WSACloseEvent, (WSAEVENT event));
WS_DECLARE(BOOL, WSASetEvent, (WSAEVENT event));
WS_DECLARE(BOOL, WSAResetEvent, (WSAEVENT event));
WS_DECLARE(DWORD, WSAWaitForMultipleEvents,
           (DWORD count, const WSAEVENT *events, BOOL all, DWORD milliseconds, BOOL alertable));

WS_DECLARE(int, ioctlsocket, (SOCKET s, int command, u_long *argument));

WS_DECLARE(SOCKET, WSASocketA, (int family, int type, int protocol, LPWSAPROTOCOL_INFOA info, GROUP group, DWORD flags));

WS_DECLARE(unsigned int, inet_addr, (const char *text));
WS_DECLARE(char *, inet_ntoa, (struct in_addr address));
WS_DECLARE(INT, WSAAddressToStringA,
           (LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOA info, LPSTR text, LPDWORD text_length));
WS_DECLARE(INT, WSAAddressToStringW,
           (LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW info, LPWSTR text, LPDWORD text_length));
WS_DECLARE(INT, WSAStringToAddressA,
           (LPSTR text, INT family, LPWSAPROTOCOL_INFOA info, LPSOCKADDR address, LPINT length));
WS_DECLARE(INT, WSAStringToAddressW,
           (LPWSTR text, INT family, LPWSAPROTOCOL_INFOW info, LPSOCKADDR address, LPINT length));
WS_DECLARE(struct hostent *, gethostbyname, (const char *name));
WS_DECLARE(struct hostent *, gethostbyaddr, (const char *address, int length, int family));
WS_DECLARE(int, gethostname, (char *name, int length));
WS_DECLARE(struct servent *, getservbyname, (const char *name, const char *protocol));
WS_DECLARE(struct servent *, getservbyport, (int port, const char *protocol));
WS_DECLARE(struct protoent *, getprotobyname, (const char *name));
WS_DECLARE(struct protoent *, getprotobynumber, (int number));
WS_DECLARE(int, WSAPoll, (LPWSAPOLLFD entries, ULONG count, INT timeout));
WS_DECLARE(int, WSASendMsg,
           (SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD sent, LPWSAOVERLAPPED overlapped,
            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine));
WS_END

/* Sources written for 32 bits give a pointer to a `long`, which has 64 here. */
static __inline__ __attribute__((__unused__)) int ws_ioctlsocket_long(SOCKET s, int command, unsigned long *argument) {
    u_long value = (u_long)*argument;
    int result = ioctlsocket(s, command, &value);
    *argument = value;
    return result;
}
#ifdef __cplusplus
WS_CPP_BEGIN
static inline int ioctlsocket(SOCKET s, int command, unsigned long *argument) {
    return ws_ioctlsocket_long(s, command, argument);
}
static inline int ioctlsocket(SOCKET s, int command, long *argument) {
    return ws_ioctlsocket_long(s, command, (unsigned long *)argument);
}
static inline int ioctlsocket(SOCKET s, int command, int *argument) { return ioctlsocket(s, command, (u_long *)argument); }
WS_CPP_END
#else
#define ioctlsocket(s, command, argument) \
    _Generic((argument), \
        unsigned long *: ws_ioctlsocket_long, \
        long *: ws_ioctlsocket_long, \
        default: (ioctlsocket))((s), (command), (void *)(argument))
#endif

#ifdef UNICODE
#define WSASocket WSASocketW
#define WSAAddressToString WSAAddressToStringW
#define WSAStringToAddress WSAStringToAddressW
#else
#define WSASocket WSASocketA
#define WSAAddressToString WSAAddressToStringA
#define WSAStringToAddress WSAStringToAddressA
#endif

#endif
