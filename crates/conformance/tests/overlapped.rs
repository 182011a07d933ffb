//! How overlapped calls start and end: return values, the OVERLAPPED, events (SEMANTICS 4.1 to 4.3).
#![forbid(unsafe_code)]

use conformance::fixture::{
    DEADLINE_MS, assert_no_packet, finishes, pair_on_port, pair_without_overlapped, pends, success, udp_on_port,
    unanswered,
};
use conformance::network_fixture::{deliver, is_readable};
use conformance::raw::{
    Bad, Begin, Event, How, Port, Request, Socket, UNTOUCHED, accept_ex, cancel_io_ex, connect_ex,
    get_overlapped_result, listener, loopback, pair, startup, tcp, udp, wsa_get_overlapped_result, wsa_socket,
};
use conformance::raw_port::{
    tagged, v4, wait_for_single_object, wsa_recv_now_uncounted, wsa_recv_without_array, wsa_send_to_now,
};
use conformance::{nap, until};
use pentaport::sys;

const KEY: usize = 0x51;
const PENDING: usize = sys::STATUS_PENDING as usize;

#[test]
fn d1_socket_makes_overlapped_sockets_and_accepted_ones_follow_the_listener() {
    let (client, accepted) = pair();
    pends(client.wsa_recv(Request::new(8)));
    pends(accepted.wsa_recv(Request::new(8)));

    startup();
    let overlapped = wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, sys::WSA_FLAG_OVERLAPPED);
    let overlapped = overlapped.expect("a socket");
    let (listener, address) = listener();
    overlapped.connect(address).unwrap();
    let (_accepted, _) = listener.accept().unwrap();
    pends(overlapped.wsa_recv(Request::new(8)));
    // A port takes overlapped sockets only (P6).
    assert_eq!(Port::new(0).associate(&overlapped, KEY), Ok(()));
}

#[test]
fn d1_without_the_flag_sockets_and_those_they_accept_are_not_overlapped() {
    startup();
    let listener = wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, 0).expect("a socket");
    let address = listener.bind_loopback();
    listener.listen(4).unwrap();
    let client = tcp();
    client.connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    for socket in [&listener, &accepted] {
        let result = Port::new(0).associate(socket, KEY);
        assert_eq!(result, Err(sys::ERROR_INVALID_PARAMETER));
    }
}

#[test]
fn d2_without_overlapped_and_routine_the_call_is_synchronous() {
    let (peer, socket) = pair();
    socket.set_nonblocking(true);
    let mut buffer = [0; 8];
    assert_eq!(socket.wsa_recv_now(&mut [&mut buffer], 0), Err(sys::WSAEWOULDBLOCK));
    assert_eq!(socket.wsa_send_now(&[b"ab", b"c"]), Ok(3));
    assert_eq!(peer.recv_exact(3), b"abc");

    socket.set_nonblocking(false);
    let received = finishes("a blocking WSARecv", move || {
        let mut buffer = [0; 8];
        let thread = std::thread::spawn(move || {
            nap();
            peer.send(b"late").unwrap();
            peer
        });
        let result = socket.wsa_recv_now(&mut [&mut buffer], 0);
        drop(thread.join().unwrap());
        (result, buffer)
    });
    assert_eq!(received, (Ok((4, 0)), *b"late\0\0\0\0"));
}

#[test]
fn d3_overlapped_calls_on_a_socket_without_the_attribute_block() {
    for nonblocking in [false, true] {
        let (peer, socket) = pair_without_overlapped();
        socket.set_nonblocking(nonblocking);
        let (begin, request) = finishes("WSARecv", move || {
            let thread = std::thread::spawn(move || {
                nap();
                peer.send(b"data").unwrap();
                peer
            });
            let request = Request::new(8);
            let begin = socket.wsa_recv(request);
            drop(thread.join().unwrap());
            (begin, request)
        });
        assert_eq!(begin, Begin::Done(4), "nonblocking {nonblocking}");
        assert_eq!(request.data()[..4], *b"data");
    }
}

#[test]
fn d3_without_overlapped_the_nonblocking_rule_applies() {
    let (_peer, socket) = pair_without_overlapped();
    socket.set_nonblocking(true);
    let result = socket.wsa_recv_now(&mut [&mut [0; 8]], 0);
    assert_eq!(result, Err(sys::WSAEWOULDBLOCK));
}

#[test]
fn d4_the_blocking_mode_is_irrelevant_for_overlapped_calls() {
    for nonblocking in [false, true] {
        let (port, peer, socket) = pair_on_port(KEY);
        socket.set_nonblocking(nonblocking);
        let request = Request::new(8);
        pends(socket.wsa_recv(request));
        peer.send(b"abc").unwrap();
        assert_eq!(port.packet(), success(KEY, request, 3));
    }
}

#[test]
fn d5_success_at_once_stores_the_count_and_is_still_indicated() {
    let (port, peer, socket) = pair_on_port(KEY);
    peer.send(b"hello").unwrap();
    until("data waits", || socket.bytes_waiting() == 5);
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(socket.wsa_recv(request), Begin::Done(5));
    assert_eq!((request.count(), request.flags()), (5, 0));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(port.packet(), success(KEY, request, 5));
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: MSG_PARTIAL stays set on output")]
fn d5_success_at_once_stores_the_flags() {
    let (port, peer, socket) = pair_on_port(KEY);
    peer.send(b"hello").unwrap();
    until("data waits", || socket.bytes_waiting() == 5);
    let request = Request::new(8);
    let how = How { flags: sys::MSG_PARTIAL, ..How::default() };
    assert_eq!(socket.wsa_recv_how(request, how), Begin::Done(5));
    // A stream has no messages that could be partial.
    assert_eq!((request.count(), request.flags()), (5, 0));
    assert_eq!(port.packet(), success(KEY, request, 5));
}

#[test]
fn d6_pending_leaves_count_and_flags_untouched() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    let how = How { flags: sys::MSG_PARTIAL, ..How::default() };
    pends(socket.wsa_recv_how(request, how));
    assert_eq!((request.count(), request.flags()), (UNTOUCHED, sys::MSG_PARTIAL));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!((request.count(), request.flags()), (UNTOUCHED, sys::MSG_PARTIAL));
}

#[test]
fn d7_any_other_error_means_that_nothing_was_started() {
    let port = Port::new(0);
    let socket = tcp();
    port.associate(&socket, KEY).unwrap();
    let event = Event::manual(false);
    let requests = [(); 2].map(|()| Request::new(8).with_event(&event));
    assert_eq!(socket.wsa_recv(requests[0]), Begin::Failed(sys::WSAENOTCONN));
    assert_eq!(Socket::invalid().wsa_recv(requests[1]), Begin::Failed(sys::WSAENOTSOCK));
    for request in requests {
        assert_eq!(request.count(), UNTOUCHED);
    }
    assert!(!event.is_set());
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSASend on an unconnected socket fails with WSAECONNRESET")]
fn d7_a_send_without_connection_is_not_started() {
    let port = Port::new(0);
    let socket = tcp();
    port.associate(&socket, KEY).unwrap();
    let event = Event::manual(false);
    let request = Request::holding(b"data").with_event(&event);
    assert_eq!(socket.wsa_send(request), Begin::Failed(sys::WSAENOTCONN));
    assert_eq!(request.count(), UNTOUCHED);
    assert!(!event.is_set());
    assert_no_packet(&port);
}

#[test]
fn d8_the_count_may_be_null_beside_an_overlapped_only() {
    let (port, peer, socket) = pair_on_port(KEY);
    let uncounted = How { counted: false, ..How::default() };
    let send = Request::holding(b"abc");
    assert!(socket.wsa_send_how(send, uncounted).started());
    assert_eq!(port.packet(), success(KEY, send, 3));
    assert_eq!(peer.recv_exact(3), b"abc");
    let receive = Request::new(8);
    pends(socket.wsa_recv_how(receive, uncounted));
    peer.send(b"de").unwrap();
    assert_eq!(port.packet(), success(KEY, receive, 2));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSASend needs no count")]
fn d8_without_overlapped_there_must_be_a_count() {
    let (port, peer, socket) = pair_on_port(KEY);
    assert_eq!(socket.wsa_send_now_uncounted(b"abc"), Err(sys::WSAEFAULT));
    peer.send(b"f").unwrap();
    until("data waits", || socket.bytes_waiting() == 1);
    assert_eq!(wsa_recv_now_uncounted(&socket, &mut [0; 8]), Err(sys::WSAEFAULT));
    assert_eq!(socket.bytes_waiting(), 1);
    assert_no_packet(&port);
}

#[test]
fn d8_the_count_of_a_datagram_send_may_be_null_beside_an_overlapped_only() {
    let (port, peer, socket, _) = udp_on_port(KEY);
    let to = peer.getsockname().unwrap();
    let request = Request::holding(b"abc");
    let uncounted = How { counted: false, ..How::default() };
    assert!(socket.wsa_send_to_how(request, to, uncounted).started());
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!(peer.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(3));

    assert_eq!(wsa_send_to_now(&socket, b"abcd", v4(to), false), Err(sys::WSAEFAULT));
    assert_eq!(wsa_send_to_now(&socket, b"abcde", v4(to), true), Ok(5));
    assert_eq!(peer.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(5), "4 were never sent");
}

#[test]
fn d9_the_buffer_array_is_captured_at_the_call() {
    // The harness frees the array as soon as the call returned; take its memory and overwrite it.
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::scatter(&[2, 3, 4]);
    pends(socket.wsa_recv(request));
    let overwritten: Vec<Vec<u8>> = (0..64).map(|_| vec![0xFF; 48]).collect();
    peer.send(b"123456789").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 9));
    assert_eq!([request.buffer(0), request.buffer(1), request.buffer(2)].concat(), b"123456789");
    assert!(overwritten.iter().flatten().all(|&byte| byte == 0xFF));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSARecv without buffers pends")]
fn d10_no_buffers_is_wsaeinval() {
    let (port, peer, socket) = pair_on_port(KEY);
    for _ in 0..2 {
        let none = How { buffers: Some(0), ..How::default() };
        assert_eq!(socket.wsa_recv_how(Request::new(8), none), Begin::Failed(sys::WSAEINVAL));
        assert_eq!(wsa_recv_without_array(&socket, Request::new(8)), Err(sys::WSAEINVAL));
        // The same again with data waiting.
        peer.send(b"a").unwrap();
        until("data waits", || socket.bytes_waiting() > 0);
    }
    assert_no_packet(&port);
}

#[test]
fn d12_an_inaccessible_buffer_is_refused_at_the_call() {
    let (port, peer, socket) = pair_on_port(KEY);
    peer.send(b"data").unwrap();
    until("data waits", || socket.bytes_waiting() == 4);
    for request in
        [Request::bad(Bad::NoAccess, 16), Request::bad(Bad::Null, 16), Request::bad(Bad::NoAccess, u32::MAX as usize)]
    {
        assert_eq!(socket.wsa_recv(request), Begin::Failed(sys::WSAEFAULT));
    }
    assert_no_packet(&port);
    assert_eq!(socket.recv_exact(4), b"data", "nothing was consumed");
}

#[test]
fn d13_internal_is_pending_and_internal_high_untouched_until_completion() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    request.set_internal(0, 0xABCD);
    pends(socket.wsa_recv(request));
    assert_eq!((request.internal(), request.internal_high()), (PENDING, 0xABCD));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_eq!((request.internal(), request.internal_high()), (0, 3));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx on a socket that does not listen pends")]
fn d14_an_accept_ex_that_fails_at_once_leaves_internal_pending() {
    let accept = Request::new(128);
    accept.set_internal(1, 2);
    // Not listening.
    let begin = accept_ex(&tcp(), &tcp(), accept, 0);
    assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    assert_eq!((accept.internal(), accept.internal_high()), (PENDING, 2));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: InternalHigh is set to 0")]
fn d14_a_connect_ex_that_fails_at_once_leaves_internal_pending() {
    let connect = Request::new(0);
    connect.set_internal(1, 2);
    // Not bound.
    let (_listener, address) = listener();
    let begin = connect_ex(&tcp(), address, connect, 0);
    assert_eq!(begin, Begin::Failed(sys::WSAEINVAL));
    assert_eq!((connect.internal(), connect.internal_high()), (PENDING, 2));
}

#[test]
fn d15_completion_stores_status_and_bytes() {
    let (port, peer, socket) = pair_on_port(KEY);
    let good = Request::new(8);
    pends(socket.wsa_recv(good));
    peer.send(b"abcd").unwrap();
    port.packet();
    assert_eq!((good.status(), good.internal_high()), (sys::STATUS_SUCCESS, 4));

    let bad = Request::new(8);
    bad.set_internal(0, 0xABCD);
    pends(socket.wsa_recv(bad));
    peer.reset();
    port.packet();
    assert_eq!((bad.status(), bad.internal_high()), (sys::STATUS_CONNECTION_RESET, 0));
}

#[test]
fn d16_the_overlapped_is_final_once_its_packet_is_dequeued() {
    let (port, peer, socket) = pair_on_port(KEY);
    let requests: Vec<Request> = (0..200).map(|_| Request::new(1)).collect();
    for &request in &requests {
        pends(socket.wsa_recv(request));
    }
    let sender = std::thread::spawn(move || {
        (0..200).for_each(|_| assert_eq!(peer.send(b"x"), Ok(1)));
        peer
    });
    for _ in &requests {
        let packet = port.packet();
        let request = requests.iter().find(|request| packet.is_of(**request)).unwrap();
        assert_eq!((request.internal(), request.internal_high()), (0, 1));
        request.set_internal(0x5A5A, 0x5A5A);
    }
    sender.join().unwrap();
    assert_no_packet(&port);
    for request in requests {
        assert_eq!((request.internal(), request.internal_high()), (0x5A5A, 0x5A5A));
    }
}

#[test]
fn d17_a_program_may_spin_on_has_overlapped_io_completed() {
    let (peer, socket) = pair();
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    assert!(!request.has_completed());
    peer.send(b"abc").unwrap();
    // No call into the system while it spins: somebody else must bring the completion.
    let start = std::time::Instant::now();
    while !request.has_completed() {
        assert!(start.elapsed() < conformance::fixture::DEADLINE, "nobody completes the request");
        std::hint::spin_loop();
    }
    assert_eq!((request.status(), request.internal_high()), (0, 3));
    assert_eq!(request.data()[..3], *b"abc");
}

#[test]
fn d20_the_event_is_reset_at_the_start_and_set_at_completion() {
    let (peer, socket) = pair();
    let event = Event::manual(true);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    assert!(!event.is_set());
    peer.send(b"abc").unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!((request.status(), request.internal_high()), (0, 3));

    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    assert!(!event.is_set());
    peer.reset();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "failure sets it too");
    assert_eq!(request.status(), sys::STATUS_CONNECTION_RESET);
}

#[test]
fn d20_whatever_the_operation_its_event_is_reset_at_the_start_and_set_by_a_cancellation() {
    let (address, _kept) = unanswered();
    let (_peer, connected) = pair();
    let (listener, _) = listener();
    let (datagrams, connecting, acceptor) = (udp(), tcp(), tcp());
    datagrams.bind_loopback();
    connecting.bind_loopback();
    let starts: [(&Socket, &dyn Fn(Request) -> Begin); 4] = [
        (&connected, &|request| connected.wsa_recv(request)),
        (&datagrams, &|request| datagrams.wsa_recv_from(request)),
        (&listener, &|request| accept_ex(&listener, &acceptor, request, 0)),
        (&connecting, &|request| connect_ex(&connecting, address, request, 0)),
    ];
    for (socket, start) in starts {
        let event = Event::manual(true);
        let request = Request::new(128).with_event(&event);
        pends(start(request));
        assert!(!event.is_set());
        assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
        assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        assert_eq!(request.status(), sys::STATUS_CANCELLED);
    }
}

#[test]
fn d20_an_operation_that_ends_in_the_call_sets_its_event() {
    let (peer, socket) = pair();
    deliver(&peer, b"abc", &socket);
    let starts: [fn(&Socket, Request) -> Begin; 2] = [Socket::wsa_recv, Socket::wsa_send];
    for start in starts {
        let event = Event::manual(false);
        let request = Request::holding(b"xyz").with_event(&event);
        assert!(start(&socket, request).started());
        assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        assert_eq!((request.status(), request.internal_high()), (0, 3));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSARecv without buffers is no error, it pends")]
fn d20_argument_errors_leave_the_event_alone() {
    let (_peer, socket) = pair();
    let event = Event::manual(true);
    let request = Request::new(8).with_event(&event);
    let none = How { buffers: Some(0), ..How::default() };
    assert_eq!(socket.wsa_recv_how(request, none), Begin::Failed(sys::WSAEINVAL));
    assert!(event.is_set());
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSARecv after a reset that was reported gives 0 bytes")]
fn d20_a_request_that_fails_in_the_socket_leaves_the_event_reset() {
    for reported_before in [true, false] {
        let (peer, socket) = pair();
        let first = Request::new(8);
        if reported_before {
            pends(socket.wsa_recv(first));
        }
        peer.reset();
        match reported_before {
            true => until("the reset is reported", || first.has_completed()),
            false => is_readable(&socket),
        }
        let event = Event::manual(true);
        let request = Request::new(8).with_event(&event);
        assert_eq!(socket.wsa_recv(request), Begin::Failed(sys::WSAECONNRESET));
        assert!(!event.is_set());
    }
}

#[test]
fn d22_an_event_with_its_lowest_bit_set_wants_no_packet() {
    let (port, peer, socket) = pair_on_port(KEY);
    let event = Event::manual(true);
    let request = Request::new(8).with_event_handle(tagged(&event));
    pends(socket.wsa_recv(request));
    assert_eq!(wait_for_single_object(tagged(&event), 0), sys::WAIT_TIMEOUT);
    peer.send(b"abc").unwrap();
    assert_eq!(wait_for_single_object(tagged(&event), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert!(event.is_set());
    let result = finishes("GetOverlappedResult", {
        let handle = socket.raw();
        move || get_overlapped_result(handle, request, true)
    });
    assert_eq!((result.ok, result.bytes), (true, 3));
    assert_no_packet(&port);

    // Also if the operation is done at once.
    let request = Request::holding(b"x").with_event_handle(tagged(&event));
    assert!(socket.wsa_send(request).started());
    assert_eq!(wait_for_single_object(tagged(&event), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_no_packet(&port);

    // And if it is cancelled.
    let request = Request::new(8).with_event_handle(tagged(&event));
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    assert_eq!(wait_for_single_object(tagged(&event), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(request.status(), sys::STATUS_CANCELLED);
    assert_no_packet(&port);
}

#[test]
fn d23_event_and_packet_both_come() {
    let (port, peer, socket) = pair_on_port(KEY);
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(port.packet(), success(KEY, request, 3));
    assert_no_packet(&port);
}

#[test]
fn d24_without_overlapped_no_packet_comes() {
    let (port, peer, socket) = pair_on_port(KEY);
    assert_eq!(socket.wsa_send_now(&[b"abc"]), Ok(3));
    assert_eq!(socket.send(b"def"), Ok(3));
    assert_eq!(peer.recv_exact(6), b"abcdef");
    peer.send(b"ghi").unwrap();
    assert_eq!(socket.wsa_recv_now(&mut [&mut [0; 2]], 0), Ok((2, 0)));
    assert_eq!(socket.recv(&mut [0; 8]), Ok(1));
    assert_no_packet(&port);

    let (port, peer, socket, address) = udp_on_port(KEY);
    assert_eq!(wsa_send_to_now(&socket, b"abc", v4(peer.getsockname().unwrap()), true), Ok(3));
    assert_eq!(peer.sendto(b"d", address), Ok(1));
    assert_eq!(socket.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(1));
    assert_no_packet(&port);
}

#[test]
fn d4_overlapped_datagram_receives_pend_too() {
    let socket = udp();
    socket.bind(loopback()).unwrap();
    socket.set_nonblocking(true);
    let request = Request::new(8);
    pends(socket.wsa_recv_from(request));
    let peer = udp();
    assert_eq!(peer.sendto(b"abc", socket.getsockname().unwrap()), Ok(3));
    until("the datagram arrives", || request.has_completed());
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.bytes), (true, 3));
}
