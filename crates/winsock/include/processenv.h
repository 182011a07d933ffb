/* The command line. */
#ifndef _PROCESSENV_
#define _PROCESSENV_

#include <minwindef.h>

WS_BEGIN
WS_DECLARE(LPSTR, GetCommandLineA, (void));
WS_DECLARE(LPWSTR, GetCommandLineW, (void));
WS_END

#ifdef UNICODE
#define GetCommandLine GetCommandLineW
#else
#define GetCommandLine GetCommandLineA
#endif

#endif
