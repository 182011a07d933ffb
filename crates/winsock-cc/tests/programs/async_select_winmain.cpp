// async_select_winmain.cpp - a quiz server with a window (which nobody needs to see): WSAAsyncSelect, a timer, messages.

#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "user32.lib")
#pragma comment(lib, "gdi32.lib")

#define WM_SOCKET (WM_USER + 1)
#define WM_PART_DONE (WM_USER + 2)
#define IDT_TICK 1

static const char g_szClassName[] = "QuizServer";
static SOCKET g_listener = INVALID_SOCKET;
static HANDLE g_client;
static int g_ticks, g_right, g_open;

LRESULT CALLBACK WndProc(HWND hWnd, UINT message, WPARAM wParam, LPARAM lParam);
DWORD WINAPI ClientThread(LPVOID lpParameter);

struct Start
{
    HWND hWnd;
    SOCKADDR_IN address;
};
static Start g_start;

int APIENTRY WinMain(HINSTANCE hInstance, HINSTANCE hPrevInstance, LPSTR lpCmdLine, int nCmdShow)
{
    UNREFERENCED_PARAMETER(hPrevInstance);
    UNREFERENCED_PARAMETER(lpCmdLine);
    WNDCLASS wc = {0};
    wc.style = CS_HREDRAW | CS_VREDRAW;
    wc.lpfnWndProc = WndProc;
    wc.hInstance = hInstance;
    wc.hIcon = LoadIcon(NULL, IDI_APPLICATION);
    wc.hCursor = LoadCursor(NULL, IDC_ARROW);
    wc.hbrBackground = (HBRUSH)GetStockObject(WHITE_BRUSH);
    wc.lpszClassName = g_szClassName;
    if (!RegisterClass(&wc)) {
        MessageBox(NULL, TEXT("RegisterClass"), TEXT("Quiz"), MB_OK | MB_ICONERROR);
        return 1;
    }
    printf("registered again: %d", RegisterClass(&wc));
    printf(", error %lu\n", GetLastError());

    HWND hWnd = CreateWindow(g_szClassName, "Quiz", WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, CW_USEDEFAULT, 400, 300, HWND_MESSAGE,
                             NULL, hInstance, &g_start);
    if (hWnd == NULL) {
        printf("CreateWindow: %lu\n", GetLastError());
        return 1;
    }
    ShowWindow(hWnd, nCmdShow == 12345 ? SW_SHOW : SW_HIDE);
    UpdateWindow(hWnd);

    MSG msg;
    while (GetMessage(&msg, NULL, 0, 0) > 0) {
        TranslateMessage(&msg);
        DispatchMessage(&msg);
    }
    WaitForSingleObject(g_client, INFINITE);
    CloseHandle(g_client);
    printf("the end: %d, right answers: %d, connections open: %d, ticks: %d\n", (int)msg.wParam, g_right, g_open, g_ticks);
    WSACleanup();
    return 0;
}

static BOOL StartListening(HWND hWnd, Start *start)
{
    WSADATA wsaData;
    if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
        return FALSE;
    g_listener = socket(PF_INET, SOCK_STREAM, 0);
    start->hWnd = hWnd;
    start->address.sin_family = PF_INET;
    start->address.sin_port = htons(0);
    start->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int length = sizeof(start->address);
    if (bind(g_listener, (PSOCKADDR)&start->address, length) == SOCKET_ERROR)
        return FALSE;
    if (WSAAsyncSelect(g_listener, hWnd, WM_SOCKET, FD_ACCEPT | FD_CLOSE) == SOCKET_ERROR)
        return FALSE;
    if (listen(g_listener, 5) == SOCKET_ERROR)
        return FALSE;
    return getsockname(g_listener, (PSOCKADDR)&start->address, &length) == 0;
}

// Two connections that close, the client's thread and the timer.
static void PartDone(HWND hWnd)
{
    static int parts = 0;
    if (++parts == 4)
        PostMessage(hWnd, WM_CLOSE, 0, 0);
}

static void OnSocket(HWND hWnd, SOCKET s, WORD event, WORD error)
{
    char buffer[200];
    int n;
    if (error != 0) {
        printf("event %d: error %d\n", event, error);
        closesocket(s);
        g_open--;
        return;
    }
    switch (event) {
    case FD_ACCEPT: {
        SOCKET accepted = accept(s, NULL, NULL);
        if (accepted == INVALID_SOCKET) {
            printf("accept: %d\n", WSAGetLastError());
            break;
        }
        g_open++;
        printf("accepted\n");
        if (WSAAsyncSelect(accepted, hWnd, WM_SOCKET, FD_READ | FD_WRITE | FD_CLOSE) == SOCKET_ERROR)
            printf("WSAAsyncSelect: %d\n", WSAGetLastError());
        break;
    }
    case FD_WRITE: {
        // Comes first of all, as the connection can be written to.
        static const char question[] = "What is six times seven?\r\n";
        printf("asking\n");
        send(s, question, (int)strlen(question), 0);
        break;
    }
    case FD_READ:
        n = recv(s, buffer, sizeof(buffer) - 1, 0);
        if (n == SOCKET_ERROR) {
            if (WSAGetLastError() != WSAEWOULDBLOCK)
                printf("recv: %d\n", WSAGetLastError());
            break;
        }
        buffer[n] = '\0';
        printf("the answer is \"%s\"\n", buffer);
        if (lstrcmpi(buffer, "Forty-Two") == 0) {
            g_right++;
            lstrcpy(buffer, "Right.\r\n");
        } else {
            wsprintf(buffer, "No, %d.\r\n", 42);
        }
        send(s, buffer, lstrlen(buffer), 0);
        break;
    case FD_CLOSE:
        printf("closed\n");
        g_open--;
        closesocket(s);
        SendMessage(hWnd, WM_PART_DONE, 0, 0);
        break;
    }
}

LRESULT CALLBACK WndProc(HWND hWnd, UINT message, WPARAM wParam, LPARAM lParam)
{
    switch (message) {
    case WM_CREATE: {
        LPCREATESTRUCT create = (LPCREATESTRUCT)lParam;
        if (!StartListening(hWnd, (Start *)create->lpCreateParams)) {
            printf("listening: %d\n", WSAGetLastError());
            return -1;
        }
        DWORD id;
        g_client = CreateThread(NULL, 0, ClientThread, create->lpCreateParams, 0, &id);
        SetTimer(hWnd, IDT_TICK, 10, NULL);
        return 0;
    }
    case WM_SOCKET:
        OnSocket(hWnd, (SOCKET)wParam, WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam));
        return 0;
    case WM_TIMER:
        if (wParam == IDT_TICK && ++g_ticks == 1) {
            KillTimer(hWnd, IDT_TICK);
            PartDone(hWnd);
        }
        return 0;
    case WM_PART_DONE:
        PartDone(hWnd);
        return 0;
    case WM_CLOSE:
        DestroyWindow(hWnd);
        return 0;
    case WM_DESTROY:
        closesocket(g_listener);
        PostQuitMessage(23);
        return 0;
    }
    return DefWindowProc(hWnd, message, wParam, lParam);
}

static SOCKET Answer(const SOCKADDR_IN *address, const char *answer, const char *expected)
{
    static const char question[] = "What is six times seven?\r\n";
    char buffer[100];
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    int length = 0, n;
    if (connect(s, (const sockaddr *)address, sizeof(*address)) != 0)
        return INVALID_SOCKET;
    for (; length < (int)strlen(question); length += n)
        if ((n = recv(s, buffer + length, (int)strlen(question) - length, 0)) <= 0)
            return INVALID_SOCKET;
    send(s, answer, (int)strlen(answer), 0);
    for (length = 0; length < (int)strlen(expected); length += n)
        if ((n = recv(s, buffer + length, (int)strlen(expected) - length, 0)) <= 0)
            return INVALID_SOCKET;
    return memcmp(buffer, expected, length) == 0 ? s : INVALID_SOCKET;
}

DWORD WINAPI ClientThread(LPVOID lpParameter)
{
    Start *start = (Start *)lpParameter;
    SOCKET first = Answer(&start->address, "forty-two", "Right.\r\n");
    if (first == INVALID_SOCKET)
        printf("client: the first went wrong\n");
    SOCKET second = Answer(&start->address, "41", "No, 42.\r\n");
    if (second == INVALID_SOCKET)
        printf("client: the second went wrong\n");
    printf("client: an unknown message gives %d\n", (int)SendMessage(start->hWnd, WM_APP, 1, 2));
    closesocket(first);
    closesocket(second);
    PostMessage(start->hWnd, WM_PART_DONE, 0, 0);
    return 0;
}
