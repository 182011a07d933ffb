/* Where programs begin that have no `main`: libwinsock_main.a, from which the linker takes this only if nothing else
 * defines `main`. Calls what the program has instead, by weak references. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define WEAK __attribute__((__weak__))

extern int wmain(int, wchar_t **, wchar_t **) WEAK;
extern int WinMain(void *, void *, char *, int) WEAK;
extern int wWinMain(void *, void *, wchar_t *, int) WEAK;
/* As winsock-cc calls a `main` and a `wmain` that return nothing. */
extern void ws_void_main(int, char **, char **) WEAK;
extern void ws_void_wmain(int, wchar_t **, wchar_t **) WEAK;
extern void *ws_GetModuleHandleA(const char *) WEAK;
extern const char __executable_start WEAK;

#define SW_SHOWNORMAL 1

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        abort();
    }
    return memory;
}

/* How many bytes follow the first one of a character in UTF-8; -1 if it cannot be a first one. */
static int following(unsigned char first) {
    if (first < 0x80) {
        return 0;
    }
    if (first < 0xc2 || first > 0xf4) {
        return -1;
    }
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* UTF-8 to UTF-32, whatever the locale; what is no UTF-8 becomes U+FFFD. */
static wchar_t *widen(const char *text) {
    const unsigned char *from = (const unsigned char *)text;
    wchar_t *wide = allocate(strlen(text) + 1, sizeof(wchar_t)), *to = wide;
    while (*from) {
        int more = following(*from), seen = 0;
        wchar_t value = more <= 0 ? *from : *from & (0x3f >> more);
        while (seen < more && (from[1 + seen] & 0xc0) == 0x80) {
            value = value << 6 | (from[1 + seen++] & 0x3f);
        }
        *to++ = seen == more ? value : 0xfffd;
        from += 1 + seen;
    }
    return wide;
}

static wchar_t **widen_all(int count, char **texts) {
    wchar_t **wide = allocate((size_t)count + 1, sizeof(wchar_t *));
    for (int i = 0; i < count; i++) {
        wide[i] = widen(texts[i]);
    }
    return wide;
}

static int count_of(char **texts) {
    int count = 0;
    while (texts[count]) {
        count++;
    }
    return count;
}

/* The arguments as one line, those with blanks in quotes. */
static char *command_line(int argc, char **argv) {
    size_t length = 1;
    for (int i = 1; i < argc; i++) {
        length += strlen(argv[i]) + 3;
    }
    char *line = allocate(length, 1), *to = line;
    for (int i = 1; i < argc; i++) {
        const char *quote = *argv[i] && !strpbrk(argv[i], " \t") ? "" : "\"";
        to = stpcpy(stpcpy(stpcpy(stpcpy(to, i > 1 ? " " : ""), quote), argv[i]), quote);
    }
    return line;
}

/* What programs are given lives as long as the process: kept here, so that LeakSanitizer finds it. */
static wchar_t **arguments, **environment, *wide_line;
static char *line;

int main(int argc, char **argv, char **envp) {
    if (ws_void_main) {
        ws_void_main(argc, argv, envp);
        return 0;
    }
    if (wmain) {
        arguments = widen_all(argc, argv);
        environment = widen_all(count_of(envp), envp);
        return wmain(argc, arguments, environment);
    }
    if (ws_void_wmain) {
        arguments = widen_all(argc, argv);
        environment = widen_all(count_of(envp), envp);
        ws_void_wmain(argc, arguments, environment);
        return 0;
    }
    void *module = ws_GetModuleHandleA ? ws_GetModuleHandleA(NULL) : (void *)&__executable_start;
    if (WinMain) {
        line = command_line(argc, argv);
        return WinMain(module, NULL, line, SW_SHOWNORMAL);
    }
    if (wWinMain) {
        line = command_line(argc, argv);
        wide_line = widen(line);
        return wWinMain(module, NULL, wide_line, SW_SHOWNORMAL);
    }
    static const char message[] = "no main, wmain, WinMain or wWinMain in this program\n";
    return write(STDERR_FILENO, message, sizeof message - 1) < 0 ? 126 : 127;
}
