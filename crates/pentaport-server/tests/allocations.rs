//! A server that has warmed up allocates nothing for a message, under any model, on any of its threads, the engine's own
//! included.
//!
//! What is counted is the process's, so this is a program of its own with one test in it. The clients run on the test's
//! thread and allocate nothing themselves once they are connected. On Windows the engine is the system's, and what is beside it
//! hands waits to threads.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use pentaport_server::services::Echo;
use pentaport_server::{Model, Options};

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
    /// Exchanges the bytes of a round on every connection.
    round: fn(&mut Clients, &Running),
}

#[rustfmt::skip]
const SHAPES: [Shape; 5] = [
    Shape { name: "64 bytes", clients: 8, length: 64, message: 64, messages: 10_000, round: at_once },
    Shape { name: "1 KiB, 16 in flight", clients: 8, length: 16 << 10, message: 1 << 10, messages: 10_000, round: at_once },
    Shape { name: "200 kB", clients: 4, length: 200_000, message: 200_000, messages: 400, round: piece_by_piece },
    Shape { name: "200 kB, 16 in flight", clients: 4, length: 3_200_000, message: 200_000, messages: 400, round: piece_by_piece },
    Shape { name: "1 KiB, read late", clients: 2, length: 96 << 20, message: 1 << 10, messages: 50_000, round: late },
];

/// Connections to one server, and room for what is sent and received.
struct Clients {
    streams: Vec<TcpStream>,
    bytes: Vec<u8>,
    answer: Vec<u8>,
    /// Bytes that came back.
    exchanged: usize,
}

/// Sends all before it receives: it is little enough for the system's buffers.
fn at_once(clients: &mut Clients, _: &Running) {
    let Clients { streams, bytes, answer, exchanged } = clients;
    streams.iter_mut().for_each(|stream| stream.write_all(bytes).expect("sends"));
    for stream in streams {
        stream.read_exact(answer).expect("receives");
        assert!(answer == bytes, "an echo differs");
        *exchanged += bytes.len();
    }
}

/// Sends and receives what can be: neither side could take all before the other goes on.
fn piece_by_piece(clients: &mut Clients, _: &Running) {
    let Clients { streams, bytes, answer, exchanged } = clients;
    for stream in streams {
        let mut pipe = Pipe { stream, sent: 0, received: 0 };
        pipe.exchange(bytes, answer);
        *exchanged += bytes.len();
    }
}

/// Sends until the server's queue is full, and receives only then.
fn late(clients: &mut Clients, server: &Running) {
    let Clients { streams, bytes, answer, exchanged } = clients;
    for stream in streams {
        let mut pipe = Pipe { stream, sent: 0, received: 0 };
        let mut before = None;
        wait_until("the server takes no more", || {
            while pipe.send(bytes) {}
            let now = Some((pipe.sent, server.handle.totals()));
            std::mem::replace(&mut before, now) == now
        });
        assert!(pipe.sent < bytes.len(), "nothing waits at the server");
        let sent = pipe.sent;
        pipe.exchange(&bytes[..sent], &mut answer[..sent]);
        *exchanged += sent;
    }
}

/// A connection in the middle of a round.
struct Pipe<'a> {
    stream: &'a TcpStream,
    sent: usize,
    received: usize,
}

impl Pipe<'_> {
    /// Sends something, if that can be done now.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let result = self.stream.write(&bytes[self.sent..]);
        advance(&mut self.sent, result)
    }

    /// Receives something, if that can be done now.
    fn receive(&mut self, answer: &mut [u8]) -> bool {
        let result = self.stream.read(&mut answer[self.received..]);
        advance(&mut self.received, result)
    }

    /// Sends the rest, and receives all.
    fn exchange(&mut self, bytes: &[u8], answer: &mut [u8]) {
        wait_until("all is back", || {
            while self.send(bytes) | self.receive(answer) {}
            self.received == bytes.len()
        });
        assert!(answer == bytes, "an echo differs");
        self.stream.set_nonblocking(false).unwrap();
    }
}

/// Whether it was something.
fn advance(position: &mut usize, result: std::io::Result<usize>) -> bool {
    let count = result.unwrap_or_else(|error| {
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
        0
    });
    *position += count;
    count > 0
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
    fn exchange(&mut self, server: &Running, shape: &Shape, messages: usize) -> (usize, Vec<String>) {
        self.exchanged = 0;
        counting::during(|| {
            while self.exchanged < messages * shape.message {
                (shape.round)(self, server);
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
    // So that what is read late fills the queue soon.
    let server = Running::start(Options { send_queue_limit: 64 * 1024, ..options(model) }, Echo);
    let mut clients = Clients::new(&server, shape);
    let mut found = (0, Vec::new());
    for _ in 0..WARM_UP {
        if clients.exchange(&server, shape, shape.messages / 10).0 == 0 {
            break;
        }
    }
    for _ in 0..TRIES {
        found = clients.exchange(&server, shape, shape.messages);
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
    for model in Model::ALL {
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
