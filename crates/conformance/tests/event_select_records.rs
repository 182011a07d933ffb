//! WSAEventSelect: what a connection's data and a listener's connections record, and what records again (V10 to V15,
//! V22, S38).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, pends};
use conformance::network_fixture::{
    ACCEPT, CLOSE, OOB, READ, Scene, WRITE, Watch, connection, deliver, drain, fill, is_readable, settle,
};
use conformance::raw::{
    Bad, Begin, Event, FdSet, Request, Socket, accept_ex, listener, pair, readiness, select, tcp, udp,
};
use pentaport::sys;
use std::time::Duration;

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_ACCEPT and FD_READ are not recorded again")]
fn v10_a_new_arrival_is_recorded_again_without_a_re_enabling_call() {
    for event in [ACCEPT, READ, OOB] {
        let scene = Scene::new(event);
        let watch = Watch::new(&scene.socket, event);
        for _ in 0..3 {
            scene.begin();
            watch.records(event);
        }
        watch.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the second FD_READ does not set the event")]
fn v10_a_new_arrival_signals_the_event_again_although_the_record_was_not_taken() {
    for event in [ACCEPT, READ, OOB] {
        let scene = Scene::new(event);
        let watch = Watch::new(&scene.socket, event);
        for _ in 0..3 {
            scene.begin();
            watch.is_signalled();
            watch.event.reset();
        }
        assert_eq!(watch.enumerate(), event);
    }
}

#[test]
fn v11_a_receive_that_leaves_data_records_again() {
    for receive in RECEIVES {
        let (peer, socket) = pair();
        let watch = Watch::new(&socket, READ);
        deliver(&peer, b"abc", &socket);
        watch.records(READ);
        for _ in 0..2 {
            receive(&socket);
            watch.records(READ);
        }
        receive(&socket);
        watch.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 sets the event some time after the receive")]
fn when_a_receive_that_leaves_data_returns_the_event_is_set() {
    for receive in RECEIVES {
        let (peer, socket) = pair();
        let watch = Watch::new(&socket, READ);
        deliver(&peer, b"abc", &socket);
        watch.records(READ);
        receive(&socket);
        assert!(watch.event.is_set());
    }
}

/// The re-enabling calls, each for one byte.
const RECEIVES: [fn(&Socket); 4] = [
    |socket| assert_eq!(socket.recv(&mut [0]), Ok(1)),
    |socket| assert_eq!(socket.recvfrom_length(&mut [0], 128).0, Ok(1)),
    |socket| assert_eq!(socket.wsa_recv_now(&mut [&mut [0]], 0), Ok((1, 0))),
    |socket| assert_eq!(socket.wsa_recv_from(Request::new(1)), Begin::Done(1)),
];

#[test]
fn v11_an_accept_that_leaves_a_connection_records_again() {
    let accepts: [fn(&Socket) -> Socket; 2] = [
        |listener| listener.accept().expect("accept").0,
        |listener| listener.wsa_accept(|_| sys::CF_ACCEPT as i32).expect("WSAAccept").0,
    ];
    for accept in accepts {
        let (listener, address) = listener();
        let clients = [0; 3].map(|_| connection(address));
        let watch = Watch::new(&listener, ACCEPT);
        watch.records(ACCEPT);
        for _ in 0..2 {
            let _accepted = accept(&listener);
            watch.records(ACCEPT);
        }
        let _accepted = accept(&listener);
        watch.nothing();
        drop(clients);
    }
}

#[test]
fn v12_a_receive_refused_for_its_buffer_does_not_record_again() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    deliver(&peer, b"data", &socket);
    watch.records(READ);
    assert_eq!(socket.recv_bad(Bad::NoAccess, 2), Err(sys::WSAEFAULT));
    watch.nothing();
    assert_eq!(socket.recv_exact(2), b"da", "nothing was lost");
    watch.records(READ);
}

#[test]
fn v12_a_receive_refused_for_its_buffer_leaves_what_is_recorded() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    deliver(&peer, b"data", &socket);
    watch.is_signalled();
    assert_eq!(socket.recv_bad(Bad::NoAccess, 2), Err(sys::WSAEFAULT));
    watch.records(READ);
}

#[test]
fn v13_each_overlapped_receive_that_leaves_data_records_again() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    deliver(&peer, b"abcd", &socket);
    watch.records(READ);
    for left in (0..4).rev() {
        let request = Request::new(1);
        assert_eq!(socket.wsa_recv(request), Begin::Done(1));
        if left > 0 {
            watch.records(READ);
        }
    }
    watch.nothing();
}

#[test]
fn v13_a_pending_receive_that_completes_and_leaves_data_records_it() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    let done = Event::manual(false);
    let request = Request::new(1).with_event(&done);
    pends(socket.wsa_recv(request));
    assert_eq!(peer.send(b"ab"), Ok(2));
    assert_eq!(done.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    watch.records(READ);
    assert_eq!(socket.recv_exact(1), b"b");
    watch.nothing();
}

#[test]
fn v14_write_is_recorded_once_when_first_writable() {
    let (_peer, connected) = pair();
    let datagrams = udp();
    let address = datagrams.bind_loopback();
    for (socket, send) in [
        (&connected, &(|socket: &Socket| socket.send(b"data")) as &dyn Fn(&Socket) -> Result<usize, i32>),
        (&datagrams, &|socket| socket.sendto(b"data", address)),
    ] {
        let watch = Watch::new(socket, WRITE);
        watch.records(WRITE);
        for _ in 0..3 {
            assert_eq!(send(socket), Ok(4));
        }
        watch.nothing();
    }
}

#[test]
fn v14_after_a_refused_send_write_is_recorded_when_there_is_space() {
    let (peer, socket) = pair();
    peer.set_nonblocking(true);
    let watch = Watch::new(&socket, WRITE);
    watch.records(WRITE);
    // Large and small ones: a send without room may find the buffers almost full, or quite.
    for size in [1 << 20, 1 << 20, 2_000, 2_000] {
        fill(|block| socket.send(&block[..size]).map(drop));
        assert!(!watch.event.is_set(), "there is no space yet");
        assert_eq!(watch.enumerate(), 0);
        // What comes meanwhile is no reason; space that the systems below found after all is.
        deliver(&peer, b"data", &socket);
        settle();
        assert!(!watch.event.is_set() || readiness(&socket) == "rw", "there is no space yet");
        drain(&peer, || watch.event.is_set());
        watch.records(WRITE);
        deliver(&peer, b"data", &socket);
        watch.nothing();
    }
}

#[test]
fn v8_v14_space_while_write_is_not_selected_is_recorded_for_later() {
    let (peer, socket) = pair();
    peer.set_nonblocking(true);
    let watch = Watch::new(&socket, WRITE);
    watch.records(WRITE);
    watch.select(READ);
    fill(|block| socket.send(block).map(drop));
    drain(&peer, || readiness(&socket) == "w");
    watch.nothing();
    watch.select(WRITE);
    watch.records(WRITE);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the send that is too long records FD_WRITE again")]
fn v14_a_send_that_fails_otherwise_records_nothing() {
    let (receiver, socket) = (udp(), udp());
    let address = receiver.bind_loopback();
    let back = socket.bind_loopback();
    let watch = Watch::new(&socket, WRITE);
    watch.records(WRITE);
    assert_eq!(socket.sendto(&[0x55; 70_000], address), Err(sys::WSAEMSGSIZE));
    assert_eq!(receiver.sendto(b"data", back), Ok(4));
    is_readable(&socket);
    watch.nothing();
}

#[test]
fn v14_space_that_no_send_lacked_is_not_recorded() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.records(WRITE);
    for _ in 0..3 {
        assert_eq!(socket.send(&[0x55; 10_000]), Ok(10_000));
        peer.recv_exact(10_000);
    }
    watch.nothing();
}

#[test]
fn v15_a_send_does_not_clear_the_record_of_write() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    assert_eq!(socket.send(b"data"), Ok(4));
    assert!(watch.event.is_set());
    watch.records(WRITE);
}

#[test]
fn v22_data_that_a_pending_receive_takes_is_not_recorded() {
    let (peer, socket) = pair();
    for selected_first in [true, false] {
        let early = selected_first.then(|| Watch::new(&socket, READ));
        let done = Event::manual(false);
        let requests = [0; 2].map(|_| Request::new(8).with_event(&done));
        pends(socket.wsa_recv(requests[0]));
        pends(socket.wsa_recv(requests[1]));
        let watch = early.unwrap_or_else(|| Watch::new(&socket, READ));
        for request in requests {
            done.reset();
            assert_eq!(peer.send(b"data"), Ok(4));
            assert_eq!(done.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
            assert_eq!(request.internal_high(), 4);
            watch.nothing();
        }
        deliver(&peer, b"data", &socket);
        watch.records(READ);
        assert_eq!(socket.recv_exact(4), b"data");
        watch.select(0);
    }
}

#[test]
fn v22_a_connection_that_a_pending_accept_ex_takes_is_not_recorded() {
    let (listener, address) = listener();
    for selected_first in [true, false] {
        let early = selected_first.then(|| Watch::new(&listener, ACCEPT));
        let (acceptor, done) = (tcp(), Event::manual(false));
        let request = Request::new(64).with_event(&done);
        pends(accept_ex(&listener, &acceptor, request, 0));
        let watch = early.unwrap_or_else(|| Watch::new(&listener, ACCEPT));
        let _taken = connection(address);
        assert_eq!(done.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        watch.nothing();
        let _next = connection(address);
        watch.records(ACCEPT);
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(accepted.wsa_event_select(None, 0), Ok(()));
        watch.select(0);
    }
}

#[test]
fn s38_select_neither_consumes_what_is_recorded_nor_records() {
    for event in [ACCEPT, READ, OOB, WRITE, CLOSE] {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.is_signalled();
        for _ in 0..3 {
            assert_ne!(readiness(&scene.socket), "");
            assert!(watch.event.is_set(), "the event stays set");
        }
        watch.records(event);
        for _ in 0..3 {
            assert_ne!(readiness(&scene.socket), "");
        }
        watch.nothing();
    }
}

#[test]
fn s38_a_select_that_waits_and_the_event_see_the_same_arrival() {
    let scene = Scene::new(READ);
    let watch = Watch::new(&scene.socket, READ);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut read = FdSet::of(&[&scene.socket]);
            select(Some(&mut read), None, None, Some(Duration::from_millis(u64::from(DEADLINE_MS))))
        });
        watch.nothing();
        scene.begin();
        assert_eq!(waiting.join().unwrap(), Ok(1));
    });
    watch.records(READ);
    is_readable(&scene.socket);
    watch.nothing();
}
