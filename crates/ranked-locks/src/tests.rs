//! That each rule is checked, and that a refusal names both places.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Condvar, Mutex, MutexGuard, RwLock, rank};

type Outer = Mutex<u32, rank::Socket>;
type Inner = Mutex<u32, rank::Port>;

const fn locks() -> (Outer, Inner) {
    (Mutex::new(1), Mutex::new(2))
}

/// What `f` panics with.
fn refusal(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("it is refused");
    *panic.downcast::<String>().expect("a text")
}

/// The line that it is called in.
#[track_caller]
fn line() -> String {
    let here = Location::caller();
    format!("{}:{}:", here.file(), here.line())
}

fn is_refused<T>(lock: &Mutex<T, impl crate::Rank>) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(lock.lock()))).is_err()
}

#[test]
fn locks_are_taken_in_the_order_of_their_ranks() {
    let (outer, inner) = locks();
    for _ in 0..2 {
        let outer = outer.lock();
        assert_eq!(*outer + *inner.lock(), 3);
    }
    // Let go of in the order in which they were taken, too.
    let (first, second) = (outer.lock(), inner.lock());
    drop(first);
    assert!(is_refused(&outer));
    drop(second);
    drop(outer.lock());
}

#[test]
#[rustfmt::skip]
fn the_wrong_order_is_refused_and_both_places_are_named() {
    let (outer, inner) = locks();
    let (held, taken_at) = (inner.lock(), line());
    let mut asked_at = String::new();
    let refusal = refusal(|| { asked_at = line(); drop(outer.lock()) });
    let expected = [format!("rank Socket at {asked_at}"), format!("rank Port taken at {taken_at}")];
    assert!(expected.iter().all(|part| refusal.contains(part)), "{refusal}");
    drop(held);
    // A refusal leaves nothing behind.
    let _outer = outer.lock();
    let _inner = inner.lock();
}

#[test]
#[rustfmt::skip]
fn a_second_lock_of_one_rank_is_refused_and_may_be_tried() {
    let (first, second): (Outer, Outer) = (Mutex::new(1), Mutex::new(2));
    let (held, taken_at) = (first.lock(), line());
    let mut asked_at = String::new();
    let refusal = refusal(|| { asked_at = line(); drop(second.lock()) });
    let expected = [format!("rank Socket at {asked_at}"), format!("rank Socket taken at {taken_at}")];
    assert!(expected.iter().all(|part| refusal.contains(part)), "{refusal}");
    assert_eq!(second.try_lock().map(|second| *second), Some(2));
    drop(held);
}

#[test]
#[rustfmt::skip]
fn what_was_tried_out_of_order_counts_as_held() {
    let (outer, inner) = locks();
    let middle: Mutex<(), rank::Lane> = Mutex::default();
    let held = inner.lock();
    let (tried, taken_at) = (outer.try_lock().expect("it is free"), line());
    drop(held);
    // After the lock that was tried, and not before.
    drop(middle.lock());
    let first: Mutex<(), rank::Startup> = Mutex::default();
    let refusal = refusal(|| drop(first.lock()));
    assert!(refusal.contains(&format!("rank Socket taken at {taken_at}")), "{refusal}");
    drop(tried);
    drop(first.lock());
}

#[test]
fn nothing_is_locked_under_a_leaf() {
    let leaf: Mutex<(), rank::Leaf> = Mutex::default();
    let other: Mutex<(), rank::Leaf> = Mutex::default();
    let (outer, inner) = locks();
    let _leaf = leaf.lock();
    assert!(is_refused(&outer) && is_refused(&inner) && is_refused(&other));
}

#[test]
fn a_lock_that_is_let_go_of_for_a_while_is_not_held_meanwhile() {
    let (outer, inner) = locks();
    let mut held = inner.lock();
    MutexGuard::unlocked(&mut held, || drop(outer.lock()));
    assert!(is_refused(&outer), "it is held again");
    MutexGuard::bump(&mut held);
    assert!(is_refused(&outer), "it is held again");
    // After a panic as well.
    assert!(catch_unwind(AssertUnwindSafe(|| MutexGuard::unlocked(&mut held, || panic!("within")))).is_err());
    assert!(is_refused(&outer), "it is held again");
    drop(held);
    drop(outer.lock());
}

#[test]
#[rustfmt::skip]
fn a_lock_is_not_let_go_of_and_taken_again_under_a_later_one() {
    let (outer, inner) = locks();
    let mut held = outer.lock();
    let (later, taken_at) = (inner.lock(), line());
    let mut asked_at = String::new();
    let refusal = refusal(|| { asked_at = line(); MutexGuard::unlocked(&mut held, || unreachable!()) });
    let expected = [format!("rank Socket at {asked_at}"), format!("rank Port taken at {taken_at}")];
    assert!(expected.iter().all(|part| refusal.contains(part)), "{refusal}");
    let condition = Condvar::new();
    let waits = |held: &mut _| _ = condition.wait_for(held, Duration::ZERO);
    assert!(catch_unwind(AssertUnwindSafe(|| waits(&mut held))).is_err());
    drop(later);
    waits(&mut held);
}

#[test]
fn a_thread_that_waits_on_a_condition_does_not_hold_the_mutex() {
    static LOCKS: (Outer, Inner) = locks();
    static CONDITION: Condvar = Condvar::new();
    let (outer, inner) = &LOCKS;
    let mut held = inner.lock();
    let other = thread::spawn(|| {
        // Taken while the first thread waits, in an order that one thread alone would be refused.
        *LOCKS.1.lock() = 7;
        CONDITION.notify_all();
    });
    while *held != 7 {
        CONDITION.wait(&mut held);
    }
    assert!(is_refused(outer), "it is held again");
    assert!(CONDITION.wait_until(&mut held, Instant::now()), "the time is over");
    assert!(is_refused(outer), "it is held again");
    drop(held);
    drop(outer.lock());
    other.join().expect("it has notified");
}

#[test]
fn readers_and_writers_are_checked_as_others_are() {
    let shared: RwLock<u32, rank::Port> = RwLock::new(1);
    let outer: Outer = Mutex::new(1);
    {
        let _reads = shared.read();
        assert!(is_refused(&outer));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(shared.read()))).is_err(), "a writer may wait between the two");
    }
    {
        *shared.write() += 1;
        let _writes = shared.write();
        assert!(is_refused(&outer));
    }
    let _outer = outer.lock();
    assert_eq!(*shared.read(), 2);
}

#[test]
fn each_thread_has_its_own_list() {
    static LOCKS: (Outer, Inner) = locks();
    let _inner = LOCKS.1.lock();
    thread::spawn(|| drop(LOCKS.0.lock())).join().expect("it holds nothing");
}

#[test]
fn locks_are_checked_while_the_locals_of_a_thread_are_destroyed() {
    struct Last(mpsc::Sender<(bool, bool)>);
    impl Drop for Last {
        fn drop(&mut self) {
            let (outer, inner) = locks();
            let in_order = {
                let _outer = outer.lock();
                !is_refused(&inner)
            };
            let _inner = inner.lock();
            self.0.send((in_order, is_refused(&outer))).expect("the test waits");
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        LAST.set(Some(Last(tell)));
        // The list is used first here, so that it would be destroyed first.
        drop(locks().0.lock());
    });
    assert_eq!(told.recv(), Ok((true, true)));
    thread.join().expect("it ends");
}

#[test]
fn a_refusal_on_a_thread_of_the_engines_own_ends_the_process() {
    const WITHIN: &str = "RANKED_LOCKS_TEST_WITHIN";
    const THIS_TEST: &str = "tests::a_refusal_on_a_thread_of_the_engines_own_ends_the_process";
    if std::env::var_os(WITHIN).is_some() {
        let refused = || {
            let (outer, inner) = locks();
            let _inner = inner.lock();
            let _outer = outer.lock();
        };
        // Not joined, as the engine does.
        let thread = thread::Builder::new().name(String::from("winsock-test")).spawn(refused).expect("a thread");
        while !thread.is_finished() {
            thread::yield_now();
        }
        return;
    }
    let this = std::env::current_exe().expect("this test");
    let run = Command::new(this).args(["--exact", THIS_TEST]).env(WITHIN, "1").output().expect("it starts");
    assert!(!run.status.success());
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("rank Socket at") && said.contains("rank Port taken at"), "{said}");
}
