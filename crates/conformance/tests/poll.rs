//! WSAPoll (SEMANTICS S43 to S49).
#![forbid(unsafe_code)]

use conformance::raw::{PollEntry, Socket, listener, pair, polled, startup, tcp, udp, wsa_poll, wsa_poll_null};
use conformance::{in_child, nap, until};
use pentaport::sys::{
    self, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM,
};
use std::sync::Arc;

/// Longer than any test takes, in milliseconds.
const LONG: i32 = 60_000;

/// What WSAPoll says of a socket once it says anything.
#[track_caller]
fn awaited(socket: &Socket, events: i16) -> i16 {
    let mut entry = [PollEntry::of(socket, events)];
    assert_eq!(wsa_poll(&mut entry, LONG), Ok(1));
    entry[0].revents
}

#[test]
fn s43_no_entries_and_no_array() {
    startup();
    assert_eq!(wsa_poll(&mut [], 0), Err(sys::WSAEINVAL));
    assert_eq!(wsa_poll_null(0), Err(sys::WSAEINVAL));
    assert_eq!(wsa_poll_null(1), Err(sys::WSAEFAULT));
}

#[test]
fn s44_what_is_no_socket_is_told_but_not_counted() {
    let socket = udp();
    socket.bind_loopback();
    let mut entries = [
        PollEntry::of_raw(usize::MAX, POLLIN),
        PollEntry::of(&socket, POLLOUT),
        PollEntry::of_raw(0xabac_aba8, POLLIN),
    ];
    assert_eq!(wsa_poll(&mut entries, LONG), Ok(1));
    assert_eq!(entries.map(|entry| entry.revents), [POLLNVAL, POLLWRNORM, POLLNVAL]);
    // The others are waited for.
    entries[1].events = POLLIN;
    assert_eq!(wsa_poll(&mut entries, 20), Ok(0));
    assert_eq!(entries.map(|entry| entry.revents), [POLLNVAL, 0, POLLNVAL]);
}

#[test]
fn s44_without_any_socket_the_call_fails() {
    startup();
    let mut entries = [PollEntry::of_raw(usize::MAX, POLLIN), PollEntry::of_raw(0xabac_aba8, POLLIN)];
    assert_eq!(wsa_poll(&mut entries, LONG), Err(sys::WSAENOTSOCK));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: it polls for what may not be asked for (S45)")]
fn s45_what_may_not_be_asked_for_is_refused() {
    let (client, _server) = pair();
    for events in [POLLERR, POLLHUP, POLLNVAL, POLLPRI, POLLWRBAND, POLLIN | POLLPRI, 0x800, 0x8, i16::MIN] {
        let mut entry = [PollEntry::of(&client, events)];
        assert_eq!(wsa_poll(&mut entry, 0), Err(sys::WSAEINVAL), "{events:#x}");
    }
    // Of what is no socket anything may be asked.
    let mut entries = [PollEntry::of_raw(usize::MAX, POLLPRI), PollEntry::of(&client, POLLWRNORM)];
    assert_eq!(wsa_poll(&mut entries, 0), Ok(1));
}

#[test]
fn s46_data_connections_and_room_are_told_by_their_names() {
    assert_eq!((POLLIN, POLLOUT), (POLLRDNORM | POLLRDBAND, POLLWRNORM));
    let (listener, address) = listener();
    assert_eq!(polled(&listener, POLLIN | POLLOUT), 0);
    let client = tcp();
    client.connect(address).unwrap();
    assert_eq!(awaited(&listener, POLLIN | POLLOUT), POLLRDNORM);
    assert_eq!(polled(&listener, POLLRDBAND), 0);
    let (server, _) = listener.accept().unwrap();
    assert_eq!(polled(&server, POLLIN | POLLOUT), POLLWRNORM);
    client.send(b"abc").unwrap();
    assert_eq!(awaited(&server, POLLIN), POLLRDNORM);
    assert_eq!(polled(&server, POLLIN | POLLOUT), POLLRDNORM | POLLWRNORM);
    assert_eq!(polled(&server, 0), 0, "only what is asked for");
    assert_eq!(server.recv_exact(3), b"abc");
    assert_eq!(polled(&server, POLLIN), 0);
    let (receiver, sender) = (udp(), udp());
    let to = receiver.bind_loopback();
    assert_eq!(polled(&receiver, POLLIN), 0);
    sender.sendto(b"datagram", to).unwrap();
    assert_eq!(awaited(&receiver, POLLIN), POLLRDNORM);
}

#[test]
fn s46_urgent_data_is_told_by_its_name() {
    let (client, server) = pair();
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    assert_eq!(awaited(&server, POLLIN), POLLRDBAND);
    assert_eq!(polled(&server, POLLRDNORM), 0);
    let mut byte = [0];
    assert_eq!(server.recv_flags(&mut byte, sys::MSG_OOB), Ok(1));
    assert_eq!(polled(&server, POLLIN), 0);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the end of a stream is POLLRDNORM as well (S47)")]
fn s47_the_end_of_a_stream_is_told_apart_from_data() {
    let (client, server) = pair();
    client.send(b"abc").unwrap();
    client.shutdown(sys::SD_SEND).unwrap();
    let all = POLLIN | POLLOUT;
    until("both have come", || polled(&server, all) == POLLRDNORM | POLLHUP | POLLWRNORM);
    assert_eq!(polled(&server, 0), POLLHUP, "unasked");
    assert_eq!(server.recv_exact(3), b"abc");
    assert_eq!(polled(&server, all), POLLHUP | POLLWRNORM);
    assert_eq!(server.recv(&mut [0; 4]), Ok(0));
    assert_eq!(polled(&server, all), POLLHUP | POLLWRNORM, "it stays");
    assert_eq!(server.send(b"def"), Ok(3));
    assert_eq!(awaited(&client, POLLIN), POLLRDNORM);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a reset is POLLRDNORM as well (S48)")]
fn s48_a_reset_is_an_error() {
    let (client, server) = pair();
    client.set_linger(1, 0).unwrap();
    client.close().unwrap();
    assert_eq!(awaited(&server, POLLIN), POLLERR | POLLHUP);
    assert_eq!(polled(&server, POLLIN | POLLOUT), POLLERR | POLLHUP | POLLWRNORM);
    assert_eq!(server.recv(&mut [0; 4]), Err(sys::WSAECONNRESET));
    assert_eq!(polled(&server, POLLIN | POLLOUT), POLLERR | POLLHUP | POLLWRNORM, "it stays");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a refused connect takes seconds, and is told otherwise (S48)")]
fn s48_a_connect_that_fails_is_an_error() {
    for events in [POLLOUT, POLLIN] {
        let refusing = tcp();
        let address = refusing.bind_loopback();
        let socket = tcp();
        socket.set_nonblocking(true);
        assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
        assert_eq!(awaited(&socket, events), POLLERR | POLLHUP | (events & POLLWRNORM));
        assert_eq!(polled(&socket, events), POLLERR | POLLHUP | (events & POLLWRNORM), "it stays");
    }
}

#[test]
fn s49_a_socket_that_is_closed_meanwhile_is_told_and_counted() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("s49_a_socket_that_is_closed_meanwhile_is_told_and_counted", || {
        // A thread that came to its call too late found a closed handle: once more.
        for _ in 0..50 {
            let (_client, server) = pair();
            let server = Arc::new(server);
            let waiter = std::thread::spawn({
                let server = server.clone();
                move || {
                    let mut entry = [PollEntry::of(&server, POLLIN)];
                    (wsa_poll(&mut entry, LONG), entry[0].revents)
                }
            });
            nap();
            server.close().unwrap();
            let answer = waiter.join().unwrap();
            if answer != (Err(sys::WSAENOTSOCK), POLLNVAL) {
                assert_eq!(answer, (Ok(1), POLLNVAL));
                return;
            }
        }
        panic!("the thread never came in time");
    });
}
