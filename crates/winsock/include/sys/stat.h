/* glibc's, and Microsoft's names. */
#include_next <sys/stat.h>
#ifndef WS_SYS_STAT_H
#define WS_SYS_STAT_H

#define _stat stat
#define _fstat fstat
#define _stat64 stat
#define _stati64 stat
#define _fstat64 fstat
#define _S_IFMT S_IFMT
#define _S_IFDIR S_IFDIR
#define _S_IFREG S_IFREG
#define _S_IREAD S_IRUSR
#define _S_IWRITE S_IWUSR

#endif
