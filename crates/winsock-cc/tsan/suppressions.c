/* What ThreadSanitizer leaves out in programs that are built by `winsock-cc -fsanitize=thread`: linked into each, so that
 * nothing has to be said in TSAN_OPTIONS. A program may have a function of this name itself; it then takes the place of
 * this one. */

const char *__tsan_default_suppressions(void);

__attribute__((__weak__)) const char *__tsan_default_suppressions(void) {
    return
        /* libwinsock is not instrumented. ThreadSanitizer sees what it calls of libc and not the atomics of its locks, by
         * which two such calls are in order. */
        "called_from_lib:libwinsock.so\n"
        /* The same of the functions that tell it what is in order; see keys.h. */
        "called_from_lib:libwinsock_tsan.so\n"
        /* The threads that are the engine's own end with the process. */
        "thread:libwinsock.so\n"
        /* Locks of the engine's own. */
        "mutex:libwinsock.so\n"
        "deadlock:libwinsock.so\n"
        /* Routines of a signal that came during a call of libc by the engine. */
        "signal:libwinsock.so\n";
}
