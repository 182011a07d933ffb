//! Sockets: TCP and UDP over IPv4 and IPv6, blocking and not.

mod common;

use common::*;
use pentaport::socket::{Condition, Family, Shutdown, Socket};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

#[test]
fn tcp_carries_bytes_both_ways_over_both_families() {
    for on in [V4, V6] {
        let (client, server) = pair_on(on);
        assert_eq!(client.peer_addr(), server.local_addr());
        assert_eq!(server.peer_addr(), client.local_addr());
        client.send_all(b"to the server").unwrap();
        server.send_all(b"to the client").unwrap();
        let mut buffer = [0; 64];
        assert_eq!(server.recv(&mut buffer), Ok(13));
        assert_eq!(&buffer[..13], b"to the server");
        assert_eq!(client.recv(&mut buffer), Ok(13));
        assert_eq!(&buffer[..13], b"to the client");
    }
}

#[test]
fn udp_carries_datagrams_over_both_families() {
    for on in [V4, V6] {
        let [first, second] = [0, 1].map(|_| {
            let socket = Socket::udp(&address(on)).unwrap();
            socket.bind(&address(on)).unwrap();
            socket
        });
        assert_eq!(first.send_to(b"datagram", &second.local_addr().unwrap()), Ok(8));
        let mut buffer = [0; 64];
        let received = second.recv_from(&mut buffer);
        assert_eq!(received, Ok((8, first.local_addr().unwrap())));
        assert_eq!(&buffer[..8], b"datagram");
    }
}

#[test]
fn a_connected_datagram_socket_sends_and_receives() {
    let (first, second) = (datagram(), datagram());
    first.connect(&second.local_addr().unwrap()).unwrap();
    second.connect(&first.local_addr().unwrap()).unwrap();
    assert_eq!(first.send(b"ping"), Ok(4));
    let mut buffer = [0; 8];
    assert_eq!(second.recv(&mut buffer), Ok(4));
    assert_eq!(second.send(b""), Ok(0));
    assert_eq!(first.recv(&mut buffer), Ok(0));
}

#[test]
fn a_datagram_larger_than_the_buffer_is_an_error_with_its_beginning() {
    let (first, second) = (datagram(), datagram());
    first.send_to(b"0123456789", &second.local_addr().unwrap()).unwrap();
    first.send_to(b"next", &second.local_addr().unwrap()).unwrap();
    let mut buffer = [0; 4];
    let error = second.recv_from(&mut buffer).unwrap_err();
    assert_eq!((error.name(), &buffer), (Some("WSAEMSGSIZE"), b"0123"));
    assert_eq!(second.recv_from(&mut buffer).unwrap().0, 4);
    assert_eq!(&buffer, b"next");
}

#[test]
fn shutting_down_ends_the_peers_stream_and_not_ones_own() {
    let (client, server) = pair();
    client.send_all(b"last words").unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(server.recv_to_end().unwrap(), b"last words");
    assert_eq!(client.send(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
    server.send_all(b"answer").unwrap();
    drop(server);
    assert_eq!(client.recv_to_end().unwrap(), b"answer");
    assert_eq!(client.recv(&mut [0; 1]), Ok(0));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a receive that begins after a reset gives 0 (D51)")]
fn a_receive_tells_a_reset_from_a_close() {
    let (client, server) = pair();
    reset(client);
    assert_eq!(server.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn peeking_leaves_the_data_and_available_counts_it() {
    let (client, server) = pair();
    assert_eq!(server.available(), Ok(0));
    client.send_all(b"abc").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(server.peek(&mut buffer), Ok(3));
    assert_eq!(server.available(), Ok(3));
    assert_eq!(server.recv(&mut buffer), Ok(3));
    assert_eq!(server.available(), Ok(0));
}

#[test]
fn a_nonblocking_socket_does_not_wait() {
    let listener = listener(V4);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let (client, server) = pair();
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    server.set_nonblocking(false).unwrap();
    client.send_all(b"x").unwrap();
    assert_eq!(server.recv(&mut [0; 1]), Ok(1));
}

#[test]
fn failures_have_their_kinds() {
    let (_reserved, nobody) = nobody();
    let socket = Socket::stream(Family::V4).unwrap();
    assert_eq!(socket.connect(&nobody).unwrap_err().kind(), ErrorKind::ConnectionRefused);

    let first = listener(V4);
    let second = Socket::stream(Family::V4).unwrap();
    let taken = second.bind(&first.local_addr().unwrap()).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    // 192.0.2.0/24 is kept for documentation: it is no address of this machine.
    let foreign = second.bind(&address("192.0.2.1:0")).unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);

    let unconnected = Socket::stream(Family::V6).unwrap();
    assert_eq!(unconnected.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(unconnected.local_addr().unwrap_err().name(), Some("WSAEINVAL"));
    assert_eq!(unconnected.listen(1).unwrap_err().name(), Some("WSAEINVAL"));
}

/// SEMANTICS H16.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: bind fails with WSAEINVAL (H16)")]
fn an_address_of_another_family_is_refused() {
    let socket = Socket::stream(Family::V6).unwrap();
    assert_eq!(socket.bind(&address(V4)).unwrap_err().name(), Some("WSAEAFNOSUPPORT"));
}

#[test]
fn closing_tells_and_frees_the_address() {
    let first = listener(V4);
    let address = first.local_addr().unwrap();
    first.close().unwrap();
    let second = Socket::tcp(&address).unwrap();
    second.bind(&address).unwrap();
}

/// SEMANTICS D88: who may not wait is not made to, and what was sent goes on.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: a non-blocking send takes a part (D60)")]
fn closing_does_not_wait_on_a_nonblocking_socket() {
    const SIZE: usize = 4 << 20;
    let (client, server) = pair();
    client.set_nonblocking(true).unwrap();
    client.set_linger(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(client.send(&vec![7; SIZE]), Ok(SIZE));
    assert_eq!(client.close().unwrap_err().kind(), ErrorKind::WouldBlock);
    let received = server.recv_to_end().unwrap();
    assert_eq!(received.len(), SIZE);
}

#[test]
fn sockets_read_and_write_as_the_standard_library_does() {
    let (client, server) = pair();
    let echo = thread::spawn(move || {
        let mut text = String::new();
        (&server).read_to_string(&mut text).unwrap();
        (&server).write_all(text.to_uppercase().as_bytes()).unwrap();
    });
    (&client).write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    let mut answer = String::new();
    (&client).read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "HELLO");
    echo.join().unwrap();
}

#[test]
fn one_thread_receives_while_another_sends_on_the_same_socket() {
    const TOTAL: usize = 4 << 20;
    let (client, server) = pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = vec![0; 64 << 10];
            loop {
                match server.recv(&mut buffer).unwrap() {
                    0 => break server.shutdown(Shutdown::Send).unwrap(),
                    count => server.send_all(&buffer[..count]).unwrap(),
                }
            }
        });
        scope.spawn(|| {
            let data: Vec<u8> = (0..TOTAL).map(|index| (index % 251) as u8).collect();
            client.send_all(&data).unwrap();
            client.shutdown(Shutdown::Send).unwrap();
        });
        let back = client.recv_to_end().unwrap();
        assert_eq!(back.len(), TOTAL);
        assert!(back.iter().enumerate().all(|(index, &byte)| byte == (index % 251) as u8));
    });
}

#[test]
fn x39_the_condition_accepts_rejects_and_defers() {
    let listener = listener(V4);
    let here = listener.local_addr().unwrap();
    let client = connected_to(&listener);
    let from = client.local_addr().unwrap();

    let deferred = listener.accept_if(|caller, callee| {
        assert_eq!((caller, callee), (from, here));
        Condition::Defer
    });
    assert_eq!(deferred.unwrap_err().name(), Some("WSATRY_AGAIN"));
    // It is still the first in line.
    let (accepted, caller) = listener.accept_if(|_, _| Condition::Accept).unwrap();
    assert_eq!(caller, from);
    accepted.send_all(b"welcome").unwrap();
    drop(accepted);
    assert_eq!(client.recv_to_end().unwrap(), b"welcome");

    let _unwanted = connected_to(&listener);
    let rejected = listener.accept_if(|_, _| Condition::Reject).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::ConnectionRefused);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CF_REJECT closes the connection gracefully (X39)")]
fn a_rejected_connection_is_reset() {
    let listener = listener(V4);
    let unwanted = connected_to(&listener);
    listener.accept_if(|_, _| Condition::Reject).unwrap_err();
    assert_eq!(unwanted.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the condition function is given no IPv6 address (X38)")]
fn the_condition_sees_addresses_of_both_families() {
    for on in [V4, V6] {
        let listener = listener(on);
        let client = connected_to(&listener);
        let mut seen = None;
        let accepted = listener.accept_if(|caller, callee| {
            seen = Some((caller, callee));
            Condition::Accept
        });
        accepted.unwrap();
        assert_eq!(seen, Some((client.local_addr().unwrap(), listener.local_addr().unwrap())));
    }
}

#[test]
fn a_panic_in_the_condition_comes_out_and_rejects() {
    let listener = listener(V4);
    let unlucky = connected_to(&listener);
    let panic = catch_unwind(AssertUnwindSafe(|| listener.accept_if(|_, _| panic!("no idea"))));
    let payload = panic.expect_err("the panic goes on");
    assert_eq!(payload.downcast_ref(), Some(&"no idea"));
    assert!(!matches!(unlucky.recv(&mut [0; 1]), Ok(1..)));
    // The listener is as good as before.
    let _lucky = connected_to(&listener);
    listener.accept_if(|_, _| Condition::Accept).unwrap();
}

#[test]
fn the_description_of_a_socket_names_its_ends() {
    let (client, _server) = pair();
    let text = format!("{client:?}");
    assert!(text.contains(&client.local_addr().unwrap().to_string()), "{text}");
    assert!(text.contains(&client.peer_addr().unwrap().to_string()), "{text}");
}
