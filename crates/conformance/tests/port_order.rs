//! Which of the waiting threads gets a packet (P11).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS};
use conformance::raw::{Port, Request, Socket, pair};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How many threads wait in the test of P11: five have 120 orders, of which one is right.
const WAITERS: usize = 5;

/// P11: the thread that began to wait last gets the packet.
///
/// No call says whether a thread is in its wait already, so each is given some time to get there. A round in which that
/// was too short shows another order; then the time grows. Ten rounds must show exactly the order of a stack, of at most
/// a hundred: an order by chance, first in or the like, shows it in one round of 120 or never.
fn waiters_are_released_last_in_first_out(send_packet: impl Fn(&Port, usize)) {
    let port = Arc::new(Port::new(0xFFFF));
    let (sender, got) = mpsc::channel();
    let begin: Vec<Sender<()>> = (0..WAITERS)
        .map(|waiter| {
            let (begin, begun) = mpsc::channel();
            let (port, sender) = (port.clone(), sender.clone());
            thread::spawn(move || {
                while begun.recv().is_ok() {
                    assert!(port.get(DEADLINE_MS).ok);
                    sender.send(waiter).unwrap();
                }
            });
            begin
        })
        .collect();

    let pause = AtomicU32::new(2);
    let mut as_a_stack = 0;
    for round in 0..100 {
        for waiter in &begin {
            waiter.send(()).unwrap();
            thread::sleep(Duration::from_millis(u64::from(pause.load(Ordering::Relaxed))));
        }
        let order: Vec<usize> = (0..WAITERS)
            .map(|packet| {
                send_packet(&port, round * WAITERS + packet);
                got.recv_timeout(DEADLINE).expect("nobody got the packet")
            })
            .collect();
        if order.iter().rev().copied().eq(0..WAITERS) {
            as_a_stack += 1;
            if as_a_stack == 10 {
                return;
            }
        } else {
            pause.store((pause.load(Ordering::Relaxed) * 2).min(64), Ordering::Relaxed);
        }
    }
    panic!("{as_a_stack} of 100 rounds released the waiters last in, first out");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet does not go to the latest waiter")]
fn p11_the_latest_waiter_gets_a_posted_packet() {
    waiters_are_released_last_in_first_out(|port, packet| port.post(0, packet, 0).unwrap());
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet does not go to the latest waiter")]
fn p11_the_latest_waiter_gets_the_packet_of_a_socket() {
    let pairs: Mutex<Vec<(Socket, Socket)>> = Mutex::default();
    waiters_are_released_last_in_first_out(|port, _| {
        let mut pairs = pairs.lock().unwrap();
        if pairs.is_empty() {
            let (peer, socket) = pair();
            port.associate(&socket, 1).unwrap();
            pairs.push((peer, socket));
        }
        let (peer, socket) = &pairs[0];
        assert!(socket.wsa_recv(Request::new(1)).started());
        peer.send(b"x").unwrap();
    });
}

/// P11: the packets come at once. Each thread takes one, and the one that began to wait last the first.
fn a_burst_goes_to_the_latest_waiters(port: Port) {
    let port = Arc::new(port);
    let mut right = 0;
    for round in 0..40 {
        let (sender, got) = mpsc::channel();
        let threads: Vec<JoinHandle<()>> = (0..WAITERS)
            .map(|waiter| {
                let (port, sender) = (port.clone(), sender.clone());
                let thread = thread::spawn(move || {
                    let packet = port.get(DEADLINE_MS);
                    assert!(packet.ok);
                    sender.send((waiter, packet.key)).unwrap();
                });
                thread::sleep(Duration::from_millis(5 + round));
                thread
            })
            .collect();
        (0..WAITERS).for_each(|key| port.post(0, key, 0).unwrap());
        let all_right = (0..WAITERS)
            .map(|_| got.recv_timeout(DEADLINE).expect("a packet is lost"))
            .fold(true, |right, (waiter, key)| right && waiter + key == WAITERS - 1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        right += u32::from(all_right);
        if right == 5 {
            return;
        }
    }
    panic!("{right} of 40 bursts went to the waiters last in, first out");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet does not go to the latest waiter")]
fn p11_a_burst_goes_to_the_latest_waiters() {
    a_burst_goes_to_the_latest_waiters(Port::new(0xFFFF));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the packet does not go to the latest waiter")]
fn p11_a_burst_on_a_port_with_sockets_goes_to_the_latest_waiters() {
    let port = Port::new(0xFFFF);
    let (_peer, socket) = pair();
    port.associate(&socket, WAITERS).unwrap();
    assert!(socket.wsa_recv(Request::new(1)).started());
    a_burst_goes_to_the_latest_waiters(port);
}
