//! Once a program has its operations, receiving and sending allocate nothing: not here, and not underneath.
//!
//! A test binary of its own, since what is counted is the process's.
#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport::completion_port::{CompletionPort, Operation, OperationKind, Packet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

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
    let counted = counting::during(|| drop(std::hint::black_box(Box::new(0)))).0;
    // The harness may still be at its start.
    assert!(counted >= 1, "counting works");
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
            let mut packets = Vec::with_capacity(CompletionPort::<(), ()>::MAX_BATCH);
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
        // What is needed once (a thread's first wait, a queue's first room) is over in the first windows; what each
        // operation needed would be in every one.
        let mut windows = [0; 10];
        for window in &mut windows {
            *window = counting::during(|| exchange(ROUNDS)).0;
        }
        drop(client);
        assert!(windows.contains(&0), "allocations in {ROUNDS} echoes each: {windows:?}");
    });
}
