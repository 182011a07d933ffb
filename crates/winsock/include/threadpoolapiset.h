/* The thread pool. There is one: environments and pools of the program's own mean it. */
#ifndef _THREADPOOLAPISET_H_
#define _THREADPOOLAPISET_H_

#include <minwinbase.h>

typedef struct _TP_CALLBACK_INSTANCE TP_CALLBACK_INSTANCE, *PTP_CALLBACK_INSTANCE;
typedef struct _TP_WORK TP_WORK, *PTP_WORK;
typedef struct _TP_WAIT TP_WAIT, *PTP_WAIT;
typedef struct _TP_TIMER TP_TIMER, *PTP_TIMER;
typedef struct _TP_IO TP_IO, *PTP_IO;
typedef struct _TP_POOL TP_POOL, *PTP_POOL;
typedef DWORD TP_WAIT_RESULT;

typedef struct _TP_CALLBACK_ENVIRON {
    PTP_POOL Pool;
} TP_CALLBACK_ENVIRON, *PTP_CALLBACK_ENVIRON;

typedef VOID(NTAPI *PTP_SIMPLE_CALLBACK)(PTP_CALLBACK_INSTANCE instance, PVOID context);
typedef VOID(NTAPI *PTP_WORK_CALLBACK)(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work);
typedef VOID(NTAPI *PTP_WAIT_CALLBACK)(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait,
                                       TP_WAIT_RESULT result);
typedef VOID(NTAPI *PTP_TIMER_CALLBACK)(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer);
typedef VOID(WINAPI *PTP_WIN32_IO_CALLBACK)(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped,
                                            ULONG result, ULONG_PTR bytes, PTP_IO io);

static __inline__ __attribute__((__unused__)) void InitializeThreadpoolEnvironment(PTP_CALLBACK_ENVIRON environment) {
    environment->Pool = NULL;
}
static __inline__ __attribute__((__unused__)) void SetThreadpoolCallbackPool(PTP_CALLBACK_ENVIRON environment,
                                                                             PTP_POOL pool) {
    environment->Pool = pool;
}
static __inline__ __attribute__((__unused__)) void DestroyThreadpoolEnvironment(PTP_CALLBACK_ENVIRON environment) {
    environment->Pool = NULL;
}

WS_BEGIN
WS_DECLARE(BOOL, TrySubmitThreadpoolCallback,
           (PTP_SIMPLE_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment));
WS_DECLARE(PTP_WORK, CreateThreadpoolWork,
           (PTP_WORK_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment));
WS_DECLARE(VOID, SubmitThreadpoolWork, (PTP_WORK work));
WS_DECLARE(VOID, WaitForThreadpoolWorkCallbacks, (PTP_WORK work, BOOL cancel));
WS_DECLARE(VOID, CloseThreadpoolWork, (PTP_WORK work));
WS_DECLARE(PTP_WAIT, CreateThreadpoolWait,
           (PTP_WAIT_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment));
WS_DECLARE(VOID, SetThreadpoolWait, (PTP_WAIT wait, HANDLE object, PFILETIME timeout));
WS_DECLARE(VOID, WaitForThreadpoolWaitCallbacks, (PTP_WAIT wait, BOOL cancel));
WS_DECLARE(VOID, CloseThreadpoolWait, (PTP_WAIT wait));
WS_DECLARE(PTP_TIMER, CreateThreadpoolTimer,
           (PTP_TIMER_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment));
WS_DECLARE(VOID, SetThreadpoolTimer, (PTP_TIMER timer, PFILETIME due, DWORD period, DWORD window));
WS_DECLARE(VOID, WaitForThreadpoolTimerCallbacks, (PTP_TIMER timer, BOOL cancel));
WS_DECLARE(VOID, CloseThreadpoolTimer, (PTP_TIMER timer));
WS_DECLARE(PTP_IO, CreateThreadpoolIo,
           (HANDLE file, PTP_WIN32_IO_CALLBACK callback, PVOID context, PTP_CALLBACK_ENVIRON environment));
WS_DECLARE(VOID, StartThreadpoolIo, (PTP_IO io));
WS_DECLARE(VOID, CancelThreadpoolIo, (PTP_IO io));
WS_DECLARE(VOID, WaitForThreadpoolIoCallbacks, (PTP_IO io, BOOL cancel));
WS_DECLARE(VOID, CloseThreadpoolIo, (PTP_IO io));
WS_DECLARE(PTP_POOL, CreateThreadpool, (PVOID reserved));
WS_DECLARE(VOID, CloseThreadpool, (PTP_POOL pool));
WS_DECLARE(VOID, SetThreadpoolThreadMaximum, (PTP_POOL pool, DWORD count));
WS_DECLARE(BOOL, SetThreadpoolThreadMinimum, (PTP_POOL pool, DWORD count));
WS_END

#endif
