//! Programs that act on each notice of a network event, and on nothing else. They miss nothing, whatever tells them: `told`
//! waits for the next notice.

use crate::fixture::{DEADLINE, DEADLINE_MS};
use crate::network_fixture::connection;
use crate::raw::Socket;
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

/// Receives so many bytes, once for each notice.
pub fn receive_once_each(socket: &Socket, bytes: usize, mut told: impl FnMut()) {
    let (mut received, mut length) = (0, 0);
    while received < bytes {
        told();
        // Sometimes less than there is, sometimes all; by event sometimes nothing is there any more.
        length = length % 23 + 1;
        match socket.recv(&mut [0; 23][..length]) {
            Ok(count) => received += count,
            Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
        }
    }
}

/// Has another thread receive each of the bytes that `peer` sends, one by one, as soon as this one is told.
pub fn receive_elsewhere(peer: &Socket, socket: &Socket, mut told: impl FnMut()) {
    let (order, orders) = mpsc::channel();
    let (report, reports) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for () in orders {
                assert_eq!(socket.recv(&mut [0; 8]), Ok(1));
                report.send(()).unwrap();
            }
        });
        for _ in 0..500 {
            assert_eq!(peer.send(b"."), Ok(1));
            told();
            order.send(()).unwrap();
            reports.recv_timeout(DEADLINE).expect("the other thread receives");
        }
        drop(order);
    });
}

/// Accepts 200 connections, once for each notice.
pub fn accept_once_each(listener: &Socket, address: SocketAddr, mut told: impl FnMut()) {
    const CONNECTIONS: usize = 200;
    thread::scope(|scope| {
        let clients = scope.spawn(|| (0..CONNECTIONS).map(|_| connection(address)).collect::<Vec<_>>());
        let mut accepted = vec![];
        while accepted.len() < CONNECTIONS {
            told();
            match listener.accept() {
                Ok((socket, _)) => accepted.push(socket),
                Err(code) => assert_eq!(code, sys::WSAEWOULDBLOCK),
            }
        }
        clients.join().unwrap()
    });
}

/// Sends 60 MB until refused, and on when it is told that there is room.
pub fn send_until_refused(peer: &Socket, socket: &Socket, mut told: impl FnMut()) {
    const BYTES: usize = 60_000_000;
    // If the sender is told nothing and gives up, the receiver does, too.
    peer.set_sol_option(sys::SO_RCVTIMEO, DEADLINE_MS as i32).expect("SO_RCVTIMEO");
    told();
    thread::scope(|scope| {
        scope.spawn(|| peer.recv_exact(BYTES));
        let block = vec![0x55; 100_000];
        let mut sent = 0;
        while sent < BYTES {
            match socket.send(&block[..block.len().min(BYTES - sent)]) {
                Ok(count) => sent += count,
                Err(code) => {
                    assert_eq!(code, sys::WSAEWOULDBLOCK);
                    told();
                }
            }
        }
    });
}
