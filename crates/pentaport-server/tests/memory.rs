//! What an idle connection costs: all that engine, session and server allocate for it, with what malloc adds.
//!
//! A test binary of its own, since its allocator counts. The other ends of the connections allocate nothing, so what is
//! counted is the server's.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::net::TcpStream;

use pentaport_server::services::Echo;
use pentaport_server::{Model, Options};

use harness::*;

/// What an idle connection may cost, in bytes.
const MOST: isize = 512;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

#[test]
fn an_idle_connection_of_a_completion_port_server_costs_512_bytes_at_most() {
    // Just after the server's tables have grown to twice their size: a larger number of connections costs less each.
    const COUNT: usize = 1000;
    // So many workers, and what each needs for itself, are not what is measured.
    let options = Options { model: Model::CompletionPort, threads: 2.try_into().unwrap(), ..Options::default() };
    let server = Running::start(options, Echo);
    let mut clients = Vec::with_capacity(COUNT + 64);
    serve(&server, &mut clients, 64);
    let before = counting::live_bytes();
    serve(&server, &mut clients, COUNT);
    let each = (counting::live_bytes() - before) / COUNT as isize;
    assert!((1..=MOST).contains(&each), "{each} bytes for each idle connection");
    println!("{each} bytes for each idle connection");
}

/// Adds so many connections, each of which has had an answer, and waits until nothing happens any more.
fn serve(server: &Running, clients: &mut Vec<TcpStream>, count: usize) {
    for _ in 0..count {
        let mut client = server.connect();
        exchange(&mut client, b"hello");
        clients.push(client);
    }
    server.wait_for_rest();
}
