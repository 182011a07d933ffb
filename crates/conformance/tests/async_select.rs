//! WSAAsyncSelect: the call itself, what a message holds, and selecting again (A1 to A6, A8 to A11, A13, A21, A22, A30).
#![forbid(unsafe_code)]

use conformance::fixture::closed_socket;
use conformance::network_fixture::{
    ACCEPT, ALL, CLOSE, CONNECT, Inbox, MESSAGE, OOB, READ, Scene, WRITE, Watch, assert_nonblocking, begin_connect,
    connection, deliver, deliver_urgent, is_readable, settle,
};
use conformance::raw::{
    Event, Message, Socket, get_message, listener, pair, readiness, tcp, wsa_get_last_error, wsa_set_last_error,
};
use conformance::until;
use pentaport::sys;
use std::mem::ManuallyDrop;
use std::thread;

/// The events whose conditions a scene can make hold.
const KINDS: [u32; 5] = [ACCEPT, READ, WRITE, OOB, CLOSE];

/// An event that does not happen in the scene of this one.
fn other_than(event: u32) -> u32 {
    if event == WRITE { READ } else { CONNECT }
}

#[test]
fn a1_selecting_makes_the_socket_nonblocking() {
    for events in [READ, 0] {
        let (_peer, socket) = pair();
        let _inbox = Inbox::of(&socket, events);
        assert_nonblocking(&socket, true);
    }
}

#[test]
fn a2_fionbio_0_is_refused_while_events_are_selected() {
    let (_peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Err(sys::WSAEINVAL));
    let (outcome, _) = socket.wsa_ioctl(sys::FIONBIO as u32, &0u32.to_ne_bytes(), &mut [], None);
    assert_eq!(outcome, Err(sys::WSAEINVAL), "by WSAIoctl");
    assert_nonblocking(&socket, true);
    assert_eq!(socket.ioctl(sys::FIONBIO, 1), Ok(1));

    inbox.select(&socket, 0);
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Ok(0));
    assert_nonblocking(&socket, false);
}

#[test]
fn a3_selecting_again_replaces_message_window_and_mask() {
    let (peer, socket) = pair();
    let (first, second) = (Inbox::new(), Inbox::new());
    assert_eq!(socket.wsa_async_select(&first.window, MESSAGE + 1, READ), Ok(()));
    // Another event under another message: not in addition, but instead.
    assert_eq!(socket.wsa_async_select(&first.window, MESSAGE, WRITE), Ok(()));
    first.gets(&socket, WRITE);
    deliver(&peer, b"data", &socket);
    first.nothing();
    assert_eq!(first.window.take(MESSAGE + 1), None, "the first mask is gone");

    second.select(&socket, READ);
    second.gets(&socket, READ);
    assert_eq!(socket.recv_exact(4), b"data");
    deliver(&peer, b"more", &socket);
    second.gets(&socket, READ);
    first.nothing();
    assert_eq!(first.window.take(MESSAGE + 1), None);
}

#[test]
fn a4_messages_end_events() {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    let inbox = Inbox::of(&socket, READ);
    deliver(&peer, b"data", &socket);
    inbox.gets(&socket, READ);
    settle();
    assert!(!watch.event.is_set());
}

#[test]
fn a4_events_end_messages() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    let watch = Watch::new(&socket, READ);
    deliver(&peer, b"data", &socket);
    watch.records(READ);
    socket.recv_exact(2);
    watch.records(READ);
    inbox.nothing();
}

#[test]
fn a4_nothing_of_the_other_kinds_mask_remains() {
    for messages_first in [true, false] {
        let (peer, socket) = pair();
        let inbox = Inbox::new();
        if messages_first {
            inbox.select(&socket, READ | CLOSE);
        }
        let watch = Watch::new(&socket, if messages_first { READ } else { READ | CLOSE });
        if !messages_first {
            inbox.select(&socket, READ);
        }
        deliver(&peer, b"data", &socket);
        match messages_first {
            true => watch.records(READ),
            false => inbox.gets(&socket, READ),
        }
        peer.shutdown(sys::SD_SEND).unwrap();
        is_readable(&socket);
        watch.nothing();
        inbox.nothing();
    }
}

#[test]
fn a4_a_call_without_events_ends_the_other_kind_too() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    assert_eq!(socket.wsa_event_select(None, 0), Ok(()));
    deliver(&peer, b"data", &socket);
    inbox.nothing();
    assert_eq!(socket.recv_exact(4), b"data");

    let watch = Watch::new(&socket, READ);
    inbox.select(&socket, 0);
    deliver(&peer, b"more", &socket);
    watch.nothing();
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Ok(0), "nothing is selected");
}

#[test]
fn a5_no_events_stops_posting_and_keeps_what_is_queued() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | CLOSE);
    deliver(&peer, b"data", &socket);
    inbox.has_one();
    inbox.select(&socket, 0);
    assert_eq!(socket.recv_exact(2), b"da");
    deliver(&peer, b"more", &socket);
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, READ);
    inbox.nothing();
}

#[test]
fn a6_closesocket_posts_nothing_and_keeps_what_is_queued() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ | WRITE | CLOSE);
    inbox.gets(&socket, WRITE);
    deliver(&peer, b"data", &socket);
    inbox.has_one();
    assert_eq!(socket.close(), Ok(()));
    let _ = peer.send(b"more");
    drop(peer);
    inbox.gets(&socket, READ);
    inbox.nothing();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: any value for the window is taken")]
fn a8_a_bad_window_is_refused() {
    let (_peer, socket) = pair();
    let destroyed = Inbox::new().window.handle();
    let event = Event::manual(false);
    for window in [0, destroyed, event.handle()] {
        assert_eq!(socket.wsa_async_select_handle(window, MESSAGE, READ), Err(sys::WSAEINVAL), "{window:#x}");
        assert_eq!(socket.ioctl(sys::FIONBIO, 0), Ok(0), "nothing is selected");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: any value for the window is taken")]
fn a8_a_bad_window_leaves_the_selection_that_there_is() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, READ);
    assert_eq!(socket.wsa_async_select_handle(0, MESSAGE, CLOSE), Err(sys::WSAEINVAL));
    deliver(&peer, b"data", &socket);
    peer.shutdown(sys::SD_SEND).unwrap();
    inbox.gets(&socket, READ);
    inbox.nothing();
}

#[test]
fn a8_what_is_no_socket_is_refused() {
    let inbox = Inbox::new();
    let event = Event::manual(false);
    let event_as_socket = ManuallyDrop::new(Socket::of(event.handle()));
    for socket in [&closed_socket(), &Socket::invalid(), &event_as_socket] {
        assert_eq!(socket.wsa_async_select(&inbox.window, MESSAGE, READ), Err(sys::WSAENOTSOCK));
    }
}

#[test]
fn a9_an_accepted_socket_inherits_window_message_and_mask() {
    let accepts: [fn(&Socket) -> Socket; 2] = [
        |listener| listener.accept().expect("accept").0,
        |listener| listener.wsa_accept(|_| sys::CF_ACCEPT as i32).expect("WSAAccept").0,
    ];
    for accept in accepts {
        let (listener, address) = listener();
        let inbox = Inbox::of(&listener, ACCEPT | READ | WRITE);
        let client = connection(address);
        inbox.gets(&listener, ACCEPT);
        let accepted = accept(&listener);
        inbox.gets(&accepted, WRITE);
        deliver(&client, b"data", &accepted);
        inbox.gets(&accepted, READ);
        assert_eq!(accepted.ioctl(sys::FIONBIO, 0), Err(sys::WSAEINVAL), "as any socket with a selection");
        // The mask is that of the listener: without FD_CLOSE.
        client.shutdown(sys::SD_SEND).unwrap();
        assert_eq!(accepted.recv_exact(4), b"data");
        is_readable(&accepted);
        inbox.nothing();
    }
}

#[test]
fn a9_what_came_before_accept_is_posted_for_the_accepted_socket() {
    came_before_accept(&[READ]);
    came_before_accept(&[CLOSE]);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE is not posted while data is unread")]
fn a32_data_and_end_that_came_before_accept_are_posted_for_the_accepted_socket() {
    came_before_accept(&[READ, CLOSE]);
}

/// Lets data, the end or both come before the connection is accepted.
#[track_caller]
fn came_before_accept(events: &[u32]) {
    let (listener, address) = listener();
    let inbox = Inbox::of(&listener, ACCEPT | READ | CLOSE);
    let client = connection(address);
    if events.contains(&READ) {
        assert_eq!(client.send(b"data"), Ok(4));
    }
    if events.contains(&CLOSE) {
        client.shutdown(sys::SD_SEND).unwrap();
    }
    inbox.gets(&listener, ACCEPT);
    let (accepted, _) = listener.accept().unwrap();
    for &event in events {
        inbox.gets(&accepted, event);
    }
    inbox.nothing();
}

#[test]
fn a9_without_write_in_the_mask_the_accepted_socket_posts_none() {
    let (listener, address) = listener();
    let inbox = Inbox::of(&listener, ACCEPT | READ | CLOSE);
    let client = connection(address);
    inbox.gets(&listener, ACCEPT);
    let (accepted, _) = listener.accept().unwrap();
    inbox.nothing();
    deliver(&client, b"data", &accepted);
    inbox.gets(&accepted, READ);
    assert_eq!(accepted.recv_exact(4), b"data");
    client.close().unwrap();
    inbox.gets(&accepted, CLOSE);
}

#[test]
fn a10_any_thread_may_call_and_may_end() {
    let inbox = Inbox::new();
    let (peer, socket) = pair();
    let window = inbox.window.handle();
    thread::scope(|scope| {
        let select = || assert_eq!(socket.wsa_async_select_handle(window, MESSAGE, READ | CLOSE), Ok(()));
        scope.spawn(select).join().unwrap();
    });
    for _ in 0..2 {
        deliver(&peer, b"data", &socket);
        inbox.gets(&socket, READ);
        assert_eq!(socket.recv_exact(4), b"data");
    }
    peer.close().unwrap();
    inbox.gets(&socket, CLOSE);
}

#[test]
fn a11_a_message_holds_socket_event_and_error() {
    let inbox = Inbox::new();
    let message = |socket: &Socket, lparam| Message {
        window: inbox.window.handle(),
        message: MESSAGE,
        wparam: socket.raw(),
        lparam,
    };
    let (peer, socket) = pair();
    inbox.select(&socket, READ);
    deliver(&peer, b"data", &socket);
    assert_eq!(get_message(), message(&socket, READ as isize));

    let (refusing, socket) = (tcp(), tcp());
    inbox.select(&socket, CONNECT);
    begin_connect(&socket, refusing.bind_loopback());
    let error = sys::WSAECONNREFUSED as u32;
    assert_eq!(inbox.next(), message(&socket, (CONNECT | error << 16) as isize));
}

#[test]
fn a11_a_message_holds_one_event() {
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'!', &socket);
    let inbox = Inbox::of(&socket, ALL);
    let mut events = [0; 3].map(|_| inbox.next().event());
    events.sort_unstable();
    assert_eq!(events, [READ, WRITE, OOB]);
    inbox.nothing();
}

#[test]
fn a13_the_arrival_of_a_message_sets_no_last_error() {
    let (refusing, socket) = (tcp(), tcp());
    let inbox = Inbox::of(&socket, CONNECT);
    begin_connect(&socket, refusing.bind_loopback());
    wsa_set_last_error(0);
    inbox.has_one();
    assert_ne!(wsa_get_last_error(), sys::WSAECONNREFUSED);
    inbox.gets_error(&socket, CONNECT, sys::WSAECONNREFUSED);
    assert_ne!(wsa_get_last_error(), sys::WSAECONNREFUSED, "the code is in the message alone");
}

#[test]
fn a21_selecting_again_posts_all_that_holds_again() {
    for event in KINDS {
        let scene = Scene::new(event);
        scene.begin();
        let inbox = Inbox::of(&scene.socket, event);
        inbox.gets(&scene.socket, event);
        inbox.nothing();
        for _ in 0..2 {
            inbox.select(&scene.socket, event);
            inbox.gets(&scene.socket, event);
            inbox.nothing();
            inbox.select(&scene.socket, 0);
            inbox.nothing();
            inbox.select(&scene.socket, event);
            inbox.gets(&scene.socket, event);
            inbox.nothing();
        }
        let other = Inbox::of(&scene.socket, event | other_than(event));
        other.gets(&scene.socket, event);
        inbox.nothing();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE comes without error")]
fn a21_close_is_posted_again_with_its_error() {
    let (peer, socket) = pair();
    let inbox = Inbox::of(&socket, CLOSE);
    peer.reset();
    inbox.gets_error(&socket, CLOSE, sys::WSAECONNABORTED);
    inbox.select(&socket, CLOSE);
    inbox.gets_error(&socket, CLOSE, sys::WSAECONNABORTED);
    inbox.select(&socket, 0);
    inbox.select(&socket, CLOSE);
    inbox.gets_error(&socket, CLOSE, sys::WSAECONNABORTED);
    inbox.nothing();
}

#[test]
fn a21_what_holds_no_more_is_not_posted_again() {
    for event in [ACCEPT, READ, OOB] {
        let scene = Scene::new(event);
        scene.begin();
        let inbox = Inbox::of(&scene.socket, event);
        inbox.gets(&scene.socket, event);
        scene.end();
        inbox.select(&scene.socket, event);
        inbox.nothing();
    }
}

#[test]
fn a22_connect_is_not_posted_for_a_connected_socket() {
    let (_listener, address) = listener();
    let blocking = connection(address);
    let nonblocking = tcp();
    nonblocking.set_nonblocking(true);
    begin_connect(&nonblocking, address);
    until("the connection stands", || readiness(&nonblocking) == "w");
    for socket in [blocking, nonblocking] {
        let inbox = Inbox::of(&socket, ALL);
        inbox.gets(&socket, WRITE);
        inbox.nothing();
        inbox.select(&socket, ALL);
        inbox.gets(&socket, WRITE);
        inbox.nothing();
        inbox.select(&socket, CONNECT);
        inbox.nothing();
    }
}

#[test]
fn a30_what_was_consumed_before_selecting_is_not_posted() {
    for event in [ACCEPT, READ, OOB] {
        for before in [None, Some(other_than(event)), Some(0)] {
            let scene = Scene::new(event);
            let inbox = Inbox::new();
            if let Some(mask) = before {
                inbox.select(&scene.socket, event);
                inbox.select(&scene.socket, mask);
            }
            scene.begin();
            settle();
            scene.end();
            inbox.select(&scene.socket, event);
            inbox.nothing();
        }
    }
}

#[test]
fn a30_what_begins_while_not_selected_is_posted_by_selecting() {
    for event in KINDS {
        for before in [None, Some(other_than(event)), Some(0)] {
            let scene = Scene::new(event);
            let inbox = Inbox::new();
            if let Some(mask) = before {
                inbox.select(&scene.socket, event);
                inbox.select(&scene.socket, mask);
            }
            scene.begin();
            inbox.nothing();
            inbox.select(&scene.socket, event);
            inbox.gets(&scene.socket, event);
            inbox.nothing();
        }
    }
}
