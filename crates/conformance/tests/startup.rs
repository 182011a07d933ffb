//! WSAStartup, WSACleanup and the last error (H1 to H9). Each test has a process of its own, where nothing else has
//! started Winsock.
#![forbid(unsafe_code)]

use conformance::raw::{
    self, Bad, Begin, Event, Request, get_last_error, listener, set_last_error, tcp, udp, wsa_cleanup,
    wsa_get_last_error, wsa_set_last_error, wsa_socket, wsa_startup, wsa_startup_without_data,
};
use conformance::{in_child, in_child_with, is_child, until};
use pentaport::sys;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

const VERSION_2_2: u16 = 0x0202;

fn overlapped_tcp() -> raw::Outcome<raw::Socket> {
    wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, sys::WSA_FLAG_OVERLAPPED)
}

#[test]
fn h1_startup_returns_its_error_directly() {
    in_child("h1_startup_returns_its_error_directly", || {
        assert_eq!(wsa_startup(0x0000).0, sys::WSAVERNOTSUPPORTED);
        assert_eq!(wsa_startup_without_data(VERSION_2_2), sys::WSAEFAULT);
        assert_eq!(overlapped_tcp().unwrap_err(), sys::WSANOTINITIALISED, "nothing was started");
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
    });
}

#[test]
fn h2_versions_are_negotiated() {
    in_child("h2_versions_are_negotiated", || {
        let cases = [
            (0x0001, 0x0001),
            (0x0101, 0x0101),
            (0x0002, 0x0002),
            (0x0102, 0x0102),
            (0x0202, 0x0202),
            // Higher than 2.2.
            (0x0302, 0x0202),
            (0x0003, 0x0202),
            (0xFFFF, 0x0202),
            // 1.x with x above 1.
            (0x0201, 0x0101),
            (0xFF01, 0x0101),
        ];
        for (requested, given) in cases {
            let (code, data) = wsa_startup(requested);
            assert_eq!((code, data.version), (0, given), "{requested:#06x}");
            assert_eq!(data.high_version, 0x0202, "{requested:#06x}");
        }
        for requested in [0x0000, 0x0100, 0x0200] {
            let (code, data) = wsa_startup(requested);
            assert_eq!(code, sys::WSAVERNOTSUPPORTED, "major version 0: {requested:#06x}");
            assert_eq!(data.high_version, 0x0202, "the structure is filled in all the same");
        }
    });
}

#[test]
fn h3_no_data_is_wsaefault() {
    in_child("h3_no_data_is_wsaefault", || {
        assert_eq!(wsa_startup_without_data(VERSION_2_2), sys::WSAEFAULT);
        assert_eq!(wsa_cleanup(), Err(sys::WSANOTINITIALISED), "it did not count as a startup");
    });
}

#[test]
fn h4_limits_are_stated_for_version_1_only() {
    in_child("h4_limits_are_stated_for_version_1_only", || {
        for version in [0x0002, 0x0102, 0x0202] {
            let (_, data) = wsa_startup(version);
            assert_eq!((data.max_sockets, data.max_udp_datagram), (0, 0), "{version:#06x}");
        }
        for version in [0x0001, 0x0101] {
            let (_, data) = wsa_startup(version);
            assert_eq!((data.max_sockets, data.max_udp_datagram), (32767, 65467), "{version:#06x}");
        }
    });
}

#[test]
fn h5_startups_are_counted() {
    in_child("h5_startups_are_counted", || {
        assert_eq!(wsa_cleanup(), Err(sys::WSANOTINITIALISED), "before the first");
        for _ in 0..3 {
            assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        }
        let socket = overlapped_tcp().unwrap();
        for _ in 0..2 {
            assert_eq!(wsa_cleanup(), Ok(()));
            assert_eq!(socket.sol_option(sys::SO_ERROR), Ok(0), "only the last cleans up");
        }
        assert_eq!(wsa_cleanup(), Ok(()));
        assert_eq!(overlapped_tcp().unwrap_err(), sys::WSANOTINITIALISED);
        assert_eq!(wsa_cleanup(), Err(sys::WSANOTINITIALISED), "one too many");
        assert_eq!(wsa_cleanup(), Err(sys::WSANOTINITIALISED));
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        assert!(overlapped_tcp().is_ok());
    });
}

#[test]
fn h6_the_last_cleanup_closes_all_sockets() {
    // The peer lives in the first process: it takes no part in the startups of the one that cleans up.
    let mut address = String::new();
    if !is_child() {
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        address = peer.local_addr().unwrap().to_string();
        std::thread::spawn(move || tell_of_the_end(&peer));
    }
    in_child_with("h6_the_last_cleanup_closes_all_sockets", &[(PEER, &address)], || {
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        let peer = std::env::var(PEER).unwrap().parse().unwrap();
        let connected = overlapped_tcp().unwrap();
        connected.connect(peer).unwrap();
        let unconnected = overlapped_tcp().unwrap();
        assert_eq!(connected.wsa_recv(Request::new(8)), Begin::Pending);

        assert_eq!(wsa_cleanup(), Ok(()));
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        for socket in [&connected, &unconnected] {
            assert_eq!(socket.sol_option(sys::SO_ERROR), Err(sys::WSAENOTSOCK));
            assert_eq!(socket.send(b"x"), Err(sys::WSAENOTSOCK));
        }
        let asks = overlapped_tcp().unwrap();
        asks.connect(peer).unwrap();
        assert_eq!(asks.recv_exact(4), b"end.", "what the peer has seen of the first connection");
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the event of the pending receive is set")]
fn h6_the_last_cleanup_cancels_without_events() {
    in_child("h6_the_last_cleanup_cancels_without_events", || {
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        let socket = wsa_socket(sys::SOCK_DGRAM, sys::IPPROTO_UDP, sys::WSA_FLAG_OVERLAPPED).unwrap();
        socket.bind_loopback();
        let event = Event::manual(false);
        assert_eq!(socket.wsa_recv(Request::new(8).with_event(&event)), Begin::Pending);
        assert_eq!(wsa_cleanup(), Ok(()));
        assert_eq!(wsa_startup(VERSION_2_2).0, 0);
        assert!(!event.is_set());
    });
}

/// The variable with the address to which the test of the last cleanup connects.
const PEER: &str = "PENTAPORT_CONFORMANCE_PEER";

/// Accepts two connections and tells the second one when the first one is seen to end, gracefully or not.
fn tell_of_the_end(listener: &TcpListener) {
    let (mut first, _) = listener.accept().unwrap();
    let (mut second, _) = listener.accept().unwrap();
    first.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let ended = match first.read(&mut [0; 8]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    };
    second.write_all(if ended { b"end." } else { b"open" }).unwrap();
}

#[test]
fn h7_before_startup_nothing_is_initialised() {
    in_child("h7_before_startup_nothing_is_initialised", || {
        assert_eq!(overlapped_tcp().unwrap_err(), sys::WSANOTINITIALISED);
        let datagram = wsa_socket(sys::SOCK_DGRAM, sys::IPPROTO_UDP, 0);
        assert_eq!(datagram.unwrap_err(), sys::WSANOTINITIALISED);
    });
}

#[test]
fn h8_the_last_error_is_one_for_winsock_and_the_system_and_per_thread() {
    in_child("h8_the_last_error_is_one_for_winsock_and_the_system_and_per_thread", || {
        wsa_set_last_error(10022);
        assert_eq!(get_last_error(), 10022, "without a startup");
        set_last_error(87);
        assert_eq!(wsa_get_last_error(), 87);
        assert_eq!(wsa_get_last_error(), 87, "reading keeps it");
        // The threads take turns without calls of the system, which might set a last error too.
        let turn = AtomicU8::new(0);
        let wait_for = |wanted| {
            while turn.load(Ordering::SeqCst) != wanted {
                std::hint::spin_loop();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                wsa_set_last_error(10035);
                turn.store(1, Ordering::SeqCst);
                wait_for(2);
                assert_eq!(wsa_get_last_error(), 10035, "the first thread's is not the second one's");
            });
            wait_for(1);
            wsa_set_last_error(87);
            turn.store(2, Ordering::SeqCst);
            assert_eq!(wsa_get_last_error(), 87, "nor the other way round");
        });
    });
}

#[test]
fn h9_success_sets_the_last_error_to_0() {
    let (listener, address) = listener();
    let client = clears(overlapped_tcp);
    clears(|| client.bind(raw::loopback()));
    client.connect(address).unwrap();
    let (server, _) = clears(|| listener.accept());
    clears(|| listener.listen(4));
    clears(|| client.send(b"data"));
    clears(|| server.recv(&mut [0; 2]));
    clears(|| server.wsa_recv_now(&mut [&mut [0; 2]], 0));
    clears(|| client.wsa_send_now(&[b"data"]));
    until("data came", || server.bytes_waiting() == 4);
    clears(|| server.ioctl(sys::FIONREAD, 0));
    let mut set = raw::FdSet::of(&[&server]);
    clears(|| raw::select(Some(&mut set), None, None, Some(Duration::ZERO)));
    clears(|| client.shutdown(sys::SD_SEND));
    let datagram = udp();
    clears(|| datagram.sendto(b"x", address));
    // A failure in between is what the last error is for.
    let unbound = tcp();
    assert_eq!(unbound.bind_bad(Bad::Null, 16), Err(sys::WSAEFAULT));
    assert_eq!(wsa_get_last_error(), sys::WSAEFAULT);
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 leaves the last error as it was")]
fn h9_connect_and_closesocket_set_the_last_error_to_0() {
    let (_listener, address) = listener();
    let client = tcp();
    clears(|| client.connect(address));
    clears(|| client.close());
}

/// Runs a call that succeeds and asserts what it leaves as the last error.
#[track_caller]
fn clears<T>(call: impl FnOnce() -> raw::Outcome<T>) -> T {
    wsa_set_last_error(0xBEEF);
    let value = call().expect("the call succeeds");
    assert_eq!(wsa_get_last_error(), 0);
    value
}
