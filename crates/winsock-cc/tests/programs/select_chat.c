/*
 * select_chat.c - a chat room for up to sixteen people: one thread, select, sockets that do not block.
 * A second thread is three of those people; it checks what it hears.
 */
#define _CRT_SECURE_NO_WARNINGS
#define _WINSOCK_DEPRECATED_NO_WARNINGS
#define FD_SETSIZE 32

#include <WinSock2.h>
#include <Windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <process.h>

#pragma comment(lib, "Ws2_32.lib")

#define MAX_CLIENTS 16
#define LINE_SIZE 256

typedef struct _CLIENT {
    SOCKET sock;
    char name[32];
    char line[LINE_SIZE];
    int length;
} CLIENT, *PCLIENT;

static CLIENT g_clients[MAX_CLIENTS];
static int g_count = 0;
static BOOL g_stop = FALSE;

static void die(const char *what)
{
    printf("%s failed: %d\n", what, WSAGetLastError());
    exit(1);
}

static void broadcast(const char *text, PCLIENT except)
{
    int i;
    for (i = 0; i < g_count; i++) {
        if (&g_clients[i] != except) {
            if (send(g_clients[i].sock, text, (int)strlen(text), 0) == SOCKET_ERROR)
                die("send");
        }
    }
}

static void on_line(PCLIENT client)
{
    char text[LINE_SIZE + 64];

    if (client->name[0] == '\0') {
        strncpy_s(client->name, sizeof(client->name), client->line, _TRUNCATE);
        sprintf_s(text, sizeof(text), "* %s has come\n", client->name);
        printf("server: %s", text);
        broadcast(text, NULL);
    } else if (_stricmp(client->line, "/STOP") == 0) {
        printf("server: asked to stop\n");
        g_stop = TRUE;
    } else if (strncmp(client->line, "/me ", 4) == 0) {
        _snprintf_s(text, sizeof(text), _TRUNCATE, "* %s %s\n", client->name, client->line + 4);
        printf("server: %s", text);
        broadcast(text, NULL);
    } else {
        _snprintf_s(text, sizeof(text), _TRUNCATE, "<%s> %s\n", client->name, client->line);
        printf("server: %s", text);
        broadcast(text, client);
    }
}

static void remove_client(int index)
{
    char text[64];
    CLIENT gone = g_clients[index];

    closesocket(gone.sock);
    g_clients[index] = g_clients[--g_count];
    sprintf(text, "* %s has gone\n", gone.name);
    printf("server: %s", text);
    broadcast(text, NULL);
}

/* Reads what there is; FALSE at the end of the connection. */
static BOOL on_readable(PCLIENT client)
{
    char buffer[64];
    int i, n;

    for (;;) {
        n = recv(client->sock, buffer, sizeof(buffer), 0);
        if (n == 0)
            return FALSE;
        if (n == SOCKET_ERROR) {
            if (WSAGetLastError() == WSAEWOULDBLOCK)
                return TRUE;
            /* WSAECONNRESET; Wine's select has taken the error away, and there recv says 0. */
            if (WSAGetLastError() != WSAECONNRESET)
                die("recv");
            return FALSE;
        }
        for (i = 0; i < n; i++) {
            if (buffer[i] == '\n') {
                client->line[client->length] = '\0';
                client->length = 0;
                on_line(client);
            } else if (buffer[i] != '\r' && client->length < LINE_SIZE - 1) {
                client->line[client->length++] = buffer[i];
            }
        }
    }
}

static SOCKET dial(u_short port)
{
    SOCKADDR_IN addr;
    SOCKET sock = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    if (sock == INVALID_SOCKET)
        die("socket");
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = port;
    addr.sin_addr.S_un.S_addr = inet_addr("127.0.0.1");
    if (connect(sock, (SOCKADDR *)&addr, sizeof(addr)) != 0)
        die("connect");
    return sock;
}

static void say(SOCKET sock, const char *text)
{
    if (send(sock, text, (int)strlen(text), 0) != (int)strlen(text))
        die("say");
}

static void hear(SOCKET sock, const char *expected)
{
    char line[LINE_SIZE];
    int length = 0;

    do {
        int n = recv(sock, line + length, 1, 0);
        if (n <= 0)
            die("hear");
    } while (line[length++] != '\n');
    line[length - 1] = '\0';
    if (strcmp(line, expected) != 0) {
        printf("client: heard \"%s\" instead of \"%s\"\n", line, expected);
        exit(1);
    }
}

static unsigned __stdcall people(void *parameter)
{
    u_short port = *(u_short *)parameter;
    SOCKET ann, bob, cid;
    LINGER linger = {1, 0};
    char byte;

    ann = dial(port);
    say(ann, "Ann\r\n");
    hear(ann, "* Ann has come");
    bob = dial(port);
    say(bob, "B");
    say(bob, "ob\n");
    hear(ann, "* Bob has come");
    hear(bob, "* Bob has come");
    say(bob, "hello\nhow are you?\n");
    hear(ann, "<Bob> hello");
    hear(ann, "<Bob> how are you?");
    cid = dial(port);
    say(cid, "Cid\n");
    hear(ann, "* Cid has come");
    hear(bob, "* Cid has come");
    hear(cid, "* Cid has come");
    say(cid, "/me waves\n");
    hear(ann, "* Cid waves");
    hear(bob, "* Cid waves");
    hear(cid, "* Cid waves");

    /* Bob leaves politely, Cid does not. */
    shutdown(bob, SD_SEND);
    hear(ann, "* Bob has gone");
    hear(cid, "* Bob has gone");
    if (recv(bob, &byte, 1, 0) != 0)
        die("the end of Bob's connection");
    closesocket(bob);
    setsockopt(cid, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof(linger));
    closesocket(cid);
    hear(ann, "* Cid has gone");

    say(ann, "/stop\n");
    if (recv(ann, &byte, 1, 0) != 0)
        die("the end of Ann's connection");
    closesocket(ann);
    return 7;
}

int main(void)
{
    WSADATA wsa;
    SOCKET listener;
    SOCKADDR_IN addr;
    int size = sizeof(addr), i;
    u_long on = 1;
    HANDLE thread;
    DWORD code;

    if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0)
        return 1;
    printf("version %d.%d\n", LOBYTE(wsa.wVersion), HIBYTE(wsa.wVersion));
    if ((listener = socket(AF_INET, SOCK_STREAM, 0)) == INVALID_SOCKET)
        die("socket");
    ZeroMemory(&addr, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == SOCKET_ERROR)
        die("bind");
    if (listen(listener, SOMAXCONN) == SOCKET_ERROR)
        die("listen");
    if (getsockname(listener, (struct sockaddr *)&addr, &size) == SOCKET_ERROR)
        die("getsockname");
    if (ioctlsocket(listener, FIONBIO, &on) == SOCKET_ERROR)
        die("ioctlsocket");

    thread = (HANDLE)_beginthreadex(NULL, 0, people, &addr.sin_port, 0, NULL);
    if (thread == NULL)
        return 1;

    while (!g_stop) {
        fd_set readable, failed;
        struct timeval timeout = {30, 0};
        int ready;

        FD_ZERO(&readable);
        FD_ZERO(&failed);
        FD_SET(listener, &readable);
        for (i = 0; i < g_count; i++) {
            FD_SET(g_clients[i].sock, &readable);
            FD_SET(g_clients[i].sock, &failed);
        }
        if (readable.fd_count != (u_int)g_count + 1 || readable.fd_array[0] != listener)
            die("fd_set");
        ready = select(0, &readable, NULL, &failed, &timeout);
        if (ready == SOCKET_ERROR)
            die("select");
        if (ready == 0) {
            printf("nobody says anything\n");
            return 1;
        }
        for (i = g_count - 1; i >= 0; i--) {
            if (FD_ISSET(g_clients[i].sock, &readable) && !on_readable(&g_clients[i]))
                remove_client(i);
        }
        if (FD_ISSET(listener, &readable)) {
            SOCKADDR_IN peer;
            int peer_size = sizeof(peer);
            SOCKET sock = accept(listener, (struct sockaddr *)&peer, &peer_size);
            unsigned long nonblocking = 1;

            if (sock == INVALID_SOCKET) {
                if (WSAGetLastError() == WSAEWOULDBLOCK)
                    continue;
                die("accept");
            }
            printf("server: a connection from %s\n", inet_ntoa(peer.sin_addr));
            if (g_count == MAX_CLIENTS) {
                closesocket(sock);
                continue;
            }
            ioctlsocket(sock, FIONBIO, &nonblocking);
            memset(&g_clients[g_count], 0, sizeof(CLIENT));
            g_clients[g_count++].sock = sock;
        }
    }

    for (i = 0; i < g_count; i++)
        closesocket(g_clients[i].sock);
    closesocket(listener);
    if (WaitForSingleObject(thread, 30000) != WAIT_OBJECT_0)
        die("WaitForSingleObject");
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    printf("the people left with %lu\n", code);
    WSACleanup();
    return 0;
}
