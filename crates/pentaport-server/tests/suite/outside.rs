//! What is sent from outside a handler.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pentaport_server::services::Discard;
use pentaport_server::{ConnectionId, Model, Options, SendError};

use super::harness::*;
use super::services::{Chat, Greeting};

pub(crate) fn reaches_a_client_that_is_silent(model: Model) {
    let server = Running::start(options(model), Discard);
    let mut stream = server.connect();
    wait_until("it is accepted", || server.handle.totals().accepted == 1);
    let id = ConnectionId::new(1);
    for round in 0..100 {
        let message = pattern(round, 100);
        server.handle.send(id, &message).unwrap();
        let mut answer = [0; 100];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer[..], message);
    }
    assert_eq!(server.handle.send(ConnectionId::new(2), b"?"), Err(SendError::Gone));
    drop(stream);
    wait_until("it has left", || server.handle.connections() == 0);
    assert_eq!(server.handle.send(id, b"?"), Err(SendError::Gone));
}

pub(crate) fn a_client_that_never_reads_refuses_more(model: Model) {
    let options = Options { send_queue_limit: 10_000, ..options(model) };
    let server = Running::start(options, Discard);
    let mut stream = server.connect();
    wait_until("it is accepted", || server.handle.totals().accepted == 1);
    let (id, mut sent) = (ConnectionId::new(1), Vec::new());
    wait_until("the queue is full and stays so", || {
        let message = pattern(sent.len() as u64, 5000);
        let before = server.handle.totals();
        match server.handle.send(id, &message) {
            Ok(()) => {
                sent.extend_from_slice(&message);
                false
            }
            Err(error) => {
                assert_eq!(error, SendError::Full);
                thread::sleep(Duration::from_millis(20));
                server.handle.totals() == before
            }
        }
    });
    assert!(server.handle.totals().queue_peak <= 10_000);
    // All that was taken arrives, in order.
    let mut answer = vec![0; sent.len()];
    stream.read_exact(&mut answer).unwrap();
    assert!(answer == sent);
}

pub(crate) fn what_was_sent_before_a_stop_arrives(model: Model) {
    let options = Options { drain: Duration::from_secs(60), ..options(model) };
    let server = Running::start(options, Greeting(b"hello ".to_vec()));
    let mut stream = server.connect();
    wait_until("it is accepted", || server.handle.totals().accepted == 1);
    server.handle.send(ConnectionId::new(1), b"and farewell").unwrap();
    server.handle.stop();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all, "hello and farewell");
    drop(stream);
    assert_eq!(server.join().cut_off, 0);
}

pub(crate) fn a_chat_of_50_hears_every_message_of_each(model: Model) {
    const MEMBERS: usize = 50;
    const MESSAGES: usize = 20;
    let server = Running::start_with(options(model), |handle| Arc::new(Chat::new(handle)));
    let streams: Vec<_> = (0..MEMBERS).map(|_| server.connect()).collect();
    wait_until("all are there", || server.handle.totals().accepted == MEMBERS as u64);
    let members: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(member, mut stream)| {
            thread::spawn(move || {
                for message in 0..MESSAGES {
                    stream.write_all(format!("{member:03} {message:03}\n").as_bytes()).unwrap();
                }
                let mut heard = vec![0; 8 * MEMBERS * MESSAGES];
                stream.read_exact(&mut heard).unwrap();
                heard
            })
        })
        .collect();
    for member in members {
        let heard = String::from_utf8(member.join().unwrap()).unwrap();
        let mut next = [0; MEMBERS];
        for line in heard.lines() {
            let (member, message) = line.split_once(' ').unwrap();
            let member: usize = member.parse().unwrap();
            assert_eq!(message.parse::<usize>().unwrap(), next[member], "in the order of {member}");
            next[member] += 1;
        }
        assert_eq!(next, [MESSAGES; MEMBERS]);
    }
    let totals = server.stop();
    assert_eq!(totals.bytes_out, (8 * MEMBERS * MEMBERS * MESSAGES) as u64);
}
