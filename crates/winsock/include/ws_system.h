/* Before glibc's <stdlib.h>: `system` knows what sources ask of Windows's shell, `pause` and `cls` above all. */
#ifndef WS_SYSTEM_H
#define WS_SYSTEM_H

#include <ws_declare.h>

WS_BEGIN
WS_DECLARE(int, system, (const char *command));
WS_END

#endif
