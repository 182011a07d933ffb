/* Included by many sources that call nothing of it, as examples of Microsoft's do: it declares nothing. */
#ifndef __IPHLPAPI_H__
#define __IPHLPAPI_H__

#include <winsock2.h>
#include <ws2ipdef.h>

#endif
