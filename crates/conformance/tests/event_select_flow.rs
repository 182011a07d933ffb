//! WSAEventSelect under load: whoever acts on each signal, and on nothing else, misses nothing (V10, V11, V14, V29).
#![forbid(unsafe_code)]

use conformance::flow;
use conformance::network_fixture::{ACCEPT, READ, WRITE, Watch};
use conformance::raw::{listener, pair};
use std::thread;

#[test]
fn v10_v11_one_receive_for_each_signal_gets_all_bytes() {
    const BYTES: usize = 20_000;
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    thread::scope(|scope| {
        scope.spawn(|| {
            for length in (1..=7).cycle().scan(BYTES, |left, length| {
                let length = length.min(*left);
                *left -= length;
                (length > 0).then_some(length)
            }) {
                assert_eq!(peer.send(&[0x55; 7][..length]), Ok(length));
            }
        });
        flow::receive_once_each(&socket, BYTES, || take(&watch));
    });
}

#[test]
fn v10_arrivals_are_recorded_although_another_thread_receives() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    flow::receive_elsewhere(&peer, &socket, || watch.records(READ));
    watch.nothing();
}

#[test]
fn v10_v11_one_accept_for_each_signal_gets_all_connections() {
    let (listener, address) = listener();
    let watch = Watch::new(&listener, ACCEPT);
    flow::accept_once_each(&listener, address, || take(&watch));
    watch.nothing();
}

#[test]
fn v14_who_sends_until_refused_and_waits_sends_all() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    flow::send_until_refused(&peer, &socket, || watch.records(WRITE));
}

/// Waits for the signal and takes what is recorded, be it something or nothing.
fn take(watch: &Watch) {
    watch.is_signalled();
    watch.enumerate();
}
