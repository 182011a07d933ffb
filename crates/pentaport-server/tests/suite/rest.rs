//! Servers at rest, and many connections of which few are busy.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use pentaport::overlapped::sleep_alertable;
use pentaport_server::services::Echo;
use pentaport_server::{Connection, Model, Options, Reply, Service};

use super::harness::*;

pub(crate) fn sleeps_with_no_clients_and_with_idle_ones(model: Model) {
    let server = Running::start(options(model), Echo);
    server.wait_for_rest();
    let mut clients: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for stream in &mut clients {
        exchange(stream, b"hello");
    }
    server.wait_for_rest();
    drop(clients);
    wait_until("all have left", || server.handle.connections() == 0);
    server.wait_for_rest();
    exchange(&mut server.connect(), b"hello");
}

pub(crate) fn serves_a_few_among_1000_that_are_idle(model: Model) {
    let server = Running::start(options(model), Echo);
    let mut idle: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    wait_until("all are accepted", || server.handle.connections() == 1000);
    server.wait_for_rest();
    for round in 0..50 {
        for stream in idle.iter_mut().step_by(100) {
            exchange(stream, &pattern(round, 1000));
        }
    }
    // Whoever was idle for long is served like the others.
    for stream in &mut idle {
        exchange(stream, b"hello");
    }
    drop(idle);
    wait_until("all have left", || server.handle.connections() == 0);
    assert_eq!(server.stop().closed, 1000);
}

/// An echo whose handler, asked to, waits alertably, as calls of Winsock that block do.
#[derive(Default)]
struct Waiting {
    waits: AtomicBool,
}

impl Service for Waiting {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        if data == b"wait" {
            self.waits.store(true, SeqCst);
            let _ = (0..20).find(|_| sleep_alertable(Some(Duration::from_millis(10))));
        }
        reply.send(data);
    }
}

/// Under overlapped-routine the routines of others run in that wait, and what they tell must not be left lying.
pub(crate) fn a_handler_that_waits_alertably_leaves_nobody_waiting(model: Model) {
    let service = Arc::new(Waiting::default());
    let options = Options { threads: 1.try_into().unwrap(), ..options(model) };
    let server = Running::start(options, Arc::clone(&service));
    let (mut slow, mut other) = (server.connect(), server.connect());
    exchange(&mut slow, b"hello");
    exchange(&mut other, b"hello");
    slow.write_all(b"wait").unwrap();
    wait_until("the handler waits", || service.waits.load(SeqCst));
    exchange(&mut other, b"hello");
    let mut answer = [0; 4];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"wait");
}
