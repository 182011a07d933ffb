//! WSAAsyncSelect under load: whoever acts on each message, and on nothing else, misses nothing (A14, A15, A17, A19,
//! A23).
#![forbid(unsafe_code)]

use conformance::flow;
use conformance::network_fixture::{ACCEPT, Inbox, READ, WRITE};
use conformance::raw::{listener, pair};
use std::thread;

#[test]
fn a15_a17_one_receive_for_each_message_gets_all_bytes() {
    const SENDS: usize = 5_000;
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    thread::scope(|scope| {
        scope.spawn(|| (0..SENDS).for_each(|_| assert_eq!(peer.send(b"four"), Ok(4))));
        flow::receive_once_each(&socket, SENDS * 4, || inbox.gets(&socket, READ));
    });
}

#[test]
fn a14_a15_a_receive_by_another_thread_re_enables() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    flow::receive_elsewhere(&peer, &socket, || inbox.gets(&socket, READ));
    inbox.nothing();
}

#[test]
fn a15_a17_one_accept_for_each_message_gets_all_connections() {
    let (listener, address) = listener();
    let inbox = Inbox::of(&listener, ACCEPT);
    flow::accept_once_each(&listener, address, || inbox.gets(&listener, ACCEPT));
    inbox.nothing();
}

#[test]
fn a23_who_sends_until_refused_and_waits_sends_all() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, WRITE);
    flow::send_until_refused(&peer, &socket, || inbox.gets(&socket, WRITE));
}
