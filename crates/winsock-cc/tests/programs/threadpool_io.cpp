// threadpool_io.cpp - an echo server on the system's thread pool: a registered wait accepts, CreateThreadpoolIo brings what
// has completed, a work item ends connections, a timer looks whether all have gone.
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")

static const int CLIENTS = 4;

struct Operation : OVERLAPPED
{
    enum Kind { Receive, Send } kind;
};

class Connection
{
public:
    explicit Connection(SOCKET s) : m_socket(s)
    {
        m_io = CreateThreadpoolIo((HANDLE)s, OnCompleted, this, NULL);
        m_end = CreateThreadpoolWork(OnEnd, this, NULL);
        if (m_io == NULL || m_end == NULL)
            printf("CreateThreadpoolIo: error %lu\n", GetLastError());
    }

    void Receive()
    {
        Prepare(Operation::Receive);
        WSABUF buffer = {sizeof(m_data), m_data};
        DWORD flags = 0;
        Started(WSARecv(m_socket, &buffer, 1, NULL, &flags, &m_operation, NULL));
    }

    static volatile LONG s_ended, s_completions;

private:
    void Prepare(Operation::Kind kind)
    {
        ZeroMemory(static_cast<OVERLAPPED *>(&m_operation), sizeof(OVERLAPPED));
        m_operation.kind = kind;
        StartThreadpoolIo(m_io);
    }

    void Started(int result)
    {
        if (result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
            CancelThreadpoolIo(m_io);
            SubmitThreadpoolWork(m_end);
        }
    }

    void Completed(ULONG error, ULONG_PTR bytes)
    {
        InterlockedIncrement(&s_completions);
        if (error != NO_ERROR || bytes == 0) {
            // Not here, where the object of the I/O is still in use.
            SubmitThreadpoolWork(m_end);
        } else if (m_operation.kind == Operation::Receive) {
            WSABUF buffer = {(ULONG)bytes, m_data};
            Prepare(Operation::Send);
            Started(WSASend(m_socket, &buffer, 1, NULL, 0, &m_operation, NULL));
        } else {
            Receive();
        }
    }

    static VOID CALLBACK OnCompleted(PTP_CALLBACK_INSTANCE, PVOID context, PVOID overlapped, ULONG error, ULONG_PTR bytes,
                                     PTP_IO)
    {
        Connection *connection = static_cast<Connection *>(context);
        if (overlapped != static_cast<OVERLAPPED *>(&connection->m_operation))
            printf("another's OVERLAPPED\n");
        connection->Completed(error, bytes);
    }

    static VOID CALLBACK OnEnd(PTP_CALLBACK_INSTANCE, PVOID context, PTP_WORK work)
    {
        Connection *connection = static_cast<Connection *>(context);
        WaitForThreadpoolIoCallbacks(connection->m_io, FALSE);
        closesocket(connection->m_socket);
        CloseThreadpoolIo(connection->m_io);
        CloseThreadpoolWork(work);
        delete connection;
        InterlockedIncrement(&s_ended);
    }

    SOCKET m_socket;
    PTP_IO m_io;
    PTP_WORK m_end;
    Operation m_operation;
    char m_data[512];
};

volatile LONG Connection::s_ended, Connection::s_completions;

struct Listener
{
    SOCKET socket;
    WSAEVENT event;
    LONG accepted;
};

static VOID CALLBACK OnAcceptable(PVOID parameter, BOOLEAN timedOut)
{
    Listener *listener = static_cast<Listener *>(parameter);
    WSANETWORKEVENTS events;
    if (timedOut || WSAEnumNetworkEvents(listener->socket, listener->event, &events) == SOCKET_ERROR)
        return;
    for (;;) {
        SOCKET s = accept(listener->socket, NULL, NULL);
        if (s == INVALID_SOCKET)
            return;
        // It has taken over the listener's event, and that it does not block.
        u_long blocking = 0;
        WSAEventSelect(s, NULL, 0);
        ioctlsocket(s, FIONBIO, &blocking);
        InterlockedIncrement(&listener->accepted);
        (new Connection(s))->Receive();
    }
}

static VOID CALLBACK OnTimer(PTP_CALLBACK_INSTANCE, PVOID event, PTP_TIMER)
{
    if (Connection::s_ended == CLIENTS)
        SetEvent((HANDLE)event);
}

static sockaddr_in g_address;
static volatile LONG g_good;
static HANDLE g_clientsDone;

static DWORD WINAPI Client(LPVOID)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    bool good = connect(s, (sockaddr *)&g_address, sizeof(g_address)) == 0;
    char out[300], in[300];
    for (int length = 1; good && length <= (int)sizeof(out); length += 23) {
        memset(out, length, length);
        good = send(s, out, length, 0) == length;
        for (int have = 0, n; good && have < length; have += n)
            good = (n = recv(s, in + have, length - have, 0)) > 0;
        good = good && memcmp(in, out, length) == 0;
    }
    closesocket(s);
    if (good)
        InterlockedIncrement(&g_good);
    ReleaseSemaphore(g_clientsDone, 1, NULL);
    return 0;
}

int main()
{
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return EXIT_FAILURE;
    Listener listener = {socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), WSACreateEvent(), 0};
    int length = sizeof(g_address);
    g_address.sin_family = AF_INET;
    g_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener.socket, (sockaddr *)&g_address, length) != 0 || listen(listener.socket, SOMAXCONN) != 0 ||
        getsockname(listener.socket, (sockaddr *)&g_address, &length) != 0 ||
        WSAEventSelect(listener.socket, listener.event, FD_ACCEPT) != 0) {
        printf("listen: error %d\n", WSAGetLastError());
        return EXIT_FAILURE;
    }
    HANDLE wait;
    if (!RegisterWaitForSingleObject(&wait, listener.event, OnAcceptable, &listener, INFINITE, WT_EXECUTEDEFAULT)) {
        printf("RegisterWaitForSingleObject: error %lu\n", GetLastError());
        return EXIT_FAILURE;
    }
    HANDLE allGone = CreateEvent(NULL, TRUE, FALSE, NULL);
    PTP_TIMER timer = CreateThreadpoolTimer(OnTimer, allGone, NULL);
    LARGE_INTEGER due;
    due.QuadPart = -10000LL;
    FILETIME dueTime = {due.LowPart, (DWORD)due.HighPart};
    SetThreadpoolTimer(timer, &dueTime, 5, 0);

    g_clientsDone = CreateSemaphore(NULL, 0, CLIENTS, NULL);
    for (int i = 0; i < CLIENTS; i++)
        if (!QueueUserWorkItem(Client, NULL, WT_EXECUTELONGFUNCTION))
            printf("QueueUserWorkItem: error %lu\n", GetLastError());
    for (int i = 0; i < CLIENTS; i++)
        WaitForSingleObject(g_clientsDone, INFINITE);
    printf("all connections gone: %s\n", WaitForSingleObject(allGone, 30000) == WAIT_OBJECT_0 ? "yes" : "no");

    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    CloseThreadpoolTimer(timer);
    // Waits for a callback that runs.
    printf("UnregisterWaitEx: %d\n", UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    closesocket(listener.socket);
    WSACloseEvent(listener.event);
    CloseHandle(allGone);
    CloseHandle(g_clientsDone);
    // Each message has one of each kind, each connection ends with one more.
    printf("accepted %ld, good %ld, ended %ld, completions %ld\n", listener.accepted, g_good, Connection::s_ended,
           Connection::s_completions);
    WSACleanup();
    return EXIT_SUCCESS;
}
