//! WSAAsyncSelect: connecting, room for sending, datagram sockets and the end of a connection (A12, A23 to A26, A31 to
//! A36).
#![forbid(unsafe_code)]

use conformance::network_fixture::{ALL, CLOSE, CONNECT, Inbox, READ, WRITE, begin_connect, deliver, settle};
use conformance::raw::{listener, pair, readiness, tcp, udp};
use conformance::until;
use pentaport::sys;

#[test]
fn a12_a23_a25_connect_is_posted_once_and_before_write() {
    let (_listener, address) = listener();
    let socket = tcp();
    let inbox = Inbox::of(&socket, ALL);
    inbox.nothing();
    begin_connect(&socket, address);
    inbox.gets(&socket, CONNECT);
    inbox.gets(&socket, WRITE);
    inbox.nothing();
}

#[test]
fn a25_a_refused_connect_is_posted_once_with_its_error() {
    let refusing = tcp();
    let address = refusing.bind_loopback();
    let socket = tcp();
    let inbox = Inbox::of(&socket, ALL);
    begin_connect(&socket, address);
    inbox.gets_error(&socket, CONNECT, sys::WSAECONNREFUSED);
    inbox.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second connect fails with WSAECONNABORTED")]
fn s34_each_connect_that_ends_posts() {
    let refusing = tcp();
    let refused = refusing.bind_loopback();
    let (_listener, address) = listener();
    let socket = tcp();
    let inbox = Inbox::of(&socket, CONNECT | WRITE);
    for _ in 0..2 {
        begin_connect(&socket, refused);
        inbox.gets_error(&socket, CONNECT, sys::WSAECONNREFUSED);
    }
    begin_connect(&socket, address);
    inbox.gets(&socket, CONNECT);
    inbox.gets(&socket, WRITE);
    inbox.nothing();
}

#[test]
fn a23_write_is_posted_by_selecting_a_writable_socket() {
    let (client, server) = pair();
    for socket in [&client, &server] {
        let inbox = Inbox::of(socket, WRITE);
        inbox.gets(socket, WRITE);
        inbox.nothing();
    }
}

#[test]
fn a23_write_is_not_posted_by_selecting_without_connection() {
    let (listener, _) = listener();
    for socket in [&listener, &tcp()] {
        let inbox = Inbox::of(socket, ALL);
        inbox.nothing();
    }
}

#[test]
fn a24_a_send_posts_nothing_and_withdraws_nothing() {
    let (_peer, socket) = pair();
    let inbox = Inbox::of(&socket, WRITE);
    inbox.has_one();
    assert_eq!(socket.send(b"data"), Ok(4));
    inbox.gets(&socket, WRITE);
    for _ in 0..2 {
        assert_eq!(socket.send(b"data"), Ok(4));
        inbox.nothing();
    }
}

#[test]
fn a24_a_send_before_the_queue_was_looked_at_withdraws_nothing() {
    let (_listener, address) = listener();
    let socket = tcp();
    let inbox = Inbox::of(&socket, CONNECT | WRITE);
    begin_connect(&socket, address);
    until("the connection stands", || readiness(&socket) == "w");
    assert_eq!(socket.send(b"data"), Ok(4));
    inbox.gets(&socket, CONNECT);
    inbox.gets(&socket, WRITE);
    inbox.nothing();
}

#[test]
fn a26_a_datagram_socket_posts_write_when_selected_even_unbound() {
    for bound in [false, true] {
        let socket = udp();
        if bound {
            socket.bind_loopback();
        }
        let inbox = Inbox::of(&socket, READ | WRITE);
        inbox.gets(&socket, WRITE);
        inbox.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: connecting posts nothing")]
fn a26_connecting_a_datagram_socket_posts_write_again() {
    let peer = udp();
    let address = peer.bind_loopback();
    for bound in [false, true] {
        let socket = udp();
        if bound {
            socket.bind_loopback();
        }
        let inbox = Inbox::of(&socket, READ | WRITE);
        inbox.gets(&socket, WRITE);
        for _ in 0..2 {
            assert_eq!(socket.connect(address), Ok(()));
            inbox.gets(&socket, WRITE);
            inbox.nothing();
        }
    }
}

#[test]
fn a31_the_peers_end_is_posted_as_close_without_read() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | CLOSE);
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, CLOSE);
    inbox.nothing();
    assert_eq!(socket.recv(&mut [0; 8]), Ok(0));
    inbox.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE is not posted while data is unread")]
fn a32_close_is_posted_at_once_although_data_is_unread() {
    for closed_before in [false, true] {
        let (peer, socket) = pair();
        deliver(&peer, b"data", &socket);
        let inbox = Inbox::new();
        if closed_before {
            peer.close().unwrap();
            settle();
            inbox.select(&socket, READ | CLOSE);
            inbox.gets(&socket, READ);
        } else {
            inbox.select(&socket, READ | CLOSE);
            inbox.gets(&socket, READ);
            peer.close().unwrap();
        }
        inbox.gets(&socket, CLOSE);
        inbox.nothing();
        assert_eq!(socket.recv_exact(2), b"da");
        inbox.gets(&socket, READ);
        inbox.nothing();
        assert_eq!(socket.recv_exact(2), b"ta");
        inbox.nothing();
        assert_eq!(socket.recv(&mut [0; 8]), Ok(0));
        inbox.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE comes without error")]
fn a33_a_reset_is_posted_as_close_with_wsaeconnaborted() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | CLOSE);
    peer.reset();
    inbox.gets_error(&socket, CLOSE, sys::WSAECONNABORTED);
    inbox.nothing();
    assert_eq!(socket.recv(&mut [0; 8]), Err(sys::WSAECONNRESET), "what a call says is another matter");
    inbox.nothing();
}

#[test]
fn a34_close_is_posted_once_for_a_connection() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, CLOSE);
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, CLOSE);
    peer.close().unwrap();
    inbox.nothing();
}

#[test]
fn a35_neither_the_own_shutdown_nor_the_peers_for_receiving_posts() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, CLOSE);
    peer.shutdown(sys::SD_RECEIVE).unwrap();
    inbox.nothing();
    socket.shutdown(sys::SD_BOTH).unwrap();
    inbox.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: after shutdown of both directions FD_CLOSE is not posted")]
fn a35_the_peers_end_is_posted_also_after_our_own() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, CLOSE);
    socket.shutdown(sys::SD_BOTH).unwrap();
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, CLOSE);
    inbox.nothing();
}

#[test]
fn a36_a_datagram_socket_has_no_close() {
    let (peer, socket) = (udp(), udp());
    let (from, to) = (peer.bind_loopback(), socket.bind_loopback());
    socket.connect(from).unwrap();
    peer.connect(to).unwrap();
    let inbox = Inbox::of(&socket, READ | CLOSE);
    assert_eq!(peer.send(b"data"), Ok(4));
    inbox.gets(&socket, READ);
    peer.close().unwrap();
    inbox.nothing();
}
