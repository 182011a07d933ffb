//! Sockets selected on a message queue.

mod common;

use common::*;
use pentaport::async_select::{Message, MessageQueue, NetworkEvents, NetworkMessage, PostedMessage, Poster, Woken};
use pentaport::event_select::{self, Event};
use pentaport::socket::{Family, Shutdown, Socket};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const ACCEPT: NetworkEvents = NetworkEvents::ACCEPT;
const CLOSE: NetworkEvents = NetworkEvents::CLOSE;
const CONNECT: NetworkEvents = NetworkEvents::CONNECT;
const READ: NetworkEvents = NetworkEvents::READ;
const WRITE: NetworkEvents = NetworkEvents::WRITE;

const NO_TIME: Option<Duration> = Some(Duration::ZERO);

fn next(queue: &MessageQueue) -> Message {
    queue.wait(Some(PATIENCE)).expect("a queue").expect("a message in time")
}

fn next_network(queue: &MessageQueue) -> NetworkMessage {
    match next(queue) {
        Message::Network(message) => message,
        other => panic!("{other:?}"),
    }
}

/// Asserts that the next message is a success of this event on this socket.
#[track_caller]
fn expect(queue: &MessageQueue, socket: &Socket, event: NetworkEvents) {
    assert_eq!(next_network(queue), NetworkMessage { socket: socket.id(), event, error: None });
}

fn posted(number: u32, wparam: usize, lparam: isize) -> Message {
    Message::Posted(PostedMessage { number, wparam, lparam })
}

/// Asserts that nothing is queued, not even what takes its time: whatever the sockets have to tell precedes the message
/// that this thread posts to itself once `settled`.
#[track_caller]
fn expect_nothing(queue: &MessageQueue, mut settled: impl FnMut() -> bool) {
    until("the network has settled", &mut settled);
    queue.poster().post(4711, 0, 0).expect("posted");
    assert_eq!(next(queue), posted(4711, 0, 0));
}

#[test]
fn an_accepted_connection_writes_reads_and_closes() {
    let queue = MessageQueue::new().unwrap();
    let listener = listener(V4);
    queue.select(&listener, ACCEPT).unwrap();
    let client = connected_to(&listener);
    expect(&queue, &listener, ACCEPT);
    let (server, _) = listener.accept().unwrap();
    queue.select(&server, READ | WRITE | CLOSE).unwrap();
    expect(&queue, &server, WRITE);

    client.send_all(b"hello").unwrap();
    expect(&queue, &server, READ);
    let mut buffer = [0; 3];
    assert_eq!(server.recv(&mut buffer), Ok(3));
    expect(&queue, &server, READ);
    assert_eq!(server.recv(&mut buffer), Ok(2));
    expect_nothing(&queue, || true);

    client.shutdown(Shutdown::Send).unwrap();
    expect(&queue, &server, CLOSE);
    assert_eq!(server.recv(&mut buffer), Ok(0));
    server.send_all(b"bye").unwrap();
    drop(server);
    assert_eq!(client.recv_to_end().unwrap(), b"bye");
    expect_nothing(&queue, || true);
}

/// SEMANTICS A14, A18: one message for each event that was enabled.
#[test]
fn one_message_until_the_event_is_enabled_again() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, READ).unwrap();
    client.send_all(b"one").unwrap();
    expect(&queue, &server, READ);
    client.send_all(b"two").unwrap();
    expect_nothing(&queue, || server.available() == Ok(6));
    assert_eq!(server.recv(&mut [0; 1]), Ok(1));
    expect(&queue, &server, READ);

    let listener = listener(V4);
    queue.select(&listener, ACCEPT).unwrap();
    let _clients = [connected_to(&listener), connected_to(&listener)];
    expect(&queue, &listener, ACCEPT);
    expect_nothing(&queue, || true);
    let _first = listener.accept().unwrap();
    expect(&queue, &listener, ACCEPT);
    let _second = listener.accept().unwrap();
    expect_nothing(&queue, || true);
}

#[test]
fn an_accepted_socket_inherits_the_selection() {
    let queue = MessageQueue::new().unwrap();
    let listener = listener(V4);
    queue.select(&listener, ACCEPT | WRITE | READ).unwrap();
    let client = connected_to(&listener);
    expect(&queue, &listener, ACCEPT);
    let (server, _) = listener.accept().unwrap();
    expect(&queue, &server, WRITE);
    client.send_all(b"x").unwrap();
    expect(&queue, &server, READ);
}

#[test]
fn a_connect_succeeds_or_tells_why_not() {
    let queue = MessageQueue::new().unwrap();
    let listener = listener(V4);
    let client = Socket::stream(Family::V4).unwrap();
    queue.select(&client, CONNECT | WRITE).unwrap();
    let made = client.connect(&listener.local_addr().unwrap());
    assert!(made.is_ok() || made.unwrap_err().kind() == ErrorKind::WouldBlock);
    expect(&queue, &client, CONNECT);
    expect(&queue, &client, WRITE);

    let (_reserved, nobody) = nobody();
    let client = Socket::stream(Family::V4).unwrap();
    queue.select(&client, CONNECT | WRITE).unwrap();
    assert_eq!(client.connect(&nobody).unwrap_err().kind(), ErrorKind::WouldBlock);
    let message = next_network(&queue);
    assert_eq!((message.socket, message.event), (client.id(), CONNECT));
    assert_eq!(message.error.map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
}

/// SEMANTICS A33.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE has no error after a reset (A33)")]
fn a_reset_is_a_close_with_an_error() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, CLOSE).unwrap();
    reset(client);
    let message = next_network(&queue);
    assert_eq!((message.socket, message.event), (server.id(), CLOSE));
    assert_eq!(message.error.map(|error| error.kind()), Some(ErrorKind::ConnectionAborted));
}

#[test]
fn room_is_told_of_after_a_send_that_found_none() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, WRITE).unwrap();
    expect(&queue, &server, WRITE);
    let block = vec![7; 1 << 20];
    let mut sent = 0;
    let refused = loop {
        match server.send(&block) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    expect_nothing(&queue, || true);
    let reader = thread::spawn(move || client.recv_to_end());
    expect(&queue, &server, WRITE);
    drop(server);
    assert_eq!(reader.join().unwrap().map(|data| data.len()), Ok(sent));
}

/// SEMANTICS A5: what was queued before is left out.
#[test]
fn what_is_cancelled_is_not_told_of_and_can_block_again() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, READ | WRITE).unwrap(); // WRITE is queued by now
    assert_eq!(server.set_nonblocking(false).unwrap_err().name(), Some("WSAEINVAL"));
    queue.cancel(&server).unwrap();
    client.send_all(b"x").unwrap();
    expect_nothing(&queue, || server.available() == Ok(1));
    server.set_nonblocking(false).unwrap();
    assert_eq!(server.recv(&mut [0]), Ok(1));
}

/// SEMANTICS A21, and no doubles of what was queued for the first selection.
#[test]
fn selecting_anew_tells_of_what_holds_once() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    client.send_all(b"x").unwrap();
    until("the data is there", || server.available() == Ok(1));
    for _ in 0..3 {
        queue.select(&server, READ).unwrap();
    }
    expect(&queue, &server, READ);
    expect_nothing(&queue, || true);
    queue.select(&server, READ).unwrap();
    expect(&queue, &server, READ);
}

/// SEMANTICS A6: messages of a closed socket are tolerated, and not taken for another's.
#[test]
fn late_messages_of_closed_sockets_are_not_anothers() {
    let queue = MessageQueue::new().unwrap();
    let listener = listener(V4);
    // Each leaves a CLOSE behind; numbers of closed sockets come again and again.
    let mut alive = HashMap::new();
    for _ in 0..40 {
        for _ in 0..20 {
            let (client, server) = pair_by(&listener);
            queue.select(&server, CLOSE).unwrap();
            drop(client);
        }
        let (client, server) = pair_by(&listener);
        queue.select(&server, CLOSE).unwrap();
        alive.insert(server.id(), (client, server));
    }
    queue.poster().post(1, 0, 0).unwrap();
    loop {
        match next(&queue) {
            Message::Network(NetworkMessage { socket, .. }) => {
                assert!(!alive.contains_key(&socket), "nobody closed this one's peer");
            }
            Message::Posted(_) => break,
            Message::Quit(_) => unreachable!("nobody quits"),
        }
    }
    // Those that live are heard.
    let mut closed = 0;
    let ids: Vec<_> = alive.keys().copied().collect();
    for id in ids {
        let (client, server) = alive.remove(&id).unwrap();
        drop(client);
        expect(&queue, &server, CLOSE);
        closed += 1;
    }
    assert_eq!(closed, 40);
}

#[test]
fn events_and_messages_replace_each_other() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, READ).unwrap();
    let event = Event::manual_reset().unwrap();
    event_select::select(&server, &event, READ).unwrap();
    client.send_all(b"x").unwrap();
    assert_eq!(event.wait(Some(PATIENCE)), Ok(true));
    expect_nothing(&queue, || true);
    event.reset();
    queue.select(&server, READ).unwrap();
    expect(&queue, &server, READ);
    client.send_all(b"y").unwrap();
    assert_eq!(server.recv(&mut [0]), Ok(1));
    expect(&queue, &server, READ);
    assert!(!event.is_set());
}

#[test]
fn other_threads_post_in_their_order() {
    const EACH: usize = 500;
    let queue = MessageQueue::new().unwrap();
    let posters: Vec<_> = (0..4)
        .map(|number| {
            let poster = queue.poster();
            thread::spawn(move || {
                for index in 0..EACH {
                    poster.post(number, index, -(index as isize)).unwrap();
                }
            })
        })
        .collect();
    let mut counts = [0; 4];
    for _ in 0..4 * EACH {
        let Message::Posted(message) = next(&queue) else { panic!("posted messages only") };
        let count = &mut counts[message.number as usize];
        assert_eq!((message.wparam, message.lparam), (*count, -(*count as isize)));
        *count += 1;
    }
    assert_eq!(queue.peek(), Ok(None));
    for poster in posters {
        poster.join().unwrap();
    }
}

#[test]
fn numbers_have_a_limit() {
    let queue = MessageQueue::new().unwrap();
    let poster = queue.poster();
    poster.post(Poster::MAX_NUMBER, usize::MAX, isize::MIN).unwrap();
    assert_eq!(next(&queue), posted(Poster::MAX_NUMBER, usize::MAX, isize::MIN));
    let error = poster.post(Poster::MAX_NUMBER + 1, 0, 0).unwrap_err();
    assert_eq!(error.name(), Some("ERROR_INVALID_PARAMETER"));
}

#[test]
fn waits_have_an_end_and_events_come_first() {
    let queue = MessageQueue::new().unwrap();
    assert_eq!(queue.peek(), Ok(None));
    assert_eq!(queue.wait(NO_TIME), Ok(None));
    assert_eq!(queue.wait(Some(Duration::from_millis(5))), Ok(None));
    let events = [Event::auto_reset().unwrap(), Event::auto_reset().unwrap()];
    assert_eq!(queue.wait_any(&events, NO_TIME), Ok(None));
    queue.poster().post(1, 2, 3).unwrap();
    events[1].set();
    assert_eq!(queue.wait_any(&events, Some(PATIENCE)), Ok(Some(Woken::Event(1))));
    assert_eq!(queue.wait_any(&events, Some(PATIENCE)), Ok(Some(Woken::Message(posted(1, 2, 3)))));
    assert_eq!(queue.wait_any(&events, NO_TIME), Ok(None));
    let many: Vec<Event> = (0..64).map(|_| Event::manual_reset().unwrap()).collect();
    assert_eq!(queue.wait_any(&many, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
    assert_eq!(queue.wait_any(&many[1..], NO_TIME), Ok(None));
}

/// A wait for messages is ended by what happens on the network, and by an event that another thread sets.
#[test]
fn a_wait_is_ended_from_outside() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, READ).unwrap();
    let event = Event::auto_reset().unwrap();
    let (go, going) = mpsc::channel();
    let other = thread::spawn({
        let event = event.clone();
        move || {
            going.recv().unwrap();
            client.send_all(b"x").unwrap();
            going.recv().unwrap();
            event.set();
            client
        }
    });
    go.send(()).unwrap();
    let message = Message::Network(NetworkMessage { socket: server.id(), event: READ, error: None });
    assert_eq!(queue.wait_any(std::slice::from_ref(&event), Some(PATIENCE)), Ok(Some(Woken::Message(message))));
    go.send(()).unwrap();
    assert_eq!(queue.wait_any(&[&event], Some(PATIENCE)), Ok(Some(Woken::Event(0))));
    other.join().unwrap();
}

#[test]
fn quitting_comes_after_what_was_posted() {
    let queue = MessageQueue::new().unwrap();
    queue.quit(7);
    queue.poster().post(1, 0, 0).unwrap();
    assert_eq!(next(&queue), posted(1, 0, 0));
    assert_eq!(queue.get(), Ok(Message::Quit(7)));
    assert_eq!(queue.peek(), Ok(None));
}

#[test]
fn queues_sockets_and_posters_go_in_any_order() {
    let queue = MessageQueue::new().unwrap();
    let (client, server) = pair();
    queue.select(&server, READ | WRITE | CLOSE).unwrap();
    let poster = queue.poster();
    drop(queue);
    assert_eq!(poster.post(1, 0, 0).unwrap_err().name(), Some("ERROR_INVALID_WINDOW_HANDLE"));
    // The socket works without its queue, and goes to another.
    client.send_all(b"x").unwrap();
    until("the data is there", || server.available() == Ok(1));
    let queue = MessageQueue::new().unwrap();
    queue.select(&server, READ).unwrap();
    expect(&queue, &server, READ);
    assert_eq!(server.recv(&mut [0]), Ok(1));
    drop(server);
    expect_nothing(&queue, || true);
    // A new queue is not reached by the poster of an old one.
    assert_eq!(poster.post(1, 0, 0).unwrap_err().name(), Some("ERROR_INVALID_WINDOW_HANDLE"));
}

#[test]
fn the_queue_of_a_thread_that_ends_goes_with_it() {
    let (tell, told) = mpsc::channel();
    let (client, server) = pair();
    let thread = thread::spawn(move || {
        let queue = MessageQueue::new().unwrap();
        queue.select(&server, READ | CLOSE).unwrap();
        tell.send(queue.poster()).unwrap();
        assert!(matches!(next(&queue), Message::Posted(_)));
        server
    });
    let poster = told.recv().unwrap();
    poster.post(1, 0, 0).unwrap();
    let server = thread.join().unwrap();
    assert_eq!(poster.post(1, 0, 0).unwrap_err().name(), Some("ERROR_INVALID_WINDOW_HANDLE"));
    client.send_all(b"x").unwrap();
    until("the socket still works", || server.recv(&mut [0]) == Ok(1));
}

/// Two queues of one thread: what one takes out for the other reaches it.
#[test]
fn two_queues_of_a_thread_have_their_own_messages() {
    let (first, second) = (MessageQueue::new().unwrap(), MessageQueue::new().unwrap());
    second.poster().post(2, 0, 0).unwrap();
    first.poster().post(1, 0, 0).unwrap();
    assert_eq!(next(&first), posted(1, 0, 0));
    let event = Event::manual_reset().unwrap();
    assert_eq!(second.wait_any(&[&event], Some(PATIENCE)), Ok(Some(Woken::Message(posted(2, 0, 0)))));
    assert_eq!((first.peek(), second.peek()), (Ok(None), Ok(None)));
}

#[test]
fn a_thousand_connections_are_echoed() {
    const CLIENTS: usize = 1000;
    let queue = MessageQueue::new().unwrap();
    let listener = listener(V4);
    queue.select(&listener, ACCEPT).unwrap();
    let address = listener.local_addr().unwrap();
    let clients = thread::spawn(move || {
        let clients: Vec<Socket> = (0..CLIENTS)
            .map(|index| {
                let client = Socket::tcp(&address).unwrap();
                client.connect(&address).unwrap();
                client.set_receive_timeout(Some(PATIENCE)).unwrap();
                client.send_all(&index.to_le_bytes()).unwrap();
                client
            })
            .collect();
        for (index, client) in clients.iter().enumerate() {
            client.shutdown(Shutdown::Send).unwrap();
            assert_eq!(client.recv_to_end().unwrap(), index.to_le_bytes());
        }
    });
    let mut servers = HashMap::new();
    let mut gone = 0;
    while gone < CLIENTS {
        let message = next_network(&queue);
        if message.event == ACCEPT {
            let Ok((server, _)) = listener.accept() else { continue };
            queue.select(&server, READ | CLOSE).unwrap();
            servers.insert(server.id(), server);
            continue;
        }
        let Some(server) = servers.get(&message.socket) else { continue };
        let mut buffer = [0; 64];
        loop {
            match server.recv(&mut buffer) {
                Ok(0) => {
                    servers.remove(&message.socket);
                    gone += 1;
                    break;
                }
                Ok(count) => server.send_all(&buffer[..count]).unwrap(),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
    }
    clients.join().unwrap();
}
