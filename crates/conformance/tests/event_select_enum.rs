//! WSAEnumNetworkEvents (V26 to V31).
#![forbid(unsafe_code)]

use conformance::network_fixture::{ACCEPT, CLOSE, OOB, READ, Scene, WRITE, Watch, deliver, deliver_urgent};
use conformance::raw::{Bad, Event, NetworkEvents, Socket, UNTOUCHED, pair};
use pentaport::sys;
use std::mem::ManuallyDrop;
use std::sync::Barrier;
use std::thread;

#[test]
fn v26_only_what_is_selected_is_returned_and_cleared() {
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    deliver_urgent(&peer, b'!', &socket);
    let watch = Watch::new(&socket, READ | OOB | WRITE);
    watch.is_signalled();
    for selected in [WRITE, OOB] {
        watch.select(selected);
        watch.records(selected);
        watch.nothing();
    }
    watch.select(READ | WRITE | OOB);
    watch.records_at_once(READ);
}

#[test]
fn v27_errors_are_written_for_the_returned_events_alone() {
    let untouched = UNTOUCHED as i32;
    let (peer, socket) = pair();
    deliver(&peer, b"data", &socket);
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    watch.event.reset();
    watch.select(READ);
    watch.is_signalled();
    // Now both are recorded.
    watch.select(READ | WRITE);
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    let mut errors = [untouched; 10];
    (errors[0], errors[1]) = (0, 0);
    assert_eq!(found, NetworkEvents { events: READ | WRITE, errors });

    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    assert_eq!(found, NetworkEvents { events: 0, errors: [untouched; 10] });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: FD_CLOSE comes without error")]
fn v20_the_error_of_a_reset_is_written_alone() {
    let untouched = UNTOUCHED as i32;
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, CLOSE);
    peer.reset();
    watch.is_signalled();
    let found = socket.wsa_enum_network_events(Some(&watch.event)).unwrap();
    let mut errors = [untouched; 10];
    errors[5] = sys::WSAECONNABORTED;
    assert_eq!(found, NetworkEvents { events: CLOSE, errors });
}

#[test]
fn v28_without_an_event_the_record_is_cleared_and_the_event_stays_set() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    assert_eq!(socket.wsa_enum_network_events(None).unwrap().events, WRITE);
    assert!(watch.event.is_set());
    assert_eq!(socket.wsa_enum_network_events(None).unwrap().events, 0);
    assert!(watch.event.is_set());
}

#[test]
fn v28_the_event_that_is_given_is_reset() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    let other = Event::manual(true);
    assert_eq!(socket.wsa_enum_network_events(Some(&other)).unwrap().events, WRITE);
    assert!(!other.is_set(), "the one that was given");
    assert!(watch.event.is_set(), "not the one that was selected");
    assert_eq!(socket.wsa_enum_network_events(Some(&watch.event)).unwrap().events, 0);
    assert!(!watch.event.is_set(), "also when there is nothing to return");
}

/// One thread makes what is recorded (a receive that leaves data), the other one takes it at the same time. Whatever
/// the order, the event has to say afterwards whether something is recorded.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: at times the event is set afterwards, with nothing recorded")]
fn v29_enum_is_one_step_with_regard_to_arrivals() {
    const ROUNDS: usize = 2_000;
    let (peer, socket) = pair();
    deliver(&peer, &[0x55; ROUNDS + 1], &socket);
    let watch = Watch::new(&socket, READ);
    watch.records(READ);
    let both = Barrier::new(2);
    let mut rounds = vec![];
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                both.wait();
                assert_eq!(socket.recv(&mut [0]), Ok(1));
                both.wait();
            }
        });
        for _ in 0..ROUNDS {
            both.wait();
            let taken = watch.enumerate();
            both.wait();
            rounds.push((taken, watch.event.is_set(), watch.enumerate()));
        }
    });
    for (round, (taken, set, left)) in rounds.into_iter().enumerate() {
        assert_eq!(set, left == READ, "round {round}: the event against what is recorded");
        assert_eq!(taken | left, READ, "round {round}: recorded, before or after");
    }
}

/// As above, with what comes from the peer: a lost signal lets a wait end by its deadline.
#[test]
fn v29_no_arrival_is_lost_between_record_and_event() {
    const BYTES: usize = 5_000;
    let (peer, socket) = pair();
    let watch = Watch::new(&socket, READ);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..BYTES {
                assert_eq!(peer.send(b"."), Ok(1));
            }
        });
        let mut received = 0;
        while received < BYTES {
            watch.is_signalled();
            watch.enumerate();
            let mut buffer = [0; 64];
            while let Ok(count) = socket.recv(&mut buffer) {
                received += count;
            }
        }
    });
}

#[test]
fn v30_what_is_no_socket_is_refused_and_nothing_is_written() {
    enumerate_what_is_no_socket(&Event::manual(true));
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the event is reset all the same")]
fn v30_a_failure_changes_neither_record_nor_event() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    enumerate_what_is_no_socket(&watch.event);
    assert!(watch.event.is_set());
    watch.records(WRITE);
}

#[track_caller]
fn enumerate_what_is_no_socket(event: &Event) {
    let no_socket = ManuallyDrop::new(Socket::of(event.handle()));
    for no_socket in [&no_socket, &ManuallyDrop::new(Socket::invalid())] {
        let (outcome, found) = no_socket.wsa_enum_network_events_handle(event.handle());
        assert_eq!(outcome, Err(sys::WSAENOTSOCK));
        assert_eq!(found, NetworkEvents::BEFORE);
    }
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 takes what is recorded all the same")]
fn v30_what_is_no_event_changes_neither_record_nor_event() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    let (outcome, found) = socket.wsa_enum_network_events_handle(socket.raw());
    assert!(outcome.is_err(), "a socket is no event");
    assert_eq!(found.errors, NetworkEvents::BEFORE.errors);
    assert!(watch.event.is_set());
    watch.records(WRITE);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: writes to the bad pointer, which ends the process")]
fn v30_a_bad_pointer_changes_neither_record_nor_event() {
    let (_peer, socket) = pair();
    let watch = Watch::new(&socket, WRITE);
    watch.is_signalled();
    for bad in [Bad::Null, Bad::NoAccess] {
        assert_eq!(socket.wsa_enum_network_events_bad(&watch.event, bad), Err(sys::WSAEFAULT), "{bad:?}");
        assert!(watch.event.is_set());
    }
    watch.records(WRITE);
}

#[test]
fn v31_enum_does_not_re_enable() {
    for event in [ACCEPT, READ, OOB, WRITE, CLOSE] {
        let scene = Scene::new(event);
        scene.begin();
        let watch = Watch::new(&scene.socket, event);
        watch.records(event);
        // The condition holds on; taking the record, once or again, records nothing.
        for _ in 0..3 {
            assert_eq!(watch.enumerate(), 0);
            assert_eq!(scene.socket.wsa_enum_network_events(None).unwrap().events, 0);
        }
        watch.nothing();
    }
}
