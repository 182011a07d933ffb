//! Sending (D60 to D69).
#![forbid(unsafe_code)]

use conformance::raw::{
    Begin, Event, PollEntry, Request, Socket, any_v4, cancel_io_ex, get_overlapped_result, pair, readiness, tcp, udp,
    udp6, wsa_poll,
};
use conformance::until;
use pentaport::sys;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// More than any socket buffer holds.
const MUCH: usize = 50 << 20;

/// Bytes of which no two parts look alike.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect()
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn d60_a_nonblocking_send_takes_all_or_nothing() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    client.set_nonblocking(true);
    assert_eq!(client.send(&data), Ok(MUCH), "the full length");
    assert_eq!(client.send(b"x"), Err(sys::WSAEWOULDBLOCK), "no room is left");
    assert_eq!(client.wsa_send_now(&[b"x"]), Err(sys::WSAEWOULDBLOCK));
    assert!(server.recv_exact(MUCH) == data);

    until("there is room again", || readiness(&client) == "w");
    assert_eq!(client.send(b"next"), Ok(4));
    assert_eq!(server.recv_exact(4), b"next");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn d60_no_nonblocking_send_is_ever_short() {
    let (client, server) = pair();
    client.set_nonblocking(true);
    let reader = std::thread::spawn(move || {
        let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
        loop {
            match server.recv(&mut buffer).expect("recv") {
                0 => return total,
                count => total += count,
            }
        }
    });
    let mut sent = 0;
    for round in 0..2000 {
        let length = 1 + (round * 7919) % 100_000;
        match client.send(&vec![7; length]) {
            Ok(count) => {
                assert_eq!(count, length);
                sent += count;
            }
            Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
        }
    }
    client.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(reader.join().unwrap(), sent);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn d61_what_a_nonblocking_send_took_is_delivered_after_closesocket() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    let taken = data.clone();
    // The thread that sends is gone, too.
    std::thread::spawn(move || {
        client.set_nonblocking(true);
        assert_eq!(client.send(&taken), Ok(MUCH));
        client.close().unwrap();
    })
    .join()
    .unwrap();
    assert!(server.recv_exact(MUCH) == data);
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn d61_there_is_nothing_to_cancel() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    client.set_nonblocking(true);
    assert_eq!(client.send(&data), Ok(MUCH));
    assert_eq!(cancel_io_ex(client.raw(), None), Err(sys::ERROR_NOT_FOUND));
    assert!(server.recv_exact(MUCH) == data);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn d61_shutdown_comes_after_what_was_taken() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    client.set_nonblocking(true);
    assert_eq!(client.send(&data), Ok(MUCH));
    client.shutdown(sys::SD_SEND).unwrap();
    assert!(server.recv_exact(MUCH) == data);
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
}

#[test]
fn d62_a_blocking_send_returns_the_full_count() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    let sender = std::thread::spawn({
        let data = data.clone();
        move || {
            assert_eq!(client.send(&data), Ok(MUCH));
            let parts: Vec<&[u8]> = data.chunks(MUCH / 7).collect();
            assert_eq!(client.wsa_send_now(&parts), Ok(MUCH as u32));
        }
    });
    assert!(server.recv_exact(MUCH) == data);
    assert!(server.recv_exact(MUCH) == data, "in the order of the array");
    sender.join().unwrap();
}

#[test]
fn d62_a_blocking_send_waits_for_room() {
    let (client, server) = pair();
    let data = pattern(MUCH);
    let sender = std::thread::spawn({
        let data = data.clone();
        move || client.send(&data)
    });
    for _ in 0..5 {
        conformance::nap();
        assert!(!sender.is_finished(), "the peer has read nothing yet");
    }
    assert!(server.recv_exact(MUCH) == data);
    assert_eq!(sender.join().unwrap(), Ok(MUCH));
}

#[cfg(windows)]
#[test]
fn d63_an_overlapped_send_without_buffer_pends_until_the_peer_takes_the_data() {
    let (client, server) = pair();
    client.set_sol_option(sys::SO_SNDBUF, 0).unwrap();
    // More than the peer's buffer holds.
    let data = pattern(4 << 20);
    let request = Request::holding(&data);
    assert_eq!(client.wsa_send(request), Begin::Pending);
    conformance::nap();
    assert!(!request.has_completed(), "nobody has taken it");
    assert!(server.recv_exact(data.len()) == data);
    until("the send is done", || request.has_completed());
    assert_eq!((request.internal(), request.internal_high()), (0, data.len()));
}

#[cfg(not(windows))]
#[test]
fn deviates_d63_an_overlapped_send_without_buffer_completes_with_its_full_length() {
    // The point that cannot be mirrored is when: Windows holds the completion until the transport has consumed the
    // data. What stays of the fact is the full length.
    for length in [1, 4 << 20] {
        let (client, server) = pair();
        client.set_sol_option(sys::SO_SNDBUF, 0).unwrap();
        assert_eq!(client.sol_option(sys::SO_SNDBUF), Ok(0));
        let data = pattern(length);
        let event = Event::manual(false);
        let request = Request::holding(&data).with_event(&event);
        assert!(client.wsa_send(request).started());
        assert!(server.recv_exact(length) == data);
        assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
        let result = get_overlapped_result(client.raw(), request, false);
        assert_eq!((result.ok, result.bytes), (true, length as u32));
    }
}

#[test]
fn d65_sending_binds_an_unbound_udp_socket() {
    let receiver = udp();
    let to = receiver.bind_loopback();
    let sends: [fn(&Socket, SocketAddr); 2] = [
        |socket, to| assert_eq!(socket.sendto(b"hello", to), Ok(5)),
        |socket, to| assert!(socket.wsa_send_to(Request::holding(b"hello"), to).started()),
    ];
    for send in sends {
        let sender = udp();
        assert_eq!(sender.getsockname(), Err(sys::WSAEINVAL));
        send(&sender, to);
        let name = sender.getsockname().unwrap();
        assert_eq!(name.ip(), any_v4().ip());
        assert_ne!(name.port(), 0);
        let mut buffer = [0; 16];
        let (count, from) = receiver.recvfrom(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"hello");
        assert_eq!(from.port(), name.port());
        send(&sender, to);
        assert_eq!(sender.getsockname(), Ok(name), "the next one keeps it");
        assert_eq!(receiver.recvfrom(&mut buffer), Ok((5, from)));
    }
}

#[test]
fn d66_sendto_on_a_connected_stream_ignores_the_address() {
    let (client, server) = pair();
    for to in ["127.0.0.1:1", "127.0.0.9:9"] {
        assert_eq!(client.sendto(b"data", to.parse().unwrap()), Ok(4));
        assert_eq!(server.recv_exact(4), b"data");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEINVAL")]
fn d67_send_on_an_unconnected_udp_socket_is_wsaenotconn() {
    let socket = udp();
    assert_eq!(socket.send(b"x"), Err(sys::WSAENOTCONN));
    assert_eq!(socket.wsa_send_now(&[b"x"]), Err(sys::WSAENOTCONN));
    assert_eq!(tcp().send(b"x"), Err(sys::WSAENOTCONN), "nor on TCP");
}

#[test]
fn d67_a_udp_socket_can_be_connected_to_another_peer() {
    let (first, second) = (udp(), udp());
    let (to_first, to_second) = (first.bind_loopback(), second.bind_loopback());
    let socket = udp();
    let mut buffer = [0; 16];
    socket.connect(to_first).unwrap();
    assert_eq!(socket.send(b"1"), Ok(1));
    assert_eq!(first.recv(&mut buffer), Ok(1));
    socket.connect(to_second).expect("to another peer");
    assert_eq!(socket.send(b"22"), Ok(2));
    assert_eq!(second.recv(&mut buffer), Ok(2));
    assert_eq!(socket.getpeername(), Ok(to_second));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: then a send fails with WSAEINVAL")]
fn d67_connecting_to_no_family_dissolves_the_association() {
    let peer = udp();
    let address = peer.bind_loopback();
    let socket = udp();
    socket.connect(address).unwrap();
    socket.connect_unspecified().expect("dissolves the association");
    assert_eq!(socket.send(b"x"), Err(sys::WSAENOTCONN));
    assert_eq!(socket.getpeername(), Err(sys::WSAENOTCONN));
    socket.connect(address).unwrap();
    assert_eq!(socket.send(b"333"), Ok(3));
    assert_eq!(peer.recv(&mut [0; 8]), Ok(3));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAEINVAL")]
fn d68_sending_a_datagram_to_port_0_succeeds() {
    let to = SocketAddr::from(([127, 0, 0, 1], 0));
    assert_eq!(udp().sendto(b"nowhere", to), Ok(7));
    let event = Event::manual(false);
    let request = Request::holding(b"nowhere").with_event(&event);
    let socket = udp();
    assert!(socket.wsa_send_to(request, to).started());
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    let result = get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.bytes), (true, 7));
}

/// A port that nobody listens on: systems give no such low one to sockets that let them choose.
const UNREACHABLE: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

#[test]
fn d69_an_unreachable_port_never_fails_a_sendto() {
    let socket = udp();
    for round in 0..100 {
        assert_eq!(socket.sendto(b"x", SocketAddr::from(UNREACHABLE)), Ok(1), "round {round}");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSASend fails")]
fn d69_an_unreachable_port_never_fails_a_send() {
    let connected = udp();
    connected.connect(SocketAddr::from(UNREACHABLE)).unwrap();
    for round in 0..100 {
        assert_eq!(connected.send(b"x"), Ok(1), "round {round}");
        assert_eq!(connected.wsa_send_now(&[b"x"]), Ok(1), "round {round}");
        assert!(connected.wsa_send(Request::holding(b"x")).started(), "round {round}");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: recv is not told")]
fn d69_an_unreachable_port_fails_a_later_receive() {
    let to = SocketAddr::from(UNREACHABLE);
    for connect in [false, true] {
        let socket = udp();
        if connect {
            socket.connect(to).unwrap();
        }
        socket.set_nonblocking(true);
        assert_eq!(socket.sendto(b"x", to), Ok(1));
        until("the receive is told", || match socket.recv(&mut [0; 8]) {
            Err(sys::WSAECONNRESET) => true,
            Err(sys::WSAEWOULDBLOCK) => false,
            other => panic!("{other:?}, connected: {connect}"),
        });
        assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK), "told once");
    }
}

#[test]
fn d69_without_sio_udp_connreset_receives_are_not_told() {
    let socket = udp();
    let address = socket.bind_loopback();
    let (outcome, _) = socket.wsa_ioctl(sys::SIO_UDP_CONNRESET, &[0; 4], &mut [], None);
    assert_eq!(outcome, Ok(()));
    let friend = udp();
    for _ in 0..20 {
        assert_eq!(socket.sendto(b"x", SocketAddr::from(UNREACHABLE)), Ok(1));
        friend.sendto(b"data", address).unwrap();
        assert_eq!(socket.recv(&mut [0; 8]), Ok(4));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the receive pends on")]
fn d69_a_pending_receive_is_told_as_well() {
    let socket = udp();
    socket.bind_loopback();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(socket.wsa_recv_from(request), Begin::Pending);
    assert_eq!(socket.sendto(b"x", SocketAddr::from(UNREACHABLE)), Ok(1));
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    let result = conformance::raw::wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error as i32), (false, sys::WSAECONNRESET));
}

/// A datagram socket that sends over IPv6 and IPv4.
fn dual_stack() -> Socket {
    let socket = udp6();
    socket.set_option(sys::IPPROTO_IPV6, sys::IPV6_V6ONLY, 0).unwrap();
    socket.bind((Ipv6Addr::UNSPECIFIED, 0).into()).unwrap();
    socket
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the receive is not told")]
fn d69_a_dual_stack_socket_is_told_of_peers_in_both_families() {
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    for (peer, connect) in [(mapped, false), (mapped, true), (Ipv6Addr::LOCALHOST, false), (Ipv6Addr::LOCALHOST, true)]
    {
        let to = SocketAddr::from((peer, UNREACHABLE.1));
        let socket = dual_stack();
        if connect {
            socket.connect(to).unwrap();
        }
        let event = Event::manual(false);
        let request = Request::new(8).with_event(&event);
        assert_eq!(socket.wsa_recv_from(request), Begin::Pending);
        let sent = if connect { socket.send(b"x") } else { socket.sendto(b"x", to) };
        assert_eq!(sent, Ok(1));
        assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0, "{to}, connected: {connect}");
        let result = conformance::raw::wsa_get_overlapped_result(socket.raw(), request, false);
        assert_eq!((result.ok, result.error as i32), (false, sys::WSAECONNRESET), "{to}, connected: {connect}");

        // In a call, too, and no send fails.
        socket.set_nonblocking(true);
        let sent = if connect { socket.send(b"x") } else { socket.sendto(b"x", to) };
        assert_eq!(sent, Ok(1));
        until("the receive is told", || match socket.recv(&mut [0; 8]) {
            Err(sys::WSAECONNRESET) => true,
            Err(sys::WSAEWOULDBLOCK) => false,
            other => panic!("{other:?}, {to}, connected: {connect}"),
        });
    }
}

/// Datagram sockets, and a peer of each that is not reachable.
fn with_unreachable_peers() -> [(Socket, SocketAddr); 3] {
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    [
        (udp(), SocketAddr::from(UNREACHABLE)),
        (dual_stack(), SocketAddr::from((mapped, UNREACHABLE.1))),
        (dual_stack(), SocketAddr::from((Ipv6Addr::LOCALHOST, UNREACHABLE.1))),
    ]
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the receive is not told")]
fn d69_a_socket_whose_receive_will_be_told_is_readable() {
    for (socket, to) in with_unreachable_peers() {
        socket.set_nonblocking(true);
        assert_eq!(socket.sendto(b"x", to), Ok(1));
        until("select shows it", || readiness(&socket) == "rw");
        let mut entry = [PollEntry::of(&socket, sys::POLLRDNORM)];
        assert_eq!(wsa_poll(&mut entry, 30_000), Ok(1));
        assert_eq!(entry[0].revents, sys::POLLRDNORM, "{to}");
        assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAECONNRESET), "{to}");
        assert_eq!(readiness(&socket), "w", "told once");
        assert_eq!(wsa_poll(&mut [PollEntry::of(&socket, sys::POLLRDNORM)], 0), Ok(0));
    }
}

#[test]
fn d69_without_sio_udp_connreset_a_refused_datagram_makes_nothing_readable() {
    for (socket, to) in with_unreachable_peers() {
        let (outcome, _) = socket.wsa_ioctl(sys::SIO_UDP_CONNRESET, &[0; 4], &mut [], None);
        assert_eq!(outcome, Ok(()));
        // On loopback the refusal is there when the call returns; a later send meets it.
        for _ in 0..3 {
            assert_eq!(socket.sendto(b"x", to), Ok(1));
            assert_eq!(readiness(&socket), "w", "{to}");
            assert_eq!(wsa_poll(&mut [PollEntry::of(&socket, sys::POLLRDNORM)], 0), Ok(0), "{to}");
        }
    }
}
