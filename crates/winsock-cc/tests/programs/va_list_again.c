/* A va_list is a value on Windows: each function that gets one reads the arguments from where the caller is. */
#define STRSAFE_NO_DEPRECATE
#include <WinSock2.h>
#include <Windows.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strsafe.h>
#include <wchar.h>

#define ROOM 100

static void line(const char *what, int length, const char *text) { printf("%s: %d %s\n", what, length, text); }

static void wide_line(const char *what, int length, const wchar_t *text) { printf("%s: %d %ls\n", what, length, text); }

/* Every function of the library twice, by one va_list. */
static void print_all(const char *format, ...) {
    char text[ROOM], small[8];
    char *exact;
    int length, i;
    va_list ap;
    va_start(ap, format);
    for (i = 0; i < 2; i++) {
        vprintf(format, ap);
        vfprintf(stdout, format, ap);
        length = vsprintf(text, format, ap);
        line("vsprintf", length, text);
        length = vsnprintf(text, sizeof text, format, ap);
        line("vsnprintf", length, text);
        length = _vsnprintf(text, sizeof text, format, ap);
        line("_vsnprintf", length, text);
        length = vsprintf_s(text, sizeof text, format, ap);
        line("vsprintf_s", length, text);
        length = _vsnprintf_s(text, sizeof text, _TRUNCATE, format, ap);
        line("_vsnprintf_s", length, text);
        length = wvsprintfA(text, "%s %d", ap);
        line("wvsprintfA", length, text);
        length = (int)StringCchVPrintfA(text, ROOM, format, ap);
        line("StringCchVPrintfA", length, text);
        length = (int)StringCbVPrintfA(text, sizeof text, format, ap);
        line("StringCbVPrintfA", length, text);
        /* As in Microsoft's example of _vscprintf. */
        length = _vsnprintf(small, sizeof small, format, ap);
        if (length < 0)
            length = _vscprintf(format, ap);
        exact = malloc((size_t)length + 1);
        vsprintf_s(exact, (size_t)length + 1, format, ap);
        line("exact", length, exact);
        free(exact);
    }
    va_end(ap);
}

static void print_all_wide(const wchar_t *format, ...) {
    wchar_t text[ROOM];
    int length, i;
    va_list ap;
    va_start(ap, format);
    for (i = 0; i < 2; i++) {
        length = _vsnwprintf(text, ROOM, format, ap);
        wide_line("_vsnwprintf", length, text);
        length = _vscwprintf(format, ap);
        wide_line("_vscwprintf", length, L"");
        length = vswprintf_s(text, ROOM, format, ap);
        wide_line("vswprintf_s", length, text);
        length = _vsnwprintf_s(text, ROOM, _TRUNCATE, format, ap);
        wide_line("_vsnwprintf_s", length, text);
        length = wvsprintfW(text, L"%d", ap);
        wide_line("wvsprintfW", length, text);
        length = (int)StringCchVPrintfW(text, ROOM, format, ap);
        wide_line("StringCchVPrintfW", length, text);
        length = (int)StringCbVPrintfW(text, sizeof text, format, ap);
        wide_line("StringCbVPrintfW", length, text);
        vwprintf(format, ap);
        vfwprintf(stdout, format, ap);
        wprintf(L"\n");
    }
    va_end(ap);
}

static void scan_all(int *a, int *b, const char *format, ...) {
    FILE *file;
    int count, i;
    va_list ap;
    va_start(ap, format);
    for (i = 0; i < 2; i++) {
        count = vsscanf("1 2", format, ap);
        printf("vsscanf: %d %d %d\n", count, *a, *b);
        count = vswscanf(L"3 4", L"%d %d", ap);
        printf("vswscanf: %d %d %d\n", count, *a, *b);
        file = fopen("numbers.txt", "w+");
        fputs("5 6", file);
        rewind(file);
        count = vfscanf(file, format, ap);
        printf("vfscanf: %d %d %d\n", count, *a, *b);
        fclose(file);
    }
    remove("numbers.txt");
    va_end(ap);
}

/* The program's own functions. */
static int sum(int count, va_list ap) {
    int result = 0;
    while (count-- > 0)
        result += va_arg(ap, int);
    return result;
}

static int next(va_list *ap) { return va_arg(*ap, int); }

static int sum_by_address(int count, va_list ap) {
    int result = 0;
    while (count-- > 0)
        result += next(&ap);
    return result;
}

struct list {
    int count;
    va_list ap;
};

static int first_two(struct list list) {
    int a = va_arg(list.ap, int);
    return 10 * a + va_arg(list.ap, int);
}

struct call {
    int count;
    void *arguments;
};

static int sum_of_call(void *context) {
    struct call *call = context;
    return sum(call->count, call->arguments);
}

static int use_all(int count, va_list ap) {
    struct list list;
    struct call call;
    va_list again = ap, copied, later = NULL, none;
    int first, second;
    memcpy(&copied, &ap, sizeof copied);
    list.count = call.count = count;
    list.ap = ap;
    call.arguments = ap;
    printf("call %d %d, ", sum_of_call(&call), sum_of_call(&call));
    first = va_arg(ap, int);
    second = next(&ap);
    printf("%d %d", first, second);
    printf(", again %d", va_arg(again, int));
    again = ap;
    printf(" %d", va_arg(again, int));
    printf(", copied %d", sum(count, copied));
    later = list.ap;
    none = NULL;
    (void)none;
    printf(", later %d", va_arg(later, int));
    printf(", struct %d %d", first_two(list), first_two(list));
    va_copy(again, ap);
    printf(", rest %d %d\n", sum(count - 2, again), sum(count - 2, ap));
    return sum(count - 2, ap);
}

static int average(int count, ...) {
    int (*pointer)(int, va_list) = sum;
    int result;
    va_list ap;
    va_start(ap, count);
    printf("sums %d %d %d %d\n", sum(count, ap), sum(count, ap), sum_by_address(count, ap), pointer(count, ap));
    result = use_all(count, ap) + use_all(count, ap);
    result = (result + sum(count, ap)) / count;
    printf("first %d\n", next(&ap));
    printf("second %d\n", sum(1, ap));
    printf("second %d\n", va_arg(ap, int));
    va_end(ap);
    return result;
}

/* A log's two outputs. */
static void log_to(char *place, const char *format, va_list ap) {
    size_t length = strlen(place);
    _vsnprintf_s(place + length, ROOM - length, _TRUNCATE, format, ap);
}

static void log_message(const char *format, ...) {
    char text[ROOM] = "";
    va_list ap;
    va_start(ap, format);
    log_to(text, format, ap);
    log_to(text, format, ap);
    log_to(text, "no arguments", NULL);
    va_end(ap);
    printf("%s\n", text);
}

int main(void) {
    int a = 0, b = 0;
    print_all("%s %d %.1f %c|", "text", 1234567890, 2.5, 'x');
    print_all_wide(L"%d %.1f %d|", 7, 0.5, 8);
    scan_all(&a, &b, "%d %d", &a, &b);
    printf("%d\n", average(9, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    log_message("%d %s %.2f;", 1, "two", 3.0);
    return 0;
}
