/*
 * udp_recvmsg.c - WSARecvMsg, fetched by WSAIoctl: to which address each datagram was sent, and what did not fit. The
 * answers go by WSASendMsg from that address.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")

static LPFN_WSARECVMSG g_WSARecvMsg;
static struct sockaddr_in g_server;
static HANDLE g_port;

static void Quit(const char *what)
{
    printf("%s: error %d\n", what, WSAGetLastError());
    exit(1);
}

static int Server(SOCKET s)
{
    char text[64], control[256], name[INET_ADDRSTRLEN];
    struct sockaddr_in from;
    WSABUF parts[2];
    WSAMSG message;
    WSACMSGHDR *header;
    WSAOVERLAPPED overlapped;
    LPOVERLAPPED done;
    ULONG_PTR key;
    DWORD bytes;
    int error;
    BOOL found = FALSE, good;

    memset(text, 0, sizeof(text));
    memset(&message, 0, sizeof(message));
    /* In two pieces, of which the first is small. */
    parts[0].buf = text;
    parts[0].len = 4;
    parts[1].buf = text + 4;
    parts[1].len = 28;
    message.name = (LPSOCKADDR)&from;
    message.namelen = sizeof(from);
    message.lpBuffers = parts;
    message.dwBufferCount = 2;
    message.Control.buf = control;
    message.Control.len = sizeof(control);
    memset(&overlapped, 0, sizeof(overlapped));
    /* WSAEMSGSIZE is said of a datagram that is there already; it comes to the port all the same. */
    if (g_WSARecvMsg(s, &message, NULL, &overlapped, NULL) == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING &&
        WSAGetLastError() != WSAEMSGSIZE)
        Quit("WSARecvMsg");
    good = GetQueuedCompletionStatus(g_port, &bytes, &key, &done, 30000);
    error = good ? 0 : (int)GetLastError();
    if (done != &overlapped)
        Quit("GetQueuedCompletionStatus");
    for (header = WSA_CMSG_FIRSTHDR(&message); header != NULL; header = WSA_CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *info = (struct in_pktinfo *)WSA_CMSG_DATA(header);
            found = TRUE;
            inet_ntop(AF_INET, &info->ipi_addr, name, sizeof(name));
        }
    }
    /* Wine does not say MSG_TRUNC of what did not fit. */
    if ((message.dwFlags & MSG_TRUNC) && error != ERROR_MORE_DATA)
        Quit("MSG_TRUNC");
    printf("server: error %d, %lu bytes \"%s\", to %s\n", error, bytes, text, found ? name : "?");
    fflush(stdout);
    parts[0].len = (ULONG)bytes;
    parts[0].buf = text;
    message.dwBufferCount = 1;
    message.Control.buf = NULL;
    message.Control.len = 0;
    message.dwFlags = 0;
    if (WSASendMsg(s, &message, 0, &bytes, NULL, NULL) == SOCKET_ERROR)
        Quit("WSASendMsg");
    return strcmp(text, "stop") == 0;
}

static void Ask(SOCKET s, const char *text)
{
    char answer[64];
    int n;

    if (send(s, text, (int)strlen(text), 0) == SOCKET_ERROR)
        Quit("send");
    n = recv(s, answer, sizeof(answer), 0);
    if (n == SOCKET_ERROR)
        Quit("recv");
    printf("client: \"%.*s\"\n", n, answer);
}

static DWORD WINAPI Client(LPVOID unused)
{
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.2"};
    SOCKET s;
    int i;

    (void)unused;
    for (i = 0; i < 2; i++) {
        s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
        g_server.sin_addr.s_addr = inet_addr(addresses[i]);
        if (i == 1) {
            /* Not connected: the answer comes from the other address. */
            char answer[64];
            int n;
            sendto(s, "to the second", 13, 0, (struct sockaddr *)&g_server, sizeof(g_server));
            n = recvfrom(s, answer, sizeof(answer), 0, NULL, NULL);
            printf("client: \"%.*s\"\n", n, answer);
            g_server.sin_addr.s_addr = inet_addr(addresses[0]);
        }
        if (connect(s, (struct sockaddr *)&g_server, sizeof(g_server)) != 0)
            Quit("connect");
        Ask(s, i == 0 ? "hello" : "again");
        if (i == 1) {
            Ask(s, "more than there is room for, by one or two bytes");
            Ask(s, "stop");
        }
        closesocket(s);
    }
    return 0;
}

int main(void)
{
    WSADATA wsaData;
    SOCKET s;
    GUID guid = WSAID_WSARECVMSG;
    DWORD bytes;
    BOOL on = TRUE;
    int length = sizeof(g_server);
    HANDLE thread;

    if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
        return 1;
    s = WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (setsockopt(s, IPPROTO_IP, IP_PKTINFO, (char *)&on, sizeof(on)) != 0)
        Quit("IP_PKTINFO");
    if (WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &g_WSARecvMsg, sizeof(g_WSARecvMsg), &bytes,
                 NULL, NULL) != 0)
        Quit("WSAIoctl");
    g_server.sin_family = AF_INET;
    g_server.sin_addr.s_addr = INADDR_ANY;
    if (bind(s, (struct sockaddr *)&g_server, sizeof(g_server)) != 0 ||
        getsockname(s, (struct sockaddr *)&g_server, &length) != 0)
        Quit("bind");
    g_port = CreateIoCompletionPort((HANDLE)s, NULL, 0, 0);
    thread = CreateThread(NULL, 0, Client, NULL, 0, NULL);
    while (!Server(s))
        ;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(s);
    CloseHandle(g_port);
    WSACleanup();
    return 0;
}
