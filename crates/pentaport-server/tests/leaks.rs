//! What a server allocates for its connections is gone when they are, and what it allocates for itself when it is: under
//! every model, however the connections end.
//!
//! What is counted is the process's, so this is a program of its own with one test in it.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::io::Write;

use pentaport::async_select::MessageQueue;
use pentaport_server::Model;
use pentaport_server::services::Echo;

use harness::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Connections of each kind, at a time.
const CLIENTS: usize = 16;

/// More than one receive, and less than the system's buffers.
const LONG: usize = 100_000;

/// Whether fewer bytes are allocated after `run` than before, or as many, in one of several runs.
///
/// In the first ones tables and queues grow, and now and then one may still. What is lost with each connection or server
/// would be lost in every one.
fn leaves_nothing(mut run: impl FnMut()) -> Result<(), String> {
    const RUNS: usize = 10;
    let mut left = Vec::new();
    for _ in 0..RUNS {
        let before = counting::live_bytes();
        run();
        left.push(counting::live_bytes() - before);
        if left.last() <= Some(&0) {
            return Ok(());
        }
    }
    Err(format!("{left:?} bytes more after each of {RUNS} runs"))
}

/// Connections come, all at a time, are served, and end.
fn come_and_go(server: &Running) {
    let (short, long) = (pattern(1, 64), pattern(2, LONG));
    let mut orderly: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let mut unread: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let to_reset: Vec<_> = (0..CLIENTS).map(|_| server.connect_to_reset()).collect();
    for client in &mut orderly {
        exchange(client, &short);
        exchange(client, &long);
    }
    unread.iter_mut().for_each(|client| client.write_all(&long).expect("sends"));
    for client in to_reset {
        client.send_all(&short).expect("sends");
        reset(client);
    }
    drop((orderly, unread));
    let ended = || {
        let totals = server.handle.totals();
        totals.closed + totals.reset + totals.failed == totals.accepted
    };
    wait_until("the connections have ended", ended);
    server.wait_for_rest();
}

/// A window's place in the engine is used again when 256 others have been.
fn open_and_close_windows() {
    (0..300).for_each(|_| drop(MessageQueue::new().expect("a window")));
}

#[test]
fn nothing_is_left_of_connections_and_servers() {
    open_and_close_windows();
    let mut faults = Vec::new();
    for model in Model::ALL {
        let mut note = |of, result: Result<(), String>| {
            faults.extend(result.err().map(|left| format!("{model}, {of}: {left}")));
        };
        let server = Running::start(options(*model), Echo);
        note("connections", leaves_nothing(|| come_and_go(&server)));
        server.stop();
        let serve = || {
            let server = Running::start(options(*model), Echo);
            exchange(&mut server.connect(), b"hello");
            server.stop();
        };
        note("servers", leaves_nothing(serve));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
