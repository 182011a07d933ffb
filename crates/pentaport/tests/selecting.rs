//! `select`.

mod common;

use common::*;
use pentaport::select::{SelectSet, select};
use pentaport::socket::{Family, Socket, SocketId};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

fn set<'a>(sockets: impl IntoIterator<Item = &'a Socket>) -> SelectSet {
    let mut set = SelectSet::new();
    set.extend(sockets);
    set
}

fn ids(set: &SelectSet) -> Vec<SocketId> {
    set.iter().collect()
}

#[test]
fn a_set_counts_and_forgets() {
    let sockets = [0, 1, 2].map(|_| Socket::stream(Family::V4).unwrap());
    let mut all = set(&sockets);
    assert_eq!(ids(&all), sockets.each_ref().map(Socket::id));
    assert!(all.remove(sockets[0].id()) && !all.remove(sockets[0].id()));
    assert!(!all.contains(sockets[0].id()) && all.contains(sockets[1].id()));
    let mut copy = SelectSet::with_capacity(2);
    copy.insert(&sockets[0]);
    copy.copy_from(&all);
    assert_eq!((ids(&copy), copy.len()), (ids(&all), 2));
    copy.clear();
    assert!(copy.is_empty());
    assert_eq!(all.len(), 2);
}

/// SEMANTICS S2: no limit of 64.
#[test]
fn three_hundred_sockets_in_one_call() {
    let listener = listener(V4);
    let pairs: Vec<(Socket, Socket)> = (0..300).map(|_| pair_by(&listener)).collect();
    let servers = pairs.iter().map(|(_, server)| server);
    let all = set(servers.clone());
    let mut read = SelectSet::with_capacity(all.len());

    read.copy_from(&all);
    assert_eq!(select(Some(&mut read), None, None, Some(Duration::ZERO)), Ok(0));
    assert!(read.is_empty());

    let speaking = [0, 63, 64, 65, 128, 299];
    for index in speaking {
        pairs[index].0.send_all(b"x").unwrap();
    }
    let expected: HashSet<SocketId> = speaking.map(|index| pairs[index].1.id()).into();
    until("all six are ready", || {
        read.copy_from(&all);
        select(Some(&mut read), None, None, Some(PATIENCE)) == Ok(speaking.len())
    });
    assert_eq!(read.iter().collect::<HashSet<_>>(), expected);
    // S7: in their order.
    assert_eq!(ids(&read), speaking.map(|index| pairs[index].1.id()));

    let mut write = set(servers);
    assert_eq!(select(None, Some(&mut write), None, None), Ok(300));
    assert_eq!(write.len(), 300);
}

/// SEMANTICS S8: a socket in two sets counts twice.
#[test]
fn each_set_keeps_what_is_ready_in_it() {
    let (client, server) = pair();
    client.send_all(b"x").unwrap();
    let mut read = set([&server]);
    assert_eq!(select(Some(&mut read), None, None, Some(PATIENCE)), Ok(1));
    let (mut read, mut write, mut except) = (set([&server, &client]), set([&client, &server]), set([&client, &server]));
    let ready = select(Some(&mut read), Some(&mut write), Some(&mut except), Some(PATIENCE));
    assert_eq!(ready, Ok(3));
    assert_eq!(ids(&read), [server.id()]);
    assert_eq!(ids(&write), [client.id(), server.id()]);
    assert!(except.is_empty());
}

#[test]
fn a_wait_is_never_shorter_than_asked_for() {
    let (_client, server) = pair();
    for time in [Duration::from_millis(5), Duration::from_micros(300), Duration::from_nanos(1)] {
        let start = Instant::now();
        assert_eq!(select(Some(&mut set([&server])), None, None, Some(time)), Ok(0));
        assert!(start.elapsed() >= time);
    }
}

#[test]
fn a_wait_without_end_ends_when_something_happens() {
    let (client, server) = pair();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| select(Some(&mut set([&server])), None, None, None));
        client.send_all(b"x").unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(1));
    });
}

#[test]
fn nothing_to_wait_for_is_an_error() {
    let timeout = Some(Duration::from_secs(3600));
    let error = select(None, None, None, timeout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = select(Some(&mut SelectSet::new()), None, None, timeout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// SEMANTICS S14: and the sets are as they were.
#[test]
fn a_closed_socket_is_an_error() {
    let (client, server) = pair();
    let mut read = set([&server, &client]);
    let gone = server.id();
    drop(server);
    let error = select(Some(&mut read), None, None, None).unwrap_err();
    assert_eq!(error.name(), Some("WSAENOTSOCK"));
    assert_eq!(read.len(), 2);
    assert!(read.remove(gone));
}

/// SEMANTICS S21, S27, S29.
#[test]
fn a_connect_ends_in_the_write_set_or_in_the_except_set() {
    let listener = listener(V4);
    let socket = Socket::stream(Family::V4).unwrap();
    socket.set_nonblocking(true).unwrap();
    let made = socket.connect(&listener.local_addr().unwrap());
    assert!(made.is_ok() || made.unwrap_err().kind() == ErrorKind::WouldBlock);
    let (mut write, mut except) = (set([&socket]), set([&socket]));
    assert_eq!(select(None, Some(&mut write), Some(&mut except), Some(PATIENCE)), Ok(1));
    assert!(write.contains(socket.id()) && except.is_empty());
    assert_eq!(socket.last_connect_error(), Ok(None));

    let (_reserved, nobody) = nobody();
    let socket = Socket::stream(Family::V4).unwrap();
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.connect(&nobody).unwrap_err().kind(), ErrorKind::WouldBlock);
    let (mut write, mut except) = (set([&socket]), set([&socket]));
    assert_eq!(select(None, Some(&mut write), Some(&mut except), Some(PATIENCE)), Ok(1));
    assert!(except.contains(socket.id()) && write.is_empty());
    for _ in 0..2 {
        let reason = socket.last_connect_error().unwrap().expect("a reason");
        assert_eq!(reason.kind(), ErrorKind::ConnectionRefused);
    }
}
