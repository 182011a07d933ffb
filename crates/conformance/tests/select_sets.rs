//! select: the sets, the arguments and what is refused (S2 to S18).
#![forbid(unsafe_code)]

use conformance::fixture::closed_socket;
use conformance::network_fixture::{deliver, deliver_urgent};
use conformance::raw::{
    Bad, Event, FdSet, Port, Set, Socket, listener, pair, readiness, select, select_bad, select_one, select_same_set,
    select_with_timeval, tcp, udp, wsa_get_last_error,
};
use conformance::{in_child, nap, until};
use pentaport::sys;
use std::time::Duration;

const POLL: Option<Duration> = Some(Duration::ZERO);
/// Longer than any test may take: a select that waits this long has failed.
const LONG: Option<Duration> = Some(Duration::from_secs(3600));

#[test]
fn s1_a_set_is_a_count_and_an_array_of_64_sockets() {
    assert_eq!(size_of::<sys::SOCKET>(), size_of::<usize>());
    if size_of::<usize>() == 8 {
        assert_eq!(std::mem::offset_of!(sys::FD_SET, fd_array), 8, "padded behind the count");
        assert_eq!(size_of::<sys::FD_SET>(), 520);
    }
    assert_eq!(std::mem::offset_of!(sys::FD_SET, fd_count), 0);
}

#[test]
fn s2_two_hundred_sockets_in_one_call() {
    let sockets: Vec<Socket> = (0..200).map(|_| udp()).collect();
    let mut write = FdSet::of(&sockets.iter().collect::<Vec<_>>());
    assert_eq!(select(None, Some(&mut write), None, POLL), Ok(200));
    assert_eq!(write.sockets(), sockets.iter().map(Socket::raw).collect::<Vec<_>>());
}

#[test]
fn s3_nothing_behind_the_last_entry_is_read_or_written() {
    let (ready, idle) = (udp(), tcp());
    for sockets in [&[&ready][..], &[&idle, &ready], &[&idle]] {
        for which in Set::ALL {
            let mut set = FdSet::of(sockets);
            let count = select_one(which, &mut set, POLL).expect("the canaries are not read");
            assert_eq!(count, set.count());
            assert!(set.canaries_alive(), "{which:?}");
        }
    }
}

#[test]
fn s6_the_first_argument_is_ignored() {
    let (client, server) = pair();
    deliver(&client, b"data", &server);
    let (sender, urgent) = pair();
    deliver_urgent(&sender, b'!', &urgent);
    let half_a_minute = Some((30, 0));
    for nfds in [0, 1, -1, 64, i32::MIN, i32::MAX] {
        for timeout in [Some((0, 0)), half_a_minute, None] {
            let (mut read, mut write, mut except) =
                (FdSet::of(&[&server]), FdSet::of(&[&client]), FdSet::of(&[&urgent]));
            let (read, write, except) = (Some(&mut read), Some(&mut write), Some(&mut except));
            let (count, _) = select_with_timeval(nfds, read, write, except, timeout);
            assert_eq!(count, Ok(3), "nfds {nfds}, timeout {timeout:?}");
        }
    }
}

#[test]
fn s7_a_set_becomes_its_ready_part_in_the_original_order() {
    let (first, second) = (udp(), udp());
    let (idle, other) = (tcp(), tcp());
    for (a, b) in [(&first, &second), (&second, &first)] {
        let mut write = FdSet::of(&[&idle, a, &other, b]);
        assert_eq!(select(None, Some(&mut write), None, POLL), Ok(2));
        let expected = [a.raw(), b.raw(), other.raw(), b.raw()];
        assert_eq!(write.count(), 2);
        assert_eq!(write.slots(), expected, "the slots beyond the count are untouched");
    }
}

#[test]
fn s8_the_result_is_the_total_of_the_sets() {
    let (client, server) = pair();
    client.send(b"x").unwrap();
    until("the byte came", || readiness(&server) == "rw");
    let (mut read, mut write) = (FdSet::of(&[&server, &client]), FdSet::of(&[&server, &client]));
    assert_eq!(select(Some(&mut read), Some(&mut write), None, POLL), Ok(3));
    assert_eq!((read.count(), write.count()), (1, 2));

    let mut read = FdSet::of(&[&client]);
    let short = Some(Duration::from_millis(1));
    assert_eq!(select(Some(&mut read), None, None, short), Ok(0), "0 when the time is over");
    assert_eq!(read.count(), 0);
    assert_eq!(select(None, None, None, POLL), Err(sys::WSAEINVAL), "SOCKET_ERROR at a failure");
    assert_eq!(wsa_get_last_error(), sys::WSAEINVAL);
}

#[test]
fn s9_a_socket_listed_twice_is_reported_once() {
    let socket = udp();
    let mut write = FdSet::of(&[&socket, &socket]);
    assert_eq!(select(None, Some(&mut write), None, POLL), Ok(1));
    assert_eq!(write.sockets(), [socket.raw()]);
}

#[test]
fn s10_one_set_for_reading_and_writing_becomes_the_union() {
    let (client, server) = pair();
    let idle = tcp();
    client.send(b"x").unwrap();
    until("the byte came", || readiness(&server) == "rw");
    let mut set = FdSet::of(&[&client, &idle, &server]);
    assert_eq!(select_same_set(&mut set, Duration::ZERO), Ok(2), "each socket counts once");
    let (mut union, mut wanted) = (set.sockets().to_vec(), [client.raw(), server.raw()]);
    union.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(union, wanted);

    let (listening, address) = listener();
    let peer = std::net::TcpStream::connect(address).unwrap();
    let mut set = FdSet::of(&[&listening, &idle]);
    assert_eq!(select_same_set(&mut set, Duration::from_secs(30)), Ok(1), "ready to read only");
    assert_eq!(set.sockets(), [listening.raw()]);
    drop(peer);
}

#[test]
fn s11_no_set_at_all_is_wsaeinval() {
    conformance::raw::startup();
    for timeout in [POLL, LONG, None] {
        assert_eq!(select(None, None, None, timeout), Err(sys::WSAEINVAL));
    }
}

#[test]
fn s12_all_sets_empty_is_wsaeinval_at_once() {
    conformance::raw::startup();
    for timeout in [POLL, LONG, None] {
        let mut empty = [0; 3].map(|_| FdSet::of(&[]));
        let [read, write, except] = &mut empty;
        let outcome = select(Some(read), Some(write), Some(except), timeout);
        assert_eq!(outcome, Err(sys::WSAEINVAL));
        for which in Set::ALL {
            let outcome = select_one(which, &mut FdSet::of(&[]), timeout);
            assert_eq!(outcome, Err(sys::WSAEINVAL), "{which:?} alone");
        }
    }
}

#[test]
fn s13_an_empty_set_beside_others_is_accepted() {
    let socket = udp();
    let (mut read, mut write, mut except) = (FdSet::of(&[]), FdSet::of(&[&socket]), FdSet::of(&[]));
    let outcome = select(Some(&mut read), Some(&mut write), Some(&mut except), POLL);
    assert_eq!(outcome, Ok(1));
    assert_eq!((read.count(), write.count(), except.count()), (0, 1, 0));
}

#[test]
fn s14_invalid_and_closed_sockets_are_wsaenotsock() {
    // In a process of its own: no other test takes the closed handle's value.
    in_child("s14_invalid_and_closed_sockets_are_wsaenotsock", || {
        let good = udp();
        let closed = closed_socket();
        for bad in [sys::INVALID_SOCKET, closed.raw()] {
            for which in Set::ALL {
                assert_refused(which, &[bad]);
                assert_refused(which, &[good.raw(), bad]);
                assert_refused(which, &[bad, good.raw()]);
            }
        }
        // The other sets are left alone too.
        let (mut read, mut write) = (FdSet::of(&[&closed]), FdSet::of(&[&good]));
        let outcome = select(Some(&mut read), Some(&mut write), None, POLL);
        assert_eq!(outcome, Err(sys::WSAENOTSOCK));
        assert_eq!((read.count(), write.count()), (1, 1));
    });
}

#[test]
fn s15_handles_of_other_kinds_are_wsaenotsock() {
    let good = udp();
    let event = Event::manual(true);
    let port = Port::new(0);
    for bad in [event.handle(), port.handle()] {
        for which in Set::ALL {
            assert_refused(which, &[bad]);
            assert_refused(which, &[good.raw(), bad]);
            assert_refused(which, &[bad, good.raw()]);
        }
    }
}

#[track_caller]
fn assert_refused(which: Set, entries: &[usize]) {
    let mut set = FdSet::of_raw(entries);
    assert_eq!(select_one(which, &mut set, LONG), Err(sys::WSAENOTSOCK), "{which:?}");
    assert_eq!(set.sockets(), entries, "the set is unchanged");
}

#[test]
#[cfg_attr(windows, ignore = "to be checked on Windows: Wine 8 gives WSAENOTSOCK (H7)")]
fn s17_before_startup_select_is_refused() {
    in_child("s17_before_startup_select_is_refused", || {
        let outcome = select_one(Set::Read, &mut FdSet::of_raw(&[4]), POLL);
        assert_eq!(outcome, Err(sys::WSANOTINITIALISED));
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a negative timeout is no error")]
fn s17_bad_timeouts_are_refused() {
    let socket = udp();
    for timeout in [(-1, 0), (0, -1), (-1, -1), (1, -1)] {
        let mut write = FdSet::of(&[&socket]);
        let (outcome, _) = select_with_timeval(0, None, Some(&mut write), None, Some(timeout));
        assert_eq!(outcome, Err(sys::WSAEINVAL), "{timeout:?}");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: reads through the bad pointer, which ends the process")]
fn s17_bad_pointers_are_refused() {
    // In a process of its own: a pointer that is not refused ends the process.
    in_child("s17_bad_pointers_are_refused", || {
        conformance::raw::startup();
        for which in Set::ALL {
            assert_eq!(select_bad(which, Bad::NoAccess), Err(sys::WSAEFAULT), "{which:?}");
        }
    });
}

#[test]
fn s18_no_timeout_waits_and_a_zero_one_polls() {
    let (client, server) = pair();
    let mut read = FdSet::of(&[&server]);
    assert_eq!(select(Some(&mut read), None, None, POLL), Ok(0), "{{0, 0}} polls");

    let waiter = std::thread::spawn(move || {
        let mut read = FdSet::of(&[&server]);
        select(Some(&mut read), None, None, None)
    });
    nap();
    assert!(!waiter.is_finished(), "without a timeout select waits");
    client.send(b"x").unwrap();
    assert_eq!(waiter.join().unwrap(), Ok(1));
}

#[test]
fn s18_the_timeout_is_not_modified() {
    let (client, server) = pair();
    let mut read = FdSet::of(&[&server]);
    let (outcome, timeout) = select_with_timeval(0, Some(&mut read), None, None, Some((0, 2000)));
    assert_eq!((outcome, timeout), (Ok(0), Some((0, 2000))));

    client.send(b"x").unwrap();
    let mut read = FdSet::of(&[&server]);
    let (outcome, timeout) = select_with_timeval(0, Some(&mut read), None, None, Some((30, 7)));
    assert_eq!((outcome, timeout), (Ok(1), Some((30, 7))));
}
