//! Servers at rest, and many connections of which few are busy.

use pentaport_server::Model;
use pentaport_server::services::Echo;

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
