//! Operations on sockets at a port: accepting, connecting, datagrams, cancelling, waiting without a buffer.

mod common;

use common::*;
use pentaport::completion_port::{CompletionPort, Operation, OperationKind, Packet, PortSocket};
use pentaport::socket::{Family, Shutdown, Socket};
use std::collections::HashSet;
use std::io::ErrorKind;

fn port() -> CompletionPort<&'static str, usize> {
    CompletionPort::new(0).expect("a port")
}

fn operation(bytes: usize) -> Operation<usize> {
    Operation::new(vec![0; bytes], 0)
}

fn acceptor(listener: &PortSocket<&'static str, usize>) -> Socket {
    Socket::tcp(&listener.local_addr().expect("bound")).expect("a socket")
}

/// A pool of accept operations, each started again when it has served.
#[test]
fn a_pool_accepts_many() {
    for on in [V4, V6] {
        const POOL: usize = 3;
        const CLIENTS: usize = 12;
        let port = port();
        let listener = port.associate(listener(on), "listener").unwrap();
        for number in 0..POOL {
            let operation = Operation::new(Vec::new(), number);
            assert!(listener.accept(operation, acceptor(&listener)).unwrap().is_pending());
        }
        let mut callers = HashSet::new();
        for _ in 0..CLIENTS {
            let client = connected_to(&listener);
            let Packet { source, result, mut operation } = take(&port);
            assert_eq!((*source.key(), result), ("listener", Ok(0)));
            assert_eq!(operation.kind(), OperationKind::Accept);
            let accepted = operation.take_accepted().expect("a connection");
            assert!(operation.take_accepted().is_none(), "given once");
            assert_eq!(Ok(accepted.peer), client.local_addr());
            assert_eq!(Ok(accepted.local), listener.local_addr());
            assert_eq!(Ok(accepted.peer), accepted.socket.peer_addr());
            assert!(callers.insert(accepted.peer));
            // It is a socket like any other, and comes to a port like any other.
            let served = port.associate(accepted.socket, "client").unwrap();
            served.socket().send_all(b"welcome").unwrap();
            served.shutdown(Shutdown::Send).unwrap();
            assert_eq!(client.recv_to_end().unwrap(), b"welcome");
            assert!(listener.accept(operation, acceptor(&listener)).unwrap().is_pending());
        }
        assert_eq!((callers.len(), listener.pending()), (CLIENTS, POOL));
    }
}

/// SEMANTICS X10: only when the first data is there.
#[test]
fn an_accept_may_wait_for_the_first_data() {
    let port = port();
    let listener = port.associate(listener(V4), "listener").unwrap();
    let start = listener.accept_receive(operation(100), acceptor(&listener)).unwrap();
    assert!(start.is_pending());
    let client = connected_to(&listener);
    client.send_all(b"first words").unwrap();
    let mut packet = take(&port);
    assert_eq!(packet.result, Ok(11));
    assert_eq!(packet.operation.received(), b"first words");
    assert_eq!(packet.operation.buffer().len(), 100);
    let accepted = packet.operation.take_accepted().unwrap();
    assert_eq!(Ok(accepted.peer), client.local_addr());
    client.send_all(b"second").unwrap();
    let mut buffer = [0; 16];
    assert_eq!(accepted.socket.recv(&mut buffer), Ok(6));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx stores no address of a client that has gone without a word")]
fn silent_clients_do_not_stop_a_server_that_waits_for_first_data() {
    let port = port();
    let listener = port.associate(listener(V4), "listener").unwrap();
    let mut operation = operation(100);
    // They stay, and their acceptors wait.
    let stay: Vec<_> = (0..300)
        .map(|_| {
            assert!(listener.accept_receive(self::operation(100), acceptor(&listener)).unwrap().is_pending());
            connected_to(&listener)
        })
        .collect();
    for _ in 0..800 {
        assert!(listener.accept_receive(operation, acceptor(&listener)).unwrap().is_pending());
        drop(connected_to(&listener));
        let mut packet = take(&port);
        assert_eq!(packet.result, Ok(0));
        drop(packet.operation.take_accepted());
        operation = packet.operation;
    }
    stay[42].send_all(b"at last").unwrap();
    assert_eq!(take(&port).result, Ok(7));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: AcceptEx pends with an acceptor that is connected (X8)")]
fn an_accept_that_does_not_start_gives_the_acceptor_back() {
    let port = port();
    let listener = port.associate(listener(V4), "listener").unwrap();
    let (connected, _peer) = pair();
    let id = connected.id();
    let mut failed = listener.accept(operation(0), connected).unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::InvalidInput);
    assert_eq!(failed.operation.take_acceptor().map(|socket| socket.id()), Some(id));
    assert!(failed.operation.take_acceptor().is_none(), "given once");
    assert_empty(&port);
}

/// SEMANTICS X13.
#[test]
fn closing_the_listener_ends_its_accepts() {
    let port = port();
    let listener = port.associate(listener(V4), "listener").unwrap();
    let socket = acceptor(&listener);
    let id = socket.id();
    assert!(listener.accept(operation(0), socket).unwrap().is_pending());
    drop(listener);
    let mut packet = take(&port);
    assert!(packet.result.unwrap_err().is_cancelled());
    assert_eq!(*packet.key(), "listener");
    assert!(packet.source.is_closed());
    assert!(packet.operation.take_accepted().is_none());
    assert_eq!(packet.operation.take_acceptor().map(|socket| socket.id()), Some(id));
}

#[test]
fn connecting_binds_if_need_be_and_makes_a_whole_socket() {
    for on in [V4, V6] {
        let port = port();
        let listener = listener(on);
        let to = listener.local_addr().unwrap();
        let client = port.associate(Socket::tcp(&to).unwrap(), "client").unwrap();
        assert!(client.connect(operation(10), &to).unwrap().is_pending());
        let packet = take(&port);
        assert_eq!((packet.kind(), packet.result), (OperationKind::Connect, Ok(0)));
        let (server, from) = listener.accept().unwrap();
        assert_eq!(client.local_addr(), Ok(from));
        assert_eq!(client.peer_addr(), Ok(to));
        client.shutdown(Shutdown::Send).unwrap();
        assert_eq!(server.recv_to_end().unwrap(), b"");
    }
}

#[test]
fn connecting_can_carry_the_first_data() {
    let port = port();
    let listener = listener(V4);
    let client = port.associate(Socket::stream(Family::V4).unwrap(), "client").unwrap();
    client.bind(&address(V4)).unwrap();
    let words = Operation::new(b"--first words--".to_vec(), 0).with_range(2..13);
    assert!(client.connect_send(words, &listener.local_addr().unwrap()).unwrap().is_pending());
    assert_eq!(take(&port).result, Ok(11));
    let (server, _) = listener.accept().unwrap();
    client.shutdown(Shutdown::Send).unwrap();
    assert_eq!(server.recv_to_end().unwrap(), b"first words");
}

/// SEMANTICS X23.
#[test]
fn a_refused_connect_says_so() {
    let port = port();
    let (_reserved, nobody) = nobody();
    let client = port.associate(Socket::stream(Family::V4).unwrap(), "client").unwrap();
    assert!(client.connect(operation(0), &nobody).unwrap().is_pending());
    let packet = take(&port);
    let error = packet.result.unwrap_err();
    assert_eq!((error.code(), error.kind()), (1225, ErrorKind::ConnectionRefused));
}

/// SEMANTICS X23.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: ConnectEx after a refusal fails with WSAECONNABORTED (X23)")]
fn after_a_refusal_the_socket_may_try_again() {
    let port = port();
    let (_reserved, nobody) = nobody();
    let client = port.associate(Socket::stream(Family::V4).unwrap(), "client").unwrap();
    assert!(client.connect(operation(0), &nobody).unwrap().is_pending());
    let packet = take(&port);
    packet.result.unwrap_err();
    let listener = listener(V4);
    let to = listener.local_addr().unwrap();
    assert!(client.connect(packet.operation, &to).unwrap().is_pending());
    assert_eq!(take(&port).result, Ok(0));
}

#[test]
fn connecting_twice_does_not_start() {
    let port = port();
    let (client, _server) = pair();
    let to = client.peer_addr().unwrap();
    let client = port.associate(client, "client").unwrap();
    let failed = client.connect(operation(0), &to).unwrap_err();
    assert_eq!(failed.error.name(), Some("WSAEISCONN"));
    assert_empty(&port);
}

#[test]
fn datagrams_bring_their_sender_and_go_back() {
    for on in [V4, V6] {
        let port = port();
        let echo = Socket::udp(&address(on)).unwrap();
        echo.bind(&address(on)).unwrap();
        let echo = port.associate(echo, "echo").unwrap();
        let client = Socket::udp(&address(on)).unwrap();
        client.bind(&address(on)).unwrap();
        let mut operation = operation(64);
        for text in ["one", "three", ""] {
            assert!(echo.receive_from(operation).unwrap().is_pending());
            client.send_to(text.as_bytes(), &echo.local_addr().unwrap()).unwrap();
            let packet = take(&port);
            assert_eq!(packet.operation.received(), text.as_bytes());
            let sender = packet.operation.sender().expect("a sender");
            assert_eq!(Ok(sender), client.local_addr());
            let reply = packet.operation.with_range(..text.len());
            assert!(echo.send_to(reply, &sender).unwrap().is_pending());
            let packet = take(&port);
            assert_eq!((packet.kind(), packet.result), (OperationKind::SendTo, Ok(text.len())));
            assert_eq!(packet.operation.sender(), None);
            let mut buffer = [0; 64];
            let (count, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..count], Ok(from)), (text.as_bytes(), echo.local_addr()));
            operation = packet.operation;
        }
    }
}

/// SEMANTICS D56, and D57 where the datagram is there at once: there is exactly one packet in either case.
#[test]
fn a_datagram_that_is_cut_off_leaves_one_packet() {
    let port = port();
    let receiver = port.associate(datagram(), "receiver").unwrap();
    let sender = datagram();
    for there_at_once in [false, true] {
        let mut start = None;
        if !there_at_once {
            start = Some(receiver.receive_from(operation(4)).unwrap());
        }
        sender.send_to(b"0123456789", &receiver.local_addr().unwrap()).unwrap();
        if there_at_once {
            until("it is there", || receiver.available().unwrap() > 0);
            start = Some(receiver.receive_from(operation(4)).unwrap());
        }
        assert!(start.expect("started").is_pending());
        let packet = take(&port);
        assert_eq!(packet.result.unwrap_err().code(), 234);
        assert_eq!(packet.operation.received(), b"0123");
        assert_eq!(packet.operation.transferred(), 4);
        assert_eq!(packet.operation.sender(), sender.local_addr().ok());
        assert_empty(&port);
    }
}

#[test]
fn a_datagram_that_is_cut_off_at_once_leaves_none_when_skipping() {
    let port = port();
    let mut receiver = port.associate(datagram(), "receiver").unwrap();
    receiver.skip_completion_on_success().unwrap();
    datagram().send_to(b"0123456789", &receiver.local_addr().unwrap()).unwrap();
    until("it is there", || receiver.available().unwrap() > 0);
    let failed = receiver.receive_from(operation(4)).unwrap_err();
    assert_eq!(failed.error.name(), Some("WSAEMSGSIZE"));
    assert_eq!(failed.operation.received(), b"0123");
    assert_eq!(receiver.pending(), 0);
    assert_empty(&port);
}

/// SEMANTICS D44: it waits for data and takes none.
#[test]
fn waiting_needs_no_buffer() {
    let port = port();
    let (client, server) = pair();
    let server = port.associate(server, "server").unwrap();
    assert!(server.receive_ready(Operation::new(Vec::new(), 5)).unwrap().is_pending());
    assert_empty(&port);
    client.send_all(b"data").unwrap();
    let packet = take(&port);
    assert_eq!((packet.kind(), packet.result), (OperationKind::ReceiveReady, Ok(0)));
    assert_eq!(*packet.operation.context(), 5);
    assert_eq!(server.available(), Ok(4));
    // Data is there: at once, and again.
    assert!(server.receive_ready(packet.operation).unwrap().is_pending());
    let mut operation = take(&port).operation;
    operation.buffer_mut().resize(16, 0);
    assert!(server.receive(operation).unwrap().is_pending());
    let packet = take(&port);
    assert_eq!(packet.operation.received(), b"data");
    // The end of the stream makes it ready as well.
    client.shutdown(Shutdown::Send).unwrap();
    assert!(server.receive_ready(packet.operation).unwrap().is_pending());
    assert_eq!(take(&port).result, Ok(0));
}

#[test]
fn waiting_without_a_buffer_is_for_streams() {
    let port = port();
    let receiver = port.associate(datagram(), "receiver").unwrap();
    let failed = receiver.receive_ready(operation(0)).unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::Unsupported);
}

#[test]
fn receives_are_filled_and_sends_leave_in_the_order_they_started() {
    let port = port();
    let (client, server) = pair();
    let client = port.associate(client, "client").unwrap();
    let server = port.associate(server, "server").unwrap();
    for number in 0..4 {
        assert!(server.receive(Operation::new(vec![0; 2], number)).unwrap().is_pending());
    }
    for number in 0..4 {
        let text = format!("{number}{number}");
        let operation = Operation::new(text.into_bytes(), 100 + number);
        assert!(client.send(operation).unwrap().is_pending());
    }
    let mut received = 0;
    for _ in 0..8 {
        let packet = take(&port);
        assert_eq!(packet.result, Ok(2));
        let number = *packet.operation.context();
        if packet.kind() == OperationKind::Receive {
            assert_eq!(packet.operation.received(), format!("{number}{number}").as_bytes());
            received += 1;
        }
    }
    assert_eq!(received, 4);
}

/// A send is never short, and waits for a peer that does not read.
#[test]
fn a_large_send_is_sent_whole() {
    const SIZE: usize = 8 << 20;
    let port = port();
    let (client, server) = pair();
    let server = port.associate(server, "server").unwrap();
    let data: Vec<u8> = (0..SIZE).map(|index| (index % 253) as u8).collect();
    assert!(server.send(Operation::new(data, 0)).unwrap().is_pending());
    server.send(Operation::new(b"end".to_vec(), 1)).unwrap();
    let mut have = 0;
    let mut buffer = vec![0; 1 << 16];
    while have < SIZE + 3 {
        let count = client.recv(&mut buffer).unwrap();
        assert!(count > 0);
        for &byte in &buffer[..count] {
            let expected = if have < SIZE { (have % 253) as u8 } else { b"end"[have - SIZE] };
            assert_eq!(byte, expected, "at {have}");
            have += 1;
        }
    }
    assert_eq!(take(&port).result, Ok(SIZE));
    assert_eq!(take(&port).result, Ok(3));
}

/// SEMANTICS D78, D79.
#[test]
fn cancelling_ends_what_is_in_flight() {
    let port = port();
    let (client, server) = pair();
    let server = port.associate(server, "server").unwrap();
    for _ in 0..3 {
        assert!(server.receive(operation(4)).unwrap().is_pending());
    }
    assert_eq!((server.cancel(), server.pending()), (Ok(true), 3));
    for _ in 0..3 {
        let packet = take(&port);
        assert!(packet.result.unwrap_err().is_cancelled());
        assert_eq!(packet.operation.transferred(), 0);
    }
    // The connection is as good as before.
    assert!(server.receive(operation(4)).unwrap().is_pending());
    client.send_all(b"data").unwrap();
    assert_eq!(take(&port).result, Ok(4));
    assert_empty(&port);
}

/// SEMANTICS D78.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: CancelIoEx succeeds with nothing to cancel (D78)")]
fn with_nothing_to_cancel_cancelling_says_so() {
    let port = port();
    let (_client, server) = pair();
    let server = port.associate(server, "server").unwrap();
    assert_eq!(server.cancel(), Ok(false));
    assert!(server.receive(operation(4)).unwrap().is_pending());
    assert_eq!(server.cancel(), Ok(true));
    assert!(take(&port).result.unwrap_err().is_cancelled());
    assert_eq!(server.cancel(), Ok(false));
}
