/* Files by descriptors. */
#ifndef _INC_IO
#define _INC_IO

#include <corecrt.h>
#include <unistd.h>

WS_BEGIN
WS_DECLARE(int, _access, (const char *path, int mode));
WS_ALIAS(int, _chmod, chmod, (const char *path, int mode));
WS_ALIAS(int, _close, close, (int fd));
WS_ALIAS(int, _commit, fsync, (int fd));
WS_ALIAS(int, _creat, creat, (const char *path, int mode));
WS_ALIAS(int, _dup, dup, (int fd));
WS_ALIAS(int, _dup2, dup2, (int fd, int other));
WS_ALIAS(int, _isatty, isatty, (int fd));
WS_ALIAS(int, _open, open, (const char *path, int flags, ...));
/* In <stdio.h>, too. */
WS_ALIAS(int, _unlink, ws__unlink, (const char *path));
WS_ALIAS(char *, _mktemp, mktemp, (char *template_));
WS_ALIAS(long long, _lseeki64, lseek, (int fd, long long offset, int origin));
WS_ALIAS(long, _lseek, lseek, (int fd, long offset, int origin));
WS_ALIAS(long, ws_io_read, read, (int fd, void *buffer, size_t count));
WS_ALIAS(long, ws_io_write, write, (int fd, const void *buffer, size_t count));
WS_ALIAS(int, ws_io_truncate, ftruncate, (int fd, long size));

WS_INLINE int _read(int fd, void *buffer, unsigned int count) { return (int)ws_io_read(fd, buffer, count); }
WS_INLINE int _write(int fd, const void *buffer, unsigned int count) { return (int)ws_io_write(fd, buffer, count); }
WS_INLINE int _chsize(int fd, long size) { return ws_io_truncate(fd, size); }
WS_INLINE errno_t _access_s(const char *path, int mode) { return _access(path, mode) == 0 ? 0 : errno; }
WS_INLINE long long _telli64(int fd) { return _lseeki64(fd, 0, 1); }
WS_INLINE long _tell(int fd) { return _lseek(fd, 0, 1); }
WS_INLINE long long _filelengthi64(int fd) {
    long long here = _lseeki64(fd, 0, 1);
    long long end = _lseeki64(fd, 0, 2);
    _lseeki64(fd, here, 0);
    return end;
}
WS_INLINE long _filelength(int fd) { return (long)_filelengthi64(fd); }
/* Accepted: text is as it is, in UTF-8. Gives the mode that Windows starts with, _O_TEXT. */
WS_INLINE int _setmode(int fd, int mode) {
    (void)fd;
    (void)mode;
    return 0x4000000;
}
WS_INLINE int setmode(int fd, int mode) { return _setmode(fd, mode); }
WS_END

#endif
