//! Many connections on events: groups of 64 with a thread each, as the system's limit has it, and one wait set for all.

mod common;

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use common::*;
use pentaport::event_select::{self, Event, MAX_EVENTS, NetworkEvents, WaitSet, wait_any};
use pentaport::socket::Socket;

const GROUPS: usize = 4;
/// One event of each group says that there is something new.
const MEMBERS: usize = MAX_EVENTS - 1;
const ROUNDS: usize = 20;

/// Serves the connections that come, each on an event of its own, until all have left and no more can come.
fn serve_group(connections: &Receiver<Socket>, news: &Event) {
    let mut events = vec![news.clone()];
    let mut sockets: Vec<Socket> = Vec::new();
    let mut open = true;
    while open || !sockets.is_empty() {
        let index = wait_any(&events, Some(PATIENCE)).expect("a wait").expect("something happens");
        if index == 0 {
            news.reset();
            loop {
                match connections.try_recv() {
                    Ok(socket) => {
                        let event = Event::manual_reset().expect("an event");
                        let wanted = NetworkEvents::READ | NetworkEvents::CLOSE;
                        event_select::select(&socket, &event, wanted).expect("selected");
                        events.push(event);
                        sockets.push(socket);
                    }
                    Err(error) => {
                        open &= error == std::sync::mpsc::TryRecvError::Empty;
                        break;
                    }
                }
            }
            continue;
        }
        let socket = &sockets[index - 1];
        let record = event_select::enumerate(socket, Some(&events[index])).expect("a record");
        if record.contains(NetworkEvents::READ) {
            echo(socket);
        }
        if record.contains(NetworkEvents::CLOSE) {
            // The lowest index first: what comes behind has its turn when those before have nothing.
            sockets.remove(index - 1);
            events.remove(index);
        }
    }
}

fn echo(socket: &Socket) {
    let mut buffer = [0; 512];
    match socket.recv(&mut buffer) {
        Ok(count) => socket.send_all(&buffer[..count]).expect("sent"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
    }
}

/// Exchanges a message with each of these connections, again and again, and compares every byte.
fn converse(clients: &[Socket]) {
    for round in 0..ROUNDS {
        let message = |client: usize| -> Vec<u8> { (0..100).map(|at| (at * 7 + client + round) as u8).collect() };
        for (number, client) in clients.iter().enumerate() {
            client.send_all(&message(number)).expect("sent");
        }
        for (number, client) in clients.iter().enumerate() {
            let (wanted, mut got) = (message(number), Vec::new());
            let mut buffer = [0; 256];
            while got.len() < wanted.len() {
                let count = client.recv(&mut buffer).expect("an answer");
                assert!(count > 0, "closed early");
                got.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(got, wanted);
        }
    }
}

#[test]
fn four_threads_of_64_events_each() {
    let listener = listener(V4);
    thread::scope(|scope| {
        let groups: Vec<_> = (0..GROUPS)
            .map(|_| {
                let (sender, receiver) = channel();
                let news = Event::manual_reset().expect("an event");
                let group_news = news.clone();
                scope.spawn(move || serve_group(&receiver, &group_news));
                (sender, news)
            })
            .collect();
        let mut shares: Vec<Vec<Socket>> = (0..GROUPS).map(|_| Vec::new()).collect();
        for number in 0..GROUPS * MEMBERS {
            let (client, server) = pair_by(&listener);
            let (sender, news) = &groups[number % GROUPS];
            sender.send(server).expect("the group is there");
            news.set();
            shares[number / MEMBERS].push(client);
        }
        // Two talk at a time, so that every group is asked by several.
        for pair in shares.chunks(2) {
            thread::scope(|talking| {
                for clients in pair {
                    talking.spawn(|| converse(clients));
                }
            });
        }
        drop(shares);
        for (sender, news) in groups {
            drop(sender);
            news.set();
        }
    });
}

/// As many as a wait set is made for, or as the limit on descriptors lets be.
fn many() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    (limit.saturating_sub(300) as usize).min(10_000)
}

#[test]
fn one_wait_set_of_ten_thousand() {
    let set = WaitSet::new().expect("a wait set");
    let members: Vec<_> = (0..many())
        .map(|token| {
            let socket = datagram();
            let event = Event::manual_reset().expect("an event");
            event_select::select(&socket, &event, NetworkEvents::READ).expect("selected");
            set.add(&event, token).expect("added");
            (socket, event)
        })
        .collect();
    let sender = datagram();
    let mut tokens = vec![0; 256];
    // Some of them, all over the set; then all.
    for stride in [97, 1] {
        let chosen: Vec<usize> = (0..members.len()).step_by(stride).collect();
        // Not more at a time than the system keeps for the sender.
        for some in chosen.chunks(100) {
            for &token in some {
                let to = members[token].0.local_addr().expect("bound");
                assert_eq!(sender.send_to(&token.to_ne_bytes(), &to), Ok(size_of::<usize>()));
            }
            let mut seen = Vec::new();
            while seen.len() < some.len() {
                let count = set.wait(&mut tokens, Some(PATIENCE)).expect("a wait");
                assert!(count > 0, "{} of {} in time", seen.len(), some.len());
                for &token in &tokens[..count] {
                    let (socket, event) = &members[token];
                    let record = event_select::enumerate(socket, Some(event)).expect("a record");
                    assert_eq!(record.events(), NetworkEvents::READ);
                    let mut buffer = [0; size_of::<usize>()];
                    let (count, _) = socket.recv_from(&mut buffer).expect("a datagram");
                    assert_eq!((count, usize::from_ne_bytes(buffer)), (size_of::<usize>(), token));
                    seen.push(token);
                }
            }
            seen.sort_unstable();
            assert_eq!(seen, some);
        }
    }
    assert_eq!(set.wait(&mut tokens, Some(std::time::Duration::ZERO)), Ok(0), "nothing is left");
}
