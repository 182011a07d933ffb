/* What the mains of the servers in C and C++ share, as src/cli.rs does for those in Rust: arguments, the line that says
 * where, how the process ends. Each thread has a loop and a listener of its own, among which the kernel divides the
 * connections (SO_REUSEPORT). IPv4 only. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Serves from one thread; returns only if it fails. */
typedef void peer_loop(int listener);

struct peer_thread {
    peer_loop *loop;
    int listener;
};

static inline void peer_fail(const char *what, int error) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
    exit(1);
}

static inline void peer_check(int result, const char *what) {
    if (result < 0) peer_fail(what, errno);
}

static inline void peer_end(int signal) {
    (void)signal;
    _exit(0);
}

/* A non-blocking listener; `address` becomes where it listens. */
static inline int peer_listen(struct sockaddr_in *address) {
    int on = 1;
    socklen_t len = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    peer_check(listener, "socket");
    peer_check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    peer_check(setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
    /* Accepted sockets inherit it. */
    peer_check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    peer_check(bind(listener, (struct sockaddr *)address, sizeof *address), "bind");
    peer_check(listen(listener, 65535), "listen");
    peer_check(getsockname(listener, (struct sockaddr *)address, &len), "getsockname");
    return listener;
}

static inline void *peer_run(void *argument) {
    struct peer_thread *thread = (struct peer_thread *)argument;
    thread->loop(thread->listener);
    fprintf(stderr, "%s: a loop has ended\n", program_invocation_short_name);
    exit(1);
}

static inline void peer_usage(void) {
    fprintf(stderr, "usage: %s [--listen ADDR:PORT] [--threads N]\n", program_invocation_short_name);
    exit(2);
}

static inline int peer_main(int argc, char **argv, peer_loop *loop) {
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"threads", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    char host[16] = "127.0.0.1", text[INET_ADDRSTRLEN];
    unsigned short port = 0;
    int threads = 1, option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l' && sscanf(optarg, "%15[0-9.]:%hu", host, &port) == 2) continue;
        if (option == 't' && (threads = atoi(optarg)) > 0) continue;
        peer_usage();
    }
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (optind != argc || inet_pton(AF_INET, host, &address.sin_addr) != 1) peer_usage();

    struct rlimit limit;
    peer_check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    peer_check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, peer_end);
    signal(SIGINT, peer_end);

    struct peer_thread *all = (struct peer_thread *)calloc(threads, sizeof *all);
    for (int i = 0; i < threads; i++) {
        all[i].loop = loop;
        all[i].listener = peer_listen(&address);
    }
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    printf("listening on %s:%d\n", text, ntohs(address.sin_port));
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, peer_run, &all[i]);
        if (error) peer_fail("pthread_create", error);
    }
    peer_run(&all[0]);
    return 1;
}
