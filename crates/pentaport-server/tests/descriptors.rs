//! Servers without descriptors. The limit is the process's, so this is a program of its own with one test in it.
#![cfg(unix)]
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "suite/harness.rs"]
mod harness;

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};

use pentaport_server::services::Echo;
use pentaport_server::{Model, Observer, Options, Server, Shortage};
use rlimit::Resource;

use harness::*;

/// Few enough to use up quickly, more than a server and the test need.
const LIMIT: u64 = 256;

/// More clients than any model has descriptors for, which have been made for other things before.
const LATE: usize = 110;

/// What a server has said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl Observer for Said {
    fn ready(&self) {
        self.0.lock().unwrap().push("ready".into());
    }

    fn lacks(&self, shortage: &Shortage) {
        self.0.lock().unwrap().push(shortage.resource().to_string());
    }
}

impl Said {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Uses up all descriptors that the limit leaves.
fn hoard() -> Vec<UdpSocket> {
    std::iter::from_fn(|| UdpSocket::bind("127.0.0.1:0").ok()).collect()
}

#[test]
fn a_server_without_descriptors_goes_on_when_there_are_some_again() {
    for model in Model::ALL {
        goes_on_when_there_are_descriptors_again(*model);
        does_not_begin_without_descriptors(*model);
    }
}

fn goes_on_when_there_are_descriptors_again(model: Model) {
    let said = Said::default();
    let server = Running::begin(options(model), |_| Echo, said.clone());
    let mut early = server.connect();
    exchange(&mut early, b"hello");
    server.wait_for_rest();

    // Sockets of their own beforehand: the server would race them for the last descriptors.
    let mut late: Vec<_> = (0..LATE).map(|_| server.client()).collect();
    let hard = rlimit::getrlimit(Resource::NOFILE).unwrap().1;
    rlimit::setrlimit(Resource::NOFILE, LIMIT, hard).unwrap();
    let mut hoard = hoard();
    // For two clients. They are not the first worker's, who has one; another has to be able to serve them all the same.
    hoard.truncate(hoard.len() - 2);
    let before = server.handle.totals();
    for client in &late {
        client.connect(&server.address).unwrap();
    }
    wait_until("it has tried several times", || server.handle.totals().accept_errors >= before.accept_errors + 3);
    let after = server.handle.totals();
    // Those whom a completion port has acceptors for are served, and wake it once or twice each.
    let events = after.accept_errors - before.accept_errors + 3 * (after.accepted - before.accepted);
    assert!(after.wakeups - before.wakeups <= 3 * events + 10, "{model} does not spin: {before:?} {after:?}");
    // Those who are served notice nothing.
    for _ in 0..100 {
        exchange(&mut early, b"hello");
    }
    let totals = server.handle.totals();
    assert!(totals.accepted < LATE as u64 / 2, "{model} had no descriptors for all");
    assert_eq!(totals.accepted, server.handle.connections() as u64, "{model} ended a connection: {totals}");
    assert_eq!(said.all(), ["ready", "descriptors"]);

    drop(hoard);
    for stream in &mut late {
        exchange(stream, b"hello");
    }
    rlimit::setrlimit(Resource::NOFILE, hard, hard).unwrap();
    drop(late);
    let totals = server.stop();
    assert_eq!((totals.accepted, totals.failed, totals.cut_off), (1 + LATE as u64, 0, 0), "{totals}");
}

/// With whatever few descriptors there are: it serves a client, or has not said that it is ready.
fn does_not_begin_without_descriptors(model: Model) {
    let hard = rlimit::getrlimit(Resource::NOFILE).unwrap().1;
    for free in 0..16 {
        let said = Said::default();
        let server_options = Options { threads: 2.try_into().unwrap(), ..options(model) };
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), server_options).unwrap();
        let (address, handle) = (server.local_addr(), server.handle());
        let client = pentaport::socket::Socket::tcp(&address).unwrap();
        rlimit::setrlimit(Resource::NOFILE, LIMIT, hard).unwrap();
        let mut hoard = hoard();
        hoard.truncate(hoard.len() - free);
        let its = said.clone();
        let thread = std::thread::spawn(move || server.run_observed(Echo, its));
        wait_until("it is ready, or has ended", || !said.all().is_empty() || thread.is_finished());
        if said.all().is_empty() {
            let error = thread.join().unwrap().unwrap_err();
            let shortage = error.get_ref().and_then(|error| error.downcast_ref::<Shortage>()).expect("a shortage");
            assert_eq!(shortage.resource(), pentaport_server::Resource::Descriptors, "{model}, {free}: {error}");
        } else {
            client.set_receive_timeout(Some(DEADLINE)).unwrap();
            client.connect(&address).unwrap();
            exchange(&mut { client }, b"hello");
            handle.stop();
            assert_eq!(thread.join().unwrap().unwrap().accepted, 1, "{model}, {free}");
        }
        rlimit::setrlimit(Resource::NOFILE, hard, hard).unwrap();
    }
}
