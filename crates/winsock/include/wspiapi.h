/* For Windows 2000, which had getaddrinfo nowhere else. */
#include <ws2tcpip.h>
