/*
 * iocp_file.c - overlapped files on a completion port: writes many blocks at once, out of order, reads them back, adds
 * them up; then what is said at and behind the end of the file.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096
#define BLOCKS 32

typedef struct {
    OVERLAPPED ov;
    int index;
    unsigned char data[BLOCK];
} REQUEST, *LPREQUEST;

static void Check(BOOL ok, const char *what)
{
    if (!ok) {
        printf("%s: error %lu\n", what, GetLastError());
        exit(EXIT_FAILURE);
    }
}

static void Position(LPREQUEST r, ULONGLONG offset)
{
    ULARGE_INTEGER at;
    at.QuadPart = offset;
    memset(&r->ov, 0, sizeof(r->ov));
    r->ov.Offset = at.LowPart;
    r->ov.OffsetHigh = at.HighPart;
}

/* Takes `count` results from the port; the number of bytes that they moved. */
static DWORD Collect(HANDLE port, int count)
{
    DWORD total = 0;
    while (count > 0) {
        OVERLAPPED_ENTRY entries[8];
        ULONG n, i;
        Check(GetQueuedCompletionStatusEx(port, entries, 8, &n, 30000, FALSE), "GetQueuedCompletionStatusEx");
        for (i = 0; i < n; i++) {
            LPREQUEST r = CONTAINING_RECORD(entries[i].lpOverlapped, REQUEST, ov);
            Check(entries[i].lpCompletionKey == 42, "the key");
            Check(HasOverlappedIoCompleted(&r->ov), "HasOverlappedIoCompleted");
            Check(r->ov.Internal == 0 && r->ov.InternalHigh == BLOCK, "Internal");
            total += entries[i].dwNumberOfBytesTransferred;
        }
        count -= (int)n;
    }
    return total;
}

static void One(HANDLE port, const char *what, BOOL started)
{
    DWORD bytes = 0xdead;
    ULONG_PTR key = 0;
    LPOVERLAPPED ov = NULL;
    BOOL ok;

    if (!started && GetLastError() != ERROR_IO_PENDING) {
        printf("%s: refused with %lu, ", what, GetLastError());
        ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0);
        printf("nothing on the port: %s\n", !ok && ov == NULL && GetLastError() == WAIT_TIMEOUT ? "yes" : "no");
        return;
    }
    ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 30000);
    printf("%s: %s, %lu bytes, error %lu\n", what, ok ? "good" : "failed", bytes, ok ? 0 : GetLastError());
}

int main(void)
{
    static const char name[] = "iocp_file.tmp";
    HANDLE file, port;
    LPREQUEST requests = (LPREQUEST)calloc(BLOCKS, sizeof(REQUEST));
    LPREQUEST last = &requests[0];
    LARGE_INTEGER size;
    DWORD bytes, high, sum = 0;
    int i, j;

    file = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                      FILE_FLAG_OVERLAPPED | FILE_ATTRIBUTE_NORMAL, NULL);
    Check(file != INVALID_HANDLE_VALUE, "CreateFile");
    port = CreateIoCompletionPort(file, NULL, 42, 0);
    Check(port != NULL, "CreateIoCompletionPort");

    for (i = 0; i < BLOCKS; i++) {
        LPREQUEST r = &requests[i];
        r->index = (i * 13) % BLOCKS;
        for (j = 0; j < BLOCK; j++)
            r->data[j] = (unsigned char)(r->index + j * 3);
        Position(r, (ULONGLONG)r->index * BLOCK);
        Check(WriteFile(file, r->data, BLOCK, NULL, &r->ov) || GetLastError() == ERROR_IO_PENDING, "WriteFile");
    }
    printf("written: %lu\n", Collect(port, BLOCKS));
    Check(FlushFileBuffers(file), "FlushFileBuffers");
    Check(GetFileSizeEx(file, &size), "GetFileSizeEx");
    printf("size: %I64d, %lu\n", size.QuadPart, GetFileSize(file, &high));

    for (i = 0; i < BLOCKS; i++) {
        LPREQUEST r = &requests[i];
        memset(r->data, 0, BLOCK);
        Position(r, (ULONGLONG)i * BLOCK);
        Check(ReadFile(file, r->data, BLOCK, NULL, &r->ov) || GetLastError() == ERROR_IO_PENDING, "ReadFile");
    }
    printf("read: %lu\n", Collect(port, BLOCKS));
    for (i = 0; i < BLOCKS; i++)
        for (j = 0; j < BLOCK; j++) {
            Check(requests[i].data[j] == (unsigned char)(i + j * 3), "what was read");
            sum += requests[i].data[j];
        }
    printf("sum: %lu\n", sum);

    Position(last, BLOCKS * BLOCK - 100);
    One(port, "the last bytes", ReadFile(file, last->data, BLOCK, NULL, &last->ov));
    Position(last, BLOCKS * BLOCK);
    One(port, "at the end", ReadFile(file, last->data, BLOCK, NULL, &last->ov));
    Position(last, 0x100000000ull);
    One(port, "far behind the end", ReadFile(file, last->data, BLOCK, NULL, &last->ov));
    Position(last, BLOCKS * BLOCK + 10);
    One(port, "a write behind the end", WriteFile(file, "tail", 4, NULL, &last->ov));
    Check(GetFileSizeEx(file, &size), "GetFileSizeEx");
    printf("size: %I64d\n", size.QuadPart);
    Position(last, BLOCKS * BLOCK);
    One(port, "the gap", ReadFile(file, last->data, 100, NULL, &last->ov));
    printf("it is zero: %s, then \"%.4s\"\n", last->data[0] == 0 && last->data[9] == 0 ? "yes" : "no",
           (char *)last->data + 10);

    printf("a second time: %s", CreateIoCompletionPort(file, port, 43, 0) == NULL ? "refused" : "taken");
    printf(" with %lu\n", GetLastError());
    CloseHandle(file);
    file = CreateFile(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    Check(SetFilePointer(file, -4, NULL, FILE_END) != INVALID_SET_FILE_POINTER, "SetFilePointer");
    Check(ReadFile(file, last->data, 100, &bytes, NULL), "ReadFile");
    printf("%lu bytes of a file that is not overlapped: %.4s\n", bytes, (char *)last->data);
    Check(ReadFile(file, last->data, 100, &bytes, NULL), "ReadFile");
    printf("%lu bytes at its end\n", bytes);
    CloseHandle(file);
    CloseHandle(port);
    Check(DeleteFile(name), "DeleteFile");
    file = CreateFile(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    printf("deleted: %s, %lu\n", file == INVALID_HANDLE_VALUE ? "yes" : "no", GetLastError());
    free(requests);
    return 0;
}
