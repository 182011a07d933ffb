//! User APCs and alertable waits (SEMANTICS V38, V39, E13 to E19, E23).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, Log, queue_entry};
use conformance::raw::{
    Event, Semaphore, Thread, UNTOUCHED, current_thread, get_last_error, queue_user_apc, set_last_error,
    signal_object_and_wait, sleep, sleep_ex, startup, wait_for_multiple_objects, wait_for_multiple_objects_ex,
    wait_for_single_object_ex, wsa_wait_for_multiple_events,
};
use conformance::raw_port::wait_for_single_object;
use conformance::{nap, until};
use pentaport::sys;
use std::sync::{Arc, mpsc};
use std::thread;

/// Every alertable wait for an object.
const ALERTABLE: [fn(usize, u32) -> u32; 6] = [
    |event, time| wait_for_single_object_ex(event, time, true),
    |event, time| wait_for_multiple_objects_ex(&[event], false, time, true),
    |event, time| wait_for_multiple_objects_ex(&[event], true, time, true),
    |event, time| wsa_wait_for_multiple_events(&[event], false, time, true),
    |event, time| wsa_wait_for_multiple_events(&[event], true, time, true),
    |event, time| {
        let signalled = Event::manual(false);
        let result = signal_object_and_wait(signalled.handle(), event, time, true);
        assert!(signalled.is_set());
        result
    },
];

/// Every wait for an object that is not.
const NOT_ALERTABLE: [fn(usize, u32) -> u32; 7] = [
    wait_for_single_object,
    |event, time| wait_for_single_object_ex(event, time, false),
    |event, time| wait_for_multiple_objects(&[event], false, time),
    |event, time| wait_for_multiple_objects_ex(&[event], false, time, false),
    |event, time| wait_for_multiple_objects_ex(&[event], true, time, false),
    |event, time| wsa_wait_for_multiple_events(&[event], false, time, false),
    |event, time| signal_object_and_wait(Event::manual(false).handle(), event, time, false),
];

#[test]
fn v38_e13_pending_apcs_run_and_the_wait_returns_192() {
    startup();
    assert_eq!(sys::WSA_WAIT_IO_COMPLETION, 192);
    let event = Event::auto(false);
    for wait in ALERTABLE {
        for milliseconds in [0, DEADLINE_MS, sys::INFINITE] {
            let log = Log::new();
            (0..3).for_each(|number| queue_entry(&log, number));
            assert_eq!(wait(event.handle(), milliseconds), sys::WAIT_IO_COMPLETION);
            assert_eq!(log.all(), [0, 1, 2], "all of them, in order");
            assert_eq!(wait(event.handle(), 0), sys::WAIT_TIMEOUT, "and none is left");
            assert_eq!(log.count(), 3);
        }
    }
}

#[test]
fn v38_not_alertable_leaves_them_queued() {
    startup();
    let (log, event) = (Log::new(), Event::auto(false));
    queue_entry(&log, "ran");
    for wait in NOT_ALERTABLE {
        for milliseconds in [0, 5] {
            assert_eq!(wait(event.handle(), milliseconds), sys::WAIT_TIMEOUT);
            event.set();
            assert_eq!(wait(event.handle(), milliseconds), sys::WAIT_OBJECT_0);
        }
    }
    assert_eq!(log.count(), 0, "no wait ran it");
    assert_eq!(wait_for_single_object_ex(event.handle(), 0, true), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.count(), 1, "it was queued all the time");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: the signalled object wins over the queued APC")]
fn v39_e13_a_pending_apc_is_preferred_to_a_signalled_object() {
    startup();
    for wait in ALERTABLE {
        for milliseconds in [0, DEADLINE_MS] {
            let (log, event) = (Log::new(), Event::auto(true));
            queue_entry(&log, "ran");
            assert_eq!(wait(event.handle(), milliseconds), sys::WAIT_IO_COMPLETION);
            assert_eq!(log.count(), 1);
            assert_eq!(wait(event.handle(), 0), sys::WAIT_OBJECT_0, "the object stayed signalled");
            assert_eq!(wait(event.handle(), 0), sys::WAIT_TIMEOUT);
        }
    }
}

#[test]
fn v39_an_apc_that_sets_the_event_does_not_change_the_answer() {
    startup();
    for wait in ALERTABLE {
        let event = Arc::new(Event::auto(false));
        let shared = event.clone();
        queue_user_apc(current_thread(), move || shared.set()).unwrap();
        assert_eq!(wait(event.handle(), DEADLINE_MS), sys::WAIT_IO_COMPLETION);
        assert_eq!(wait(event.handle(), 0), sys::WAIT_OBJECT_0);
    }
}

#[test]
fn e13_an_apc_during_the_wait_ends_it() {
    startup();
    for wait in ALERTABLE {
        let (log, event) = (Log::new(), Arc::new(Event::auto(false)));
        let shared = event.clone();
        let waiter = Thread::start(move || wait(shared.handle(), DEADLINE_MS));
        nap();
        let their_id = log.clone();
        queue_user_apc(waiter.handle(), move || their_id.push(thread::current().id())).unwrap();
        until("it ran", || log.count() == 1);
        event.set();
        assert_eq!(waiter.join(), sys::WAIT_IO_COMPLETION);
        assert!(event.is_set(), "the wait that an APC ended consumed nothing");
        assert_ne!(log.all(), [thread::current().id()], "it ran on the other thread");
    }
}

#[test]
fn e14_apcs_run_first_in_first_out_and_with_them_those_they_queue() {
    startup();
    let event = Event::auto(false);
    for wait in ALERTABLE {
        let log = Log::new();
        queue_entry(&log, "first");
        let theirs = log.clone();
        queue_user_apc(current_thread(), move || {
            theirs.push("second");
            let deeper = theirs.clone();
            queue_user_apc(current_thread(), move || {
                deeper.push("fourth");
                queue_entry(&deeper, "fifth");
            })
            .unwrap();
        })
        .unwrap();
        queue_entry(&log, "third");
        assert_eq!(wait(event.handle(), DEADLINE_MS), sys::WAIT_IO_COMPLETION);
        assert_eq!(log.all(), ["first", "second", "third", "fourth", "fifth"]);
        assert_eq!(sleep_ex(0, true), 0, "none is left");
    }
}

#[test]
fn e14_apcs_of_other_threads_keep_their_order() {
    let log = Log::new();
    let (go, waiting) = (Arc::new(Event::manual(false)), Arc::new(Event::manual(false)));
    let (gone, ready, theirs) = (go.clone(), waiting.clone(), log.clone());
    let waiter = Thread::start(move || {
        ready.set();
        assert_eq!(gone.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        assert_eq!(theirs.count(), 0);
        sleep_ex(sys::INFINITE, true)
    });
    assert_eq!(waiting.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    (0..100).for_each(|number| queue_user_apc(waiter.handle(), log.entry(number)).unwrap());
    go.set();
    assert_eq!(waiter.join(), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.all(), Vec::from_iter(0..100), "all ran in the one sleep");
}

#[test]
fn e15_an_apc_that_comes_after_the_object_stays_queued() {
    // Whether the thread is in its wait when the event is set cannot be seen. Either answer has its own right
    // consequences; rounds are played until the event was first.
    for _ in 0..20 {
        let (log, event) = (Log::new(), Arc::new(Event::auto(false)));
        let (ran, shared) = (log.clone(), event.clone());
        let (answer, answers) = mpsc::channel();
        let (go, go_on) = mpsc::channel();
        let waiter = Thread::start(move || {
            let told = wait_for_single_object_ex(shared.handle(), DEADLINE_MS, true);
            answer.send((told, ran.count())).unwrap();
            go_on.recv_timeout(DEADLINE).unwrap();
            (ran.count(), sleep_ex(0, true), ran.count())
        });
        nap();
        event.set();
        queue_user_apc(waiter.handle(), log.entry("ran")).unwrap();
        let told = answers.recv_timeout(DEADLINE).unwrap();
        go.send(()).unwrap();
        let later = waiter.join();
        if told.0 == sys::WAIT_OBJECT_0 {
            assert_eq!(told, (sys::WAIT_OBJECT_0, 0), "the wait that the object satisfied runs no APC");
            assert_eq!(later, (0, sys::WAIT_IO_COMPLETION, 1), "the next alertable wait does");
            return;
        }
        assert_eq!(told, (sys::WAIT_IO_COMPLETION, 1));
        assert_eq!(later, (1, 0, 1));
        assert!(event.is_set(), "not consumed");
    }
    panic!("in no round was the thread in its wait when the event was set");
}

#[test]
fn e16_an_apc_may_wait_and_an_alertable_wait_in_it_nests() {
    let (log, event) = (Log::new(), Event::auto(true));
    let handle = event.handle();
    let theirs = log.clone();
    queue_user_apc(current_thread(), move || {
        theirs.push("outer begins".to_owned());
        // The second APC is pending, but this wait is not alertable.
        theirs.push(format!("plain wait: {}", wait_for_single_object(handle, DEADLINE_MS)));
        theirs.push(format!("nested wait: {}", sleep_ex(DEADLINE_MS, true)));
        theirs.push(format!("another: {}", sleep_ex(0, true)));
    })
    .unwrap();
    queue_entry(&log, "second".to_owned());
    queue_entry(&log, "third".to_owned());
    assert_eq!(sleep_ex(DEADLINE_MS, true), sys::WAIT_IO_COMPLETION);
    let expected = ["outer begins", "plain wait: 0", "second", "third", "nested wait: 192", "another: 0"];
    assert_eq!(log.all(), expected);
    assert!(!event.is_set(), "the wait in the APC consumed it");
}

#[test]
fn e17_sleep_ex() {
    for milliseconds in [0, 1, DEADLINE_MS] {
        let log = Log::new();
        queue_entry(&log, 1);
        queue_entry(&log, 2);
        set_last_error(UNTOUCHED);
        assert_eq!(sleep_ex(milliseconds, true), sys::WAIT_IO_COMPLETION);
        assert_eq!(log.all(), [1, 2], "drained");
        assert_eq!(get_last_error(), UNTOUCHED);
    }
    for milliseconds in [0, 1] {
        for alertable in [false, true] {
            set_last_error(UNTOUCHED);
            assert_eq!(sleep_ex(milliseconds, alertable), 0);
            assert_eq!(get_last_error(), UNTOUCHED);
        }
    }
}

#[test]
fn e17_an_apc_ends_an_infinite_sleep() {
    let log = Log::new();
    let sleeper = Thread::start(|| sleep_ex(sys::INFINITE, true));
    nap();
    queue_user_apc(sleeper.handle(), log.entry("ran")).unwrap();
    assert_eq!(sleeper.join(), sys::WAIT_IO_COMPLETION);
    assert_eq!(log.count(), 1);
}

#[test]
fn e18_apcs_queued_before_a_thread_starts_run_first() {
    let log = Log::new();
    let theirs = log.clone();
    let thread = Thread::suspended(move || {
        theirs.push("body");
        sleep_ex(0, true)
    });
    for entry in ["first", "second"] {
        assert_eq!(queue_user_apc(thread.handle(), log.entry(entry)), Ok(()));
    }
    nap();
    assert_eq!(log.count(), 0, "it does not run yet");
    assert_eq!(thread.resume(), 1);
    assert_eq!(thread.join(), 0, "no APC is left for the body's first alertable wait");
    assert_eq!(log.all(), ["first", "second", "body"]);
}

#[test]
fn e18_apcs_of_a_thread_that_ends_are_lost() {
    let log = Log::new();
    let end = Arc::new(Event::manual(false));
    let ended = end.clone();
    let thread = Thread::start(move || ended.wait(DEADLINE_MS));
    queue_user_apc(thread.handle(), log.entry("ran")).unwrap();
    end.set();
    assert_eq!(wait_for_single_object(thread.handle(), DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(log.count(), 0, "it ended without an alertable wait");
    assert_eq!(queue_user_apc(thread.handle(), log.entry("ran")), Err(sys::ERROR_GEN_FAILURE));
    assert_eq!(thread.join(), sys::WAIT_OBJECT_0);
    assert_eq!(sleep_ex(0, true), 0, "it was not queued to anybody else");
    assert_eq!(log.count(), 0);
}

#[test]
fn e19_an_apc_never_interrupts_code_or_waits_that_are_not_alertable() {
    startup();
    let waits: [fn(&Event); 5] = [
        |event| assert_eq!(wait_for_single_object(event.handle(), DEADLINE_MS), sys::WAIT_OBJECT_0),
        |event| assert_eq!(wait_for_multiple_objects(&[event.handle()], true, DEADLINE_MS), sys::WAIT_OBJECT_0),
        |event| {
            let told = wsa_wait_for_multiple_events(&[event.handle()], false, DEADLINE_MS, false);
            assert_eq!(told, sys::WAIT_OBJECT_0);
        },
        // Calls that sleep, and code that runs, until the event is set.
        |event| {
            while !event.is_set() {
                sleep(1);
                sleep_ex(1, false);
            }
        },
        |event| {
            while !event.is_set() {
                thread::yield_now();
            }
        },
    ];
    for wait in waits {
        let (log, event) = (Log::new(), Arc::new(Event::manual(false)));
        let (ran, shared) = (log.clone(), event.clone());
        let thread = Thread::start(move || {
            wait(&shared);
            (ran.count(), sleep_ex(0, true), ran.count())
        });
        queue_user_apc(thread.handle(), log.entry("ran")).unwrap();
        nap();
        event.set();
        assert_eq!(thread.join(), (0, sys::WAIT_IO_COMPLETION, 1));
    }
}

#[test]
fn e23_signal_object_and_wait_signals_each_kind() {
    let ready = Event::manual(true);
    let (event, semaphore) = (Event::auto(false), Semaphore::new(0, 1));
    let mutex = conformance::raw::Mutex::new(true);
    for object in [event.handle(), semaphore.handle(), mutex.handle()] {
        assert_eq!(signal_object_and_wait(object, ready.handle(), DEADLINE_MS, false), sys::WAIT_OBJECT_0);
    }
    assert!(event.is_set());
    assert_eq!(wait_for_single_object(semaphore.handle(), 0), sys::WAIT_OBJECT_0);
    assert_eq!(mutex.release(), Err(sys::ERROR_NOT_OWNER), "released by the call");
    assert_eq!(signal_object_and_wait(event.handle(), semaphore.handle(), 1, false), sys::WAIT_TIMEOUT);
    assert!(event.is_set(), "signalled although the wait timed out");
}

#[test]
fn e23_signal_object_and_wait_is_alertable_if_asked() {
    let (log, never, signalled) = (Log::new(), Event::manual(false), Event::auto(false));
    queue_entry(&log, "ran");
    let call = |alertable| signal_object_and_wait(signalled.handle(), never.handle(), 5, alertable);
    assert_eq!(call(false), sys::WAIT_TIMEOUT);
    assert_eq!((signalled.is_set(), log.count()), (true, 0));
    assert_eq!(call(true), sys::WAIT_IO_COMPLETION);
    assert_eq!((signalled.is_set(), log.count()), (true, 1), "signalled before the routine");
}

#[test]
fn e23_signal_object_and_wait_refuses_what_it_cannot_signal() {
    let ready = Event::auto(true);
    let (semaphore, mutex) = (Semaphore::new(1, 1), conformance::raw::Mutex::new(false));
    for (object, error) in [
        (semaphore.handle(), sys::ERROR_TOO_MANY_POSTS),
        (mutex.handle(), sys::ERROR_NOT_OWNER),
        (0, sys::ERROR_INVALID_HANDLE),
    ] {
        set_last_error(UNTOUCHED);
        assert_eq!(signal_object_and_wait(object, ready.handle(), 0, true), sys::WAIT_FAILED);
        assert_eq!(get_last_error(), error);
    }
    assert!(ready.is_set(), "nothing was waited for");
}

#[test]
fn e23_two_threads_hand_over_to_each_other() {
    let (ping, pong) = (Arc::new(Event::auto(false)), Arc::new(Event::auto(false)));
    let (their_ping, their_pong) = (ping.clone(), pong.clone());
    let other = Thread::start(move || {
        assert_eq!(their_ping.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        for _ in 0..100 {
            let told = signal_object_and_wait(their_pong.handle(), their_ping.handle(), DEADLINE_MS, true);
            assert_eq!(told, sys::WAIT_OBJECT_0);
        }
    });
    for _ in 0..100 {
        ping.set();
        assert_eq!(pong.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    }
    ping.set();
    other.join();
}
