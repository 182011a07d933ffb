/* Which texts are addresses, and which addresses they are: never one that the text does not say. */
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
    "1.2.3.4", " 1.2.3.4", "\t1.2.3.4", "\n1.2.3.4", "\r1.2.3.4", "\v1.2.3.4", "\f1.2.3.4", "1.2.3.4 ", "1.2.3.4\t",
    "1.2.3.4\r\n", "1.2.3.4\v", "1.2.3.4\f", "1.2.3.4 x", "1.2.3.4x", "1.2.3.4\nx", "\t", "  ", "", "0x7f.1", "010", "010.1",
    "1", "1.2", "1.2.3", "0", "0x", "0X10", "08", "256.1.1.1", "1.2.256", "1.2.65536", "1.16777216", "4294967295",
    "4294967296", "99999999999999999999", "0x100000000", "0xffffffff", "040000000000", "1.2.3.4.5", "1.2.3.4.", "1.2.3.",
    ".1.2.3", "1..2", "+1.2.3.4", "-1", "1.2.3.-4", "255.255.255.255", "1.2.3.000000000000000000004", "1. 2.3.4",
    "localhost", "1.2.3.4:80", "1.2.3.4:", "1.2.3.4:65535", "1.2.3.4:65536", "1.2.3.4:+80", "1.2.3.4: 80", "1.2.3.4:80 ",
    "1.2.3.4/24", "1.2.3.4%1", "\xa0" "1.2.3.4", "1.2.3.4\xa0", "\x85", "::1", " ::1", "::1 ", "[::1]", "[::1]:80",
    "[::1]:0x50", "[::1] ", "::1%1", "::1%", "::1%+1", "::ffff:1.2.3.4", "1::2::3", "12345::", "::g", "::", "1:2:3:4:5:6:7:8",
};

static void show(const char *text) {
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte > 32 && byte < 127)
            putchar(byte);
        else
            printf("\\x%02x", byte);
    }
}

static void show_result(const char *what, int found, int family, const void *bytes, int port) {
    char text[INET6_ADDRSTRLEN] = "";
    if (!found) {
        printf(", %s no", what);
        return;
    }
    inet_ntop(family, bytes, text, sizeof text);
    printf(", %s %s", what, text);
    if (port != 0)
        printf(" port %d", port);
}

static void convert(const char *text) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct in_addr address;
    unsigned char bytes[16];
    WCHAR wide[64];
    int length, i;

    for (i = 0; text[i] != 0; i++)
        wide[i] = (unsigned char)text[i];
    wide[i] = 0;

    printf("\"");
    show(text);
    address.s_addr = inet_addr(text);
    printf("\" inet_addr %s", address.s_addr == INADDR_NONE ? "no" : inet_ntoa(address));
    show_result("pton", inet_pton(AF_INET, text, bytes) == 1, AF_INET, bytes, 0);
    show_result("wide", InetPtonW(AF_INET, wide, bytes) == 1, AF_INET, bytes, 0);
    show_result("pton6", inet_pton(AF_INET6, text, bytes) == 1, AF_INET6, bytes, 0);
    show_result("wide", InetPtonW(AF_INET6, wide, bytes) == 1, AF_INET6, bytes, 0);
    length = sizeof v4;
    i = WSAStringToAddressA((LPSTR)text, AF_INET, NULL, (SOCKADDR *)&v4, &length);
    show_result("string", i == 0, AF_INET, &v4.sin_addr, ntohs(v4.sin_port));
    length = sizeof v4;
    i = WSAStringToAddressW(wide, AF_INET, NULL, (SOCKADDR *)&v4, &length);
    show_result("wide", i == 0, AF_INET, &v4.sin_addr, ntohs(v4.sin_port));
    length = sizeof v6;
    i = WSAStringToAddressA((LPSTR)text, AF_INET6, NULL, (SOCKADDR *)&v6, &length);
    show_result("string6", i == 0, AF_INET6, &v6.sin6_addr, ntohs(v6.sin6_port));
    if (i == 0 && v6.sin6_scope_id != 0)
        printf(" scope %u", (unsigned)v6.sin6_scope_id);
    printf("\n");
}

static void resolve(const char *text, int family) {
    ADDRINFOA hints, *list = NULL;
    char host[INET6_ADDRSTRLEN] = "no";
    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(text, NULL, &hints, &list) == 0) {
        getnameinfo(list->ai_addr, (socklen_t)list->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(list);
    }
    printf("\"");
    show(text);
    printf("\" is %s\n", host);
}

int main(void) {
    static const char *const numbers[] = {"1.2.3.4", " 1.2.3.4", "1.2.3.4 ", "0x7f.1", "010.1", "1.2", "", " ",
                                          "256.1.1.1", "1.2.3.4x", "+1.2.3.4", "4294967296", "1.2.3.4:80"};
    WSADATA data;
    unsigned i;
    WSAStartup(MAKEWORD(2, 2), &data);
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        convert(texts[i]);
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        resolve(numbers[i], AF_INET);
    resolve("::ffff:1.2.3.4", AF_INET6);
    resolve(" ::1", AF_INET6);
    WSACleanup();
    return 0;
}
