//! Socket options: what is set is read back, and has its effect where that can be seen.

mod common;

use common::*;
use pentaport::Result;
use pentaport::socket::{Family, Socket};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

type Flag = (&'static str, fn(&Socket) -> Result<bool>, fn(&Socket, bool) -> Result<()>);

fn check_flags(socket: impl Fn() -> Socket, flags: &[Flag]) {
    for (name, get, set) in flags {
        let socket = socket();
        for value in [true, false, true] {
            set(&socket, value).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(get(&socket), Ok(value), "{name}");
        }
    }
}

#[test]
fn flags_of_stream_sockets_are_read_back() {
    check_flags(
        || Socket::stream(Family::V4).unwrap(),
        &[
            ("no delay", Socket::no_delay, Socket::set_no_delay),
            ("keep alive", Socket::keep_alive, Socket::set_keep_alive),
            ("reuse address", Socket::reuse_address, Socket::set_reuse_address),
            ("exclusive", Socket::exclusive_address_use, Socket::set_exclusive_address_use),
        ],
    );
    check_flags(|| Socket::stream(Family::V6).unwrap(), &[("only v6", Socket::only_v6, Socket::set_only_v6)]);
    check_flags(|| Socket::datagram(Family::V4).unwrap(), &[("broadcast", Socket::broadcast, Socket::set_broadcast)]);
}

#[test]
fn at_first_nothing_is_set() {
    let socket = Socket::stream(Family::V4).unwrap();
    assert_eq!(socket.no_delay(), Ok(false));
    assert_eq!(socket.keep_alive(), Ok(false));
    assert_eq!(socket.linger(), Ok(None));
    assert_eq!(socket.receive_timeout(), Ok(None));
    assert_eq!(socket.send_timeout(), Ok(None));
    assert_eq!(socket.last_connect_error(), Ok(None));
    assert_eq!(Socket::stream(Family::V6).unwrap().only_v6(), Ok(true));
}

#[test]
fn values_are_read_back() {
    let socket = Socket::stream(Family::V4).unwrap();
    for time in [Some(Duration::from_secs(3)), Some(Duration::ZERO), None] {
        socket.set_linger(time).unwrap();
        assert_eq!(socket.linger(), Ok(time));
    }
    // Rounded up to what Winsock can say.
    socket.set_linger(Some(Duration::from_millis(1))).unwrap();
    assert_eq!(socket.linger(), Ok(Some(Duration::from_secs(1))));
    socket.set_receive_timeout(Some(Duration::from_micros(1))).unwrap();
    assert_eq!(socket.receive_timeout(), Ok(Some(Duration::from_millis(1))));
    socket.set_send_timeout(Some(Duration::from_millis(250))).unwrap();
    assert_eq!(socket.send_timeout(), Ok(Some(Duration::from_millis(250))));
    socket.set_send_timeout(None).unwrap();
    assert_eq!(socket.send_timeout(), Ok(None));
    let zero = socket.set_receive_timeout(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(zero.kind(), ErrorKind::InvalidInput);
    socket.set_send_buffer(10_000).unwrap();
    assert_eq!(socket.send_buffer(), Ok(10_000));
    socket.set_receive_buffer(20_000).unwrap();
    assert_eq!(socket.receive_buffer(), Ok(20_000));
}

#[test]
fn x41_accepted_sockets_inherit() {
    let listener = listener(V4);
    listener.set_no_delay(true).unwrap();
    listener.set_receive_buffer(30_000).unwrap();
    listener.set_receive_timeout(Some(Duration::from_secs(9))).unwrap();
    let _client = connected_to(&listener);
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.no_delay(), Ok(true));
    assert_eq!(accepted.receive_buffer(), Ok(30_000));
    assert_eq!(accepted.receive_timeout(), Ok(Some(Duration::from_secs(9))));
}

#[test]
fn a_receive_timeout_ends_the_wait() {
    let (_client, server) = pair();
    let time = Duration::from_millis(30);
    server.set_receive_timeout(Some(time)).unwrap();
    let start = Instant::now();
    let error = server.recv(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(start.elapsed() >= time);
}

#[test]
fn an_exclusive_address_is_not_shared() {
    let first = Socket::stream(Family::V4).unwrap();
    first.set_exclusive_address_use(true).unwrap();
    first.bind(&address(V4)).unwrap();
    first.listen(1).unwrap();
    let second = Socket::stream(Family::V4).unwrap();
    second.set_reuse_address(true).unwrap();
    assert!(second.bind(&first.local_addr().unwrap()).is_err());
}

#[test]
fn a_broadcast_needs_permission() {
    let socket = datagram();
    let everybody = address("255.255.255.255:9");
    let error = socket.send_to(b"hello", &everybody).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}
