//! Waits for all of several handles (SEMANTICS V36, E7).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS};
use conformance::nap;
use conformance::raw::{
    Event, Mutex, Semaphore, UNTOUCHED, get_last_error, set_last_error, startup, wait_for_multiple_objects,
    wsa_wait_for_multiple_events,
};
use pentaport::sys;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

const ALL: [fn(&[usize], u32) -> u32; 2] = [
    |handles, milliseconds| wait_for_multiple_objects(handles, true, milliseconds),
    |handles, milliseconds| wsa_wait_for_multiple_events(handles, true, milliseconds, false),
];

/// A thread that waits for all of these handles, and what it will be told.
fn waiter(wait: fn(&[usize], u32) -> u32, handles: &[usize]) -> Receiver<u32> {
    let handles = handles.to_vec();
    let (sender, told) = mpsc::channel();
    thread::spawn(move || sender.send(wait(&handles, DEADLINE_MS)));
    nap();
    told
}

#[test]
fn v36_e7_nothing_is_consumed_until_all_are_signalled_at_once() {
    startup();
    for wait in ALL {
        let (a, b) = (Event::auto(false), Event::auto(false));
        let told = waiter(wait, &[a.handle(), b.handle()]);
        a.set();
        assert_eq!(a.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "the waiter left it to others");
        b.set();
        assert_eq!(b.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "the waiter left it to others");
        // Both were signalled, but not at once; none of the signals is left.
        assert_eq!(told.try_recv(), Err(TryRecvError::Empty), "the waiter waits on");
        a.set();
        b.set();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
        assert!(!a.is_set() && !b.is_set(), "both were consumed");
    }
}

#[test]
fn v36_a_timeout_consumes_nothing() {
    startup();
    let (auto, semaphore, mutex) = (Event::auto(true), Semaphore::new(1, 1), Mutex::new(false));
    let never = Event::manual(false);
    for wait in ALL {
        for milliseconds in [0, 20] {
            let handles = [auto.handle(), semaphore.handle(), mutex.handle(), never.handle()];
            assert_eq!(wait(&handles, milliseconds), sys::WAIT_TIMEOUT);
        }
    }
    assert!(auto.is_set(), "the event was left alone");
    assert_eq!(semaphore.release_uncounted(1), Err(sys::ERROR_TOO_MANY_POSTS), "the semaphore is full still");
    assert_eq!(mutex.release(), Err(sys::ERROR_NOT_OWNER), "the mutex was not taken");
}

#[test]
fn v36_the_last_one_ends_the_wait_whichever_it_is() {
    startup();
    for wait in ALL {
        for last in 0..3 {
            let events = [Event::auto(false), Event::manual(false), Event::auto(false)];
            let told = waiter(wait, &events.each_ref().map(Event::handle));
            for (index, event) in events.iter().enumerate() {
                if index != last {
                    event.set();
                }
            }
            nap();
            assert_eq!(told.try_recv(), Err(TryRecvError::Empty), "one is missing");
            events[last].set();
            assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
            assert_eq!(events.each_ref().map(Event::is_set), [false, true, false]);
        }
    }
}

#[test]
fn v36_one_that_is_reset_meanwhile_does_not_count() {
    startup();
    for wait in ALL {
        let (a, b) = (Event::manual(false), Event::auto(false));
        let told = waiter(wait, &[a.handle(), b.handle()]);
        a.set();
        a.reset();
        b.set();
        assert_eq!(b.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "the waiter left it alone");
        b.set();
        a.set();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
    }
}

#[test]
fn e7_waits_for_all_take_all_or_nothing_from_each_other() {
    startup();
    // Two waiters whose sets overlap in opposite order: each signal of both objects ends just one wait.
    for wait in ALL {
        let (a, b) = (Event::auto(false), Event::auto(false));
        let (sender, told) = mpsc::channel();
        for handles in [[a.handle(), b.handle()], [b.handle(), a.handle()]] {
            let sender = sender.clone();
            thread::spawn(move || sender.send(wait(&handles, DEADLINE_MS)));
        }
        for _ in 0..2 {
            a.set();
            b.set();
            assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
        }
        assert!(!a.is_set() && !b.is_set(), "nothing is left over");
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a wait for all takes a handle named twice")]
fn v36_a_handle_may_not_be_named_twice() {
    startup();
    let (event, other) = (Event::auto(true), Event::auto(true));
    for wait in ALL {
        for handles in [vec![event.handle(); 2], vec![event.handle(), other.handle(), event.handle()]] {
            set_last_error(UNTOUCHED);
            assert_eq!(wait(&handles, 0), sys::WAIT_FAILED);
            assert_eq!(get_last_error(), sys::ERROR_INVALID_PARAMETER);
        }
    }
    assert!(event.is_set() && other.is_set(), "nothing was consumed");
}
