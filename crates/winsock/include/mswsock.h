/* Microsoft's extensions, which programs fetch by WSAIoctl with their GUIDs or link. */
#ifndef _MSWSOCK_
#define _MSWSOCK_

#include <mstcpip.h>
#include <winsock2.h>

#define SO_MAXDG 0x7009
#define SO_MAXPATHDG 0x700A
#define SO_UPDATE_ACCEPT_CONTEXT 0x700B
#define SO_CONNECT_TIME 0x700C
#define SO_UPDATE_CONNECT_CONTEXT 0x7010
#define TCP_BSDURGENT 0x7000

#define WSAID_ACCEPTEX {0xb5367df1, 0xcbac, 0x11cf, {0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}}
#define WSAID_CONNECTEX {0x25a207b9, 0xddf3, 0x4660, {0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e}}
#define WSAID_DISCONNECTEX {0x7fda2e11, 0x8630, 0x436f, {0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57}}
#define WSAID_GETACCEPTEXSOCKADDRS {0xb5367df2, 0xcbac, 0x11cf, {0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}}
#define WSAID_TRANSMITFILE {0xb5367df0, 0xcbac, 0x11cf, {0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}}
#define WSAID_TRANSMITPACKETS {0xd9689da0, 0x1f90, 0x11d3, {0x99, 0x71, 0x00, 0xc0, 0x4f, 0x68, 0xc8, 0x76}}
#define WSAID_WSARECVMSG {0xf689d7c8, 0x6f1f, 0x436b, {0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22}}
#define WSAID_WSASENDMSG {0xa441e712, 0x754f, 0x43ca, {0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d}}

typedef BOOL(PASCAL *LPFN_ACCEPTEX)(SOCKET listener, SOCKET acceptor, PVOID buffer, DWORD receive_length,
                                    DWORD local_length, DWORD remote_length, LPDWORD received, LPOVERLAPPED overlapped);
typedef BOOL(PASCAL *LPFN_CONNECTEX)(SOCKET s, const struct sockaddr *name, int length, PVOID buffer, DWORD send_length,
                                     LPDWORD sent, LPOVERLAPPED overlapped);
typedef BOOL(PASCAL *LPFN_DISCONNECTEX)(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved);
typedef VOID(PASCAL *LPFN_GETACCEPTEXSOCKADDRS)(PVOID buffer, DWORD receive_length, DWORD local_length,
                                                DWORD remote_length, struct sockaddr **local, LPINT local_size,
                                                struct sockaddr **remote, LPINT remote_size);

#define TF_DISCONNECT 0x01
#define TF_REUSE_SOCKET 0x02
#define TF_WRITE_BEHIND 0x04
#define TF_USE_DEFAULT_WORKER 0x00
#define TF_USE_SYSTEM_THREAD 0x10
#define TF_USE_KERNEL_APC 0x20
#define DE_REUSE_SOCKET TF_REUSE_SOCKET

typedef struct _TRANSMIT_FILE_BUFFERS {
    LPVOID Head;
    DWORD HeadLength;
    LPVOID Tail;
    DWORD TailLength;
} TRANSMIT_FILE_BUFFERS, *PTRANSMIT_FILE_BUFFERS, *LPTRANSMIT_FILE_BUFFERS;

typedef BOOL(PASCAL *LPFN_TRANSMITFILE)(SOCKET s, HANDLE file, DWORD count, DWORD count_per_send,
                                        LPOVERLAPPED overlapped, LPTRANSMIT_FILE_BUFFERS buffers, DWORD flags);

typedef INT(PASCAL *LPFN_WSARECVMSG)(SOCKET s, LPWSAMSG message, LPDWORD received, LPWSAOVERLAPPED overlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
typedef INT(PASCAL *LPFN_WSASENDMSG)(SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD sent, LPWSAOVERLAPPED overlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

WS_BEGIN

WS_DECLARE(BOOL, AcceptEx,
           (SOCKET listener, SOCKET acceptor, PVOID buffer, DWORD receive_length, DWORD local_length, DWORD remote_length,
            LPDWORD received, LPOVERLAPPED overlapped));
WS_DECLARE(VOID, GetAcceptExSockaddrs,
           (PVOID buffer, DWORD receive_length, DWORD local_length, DWORD remote_length, struct sockaddr **local,
            LPINT local_size, struct sockaddr **remote, LPINT remote_size));

WS_DECLARE(BOOL, TransmitFile,
           (SOCKET s, HANDLE file, DWORD count, DWORD count_per_send, LPOVERLAPPED overlapped,
            LPTRANSMIT_FILE_BUFFERS buffers, DWORD flags));

WS_END

#endif
