//! WSAGetOverlappedResult and GetOverlappedResult (SEMANTICS 4.5).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, finishes, pends};
use conformance::raw::{
    Event, Request, Transferred, UNTOUCHED, cancel_io_ex, connect_ex, get_overlapped_result, loopback, pair,
    set_last_error, tcp, wsa_get_overlapped_result,
};
use conformance::{nap, until};
use pentaport::sys;

const PENDING: usize = sys::STATUS_PENDING as usize;

fn code(status: sys::NTSTATUS) -> usize {
    status as u32 as usize
}

#[test]
fn d31_an_unknown_socket_is_wsaenotsock() {
    let event = Event::manual(true);
    let request = Request::new(8);
    for handle in [sys::INVALID_SOCKET, 0x00DE_ADB0, event.handle()] {
        let result = wsa_get_overlapped_result(handle, request, false);
        assert_eq!((result.ok, result.error), (false, sys::WSAENOTSOCK as u32), "{handle:#x}");
    }
}

#[test]
fn d32_pending_without_wait_is_incomplete() {
    let (_peer, socket) = pair();
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (false, sys::WSA_IO_INCOMPLETE as u32));
}

#[test]
fn d33_waiting_waits_for_the_event() {
    let (peer, socket) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    let result = finishes("WSAGetOverlappedResult", move || {
        let sender = std::thread::spawn(move || {
            nap();
            peer.send(b"abc").unwrap();
            peer
        });
        let result = wsa_get_overlapped_result(socket.raw(), request, true);
        drop(sender.join().unwrap());
        result
    });
    assert_eq!((result.ok, result.bytes, result.flags), (true, 3, 0));
}

#[test]
fn d33_waiting_without_event_waits_for_the_socket() {
    let (peer, socket) = pair();
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    let result = finishes("WSAGetOverlappedResult", move || {
        let sender = std::thread::spawn(move || {
            nap();
            peer.send(b"abcd").unwrap();
            peer
        });
        let result = wsa_get_overlapped_result(socket.raw(), request, true);
        drop(sender.join().unwrap());
        result
    });
    assert_eq!((result.ok, result.bytes, result.flags), (true, 4, 0));
}

#[test]
fn d33_waiting_trusts_the_event_and_not_internal() {
    let (_peer, socket) = pair();
    let event = Event::manual(true);
    let request = Request::new(8).with_event(&event);
    request.set_internal(PENDING, 0);
    let handle = socket.raw();
    let result = finishes("WSAGetOverlappedResult", move || wsa_get_overlapped_result(handle, request, true));
    assert_eq!((result.ok, result.error), (true, sys::WSA_IO_PENDING as u32));
}

#[test]
fn d34_success_stores_bytes_and_flags_and_clears_the_last_error() {
    let (peer, socket) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    set_last_error(UNTOUCHED);
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!(result, Transferred { ok: true, bytes: 3, flags: 0, error: 0 });
}

#[test]
fn d35_failures_give_the_code_of_the_table() {
    let (_peer, socket) = pair();
    let request = Request::new(8);
    for (status, error) in [
        (sys::STATUS_CANCELLED, sys::WSA_OPERATION_ABORTED),
        (sys::STATUS_CONNECTION_RESET, sys::WSAECONNRESET),
        (sys::STATUS_CONNECTION_ABORTED, sys::WSAECONNABORTED),
        (sys::STATUS_CONNECTION_REFUSED, sys::WSAECONNREFUSED),
        (sys::STATUS_BUFFER_OVERFLOW, sys::WSAEMSGSIZE),
        (sys::STATUS_BUFFER_TOO_SMALL, sys::WSAEFAULT),
        // Unknown failures.
        (sys::STATUS_END_OF_FILE, sys::WSAEINVAL),
        (0xC123_4567_u32 as i32, sys::WSAEINVAL),
    ] {
        request.set_internal(code(status), 5);
        let result = wsa_get_overlapped_result(socket.raw(), request, false);
        assert_eq!((result.ok, result.error), (false, error as u32), "{status:#x}");
    }
}

#[test]
fn d35_unknown_success_gives_the_win32_code() {
    let (_peer, socket) = pair();
    let request = Request::new(8);
    // STATUS_MORE_ENTRIES.
    request.set_internal(0x105, 5);
    let result = wsa_get_overlapped_result(socket.raw(), request, false);
    assert_eq!((result.ok, result.error), (true, sys::ERROR_MORE_DATA));
}

#[test]
fn d36_get_overlapped_result_gives_win32_codes_and_always_the_bytes() {
    let (_peer, socket) = pair();
    let request = Request::new(8);
    for (status, error) in [
        (sys::STATUS_CANCELLED, sys::ERROR_OPERATION_ABORTED),
        (sys::STATUS_CONNECTION_RESET, sys::ERROR_NETNAME_DELETED),
        (sys::STATUS_CONNECTION_REFUSED, sys::ERROR_CONNECTION_REFUSED),
        (sys::STATUS_CONNECTION_ABORTED, sys::ERROR_CONNECTION_ABORTED),
        (sys::STATUS_BUFFER_OVERFLOW, sys::ERROR_MORE_DATA),
        (sys::STATUS_BUFFER_TOO_SMALL, sys::ERROR_INSUFFICIENT_BUFFER),
        (sys::STATUS_END_OF_FILE, sys::ERROR_HANDLE_EOF),
    ] {
        request.set_internal(code(status), 0x1234);
        let result = get_overlapped_result(socket.raw(), request, false);
        assert_eq!((result.ok, result.error, result.bytes), (false, error, 0x1234), "{status:#x}");
    }
}

#[test]
fn d36_live_failures_give_win32_codes() {
    let (peer, socket) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), Some(request)), Ok(()));
    let handle = socket.raw();
    let get = move |request| finishes("GetOverlappedResult", move || get_overlapped_result(handle, request, true));
    let result = get(request);
    let aborted = (false, sys::ERROR_OPERATION_ABORTED, 0);
    assert_eq!((result.ok, result.error, result.bytes), aborted);

    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    peer.reset();
    let result = get(request);
    let reset = (false, sys::ERROR_NETNAME_DELETED, 0);
    assert_eq!((result.ok, result.error, result.bytes), reset);
}

#[test]
fn d36_a_refused_connect_gives_the_win32_code() {
    let nobody = tcp();
    let address = nobody.bind_loopback();
    nobody.close().unwrap();
    let socket = tcp();
    socket.bind(loopback()).unwrap();
    let event = Event::manual(false);
    let request = Request::new(0).with_event(&event);
    pends(connect_ex(&socket, address, request, 0));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    let result = get_overlapped_result(socket.raw(), request, false);
    let refused = (false, sys::ERROR_CONNECTION_REFUSED, 0);
    assert_eq!((result.ok, result.error, result.bytes), refused);
}

#[test]
fn d37_the_handle_is_ignored_when_not_waiting() {
    let (peer, socket) = pair();
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    let result = get_overlapped_result(0, request, false);
    let incomplete = (false, sys::ERROR_IO_INCOMPLETE, UNTOUCHED);
    assert_eq!((result.ok, result.error, result.bytes), incomplete);
    peer.send(b"abc").unwrap();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    let result = get_overlapped_result(0, request, false);
    assert_eq!((result.ok, result.bytes), (true, 3));
}

#[test]
fn d39_no_wait_once_internal_is_final() {
    let (peer, socket) = pair();
    let event = Event::auto(false);
    let request = Request::new(8).with_event(&event);
    pends(socket.wsa_recv(request));
    peer.send(b"abc").unwrap();
    // This wait takes the signal of the auto-reset event.
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    until("the status is final", || request.has_completed());
    let handle = socket.raw();
    let result = finishes("GetOverlappedResult", move || get_overlapped_result(handle, request, true));
    assert_eq!((result.ok, result.bytes), (true, 3));
}
