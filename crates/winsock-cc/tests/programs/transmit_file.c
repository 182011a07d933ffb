/*
 * transmit_file.c - sends files with TransmitFile: whole, with something before and behind, a part, nothing at all.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "mswsock.lib")

#define LENGTH 300000
#define PART 1000
#define HEAD "HEAD:"
#define TAIL ":TAIL"

typedef struct {
    struct sockaddr_in address;
    char *content;
} RECEIVER;

static void Die(LPCSTR what, int error)
{
    printf("%s: error %d\n", what, error);
    exit(1);
}

static void Expect(SOCKET s, const char *what, const char *expected, int length)
{
    char *data = (char *)malloc(length);
    int have = 0, n;

    while (have < length) {
        n = recv(s, data + have, length - have, 0);
        if (n <= 0)
            Die(what, n == 0 ? 0 : WSAGetLastError());
        have += n;
    }
    printf("received %s: %d bytes, %s\n", what, have, memcmp(data, expected, length) == 0 ? "the right ones" : "wrong");
    free(data);
    /* So that the sender goes on only then. */
    if (send(s, "+", 1, 0) != 1)
        Die("send", WSAGetLastError());
}

static DWORD WINAPI Receiver(LPVOID parameter)
{
    RECEIVER *r = (RECEIVER *)parameter;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    if (connect(s, (struct sockaddr *)&r->address, sizeof(r->address)) != 0)
        Die("connect", WSAGetLastError());
    Expect(s, "the file", r->content, LENGTH);
    Expect(s, "head", HEAD, 5);
    Expect(s, "the file again", r->content, LENGTH);
    Expect(s, "tail", TAIL, 5);
    Expect(s, "a part", r->content + PART, PART);
    Expect(s, "only what surrounds it", HEAD TAIL, 10);
    Expect(s, "the last bytes", r->content + LENGTH - PART, PART);
    printf("then: %d\n", recv(s, &byte, 1, 0));
    closesocket(s);
    return 0;
}

static void Wait(SOCKET s, int count)
{
    char byte;
    while (count-- > 0)
        if (recv(s, &byte, 1, 0) != 1 || byte != '+')
            Die("the receiver's answer", WSAGetLastError());
}

int main(void)
{
    static const char *name = "transmit_file.tmp";
    WSADATA wsaData;
    SOCKET listener, s;
    RECEIVER receiver;
    HANDLE file, thread;
    OVERLAPPED overlapped;
    TRANSMIT_FILE_BUFFERS buffers = {HEAD, 5, TAIL, 5};
    LPFN_TRANSMITFILE pTransmitFile = NULL;
    GUID guid = WSAID_TRANSMITFILE;
    DWORD bytes, flags;
    int i, size = sizeof(receiver.address);

    if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
        return 1;
    receiver.content = (char *)malloc(LENGTH);
    for (i = 0; i < LENGTH; i++)
        receiver.content[i] = (char)(i * 31 + i / 255);
    file = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_TEMPORARY, NULL);
    if (file == INVALID_HANDLE_VALUE || !WriteFile(file, receiver.content, LENGTH, &bytes, NULL) || bytes != LENGTH)
        Die("the file", GetLastError());
    CloseHandle(file);

    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    memset(&receiver.address, 0, sizeof(receiver.address));
    receiver.address.sin_family = AF_INET;
    receiver.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&receiver.address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&receiver.address, &size) != 0)
        Die("listen", WSAGetLastError());
    thread = CreateThread(NULL, 0, Receiver, &receiver, 0, NULL);
    s = accept(listener, NULL, NULL);
    if (s == INVALID_SOCKET)
        Die("accept", WSAGetLastError());
    if (WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &pTransmitFile, sizeof(pTransmitFile), &bytes,
                 NULL, NULL) != 0)
        Die("WSAIoctl", WSAGetLastError());

    file = CreateFile(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                      FILE_ATTRIBUTE_NORMAL | FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (file == INVALID_HANDLE_VALUE)
        Die("CreateFile", GetLastError());

    /* The linked function, and waiting for it. */
    if (!TransmitFile(s, file, 0, 0, NULL, NULL, 0))
        Die("TransmitFile", WSAGetLastError());
    Wait(s, 1);

    /* The one of the provider, overlapped, with an event. */
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.hEvent = WSACreateEvent();
    if (!pTransmitFile(s, file, 0, 0, &overlapped, &buffers, 0) && WSAGetLastError() != WSA_IO_PENDING)
        Die("TransmitFile with an event", WSAGetLastError());
    if (!WSAGetOverlappedResult(s, &overlapped, &bytes, TRUE, &flags))
        Die("WSAGetOverlappedResult", WSAGetLastError());
    Wait(s, 3);
    printf("sent: %lu bytes\n", bytes);

    /* A part of the file, from the position in OVERLAPPED. */
    WSAResetEvent(overlapped.hEvent);
    overlapped.Offset = PART;
    overlapped.OffsetHigh = 0;
    if (!TransmitFile(s, file, PART, 64, &overlapped, NULL, TF_USE_KERNEL_APC) && WSAGetLastError() != ERROR_IO_PENDING)
        Die("TransmitFile of a part", WSAGetLastError());
    if (WaitForSingleObject(overlapped.hEvent, 30000) != WAIT_OBJECT_0 ||
        !GetOverlappedResult((HANDLE)s, &overlapped, &bytes, FALSE))
        Die("GetOverlappedResult", GetLastError());
    Wait(s, 1);
    printf("sent: %lu bytes\n", bytes);

    /* No file. */
    if (!TransmitFile(s, NULL, 0, 0, NULL, &buffers, 0))
        Die("TransmitFile without a file", WSAGetLastError());
    Wait(s, 1);

    /* From the file's own position to its end; then the connection is ended. */
    SetFilePointer(file, -PART, NULL, FILE_END);
    if (!TransmitFile(s, file, 0, 0, NULL, NULL, 0))
        Die("TransmitFile of the end", WSAGetLastError());
    Wait(s, 1);
    shutdown(s, SD_SEND);
    WaitForSingleObject(thread, INFINITE);

    i = TransmitFile(listener, file, 0, 0, NULL, NULL, 0);
    printf("on a listener: %d, error %d\n", i, WSAGetLastError());
    CloseHandle(thread);
    CloseHandle(file);
    DeleteFile(name);
    WSACloseEvent(overlapped.hEvent);
    closesocket(s);
    closesocket(listener);
    free(receiver.content);
    WSACleanup();
    return 0;
}
