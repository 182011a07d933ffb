//! ConnectEx (SEMANTICS 5.2).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, assert_no_packet, failure, pends, success, unanswered};
use conformance::raw::{
    Begin, Event, Port, Request, Socket, cancel_io_ex, connect_ex, connect_ex_without_overlapped, listener, loopback,
    pair, set_file_completion_notification_modes, tcp, wsa_get_overlapped_result,
};
use pentaport::sys;
use std::net::SocketAddr;

const KEY: usize = 0xC0;

/// A bound socket on a new port.
fn bound_on_port() -> (Port, Socket) {
    let socket = tcp();
    socket.bind(loopback()).expect("bind");
    let port = Port::new(0);
    port.associate(&socket, KEY).expect("the association");
    (port, socket)
}

/// An address on which nobody listens.
fn nobody() -> SocketAddr {
    let socket = tcp();
    let address = socket.bind_loopback();
    socket.close().expect("closesocket");
    address
}

#[test]
fn x19_the_socket_must_be_bound_and_must_not_listen() {
    let (_listener, address) = listener();
    let unbound = tcp();
    let (listening, _) = listener();
    for socket in [&unbound, &listening] {
        let begin = connect_ex(socket, address, Request::new(0), 0);
        assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    }
}

#[test]
fn x20_without_overlapped_is_an_invalid_parameter() {
    let (_port, socket) = bound_on_port();
    let (_listener, address) = listener();
    let begin = connect_ex_without_overlapped(&socket, address);
    assert_eq!(begin, Begin::Failed(sys::ERROR_INVALID_PARAMETER as i32));
}

#[test]
fn x20_bad_and_connected_sockets_are_refused() {
    let (_listener, address) = listener();
    let begin = connect_ex(&Socket::invalid(), address, Request::new(0), 0);
    assert_eq!(begin, Begin::Failed(sys::WSAENOTSOCK));
    let (client, server) = pair();
    for socket in [&client, &server] {
        let begin = connect_ex(socket, address, Request::new(0), 0);
        assert_eq!(begin, Begin::Failed(sys::WSAEISCONN));
    }
}

#[test]
fn x20_x21_a_connect_in_progress_excludes_another() {
    let (address, _kept) = unanswered();
    let invalid = Begin::Failed(sys::WSAEINVAL);

    let (port, socket) = bound_on_port();
    let first = Request::new(0);
    pends(connect_ex(&socket, address, first, 0));
    assert_eq!(connect_ex(&socket, address, Request::new(0), 0), invalid);
    assert_eq!(socket.connect(address), Err(sys::WSAEINVAL));
    assert_eq!(cancel_io_ex(socket.raw(), Some(first)), Ok(()));
    assert_eq!(port.packet(), failure(KEY, first, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);

    let (port, socket) = bound_on_port();
    socket.set_nonblocking(true);
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    assert_eq!(connect_ex(&socket, address, Request::new(0), 0), invalid);
    assert_eq!(socket.connect(address), Err(sys::WSAEALREADY));
    assert_no_packet(&port);
}

#[test]
fn x22_it_always_pends_and_counts_the_data_sent() {
    let (listener, address) = listener();
    for data in [b"".as_slice(), b"hello"] {
        let (port, socket) = bound_on_port();
        let request = Request::holding(data);
        pends(connect_ex(&socket, address, request, data.len() as u32));
        // The data was copied.
        request.fill(b'!');
        assert_eq!(port.packet(), success(KEY, request, data.len() as u32));
        assert_eq!((request.status(), request.internal_high()), (0, data.len()));
        let (accepted, peer) = listener.accept().unwrap();
        assert_eq!(accepted.recv_exact(data.len()), data);
        assert_eq!(peer, socket.getsockname().unwrap());
        // It works both ways.
        accepted.send(b"abc").unwrap();
        assert_eq!(socket.recv_exact(3), b"abc");
        assert_eq!(socket.send(b"de"), Ok(2));
        assert_eq!(accepted.recv_exact(2), b"de");
        assert_no_packet(&port);
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: only the beginning of 8 MiB is sent")]
fn x22_a_large_first_message_arrives_whole() {
    let (listener, address) = listener();
    let (port, socket) = bound_on_port();
    let data: Vec<u8> = (0..8 << 20).map(|i| (i % 253) as u8).collect();
    let request = Request::holding(&data);
    pends(connect_ex(&socket, address, request, data.len() as u32));
    let (accepted, _) = listener.accept().unwrap();
    assert!(accepted.recv_exact(data.len()) == data, "wrong bytes");
    assert_eq!(port.packet(), success(KEY, request, data.len() as u32));
}

#[test]
fn x22_it_works_without_a_port() {
    let (listener, address) = listener();
    let socket = tcp();
    socket.bind(loopback()).unwrap();
    let event = Event::manual(true);
    let request = Request::holding(b"abc").with_event(&event);
    pends(connect_ex(&socket, address, request, 3));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.bytes), (true, 3));
    assert_eq!(listener.accept().unwrap().0.recv_exact(3), b"abc");
}

#[test]
fn x23_a_refused_connect_fails() {
    let (port, socket) = bound_on_port();
    let request = Request::holding(b"abc");
    pends(connect_ex(&socket, nobody(), request, 3));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_CONNECTION_REFUSED));
    assert_eq!((request.internal(), request.internal_high()), (0xC000_0236, 0));
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::WSAECONNREFUSED as u32));
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second ConnectEx fails with WSAECONNABORTED")]
fn x23_a_refused_connect_may_be_tried_again() {
    let (port, socket) = bound_on_port();
    let request = Request::new(0);
    pends(connect_ex(&socket, nobody(), request, 0));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_CONNECTION_REFUSED));

    let (listener, address) = listener();
    let request = Request::holding(b"abc");
    pends(connect_ex(&socket, address, request, 3));
    assert_eq!(port.packet(), success(KEY, request, 3));
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.recv_exact(3), b"abc");
    // The association survived.
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    accepted.send(b"d").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 1));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second ConnectEx fails with WSAECONNABORTED")]
fn x23_a_connect_that_fails_or_is_cancelled_leaves_the_socket_at_its_port() {
    let (unanswered, _kept) = unanswered();
    let (listener, address) = listener();
    for cancelled in [false, true] {
        let (port, socket) = bound_on_port();
        let name = socket.getsockname().unwrap();
        let request = Request::new(0);
        pends(connect_ex(&socket, if cancelled { unanswered } else { nobody() }, request, 0));
        if cancelled {
            assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
        }
        assert!(!port.packet().ok);
        assert_eq!(socket.getsockname(), Ok(name), "cancelled: {cancelled}");
        let request = Request::new(0);
        pends(connect_ex(&socket, address, request, 0));
        assert_eq!(port.packet(), success(KEY, request, 0));
        assert_eq!(listener.accept().map(|(_, peer)| peer), Ok(name), "cancelled: {cancelled}");
    }
}

#[test]
fn x24_skipping_packets_on_success_does_not_skip_its_packet() {
    let (_listener, address) = listener();
    let (port, socket) = bound_on_port();
    let skip = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
    assert_eq!(set_file_completion_notification_modes(socket.raw(), skip), Ok(()));
    let request = Request::new(0);
    pends(connect_ex(&socket, address, request, 0));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_no_packet(&port);
}

#[test]
fn x25_during_the_connect_there_is_no_peer_name() {
    let (address, _kept) = unanswered();
    let (_port, socket) = bound_on_port();
    pends(connect_ex(&socket, address, Request::new(0), 0));
    assert_eq!(socket.getpeername(), Err(sys::WSAENOTCONN));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: connect fails with WSAEISCONN before the update")]
fn x25_connect_is_invalid_until_the_context_is_updated() {
    let (_listener, address) = listener();
    let (port, socket) = bound_on_port();
    let request = Request::new(0);
    pends(connect_ex(&socket, address, request, 0));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_eq!(socket.connect(address), Err(sys::WSAEINVAL));
    assert_eq!(socket.update_connect_context(), Ok(()));
    assert_eq!(socket.getpeername(), Ok(address));
    assert_eq!(socket.connect(address), Err(sys::WSAEISCONN));

    let (plain, _accepted) = pair();
    assert_eq!(plain.connect(address), Err(sys::WSAEISCONN));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: getpeername fails with WSAENOTCONN")]
fn x26_names_are_known_during_a_nonblocking_connect() {
    let (address, _kept) = unanswered();
    let socket = tcp();
    socket.set_nonblocking(true);
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    assert_eq!(socket.getpeername(), Ok(address));
    assert_ne!(socket.getsockname().unwrap().port(), 0);
}

#[test]
fn x23_closing_a_socket_that_connects_ends_the_request() {
    let (address, _kept) = unanswered();
    let (port, socket) = bound_on_port();
    let request = Request::new(0);
    pends(connect_ex(&socket, address, request, 0));
    socket.close().unwrap();
    let packet = port.packet();
    let ends = [sys::ERROR_OPERATION_ABORTED, sys::ERROR_CONNECTION_ABORTED];
    assert!(packet.is_of(request) && !packet.ok && ends.contains(&packet.error), "{packet:?}");
    assert_eq!((packet.key, packet.bytes), (KEY, 0));
    assert_no_packet(&port);
}
