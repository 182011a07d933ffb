/* glibc's, and what Microsoft's has beyond. */
#include_next <locale.h>
#ifndef WS_LOCALE_H
#define WS_LOCALE_H

#include <corecrt.h>

WS_BEGIN
/* As setlocale, with names of ASCII; the answer lasts until the thread's next call. */
WS_INLINE wchar_t *_wsetlocale(int category, const wchar_t *locale) {
    static __thread wchar_t answer[256];
    char name[256];
    size_t i = 0;
    for (; locale != 0 && i < sizeof name - 1 && locale[i] != 0; i++) {
        name[i] = locale[i] < 0x80 ? (char)locale[i] : '?';
    }
    name[i] = 0;
    const char *result = setlocale(category, locale == 0 ? 0 : name);
    if (result == 0) {
        return 0;
    }
    for (i = 0; i < 255 && result[i] != 0; i++) {
        answer[i] = (unsigned char)result[i];
    }
    answer[i] = 0;
    return answer;
}
WS_END

#endif
