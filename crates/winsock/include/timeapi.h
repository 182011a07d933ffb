/* The clock of the multimedia functions. */
#ifndef _TIMEAPI_H_
#define _TIMEAPI_H_

#include <minwindef.h>

#define TIMERR_NOERROR 0
typedef UINT MMRESULT;

WS_BEGIN
WS_DECLARE(DWORD, timeGetTime, (void));
WS_DECLARE(MMRESULT, timeBeginPeriod, (UINT period));
WS_DECLARE(MMRESULT, timeEndPeriod, (UINT period));
WS_END

#endif
