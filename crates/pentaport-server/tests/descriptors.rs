//! Servers without descriptors. The limit is the process's, so this is a program of its own with one test in it.
#![cfg(unix)]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::net::UdpSocket;

use pentaport_server::Model;
use pentaport_server::services::Echo;
use rlimit::Resource;

use harness::*;

/// Few enough to use up quickly, more than a server and the test need.
const LIMIT: u64 = 256;

#[test]
fn a_server_without_descriptors_goes_on_when_there_are_some_again() {
    for model in Model::ALL {
        goes_on_when_there_are_descriptors_again(*model);
    }
}

fn goes_on_when_there_are_descriptors_again(model: Model) {
    let server = Running::start(options(model), Echo);
    let mut early = server.connect();
    exchange(&mut early, b"hello");
    server.wait_for_rest();

    // Sockets of their own beforehand: the server would race them for the last descriptors.
    let mut late: Vec<_> = (0..3).map(|_| server.client()).collect();
    let hard = rlimit::getrlimit(Resource::NOFILE).unwrap().1;
    rlimit::setrlimit(Resource::NOFILE, LIMIT, hard).unwrap();
    let mut hoard = Vec::new();
    while let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
        hoard.push(socket);
    }
    let before = server.handle.totals();
    for client in &late {
        client.connect(&server.address).unwrap();
    }
    if model != Model::CompletionPort {
        wait_until("it has tried several times", || server.handle.totals().accept_errors >= before.accept_errors + 3);
        let after = server.handle.totals();
        let tries = after.accept_errors - before.accept_errors;
        assert!(after.wakeups - before.wakeups <= 3 * tries + 10, "{model} does not spin: {before:?} {after:?}");
    }
    // Those who are served notice nothing.
    for _ in 0..100 {
        exchange(&mut early, b"hello");
    }
    assert!(server.handle.totals().accepted < 4, "{model} had no descriptors for all");

    drop(hoard);
    for stream in &mut late {
        exchange(stream, b"hello");
    }
    rlimit::setrlimit(Resource::NOFILE, hard, hard).unwrap();
    assert_eq!(server.stop().accepted, 4);
}
