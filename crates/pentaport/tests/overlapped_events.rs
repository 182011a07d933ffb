//! Operations by event: results, order, cancelling, and what may be dropped when.

mod common;

use common::*;
use pentaport::event_select::{Event, WaitSet, Wake, wait_all, wait_any};
use pentaport::overlapped::{Completion, Operation, OperationKind, OverlappedSocket, Pending, Waker};
use pentaport::socket::{Shutdown, Socket};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A socket for operations, and its plain peer.
fn ends() -> (OverlappedSocket, Socket) {
    let (client, server) = pair();
    (server.into(), client)
}

fn operation(size: usize) -> Operation<()> {
    Operation::new(vec![0; size], ())
}

/// Waits for the end of an operation.
fn end<C: Send + 'static>(pending: Pending<C>) -> Completion<C> {
    assert_eq!(pending.wait(Some(PATIENCE)), Ok(true), "not over in time");
    pending.finish().expect("it is over")
}

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn operation(alive: &Arc<AtomicUsize>, size: usize) -> Operation<Counted> {
        alive.fetch_add(1, Ordering::SeqCst);
        Operation::new(vec![0; size], Counted(Arc::clone(alive)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert_ne!(self.0.fetch_sub(1, Ordering::SeqCst), 0, "dropped twice");
    }
}

#[test]
fn a_receive_waits_for_data_and_sets_its_event() {
    let (server, client) = ends();
    let pending = server.receive(operation(16)).unwrap();
    assert!(!pending.is_complete() && !pending.event().is_set());
    let pending = pending.finish().expect_err("nothing was sent yet");
    assert_eq!(pending.wait(Some(Duration::ZERO)), Ok(false));
    client.send_all(b"hello").unwrap();
    assert_eq!(wait_any(&[pending.event()], Some(PATIENCE)), Ok(Some(0)));
    assert!(pending.is_complete());
    let mut completion = pending.finish().expect("it is over");
    assert_eq!(completion.result, Ok(5));
    assert_eq!(completion.operation.received(), b"hello");
    assert_eq!(completion.socket.expect("open").id(), server.id());
    assert!(!completion.operation.event().unwrap().is_set(), "the result is taken");
}

#[test]
fn an_operation_that_succeeds_at_once_is_complete_with_its_event_set() {
    let (server, client) = ends();
    client.send_all(b"here").unwrap();
    until("the data is there", || server.available().unwrap() == 4);
    let pending = server.receive(operation(16)).unwrap();
    assert!(pending.is_complete() && pending.event().is_set());
    assert_eq!(end(pending).result, Ok(4));
    let pending = server.send(Operation::new(b"back".to_vec(), ())).unwrap();
    assert_eq!(end(pending).result, Ok(4));
    let mut buffer = [0; 4];
    assert_eq!((client.recv(&mut buffer), &buffer), (Ok(4), b"back"));
}

#[test]
fn one_operation_goes_round_with_one_event() {
    let (server, client) = ends();
    let mut operation = operation(64);
    let event = operation.event().unwrap().clone();
    for round in 0..100_u8 {
        client.send_all(&[round; 3]).unwrap();
        let completion = end(server.receive(operation).unwrap());
        assert_eq!((completion.result, completion.operation.received()), (Ok(3), &[round; 3][..]));
        let pending = server.send(completion.operation.with_range(..3)).unwrap();
        assert_eq!(pending.event(), &event);
        let completion = end(pending);
        assert_eq!((completion.result, completion.operation.kind()), (Ok(3), OperationKind::Send));
        assert_eq!(client.recv(&mut [0; 8]), Ok(3));
        operation = completion.operation;
    }
}

/// SEMANTICS D42.
#[test]
fn receives_are_filled_in_the_order_in_which_they_started() {
    let (server, client) = ends();
    let pending: Vec<_> = (0..3).map(|_| server.receive(operation(2)).unwrap()).collect();
    assert_eq!(server.pending(), 3);
    client.send_all(b"abcdef").unwrap();
    let events: Vec<Event> = pending.iter().map(|pending| pending.event().clone()).collect();
    assert_eq!(wait_all(&events, Some(PATIENCE)), Ok(true));
    let parts: Vec<_> = pending.into_iter().map(|pending| end(pending).operation.received().to_vec()).collect();
    assert_eq!(parts, [b"ab", b"cd", b"ef"]);
    assert_eq!(server.pending(), 0);
}

/// SEMANTICS D44.
#[test]
fn a_receive_without_a_buffer_waits_and_takes_nothing() {
    let (server, client) = ends();
    let pending = server.receive_ready(Operation::new(Vec::new(), ())).unwrap();
    assert!(!pending.is_complete());
    client.send_all(b"data").unwrap();
    let completion = end(pending);
    assert_eq!((completion.result, completion.operation.kind()), (Ok(0), OperationKind::ReceiveReady));
    let mut buffer = [0; 8];
    assert_eq!(server.recv(&mut buffer), Ok(4));
    // The end of the stream is something to receive, too.
    let pending = server.receive_ready(completion.operation).unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(end(pending).result, Ok(0));
    assert_eq!(server.recv(&mut buffer), Ok(0));
}

#[test]
fn a_half_close_ends_receives_and_leaves_sends() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(end(pending).result, Ok(0));
    assert_eq!(end(server.send(Operation::new(b"still".to_vec(), ())).unwrap()).result, Ok(5));
    assert_eq!(client.recv(&mut [0; 8]), Ok(5));
}

#[test]
fn a_reset_is_told_from_a_close() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    reset(client);
    let error = end(pending).result.unwrap_err();
    assert_eq!((error.code(), error.kind()), (64, ErrorKind::ConnectionReset));
}

/// SEMANTICS D52.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: a receive after the reset starts, and completes with 0 bytes (D52)")]
fn after_a_reset_nothing_starts() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    reset(client);
    end(pending).result.unwrap_err();
    let failed = server.receive(operation(8)).unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(failed.operation.buffer().len(), 8, "the operation is back");
}

/// SEMANTICS D78, D79.
#[test]
fn cancelling_ends_one_operation_or_all() {
    let (server, client) = ends();
    let (first, second, third) = (
        server.receive(operation(8)).unwrap(),
        server.receive(operation(8)).unwrap(),
        server.receive(operation(8)).unwrap(),
    );
    assert_eq!(first.cancel(), Ok(true));
    assert_eq!(end(first).result.unwrap_err().code(), 995);
    client.send_all(b"x").unwrap();
    assert_eq!(end(second).result, Ok(1), "the next in line");
    assert!(!third.is_complete());
    assert_eq!(server.cancel(), Ok(true));
    assert!(third.wait(Some(PATIENCE)).unwrap());
    assert_eq!(end(third).result.unwrap_err().code(), 995);
}

/// SEMANTICS D78.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelIoEx succeeds with nothing to cancel (D78)")]
fn with_nothing_to_cancel_cancelling_says_so() {
    let (server, _client) = ends();
    assert_eq!(server.cancel(), Ok(false));
    let pending = server.receive(operation(8)).unwrap();
    assert_eq!(pending.cancel(), Ok(true));
    assert!(pending.wait(Some(PATIENCE)).unwrap());
    assert_eq!(pending.cancel(), Ok(false), "it is over");
    assert_eq!(server.cancel(), Ok(false));
}

/// SEMANTICS D81, D83: it ends, though the handle is gone.
#[test]
fn closing_the_socket_ends_its_operations() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    drop(server);
    assert_eq!(client.recv(&mut [0; 1]), Ok(0), "nothing keeps it open");
    let completion = end(pending);
    assert!(completion.result.is_err() && completion.socket.is_none());

    let listener = OverlappedSocket::new(listener(V4));
    let acceptor = Socket::tcp(&address(V4)).unwrap();
    let pending = listener.accept(operation(0), acceptor).unwrap();
    drop(listener);
    let mut completion = end(pending);
    assert_eq!(completion.result.unwrap_err().code(), 995);
    assert!(completion.operation.take_acceptor().is_some());
}

/// A connection that is to be reset does not wait for the peer to read.
#[test]
fn closing_a_socket_that_lingers_for_no_time_ends_its_sends() {
    let (server, client) = ends();
    server.set_linger(Some(Duration::ZERO)).unwrap();
    let pending = server.send(Operation::new(vec![1; 20_000_000], ())).unwrap();
    assert!(!pending.is_complete(), "nobody reads");
    drop(server);
    assert!(end(pending).result.is_err());
    drop(client);
}

#[test]
fn accept_and_connect_make_whole_sockets() {
    let listener = OverlappedSocket::new(listener(V4));
    let to = listener.local_addr().unwrap();
    let accepting = listener.accept(operation(0), Socket::tcp(&to).unwrap()).unwrap();
    let client = OverlappedSocket::new(Socket::tcp(&to).unwrap());
    let connected = end(client.connect(operation(0), &to).unwrap());
    assert_eq!(connected.result, Ok(0));
    let mut completion = end(accepting);
    assert_eq!(completion.result, Ok(0));
    let accepted = completion.operation.take_accepted().expect("a connection");
    assert_eq!((accepted.local, accepted.peer), (to, client.local_addr().unwrap()));
    assert_eq!((accepted.socket.local_addr(), client.peer_addr()), (Ok(to), Ok(to)));
    accepted.socket.shutdown(Shutdown::Both).expect("it is connected, by its own account");
    client.shutdown(Shutdown::Both).expect("it is connected, by its own account");
}

#[test]
fn accept_with_the_first_data_and_connect_with_it() {
    let listener = OverlappedSocket::new(listener(V6));
    let to = listener.local_addr().unwrap();
    let accepting = listener.accept_receive(operation(32), Socket::tcp(&to).unwrap()).unwrap();
    let client = OverlappedSocket::new(Socket::tcp(&to).unwrap());
    let connecting = client.connect_send(Operation::new(b"first words".to_vec(), ()), &to).unwrap();
    assert_eq!(end(connecting).result, Ok(11));
    let completion = end(accepting);
    assert_eq!(completion.operation.received(), b"first words");
}

#[test]
fn a_refused_connect_says_so() {
    let (_kept, nobody) = nobody();
    let client = OverlappedSocket::new(Socket::tcp(&nobody).unwrap());
    let error = match client.connect(operation(0), &nobody) {
        Ok(pending) => end(pending).result.unwrap_err(),
        Err(failed) => failed.error,
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn datagrams_with_their_senders() {
    let (ours, theirs) = (OverlappedSocket::new(datagram()), datagram());
    let pending = ours.receive_from(operation(4)).unwrap();
    let back = ours.send_to(Operation::new(b"ping".to_vec(), ()), &theirs.local_addr().unwrap()).unwrap();
    assert_eq!(end(back).result, Ok(4));
    assert_eq!(theirs.recv_from(&mut [0; 8]), Ok((4, ours.local_addr().unwrap())));
    theirs.send_to(b"pong", &ours.local_addr().unwrap()).unwrap();
    let completion = end(pending);
    assert_eq!(completion.operation.received(), b"pong");
    assert_eq!(completion.operation.sender(), Some(theirs.local_addr().unwrap()));
    // One that is too long, both waited for and there already: as much as fits, and an error that says so.
    let mut operation = completion.operation;
    for early in [true, false] {
        let send = || theirs.send_to(b"longer", &ours.local_addr().unwrap()).unwrap();
        if early {
            send();
            until("it is there", || ours.available().unwrap() == 6);
        }
        let pending = ours.receive_from(operation).unwrap();
        if !early {
            send();
        }
        let completion = end(pending);
        assert_eq!(completion.result.unwrap_err().code(), 234);
        assert_eq!(completion.operation.received(), b"long");
        operation = completion.operation;
    }
}

#[test]
fn a_start_that_fails_gives_all_back() {
    let alive = Arc::new(AtomicUsize::new(0));
    let socket = OverlappedSocket::new(Socket::tcp(&address(V4)).unwrap());
    let failed = socket.receive(Counted::operation(&alive, 8)).unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::NotConnected);
    let failed = socket.send(failed.operation.with_range(5..9)).unwrap_err();
    assert_eq!(failed.error.name(), Some("WSAEFAULT"));
    assert_eq!((socket.pending(), alive.load(Ordering::SeqCst)), (0, 1));
    drop(failed);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

/// SEMANTICS X4.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx pends on a socket that does not listen (X4)")]
fn an_accept_that_does_not_start_gives_the_acceptor_back() {
    let socket = OverlappedSocket::new(Socket::tcp(&address(V4)).unwrap());
    let acceptor = Socket::tcp(&address(V4)).unwrap();
    let mut failed = socket.accept(operation(0), acceptor).unwrap_err();
    assert_eq!(failed.error.name(), Some("WSAEINVAL"));
    assert!(failed.operation.take_acceptor().is_some());
}

#[test]
fn a_dropped_operation_is_cancelled_and_freed() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (server, client) = ends();
    let pending = server.receive(Counted::operation(&alive, 8)).unwrap();
    drop(pending);
    assert_eq!((alive.load(Ordering::SeqCst), server.pending()), (0, 0));
    client.send_all(b"data").unwrap();
    assert_eq!(server.recv(&mut [0; 8]), Ok(4), "it has taken none");
    // One that is over, and nobody asked.
    client.send_all(b"more").unwrap();
    let pending = server.receive(Counted::operation(&alive, 8)).unwrap();
    until("it is over", || pending.is_complete());
    drop(pending);
    assert_eq!((alive.load(Ordering::SeqCst), server.pending()), (0, 0));
}

#[test]
fn a_send_that_is_stuck_is_cancelled_and_freed() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (server, client) = ends();
    let pending = server.send(Counted::operation(&alive, 64 << 20)).unwrap();
    assert!(!pending.is_complete());
    drop(server);
    drop(pending);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    drop(client);
}

#[test]
fn what_is_forgotten_is_leaked_and_not_written_to_after_a_free() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (server, client) = ends();
    std::mem::forget(server.receive(Counted::operation(&alive, 8)).unwrap());
    client.send_all(b"data").unwrap();
    drop(server);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
}

/// Socket, operations, their events in a wait set, and the peer, dropped in every order.
#[test]
fn every_order_of_dropping_frees_all() {
    const PARTS: usize = 5;
    let meeting = listener(V4);
    for order in permutations(PARTS) {
        let alive = Arc::new(AtomicUsize::new(0));
        let listening = OverlappedSocket::new(listener(V4));
        let (server, client) = pair_by(&meeting);
        let server = OverlappedSocket::new(server);
        let acceptor = Socket::tcp(&address(V4)).unwrap();
        let accepting = listening.accept(Counted::operation(&alive, 0), acceptor).unwrap();
        let receiving = server.receive(Counted::operation(&alive, 8)).unwrap();
        let sending = server.send(Counted::operation(&alive, 8)).unwrap();
        let set = WaitSet::new().unwrap();
        for (token, event) in [accepting.event(), receiving.event(), sending.event()].into_iter().enumerate() {
            set.add(event, token).unwrap();
        }
        let mut parts: [Option<Box<dyn Send>>; PARTS] = [
            Some(Box::new(server)),
            Some(Box::new((receiving, sending))),
            Some(Box::new((accepting, listening))),
            Some(Box::new(set)),
            Some(Box::new(client)),
        ];
        for index in order {
            parts[index] = None;
        }
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

/// A program that sets or resets an operation's event deceives itself, and nobody else.
#[test]
fn the_result_does_not_hang_on_the_event() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    pending.event().set();
    let pending = pending.finish().expect_err("it is not over, whatever the event says");
    assert!(!pending.event().is_set(), "the stale signal is gone");
    pending.event().set();
    assert_eq!(pending.wait(Some(Duration::from_millis(1))), Ok(false));
    client.send_all(b"x").unwrap();
    until("it is over", || pending.is_complete());
    pending.event().reset();
    assert_eq!(pending.finish().expect("it is over").result, Ok(1));
}

/// How a server gets back a thread that waits for a client who neither sends nor leaves.
#[test]
fn a_thread_that_waits_is_released_from_outside() {
    let (server, _client) = ends();
    let serving = server.clone();
    let (started, starting) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let pending = serving.receive(operation(8)).unwrap();
        started.send(()).unwrap();
        let completion = end(pending);
        (completion.result.unwrap_err(), serving.receive(completion.operation).unwrap_err().error)
    });
    starting.recv().unwrap();
    server.shutdown(Shutdown::Both).unwrap();
    assert_eq!(server.cancel(), Ok(true));
    let (cancelled, refused) = waiting.join().unwrap();
    assert_eq!((cancelled.code(), refused.name()), (995, Some("WSAESHUTDOWN")));
}

#[test]
fn another_thread_may_wait_and_finish() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    let waiting = thread::spawn(move || end(pending).result);
    client.send_all(b"data").unwrap();
    // This thread stays meanwhile: with it the operation would end.
    assert_eq!(waiting.join().unwrap(), Ok(4));
}

/// SEMANTICS D87.
#[test]
fn operations_end_with_the_thread_that_started_them() {
    let (server, client) = ends();
    let starting = server.clone();
    let pending = thread::spawn(move || starting.receive(operation(8)).unwrap()).join().unwrap();
    let completion = end(pending);
    assert_eq!(completion.result.unwrap_err().code(), 995);
    client.send_all(b"data").unwrap();
    assert_eq!(end(server.receive(completion.operation).unwrap()).result, Ok(4));
}

#[test]
fn an_alertable_wait_ends_after_routines_too() {
    let (server, client) = ends();
    let pending = server.receive(operation(8)).unwrap();
    assert_eq!(pending.wait_alertable(Some(Duration::ZERO)), Ok(Wake::Timeout));
    Waker::current().unwrap().wake().unwrap();
    assert_eq!(pending.wait_alertable(Some(PATIENCE)), Ok(Wake::Routines));
    client.send_all(b"data").unwrap();
    assert_eq!(pending.wait_alertable(Some(PATIENCE)), Ok(Wake::Signalled(())));
    assert_eq!(pending.finish().expect("it is over").result, Ok(4));
}

/// More than 64, by one thread.
#[test]
fn a_wait_set_waits_for_many_operations() {
    const MANY: usize = 150;
    let meeting = listener(V4);
    let set = WaitSet::new().unwrap();
    let mut connections: Vec<(Socket, OverlappedSocket, Option<Pending<()>>)> = (0..MANY)
        .map(|index| {
            let (client, server) = pair_by(&meeting);
            let server = OverlappedSocket::new(server);
            let pending = server.receive(operation(8)).unwrap();
            set.add(pending.event(), index).unwrap();
            (client, server, Some(pending))
        })
        .collect();
    for round in 0..3_u8 {
        for (client, ..) in &connections {
            client.send_all(&[round]).unwrap();
        }
        let mut seen = [0; MANY];
        let mut tokens = [0; 16];
        while seen.iter().sum::<usize>() < MANY {
            let count = set.wait(&mut tokens, Some(PATIENCE)).unwrap();
            assert_ne!(count, 0, "waited in vain");
            for &token in &tokens[..count] {
                let (_, server, pending) = &mut connections[token];
                let completion = pending.take().unwrap().finish().expect("its event was set");
                assert_eq!((completion.result, completion.operation.received()), (Ok(1), &[round][..]));
                *pending = Some(server.receive(completion.operation).unwrap());
                seen[token] += 1;
            }
        }
        assert_eq!(seen, [1; MANY]);
    }
    assert_eq!(set.wait(&mut [0; 16], Some(Duration::ZERO)), Ok(0), "taken results leave no signal");
}
