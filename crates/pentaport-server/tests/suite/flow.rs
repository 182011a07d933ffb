//! Bytes that come and go.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use pentaport_server::Model;
use pentaport_server::services::{Chargen, Discard, Echo};

use super::harness::*;
use super::services::Sum;

pub(crate) fn echoes_every_byte_of_200_connections(model: Model) {
    const CONNECTIONS: u64 = 200;
    const MESSAGES: usize = 6;
    let server = Running::start(options(model), Echo);

    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|seed| {
            let mut stream = server.connect();
            thread::spawn(move || {
                let mut random = Random::new(seed);
                let mut sum = 0;
                for message in 0..MESSAGES as u64 {
                    let length = random.length(1 << 20);
                    sum += length as u64;
                    exchange_large(&mut stream, &pattern(seed * 1000 + message, length));
                }
                sum
            })
        })
        .collect();
    let sum: u64 = clients.into_iter().map(|client| client.join().expect("no byte is wrong")).sum();

    let totals = server.stop();
    assert_eq!((totals.accepted, totals.bytes_in, totals.bytes_out), (CONNECTIONS, sum, sum));
    assert_eq!((totals.failed, totals.cut_off, totals.accept_errors), (0, 0, 0));
}

/// Sends while it receives: neither side could take all of a large message before the other goes on.
fn exchange_large(stream: &mut TcpStream, message: &[u8]) {
    thread::scope(|scope| {
        let mut sender = stream.try_clone().unwrap();
        scope.spawn(move || sender.write_all(message).expect("sends"));
        let mut answer = vec![0; message.len()];
        stream.read_exact(&mut answer).expect("receives");
        assert!(answer == message, "the echo of {} bytes differs", message.len());
    });
}

pub(crate) fn many_small_messages_in_flight_come_back_in_order(model: Model) {
    let server = Running::start(options(model), Echo);
    let all = pattern(7, 300_000);
    let stream = server.connect();
    thread::scope(|scope| {
        let (mut sender, mut receiver) = (stream.try_clone().unwrap(), stream);
        let sent = &all;
        scope.spawn(move || {
            let mut random = Random::new(7);
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let (message, after) = rest.split_at(random.length(100).min(rest.len()));
                sender.write_all(message).expect("sends");
                rest = after;
            }
        });
        let mut answer = vec![0; all.len()];
        receiver.read_exact(&mut answer).expect("receives");
        assert!(answer == all);
    });
}

/// A client that sends without reading, and then reads it all: the server's queue is bounded meanwhile, and what was
/// sent in parts or late is complete.
pub(crate) fn a_client_that_reads_late_gets_every_byte(model: Model) {
    let options = pentaport_server::Options { send_queue_limit: 10_000, ..options(model) };
    let limit = options.send_queue_limit as u64;
    let server = Running::start(options, Echo);
    let mut stream = server.connect();
    let sent = send_until_it_stops(&server, &mut stream);
    assert!(server.handle.totals().queue_peak >= limit, "the send queue was full");
    assert!(server.handle.totals().queue_peak <= limit + LARGEST_RECEIVE);

    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("receives");
    assert_eq!(answer.len(), sent.len());
    assert!(answer == sent);
    let totals = server.stop();
    assert_eq!((totals.closed, totals.cut_off), (1, 0));
}

/// The most that a runner gives a service at once.
const LARGEST_RECEIVE: u64 = 64 * 1024;

/// Sends until neither the server nor the system in between takes any more.
fn send_until_it_stops(server: &Running, stream: &mut TcpStream) -> Vec<u8> {
    stream.set_nonblocking(true).unwrap();
    let mut sent = Vec::new();
    let mut random = Random::new(1);
    wait_until("the server receives no more", || {
        let before = (sent.len(), server.handle.totals());
        loop {
            let message = pattern(random.next(), 10_000);
            match stream.write(&message) {
                Ok(count) => sent.extend_from_slice(&message[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        thread::sleep(std::time::Duration::from_millis(20));
        before == (sent.len(), server.handle.totals())
    });
    stream.set_nonblocking(false).unwrap();
    sent
}

pub(crate) fn a_client_that_never_reads_costs_bounded_memory(model: Model) {
    let options = pentaport_server::Options { send_queue_limit: 30_000, ..options(model) };
    let server = Running::start(options, Chargen);
    let deaf: Vec<_> = (0..5).map(|_| server.connect()).collect();
    wait_until("their queues are full", || server.handle.totals().queue_peak >= 29_000);
    server.wait_for_rest();
    assert!(server.handle.totals().queue_peak <= 30_000 + 74);

    // The others are served meanwhile.
    let mut stream = server.connect();
    let mut lines = vec![0; 74 * 10_000];
    stream.read_exact(&mut lines).unwrap();
    for (first, line) in lines.chunks(74).enumerate() {
        assert_eq!(line[0], b' ' + (first % 95) as u8);
        assert_eq!(line[72..], *b"\r\n");
    }
    drop(stream);
    drop(deaf);
    wait_until("all have left", || server.handle.connections() == 0);
}

pub(crate) fn an_endless_service_leaves_room_for_others(model: Model) {
    // One worker, which must not be kept by a client that takes all it can get.
    let options = pentaport_server::Options { threads: 1.try_into().unwrap(), ..options(model) };
    let server = Running::start(options, Chargen);
    let mut greedy = server.connect();
    let mut modest = server.connect();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            let mut sum = 0;
            loop {
                match greedy.read(&mut buffer) {
                    Ok(0) | Err(_) => return sum,
                    Ok(count) => sum += count,
                }
            }
        });
        for _ in 0..1000 {
            modest.read_exact(&mut [0; 74]).unwrap();
        }
        drop(modest);
        server.handle.stop_now();
        assert!(reader.join().unwrap() > 0);
    });
}

pub(crate) fn a_client_that_ended_its_side_gets_all_its_bytes(model: Model) {
    let server = Running::start(options(model), Echo);
    let message = pattern(3, 3_000_000);
    thread::scope(|scope| {
        for _ in 0..10 {
            let stream = server.connect();
            let message = &message;
            scope.spawn(move || {
                let mut sender = stream.try_clone().unwrap();
                thread::scope(|scope| {
                    scope.spawn(move || {
                        sender.write_all(message).unwrap();
                        sender.shutdown(Shutdown::Write).unwrap();
                    });
                    let mut answer = Vec::new();
                    (&stream).read_to_end(&mut answer).unwrap();
                    assert!(answer == *message);
                });
            });
        }
    });
    wait_until("all have left", || server.handle.totals().closed == 10);
    assert_eq!(server.stop().reset, 0);
}

pub(crate) fn data_and_the_end_that_come_together_are_both_seen(model: Model) {
    let server = Running::start(options(model), Sum);
    for length in [0_usize, 1, 1000, 100_000] {
        let mut stream = server.connect();
        stream.write_all(&vec![1; length]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, length.to_string());
    }
}

pub(crate) fn discards_what_it_receives(model: Model) {
    let server = Running::start(options(model), Discard);
    let mut stream = server.connect();
    stream.write_all(&vec![1; 1_000_000]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    let totals = server.stop();
    assert_eq!((totals.bytes_in, totals.bytes_out), (1_000_000, 0));
}
