//! CreateIoCompletionPort and the queueing of packets (SEMANTICS 6.1, 6.2).
#![forbid(unsafe_code)]

use conformance::fixture::{assert_no_packet, failure, pair_on_port, pends, success};
use conformance::raw::{
    Begin, Event, Port, Request, cancel_io_ex, close_handle, create_io_completion_port, invalid_handle, pair, tcp,
    wsa_socket,
};
use conformance::{in_child, until};
use pentaport::sys;

const KEY: usize = 0x1234;

#[test]
fn p1_invalid_handle_value_and_null_make_an_empty_port() {
    let handle = create_io_completion_port(invalid_handle(), 0, 0xABCD, 3).expect("a port");
    let port = Port::of(handle);
    assert_no_packet(&port);
    port.post(7, 1, 0).expect("a post");
    assert_eq!(port.packet().key, 1, "the key given to a port without a file is ignored");
}

#[test]
fn p1_ports_are_separate_queues() {
    let (a, b) = (Port::new(0), Port::new(0));
    assert_ne!(a.handle(), b.handle());
    a.post(1, 1, 0).expect("a post");
    assert!(b.is_empty());
    assert_eq!(a.packet().key, 1);
}

#[test]
fn p2_invalid_handle_value_with_a_port_is_an_invalid_parameter() {
    let port = Port::new(0);
    let result = create_io_completion_port(invalid_handle(), port.handle(), KEY, 0);
    assert_eq!(result, Err(sys::ERROR_INVALID_PARAMETER));
}

#[test]
fn p3_association_gives_the_same_handle_and_ignores_the_count() {
    let port = Port::new(1);
    let (peer, socket) = pair();
    let result = create_io_completion_port(socket.raw(), port.handle(), KEY, 0xFFFF);
    assert_eq!(result, Ok(port.handle()));

    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
}

#[test]
fn p4_a_socket_and_null_make_a_port_with_the_association() {
    let (peer, socket) = pair();
    let port = Port::of(create_io_completion_port(socket.raw(), 0, KEY, 2).expect("a port"));
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"abcd").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 4));
}

#[test]
fn p4_a_failed_association_makes_no_port() {
    let (port, _peer, socket) = pair_on_port(KEY);
    let result = create_io_completion_port(socket.raw(), 0, KEY, 2);
    assert_eq!(result, Err(sys::ERROR_INVALID_PARAMETER));
    assert_no_packet(&port);
}

#[test]
fn p5_a_socket_is_associated_once() {
    let (port, peer, socket) = pair_on_port(KEY);
    let other = Port::new(0);
    for to in [&port, &other] {
        assert_eq!(to.associate(&socket, KEY + 1), Err(sys::ERROR_INVALID_PARAMETER));
    }

    // The first association is the one that counts.
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"a").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 1));
    assert!(other.is_empty());
}

#[test]
fn p6_a_socket_without_overlapped_attribute_is_an_invalid_parameter() {
    conformance::raw::startup();
    let socket = wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, 0).expect("a socket");
    let port = Port::new(0);
    assert_eq!(port.associate(&socket, KEY), Err(sys::ERROR_INVALID_PARAMETER));
}

#[test]
fn p6_a_handle_that_is_no_port_is_invalid() {
    let socket = tcp();
    let event = Event::manual(false);
    let result = create_io_completion_port(socket.raw(), event.handle(), KEY, 0);
    assert_eq!(result, Err(sys::ERROR_INVALID_HANDLE));
    // The failed attempt used up nothing: a socket can be associated once.
    assert_eq!(Port::new(0).associate(&socket, KEY), Ok(()));
}

#[test]
fn p6_closed_handles_are_invalid() {
    // In a process of its own: elsewhere another test might get the value of the closed handle.
    in_child("p6_closed_handles_are_invalid", || {
        let (socket, port) = (tcp(), Port::new(0));
        socket.close().unwrap();
        let result = create_io_completion_port(socket.raw(), port.handle(), KEY, 0);
        assert_eq!(result, Err(sys::ERROR_INVALID_HANDLE));

        let socket = tcp();
        port.close().unwrap();
        let result = create_io_completion_port(socket.raw(), port.handle(), KEY, 0);
        assert_eq!(result, Err(sys::ERROR_INVALID_HANDLE));
        assert_eq!(close_handle(port.handle()), Err(sys::ERROR_INVALID_HANDLE));
    });
}

#[test]
fn p10_a_request_older_than_the_association_posts_to_the_port() {
    let (peer, socket) = pair();
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    let port = Port::new(0);
    port.associate(&socket, KEY).unwrap();
    assert_no_packet(&port);
    peer.send(b"late").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 4));
    assert_eq!(request.data()[..4], *b"late");
    assert_no_packet(&port);
}

#[test]
fn p11_packets_are_fifo() {
    let port = Port::new(0);
    for key in 0..1_000 {
        port.post(key as u32, key, key * 8).expect("a post");
    }
    for key in 0..1_000 {
        let packet = port.get(0);
        assert_eq!((packet.key, packet.bytes, packet.overlapped), (key, key as u32, key * 8));
    }
    assert!(port.is_empty());
}

#[test]
fn p12_each_operation_that_succeeds_queues_one_packet() {
    let (port, peer, socket) = pair_on_port(KEY);

    // Done at once.
    let send = Request::holding(b"hello");
    assert_eq!(socket.wsa_send(send), Begin::Done(5));
    assert_eq!(port.packet(), success(KEY, send, 5));
    assert_no_packet(&port);
    assert_eq!(peer.recv_exact(5), b"hello");

    peer.send(b"world").unwrap();
    until("data waits", || socket.bytes_waiting() == 5);
    let receive = Request::new(8);
    assert_eq!(socket.wsa_recv(receive), Begin::Done(5));
    assert_eq!(port.packet(), success(KEY, receive, 5));
    assert_no_packet(&port);

    // Pending.
    let receive = Request::new(8);
    pends(socket.wsa_recv(receive));
    assert_no_packet(&port);
    peer.send(b"again").unwrap();
    assert_eq!(port.packet(), success(KEY, receive, 5));
    assert_no_packet(&port);
}

#[test]
fn p13_an_operation_that_fails_at_once_queues_nothing() {
    let port = Port::new(0);
    let socket = tcp();
    port.associate(&socket, KEY).unwrap();
    assert_eq!(socket.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAENOTCONN));
    assert!(matches!(socket.wsa_send(Request::holding(b"a")), Begin::Failed(_)));
    assert_no_packet(&port);
}

#[test]
fn p14_packets_of_a_closed_socket_remain() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    let event = Event::manual(false);
    let second = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(second));
    peer.send(b"12345678abc").unwrap();
    // The event of the later one says that both packets are queued.
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    socket.close().unwrap();
    drop(peer);
    assert_eq!(port.packet(), success(KEY, request, 8));
    assert_eq!(port.packet(), success(KEY, second, 3));
    assert_no_packet(&port);
}

#[test]
fn p15_closing_an_idle_socket_queues_nothing() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"x").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 1));
    socket.close().unwrap();
    assert_no_packet(&port);
}

#[test]
fn p16_sockets_outlive_the_handle_of_their_port() {
    let (port, peer, socket) = pair_on_port(KEY);
    let early = Request::new(5);
    pends(socket.wsa_recv(early));
    port.close().unwrap();

    // Their packets go nowhere now, but the requests themselves go on.
    peer.send(b"early").unwrap();
    let event = Event::manual(false);
    let late = Request::new(8).with_event(&event);
    let begin = socket.wsa_recv(late);
    assert!(begin.started(), "{begin:?}");
    peer.send(b"late").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!(late.data()[..4], *b"late", "the first request took what came first");
    assert_eq!(early.data(), b"early");
    assert_eq!(socket.send(b"ok"), Ok(2));
    assert_eq!(peer.recv_exact(2), b"ok");
}

#[test]
fn p16_an_associated_socket_is_closed_cleanly_after_its_port() {
    let (port, peer, socket) = pair_on_port(KEY);
    pends(socket.wsa_recv(Request::new(8)));
    port.post(1, 2, 3).unwrap();
    port.close().unwrap();
    socket.close().unwrap();
    assert_eq!(peer.recv(&mut [0; 8]), Ok(0), "the peer sees the close");
}

#[test]
fn p12_a_cancelled_operation_queues_one_packet_too() {
    let (port, _peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
}
