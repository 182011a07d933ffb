/* What Windows's own windows.h brings, as far as there is something of it here. */
#ifndef _WINDOWS_
#define _WINDOWS_

#include <minwindef.h>
#include <winnt.h>
#include <winbase.h>
#include <winerror.h>
#include <wingdi.h>
#include <wincon.h>
#include <winnls.h>
#include <winuser.h>

#ifndef WIN32_LEAN_AND_MEAN
#include <mmsystem.h>
#include <shellapi.h>
#include <winsock.h>
#endif

#endif
