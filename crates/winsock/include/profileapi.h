/* A clock to measure with. */
#ifndef _PROFILEAPI_H_
#define _PROFILEAPI_H_

#include <minwinbase.h>

WS_BEGIN
WS_DECLARE(BOOL, QueryPerformanceCounter, (LARGE_INTEGER * count));
WS_DECLARE(BOOL, QueryPerformanceFrequency, (LARGE_INTEGER * frequency));
WS_END

#endif
