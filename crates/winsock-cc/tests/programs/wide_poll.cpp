// wide_poll.cpp - a Unicode program: _tmain, TCHAR, addresses as wide text, WSAPoll, std::thread for the clients.
#ifndef UNICODE
#define UNICODE
#endif
#ifndef _UNICODE
#define _UNICODE
#endif
#define NOMINMAX
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <Windows.h>
#include <tchar.h>
#include <strsafe.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#pragma comment(lib, "Ws2_32.lib")

typedef std::basic_string<TCHAR> tstring;

// Finished lines go from the polling thread to a worker by this.
template <typename T>
class WorkQueue
{
public:
    void Push(T item)
    {
        {
            std::lock_guard<std::mutex> guard(m_mutex);
            m_items.push(std::move(item));
        }
        m_condition.notify_one();
    }

    bool Pop(T &item)
    {
        std::unique_lock<std::mutex> lock(m_mutex);
        m_condition.wait(lock, [this] { return m_ended || !m_items.empty(); });
        if (m_items.empty())
            return false;
        item = std::move(m_items.front());
        m_items.pop();
        return true;
    }

    void End()
    {
        std::lock_guard<std::mutex> guard(m_mutex);
        m_ended = true;
        m_condition.notify_all();
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_condition;
    std::queue<T> m_items;
    bool m_ended = false;
};

struct Job
{
    SOCKET socket;
    std::string text;
};

static std::atomic<int> g_failures{0};

static void PrintError(LPCTSTR what)
{
    TCHAR line[128];
    StringCchPrintf(line, _countof(line), TEXT("%s: error %d\n"), what, WSAGetLastError());
    _fputts(line, stdout);
    g_failures++;
}

static void Work(WorkQueue<Job> &queue)
{
    Job job;
    while (queue.Pop(job)) {
        std::sort(job.text.begin(), job.text.end());
        job.text += '\n';
        if (send(job.socket, job.text.data(), static_cast<int>(job.text.size()), 0) == SOCKET_ERROR)
            PrintError(TEXT("send"));
    }
}

static void Client(const sockaddr_in6 &address, int number)
{
    SOCKET s = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    if (connect(s, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        PrintError(TEXT("connect"));
        return;
    }
    for (int round = 0; round < 20; round++) {
        std::string text = "the quick brown fox " + std::to_string(number * round);
        std::string line = text + "\n", answer;
        send(s, line.data(), static_cast<int>(line.size()), 0);
        char byte;
        while (recv(s, &byte, 1, 0) == 1 && byte != '\n')
            answer += byte;
        std::sort(text.begin(), text.end());
        if (answer != text)
            g_failures++;
    }
    closesocket(s);
}

int _tmain(int argc, TCHAR *argv[])
{
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    _tprintf(_T("arguments: %d, the first is named: %s\n"), argc, argv[0][0] ? _T("yes") : _T("no"));

    ADDRINFOW hints = {}, *list = nullptr;
    hints.ai_family = AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
    int error = GetAddrInfo(L"::1", L"0", &hints, &list);
    if (error != 0) {
        _tprintf(_T("GetAddrInfo: %d\n"), error);
        return 1;
    }
    TCHAR text[100];
    DWORD length = _countof(text);
    if (WSAAddressToString(list->ai_addr, static_cast<DWORD>(list->ai_addrlen), NULL, text, &length) != 0)
        PrintError(TEXT("WSAAddressToString"));
    _tprintf(_T("%s has %u characters, %u with its end\n"), text, (unsigned)_tcslen(text), (unsigned)length);
    length = 2;
    if (WSAAddressToString(list->ai_addr, static_cast<DWORD>(list->ai_addrlen), NULL, text, &length) != 0)
        _tprintf(_T("into two characters: error %d\n"), WSAGetLastError());

    SOCKET listener = WSASocket(list->ai_family, list->ai_socktype, list->ai_protocol, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (bind(listener, list->ai_addr, static_cast<int>(list->ai_addrlen)) != 0 || listen(listener, SOMAXCONN) != 0) {
        PrintError(TEXT("listen"));
        return 1;
    }
    FreeAddrInfo(list);
    sockaddr_in6 address = {};
    int size = sizeof(address);
    getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size);
    _tprintf(_T("listening at %s\n"), InetNtop(AF_INET6, &address.sin6_addr, text, _countof(text)));
    IN_ADDR four;
    _tprintf(_T("10.20.30: %d, 10.20.30.40: %d\n"), InetPton(AF_INET, _T("10.20.30"), &four),
             InetPton(AF_INET, _T("10.20.30.40"), &four));
    _tprintf(_T("%s, %hs\n"), InetNtop(AF_INET, &four, text, _countof(text)), "narrow in wide");

    const int clients = 4;
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; i++)
        threads.emplace_back(Client, std::cref(address), i);
    WorkQueue<Job> queue;
    std::thread worker(Work, std::ref(queue));

    std::vector<WSAPOLLFD> fds(1);
    std::vector<std::string> lines(1);
    fds[0].fd = listener;
    fds[0].events = POLLRDNORM;
    int ended = 0, jobs = 0;
    while (ended < clients) {
        int ready = WSAPoll(fds.data(), static_cast<ULONG>(fds.size()), 30000);
        if (ready <= 0) {
            PrintError(TEXT("WSAPoll"));
            return 1;
        }
        for (size_t i = fds.size(); i-- > 1;) {
            if ((fds[i].revents & (POLLRDNORM | POLLHUP | POLLERR)) == 0)
                continue;
            char buffer[256];
            int n = recv(fds[i].fd, buffer, sizeof(buffer), 0);
            if (n <= 0) {
                closesocket(fds[i].fd);
                fds.erase(fds.begin() + i);
                lines.erase(lines.begin() + i);
                ended++;
                continue;
            }
            lines[i].append(buffer, n);
            for (size_t end; (end = lines[i].find('\n')) != std::string::npos;) {
                queue.Push(Job{fds[i].fd, lines[i].substr(0, end)});
                lines[i].erase(0, end + 1);
                jobs++;
            }
        }
        if (fds[0].revents & POLLRDNORM) {
            WSAPOLLFD next = {accept(listener, NULL, NULL), POLLRDNORM, 0};
            if (next.fd == INVALID_SOCKET)
                PrintError(TEXT("accept"));
            fds.push_back(next);
            lines.emplace_back();
        }
    }
    queue.End();
    worker.join();
    for (auto &thread : threads)
        thread.join();
    closesocket(listener);
    tstring summary = TEXT("jobs: ");
    _itot_s(jobs, text, _countof(text), 10);
    summary += text;
    _tprintf(_T("%s, at least: %d, failures: %d\n"), summary.c_str(), std::min(jobs, 80), g_failures.load());
    WSACleanup();
    return 0;
}
