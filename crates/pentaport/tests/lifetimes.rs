//! What is in the system's hands is not freed, what is not is not leaked: in whatever order things are dropped.

mod common;

use common::*;
use pentaport::completion_port::{CompletionPort, Operation, PortSocket};
use pentaport::socket::{Shutdown, Socket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, Ordering::SeqCst);
        assert_ne!(before, 0, "dropped twice");
    }
}

type Port = CompletionPort<Counted, Counted>;
type Handle = PortSocket<Counted, Counted>;

/// Counters of keys and of contexts.
#[derive(Default)]
struct Alive {
    keys: Arc<AtomicUsize>,
    contexts: Arc<AtomicUsize>,
}

impl Alive {
    fn key(&self) -> Counted {
        Counted::new(&self.keys)
    }

    fn operation(&self) -> Operation<Counted> {
        Operation::new(vec![0; 64], Counted::new(&self.contexts))
    }

    fn now(&self) -> (usize, usize) {
        (self.keys.load(Ordering::SeqCst), self.contexts.load(Ordering::SeqCst))
    }
}

fn port() -> Port {
    CompletionPort::new(0).expect("a port")
}

#[test]
fn a_key_lives_until_socket_operations_and_packets_are_gone() {
    let (alive, port) = (Alive::default(), port());
    let (client, server) = pair();
    let server = port.associate(server, alive.key()).unwrap();
    assert!(server.receive(alive.operation()).unwrap().is_pending());
    let second = server.clone();
    drop(server);
    client.send_all(b"x").unwrap();
    let packet = take(&port);
    drop(second);
    assert_eq!(alive.now(), (1, 1), "the packet is a handle");
    assert!(packet.socket().is_some());
    let operation = packet.operation;
    drop(packet.source);
    assert_eq!(alive.now(), (0, 1), "an operation at rest holds no key");
    assert_eq!(client.recv(&mut [0; 1]), Ok(0), "and the socket is closed");
    drop(operation);
    assert_eq!(alive.now(), (0, 0));
}

/// SEMANTICS D81, D84: after the close, with the key.
#[test]
fn closing_with_operations_in_flight_brings_their_packets() {
    let (alive, port) = (Alive::default(), port());
    let (client, server) = pair();
    let server = port.associate(server, alive.key()).unwrap();
    for _ in 0..3 {
        assert!(server.receive(alive.operation()).unwrap().is_pending());
    }
    drop(server);
    assert_eq!(client.recv(&mut [0; 1]), Ok(0));
    for left in [2, 1, 0] {
        let packet = take(&port);
        assert!(packet.result.is_err());
        assert!(packet.source.is_closed() && packet.socket().is_none());
        assert_eq!(alive.now(), (1, left + 1));
        drop(packet);
        assert_eq!(alive.now(), (usize::from(left > 0), left));
    }
    assert_empty(&port);
}

#[test]
fn undelivered_packets_are_freed_with_the_port() {
    let (alive, port) = (Alive::default(), port());
    let (client, server) = pair();
    let server = port.associate(server, alive.key()).unwrap();
    client.send_all(b"xyz").unwrap();
    until("the data is there", || server.available().unwrap() == 3);
    assert!(server.receive(alive.operation()).unwrap().is_pending());
    server.send(alive.operation()).unwrap();
    server.post(0, alive.operation()).unwrap();
    port.post(alive.key(), 0, alive.operation()).unwrap();
    assert_eq!(alive.now(), (2, 4));
    drop(port);
    assert_eq!(alive.now(), (2, 4), "the open socket keeps the port");
    drop(server);
    assert_eq!(alive.now(), (0, 0));
}

/// One of everything, dropped in every order.
#[test]
fn every_order_of_dropping_frees_all_and_loses_nothing() {
    const PARTS: usize = 6;
    let meeting = listener(V4);
    for order in permutations(PARTS) {
        let alive = Alive::default();
        let listening = listener(V4);
        let mut parts: [Option<Box<dyn Send>>; PARTS] = {
            let port = port();
            let (reading, peer) = pair_by(&meeting);
            let reading = port.associate(reading, alive.key()).unwrap();
            for _ in 0..2 {
                assert!(reading.receive(alive.operation()).unwrap().is_pending());
            }
            let (served, client) = pair_by(&meeting);
            let served = port.associate(served, alive.key()).unwrap();
            client.send_all(b"x").unwrap();
            assert!(served.receive(alive.operation()).unwrap().is_pending());
            let packet = take(&port);
            // Posted and sent: packets that nobody takes.
            served.post(1, alive.operation()).unwrap();
            served.send(alive.operation()).unwrap();
            port.post(alive.key(), 2, alive.operation()).unwrap();
            let acceptor = Socket::tcp(&listening.local_addr().unwrap()).unwrap();
            let listening = port.associate(listening, alive.key()).unwrap();
            assert!(listening.accept(alive.operation(), acceptor).unwrap().is_pending());
            [
                Some(Box::new(port)),
                Some(Box::new(reading)),
                Some(Box::new(served)),
                Some(Box::new(packet)),
                Some(Box::new(listening)),
                Some(Box::new((peer, client))),
            ]
        };
        assert_eq!(alive.now(), (4, 7));
        for index in order {
            parts[index] = None;
        }
        assert_eq!(alive.now(), (0, 0));
    }
}

/// Handles are dropped by several threads at once, while a worker takes packets and then stops.
#[test]
fn threads_may_drop_at_the_same_time() {
    let meeting = listener(V4);
    for round in 0..100 {
        let alive = Alive::default();
        let port = port();
        let ends: Vec<(Socket, Handle)> = (0..4)
            .map(|_| {
                let (client, server) = pair_by(&meeting);
                let server = port.associate(server, alive.key()).unwrap();
                for _ in 0..3 {
                    server.receive(alive.operation()).unwrap();
                }
                server.post(0, alive.operation()).unwrap();
                (client, server)
            })
            .collect();
        thread::scope(|scope| {
            for (client, server) in ends {
                let second = server.clone();
                scope.spawn(move || {
                    client.send_all(b"some data").unwrap();
                    drop(server);
                    drop(client);
                });
                scope.spawn(move || drop(second));
            }
            scope.spawn(move || {
                for _ in 0..round % 17 {
                    drop(take(&port));
                }
            });
        });
        assert_eq!(alive.now(), (0, 0));
    }
}

#[test]
fn a_send_that_is_stuck_is_freed() {
    let (alive, port) = (Alive::default(), port());
    let (client, server) = pair();
    let server = port.associate(server, alive.key()).unwrap();
    let mut operation = alive.operation();
    operation.buffer_mut().resize(64 << 20, 7);
    assert!(server.send(operation).unwrap().is_pending());
    assert_empty(&port);
    drop(server);
    drop(port);
    assert_eq!(alive.now(), (0, 0));
    drop(client);
}

#[test]
fn the_port_is_found_again_through_its_sockets() {
    let (alive, first) = (Alive::default(), port());
    let (client, server) = pair();
    let server = first.associate(server, alive.key()).unwrap();
    drop(first);
    // All handles of the port were gone; the open socket has kept it.
    let port = server.port();
    assert!(server.receive(alive.operation()).unwrap().is_pending());
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(take(&port).result, Ok(0));
}

#[test]
fn a_socket_that_cannot_be_associated_is_closed_and_its_key_dropped() {
    let (alive, port) = (Alive::default(), port());
    let (client, server) = pair();
    let server = port.associate(server, alive.key()).unwrap();
    let raw = server.raw();
    drop(server);
    assert_eq!((alive.now(), raw % 4), ((0, 0), 0));
    assert_eq!(client.recv(&mut [0; 1]), Ok(0));
}
