//! Once a program has its operations, receiving and sending by event and by routine allocate nothing: not here, and not
//! underneath.
//!
//! A test binary of its own, with an allocator that counts what the thread that does the work allocates.
#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport::overlapped::{Completion, Operation, OverlappedSocket, Pending, RoutineScope, Waker, sleep_alertable};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const ROUNDS: usize = 500;
const MESSAGE: usize = 64;

/// Has `serve` answer `ROUNDS` messages, ten times, and counts what it allocates meanwhile.
///
/// What is needed once (a thread's first wait, a queue's first room) is over in the first windows; what each operation
/// needed would be in every one.
fn assert_steady(mut client: TcpStream, mut serve: impl FnMut()) {
    let exchange = std::thread::spawn(move || {
        let (message, mut back) = ([7; MESSAGE], [0; MESSAGE]);
        for _ in 0..10 * ROUNDS {
            client.write_all(&message).unwrap();
            client.read_exact(&mut back).unwrap();
        }
        client
    });
    let windows: Vec<usize> = (0..10)
        .map(|_| {
            let before = counting::of_this_thread();
            (0..ROUNDS).for_each(|_| serve());
            counting::of_this_thread() - before
        })
        .collect();
    drop(exchange.join().unwrap());
    assert!(windows.contains(&0), "allocations in {ROUNDS} echoes each: {windows:?}");
}

fn ends() -> (OverlappedSocket, TcpStream) {
    let listener = listener(V4);
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0.into(), client)
}

#[test]
fn counting_works() {
    let before = counting::of_this_thread();
    drop(std::hint::black_box(Box::new(0)));
    assert_eq!(counting::of_this_thread(), before + 1);
}

#[test]
fn a_steady_echo_by_event_allocates_nothing() {
    fn end(pending: Pending<()>) -> Completion<()> {
        assert_eq!(pending.wait(Some(PATIENCE)), Ok(true));
        pending.finish().expect("it is over")
    }
    let (server, client) = ends();
    let mut operation = Some(Operation::new(vec![0; MESSAGE], ()));
    assert_steady(client, || {
        let mut rest = MESSAGE;
        while rest > 0 {
            let received = end(server.receive(operation.take().unwrap()).unwrap());
            let count = received.result.unwrap();
            operation = Some(end(server.send(received.operation.with_range(..count)).unwrap()).operation);
            rest -= count;
        }
    });
}

#[test]
fn a_steady_echo_by_routine_allocates_nothing() {
    type Echoed = Rc<Cell<usize>>;
    fn received(scope: &RoutineScope, completion: Completion<Echoed>) {
        let Completion { socket, result, operation } = completion;
        // The end, or the scope's.
        let Ok(count @ 1..) = result else { return };
        scope.send(&socket.expect("open"), operation.with_range(..count), sent).unwrap();
    }
    fn sent(scope: &RoutineScope, completion: Completion<Echoed>) {
        let Completion { socket, result, operation } = completion;
        let echoed = operation.context();
        echoed.set(echoed.get() + result.unwrap());
        scope.receive(&socket.expect("open"), operation, received).unwrap();
    }
    let (server, client) = ends();
    let scope = RoutineScope::new();
    let echoed = Echoed::default();
    scope.receive(&server, Operation::new(vec![0; MESSAGE], Rc::clone(&echoed)), received).unwrap();
    let mut messages = 0;
    assert_steady(client, || {
        messages += 1;
        while echoed.get() < messages * MESSAGE {
            assert!(sleep_alertable(Some(PATIENCE)));
        }
    });
}

#[test]
fn waking_allocates_nothing() {
    let waker = Waker::current().unwrap();
    let mut windows = [0; 10];
    for allocations in &mut windows {
        let before = counting::of_this_thread();
        for _ in 0..100 {
            waker.wake().unwrap();
            assert!(sleep_alertable(Some(PATIENCE)));
        }
        *allocations = counting::of_this_thread() - before;
    }
    assert!(windows.contains(&0), "allocations in 100 wake-ups each: {windows:?}");
}
