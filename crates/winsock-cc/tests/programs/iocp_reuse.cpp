// iocp_reuse.cpp - a pool of sockets: AcceptEx, and DisconnectEx with TF_REUSE_SOCKET when a caller has gone. With
// NO_SOCKET_REUSE, a new socket in the place of the old one: Wine says that it reuses one, which then is shut down still.

#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#pragma comment(lib, "ws2_32")

namespace {

const int POOL = 2;
const int CALLERS = 6;
const DWORD ADDRESS = sizeof(sockaddr_storage) + 16;

[[noreturn]] void fail(const std::string &what, int error)
{
    std::cout << what << ": error " << error << std::endl;
    std::exit(EXIT_FAILURE);
}

template <typename Function>
Function extension(SOCKET s, GUID guid)
{
    Function function = nullptr;
    DWORD bytes;
    if (WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, &function, sizeof function, &bytes, nullptr,
                 nullptr) == SOCKET_ERROR)
        fail("WSAIoctl", WSAGetLastError());
    return function;
}

class Server
{
public:
    Server()
    {
        m_listener = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
        m_accept = extension<LPFN_ACCEPTEX>(m_listener, WSAID_ACCEPTEX);
        m_disconnect = extension<LPFN_DISCONNECTEX>(m_listener, WSAID_DISCONNECTEX);
        m_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        m_address = {};
        m_address.sin_family = AF_INET;
        m_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int length = sizeof m_address;
        if (bind(m_listener, reinterpret_cast<sockaddr *>(&m_address), length) != 0 || listen(m_listener, SOMAXCONN) != 0)
            fail("listen", WSAGetLastError());
        getsockname(m_listener, reinterpret_cast<sockaddr *>(&m_address), &length);
        CreateIoCompletionPort(reinterpret_cast<HANDLE>(m_listener), m_port, 0, 0);
        for (int i = 0; i < POOL; i++) {
            m_slots.emplace_back(new Slot(i));
            open(*m_slots.back());
        }
    }

    ~Server()
    {
        for (auto &slot : m_slots)
            closesocket(slot->socket);
        closesocket(m_listener);
        // What was pending comes back before its memory goes.
        for (int left = POOL; left > 0; left--) {
            DWORD bytes;
            ULONG_PTR key;
            OVERLAPPED *overlapped = nullptr;
            BOOL good = GetQueuedCompletionStatus(m_port, &bytes, &key, &overlapped, 30000);
            if (good || overlapped == nullptr)
                fail("an accept that was given up", GetLastError());
        }
        CloseHandle(m_port);
    }

    const sockaddr_in &address() const { return m_address; }

    int serve(int callers)
    {
        int served = 0;
        while (served < callers) {
            DWORD bytes;
            ULONG_PTR key;
            OVERLAPPED *overlapped = nullptr;
            BOOL good = GetQueuedCompletionStatus(m_port, &bytes, &key, &overlapped, 30000);
            if (overlapped == nullptr)
                fail("GetQueuedCompletionStatus", GetLastError());
            Slot &slot = *static_cast<Slot *>(overlapped);
            switch (slot.state) {
            case Slot::Accepting:
                if (!good)
                    fail("the accept", GetLastError());
                accepted(slot, bytes);
                break;
            case Slot::Sending:
                disconnect(slot);
                break;
            case Slot::Disconnecting:
                served++;
                if (!good)
                    fail("the disconnect", GetLastError());
#ifdef NO_SOCKET_REUSE
                closesocket(slot.socket);
                open(slot);
#else
                accept(slot);
#endif
                break;
            }
        }
        return served;
    }

private:
    struct Slot : OVERLAPPED
    {
        enum State { Accepting, Sending, Disconnecting };
        explicit Slot(int number) : OVERLAPPED(), state(Accepting), number(number), socket(INVALID_SOCKET) {}
        State state;
        int number;
        SOCKET socket;
        char data[256 + 2 * ADDRESS];
        std::string answer;
    };

    static void clear(OVERLAPPED *overlapped) { *overlapped = OVERLAPPED(); }

    void open(Slot &slot)
    {
        slot.socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
        CreateIoCompletionPort(reinterpret_cast<HANDLE>(slot.socket), m_port, 1, 0);
        accept(slot);
    }

    // With room for the first data: completes when they are there.
    void accept(Slot &slot)
    {
        DWORD received;
        clear(&slot);
        slot.state = Slot::Accepting;
        if (!m_accept(m_listener, slot.socket, slot.data, 256, ADDRESS, ADDRESS, &received, &slot) &&
            WSAGetLastError() != ERROR_IO_PENDING)
            fail("AcceptEx", WSAGetLastError());
    }

    void accepted(Slot &slot, DWORD bytes)
    {
        setsockopt(slot.socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, reinterpret_cast<char *>(&m_listener),
                   sizeof m_listener);
        slot.answer = "hello, " + std::string(slot.data, bytes);
        WSABUF buffer = {static_cast<ULONG>(slot.answer.size()), &slot.answer[0]};
        clear(&slot);
        slot.state = Slot::Sending;
        if (WSASend(slot.socket, &buffer, 1, NULL, 0, &slot, NULL) == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING)
            fail("WSASend", WSAGetLastError());
    }

    void disconnect(Slot &slot)
    {
        clear(&slot);
        slot.state = Slot::Disconnecting;
#ifdef NO_SOCKET_REUSE
        const DWORD flags = 0;
#else
        const DWORD flags = TF_REUSE_SOCKET;
#endif
        if (!m_disconnect(slot.socket, &slot, flags, 0) && WSAGetLastError() != ERROR_IO_PENDING)
            fail("DisconnectEx", WSAGetLastError());
    }

    SOCKET m_listener;
    HANDLE m_port;
    sockaddr_in m_address;
    LPFN_ACCEPTEX m_accept;
    LPFN_DISCONNECTEX m_disconnect;
    std::vector<std::unique_ptr<Slot>> m_slots;
};

DWORD WINAPI callers(void *parameter)
{
    const sockaddr_in &address = *static_cast<const sockaddr_in *>(parameter);
    for (int i = 0; i < CALLERS; i++) {
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            return 1;
        std::string name = "caller " + std::to_string(i);
        send(s, name.data(), static_cast<int>(name.size()), 0);
        std::string heard;
        char buffer[64];
        int n;
        while ((n = recv(s, buffer, sizeof buffer, 0)) > 0)
            heard.append(buffer, n);
        std::cout << "\"" << heard << "\", then " << n << std::endl;
        closesocket(s);
    }
    return 0;
}

} // namespace

int main()
{
    WSADATA data;
    if (int error = WSAStartup(MAKEWORD(2, 2), &data))
        fail("WSAStartup", error);
    {
        Server server;
        sockaddr_in address = server.address();
        HANDLE thread = CreateThread(NULL, 0, callers, &address, 0, NULL);
        int served = server.serve(CALLERS);
        WaitForSingleObject(thread, INFINITE);
        DWORD code;
        GetExitCodeThread(thread, &code);
        CloseHandle(thread);
        std::cout << served << " served, the callers ended with " << code << std::endl;
    }
    std::cout << "WSACleanup: " << WSACleanup() << std::endl;
}
