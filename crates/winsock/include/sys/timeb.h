/* glibc's, and Microsoft's names. */
#include_next <sys/timeb.h>
#ifndef WS_SYS_TIMEB_H
#define WS_SYS_TIMEB_H

#define _timeb timeb
#define __timeb64 timeb
#define _ftime(result) ((void)ftime(result))
#define _ftime64(result) ((void)ftime(result))
#define _ftime_s(result) (ftime(result))
#define _ftime64_s(result) (ftime(result))

#endif
