/*
 * http_server.c - a small web server, a thread for each connection, files of a folder of its own.
 */
#define _CRT_SECURE_NO_WARNINGS
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <direct.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma comment(lib,"ws2_32.lib")

#define ROOT "http_root"
#define MAX_REQUEST 4096

static CRITICAL_SECTION log_lock;
static LONG requests = 0;
static HANDLE all_slots; /* at most two connections at a time */

static void show_error(const char *what, DWORD error)
{
    LPSTR text = NULL;
    FormatMessageA(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error,
                   MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPSTR)&text, 0, NULL);
    fprintf(stderr, "%s: %s (%lu)\n", what, text != NULL ? text : "?", error);
    LocalFree(text);
}

static const char *content_type(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && (_stricmp(dot, ".html") == 0 || _stricmp(dot, ".htm") == 0))
        return "text/html";
    if (dot && _stricmp(dot, ".txt") == 0)
        return "text/plain";
    return "application/octet-stream";
}

static void log_request(const char *method, const char *path, int status)
{
    SYSTEMTIME now;
    GetLocalTime(&now);
    EnterCriticalSection(&log_lock);
    if (now.wYear >= 2000)
        printf("%s %s -> %d\n", method, path, status);
    LeaveCriticalSection(&log_lock);
}

static int send_all(SOCKET s, const char *data, int length)
{
    while (length > 0) {
        int n = send(s, data, length, 0);
        if (n == SOCKET_ERROR)
            return SOCKET_ERROR;
        data += n;
        length -= n;
    }
    return 0;
}

static void send_status(SOCKET s, const char *method, const char *path, int status, const char *reason)
{
    char head[512], body[128];
    _snprintf(body, sizeof(body), "<h1>%d %s</h1>\r\n", status, reason);
    _snprintf(head, sizeof(head),
              "HTTP/1.0 %d %s\r\nServer: http_server\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
              status, reason, (int)strlen(body));
    log_request(method, path, status);
    send_all(s, head, (int)strlen(head));
    if (strcmp(method, "HEAD") != 0)
        send_all(s, body, (int)strlen(body));
}

static void send_file(SOCKET s, const char *method, const char *path)
{
    char name[MAX_PATH], head[512], *block;
    HANDLE file;
    LARGE_INTEGER size;
    DWORD n;

    sprintf(name, ROOT "/%s", path[1] != '\0' ? path + 1 : "index.html");
    file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        if (GetLastError() == ERROR_FILE_NOT_FOUND)
            send_status(s, method, path, 404, "Not Found");
        else
            send_status(s, method, path, 500, "Internal Server Error");
        return;
    }
    GetFileSizeEx(file, &size);
    sprintf(head, "HTTP/1.0 200 OK\r\nServer: http_server\r\nContent-Type: %s\r\nContent-Length: %I64d\r\nConnection: close\r\n\r\n",
            content_type(name), size.QuadPart);
    log_request(method, path, 200);
    if (send_all(s, head, (int)strlen(head)) == 0 && strcmp(method, "GET") == 0) {
        block = (char *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 8192);
        while (ReadFile(file, block, 8192, &n, NULL) && n > 0 && send_all(s, block, (int)n) == 0)
            ;
        HeapFree(GetProcessHeap(), 0, block);
    }
    CloseHandle(file);
}

static DWORD WINAPI connection(LPVOID parameter)
{
    SOCKET s = (SOCKET)parameter;
    char request[MAX_REQUEST + 1], *method, *path, *version, *context = NULL;
    int length = 0, n;

    request[0] = '\0';
    while (strstr(request, "\r\n\r\n") == NULL && length < MAX_REQUEST) {
        n = recv(s, request + length, MAX_REQUEST - length, 0);
        if (n <= 0)
            break;
        length += n;
        request[length] = '\0';
    }
    InterlockedIncrement(&requests);
    method = strtok_s(request, " ", &context);
    path = strtok_s(NULL, " ", &context);
    version = strtok_s(NULL, "\r\n", &context);
    if (!method || !path || !version || strncmp(version, "HTTP/", 5) != 0 || path[0] != '/')
        send_status(s, "?", "?", 400, "Bad Request");
    else if (strstr(path, "..") != NULL)
        send_status(s, method, path, 403, "Forbidden");
    else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        send_status(s, method, path, 501, "Not Implemented");
    else
        send_file(s, method, path);
    shutdown(s, SD_SEND);
    while (recv(s, request, sizeof(request), 0) > 0)
        ;
    closesocket(s);
    ReleaseSemaphore(all_slots, 1, NULL);
    return 0;
}

/* The browser: sends a request, prints the first line of the answer and how long its body is. */
static void browse(const struct addrinfo *server, const char *request)
{
    static char answer[200000];
    int length = 0, n;
    char *body;
    unsigned sum = 0;
    SOCKET s = socket(server->ai_family, server->ai_socktype, server->ai_protocol);

    if (connect(s, server->ai_addr, (int)server->ai_addrlen) == SOCKET_ERROR) {
        printf("connect: %d\n", WSAGetLastError());
        exit(1);
    }
    send_all(s, request, (int)strlen(request));
    shutdown(s, SD_SEND);
    while ((n = recv(s, answer + length, (int)sizeof(answer) - 1 - length, 0)) > 0)
        length += n;
    closesocket(s);
    answer[length] = '\0';
    body = strstr(answer, "\r\n\r\n");
    if (n != 0 || body == NULL) {
        printf("no answer: %d, %d bytes\n", n, length);
        exit(1);
    }
    for (n = 0; body[4 + n]; n++)
        sum = sum * 31 + (unsigned char)body[4 + n];
    printf("  %.*s: %d bytes, %08x\n", (int)strcspn(answer, "\r"), answer, n, sum);
}

static DWORD WINAPI browser(LPVOID parameter)
{
    const struct addrinfo *server = (const struct addrinfo *)parameter;

    browse(server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    browse(server, "HEAD /index.html HTTP/1.0\r\n\r\n");
    browse(server, "GET /data/Long.txt HTTP/1.0\r\n\r\n");
    browse(server, "GET /missing.html HTTP/1.0\r\n\r\n");
    browse(server, "GET /data/../../secret HTTP/1.0\r\n\r\n");
    browse(server, "POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
    browse(server, "nonsense\r\n\r\n");
    return 0;
}

static void make_files(void)
{
    FILE *file;
    int i;

    _mkdir(ROOT);
    _mkdir(ROOT "/data");
    if (fopen_s(&file, ROOT "/index.html", "wb") != 0)
        exit(2);
    fputs("<html><body>It works.</body></html>\r\n", file);
    fclose(file);
    if ((file = fopen(ROOT "/data/Long.txt", "wb")) == NULL)
        exit(3);
    for (i = 0; i < 10000; i++)
        fprintf(file, "line %d\n", i);
    fclose(file);
}

static void remove_files(void)
{
    DeleteFileA(ROOT "/index.html");
    DeleteFileA(ROOT "/data/Long.txt");
    printf("removed: %d", _rmdir(ROOT "/data"));
    printf(" %d\n", _rmdir(ROOT));
}

int main(void)
{
    WSADATA wsaData;
    struct addrinfo hints, *result = NULL;
    SOCKET listener;
    HANDLE client;
    int error, length, served = 0;

    if ((error = WSAStartup(MAKEWORD(2, 2), &wsaData)) != 0) {
        show_error("WSAStartup", error);
        return 1;
    }
    InitializeCriticalSection(&log_lock);
    all_slots = CreateSemaphore(NULL, 2, 2, NULL);
    make_files();
    ZeroMemory(&hints, sizeof(hints));
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_PASSIVE;
    if ((error = getaddrinfo("127.0.0.1", "0", &hints, &result)) != 0) {
        show_error("getaddrinfo", error);
        return 1;
    }
    listener = socket(result->ai_family, result->ai_socktype, result->ai_protocol);
    if (bind(listener, result->ai_addr, (int)result->ai_addrlen) == SOCKET_ERROR || listen(listener, SOMAXCONN) == SOCKET_ERROR) {
        show_error("listen", WSAGetLastError());
        return 1;
    }
    length = (int)result->ai_addrlen;
    getsockname(listener, result->ai_addr, &length);
    client = CreateThread(NULL, 0, browser, result, 0, NULL);

    for (served = 0; served < 7; served++) {
        SOCKET s;
        HANDLE thread;
        WaitForSingleObject(all_slots, INFINITE);
        if ((s = accept(listener, NULL, NULL)) == INVALID_SOCKET) {
            show_error("accept", WSAGetLastError());
            return 1;
        }
        thread = CreateThread(NULL, 64 * 1024, connection, (LPVOID)s, 0, NULL);
        if (thread == NULL)
            return 1;
        CloseHandle(thread);
    }
    WaitForSingleObject(client, INFINITE);
    CloseHandle(client);
    /* Both slots are free again when the last connection has been closed. */
    WaitForSingleObject(all_slots, INFINITE);
    WaitForSingleObject(all_slots, INFINITE);
    closesocket(listener);
    freeaddrinfo(result);
    remove_files();
    printf("%ld requests\n", requests);
    DeleteCriticalSection(&log_lock);
    CloseHandle(all_slots);
    WSACleanup();
    return 0;
}
