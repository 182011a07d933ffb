/*
 * event_select_threads.c - WSAEventSelect with a worker thread for every two connections (for every 63, in earnest).
 * Each connection sends numbers, one to a line, and gets their running sum.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#pragma comment(lib, "ws2_32")

#define PER_THREAD 2
#define MAX_WORKERS 4
#define CONNECTIONS 6
#define BIG 300000

typedef struct
{
    SOCKET s;
    __int64 sum;
    char input[128];
    int used;
    BOOL writable;
    char *pending; /* what could not be sent so far */
    int pendingLength, pendingSent;
} CONNECTION;

typedef struct
{
    HANDLE thread;
    CRITICAL_SECTION lock;
    WSAEVENT events[PER_THREAD + 1]; /* the first wakes the thread: there is a new connection, or it shall end */
    CONNECTION *connections[PER_THREAD];
    int count;
    int newcomers;
    BOOL ending;
} WORKER;

static WORKER g_workers[MAX_WORKERS];
static int g_workerCount;
static volatile LONG g_closed;
static volatile LONG g_writes;
static HANDLE g_allClosed;

static void Fail(const char *what)
{
    fprintf(stdout, "%s: error %d\n", what, WSAGetLastError());
    fflush(stdout);
    exit(1);
}

static void Flush(CONNECTION *c)
{
    while (c->pendingSent < c->pendingLength) {
        int n = send(c->s, c->pending + c->pendingSent, c->pendingLength - c->pendingSent, 0);
        if (n == SOCKET_ERROR) {
            if (WSAGetLastError() != WSAEWOULDBLOCK)
                Fail("send");
            return;
        }
        c->pendingSent += n;
    }
    free(c->pending);
    c->pending = NULL;
    c->pendingLength = c->pendingSent = 0;
}

static void Reply(CONNECTION *c, const char *text, int length)
{
    c->pending = (char *)realloc(c->pending, c->pendingLength + length);
    memcpy(c->pending + c->pendingLength, text, length);
    c->pendingLength += length;
    if (c->writable)
        Flush(c);
}

static void Line(CONNECTION *c)
{
    char answer[64];
    if (strcmp(c->input, "big") == 0) {
        char *big = (char *)malloc(BIG);
        memset(big, 'b', BIG);
        big[BIG - 1] = '\n';
        Reply(c, big, BIG);
        free(big);
        return;
    }
    c->sum += _atoi64(c->input);
    Reply(c, answer, sprintf_s(answer, _countof(answer), "%I64d\n", c->sum));
}

static void Drop(WORKER *w, int index)
{
    CONNECTION *c = w->connections[index];
    WSACloseEvent(w->events[index + 1]);
    closesocket(c->s);
    free(c->pending);
    free(c);
    EnterCriticalSection(&w->lock);
    w->count--;
    memmove(&w->connections[index], &w->connections[index + 1], (w->count - index) * sizeof(w->connections[0]));
    memmove(&w->events[index + 1], &w->events[index + 2], (w->count - index) * sizeof(w->events[0]));
    LeaveCriticalSection(&w->lock);
    if (InterlockedIncrement(&g_closed) == CONNECTIONS)
        SetEvent(g_allClosed);
}

static void Read(CONNECTION *c)
{
    int n;
    while ((n = recv(c->s, c->input + c->used, (int)sizeof(c->input) - 1 - c->used, 0)) > 0) {
        char *newline;
        c->used += n;
        c->input[c->used] = 0;
        while ((newline = strchr(c->input, '\n')) != NULL) {
            *newline = 0;
            Line(c);
            c->used -= (int)(newline + 1 - c->input);
            memmove(c->input, newline + 1, c->used + 1);
        }
    }
    if (n == SOCKET_ERROR && WSAGetLastError() != WSAEWOULDBLOCK)
        Fail("recv");
}

static unsigned WINAPI Worker(LPVOID parameter)
{
    WORKER *w = (WORKER *)parameter;
    for (;;) {
        int total, index;
        WSANETWORKEVENTS network;
        CONNECTION *c;
        DWORD result;

        EnterCriticalSection(&w->lock);
        if (w->ending && w->count == 0) {
            LeaveCriticalSection(&w->lock);
            return 0;
        }
        total = w->count + 1;
        LeaveCriticalSection(&w->lock);

        result = WSAWaitForMultipleEvents(total, w->events, FALSE, WSA_INFINITE, FALSE);
        if (result == WSA_WAIT_FAILED)
            Fail("WSAWaitForMultipleEvents");
        index = (int)(result - WSA_WAIT_EVENT_0);
        if (index == 0) {
            WSAResetEvent(w->events[0]);
            continue;
        }
        c = w->connections[index - 1];
        if (WSAEnumNetworkEvents(c->s, w->events[index], &network) == SOCKET_ERROR)
            Fail("WSAEnumNetworkEvents");
        if (network.lNetworkEvents & FD_WRITE) {
            InterlockedIncrement(&g_writes);
            c->writable = TRUE;
            Flush(c);
        }
        if (network.lNetworkEvents & FD_READ) {
            if (network.iErrorCode[FD_READ_BIT] != 0)
                Fail("FD_READ");
            Read(c);
        }
        if (network.lNetworkEvents & FD_CLOSE) {
            Read(c); /* there may be a rest */
            Drop(w, index - 1);
        }
    }
}

static void Assign(SOCKET s)
{
    WORKER *w = NULL;
    CONNECTION *c;
    int i;

    for (i = 0; i < g_workerCount && w == NULL; i++) {
        EnterCriticalSection(&g_workers[i].lock);
        if (g_workers[i].newcomers < PER_THREAD)
            w = &g_workers[i];
        LeaveCriticalSection(&g_workers[i].lock);
    }
    if (w == NULL) {
        w = &g_workers[g_workerCount++];
        InitializeCriticalSectionAndSpinCount(&w->lock, 4000);
        w->events[0] = WSACreateEvent();
        w->thread = (HANDLE)_beginthreadex(NULL, 0, Worker, w, 0, NULL);
        printf("a thread more\n");
    }
    c = (CONNECTION *)calloc(1, sizeof(*c));
    c->s = s;
    EnterCriticalSection(&w->lock);
    w->events[w->count + 1] = WSACreateEvent();
    /* This also makes the socket one that does not block. */
    if (WSAEventSelect(s, w->events[w->count + 1], FD_READ | FD_WRITE | FD_CLOSE) == SOCKET_ERROR)
        Fail("WSAEventSelect");
    w->connections[w->count++] = c;
    w->newcomers++;
    LeaveCriticalSection(&w->lock);
    WSASetEvent(w->events[0]);
}

static SOCKET Dial(const struct sockaddr *name, int length)
{
    SOCKET s = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (s == INVALID_SOCKET || WSAConnect(s, name, length, NULL, NULL, NULL, NULL) == SOCKET_ERROR)
        Fail("WSAConnect");
    return s;
}

static void Ask(SOCKET s, const char *text, const char *expected)
{
    char answer[256];
    int length = (int)strlen(expected), n;
    if (send(s, text, (int)strlen(text), 0) == SOCKET_ERROR)
        Fail("client's send");
    for (n = 0; n < length;) {
        int more = recv(s, answer + n, length - n, 0);
        if (more <= 0)
            Fail("client's recv");
        n += more;
    }
    if (memcmp(answer, expected, length) != 0) {
        printf("client: %.*s", length, answer);
        exit(1);
    }
}

static DWORD WINAPI Client(LPVOID parameter)
{
    SOCKET s[CONNECTIONS];
    char text[64], expected[64], *big, *at;
    int i, n;

    for (i = 0; i < CONNECTIONS; i++) {
        s[i] = Dial((const struct sockaddr *)parameter, sizeof(struct sockaddr_in));
        sprintf_s(text, sizeof(text), "%d\n", i * 1000);
        Ask(s[i], text, text);
    }
    for (i = 0; i < CONNECTIONS; i++) {
        sprintf_s(expected, sizeof(expected), "%d\n%d\n%I64d\n", i * 1000 + 1, i * 1000 + 3, 5000000003LL + i * 1000);
        Ask(s[i], "1\n2\n5000000000\n", expected);
    }
    /* More than the buffers hold, so that FD_WRITE has to come again. */
    Ask(s[0], "big\n", "bbbbbbbb");
    big = (char *)malloc(BIG);
    for (at = big, n = 0; at < big + BIG - 8; at += n)
        if ((n = recv(s[0], at, (int)(big + BIG - 8 - at), 0)) <= 0)
            Fail("client's recv");
    printf("client: the last of it is %d\n", big[BIG - 9]);
    free(big);
    for (i = 0; i < CONNECTIONS; i++) {
        if (i % 2) {
            shutdown(s[i], SD_SEND);
            if (recv(s[i], text, sizeof(text), 0) != 0)
                Fail("client's end");
        }
        closesocket(s[i]);
    }
    return 0;
}

int main()
{
    WSADATA wsaData;
    SOCKET listener;
    struct sockaddr_in address;
    int length = sizeof(address), accepted = 0, i;
    WSAEVENT event;
    HANDLE client, threads[MAX_WORKERS];
    DWORD id;

    if (WSAStartup(0x0202, &wsaData))
        return 1;
    g_allClosed = CreateEvent(NULL, TRUE, FALSE, NULL);
    listener = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (bind(listener, (LPSOCKADDR)&address, sizeof(address)) || listen(listener, 5))
        Fail("listen");
    getsockname(listener, (PSOCKADDR)&address, &length);
    event = WSACreateEvent();
    WSAEventSelect(listener, event, FD_ACCEPT | FD_CLOSE);
    client = CreateThread(NULL, 0, Client, &address, 0, &id);

    while (accepted < CONNECTIONS) {
        WSANETWORKEVENTS network;
        if (WSAWaitForMultipleEvents(1, &event, TRUE, 30000, FALSE) != WSA_WAIT_EVENT_0)
            Fail("nobody comes");
        WSAEnumNetworkEvents(listener, event, &network);
        if (network.lNetworkEvents & FD_ACCEPT) {
            SOCKET s = accept(listener, NULL, NULL);
            if (s == INVALID_SOCKET)
                Fail("accept");
            printf("connection %d\n", ++accepted);
            Assign(s);
        }
    }
    if (WaitForSingleObject(g_allClosed, 30000) != WAIT_OBJECT_0)
        Fail("not all have closed");
    for (i = 0; i < g_workerCount; i++) {
        EnterCriticalSection(&g_workers[i].lock);
        g_workers[i].ending = TRUE;
        LeaveCriticalSection(&g_workers[i].lock);
        WSASetEvent(g_workers[i].events[0]);
        threads[i] = g_workers[i].thread;
    }
    printf("threads ended: %lu\n", WaitForMultipleObjects(g_workerCount, threads, TRUE, 30000));
    for (i = 0; i < g_workerCount; i++) {
        CloseHandle(threads[i]);
        WSACloseEvent(g_workers[i].events[0]);
        DeleteCriticalSection(&g_workers[i].lock);
    }
    WaitForSingleObject(client, INFINITE);
    CloseHandle(client);
    closesocket(listener);
    WSACloseEvent(event);
    CloseHandle(g_allClosed);
    printf("%d threads, %ld connections closed, FD_WRITE for each: %s\n", g_workerCount, g_closed,
           g_writes >= CONNECTIONS ? "yes" : "no");
    WSACleanup();
    return 0;
}
