//! Waits for one handle and for any of several (SEMANTICS V33 to V37, V40, V41, E5 to E7, E22).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE_MS, finishes, pends};
use conformance::raw::{
    Event, Mutex, Port, Request, Semaphore, Thread, UNTOUCHED, current_process, current_thread, get_last_error, pair,
    set_last_error, sleep, sleep_ex, startup, wait_for_multiple_objects, wait_for_multiple_objects_ex,
    wait_for_single_object_ex, wsa_cleanup, wsa_get_last_error, wsa_startup, wsa_wait_for_multiple_events,
};
use conformance::raw_port::wait_for_single_object;
use conformance::{in_child, nap};
use pentaport::sys;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A handle value that no object ever has.
const NO_HANDLE: usize = 0x00DE_ADB0;

type WaitForMultiple = fn(&[usize], bool, u32) -> u32;

/// Every wait for several handles, not alertable.
const MULTIPLE: [WaitForMultiple; 3] = [
    wait_for_multiple_objects,
    |handles, all, milliseconds| wait_for_multiple_objects_ex(handles, all, milliseconds, false),
    |handles, all, milliseconds| wsa_wait_for_multiple_events(handles, all, milliseconds, false),
];

fn handles(events: &[Event]) -> Vec<usize> {
    events.iter().map(Event::handle).collect()
}

/// That many auto-reset events, of which none is set.
fn events(count: usize) -> Vec<Event> {
    (0..count).map(|_| Event::auto(false)).collect()
}

#[test]
fn v33_e6_as_many_as_64_handles() {
    startup();
    let events = events(64);
    for wait in MULTIPLE {
        for count in 1..=64 {
            let handles = &handles(&events)[..count];
            assert_eq!(wait(handles, false, 0), sys::WAIT_TIMEOUT, "{count} handles");
            events[count - 1].set();
            assert_eq!(wait(handles, false, DEADLINE_MS), sys::WAIT_OBJECT_0 + count as u32 - 1);
        }
        for event in &events {
            event.set();
        }
        assert_eq!(wait(&handles(&events), true, DEADLINE_MS), sys::WAIT_OBJECT_0, "all of 64");
        assert!(events.iter().all(|event| !event.is_set()), "all of 64 were consumed");
    }
}

#[test]
fn v33_e6_none_or_more_than_64_handles_are_refused() {
    startup();
    let events: Vec<Event> = (0..65).map(|_| Event::manual(true)).collect();
    for wait in MULTIPLE {
        for all in [false, true] {
            for count in [0, 65] {
                set_last_error(UNTOUCHED);
                assert_eq!(wait(&handles(&events)[..count], all, 0), sys::WAIT_FAILED, "{count} handles");
                assert_eq!(wsa_get_last_error(), sys::WSA_INVALID_PARAMETER, "{count} handles");
            }
        }
    }
}

#[test]
fn v34_one_invalid_handle_fails_the_wait() {
    each_fails_the_wait([0, NO_HANDLE]);
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a wait for several takes pseudo-handles")]
fn v34_one_pseudo_handle_fails_the_wait() {
    each_fails_the_wait([current_thread(), current_process()]);
}

/// Waits with each of these among good handles.
#[track_caller]
fn each_fails_the_wait(bad: [usize; 2]) {
    startup();
    let events: Vec<Event> = (0..3).map(|_| Event::auto(true)).collect();
    for wait in MULTIPLE {
        for all in [false, true] {
            for bad in bad {
                for place in 0..=events.len() {
                    let mut handles = handles(&events);
                    handles.insert(place, bad);
                    set_last_error(UNTOUCHED);
                    assert_eq!(wait(&handles, all, 0), sys::WAIT_FAILED, "{bad:#x} at {place}");
                    assert_eq!(wsa_get_last_error(), sys::WSA_INVALID_HANDLE, "{bad:#x} at {place}");
                }
            }
        }
    }
    for event in &events {
        assert!(event.is_set(), "a wait that failed consumed nothing");
    }
}

#[test]
fn v35_e7_the_lowest_signalled_object_is_returned_and_consumed_alone() {
    startup();
    let events = events(4);
    let handles = handles(&events);
    for wait in MULTIPLE {
        for index in [3, 1, 2] {
            events[index].set();
        }
        for index in 1..=3 {
            assert_eq!(wait(&handles, false, DEADLINE_MS), sys::WAIT_OBJECT_0 + index);
            // Those behind it are set still: the next rounds find them.
        }
        assert_eq!(wait(&handles, false, 0), sys::WAIT_TIMEOUT);
    }
}

#[test]
fn v35_a_wait_that_blocked_consumes_the_one_object_that_ended_it() {
    startup();
    for wait in MULTIPLE {
        let events = Arc::new(events(3));
        let shared = events.clone();
        let waiter = thread::spawn(move || wait(&handles(&shared), false, DEADLINE_MS));
        nap();
        events[2].set();
        assert_eq!(waiter.join().unwrap(), sys::WAIT_OBJECT_0 + 2);
        assert!(!events[2].is_set(), "consumed");
        // The wait that is over takes nothing any more.
        events[1].set();
        assert!(events[1].is_set());
    }
}

#[test]
fn v35_a_handle_may_be_named_twice_when_one_is_enough() {
    startup();
    let event = Event::auto(false);
    for wait in MULTIPLE {
        event.set();
        assert_eq!(wait(&[event.handle(), event.handle()], false, 0), sys::WAIT_OBJECT_0);
        assert_eq!(wait(&[event.handle(), event.handle()], false, 0), sys::WAIT_TIMEOUT);
    }
}

#[test]
fn v37_e5_timeout_zero_tests_and_leaves_the_last_error_alone() {
    startup();
    let event = Event::auto(false);
    let (one, several) = (event.handle(), [event.handle()]);
    let waits: [&dyn Fn(u32) -> u32; 7] = [
        &|time| wait_for_single_object(one, time),
        &|time| wait_for_single_object_ex(one, time, false),
        &|time| wait_for_single_object_ex(one, time, true),
        &|time| wait_for_multiple_objects(&several, false, time),
        &|time| wait_for_multiple_objects_ex(&several, true, time, true),
        &|time| wsa_wait_for_multiple_events(&several, false, time, false),
        &|time| wsa_wait_for_multiple_events(&several, true, time, true),
    ];
    for wait in waits {
        for milliseconds in [0, 1] {
            set_last_error(UNTOUCHED);
            assert_eq!(wait(milliseconds), sys::WAIT_TIMEOUT);
            assert_eq!(get_last_error(), UNTOUCHED, "a timeout is no error");
            event.set();
            assert_eq!(wait(milliseconds), sys::WAIT_OBJECT_0);
            assert_eq!(get_last_error(), UNTOUCHED, "success changes nothing");
        }
    }
    assert_eq!(sys::WSA_WAIT_TIMEOUT, 258);
}

#[test]
fn v37_infinite_waits_until_the_event() {
    startup();
    assert_eq!((sys::WSA_INFINITE, sys::INFINITE), (u32::MAX, u32::MAX));
    let waits: [fn(usize) -> u32; 3] = [
        |event| wait_for_single_object(event, sys::INFINITE),
        |event| wait_for_multiple_objects(&[event], false, sys::INFINITE),
        |event| wsa_wait_for_multiple_events(&[event], true, sys::WSA_INFINITE, false),
    ];
    for wait in waits {
        let event = Arc::new(Event::auto(false));
        let shared = event.clone();
        let (sender, told) = std::sync::mpsc::channel();
        thread::spawn(move || sender.send(wait(shared.handle())));
        nap();
        // No order makes this certain, as a wait that ends too early might do it later still.
        assert!(told.try_recv().is_err(), "the wait ended by itself");
        event.set();
        assert_eq!(told.recv_timeout(conformance::fixture::DEADLINE), Ok(sys::WAIT_OBJECT_0));
    }
}

#[test]
fn v40_any_kind_of_object_may_be_waited_for_in_one_call() {
    let end = Arc::new(Event::manual(false));
    let ended = end.clone();
    let thread = Thread::start(move || ended.wait(DEADLINE_MS));
    let semaphore = Semaphore::new(0, 1);
    let (peer, socket) = pair();
    let port = Port::new(0);
    let mutex = Mutex::new(false);
    let (manual, auto) = (Event::manual(false), Event::auto(false));
    // A receive makes the socket unsignalled; its completion signals it (D21).
    let receive = Request::new(8);
    pends(socket.wsa_recv(receive));

    // A mutex that nobody owns is signalled: it is last, so that all others are preferred to it.
    let handles = [
        manual.handle(),
        auto.handle(),
        semaphore.handle(),
        socket.raw(),
        port.handle(),
        thread.handle(),
        mutex.handle(),
    ];
    let signal: [&dyn Fn(); 6] = [
        &|| manual.set(),
        &|| auto.set(),
        &|| semaphore.release_uncounted(1).unwrap(),
        &|| {
            assert_eq!(peer.send(b"x"), Ok(1));
            assert_eq!(wait_for_single_object(socket.raw(), DEADLINE_MS), sys::WAIT_OBJECT_0);
        },
        &|| port.post(1, 2, 3).unwrap(),
        &|| end.set(),
    ];
    for wait in MULTIPLE {
        assert_eq!(wait(&handles, false, 0), sys::WAIT_OBJECT_0 + 6, "the mutex alone");
        mutex.release().unwrap();
    }
    for index in (0..signal.len()).rev() {
        signal[index]();
        let found = wsa_wait_for_multiple_events(&handles[..6], false, DEADLINE_MS, false);
        assert_eq!(found, sys::WAIT_OBJECT_0 + index as u32);
        match index {
            1 | 2 => assert_eq!(wait_for_single_object(handles[index], 0), sys::WAIT_TIMEOUT, "consumed"),
            _ => assert_eq!(wait_for_single_object(handles[index], 0), sys::WAIT_OBJECT_0, "not consumed"),
        }
    }
    auto.set();
    semaphore.release_uncounted(1).unwrap();
    assert_eq!(wait_for_multiple_objects(&handles, true, DEADLINE_MS), sys::WAIT_OBJECT_0, "all kinds at once");
    assert_eq!(thread.join(), sys::WAIT_OBJECT_0);
}

#[test]
fn v40_a_blocked_wait_is_ended_by_any_kind_of_object() {
    // As above, but the waiter is in its wait before the object is signalled.
    let semaphore = Arc::new(Semaphore::new(0, 1));
    let (peer, socket) = pair();
    let port = Arc::new(Port::new(0));
    pends(socket.wsa_recv(Request::new(8)));
    let end = Arc::new(Event::manual(false));
    let ended = end.clone();
    let thread = Thread::start(move || ended.wait(DEADLINE_MS));
    let handles = [semaphore.handle(), socket.raw(), port.handle(), thread.handle()];
    let signal: [&dyn Fn(); 4] = [
        &|| semaphore.release_uncounted(1).unwrap(),
        &|| assert_eq!(peer.send(b"x"), Ok(1)),
        &|| port.post(1, 2, 3).unwrap(),
        &|| end.set(),
    ];
    for index in (0..handles.len()).rev() {
        let part = handles[..=index].to_vec();
        let waiter = thread::spawn(move || wait_for_multiple_objects(&part, false, DEADLINE_MS));
        nap();
        signal[index]();
        assert_eq!(waiter.join().unwrap(), sys::WAIT_OBJECT_0 + index as u32);
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: WSAWaitForMultipleEvents waits also before WSAStartup and after WSACleanup")]
fn v41_not_initialised() {
    in_child("v41_not_initialised", || {
        let event = Event::manual(true);
        let wait = || {
            set_last_error(UNTOUCHED);
            (wsa_wait_for_multiple_events(&[event.handle()], false, 0, false), wsa_get_last_error())
        };
        let refused = (sys::WSA_WAIT_FAILED, sys::WSANOTINITIALISED);
        assert_eq!(wait(), refused, "before WSAStartup");
        assert_eq!(wsa_startup(0x0202).0, 0);
        assert_eq!(wait().0, sys::WAIT_OBJECT_0);
        assert_eq!(wsa_cleanup(), Ok(()));
        assert_eq!(wait(), refused, "after WSACleanup");
        assert_eq!(wait_for_multiple_objects(&[event.handle()], false, 0), sys::WAIT_OBJECT_0, "not Winsock's");
    });
}

#[test]
fn e5_one_handle_and_its_answers() {
    let event = Event::auto(true);
    assert_eq!(wait_for_single_object(event.handle(), 0), sys::WAIT_OBJECT_0);
    assert_eq!(wait_for_single_object(event.handle(), 0), sys::WAIT_TIMEOUT);
    for bad in [0, NO_HANDLE] {
        for alertable in [false, true] {
            set_last_error(UNTOUCHED);
            assert_eq!(wait_for_single_object_ex(bad, 0, alertable), sys::WAIT_FAILED);
            assert_eq!(get_last_error(), sys::ERROR_INVALID_HANDLE);
        }
        set_last_error(UNTOUCHED);
        assert_eq!(wait_for_single_object(bad, 0), sys::WAIT_FAILED);
        assert_eq!(get_last_error(), sys::ERROR_INVALID_HANDLE);
    }
}

#[test]
fn e5_the_two_low_bits_are_ignored() {
    startup();
    let event = Event::auto(false);
    for bits in 1..=3 {
        let handle = event.handle() | bits;
        let waits: [&dyn Fn() -> u32; 4] = [
            &|| wait_for_single_object(handle, 0),
            &|| wait_for_single_object_ex(handle, 0, true),
            &|| wait_for_multiple_objects(&[handle], false, 0),
            &|| wsa_wait_for_multiple_events(&[handle], true, 0, false),
        ];
        for wait in waits {
            event.set();
            assert_eq!(wait(), sys::WAIT_OBJECT_0, "{bits}");
            assert_eq!(wait(), sys::WAIT_TIMEOUT, "{bits}");
        }
    }
}

#[test]
fn e5_pseudo_handles_serve_in_single_waits() {
    for handle in [current_thread(), current_process()] {
        set_last_error(UNTOUCHED);
        assert_eq!(wait_for_single_object(handle, 0), sys::WAIT_TIMEOUT, "{handle:#x}: it runs");
        assert_eq!(wait_for_single_object_ex(handle, 1, true), sys::WAIT_TIMEOUT, "{handle:#x}: it runs");
        assert_eq!(get_last_error(), UNTOUCHED);
    }
}

#[test]
fn e22_a_wait_does_not_end_before_its_time() {
    startup();
    let event = Event::auto(false);
    let (one, several) = (event.handle(), [event.handle()]);
    let time = Duration::from_millis(60);
    // What the fact allows: one tick.
    let least = time - Duration::from_millis(16);
    let waits: [&dyn Fn(u32) -> u32; 7] = [
        &|time| wait_for_single_object(one, time),
        &|time| wait_for_single_object_ex(one, time, true),
        &|time| wait_for_multiple_objects(&several, false, time),
        &|time| wait_for_multiple_objects_ex(&several, true, time, true),
        &|time| wsa_wait_for_multiple_events(&several, false, time, true),
        &|time| sleep_ex(time, true) + sys::WAIT_TIMEOUT,
        &|time| {
            sleep(time);
            sys::WAIT_TIMEOUT
        },
    ];
    for (index, wait) in waits.iter().enumerate() {
        let start = Instant::now();
        assert_eq!(wait(time.as_millis() as u32), sys::WAIT_TIMEOUT);
        assert!(start.elapsed() >= least, "wait {index} took {:?}", start.elapsed());
    }
}

#[test]
fn e22_the_longest_time_that_is_not_infinite_is_a_long_one() {
    let result = finishes("the wait", || {
        let event = Arc::new(Event::auto(false));
        let shared = event.clone();
        let setter = thread::spawn(move || {
            nap();
            shared.set();
        });
        let result = wait_for_single_object(event.handle(), sys::INFINITE - 1);
        setter.join().unwrap();
        result
    });
    assert_eq!(result, sys::WAIT_OBJECT_0);
}
