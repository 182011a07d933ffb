//! Duplicates of a socket's handle (SEMANTICS S16, D11, D85, P8).
#![forbid(unsafe_code)]

use conformance::fixture::{assert_no_packet, failure, pair_on_port, pends, success};
use conformance::network_fixture::{deliver, deliver_urgent};
use conformance::raw::{FdSet, Request, Set, Socket, close_handle, duplicate_handle, pair, select_one, udp};
use pentaport::sys;
use std::time::Duration;

const KEY: usize = 0xD1;

/// A handle that CloseHandle closes.
struct Duplicate(std::mem::ManuallyDrop<Socket>);

impl Duplicate {
    fn of(socket: &Socket) -> Self {
        let handle = duplicate_handle(socket.raw()).expect("a duplicate");
        assert_ne!(handle, socket.raw());
        Duplicate(std::mem::ManuallyDrop::new(Socket::of(handle)))
    }
}

impl Drop for Duplicate {
    fn drop(&mut self) {
        assert_eq!(close_handle(self.0.raw()), Ok(()));
    }
}

#[test]
fn s16_a_duplicate_is_accepted_in_every_set() {
    let (client, server) = pair();
    let duplicate = Duplicate::of(&server);
    deliver(&client, b"data", &server);
    deliver_urgent(&client, b'!', &server);
    for which in Set::ALL {
        let mut set = FdSet::of_raw(&[duplicate.0.raw()]);
        assert_eq!(select_one(which, &mut set, Some(Duration::ZERO)), Ok(1), "{which:?}");
        assert_eq!(set.sockets(), [duplicate.0.raw()]);
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: send on a duplicate fails with WSAENOTSOCK (D11)")]
fn d11_a_duplicate_sends_and_receives() {
    let (client, server) = pair();
    let duplicate = Duplicate::of(&client);
    assert_eq!(duplicate.0.send(b"one"), Ok(3));
    assert_eq!(server.recv_exact(3), b"one");
    assert_eq!(duplicate.0.wsa_send_now(&[b"two"]), Ok(3));
    assert_eq!(server.recv_exact(3), b"two");
    server.send(b"three").unwrap();
    assert_eq!(duplicate.0.recv_exact(5), b"three");

    let (datagrams, receiver) = (udp(), udp());
    let address = receiver.bind_loopback();
    let duplicate = Duplicate::of(&datagrams);
    assert_eq!(duplicate.0.sendto(b"four", address), Ok(4));
    let mut buffer = [0; 8];
    assert_eq!(receiver.recvfrom(&mut buffer).map(|(count, _)| count), Ok(4));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a request ends with the handle that it was started on (D85)")]
fn d85_a_request_lives_until_the_last_duplicate_is_closed() {
    let (port, peer, socket) = pair_on_port(KEY);
    let duplicate = Duplicate::of(&socket);
    let [first, second] = [(); 2].map(|()| Request::new(4));
    pends(socket.wsa_recv(first));
    pends(socket.wsa_recv(second));
    socket.close().unwrap();
    assert_no_packet(&port);
    peer.send(b"abcd").unwrap();
    assert_eq!(port.packet(), success(KEY, first, 4));
    drop(duplicate);
    assert_eq!(port.packet(), failure(KEY, second, 0, sys::ERROR_CONNECTION_ABORTED));
}

#[test]
fn p8_duplicates_share_the_port_and_the_key() {
    let (port, peer, socket) = pair_on_port(KEY);
    let duplicate = Duplicate::of(&socket);
    assert_eq!(port.associate(&duplicate.0, KEY + 1), Err(sys::ERROR_INVALID_PARAMETER), "it has a port already");
    let request = Request::new(4);
    pends(duplicate.0.wsa_recv(request));
    peer.send(b"abcd").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 4));
}
