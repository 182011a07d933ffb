//! accept, WSAAccept with its condition function, listen (X37 to X44), and closing under a blocked accept (D86).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, finishes};
use conformance::raw::{
    Begin, Event, Outcome, Request, Socket, accept_ex, accept_raw, listener, loopback, pair, readiness, tcp, udp,
};
use conformance::{in_child, nap, until};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

const CF_ACCEPT: i32 = sys::CF_ACCEPT as i32;
const CF_REJECT: i32 = sys::CF_REJECT as i32;
const CF_DEFER: i32 = sys::CF_DEFER as i32;

/// A socket that connected to this address.
///
/// Its receives end after half a minute: where nothing comes, a test fails instead of hanging.
fn connected(address: SocketAddr) -> Socket {
    let client = tcp();
    client.set_sol_option(sys::SO_RCVTIMEO, 30_000).expect("SO_RCVTIMEO");
    client.connect(address).expect("connect");
    client
}

#[test]
fn x37_too_little_room_for_the_address_is_wsaefault() {
    for short in [0, 1, 15] {
        let (listener, address) = listener();
        let _client = connected(address);
        let (outcome, length) = listener.accept_length(short);
        assert_eq!(outcome.map(drop), Err(sys::WSAEFAULT), "{short} bytes");
        assert_eq!(length, short, "the length is unchanged");
    }
    let (listener, address) = listener();
    let _client = connected(address);
    let (outcome, length) = listener.accept_length(16);
    assert!(outcome.is_ok());
    assert_eq!(length, 16);
}

#[test]
fn x37_an_address_without_length_is_left_alone() {
    let (listener, address) = listener();
    let client = connected(address);
    let (outcome, family) = listener.accept_without_length();
    assert_eq!(family, u16::MAX, "untouched");
    assert_eq!(outcome.unwrap().getpeername(), client.getsockname());

    let client = connected(address);
    let accepted = accept_raw(listener.raw()).expect("neither address nor length");
    assert_eq!(accepted.getpeername(), client.getsockname());
}

#[test]
fn x38_the_condition_runs_on_the_callers_thread_and_knows_both_ends() {
    let (listener, address) = listener();
    let client = connected(address);
    let mut calls = Vec::new();
    let accepted = listener.wsa_accept(|caller| {
        calls.push((std::thread::current().id(), caller));
        CF_ACCEPT
    });
    let (_server, peer) = accepted.unwrap();
    let client_address = client.getsockname().unwrap();
    assert_eq!(peer, client_address);
    let [(thread, caller)] = calls.as_slice() else { panic!("asked once: {calls:?}") };
    assert_eq!(*thread, std::thread::current().id());
    assert_eq!(caller.caller, Some(client_address));
    assert_eq!(caller.callee, Some(address));
    assert!(caller.qos_null);
}

#[test]
fn x39_cf_accept_gives_the_connection() {
    let (listener, address) = listener();
    let client = connected(address);
    let (server, _) = listener.wsa_accept(|_| CF_ACCEPT).unwrap();
    client.send(b"hello").unwrap();
    assert_eq!(server.recv_exact(5), b"hello");
}

#[test]
fn x39_cf_reject_drops_the_connection() {
    let (listener, address) = listener();
    let client = connected(address);
    let refused = listener.wsa_accept(|_| CF_REJECT).map(drop);
    assert_eq!(refused, Err(sys::WSAECONNREFUSED));
    match client.recv(&mut [0; 8]) {
        Ok(0) | Err(sys::WSAECONNRESET) => {}
        other => panic!("the connection is gone: {other:?}"),
    }
    // The next one in line is not concerned.
    let next = connected(address);
    let (server, peer) = listener.wsa_accept(|_| CF_ACCEPT).unwrap();
    assert_eq!(Ok(peer), next.getsockname());
    drop(server);
}

#[test]
fn x39_cf_defer_keeps_the_connection_first_in_line() {
    let (listener, address) = listener();
    let first = connected(address);
    let second = connected(address);
    for _ in 0..3 {
        let mut asked = None;
        let deferred = listener.wsa_accept(|caller| {
            asked = caller.caller;
            CF_DEFER
        });
        assert_eq!(deferred.map(drop), Err(sys::WSATRY_AGAIN));
        assert_eq!(asked, first.getsockname().ok(), "the first in line");
        assert_eq!(readiness(&listener), "r", "it still waits");
    }
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(Ok(peer), first.getsockname());
    first.send(b"1").unwrap();
    assert_eq!(server.recv_exact(1), b"1");
    let (_, peer) = listener.wsa_accept(|_| CF_ACCEPT).unwrap();
    assert_eq!(Ok(peer), second.getsockname());
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a thread that waits in accept is not given a deferred connection")]
fn x39_a_deferred_connection_goes_to_a_thread_that_waits_for_one() {
    let (listener, address) = listener();
    let listener = Arc::new(listener);
    let client = connected(address);
    let mut waiting = None;
    let deferred = listener.wsa_accept(|_| {
        let listener = listener.clone();
        waiting = Some(std::thread::spawn(move || listener.accept().map(|(_, peer)| peer)));
        nap();
        CF_DEFER
    });
    assert_eq!(deferred.map(drop), Err(sys::WSATRY_AGAIN));
    let waiting = waiting.unwrap();
    until("the other thread has the connection", || waiting.is_finished());
    assert_eq!(waiting.join().unwrap(), client.getsockname());
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAENOTSOCK")]
fn x39_any_other_answer_is_wsaeinval() {
    for answer in [3, -1, i32::MAX] {
        let (listener, address) = listener();
        let _client = connected(address);
        assert_eq!(listener.wsa_accept(|_| answer).map(drop), Err(sys::WSAEINVAL), "{answer}");
    }
}

#[test]
fn x40_accept_without_connection_without_listen_and_on_udp() {
    let (listener, _) = listener();
    listener.set_nonblocking(true);
    assert_eq!(listener.accept().map(drop), Err(sys::WSAEWOULDBLOCK));
    let asked = listener.wsa_accept(|_| panic!("there is nothing to ask about"));
    assert_eq!(asked.map(drop), Err(sys::WSAEWOULDBLOCK));

    let (client, _server) = pair();
    let bound = tcp();
    bound.bind_loopback();
    for socket in [&tcp(), &bound, &client] {
        assert_eq!(socket.accept().map(drop), Err(sys::WSAEINVAL), "not listening");
        assert_eq!(socket.wsa_accept(|_| CF_ACCEPT).map(drop), Err(sys::WSAEINVAL));
    }
    let datagram = udp();
    datagram.bind_loopback();
    assert_eq!(datagram.accept().map(drop), Err(sys::WSAEOPNOTSUPP));
}

#[test]
fn x41_accepted_sockets_inherit_options_with_exact_values() {
    let listener = tcp();
    let nodelay = (sys::IPPROTO_TCP, sys::TCP_NODELAY);
    let flags = [
        (sys::SOL_SOCKET, sys::SO_REUSEADDR),
        (sys::SOL_SOCKET, sys::SO_KEEPALIVE),
        (sys::SOL_SOCKET, sys::SO_OOBINLINE),
        nodelay,
    ];
    let numbers =
        [(sys::SO_SNDBUF, 54_321), (sys::SO_RCVBUF, 43_210), (sys::SO_SNDTIMEO, 1_717), (sys::SO_RCVTIMEO, 1_818)];
    for (level, name) in flags {
        listener.set_option(level, name, 1).unwrap();
    }
    for (name, value) in numbers {
        listener.set_sol_option(name, value).unwrap();
    }
    listener.set_linger(1, 9).unwrap();
    let address = listener.bind_loopback();
    listener.listen(4).unwrap();

    let _client = connected(address);
    let (accepted, _) = listener.accept().unwrap();
    for (level, name) in flags {
        assert_ne!(accepted.option(level, name), Ok(0), "{name:#x}");
    }
    for (name, value) in numbers {
        assert_eq!(accepted.sol_option(name), Ok(value), "{name:#x}");
    }
    assert_eq!(accepted.linger(), Ok((1, 9)));
    // Do not wait for the linger time.
    accepted.set_linger(0, 0).unwrap();
}

#[test]
fn x41_without_options_on_the_listener_there_are_none_to_inherit() {
    let (_client, accepted) = pair();
    for name in [sys::SO_REUSEADDR, sys::SO_KEEPALIVE, sys::SO_OOBINLINE] {
        assert_eq!(accepted.sol_option(name), Ok(0), "{name:#x}");
    }
    assert_eq!(accepted.option(sys::IPPROTO_TCP, sys::TCP_NODELAY), Ok(0));
    assert_eq!(accepted.sol_option(sys::SO_ACCEPTCONN), Ok(0));
}

#[test]
fn x41_accepted_sockets_inherit_the_blocking_mode() {
    let (listener, address) = listener();
    listener.set_nonblocking(true);
    let _client = connected(address);
    until("a connection waits", || readiness(&listener) == "r");
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.recv(&mut [0; 8]), Err(sys::WSAEWOULDBLOCK));
}

/// A listener with SO_CONDITIONAL_ACCEPT.
fn conditional_listener() -> (Socket, SocketAddr) {
    let listener = tcp();
    listener.set_sol_option(sys::SO_CONDITIONAL_ACCEPT, 1).expect("SO_CONDITIONAL_ACCEPT");
    let address = listener.bind_loopback();
    listener.listen(4).expect("listen");
    (listener, address)
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: SO_CONDITIONAL_ACCEPT is no option (WSAENOPROTOOPT)")]
fn x42_a_conditional_accept_must_be_asked_for_before_listen() {
    assert_eq!(tcp().sol_option(sys::SO_CONDITIONAL_ACCEPT), Ok(0), "off by default");
    let (listener, _) = conditional_listener();
    assert_ne!(listener.sol_option(sys::SO_CONDITIONAL_ACCEPT), Ok(0), "the flag is kept");
    assert_eq!(listener.set_sol_option(sys::SO_CONDITIONAL_ACCEPT, 0), Err(sys::WSAEINVAL));
}

#[cfg(windows)]
#[test]
#[ignore = "Wine 8: SO_CONDITIONAL_ACCEPT is no option (WSAENOPROTOOPT)"]
fn x42_a_conditional_accept_delays_the_handshake() {
    for (answer, outcome) in [(CF_ACCEPT, "w"), (CF_REJECT, "e")] {
        let (listener, address) = conditional_listener();
        let client = tcp();
        client.set_nonblocking(true);
        assert_eq!(client.connect(address), Err(sys::WSAEWOULDBLOCK));
        until("the connection is asked about", || readiness(&listener) == "r");
        assert_eq!(readiness(&client), "", "nobody has accepted yet");
        let accepted = listener.wsa_accept(|_| answer);
        until("the client is told", || !readiness(&client).is_empty());
        assert_eq!(readiness(&client), outcome);
        assert_eq!(accepted.is_ok(), answer == CF_ACCEPT);
    }
}

#[cfg(not(windows))]
#[test]
fn deviates_x42_a_conditional_accept_does_not_delay_the_handshake() {
    let (listener, address) = conditional_listener();
    // The client is connected before anyone was asked, and learns of a rejection as a reset.
    let client = connected(address);
    assert_eq!(listener.wsa_accept(|_| CF_REJECT).map(drop), Err(sys::WSAECONNREFUSED));
    assert_eq!(client.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
}

#[test]
fn x43_connect_time_counts_from_the_connection() {
    const NEVER: i32 = -1;
    let time = |socket: &Socket| socket.sol_option(sys::SO_CONNECT_TIME).expect("SO_CONNECT_TIME");
    let (listener, address) = listener();
    assert_eq!(time(&tcp()), NEVER);
    assert_eq!(time(&listener), NEVER);
    let client = connected(address);
    let (server, _) = listener.accept().unwrap();
    for socket in [&client, &server] {
        assert!((0..60).contains(&time(socket)), "seconds: {}", time(socket));
    }
    let datagram = udp();
    assert_eq!(time(&datagram), NEVER);
    datagram.connect(address).unwrap();
    assert_eq!(time(&datagram), NEVER, "UDP has no connections");
}

#[test]
fn x43_connect_time_of_an_acceptor_that_still_waits_for_data() {
    let (listener, address) = listener();
    let acceptor = tcp();
    let event = Event::manual(false);
    let request = Request::new(8 + 64).with_event(&event);
    assert_eq!(accept_ex(&listener, &acceptor, request, 8), Begin::Pending);
    assert_eq!(acceptor.sol_option(sys::SO_CONNECT_TIME), Ok(-1));
    let client = connected(address);
    until("the connection came to the acceptor", || {
        acceptor.sol_option(sys::SO_CONNECT_TIME).expect("SO_CONNECT_TIME") != -1
    });
    assert!(!event.is_set(), "it still waits for data");
    client.send(b"x").unwrap();
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
}

#[test]
fn x44_listen_needs_a_bound_stream_socket() {
    assert_eq!(tcp().listen(4), Err(sys::WSAEINVAL), "unbound");
    let datagram = udp();
    datagram.bind_loopback();
    assert_eq!(datagram.listen(4), Err(sys::WSAEOPNOTSUPP));
    assert_eq!(Socket::invalid().listen(4), Err(sys::WSAENOTSOCK));

    let socket = tcp();
    socket.bind(loopback()).unwrap();
    assert_eq!(socket.sol_option(sys::SO_ACCEPTCONN), Ok(0));
    assert_eq!(socket.listen(4), Ok(()));
    assert_eq!(socket.listen(2), Ok(()), "again");
    assert_ne!(socket.sol_option(sys::SO_ACCEPTCONN), Ok(0));
    assert_eq!(socket.set_sol_option(sys::SO_ACCEPTCONN, 1), Err(sys::WSAENOPROTOOPT));
    assert_eq!(socket.set_sol_option(sys::SO_ACCEPTCONN, 0), Err(sys::WSAENOPROTOOPT));
    let _client = connected(socket.getsockname().unwrap());
    assert!(socket.accept().is_ok());
}

#[test]
fn d86_closing_the_listener_releases_a_blocked_accept() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("d86_closing_the_listener_releases_a_blocked_accept", || {
        for round in 0..5 {
            let (listener, address) = listener();
            let listener = Arc::new(listener);
            let accepts: [fn(&Socket) -> Outcome<()>; 2] =
                [|listener| listener.accept().map(drop), |listener| listener.wsa_accept(|_| CF_ACCEPT).map(drop)];
            let (sender, told) = mpsc::channel();
            for accept in accepts {
                let (listener, sender) = (Arc::clone(&listener), sender.clone());
                std::thread::spawn(move || sender.send(accept(&listener)));
            }
            nap();
            assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty), "round {round}");
            finishes("closesocket", move || listener.close()).unwrap();
            for _ in accepts {
                let released = told.recv_timeout(DEADLINE).expect("an accept is still blocked");
                assert!(released.is_err(), "INVALID_SOCKET");
            }
            assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
        }
    });
}
