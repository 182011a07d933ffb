//! GetQueuedCompletionStatus, GetQueuedCompletionStatusEx and PostQueuedCompletionStatus (SEMANTICS 6.4 to 6.6).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, closed_under, failure, finishes, pair_on_port, pends, success};
use conformance::raw::{Dequeued, Entry, Port, Request, UNTOUCHED, cancel_io_ex, duplicate_handle};
use conformance::{in_child, nap};
use pentaport::sys;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

const KEY: usize = 0x77;

fn nothing(error: u32) -> Dequeued {
    Dequeued { ok: false, bytes: UNTOUCHED, key: UNTOUCHED as usize, overlapped: 0, error }
}

fn posted(key: usize, overlapped: usize, bytes: u32) -> Dequeued {
    Dequeued { ok: true, bytes, key, overlapped, error: UNTOUCHED }
}

#[test]
fn p23_success_sets_everything_and_leaves_the_last_error() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"12345").unwrap();
    // `success` has the last error that was set before the call.
    assert_eq!(port.packet(), success(KEY, request, 5));
}

#[test]
fn p23_zero_bytes_of_a_tcp_receive_are_the_end_of_the_stream() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(port.packet(), success(KEY, request, 0));
}

#[test]
fn p24_failure_gives_the_packet_and_the_win32_error() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    assert_eq!(cancel_io_ex(socket.raw(), None), Ok(()));
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_OPERATION_ABORTED));

    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.reset();
    assert_eq!(port.packet(), failure(KEY, request, 0, sys::ERROR_NETNAME_DELETED));
}

#[test]
fn p25_timeout_dequeues_nothing_and_leaves_bytes_and_key() {
    let port = Port::new(0);
    assert_eq!(port.get(0), nothing(sys::WAIT_TIMEOUT));
    assert_eq!(port.get(20), nothing(sys::WAIT_TIMEOUT));
    port.post(1, 2, 3).unwrap();
    assert_eq!(port.get(0), posted(2, 3, 1));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the waiters sleep on")]
fn p26_close_abandons_all_waiters() {
    in_child("p26_close_abandons_all_waiters", || {
        let get = |port: &Port| {
            let got = port.get(sys::INFINITE);
            assert_eq!(got, nothing(got.error));
            got.error
        };
        let told = closed_under(get, sys::ERROR_INVALID_HANDLE);
        assert_eq!(told, [[sys::ERROR_ABANDONED_WAIT_0; 3]; 2]);
    });
}

#[test]
fn p26_a_port_closed_before_is_an_invalid_handle() {
    in_child("p26_a_port_closed_before_is_an_invalid_handle", || {
        let port = Port::new(0);
        port.close().unwrap();
        let got = port.get(0);
        assert_eq!((got.ok, got.overlapped, got.error), (false, 0, sys::ERROR_INVALID_HANDLE));
        assert_eq!(port.post(1, 2, 3), Err(sys::ERROR_INVALID_HANDLE));
        assert_eq!(port.get_many(1, 0).0, Err(sys::ERROR_INVALID_HANDLE));
    });
}

#[test]
fn p26_who_posted_before_finds_the_port_closed() {
    in_child("p26_who_posted_before_finds_the_port_closed", || {
        let (port, other) = (Port::new(0), Port::new(0));
        for key in [1, 2] {
            port.post(0, key, 0).unwrap();
            assert_eq!(port.get(0), posted(key, 0, 0));
        }
        // By another thread: this one is not told but by the handle itself.
        thread::scope(|scope| scope.spawn(|| port.close().unwrap()).join().unwrap());
        assert_eq!(port.post(0, 3, 0), Err(sys::ERROR_INVALID_HANDLE));
        other.post(0, 4, 0).unwrap();
        assert_eq!(port.post(0, 5, 0), Err(sys::ERROR_INVALID_HANDLE));
        assert_eq!(other.get(0), posted(4, 0, 0));
    });
}

#[test]
fn p26_a_closed_handle_is_invalid_though_another_keeps_the_port_open() {
    in_child("p26_a_closed_handle_is_invalid_though_another_keeps_the_port_open", || {
        let port = Port::new(0);
        let other = Port::of(duplicate_handle(port.handle()).unwrap());
        for key in [1, 2] {
            port.post(0, key, 0).unwrap();
            assert_eq!(port.get(0), posted(key, 0, 0));
        }
        port.close().unwrap();
        assert_eq!(port.post(0, 3, 0), Err(sys::ERROR_INVALID_HANDLE));
        assert_eq!(port.get(0), nothing(sys::ERROR_INVALID_HANDLE));
        assert_eq!(port.get_many(1, 0).0, Err(sys::ERROR_INVALID_HANDLE));
        other.post(0, 4, 0).unwrap();
        assert_eq!(other.get(0), posted(4, 0, 0));
    });
}

#[test]
fn p27_a_posted_packet_may_have_no_overlapped() {
    let port = Port::new(0);
    port.post(5, 6, 0).unwrap();
    assert_eq!(port.get(0), posted(6, 0, 5));
}

#[test]
fn p28_timeout_zero_polls_and_infinite_waits() {
    let port = Arc::new(Port::new(0));
    assert_eq!(port.get(0), nothing(sys::WAIT_TIMEOUT));
    let (sender, receiver) = mpsc::channel();
    let waiter = port.clone();
    let thread = thread::spawn(move || sender.send(waiter.get(sys::INFINITE)).unwrap());
    let early = receiver.recv_timeout(Duration::from_millis(50));
    assert_eq!(early, Err(RecvTimeoutError::Timeout), "INFINITE ended without a packet");
    port.post(1, 2, 3).unwrap();
    assert_eq!(receiver.recv_timeout(DEADLINE), Ok(posted(2, 3, 1)));
    thread.join().unwrap();
}

fn entry(key: usize, overlapped: usize, internal: usize, bytes: u32) -> Entry {
    Entry { key, overlapped, internal, bytes }
}

#[test]
fn p30_a_batch_takes_what_is_there() {
    let port = Port::new(0);
    for i in 1..=5 {
        port.post(i as u32, i, i * 16).unwrap();
    }
    let packet = |i: usize| entry(i, i * 16, 0, i as u32);
    assert_eq!(port.get_many(2, DEADLINE_MS), (Ok(vec![packet(1), packet(2)]), 2));
    // Three are there and eight are wanted: a wait for more would end in the deadline of `finishes`.
    let (rest, removed) = finishes("GetQueuedCompletionStatusEx", move || {
        let result = port.get_many(8, sys::INFINITE);
        assert!(port.is_empty());
        result
    });
    assert_eq!((rest, removed), (Ok(vec![packet(3), packet(4), packet(5)]), 3));
}

#[test]
fn p30_a_batch_waits_for_the_first_packet() {
    let port = Arc::new(Port::new(0));
    let waiter = port.clone();
    let thread = thread::spawn(move || waiter.get_many(4, DEADLINE_MS));
    nap();
    port.post(1, 2, 3).unwrap();
    assert_eq!(thread.join().unwrap(), (Ok(vec![entry(2, 3, 0, 1)]), 1));
}

#[test]
fn p31_a_batch_succeeds_even_if_operations_failed() {
    let (port, peer, socket) = pair_on_port(KEY);
    let (first, second) = (Request::new(8), Request::new(8));
    pends(socket.wsa_recv(first));
    assert_eq!(cancel_io_ex(socket.raw(), None), Ok(()));
    let cancelled = sys::STATUS_CANCELLED as u32 as usize;
    let (batch, _) = port.get_many(4, DEADLINE_MS);
    assert_eq!(batch, Ok(vec![entry(KEY, first.address(), cancelled, 0)]));
    assert_eq!(first.status(), sys::STATUS_CANCELLED);

    pends(socket.wsa_recv(second));
    peer.reset();
    let reset = sys::STATUS_CONNECTION_RESET as u32 as usize;
    let (batch, _) = port.get_many(4, DEADLINE_MS);
    assert_eq!(batch, Ok(vec![entry(KEY, second.address(), reset, 0)]));
}

#[test]
fn p30_entries_of_operations_carry_status_and_bytes() {
    let (port, peer, socket) = pair_on_port(KEY);
    let request = Request::new(8);
    pends(socket.wsa_recv(request));
    peer.send(b"123").unwrap();
    let (batch, removed) = port.get_many(4, DEADLINE_MS);
    assert_eq!((batch, removed), (Ok(vec![entry(KEY, request.address(), 0, 3)]), 1));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: TRUE, with an entry that no packet gave")]
fn p32_a_batch_of_none_is_an_invalid_parameter() {
    let port = Port::new(0);
    port.post(1, 2, 3).unwrap();
    assert_eq!(port.get_many(0, 0), (Err(sys::ERROR_INVALID_PARAMETER), UNTOUCHED));
    assert_eq!(port.get(0), posted(2, 3, 1), "nothing was dequeued");
}

#[test]
fn p32_a_batch_times_out() {
    let port = Port::new(0);
    // The removed count is unspecified then.
    assert_eq!(port.get_many(4, 0).0, Err(sys::WAIT_TIMEOUT));
    assert_eq!(port.get_many(4, 20).0, Err(sys::WAIT_TIMEOUT));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the waiters sleep on")]
fn p35_close_abandons_waiters_for_a_batch() {
    in_child("p35_close_abandons_waiters_for_a_batch", || {
        let get = |port: &Port| port.get_many(4, sys::INFINITE).0.expect_err("no packet");
        let told = closed_under(get, sys::ERROR_INVALID_HANDLE);
        assert_eq!(told, [[sys::ERROR_ABANDONED_WAIT_0; 3]; 2]);
    });
}

#[test]
fn p36_posted_values_pass_through_unchecked() {
    let values =
        [(0, 0, 0), (u32::MAX, usize::MAX, usize::MAX), (0x8000_0005, 1, 0x10), (17, 0xFFFF_FFFF_0000_0000, 3)];
    let port = Port::new(0);
    for (bytes, key, overlapped) in values {
        port.post(bytes, key, overlapped).unwrap();
        assert_eq!(port.get(0), posted(key, overlapped, bytes));
        port.post(bytes, key, overlapped).unwrap();
        let (batch, _) = port.get_many(1, 0);
        assert_eq!(batch, Ok(vec![entry(key, overlapped, 0, bytes)]));
    }
}
