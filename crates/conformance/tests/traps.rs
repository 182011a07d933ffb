//! What native systems do that loses data or service, and Winsock does not. Facts have no numbers for these.
#![forbid(unsafe_code)]

use conformance::raw::{Begin, Event, Request, Socket, listener, pair, tcp, udp};
use conformance::{child, is_child, until};
use pentaport::sys;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

#[test]
fn a_server_can_be_restarted_while_old_connections_are_in_time_wait() {
    let (old, address) = listener();
    // The side that closes first gets the TIME_WAIT.
    let mut client = TcpStream::connect(address).unwrap();
    let (server, _) = old.accept().unwrap();
    server.shutdown(sys::SD_SEND).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    drop(client);
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
    server.close().unwrap();
    old.close().unwrap();

    let new = tcp();
    new.bind(address).expect("the port is in TIME_WAIT only");
    new.listen(4).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    assert!(new.accept().is_ok());
}

#[test]
fn a_port_in_use_is_refused_although_time_wait_is_not() {
    for (first, second) in [(tcp(), tcp()), (udp(), udp())] {
        assert_eq!(first.sol_option(sys::SO_REUSEADDR), Ok(0), "off, whatever is set inside");
        let address = first.bind_loopback();
        assert_eq!(second.bind(address), Err(sys::WSAEADDRINUSE));
        assert_eq!(first.sol_option(sys::SO_REUSEADDR), Ok(0));
    }
}

#[test]
fn with_so_reuseaddr_on_both_a_port_is_shared() {
    for (first, second) in [(tcp(), tcp()), (udp(), udp())] {
        for socket in [&first, &second] {
            socket.set_sol_option(sys::SO_REUSEADDR, 1).unwrap();
        }
        let address = first.bind_loopback();
        assert_eq!(second.bind(address), Ok(()));
    }
}

#[test]
fn so_reuseaddr_on_the_first_alone_does_not_share() {
    for (first, second) in [(tcp(), tcp()), (udp(), udp())] {
        first.set_sol_option(sys::SO_REUSEADDR, 1).unwrap();
        let address = first.bind_loopback();
        assert_eq!(second.bind(address), Err(sys::WSAEADDRINUSE));
    }
}

#[test]
fn so_exclusiveaddruse_refuses_those_who_would_share() {
    for (first, second) in [(tcp(), tcp()), (udp(), udp())] {
        first.set_sol_option(sys::SO_EXCLUSIVEADDRUSE, 1).unwrap();
        assert_ne!(first.sol_option(sys::SO_EXCLUSIVEADDRUSE), Ok(0));
        second.set_sol_option(sys::SO_REUSEADDR, 1).unwrap();
        let address = first.bind_loopback();
        assert_eq!(second.bind(address), Err(sys::WSAEACCES));
    }
}

/// More than any socket buffer holds.
const MUCH: usize = 16 << 20;

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn data_that_a_nonblocking_send_took_survives_the_end_of_the_process() {
    let name = "data_that_a_nonblocking_send_took_survives_the_end_of_the_process";
    // Neither closesocket nor WSACleanup.
    let (process, stream) = in_sender(name, |_| {});
    read_much(process, stream);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn data_on_its_way_survives_closesocket_and_the_end_of_the_process() {
    let name = "data_on_its_way_survives_closesocket_and_the_end_of_the_process";
    let (process, stream) = in_sender(name, |socket| socket.close().unwrap());
    read_much(process, stream);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a nonblocking send of more than the buffer holds is short")]
fn a_peer_that_never_reads_does_not_keep_the_process_alive() {
    let name = "a_peer_that_never_reads_does_not_keep_the_process_alive";
    let (mut process, stream) = in_sender(name, |_| {});
    // Nothing is read, and the process ends all the same: what it does for the data at its end is bounded.
    until("the process ended", || process.try_wait().unwrap().is_some());
    assert!(process.wait().unwrap().success(), "it sent what it was to send");
    drop(stream);
}

/// Starts a process that connects, has a nonblocking send take much, does `then` and exits. Here: the process and its
/// connection.
fn in_sender(name: &str, then: impl FnOnce(&Socket)) -> (Child, TcpStream) {
    const PEER: &str = "PENTAPORT_TRAP_PEER";
    if is_child() {
        let socket = tcp();
        socket.connect(std::env::var(PEER).unwrap().parse().unwrap()).unwrap();
        socket.set_nonblocking(true);
        assert_eq!(socket.send(&vec![7; MUCH]), Ok(MUCH));
        then(&socket);
        std::process::exit(0);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let process = child(name).env(PEER, address).stdout(Stdio::null()).spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    (process, stream)
}

#[track_caller]
fn read_much(mut process: Child, mut stream: TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut received = Vec::new();
    let end = stream.read_to_end(&mut received);
    assert_eq!(end.expect("a graceful end"), MUCH);
    assert!(received.iter().all(|&byte| byte == 7));
    assert!(process.wait().unwrap().success());
}

#[test]
fn a_send_to_a_closed_peer_is_an_error_and_not_the_end() {
    let (client, server) = pair();
    server.close().unwrap();
    let mut codes = Vec::new();
    until("the send fails", || {
        codes.extend(client.send(b"x").err());
        !codes.is_empty()
    });
    let reported = [sys::WSAECONNRESET, sys::WSAECONNABORTED];
    assert!(reported.contains(&codes[0]), "{codes:?}");
}

#[test]
fn data_and_end_that_come_together_are_both_seen() {
    for _ in 0..50 {
        let (listener, address) = listener();
        let mut client = TcpStream::connect(address).unwrap();
        let (server, _) = listener.accept().unwrap();
        let event = Event::manual(false);
        let request = Request::new(64).with_event(&event);
        assert_eq!(server.wsa_recv(request), Begin::Pending);
        // One edge announces both.
        client.write_all(b"all").unwrap();
        drop(client);
        assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
        assert_eq!(request.internal_high(), 3);
        // The first receive did not fill its buffer; the end is still reported.
        let last = Request::new(64).with_event(&event);
        assert!(server.wsa_recv(last).started());
        assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
        assert_eq!((last.internal(), last.internal_high()), (0, 0));
    }
}

#[test]
fn data_behind_an_urgent_byte_is_received() {
    let (client, server) = pair();
    let event = Event::manual(false);
    for round in 0..20 {
        let request = Request::new(64).with_event(&event);
        assert_eq!(server.wsa_recv(request), Begin::Pending, "round {round}");
        client.send(b"before").unwrap();
        client.send_flags(b"!", sys::MSG_OOB).unwrap();
        client.send(b"behind").unwrap();
        // However the bytes come: a receive stops at the mark, and what is behind it has no edge of its own.
        let mut received = Vec::new();
        let mut request = request;
        loop {
            assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0, "round {round}: {received:?}");
            received.extend_from_slice(&request.data()[..request.internal_high()]);
            if received.len() >= 12 {
                break;
            }
            request = Request::new(64).with_event(&event);
            assert!(server.wsa_recv(request).started());
        }
        assert_eq!(received, b"beforebehind");
    }
}
