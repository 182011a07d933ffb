/* Times by the calendar. */
#ifndef _TIMEZONEAPI_H_
#define _TIMEZONEAPI_H_

#include <minwinbase.h>

WS_BEGIN
WS_DECLARE(BOOL, FileTimeToSystemTime, (const FILETIME *file_time, LPSYSTEMTIME system_time));
WS_DECLARE(BOOL, SystemTimeToFileTime, (const SYSTEMTIME *system_time, LPFILETIME file_time));
WS_DECLARE(BOOL, FileTimeToLocalFileTime, (const FILETIME *file_time, LPFILETIME local));
WS_DECLARE(BOOL, LocalFileTimeToFileTime, (const FILETIME *local, LPFILETIME file_time));
WS_END

#endif
