//! WSAEventSelect under load: whoever acts on each signal, and on nothing else, misses nothing (V10, V11, V14, V29).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS};
use conformance::network_fixture::{ACCEPT, READ, WRITE, Watch, connection};
use conformance::raw::{listener, pair};
use pentaport::sys;
use std::sync::mpsc;
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
        let (mut received, mut length) = (0, 0);
        while received < BYTES {
            watch.is_signalled();
            watch.enumerate();
            // Sometimes less than there is, sometimes all, sometimes nothing is there any more.
            length = length % 23 + 1;
            match socket.recv(&mut [0; 23][..length]) {
                Ok(count) => received += count,
                Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
            }
        }
    });
}

#[test]
fn v10_arrivals_are_recorded_although_another_thread_receives() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    let (order, orders) = mpsc::channel();
    let (report, reports) = mpsc::channel();
    thread::scope(|scope| {
        let socket = &socket;
        scope.spawn(move || {
            for () in orders {
                assert_eq!(socket.recv(&mut [0; 8]), Ok(1));
                report.send(()).unwrap();
            }
        });
        for _ in 0..500 {
            assert_eq!(peer.send(b"."), Ok(1));
            watch.records(READ);
            order.send(()).unwrap();
            reports.recv_timeout(DEADLINE).expect("the other thread receives");
        }
        drop(order);
    });
    watch.nothing();
}

#[test]
fn v10_v11_one_accept_for_each_signal_gets_all_connections() {
    const CONNECTIONS: usize = 200;
    let (listener, address) = listener();
    let watch = Watch::new(&listener, ACCEPT);
    thread::scope(|scope| {
        let clients = scope.spawn(|| (0..CONNECTIONS).map(|_| connection(address)).collect::<Vec<_>>());
        let mut accepted = vec![];
        while accepted.len() < CONNECTIONS {
            watch.is_signalled();
            watch.enumerate();
            match listener.accept() {
                Ok((socket, _)) => accepted.push(socket),
                Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
            }
        }
        clients.join().unwrap()
    });
    watch.nothing();
}

#[test]
fn v14_who_sends_until_refused_and_waits_sends_all() {
    const BYTES: usize = 60_000_000;
    let (peer, socket) = pair();
    // If the sender is told nothing and gives up, the receiver does, too.
    peer.set_sol_option(sys::SO_RCVTIMEO, DEADLINE_MS as i32).expect("SO_RCVTIMEO");
    let watch = Watch::new(&socket, WRITE);
    watch.records(WRITE);
    thread::scope(|scope| {
        scope.spawn(|| peer.recv_exact(BYTES));
        let block = vec![0x55; 100_000];
        let mut sent = 0;
        while sent < BYTES {
            match socket.send(&block[..block.len().min(BYTES - sent)]) {
                Ok(count) => sent += count,
                Err(code) => {
                    assert_eq!(code, sys::WSAEWOULDBLOCK);
                    watch.records(WRITE);
                }
            }
        }
    });
}
