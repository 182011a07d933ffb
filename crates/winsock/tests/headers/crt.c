/* What the headers have of Microsoft's C runtime, in C and in C++. The test gives it a file as standard input. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tchar.h>
#include <strsafe.h>
#include <conio.h>
#include <process.h>
#include <io.h>
#include <direct.h>
#include <crtdbg.h>
#include <intrin.h>
#include <malloc.h>
#include <time.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static void formats(void) {
    char text[200];
    wchar_t wide[200];
    __int64 big = -5000000000LL;
    DWORD low = 0xFFFFFFFF;
    LONG minus = -7;
    sprintf(text, "%I64d %I64u %I32d %ld %lu %d", big, (unsigned __int64)1 << 40, 3, minus, low, 1);
    CHECK(strcmp(text, "-5000000000 1099511627776 3 -7 4294967295 1") == 0);
    /* More than go into registers: what is above 32 bits on the stack is not read. */
    sprintf(text, "%lu %lu %lu %lu %lu %lu %lu %lu", low, low, low, low, low, low, low, low);
    CHECK(strlen(text) == 8 * 10 + 7);
    sprintf(text, "%S|%hs|%ws|%s|%5c|%C", L"\x6c49\x5b57", "narrow", L"wide", "s", 'c', L'C');
    CHECK(strcmp(text, "\xe6\xb1\x89\xe5\xad\x97|narrow|wide|s|    c|C") == 0);
    sprintf(text, "%p", (void *)0x1234ABCD);
    CHECK(strcmp(text, "000000001234ABCD") == 0);
    CHECK(swprintf(wide, 200, L"%s %S %hs %ls %d %I64d %c", L"wide", "narrow", "n", L"l", 5, big, L'x') == 31);
    CHECK(wcscmp(wide, L"wide narrow n l 5 -5000000000 x") == 0);
    CHECK(_snprintf(text, 4, "%s", "abcdef") == -1 && memcmp(text, "abcd", 4) == 0);
    CHECK(_snprintf(text, 6, "%s", "abcdef") == 6 && memcmp(text, "abcdef", 6) == 0);
    CHECK(snprintf(text, 4, "%s", "abcdef") == 6 && strcmp(text, "abc") == 0);
    CHECK(sprintf_s(text, sizeof(text), "%s", "abc") == 3 && strcmp(text, "abc") == 0);
    CHECK(sprintf_s(text, 3, "%s", "abc") == -1 && text[0] == 0);
    CHECK(_snprintf_s(text, 4, _TRUNCATE, "%s", "abcdef") == -1 && strcmp(text, "abc") == 0);
    CHECK(_snprintf_s(text, 10, 2, "%s", "abcdef") == -1 && strcmp(text, "ab") == 0);
    CHECK(_scprintf("%s %I64d", "abc", big) == 15);
    CHECK(swprintf_s(wide, 4, L"%s", L"abcd") == -1 && wide[0] == 0);
    CHECK(wsprintfA(text, "%s %lu", "abc", low) == 14 && wsprintfW(wide, L"%s", L"abc") == 3);
    CHECK(_stprintf(text, _T("%s"), _T("t")) == 1);
}

static void strings(void) {
    char text[16];
    wchar_t wide[16];
    char *context;
    CHECK(strcpy_s(text, sizeof(text), "Hello") == 0 && strcmp(text, "Hello") == 0);
    CHECK(strcat_s(text, sizeof(text), " World") == 0 && strcmp(text, "Hello World") == 0);
    CHECK(strcat_s(text, sizeof(text), "too long") == ERANGE && text[0] == 0);
    CHECK(strcpy_s(text, 3, "abc") == ERANGE && text[0] == 0);
    CHECK(strcpy_s(text, 3, NULL) == EINVAL && strcpy_s(NULL, 3, "a") == EINVAL);
    CHECK(strncpy_s(text, sizeof(text), "abcdef", 3) == 0 && strcmp(text, "abc") == 0);
    CHECK(strncpy_s(text, 4, "abcdef", _TRUNCATE) == STRUNCATE && strcmp(text, "abc") == 0);
    CHECK(strncpy_s(text, 4, "abcdef", 4) == ERANGE && text[0] == 0);
    CHECK(wcscpy_s(wide, 16, L"wide") == 0 && wcscat_s(wide, 16, L"r") == 0 && wcscmp(wide, L"wider") == 0);
    CHECK(memcpy_s(text, 4, "abc", 4) == 0 && memcpy_s(text, 2, "abc", 3) == ERANGE && text[0] == 0);
    CHECK(stricmp("ABC", "abc") == 0 && _strnicmp("ABCx", "abcy", 3) == 0 && _wcsicmp(L"A", L"a") == 0);
    strcpy(text, "MiXed");
    CHECK(strcmp(_strlwr(text), "mixed") == 0 && strcmp(strupr(text), "MIXED") == 0 && strcmp(strrev(text), "DEXIM") == 0);
    strcpy(text, "a,b");
    CHECK(strcmp(strtok_s(text, ",", &context), "a") == 0 && strcmp(strtok_s(NULL, ",", &context), "b") == 0);
    CHECK(strcmp(itoa(-255, text, 10), "-255") == 0 && strcmp(_itoa(-1, text, 16), "ffffffff") == 0);
    CHECK(strcmp(_i64toa(-9000000000LL, text, 10), "-9000000000") == 0 && _itoa_s(1234, text, 4, 10) == ERANGE);
    CHECK(wcscmp(_itow(77, wide, 8), L"115") == 0 && _wtoi(L"42x") == 42 && _atoi64("9000000000") == 9000000000LL);
    CHECK(lstrlenA(NULL) == 0 && lstrlen(TEXT("abc")) == 3 && lstrcmpi(TEXT("A"), TEXT("a")) == 0);
    CHECK(lstrcpyn(text, TEXT("abcdef"), 4) == text && strcmp(text, "abc") == 0);
    CHECK(StringCchCopyA(text, 4, "abcdef") == STRSAFE_E_INSUFFICIENT_BUFFER && strcmp(text, "abc") == 0);
    CHECK(StringCchPrintfA(text, 16, "%d-%I64d", 1, 2LL) == S_OK && strcmp(text, "1-2") == 0);
    CHECK(StringCchPrintfW(wide, 4, L"%s", L"abcdef") == STRSAFE_E_INSUFFICIENT_BUFFER && wcscmp(wide, L"abc") == 0);
    CHECK(StringCbCatA(text, sizeof(text), "x") == S_OK && strcmp(text, "1-2x") == 0);
    CHECK(_tcslen(_T("four")) == 4 && _ttoi(_T("12")) == 12 && _countof(text) == 16);
}

static void atomics(void) {
    LONG a = 1;
    volatile long b = 1;
    unsigned long c = 1;
    LONG64 d = 1;
    DWORD e = 1;
    PVOID p = NULL;
    CHECK(InterlockedIncrement(&a) == 2 && InterlockedIncrement(&b) == 2 && InterlockedIncrement(&c) == 2);
    CHECK(InterlockedIncrement(&e) == 2 && InterlockedDecrement64(&d) == 0);
    CHECK(InterlockedCompareExchange(&a, 9, 2) == 2 && a == 9 && InterlockedCompareExchange(&b, 9, 7) == 2 && b == 2);
    CHECK(InterlockedExchangeAdd(&a, -4) == 9 && InterlockedAdd(&a, 1) == 6 && InterlockedExchange(&a, 3) == 6);
    CHECK(InterlockedOr(&a, 4) == 3 && InterlockedAnd(&a, 6) == 7 && InterlockedXor(&a, 1) == 6 && a == 7);
    CHECK(InterlockedCompareExchangePointer(&p, &a, NULL) == NULL && InterlockedExchangePointer(&p, NULL) == &a);
    MemoryBarrier();
    YieldProcessor();
}

static void lists(void) {
    SLIST_HEADER list;
    SLIST_ENTRY entries[3];
    InitializeSListHead(&list);
    CHECK(InterlockedPopEntrySList(&list) == NULL);
    CHECK(InterlockedPushEntrySList(&list, &entries[0]) == NULL);
    CHECK(InterlockedPushEntrySList(&list, &entries[1]) == &entries[0] && QueryDepthSList(&list) == 2);
    CHECK(InterlockedPopEntrySList(&list) == &entries[1] && InterlockedPushEntrySList(&list, &entries[2]) == &entries[0]);
    CHECK(InterlockedFlushSList(&list) == &entries[2] && entries[2].Next == &entries[0] && QueryDepthSList(&list) == 0);
}

static int leaves(int early, int *steps) {
    __ws_try {
        if (early) {
            __ws_leave;
        }
        *steps += 1;
        __ws_try {
            *steps += 10;
        } __ws_except (EXCEPTION_EXECUTE_HANDLER) {
            *steps += 1000;
        }
    } __ws_finally {
        *steps += 100;
    }
    return *steps;
}

typedef struct {
    int first;
    OVERLAPPED overlapped;
    char buffer[8];
} PER_IO;

static void the_rest(void) {
    PER_IO io;
    int steps = 0;
    ULONG index;
    unsigned long long_index = ~0ul;
    ULONG64 high;
    int i;
    char word[4];
    __int64 wide_number = 0;
    FILE *file;
    struct tm parts;
    time_t zero = 0;
    CHECK(CONTAINING_RECORD(&io.overlapped, PER_IO, overlapped) == &io);
    FillMemory(&io, sizeof(io), 1);
    CHECK(io.buffer[7] == 1);
    ZeroMemory(&io, sizeof(io));
    CopyMemory(io.buffer, "abc", 4);
    CHECK(io.first == 0 && strcmp(io.buffer, "abc") == 0);
    SecureZeroMemory(&io, sizeof(io));
    CHECK(leaves(0, &steps) == 111 && leaves(1, &steps) == 211);
    CHECK(_BitScanForward(&index, 8) && index == 3 && !_BitScanForward(&index, 0));
    CHECK(_BitScanReverse64(&long_index, 1ULL << 40) && long_index == 40);
    CHECK(_umul128(1ULL << 63, 6, &high) == 0 && high == 3);
    CHECK(MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT) == 0x400);
    CHECK(min(3, 4) == 3 && max(3L, 4L) == 4 && __max(1, 2) == 2);
    CHECK(sscanf_s("12 word 5", "%d %s %d", &i, word, 4, &steps) == 2 && i == 12 && strcmp(word, "wor") == 0);
    CHECK(sscanf_s("0x7f,rest", "%x%*c%[a-z]", &i, word, (unsigned)sizeof(word)) == 2 && i == 0x7f && strcmp(word, "res") == 0);
    CHECK(sscanf("-5000000000 7", "%I64d %d", &wide_number, &i) == 2 && wide_number == -5000000000LL && i == 7);
    CHECK(fopen_s(&file, "/nonexistent/x", "r") == ENOENT && file == NULL);
    CHECK(fopen_s(&file, "\\dev\\null", "w") == 0 && freopen("\\dev\\null", "r", file) == file && fclose(file) == 0);
    CHECK(_access("\\dev\\null", 0) == 0 && _mkdir("\\dev") == -1 && errno == EEXIST);
    CHECK(remove("\\dev\\no such file") == -1 && rename("\\dev\\no such file", "\\dev\\x") == -1 && errno == ENOENT);
    CHECK(gmtime_s(&parts, &zero) == 0 && parts.tm_year == 70);
    CHECK(_getpid() > 0 && _access("/", 0) == 0 && _setmode(1, 0x8000) != -1);
    CHECK(_CrtSetDbgFlag(_CRTDBG_ALLOC_MEM_DF | _CRTDBG_LEAK_CHECK_DF) == 0);
    CHECK(_kbhit() == 0);
    CHECK(_wsetlocale(LC_ALL, L"C") != NULL && wcscmp(_wsetlocale(LC_ALL, NULL), L"C") == 0);
    free(_strdup("copy"));
    /* As std::wcout makes it. */
    file = tmpfile();
    CHECK(file != NULL && fwide(file, 1) > 0);
    CHECK(fprintf(file, "a%d", 7) == 2 && fwprintf(file, L"%hs", "b") == 1);
    rewind(file);
    CHECK(fgetwc(file) == L'a' && fgetwc(file) == L'7' && fgetwc(file) == L'b' && fgetwc(file) == WEOF);
    fclose(file);
}

/* Between bytes and wide characters, with a limit or cut to what there is room for. */
static void conversions(void) {
    size_t count;
    wchar_t wide[4];
    char narrow[4];
    CHECK(mbstowcs_s(&count, wide, 4, "abc", 3) == 0 && count == 4 && wcscmp(wide, L"abc") == 0);
    CHECK(mbstowcs_s(&count, wide, 4, "abcd", _TRUNCATE) == STRUNCATE && count == 4 && wcscmp(wide, L"abc") == 0);
    CHECK(wcstombs_s(&count, narrow, 4, L"abcd", 4) == ERANGE && narrow[0] == 0);
    CHECK(wcstombs_s(&count, narrow, 4, L"abcd", 2) == 0 && count == 3 && strcmp(narrow, "ab") == 0);
    CHECK(wcstombs_s(&count, NULL, 0, L"abcd", 0) == 0 && count == 5);
    CHECK(wcstombs_s(NULL, narrow, 4, NULL, 4) == EINVAL);
}

/* What the headers of Winsock have of their own beyond functions of the library. */
static void addresses_and_errors(void) {
    struct in6_addr address = IN6ADDR_LOOPBACK_INIT;
    CHECK(IN6_IS_ADDR_LOOPBACK(&address) && IN6_ADDR_EQUAL(&address, &in6addr_loopback));
    CHECK(IN6_IS_ADDR_UNSPECIFIED(&in6addr_any) && !IN6_IS_ADDR_UNSPECIFIED(&address));
    CHECK(inet_pton(AF_INET6, "::ffff:1.2.3.4", &address) == 1 && IN6_IS_ADDR_V4MAPPED(&address));
    CHECK(inet_pton(AF_INET6, "fe80::1", &address) == 1 && IN6_IS_ADDR_LINKLOCAL(&address));
    CHECK(inet_pton(AF_INET6, "ff02::1", &address) == 1 && IN6_IS_ADDR_MULTICAST(&address));
    CHECK(!IN6_IS_ADDR_V4MAPPED(&address) && !IN6_IS_ADDR_LINKLOCAL(&address));
    CHECK(strcmp(gai_strerror(EAI_NONAME), "No such host is known. ") == 0);
    CHECK(wcscmp(gai_strerrorW(EAI_NONAME), L"No such host is known. ") == 0);
    WSASetLastError(WSAEFAULT);
    CHECK(h_errno == WSAEFAULT);
}

static void input(void) {
    char line[8];
    int number;
    CHECK(gets(line) == line && strcmp(line, "first") == 0);
    CHECK(gets_s(line, 8) == NULL && line[0] == 0);
    CHECK(gets_s(line, 8) == line && strcmp(line, "third") == 0);
    CHECK(scanf_s("%d", &number) == 1 && number == 42);
    CHECK(_getch() == '\n');
    CHECK(system("pause>nul") == 0 && system("title x & color 0a") == 0 && system("exit 3") != 0);
    CHECK(gets(line) == line && strcmp(line, "est") == 0);
    /* At the end there is nothing, and the buffer as it was. */
    CHECK(gets(line) == NULL && strcmp(line, "est") == 0);
}

/* Bytes and wide characters go to one file here, in order. */
static void output(void) {
    printf("%I64d ", 1LL << 40);
    wprintf(L"%s ", L"\x6c49");
    printf_s("%s ", "narrow");
    fputws(L"\x5b57", stdout);
    _putws(L".");
    fflush(stdout);
}

int main(void) {
    formats();
    strings();
    atomics();
    lists();
    the_rest();
    conversions();
    addresses_and_errors();
    input();
    output();
    return 0;
}
