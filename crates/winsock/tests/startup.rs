//! Startup and cleanup are counted for the whole process, so this program tests nothing else and has one test.
#![cfg(target_os = "linux")]

use winsock::*;

#[test]
fn h1_to_h7_startups_are_counted() {
    let mut data = WSADATA::default();
    let mut startup = |version| {
        // SAFETY: `data` is a live WSADATA.
        unsafe { WSAStartup(version, &raw mut data) }
    };
    // SAFETY: no socket is in use in this process.
    let cleanup = || unsafe { WSACleanup() };
    let last_error = || {
        // SAFETY: no precondition.
        unsafe { WSAGetLastError() }
    };

    assert_eq!(cleanup(), SOCKET_ERROR, "nothing to clean up yet");
    assert_eq!(last_error(), WSANOTINITIALISED);

    let mut list = std::ptr::null_mut();
    let host = c"127.0.0.1".as_ptr().cast();
    // SAFETY: the pointers lead to live values.
    let mut resolve = || unsafe { getaddrinfo(host, std::ptr::null(), std::ptr::null(), &raw mut list) };
    assert_eq!((resolve(), last_error()), (WSANOTINITIALISED, WSANOTINITIALISED));

    // Failed startups answer their code, leave the last error alone and do not count.
    // SAFETY: no precondition; a null pointer is allowed.
    unsafe {
        WSASetLastError(77);
        assert_eq!(WSAStartup(0x0202, std::ptr::null_mut()), WSAEFAULT);
    }
    assert_eq!(startup(0x0200), WSAVERNOTSUPPORTED);
    assert_eq!(last_error(), 77);
    assert_eq!(cleanup(), SOCKET_ERROR);

    // Each success needs one cleanup, whatever version it asked for.
    assert_eq!((startup(0x0202), startup(0x0101)), (0, 0));
    assert_eq!((cleanup(), last_error()), (0, 0));
    assert_eq!(cleanup(), 0);
    assert_eq!((cleanup(), last_error()), (SOCKET_ERROR, WSANOTINITIALISED));

    assert_eq!(startup(0x0202), 0, "it can be started again");
    assert_eq!(cleanup(), 0);

    // Only the last cleanup closes the sockets.
    assert_eq!((startup(0x0202), startup(0x0202)), (0, 0));
    // SAFETY: no precondition.
    let s = unsafe { socket(AF_INET.into(), SOCK_STREAM, 0) };
    // SAFETY: no precondition; a bad socket is told.
    let is_open = || unsafe { listen(s, 1) == SOCKET_ERROR && WSAGetLastError() != WSAENOTSOCK };
    assert_eq!((cleanup(), is_open()), (0, true));
    assert_eq!((cleanup(), startup(0x0202)), (0, 0));
    assert!(!is_open());
    assert_eq!(cleanup(), 0);
    // SAFETY: no precondition.
    assert_eq!(unsafe { socket(AF_INET.into(), SOCK_STREAM, 0) }, INVALID_SOCKET);
    assert_eq!(last_error(), WSANOTINITIALISED);

    assert_eq!(startup(0x0200), WSAVERNOTSUPPORTED);
    assert_eq!((data.wVersion, data.wHighVersion), (0x0202, 0x0202), "filled in all the same");
    assert_eq!(data.szDescription[0], b'W' as i8);
}
