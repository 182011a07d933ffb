//! Receiving (D45 to D49, D52 to D56, D59).
#![forbid(unsafe_code)]

use conformance::raw::{
    Begin, Event, How, Port, Request, Socket, get_overlapped_result, listener, loopback, pair, readiness, tcp, udp,
    wsa_get_overlapped_result,
};
use conformance::until;
use pentaport::sys;
use std::net::SocketAddr;

fn flags(flags: i32) -> How {
    How { flags: flags as u32, ..How::default() }
}

#[test]
fn d45_a_receive_of_0_bytes_on_ready_data_gives_0() {
    let (client, server) = pair();
    client.send(b"data").unwrap();
    until("data came", || readiness(&server) == "rw");
    assert_eq!(server.recv(&mut []), Ok(0));
    assert_eq!(server.wsa_recv_now(&mut [&mut []], 0), Ok((0, 0)));
    assert_eq!(server.recv_exact(4), b"data", "nothing was taken");
}

#[test]
fn d46_peeked_data_stays() {
    let (client, server) = pair();
    client.send(b"data").unwrap();
    until("data came", || readiness(&server) == "rw");
    let mut buffer = [0; 8];
    for _ in 0..3 {
        assert_eq!(server.recv_flags(&mut buffer, sys::MSG_PEEK), Ok(4));
        assert_eq!(&buffer[..4], b"data");
        let request = Request::new(2);
        assert_eq!(server.wsa_recv_how(request, flags(sys::MSG_PEEK)), Begin::Done(2));
        assert_eq!(request.data(), b"da");
    }
    assert_eq!(server.recv_exact(4), b"data");
}

#[test]
fn d46_a_pending_peek_completes_and_leaves_the_data() {
    let (client, server) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(server.wsa_recv_how(request, flags(sys::MSG_PEEK)), Begin::Pending);
    client.send(b"data").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!(request.internal_high(), 4);
    assert_eq!(&request.data()[..4], b"data");
    assert_eq!(server.recv_exact(4), b"data");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing")]
fn d47_waitall_receives_until_full() {
    let (client, server) = pair();
    let receiver = std::thread::spawn(move || {
        let mut buffer = [0; 12];
        (server.recv_flags(&mut buffer, sys::MSG_WAITALL), buffer, server)
    });
    for part in [b"four", b"more", b"last"] {
        assert!(!receiver.is_finished());
        client.send(part).unwrap();
        conformance::nap();
    }
    let (outcome, buffer, server) = receiver.join().unwrap();
    assert_eq!((outcome, &buffer), (Ok(12), b"fourmorelast"));
    // It ends early with the stream.
    client.send(b"rest").unwrap();
    client.shutdown(sys::SD_SEND).unwrap();
    let mut buffer = [0; 12];
    assert_eq!(server.recv_flags(&mut buffer, sys::MSG_WAITALL), Ok(4));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing")]
fn d47_an_overlapped_waitall_pends_until_full() {
    let (client, server) = pair();
    let event = Event::manual(false);
    let request = Request::scatter(&[3, 5]).with_event(&event);
    client.send(b"one").unwrap();
    until("data came", || readiness(&server) == "rw");
    assert_eq!(server.wsa_recv_how(request, flags(sys::MSG_WAITALL)), Begin::Pending);
    client.send(b"two").unwrap();
    assert_eq!(event.wait(50), sys::WAIT_TIMEOUT, "6 of 8 bytes came");
    client.send(b"three").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!((request.internal(), request.internal_high()), (0, 8));
    assert_eq!((request.buffer(0), request.buffer(1)), (b"one".to_vec(), b"twoth".to_vec()));
    assert_eq!(server.recv_exact(3), b"ree");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_WAITALL does nothing and is never refused")]
fn d47_waitall_is_refused_where_it_has_no_meaning() {
    let mut buffer = [0; 8];
    let (_client, server) = pair();
    for other in [sys::MSG_OOB, sys::MSG_PEEK, sys::MSG_PARTIAL as i32] {
        let outcome = server.recv_flags(&mut buffer, sys::MSG_WAITALL | other);
        assert_eq!(outcome, Err(sys::WSAEOPNOTSUPP), "with {other:#x}");
    }
    server.set_nonblocking(true);
    let outcome = server.recv_flags(&mut buffer, sys::MSG_WAITALL);
    assert_eq!(outcome, Err(sys::WSAEOPNOTSUPP), "nonblocking");
    let datagram = udp();
    datagram.bind_loopback();
    let outcome = datagram.recv_flags(&mut buffer, sys::MSG_WAITALL);
    assert_eq!(outcome, Err(sys::WSAEOPNOTSUPP), "datagrams");
}

#[test]
fn d48_an_urgent_byte_is_received_before_earlier_data() {
    let (client, server) = pair();
    client.send(b"abc").unwrap();
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    until("the urgent byte came", || readiness(&server) == "rwe");
    let mut byte = [0];
    assert_eq!(server.recv_flags(&mut byte, sys::MSG_OOB), Ok(1));
    assert_eq!(&byte, b"!");
    assert_eq!(server.recv_exact(3), b"abc");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: an ordinary receive waits behind the urgent one")]
fn d48_a_pending_urgent_receive_is_not_satisfied_by_data() {
    let (client, server) = pair();
    let (urgent_event, event) = (Event::manual(false), Event::manual(false));
    let urgent = Request::new(8).with_event(&urgent_event);
    assert_eq!(server.wsa_recv_how(urgent, flags(sys::MSG_OOB)), Begin::Pending);
    let request = Request::new(8).with_event(&event);
    assert_eq!(server.wsa_recv(request), Begin::Pending);
    client.send(b"abc").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0, "data passes the urgent receive");
    assert_eq!(&request.data()[..3], b"abc");
    assert!(!urgent_event.is_set());
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    assert_eq!(urgent_event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!((urgent.internal_high(), urgent.data()[0]), (1, b'!'));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_PARTIAL stays set on output")]
fn d49_msg_partial_is_ignored() {
    let (client, server) = pair();
    client.send(b"data").unwrap();
    until("data came", || readiness(&server) == "rw");
    let mut buffer = [0; 2];
    let partial = sys::MSG_PARTIAL;
    let outcome = server.wsa_recv_now(&mut [&mut buffer], partial);
    assert_eq!(outcome, Ok((2, 0)), "never set on output");
    let request = Request::new(8);
    assert_eq!(server.wsa_recv_how(request, flags(partial as i32)), Begin::Done(2));
    assert_eq!(request.flags(), 0);

    let (sender, receiver) = (udp(), udp());
    sender.sendto(b"datagram", receiver.bind_loopback()).unwrap();
    assert_eq!(receiver.recv_flags(&mut [0; 16], partial as i32), Ok(8));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: after a reset was reported, WSARecv gives 0 bytes")]
fn d52_after_a_reset_every_call_fails_at_once() {
    let (client, server) = pair();
    let port = Port::new(1);
    port.associate(&server, 7).unwrap();
    let request = Request::new(8);
    assert_eq!(server.wsa_recv(request), Begin::Pending);
    client.reset();
    let packet = port.packet();
    assert!(packet.is_of(request));
    assert_eq!((packet.ok, packet.error), (false, sys::ERROR_NETNAME_DELETED));

    for _ in 0..3 {
        let failed = Begin::Failed(sys::WSAECONNRESET);
        assert_eq!(server.wsa_recv(Request::new(8)), failed);
        assert_eq!(server.wsa_send(Request::holding(b"x")), failed);
        assert_eq!(server.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
        assert_eq!(server.send(b"x"), Err(sys::WSAECONNRESET));
        assert_eq!(server.sol_option(sys::SO_ERROR), Ok(0));
    }
    assert!(port.is_empty(), "no packet for what failed at once");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recv gives 0 after a reset")]
fn d52_a_reset_reported_to_a_synchronous_call_stays_as_well() {
    let (client, server) = pair();
    client.reset();
    for _ in 0..3 {
        assert_eq!(server.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
        assert_eq!(server.send(b"x"), Err(sys::WSAECONNRESET));
        assert_eq!(server.sol_option(sys::SO_ERROR), Ok(0));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recv gives 0 for ever")]
fn d53_a_send_to_a_closed_peer_succeeds_once_and_aborts() {
    let (client, server) = pair();
    server.close().unwrap();
    assert_eq!(client.recv(&mut [0; 8]), Ok(0), "the graceful end first");
    assert_eq!(client.send(b"x"), Ok(1));
    until("the receive is told", || match client.recv(&mut [0; 8]) {
        // The answer to the send has not come yet.
        Ok(0) => false,
        Err(sys::WSAECONNABORTED) => true,
        other => panic!("{other:?}"),
    });
}

#[test]
fn d54_a_receive_on_an_unconnected_stream_is_wsaenotconn() {
    let port = Port::new(1);
    let socket = tcp();
    port.associate(&socket, 1).unwrap();
    assert_receives_are_refused(&socket);
    socket.bind(loopback()).unwrap();
    assert_receives_are_refused(&socket);
    assert!(port.is_empty(), "no packet");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recv waits for ever")]
fn d54_a_receive_on_a_listener_is_wsaenotconn() {
    assert_receives_are_refused(&listener().0);
}

#[track_caller]
fn assert_receives_are_refused(socket: &Socket) {
    assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAENOTCONN));
    assert_eq!(socket.wsa_recv_now(&mut [&mut [0; 8]], 0), Err(sys::WSAENOTCONN));
    assert_eq!(socket.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAENOTCONN));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking recv gives WSAEWOULDBLOCK")]
fn d54_also_while_a_connect_is_in_progress() {
    // A listener whose queue overflows leaves the last of many connects in progress.
    let listener = tcp();
    let address = listener.bind_loopback();
    listener.listen(1).unwrap();
    let clients: Vec<Socket> = (0..24).map(|_| tcp()).collect();
    for client in &clients {
        client.set_nonblocking(true);
        assert_eq!(client.connect(address), Err(sys::WSAEWOULDBLOCK));
    }
    let in_progress: Vec<&Socket> =
        clients.iter().filter(|client| client.connect(address) == Err(sys::WSAEALREADY)).collect();
    assert!(!in_progress.is_empty());
    // Nothing accepts, so the last ones stay so for a while.
    let last = in_progress[in_progress.len() - 1];
    assert_eq!(last.recv(&mut [0; 8]), Err(sys::WSAENOTCONN));
    assert_eq!(last.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAENOTCONN));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recv waits for ever")]
fn d55_a_receive_on_an_unbound_udp_socket_is_wsaeinval() {
    let socket = udp();
    assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAEINVAL));
    assert_eq!(socket.recvfrom(&mut [0; 8]).map(drop), Err(sys::WSAEINVAL));
    assert_eq!(socket.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAEINVAL));
    assert_eq!(socket.wsa_recv_from(Request::new(8)), Begin::Failed(sys::WSAEINVAL));
    assert_eq!(socket.getsockname(), Err(sys::WSAEINVAL), "it is still unbound");
}

/// A sender and a bound receiver of datagrams, and the receiver's address.
fn datagrams() -> (Socket, Socket, SocketAddr) {
    let (sender, receiver) = (udp(), udp());
    let address = receiver.bind_loopback();
    (sender, receiver, address)
}

type Receive = fn(&Socket, &mut [u8]) -> Result<(), i32>;

#[test]
fn d56_a_datagram_larger_than_the_buffer_is_wsaemsgsize() {
    let (sender, receiver, address) = datagrams();
    let receives: [Receive; 3] = [
        |socket, buffer| socket.recv(buffer).map(drop),
        |socket, buffer| socket.recvfrom(buffer).map(drop),
        |socket, buffer| socket.wsa_recv_now(&mut [buffer], 0).map(drop),
    ];
    for receive in receives {
        sender.sendto(b"0123456789", address).unwrap();
        sender.sendto(b"next", address).unwrap();
        let mut buffer = [0; 4];
        assert_eq!(receive(&receiver, &mut buffer), Err(sys::WSAEMSGSIZE));
        assert_eq!(&buffer, b"0123", "the buffer is filled");
        let mut buffer = [0; 16];
        assert_eq!(receiver.recv(&mut buffer), Ok(4), "the rest is lost");
        assert_eq!(&buffer[..4], b"next");
    }
    // One that just fits is none.
    sender.sendto(b"0123", address).unwrap();
    assert_eq!(receiver.recv(&mut [0; 4]), Ok(4));
}

#[test]
fn d56_an_overlapped_receive_of_it_completes_with_a_warning() {
    let (sender, receiver, address) = datagrams();
    let event = Event::manual(false);
    let request = Request::scatter(&[2, 2]).with_event(&event);
    assert_eq!(receiver.wsa_recv_from(request), Begin::Pending);
    sender.sendto(b"0123456789", address).unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!((request.status(), request.internal_high()), (sys::STATUS_BUFFER_OVERFLOW, 4));
    assert_eq!((request.buffer(0), request.buffer(1)), (b"01".to_vec(), b"23".to_vec()));
    let result = wsa_get_overlapped_result(receiver.raw(), request, false);
    assert_eq!((result.ok, result.error as i32), (false, sys::WSAEMSGSIZE));
    let result = get_overlapped_result(receiver.raw(), request, false);
    assert_eq!((result.ok, result.error, result.bytes), (false, sys::ERROR_MORE_DATA, 4));
}

#[test]
fn d56_its_packet_is_a_failed_one_with_the_bytes() {
    let (sender, receiver, address) = datagrams();
    let port = Port::new(1);
    port.associate(&receiver, 3).unwrap();
    let request = Request::new(4);
    assert_eq!(receiver.wsa_recv(request), Begin::Pending);
    sender.sendto(b"0123456789", address).unwrap();
    let packet = port.packet();
    assert!(packet.is_of(request));
    assert_eq!((packet.ok, packet.error), (false, sys::ERROR_MORE_DATA));
    assert_eq!((packet.bytes, packet.key), (4, 3));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recvfrom succeeds and takes the datagram")]
fn d59_too_little_room_for_the_senders_address_leaves_the_datagram() {
    let (sender, receiver, address) = datagrams();
    sender.sendto(b"data", address).unwrap();
    until("the datagram came", || readiness(&receiver) == "rw");
    let mut buffer = [0; 16];
    for short in [0, 1, 15] {
        let (outcome, ..) = receiver.recvfrom_length(&mut buffer, short);
        assert_eq!(outcome, Err(sys::WSAEFAULT), "{short} bytes");
    }
    let (outcome, from, length) = receiver.recvfrom_length(&mut buffer, 16);
    assert_eq!((outcome, length), (Ok(4), 16), "it is still queued");
    assert_eq!(&buffer[..4], b"data");
    assert_eq!(from.unwrap().port(), sender.getsockname().unwrap().port());
}

#[test]
fn d59_on_a_stream_the_senders_address_is_left_alone() {
    let (client, server) = pair();
    client.send(b"data").unwrap();
    let (outcome, from, length) = server.recvfrom_length(&mut [0; 8], 99);
    assert_eq!((outcome, from, length), (Ok(4), None, 99));
}
