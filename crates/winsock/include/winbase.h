/* The functions of the kernel. */
#ifndef _WINBASE_
#define _WINBASE_

#include <errhandlingapi.h>
#include <fileapi.h>
#include <handleapi.h>
#include <ioapiset.h>
#include <minwinbase.h>
#include <processthreadsapi.h>
#include <synchapi.h>
#include <heapapi.h>
#include <sysinfoapi.h>
#include <ws_lstr.h>

#endif
