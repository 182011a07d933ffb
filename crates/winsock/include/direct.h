/* Directories. */
#ifndef _INC_DIRECT
#define _INC_DIRECT

#include <corecrt.h>

WS_BEGIN
WS_DECLARE(int, _chdir, (const char *path));
WS_DECLARE(int, _mkdir, (const char *path));
WS_DECLARE(int, _rmdir, (const char *path));
WS_ALIAS(char *, _getcwd, getcwd, (char *buffer, size_t size));
WS_END

#endif
