/* glibc's, and Microsoft's names of the flags. */
#include_next <fcntl.h>
#ifndef WS_FCNTL_H
#define WS_FCNTL_H

#define _O_RDONLY O_RDONLY
#define _O_WRONLY O_WRONLY
#define _O_RDWR O_RDWR
#define _O_APPEND O_APPEND
#define _O_CREAT O_CREAT
#define _O_TRUNC O_TRUNC
#define _O_EXCL O_EXCL
/* Files are read and written as they are: these say nothing here. */
#define _O_BINARY 0
#define _O_TEXT 0x4000000
#define _O_WTEXT 0x4010000
#define _O_U16TEXT 0x4020000
#define _O_U8TEXT 0x4040000
#define _O_SEQUENTIAL 0
#define _O_RANDOM 0
#define _O_NOINHERIT O_CLOEXEC
#define O_BINARY _O_BINARY
#define O_TEXT 0

#endif
