//! A message queue keeps nothing of sockets that were selected on it and are closed.
//!
//! A test binary of its own, since what is counted is the process's.
#![forbid(unsafe_code)]

mod common;

use common::*;
use pentaport::async_select::{MessageQueue, NetworkEvents};
use pentaport::socket::Socket;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Sockets come and go, one at a time, without a word to the queue.
fn come_and_go(queue: &MessageQueue, count: usize) {
    for _ in 0..count {
        let socket = Socket::udp(&address(V4)).unwrap();
        queue.select(&socket, NetworkEvents::READ).unwrap();
    }
}

#[test]
fn sockets_that_were_selected_and_closed_leave_nothing() {
    let queue = MessageQueue::new().unwrap();
    // Tables take their size.
    come_and_go(&queue, 2_000);
    let before = counting::live_bytes();
    come_and_go(&queue, 8_000);
    let more = counting::live_bytes() - before;
    assert!(more < 8_000, "{more} bytes more after 8,000 sockets");
}
