//! What the unit tests of this crate share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::types::*;
use crate::{WSAStartup, accept, bind, closesocket, connect, getsockname, listen, socket};

/// Starts Winsock for the process and leaves it started: all tests of the process share the count.
pub(crate) fn start() {
    let mut data = WSADATA::default();
    // SAFETY: `data` is a live WSADATA.
    assert_eq!(unsafe { WSAStartup(0x0202, &raw mut data) }, 0);
}

pub(crate) fn last_error() -> i32 {
    crate::error::last_error() as i32
}

/// `Internal`, as a program may read it that watches it for the end of an operation.
///
/// # Safety
/// The OVERLAPPED is alive.
pub(crate) unsafe fn status_word(overlapped: *mut OVERLAPPED) -> usize {
    // SAFETY: as the caller promises; the engine writes the word as a whole.
    unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) }.load(Ordering::Acquire)
}

/// Looks again and again until something is so, and fails if that takes unreasonably long.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn tcp() -> SOCKET {
    new(SOCK_STREAM, IPPROTO_TCP)
}

pub(crate) fn udp() -> SOCKET {
    new(SOCK_DGRAM, IPPROTO_UDP)
}

fn new(kind: i32, protocol: i32) -> SOCKET {
    start();
    // SAFETY: no precondition.
    let s = unsafe { socket(AF_INET.into(), kind, protocol) };
    assert_ne!(s, INVALID_SOCKET, "error {}", last_error());
    s
}

/// Binds to a free port of the loopback address; answers the address.
pub(crate) fn bind_to_loopback(s: SOCKET) -> SOCKADDR_IN {
    let mut address = SOCKADDR_IN {
        sin_family: AF_INET,
        sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: INADDR_LOOPBACK.to_be() } },
        ..Default::default()
    };
    let mut len = 16;
    // SAFETY: the address is 16 bytes long.
    unsafe {
        assert_eq!(bind(s, (&raw const address).cast(), 16), 0, "error {}", last_error());
        assert_eq!(getsockname(s, (&raw mut address).cast(), &raw mut len), 0);
    }
    address
}

/// A stream socket that is bound and does not listen: who connects there is refused.
pub(crate) fn bound_tcp() -> (SOCKET, SOCKADDR_IN) {
    let s = tcp();
    (s, bind_to_loopback(s))
}

pub(crate) fn listener() -> (SOCKET, SOCKADDR_IN) {
    let (s, address) = bound_tcp();
    // SAFETY: no precondition.
    assert_eq!(unsafe { listen(s, 8) }, 0);
    (s, address)
}

/// Two connected sockets; closed with the pair.
pub(crate) struct Pair {
    pub(crate) client: SOCKET,
    pub(crate) server: SOCKET,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair::with(|_| ())
    }

    /// Prepares the listener first.
    pub(crate) fn with(prepare: impl FnOnce(SOCKET)) -> Pair {
        let (listener, address) = listener();
        prepare(listener);
        let client = tcp();
        // SAFETY: the address is 16 bytes long; null pointers are allowed.
        unsafe {
            assert_eq!(connect(client, (&raw const address).cast(), 16), 0, "error {}", last_error());
            let server = accept(listener, std::ptr::null_mut(), std::ptr::null_mut());
            assert_ne!(server, INVALID_SOCKET, "error {}", last_error());
            closesocket(listener);
            Pair { client, server }
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for s in [self.client, self.server] {
            // SAFETY: no precondition. A test may have closed it already.
            unsafe { closesocket(s) };
        }
    }
}
