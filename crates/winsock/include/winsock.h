/* Winsock 1.1: what it has is in Winsock 2 as well. */
#include <winsock2.h>
