//! Events, and the ends of threads (SEMANTICS V32, E1 to E4, E11, E12, E21).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, closed_event, finishes};
use conformance::raw::{
    Event, Mutex, Semaphore, Thread, pulse_event, reset_event, set_event, startup, wait_for_multiple_objects,
    wsa_close_event, wsa_create_event, wsa_reset_event, wsa_set_event,
};
use conformance::raw_port::wait_for_single_object;
use conformance::{in_child, nap, until};
use pentaport::sys;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Threads that wait for these handles, and what each is told. They are about to wait, and most likely do.
fn waiters(count: usize, handles: &[usize], all: bool) -> Receiver<u32> {
    let (sender, told) = mpsc::channel();
    let about_to_wait = Arc::new(AtomicUsize::new(0));
    for _ in 0..count {
        let (handles, sender, about_to_wait) = (handles.to_vec(), sender.clone(), about_to_wait.clone());
        thread::spawn(move || {
            about_to_wait.fetch_add(1, Ordering::SeqCst);
            sender.send(wait_for_multiple_objects(&handles, all, DEADLINE_MS))
        });
    }
    until("all are about to wait", || about_to_wait.load(Ordering::SeqCst) == count);
    nap();
    told
}

/// How many of the waiters a signal has released, up to `most`. Gives up a second after the last.
fn released(told: &Receiver<u32>, most: usize) -> usize {
    (0..most).take_while(|_| told.recv_timeout(Duration::from_secs(1)) == Ok(sys::WAIT_OBJECT_0)).count()
}

#[test]
fn v32_an_event_of_winsock_is_manual_reset_and_not_set() {
    startup();
    let (event, other) = (wsa_create_event().unwrap(), wsa_create_event().unwrap());
    assert_ne!(event, other, "without a name each is a new one");
    assert_eq!(wait_for_single_object(event, 0), sys::WAIT_TIMEOUT, "not set");
    assert_eq!(wsa_set_event(event), Ok(()));
    for _ in 0..2 {
        assert_eq!(wait_for_single_object(event, 0), sys::WAIT_OBJECT_0, "set until it is reset");
    }
    assert_eq!(wait_for_single_object(other, 0), sys::WAIT_TIMEOUT);
    assert_eq!(wsa_reset_event(event), Ok(()));
    assert_eq!(wait_for_single_object(event, 0), sys::WAIT_TIMEOUT);
    // It is an event as any other.
    assert_eq!(set_event(event), Ok(()));
    assert_eq!(wait_for_single_object(event, 0), sys::WAIT_OBJECT_0);
    assert_eq!((wsa_close_event(event), wsa_close_event(other)), (Ok(()), Ok(())));
}

#[test]
fn v32_bad_handles_are_refused() {
    // In a process of its own: a handle that was closed must not be a new one of another test.
    in_child("v32_bad_handles_are_refused", || {
        startup();
        for bad in [0, 0x00DE_ADB0, closed_event()] {
            assert_eq!(wsa_set_event(bad), Err(sys::WSA_INVALID_HANDLE), "{bad:#x}");
            assert_eq!(wsa_reset_event(bad), Err(sys::WSA_INVALID_HANDLE), "{bad:#x}");
            assert_eq!(wsa_close_event(bad), Err(sys::WSA_INVALID_HANDLE), "{bad:#x}");
        }
    });
}

#[test]
fn e1_a_manual_reset_event_releases_all_until_it_is_reset() {
    let event = Event::manual(false);
    let told = waiters(4, &[event.handle()], false);
    event.set();
    for _ in 0..4 {
        assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
    }
    assert!(event.is_set() && event.is_set(), "no wait has reset it");
    event.reset();
    assert!(!event.is_set());
}

#[test]
fn e1_an_auto_reset_event_releases_one_waiter_for_each_set() {
    let event = Event::auto(false);
    let told = waiters(3, &[event.handle()], false);
    for _ in 0..3 {
        event.set();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
    }
    // Had one set released two, the last one would have found nobody.
    assert!(!event.is_set(), "each set was taken by one waiter");
}

#[test]
fn e1_an_auto_reset_event_stays_set_while_nobody_waits() {
    let event = Event::auto(false);
    event.set();
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(event.wait(0), sys::WAIT_TIMEOUT);
    let event = Event::auto(true);
    assert_eq!((event.wait(0), event.wait(0)), (sys::WAIT_OBJECT_0, sys::WAIT_TIMEOUT), "set from the start");
}

#[test]
fn e2_setting_what_is_set_and_resetting_what_is_reset_is_fine() {
    for event in [Event::manual(false), Event::auto(false)] {
        assert_eq!((reset_event(event.handle()), reset_event(event.handle())), (Ok(()), Ok(())));
        assert!(!event.is_set());
        assert_eq!((set_event(event.handle()), set_event(event.handle())), (Ok(()), Ok(())));
        assert!(event.is_set());
    }
    let auto = Event::auto(false);
    auto.set();
    auto.set();
    assert_eq!((auto.wait(0), auto.wait(0)), (sys::WAIT_OBJECT_0, sys::WAIT_TIMEOUT), "sets are not counted");
}

#[test]
fn e3_a_pulse_that_nobody_waits_for_is_lost() {
    for set in [false, true] {
        for event in [Event::manual(set), Event::auto(set)] {
            assert_eq!(pulse_event(event.handle()), Ok(()));
            assert!(!event.is_set(), "it is not set afterwards");
        }
    }
    assert_eq!(pulse_event(0x00DE_ADB0), Err(sys::ERROR_INVALID_HANDLE));
}

#[test]
fn e3_a_pulse_of_a_manual_reset_event_releases_all_who_wait() {
    // Whether all are in their waits cannot be seen: rounds are played until a pulse met all three. Were only one
    // released, no round would show that.
    for _ in 0..20 {
        let event = Event::manual(false);
        let told = waiters(3, &[event.handle()], false);
        pulse_event(event.handle()).unwrap();
        assert!(!event.is_set());
        let count = released(&told, 3);
        event.set();
        (count..3).for_each(|_| assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0)));
        if count == 3 {
            return;
        }
    }
    panic!("no pulse released all three");
}

#[test]
fn e3_a_pulse_of_an_auto_reset_event_releases_one() {
    for _ in 0..20 {
        let event = Event::auto(false);
        let told = waiters(3, &[event.handle()], false);
        pulse_event(event.handle()).unwrap();
        let count = released(&told, 1);
        for _ in count..3 {
            event.set();
            assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
        }
        // Had the pulse released two, or left the event set, one of the sets would have found nobody.
        assert!(!event.is_set());
        if count == 1 {
            return;
        }
    }
    panic!("no pulse released a waiter");
}

#[test]
fn e3_a_pulse_releases_no_wait_for_all_that_lacks_another_object() {
    let (a, b) = (Event::manual(false), Event::auto(false));
    let told = waiters(1, &[a.handle(), b.handle()], true);
    pulse_event(a.handle()).unwrap();
    b.set();
    assert_eq!(b.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "the waiter did not take it");
    b.set();
    pulse_event(b.handle()).unwrap();
    a.set();
    nap();
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty), "both were there, but never at once");
    b.set();
    assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
}

#[test]
fn e4_a_name_that_exists_gives_the_same_event() {
    let name = format!("conformance-e4-{}", std::process::id());
    let (first, code) = Event::named(&name, true, false).unwrap();
    assert_eq!(code, 0);
    // What it says of the kind of event counts for nothing.
    let (second, code) = Event::named(&name, false, true).unwrap();
    assert_eq!(code, sys::ERROR_ALREADY_EXISTS);
    assert_ne!(first.handle(), second.handle());
    assert!(!second.is_set(), "as it is");
    first.set();
    assert!(second.is_set() && second.is_set(), "manual-reset, as it was made");
    drop(first);
    assert!(second.is_set(), "it lives while it has a handle");
    drop(second);
    let (third, code) = Event::named(&name, false, false).unwrap();
    assert_eq!((code, third.is_set()), (0, false), "a new one");
}

#[test]
fn e4_names_differ_by_case() {
    let name = format!("conformance-e4-case-{}", std::process::id());
    let (lower, _) = Event::named(&name, true, false).unwrap();
    let (upper, code) = Event::named(&name.to_uppercase(), true, true).unwrap();
    assert_eq!((code, lower.is_set(), upper.is_set()), (0, false, true));
}

#[test]
fn e3_a_pulse_releases_a_wait_for_all_that_it_satisfies() {
    for _ in 0..20 {
        let (a, b) = (Event::manual(false), Event::auto(false));
        let told = waiters(1, &[a.handle(), b.handle()], true);
        b.set();
        pulse_event(a.handle()).unwrap();
        if released(&told, 1) == 1 {
            assert!(!a.is_set() && !b.is_set());
            return;
        }
        a.set();
        assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
    }
    panic!("no pulse released the waiter");
}

#[test]
fn e11_a_thread_is_signalled_from_its_end_on() {
    let end = Arc::new(Event::manual(false));
    let ended = end.clone();
    let thread = Thread::start(move || ended.wait(DEADLINE_MS));
    assert_eq!(wait_for_single_object(thread.handle(), 0), sys::WAIT_TIMEOUT, "it runs");
    let waiting = waiters(2, &[thread.handle()], false);
    end.set();
    for _ in 0..2 {
        assert_eq!(waiting.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0), "all waiters are released");
    }
    for _ in 0..3 {
        assert_eq!(wait_for_single_object(thread.handle(), 0), sys::WAIT_OBJECT_0, "never consumed");
        assert_eq!(wait_for_multiple_objects(&[thread.handle()], true, 0), sys::WAIT_OBJECT_0, "never consumed");
    }
    assert_eq!(thread.join(), sys::WAIT_OBJECT_0);
}

#[test]
fn e12_what_a_wait_does_to_each_kind() {
    let gone = Thread::start(|| ());
    assert_eq!(wait_for_single_object(gone.handle(), DEADLINE_MS), sys::WAIT_OBJECT_0);
    for all in [false, true] {
        let (manual, auto) = (Event::manual(true), Event::auto(true));
        let (semaphore, mutex) = (Semaphore::new(2, 5), Mutex::new(false));
        let handles = [manual.handle(), gone.handle(), auto.handle(), semaphore.handle(), mutex.handle()];
        if all {
            assert_eq!(wait_for_multiple_objects(&handles, true, DEADLINE_MS), sys::WAIT_OBJECT_0);
        } else {
            for handle in handles {
                assert_eq!(wait_for_single_object(handle, DEADLINE_MS), sys::WAIT_OBJECT_0);
            }
        }
        assert!(manual.is_set(), "a manual-reset event is unaffected");
        assert_eq!(wait_for_single_object(gone.handle(), 0), sys::WAIT_OBJECT_0, "a thread is unaffected");
        assert!(!auto.is_set(), "an auto-reset event is reset");
        assert_eq!(semaphore.release(1), (Ok(()), 1), "a semaphore counts one less");
        let handle = mutex.handle();
        let other = finishes("the other thread", move || wait_for_single_object(handle, 0));
        assert_eq!(other, sys::WAIT_TIMEOUT, "a mutex is owned");
        assert_eq!(mutex.release(), Ok(()), "by the thread that waited");
    }
}

#[test]
fn e21_closing_a_handle_during_a_wait_harms_nobody() {
    // Undefined on Windows, so nothing is said of what the waiter is told or when; it has a way out of its own.
    for _ in 0..10 {
        let (closed, way_out) = (Event::manual(false), Event::manual(false));
        let told = waiters(2, &[closed.handle(), way_out.handle()], false);
        drop(closed);
        way_out.set();
        for _ in 0..2 {
            told.recv_timeout(DEADLINE).expect("the waiter comes back");
        }
        let (semaphore, mutex) = (Semaphore::new(0, 1), Mutex::new(true));
        let told = waiters(2, &[semaphore.handle(), mutex.handle(), way_out.handle()], true);
        way_out.reset();
        drop((semaphore, mutex, told));
    }
}
