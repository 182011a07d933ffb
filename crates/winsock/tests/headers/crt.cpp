// Overloads and templates of the headers, and libstdc++ beside them.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <winsock2.h>
#include <strsafe.h>
#include <tchar.h>

using namespace std;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

struct Session : OVERLAPPED {
    int number;
    __forceinline int twice() { return number * 2; }
};

int main() {
    char text[8];
    wchar_t wide[8];
    CHECK(strcpy_s(text, "abc") == 0 && strcat_s(text, "def") == 0 && strcmp(text, "abcdef") == 0);
    CHECK(strcat_s(text, "ghi") == ERANGE && strncpy_s(text, "abcdef", 2) == 0 && strcmp(text, "ab") == 0);
    CHECK(sprintf_s(text, "%d", 12) == 2 && sprintf_s(text, 8, "%d", 123) == 3 && strcmp(text, "123") == 0);
    CHECK(wcscpy_s(wide, L"abc") == 0 && swprintf_s(wide, L"%s!", L"xyz") == 4 && wcscmp(wide, L"xyz!") == 0);
    CHECK(_itoa_s(77, text, 10) == 0 && strcmp(text, "77") == 0);
    // libstdc++ prints by these functions as well, and means 64 bits by `long`.
    CHECK(to_wstring(5000000000L) == L"5000000000" && to_wstring(18446744073709551615UL) == L"18446744073709551615");
    CHECK(to_string(5000000000L) == "5000000000" && to_string(1.5) == "1.500000" && to_wstring(1.5) == L"1.500000");

    int (*print)(const char *, ...) = std::printf;
    print("%S ", L"\x6c49");
    std::printf("%" PRId64 "\n", INT64_C(5000000000));

    long count = 0;
    LONG narrow = 0;
    unsigned long unsigned_count = 0;
    thread other([&] {
        for (int i = 0; i < 1000; i++) {
            InterlockedIncrement(&count);
            ::InterlockedIncrement(&narrow);
            InterlockedExchangeAdd(&unsigned_count, 2);
        }
    });
    for (int i = 0; i < 1000; i++) {
        InterlockedIncrement(&count);
        InterlockedIncrement(&narrow);
        InterlockedExchangeAdd(&unsigned_count, 2);
    }
    other.join();
    CHECK(count == 2000 && narrow == 2000 && unsigned_count == 4000);

    Session session = {};
    session.number = 21;
    OVERLAPPED *overlapped = &session;
    CHECK(static_cast<Session *>(overlapped)->twice() == 42);
    CHECK(min(1, 2) == 1 && max(DWORD(3), DWORD(2)) == 3 && std::min(4, 5) == 4);
    return 0;
}
