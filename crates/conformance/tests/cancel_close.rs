//! Cancellation, close and the end of threads (SEMANTICS 4.9).
#![forbid(unsafe_code)]

use conformance::fixture::{
    DEADLINE_MS, Log, assert_no_packet, failure, logged, pair_on_port, pends, run_routines, success, udp_on_port,
};
use conformance::raw::{
    Event, How, Port, Request, Socket, accept_ex, cancel_io, cancel_io_ex, listener, pair, tcp,
    wsa_get_overlapped_result,
};
use conformance::raw_port::{tagged, wait_for_single_object};
use conformance::{nap, until};
use pentaport::sys;
use std::sync::mpsc;
use std::thread;

const KEY: usize = 0xCA;

/// Starts receives on a thread that then stays until the sender given is dropped.
fn receive_on_another_thread(socket: &Socket, requests: Vec<Request>) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let socket = std::mem::ManuallyDrop::new(Socket::of(socket.raw()));
    let (stay, gone) = mpsc::channel::<()>();
    let (sender, started) = mpsc::channel();
    let thread = thread::spawn(move || {
        requests.into_iter().for_each(|request| pends(socket.wsa_recv(request)));
        sender.send(()).unwrap();
        let _ = gone.recv();
    });
    started.recv().expect("the receives pend");
    (stay, thread)
}

#[test]
fn d77_cancel_io_cancels_what_this_thread_started_on_the_socket() {
    let (port, peer, socket) = pair_on_port(KEY);
    let (other_peer, other) = pair();
    port.associate(&other, KEY + 1).unwrap();
    let theirs = Request::new(3);
    let (stay, thread) = receive_on_another_thread(&socket, vec![theirs]);
    let ours = [(); 2].map(|()| Request::new(8));
    for request in ours {
        pends(socket.wsa_recv(request));
    }
    let elsewhere = Request::new(8);
    pends(other.wsa_recv(elsewhere));

    assert_eq!(cancel_io(socket.raw()), Ok(()));
    let mut cancelled = [port.packet(), port.packet()];
    cancelled.sort_by_key(|packet| packet.overlapped != ours[0].address());
    let aborted = sys::ERROR_OPERATION_ABORTED;
    assert_eq!(cancelled, ours.map(|request| failure(KEY, request, 0, aborted)));
    assert_no_packet(&port);

    // The other thread's request and the one on the other socket are untouched.
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, theirs, 3));
    other_peer.send(b"de").unwrap();
    assert_eq!(port.packet(), success(KEY + 1, elsewhere, 2));
    drop(stay);
    thread.join().unwrap();
}

#[test]
fn d77_cancel_io_succeeds_with_nothing_to_cancel() {
    let (port, peer, socket) = pair_on_port(KEY);
    assert_eq!(cancel_io(socket.raw()), Ok(()));
    let theirs = Request::new(8);
    let (stay, thread) = receive_on_another_thread(&socket, vec![theirs]);
    assert_eq!(cancel_io(socket.raw()), Ok(()));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, theirs, 3));
    drop(stay);
    thread.join().unwrap();
}

#[test]
fn d78_cancel_io_ex_cancels_the_requests_of_any_thread() {
    let (port, peer, socket) = pair_on_port(KEY);
    let requests: Vec<Request> = (0..3).map(|_| Request::new(8)).collect();
    let (stay, thread) = receive_on_another_thread(&socket, requests.clone());
    let aborted = sys::ERROR_OPERATION_ABORTED;

    // One by its OVERLAPPED.
    assert_eq!(cancel_io_ex(socket.raw(), Some(requests[1])), Ok(()));
    assert_eq!(port.packet(), failure(KEY, requests[1], 0, aborted));
    assert_no_packet(&port);
    // It is gone now.
    let result = cancel_io_ex(socket.raw(), Some(requests[1]));
    assert_eq!(result, Err(sys::ERROR_NOT_FOUND));

    // The others keep their order.
    peer.send(b"12345678").unwrap();
    assert_eq!(port.packet(), success(KEY, requests[0], 8));

    // All that is left.
    assert_eq!(cancel_io_ex(socket.raw(), None), Ok(()));
    assert_eq!(port.packet(), failure(KEY, requests[2], 0, aborted));
    assert_no_packet(&port);
    drop(stay);
    thread.join().unwrap();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TRUE")]
fn d78_cancel_io_ex_of_nothing_is_not_found() {
    let (_port, _peer, socket) = pair_on_port(KEY);
    assert_eq!(cancel_io_ex(socket.raw(), None), Err(sys::ERROR_NOT_FOUND));
    assert_eq!(cancel_io_ex(socket.raw(), Some(Request::new(8))), Err(sys::ERROR_NOT_FOUND));
    pends(socket.wsa_recv(Request::new(8)));
    assert_eq!(cancel_io_ex(socket.raw(), Some(Request::new(8))), Err(sys::ERROR_NOT_FOUND));

    // A pending AcceptEx belongs to its listener.
    let ((listener, _), acceptor) = (listener(), tcp());
    pends(accept_ex(&listener, &acceptor, Request::new(128), 0));
    assert_eq!(cancel_io_ex(acceptor.raw(), None), Err(sys::ERROR_NOT_FOUND));
}

#[test]
fn d79_p24_a_cancelled_request_ends_with_all_its_notifications() {
    let (port, _peer, socket) = pair_on_port(KEY);
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    request.set_internal(0, 0x1234);
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_eq!((request.internal(), request.internal_high()), (0xC000_0120, 0));
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::WSA_OPERATION_ABORTED as u32));
    assert_no_packet(&port);
}

#[test]
fn d79_the_handle_or_the_routine_tells_of_the_cancellation() {
    let (_peer, socket) = pair();
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    assert_eq!(wait_for_single_object(socket.raw(), 0), sys::WAIT_TIMEOUT);
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    assert_eq!(wait_for_single_object(socket.raw(), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!((request.status(), request.internal_high()), (sys::STATUS_CANCELLED, 0));

    let log = Log::new();
    let request = logged(Request::new(8), &log);
    pends(socket.wsa_recv_how(request, How::ROUTINE));
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    run_routines(&log, 1);
    let told = log.all()[0];
    assert_eq!((told.error, told.bytes), (sys::WSA_OPERATION_ABORTED as u32, 0));
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 tells the bytes that have gone")]
fn d79_a_cancelled_send_ends_too() {
    let (port, peer, socket) = pair_on_port(KEY);
    // Sends until one pends: the buffers are full then, since the peer reads nothing.
    let chunk = vec![7; 8 << 20];
    let mut done = 0;
    let pending = loop {
        let request = Request::holding(&chunk);
        match socket.wsa_send(request) {
            conformance::raw::Begin::Pending => break request,
            begin => {
                assert!(begin.started(), "{begin:?}");
                assert_eq!(port.packet(), success(KEY, request, chunk.len() as u32));
                done += 1;
                assert!(done < 64, "512 MiB fit into a buffer");
            }
        }
    };
    assert_eq!(cancel_io_ex(socket.raw(), Some(pending)), Ok(()));
    // Of no bytes, though some of them may have gone.
    assert_eq!(port.packet(), failure(KEY, pending, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
    drop(peer);
}

#[test]
fn d79_a_cancelled_receive_takes_no_data() {
    let (port, peer, socket) = pair_on_port(KEY);
    for round in 0..100_u8 {
        let (cancelled, kept) = (Request::new(1), Request::new(1));
        pends(socket.wsa_recv(cancelled));
        assert_eq!(cancel_io_ex(socket.raw(), Some(cancelled)), Ok(()));
        peer.send(&[round]).unwrap();
        let aborted = failure(KEY, cancelled, 0, sys::ERROR_OPERATION_ABORTED);
        assert_eq!(port.packet(), aborted);
        assert!(socket.wsa_recv(kept).started());
        assert_eq!(port.packet(), success(KEY, kept, 1));
        assert_eq!((cancelled.data(), kept.data()), (vec![0], vec![round]));
    }
}

#[test]
fn d80_cancel_io_on_the_acceptor_does_nothing() {
    let (listener, address) = listener();
    let port = Port::new(0);
    port.associate(&listener, KEY).unwrap();
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    assert_eq!(cancel_io(acceptor.raw()), Ok(()));
    assert_no_packet(&port);
    let client = tcp();
    client.connect(address).unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
fn d80_cancel_io_on_the_listener_cancels() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, KEY).unwrap();
    let acceptor = tcp();
    let request = Request::new(128);
    pends(accept_ex(&listener, &acceptor, request, 0));
    assert_eq!(cancel_io(listener.raw()), Ok(()));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: STATUS_HANDLES_CLOSED, error 676")]
fn d81_d84_closing_a_stream_socket_aborts_its_receives() {
    let (port, peer, socket) = pair_on_port(KEY);
    let event = Event::manual(false);
    let requests = [Request::new(8), Request::new(8).with_event(&event)];
    for request in requests {
        request.set_internal(0, 0x1234);
        pends(socket.wsa_recv(request));
    }
    socket.close().unwrap();
    // The packets come after closesocket returned, with the socket's key.
    for request in requests {
        let aborted = failure(KEY, request, 0, sys::ERROR_CONNECTION_ABORTED);
        assert_eq!(port.packet(), aborted);
        assert_eq!((request.internal(), request.internal_high()), (0xC000_0241, 0));
    }
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_no_packet(&port);
    drop(peer);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: STATUS_HANDLES_CLOSED")]
fn d81_without_a_port_the_event_tells() {
    let (_peer, socket) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    socket.close().unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!((request.internal(), request.internal_high()), (0xC000_0241, 0));
}

#[test]
fn d81_a_closed_socket_writes_nothing_into_the_buffer() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    socket.close().unwrap();
    let packet = port.packet();
    assert!(packet.is_of(request) && !packet.ok && packet.bytes == 0, "{packet:?}");
    let _ = peer.send(b"late");
    nap();
    assert_eq!(request.data(), [0; 8]);
    assert_no_packet(&port);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: STATUS_HANDLES_CLOSED, error 676")]
fn d82_d84_closing_a_datagram_socket_cancels_its_receives() {
    let (port, _peer, socket, _) = udp_on_port(KEY);
    let requests = [Request::new(8), Request::new(8)];
    pends(socket.wsa_recv(requests[0]));
    pends(socket.wsa_recv_from(requests[1]));
    socket.close().unwrap();
    for request in requests {
        assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
        assert_eq!((request.internal(), request.internal_high()), (0xC000_0120, 0));
    }
    assert_no_packet(&port);
}

#[test]
fn d83_d84_closing_a_listener_cancels_its_accepts() {
    let (listener, _) = listener();
    let port = Port::new(0);
    port.associate(&listener, KEY).unwrap();
    let (acceptors, requests) = ([tcp(), tcp()], [Request::new(128), Request::new(128)]);
    pends(accept_ex(&listener, &acceptors[0], requests[0], 0));
    pends(accept_ex(&listener, &acceptors[1], requests[1], 16));
    listener.close().unwrap();
    for request in requests {
        assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
        assert_eq!(request.internal(), 0xC000_0120);
    }
    assert_no_packet(&port);
    // The acceptors are as new.
    let (listener, address) = conformance::raw::listener();
    assert_eq!(acceptors[0].connect(address), Ok(()));
    let accept = Request::new(128);
    assert!(listener.accept().is_ok());
    assert!(accept_ex(&listener, &acceptors[1], accept, 0).started());
}

/// Starts a receive on a thread that then exits.
fn receive_and_exit(socket: &Socket, request: Request) {
    let socket = std::mem::ManuallyDrop::new(Socket::of(socket.raw()));
    thread::spawn(move || pends(socket.wsa_recv(request))).join().expect("the receive pends");
}

#[test]
fn d87_the_end_of_a_thread_leaves_requests_that_have_only_a_port() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    receive_and_exit(&socket, request);
    nap();
    assert_no_packet(&port);
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
}

#[test]
fn d87_the_end_of_a_thread_tells_its_requests_apart() {
    // One thread leaves behind a request of each kind, so that its end has something to cancel.
    let (port, peer, socket) = pair_on_port(KEY);
    let (other_peer, other) = pair();
    let event = Event::manual(false);
    // This one is of a thread that goes on.
    let ours = Request::new(8);
    pends(other.wsa_recv(ours));
    let (kept, with_event, without_port) = (Request::new(3), Request::new(8).with_event(&event), Request::new(8));
    thread::scope(|scope| {
        scope.spawn(|| {
            pends(socket.wsa_recv(kept));
            pends(socket.wsa_recv(with_event));
            pends(other.wsa_recv(without_port));
        });
    });
    assert_eq!(port.packet(), failure(KEY, with_event, 0, sys::ERROR_OPERATION_ABORTED));
    until("the request without a port is cancelled", || without_port.status() == sys::STATUS_CANCELLED);
    assert_no_packet(&port);
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, kept, 3));
    assert!(!ours.has_completed());
    other_peer.send(b"de").unwrap();
    until("the other thread's request gets its data", || ours.has_completed());
    assert_eq!((ours.status(), ours.internal_high()), (0, 2));
}

#[test]
fn d87_the_end_of_a_thread_cancels_requests_with_an_event() {
    // With a port: the packet tells of the cancellation.
    let (port, peer, socket) = pair_on_port(KEY);
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    receive_and_exit(&socket, request);
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_no_packet(&port);

    // With a port, but suppressed.
    let event = Event::manual(false);
    let request = Request::new(8).with_event_handle(tagged(&event));
    receive_and_exit(&socket, request);
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(request.status(), sys::STATUS_CANCELLED);
    assert_no_packet(&port);

    // The socket is none the worse for it.
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    assert_eq!(port.packet(), success(KEY, request, 3));
}

#[test]
fn d87_the_end_of_a_thread_cancels_requests_without_a_port() {
    let (_peer, socket) = pair();
    let plain = Request::new(8);
    receive_and_exit(&socket, plain);
    until("the request is cancelled", || plain.has_completed());
    assert_eq!((plain.status(), plain.internal_high()), (sys::STATUS_CANCELLED, 0));

    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    receive_and_exit(&socket, request);
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(request.status(), sys::STATUS_CANCELLED);
}

#[test]
fn d88_close_with_linger_zero_resets_the_connection() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.set_linger(1, 0).unwrap();
    peer.close().unwrap();
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED));
}

#[test]
fn d88_close_delivers_what_overlapped_sends_were_done_with() {
    let (port, peer, socket) = pair_on_port(KEY);
    let data = vec![0x42; 100_000];
    let request = Request::holding(&data);
    assert!(socket.wsa_send(request).started());
    assert_eq!(port.packet(), success(KEY, request, 100_000));
    socket.close().unwrap();
    assert_eq!(peer.recv_exact(data.len()), data);
    assert_eq!(peer.recv(&mut [0]), Ok(0), "the stream ends gracefully");
}

#[test]
fn d90_calls_without_overlapped_queue_no_packets() {
    let (listener, address) = listener();
    let port = Port::new(0);
    let sockets = [tcp(), tcp()];
    for socket in &sockets {
        port.associate(socket, KEY).unwrap();
        socket.connect(address).unwrap();
    }
    assert_no_packet(&port);
    let _accepted = [listener.accept().unwrap(), listener.accept().unwrap()];
    sockets[0].shutdown(sys::SD_SEND).unwrap();
    sockets[0].shutdown(sys::SD_BOTH).unwrap();
    sockets[1].wsa_send_disconnect().unwrap();
    sockets[1].wsa_recv_disconnect().unwrap();
    assert_no_packet(&port);
}

#[test]
fn d90_a_connect_in_the_background_queues_no_packet() {
    let (listener, address) = listener();
    let port = Port::new(0);
    let socket = tcp();
    port.associate(&socket, KEY).unwrap();
    socket.set_nonblocking(true);
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    let _accepted = listener.accept().unwrap();
    until("the connect is done", || socket.getpeername().is_ok() && socket.send(b"x") == Ok(1));
    assert_no_packet(&port);
}
