//! WSAEventSelect: the call itself, and what selecting again does (V1 to V9, V24, V25).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, closed_event, closed_socket};
use conformance::network_fixture::{
    ACCEPT, ALL, CLOSE, CONNECT, OOB, READ, Scene, WRITE, Watch, assert_nonblocking, connection, deliver, is_readable,
    settle,
};
use conformance::raw::{Event, Socket, listener, pair};
use pentaport::sys;
use std::mem::ManuallyDrop;

/// The events whose conditions a scene can make hold.
const KINDS: [u32; 5] = [ACCEPT, READ, WRITE, OOB, CLOSE];

/// An event that does not happen in the scene of this one.
fn other_than(event: u32) -> u32 {
    if event == WRITE { READ } else { CONNECT }
}

#[test]
fn v1_selecting_makes_the_socket_nonblocking() {
    for events in [READ, 0] {
        let (_peer, socket) = pair();
        let event = Event::manual(false);
        assert_eq!(socket.wsa_event_select((events != 0).then_some(&event), events), Ok(()));
        assert_nonblocking(&socket, true);
    }
}

#[test]
fn v1_a2_fionbio_0_is_refused_while_events_are_selected() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Err(sys::WSAEINVAL));
    let (outcome, _) = socket.wsa_ioctl(sys::FIONBIO as u32, &0u32.to_ne_bytes(), &mut [], None);
    assert_eq!(outcome, Err(sys::WSAEINVAL), "by WSAIoctl");
    assert_nonblocking(&socket, true);
    assert_eq!(socket.ioctl(sys::FIONBIO, 1), Ok(1));

    watch.select(0);
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Ok(0));
    assert_nonblocking(&socket, false);
}

#[test]
fn v1_after_no_events_the_socket_stays_nonblocking_until_fionbio() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    watch.select(0);
    assert_nonblocking(&socket, true);
}

#[test]
fn v2_events_without_an_event_object_are_refused() {
    let (peer, socket) = pair();
    for handle in [0, closed_event(), socket.raw(), usize::MAX] {
        assert_eq!(socket.wsa_event_select_handle(handle, READ), Err(sys::WSAEINVAL), "{handle:#x}");
    }
    // Nothing was selected.
    deliver(&peer, b"data", &socket);
    assert_eq!(socket.wsa_enum_network_events(None).map(|found| found.events), Ok(0));
}

#[test]
fn v2_without_events_the_association_goes_whichever_event_is_named() {
    let other = Event::manual(false);
    for handle in [0, other.handle()] {
        association_goes_with(handle);
        assert!(!other.is_set());
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 refuses what is no event with WSAEINVAL")]
fn v2_without_events_the_association_goes_although_no_event_is_named() {
    for handle in [closed_event(), usize::MAX] {
        association_goes_with(handle);
    }
}

/// Selects no events, with this as the event.
#[track_caller]
fn association_goes_with(handle: usize) {
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    assert_eq!(socket.wsa_event_select_handle(handle, 0), Ok(()), "{handle:#x}");
    deliver(&peer, b"data", &socket);
    watch.nothing();
    assert_eq!(socket.ioctl(sys::FIONBIO, 0), Ok(0), "nothing is selected");
}

#[test]
fn v3_after_no_events_enum_returns_none() {
    for event in KINDS {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.is_signalled();
        watch.select(0);
        assert_eq!(watch.enumerate(), 0);
    }
}

#[test]
fn v4_what_is_recorded_survives_a_mask_without_it() {
    for event in KINDS {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.is_signalled();
        for narrower in [other_than(event), 0] {
            watch.select(narrower);
            watch.event.reset();
            watch.nothing();
        }
        watch.select(event | other_than(event));
        watch.records(event);
    }
}

#[test]
fn v5_selecting_never_resets_the_event() {
    let (_peer, socket) = pair();
    let event = Event::manual(true);
    for events in [READ, READ | WRITE, READ, 0] {
        assert_eq!(socket.wsa_event_select(Some(&event), events), Ok(()));
        assert!(event.is_set(), "after selecting {events:#x}");
    }
}

#[test]
fn v6_each_selecting_sets_the_event_at_once_until_enum() {
    for event in KINDS {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.is_signalled();
        for _ in 0..3 {
            watch.event.reset();
            watch.select(event);
            assert!(watch.event.is_set(), "with the same mask");
            watch.event.reset();
            watch.select(0);
            assert!(!watch.event.is_set(), "without a mask");
            watch.select(event);
            assert!(watch.event.is_set(), "with no mask and then the same");
        }
        let other = Event::manual(false);
        watch.event.reset();
        assert_eq!(scene.socket.wsa_event_select(Some(&other), event), Ok(()));
        assert!(other.is_set(), "the new event");
        assert!(!watch.event.is_set(), "not the one that was selected before");
    }
}

#[test]
fn v7_what_enum_has_taken_is_not_recorded_by_selecting_again() {
    for event in KINDS {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.records(event);
        watch.select(event);
        watch.nothing();
        watch.select(0);
        watch.select(event);
        watch.nothing();
        let other = Watch::new(&scene.socket, event);
        other.nothing();
    }
}

#[test]
fn v8_what_begins_while_not_selected_is_delivered_later() {
    for event in KINDS {
        // Never selected before; selected without it; selected and given up.
        for before in [None, Some(other_than(event)), Some(0)] {
            let scene = Scene::new(event);
            if let Some(mask) = before {
                let watch = Watch::new(&scene.socket, event);
                watch.nothing();
                watch.select(mask);
            }
            scene.begin();
            let watch = Watch::new(&scene.socket, event);
            watch.records(event);
        }
    }
}

#[test]
fn v6_v8_what_began_while_not_selected_is_there_at_once() {
    for event in KINDS {
        for before in [None, Some(other_than(event)), Some(0)] {
            // Further selections without it, after it began.
            for between in [None, Some(other_than(event)), Some(0)] {
                let scene = Scene::new(event);
                if let Some(mask) = before {
                    Watch::new(&scene.socket, event).select(mask);
                }
                scene.begin();
                settle();
                if let Some(mask) = between {
                    Watch::new(&scene.socket, CONNECT).select(mask);
                }
                let watch = Watch::new(&scene.socket, event);
                let taken = scene.socket.wsa_enum_network_events(None).map(|found| found.events);
                assert_eq!(taken, Ok(event), "before {before:?}, between {between:?}");
                assert!(watch.event.is_set(), "before {before:?}, between {between:?}");
                watch.event.reset();
                watch.nothing();
            }
        }
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE comes without error")]
fn v20_a_reset_while_not_selected_is_delivered_with_its_error() {
    for before in [None, Some(READ), Some(0)] {
        let (peer, socket) = pair();
        if let Some(mask) = before {
            Watch::new(&socket, CLOSE).select(mask);
        }
        peer.reset();
        is_readable(&socket);
        settle();
        let watch = Watch::new(&socket, CLOSE);
        watch.is_signalled();
        let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
        assert_eq!((found.events, found.error(CLOSE)), (CLOSE, sys::WSAECONNABORTED), "before {before:?}");
    }
}

#[test]
fn v9_what_was_consumed_before_selecting_is_not_delivered() {
    for event in [ACCEPT, READ, OOB] {
        for before in [None, Some(other_than(event)), Some(0)] {
            let scene = Scene::new(event);
            let earlier = before.map(|mask| {
                let watch = Watch::new(&scene.socket, event);
                watch.select(mask);
                watch
            });
            scene.begin();
            settle();
            scene.end();
            let watch = Watch::new(&scene.socket, event);
            watch.nothing();
            assert!(earlier.is_none_or(|earlier| !earlier.event.is_set()));
        }
    }
}

#[test]
fn v24_one_event_serves_many_sockets() {
    let pairs = [pair(), pair(), pair()];
    let event = Event::manual(false);
    for (_, socket) in &pairs {
        assert_eq!(socket.wsa_event_select(Some(&event), READ), Ok(()));
    }
    for index in [1, 0, 2, 1] {
        let (peer, socket) = &pairs[index];
        deliver(peer, b"!", socket);
        assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        event.reset();
        assert_eq!(recorded(&pairs), [0, 1, 2].map(|other| if other == index { READ } else { 0 }));
        assert_eq!(socket.recv_exact(1), b"!");
    }
}

#[test]
fn v24_an_auto_reset_event_serves_many_sockets() {
    let pairs = [pair(), pair(), pair()];
    let event = Event::auto(false);
    for (_, socket) in &pairs {
        assert_eq!(socket.wsa_event_select(Some(&event), READ), Ok(()));
    }
    for index in [2, 0, 1, 1] {
        let (peer, socket) = &pairs[index];
        deliver(peer, b"!", socket);
        assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        assert!(!event.is_set(), "the wait has reset it");
        assert_eq!(recorded(&pairs), [0, 1, 2].map(|other| if other == index { READ } else { 0 }));
        assert_eq!(socket.recv_exact(1), b"!");
    }
}

/// What WSAEnumNetworkEvents, without event, takes from the second socket of each pair.
fn recorded(pairs: &[(Socket, Socket); 3]) -> [u32; 3] {
    pairs.each_ref().map(|(_, socket)| socket.wsa_enum_network_events(None).expect("the record").events)
}

#[test]
fn v25_closesocket_ends_the_association_and_leaves_the_event_alone() {
    for set in [false, true] {
        let (peer, socket) = pair();
        let event = Event::manual(false);
        assert_eq!(socket.wsa_event_select(Some(&event), READ | sys::FD_CLOSE), Ok(()));
        if set {
            event.set();
        }
        assert_eq!(socket.close(), Ok(()));
        // What the peer does now reaches nobody.
        let _ = peer.send(b"data");
        settle();
        assert_eq!(event.is_set(), set, "neither set nor reset by the close");
        event.set();
        assert!(event.is_set(), "the event object lives");
        event.reset();
        assert!(!event.is_set());
    }
}

#[test]
fn v25_what_is_left_to_send_at_closesocket_sets_no_event() {
    let (peer, socket) = pair();
    peer.set_sol_option(sys::SO_RCVTIMEO, DEADLINE_MS as i32).expect("SO_RCVTIMEO");
    let watch = Watch::new(&socket, ALL);
    // More than the systems below take at once.
    let data = vec![0x55; 16 << 20];
    let sent = socket.send(&data).unwrap();
    watch.is_signalled();
    watch.event.reset();
    assert_eq!(socket.close(), Ok(()));
    // The connection goes on in the background until what was sent has been taken.
    peer.shutdown(sys::SD_SEND).unwrap();
    settle();
    assert!(!watch.event.is_set());
    assert_eq!(peer.recv_exact(sent), data[..sent]);
    settle();
    assert!(!watch.event.is_set());
}

#[test]
fn v25_a_socket_made_after_closesocket_has_no_association() {
    let (listener, address) = listener();
    let (_peer, socket) = pair();
    let event = Event::manual(false);
    assert_eq!(socket.wsa_event_select(Some(&event), ALL), Ok(()));
    event.reset();
    assert_eq!(socket.close(), Ok(()));
    // It may have the same place, or even the same handle.
    let client = connection(address);
    let (server, _) = listener.accept().unwrap();
    for (from, to) in [(&client, &server), (&server, &client)] {
        deliver(from, b"data", to);
        assert_eq!(to.recv_exact(2), b"da");
        from.shutdown(sys::SD_SEND).unwrap();
        assert_eq!(to.recv_exact(2), b"ta");
    }
    settle();
    assert!(!event.is_set());
    for socket in [&client, &server] {
        assert_eq!(socket.wsa_enum_network_events(None).map(|found| found.events), Ok(0));
    }
}

#[test]
fn h13_what_is_no_socket_is_refused() {
    let event = Event::manual(false);
    for socket in [Socket::invalid(), closed_socket()] {
        assert_eq!(socket.wsa_event_select(Some(&event), READ), Err(sys::WSAENOTSOCK));
        assert_eq!(socket.wsa_event_select(None, 0), Err(sys::WSAENOTSOCK));
        assert_eq!(socket.wsa_enum_network_events(None), Err(sys::WSAENOTSOCK));
    }
    let event_as_socket = ManuallyDrop::new(Socket::of(event.handle()));
    assert_eq!(event_as_socket.wsa_event_select(Some(&event), READ), Err(sys::WSAENOTSOCK));
    assert_eq!(event_as_socket.wsa_enum_network_events(None), Err(sys::WSAENOTSOCK));
}
