//! Cancellation of calls that threads are blocked in (SEMANTICS D75, D78, D86).
#![forbid(unsafe_code)]

use conformance::fixture::{Log, assert_no_packet, pair_on_port, unanswered};
use conformance::raw::{
    Begin, How, Request, Socket, Thread, Transmit, cancel_io_ex, cancel_synchronous_io, listener, pair, tcp,
    transmit_file, udp,
};
use conformance::{nap, until};
use pentaport::sys;
use std::mem::ManuallyDrop;

/// How a call is cancelled: by its socket or by its thread.
#[derive(Clone, Copy, Debug)]
enum By {
    Socket,
    Thread,
}

/// Runs a call that blocks on a socket on a thread of its own, cancels it, and gives what it answered.
#[track_caller]
fn cancelled<T: Send + 'static>(by: By, socket: &Socket, call: impl FnOnce(&Socket) -> T + Send + 'static) -> T {
    let handle = socket.raw();
    let thread = Thread::start(move || call(&ManuallyDrop::new(Socket::of(handle))));
    // As long as the thread is not blocked, there is nothing to cancel.
    until("the call is cancelled", || match by {
        By::Socket => cancel_io_ex(handle, None),
        By::Thread => cancel_synchronous_io(thread.handle()),
    } == Ok(()));
    thread.join()
}

#[track_caller]
fn is_cancelled_stream<T: std::fmt::Debug>(by: By, outcome: Result<T, i32>) {
    let code = outcome.expect_err("the call is cancelled");
    assert!([sys::WSA_OPERATION_ABORTED, sys::WSAECONNABORTED].contains(&code), "by {by:?}: {code}");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_a_receive_that_blocks_on_a_stream_is_cancelled() {
    let waitall = |socket: &Socket| socket.recv_flags(&mut [0; 8], sys::MSG_WAITALL);
    for by in [By::Socket, By::Thread] {
        let (peer, socket) = pair();
        is_cancelled_stream(by, cancelled(by, &socket, |socket| socket.recv(&mut [0; 8])));
        is_cancelled_stream(by, cancelled(by, &socket, |socket| socket.wsa_recv_now(&mut [&mut [0; 8]], 0)));
        is_cancelled_stream(by, cancelled(by, &socket, waitall));
        // The connection lives.
        peer.send(b"abc").unwrap();
        assert_eq!(socket.recv_exact(3), b"abc");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_a_receive_that_blocks_on_a_datagram_socket_is_cancelled() {
    for by in [By::Socket, By::Thread] {
        let socket = udp();
        let address = socket.bind_loopback();
        assert_eq!(cancelled(by, &socket, |socket| socket.recv(&mut [0; 8])), Err(sys::WSAEINTR));
        assert_eq!(cancelled(by, &socket, |socket| socket.recvfrom(&mut [0; 8])), Err(sys::WSAEINTR));
        udp().sendto(b"abc", address).unwrap();
        assert_eq!(socket.recv(&mut [0; 8]), Ok(3));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_an_accept_that_blocks_is_cancelled() {
    for by in [By::Socket, By::Thread] {
        let (listener, address) = listener();
        let accepted = cancelled(by, &listener, |listener| listener.accept().map(drop));
        assert_eq!(accepted, Err(sys::WSAEINTR));
        let accepted = cancelled(by, &listener, |listener| listener.wsa_accept(|_| 0).map(drop));
        assert_eq!(accepted, Err(sys::WSAEINTR));
        let client = tcp();
        client.connect(address).unwrap();
        assert_eq!(listener.accept().map(|(_, peer)| peer), client.getsockname());
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_a_send_that_blocks_is_cancelled() {
    for by in [By::Socket, By::Thread] {
        let (_peer, socket) = pair();
        is_cancelled_stream(by, cancelled(by, &socket, |socket| socket.send(&vec![0; 64 << 20])));
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_what_queued_behind_a_cancelled_transmission_goes_on() {
    static MUCH: [u8; 64 << 20] = [7; 64 << 20];
    for by in [By::Socket, By::Thread] {
        let (peer, socket) = pair();
        let handle = socket.raw();
        let thread = Thread::start(move || {
            let call = Transmit { around: Some((&MUCH, b"")), ..Default::default() };
            transmit_file(&ManuallyDrop::new(Socket::of(handle)), call)
        });
        // Where nothing comes, the test fails instead of hanging.
        peer.set_sol_option(sys::SO_RCVTIMEO, 30_000).unwrap();
        // It has begun, and cannot end.
        assert_eq!(peer.recv(&mut [0]), Ok(1));
        socket.shutdown(sys::SD_SEND).unwrap();
        until("the call is cancelled", || match by {
            By::Socket => cancel_io_ex(handle, None),
            By::Thread => cancel_synchronous_io(thread.handle()),
        } == Ok(()));
        is_cancelled_stream(
            by,
            match thread.join() {
                Begin::Failed(code) => Err(code),
                begin => Ok(begin),
            },
        );
        // The end of the stream comes behind what has gone out.
        let mut part = vec![0; 1 << 20];
        while peer.recv(&mut part).expect("the connection lives") > 0 {}
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_a_connect_that_blocks_is_cancelled() {
    let (unanswered, _kept) = unanswered();
    for by in [By::Socket, By::Thread] {
        let (listener, address) = listener();
        let socket = tcp();
        let name = socket.bind_loopback();
        is_cancelled_stream(by, cancelled(by, &socket, move |socket| socket.connect(unanswered)));
        // The socket is as it was before.
        assert_eq!(socket.getsockname(), Ok(name));
        socket.connect(address).unwrap();
        assert_eq!(listener.accept().map(|(_, peer)| peer), Ok(name));
    }
}

#[test]
fn d78_all_calls_that_block_on_a_socket_are_cancelled_and_no_others() {
    let (peer, socket) = pair();
    let (other_peer, other) = pair();
    let receives_from = |socket: &Socket| {
        let handle = socket.raw();
        Thread::start(move || ManuallyDrop::new(Socket::of(handle)).recv(&mut [0; 8]))
    };
    let stays = receives_from(&other);
    let mut threads = vec![receives_from(&socket), receives_from(&socket), receives_from(&socket)];
    // Each is cancelled once it is blocked.
    while let Some(thread) = threads.pop() {
        until("a call is cancelled", || {
            let _ = cancel_io_ex(socket.raw(), None);
            conformance::raw::wait_for_single_object_ex(thread.handle(), 0, false) == sys::WAIT_OBJECT_0
        });
        is_cancelled_stream(By::Socket, thread.join());
    }
    other_peer.send(b"abc").unwrap();
    assert_eq!(stays.join(), Ok(3));
    drop(peer);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_a_cancelled_call_brings_no_packet_and_spares_operations_by_their_overlapped() {
    const KEY: usize = 0xB1;
    let (port, peer, socket) = pair_on_port(KEY);
    let outcome = cancelled(By::Socket, &socket, |socket| socket.recv(&mut [0; 8]));
    is_cancelled_stream(By::Socket, outcome);
    assert_no_packet(&port);

    // CancelIoEx with an OVERLAPPED means that operation alone; CancelSynchronousIo means no operation.
    let request = Request::new(4);
    assert!(socket.wsa_recv(request).started());
    let outcome = cancelled(By::Thread, &socket, |socket| socket.recv(&mut [0; 8]));
    is_cancelled_stream(By::Thread, outcome);
    assert_no_packet(&port);
    peer.send(b"abcd").unwrap();
    assert_eq!(port.packet(), conformance::fixture::success(KEY, request, 4));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelIoEx of nothing is TRUE")]
fn d78_what_is_not_blocked_is_not_found() {
    let (peer, socket) = pair();
    assert_eq!(cancel_io_ex(socket.raw(), None), Err(sys::ERROR_NOT_FOUND));
    assert_eq!(cancel_synchronous_io(conformance::raw::current_thread()), Err(sys::ERROR_NOT_FOUND));
    assert_eq!(cancel_synchronous_io(socket.raw()), Err(sys::ERROR_INVALID_HANDLE));
    // A call that was cancelled leaves nothing behind for the next.
    is_cancelled_stream(By::Socket, cancelled(By::Socket, &socket, |socket| socket.recv(&mut [0; 8])));
    assert_eq!(cancel_io_ex(socket.raw(), None), Err(sys::ERROR_NOT_FOUND));
    let handle = socket.raw();
    let thread = Thread::start(move || ManuallyDrop::new(Socket::of(handle)).recv(&mut [0; 8]));
    peer.send(b"abc").unwrap();
    assert_eq!(thread.join(), Ok(3));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelSynchronousIo finds no call on a socket, CancelIoEx of nothing is TRUE")]
fn d78_the_synchronous_call_on_a_socket_that_is_not_overlapped_is_cancelled() {
    let (_peer, socket) = conformance::fixture::pair_without_overlapped();
    let with_overlapped = |socket: &Socket| match socket.wsa_recv_how(Request::new(8), How::default()) {
        conformance::raw::Begin::Failed(code) => Err(code),
        begin => Ok(begin),
    };
    is_cancelled_stream(By::Socket, cancelled(By::Socket, &socket, with_overlapped));
    is_cancelled_stream(By::Thread, cancelled(By::Thread, &socket, with_overlapped));

    // By its OVERLAPPED; it is not pending then.
    let (request, other) = (Request::new(8), Request::new(8));
    let handle = socket.raw();
    let thread = Thread::start(move || ManuallyDrop::new(Socket::of(handle)).wsa_recv(request));
    until("the call is cancelled", || {
        assert_eq!(cancel_io_ex(handle, Some(other)), Err(sys::ERROR_NOT_FOUND));
        cancel_io_ex(handle, Some(request)) == Ok(())
    });
    assert!(matches!(thread.join(), conformance::raw::Begin::Failed(_)));
    assert!(request.has_completed());
}

#[test]
fn d75_d78_routines_run_in_a_call_that_is_cancelled_later() {
    let (_peer, socket) = pair();
    let handle = socket.raw();
    let log = Log::new();
    let thread = Thread::start(move || ManuallyDrop::new(Socket::of(handle)).recv(&mut [0; 8]));
    conformance::raw::queue_user_apc(thread.handle(), log.entry("ran")).unwrap();
    until("the routine has run", || log.count() == 1);
    until("the call is cancelled", || cancel_io_ex(handle, None) == Ok(()));
    is_cancelled_stream(By::Socket, thread.join());
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 gives another code")]
fn d86_closing_a_datagram_socket_releases_a_blocked_receive() {
    let closed_under_a_receive = || {
        let socket = udp();
        socket.bind_loopback();
        let handle = socket.raw();
        let thread = Thread::start(move || ManuallyDrop::new(Socket::of(handle)).recvfrom(&mut [0; 8]).map(drop));
        nap();
        socket.close().unwrap();
        thread.join()
    };
    // A thread that was late finds no socket.
    until("a thread is released", || match closed_under_a_receive() {
        Err(sys::WSAEINTR) => true,
        Err(sys::WSAENOTSOCK) => false,
        other => panic!("{other:?}"),
    });
}
