//! WSAAsyncSelect: what posts a message, what keeps silent and which calls end the silence (A12, A14 to A20, A27 to A29,
//! S38).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, pends};
use conformance::network_fixture::{
    ACCEPT, ALL, CLOSE, Inbox, MESSAGE, OOB, READ, Scene, WRITE, connection, deliver, deliver_urgent, drain, fill,
    settle,
};
use conformance::raw::{Bad, Begin, Event, Request, Socket, accept_ex, listener, pair, readiness, tcp, udp};
use conformance::raw_port::{v4, wsa_send_to_now};
use conformance::until;
use pentaport::sys;

#[test]
fn a12_what_holds_together_is_posted_in_a_fixed_order() {
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'!', &socket);
    posted_together(&socket, &[OOB, READ, WRITE]);

    let (peer, socket) = pair();
    peer.shutdown(sys::SD_SEND).unwrap();
    posted_together(&socket, &[WRITE, CLOSE]);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE is not posted while data is unread")]
fn a32_data_and_end_are_posted_in_a_fixed_order() {
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'!', &socket);
    peer.shutdown(sys::SD_SEND).unwrap();
    posted_together(&socket, &[OOB, READ, WRITE, CLOSE]);
}

/// Selects all and gets these, in this order.
#[track_caller]
fn posted_together(socket: &Socket, events: &[u32]) {
    settle();
    let inbox = Inbox::of(socket, ALL);
    for &event in events {
        inbox.gets(socket, event);
    }
    inbox.nothing();
}

#[test]
fn a14_a18_after_one_message_new_arrivals_are_silent() {
    for event in [ACCEPT, READ, OOB] {
        let scene = Scene::new(event);
        let inbox = Inbox::of(&scene.socket, event);
        inbox.nothing();
        scene.begin();
        inbox.gets(&scene.socket, event);
        for _ in 0..2 {
            scene.begin();
            inbox.nothing();
        }
    }
}

#[test]
fn a14_a18_also_while_the_message_lies_in_the_queue() {
    for event in [ACCEPT, READ, OOB] {
        let scene = Scene::new(event);
        let inbox = Inbox::of(&scene.socket, event);
        scene.begin();
        inbox.has_one();
        scene.begin();
        settle();
        inbox.gets(&scene.socket, event);
        inbox.nothing();
    }
}

#[test]
fn a14_each_kind_is_silent_for_itself() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | WRITE | OOB | CLOSE);
    inbox.gets(&socket, WRITE);
    deliver(&peer, b"data", &socket);
    inbox.gets(&socket, READ);
    deliver_urgent(&peer, b'!', &socket);
    inbox.gets(&socket, OOB);
    inbox.nothing();

    let (peer, socket) = pair();
    inbox.select(&socket, READ | WRITE | OOB | CLOSE);
    inbox.gets(&socket, WRITE);
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, CLOSE);
    inbox.nothing();
}

/// A call by its name.
type Call = (&'static str, fn(&Socket));

/// The calls that re-enable FD_READ, each for one byte of a stream.
const RECEIVES: [Call; 6] = [
    ("recv", |socket| assert_eq!(socket.recv(&mut [0]), Ok(1))),
    ("recvfrom", |socket| assert_eq!(socket.recvfrom_length(&mut [0], 128).0, Ok(1))),
    ("WSARecv", |socket| assert_eq!(socket.wsa_recv_now(&mut [&mut [0]], 0), Ok((1, 0)))),
    ("WSARecv, overlapped", |socket| assert_eq!(socket.wsa_recv(Request::new(1)), Begin::Done(1))),
    ("WSARecvFrom, overlapped", |socket| assert_eq!(socket.wsa_recv_from(Request::new(1)), Begin::Done(1))),
    ("recv again", |socket| assert_eq!(socket.recv(&mut [0]), Ok(1))),
];

#[test]
fn a15_a17_a19_each_receive_that_leaves_data_posts_read_again() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    deliver(&peer, &[0x55; RECEIVES.len()], &socket);
    for (name, receive) in RECEIVES {
        println!("{name}");
        inbox.gets(&socket, READ);
        inbox.nothing();
        receive(&socket);
    }
    inbox.nothing();
}

#[test]
fn a15_a19_each_receive_that_empties_re_enables_read_for_the_next_arrival() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    for (name, receive) in RECEIVES {
        println!("{name}");
        deliver(&peer, b".", &socket);
        inbox.gets(&socket, READ);
        receive(&socket);
        inbox.nothing();
    }
}

#[test]
fn a15_a17_a_datagram_received_posts_read_for_the_next_one() {
    let receives: [fn(&Socket); 3] = [
        |socket| assert_eq!(socket.recv(&mut [0; 8]), Ok(4)),
        |socket| assert_eq!(socket.recvfrom(&mut [0; 8]).map(|(count, _)| count), Ok(4)),
        |socket| assert_eq!(socket.wsa_recv_from(Request::new(8)), Begin::Done(4)),
    ];
    let (peer, socket) = (udp(), udp());
    let address = socket.bind_loopback();
    let inbox = Inbox::of(&socket, READ);
    for _ in &receives {
        assert_eq!(peer.sendto(b"data", address), Ok(4));
    }
    settle();
    for receive in receives {
        inbox.gets(&socket, READ);
        inbox.nothing();
        receive(&socket);
    }
    inbox.nothing();
}

#[test]
fn a15_a17_urgent_data_is_posted_again_by_a_receive_of_it() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, OOB);
    deliver_urgent(&peer, b'!', &socket);
    inbox.gets(&socket, OOB);
    // A look leaves it there: posted again. Taking it: silent until the next one.
    assert_eq!(socket.recv_flags(&mut [0], sys::MSG_OOB | sys::MSG_PEEK), Ok(1));
    inbox.gets(&socket, OOB);
    for _ in 0..2 {
        assert_eq!(socket.recv_flags(&mut [0], sys::MSG_OOB), Ok(1));
        inbox.nothing();
        deliver_urgent(&peer, b'!', &socket);
        inbox.gets(&socket, OOB);
    }
}

#[test]
fn a15_a23_each_send_without_room_posts_write_when_there_is_space() {
    type Send = fn(&Socket, &[u8]) -> Result<(), i32>;
    let sends: [(&str, Send); 4] = [
        ("send", |socket, block| socket.send(block).map(drop)),
        ("sendto", |socket, block| socket.sendto(block, socket.getpeername().unwrap()).map(drop)),
        ("WSASend", |socket, block| socket.wsa_send_now(&[block]).map(drop)),
        ("WSASendTo", |socket, block| {
            wsa_send_to_now(socket, block, v4(socket.getpeername().unwrap()), true).map(drop)
        }),
    ];
    let (peer, socket) = pair();
    peer.set_nonblocking(true);
    let inbox = Inbox::of(&socket, WRITE);
    inbox.gets(&socket, WRITE);
    // Large and small ones: a send without room may find the buffers almost full, or quite.
    for ((name, send), size) in sends.into_iter().flat_map(|send| [(send, 1 << 20), (send, 2_000)]) {
        println!("{name} of {size} bytes");
        fill(|block| send(&socket, &block[..size]));
        assert_eq!(inbox.window.look(MESSAGE), None, "there is no space yet");
        // What comes meanwhile is no reason; space that the systems below found after all is.
        deliver(&peer, b"data", &socket);
        settle();
        assert!(inbox.window.look(MESSAGE).is_none() || readiness(&socket) == "rw", "there is no space yet");
        drain(&peer, || inbox.window.look(MESSAGE).is_some());
        inbox.gets(&socket, WRITE);
        inbox.nothing();
    }
}

#[test]
fn a15_a17_a19_each_accept_that_leaves_a_connection_posts_accept_again() {
    type Accept = fn(&Socket) -> Socket;
    let accepts: [(&str, Accept); 4] = [
        ("accept", |listener| listener.accept().expect("accept").0),
        ("WSAAccept", |listener| listener.wsa_accept(|_| sys::CF_ACCEPT as i32).expect("WSAAccept").0),
        ("WSAAccept that rejects", |listener| {
            let outcome = listener.wsa_accept(|_| sys::CF_REJECT as i32).map(drop);
            assert_eq!(outcome, Err(sys::WSAECONNREFUSED));
            tcp()
        }),
        ("AcceptEx", |listener| {
            let acceptor = tcp();
            assert!(accept_ex(listener, &acceptor, Request::new(64), 0).started());
            acceptor
        }),
    ];
    let (listener, address) = listener();
    let clients = [0; 5].map(|_| connection(address));
    settle();
    let inbox = Inbox::of(&listener, ACCEPT);
    let mut accepted = vec![];
    for (name, accept) in accepts {
        println!("{name}");
        inbox.gets(&listener, ACCEPT);
        inbox.nothing();
        accepted.push(accept(&listener));
    }
    inbox.gets(&listener, ACCEPT);
    accepted.push(listener.accept().unwrap().0);
    inbox.nothing();
    drop(clients);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_ACCEPT is posted again for the deferred connection")]
fn a15_a_deferred_accept_does_not_re_enable() {
    let (listener, address) = listener();
    let _clients = [0; 3].map(|_| connection(address));
    settle();
    let inbox = Inbox::of(&listener, ACCEPT);
    inbox.gets(&listener, ACCEPT);
    for _ in 0..2 {
        let outcome = listener.wsa_accept(|_| sys::CF_DEFER as i32).map(drop);
        assert_eq!(outcome, Err(sys::WSATRY_AGAIN));
        inbox.nothing();
    }
    let _accepted = listener.accept().unwrap();
    inbox.gets(&listener, ACCEPT);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the failing receive does not re-enable FD_READ")]
fn a16_a_failing_call_re_enables_as_well() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    deliver(&peer, b"data", &socket);
    inbox.gets(&socket, READ);
    for _ in 0..2 {
        assert_eq!(socket.recv_bad(Bad::NoAccess, 2), Err(sys::WSAEFAULT));
        inbox.gets(&socket, READ);
        inbox.nothing();
    }
    assert_eq!(socket.recv_exact(4), b"data", "nothing was lost");
    inbox.nothing();
}

#[test]
fn a15_a_receive_without_data_posts_nothing_and_re_enables() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    deliver(&peer, b"data", &socket);
    inbox.gets(&socket, READ);
    assert_eq!(socket.recv_exact(4), b"data");
    inbox.nothing();
    assert_eq!(socket.recv(&mut [0]), Err(sys::WSAEWOULDBLOCK));
    inbox.nothing();
    deliver(&peer, b"more", &socket);
    inbox.gets(&socket, READ);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a buffer too small for the address is no error")]
fn a16_a_failing_recvfrom_re_enables_as_well() {
    let (peer, socket) = (udp(), udp());
    let address = socket.bind_loopback();
    let inbox = Inbox::of(&socket, READ);
    assert_eq!(peer.sendto(b"data", address), Ok(4));
    inbox.gets(&socket, READ);
    assert_eq!(socket.recvfrom_length(&mut [0; 8], 4).0, Err(sys::WSAEFAULT), "no room for the address");
    inbox.gets(&socket, READ);
    assert_eq!(socket.recv(&mut [0; 8]), Ok(4));
    inbox.nothing();
}

#[test]
fn a20_a_look_at_the_data_re_enables() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    deliver(&peer, b"data", &socket);
    inbox.gets(&socket, READ);
    for _ in 0..2 {
        assert_eq!(socket.recv_flags(&mut [0; 8], sys::MSG_PEEK), Ok(4));
        inbox.gets(&socket, READ);
        inbox.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: an urgent byte inline is posted as FD_OOB")]
fn a27_urgent_data_inline_is_posted_as_read() {
    let (peer, socket) = pair();
    socket.set_sol_option(sys::SO_OOBINLINE, 1).unwrap();
    let inbox = Inbox::of(&socket, READ | OOB);
    assert_eq!(peer.send_flags(b"!", sys::MSG_OOB), Ok(1));
    inbox.gets(&socket, READ);
    inbox.nothing();
    assert_eq!(socket.recv_exact(1), b"!");
    inbox.nothing();
}

#[test]
fn a27_urgent_data_that_is_not_inline_is_posted_as_oob() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | OOB);
    deliver_urgent(&peer, b'!', &socket);
    inbox.gets(&socket, OOB);
    inbox.nothing();
}

/// On Windows each urgent byte is told of and received in turn. TCP on Linux keeps one urgent mark, so the second one
/// makes the first ordinary data.
#[test]
#[cfg_attr(windows, ignore = "what Linux does instead")]
fn deviates_a28_the_second_urgent_byte_makes_the_first_ordinary() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, OOB);
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'1', &socket);
    inbox.gets(&socket, OOB);
    assert_eq!(peer.send_flags(b"2", sys::MSG_OOB), Ok(1));
    until("the first one is ordinary data", || socket.bytes_waiting() == 5);
    let mut byte = [0];
    assert_eq!((socket.recv_flags(&mut byte, sys::MSG_OOB), byte), (Ok(1), *b"2"));
    inbox.nothing();
    assert_eq!(socket.recv_exact(5), b"data1");
    inbox.nothing();
}

/// The same without data before: the first urgent byte is where the next receive would begin, and is lost.
#[test]
#[cfg_attr(windows, ignore = "what Linux does instead")]
fn deviates_a28_the_second_urgent_byte_replaces_a_first_that_is_next() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, OOB);
    deliver_urgent(&peer, b'1', &socket);
    inbox.gets(&socket, OOB);
    assert_eq!(peer.send_flags(b"2", sys::MSG_OOB), Ok(1));
    settle();
    let mut byte = [0];
    assert_eq!((socket.recv_flags(&mut byte, sys::MSG_OOB), byte), (Ok(1), *b"2"));
    inbox.nothing();
    assert_eq!(socket.recv(&mut byte), Err(sys::WSAEWOULDBLOCK));
}

#[cfg(windows)]
#[test]
#[ignore = "Wine 8: TCP below it is Linux's, which keeps one urgent mark"]
fn a28_urgent_bytes_queue() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, OOB);
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'1', &socket);
    inbox.gets(&socket, OOB);
    assert_eq!(peer.send_flags(b"2", sys::MSG_OOB), Ok(1));
    inbox.nothing();
    let mut byte = [0];
    assert_eq!((socket.recv_flags(&mut byte, sys::MSG_OOB), byte), (Ok(1), *b"1"));
    inbox.gets(&socket, OOB);
    assert_eq!((socket.recv_flags(&mut byte, sys::MSG_OOB), byte), (Ok(1), *b"2"));
    inbox.nothing();
    assert_eq!(socket.recv_exact(4), b"data");
}

#[test]
fn a29_data_that_a_pending_receive_takes_posts_nothing() {
    let (peer, socket) = pair();
    for selected_first in [true, false] {
        let inbox = Inbox::new();
        if selected_first {
            inbox.select(&socket, READ);
        }
        let done = Event::manual(false);
        let requests = [0; 2].map(|_| Request::new(8).with_event(&done));
        pends(socket.wsa_recv(requests[0]));
        pends(socket.wsa_recv(requests[1]));
        inbox.select(&socket, READ);
        for request in requests {
            done.reset();
            assert_eq!(peer.send(b"data"), Ok(4));
            assert_eq!(done.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
            assert_eq!(request.internal_high(), 4);
            inbox.nothing();
        }
        deliver(&peer, b"data", &socket);
        inbox.gets(&socket, READ);
        assert_eq!(socket.recv_exact(4), b"data");
        inbox.nothing();
    }
}

#[test]
fn a29_a_connection_that_a_pending_accept_ex_takes_posts_nothing() {
    let (listener, address) = listener();
    for selected_first in [true, false] {
        let inbox = Inbox::new();
        if selected_first {
            inbox.select(&listener, ACCEPT);
        }
        let (acceptor, done) = (tcp(), Event::manual(false));
        pends(accept_ex(&listener, &acceptor, Request::new(64).with_event(&done), 0));
        inbox.select(&listener, ACCEPT);
        let _taken = connection(address);
        assert_eq!(done.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        inbox.nothing();
        let _next = connection(address);
        inbox.gets(&listener, ACCEPT);
        let _accepted = listener.accept().unwrap();
        inbox.nothing();
    }
}

#[test]
fn s38_select_neither_withdraws_messages_nor_posts_them() {
    for event in [ACCEPT, READ, OOB, WRITE, CLOSE] {
        let scene = Scene::new(event);
        scene.begin();
        let inbox = Inbox::of(&scene.socket, event);
        for _ in 0..3 {
            assert_ne!(readiness(&scene.socket), "");
        }
        inbox.gets(&scene.socket, event);
        for _ in 0..3 {
            assert_ne!(readiness(&scene.socket), "");
        }
        inbox.nothing();
    }
}
