use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread::{self, JoinHandle};

use super::check;
use crate::apc::Apc;
use crate::dispatcher::{self, Object, Outcome};
use crate::thread as threads;

fn wait(objects: &[&Object], all: bool) -> Outcome {
    wait_alertably(objects, all, false, None)
}

fn wait_alertably(objects: &[&Object], all: bool, alertable: bool, timeout: Option<Duration>) -> Outcome {
    let objects: Vec<_> = objects.iter().map(|&object| object.clone()).collect();
    dispatcher::wait(&objects, all, timeout, alertable)
}

fn join<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    handles.into_iter().map(|handle| handle.join().expect("no panic")).collect()
}

#[test]
fn a_wait_for_any_takes_one_object_and_leaves_the_other() {
    check(|| {
        let (a, b) = (Object::event(false, false), Object::event(false, false));
        let setters = [a.clone(), b.clone()].map(|event| thread::spawn(move || event.set()));
        let outcome = wait(&[&a, &b], false);
        join(setters);
        let left = if outcome == Outcome::Object(0) { [false, true] } else { [true, false] };
        assert_eq!([a.is_set(), b.is_set()], left, "{outcome:?}");
    });
}

#[test]
fn each_release_of_a_semaphore_ends_one_wait() {
    check(|| {
        let semaphore = Object::semaphore(0, 3);
        let waiters = [(); 3].map(|()| {
            let semaphore = semaphore.clone();
            thread::spawn(move || wait(&[&semaphore], false))
        });
        assert!(semaphore.release_semaphore(1).is_some());
        assert!(semaphore.release_semaphore(2).is_some());
        join(waiters);
        assert!(!semaphore.is_set());
    });
}

#[test]
fn a_wait_for_all_takes_everything_at_once_or_nothing() {
    check(|| {
        let (a, b) = (Object::semaphore(0, 2), Object::event(false, false));
        let all = {
            let (a, b) = (a.clone(), b.clone());
            thread::spawn(move || wait(&[&a, &b], true))
        };
        let any = {
            let a = a.clone();
            thread::spawn(move || wait(&[&a], false))
        };
        // Whichever gets the first, there is one for the other.
        a.release_semaphore(1);
        b.set();
        a.release_semaphore(1);
        join([all, any]);
        assert!(!b.is_set(), "the wait for all took it");
    });
}

#[test]
fn two_waits_for_all_over_the_same_objects_do_not_hold_each_other_up() {
    check(|| {
        let (a, b) = (Object::semaphore(0, 2), Object::semaphore(0, 2));
        let waiters = [[a.clone(), b.clone()], [b.clone(), a.clone()]]
            .map(|objects| thread::spawn(move || wait(&[&objects[0], &objects[1]], true)));
        for semaphore in [&a, &b, &a, &b] {
            semaphore.release_semaphore(1);
        }
        assert_eq!(join(waiters), [Outcome::Object(0), Outcome::Object(0)]);
    });
}

#[test]
fn two_that_wait_for_one_thing_each_by_the_same_event_both_learn_of_it() {
    check(|| {
        let event = Object::event(true, false);
        let over = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let waiters = over.clone().map(|over| {
            let event = event.clone();
            let is_over = move || over.load(Ordering::SeqCst) == 1;
            thread::spawn(move || dispatcher::wait_until(&event, is_over, None, false))
        });
        for over in over {
            over.store(1, Ordering::SeqCst);
            event.set();
        }
        assert_eq!(join(waiters), [Outcome::Object(0), Outcome::Object(0)]);
        assert!(event.is_set());
    });
}

unsafe extern "system" fn count(counter: usize) {
    // SAFETY: the tests pass a counter that outlives the thread on which the routine runs.
    unsafe { &*(counter as *const AtomicUsize) }.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_routine_and_an_object_end_a_wait_one_each() {
    check(|| {
        let ran = Arc::new(AtomicUsize::new(0));
        let event = Object::event(false, false);
        let me = threads::number();
        let helper = {
            let (ran, event) = (ran.clone(), event.clone());
            thread::spawn(move || {
                event.set();
                let argument = Arc::as_ptr(&ran) as usize;
                assert!(dispatcher::queue_apc(me, Apc::User { routine: count, argument }).is_ok());
            })
        };
        let first = wait_alertably(&[&event], false, true, None);
        let second = wait_alertably(&[&event], false, true, None);
        let mut both = [first, second];
        both.sort_by_key(|outcome| *outcome == Outcome::Apc);
        assert_eq!(both, [Outcome::Object(0), Outcome::Apc]);
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        join([helper]);
    });
}

#[test]
fn routines_of_several_threads_all_run_in_waits_for_nothing() {
    check(|| {
        let ran = Arc::new(AtomicUsize::new(0));
        let me = threads::number();
        let helpers = [(); 2].map(|()| {
            let ran = ran.clone();
            thread::spawn(move || {
                let argument = Arc::as_ptr(&ran) as usize;
                assert!(dispatcher::queue_apc(me, Apc::User { routine: count, argument }).is_ok());
            })
        });
        while ran.load(Ordering::SeqCst) < 2 {
            assert_eq!(wait_alertably(&[], false, true, None), Outcome::Apc);
        }
        join(helpers);
    });
}

#[test]
fn a_mutex_whose_owner_ends_is_abandoned_to_one_and_then_free() {
    check(|| {
        let mutex = Object::mutex(false);
        let owner = {
            let mutex = mutex.clone();
            thread::spawn(move || assert_eq!(wait(&[&mutex], false), Outcome::Object(0)))
        };
        join([owner]);
        let heirs = [(); 2].map(|()| {
            let mutex = mutex.clone();
            thread::spawn(move || {
                let outcome = wait(&[&mutex], false);
                assert!(mutex.release_mutex());
                outcome
            })
        });
        let mut outcomes = join(heirs);
        outcomes.sort_by_key(|outcome| matches!(outcome, Outcome::Abandoned(_)));
        assert_eq!(outcomes, [Outcome::Object(0), Outcome::Abandoned(0)]);
    });
}

#[test]
fn an_object_that_is_closed_during_a_wait_can_still_end_it() {
    check(|| {
        let event = Object::event(true, false);
        let waiter = {
            let event = event.clone();
            thread::spawn(move || {
                let objects = [event];
                dispatcher::wait(&objects, false, None, false)
            })
        };
        event.set();
        drop(event);
        assert_eq!(join([waiter]), [Outcome::Object(0)]);
    });
}

fn take(set: &Object) -> Vec<usize> {
    loop {
        assert_eq!(wait(&[set], false), Outcome::Object(0));
        let mut tokens = [0; 4];
        let count = dispatcher::take_ready(set, &mut tokens);
        if count > 0 {
            return tokens[..count].to_vec();
        }
    }
}

#[test]
fn a_wait_set_reports_every_signal_once() {
    check(|| {
        let set = dispatcher::new_set();
        let events = [Object::event(false, false), Object::event(false, false)];
        for (token, event) in events.iter().enumerate() {
            assert!(dispatcher::add_to_set(&set, event.clone(), token));
        }
        let setters = events.clone().map(|event| thread::spawn(move || event.set()));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(take(&set));
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
        join(setters);
    });
}

#[test]
fn two_threads_share_what_a_wait_set_has_ready() {
    check(|| {
        let set = dispatcher::new_set();
        let semaphore = Object::semaphore(0, 2);
        assert!(dispatcher::add_to_set(&set, semaphore.clone(), 7));
        let takers = [(); 2].map(|()| {
            let set = set.clone();
            thread::spawn(move || take(&set))
        });
        semaphore.release_semaphore(1);
        semaphore.release_semaphore(1);
        assert_eq!(join(takers), [[7], [7]]);
    });
}

#[test]
fn a_member_taken_out_of_a_wait_set_is_not_reported_any_more() {
    check(|| {
        let set = dispatcher::new_set();
        let (event, other) = (Object::event(true, false), Object::event(true, false));
        assert!(dispatcher::add_to_set(&set, event.clone(), 1));
        assert!(dispatcher::add_to_set(&set, other.clone(), 2));
        let setter = {
            let event = event.clone();
            thread::spawn(move || event.set())
        };
        assert!(dispatcher::remove_from_set(&set, &event));
        other.set();
        assert_eq!(take(&set), [2]);
        join([setter]);
    });
}
