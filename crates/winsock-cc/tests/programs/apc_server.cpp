// apc_server.cpp - overlapped I/O with completion routines. Connections are given by QueueUserAPC to the one thread that
// serves them, which sleeps alertably.

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iostream>
#include <map>
#include <string>

#pragma comment(lib, "ws2_32.lib")

using namespace std;

class Connection : public OVERLAPPED
{
public:
    explicit Connection(SOCKET s, int number) : m_socket(s), m_number(number), m_bytes(0)
    {
        s_all[number] = this;
    }

    ~Connection()
    {
        closesocket(m_socket);
        s_all.erase(m_number);
    }

    void Receive()
    {
        Clear();
        m_buffer.buf = m_data;
        m_buffer.len = sizeof(m_data);
        DWORD flags = 0;
        if (WSARecv(m_socket, &m_buffer, 1, NULL, &flags, this, OnReceived) == SOCKET_ERROR &&
            WSAGetLastError() != WSA_IO_PENDING) {
            Ended(WSAGetLastError());
        }
    }

    void Send(DWORD length)
    {
        Clear();
        // In two pieces, as scatter and gather have it.
        WSABUF pieces[2];
        pieces[0].buf = m_data;
        pieces[0].len = length / 2;
        pieces[1].buf = m_data + length / 2;
        pieces[1].len = length - length / 2;
        if (WSASend(m_socket, pieces, 2, NULL, 0, this, OnSent) == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING)
            Ended(WSAGetLastError());
    }

    static size_t Count() { return s_all.size(); }
    static Connection *Find(int number) { return s_all.at(number); }
    SOCKET Socket() const { return m_socket; }

private:
    void Clear()
    {
        OVERLAPPED *overlapped = this;
        ZeroMemory(overlapped, sizeof(OVERLAPPED));
    }

    void Ended(DWORD error)
    {
        cout << "connection " << m_number << " ended with " << error << " after " << m_bytes << " bytes" << endl;
        delete this;
    }

    static void CALLBACK OnReceived(DWORD error, DWORD transferred, LPWSAOVERLAPPED overlapped, DWORD)
    {
        Connection *connection = static_cast<Connection *>(overlapped);
        if (error != 0 || transferred == 0) {
            connection->Ended(error);
            return;
        }
        if (connection->InternalHigh != transferred)
            cout << "InternalHigh is " << connection->InternalHigh << endl;
        connection->m_bytes += transferred;
        for (DWORD i = 0; i < transferred; i++)
            connection->m_data[i] = (char)toupper(connection->m_data[i]);
        connection->Send(transferred);
    }

    static void CALLBACK OnSent(DWORD error, DWORD, LPWSAOVERLAPPED overlapped, DWORD)
    {
        Connection *connection = static_cast<Connection *>(overlapped);
        if (error)
            connection->Ended(error);
        else
            connection->Receive();
    }

    SOCKET m_socket;
    int m_number;
    unsigned long long m_bytes;
    WSABUF m_buffer;
    char m_data[1024];
    static map<int, Connection *> s_all;
};

map<int, Connection *> Connection::s_all;

static bool g_ending = false;
static int g_served = 0;

static VOID CALLBACK NewConnection(ULONG_PTR parameter)
{
    cout << "connection " << ++g_served << endl;
    (new Connection((SOCKET)parameter, g_served))->Receive();
}

static VOID CALLBACK Cancel(ULONG_PTR number)
{
    if (!CancelIo((HANDLE)Connection::Find((int)number)->Socket()))
        cout << "CancelIo: " << GetLastError() << endl;
}

static VOID CALLBACK End(ULONG_PTR)
{
    g_ending = true;
}

static DWORD WINAPI Serve(LPVOID)
{
    while (!g_ending || Connection::Count() != 0) {
        if (SleepEx(30000, TRUE) != WAIT_IO_COMPLETION) {
            cout << "nothing happens" << endl;
            exit(1);
        }
    }
    return g_served;
}

static bool Talk(SOCKET s, const string &text)
{
    string answer;
    if (send(s, text.data(), (int)text.size(), 0) != (int)text.size())
        return false;
    while (answer.size() < text.size()) {
        char buffer[100];
        int n = recv(s, buffer, sizeof(buffer), 0);
        if (n <= 0)
            return false;
        answer.append(buffer, n);
    }
    for (size_t i = 0; i < text.size(); i++)
        if (answer[i] != toupper(text[i]))
            return false;
    return true;
}

struct ClientParameters
{
    sockaddr_in address;
    HANDLE server;
};

static DWORD WINAPI Client(LPVOID parameter)
{
    ClientParameters *parameters = (ClientParameters *)parameter;
    SOCKET sockets[3];
    for (int i = 0; i < 3; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sockets[i], (sockaddr *)&parameters->address, sizeof(parameters->address)) != 0)
            return 1;
        // One after the other, so that the numbers are known.
        if (!Talk(sockets[i], "hello"))
            return 2;
    }
    for (int length = 1; length < 2000; length += 199)
        for (int i = 0; i < 3; i++)
            if (!Talk(sockets[i], string(length, 'a' + i)))
                return 3;
    char byte;
    // The first closes; the second's read is cancelled by the server; the third resets the connection.
    shutdown(sockets[0], SD_BOTH);
    closesocket(sockets[0]);
    // Its end has been seen when another talks no more: ask the thread itself.
    HANDLE done = CreateEvent(NULL, FALSE, FALSE, NULL);
    auto Barrier = [&](size_t count) {
        struct State { HANDLE event; size_t left; };
        State state = {done, 0};
        do {
            QueueUserAPC([](ULONG_PTR p) {
                State *state = (State *)p;
                state->left = Connection::Count();
                SetEvent(state->event);
            }, parameters->server, (ULONG_PTR)&state);
            WaitForSingleObject(done, INFINITE);
            SwitchToThread();
        } while (state.left != count);
    };
    Barrier(2);
    QueueUserAPC(Cancel, parameters->server, 2);
    if (recv(sockets[1], &byte, 1, 0) != 0)
        return 4;
    closesocket(sockets[1]);
    linger hard = {1, 0};
    setsockopt(sockets[2], SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof(hard));
    closesocket(sockets[2]);
    Barrier(0);
    QueueUserAPC(End, parameters->server, 0);
    CloseHandle(done);
    return 0;
}

int main()
{
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        cerr << "WSAStartup" << endl;
        return 1;
    }
    SOCKET listener = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED);
    ClientParameters parameters = {};
    parameters.address.sin_family = AF_INET;
    parameters.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int length = sizeof(parameters.address);
    if (::bind(listener, (sockaddr *)&parameters.address, length) == SOCKET_ERROR || listen(listener, 3) == SOCKET_ERROR ||
        getsockname(listener, (sockaddr *)&parameters.address, &length) == SOCKET_ERROR) {
        cerr << "listening: " << WSAGetLastError() << endl;
        return 1;
    }
    DWORD id;
    HANDLE server = parameters.server = CreateThread(NULL, 0, Serve, NULL, 0, &id);
    HANDLE client = CreateThread(NULL, 0, Client, &parameters, 0, NULL);
    for (int i = 0; i < 3; i++) {
        SOCKET s = accept(listener, NULL, NULL);
        if (s == INVALID_SOCKET || !QueueUserAPC(NewConnection, server, (ULONG_PTR)s))
            return 1;
    }
    HANDLE both[] = {server, client};
    DWORD result = WaitForMultipleObjects(2, both, TRUE, 60000);
    DWORD served = 0, code = 0;
    GetExitCodeThread(server, &served);
    GetExitCodeThread(client, &code);
    cout << "wait " << result << ", served " << served << ", client " << code << endl;
    CloseHandle(server);
    CloseHandle(client);
    closesocket(listener);
    WSACleanup();
}
