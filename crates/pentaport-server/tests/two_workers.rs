//! A completion-port server with two workers under load: every byte is in its place, and both workers can be at work.
//!
//! That both took part in the load cannot be asserted: while one keeps up, the other is never woken, as the port means
//! it. So the two are made to meet. That no two are in one session at a time is the compiler's to see to: a handler has
//! the session by `&mut`, and nothing in this crate is unsafe.
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pentaport_server::{Connection, Model, Reply, Service};

use harness::*;

const CONNECTIONS: usize = 16;
const MESSAGE: usize = 64;
const DEPTH: usize = 8;
const MESSAGES: usize = 100_000;

/// An echo. Who says [`MEET`] waits until somebody else has said it too.
#[derive(Default)]
struct Meeting {
    guests: Mutex<Vec<ThreadId>>,
}

const MEET: &[u8] = b"meet";

/// Less than the clients have.
const PATIENCE: Duration = Duration::from_secs(20);

impl Service for Meeting {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        if data == MEET {
            self.guests.lock().unwrap().push(thread::current().id());
            // Not asleep: else the port would let another worker run in its place.
            let start = Instant::now();
            while self.guests.lock().unwrap().len() < 2 && start.elapsed() < PATIENCE {
                thread::yield_now();
            }
        }
        reply.send(data);
    }
}

/// Exchanges several messages with each, all in flight at once.
fn exchange_with_all(streams: &mut [TcpStream], messages: &[u8]) {
    streams.iter_mut().for_each(|stream| stream.write_all(messages).expect("sends"));
    let mut answer = [0; DEPTH * MESSAGE];
    for stream in streams {
        stream.read_exact(&mut answer).expect("receives");
        assert!(answer == messages, "an echo differs");
    }
}

#[test]
fn two_workers_share_the_connections_of_a_port() {
    let service = Arc::new(Meeting::default());
    let server = Running::start(options(Model::CompletionPort), Arc::clone(&service));
    let mut streams: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();

    let rounds = MESSAGES.div_ceil(CONNECTIONS * DEPTH);
    let bytes = pattern(1, rounds + DEPTH * MESSAGE);
    thread::scope(|scope| {
        // Two clients, so that packets come while others are handled.
        for streams in streams.chunks_mut(CONNECTIONS / 2) {
            let bytes = &bytes;
            scope.spawn(move || {
                (0..rounds).for_each(|round| exchange_with_all(streams, &bytes[round..][..DEPTH * MESSAGE]));
            });
        }
    });

    let [first, second, ..] = &mut streams[..] else { unreachable!("there are more") };
    first.write_all(MEET).unwrap();
    wait_until("a worker waits for another", || service.guests.lock().unwrap().len() == 1);
    second.write_all(MEET).unwrap();
    for stream in [first, second] {
        let mut answer = [0; MEET.len()];
        stream.read_exact(&mut answer).expect("the workers have met");
        assert_eq!(answer, MEET);
    }
    let guests = service.guests.lock().unwrap().clone();
    assert!(guests.len() == 2 && guests[0] != guests[1], "{guests:?}");

    drop(streams);
    wait_until("all have left", || server.handle.connections() == 0);
    let totals = server.stop();
    let bytes = (rounds * CONNECTIONS * DEPTH * MESSAGE + 2 * MEET.len()) as u64;
    assert_eq!((totals.bytes_in, totals.bytes_out, totals.closed), (bytes, bytes, CONNECTIONS as u64));
}
