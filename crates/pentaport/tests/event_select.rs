//! Sockets selected on events.

mod common;

use common::*;
use pentaport::event_select::{self, Event, NetworkEvents, NetworkRecord, wait_any};
use pentaport::socket::{Family, Shutdown, Socket};
use std::io::ErrorKind;
use std::thread;

const NONE: NetworkEvents = NetworkEvents::NONE;
const ACCEPT: NetworkEvents = NetworkEvents::ACCEPT;
const CLOSE: NetworkEvents = NetworkEvents::CLOSE;
const CONNECT: NetworkEvents = NetworkEvents::CONNECT;
const READ: NetworkEvents = NetworkEvents::READ;
const WRITE: NetworkEvents = NetworkEvents::WRITE;

fn event() -> Event {
    Event::manual_reset().expect("an event")
}

/// A socket with its event, as a server keeps it.
struct Selected {
    socket: Socket,
    event: Event,
}

impl Selected {
    fn new(socket: Socket, events: NetworkEvents) -> Self {
        let event = event();
        event_select::select(&socket, &event, events).expect("selected");
        Self { socket, event }
    }

    /// Waits for the event and takes the record.
    fn next(&self) -> NetworkRecord {
        assert_eq!(self.event.wait(Some(PATIENCE)), Ok(true), "an event in time");
        event_select::enumerate(&self.socket, Some(&self.event)).expect("a record")
    }

    /// Takes records until all of `events` were in one.
    fn until(&self, events: NetworkEvents) {
        let mut seen = NONE;
        while !seen.contains(events) {
            seen |= self.next().events();
        }
    }

    fn has_nothing(&self) -> bool {
        !self.event.is_set() && event_select::enumerate(&self.socket, None).expect("a record").is_empty()
    }
}

#[test]
fn an_accepted_connection_writes_reads_and_closes() {
    let listener = Selected::new(listener(V4), ACCEPT);
    let client = connected_to(&listener.socket);
    assert_eq!(listener.next().events(), ACCEPT);
    let (socket, _) = listener.socket.accept().unwrap();
    let server = Selected::new(socket, READ | WRITE | CLOSE);
    assert_eq!(server.next().events(), WRITE);
    assert!(server.has_nothing());

    client.send_all(b"hello").unwrap();
    assert_eq!(server.next().events(), READ);
    let mut buffer = [0; 3];
    // What is left is recorded again by the receive, what is not, is not.
    assert_eq!(server.socket.recv(&mut buffer), Ok(3));
    assert_eq!(server.next().events(), READ);
    assert_eq!(server.socket.recv(&mut buffer), Ok(2));
    assert!(server.has_nothing());

    client.shutdown(Shutdown::Send).unwrap();
    let record = server.next();
    assert_eq!((record.events(), record.error(CLOSE)), (CLOSE, None));
    assert_eq!(server.socket.recv(&mut buffer), Ok(0));
    // Half-closed: the other direction goes on.
    server.socket.send_all(b"bye").unwrap();
    drop(server);
    assert_eq!(client.recv_to_end().unwrap(), b"bye");
}

/// SEMANTICS V21: also the mode is inherited.
#[test]
fn an_accepted_socket_inherits_the_selection() {
    let listener = Selected::new(listener(V4), ACCEPT | WRITE | READ);
    let client = connected_to(&listener.socket);
    listener.until(ACCEPT);
    let (socket, _) = listener.socket.accept().unwrap();
    // The event is the listener's.
    assert_eq!(listener.event.wait(Some(PATIENCE)), Ok(true));
    let record = event_select::enumerate(&socket, Some(&listener.event)).unwrap();
    assert_eq!(record.events(), WRITE);
    assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.send_all(b"x").unwrap();
    assert_eq!(listener.event.wait(Some(PATIENCE)), Ok(true));
    assert_eq!(event_select::enumerate(&socket, None).unwrap().events(), READ);
    // `None` leaves the event set.
    assert!(listener.event.is_set());
}

#[test]
fn a_connect_succeeds_or_tells_why_not() {
    let listener = listener(V4);
    let client = Selected::new(Socket::stream(Family::V4).unwrap(), CONNECT | WRITE);
    let made = client.socket.connect(&listener.local_addr().unwrap());
    assert!(made.is_ok() || made.unwrap_err().kind() == ErrorKind::WouldBlock);
    let record = client.next();
    assert_eq!((record.events(), record.error(CONNECT)), (CONNECT | WRITE, None));

    let (_reserved, nobody) = nobody();
    let client = Selected::new(Socket::stream(Family::V4).unwrap(), CONNECT | WRITE);
    assert_eq!(client.socket.connect(&nobody).unwrap_err().kind(), ErrorKind::WouldBlock);
    let record = client.next();
    assert_eq!(record.events(), CONNECT);
    assert_eq!(record.error(CONNECT).map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
    assert_eq!(record.error(WRITE), None);
}

/// SEMANTICS A33, V20.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE has no error after a reset (A33, V20)")]
fn a_reset_is_a_close_with_an_error() {
    let (client, server) = pair();
    let server = Selected::new(server, READ | CLOSE);
    reset(client);
    let record = server.next();
    assert!(record.contains(CLOSE), "{record:?}");
    assert_eq!(record.error(CLOSE).map(|error| error.kind()), Some(ErrorKind::ConnectionAborted));
    let error = server.socket.recv(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted), "{error}");
}

#[test]
fn room_is_told_of_after_a_send_that_found_none() {
    let (client, server) = pair();
    let server = Selected::new(server, WRITE);
    assert_eq!(server.next().events(), WRITE);
    let block = vec![7; 1 << 20];
    let mut sent = 0;
    let refused = loop {
        match server.socket.send(&block) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert!(server.has_nothing());
    let reader = thread::spawn(move || client.recv_to_end());
    assert_eq!(server.next().events(), WRITE);
    drop(server);
    assert_eq!(reader.join().unwrap().map(|data| data.len()), Ok(sent));
}

/// SEMANTICS V10: in contrast to messages.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: new data is recorded only after a receive (V10)")]
fn new_data_is_recorded_without_a_receive() {
    let (client, server) = pair();
    let server = Selected::new(server, READ);
    for _ in 0..3 {
        client.send_all(b"x").unwrap();
        assert_eq!(server.next().events(), READ);
    }
}

#[test]
fn what_is_cancelled_is_not_told_of_and_can_block_again() {
    let (client, server) = pair();
    let server = Selected::new(server, READ);
    assert_eq!(server.socket.set_nonblocking(false).unwrap_err().name(), Some("WSAEINVAL"));
    event_select::cancel(&server.socket).unwrap();
    client.send_all(b"x").unwrap();
    until("the data is there", || server.socket.available() == Ok(1));
    assert!(server.has_nothing());
    server.socket.set_nonblocking(false).unwrap();
    assert_eq!(server.socket.recv(&mut [0]), Ok(1));
    client.send_all(b"y").unwrap();
    assert_eq!(server.socket.recv(&mut [0]), Ok(1));
}

#[test]
fn several_sockets_share_an_event() {
    let listener = listener(V4);
    let pairs: Vec<(Socket, Socket)> = (0..20).map(|_| pair_by(&listener)).collect();
    let shared = Event::auto_reset().unwrap();
    for (_, server) in &pairs {
        event_select::select(server, &shared, READ).unwrap();
    }
    for speaking in [3, 17] {
        pairs[speaking].0.send_all(b"x").unwrap();
        assert_eq!(shared.wait(Some(PATIENCE)), Ok(true));
        let reading: Vec<usize> = (0..pairs.len())
            .filter(|&index| !event_select::enumerate(&pairs[index].1, None).unwrap().is_empty())
            .collect();
        assert_eq!(reading, [speaking]);
    }
}

/// A selection needs the event only as long as somebody waits for it.
#[test]
fn the_event_may_go_before_the_socket_and_the_socket_before_the_event() {
    let (client, server) = pair();
    let server = Selected::new(server, READ | CLOSE);
    let Selected { socket, event: first } = server;
    drop(first);
    client.send_all(b"x").unwrap();
    // The record is there all the same, and goes to the event that comes in place of the first.
    until("the data is there", || socket.available() == Ok(1));
    let second = event();
    event_select::select(&socket, &second, READ | CLOSE).unwrap();
    assert_eq!(second.wait(Some(PATIENCE)), Ok(true));
    assert_eq!(event_select::enumerate(&socket, Some(&second)).unwrap().events(), READ);
    // A local close is no event.
    drop(socket);
    assert!(!second.is_set());
    second.set();
    assert!(second.is_set());
}

#[test]
fn an_event_that_takes_a_dropped_ones_place_is_its_own() {
    let (client, server) = pair();
    let server = Selected::new(server, READ);
    let Selected { socket, event: first } = server;
    drop(first);
    // Some of these may well get the handle that the first event had.
    let others: Vec<Event> = (0..1000).map(|_| event()).collect();
    client.send_all(b"x").unwrap();
    until("the data is recorded", || event_select::enumerate(&socket, None).unwrap().events() == READ);
    assert!(others.iter().all(|event| !event.is_set()));
}

#[test]
fn a_datagram_socket_writes_at_once_and_reads() {
    let socket = Selected::new(datagram(), READ | WRITE);
    assert_eq!(socket.next().events(), WRITE);
    let to = socket.socket.local_addr().unwrap();
    datagram().send_to(b"hello", &to).unwrap();
    assert_eq!(socket.next().events(), READ);
    assert_eq!(socket.socket.recv(&mut [0; 8]), Ok(5));
}

/// A group of the documents: as many sockets as one wait takes, by a thread of its own each.
#[test]
fn groups_of_64_are_served_by_a_thread_each() {
    let listener = listener(V4);
    let groups: Vec<thread::JoinHandle<()>> = (0..2)
        .map(|_| {
            let pairs: Vec<(Socket, Socket)> = (0..event_select::MAX_EVENTS).map(|_| pair_by(&listener)).collect();
            thread::spawn(move || {
                let (clients, servers): (Vec<Socket>, Vec<Socket>) = pairs.into_iter().unzip();
                let servers: Vec<Selected> = servers.into_iter().map(|s| Selected::new(s, READ)).collect();
                for (index, client) in clients.iter().enumerate() {
                    client.send_all(&[index as u8]).unwrap();
                }
                let events: Vec<&Event> = servers.iter().map(|server| &server.event).collect();
                let mut missing = servers.len();
                while missing > 0 {
                    let index = wait_any(&events, Some(PATIENCE)).unwrap().expect("an event in time");
                    let server = &servers[index];
                    let record = event_select::enumerate(&server.socket, Some(&server.event)).unwrap();
                    assert_eq!(record.events(), READ);
                    let mut buffer = [0; 2];
                    assert_eq!(server.socket.recv(&mut buffer), Ok(1));
                    assert_eq!(buffer[0], index as u8);
                    missing -= 1;
                }
            })
        })
        .collect();
    for group in groups {
        group.join().unwrap();
    }
}
