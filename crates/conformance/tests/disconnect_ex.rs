//! DisconnectEx, and the handle that it gives back for another connection (SEMANTICS X27 to X30).
#![forbid(unsafe_code)]

use conformance::fixture::{
    DEADLINE_MS, assert_no_packet, closed_socket, failure, finishes, pair_on_port, pends, success,
};
use conformance::raw::{
    Begin, Event, Port, Request, Socket, accept_ex, cancel_io_ex, connect_ex, disconnect_ex, get_overlapped_result,
    listener, loopback, pair, set_file_completion_notification_modes, tcp, udp,
};
use conformance::raw_port::tagged;
use conformance::{nap, until};
use pentaport::sys;

const KEY: usize = 30;

fn failed(code: i32) -> Begin {
    Begin::Failed(code)
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: it pends without a connection (X27)")]
fn x27_what_is_no_connection_is_refused() {
    assert_eq!(disconnect_ex(&closed_socket(), Some(Request::new(0)), 0, 0), failed(sys::WSAENOTSOCK));
    let (listener, _) = listener();
    let bound = tcp();
    bound.bind_loopback();
    for socket in [tcp(), bound, listener, udp()] {
        assert_eq!(disconnect_ex(&socket, Some(Request::new(0)), 0, 0), failed(sys::WSAENOTCONN));
        assert_eq!(disconnect_ex(&socket, None, sys::TF_REUSE_SOCKET, 0), failed(sys::WSAENOTCONN));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: flags and the reserved argument are not looked at (X27)")]
fn x27_unknown_flags_are_refused() {
    let (client, server) = pair();
    for (flags, reserved) in [(1, 0), (4, 0), (sys::TF_REUSE_SOCKET | 8, 0), (0, 1)] {
        assert_eq!(disconnect_ex(&client, Some(Request::new(0)), flags, reserved), failed(sys::WSAEINVAL));
        assert_eq!(disconnect_ex(&client, None, flags, reserved), failed(sys::WSAEINVAL));
    }
    assert_eq!(client.send(b"abc"), Ok(3), "nothing has happened");
    assert_eq!(server.recv_exact(3), b"abc");
}

#[test]
fn x28_it_pends_and_ends_sending_alone() {
    let (port, server, client) = pair_on_port(KEY);
    let (near, far) = (client.getsockname().unwrap(), client.getpeername().unwrap());
    let request = Request::new(0);
    pends(disconnect_ex(&client, Some(request), 0, 0));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_eq!(client.send(b"abc"), Err(sys::WSAESHUTDOWN));
    assert_eq!(client.connect(far), Err(sys::WSAEISCONN));
    assert_eq!((client.getsockname(), client.getpeername()), (Ok(near), Ok(far)));
    assert_eq!(server.recv(&mut [0; 4]), Ok(0), "the peer sees the end");
    assert_eq!(server.send(b"abc"), Ok(3));
    assert_eq!(client.recv_exact(3), b"abc");
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: getpeername fails with WSAENOTCONN")]
fn x28_names_stay_when_the_peer_has_ended_too() {
    let (port, server, client) = pair_on_port(KEY);
    let (near, far) = (client.getsockname(), client.getpeername());
    let request = Request::new(0);
    pends(disconnect_ex(&client, Some(request), 0, 0));
    assert_eq!(port.packet(), success(KEY, request, 0));
    assert_eq!(server.recv(&mut [0; 4]), Ok(0));
    server.close().unwrap();
    assert_eq!(client.recv(&mut [0; 4]), Ok(0));
    assert_eq!((client.getsockname(), client.getpeername()), (near, far));
}

#[test]
fn x28_without_overlapped_it_succeeds_as_often_as_one_likes_without_a_packet() {
    let (port, server, client) = pair_on_port(KEY);
    assert_eq!(client.send(b"abc"), Ok(3));
    for _ in 0..2 {
        assert!(matches!(disconnect_ex(&client, None, 0, 0), Begin::Done(_)));
    }
    assert_no_packet(&port);
    assert_eq!(server.recv_exact(3), b"abc");
    assert_eq!(server.recv(&mut [0; 4]), Ok(0));
}

#[test]
fn x28_what_was_sent_before_arrives_before_the_end() {
    let (port, server, client) = pair_on_port(KEY);
    // More than the buffers of the connection hold: the disconnect waits behind it.
    let data = Request::holding(&vec![7; 20 << 20]);
    assert!(client.wsa_send(data).started());
    let end = Request::new(0);
    pends(disconnect_ex(&client, Some(end), 0, 0));
    assert_eq!(finishes("receiving", move || server.recv_exact(20 << 20).len()), 20 << 20);
    let packets = [port.packet(), port.packet()];
    assert!(packets.contains(&success(KEY, data, 20 << 20)), "{packets:?}");
    assert!(packets.contains(&success(KEY, end, 0)), "{packets:?}");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: it is spared the packet, too (X29)")]
fn x29_a_packet_comes_though_successes_are_spared_theirs() {
    let (port, _server, client) = pair_on_port(KEY);
    set_file_completion_notification_modes(client.raw(), sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8).unwrap();
    let request = Request::new(0);
    pends(disconnect_ex(&client, Some(request), 0, 0));
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
fn x29_the_low_bit_of_the_event_keeps_the_packet_away() {
    let (port, _server, client) = pair_on_port(KEY);
    let event = Event::manual(false);
    let request = Request::new(0).with_event_handle(tagged(&event));
    pends(disconnect_ex(&client, Some(request), 0, 0));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_no_packet(&port);
}

/// Accepts a connection into `acceptor` by AcceptEx on the port; gives the other end.
fn accept_into(port: &Port, listener: &Socket, acceptor: &Socket) -> Socket {
    let (_, address) = (listener.raw(), listener.getsockname().unwrap());
    let request = Request::new(64);
    pends(accept_ex(listener, acceptor, request, 0));
    let client = tcp();
    client.connect(address).unwrap();
    assert!(port.packet().is_of(request));
    client
}

/// It works both ways.
fn talk(one: &Socket, other: &Socket) {
    for (from, to) in [(one, other), (other, one)] {
        assert_eq!(from.send(b"hello"), Ok(5));
        assert_eq!(to.recv_exact(5), b"hello");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_an_accepted_socket_is_accepted_into_again_and_again() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let acceptor = tcp();
    for round in 0..3 {
        let client = accept_into(&port, &listener, &acceptor);
        if round == 0 {
            port.associate(&acceptor, KEY).unwrap();
        }
        talk(&client, &acceptor);
        // What the peer still sends is read away: unread it would reset the connection.
        assert_eq!(client.send(&[1; 100_000]), Ok(100_000));
        let request = Request::new(0);
        pends(disconnect_ex(&acceptor, Some(request), sys::TF_REUSE_SOCKET, 0));
        assert_eq!(client.recv(&mut [0; 4]), Ok(0));
        assert_no_packet(&port);
        client.shutdown(sys::SD_SEND).unwrap();
        assert_eq!(port.packet(), success(KEY, request, 0));
        assert_eq!(acceptor.send(b"abc"), Err(sys::WSAENOTCONN));
        assert_eq!(acceptor.getpeername(), Err(sys::WSAENOTCONN));
    }
    // Its port is still its own.
    let client = accept_into(&port, &listener, &acceptor);
    let receive = Request::new(4);
    pends(acceptor.wsa_recv(receive));
    assert_eq!(client.send(b"abcd"), Ok(4));
    assert_eq!(port.packet(), success(KEY, receive, 4));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_a_connected_socket_connects_again() {
    let (listener, address) = listener();
    let port = Port::new(0);
    let socket = tcp();
    socket.bind(loopback()).unwrap();
    port.associate(&socket, KEY).unwrap();
    for _ in 0..3 {
        let request = Request::new(0);
        pends(connect_ex(&socket, address, request, 0));
        assert_eq!(port.packet(), success(KEY, request, 0));
        socket.update_connect_context().unwrap();
        let (server, _) = listener.accept().unwrap();
        talk(&socket, &server);
        let request = Request::new(0);
        pends(disconnect_ex(&socket, Some(request), sys::TF_REUSE_SOCKET, 0));
        assert_eq!(server.recv(&mut [0; 4]), Ok(0));
        server.close().unwrap();
        assert_eq!(port.packet(), success(KEY, request, 0));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_without_overlapped_the_call_waits_for_the_peer() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let acceptor = tcp();
    let client = accept_into(&port, &listener, &acceptor);
    let ending = std::thread::spawn(move || {
        until("the other end is seen", || client.recv(&mut [0; 4]) == Ok(0));
        client.close().unwrap();
    });
    assert!(matches!(disconnect_ex(&acceptor, None, sys::TF_REUSE_SOCKET, 0), Begin::Done(_)));
    ending.join().unwrap();
    let client = accept_into(&port, &listener, &acceptor);
    talk(&client, &acceptor);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_a_lost_connection_gives_its_handle_back_too() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let acceptor = tcp();
    let client = accept_into(&port, &listener, &acceptor);
    client.set_linger(1, 0).unwrap();
    client.close().unwrap();
    let event = Event::manual(false);
    let request = Request::new(0).with_event(&event);
    pends(disconnect_ex(&acceptor, Some(request), sys::TF_REUSE_SOCKET, 0));
    assert!(get_overlapped_result(acceptor.raw(), request, true).ok);
    let client = accept_into(&port, &listener, &acceptor);
    talk(&client, &acceptor);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET does not wait for the peer (X30)")]
fn x30_d51_a_reset_that_a_send_meets_first_ends_receives_before_the_handle_is_given_back() {
    let (client, server) = pair();
    client.set_sol_option(sys::SO_SNDBUF, 4096).unwrap();
    let (receive, cancelled, disconnect) = (Request::new(8), Request::new(8), Request::new(0));
    pends(client.wsa_recv(receive));
    pends(client.wsa_recv(cancelled));
    pends(client.wsa_send(Request::new(32 << 20)));
    pends(disconnect_ex(&client, Some(disconnect), sys::TF_REUSE_SOCKET, 0));
    server.reset();
    // What was queued behind a cancelled operation is tried: the send, before an edge tells the receives.
    let _ = cancel_io_ex(client.raw(), Some(cancelled));
    until("the receive ends", || receive.has_completed());
    assert_eq!(receive.status(), sys::STATUS_CONNECTION_RESET);
    until("the handle is given back", || disconnect.has_completed());
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_an_accepted_socket_connects_and_a_connected_one_is_accepted_into() {
    let (listener, address) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let (client, server) = pair();
    for (socket, peer) in [(&client, &server), (&server, &client)] {
        let request = Request::new(0);
        pends(disconnect_ex(socket, Some(request), sys::TF_REUSE_SOCKET, 0));
        if socket.raw() == client.raw() {
            peer.shutdown(sys::SD_SEND).unwrap();
        }
        assert!(get_overlapped_result(socket.raw(), request, true).ok);
    }
    let connected = accept_into(&port, &listener, &client);
    talk(&connected, &client);
    let request = Request::new(0);
    pends(connect_ex(&server, address, request, 0));
    assert!(get_overlapped_result(server.raw(), request, true).ok);
    talk(&server, &listener.accept().unwrap().0);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET gives no handle back (X30)")]
fn x30_another_disconnect_behind_it_is_cancelled_and_the_handle_is_fresh() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, 1).unwrap();
    let acceptor = tcp();
    let client = accept_into(&port, &listener, &acceptor);
    port.associate(&acceptor, KEY).unwrap();
    let requests = [Request::new(0), Request::new(0), Request::new(0)];
    for (request, flags) in requests.into_iter().zip([sys::TF_REUSE_SOCKET, sys::TF_REUSE_SOCKET, 0]) {
        pends(disconnect_ex(&acceptor, Some(request), flags, 0));
    }
    client.close().unwrap();
    let packets = [port.packet(), port.packet(), port.packet()];
    assert!(packets.contains(&success(KEY, requests[0], 0)), "{packets:?}");
    for request in &requests[1..] {
        assert!(packets.contains(&failure(KEY, *request, 0, sys::ERROR_OPERATION_ABORTED)), "{packets:?}");
    }
    let client = accept_into(&port, &listener, &acceptor);
    talk(&client, &acceptor);
}

#[test]
fn x30_a_thread_that_blocks_in_recv_goes_first() {
    let (port, server, client) = pair_on_port(KEY);
    let client = std::sync::Arc::new(client);
    let receiver = {
        let client = client.clone();
        std::thread::spawn(move || client.recv(&mut [0; 8]))
    };
    nap();
    let request = Request::new(0);
    pends(disconnect_ex(&client, Some(request), sys::TF_REUSE_SOCKET, 0));
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
    server.close().unwrap();
    assert_eq!(receiver.join().unwrap(), Ok(0));
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET does not wait for the peer (X30)")]
fn x30_receives_that_are_pending_come_first_and_the_rest_is_thrown_away() {
    let (port, server, client) = pair_on_port(KEY);
    let (receive, request) = (Request::new(3), Request::new(0));
    pends(client.wsa_recv(receive));
    pends(disconnect_ex(&client, Some(request), sys::TF_REUSE_SOCKET, 0));
    assert_eq!(server.send(b"abcdef"), Ok(6));
    assert_eq!(port.packet(), success(KEY, receive, 3));
    assert_eq!(receive.data(), b"abc");
    assert_no_packet(&port);
    server.close().unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TF_REUSE_SOCKET does not wait for the peer (X30)")]
fn x30_it_can_be_cancelled_and_ends_with_its_socket() {
    let (port, _server, client) = pair_on_port(KEY);
    let (cancelled, closed) = (Request::new(0), Request::new(0));
    pends(disconnect_ex(&client, Some(cancelled), sys::TF_REUSE_SOCKET, 0));
    assert_eq!(cancel_io_ex(client.raw(), Some(cancelled)), Ok(()));
    assert_eq!(port.packet(), failure(KEY, cancelled, 0, sys::ERROR_OPERATION_ABORTED));
    pends(disconnect_ex(&client, Some(closed), sys::TF_REUSE_SOCKET, 0));
    client.close().unwrap();
    let packet = port.packet();
    assert!(packet.is_of(closed) && !packet.ok && packet.key == KEY, "{packet:?}");
    assert_no_packet(&port);
}
