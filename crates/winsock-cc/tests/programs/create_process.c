/* Starts itself: once to end with a code and what it reads, says and is told, once to be ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static int fails(const char *what) {
    printf("%s: error %lu\n", what, GetLastError());
    return 1;
}

static int child(int count, char **arguments) {
    char line[100];
    if (strcmp(arguments[1], "wait") == 0) {
        WaitForSingleObject(GetCurrentProcess(), INFINITE);
    }
    for (int i = 1; i < count; i++) {
        printf("child: [%s]\n", arguments[i]);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = 0;
        printf("child: reads %s\n", line);
    }
    printf("child: COLOUR is %s\n", getenv("COLOUR") != NULL ? getenv("COLOUR") : "not set");
    return 42;
}

static HANDLE create(const char *name, DWORD access, DWORD disposition) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    return CreateFileA(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, disposition, FILE_ATTRIBUTE_NORMAL,
                       NULL);
}

int main(int count, char **arguments) {
    if (count > 1) {
        return child(count, arguments);
    }
    char path[MAX_PATH], line[MAX_PATH + 100], text[1000];
    DWORD bytes, code = 0;
    STARTUPINFOA startup;
    PROCESS_INFORMATION process;
    setvbuf(stdout, NULL, _IONBF, 0);
    GetModuleFileNameA(NULL, path, sizeof path);

    HANDLE input = create("input", GENERIC_WRITE, CREATE_ALWAYS);
    if (input == INVALID_HANDLE_VALUE || !WriteFile(input, "one\ntwo\n", 8, &bytes, NULL)) {
        return fails("input");
    }
    CloseHandle(input);
    input = create("input", GENERIC_READ, OPEN_EXISTING);
    HANDLE output = create("output", GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);

    ZeroMemory(&startup, sizeof startup);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input;
    startup.hStdOutput = output;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    sprintf(line, "\"%s\" plain \"two words\" \"a \\\"quote\\\"\" \"\"", path);
    _putenv("COLOUR=blue");
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        return fails("CreateProcess");
    }
    printf("its number %s\n", GetProcessId(process.hProcess) == process.dwProcessId ? "is right" : "is wrong");
    HANDLE both[2] = {process.hProcess, process.hThread};
    printf("waited: %lu\n", WaitForMultipleObjects(2, both, TRUE, INFINITE));
    GetExitCodeProcess(process.hProcess, &code);
    printf("exit code %lu\n", code);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);

    SetFilePointer(output, 0, NULL, FILE_BEGIN);
    if (!ReadFile(output, text, sizeof text - 1, &bytes, NULL)) {
        return fails("output");
    }
    text[bytes] = 0;
    for (char *next = strtok(text, "\r\n"); next != NULL; next = strtok(NULL, "\r\n")) {
        printf("%s\n", next);
    }
    CloseHandle(input);
    CloseHandle(output);

    ZeroMemory(&startup, sizeof startup);
    startup.cb = sizeof startup;
    char wait[] = "program wait";
    if (!CreateProcessA(path, wait, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) {
        return fails("CreateProcess");
    }
    GetExitCodeProcess(process.hProcess, &code);
    printf("still active: %d, waited: %lu\n", code == STILL_ACTIVE, WaitForSingleObject(process.hProcess, 0));
    TerminateProcess(process.hProcess, 1234);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    printf("exit code %lu\n", code);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);

    char none[] = "no-such-program with arguments";
    if (!CreateProcessA(NULL, none, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) {
        printf("no such program: error %lu\n", GetLastError());
    }
    return 0;
}
