/* glibc's, and the signal of Ctrl+Break, which nothing raises here. */
#include_next <signal.h>
#ifndef WS_SIGNAL_H
#define WS_SIGNAL_H

/* One that the system leaves to programs. */
#define SIGBREAK SIGUSR2

#endif
