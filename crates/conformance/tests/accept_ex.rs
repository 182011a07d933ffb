//! AcceptEx (SEMANTICS 5.1) and the connect time of its acceptor (X43).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, assert_no_packet, connected, failure, listener_on_port, pends, success};
use conformance::raw::{
    Begin, Event, Port, Request, Socket, accept_ex, accept_ex_with, accept_ex_without_buffer,
    accept_ex_without_overlapped, connect_ex, extension_pointer_size, get_accept_ex_sockaddrs, listener, loopback,
    pair, tcp, udp,
};
use conformance::until;
use pentaport::sys;

const KEY: usize = 0xAC;

/// A `sockaddr_in` and the 16 bytes that AcceptEx wants beside it.
const ROOM: u32 = 32;

const WSAID_ACCEPTEX: u128 = 0xb5367df1_cbac_11cf_95ca_00805f48a192;
const WSAID_CONNECTEX: u128 = 0x25a207b9_ddf3_4660_8ee9_76e58c74063e;
const WSAID_GETACCEPTEXSOCKADDRS: u128 = 0xb5367df2_cbac_11cf_95ca_00805f48a192;

#[test]
fn x1_extension_functions_are_fetched_by_guid() {
    let socket = tcp();
    for guid in [WSAID_ACCEPTEX, WSAID_CONNECTEX, WSAID_GETACCEPTEXSOCKADDRS] {
        assert_eq!(extension_pointer_size(&socket, guid), Ok(size_of::<usize>() as u32));
    }
    assert_eq!(extension_pointer_size(&socket, 0x1234_5678), Err(sys::WSAEINVAL));
}

#[test]
fn x2_without_overlapped_is_an_invalid_parameter() {
    let (listener, _) = listener();
    let begin = accept_ex_without_overlapped(&listener, &tcp());
    assert_eq!(begin, Begin::Failed(sys::ERROR_INVALID_PARAMETER as i32));
}

#[test]
fn x3_bad_sockets_are_wsaenotsock() {
    let (port, listener, _) = listener_on_port(KEY);
    let invalid = Socket::invalid();
    let notsock = Begin::Failed(sys::WSAENOTSOCK);
    assert_eq!(accept_ex(&invalid, &tcp(), Request::new(128), 0), notsock);
    assert_eq!(accept_ex(&listener, &invalid, Request::new(128), 0), notsock);
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx pends")]
fn x4_a_socket_that_does_not_listen_is_wsaeinval() {
    let bound = tcp();
    bound.bind_loopback();
    let (connected, _peer) = pair();
    for socket in [&tcp(), &bound, &connected] {
        let begin = accept_ex(socket, &tcp(), Request::new(128), 0);
        assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEINVAL")]
fn x5_without_an_output_buffer_is_wsaefault() {
    let (port, listener, _) = listener_on_port(KEY);
    let begin = accept_ex_without_buffer(&listener, &tcp(), Request::new(128));
    assert_eq!(begin, Begin::Failed(sys::WSAEFAULT));
    assert_no_packet(&port);
}

#[test]
fn x6_only_the_local_length_may_be_zero() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let begin = accept_ex_with(&listener, &acceptor, Request::new(128), 0, ROOM, 0);
    assert_eq!(begin, Begin::Failed(sys::WSAEFAULT));
    assert_no_packet(&port);

    let request = Request::new(128);
    pends(accept_ex_with(&listener, &acceptor, request, 0, 0, ROOM));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    let (_, remote) = get_accept_ex_sockaddrs(request, 0, 0, ROOM);
    assert_eq!(remote, Some(client.getsockname().unwrap()));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx takes the connection and succeeds")]
fn x7_a_short_local_length_fails_late_and_takes_no_connection() {
    for local in [3, size_of::<sys::SOCKADDR_IN>() as u32 + 4] {
        let (port, listener, address) = listener_on_port(KEY);
        let (acceptor, request) = (tcp(), Request::new(128));
        pends(accept_ex_with(&listener, &acceptor, request, 0, local, ROOM));
        let client = connected(address);
        assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_INSUFFICIENT_BUFFER));
        assert_eq!(request.internal(), 0xC000_0023);
        let (_accepted, peer) = listener.accept().expect("the connection is still there");
        assert_eq!(peer, client.getsockname().unwrap());
    }
}

#[test]
fn x7_one_byte_less_than_the_documents_ask_for_is_accepted_at_the_call() {
    let less = size_of::<sys::SOCKADDR_IN>() as u32 + 15;
    for (local, remote) in [(less, ROOM), (ROOM, less)] {
        let (_port, listener, _) = listener_on_port(KEY);
        let acceptor = tcp();
        pends(accept_ex_with(&listener, &acceptor, Request::new(128), 0, local, remote));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx pends")]
fn x8_an_acceptor_must_be_a_fresh_stream_socket() {
    let (port, listener, _) = listener_on_port(KEY);
    let bound = tcp();
    bound.bind_loopback();
    let (connected, _peer) = pair();
    for acceptor in [&udp(), &bound, &connected] {
        let begin = accept_ex(&listener, acceptor, Request::new(128), 0);
        assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    }
    assert_no_packet(&port);
}

#[test]
fn x8_an_acceptor_serves_one_accept_ex() {
    let (port, listener, _) = listener_on_port(KEY);
    let used = tcp();
    pends(accept_ex(&listener, &used, Request::new(128), 0));
    let begin = accept_ex(&listener, &used, Request::new(128), 0);
    assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    assert_no_packet(&port);
}

#[test]
fn x9_an_acceptor_in_use_cannot_connect() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    assert_eq!(acceptor.connect(address), Err(sys::WSAEINVAL));
    let begin = connect_ex(&acceptor, address, Request::new(0), 0);
    assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    // The AcceptEx goes on.
    let _client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_no_packet(&port);
}

#[test]
fn x10_without_receive_length_it_completes_on_connection() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    // The acceptor is the connection.
    client.send(b"abc").unwrap();
    assert_eq!(acceptor.recv_exact(3), b"abc");
    acceptor.send(b"de").unwrap();
    assert_eq!(client.recv_exact(2), b"de");
}

#[test]
fn x10_with_receive_length_it_waits_for_the_first_data() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 5));
    let client = connected(address);
    until("it took the connection", || connect_time(&acceptor) != NOT_CONNECTED);
    assert_no_packet(&port);
    client.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(request.data()[..3], *b"abc");
    client.send(b"def").unwrap();
    assert_eq!(acceptor.recv_exact(3), b"def");
}

#[test]
fn x10_it_receives_at_most_the_receive_length() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 5));
    let client = connected(address);
    client.send(b"abcdefgh").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 5));
    assert_eq!(request.data()[..5], *b"abcde");
    assert_eq!(acceptor.recv_exact(3), b"fgh");
}

#[test]
fn x10_a_connection_that_waits_already_is_taken() {
    let (port, listener, address) = listener_on_port(KEY);
    let clients = [connected(address), connected(address)];
    clients[1].send(b"abc").unwrap();
    let (acceptors, requests) = ([tcp(), tcp()], [Request::new(128), Request::new(128)]);
    assert!(accept_ex(&listener, &acceptors[0], requests[0], 0).started());
    assert_eq!(port.packet(), success(KEY, requests[0], 0));
    assert!(accept_ex(&listener, &acceptors[1], requests[1], 8).started());
    assert_eq!(port.packet(), success(KEY, requests[1], 3));
    assert_no_packet(&port);
}

#[test]
fn x11_a_client_that_closes_without_data_gives_success_with_zero_bytes() {
    let (port, listener, address) = listener_on_port(KEY);
    let (acceptor, request) = (tcp(), Request::new(128));
    pends(accept_ex(&listener, &acceptor, request, 16));
    let client = connected(address);
    client.close().unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
fn x12_completion_belongs_to_the_listener() {
    let (port, listener, address) = listener_on_port(KEY);
    let other = Port::new(0);
    let acceptor = tcp();
    other.associate(&acceptor, KEY + 1).unwrap();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert!(other.is_empty());

    // From now on the acceptor's own association counts.
    let request = Request::new(8);
    pends(acceptor.wsa_recv(request));
    client.send(b"abc").unwrap();
    assert_eq!(other.packet(), success(KEY + 1, request, 3));
    assert!(port.is_empty());
}

#[test]
fn x12_without_a_port_of_the_listener_there_is_no_packet() {
    let (listener, address) = listener();
    let port = Port::new(0);
    let acceptor = tcp();
    port.associate(&acceptor, KEY).unwrap();
    let event = Event::manual(false);
    let request = Request::new(128).with_event(&event);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let _client = connected(address);
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!((request.status(), request.internal_high()), (0, 0));
    assert_no_packet(&port);
}

#[test]
fn x12_an_accepted_acceptor_can_be_associated() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    acceptor.update_accept_context(listener.raw()).unwrap();
    port.associate(&acceptor, KEY + 1).unwrap();
    let request = Request::new(8);
    pends(acceptor.wsa_recv(request));
    client.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY + 1, request, 3));
}

#[test]
fn x13_closing_the_acceptor_before_a_connection_cancels() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 16));
    acceptor.close().unwrap();
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
    // The listener goes on.
    let _client = connected(address);
    assert!(listener.accept().is_ok());
}

#[test]
fn x13_closing_the_acceptor_before_the_data_ends_it_too() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 16));
    let client = connected(address);
    until("it took the connection", || connect_time(&acceptor) != NOT_CONNECTED);
    acceptor.close().unwrap();
    let packet = port.packet();
    let ends = [sys::ERROR_OPERATION_ABORTED, sys::ERROR_CONNECTION_ABORTED];
    assert!(packet.is_of(request) && !packet.ok && ends.contains(&packet.error), "{packet:?}");
    assert_eq!((packet.key, packet.bytes), (KEY, 0));
    assert_no_packet(&port);
    // The client learns of it, by a close or by a reset.
    assert!(matches!(client.recv(&mut [0]), Ok(0) | Err(sys::WSAECONNRESET)));
}

#[test]
fn x13_closing_the_listener_cancels() {
    let (port, listener, address) = listener_on_port(KEY);
    let (early, late) = (Request::new(128), Request::new(128));
    let acceptors = [tcp(), tcp()];
    pends(accept_ex(&listener, &acceptors[0], early, 16));
    pends(accept_ex(&listener, &acceptors[1], late, 16));
    // One has its connection and waits for data, the other waits for a connection.
    let _client = connected(address);
    until("it took the connection", || connect_time(&acceptors[0]) != NOT_CONNECTED);
    listener.close().unwrap();
    let mut packets = [port.packet(), port.packet()];
    packets.sort_by_key(|packet| packet.overlapped != early.address());
    let aborted = sys::ERROR_OPERATION_ABORTED;
    assert_eq!(packets, [early, late].map(|request| failure(KEY, request, 0, aborted)));
    assert_no_packet(&port);
}

#[test]
fn x14_a_waiting_accept_ex_takes_the_connection_before_accept() {
    let (port, listener, address) = listener_on_port(KEY);
    listener.set_nonblocking(true);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 16));
    let clients = [connected(address), connected(address)];
    // Of the two, accept gets the second.
    let (_accepted, peer) = {
        let mut accepted = Err(sys::WSAEWOULDBLOCK);
        until("the second connection is accepted", || {
            accepted = listener.accept();
            !matches!(accepted, Err(sys::WSAEWOULDBLOCK))
        });
        accepted.unwrap()
    };
    assert_eq!(peer, clients[1].getsockname().unwrap());
    assert_eq!(listener.accept().map(|_| ()), Err(sys::WSAEWOULDBLOCK));
    clients[0].send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
}

#[test]
fn x14_several_are_served_in_their_order() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptors = [(); 3].map(|()| tcp());
    let requests = [(); 3].map(|()| Request::new(128));
    for (acceptor, request) in acceptors.iter().zip(requests) {
        pends(accept_ex(&listener, acceptor, request, 0));
    }
    for request in requests {
        let client = connected(address);
        assert_eq!(port.packet(), success(KEY, request, 0));
        let (_, remote) = get_accept_ex_sockaddrs(request, 0, ROOM, ROOM);
        assert_eq!(remote, Some(client.getsockname().unwrap()));
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 leaves AcceptEx pending")]
fn x14_a_deferred_connection_goes_to_the_next_accept_ex() {
    let (port, listener, address) = listener_on_port(KEY);
    let client = connected(address);
    let deferred = listener.wsa_accept(|_| sys::CF_DEFER as i32);
    assert_eq!(deferred.map(|_| ()), Err(sys::WSATRY_AGAIN));
    let request = Request::new(128);
    let acceptor = tcp();
    assert!(accept_ex(&listener, &acceptor, request, 0).started());
    assert_eq!(port.packet(), success(KEY, request, 0));
    client.send(b"abc").unwrap();
    assert_eq!(acceptor.recv_exact(3), b"abc");
}

#[test]
fn x15_the_buffer_holds_data_and_both_addresses() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex_with(&listener, &acceptor, request, 10, ROOM, ROOM));
    let client = connected(address);
    client.send(b"0123456789").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 10));
    assert_eq!(request.data()[..10], *b"0123456789");
    let (local, remote) = get_accept_ex_sockaddrs(request, 10, ROOM, ROOM);
    assert_eq!((local, remote), (Some(address), Some(client.getsockname().unwrap())));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: both outputs get the remote address")]
fn x15_without_local_length_the_local_outputs_are_left_alone() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex_with(&listener, &acceptor, request, 4, 0, ROOM));
    let client = connected(address);
    client.send(b"ab").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 2));
    let (local, remote) = get_accept_ex_sockaddrs(request, 4, 0, ROOM);
    assert_eq!((local, remote), (None, Some(client.getsockname().unwrap())));
}

#[test]
fn x16_update_accept_context_takes_the_listener() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));

    assert_eq!(acceptor.update_accept_context(listener.raw()), Ok(()));
    assert_eq!(acceptor.getpeername(), Ok(client.getsockname().unwrap()));
    assert_eq!(acceptor.getsockname(), Ok(address));
    assert_eq!(acceptor.shutdown(sys::SD_SEND), Ok(()));
    assert_eq!(client.recv(&mut [0]), Ok(0));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: SO_UPDATE_ACCEPT_CONTEXT takes any value")]
fn x16_update_accept_context_takes_nothing_but_a_listener() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    let client = connected(address);
    assert_eq!(port.packet(), success(KEY, request, 0));
    for socket in [sys::INVALID_SOCKET, client.raw()] {
        assert!(acceptor.update_accept_context(socket).is_err());
    }
    assert_eq!(acceptor.update_accept_context(listener.raw()), Ok(()), "it still can");
}

#[test]
fn x17_a_reset_before_the_data_fails_it() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 16));
    let client = connected(address);
    until("it took the connection", || connect_time(&acceptor) != NOT_CONNECTED);
    client.reset();
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED));
    assert_no_packet(&port);
}

/// What SO_CONNECT_TIME says of a socket that is not connected.
const NOT_CONNECTED: i32 = -1;

fn connect_time(socket: &Socket) -> i32 {
    socket.sol_option(sys::SO_CONNECT_TIME).expect("SO_CONNECT_TIME")
}

#[test]
fn x43_the_connect_time_of_an_acceptor_that_waits_for_data() {
    let (port, listener, address) = listener_on_port(KEY);
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 16));
    assert_eq!(connect_time(&acceptor), NOT_CONNECTED);
    let client = connected(address);
    until("it took the connection", || connect_time(&acceptor) != NOT_CONNECTED);
    assert!((0..60).contains(&connect_time(&acceptor)), "a few seconds at most");
    assert_no_packet(&port);
    client.send(b"a").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 1));
    assert_ne!(connect_time(&acceptor), NOT_CONNECTED);
}

#[test]
fn x10_accepts_without_events_or_ports_can_be_polled() {
    let (listener, address) = listener();
    let (acceptor, request) = (tcp(), Request::new(128));
    pends(accept_ex(&listener, &acceptor, request, 0));
    assert!(!request.has_completed());
    let client = tcp();
    client.bind(loopback()).unwrap();
    client.connect(address).unwrap();
    until("the connection is accepted", || request.has_completed());
    assert_eq!(request.status(), sys::STATUS_SUCCESS);
}
