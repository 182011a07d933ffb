//! WSAAsyncSelect under load: whoever acts on each message, and on nothing else, misses nothing (A14, A15, A17, A19,
//! A23).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS};
use conformance::network_fixture::{ACCEPT, Inbox, READ, WRITE, connection};
use conformance::raw::{listener, pair};
use pentaport::sys;
use std::sync::mpsc;
use std::thread;

#[test]
fn a15_a17_one_receive_for_each_message_gets_all_bytes() {
    const SENDS: usize = 5_000;
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    thread::scope(|scope| {
        scope.spawn(|| (0..SENDS).for_each(|_| assert_eq!(peer.send(b"four"), Ok(4))));
        let (mut received, mut length) = (0, 0);
        while received < SENDS * 4 {
            inbox.gets(&socket, READ);
            // Sometimes less than there is, sometimes all.
            length = length % 23 + 1;
            match socket.recv(&mut [0; 23][..length]) {
                Ok(count) => received += count,
                Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
            }
        }
    });
}

#[test]
fn a14_a15_a_receive_by_another_thread_re_enables() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
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
            inbox.gets(socket, READ);
            order.send(()).unwrap();
            reports.recv_timeout(DEADLINE).expect("the other thread receives");
        }
        drop(order);
    });
    inbox.nothing();
}

#[test]
fn a15_a17_one_accept_for_each_message_gets_all_connections() {
    const CONNECTIONS: usize = 200;
    let (listener, address) = listener();
    let inbox = Inbox::of(&listener, ACCEPT);
    thread::scope(|scope| {
        let clients = scope.spawn(|| (0..CONNECTIONS).map(|_| connection(address)).collect::<Vec<_>>());
        let mut accepted = vec![];
        while accepted.len() < CONNECTIONS {
            inbox.gets(&listener, ACCEPT);
            match listener.accept() {
                Ok((socket, _)) => accepted.push(socket),
                Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
            }
        }
        clients.join().unwrap()
    });
    inbox.nothing();
}

#[test]
fn a23_who_sends_until_refused_and_waits_sends_all() {
    const BYTES: usize = 60_000_000;
    let (peer, socket) = pair();
    // If the sender is told nothing and gives up, the receiver does, too.
    peer.set_sol_option(sys::SO_RCVTIMEO, DEADLINE_MS as i32).expect("SO_RCVTIMEO");
    let inbox = Inbox::of(&socket, WRITE);
    inbox.gets(&socket, WRITE);
    thread::scope(|scope| {
        scope.spawn(|| peer.recv_exact(BYTES));
        let block = vec![0x55; 100_000];
        let mut sent = 0;
        while sent < BYTES {
            match socket.send(&block[..block.len().min(BYTES - sent)]) {
                Ok(count) => sent += count,
                Err(code) => {
                    assert_eq!(code, sys::WSAEWOULDBLOCK);
                    inbox.gets(&socket, WRITE);
                }
            }
        }
    });
}
