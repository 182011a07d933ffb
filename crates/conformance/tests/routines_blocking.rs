//! Blocking calls wait alertably (SEMANTICS D75, S41, S49).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, Log, finishes, queue_entry};
use conformance::raw::{
    FdSet, PollEntry, Set, Socket, Thread, current_thread, listener, pair, queue_user_apc, select, select_one,
    sleep_ex, tcp, udp, wsa_poll,
};
use conformance::{nap, until};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Runs `call` on a thread to which two APCs are queued: one that is logged, and `unblock`, without which the call
/// would go on for ever. Gives what the call answered.
#[track_caller]
fn unblocked_by_an_apc<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
    unblock: impl FnOnce() + Send + 'static,
) -> T {
    let (answer, count) = finishes("the blocking call", move || {
        let log = Log::new();
        queue_entry(&log, ());
        queue_user_apc(current_thread(), unblock).unwrap();
        let answer = call();
        (answer, log.count())
    });
    assert_eq!(count, 1);
    answer
}

/// Runs `call` on a thread, queues an APC to it while it is blocked, sees that one run, and only then lets the call
/// end. Gives what the call answered.
#[track_caller]
fn interrupted<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static, unblock: impl FnOnce()) -> T {
    let (sender, answer) = mpsc::channel();
    let thread = Thread::start(move || sender.send(call()).unwrap());
    nap();
    for _ in 0..3 {
        let log = Log::new();
        queue_user_apc(thread.handle(), log.entry(())).unwrap();
        until("the APC runs", || log.count() == 1);
    }
    assert!(answer.try_recv().is_err(), "the call goes on");
    unblock();
    let answer = answer.recv_timeout(DEADLINE).expect("the call returns");
    thread.join();
    answer
}

/// Runs `call`, which has no need to wait, with an APC queued, and sees that it stays queued.
#[track_caller]
fn leaves_apcs_alone<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (answer, during, after) = finishes("the call", move || {
        let log = Log::new();
        queue_entry(&log, ());
        let answer = call();
        let during = log.count();
        assert_eq!(sleep_ex(0, true), sys::WAIT_IO_COMPLETION, "the APC is queued still");
        (answer, during, log.count())
    });
    assert_eq!((during, after), (0, 1));
    answer
}

type Receive = fn(&Socket, &mut [u8]) -> Result<usize, i32>;

const RECEIVES: [Receive; 2] = [
    |socket, buffer| socket.recv(buffer),
    |socket, buffer| socket.wsa_recv_now(&mut [buffer], 0).map(|(count, _)| count as usize),
];

fn received(receive: Receive, socket: &Socket) -> Result<Vec<u8>, i32> {
    let mut buffer = [0; 8];
    receive(socket, &mut buffer).map(|count| buffer[..count].to_vec())
}

#[test]
fn d75_a_blocked_receive_runs_apcs_and_goes_on() {
    for receive in RECEIVES {
        let (peer, socket) = pair();
        let (peer, socket) = (Arc::new(peer), Arc::new(socket));
        let (theirs, sender) = (socket.clone(), peer.clone());
        let data = unblocked_by_an_apc(
            move || received(receive, &theirs),
            move || {
                sender.send(b"abc").unwrap();
            },
        );
        assert_eq!(data, Ok(b"abc".to_vec()));
        let data = interrupted(
            move || received(receive, &socket),
            || {
                peer.send(b"def").unwrap();
            },
        );
        assert_eq!(data, Ok(b"def".to_vec()));
    }
}

#[test]
fn d75_a_receive_that_finds_data_runs_no_apc() {
    for receive in RECEIVES {
        let (peer, socket) = pair();
        peer.send(b"abc").unwrap();
        until("data waits", || socket.bytes_waiting() == 3);
        assert_eq!(leaves_apcs_alone(move || received(receive, &socket)), Ok(b"abc".to_vec()));
    }
}

#[test]
fn d75_a_nonblocking_receive_runs_no_apc() {
    for receive in RECEIVES {
        let (_peer, socket) = pair();
        socket.set_nonblocking(true);
        assert_eq!(leaves_apcs_alone(move || received(receive, &socket)), Err(sys::WSAEWOULDBLOCK));
    }
}

#[test]
fn d75_a_nonblocking_accept_or_connect_runs_no_apc() {
    let (waiting, _) = listener();
    waiting.set_nonblocking(true);
    assert_eq!(leaves_apcs_alone(move || waiting.accept().map(drop)), Err(sys::WSAEWOULDBLOCK));
    let (_listener, address) = listener();
    let client = tcp();
    client.set_nonblocking(true);
    assert_eq!(leaves_apcs_alone(move || client.connect(address)), Err(sys::WSAEWOULDBLOCK));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a blocked accept runs no APC")]
fn d75_a_blocked_accept_runs_apcs_and_goes_on() {
    let (listener, address) = listener();
    let (listener, client) = (Arc::new(listener), Arc::new(tcp()));
    let (theirs, connecting) = (listener.clone(), client.clone());
    let accepted = unblocked_by_an_apc(
        move || theirs.accept(),
        move || connecting.connect(address).expect("the listener's queue takes it"),
    );
    assert_eq!(accepted.expect("accept").1, client.getsockname().unwrap());

    let client = tcp();
    let accepted = interrupted(move || listener.accept(), || client.connect(address).unwrap());
    assert_eq!(accepted.expect("accept").1, client.getsockname().unwrap());
}

#[test]
fn d75_an_accept_that_finds_a_connection_runs_no_apc() {
    let (listener, address) = listener();
    let client = tcp();
    client.connect(address).unwrap();
    assert_eq!(select_one(Set::Read, &mut FdSet::of(&[&listener]), Some(DEADLINE)), Ok(1));
    assert!(leaves_apcs_alone(move || listener.accept()).is_ok());
}

/// A listener whose queue is full, so that a connect blocks until somebody accepts; and those in the queue.
fn full_listener() -> (Socket, SocketAddr, Vec<Socket>) {
    let listener = tcp();
    let address = listener.bind_loopback();
    listener.listen(1).unwrap();
    listener.set_nonblocking(true);
    let mut clients = Vec::new();
    while clients.len() < 300 {
        let client = tcp();
        client.set_nonblocking(true);
        assert_eq!(client.connect(address), Err(sys::WSAEWOULDBLOCK));
        let connected = select_one(Set::Write, &mut FdSet::of(&[&client]), Some(Duration::from_millis(300)));
        clients.push(client);
        if connected == Ok(0) {
            return (listener, address, clients);
        }
    }
    panic!("the listener's queue does not fill");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a blocked connect runs no APC")]
fn d75_a_blocked_connect_runs_apcs_and_goes_on() {
    let (listener, address, _clients) = full_listener();
    let connected = unblocked_by_an_apc(
        move || {
            let client = tcp();
            client.connect(address).map(|()| client)
        },
        move || {
            // The accepted sockets and the listener live on, as the connection shall.
            while let Ok(accepted) = listener.accept() {
                std::mem::forget(accepted);
            }
            std::mem::forget(listener);
        },
    );
    let client = connected.expect("connect");
    assert_eq!(client.getpeername(), Ok(address));
}

#[test]
fn d75_a_connect_that_ends_at_once_runs_no_apc() {
    // A connect of a datagram socket never waits.
    let address = udp().bind_loopback();
    let socket = udp();
    assert_eq!(leaves_apcs_alone(move || socket.connect(address)), Ok(()));
}

/// select for reading and writing, as an event loop does: how many are ready.
fn select_read(socket: &Socket, timeout: Option<Duration>) -> Result<usize, i32> {
    let (mut read, mut except) = (FdSet::of(&[socket]), FdSet::of(&[socket]));
    let count = select(Some(&mut read), None, Some(&mut except), timeout)?;
    assert_eq!((read.count(), except.count()), (count, 0));
    Ok(count)
}

#[test]
fn s41_d75_a_blocked_select_runs_apcs_and_goes_on() {
    for timeout in [None, Some(DEADLINE)] {
        let (peer, socket) = pair();
        let (peer, socket) = (Arc::new(peer), Arc::new(socket));
        let (theirs, sender) = (socket.clone(), peer.clone());
        let count = unblocked_by_an_apc(
            move || select_read(&theirs, timeout),
            move || {
                sender.send(b"abc").unwrap();
            },
        );
        assert_eq!(count, Ok(1), "its normal result");
        assert_eq!(socket.recv_exact(3), b"abc");
        let count = interrupted(
            move || select_read(&socket, timeout),
            || {
                peer.send(b"def").unwrap();
            },
        );
        assert_eq!(count, Ok(1), "its normal result");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a blocked WSAPoll runs no APC (S49)")]
fn s49_a_blocked_poll_runs_apcs_and_goes_on() {
    let poll = |socket: &Socket| wsa_poll(&mut [PollEntry::of(socket, sys::POLLIN)], -1);
    let (peer, socket) = pair();
    let (peer, socket) = (Arc::new(peer), Arc::new(socket));
    let (theirs, sender) = (socket.clone(), peer.clone());
    let count = unblocked_by_an_apc(
        move || poll(&theirs),
        move || {
            sender.send(b"abc").unwrap();
        },
    );
    assert_eq!(count, Ok(1), "its normal result");
    assert_eq!(socket.recv_exact(3), b"abc");
    let count = interrupted(
        move || poll(&socket),
        || {
            peer.send(b"def").unwrap();
        },
    );
    assert_eq!(count, Ok(1), "its normal result");
}

#[test]
fn s49_a_poll_that_finds_something_ready_runs_no_apc() {
    let socket = udp();
    socket.bind_loopback();
    let poll = move || wsa_poll(&mut [PollEntry::of(&socket, sys::POLLOUT)], -1);
    assert_eq!(leaves_apcs_alone(poll), Ok(1));
}

#[test]
fn s41_a_select_that_runs_an_apc_still_times_out() {
    let (_peer, socket) = pair();
    let count = unblocked_by_an_apc(move || select_read(&socket, Some(Duration::from_millis(50))), || ());
    assert_eq!(count, Ok(0));
}

#[test]
fn s41_d75_a_select_that_finds_something_ready_runs_no_apc() {
    for timeout in [None, Some(DEADLINE), Some(Duration::ZERO)] {
        let (peer, socket) = pair();
        peer.send(b"abc").unwrap();
        until("data waits", || socket.bytes_waiting() == 3);
        assert_eq!(leaves_apcs_alone(move || select_read(&socket, timeout)), Ok(1));
    }
}
