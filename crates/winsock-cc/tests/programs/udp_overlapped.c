/*
 * udp_overlapped.c - a UDP server with several WSARecvFrom at once, waited for by their events; connected UDP sockets,
 * datagrams that are too long.
 */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif
#define WIN32_LEAN_AND_MEAN
#include <Windows.h>
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <MSWSock.h>
#include <mstcpip.h>
#include <stdio.h>
#include <string.h>

#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif

#pragma comment (lib, "Ws2_32.lib")

#define RECEIVES 3

typedef struct {
    WSAOVERLAPPED overlapped;
    WSABUF buffer;
    char data[64];
    SOCKADDR_STORAGE from;
    INT fromlen;
    DWORD flags;
} RECEIVE;

static SOCKADDR_IN server_address;

static void fail(const char *what)
{
    printf("%s: error %d\n", what, WSAGetLastError());
    ExitProcess(1);
}

static void post(SOCKET s, RECEIVE *r)
{
    r->buffer.buf = r->data;
    r->buffer.len = sizeof(r->data);
    r->fromlen = sizeof(r->from);
    r->flags = 0;
    if (WSARecvFrom(s, &r->buffer, 1, NULL, &r->flags, (SOCKADDR *)&r->from, &r->fromlen, &r->overlapped, NULL) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING && WSAGetLastError() != WSAEMSGSIZE)
        fail("WSARecvFrom");
}

static DWORD WINAPI server(void *unused)
{
    SOCKET s = *(SOCKET *)unused;
    RECEIVE receives[RECEIVES];
    WSAEVENT events[RECEIVES];
    int i, stopping = 0;

    memset(receives, 0, sizeof(receives));
    for (i = 0; i < RECEIVES; i++) {
        receives[i].overlapped.hEvent = events[i] = WSACreateEvent();
        post(s, &receives[i]);
    }
    while (!stopping) {
        DWORD n, flags, index = WSAWaitForMultipleEvents(RECEIVES, events, FALSE, 30000, FALSE);
        RECEIVE *r;
        char text[100];

        if (index >= WSA_WAIT_EVENT_0 + RECEIVES)
            fail("WSAWaitForMultipleEvents");
        r = &receives[index - WSA_WAIT_EVENT_0];
        if (!WSAGetOverlappedResult(s, &r->overlapped, &n, FALSE, &flags)) {
            int error = WSAGetLastError();
            printf("server: error %d, %lu bytes\n", error, n);
            n = sprintf_s(text, sizeof(text), "error %d", error);
        } else {
            printf("server: %lu bytes from family %d: %.*s\n", n, r->from.ss_family, (int)n, r->data);
            stopping = n == 4 && memcmp(r->data, "stop", 4) == 0;
            n = sprintf_s(text, sizeof(text), "%lu bytes", n);
        }
        WSAResetEvent(r->overlapped.hEvent);
        if (sendto(s, text, (int)n, 0, (SOCKADDR *)&r->from, r->fromlen) == SOCKET_ERROR)
            fail("sendto");
        if (!stopping)
            post(s, r);
    }
    /* The two that are left end with the socket. */
    closesocket(s);
    for (i = 0; i < RECEIVES; i++) {
        WSAWaitForMultipleEvents(1, &events[i], TRUE, 0, FALSE);
        WSACloseEvent(events[i]);
    }
    return 0;
}

static void ask(SOCKET s, const char *text, int length)
{
    char answer[64];
    SOCKADDR_IN from;
    int size = sizeof(from), n;

    if (sendto(s, text, length, 0, (SOCKADDR *)&server_address, sizeof(server_address)) != length)
        fail("client: sendto");
    n = recvfrom(s, answer, sizeof(answer), 0, (SOCKADDR *)&from, &size);
    if (n == SOCKET_ERROR)
        fail("client: recvfrom");
    printf("client: %.*s, from the server: %s\n", n, answer,
           from.sin_port == server_address.sin_port && size == sizeof(from) ? "yes" : "no");
}

static void try_recv(SOCKET s, const char *what, char *buffer, int length, int flags)
{
    int n = recv(s, buffer, length, flags);
    if (n == SOCKET_ERROR)
        printf("client: %s: error %d\n", what, WSAGetLastError());
    else
        printf("client: %s: %d bytes\n", what, n);
}

int main()
{
    WSADATA wsa;
    SOCKET s, client;
    int size = sizeof(server_address), value = 0;
    char big[200], small[8];
    HANDLE thread;
    DWORD timeout = 20, returned;
    BOOL report = FALSE;
    u_long waiting;

    WSAStartup(MAKEWORD(2, 2), &wsa);
    s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (s == INVALID_SOCKET)
        fail("WSASocket");
    if (WSAIoctl(s, SIO_UDP_CONNRESET, &report, sizeof(report), NULL, 0, &returned, NULL, NULL) != 0)
        fail("SIO_UDP_CONNRESET");
    server_address.sin_family = AF_INET;
    InetPton(AF_INET, TEXT("127.0.0.1"), &server_address.sin_addr);
    if (bind(s, (SOCKADDR *)&server_address, sizeof(server_address)) != 0)
        fail("bind");
    if (getsockname(s, (SOCKADDR *)&server_address, &size) != 0)
        fail("getsockname");
    size = sizeof(value);
    getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &size);
    printf("type %d, %d bytes of it\n", value, size);
    thread = CreateThread(NULL, 0, server, &s, 0, NULL);

    client = socket(AF_INET, SOCK_DGRAM, 0);
    ask(client, "first", 5);
    ask(client, "", 0);
    memset(big, 'x', sizeof(big));
    ask(client, big, sizeof(big));
    ask(client, "last", 4);

    /* A connected one: what it does not take is lost. */
    if (connect(client, (SOCKADDR *)&server_address, sizeof(server_address)) != 0)
        fail("connect");
    send(client, "a question", 10, 0);
    try_recv(client, "into a small buffer", small, 3, 0);
    send(client, "a question", 10, 0);
    try_recv(client, "a look", small, sizeof(small), MSG_PEEK);
    try_recv(client, "the same", small, sizeof(small), 0);
    if (ioctlsocket(client, FIONREAD, &waiting) == 0)
        printf("client: %lu bytes are waiting\n", waiting);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout, sizeof(timeout));
    try_recv(client, "nothing comes", small, sizeof(small), 0);

    send(client, "stop", 4, 0);
    printf("the server's thread: %lu\n", WaitForSingleObject(thread, 30000));
    CloseHandle(thread);
    closesocket(client);
    printf("cleanup: %d\n", WSACleanup());
    printf("once more: %d", WSACleanup());
    printf(" with %d\n", WSAGetLastError());
    return 0;
}
