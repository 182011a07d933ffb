//! Once a program has its operations, receiving and sending allocate nothing: not here, and not underneath.
//!
//! A test binary of its own, for it counts the allocations of the whole process.

mod common;

use common::*;
use pentaport::completion_port::{CompletionPort, Operation, OperationKind, Packet};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
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
    const ROUNDS: usize = 2000;
    let port = CompletionPort::new(0).unwrap();
    let listener = listener(V4);
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = port.associate(listener.accept().unwrap().0, ()).unwrap();
    server.receive(Operation::new(vec![0; 256], ())).unwrap();
    thread::scope(|scope| {
        // One worker takes packets singly, the other in batches.
        scope.spawn(|| {
            while let Ok(packet) = port.get(None) {
                echo(packet.expect("a packet"));
            }
        });
        scope.spawn(|| {
            let mut packets = Vec::with_capacity(16);
            while port.get_many(&mut packets, 16, None).is_ok() {
                packets.drain(..).for_each(echo);
            }
        });
        let mut exchange = |rounds: usize| {
            let (message, mut back) = ([7; 64], [0; 64]);
            for _ in 0..rounds {
                client.write_all(&message).unwrap();
                client.read_exact(&mut back).unwrap();
            }
        };
        exchange(100);
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        exchange(ROUNDS);
        let after = ALLOCATIONS.load(Ordering::SeqCst);
        drop(client);
        assert_eq!(after - before, 0, "allocations in {ROUNDS} echoes");
    });
}
