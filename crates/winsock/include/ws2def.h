/* Address families, protocols, addresses, and the codes of WSAIoctl. */
#ifndef _WS2DEF_
#define _WS2DEF_

#include <inaddr.h>
#include <minwindef.h>

typedef USHORT ADDRESS_FAMILY;

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_IMPLINK 3
#define AF_PUP 4
#define AF_CHAOS 5
#define AF_IPX 6
#define AF_NS 6
#define AF_ISO 7
#define AF_OSI 7
#define AF_ECMA 8
#define AF_DATAKIT 9
#define AF_CCITT 10
#define AF_SNA 11
#define AF_DECnet 12
#define AF_DLI 13
#define AF_LAT 14
#define AF_HYLINK 15
#define AF_APPLETALK 16
#define AF_NETBIOS 17
#define AF_VOICEVIEW 18
#define AF_FIREFOX 19
#define AF_UNKNOWN1 20
#define AF_BAN 21
#define AF_ATM 22
#define AF_INET6 23
#define AF_CLUSTER 24
#define AF_12844 25
#define AF_IRDA 26
#define AF_NETDES 28
#define AF_MAX 29
#define AF_TCNPROCESS 29
#define AF_TCNMESSAGE 30
#define AF_ICLFXBM 31
#define AF_LINK 33
#define AF_HYPERV 34

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5

#define SOL_SOCKET 0xffff

typedef enum {
    IPPROTO_HOPOPTS = 0,
    IPPROTO_IP = 0,
    IPPROTO_ICMP = 1,
    IPPROTO_IGMP = 2,
    IPPROTO_GGP = 3,
    IPPROTO_IPV4 = 4,
    IPPROTO_ST = 5,
    IPPROTO_TCP = 6,
    IPPROTO_CBT = 7,
    IPPROTO_EGP = 8,
    IPPROTO_IGP = 9,
    IPPROTO_PUP = 12,
    IPPROTO_UDP = 17,
    IPPROTO_IDP = 22,
    IPPROTO_RDP = 27,
    IPPROTO_IPV6 = 41,
    IPPROTO_ROUTING = 43,
    IPPROTO_FRAGMENT = 44,
    IPPROTO_ESP = 50,
    IPPROTO_AH = 51,
    IPPROTO_ICMPV6 = 58,
    IPPROTO_NONE = 59,
    IPPROTO_DSTOPTS = 60,
    IPPROTO_ND = 77,
    IPPROTO_ICLFXBM = 78,
    IPPROTO_PIM = 103,
    IPPROTO_PGM = 113,
    IPPROTO_RM = 113,
    IPPROTO_L2TP = 115,
    IPPROTO_SCTP = 132,
    IPPROTO_RAW = 255,
    IPPROTO_MAX = 256
} IPPROTO, *PIPROTO;

#define SO_DEBUG 0x0001
#define SO_ACCEPTCONN 0x0002
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_DONTROUTE 0x0010
#define SO_BROADCAST 0x0020
#define SO_USELOOPBACK 0x0040
#define SO_LINGER 0x0080
#define SO_OOBINLINE 0x0100
#define SO_DONTLINGER ((int)(~SO_LINGER))
#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))
#define SO_SNDBUF 4097
#define SO_RCVBUF 4098
#define SO_SNDLOWAT 4099
#define SO_RCVLOWAT 4100
#define SO_SNDTIMEO 4101
#define SO_RCVTIMEO 4102
#define SO_ERROR 4103
#define SO_TYPE 4104
#define SO_BSP_STATE 4105
#define SO_GROUP_ID 8193
#define SO_GROUP_PRIORITY 8194
#define SO_MAX_MSG_SIZE 8195
#define SO_PROTOCOL_INFOA 8196
#define SO_PROTOCOL_INFOW 8197
#define SO_CONDITIONAL_ACCEPT 12290
#define SO_PAUSE_ACCEPT 12291
#define SO_COMPARTMENT_ID 12292
#define SO_RANDOMIZE_PORT 12293
#define SO_PORT_SCALABILITY 12294
#define SO_REUSE_UNICASTPORT 12295
#define SO_REUSE_MULTICASTPORT 12296
#define SO_TIMESTAMP 12298
#define SO_TIMESTAMP_ID 12299
#define SO_ORIGINAL_DST 12303
#define SO_CONNDATA 28672
#define SO_CONNOPT 28673
#define SO_DISCDATA 28674
#define SO_DISCOPT 28675
#define SO_CONNDATALEN 28676
#define SO_CONNOPTLEN 28677
#define SO_DISCDATALEN 28678
#define SO_DISCOPTLEN 28679

#define IOC_UNIX 0x00000000
#define IOC_WS2 0x08000000
#define IOC_PROTOCOL 0x10000000
#define IOC_VENDOR 0x18000000
#define _WSAIO(x, y) (IOC_VOID | (x) | (y))
#define _WSAIOR(x, y) (IOC_OUT | (x) | (y))
#define _WSAIOW(x, y) (IOC_IN | (x) | (y))
#define _WSAIORW(x, y) (IOC_INOUT | (x) | (y))
#define IOC_VOID 0x20000000u
#define IOC_OUT 0x40000000u
#define IOC_IN 0x80000000u
#define IOC_INOUT (IOC_IN | IOC_OUT)

#define SIO_ENABLE_CIRCULAR_QUEUEING 671088642
#define SIO_FLUSH 671088644
#define SIO_ADDRESS_LIST_CHANGE 671088663
#define SIO_FIND_ROUTE 1207959555
#define SIO_GET_BROADCAST_ADDRESS 1207959557
#define SIO_ADDRESS_LIST_QUERY 1207959574
#define SIO_QUERY_TARGET_PNP_HANDLE 1207959576
#define SIO_BSP_HANDLE 1207959579
#define SIO_BSP_HANDLE_SELECT 1207959580
#define SIO_BSP_HANDLE_POLL 1207959581
#define SIO_BASE_HANDLE 1207959586
#define SIO_ASSOCIATE_HANDLE 0x88000001
#define SIO_MULTIPOINT_LOOPBACK 0x88000009
#define SIO_MULTICAST_SCOPE 0x8800000A
#define SIO_SET_QOS 0x8800000B
#define SIO_SET_GROUP_QOS 0x8800000C
#define SIO_ROUTING_INTERFACE_CHANGE 0x88000015
#define SIO_GET_EXTENSION_FUNCTION_POINTER 0xC8000006
#define SIO_GET_QOS 0xC8000007
#define SIO_GET_GROUP_QOS 0xC8000008
#define SIO_TRANSLATE_HANDLE 0xC800000D
#define SIO_ROUTING_INTERFACE_QUERY 0xC8000014
#define SIO_ADDRESS_LIST_SORT 0xC8000019
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER 0xC8000024

#define AI_DNS_RESPONSE_SECURE 1
#define AI_DNS_SERVER_TYPE_UDP 1
#define AI_DNS_SERVER_UDP_FALLBACK 1
#define AI_PASSIVE 1
#define AI_CANONNAME 2
#define AI_DNS_RESPONSE_HOSTFILE 2
#define AI_DNS_SERVER_TYPE_DOH 2
#define AI_NUMERICHOST 4
#define AI_NUMERICSERV 8
#define AI_DNS_ONLY 16
#define AI_FORCE_CLEAR_TEXT 32
#define AI_BYPASS_DNS_CACHE 64
#define AI_RETURN_TTL 128
#define AI_ALL 256
#define AI_ADDRCONFIG 1024
#define AI_V4MAPPED 2048
#define AI_NON_AUTHORITATIVE 16384
#define AI_SECURE 32768
#define AI_RETURN_PREFERRED_NAMES 65536
#define AI_FQDN 131072
#define AI_FILESERVER 262144
#define AI_DISABLE_IDN_ENCODING 524288
#define AI_SECURE_WITH_FALLBACK 1048576
#define AI_EXCLUSIVE_CUSTOM_SERVERS 2097152
#define AI_RETURN_RESPONSE_FLAGS 268435456
#define AI_REQUIRE_SECURE 536870912
#define AI_RESOLUTION_HANDLE 1073741824
#define AI_EXTENDED 0x80000000

#define NI_NOFQDN 0x01
#define NI_NUMERICHOST 0x02
#define NI_NAMEREQD 0x04
#define NI_NUMERICSERV 0x08
#define NI_DGRAM 0x10
#define NI_MAXHOST 1025
#define NI_MAXSERV 32

#define IPPORT_ECHO 7
#define IPPORT_DISCARD 9
#define IPPORT_FTP 21
#define IPPORT_TELNET 23
#define IPPORT_SMTP 25
#define IPPORT_RESERVED 1024

#define INADDR_ANY ((ULONG)0x00000000)
#define INADDR_LOOPBACK 0x7f000001
#define INADDR_BROADCAST ((ULONG)0xffffffff)
#define INADDR_NONE 0xffffffff
#define ADDR_ANY INADDR_ANY
#define IN_CLASSD(i) (((LONG)(i) & 0xf0000000) == 0xe0000000)
#define IN_MULTICAST(i) IN_CLASSD(i)
#define IOCPARM_MASK 0x7f

typedef struct sockaddr {
    ADDRESS_FAMILY sa_family;
    CHAR sa_data[14];
} SOCKADDR, *PSOCKADDR, *LPSOCKADDR;

typedef struct sockaddr_in {
    /* `short` in Windows's oldest headers. */
    ADDRESS_FAMILY sin_family;
    USHORT sin_port;
    IN_ADDR sin_addr;
    CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;

typedef struct sockaddr_storage {
    ADDRESS_FAMILY ss_family;
    CHAR __ss_pad1[6];
    LONGLONG __ss_align;
    CHAR __ss_pad2[112];
} SOCKADDR_STORAGE_LH, SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;

typedef struct _SOCKET_ADDRESS {
    LPSOCKADDR lpSockaddr;
    INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

typedef struct _SOCKET_ADDRESS_LIST {
    INT iAddressCount;
    SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

typedef struct _WSABUF {
    ULONG len;
    CHAR *buf;
} WSABUF, *LPWSABUF;

typedef struct _WSAMSG {
    LPSOCKADDR name;
    INT namelen;
    LPWSABUF lpBuffers;
    ULONG dwBufferCount;
    WSABUF Control;
    ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;

typedef struct cmsghdr {
    SIZE_T cmsg_len;
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR, CMSGHDR, *PCMSGHDR;

#define WSA_CMSGHDR_ALIGN(length) (((length) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#define WSA_CMSGDATA_ALIGN(length) WSA_CMSGHDR_ALIGN(length)
#define WSA_CMSG_FIRSTHDR(msg) \
    ((msg)->Control.len >= sizeof(WSACMSGHDR) ? (LPWSACMSGHDR)(msg)->Control.buf : (LPWSACMSGHDR)NULL)
#define WSA_CMSG_NXTHDR(msg, cmsg) \
    ((cmsg) == NULL ? WSA_CMSG_FIRSTHDR(msg) \
     : (PCHAR)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len) + sizeof(WSACMSGHDR) > (msg)->Control.buf + (msg)->Control.len \
         ? (LPWSACMSGHDR)NULL \
         : (LPWSACMSGHDR)((PCHAR)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len)))
#define WSA_CMSG_DATA(cmsg) ((PUCHAR)(cmsg) + WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)))
#define WSA_CMSG_SPACE(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR) + WSA_CMSGHDR_ALIGN(length)))
#define WSA_CMSG_LEN(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + (length))
#define CMSG_FIRSTHDR WSA_CMSG_FIRSTHDR
#define CMSG_NXTHDR WSA_CMSG_NXTHDR

typedef struct addrinfo {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    char *ai_canonname;
    struct sockaddr *ai_addr;
    struct addrinfo *ai_next;
} ADDRINFOA, *PADDRINFOA, ADDRINFO, *LPADDRINFO;

typedef struct addrinfoW {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    PWSTR ai_canonname;
    struct sockaddr *ai_addr;
    struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW;

#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
#endif

#endif
