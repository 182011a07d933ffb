/* Before glibc's: `u_long` has 32 bits in Winsock. */
#ifndef WS_SYS_TYPES_H
#define WS_SYS_TYPES_H

#include <bits/types.h>

#ifndef __u_char_defined
typedef __u_char u_char;
typedef __u_short u_short;
typedef __u_int u_int;
typedef __u_int u_long;
typedef __quad_t quad_t;
typedef __u_quad_t u_quad_t;
typedef __fsid_t fsid_t;
typedef __loff_t loff_t;
#define __u_char_defined
#endif

#include_next <sys/types.h>

#endif
