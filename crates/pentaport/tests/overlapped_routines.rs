//! Operations by completion routine: when routines run, what they may do, and what is left when scope or thread end.

mod common;

use common::*;
use pentaport::event_select::{Event, WaitSet, Wake, wait_any_alertable};
use pentaport::overlapped::{Completion, Operation, OverlappedSocket, RoutineScope, Waker, sleep_alertable};
use pentaport::select::{SelectSet, select};
use pentaport::socket::{Shutdown, Socket};
use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What a test's routines write down. Not Send: routines stay on their thread.
type Log = Rc<RefCell<Vec<String>>>;

fn ends() -> (OverlappedSocket, Socket) {
    let (client, server) = pair();
    (server.into(), client)
}

fn operation(size: usize, log: &Log) -> Operation<Log> {
    Operation::new(vec![0; size], Rc::clone(log))
}

/// Writes down what was received, or how it failed.
fn note(_: &RoutineScope, completion: Completion<Log>) {
    let text = match completion.result {
        Ok(_) => String::from_utf8_lossy(completion.operation.received()).into_owned(),
        Err(error) => error.code().to_string(),
    };
    completion.operation.context().borrow_mut().push(text);
}

/// Sleeps alertably until `done`.
fn sleep_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(sleep_alertable(Some(PATIENCE)) && Instant::now() < deadline, "waited in vain: {what}");
    }
}

fn panic_of(wait: impl FnOnce()) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(wait)).expect_err("the routine's panic goes on");
    panic.downcast_ref::<&'static str>().copied().expect("its own words")
}

fn panicking(_: &RoutineScope, _: Completion<Log>) {
    panic!("in the routine");
}

/// SEMANTICS D26.
#[test]
fn a_routine_runs_in_an_alertable_wait_and_nowhere_else() {
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    client.send_all(b"here").unwrap();
    until("the data is there", || server.available().unwrap() == 4);
    scope.receive(&server, operation(8, &log), note).unwrap();
    scope.receive(&server, operation(8, &log), note).unwrap();
    thread::sleep(Duration::from_millis(5));
    assert!(log.borrow().is_empty(), "no wait yet, though the first succeeded at once");
    assert_eq!((scope.pending(), server.pending()), (2, 2));
    assert!(sleep_alertable(Some(Duration::ZERO)));
    assert_eq!(*log.borrow(), ["here"]);
    assert!(!sleep_alertable(Some(Duration::ZERO)), "nothing came");
    client.send_all(b"later").unwrap();
    sleep_until("the second", || log.borrow().len() == 2);
    assert_eq!(*log.borrow(), ["here", "later"]);
    assert_eq!((scope.pending(), server.pending(), Rc::strong_count(&log)), (0, 0, 1));
}

#[test]
fn a_routine_starts_the_next_operation() {
    fn received(scope: &RoutineScope, completion: Completion<Log>) {
        let Completion { socket, result, operation } = completion;
        match result.expect("no failure") {
            0 => operation.context().borrow_mut().push("end".into()),
            count => scope.send(&socket.expect("open"), operation.with_range(..count), sent).unwrap(),
        }
    }
    fn sent(scope: &RoutineScope, completion: Completion<Log>) {
        let socket = completion.socket.expect("open");
        scope.receive(&socket, completion.operation, received).unwrap();
    }
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive(&server, operation(64, &log), received).unwrap();
    let client = thread::spawn(move || {
        for round in 0..100_u8 {
            client.send_all(&[round; 10]).unwrap();
            let mut back = [0; 10];
            let mut count = 0;
            while count < back.len() {
                count += client.recv(&mut back[count..]).unwrap();
            }
            assert_eq!(back, [round; 10]);
        }
        client.shutdown(Shutdown::Send).unwrap();
    });
    sleep_until("the end", || !log.borrow().is_empty());
    client.join().unwrap();
}

/// SEMANTICS D42, D30.
#[test]
fn receives_are_filled_and_told_in_the_order_in_which_they_started() {
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    for _ in 0..3 {
        scope.receive(&server, operation(2, &log), note).unwrap();
    }
    client.send_all(b"abcdef").unwrap();
    sleep_until("all three", || log.borrow().len() == 3);
    assert_eq!(*log.borrow(), ["ab", "cd", "ef"]);
}

#[test]
fn half_close_reset_and_receives_without_a_buffer() {
    fn count(_: &RoutineScope, completion: Completion<Log>) {
        completion.operation.context().borrow_mut().push(format!("{:?}", completion.result));
    }
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive_ready(&server, operation(0, &log), count).unwrap();
    client.send_all(b"data").unwrap();
    sleep_until("data", || log.borrow_mut().pop() == Some("Ok(0)".into()));
    assert_eq!(server.recv(&mut [0; 8]), Ok(4), "none of it was taken");
    scope.receive(&server, operation(8, &log), count).unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    sleep_until("the end", || log.borrow_mut().pop() == Some("Ok(0)".into()));
    scope.send(&server, operation(8, &log), count).unwrap();
    sleep_until("sent all the same", || log.borrow_mut().pop() == Some("Ok(8)".into()));

    // A routine is told Winsock's codes (D27).
    fn is_reset(_: &RoutineScope, completion: Completion<Log>) {
        let error = completion.result.unwrap_err();
        assert_eq!((error.name(), error.kind()), (Some("WSAECONNRESET"), ErrorKind::ConnectionReset));
        completion.operation.context().borrow_mut().push("reset".into());
    }
    let (server, client) = ends();
    scope.receive(&server, operation(8, &log), is_reset).unwrap();
    reset(client);
    sleep_until("the reset", || !log.borrow().is_empty());
}

#[test]
fn datagrams_with_their_senders() {
    fn echo(scope: &RoutineScope, completion: Completion<Log>) {
        let Completion { socket, result, operation } = completion;
        match (result, operation.sender()) {
            (Ok(count), Some(to)) => {
                scope.send_to(&socket.expect("open"), operation.with_range(..count), &to, again).unwrap();
            }
            (result, _) => {
                assert_eq!(result.unwrap_err().name(), Some("WSAEMSGSIZE"));
                assert_eq!(operation.received(), b"long");
                operation.context().borrow_mut().push("too long".into());
            }
        }
    }
    fn again(scope: &RoutineScope, completion: Completion<Log>) {
        scope.receive_from(&completion.socket.expect("open"), completion.operation, echo).unwrap();
    }
    let (ours, theirs) = (OverlappedSocket::new(datagram()), datagram());
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive_from(&ours, operation(4, &log), echo).unwrap();
    let to = ours.local_addr().unwrap();
    let client = thread::spawn(move || {
        theirs.set_receive_timeout(Some(PATIENCE)).unwrap();
        for round in 0..10_u8 {
            theirs.send_to(&[round; 3], &to).unwrap();
            let mut back = [0; 8];
            assert_eq!(theirs.recv_from(&mut back), Ok((3, to)));
            assert_eq!(back[..3], [round; 3]);
        }
        theirs.send_to(b"longer", &to).unwrap();
    });
    sleep_until("the last", || !log.borrow().is_empty());
    client.join().unwrap();
}

#[test]
fn a_start_that_fails_gives_all_back_and_calls_nobody() {
    let (scope, log) = (RoutineScope::new(), Log::default());
    let socket = OverlappedSocket::new(Socket::tcp(&address(V4)).unwrap());
    let failed = scope.receive(&socket, operation(8, &log), note).unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::NotConnected);
    assert_eq!((scope.pending(), socket.pending(), failed.operation.buffer().len()), (0, 0, 8));
    assert!(!sleep_alertable(Some(Duration::ZERO)));
    let udp = OverlappedSocket::new(datagram());
    let failed = scope.receive_ready(&udp, failed.operation, note).unwrap_err();
    assert_eq!(failed.error.name(), Some("WSAEOPNOTSUPP"));
}

#[test]
fn cancelling_and_closing_call_the_routines() {
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive(&server, operation(8, &log), note).unwrap();
    assert_eq!(server.cancel(), Ok(true));
    assert!(log.borrow().is_empty(), "not before a wait");
    assert!(sleep_alertable(Some(PATIENCE)));
    assert_eq!(*log.borrow(), ["995"]);
    scope.receive(&server, operation(8, &log), note).unwrap();
    drop(server);
    assert_eq!(client.recv(&mut [0; 1]), Ok(0), "nothing keeps it open");
    sleep_until("the close", || log.borrow().len() == 2);
    // 995 on Windows: there, operations are cancelled before the socket is closed.
    assert!(["995", "10053"].contains(&log.borrow()[1].as_str()), "{log:?}");
}

#[test]
fn dropping_the_scope_cancels_and_calls_each_routine_once() {
    fn refused(scope: &RoutineScope, completion: Completion<Log>) {
        let Completion { socket, result, operation } = completion;
        assert_eq!(result.unwrap_err().code(), 995);
        // It was cancelled, and no other can be started.
        let failed = scope.receive(&socket.expect("open"), operation, refused).unwrap_err();
        failed.operation.context().borrow_mut().push(failed.error.code().to_string());
    }
    let (server, client) = ends();
    let log = Log::default();
    let scope = RoutineScope::new();
    for _ in 0..3 {
        scope.receive(&server, operation(8, &log), refused).unwrap();
    }
    drop(scope);
    assert_eq!(*log.borrow(), ["995", "995", "995"]);
    assert_eq!((server.pending(), Rc::strong_count(&log)), (0, 1));
    client.send_all(b"data").unwrap();
    assert_eq!(server.recv(&mut [0; 8]), Ok(4), "the socket is as before");
}

#[test]
fn a_scope_leaves_the_operations_of_others_alone() {
    let (server, client) = ends();
    let (first, second, log) = (RoutineScope::new(), RoutineScope::new(), Log::default());
    let by_event = server.receive(Operation::new(vec![0; 2], ())).unwrap();
    first.receive(&server, operation(2, &log), note).unwrap();
    second.receive(&server, operation(2, &log), note).unwrap();
    drop(first);
    assert_eq!(*log.borrow(), ["995"]);
    client.send_all(b"abcd").unwrap();
    sleep_until("the second scope's", || log.borrow().len() == 2);
    assert_eq!(*log.borrow(), ["995", "cd"]);
    assert!(by_event.wait(Some(PATIENCE)).unwrap());
    assert_eq!(by_event.finish().unwrap().operation.received(), b"ab");
}

#[test]
fn scope_socket_and_peer_are_dropped_in_every_order() {
    let meeting = listener(V4);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let log = Log::default();
        let (client, server) = pair_by(&meeting);
        let (server, scope) = (OverlappedSocket::new(server), RoutineScope::new());
        for _ in 0..2 {
            scope.receive(&server, operation(8, &log), note).unwrap();
        }
        scope.send(&server, operation(8, &log), note).unwrap();
        let mut parts: [Option<Box<dyn std::any::Any>>; 3] =
            [Some(Box::new(scope)), Some(Box::new(server)), Some(Box::new(client))];
        for index in order {
            parts[index] = None;
        }
        assert_eq!((log.borrow().len(), Rc::strong_count(&log)), (3, 1), "{order:?}");
    }
}

/// SEMANTICS E16: the inner wait runs what is queued; the routine of an operation that came back may start it again.
#[test]
fn a_routine_may_wait_alertably_itself() {
    fn outer(scope: &RoutineScope, completion: Completion<Log>) {
        let Completion { socket, operation, .. } = completion;
        let log = Rc::clone(operation.context());
        log.borrow_mut().push("outer begins".into());
        scope.receive(&socket.expect("open"), operation, inner).unwrap();
        sleep_until("the inner one", || log.borrow().len() == 2);
        log.borrow_mut().push("outer ends".into());
    }
    fn inner(_: &RoutineScope, completion: Completion<Log>) {
        completion.operation.context().borrow_mut().push("inner".into());
    }
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive(&server, operation(1, &log), outer).unwrap();
    client.send_all(b"ab").unwrap();
    sleep_until("both", || !log.borrow().is_empty());
    assert_eq!(*log.borrow(), ["outer begins", "inner", "outer ends"]);
}

/// The scope is dropped in one of its own routines.
#[test]
fn a_routine_may_end_the_scope() {
    type Kept = Rc<RefCell<Option<RoutineScope>>>;
    fn end(_: &RoutineScope, completion: Completion<(Kept, Rc<Cell<u32>>)>) {
        let (kept, ends) = completion.operation.context();
        ends.set(ends.get() + 1);
        let scope = kept.borrow_mut().take();
        drop(scope);
    }
    let (server, client) = ends();
    let kept = Kept::default();
    let ends = Rc::new(Cell::new(0));
    let scope = RoutineScope::new();
    for _ in 0..2 {
        let operation = Operation::new(vec![0; 1], (Rc::clone(&kept), Rc::clone(&ends)));
        scope.receive(&server, operation, end).unwrap();
    }
    *kept.borrow_mut() = Some(scope);
    client.send_all(b"a").unwrap();
    sleep_until("the end", || ends.get() > 0);
    assert_eq!((ends.get(), Rc::strong_count(&ends)), (2, 1), "the other was cancelled");
}

#[test]
fn a_panic_goes_on_after_the_wait_and_the_others_run_all_the_same() {
    let (server, client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    let waits: [fn(); 4] = [
        || {
            sleep_alertable(Some(PATIENCE));
        },
        || {
            wait_any_alertable(&[Event::manual_reset().unwrap()], Some(PATIENCE)).unwrap();
        },
        || {
            let set = WaitSet::new().unwrap();
            set.add(&Event::manual_reset().unwrap(), 0).unwrap();
            set.wait_alertable(&mut [0], Some(PATIENCE)).unwrap();
        },
        || {
            let (server, _client) = ends();
            server.receive(Operation::new(vec![0; 1], ())).unwrap().wait_alertable(Some(PATIENCE)).unwrap();
        },
    ];
    for (round, wait) in waits.into_iter().enumerate() {
        scope.receive(&server, operation(1, &log), panicking).unwrap();
        scope.receive(&server, operation(1, &log), note).unwrap();
        client.send_all(b"ab").unwrap();
        let mut panics = 0;
        while log.borrow().len() <= round || panics == 0 {
            // Both were queued by the time the wait began, or the second came for a wait of its own.
            match catch_unwind(wait) {
                Ok(()) => {}
                Err(panic) => {
                    assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the routine"));
                    panics += 1;
                }
            }
        }
        assert_eq!((panics, log.borrow().len()), (1, round + 1));
    }
    assert_eq!(Rc::strong_count(&log), 1);
}

#[test]
fn a_panic_while_the_scope_drains_goes_on_after_that() {
    let (server, _client) = ends();
    let (scope, log) = (RoutineScope::new(), Log::default());
    scope.receive(&server, operation(1, &log), panicking).unwrap();
    scope.receive(&server, operation(1, &log), note).unwrap();
    assert_eq!(panic_of(|| drop(scope)), "in the routine");
    assert_eq!((log.borrow().len(), Rc::strong_count(&log)), (1, 1));
    assert!(!sleep_alertable(Some(Duration::ZERO)), "nothing is left");
}

/// SEMANTICS D75. Nobody but the routine lets the calls go.
#[test]
fn blocking_calls_run_routines_and_go_on() {
    fn release(_: &RoutineScope, completion: Completion<Rc<Socket>>) {
        completion.operation.context().send_all(b"y").unwrap();
    }
    let (server, client) = ends();
    let scope = RoutineScope::new();
    let (waited_for, releasing) = pair();
    let releasing = Rc::new(releasing);
    let receive = || assert_eq!(waited_for.recv(&mut [0; 1]), Ok(1));
    let selecting = || {
        let mut set = SelectSet::new();
        set.insert(&waited_for);
        assert_eq!(select(Some(&mut set), None, None, Some(PATIENCE)), Ok(1));
        assert_eq!(waited_for.recv(&mut [0; 1]), Ok(1));
    };
    let calls: [&dyn Fn(); 2] = [&receive, &selecting];
    for call in calls {
        scope.receive(&server, Operation::new(vec![0; 1], Rc::clone(&releasing)), release).unwrap();
        client.send_all(b"x").unwrap();
        call();
        assert_eq!(scope.pending(), 0);
    }
}

#[test]
fn a_panic_in_a_routine_that_a_blocking_call_ran_goes_on_after_the_call() {
    let (server, client) = pair();
    let waker = Waker::current().unwrap();
    thread::scope(|threads| {
        threads.spawn(|| {
            let (told, tell) = mpsc::channel::<()>();
            waker
                .post(move || {
                    let _told = told;
                    panic!("in the routine")
                })
                .unwrap();
            // Dropped when the routine has run.
            assert!(tell.recv_timeout(PATIENCE).is_err());
            client.send_all(b"x").unwrap();
        });
        assert_eq!(panic_of(|| assert_eq!(server.recv(&mut [0; 1]), Ok(1))), "in the routine");
    });
    let listener = listener(V4);
    Waker::current().unwrap().post(|| panic!("in the routine")).unwrap();
    let to = listener.local_addr().unwrap();
    let connecting = thread::spawn(move || {
        let client = Socket::tcp(&to).unwrap();
        client.connect(&to).unwrap();
        client.set_receive_timeout(Some(PATIENCE)).unwrap();
        client.recv(&mut [0; 1])
    });
    match catch_unwind(AssertUnwindSafe(|| listener.accept())) {
        // The connection was made, and is not lost but closed.
        Err(panic) => assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the routine")),
        // Somebody was there at once, so that it did not wait.
        Ok(accepted) => {
            drop(accepted);
            assert_eq!(panic_of(|| assert!(sleep_alertable(Some(PATIENCE)))), "in the routine");
        }
    }
    assert_eq!(connecting.join().unwrap(), Ok(0));
}

/// SEMANTICS D87: what a thread started ends with it, and its routines are called no more.
#[test]
fn a_thread_that_ends_frees_nothing_that_the_system_may_still_have() {
    thread_local! {
        static KEPT: RefCell<Option<RoutineScope>> = const { RefCell::new(None) };
        static MADE_FIRST: RoutineScope = RoutineScope::new();
    }
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn never(_: &RoutineScope, completion: Completion<Counted>) {
        completion.operation.context().0.fetch_add(100, Ordering::SeqCst);
    }
    let (server, client) = ends();
    let dropped = Arc::new(AtomicUsize::new(0));
    let make = |dropped: &Arc<AtomicUsize>| Operation::new(vec![0; 8], Counted(Arc::clone(dropped)));
    for way in 0..4 {
        let (server, operation, unused) = (server.clone(), make(&dropped), Arc::default());
        thread::spawn(move || match way {
            0 => {
                let scope = RoutineScope::new();
                scope.receive(&server, operation, never).unwrap();
                std::mem::forget(scope);
            }
            1 => MADE_FIRST.with(|scope| scope.receive(&server, operation, never).unwrap()),
            // Made after a start that failed, and before the first that did not: it outlives what the engine knows of
            // the thread, and does not wait for what nobody calls.
            2 => {
                let failing = RoutineScope::new();
                failing.receive(&server, make(&unused).with_range(9..), never).unwrap_err();
                KEPT.set(None);
                failing.receive(&server, operation, never).unwrap();
                KEPT.set(Some(failing));
            }
            _ => {
                let scope = RoutineScope::new();
                scope.receive(&server, operation, never).unwrap();
                KEPT.set(Some(scope));
            }
        })
        .join()
        .unwrap();
    }
    // The system has cancelled them: the data is for the next.
    client.send_all(b"data").unwrap();
    assert_eq!(server.recv(&mut [0; 8]), Ok(4));
    // Leaked, or (where the thread could still wait) its routine called and all dropped: never the one without the other.
    let dropped = dropped.load(Ordering::SeqCst);
    assert_eq!(dropped / 100, dropped % 100, "{dropped}");
}

#[test]
fn nothing_is_left_in_flight_by_a_thread_that_ends() {
    struct AtTheEnd(OverlappedSocket, mpsc::Sender<String>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let log = Log::default();
            // The scope ends with the statement.
            let code = match RoutineScope::new().receive(&self.0, operation(8, &log), note) {
                Err(failed) => failed.error.code().to_string(),
                Ok(()) => String::new(),
            };
            self.1.send(code + &log.take().concat()).unwrap();
        }
    }
    thread_local! {
        static KEPT: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    let (server, _client) = ends();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Before the thread uses the engine, and so destroyed after what the engine keeps for it.
        KEPT.set(Some(AtTheEnd(server, tell)));
        sleep_alertable(Some(Duration::ZERO));
    })
    .join()
    .unwrap();
    // WSA_OPERATION_ABORTED: it is refused, or, where the thread still calls routines, cancelled by the scope's end.
    assert_eq!(told.recv().as_deref(), Ok("995"));
}

#[test]
fn a_scope_that_is_forgotten_still_has_its_routines_called() {
    let (server, client) = ends();
    let log = Log::default();
    let scope = RoutineScope::new();
    scope.receive(&server, operation(8, &log), note).unwrap();
    std::mem::forget(scope);
    client.send_all(b"data").unwrap();
    sleep_until("the data", || !log.borrow().is_empty());
    assert_eq!(*log.borrow(), ["data"]);
}

#[test]
fn a_waker_ends_the_wait_of_its_thread() {
    let waker = Waker::current().unwrap();
    waker.wake().unwrap();
    waker.clone().wake().unwrap();
    assert!(sleep_alertable(Some(PATIENCE)));
    assert!(!sleep_alertable(Some(Duration::ZERO)), "two wake-ups are one");
    // While it sleeps, and with what was done before.
    let flag = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            flag.store(1, Ordering::Relaxed);
            waker.wake().unwrap();
        });
        assert!(sleep_alertable(Some(PATIENCE)));
        assert_eq!(flag.load(Ordering::Relaxed), 1);
    });
}

/// SEMANTICS V39.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: the event ends the wait, the routine stays queued (V39)")]
fn a_routine_comes_before_an_event_that_is_set() {
    let waker = Waker::current().unwrap();
    waker.wake().unwrap();
    let dummy = Event::manual_reset().unwrap();
    dummy.set();
    assert_eq!(wait_any_alertable(&[&dummy], Some(PATIENCE)), Ok(Wake::Routines), "the routine comes first");
    assert_eq!(wait_any_alertable(&[&dummy], Some(PATIENCE)), Ok(Wake::Signalled(0)));
}

#[test]
fn what_is_posted_is_called_there_in_order() {
    thread_local! {
        static SEEN: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }
    let waker = Waker::current().unwrap();
    let posting = thread::spawn(move || {
        for number in 0..100 {
            waker.post(move || SEEN.with_borrow_mut(|seen| seen.push(number))).unwrap();
        }
    });
    sleep_until("all", || SEEN.with_borrow(Vec::len) == 100);
    posting.join().unwrap();
    SEEN.with_borrow(|seen| assert!(seen.is_sorted()));
}

/// SEMANTICS E18.
#[test]
fn a_thread_that_has_ended_is_not_reached() {
    let waker = thread::spawn(|| Waker::current().unwrap()).join().unwrap();
    assert_eq!(waker.wake().unwrap_err().code(), 31);
    let (told, tell) = mpsc::channel::<()>();
    assert_eq!(waker.post(move || drop(told)).unwrap_err().code(), 31);
    assert!(tell.recv().is_err(), "what was not posted is dropped");
}
