//! A server that has warmed up allocates nothing for a message, under any model but select, on any of its threads, the
//! engine's own included.
//!
//! What is counted is the process's, so this is a program of its own with one test in it. The clients run on the test's
//! thread and allocate nothing themselves once they are connected. On Windows the engine is the system's, and what is beside it
//! hands waits to threads.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;

use pentaport_server::Model;
use pentaport_server::services::Echo;

use harness::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// What clients do with a server, again and again.
struct Shape {
    name: &'static str,
    clients: usize,
    /// How many bytes a client sends in a round.
    length: usize,
    message: usize,
    /// Messages that have to pass without an allocation.
    messages: usize,
}

#[rustfmt::skip]
const SHAPES: [Shape; 2] = [
    Shape { name: "64 bytes", clients: 8, length: 64, message: 64, messages: 10_000 },
    Shape { name: "1 KiB, 16 in flight", clients: 8, length: 16 << 10, message: 1 << 10, messages: 10_000 },
];

/// Connections to one server, and room for what is sent and received.
struct Clients {
    streams: Vec<TcpStream>,
    bytes: Vec<u8>,
    answer: Vec<u8>,
    /// Bytes that came back.
    exchanged: usize,
}

/// Exchanges the bytes of a round on every connection. All are sent before any is received: they are few enough for the
/// system's buffers.
fn exchange_once(clients: &mut Clients) {
    let Clients { streams, bytes, answer, exchanged } = clients;
    streams.iter_mut().for_each(|stream| stream.write_all(bytes).expect("sends"));
    for stream in streams {
        stream.read_exact(answer).expect("receives");
        assert!(answer == bytes, "an echo differs");
        *exchanged += bytes.len();
    }
}

impl Clients {
    fn new(server: &Running, shape: &Shape) -> Clients {
        Clients {
            streams: (0..shape.clients).map(|_| server.connect()).collect(),
            bytes: pattern(shape.length as u64, shape.length),
            answer: vec![0; shape.length],
            exchanged: 0,
        }
    }

    /// Exchanges at least so many messages; tells how often somebody allocated meanwhile, and where.
    fn exchange(&mut self, shape: &Shape, messages: usize) -> (usize, Vec<String>) {
        self.exchanged = 0;
        counting::during(|| {
            while self.exchanged < messages * shape.message {
                exchange_once(self);
            }
        })
    }
}

/// What a server of this model allocates for messages of this shape, and where, once it has everything that it needs.
///
/// It has when a tenth of the messages passes without an allocation. A thread that was kept from running for long may
/// still find more waiting for it than ever before, and need room for that, or the watchdog may stand in for it: then it
/// is tried again. What each message needed would be needed in every try.
fn steady_allocations(model: Model, shape: &Shape) -> (usize, Vec<String>) {
    const TRIES: usize = 10;
    const WARM_UP: usize = 30;
    let server = Running::start(options(model), Echo);
    let mut clients = Clients::new(&server, shape);
    let mut found = (0, Vec::new());
    for _ in 0..WARM_UP {
        if clients.exchange(shape, shape.messages / 10).0 == 0 {
            break;
        }
    }
    for _ in 0..TRIES {
        found = clients.exchange(shape, shape.messages);
        if found.0 == 0 {
            break;
        }
    }
    found
}

#[test]
fn a_steady_server_allocates_nothing_for_a_message() {
    let (count, told) = counting::during(|| drop(std::hint::black_box(Box::new(0))));
    // The harness may still be at its start.
    assert!(count >= 1 && !told.is_empty(), "counting works: {count} {told:?}");
    let mut faults = Vec::new();
    // `select` builds lists for every call.
    for model in Model::ALL.iter().filter(|model| **model != Model::Select) {
        for shape in &SHAPES {
            let (count, told) = steady_allocations(*model, shape);
            if count > 0 {
                faults.push(format!(
                    "{model}, {}: {count} in {} messages\n{}",
                    shape.name,
                    shape.messages,
                    told.join("\n")
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
