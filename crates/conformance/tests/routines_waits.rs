//! GetOverlappedResultEx and GetQueuedCompletionStatusEx as alertable waits (SEMANTICS D38, P33, P34).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, Log, finishes, logged, pends, queue_entry, run_routines};
use conformance::raw::{
    Begin, Event, How, Port, Request, Socket, Thread, Transferred, UNTOUCHED, get_overlapped_result_ex, pair,
    queue_user_apc, sleep_ex,
};
use conformance::{nap, until};
use pentaport::sys;
use std::thread;

/// A pending receive, with an event or without, on the second socket of a pair.
fn pending(event: Option<&Event>) -> (Socket, Socket, Request) {
    let (peer, socket) = pair();
    let request = event.map_or(Request::new(8), |event| Request::new(8).with_event(event));
    pends(socket.wsa_recv(request));
    (peer, socket, request)
}

fn failed(error: u32) -> Transferred {
    Transferred { ok: false, bytes: UNTOUCHED, flags: UNTOUCHED, error }
}

#[test]
fn d38_while_pending_the_bytes_are_untouched() {
    let event = Event::manual(false);
    for event in [None, Some(&event)] {
        let (_peer, socket, request) = pending(event);
        let get = |milliseconds, alertable| get_overlapped_result_ex(socket.raw(), request, milliseconds, alertable);
        for alertable in [false, true] {
            assert_eq!(get(0, alertable), failed(sys::ERROR_IO_INCOMPLETE));
            assert_eq!(get(5, alertable), failed(sys::WAIT_TIMEOUT));
        }
        let log = Log::new();
        queue_entry(&log, 1);
        queue_entry(&log, 2);
        assert_eq!(get(5, false), failed(sys::WAIT_TIMEOUT));
        assert_eq!(log.count(), 0, "not alertable");
        assert_eq!(get(DEADLINE_MS, true), failed(sys::WAIT_IO_COMPLETION));
        assert_eq!(log.all(), [1, 2]);
        assert_eq!(get(5, true), failed(sys::WAIT_TIMEOUT));
        assert!(!request.has_completed());
    }
}

#[test]
fn d38_an_apc_during_the_wait_ends_it() {
    let (peer, socket, request) = pending(None);
    let handle = socket.raw();
    let waiter = Thread::start(move || get_overlapped_result_ex(handle, request, sys::INFINITE, true));
    nap();
    let log = Log::new();
    queue_user_apc(waiter.handle(), log.entry(())).unwrap();
    assert_eq!(waiter.join(), failed(sys::WAIT_IO_COMPLETION));
    assert_eq!(log.count(), 1);
    // The operation goes on.
    peer.send(b"abc").unwrap();
    let result = finishes("the wait", move || get_overlapped_result_ex(handle, request, DEADLINE_MS, true));
    assert_eq!((result.ok, result.bytes), (true, 3));
}

#[test]
fn d38_a_completion_during_the_wait_gives_the_result() {
    let event = Event::manual(false);
    for event in [None, Some(&event)] {
        for alertable in [false, true] {
            let (peer, socket, request) = pending(event);
            let sender = thread::spawn(move || {
                nap();
                peer.send(b"abc").unwrap();
                peer
            });
            let result = get_overlapped_result_ex(socket.raw(), request, DEADLINE_MS, alertable);
            assert_eq!((result.ok, result.bytes), (true, 3));
            let result = get_overlapped_result_ex(socket.raw(), request, 0, alertable);
            assert_eq!((result.ok, result.bytes), (true, 3), "final: no wait");
            drop(sender.join().unwrap());
        }
    }
}

#[test]
fn p33_an_apc_ends_the_call() {
    for milliseconds in [0, DEADLINE_MS, sys::INFINITE] {
        let (port, log) = (Port::new(0), Log::new());
        queue_entry(&log, 1);
        queue_entry(&log, 2);
        assert_eq!(port.get_many_ex(4, milliseconds, true).0, Err(sys::WAIT_IO_COMPLETION));
        assert_eq!(log.all(), [1, 2]);
    }
}

#[test]
fn p33_an_apc_during_the_wait_ends_the_call() {
    for with_socket in [false, true] {
        let (port, log) = (Port::new(0), Log::new());
        let sockets = with_socket.then(pair);
        if let Some((_, socket)) = &sockets {
            port.associate(socket, 1).unwrap();
            pends(socket.wsa_recv(Request::new(8)));
        }
        let waiter = Thread::start(move || {
            let first = port.get_many_ex(4, DEADLINE_MS, true).0;
            port.post(1, 2, 3).unwrap();
            (first, port.get_many_ex(4, 0, true).0.map(|entries| entries.len()))
        });
        nap();
        queue_user_apc(waiter.handle(), log.entry(())).unwrap();
        assert_eq!(waiter.join(), (Err(sys::WAIT_IO_COMPLETION), Ok(1)));
        assert_eq!(log.count(), 1);
    }
}

#[test]
fn p33_a_completion_routine_ends_the_call() {
    let (port, log) = (Port::new(0), Log::new());
    let (peer, socket) = pair();
    let request = logged(Request::new(8), &log);
    pends(socket.wsa_recv_how(request, How::ROUTINE));
    let sender = thread::spawn(move || {
        nap();
        peer.send(b"abc").unwrap();
        peer
    });
    assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0, Err(sys::WAIT_IO_COMPLETION));
    assert_eq!(log.all()[0].bytes, 3);
    drop(sender.join().unwrap());
}

#[test]
fn p33_without_alertable_apcs_stay_queued() {
    let (port, log) = (Port::new(0), Log::new());
    queue_entry(&log, ());
    assert_eq!(port.get_many_ex(4, 5, false).0, Err(sys::WAIT_TIMEOUT));
    assert_eq!(log.count(), 0);
    run_routines(&log, 1);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet comes before the APC")]
fn p34_a_thread_that_is_new_to_the_port_runs_its_apcs_first() {
    let log = Log::new();
    let theirs = log.clone();
    // A thread of its own has surely not used the port.
    let told = finishes("the thread", move || {
        let port = Port::new(0);
        port.post(1, 2, 3).unwrap();
        queue_entry(&theirs, ());
        let first = port.get_many_ex(4, DEADLINE_MS, true).0;
        (first, theirs.count(), port.get_many_ex(4, 0, true).0.map(|entries| entries[0].key))
    });
    assert_eq!(told, (Err(sys::WAIT_IO_COMPLETION), 1, Ok(2)), "the packet was left in the port");
}

#[test]
fn p34_a_thread_of_the_port_gets_its_packet_first() {
    let (port, log) = (Port::new(0), Log::new());
    port.post(1, 2, 3).unwrap();
    assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0.map(|entries| entries[0].key), Ok(2));
    for key in [4, 5] {
        port.post(1, key, 3).unwrap();
        queue_entry(&log, key);
        assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0.map(|entries| entries[0].key), Ok(key));
        assert_eq!(log.count(), 0, "the APC stays queued");
    }
    assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0, Err(sys::WAIT_IO_COMPLETION), "no packet is queued now");
    assert_eq!(log.all(), [4, 5]);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet comes before the APC")]
fn p34_a_thread_of_another_port_is_new_to_this_one() {
    let (port, other, log) = (Port::new(0), Port::new(0), Log::new());
    other.post(1, 2, 3).unwrap();
    assert!(other.get_many_ex(4, DEADLINE_MS, true).0.is_ok());
    port.post(1, 2, 3).unwrap();
    queue_entry(&log, ());
    assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0, Err(sys::WAIT_IO_COMPLETION));
    assert_eq!(log.count(), 1);
    assert_eq!(port.get_many_ex(4, 0, true).0.map(|entries| entries.len()), Ok(1));
}

#[test]
fn p34_packets_of_sockets_go_before_apcs_too() {
    let (port, log) = (Port::new(0), Log::new());
    let (peer, socket) = pair();
    port.associate(&socket, 9).unwrap();
    for round in 0..2 {
        let request = Request::holding(b"x");
        assert_eq!(socket.wsa_send(request), Begin::Done(1));
        until("it has arrived", || peer.bytes_waiting() == round + 1);
        if round == 1 {
            queue_entry(&log, ());
        }
        assert_eq!(port.get_many_ex(4, DEADLINE_MS, true).0.map(|entries| entries[0].key), Ok(9));
    }
    assert_eq!(log.count(), 0);
    assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.count(), 1);
}
