//! Invalid arguments and states of the basic calls (H13 to H20, H22).
#![forbid(unsafe_code)]

use conformance::raw::{
    Bad, Begin, Event, FdSet, Outcome, Port, Request, Socket, accept_raw, any_v4, listener, loopback, pair, readiness,
    select, socket, tcp, tcp6, udp,
};
use conformance::{in_child, until};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Calls everything that takes a socket; all must answer the same.
#[track_caller]
fn assert_no_socket(bad: &Socket) {
    const NOT: Outcome<()> = Err(sys::WSAENOTSOCK);
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    assert_eq!(bad.bind(address), NOT);
    assert_eq!(bad.connect(address), NOT);
    assert_eq!(bad.wsa_connect(address), NOT);
    assert_eq!(bad.listen(1), NOT);
    assert_eq!(accept_raw(bad.raw()).map(drop), NOT);
    assert_eq!(bad.wsa_accept(|_| panic!("nothing to ask about")).map(drop), NOT);
    assert_eq!(bad.shutdown(sys::SD_SEND), NOT);
    assert_eq!(bad.send(b"x").map(drop), NOT);
    assert_eq!(bad.recv(&mut [0]).map(drop), NOT);
    assert_eq!(bad.sendto(b"x", address).map(drop), NOT);
    assert_eq!(bad.recvfrom(&mut [0]).map(drop), NOT);
    assert_eq!(bad.wsa_recv_now(&mut [&mut [0]], 0).map(drop), NOT);
    assert_eq!(bad.wsa_send_now(&[b"x"]).map(drop), NOT);
    let failed = Begin::Failed(sys::WSAENOTSOCK);
    assert_eq!(bad.wsa_recv(Request::new(1)), failed);
    assert_eq!(bad.wsa_send(Request::new(1)), failed);
    assert_eq!(bad.wsa_recv_from(Request::new(1)), failed);
    assert_eq!(bad.wsa_send_to(Request::new(1), address), failed);
    assert_eq!(bad.getsockname().map(drop), NOT);
    assert_eq!(bad.getpeername().map(drop), NOT);
    assert_eq!(bad.sol_option(sys::SO_ERROR).map(drop), NOT);
    assert_eq!(bad.set_sol_option(sys::SO_KEEPALIVE, 1), NOT);
    assert_eq!(bad.ioctl(sys::FIONBIO, 1).map(drop), NOT);
    assert_eq!(bad.wsa_ioctl(sys::FIONBIO as u32, &[0; 4], &mut [], None).0, NOT);
    assert_eq!(bad.wsa_send_disconnect(), NOT);
    assert_eq!(bad.close(), NOT);
    let mut set = FdSet::of(&[bad]);
    assert_eq!(select(Some(&mut set), None, None, Some(Duration::ZERO)).map(drop), NOT);
}

#[test]
fn h13_what_is_no_socket_is_wsaenotsock() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("h13_what_is_no_socket_is_wsaenotsock", || {
        let closed = udp();
        closed.close().unwrap();
        assert_no_socket(&closed);
        assert_no_socket(&Socket::invalid());
        let (event, port) = (Event::manual(true), Port::new(0));
        assert_no_socket(&Socket::of(event.handle()));
        assert_no_socket(&Socket::of(port.handle()));
        assert!(event.is_set(), "closesocket does not close what is no socket");
        assert!(port.is_empty());
    });
}

#[test]
fn h13_what_is_no_socket_is_found_before_bad_pointers() {
    let bad = Socket::invalid();
    assert_eq!(bad.connect_bad(Bad::Null, 0), Err(sys::WSAENOTSOCK));
    assert_eq!(bad.shutdown(99), Err(sys::WSAENOTSOCK));
    assert_eq!(bad.getpeername_nulls(), Err(sys::WSAENOTSOCK));
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 looks at the address first (WSAEFAULT)")]
fn h13_bind_and_getsockname_of_no_socket_look_at_no_pointer() {
    assert_eq!(Socket::invalid().bind_bad(Bad::Null, 0), Err(sys::WSAENOTSOCK));
    assert_eq!(Socket::invalid().getsockname_nulls(), Err(sys::WSAENOTSOCK));
}

#[test]
fn h14_getpeername_needs_a_connection_and_room() {
    let unconnected = tcp();
    assert_eq!(unconnected.getpeername(), Err(sys::WSAENOTCONN));
    unconnected.bind_loopback();
    assert_eq!(unconnected.getpeername(), Err(sys::WSAENOTCONN));
    assert_eq!(udp().getpeername(), Err(sys::WSAENOTCONN));

    let (client, server) = pair();
    assert_eq!(client.getpeername(), server.getsockname());
    assert_eq!(server.getpeername(), client.getsockname());
    assert_eq!(client.getpeername_nulls(), Err(sys::WSAEFAULT));
    assert_eq!(client.getpeername_null(16), (Err(sys::WSAEFAULT), 16));
    for short in [0, 1, 15] {
        assert_eq!(client.getpeername_length(short), (Err(sys::WSAEFAULT), short));
    }
    let (name, length) = client.getpeername_length(16);
    assert_eq!((name, length), (server.getsockname(), 16));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEFAULT")]
fn h14_getpeername_looks_at_the_connection_before_the_pointers() {
    let unconnected = tcp();
    assert_eq!(unconnected.getpeername_nulls(), Err(sys::WSAENOTCONN));
    unconnected.bind_loopback();
    assert_eq!(unconnected.getpeername_nulls(), Err(sys::WSAENOTCONN));
}

#[test]
fn h15_getsockname_of_an_unbound_socket_is_wsaeinval() {
    for socket in [tcp(), udp(), tcp6()] {
        assert_eq!(socket.getsockname(), Err(sys::WSAEINVAL));
    }
    let bound = tcp();
    bound.bind(any_v4()).unwrap();
    let name = bound.getsockname().unwrap();
    assert!(name.ip().is_unspecified() && name.port() != 0, "{name}");
}

#[test]
fn h16_bind_refuses_bad_addresses() {
    for socket in [tcp(), udp()] {
        assert_eq!(socket.bind_bad(Bad::Null, 16), Err(sys::WSAEFAULT));
        for short in [0, 2, 15] {
            assert_eq!(socket.bind_length(loopback(), short), Err(sys::WSAEFAULT), "{short}");
        }
        assert_eq!(socket.getsockname(), Err(sys::WSAEINVAL), "none of these bound it");
        assert_eq!(socket.bind(loopback()), Ok(()));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: such a bind succeeds")]
fn h16_bind_refuses_an_address_that_no_interface_has() {
    for socket in [tcp(), udp()] {
        // An address for documentation.
        let foreign = SocketAddr::from(([192, 0, 2, 1], 0));
        assert_eq!(socket.bind(foreign), Err(sys::WSAEADDRNOTAVAIL));
        assert_eq!(socket.getsockname(), Err(sys::WSAEINVAL), "it is not bound");
        assert_eq!(socket.bind(loopback()), Ok(()));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEINVAL or WSAEOPNOTSUPP")]
fn h16_bind_refuses_addresses_of_another_family() {
    for socket in [tcp(), udp()] {
        let v6: SocketAddr = "[::1]:0".parse().unwrap();
        assert_eq!(socket.bind(v6), Err(sys::WSAEAFNOSUPPORT));
        assert_eq!(socket.bind_family(0x7FFF), Err(sys::WSAEAFNOSUPPORT));
        assert_eq!(socket.getsockname(), Err(sys::WSAEINVAL), "none of these bound it");
    }
}

#[test]
fn h16_a_second_bind_is_wsaeinval() {
    for socket in [tcp(), udp()] {
        let address = socket.bind_loopback();
        assert_eq!(socket.bind(loopback()), Err(sys::WSAEINVAL));
        assert_eq!(socket.bind(address), Err(sys::WSAEINVAL), "also to the same address");
        assert_eq!(socket.getsockname(), Ok(address));
    }
}

#[test]
fn h16_a_port_in_use_is_wsaeaddrinuse() {
    let bound = tcp();
    let address = bound.bind_loopback();
    assert_eq!(tcp().bind(address), Err(sys::WSAEADDRINUSE), "bound only");
    bound.listen(1).unwrap();
    let second = tcp();
    assert_eq!(second.bind(address), Err(sys::WSAEADDRINUSE), "listening");
    assert_eq!(second.bind(loopback()), Ok(()), "the socket is still unbound");

    let bound = udp();
    let address = bound.bind_loopback();
    assert_eq!(udp().bind(address), Err(sys::WSAEADDRINUSE), "UDP");
    drop(bound);
    assert_eq!(udp().bind(address), Ok(()), "free again");
}

#[test]
fn h17_connect_of_a_listening_or_connected_socket() {
    let (listener, address) = listener();
    assert_eq!(listener.connect(address), Err(sys::WSAEINVAL));
    let client = tcp();
    client.connect(address).unwrap();
    assert_eq!(client.connect(address), Err(sys::WSAEISCONN));
    assert_eq!(client.wsa_connect(address), Err(sys::WSAEISCONN));
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(server.connect(peer), Err(sys::WSAEISCONN));
}

#[test]
fn h17_h22_a_nonblocking_connect_is_would_block_then_already() {
    // A listener whose queue overflows leaves the last of many connects in progress.
    let listener = tcp();
    let address = listener.bind_loopback();
    listener.listen(1).unwrap();
    let clients: Vec<Socket> = (0..24).map(|_| tcp()).collect();
    let mut repeats = Vec::new();
    for client in &clients {
        client.set_nonblocking(true);
        // Never WSAEINPROGRESS.
        assert_eq!(client.connect(address), Err(sys::WSAEWOULDBLOCK));
        repeats.push(client.connect(address));
    }
    let connected = Err(sys::WSAEISCONN);
    assert!(repeats.iter().all(|&code| code == connected || code == Err(sys::WSAEALREADY)));
    assert!(repeats.contains(&Err(sys::WSAEALREADY)), "some are still in progress: {repeats:?}");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the process ends with a page fault")]
fn h17_connect_without_address_is_wsaefault() {
    assert_eq!(tcp().connect_bad(Bad::Null, 16), Err(sys::WSAEFAULT));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEOPNOTSUPP")]
fn h17_connect_refuses_addresses_of_another_family() {
    let v6: SocketAddr = "[::1]:9".parse().unwrap();
    assert_eq!(tcp().connect(v6), Err(sys::WSAEAFNOSUPPORT));
}

#[test]
fn h18_unknown_options_and_short_buffers() {
    const UNKNOWN: i32 = 0x4ABC;
    for socket in [tcp(), udp()] {
        let level = sys::SOL_SOCKET;
        assert_eq!(socket.option(level, UNKNOWN), Err(sys::WSAENOPROTOOPT));
        assert_eq!(socket.set_option(level, UNKNOWN, 1), Err(sys::WSAENOPROTOOPT));
        assert_short_is_refused(&socket, sys::SO_RCVBUF);
    }
    assert_short_is_refused(&tcp(), sys::SO_LINGER);
    assert_eq!(tcp().option(sys::IPPROTO_TCP, UNKNOWN), Err(sys::WSAENOPROTOOPT));
}

#[track_caller]
fn assert_short_is_refused(socket: &Socket, name: i32) {
    let level = sys::SOL_SOCKET;
    assert_eq!(socket.option_bytes(level, name, 1), Err(sys::WSAEFAULT));
    assert_eq!(socket.set_option_bytes(level, name, &[1]), Err(sys::WSAEFAULT));
    assert_eq!(socket.set_option_bad(level, name, Bad::Null, 4), Err(sys::WSAEFAULT));
}

#[test]
fn h18_options_keep_what_was_set() {
    let socket = tcp();
    for name in [sys::SO_KEEPALIVE, sys::SO_OOBINLINE, sys::SO_REUSEADDR] {
        assert_eq!(socket.sol_option(name), Ok(0), "{name:#x}");
        socket.set_sol_option(name, 1).unwrap();
        assert_ne!(socket.sol_option(name), Ok(0), "{name:#x}");
        socket.set_sol_option(name, 0).unwrap();
        assert_eq!(socket.sol_option(name), Ok(0), "{name:#x}");
    }
    for name in [sys::SO_RCVBUF, sys::SO_SNDBUF] {
        socket.set_sol_option(name, 40_000).unwrap();
        assert_eq!(socket.sol_option(name), Ok(40_000), "{name:#x}: exactly");
    }
    for name in [sys::SO_RCVTIMEO, sys::SO_SNDTIMEO] {
        assert_eq!(socket.sol_option(name), Ok(0));
        socket.set_sol_option(name, 1234).unwrap();
        assert_eq!(socket.sol_option(name), Ok(1234), "{name:#x}: milliseconds");
    }
    assert_eq!(socket.linger().unwrap().0, 0);
    socket.set_linger(1, 7).unwrap();
    assert_eq!(socket.linger(), Ok((1, 7)));
    assert_eq!(socket.sol_option(sys::SO_TYPE), Ok(sys::SOCK_STREAM));
    assert_eq!(udp().sol_option(sys::SO_TYPE), Ok(sys::SOCK_DGRAM));
    socket.set_option(sys::IPPROTO_TCP, sys::TCP_NODELAY, 1).unwrap();
    assert_ne!(socket.option(sys::IPPROTO_TCP, sys::TCP_NODELAY), Ok(0));
}

#[test]
fn h19_ioctls_refuse_bad_buffers_and_unknown_codes() {
    let socket = tcp();
    let fionbio = sys::FIONBIO as u32;
    for command in [sys::FIONBIO, sys::FIONREAD] {
        assert_eq!(socket.ioctl_bad(command, Bad::Null), Err(sys::WSAEFAULT));
    }
    for short in [0, 1, 3] {
        let (outcome, _) = socket.wsa_ioctl(fionbio, &[1; 4][..short], &mut [], None);
        assert_eq!(outcome, Err(sys::WSAEFAULT), "{short} bytes");
    }
    assert_eq!(socket.wsa_ioctl_uncounted(fionbio, &[1, 0, 0, 0]), Err(sys::WSAEFAULT));
    let (outcome, _) = socket.wsa_ioctl(sys::FIONREAD as u32, &[], &mut [0; 3], None);
    assert_eq!(outcome, Err(sys::WSAEFAULT));

    for unknown in [0xDEAD_BEEF, 0x8004_66FE, 0x4004_74FE] {
        let (outcome, _) = socket.wsa_ioctl(unknown, &[0; 8], &mut [0; 8], None);
        let code = outcome.unwrap_err();
        assert!([sys::WSAEOPNOTSUPP, sys::WSAEINVAL].contains(&code), "{unknown:#x}: {code}");
    }
    assert_eq!(socket.wsa_ioctl(fionbio, &[1, 0, 0, 0], &mut [], None).0, Ok(()));
    assert_eq!(socket.connect(loopback_closed()), Err(sys::WSAEWOULDBLOCK), "nonblocking now");
}

#[test]
fn h19_ioctls_refuse_pointers_without_access() {
    // In a process of its own: a pointer that is not refused ends the process.
    in_child("h19_ioctls_refuse_pointers_without_access", || {
        let socket = tcp();
        for command in [sys::FIONBIO, sys::FIONREAD] {
            assert_eq!(socket.ioctl_bad(command, Bad::NoAccess), Err(sys::WSAEFAULT));
        }
    });
}

/// An address to which a connect does not succeed at once.
fn loopback_closed() -> SocketAddr {
    let socket = tcp();
    socket.bind_loopback()
}

#[test]
fn h20_fionread_counts_bytes_in_band_only() {
    let (client, server) = pair();
    assert_eq!(server.bytes_waiting(), 0);
    client.send(b"abc").unwrap();
    until("the bytes came", || server.bytes_waiting() == 3);
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    until("the urgent byte came", || readiness(&server) == "rwe");
    assert_eq!(server.bytes_waiting(), 3, "the urgent byte is not counted");
    assert_eq!(server.recv_exact(3), b"abc");
    assert_eq!(server.bytes_waiting(), 0);

    let (client, server) = (udp(), udp());
    let address = server.bind_loopback();
    client.sendto(b"datagram", address).unwrap();
    until("the datagram came", || server.bytes_waiting() == 8);
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: under Wine 8 always TRUE while SO_OOBINLINE is on")]
fn h20_siocatmark_is_true_when_no_urgent_byte_is_ahead() {
    let (client, server) = pair();
    server.set_sol_option(sys::SO_OOBINLINE, 1).unwrap();
    assert_eq!(server.ioctl(sys::SIOCATMARK, 77), Ok(1), "none at all");
    client.send(b"abc").unwrap();
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    until("all came", || server.bytes_waiting() == 4);
    assert_eq!(server.ioctl(sys::SIOCATMARK, 77), Ok(0), "one is ahead");
}

#[test]
fn h22_no_call_fails_with_wsaeinprogress_while_another_blocks() {
    let (client, server) = pair();
    let server = Arc::new(server);
    let blocked = std::thread::spawn({
        let server = Arc::clone(&server);
        move || server.recv(&mut [0; 8])
    });
    conformance::nap();
    // In Winsock 1.1 a second call beside a blocking one failed so.
    assert_eq!(server.send(b"x"), Ok(1));
    assert_eq!(server.ioctl(sys::FIONREAD, 0), Ok(0));
    assert_eq!(client.recv(&mut [0; 8]), Ok(1));
    client.send(b"y").unwrap();
    assert_eq!(blocked.join().unwrap(), Ok(1));
}

#[test]
fn unknown_kinds_of_sockets_are_refused() {
    let code = |family, kind, protocol| socket(family, kind, protocol).map(drop).unwrap_err();
    // An unknown type is found before an unknown family.
    assert_eq!(code(sys::AF_INET, 0x00AD, sys::IPPROTO_TCP), sys::WSAESOCKTNOSUPPORT);
    assert_eq!(code(0xDEAD, 0x00AD, sys::IPPROTO_TCP), sys::WSAESOCKTNOSUPPORT);
    assert_eq!(code(sys::AF_INET, sys::SOCK_STREAM, 0xDEAD), sys::WSAEPROTONOSUPPORT);
}
