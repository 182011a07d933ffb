/* Directories. */
#ifndef _INC_DIRECT
#define _INC_DIRECT

#include <corecrt.h>

WS_BEGIN
WS_ALIAS(int, _chdir, chdir, (const char *path));
WS_ALIAS(int, _rmdir, rmdir, (const char *path));
WS_ALIAS(char *, _getcwd, getcwd, (char *buffer, size_t size));
WS_ALIAS(int, ws_io_mkdir, mkdir, (const char *path, unsigned int mode));
WS_INLINE int _mkdir(const char *path) { return ws_io_mkdir(path, 0777); }
WS_END

#endif
