//! Completion ports under many threads: no packet is lost, none comes twice, every byte is where it belongs.
#![cfg(target_os = "linux")]

mod stress;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Instant;
use stress::{Chance, DEADLINE_MS, Operation, Packet, Port, alone, not_over};
use winsock::*;

const QUIT: usize = usize::MAX;

#[test]
fn a_million_posted_packets_come_once_each() {
    const POSTERS: usize = 4;
    const EACH: usize = 250_000;
    let _alone = alone();
    let port = Port::new(2);
    let seen: Vec<AtomicU8> = (0..POSTERS * EACH).map(|_| AtomicU8::new(0)).collect();
    let count = AtomicUsize::new(0);
    let saw = |packet: &Packet| {
        let index = packet.key * EACH + packet.bytes as usize;
        assert_eq!(seen[index].fetch_add(1, Ordering::Relaxed), 0, "{packet:?} came twice");
        count.fetch_add(1, Ordering::SeqCst);
    };
    let single = || loop {
        match port.get(DEADLINE_MS).expect("a packet") {
            packet if packet.key == QUIT => return,
            packet => saw(&packet),
        }
    };
    let batch = || loop {
        let packets = port.get_many(50, DEADLINE_MS).expect("packets");
        packets.iter().filter(|packet| packet.key != QUIT).for_each(saw);
        let quits = packets.iter().filter(|packet| packet.key == QUIT).count();
        // A batch may hold the other threads' packets.
        (1..quits).for_each(|_| port.post(0, QUIT).unwrap());
        if quits > 0 {
            return;
        }
    };
    thread::scope(|scope| {
        let getters = [scope.spawn(single), scope.spawn(single), scope.spawn(single)];
        let batches = [scope.spawn(batch), scope.spawn(batch)];
        let poster = |key| (0..EACH).for_each(|i| port.post(i as u32, key).unwrap());
        let posters: Vec<_> = (0..POSTERS).map(|key| scope.spawn(move || poster(key))).collect();
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        (0..getters.len() + batches.len()).for_each(|_| port.post(0, QUIT).unwrap());
    });
    // The queue is FIFO: the packets that end the threads came after all others.
    assert_eq!(count.load(Ordering::SeqCst), POSTERS * EACH, "packets are lost");
    assert_eq!(port.get(0).map(|_| ()), Err(WAIT_TIMEOUT));
    port.close();
}

/// What the threads of one round of the race know of each other.
struct Race {
    port: Port,
    posted: AtomicUsize,
    seen: Vec<AtomicU8>,
}

impl Race {
    fn take(&self, packet: &Packet) {
        assert_eq!(packet.error, 0, "{packet:?}");
        assert_eq!(self.seen[packet.key].fetch_add(1, Ordering::SeqCst), 1, "{packet:?}");
    }

    /// Posts and gets by chance until the port is closed.
    fn run(&self, chance: &mut Chance) {
        loop {
            let got = match chance.below(8) {
                0..=3 => {
                    let key = self.posted.fetch_add(1, Ordering::SeqCst);
                    let Some(seen) = self.seen.get(key) else { continue };
                    seen.store(1, Ordering::SeqCst);
                    self.port.post(0, key)
                }
                4 => self.port.get(0).map(|packet| self.take(&packet)),
                5 => self.port.get(1).map(|packet| self.take(&packet)),
                6 => self.port.get(DEADLINE_MS).map(|packet| self.take(&packet)),
                _ => self
                    .port
                    .get_many(1 + chance.below(20), 1)
                    .map(|packets| packets.iter().for_each(|packet| self.take(packet))),
            };
            match got {
                Ok(()) | Err(WAIT_TIMEOUT) => {}
                Err(ERROR_ABANDONED_WAIT_0 | ERROR_INVALID_HANDLE) => return,
                Err(error) => panic!("error {error}"),
            }
        }
    }
}

#[test]
fn posts_gets_timeouts_and_close_race() {
    let _alone = alone();
    let start = Instant::now();
    let mut chance = Chance::new(0);
    let mut round = 0;
    while not_over(start) {
        round += 1;
        let race = Race {
            port: Port::new(chance.below(4) as u32),
            posted: AtomicUsize::new(0),
            seen: (0..20_000).map(|_| AtomicU8::new(0)).collect(),
        };
        thread::scope(|scope| {
            for thread in 0..5 {
                let race = &race;
                scope.spawn(move || race.run(&mut Chance::new(round * 8 + thread)));
            }
            thread::sleep(std::time::Duration::from_micros(chance.below(20_000) as u64));
            race.port.close();
        });
    }
    assert!(round > 1, "the race was run");
}

/// A byte of a stream by its position.
fn byte_at(stream: usize, position: usize) -> u8 {
    (position.wrapping_mul(31) >> 3) as u8 ^ position as u8 ^ (stream as u8).wrapping_mul(89)
}

/// One direction of a connection: several sends and several receives in flight, handled by all threads.
struct Stream {
    number: usize,
    from: SOCKET,
    to: SOCKET,
    sending: Mutex<Sending>,
    receiving: Mutex<Receiving>,
}

struct Sending {
    position: usize,
    chance: Chance,
}

struct Receiving {
    /// The number of the next receive to start.
    next: usize,
    /// Receives that are done out of turn: another thread may have been faster with a later packet.
    done: std::collections::BTreeMap<usize, Vec<u8>>,
    /// The number of the receive whose bytes come next.
    turn: usize,
    position: usize,
}

const STREAM_LENGTH: usize = 600_000;
const SEND: usize = 1 << 32;

impl Stream {
    fn new(number: usize, from: SOCKET, to: SOCKET) -> Stream {
        let sending = Sending { position: 0, chance: Chance::new(number) };
        let receiving = Receiving { next: 0, done: Default::default(), turn: 0, position: 0 };
        Stream { number, from, to, sending: Mutex::new(sending), receiving: Mutex::new(receiving) }
    }

    /// Starts the next send, if any is left; gives how many operations it started.
    fn send(&self) -> usize {
        // The lock is held until the send is posted: the position is the order of posting.
        let mut sending = self.sending.lock().unwrap();
        let length = sending.chance.below(20_000).min(STREAM_LENGTH - sending.position);
        if sending.position == STREAM_LENGTH {
            return 0;
        }
        let range = sending.position..sending.position + length;
        let data = range.map(|position| byte_at(self.number, position)).collect();
        let operation = Box::leak(Box::new(Operation::new(SEND + self.number, data)));
        operation.send(self.from).expect("WSASend");
        sending.position += length;
        1
    }

    /// Starts the next receive.
    fn receive(&self) {
        let mut receiving = self.receiving.lock().unwrap();
        let number = receiving.next;
        receiving.next += 1;
        let length = 1 + number * 7919 % 10_000;
        let operation = Box::leak(Box::new(Operation::new(number, vec![0; length])));
        operation.recv(self.to).expect("WSARecv");
    }

    /// Checks what a receive got, in turn; gives how many bytes are checked now.
    fn check(&self, number: usize, data: Vec<u8>) -> usize {
        let mut receiving = self.receiving.lock().unwrap();
        assert!(receiving.done.insert(number, data).is_none());
        let before = receiving.position;
        let mut turn = receiving.turn;
        while let Some(data) = receiving.done.remove(&turn) {
            for byte in data {
                let position = receiving.position;
                assert_eq!(byte, byte_at(self.number, position), "at {position}");
                receiving.position += 1;
            }
            turn += 1;
        }
        receiving.turn = turn;
        receiving.position - before
    }
}

#[test]
fn streams_under_many_threads_keep_every_byte_in_its_place() {
    const PAIRS: usize = 12;
    const SENDS: usize = 3;
    const RECEIVES: usize = 4;
    let _alone = alone();
    let port = Port::new(0);
    let pairs: Vec<(SOCKET, SOCKET)> = (0..PAIRS).map(|_| stress::pair()).collect();
    let streams: Vec<Stream> = pairs
        .iter()
        .flat_map(|&(a, b)| [(a, b), (b, a)])
        .enumerate()
        .map(|(number, (from, to))| Stream::new(number, from, to))
        .collect();
    // A socket's key is the stream that it receives.
    streams.iter().for_each(|stream| port.associate(stream.to, stream.number));

    let (in_flight, left) = (AtomicUsize::new(0), AtomicUsize::new(streams.len() * STREAM_LENGTH));
    let start = |count: usize| in_flight.fetch_add(count, Ordering::SeqCst);
    let work = || loop {
        let packet = port.get(DEADLINE_MS).expect("a packet");
        if packet.key == QUIT {
            return;
        }
        // SAFETY: each operation is leaked at its start and taken back only here, once.
        let operation = unsafe { Operation::of(&packet) };
        operation.count_packet();
        // SAFETY: the operation has its packet, so that the system is done with it.
        let operation = unsafe { Box::from_raw(std::ptr::from_ref(operation).cast_mut()) };
        assert_eq!(packet.error, 0, "{packet:?}");
        let data = operation.data();
        if operation.tag >= SEND {
            let stream = &streams[operation.tag - SEND];
            assert_eq!(packet.key, stream.number ^ 1, "the sending socket's key");
            assert_eq!(packet.bytes as usize, data.len(), "a send is whole");
            start(stream.send());
        } else {
            let stream = &streams[packet.key];
            assert_ne!(packet.bytes, 0, "nobody closed");
            let checked = stream.check(operation.tag, data[..packet.bytes as usize].to_vec());
            start(1);
            stream.receive();
            left.fetch_sub(checked, Ordering::SeqCst);
        }
        in_flight.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..5).map(|_| scope.spawn(work)).collect();
        for stream in &streams {
            start(RECEIVES);
            (0..RECEIVES).for_each(|_| stream.receive());
            start((0..SENDS).map(|_| stream.send()).sum());
        }
        wait_until("all bytes are checked and all sends are done", || {
            left.load(Ordering::SeqCst) == 0 && in_flight.load(Ordering::SeqCst) == streams.len() * RECEIVES
        });
        workers.iter().for_each(|_| port.post(0, QUIT).unwrap());
    });
    // What is in flight now are the receives, and each ends with one packet.
    streams.iter().for_each(|stream| stress::close(stream.to));
    for _ in 0..streams.len() * RECEIVES {
        let packet = port.get(DEADLINE_MS).expect("the packet of a closed socket's receive");
        // Its own close fails it, unless the peer's close came first and ended the stream.
        assert!(packet.error != 0 || packet.bytes == 0, "{packet:?}");
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(packet.overlapped as *mut Operation) });
    }
    assert_eq!(port.get(0).map(|_| ()), Err(WAIT_TIMEOUT));
    port.close();
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed().as_millis() < u128::from(DEADLINE_MS), "never: {what}");
        thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Gets packets until every one of these operations has its packet; then there must be no more.
fn one_packet_each(port: Port, operations: &[&Operation]) {
    let mut missing = operations.iter().filter(|operation| operation.packets() == 0).count();
    while missing > 0 {
        let packet = port.get(DEADLINE_MS).expect("an operation never ended");
        let operation = operations
            .iter()
            .find(|operation| operation.overlapped() as usize == packet.overlapped)
            .expect("a packet of an operation that did not start");
        operation.count_packet();
        missing -= 1;
    }
    let more = port.get(0);
    assert_eq!(more.map(|packet| packet.overlapped), Err(WAIT_TIMEOUT), "a packet too many");
}

#[test]
fn closesocket_races_with_operations_and_cancels() {
    const EACH: usize = 12;
    let _alone = alone();
    let start = Instant::now();
    let mut rounds = 0;
    while not_over(start) {
        rounds += 1;
        let port = Port::new(0);
        let (socket, peer) = stress::pair();
        port.associate(socket, 1);
        let operation = |i: usize| Operation::new(0, vec![b'x'; [1, 100, 1 << 20][i % 3]]);
        let operations: Vec<Operation> = (0..3 * EACH).map(operation).collect();
        let started: Vec<AtomicBool> = (0..3 * EACH).map(|_| AtomicBool::new(false)).collect();
        let barrier = Barrier::new(6);
        thread::scope(|scope| {
            for thread in 0..3 {
                let (barrier, started, operations) = (&barrier, &started, &operations);
                scope.spawn(move || {
                    let mut chance = Chance::new(rounds * 8 + thread);
                    barrier.wait();
                    for i in thread * EACH..(thread + 1) * EACH {
                        let start = match chance.below(3) {
                            0 => operations[i].send(socket),
                            _ => operations[i].recv(socket),
                        };
                        started[i].store(start.is_ok(), Ordering::SeqCst);
                        if chance.below(3) == 0 {
                            stress::cancel(socket, Some(&operations[i]));
                        }
                    }
                });
            }
            scope.spawn(|| {
                barrier.wait();
                (0..4).for_each(|_| stress::cancel(socket, None));
            });
            scope.spawn(|| {
                let data = [7; 300];
                barrier.wait();
                for _ in 0..4 {
                    // SAFETY: the data has the length given.
                    unsafe { send(peer, data.as_ptr(), 300, 0) };
                }
            });
            barrier.wait();
            (0..Chance::new(rounds).below(3_000)).for_each(|_| std::hint::spin_loop());
            stress::close(socket);
        });
        let begun = |&(i, _): &(usize, &Operation)| started[i].load(Ordering::SeqCst);
        let begun: Vec<&Operation> = operations.iter().enumerate().filter(begun).map(|(_, o)| o).collect();
        one_packet_each(port, &begun);
        stress::reset(peer);
        port.close();
    }
    assert!(rounds > 1, "the race was run");
}

#[test]
fn a_peer_that_resets_races_with_operations() {
    const OPERATIONS: usize = 16;
    let _alone = alone();
    let start = Instant::now();
    let mut rounds = 0;
    while not_over(start) {
        rounds += 1;
        let port = Port::new(0);
        let (socket, peer) = stress::pair();
        port.associate(socket, 1);
        let operation = |i: usize| Operation::new(0, vec![b'x'; [1, 1000, 1 << 20][i % 3]]);
        let operations: Vec<Operation> = (0..OPERATIONS).map(operation).collect();
        let barrier = Barrier::new(2);
        let mut begun = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut chance = Chance::new(rounds);
                barrier.wait();
                (0..chance.below(3_000)).for_each(|_| std::hint::spin_loop());
                if chance.below(2) == 0 { stress::reset(peer) } else { stress::close(peer) }
            });
            let mut chance = Chance::new(rounds + 1_000);
            barrier.wait();
            for operation in &operations {
                let start = match chance.below(3) {
                    0 => operation.send(socket),
                    _ => operation.recv(socket),
                };
                begun.extend(start.is_ok().then_some(operation));
            }
        });
        // Sends to a peer that only closed may pend until it is gone: the reset of the next close ends them.
        stress::cancel(socket, None);
        one_packet_each(port, &begun);
        stress::close(socket);
        assert_eq!(port.get(0).map(|_| ()), Err(WAIT_TIMEOUT));
        port.close();
    }
    assert!(rounds > 1, "the race was run");
}

#[test]
fn closing_a_listener_races_with_connections() {
    const ACCEPTS: usize = 8;
    let _alone = alone();
    let start = Instant::now();
    let mut rounds = 0;
    while not_over(start) {
        rounds += 1;
        let port = Port::new(0);
        let (listener, address) = stress::listener();
        port.associate(listener, 1);
        let operations: Vec<Operation> = (0..ACCEPTS).map(|_| Operation::new(0, vec![0; 64])).collect();
        let acceptors: Vec<SOCKET> = (0..ACCEPTS).map(|_| stress::tcp()).collect();
        let clients: Vec<SOCKET> = (0..ACCEPTS).map(|_| stress::tcp()).collect();
        let barrier = Barrier::new(3);
        let mut begun = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                for &client in &clients {
                    stress::connect_to(client, &address);
                }
            });
            scope.spawn(|| {
                barrier.wait();
                for (operation, &acceptor) in operations.iter().zip(&acceptors) {
                    begun.extend(operation.accept(listener, acceptor).is_ok().then_some(operation));
                }
            });
            barrier.wait();
            (0..Chance::new(rounds).below(20_000)).for_each(|_| std::hint::spin_loop());
            stress::close(listener);
        });
        one_packet_each(port, &begun);
        acceptors.into_iter().for_each(stress::reset);
        clients.into_iter().for_each(stress::reset);
        port.close();
    }
    assert!(rounds > 1, "the race was run");
}
