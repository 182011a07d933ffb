//! shutdown, timeouts and closesocket (D71 to D74, D88, D90).
#![forbid(unsafe_code)]

use conformance::fixture::unanswered;
use conformance::raw::{
    Begin, Event, Port, Request, Socket, any_v4, get_overlapped_result, listener, pair, readiness, tcp, tcp6, udp,
};
use conformance::{in_child, nap, until};
use pentaport::sys;
use std::io::Read;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

const HOWS: [i32; 3] = [sys::SD_RECEIVE, sys::SD_SEND, sys::SD_BOTH];

#[test]
fn d71_shutdown_needs_a_connection_on_tcp() {
    let (listener, _) = listener();
    let bound = tcp();
    bound.bind_loopback();
    for how in HOWS {
        for socket in [&tcp(), &bound, &listener] {
            assert_eq!(socket.shutdown(how), Err(sys::WSAENOTCONN), "how {how}");
        }
    }
}

#[test]
fn d71_a_connect_in_progress_is_no_connection() {
    let (address, _kept) = unanswered();
    let connecting = tcp();
    connecting.set_nonblocking(true);
    assert_eq!(connecting.connect(address), Err(sys::WSAEWOULDBLOCK));
    for how in HOWS {
        assert_eq!(connecting.shutdown(how), Err(sys::WSAENOTCONN), "how {how}");
    }
}

#[test]
fn d71_shutdown_of_udp_is_always_fine() {
    let (fresh, bound, connected) = (udp(), udp(), udp());
    bound.bind_loopback();
    connected.connect(udp().bind_loopback()).expect("a datagram socket connects to anybody");
    for socket in [&fresh, &bound, &connected] {
        for how in HOWS {
            assert_eq!(socket.shutdown(how), Ok(()), "how {how}");
            assert_eq!(socket.shutdown(how), Ok(()), "how {how}, again");
        }
    }
}

#[test]
fn d71_a_bad_how_is_wsaeinval_and_repeating_is_fine() {
    let (client, server) = pair();
    for how in [-1, 3, 99] {
        assert_eq!(client.shutdown(how), Err(sys::WSAEINVAL), "how {how}");
    }
    client.send(b"x").expect("a bad how shuts nothing down");
    assert_eq!(server.recv_exact(1), b"x");
    for how in HOWS {
        for _ in 0..3 {
            assert_eq!(client.shutdown(how), Ok(()), "how {how}");
        }
    }
}

#[test]
fn d72_after_sd_receive_new_receives_are_refused() {
    let (client, server) = pair();
    client.send(b"before").unwrap();
    until("data came", || readiness(&server) == "rw");
    server.shutdown(sys::SD_RECEIVE).unwrap();
    assert_eq!(server.recv(&mut [0; 8]), Err(sys::WSAESHUTDOWN), "with data from before too");
    assert_eq!(server.wsa_recv_now(&mut [&mut [0; 8]], 0), Err(sys::WSAESHUTDOWN));
    assert_eq!(server.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAESHUTDOWN));
    // The other direction is not concerned.
    server.send(b"answer").unwrap();
    assert_eq!(client.recv_exact(6), b"answer");

    let datagram = udp();
    datagram.bind_loopback();
    datagram.shutdown(sys::SD_RECEIVE).unwrap();
    assert_eq!(datagram.recv(&mut [0; 8]), Err(sys::WSAESHUTDOWN));
}

#[test]
fn d72_a_receive_that_pends_at_sd_receive_still_gets_data() {
    let (client, server) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(server.wsa_recv(request), Begin::Pending);
    server.shutdown(sys::SD_RECEIVE).unwrap();
    assert_eq!(server.wsa_recv(Request::new(8)), Begin::Failed(sys::WSAESHUTDOWN));
    assert_eq!(event.wait(50), sys::WAIT_TIMEOUT, "it stays pending");
    client.send(b"later").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    let result = get_overlapped_result(server.raw(), request, false);
    assert_eq!((result.ok, result.bytes), (true, 5));
    assert_eq!(&request.data()[..5], b"later");
}

#[test]
fn d73_after_sd_send_sends_are_refused_and_names_stay() {
    let (listener, address) = listener();
    let client = tcp();
    client.connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    let names = (client.getsockname(), client.getpeername());
    client.send(b"last").unwrap();
    client.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(client.send(b"x"), Err(sys::WSAESHUTDOWN));
    assert_eq!(client.wsa_send_now(&[b"x"]), Err(sys::WSAESHUTDOWN));
    assert_eq!(client.wsa_send(Request::holding(b"x")), Begin::Failed(sys::WSAESHUTDOWN));
    assert_eq!(client.connect(address), Err(sys::WSAEISCONN));
    assert_eq!((client.getsockname(), client.getpeername()), names);

    assert_eq!(server.recv_exact(4), b"last");
    assert_eq!(server.recv(&mut [0; 8]), Ok(0), "the peer sees the end");
    server.send(b"answer").unwrap();
    assert_eq!(client.recv_exact(6), b"answer");
}

#[test]
fn d73_sd_both_refuses_both() {
    let (client, server) = pair();
    client.shutdown(sys::SD_BOTH).unwrap();
    assert_eq!(client.send(b"x"), Err(sys::WSAESHUTDOWN));
    assert_eq!(client.recv(&mut [0; 8]), Err(sys::WSAESHUTDOWN));
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
}

#[test]
fn d74_a_receive_timeout_ends_blocking_receives() {
    let (client, server) = pair();
    let datagram = udp();
    datagram.bind_loopback();
    for socket in [&server, &datagram] {
        socket.set_sol_option(sys::SO_RCVTIMEO, 60).unwrap();
        let start = Instant::now();
        assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAETIMEDOUT));
        assert!(start.elapsed() >= Duration::from_millis(40), "not much too early");
        let sync = socket.wsa_recv_now(&mut [&mut [0; 8]], 0);
        assert_eq!(sync, Err(sys::WSAETIMEDOUT), "WSARecv without OVERLAPPED blocks as well");
        assert_eq!(socket.recvfrom(&mut [0; 8]).map(drop), Err(sys::WSAETIMEDOUT));
    }
    client.send(b"data").unwrap();
    assert_eq!(server.recv_exact(4), b"data", "the connection lives on");
    server.set_nonblocking(true);
    assert_eq!(server.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK));
}

#[test]
fn d74_a_send_timeout_ends_blocking_sends() {
    let (client, _server) = pair();
    client.set_sol_option(sys::SO_SNDTIMEO, 60).unwrap();
    let chunk = vec![7; 1 << 20];
    let code = loop {
        if let Err(code) = client.send(&chunk) {
            break code;
        }
    };
    assert_eq!(code, sys::WSAETIMEDOUT);
}

#[test]
fn d74_overlapped_receives_ignore_the_timeout() {
    let (client, server) = pair();
    server.set_sol_option(sys::SO_RCVTIMEO, 20).unwrap();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(server.wsa_recv(request), Begin::Pending);
    assert_eq!(event.wait(200), sys::WAIT_TIMEOUT, "still pending after ten times the timeout");
    client.send(b"data").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!((request.internal(), request.internal_high()), (0, 4));
}

#[test]
fn d88_by_default_what_was_sent_arrives_after_closesocket() {
    let (client, server) = pair();
    let data: Vec<u8> = (0..8 << 20).map(|index: u32| (index / 7) as u8).collect();
    let taken = data.clone();
    let writer = std::thread::spawn(move || {
        assert_eq!(client.send(&taken), Ok(taken.len()));
        client.close().unwrap();
    });
    assert!(server.recv_exact(data.len()) == data);
    assert_eq!(server.recv(&mut [0; 8]), Ok(0), "a graceful end");
    writer.join().unwrap();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the reset is told as a graceful end")]
fn d88_linger_0_resets() {
    let (client, server) = pair();
    client.send(b"lost").unwrap();
    client.set_linger(1, 0).unwrap();
    client.close().unwrap();
    let mut codes = Vec::new();
    until("the reset came", || {
        codes.push(server.recv(&mut [0; 8]));
        codes.last() == Some(&Err(sys::WSAECONNRESET))
    });
    assert!(!codes.contains(&Ok(0)), "never a graceful end: {codes:?}");
}

#[test]
fn d88_linger_makes_closesocket_wait_until_all_is_sent() {
    let (client, server) = pair();
    let data = vec![7; 32 << 20];
    // Take more than the system holds, then close with it unsent.
    client.set_nonblocking(true);
    let sent = client.send(&data).unwrap();
    client.set_nonblocking(false);
    client.set_linger(1, 120).unwrap();
    let closer = std::thread::spawn(move || client.close());
    nap();
    assert!(!closer.is_finished(), "the peer has read nothing yet");
    assert!(server.recv_exact(sent) == data[..sent]);
    assert_eq!(closer.join().unwrap(), Ok(()));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: closesocket waits all the same")]
fn d88_a_nonblocking_socket_with_linger_does_not_wait() {
    // In a process of its own: the handle's value is not to be taken by another test when it is closed at last.
    in_child("d88_a_nonblocking_socket_with_linger_does_not_wait", || {
        let (client, server) = pair();
        let data = vec![7; 32 << 20];
        client.set_nonblocking(true);
        let sent = client.send(&data).unwrap();
        client.set_linger(1, 120).unwrap();
        assert_eq!(client.close(), Err(sys::WSAEWOULDBLOCK));
        assert!(client.getsockname().is_ok(), "the handle stays valid");
        assert!(server.recv_exact(sent) == data[..sent], "nothing is lost");
        until("all is sent and the socket closes", || client.close() == Ok(()));
        assert_eq!(client.getsockname(), Err(sys::WSAENOTSOCK));
    });
}

#[test]
fn d88_a_peer_of_another_kind_reads_all_after_closesocket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = tcp();
    client.connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let data = vec![7; 4 << 20];
    client.set_nonblocking(true);
    let sent = client.send(&data).unwrap();
    client.close().unwrap();
    let mut received = Vec::new();
    peer.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    peer.read_to_end(&mut received).expect("a graceful end");
    assert!(received == data[..sent]);
}

#[test]
fn d90_connect_and_shutdown_queue_no_packets() {
    let port = Port::new(1);
    let (listener, address) = listener();
    let connected = || {
        let client = tcp();
        client.bind(any_v4()).unwrap();
        port.associate(&client, 5).unwrap();
        client.connect(address).unwrap();
        (client, listener.accept().unwrap().0)
    };
    let calls: [fn(&Socket) -> conformance::raw::Outcome<()>; 3] =
        [|socket| socket.shutdown(sys::SD_SEND), Socket::wsa_send_disconnect, Socket::wsa_recv_disconnect];
    for call in calls {
        let (client, _server) = connected();
        assert!(port.is_empty(), "connect");
        assert_eq!(call(&client), Ok(()));
        assert!(port.is_empty(), "shutdown");
    }
    // The port does work: it gets the packet of a request.
    let (client, server) = connected();
    let request = Request::new(8);
    assert_eq!(client.wsa_recv(request), Begin::Pending);
    server.send(b"x").unwrap();
    let packet = port.packet();
    assert!(packet.is_of(request) && packet.key == 5);
    assert!(port.is_empty());
}

/// Both ends of a connection, and their names.
fn named_pair() -> (Socket, Socket, SocketAddr, SocketAddr) {
    let (a, b) = pair();
    let names = (a.getsockname().unwrap(), b.getsockname().unwrap());
    (a, b, names.0, names.1)
}

#[track_caller]
fn knows_both_names(socket: &Socket, own: SocketAddr, peer: SocketAddr) {
    assert_eq!((socket.getsockname(), socket.getpeername()), (Ok(own), Ok(peer)));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: getpeername fails with WSAENOTCONN")]
fn d73_names_stay_when_both_sides_have_ended() {
    let (a, b, a_name, b_name) = named_pair();
    for (socket, other) in [(&a, &b), (&b, &a)] {
        socket.shutdown(sys::SD_SEND).unwrap();
        assert_eq!(other.recv(&mut [0; 8]), Ok(0));
    }
    knows_both_names(&a, a_name, b_name);
    knows_both_names(&b, b_name, a_name);
    a.close().unwrap();
    knows_both_names(&b, b_name, a_name);
    assert_eq!(b.connect(a_name), Err(sys::WSAEISCONN));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the reset is told as an end")]
fn d73_names_stay_after_a_reset() {
    let (a, b, a_name, b_name) = named_pair();
    a.reset();
    assert_eq!(b.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
    knows_both_names(&b, b_name, a_name);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the reset is told as an end")]
fn d73_names_stay_over_ipv6() {
    let listener = tcp6();
    listener.bind((Ipv6Addr::LOCALHOST, 0).into()).unwrap();
    listener.listen(1).unwrap();
    let a = tcp6();
    a.connect(listener.getsockname().unwrap()).unwrap();
    let (b, a_name) = listener.accept().unwrap();
    let b_name = listener.getsockname().unwrap();
    a.reset();
    assert_eq!(b.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
    knows_both_names(&b, b_name, a_name);
}
