use crate::types as ws;

use super::*;
use crate::testing::{Pair, bound_tcp, last_error, listener, start, tcp, udp, until};
use crate::{closesocket, connect, ioctlsocket, socket as new_socket};

/// Reads an option whose value is an int.
fn read(s: SOCKET, level: i32, name: i32) -> Result<i32, i32> {
    let (mut value, mut len) = (0x5555_5555, 4);
    // SAFETY: both pointers lead to live ints.
    match unsafe { getsockopt(s, level, name, (&raw mut value).cast(), &raw mut len) } {
        0 => {
            assert_eq!((len, last_error()), (4, 0));
            Ok(value)
        }
        _ => Err(last_error()),
    }
}

fn write(s: SOCKET, level: i32, name: i32, value: i32) -> Result<(), i32> {
    write_bytes(s, level, name, &value.to_ne_bytes())
}

fn write_bytes(s: SOCKET, level: i32, name: i32, value: &[u8]) -> Result<(), i32> {
    // SAFETY: the slice is as long as said.
    match unsafe { setsockopt(s, level, name, value.as_ptr(), value.len() as i32) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

fn close(sockets: &[SOCKET]) {
    for &s in sockets {
        // SAFETY: no precondition.
        assert_eq!(unsafe { closesocket(s) }, 0);
    }
}

#[test]
fn values_come_back_as_they_were_set() {
    let (stream, datagram) = (tcp(), udp());
    let rows = [
        (stream, SOL_SOCKET, SO_KEEPALIVE, 1),
        (stream, SOL_SOCKET, SO_OOBINLINE, 1),
        (stream, SOL_SOCKET, SO_DONTROUTE, 1),
        (stream, SOL_SOCKET, SO_REUSEADDR, 1),
        (datagram, SOL_SOCKET, SO_REUSEADDR, 1),
        (datagram, SOL_SOCKET, SO_BROADCAST, 1),
        (datagram, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 0),
        // Linux would double these.
        (stream, SOL_SOCKET, SO_SNDBUF, 12_345),
        (stream, SOL_SOCKET, SO_RCVBUF, 54_321),
        (datagram, SOL_SOCKET, SO_RCVBUF, 0),
        (stream, SOL_SOCKET, SO_SNDTIMEO, 1_501),
        (stream, SOL_SOCKET, SO_RCVTIMEO, -1),
        (stream, SOL_SOCKET, SO_DEBUG, 1),
        (stream, SOL_SOCKET, SO_RANDOMIZE_PORT, 1),
        (datagram, SOL_SOCKET, SO_PORT_SCALABILITY, 1),
        (stream, SOL_SOCKET, SO_REUSE_UNICASTPORT, 1),
        (stream, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1),
        (stream, IPPROTO_TCP, TCP_NODELAY, 1),
        (stream, IPPROTO_TCP, TCP_KEEPIDLE, 77),
        (stream, IPPROTO_TCP, TCP_KEEPINTVL, 7),
        (stream, IPPROTO_TCP, TCP_KEEPCNT, 5),
        (stream, IPPROTO_TCP, ws::TCP_MAXRT, 9),
        (datagram, IPPROTO_UDP, ws::UDP_NOCHECKSUM, 1),
        (stream, IPPROTO_IP, IP_TTL, 33),
        (datagram, IPPROTO_IP, IP_MULTICAST_TTL, 3),
        (datagram, IPPROTO_IP, IP_MULTICAST_LOOP, 0),
        (datagram, IPPROTO_IP, IP_DONTFRAGMENT, 1),
        (datagram, IPPROTO_IP, ws::IP_MTU_DISCOVER, ws::IP_PMTUDISC_DONT),
        (datagram, IPPROTO_IP, IP_MULTICAST_IF, i32::from_ne_bytes([127, 0, 0, 1])),
    ];
    for (s, level, name, value) in rows {
        assert_eq!(write(s, level, name, value), Ok(()), "level {level} option {name}");
        assert_eq!(read(s, level, name), Ok(value), "level {level} option {name}");
    }
    close(&[stream, datagram]);
}

#[test]
fn any_value_but_zero_is_true() {
    let s = tcp();
    for (level, name) in [(SOL_SOCKET, SO_KEEPALIVE), (IPPROTO_TCP, TCP_NODELAY), (SOL_SOCKET, SO_REUSEADDR)] {
        write(s, level, name, 0x100).unwrap();
        assert_eq!(read(s, level, name), Ok(1));
        write(s, level, name, 0).unwrap();
        assert_eq!(read(s, level, name), Ok(0));
    }
    close(&[s]);
}

#[test]
fn the_kernel_is_told() {
    let (s, fd) = (tcp(), |s| lock(s).unwrap().fd());
    write(s, SOL_SOCKET, SO_KEEPALIVE, 1).unwrap();
    write(s, IPPROTO_TCP, TCP_KEEPIDLE, 77).unwrap();
    write(s, SOL_SOCKET, SO_RCVBUF, 20_000).unwrap();
    assert_eq!(os::get_option(fd(s), libc::SOL_SOCKET, libc::SO_KEEPALIVE), Ok(1));
    assert_eq!(os::get_option(fd(s), libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), Ok(77));
    assert_eq!(os::get_option(fd(s), libc::SOL_SOCKET, libc::SO_RCVBUF), Ok(40_000));
    close(&[s]);
}

#[test]
fn h18_unknown_options_and_short_values() {
    let (stream, datagram) = (tcp(), udp());
    assert_eq!(read(stream, SOL_SOCKET, 0x7777), Err(WSAENOPROTOOPT));
    assert_eq!(write(stream, SOL_SOCKET, 0x7777, 1), Err(WSAENOPROTOOPT));
    assert_eq!(read(stream, IPPROTO_TCP, 0x7777), Err(WSAENOPROTOOPT));
    assert_eq!(read(stream, 0x7777, 1), Err(WSAEINVAL), "no such level");
    assert_eq!(write(stream, 0x7777, 1, 1), Err(WSAEINVAL));
    // SO_SNDLOWAT and SO_RCVLOWAT have numbers, but no provider of Windows has them.
    assert_eq!(read(stream, SOL_SOCKET, SO_RCVLOWAT), Err(WSAENOPROTOOPT));
    // Of the wrong kind.
    assert_eq!(read(stream, SOL_SOCKET, SO_BROADCAST), Err(WSAENOPROTOOPT));
    for name in [SO_ACCEPTCONN, SO_KEEPALIVE, SO_LINGER, SO_DONTLINGER, SO_OOBINLINE] {
        assert_eq!(read(datagram, SOL_SOCKET, name), Err(WSAENOPROTOOPT), "option {name}");
    }
    assert_eq!(read(datagram, IPPROTO_TCP, TCP_NODELAY), Err(WSAENOPROTOOPT));
    // Only to be written, or only to be read.
    assert_eq!(read(datagram, IPPROTO_IP, IP_ADD_MEMBERSHIP), Err(WSAENOPROTOOPT));
    for name in [SO_TYPE, SO_ERROR, SO_CONNECT_TIME, SO_MAX_MSG_SIZE] {
        assert_eq!(write(stream, SOL_SOCKET, name, 1), Err(WSAENOPROTOOPT), "option {name}");
    }
    for (level, name) in [(SOL_SOCKET, SO_KEEPALIVE), (SOL_SOCKET, SO_RCVTIMEO), (SOL_SOCKET, SO_LINGER)] {
        assert_eq!(write_bytes(stream, level, name, &[1, 0, 0]), Err(WSAEFAULT));
        let (mut value, mut len) = (0x55, 3);
        // SAFETY: both pointers lead to live ints.
        let code = unsafe { getsockopt(stream, level, name, (&raw mut value).cast(), &raw mut len) };
        assert_eq!((code, last_error(), value, len), (SOCKET_ERROR, WSAEFAULT, 0x55, 3));
    }
    assert_eq!(write_bytes(datagram, IPPROTO_IP, IP_ADD_MEMBERSHIP, &[0; 7]), Err(WSAEFAULT));
    // SAFETY: null pointers are refused.
    unsafe {
        assert_eq!(getsockopt(stream, SOL_SOCKET, SO_TYPE, std::ptr::null_mut(), &mut 4), SOCKET_ERROR);
        assert_eq!(last_error(), WSAEFAULT);
        assert_eq!(setsockopt(stream, SOL_SOCKET, SO_KEEPALIVE, std::ptr::null(), 4), SOCKET_ERROR);
        assert_eq!(last_error(), WSAEFAULT);
    }
    close(&[stream, datagram]);
    assert_eq!(read(stream, SOL_SOCKET, SO_TYPE), Err(WSAENOTSOCK));
    assert_eq!(write(stream, 0x7777, 1, 1), Err(WSAENOTSOCK));
}

#[test]
fn what_a_socket_is() {
    let (stream, datagram) = (tcp(), udp());
    assert_eq!(read(stream, SOL_SOCKET, SO_TYPE), Ok(SOCK_STREAM));
    assert_eq!(read(datagram, SOL_SOCKET, SO_TYPE), Ok(SOCK_DGRAM));
    assert_eq!(read(datagram, SOL_SOCKET, SO_MAX_MSG_SIZE), Ok(65_507));
    assert_eq!(read(stream, SOL_SOCKET, SO_ERROR), Ok(0));
    assert!(read(stream, SOL_SOCKET, SO_SNDBUF).unwrap() > 0);
    start();
    // SAFETY: no precondition.
    let v6 = unsafe { new_socket(AF_INET6.into(), SOCK_DGRAM, IPPROTO_UDP) };
    assert_eq!(read(v6, IPPROTO_IPV6, IPV6_V6ONLY), Ok(1), "unlike Linux's own default");
    assert_eq!(write(v6, IPPROTO_IPV6, IPV6_V6ONLY, 0), Ok(()));
    assert_eq!(read(v6, IPPROTO_IPV6, IPV6_V6ONLY), Ok(0));
    assert_eq!(read(v6, SOL_SOCKET, SO_MAX_MSG_SIZE), Ok(65_527));
    close(&[stream, datagram, v6]);
}

#[test]
fn linger_and_dontlinger_are_two_sides() {
    let s = tcp();
    let linger = |on: u16, seconds: u16| {
        let ([a, b], [c, d]) = (on.to_ne_bytes(), seconds.to_ne_bytes());
        i32::from_ne_bytes([a, b, c, d])
    };
    assert_eq!((read(s, SOL_SOCKET, SO_LINGER), read(s, SOL_SOCKET, SO_DONTLINGER)), (Ok(0), Ok(1)));
    write(s, SOL_SOCKET, SO_LINGER, linger(1, 5)).unwrap();
    assert_eq!(read(s, SOL_SOCKET, SO_LINGER), Ok(linger(1, 5)));
    assert_eq!(read(s, SOL_SOCKET, SO_DONTLINGER), Ok(0));
    write(s, SOL_SOCKET, SO_DONTLINGER, 1).unwrap();
    assert_eq!(read(s, SOL_SOCKET, SO_LINGER), Ok(0));
    write(s, SOL_SOCKET, SO_DONTLINGER, 0).unwrap();
    assert_eq!(read(s, SOL_SOCKET, SO_LINGER), Ok(linger(1, 0)));
    close(&[s]);
}

#[test]
fn reuse_and_exclusive_use_exclude_each_other() {
    let (a, b) = (tcp(), tcp());
    write(a, SOL_SOCKET, SO_REUSEADDR, 1).unwrap();
    assert_eq!(write(a, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), Err(WSAEINVAL));
    write(b, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1).unwrap();
    assert_eq!(write(b, SOL_SOCKET, SO_REUSEADDR, 1), Err(WSAEINVAL));
    assert_eq!(write(b, SOL_SOCKET, SO_REUSEADDR, 0), Ok(()));
    close(&[a, b]);
}

#[test]
fn x42_x44_listeners() {
    let fresh = tcp();
    assert_eq!(read(fresh, SOL_SOCKET, SO_ACCEPTCONN), Ok(0));
    assert_eq!(write(fresh, SOL_SOCKET, SO_ACCEPTCONN, 1), Err(WSAENOPROTOOPT));
    assert_eq!(read(fresh, SOL_SOCKET, SO_CONDITIONAL_ACCEPT), Ok(0));
    let (listening, _) = listener();
    assert_eq!(read(listening, SOL_SOCKET, SO_ACCEPTCONN), Ok(1));
    assert_eq!(write(listening, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1), Err(WSAEINVAL));
    close(&[fresh, listening]);
}

#[test]
fn x43_connect_time() {
    let (fresh, datagram) = (tcp(), udp());
    assert_eq!(read(fresh, SOL_SOCKET, SO_CONNECT_TIME), Ok(-1));
    assert_eq!(read(datagram, SOL_SOCKET, SO_CONNECT_TIME), Ok(-1));
    let pair = Pair::new();
    for s in [pair.client, pair.server] {
        let seconds = read(s, SOL_SOCKET, SO_CONNECT_TIME).unwrap();
        assert!((0..600).contains(&seconds), "{seconds}");
    }
    close(&[fresh, datagram]);
}

#[test]
fn x41_an_accepted_socket_has_its_listeners_options() {
    let rows = [
        (SOL_SOCKET, SO_REUSEADDR, 1),
        (SOL_SOCKET, SO_KEEPALIVE, 1),
        (SOL_SOCKET, SO_OOBINLINE, 1),
        (SOL_SOCKET, SO_SNDBUF, 0x123),
        (SOL_SOCKET, SO_RCVBUF, 0x7777),
        (SOL_SOCKET, SO_SNDTIMEO, 0x1234),
        (SOL_SOCKET, SO_RCVTIMEO, 0x4321),
        (SOL_SOCKET, SO_LINGER, i32::from_ne_bytes([1, 0, 9, 0])),
        (IPPROTO_TCP, TCP_NODELAY, 1),
    ];
    let pair = Pair::with(|listener| {
        for (level, name, value) in rows {
            write(listener, level, name, value).unwrap();
        }
    });
    for (level, name, value) in rows {
        assert_eq!(read(pair.server, level, name), Ok(value), "level {level} option {name}");
    }
    assert_eq!(read(pair.client, SOL_SOCKET, SO_SNDTIMEO), Ok(0));
}

#[test]
fn x16_x25_contexts() {
    let pair = Pair::new();
    let (fresh, (listening, _)) = (tcp(), listener());
    let update = |s, listener: SOCKET| write_bytes(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &listener.to_ne_bytes());
    write(listening, SOL_SOCKET, SO_RCVTIMEO, 77).unwrap();
    write(listening, IPPROTO_TCP, TCP_NODELAY, 1).unwrap();
    assert_eq!(update(pair.server, listening), Ok(()));
    assert_eq!(read(pair.server, SOL_SOCKET, SO_RCVTIMEO), Ok(77), "the listener's options come with its context");
    assert_eq!(update(pair.server, fresh), Err(WSAEINVAL), "no listener");
    assert_eq!(update(pair.server, INVALID_SOCKET), Err(WSAENOTSOCK));
    assert_eq!(update(INVALID_SOCKET, listening), Err(WSAENOTSOCK));
    assert_eq!(update(fresh, listening), Err(WSAENOTCONN));
    assert_eq!(write(pair.server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, 0), Err(WSAEFAULT));

    assert_eq!(write_bytes(pair.client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, &[]), Ok(()));
    assert_eq!(write_bytes(fresh, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, &[]), Err(WSAENOTCONN));
    close(&[fresh, listening]);
}

/// Connects without blocking; the failure of the call must be that it goes on in the background.
fn begin_connect(s: SOCKET, address: &SOCKADDR_IN) {
    // SAFETY: the address is 16 bytes long.
    assert_eq!(unsafe { connect(s, (&raw const *address).cast(), 16) }, SOCKET_ERROR);
    assert_eq!(last_error(), WSAEWOULDBLOCK);
}

fn make_nonblocking(s: SOCKET) {
    let mut on = 1;
    // SAFETY: the value is a live u32.
    assert_eq!(unsafe { ioctlsocket(s, FIONBIO, &raw mut on) }, 0);
}

#[test]
fn s29_s30_so_error_is_latched_until_a_connect_succeeds() {
    // A port that nobody listens on: bound, so that nobody else gets it.
    let (closed, nowhere) = bound_tcp();
    let (listening, somewhere) = listener();
    let s = tcp();
    make_nonblocking(s);
    write(s, IPPROTO_TCP, TCP_NODELAY, 1).unwrap();
    begin_connect(s, &nowhere);
    until("the connect fails", || read(s, SOL_SOCKET, SO_ERROR) != Ok(0));
    assert_eq!(read(s, SOL_SOCKET, SO_ERROR), Ok(WSAECONNREFUSED));
    assert_eq!(read(s, SOL_SOCKET, SO_ERROR), Ok(WSAECONNREFUSED), "reading it does not clear it");
    begin_connect(s, &somewhere);
    until("the connect succeeds", || read(s, SOL_SOCKET, SO_ERROR) == Ok(0));
    assert_ne!(read(s, SOL_SOCKET, SO_CONNECT_TIME), Ok(-1));
    let fd = lock(s).unwrap().fd();
    let no_delay = os::get_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY);
    assert_eq!(no_delay, Ok(1), "the descriptor that replaced the spent one has the options too");
    close(&[s, closed, listening]);
}

#[test]
fn d74_timeouts_end_blocking_calls() {
    let pair = Pair::new();
    write(pair.server, SOL_SOCKET, SO_RCVTIMEO, 1).unwrap();
    let mut byte = 0;
    // SAFETY: the buffer is one byte long.
    assert_eq!(unsafe { crate::recv(pair.server, &raw mut byte, 1, 0) }, SOCKET_ERROR);
    assert_eq!(last_error(), WSAETIMEDOUT);
}
