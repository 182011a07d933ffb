/* The keyboard, without waiting for Enter, and without showing what is typed. */
#ifndef _INC_CONIO
#define _INC_CONIO

#include <stdio.h>

WS_BEGIN
/* The next key of the terminal. At the end of the input -1, where Windows has no end. */
WS_DECLARE(int, _getch, (void));
WS_DECLARE(int, _getche, (void));
/* Whether a key waits. */
WS_DECLARE(int, _kbhit, (void));
WS_DECLARE(int, _putch, (int character));
WS_ALIAS(int, getch, ws__getch, (void));
WS_ALIAS(int, getche, ws__getche, (void));
WS_ALIAS(int, kbhit, ws__kbhit, (void));
WS_ALIAS(int, putch, ws__putch, (int character));
WS_INLINE int _cputs(const char *text) { return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? -1 : 0; }
WS_INLINE int _cprintf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
    return length;
}
WS_END

#endif
