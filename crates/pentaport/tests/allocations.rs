//! Once a program has its operations, receiving and sending allocate nothing: not here, and not underneath.
//!
//! A test binary of its own, with an allocator that counts what the threads that do the work allocate. (The engine's
//! watchdog, which is not of their number, may make a list now and then.)

mod common;

use common::*;
use pentaport::completion_port::{CompletionPort, Operation, OperationKind, Packet};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if COUNTED.get() {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: by the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn echo(packet: Packet<(), ()>) {
    let Packet { source, result, operation } = packet;
    let socket = source.socket().expect("open");
    let started = match (operation.kind(), result.expect("no failure")) {
        (OperationKind::Receive, 0) => return socket.port().close().unwrap(),
        (OperationKind::Receive, count) => socket.send(operation.with_range(..count)),
        (_, _) => socket.receive(operation),
    };
    started.expect("started");
}

#[test]
fn a_steady_echo_allocates_nothing() {
    const ROUNDS: usize = 500;
    COUNTED.set(true);
    drop(std::hint::black_box(Box::new(0)));
    assert_eq!(ALLOCATIONS.load(Ordering::SeqCst), 1, "counting works");
    COUNTED.set(false);
    let port = CompletionPort::new(0).unwrap();
    let listener = listener(V4);
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = port.associate(listener.accept().unwrap().0, ()).unwrap();
    server.receive(Operation::new(vec![0; 256], ())).unwrap();
    thread::scope(|scope| {
        // One worker takes packets singly, the other in batches.
        scope.spawn(|| {
            COUNTED.set(true);
            while let Ok(packet) = port.get(None) {
                echo(packet.expect("a packet"));
            }
        });
        scope.spawn(|| {
            let mut packets = Vec::with_capacity(CompletionPort::<(), ()>::MAX_BATCH);
            COUNTED.set(true);
            while port.get_many(&mut packets, 16, None).is_ok() {
                packets.drain(..).for_each(echo);
            }
        });
        COUNTED.set(true);
        let mut exchange = |rounds: usize| {
            let (message, mut back) = ([7; 64], [0; 64]);
            for _ in 0..rounds {
                client.write_all(&message).unwrap();
                client.read_exact(&mut back).unwrap();
            }
        };
        // What is needed once (a thread's first wait, a queue's first room) is over in the first windows; what each
        // operation needed would be in every one.
        let windows: Vec<usize> = (0..10)
            .map(|_| {
                let before = ALLOCATIONS.load(Ordering::SeqCst);
                exchange(ROUNDS);
                ALLOCATIONS.load(Ordering::SeqCst) - before
            })
            .collect();
        drop(client);
        assert!(windows.contains(&0), "allocations in {ROUNDS} echoes each: {windows:?}");
    });
}
