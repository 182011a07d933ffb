// Data that one thread hands to another by each primitive. `hand_over NAME` does it right; `hand_over NAME race` changes the
// data once more when they have been handed over, which is a race of this program's own.
#include <winsock2.h>
#include <mswsock.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <malloc.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool racing;
static int *data;

static void Fail(const char *what) {
    printf("%s: error %lu\n", what, (unsigned long)GetLastError());
    fflush(stdout);
    _exit(1);
}

static void Check(bool ok, const char *what) {
    if (!ok) {
        Fail(what);
    }
}

// The three things that a case does: one thread writes, gives, and may write when it must not; another reads what it was
// given, and writes too.
static void Write() {
    *data = 42;
}
static void Meddle() {
    if (racing) {
        *data = 43;
    }
}
static void Read() {
    Check(*data == 42 || racing, "the data");
    *data = *data + 1;
}

static HANDLE object, second;
static CRITICAL_SECTION section;
static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE condition = CONDITION_VARIABLE_INIT;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static SYNCHRONIZATION_BARRIER barrier;
static LONG word;
static volatile LONG flag;
static bool ready;

static void WaitFor(HANDLE handle) {
    Check(WaitForSingleObject(handle, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
}

// Objects behind handles.

static void NewEvent() { object = CreateEvent(NULL, FALSE, FALSE, NULL); }
static void SetIt() { Write(); SetEvent(object); Meddle(); }
static void WaitIt() { WaitFor(object); Read(); }

static void NewWsaEvent() { object = WSACreateEvent(); }
static void SetWsaEvent() { Write(); WSASetEvent(object); Meddle(); }
static void WaitWsaEvent() {
    Check(WSAWaitForMultipleEvents(1, &object, FALSE, WSA_INFINITE, FALSE) == WSA_WAIT_EVENT_0, "wait");
    Read();
}

static void NewNamed() {
    char name[64];
    sprintf(name, "hand over %lu", (unsigned long)GetCurrentProcessId());
    object = CreateEventA(NULL, FALSE, FALSE, name);
    wchar_t wide[64];
    for (int i = 0; i < 64; i++) wide[i] = name[i];
    second = OpenEventW(EVENT_ALL_ACCESS, FALSE, wide);
    Check(object && second && object != second, "a name");
}
static void NewDuplicate() {
    NewEvent();
    Check(DuplicateHandle(GetCurrentProcess(), object, GetCurrentProcess(), &second, 0, FALSE, DUPLICATE_SAME_ACCESS),
          "DuplicateHandle");
}
static void WaitSecond() { WaitFor(second); Read(); }

static void NewSemaphore() { object = CreateSemaphore(NULL, 0, 5, NULL); }
static void ReleaseIt() { Write(); ReleaseSemaphore(object, 1, NULL); Meddle(); }

static void NewMutex() { object = CreateMutex(NULL, FALSE, NULL); }
static void UnderMutex() {
    WaitFor(object); Write(); ready = true; ReleaseMutex(object);
    Meddle();
}
static void WaitMutex() {
    for (bool done = false; !done; Sleep(0)) {
        WaitFor(object);
        if ((done = ready)) Read();
        ReleaseMutex(object);
    }
}
// A thread that ends leaves its mutex to the next. What takes it is in order with all threads that have ended, so the one
// that meddles ends last.
static HANDLE was_read;
static void NewOwned() {
    NewMutex();
    second = CreateEvent(NULL, TRUE, FALSE, NULL);
    was_read = CreateEvent(NULL, TRUE, FALSE, NULL);
}
static unsigned __stdcall OwnAndEnd(void *) { WaitFor(object); Write(); return 0; }
static void Abandon() {
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, OwnAndEnd, NULL, 0, NULL);
    while (WaitForSingleObject(thread, 0) != WAIT_OBJECT_0) Sleep(1);
    SetEvent(second);
    Meddle();
    WaitFor(was_read);
}
static void TakeAbandoned() {
    WaitFor(second);
    Check(WaitForSingleObject(object, INFINITE) == WAIT_ABANDONED, "abandoned");
    Read();
    SetEvent(was_read);
}

static void NewTwo() { NewEvent(); second = CreateEvent(NULL, FALSE, FALSE, NULL); }
static void SignalAndWait() {
    Write();
    Check(SignalObjectAndWait(object, second, INFINITE, FALSE) == WAIT_OBJECT_0, "SignalObjectAndWait");
    Check(*data == 43 || racing, "what came back");
}
static void WaitAndSignal() { WaitFor(object); Read(); SetEvent(second); Meddle(); }
static void SetBoth() { Write(); SetEvent(object); SetEvent(second); Meddle(); }
static void WaitBoth() {
    HANDLE both[] = {object, second};
    Check(WaitForMultipleObjects(2, both, TRUE, INFINITE) == WAIT_OBJECT_0, "both");
    Read();
}
static void WaitSecondOfTwo() {
    HANDLE both[] = {CreateEvent(NULL, FALSE, FALSE, NULL), object};
    Check(WaitForMultipleObjectsEx(2, both, FALSE, INFINITE, TRUE) == WAIT_OBJECT_0 + 1, "one of two");
    Read();
}
static void NewTimer() { object = CreateWaitableTimer(NULL, FALSE, NULL); }
static void SetTimerNow() {
    LARGE_INTEGER now;
    now.QuadPart = -1;
    Write();
    SetWaitableTimer(object, &now, 0, NULL, NULL, FALSE);
    Meddle();
}

// Locks.

static void NewSection() { InitializeCriticalSection(&section); }
static void InSection() {
    EnterCriticalSection(&section); Write(); ready = true; LeaveCriticalSection(&section);
    Meddle();
}
static void TrySection() {
    for (bool done = false; !done; Sleep(0)) {
        if (!TryEnterCriticalSection(&section)) continue;
        if ((done = ready)) Read();
        LeaveCriticalSection(&section);
    }
}
static void GiveSection() {
    EnterCriticalSection(&section); Write(); ready = true; LeaveCriticalSection(&section);
    WakeConditionVariable(&condition);
    Meddle();
}
static void SleepSection() {
    EnterCriticalSection(&section);
    while (!ready) SleepConditionVariableCS(&condition, &section, INFINITE);
    Read();
    LeaveCriticalSection(&section);
}
static void Nothing() {}
static void InLock() {
    AcquireSRWLockExclusive(&lock); Write(); ready = true; ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&condition);
    Meddle();
}
static void TryLock() {
    for (bool done = false; !done; Sleep(0)) {
        if (!TryAcquireSRWLockExclusive(&lock)) continue;
        if ((done = ready)) Read();
        ReleaseSRWLockExclusive(&lock);
    }
}
static void SharedLock() {
    for (bool done = false; !done; Sleep(0)) {
        AcquireSRWLockShared(&lock);
        if ((done = ready)) Read();
        ReleaseSRWLockShared(&lock);
    }
}
static void SleepLock() {
    AcquireSRWLockExclusive(&lock);
    while (!ready) SleepConditionVariableSRW(&condition, &lock, INFINITE, 0);
    Read();
    ReleaseSRWLockExclusive(&lock);
}
static BOOL CALLBACK First(PINIT_ONCE, PVOID parameter, PVOID *) {
    Check(parameter == &word, "the parameter");
    if (*data == 0) Write();
    return TRUE;
}
static void DoOnce() { InitOnceExecuteOnce(&once, First, &word, NULL); Meddle(); }
static void DoneOnce() { InitOnceExecuteOnce(&once, First, &word, NULL); Check(*data == 42 || racing, "once"); }
static void BeginOnce() {
    BOOL pending;
    Check(InitOnceBeginInitialize(&once, 0, &pending, NULL), "InitOnceBeginInitialize");
    if (pending) {
        Write();
        InitOnceComplete(&once, 0, NULL);
    }
    Check(*data == 42 || racing, "once");
}
static void BeginOnceFirst() { BeginOnce(); Meddle(); }
static void NewBarrier() { InitializeSynchronizationBarrier(&barrier, 2, -1); }
static void MeetAfter() { Write(); EnterSynchronizationBarrier(&barrier, 0); Meddle(); }
static void MeetBefore() { EnterSynchronizationBarrier(&barrier, 0); Read(); }
static void ChangeWord() { Write(); InterlockedExchange(&word, 1); WakeByAddressAll(&word); Meddle(); }
static void WaitWord() {
    LONG zero = 0;
    while (InterlockedCompareExchange(&word, 0, 0) == 0) WaitOnAddress(&word, &zero, sizeof word, INFINITE);
    Read();
}
static void SetFlag() { Write(); flag = 1; Meddle(); }
static void SpinFlag() { while (flag == 0) Sleep(0); Read(); }

struct Entry { SLIST_ENTRY link; int *what; };
static SLIST_HEADER list;
static void NewList() { InitializeSListHead(&list); }
static void Push() {
    Entry *entry = (Entry *)_aligned_malloc(sizeof *entry, 16);
    entry->what = data;
    Write();
    InterlockedPushEntrySList(&list, &entry->link);
    Meddle();
}
static void Pop() {
    PSLIST_ENTRY entry;
    while (!(entry = InterlockedPopEntrySList(&list))) QueryDepthSList(&list);
    Check(((Entry *)entry)->what == data, "the entry");
    _aligned_free(entry);
    Read();
}
static LONG64 __attribute__((aligned(16))) wide[2];
static void Exchange128() {
    LONG64 was[2] = {0, 0};
    Write();
    Check(InterlockedCompareExchange128(wide, 1, 1, was), "128 bits");
    Meddle();
}
static void Spin128() {
    LONG64 is[2] = {1, 1};
    while (!InterlockedCompareExchange128(wide, 2, 2, is)) is[0] = is[1] = 1;
    Read();
}

// Threads.

static unsigned __stdcall WriteAndEnd(void *) { Write(); return 7; }
static unsigned __stdcall WriteAndExit(void *) { Write(); _endthreadex(7); return 0; }
static DWORD WINAPI WriteSuspended(void *) { Read(); return 0; }
static void StartAndJoin(unsigned(__stdcall *start)(void *)) {
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, start, NULL, 0, NULL);
    if (racing) *data = 44;
    WaitFor(thread);
    Read();
    CloseHandle(thread);
}
static void JoinEnd() { StartAndJoin(WriteAndEnd); }
static void JoinExit() { StartAndJoin(WriteAndExit); }
static void JoinCode() {
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, WriteAndEnd, NULL, 0, NULL);
    if (racing) *data = 44;
    DWORD code = STILL_ACTIVE;
    while (code == STILL_ACTIVE) Check(GetExitCodeThread(thread, &code), "GetExitCodeThread");
    Read();
}
static void Resume() {
    HANDLE thread = CreateThread(NULL, 0, WriteSuspended, NULL, CREATE_SUSPENDED, NULL);
    Write();
    ResumeThread(thread);
    Meddle();
    WaitFor(thread);
}
static void CALLBACK Called(ULONG_PTR parameter) {
    Check(parameter == 5, "the parameter");
    Read();
}
static void NewAlertable() { NewEvent(); ready = false; }
static void QueueRoutine() {
    WaitFor(object);
    Write();
    Check(QueueUserAPC(Called, second, 5) != 0, "QueueUserAPC");
    Meddle();
}
static void BeAlertable() {
    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &second, 0, FALSE,
                    DUPLICATE_SAME_ACCESS);
    SetEvent(object);
    Check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");
}
static DWORD reader;
static void PostToThread() {
    WaitFor(object);
    Write();
    Check(PostThreadMessage(reader, WM_USER + 1, 1, (LPARAM)data), "PostThreadMessage");
    Meddle();
}
static void GetFromThread() {
    MSG msg;
    PeekMessage(&msg, NULL, 0, 0, PM_NOREMOVE);
    reader = GetCurrentThreadId();
    SetEvent(object);
    Check(GetMessage(&msg, NULL, 0, 0) && msg.lParam == (LPARAM)data, "GetMessage");
    Read();
}

// Completion ports.

static void NewPort() { object = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0); }
static void Post() { Write(); PostQueuedCompletionStatus(object, 1, 2, (LPOVERLAPPED)3); Meddle(); }
static void Get() {
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    Check(GetQueuedCompletionStatus(object, &bytes, &key, &overlapped, INFINITE) && key == 2, "a packet");
    Read();
}
static void GetMany() {
    OVERLAPPED_ENTRY entries[4];
    ULONG count;
    Check(GetQueuedCompletionStatusEx(object, entries, 4, &count, INFINITE, FALSE) && count == 1, "packets");
    Read();
}

// Sockets. An operation belongs to a record that the thread writes which starts it.
struct Record {
    OVERLAPPED overlapped;
    int *what;
    WSABUF buffer;
    char bytes[256];
};
static SOCKET listener, near_end, far_end;
static Record *record;

static Record *NewRecord() {
    Record *made = (Record *)calloc(1, sizeof(Record));
    made->what = data;
    made->buffer.buf = made->bytes;
    made->buffer.len = 1;
    return made;
}
static sockaddr_in Listen() {
    sockaddr_in name = {};
    int length = sizeof name;
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    Check(bind(listener, (sockaddr *)&name, sizeof name) == 0 && listen(listener, 5) == 0, "listen");
    getsockname(listener, (sockaddr *)&name, &length);
    return name;
}
static void NewPair() {
    sockaddr_in name = Listen();
    near_end = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    Check(connect(near_end, (sockaddr *)&name, sizeof name) == 0, "connect");
    far_end = accept(listener, NULL, NULL);
    Check(far_end != INVALID_SOCKET, "accept");
}
static void StartReceive(Record *made) {
    DWORD flags = 0;
    int result = WSARecv(far_end, &made->buffer, 1, NULL, &flags, &made->overlapped, NULL);
    Check(result == 0 || WSAGetLastError() == WSA_IO_PENDING, "WSARecv");
}
static void SendByte() { Check(send(near_end, "x", 1, 0) == 1, "send"); }
static void NewPortOfPair() {
    NewPair();
    NewPort();
    CreateIoCompletionPort((HANDLE)far_end, object, 9, 0);
}
// The far end's byte is there before, so that it is the start of the operation that hands over.
static void ReceiveByPort() { SendByte(); Write(); StartReceive(NewRecord()); Meddle(); }
static void GetReceived() {
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    Check(GetQueuedCompletionStatus(object, &bytes, &key, &overlapped, INFINITE) && bytes == 1, "the byte");
    Record *made = CONTAINING_RECORD(overlapped, Record, overlapped);
    Check(made->what == data, "the record");
    free(made);
    Read();
}
static void NewOperation() { NewPair(); record = NewRecord(); }
static void NewOperationByEvent() { NewOperation(); NewEvent(); record->overlapped.hEvent = object; }
static void ReceiveByEvent() { SendByte(); Write(); StartReceive(record); Meddle(); }
static void GetResult() {
    DWORD bytes, flags;
    WaitFor(object);
    Check(WSAGetOverlappedResult(far_end, &record->overlapped, &bytes, TRUE, &flags) && bytes == 1, "the result");
    Read();
}
static void ReceiveByStatus() {
    record->overlapped.Internal = STATUS_PENDING;
    SendByte(); Write(); InterlockedExchange(&word, 1); StartReceive(record); Meddle();
}
static void PollStatus() {
    // Only that the record may be looked at; the data come with the status.
    while (__atomic_load_n(&word, __ATOMIC_RELAXED) == 0) Sleep(0);
    while (!HasOverlappedIoCompleted(&record->overlapped)) Sleep(0);
    Read();
}
// What is closed by another thread completes, and says why.
static void StartThenClose() {
    StartReceive(NewRecord());
    Write(); closesocket(far_end); Meddle();
}
static void GetClosed() {
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped = NULL;
    Check(!GetQueuedCompletionStatus(object, &bytes, &key, &overlapped, INFINITE) && overlapped, "an end");
    Read();
}
static void *Extension(SOCKET s, GUID guid) {
    void *function = NULL;
    DWORD bytes;
    Check(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, &function, sizeof function, &bytes, NULL,
                   NULL) == 0, "WSAIoctl");
    return function;
}
static sockaddr_in address;
static void NewAcceptPort() {
    address = Listen();
    NewPort();
    CreateIoCompletionPort((HANDLE)listener, object, 9, 0);
}
static void AcceptByPort() {
    SOCKET acceptor = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    LPFN_ACCEPTEX acceptEx = (LPFN_ACCEPTEX)Extension(listener, WSAID_ACCEPTEX);
    DWORD bytes;
    Record *made = NewRecord();
    Write();
    BOOL done = acceptEx(listener, acceptor, made->bytes, 0, 32, 32, &bytes, &made->overlapped);
    Check(done || WSAGetLastError() == WSA_IO_PENDING, "AcceptEx");
    SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
    Check(connect(client, (sockaddr *)&address, sizeof address) == 0, "connect");
    Meddle();
}
static void GetAccepted() {
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    Check(GetQueuedCompletionStatus(object, &bytes, &key, &overlapped, INFINITE), "accepted");
    Check(CONTAINING_RECORD(overlapped, Record, overlapped)->what == data, "the record");
    Check(*data == 42 || racing, "the data");
}
static void ConnectByPort() {
    SOCKET client = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    bind(client, (sockaddr *)&any, sizeof any);
    CreateIoCompletionPort((HANDLE)client, object, 9, 0);
    LPFN_CONNECTEX connectEx = (LPFN_CONNECTEX)Extension(client, WSAID_CONNECTEX);
    Record *made = NewRecord();
    Write();
    BOOL done = connectEx(client, (sockaddr *)&address, sizeof address, NULL, 0, NULL, &made->overlapped);
    Check(done || WSAGetLastError() == WSA_IO_PENDING, "ConnectEx");
    Meddle();
}
// From one end of a connection to the other.
static void SendIt() { Write(); SendByte(); Meddle(); }
static void ReceiveIt() {
    char byte;
    Check(recv(far_end, &byte, 1, 0) == 1, "recv");
    Read();
}
static void NewDatagrams() {
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int length = sizeof address;
    far_end = socket(AF_INET, SOCK_DGRAM, 0);
    bind(far_end, (sockaddr *)&address, sizeof address);
    getsockname(far_end, (sockaddr *)&address, &length);
    near_end = socket(AF_INET, SOCK_DGRAM, 0);
}
static void SendDatagram() {
    Write();
    Check(sendto(near_end, "x", 1, 0, (sockaddr *)&address, sizeof address) == 1, "sendto");
    Meddle();
}

// The thread pool. Its routines are the other thread.

static HANDLE finished;
static void NewPool() { finished = CreateEvent(NULL, TRUE, FALSE, NULL); }
static void NewPoolEvent() { NewPool(); NewEvent(); }
static void Finished() { WaitFor(finished); }
static void CALLBACK RunSimple(PTP_CALLBACK_INSTANCE, PVOID context) { Check(context == data, "context"); Read(); SetEvent(finished); }
static void CALLBACK RunWork(PTP_CALLBACK_INSTANCE, PVOID context, PTP_WORK) { Check(context == data, "context"); Read(); }
static void CALLBACK RunWait(PTP_CALLBACK_INSTANCE, PVOID context, PTP_WAIT, TP_WAIT_RESULT) { Check(context == data, "context"); Read(); SetEvent(finished); }
static void CALLBACK RunTimer(PTP_CALLBACK_INSTANCE, PVOID context, PTP_TIMER) { Check(context == data, "context"); Read(); SetEvent(finished); }
static void CALLBACK RunIo(PTP_CALLBACK_INSTANCE, PVOID context, PVOID overlapped, ULONG, ULONG_PTR, PTP_IO) {
    Check(context == data && CONTAINING_RECORD(overlapped, Record, overlapped)->what == data, "context");
    Read();
    SetEvent(finished);
}
static void CALLBACK RunBound(DWORD, DWORD, LPOVERLAPPED overlapped) {
    Check(CONTAINING_RECORD(overlapped, Record, overlapped)->what == data, "record");
    Read();
    SetEvent(finished);
}
static DWORD CALLBACK RunItem(PVOID context) { RunSimple(NULL, context); return 0; }
static void CALLBACK RunRegistered(PVOID context, BOOLEAN) { RunSimple(NULL, context); }
static void PoolSimple() { Write(); TrySubmitThreadpoolCallback(RunSimple, data, NULL); Meddle(); }
static void PoolItem() { Write(); QueueUserWorkItem(RunItem, data, 0); Meddle(); }
static void PoolWork() {
    PTP_WORK work = CreateThreadpoolWork(RunWork, data, NULL);
    Write();
    SubmitThreadpoolWork(work);
    Meddle();
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    Check(*data == 43 || racing, "what the routine wrote");
    CloseThreadpoolWork(work);
    SetEvent(finished);
}
static void PoolWait() {
    SetThreadpoolWait(CreateThreadpoolWait(RunWait, data, NULL), object, NULL);
    Write(); SetEvent(object); Meddle();
}
static void PoolRegistered() {
    HANDLE wait;
    Check(RegisterWaitForSingleObject(&wait, object, RunRegistered, data, INFINITE, WT_EXECUTEONLYONCE), "wait");
    Write(); SetEvent(object); Meddle();
}
static void PoolTimer() {
    PTP_TIMER timer = CreateThreadpoolTimer(RunTimer, data, NULL);
    FILETIME now = {};
    Write(); SetThreadpoolTimer(timer, &now, 0, 0); Meddle();
}
static void NewPoolPair() { NewPool(); NewPair(); }
static void PoolIo() {
    PTP_IO io = CreateThreadpoolIo((HANDLE)far_end, RunIo, data, NULL);
    SendByte(); Write(); StartThreadpoolIo(io); StartReceive(NewRecord()); Meddle();
}
static void PoolBound() {
    Check(BindIoCompletionCallback((HANDLE)far_end, RunBound, 0), "BindIoCompletionCallback");
    SendByte(); Write(); StartReceive(NewRecord()); Meddle();
}

static const struct Case {
    const char *name;
    void (*prepare)();
    void (*give)();
    void (*take)();
} cases[] = {
    {"event", NewEvent, SetIt, WaitIt},
    {"wsa_event", NewWsaEvent, SetWsaEvent, WaitWsaEvent},
    {"named_event", NewNamed, SetIt, WaitSecond},
    {"duplicate", NewDuplicate, SetIt, WaitSecond},
    {"semaphore", NewSemaphore, ReleaseIt, WaitIt},
    {"mutex", NewMutex, UnderMutex, WaitMutex},
    {"abandoned_mutex", NewOwned, Abandon, TakeAbandoned},
    {"signal_and_wait", NewTwo, SignalAndWait, WaitAndSignal},
    {"wait_for_all", NewTwo, SetBoth, WaitBoth},
    {"wait_for_one", NewEvent, SetIt, WaitSecondOfTwo},
    {"timer", NewTimer, SetTimerNow, WaitIt},
    {"critical_section", NewSection, InSection, TrySection},
    {"condition_of_section", NewSection, GiveSection, SleepSection},
    {"slim_lock", Nothing, InLock, TryLock},
    {"slim_lock_shared", Nothing, InLock, SharedLock},
    {"condition_of_slim_lock", Nothing, InLock, SleepLock},
    {"init_once", Nothing, DoOnce, DoneOnce},
    {"init_once_begin", Nothing, BeginOnceFirst, BeginOnce},
    {"barrier", NewBarrier, MeetAfter, MeetBefore},
    {"wait_on_address", Nothing, ChangeWord, WaitWord},
    {"volatile", Nothing, SetFlag, SpinFlag},
    {"slist", NewList, Push, Pop},
    {"interlocked_128", Nothing, Exchange128, Spin128},
    {"thread_end", Nothing, JoinEnd, Nothing},
    {"thread_exit", Nothing, JoinExit, Nothing},
    {"thread_code", Nothing, JoinCode, Nothing},
    {"thread_resumed", Nothing, Resume, Nothing},
    {"apc", NewAlertable, QueueRoutine, BeAlertable},
    {"thread_message", NewEvent, PostToThread, GetFromThread},
    {"port", NewPort, Post, Get},
    {"port_many", NewPort, Post, GetMany},
    {"receive_by_port", NewPortOfPair, ReceiveByPort, GetReceived},
    {"receive_by_event", NewOperationByEvent, ReceiveByEvent, GetResult},
    {"receive_by_status", NewOperation, ReceiveByStatus, PollStatus},
    {"close", NewPortOfPair, StartThenClose, GetClosed},
    {"accept_ex", NewAcceptPort, AcceptByPort, GetAccepted},
    {"connect_ex", NewAcceptPort, ConnectByPort, GetAccepted},
    {"stream", NewPair, SendIt, ReceiveIt},
    {"datagram", NewDatagrams, SendDatagram, ReceiveIt},
    {"pool_simple", NewPool, PoolSimple, Finished},
    {"pool_item", NewPool, PoolItem, Finished},
    {"pool_work", NewPool, PoolWork, Finished},
    {"pool_wait", NewPoolEvent, PoolWait, Finished},
    {"pool_registered", NewPoolEvent, PoolRegistered, Finished},
    {"pool_timer", NewPool, PoolTimer, Finished},
    {"pool_io", NewPoolPair, PoolIo, Finished},
    {"pool_bound", NewPoolPair, PoolBound, Finished},
};

static unsigned __stdcall Give(void *argument) { ((const Case *)argument)->give(); return 0; }
static unsigned __stdcall Take(void *argument) { ((const Case *)argument)->take(); return 0; }

int main(int argc, char **argv) {
    if (argc < 2) {
        for (const Case &known : cases) puts(known.name);
        return 0;
    }
    racing = argc > 2 && strcmp(argv[2], "race") == 0;
    WSADATA started;
    Check(WSAStartup(MAKEWORD(2, 2), &started) == 0, "WSAStartup");
    for (const Case &known : cases) {
        if (strcmp(known.name, argv[1]) != 0) continue;
        data = (int *)calloc(1, sizeof *data);
        known.prepare();
        HANDLE threads[] = {
            (HANDLE)_beginthreadex(NULL, 0, Give, (void *)&known, 0, NULL),
            (HANDLE)_beginthreadex(NULL, 0, Take, (void *)&known, 0, NULL),
        };
        Check(WaitForMultipleObjects(2, threads, TRUE, INFINITE) == WAIT_OBJECT_0, "the end");
        printf("%s: %s\n", known.name, racing ? "handed over, with a race" : "handed over");
        return 0;
    }
    Fail("no such case");
}
