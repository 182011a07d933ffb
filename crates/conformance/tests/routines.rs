//! Completion routines (SEMANTICS 4.4; E20).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, Log, assert_no_packet, logged, pends, queue_entry, run_routines};
use conformance::raw::{
    Begin, Completed, Event, How, Port, Request, Socket, Thread, cancel_io_ex, pair, sleep, sleep_ex, startup, udp,
    wait_for_multiple_objects_ex, wait_for_single_object_ex, wsa_get_overlapped_result, wsa_wait_for_multiple_events,
};
use conformance::{nap, until};
use pentaport::sys;
use std::sync::{Arc, mpsc};
use std::thread;

/// What a routine is told that runs on this thread.
fn told(error: i32, bytes: u32, request: Request) -> Completed {
    let thread = thread::current().id();
    Completed { error: error as u32, bytes, overlapped: request.address(), flags: 0, thread }
}

/// Starts a send that is done at once and whose routine is logged.
fn send(socket: &Socket, data: &[u8], log: &Log<Completed>) -> Request {
    let request = logged(Request::holding(data), log);
    assert_eq!(socket.wsa_send_how(request, How::ROUTINE), Begin::Done(data.len() as u32));
    request
}

/// Starts a receive that pends and whose routine is logged.
fn receive(socket: &Socket, length: usize, log: &Log<Completed>) -> Request {
    let request = logged(Request::new(length), log);
    pends(socket.wsa_recv_how(request, How::ROUTINE));
    request
}

#[test]
fn d25_the_event_is_ignored() {
    for set in [false, true] {
        let (peer, socket) = pair();
        let (event, log) = (Event::manual(set), Log::new());
        let request = logged(Request::new(8).with_event(&event), &log);
        pends(socket.wsa_recv_how(request, How::ROUTINE));
        assert_eq!(event.is_set(), set, "the start does not reset it");
        peer.send(b"abc").unwrap();
        until("it has completed", || request.has_completed());
        assert_eq!(event.is_set(), set, "the completion does not set it");
        run_routines(&log, 1);
        assert_eq!(event.is_set(), set, "nor does the routine");

        let request = logged(Request::holding(b"x").with_event(&event), &log);
        assert_eq!(socket.wsa_send_how(request, How::ROUTINE), Begin::Done(1));
        assert_eq!(event.is_set(), set, "nor success at once");
        run_routines(&log, 2);
        assert_eq!(event.is_set(), set);
    }
}

#[test]
fn d26_a_routine_runs_on_its_own_thread_and_in_alertable_waits_only() {
    let (peer, socket) = pair();
    let log = Log::new();
    let request = receive(&socket, 8, &log);
    // Another thread waits alertably all the time, for the end of the test.
    let end = Arc::new(Event::manual(false));
    let ended = end.clone();
    let other = Thread::start(move || wait_for_single_object_ex(ended.handle(), DEADLINE_MS, true));
    peer.send(b"abc").unwrap();
    until("it has completed", || request.has_completed());
    // Calls that are not alertable.
    sleep(1);
    assert_eq!(sleep_ex(1, false), 0);
    assert_eq!(wait_for_single_object_ex(end.handle(), 1, false), sys::WAIT_TIMEOUT);
    assert_eq!(wsa_wait_for_multiple_events(&[end.handle()], false, 1, false), sys::WAIT_TIMEOUT);
    end.set();
    assert_eq!(other.join(), sys::WAIT_OBJECT_0, "the other thread ran nothing");
    assert_eq!(log.count(), 0, "nor did this one yet");
    run_routines(&log, 1);
    assert_eq!(log.all(), [told(0, 3, request)]);
    assert_eq!(sleep_ex(0, true), 0, "it ran once");
}

#[test]
fn d26_operations_that_end_at_once_have_their_routine_run_too() {
    let (peer, socket) = pair();
    let log = Log::new();
    let sent = send(&socket, b"abc", &log);
    peer.send(b"defg").unwrap();
    until("data waits", || socket.bytes_waiting() == 4);
    let received = logged(Request::new(4), &log);
    assert_eq!(socket.wsa_recv_how(received, How::ROUTINE), Begin::Done(4));
    assert_eq!(log.count(), 0, "not in the call");
    assert_eq!(sleep_ex(0, false), 0);
    assert_eq!(log.count(), 0, "not in a plain sleep");
    assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), [told(0, 3, sent), told(0, 4, received)]);
    assert_eq!(received.data(), b"defg");
}

#[test]
fn d26_v38_every_alertable_wait_runs_routines() {
    startup();
    let waits: [fn(usize, u32) -> u32; 5] = [
        |_, time| sleep_ex(time, true),
        |event, time| wait_for_single_object_ex(event, time, true),
        |event, time| wait_for_multiple_objects_ex(&[event], false, time, true),
        |event, time| wait_for_multiple_objects_ex(&[event], true, time, true),
        |event, time| wsa_wait_for_multiple_events(&[event], false, time, true),
    ];
    for wait in waits {
        let (peer, socket) = pair();
        let (log, event) = (Log::new(), Event::auto(false));
        // Completed before the wait.
        send(&socket, b"a", &log);
        send(&socket, b"b", &log);
        assert_eq!(wait(event.handle(), DEADLINE_MS), sys::WAIT_IO_COMPLETION);
        assert_eq!(log.count(), 2, "all that are queued");
        // Completed during the wait.
        receive(&socket, 8, &log);
        let sender = thread::spawn(move || {
            nap();
            peer.send(b"c").unwrap();
            peer
        });
        assert_eq!(wait(event.handle(), DEADLINE_MS), sys::WAIT_IO_COMPLETION);
        assert_eq!(log.count(), 3);
        drop(sender.join().unwrap());
    }
}

#[test]
fn d26_each_thread_runs_its_own_routines() {
    // Two threads, each with its own half of an echo, both by routines: nobody runs what is the other's.
    let (peer, socket) = pair();
    let (sender, answered) = mpsc::channel();
    let echo = Thread::start(move || {
        let log = Log::new();
        let request = logged(Request::new(8), &log);
        assert!(socket.wsa_recv_how(request, How::ROUTINE).started());
        run_routines(&log, 1);
        send(&socket, &request.data()[..3], &log);
        run_routines(&log, 2);
        sender.send(log.all().iter().all(|completed| completed.thread == thread::current().id())).unwrap();
        socket
    });
    let log = Log::new();
    let answer = receive(&peer, 8, &log);
    let question = send(&peer, b"abc", &log);
    run_routines(&log, 2);
    assert_eq!(log.all(), [told(0, 3, question), told(0, 3, answer)]);
    assert_eq!(answered.recv_timeout(DEADLINE), Ok(true));
    drop(echo.join());
}

#[test]
fn d26_the_end_of_the_thread_takes_its_routines_with_it() {
    let (peer, socket) = pair();
    let (log, socket) = (Log::new(), Arc::new(socket));
    let (theirs, their_socket) = (log.clone(), socket.clone());
    // One routine is queued, one operation pends.
    let thread = Thread::start(move || {
        send(&their_socket, b"abc", &theirs);
        receive(&their_socket, 8, &theirs)
    });
    let pending = thread.join();
    until("the end of its thread has cancelled it", || pending.has_completed());
    peer.send(b"abc").unwrap();
    until("data waits", || socket.bytes_waiting() == 3);
    assert_eq!(sleep_ex(0, true), 0);
    assert_eq!(log.count(), 0, "no other thread runs them");
}

#[test]
fn d27_success_and_the_end_of_the_stream() {
    let (peer, socket) = pair();
    let log = Log::new();
    let data = receive(&socket, 8, &log);
    peer.send(b"abc").unwrap();
    run_routines(&log, 1);
    let end = receive(&socket, 8, &log);
    peer.shutdown(sys::SD_SEND).unwrap();
    run_routines(&log, 2);
    assert_eq!(log.all(), [told(0, 3, data), told(0, 0, end)]);
    assert_eq!(data.data()[..3], *b"abc");
}

#[test]
fn d27_failures_are_told_as_winsock_codes() {
    let (peer, socket) = pair();
    let log = Log::new();
    let cancelled = receive(&socket, 8, &log);
    assert_eq!(cancel_io_ex(socket.raw(), Some(cancelled)), Ok(()));
    run_routines(&log, 1);
    let reset = receive(&socket, 8, &log);
    peer.reset();
    run_routines(&log, 2);
    let expected = [told(sys::WSA_OPERATION_ABORTED, 0, cancelled), told(sys::WSAECONNRESET, 0, reset)];
    assert_eq!(log.all(), expected);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the routine is told WSAEINVAL")]
fn d81_d27_the_routine_of_a_closed_socket_is_told_wsaeconnaborted() {
    let (_peer, socket) = pair();
    let log = Log::new();
    let closed = receive(&socket, 8, &log);
    socket.close().unwrap();
    run_routines(&log, 1);
    assert_eq!(log.all(), [told(sys::WSAECONNABORTED, 0, closed)]);
}

#[test]
fn d27_datagrams() {
    let (sender, receiver) = (udp(), udp());
    let from = sender.bind_loopback();
    let to = receiver.bind_loopback();
    let log = Log::new();
    let received = logged(Request::new(8), &log);
    pends(receiver.wsa_recv_from_how(received, How::ROUTINE, 128));
    let sent = logged(Request::holding(b"abc"), &log);
    assert_eq!(sender.wsa_send_to_how(sent, to, How::ROUTINE), Begin::Done(3));
    run_routines(&log, 2);
    let mut all = log.all();
    all.sort_by_key(|completed| completed.overlapped != sent.address());
    assert_eq!(all, [told(0, 3, sent), told(0, 3, received)]);
    assert_eq!(received.sender(), Some(from));

    let log = Log::new();
    let cut = logged(Request::new(2), &log);
    pends(receiver.wsa_recv_how(cut, How::ROUTINE));
    sender.sendto(b"abc", to).unwrap();
    run_routines(&log, 1);
    assert_eq!(log.all()[0].error, sys::WSAEMSGSIZE as u32, "not the Win32 or NT code");
    assert_eq!(cut.data(), b"ab");
}

#[test]
fn d27_the_flags_of_a_receive_are_told() {
    for flags in [0, sys::MSG_OOB] {
        let (peer, socket) = pair();
        let log = Log::new();
        let request = logged(Request::new(4), &log);
        pends(socket.wsa_recv_how(request, How { flags: flags as u32, ..How::ROUTINE }));
        peer.send_flags(b"!", flags).unwrap();
        run_routines(&log, 1);
        let completed = log.all()[0];
        assert_eq!((completed.error, completed.bytes, request.data()[0]), (0, 1, b'!'));
        assert_eq!(completed.flags, wsa_get_overlapped_result(socket.raw(), request, false).flags);
    }
}

#[test]
fn d28_a_socket_at_a_port_takes_no_routine() {
    let (peer, socket) = pair();
    let port = Port::new(0);
    port.associate(&socket, 7).unwrap();
    peer.send(b"abc").unwrap();
    until("data waits", || socket.bytes_waiting() == 3);
    let log = Log::new();
    let refused = Begin::Failed(sys::WSAEINVAL);
    assert_eq!(socket.wsa_recv_how(logged(Request::new(8), &log), How::ROUTINE), refused);
    assert_eq!(socket.wsa_recv_from_how(logged(Request::new(8), &log), How::ROUTINE, 128), refused);
    assert_eq!(socket.wsa_send_how(logged(Request::holding(b"x"), &log), How::ROUTINE), refused);
    assert_eq!(sleep_ex(0, true), 0, "no routine runs");
    assert_eq!(log.count(), 0);
    assert_no_packet(&port);
    assert_eq!(socket.recv_exact(3), b"abc", "nothing was received");
    peer.set_nonblocking(true);
    assert_eq!(peer.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK), "nothing was sent");

    let (datagrams, to) = (udp(), udp().bind_loopback());
    datagrams.bind_loopback();
    port.associate(&datagrams, 8).unwrap();
    assert_eq!(datagrams.wsa_send_to_how(logged(Request::holding(b"x"), &log), to, How::ROUTINE), refused);
    assert_eq!(sleep_ex(0, true), 0);
    assert_eq!(log.count(), 0);
}

#[test]
fn d29_routines_do_not_nest_and_may_start_operations() {
    let (peer, socket) = pair();
    let socket = Arc::new(socket);
    let log = Log::new();
    peer.send(b"abcdefgh").unwrap();
    until("data waits", || socket.bytes_waiting() == 8);
    let (theirs, their_socket) = (log.clone(), socket.clone());
    let first = Request::new(4).on_completion(move |_| {
        theirs.push("first begins");
        let deeper = theirs.clone();
        let second = Request::new(4).on_completion(move |_| deeper.push("second"));
        assert_eq!(their_socket.wsa_recv_how(second, How::ROUTINE), Begin::Done(4));
        theirs.push("first ends");
    });
    assert_eq!(socket.wsa_recv_how(first, How::ROUTINE), Begin::Done(4));
    assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), ["first begins", "first ends", "second"], "one after the other, in one wait");
}

#[test]
fn d29_a_chain_of_routines_runs_in_one_wait() {
    fn next(socket: &Arc<Socket>, log: &Log<usize>, left: usize) {
        let (again, theirs) = (socket.clone(), log.clone());
        let request = Request::holding(b"x").on_completion(move |_| {
            theirs.push(left);
            if left > 0 {
                next(&again, &theirs, left - 1);
            }
        });
        assert_eq!(socket.wsa_send_how(request, How::ROUTINE), Begin::Done(1));
    }
    let (peer, socket) = pair();
    let log = Log::new();
    next(&Arc::new(socket), &log, 1000);
    assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), Vec::from_iter((0..=1000).rev()));
    assert_eq!(peer.recv_exact(1001).len(), 1001);
}

#[test]
fn d29_a_routine_that_waits_alertably_lets_others_run() {
    let (_peer, socket) = pair();
    let log = Log::new();
    let theirs = log.clone();
    let first = Request::holding(b"1").on_completion(move |_| {
        theirs.push("first begins".to_owned());
        theirs.push(format!("nested wait: {}", sleep_ex(DEADLINE_MS, true)));
    });
    assert_eq!(socket.wsa_send_how(first, How::ROUTINE), Begin::Done(1));
    let theirs = log.clone();
    let second = Request::holding(b"2").on_completion(move |_| theirs.push("second".to_owned()));
    assert_eq!(socket.wsa_send_how(second, How::ROUTINE), Begin::Done(1));
    assert_eq!(sleep_ex(DEADLINE_MS, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), ["first begins", "second", "nested wait: 192"]);
}

#[test]
fn d30_buffers_are_used_in_posting_order() {
    let (peer, socket) = pair();
    let log = Log::new();
    let requests = [2, 3, 4].map(|length| receive(&socket, length, &log));
    peer.send(b"abcdefghi").unwrap();
    run_routines(&log, 3);
    assert_eq!(requests.map(Request::data), [b"ab".to_vec(), b"cde".to_vec(), b"fghi".to_vec()]);
    let expected = [(requests[0], 2), (requests[1], 3), (requests[2], 4)];
    assert_eq!(log.all(), expected.map(|(request, bytes)| told(0, bytes, request)));
}

#[test]
fn d30_routines_run_in_the_order_of_completion() {
    let pairs = [pair(), pair(), pair()];
    let log = Log::new();
    let requests = [0, 1, 2].map(|index| receive(&pairs[index].1, 8, &log));
    let order = [2, 0, 1];
    for index in order {
        pairs[index].0.send(b"x").unwrap();
        until("it has completed", || requests[index].has_completed());
    }
    run_routines(&log, 3);
    assert_eq!(log.all(), order.map(|index| told(0, 1, requests[index])));
}

#[test]
fn e20_routines_and_apcs_share_one_queue() {
    let (_peer, socket) = pair();
    let log = Log::new();
    let entry = |entry: &'static str| {
        let log = log.clone();
        move |_| log.push(entry)
    };
    let receive = Request::new(8).on_completion(entry("receive"));
    pends(socket.wsa_recv_how(receive, How::ROUTINE));
    queue_entry(&log, "apc 1");
    let send = Request::holding(b"x").on_completion(entry("send"));
    assert_eq!(socket.wsa_send_how(send, How::ROUTINE), Begin::Done(1));
    queue_entry(&log, "apc 2");
    // Completed by this thread, so that what is queued next is surely behind it.
    assert_eq!(cancel_io_ex(socket.raw(), Some(receive)), Ok(()));
    queue_entry(&log, "apc 3");
    assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), ["apc 1", "send", "apc 2", "receive", "apc 3"]);
}
