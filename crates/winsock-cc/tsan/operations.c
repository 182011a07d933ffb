/* Operations from their start to their completion, completion ports, and what one end of a connection sends to another in
 * the same process. */
#include "keys.h"

#include <mswsock.h>
#include <ws2tcpip.h>

#include "operations.h"

BOOL ConnectEx(SOCKET s, const struct sockaddr *name, int length, PVOID buffer, DWORD send_length, LPDWORD sent,
               LPOVERLAPPED overlapped) __asm__("ws_ConnectEx");
BOOL DisconnectEx(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved) __asm__("ws_DisconnectEx");
INT WSARecvMsg(SOCKET s, LPWSAMSG message, LPDWORD received, LPWSAOVERLAPPED overlapped,
               LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) __asm__("ws_WSARecvMsg");

static Key closing_of(const void *handle) {
    return key(CLOSED, object(handle));
}

/* A start: its thread has written what the operation belongs to. */
static void starts(const void *handle, LPOVERLAPPED overlapped, BOOL has_routine) {
    if (!overlapped) {
        return;
    }
    released(key(OPERATION, (uintptr_t)overlapped));
    noted(NOTE_HANDLE, overlapped, closing_of(handle));
    noted(NOTE_PORT, overlapped, key(NETWORK, UINT64_MAX));
    released(signal_of(handle));
    HANDLE event = (HANDLE)((uintptr_t)overlapped->hEvent & ~(uintptr_t)1);
    if (event && !has_routine) {
        released(signal_of(event));
    }
}

void ws_tsan_completed(const void *overlapped) {
    acquired(key(OPERATION, (uintptr_t)overlapped));
    acquire_noted(NOTE_HANDLE, overlapped);
    acquire_noted(NOTE_PORT, overlapped);
}

/* The key of a port number; sockets that have none share one. */
static Key network_of(const struct sockaddr *name) {
    USHORT port = 0;
    if (name->sa_family == AF_INET) {
        port = ((const struct sockaddr_in *)name)->sin_port;
    } else if (name->sa_family == AF_INET6) {
        port = ((const struct sockaddr_in6 *)name)->sin6_port;
    }
    return key(NETWORK, port);
}

typedef int NameOf(SOCKET s, struct sockaddr *name, int *length);

/* The key of this end or the other; whether there is one. */
static BOOL network_of_socket(SOCKET s, NameOf *name_of, Key *found) {
    struct sockaddr_storage name = {0};
    int length = sizeof name;
    int error = WSAGetLastError();
    BOOL has_name = name_of(s, (struct sockaddr *)&name, &length) == 0;
    WSASetLastError(error);
    if (has_name) {
        *found = network_of((struct sockaddr *)&name);
    }
    return has_name;
}

/* Before data or the end are sent. */
static void sends(SOCKET s, const struct sockaddr *to, int length) {
    Key key;
    if (to && length >= (int)sizeof(struct sockaddr_in)) {
        released(network_of(to));
    } else if (network_of_socket(s, getpeername, &key)) {
        released(key);
    }
}

/* Before a receive that may complete later, and after one that returned. */
static void will_receive(SOCKET s, LPOVERLAPPED overlapped, BOOL has_routine) {
    Key key;
    starts((void *)s, overlapped, has_routine);
    if (overlapped && network_of_socket(s, getsockname, &key)) {
        noted(NOTE_PORT, overlapped, key);
    }
}

static void has_received(SOCKET s, BOOL succeeded) {
    Key key;
    /* It may have been called off. */
    acquired(closing_of((void *)s));
    if (succeeded && network_of_socket(s, getsockname, &key)) {
        acquired(key);
    }
}

WRAP(int, send, (SOCKET s, const char *buffer, int length, int flags)) {
    sends(s, NULL, 0);
    return send(s, buffer, length, flags);
}

WRAP(int, sendto, (SOCKET s, const char *buffer, int length, int flags, const struct sockaddr *to, int to_length)) {
    sends(s, to, to_length);
    return sendto(s, buffer, length, flags, to, to_length);
}

WRAP(int, WSASend,
     (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags, LPWSAOVERLAPPED overlapped,
      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    starts((void *)s, overlapped, routine != NULL);
    sends(s, NULL, 0);
    return WSASend(s, buffers, count, sent, flags, overlapped, routine);
}

WRAP(int, WSASendTo,
     (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD sent, DWORD flags, const struct sockaddr *to, int to_length,
      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    starts((void *)s, overlapped, routine != NULL);
    sends(s, to, to_length);
    return WSASendTo(s, buffers, count, sent, flags, to, to_length, overlapped, routine);
}

WRAP(int, WSASendMsg,
     (SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD sent, LPWSAOVERLAPPED overlapped,
      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    starts((void *)s, overlapped, routine != NULL);
    sends(s, message ? message->name : NULL, message ? message->namelen : 0);
    return WSASendMsg(s, message, flags, sent, overlapped, routine);
}

WRAP(BOOL, TransmitFile,
     (SOCKET s, HANDLE file, DWORD count, DWORD count_per_send, LPOVERLAPPED overlapped, LPTRANSMIT_FILE_BUFFERS buffers,
      DWORD flags)) {
    starts((void *)s, overlapped, FALSE);
    sends(s, NULL, 0);
    return TransmitFile(s, file, count, count_per_send, overlapped, buffers, flags);
}

WRAP(int, recv, (SOCKET s, char *buffer, int length, int flags)) {
    int received = recv(s, buffer, length, flags);
    has_received(s, received >= 0);
    return received;
}

WRAP(int, recvfrom, (SOCKET s, char *buffer, int length, int flags, struct sockaddr *from, int *from_length)) {
    int received = recvfrom(s, buffer, length, flags, from, from_length);
    has_received(s, received >= 0);
    return received;
}

WRAP(int, WSARecv,
     (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags, LPWSAOVERLAPPED overlapped,
      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    will_receive(s, overlapped, routine != NULL);
    int result = WSARecv(s, buffers, count, received, flags, overlapped, routine);
    has_received(s, result == 0);
    return result;
}

WRAP(int, WSARecvFrom,
     (SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD received, LPDWORD flags, struct sockaddr *from, LPINT from_length,
      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    will_receive(s, overlapped, routine != NULL);
    int result = WSARecvFrom(s, buffers, count, received, flags, from, from_length, overlapped, routine);
    has_received(s, result == 0);
    return result;
}

static INT hinted_recv_msg(SOCKET s, LPWSAMSG message, LPDWORD received, LPWSAOVERLAPPED overlapped,
                           LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    will_receive(s, overlapped, routine != NULL);
    INT result = WSARecvMsg(s, message, received, overlapped, routine);
    has_received(s, result == 0);
    return result;
}

WRAP(SOCKET, accept, (SOCKET s, struct sockaddr *address, int *length)) {
    SOCKET accepted = accept(s, address, length);
    has_received(s, accepted != INVALID_SOCKET);
    return accepted;
}

WRAP(SOCKET, WSAAccept,
     (SOCKET s, struct sockaddr *address, LPINT length, LPCONDITIONPROC condition, DWORD_PTR data)) {
    SOCKET accepted = WSAAccept(s, address, length, condition, data);
    has_received(s, accepted != INVALID_SOCKET);
    return accepted;
}

WRAP(BOOL, AcceptEx,
     (SOCKET listener, SOCKET acceptor, PVOID buffer, DWORD receive_length, DWORD local_length, DWORD remote_length,
      LPDWORD received, LPOVERLAPPED overlapped)) {
    will_receive(listener, overlapped, FALSE);
    return AcceptEx(listener, acceptor, buffer, receive_length, local_length, remote_length, received, overlapped);
}

WRAP(int, connect, (SOCKET s, const struct sockaddr *name, int length)) {
    sends(s, name, length);
    return connect(s, name, length);
}

WRAP(int, WSAConnect,
     (SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller_data, LPWSABUF callee_data, LPQOS qos,
      LPQOS group_qos)) {
    sends(s, name, length);
    return WSAConnect(s, name, length, caller_data, callee_data, qos, group_qos);
}

static BOOL hinted_connect_ex(SOCKET s, const struct sockaddr *name, int length, PVOID buffer, DWORD send_length,
                              LPDWORD sent, LPOVERLAPPED overlapped) {
    starts((void *)s, overlapped, FALSE);
    sends(s, name, length);
    return ConnectEx(s, name, length, buffer, send_length, sent, overlapped);
}

static BOOL hinted_disconnect_ex(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved) {
    starts((void *)s, overlapped, FALSE);
    sends(s, NULL, 0);
    return DisconnectEx(s, overlapped, flags, reserved);
}

/* The end of what a thread does with a handle, which ends others' operations. */
static void calls_off(const void *handle) {
    released(closing_of(handle));
}

WRAP(int, shutdown, (SOCKET s, int how)) {
    calls_off((void *)s);
    sends(s, NULL, 0);
    return shutdown(s, how);
}

WRAP(int, closesocket, (SOCKET s)) {
    calls_off((void *)s);
    sends(s, NULL, 0);
    return closesocket(s);
}

WRAP(BOOL, CancelIo, (HANDLE file)) {
    calls_off(file);
    return CancelIo(file);
}

WRAP(BOOL, CancelIoEx, (HANDLE file, LPOVERLAPPED overlapped)) {
    calls_off(file);
    return CancelIoEx(file, overlapped);
}

/* Extension functions have no names to wrap. */
WRAP(int, WSAIoctl,
     (SOCKET s, DWORD code, LPVOID in, DWORD in_length, LPVOID out, DWORD out_length, LPDWORD returned,
      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)) {
    static void *const hinted[][2] = {
        {(void *)AcceptEx, (void *)wrapped_AcceptEx},
        {(void *)ConnectEx, (void *)hinted_connect_ex},
        {(void *)DisconnectEx, (void *)hinted_disconnect_ex},
        {(void *)TransmitFile, (void *)wrapped_TransmitFile},
        {(void *)WSARecvMsg, (void *)hinted_recv_msg},
        {(void *)WSASendMsg, (void *)wrapped_WSASendMsg},
    };
    starts((void *)s, overlapped, routine != NULL);
    int result = WSAIoctl(s, code, in, in_length, out, out_length, returned, overlapped, routine);
    if (result == 0 && code == SIO_GET_EXTENSION_FUNCTION_POINTER) {
        void **function = out;
        for (size_t i = 0; i < sizeof hinted / sizeof *hinted; i++) {
            if (*function == hinted[i][0]) {
                *function = hinted[i][1];
                break;
            }
        }
    }
    return result;
}

WRAP(BOOL, ReadFile, (HANDLE file, LPVOID buffer, DWORD length, LPDWORD read, LPOVERLAPPED overlapped)) {
    starts(file, overlapped, FALSE);
    return ReadFile(file, buffer, length, read, overlapped);
}

WRAP(BOOL, WriteFile, (HANDLE file, LPCVOID buffer, DWORD length, LPDWORD written, LPOVERLAPPED overlapped)) {
    starts(file, overlapped, FALSE);
    return WriteFile(file, buffer, length, written, overlapped);
}

WRAP(BOOL, WSAGetOverlappedResult,
     (SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD transferred, BOOL wait, LPDWORD flags)) {
    BOOL done = WSAGetOverlappedResult(s, overlapped, transferred, wait, flags);
    if (done || WSAGetLastError() != WSA_IO_INCOMPLETE) {
        ws_tsan_completed(overlapped);
    }
    return done;
}

static BOOL has_result(BOOL done, LPOVERLAPPED overlapped) {
    DWORD error = done ? 0 : GetLastError();
    if (error != ERROR_IO_INCOMPLETE && error != WAIT_TIMEOUT && error != WAIT_IO_COMPLETION) {
        ws_tsan_completed(overlapped);
    }
    return done;
}

WRAP(BOOL, GetOverlappedResult, (HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes, BOOL wait)) {
    return has_result(GetOverlappedResult(file, overlapped, bytes, wait), overlapped);
}

WRAP(BOOL, GetOverlappedResultEx,
     (HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes, DWORD milliseconds, BOOL alertable)) {
    return has_result(GetOverlappedResultEx(file, overlapped, bytes, milliseconds, alertable), overlapped);
}

/* Completion ports. A packet that was posted is known by all that it has. */

static Key packet_of(HANDLE port, DWORD bytes, ULONG_PTR completion_key, LPOVERLAPPED overlapped) {
    return key(PACKET, mixed(mixed(mixed(object(port), bytes), completion_key), (uintptr_t)overlapped));
}

static void got(HANDLE port, DWORD bytes, ULONG_PTR completion_key, LPOVERLAPPED overlapped) {
    acquired(packet_of(port, bytes, completion_key, overlapped));
    acquired(key(ASSOCIATION, mixed(object(port), completion_key)));
    if (overlapped) {
        ws_tsan_completed(overlapped);
    }
}

WRAP(HANDLE, CreateIoCompletionPort, (HANDLE file, HANDLE port, ULONG_PTR completion_key, DWORD concurrency)) {
    if (port) {
        released(key(ASSOCIATION, mixed(object(port), completion_key)));
    }
    return CreateIoCompletionPort(file, port, completion_key, concurrency);
}

WRAP(BOOL, PostQueuedCompletionStatus, (HANDLE port, DWORD bytes, ULONG_PTR completion_key, LPOVERLAPPED overlapped)) {
    released(packet_of(port, bytes, completion_key, overlapped));
    return PostQueuedCompletionStatus(port, bytes, completion_key, overlapped);
}

WRAP(BOOL, GetQueuedCompletionStatus,
     (HANDLE port, LPDWORD bytes, PULONG_PTR completion_key, LPOVERLAPPED *overlapped, DWORD milliseconds)) {
    BOOL succeeded = GetQueuedCompletionStatus(port, bytes, completion_key, overlapped, milliseconds);
    if (succeeded || (overlapped && *overlapped)) {
        got(port, *bytes, *completion_key, *overlapped);
    }
    return succeeded;
}

WRAP(BOOL, GetQueuedCompletionStatusEx,
     (HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG count, PULONG removed, DWORD milliseconds, BOOL alertable)) {
    BOOL succeeded = GetQueuedCompletionStatusEx(port, entries, count, removed, milliseconds, alertable);
    for (ULONG i = 0; succeeded && i < *removed; i++) {
        got(port, entries[i].dwNumberOfBytesTransferred, entries[i].lpCompletionKey, entries[i].lpOverlapped);
    }
    return succeeded;
}
