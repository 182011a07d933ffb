//! Two and four worker threads at one port under load: no packet is lost, none comes twice, and no more of them run at
//! once than the concurrency value says.
//!
//! What one packet at a time shows (who is released, what a thread that blocks leaves to others) is in
//! `conformance`: `port_concurrency.rs` and `port_order.rs`.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "port_stress.rs uses the rest")]
mod stress;

use std::ops::Range;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread;
use std::time::Instant;
use stress::{Chance, DEADLINE_MS, Operation, Packet, Port, alone};
use winsock::*;

const QUIT: usize = usize::MAX;

/// How many packets are posted.
const POSTED: usize = 10_000_000;

/// How many packets wait at most: the posters are faster than the workers.
const AHEAD: usize = 10_000;

/// After how many posts a poster sends a number to a socket of the port.
const POSTS_PER_SEND: usize = 100;

/// A bit for each number that has come out of the port.
struct Numbers {
    seen: Vec<AtomicU64>,
    count: AtomicUsize,
}

impl Numbers {
    fn new(count: usize) -> Numbers {
        Numbers { seen: (0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(), count: AtomicUsize::new(0) }
    }

    fn see(&self, number: usize) {
        let bit = 1 << (number % 64);
        assert_eq!(self.seen[number / 64].fetch_or(bit, Relaxed) & bit, 0, "{number} came twice");
        self.count.fetch_add(1, Relaxed);
    }

    fn count(&self) -> usize {
        self.count.load(Relaxed)
    }
}

/// A port with two posters, each with a connection to it.
struct Exchange {
    port: Port,
    /// What the posters send to, and what is associated with the port.
    connections: [(SOCKET, SOCKET); 2],
    posts: AtomicUsize,
    posted: Numbers,
    sent: Numbers,
    /// How many workers are between a packet and their next call, and how many may be.
    running: AtomicUsize,
    concurrency: usize,
}

impl Exchange {
    fn new(concurrency: usize, posts: usize) -> Exchange {
        let port = Port::new(concurrency as u32);
        let connections = [0, 1].map(|number| open(&port, number));
        let (posted, sent) = (Numbers::new(posts), Numbers::new(posts / POSTS_PER_SEND));
        let (posts, running) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Exchange { port, connections, posts, posted, sent, running, concurrency }
    }

    /// Posts these numbers, and sends some.
    fn post(&self, poster: usize, numbers: Range<usize>) {
        for number in numbers {
            self.port.post(check_of(number), number).expect("a post");
            if number % POSTS_PER_SEND == 0 {
                let bytes = ((number / POSTS_PER_SEND) as u32).to_ne_bytes();
                // SAFETY: the bytes have the length given and outlive the call.
                assert_eq!(unsafe { send(self.connections[poster].0, bytes.as_ptr(), 4, 0) }, 4);
                let posts = self.posts.fetch_add(POSTS_PER_SEND, Relaxed);
                wait_until("packets are taken", || posts.saturating_sub(self.posted.count()) < AHEAD);
            }
        }
    }

    /// Takes packets, one or several at a time, until one of them says to stop.
    fn work(&self, seed: usize) {
        let mut chance = Chance::new(seed);
        loop {
            let packets = match chance.below(40) {
                0..20 => vec![self.port.get(DEADLINE_MS).expect("a packet")],
                most => self.port.get_many(most, DEADLINE_MS).expect("packets"),
            };
            let running = self.running.fetch_add(1, SeqCst) + 1;
            assert!(running <= self.concurrency, "{running} workers run");
            packets.iter().for_each(|packet| self.see(packet));
            (0..chance.below(100)).for_each(|_| std::hint::spin_loop());
            self.running.fetch_sub(1, SeqCst);
            // What takes a lock, and may sleep, comes after.
            packets.iter().filter(|packet| packet.overlapped != 0).for_each(|packet| self.receive_next(packet));
            if packets.iter().any(|packet| packet.key == QUIT) {
                return self.port.post(0, QUIT).expect("a post");
            }
        }
    }

    fn see(&self, packet: &Packet) {
        assert_eq!(packet.error, 0, "{packet:?}");
        if packet.overlapped != 0 {
            // SAFETY: each operation is leaked at its start and taken back only below, once.
            let operation = unsafe { Operation::of(packet) };
            operation.count_packet();
            let bytes = operation.data().try_into().expect("four bytes");
            assert_eq!(packet.bytes, 4, "{packet:?}");
            self.sent.see(u32::from_ne_bytes(bytes) as usize);
        } else if packet.key != QUIT {
            assert_eq!(packet.bytes, check_of(packet.key), "{packet:?}");
            self.posted.see(packet.key);
        }
    }

    fn receive_next(&self, packet: &Packet) {
        // SAFETY: the operation was leaked at its start; it has its packet, so that the system is done with it.
        drop(unsafe { Box::from_raw(packet.overlapped as *mut Operation) });
        receive(self.connections[packet.key].1);
    }

    fn close(self) {
        assert_eq!(self.port.get(DEADLINE_MS).map(|packet| packet.key), Ok(QUIT));
        self.connections.into_iter().for_each(|connection| close(&self.port, connection));
        assert_eq!(self.port.get(0).map(|_| ()), Err(WAIT_TIMEOUT), "a packet too many");
        self.port.close();
    }
}

fn receive(socket: SOCKET) {
    let operation = Box::leak(Box::new(Operation::new(0, vec![0; 4])));
    operation.recv(socket).expect("WSARecv");
}

/// A connection whose second socket is associated with the port under this key; a receive is pending on it.
fn open(port: &Port, key: usize) -> (SOCKET, SOCKET) {
    let (peer, socket) = stress::pair();
    port.associate(socket, key);
    receive(socket);
    (peer, socket)
}

/// Closes a connection whose one receive is pending, and takes the packet of that.
fn close(port: &Port, (peer, socket): (SOCKET, SOCKET)) {
    stress::close(socket);
    stress::close(peer);
    let packet = port.get(DEADLINE_MS).expect("the last receive's");
    // SAFETY: the operation was leaked at its start; it has its packet, so that the system is done with it.
    drop(unsafe { Box::from_raw(packet.overlapped as *mut Operation) });
}

/// What is posted along with a number, so that a packet made of two is found out.
fn check_of(number: usize) -> u32 {
    (number as u32).wrapping_mul(0x9E37_79B1)
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed().as_millis() < u128::from(DEADLINE_MS), "never: {what}");
        thread::yield_now();
    }
}

fn every_packet_comes_once(workers: usize, concurrency: usize, posts: usize) {
    let _alone = alone();
    let exchange = Exchange::new(concurrency, posts);
    thread::scope(|scope| {
        let exchange = &exchange;
        (0..workers).for_each(|seed| drop(scope.spawn(move || exchange.work(seed))));
        let posters = [(0, 0..posts / 2), (1, posts / 2..posts)]
            .map(|(poster, numbers)| scope.spawn(move || exchange.post(poster, numbers)));
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        // No number is seen twice, so that as many as there are is all of them.
        wait_until("every number was seen", || {
            (exchange.posted.count(), exchange.sent.count()) == (posts, posts / POSTS_PER_SEND)
        });
        exchange.port.post(0, QUIT).unwrap();
    });
    exchange.close();
}

#[test]
fn two_workers_take_every_packet_once() {
    every_packet_comes_once(2, 2, POSTED);
}

#[test]
fn two_workers_of_which_one_may_run() {
    every_packet_comes_once(2, 1, POSTED / 10);
}

#[test]
fn four_workers_of_which_two_may_run() {
    every_packet_comes_once(4, 2, POSTED / 10);
}

/// Packets that are only posted go by a queue of their own; to a port with sockets, whose edges are looked at, not all.
fn posted_packets_come_once_and_in_order(takers: usize, posts: usize, has_socket: bool) {
    let _alone = alone();
    let (port, posted, count) = (Port::new(0), Numbers::new(posts), AtomicUsize::new(0));
    let connection = has_socket.then(|| open(&port, 0));
    thread::scope(|scope| {
        let (port, posted, count) = (&port, &posted, &count);
        (0..takers).for_each(|seed| drop(scope.spawn(move || take_in_order(port, posted, posts / 2, seed))));
        let posters = [0..posts / 2, posts / 2..posts].map(|numbers| {
            scope.spawn(move || {
                for number in numbers {
                    port.post(check_of(number), number).expect("a post");
                    if number % POSTS_PER_SEND == 0 {
                        let posts = count.fetch_add(POSTS_PER_SEND, Relaxed);
                        wait_until("packets are taken", || posts.saturating_sub(posted.count()) < AHEAD);
                    }
                }
            })
        });
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        wait_until("every number was seen", || posted.count() == posts);
        port.post(0, QUIT).unwrap();
    });
    assert_eq!(port.get(DEADLINE_MS).map(|packet| packet.key), Ok(QUIT));
    if let Some(connection) = connection {
        close(&port, connection);
    }
    assert_eq!(port.get(0).map(|_| ()), Err(WAIT_TIMEOUT), "a packet too many");
    port.close();
}

/// Takes packets, one or several at a time: those of each poster, one of which posts what is below `half`, in the order in
/// which it posted them.
fn take_in_order(port: &Port, posted: &Numbers, half: usize, seed: usize) {
    let mut chance = Chance::new(seed);
    let mut next = [0, 0];
    loop {
        let packets = match chance.below(4) {
            0 => port.get_many(chance.below(40) + 1, DEADLINE_MS).expect("packets"),
            _ => vec![port.get(DEADLINE_MS).expect("a packet")],
        };
        for packet in &packets {
            if packet.key == QUIT {
                return port.post(0, QUIT).expect("a post");
            }
            assert_eq!((packet.error, packet.bytes), (0, check_of(packet.key)), "{packet:?}");
            posted.see(packet.key);
            let next = &mut next[usize::from(packet.key >= half)];
            assert!(packet.key >= *next, "{} after {next}", packet.key);
            *next = packet.key + 1;
        }
    }
}

#[test]
fn one_taker_gets_what_is_posted_once_and_in_order() {
    posted_packets_come_once_and_in_order(1, POSTED, false);
}

#[test]
fn two_takers_get_what_is_posted_once_and_in_order() {
    posted_packets_come_once_and_in_order(2, POSTED, false);
}

#[test]
fn one_taker_at_a_port_with_a_socket_gets_what_is_posted_once_and_in_order() {
    posted_packets_come_once_and_in_order(1, POSTED / 10, true);
}

#[test]
fn two_takers_at_a_port_with_a_socket_get_what_is_posted_once_and_in_order() {
    posted_packets_come_once_and_in_order(2, POSTED / 10, true);
}
