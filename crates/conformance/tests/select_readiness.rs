//! select: what makes a socket ready (S19 to S37) and what another thread's close does (S39, S40).
#![forbid(unsafe_code)]

use conformance::raw::{
    Begin, Event, FdSet, Request, Set, Socket, accept_ex, listener, loopback, pair, readiness, select, select_one, tcp,
    udp,
};
use conformance::{in_child, nap, until};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// An address that refuses connections as long as its socket, which is bound but does not listen, lives.
fn refusing() -> (Socket, SocketAddr) {
    let socket = tcp();
    let address = socket.bind_loopback();
    (socket, address)
}

/// A nonblocking socket whose connect was refused.
fn refused() -> Socket {
    let (_keep, address) = refusing();
    let socket = tcp();
    socket.set_nonblocking(true);
    fail_to_connect(&socket, address);
    socket
}

fn fail_to_connect(socket: &Socket, address: SocketAddr) {
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    let mut except = FdSet::of(&[socket]);
    let outcome = select(None, None, Some(&mut except), Some(Duration::from_secs(30)));
    assert_eq!(outcome, Ok(1), "the connect fails");
}

fn error_of(socket: &Socket) -> i32 {
    socket.sol_option(sys::SO_ERROR).expect("SO_ERROR")
}

#[test]
fn s19_a_fresh_tcp_socket_is_in_no_set() {
    let socket = tcp();
    assert_eq!(readiness(&socket), "");
    socket.bind_loopback();
    assert_eq!(readiness(&socket), "");
}

#[test]
fn s20_a_listener_is_read_ready_while_a_connection_waits() {
    let (listener, address) = listener();
    assert_eq!(readiness(&listener), "");
    let clients = [tcp(), tcp()];
    for client in &clients {
        client.connect(address).unwrap();
    }
    until("a connection waits", || readiness(&listener) == "r");
    assert_eq!(readiness(&listener), "r", "it stays ready");
    let _first = listener.accept().unwrap();
    until("the second connection waits", || readiness(&listener) == "r");
    let _second = listener.accept().unwrap();
    assert_eq!(readiness(&listener), "");
}

#[test]
fn s21_a_connected_socket_is_write_ready_on_both_ends() {
    let (client, server) = pair();
    assert_eq!(readiness(&client), "w");
    assert_eq!(readiness(&server), "w");
}

#[test]
fn s21_a_nonblocking_connect_shows_success_in_the_write_set() {
    let (listener, address) = listener();
    let client = tcp();
    client.set_nonblocking(true);
    assert_eq!(client.connect(address), Err(sys::WSAEWOULDBLOCK));
    let mut sets = [0; 3].map(|_| FdSet::of(&[&client]));
    let [read, write, except] = &mut sets;
    let outcome = select(Some(read), Some(write), Some(except), Some(Duration::from_secs(30)));
    assert_eq!(outcome, Ok(1));
    assert_eq!(sets.map(|set| set.count()), [0, 1, 0]);
    assert_eq!(error_of(&client), 0);
    drop(listener);
}

#[test]
fn s22_data_makes_read_ready() {
    let (client, server) = pair();
    assert_eq!(readiness(&server), "w");
    client.send(b"data").unwrap();
    until("data came", || readiness(&server) == "rw");
    server.recv_exact(3);
    assert_eq!(readiness(&server), "rw", "a byte is left");
    server.recv_exact(1);
    assert_eq!(readiness(&server), "w");
}

#[test]
fn s23_the_peers_fin_makes_read_ready_and_is_no_exception() {
    let (client, server) = pair();
    client.shutdown(sys::SD_SEND).unwrap();
    until("the end came", || readiness(&server) == "rw");
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
    assert_eq!(readiness(&server), "rw", "the end stays");

    let (client, server) = pair();
    client.close().unwrap();
    until("the end came", || readiness(&server) == "rw");
    assert_eq!(server.recv(&mut [0; 8]), Ok(0));
}

#[test]
fn s24_a_reset_makes_read_and_write_ready() {
    let (client, server) = pair();
    client.reset();
    until("the reset came", || readiness(&server) == "rw");
    assert_eq!(error_of(&server), 0);
    assert_eq!(readiness(&server), "rw");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a reset that came before the receive is told as a graceful end")]
fn s24_after_a_reset_was_reported_read_and_write_are_ready_still() {
    let (client, server) = pair();
    client.reset();
    until("the reset came", || readiness(&server) == "rw");
    assert_eq!(server.recv(&mut [0; 8]), Err(sys::WSAECONNRESET));
    assert_eq!(readiness(&server), "rw");
}

#[test]
fn s25_an_urgent_byte_is_an_exception_and_not_read_ready() {
    let (client, server) = pair();
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    until("the byte came", || readiness(&server) == "we");
    assert_eq!(readiness(&server), "we");
    let mut byte = [0];
    assert_eq!(server.recv_flags(&mut byte, sys::MSG_OOB), Ok(1));
    assert_eq!(&byte, b"!");
    assert_eq!(readiness(&server), "w");
}

#[test]
fn s26_an_urgent_byte_inline_is_read_ready_and_no_exception() {
    let (client, server) = pair();
    server.set_sol_option(sys::SO_OOBINLINE, 1).unwrap();
    client.send_flags(b"!", sys::MSG_OOB).unwrap();
    until("the byte came", || readiness(&server) == "rw");
    let mut byte = [0];
    assert_eq!(server.recv_flags(&mut byte, sys::MSG_OOB), Err(sys::WSAEINVAL));
    assert_eq!(server.recv(&mut byte), Ok(1));
    assert_eq!(&byte, b"!");
}

#[test]
fn s27_s28_a_failed_connect_is_an_exception_however_often_one_looks() {
    let socket = refused();
    for _ in 0..3 {
        assert_eq!(readiness(&socket), "e");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s28_a_failed_connect_is_an_exception_until_one_succeeds() {
    let socket = refused();
    let (_keep, address) = refusing();
    fail_to_connect(&socket, address);
    assert_eq!(readiness(&socket), "e");

    let (_listener, address) = listener();
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    until("the connect succeeded", || readiness(&socket) == "w");
}

#[test]
fn s29_reading_so_error_does_not_clear_the_failure() {
    let socket = refused();
    for _ in 0..3 {
        assert_eq!(error_of(&socket), sys::WSAECONNREFUSED);
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s30_so_error_keeps_the_failure_until_a_connect_succeeds() {
    let socket = refused();
    assert_eq!(error_of(&socket), sys::WSAECONNREFUSED);
    let (_listener, address) = listener();
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    until("the connect succeeded", || readiness(&socket) == "w");
    assert_eq!(error_of(&socket), 0);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s30_another_failing_connect_does_not_clear_so_error() {
    let socket = refused();
    let (_keep, address) = refusing();
    assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
    // Whether the second attempt still runs or failed as well: at no time is the error gone.
    for _ in 0..100 {
        assert_eq!(error_of(&socket), sys::WSAECONNREFUSED);
    }
    until("the connect failed", || readiness(&socket) == "e");
    assert_eq!(error_of(&socket), sys::WSAECONNREFUSED);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: SO_ERROR is WSAECONNREFUSED")]
fn s31_a_failed_blocking_connect_is_an_exception_without_so_error() {
    let (_keep, address) = refusing();
    let socket = tcp();
    assert_eq!(socket.connect(address), Err(sys::WSAECONNREFUSED));
    assert_eq!(readiness(&socket), "e");
    assert_eq!(error_of(&socket), 0);
    assert_eq!(readiness(&socket), "e");
}

#[test]
fn s32_after_a_failed_blocking_connect_the_socket_is_not_write_ready() {
    let (_keep, address) = refusing();
    let socket = tcp();
    assert_eq!(socket.connect(address), Err(sys::WSAECONNREFUSED));
    assert_eq!(readiness(&socket), "e");
    let mut write = FdSet::of(&[&socket]);
    let short = Some(Duration::from_millis(20));
    assert_eq!(select(None, Some(&mut write), None, short), Ok(0), "not ready for writing");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s34_after_a_failed_connect_the_socket_can_connect_again() {
    let (listener, address) = listener();
    let (_keep, refusing) = refusing();
    let blocking = tcp();
    assert_eq!(blocking.connect(refusing), Err(sys::WSAECONNREFUSED));
    assert_eq!(blocking.connect(address), Ok(()));
    let (accepted, peer) = listener.accept().unwrap();
    assert_eq!(Ok(peer), blocking.getsockname());
    blocking.send(b"x").unwrap();
    assert_eq!(accepted.recv_exact(1), b"x");

    let nonblocking = refused();
    assert_eq!(nonblocking.connect(address), Err(sys::WSAEWOULDBLOCK));
    until("the connect succeeded", || readiness(&nonblocking) == "w");
    let (accepted, _) = listener.accept().unwrap();
    accepted.send(b"y").unwrap();
    until("data came", || readiness(&nonblocking) == "rw");
    assert_eq!(nonblocking.recv_exact(1), b"y");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: bind after the failed connect gives WSAEINVAL")]
fn s34_after_a_failed_connect_the_socket_can_listen() {
    let socket = refused();
    socket.bind(loopback()).expect("bind after a failed connect");
    socket.listen(4).expect("listen after a failed connect");
    let address = socket.getsockname().unwrap();
    assert_eq!(error_of(&socket), sys::WSAECONNREFUSED, "the old failure still shows");
    assert_eq!(readiness(&socket), "e");

    let client = tcp();
    client.connect(address).unwrap();
    until("a connection waits", || readiness(&socket) == "re");
    let (accepted, _) = socket.accept().unwrap();
    client.send(b"x").unwrap();
    until("data came", || readiness(&accepted) == "rw");
    assert_eq!(accepted.recv_exact(1), b"x");
    assert_eq!(error_of(&socket), sys::WSAECONNREFUSED);
    assert_eq!(readiness(&socket), "e");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: listen after the failed connect gives WSAEINVAL")]
fn s34_a_failed_connect_leaves_the_socket_at_its_port() {
    for (nonblocking, repeats) in [(true, 1), (false, 1), (true, 3)] {
        let (_keep, refusing) = refusing();
        let socket = tcp();
        let address = socket.bind_loopback();
        socket.set_nonblocking(nonblocking);
        for _ in 0..repeats {
            match nonblocking {
                true => fail_to_connect(&socket, refusing),
                false => assert_eq!(socket.connect(refusing), Err(sys::WSAECONNREFUSED)),
            }
            assert_eq!(socket.getsockname(), Ok(address), "nonblocking: {nonblocking}");
            assert_eq!(socket.getpeername(), Err(sys::WSAENOTCONN));
        }
        socket.listen(4).expect("listen after a failed connect");
        assert_eq!(socket.getsockname(), Ok(address), "nonblocking: {nonblocking}");
        let client = tcp();
        assert_eq!(client.connect(address), Ok(()), "nonblocking: {nonblocking}");
        until("a connection waits", || readiness(&socket).contains('r'));
        assert_eq!(socket.accept().map(|(_, peer)| peer), client.getsockname());
    }
}

#[test]
fn s35_an_unbound_udp_socket_is_write_ready() {
    assert_eq!(readiness(&udp()), "w");
}

/// A select for reading in a thread of its own; it answers within a minute.
fn select_for_reading(socket: &Arc<Socket>) -> JoinHandle<Result<usize, i32>> {
    let socket = Arc::clone(socket);
    let minute = Some(Duration::from_secs(60));
    std::thread::spawn(move || select_one(Set::Read, &mut FdSet::of(&[&socket]), minute))
}

#[test]
fn s36_bytes_of_a_pending_receive_do_not_make_read_ready() {
    let (client, server) = pair();
    let server = Arc::new(server);
    let waiter = select_for_reading(&server);
    for round in 0..50 {
        receive(&server, || client.send(b"taken"));
        assert_eq!(readiness(&server), "w");
        assert!(!waiter.is_finished(), "select woke in round {round}");
    }
    client.send(b"left").unwrap();
    until("select answered", || waiter.is_finished());
    assert_eq!(waiter.join().unwrap(), Ok(1));
}

#[test]
fn s36_bytes_wake_a_select_that_began_while_one_pended() {
    let (client, server) = pair();
    let server = Arc::new(server);
    let mut waiter = None;
    receive(&server, || {
        waiter = Some(select_for_reading(&server));
        nap();
        client.send(b"taken")
    });
    nap();
    let waiter = waiter.expect("it was started");
    assert!(!waiter.is_finished(), "the bytes were the receive's");
    client.send(b"left").unwrap();
    until("select answered", || waiter.is_finished());
    assert_eq!(waiter.join().unwrap(), Ok(1));
}

/// Posts a receive, has `then` send 5 bytes, and waits until they came.
fn receive(server: &Socket, then: impl FnOnce() -> Result<usize, i32>) {
    let event = Event::manual(false);
    let request = Request::new(8).with_event(&event);
    assert_eq!(server.wsa_recv(request), Begin::Pending);
    assert_eq!(then(), Ok(5));
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!(request.internal_high(), 5);
}

#[test]
fn s36_connections_of_a_pending_accept_do_not_make_read_ready() {
    let (listener, address) = listener();
    let listener = Arc::new(listener);
    let waiter = select_for_reading(&listener);
    for round in 0..20 {
        accept(&listener, || tcp().connect(address));
        assert_eq!(readiness(&listener), "");
        assert!(!waiter.is_finished(), "select woke in round {round}");
    }
    let client = tcp();
    client.connect(address).unwrap();
    until("select answered", || waiter.is_finished());
    assert_eq!(waiter.join().unwrap(), Ok(1));
}

#[test]
fn s36_connections_wake_a_select_that_began_while_one_pended() {
    let (listener, address) = listener();
    let listener = Arc::new(listener);
    let mut waiter = None;
    accept(&listener, || {
        waiter = Some(select_for_reading(&listener));
        nap();
        tcp().connect(address)
    });
    nap();
    let waiter = waiter.expect("it was started");
    assert!(!waiter.is_finished(), "the connection was the accept's");
    let client = tcp();
    client.connect(address).unwrap();
    until("select answered", || waiter.is_finished());
    assert_eq!(waiter.join().unwrap(), Ok(1));
}

/// Posts an AcceptEx, has `then` connect, and waits until it was accepted.
fn accept(listener: &Socket, then: impl FnOnce() -> Result<(), i32>) {
    let event = Event::manual(false);
    let request = Request::new(64).with_event(&event);
    let acceptor = tcp();
    assert_eq!(accept_ex(listener, &acceptor, request, 0), Begin::Pending);
    assert_eq!(then(), Ok(()));
    assert_eq!(event.wait(30_000), sys::WAIT_OBJECT_0);
    assert_eq!(request.internal(), 0);
}

#[test]
fn s37_a_full_send_buffer_is_not_write_ready() {
    let (client, server) = pair();
    server.set_nonblocking(true);
    let sent = fill(&client);
    assert_eq!(client.send(b"x"), Err(sys::WSAEWOULDBLOCK));
    assert_eq!(readiness(&client), "");

    let (mut buffer, mut received) = (vec![0; 1 << 16], 0);
    until("there is space again", || {
        while let Ok(count) = server.recv(&mut buffer) {
            received += count;
            if readiness(&client) == "w" {
                return true;
            }
        }
        readiness(&client) == "w"
    });
    assert!(received <= sent);
    assert_eq!(client.send(b"x"), Ok(1), "ready to write means that a send succeeds");
}

#[test]
fn s39_a_close_makes_a_waiting_select_report_read() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("s39_a_close_makes_a_waiting_select_report_read", || {
        let (outcome, entries, socket) = close_while_selected(Set::Read);
        assert_eq!(outcome, Ok(1));
        assert_eq!(entries, [socket]);
    });
}

#[test]
fn s40_a_close_fails_a_waiting_select_without_the_read_set() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("s40_a_close_fails_a_waiting_select_without_the_read_set", || {
        for which in [Set::Except, Set::Write] {
            let (outcome, entries, _) = close_while_selected(which);
            assert_eq!(outcome, Err(sys::WSAENOTSOCK), "{which:?}");
            assert_eq!(entries, [0; 0], "{which:?}: the set is emptied");
        }
    });
}

/// Closes a socket while another thread waits for it in this set: what select answered, what it left in the set, and
/// the closed handle's value.
fn close_while_selected(which: Set) -> (Result<usize, i32>, Vec<usize>, usize) {
    // A thread that came to its select too late found a closed handle and left its set unchanged (S14): once more.
    for _ in 0..50 {
        let (client, server) = pair();
        if which == Set::Write {
            fill(&server);
        }
        let server = Arc::new(server);
        let waiter = std::thread::spawn({
            let server = Arc::clone(&server);
            move || {
                let mut set = FdSet::of(&[&server]);
                let outcome = select_one(which, &mut set, Some(Duration::from_secs(60)));
                (outcome, set)
            }
        });
        nap();
        server.close().unwrap();
        until("select answered", || waiter.is_finished());
        let (outcome, set) = waiter.join().unwrap();
        drop(client);
        let too_late = outcome == Err(sys::WSAENOTSOCK) && set.sockets() == [server.raw()];
        if !too_late {
            return (outcome, set.sockets().to_vec(), server.raw());
        }
    }
    panic!("in 50 rounds select always failed with its set unchanged");
}

/// Sends until the socket takes no more, so that it is not ready for writing; gives how many bytes it took.
fn fill(socket: &Socket) -> usize {
    socket.set_nonblocking(true);
    let chunk = vec![7; 1 << 20];
    std::iter::from_fn(|| socket.send(&chunk).ok()).sum()
}

#[test]
fn s21_a_select_that_began_before_the_connect_sees_its_end() {
    let (server, address) = listener();
    // Which comes first cannot be seen from here: one round in which the select did is enough to find a lost wake.
    for _ in 0..20 {
        let socket = Arc::new(tcp());
        socket.set_nonblocking(true);
        let waiting = Arc::clone(&socket);
        let waiter = std::thread::spawn(move || {
            let mut write = FdSet::of(&[&waiting]);
            select(None, Some(&mut write), None, Some(Duration::from_secs(30)))
        });
        nap();
        assert_eq!(socket.connect(address), Err(sys::WSAEWOULDBLOCK));
        assert_eq!(waiter.join().expect("no panic"), Ok(1));
        server.accept().expect("the connection");
    }
}
