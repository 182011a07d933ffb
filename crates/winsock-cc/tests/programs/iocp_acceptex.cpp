// iocp_acceptex.cpp - a completion port, AcceptEx by WSAIoctl, two worker threads, a structure around each OVERLAPPED.
// Protocol: four bytes of length (network order), then that much; what comes back has its bytes in reverse order.

#include <winsock2.h>
#include <mswsock.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <process.h>
#include <tchar.h>
#include <stdio.h>

#include <algorithm>
#include <vector>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "mswsock.lib")

#define WORKERS 2
#define CLIENTS 5
#define ADDRESS_LENGTH (sizeof(SOCKADDR_IN) + 16)
#define KEY_LISTENER ((ULONG_PTR)1)
#define KEY_SHUTDOWN ((ULONG_PTR)0)

enum OPERATION { OP_ACCEPT, OP_READ, OP_WRITE };

struct SESSION;

struct IO_CONTEXT {
    OPERATION operation;
    OVERLAPPED overlapped;
    SESSION *session;
};

struct SESSION {
    SOCKET socket;
    IO_CONTEXT io;
    WSABUF buffer;
    char addresses[2 * ADDRESS_LENGTH];
    std::vector<char> input, output;
    size_t sent;
    char chunk[4096];
};

static HANDLE g_port;
static SOCKET g_listener;
static LPFN_ACCEPTEX lpfnAcceptEx = NULL;
static LPFN_GETACCEPTEXSOCKADDRS lpfnGetAcceptExSockaddrs = NULL;
static CRITICAL_SECTION g_lock;
static DWORD g_accepted, g_closed, g_messages, g_addressesRight;
static HANDLE g_idle;

static void Fatal(LPCTSTR what)
{
    _tprintf(_T("%s: %d\n"), what, WSAGetLastError());
    ExitProcess(1);
}

static void PostAccept()
{
    SESSION *session = new SESSION();
    session->io.session = session;
    session->io.operation = OP_ACCEPT;
    session->socket = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    DWORD received = 0;
    if (!lpfnAcceptEx(g_listener, session->socket, session->addresses, 0, ADDRESS_LENGTH, ADDRESS_LENGTH, &received,
                      &session->io.overlapped) &&
        WSAGetLastError() != ERROR_IO_PENDING)
        Fatal(_T("AcceptEx"));
}

static void PostRead(SESSION *session)
{
    DWORD flags = 0, received;
    ZeroMemory(&session->io.overlapped, sizeof(OVERLAPPED));
    session->io.operation = OP_READ;
    session->buffer.buf = session->chunk;
    session->buffer.len = sizeof(session->chunk);
    if (WSARecv(session->socket, &session->buffer, 1, &received, &flags, &session->io.overlapped, NULL) ==
            SOCKET_ERROR &&
        WSAGetLastError() != WSA_IO_PENDING)
        Fatal(_T("WSARecv"));
}

static void PostWrite(SESSION *session)
{
    DWORD sent;
    ZeroMemory(&session->io.overlapped, sizeof(OVERLAPPED));
    session->io.operation = OP_WRITE;
    session->buffer.buf = &session->output[session->sent];
    session->buffer.len = (ULONG)(session->output.size() - session->sent);
    if (WSASend(session->socket, &session->buffer, 1, &sent, 0, &session->io.overlapped, NULL) == SOCKET_ERROR &&
        WSAGetLastError() != WSA_IO_PENDING)
        Fatal(_T("WSASend"));
}

static void OnAccepted(SESSION *session)
{
    if (setsockopt(session->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&g_listener, sizeof(g_listener)) != 0)
        Fatal(_T("SO_UPDATE_ACCEPT_CONTEXT"));
    SOCKADDR *local, *remote;
    int localLength, remoteLength;
    lpfnGetAcceptExSockaddrs(session->addresses, 0, ADDRESS_LENGTH, ADDRESS_LENGTH, &local, &localLength, &remote,
                             &remoteLength);
    SOCKADDR_IN name, peer;
    int length = sizeof(name);
    getsockname(session->socket, (SOCKADDR *)&name, &length);
    length = sizeof(peer);
    getpeername(session->socket, (SOCKADDR *)&peer, &length);
    DWORD seconds = 0;
    int size = sizeof(seconds);
    if (getsockopt(session->socket, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &size) != 0 || seconds > 1000)
        Fatal(_T("SO_CONNECT_TIME"));
    EnterCriticalSection(&g_lock);
    g_accepted++;
    if (((SOCKADDR_IN *)local)->sin_port == name.sin_port && ((SOCKADDR_IN *)remote)->sin_port == peer.sin_port &&
        ((SOCKADDR_IN *)remote)->sin_addr.s_addr == peer.sin_addr.s_addr)
        g_addressesRight++;
    LeaveCriticalSection(&g_lock);
    if (CreateIoCompletionPort((HANDLE)session->socket, g_port, (ULONG_PTR)session, 0) != g_port)
        Fatal(_T("CreateIoCompletionPort"));
    PostRead(session);
}

static void Close(SESSION *session)
{
    closesocket(session->socket);
    delete session;
    EnterCriticalSection(&g_lock);
    if (++g_closed == CLIENTS)
        SetEvent(g_idle);
    LeaveCriticalSection(&g_lock);
}

static void OnRead(SESSION *session, DWORD transferred)
{
    session->input.insert(session->input.end(), session->chunk, session->chunk + transferred);
    session->output.clear();
    session->sent = 0;
    for (;;) {
        u_long length;
        if (session->input.size() < sizeof(length))
            break;
        memcpy(&length, session->input.data(), sizeof(length));
        length = ntohl(length);
        if (session->input.size() < sizeof(length) + length)
            break;
        std::reverse(session->input.begin() + sizeof(length), session->input.begin() + sizeof(length) + length);
        session->output.insert(session->output.end(), session->input.begin(),
                               session->input.begin() + sizeof(length) + length);
        session->input.erase(session->input.begin(), session->input.begin() + sizeof(length) + length);
        EnterCriticalSection(&g_lock);
        g_messages++;
        LeaveCriticalSection(&g_lock);
    }
    if (session->output.empty())
        PostRead(session);
    else
        PostWrite(session);
}

static unsigned __stdcall Worker(void *)
{
    for (;;) {
        DWORD transferred = 0;
        ULONG_PTR key = 0;
        LPOVERLAPPED overlapped = NULL;
        BOOL good = GetQueuedCompletionStatus(g_port, &transferred, &key, &overlapped, INFINITE);
        if (overlapped == NULL) {
            if (good && key == KEY_SHUTDOWN)
                return 0;
            Fatal(_T("GetQueuedCompletionStatus"));
        }
        IO_CONTEXT *io = CONTAINING_RECORD(overlapped, IO_CONTEXT, overlapped);
        SESSION *session = io->session;
        if (key == KEY_LISTENER) {
            if (good) {
                PostAccept();
                OnAccepted(session);
            } else {
                // The listener has been closed.
                DWORD error = GetLastError();
                closesocket(session->socket);
                delete session;
                if (error != ERROR_OPERATION_ABORTED && error != ERROR_NETNAME_DELETED)
                    Fatal(_T("an accept"));
            }
        } else if (!good || transferred == 0) {
            Close(session);
        } else if (io->operation == OP_WRITE) {
            session->sent += transferred;
            if (session->sent < session->output.size())
                PostWrite(session);
            else
                PostRead(session);
        } else {
            OnRead(session, transferred);
        }
    }
}

static bool ReceiveAll(SOCKET s, char *buffer, int length)
{
    while (length > 0) {
        int n = recv(s, buffer, length, 0);
        if (n <= 0)
            return false;
        buffer += n;
        length -= n;
    }
    return true;
}

static unsigned __stdcall Client(void *parameter)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (SOCKADDR *)parameter, sizeof(SOCKADDR_IN)) == SOCKET_ERROR)
        return 1;
    for (u_long length = 1; length <= 1 << 17; length *= 2) {
        std::vector<char> message(sizeof(length) + length), answer(message.size());
        u_long prefix = htonl(length);
        memcpy(message.data(), &prefix, sizeof(prefix));
        for (u_long i = 0; i < length; i++)
            message[sizeof(prefix) + i] = (char)(i * 7 + length);
        if (send(s, message.data(), (int)message.size(), 0) != (int)message.size())
            return 2;
        if (!ReceiveAll(s, answer.data(), (int)answer.size()))
            return 3;
        std::reverse(answer.begin() + sizeof(prefix), answer.end());
        if (answer != message)
            return 4;
    }
    char byte;
    shutdown(s, SD_SEND);
    if (recv(s, &byte, 1, 0) != 0)
        return 5;
    closesocket(s);
    return 0;
}

int _tmain(int argc, _TCHAR *argv[])
{
    UNREFERENCED_PARAMETER(argv);
    WSADATA wsaData;
    int error = WSAStartup(MAKEWORD(2, 2), &wsaData);
    if (error != 0) {
        _tprintf(_T("WSAStartup: %d\n"), error);
        return argc;
    }
    InitializeCriticalSection(&g_lock);
    g_idle = CreateEvent(NULL, TRUE, FALSE, NULL);
    g_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    g_listener = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    SOCKADDR_IN address = {0};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int length = sizeof(address);
    if (bind(g_listener, (SOCKADDR *)&address, length) == SOCKET_ERROR || listen(g_listener, 5) == SOCKET_ERROR)
        Fatal(_T("listen"));
    getsockname(g_listener, (SOCKADDR *)&address, &length);

    GUID guidAcceptEx = WSAID_ACCEPTEX, guidGetAcceptExSockaddrs = WSAID_GETACCEPTEXSOCKADDRS;
    DWORD bytes = 0;
    if (WSAIoctl(g_listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guidAcceptEx, sizeof(guidAcceptEx), &lpfnAcceptEx,
                 sizeof(lpfnAcceptEx), &bytes, NULL, NULL) != 0 ||
        WSAIoctl(g_listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guidGetAcceptExSockaddrs,
                 sizeof(guidGetAcceptExSockaddrs), &lpfnGetAcceptExSockaddrs, sizeof(lpfnGetAcceptExSockaddrs), &bytes,
                 NULL, NULL) != 0)
        Fatal(_T("WSAIoctl"));
    if (CreateIoCompletionPort((HANDLE)g_listener, g_port, KEY_LISTENER, 0) == NULL)
        Fatal(_T("CreateIoCompletionPort"));
    for (int i = 0; i < 2; i++)
        PostAccept();

    HANDLE workers[WORKERS], clients[CLIENTS];
    for (int i = 0; i < WORKERS; i++)
        workers[i] = (HANDLE)_beginthreadex(NULL, 0, Worker, NULL, 0, NULL);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (HANDLE)_beginthreadex(NULL, 0, Client, &address, 0, NULL);
    if (WaitForMultipleObjects(CLIENTS, clients, TRUE, 60000) != WAIT_OBJECT_0)
        Fatal(_T("the clients"));
    for (int i = 0; i < CLIENTS; i++) {
        DWORD code;
        GetExitCodeThread(clients[i], &code);
        _tprintf(_T("client %d: %s\n"), i, code == 0 ? _T("all messages came back") : _T("failed"));
        CloseHandle(clients[i]);
    }
    WaitForSingleObject(g_idle, INFINITE);
    closesocket(g_listener);
    for (int i = 0; i < WORKERS; i++)
        PostQueuedCompletionStatus(g_port, 0, KEY_SHUTDOWN, NULL);
    _tprintf(_T("the workers: %u\n"), (unsigned)WaitForMultipleObjects(WORKERS, workers, TRUE, INFINITE));
    for (int i = 0; i < WORKERS; i++)
        CloseHandle(workers[i]);
    CloseHandle(g_port);
    CloseHandle(g_idle);
    DeleteCriticalSection(&g_lock);
    _tprintf(_T("accepted %lu, closed %lu, messages %lu, right addresses %lu\n"), g_accepted, g_closed, g_messages,
             g_addressesRight);
    WSACleanup();
    return 0;
}
