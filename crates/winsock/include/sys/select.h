/* In place of glibc's, whose fd_set and select are not Winsock's: its types only, for those who include it. */
#ifndef _SYS_SELECT_H
#define _SYS_SELECT_H 1

#include <features.h>

#include <bits/types.h>
#include <bits/types/__sigset_t.h>
#include <bits/types/struct_timespec.h>
#include <bits/types/struct_timeval.h>
#include <bits/types/sigset_t.h>
#include <bits/types/time_t.h>

#ifndef __suseconds_t_defined
typedef __suseconds_t suseconds_t;
#define __suseconds_t_defined
#endif

#endif
