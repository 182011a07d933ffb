/* What the macros for sets do (SEMANTICS S1, S4, S5); the first that does otherwise is the exit status. */
#define FD_SETSIZE 4
#include <winsock2.h>

#define CHECK(number, condition) \
    if (!(condition)) return number

int main(void) {
    fd_set set;
    CHECK(1, sizeof(SOCKET) == 8 && offsetof(fd_set, fd_array) == 8 && sizeof(set) == 8 + 4 * sizeof(SOCKET));

    set.fd_array[0] = 77;
    FD_ZERO(&set);
    CHECK(2, set.fd_count == 0 && set.fd_array[0] == 77);

    FD_SET(4, &set);
    FD_SET(8, &set);
    FD_SET(4, &set);
    CHECK(3, set.fd_count == 2);
    FD_SET(12, &set);
    FD_SET(16, &set);
    FD_SET(20, &set);
    CHECK(4, set.fd_count == 4 && set.fd_array[3] == 16);

    FD_CLR(8, &set);
    CHECK(5, set.fd_count == 3 && set.fd_array[0] == 4 && set.fd_array[1] == 12 && set.fd_array[2] == 16);
    FD_CLR(8, &set);
    CHECK(6, set.fd_count == 3);
    return 0;
}
