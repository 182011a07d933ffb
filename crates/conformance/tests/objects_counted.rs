//! Mutexes and semaphores (SEMANTICS E8 to E10, E12).
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, finishes};
use conformance::nap;
use conformance::raw::{
    Event, Mutex, Semaphore, Thread, UNTOUCHED, get_last_error, set_last_error, startup, wait_for_multiple_objects,
    wait_for_multiple_objects_ex, wait_for_single_object_ex, wsa_wait_for_multiple_events,
};
use conformance::raw_port::wait_for_single_object;
use pentaport::sys;
use std::sync::{Arc, mpsc};
use std::thread;

/// A mutex whose owner is gone.
fn abandoned() -> Mutex {
    let mutex = Mutex::new(false);
    let handle = mutex.handle();
    let owner = Thread::start(move || wait_for_single_object(handle, DEADLINE_MS));
    assert_eq!(owner.join(), sys::WAIT_OBJECT_0);
    mutex
}

/// What another thread finds that tries to get the object.
fn elsewhere(handle: usize) -> u32 {
    finishes("the other thread", move || {
        // Abandoned again when this thread ends, if it has got a mutex.
        wait_for_single_object(handle, 0)
    })
}

#[test]
fn e8_an_abandoned_mutex_is_granted_and_says_so() {
    startup();
    let waits: [fn(usize) -> u32; 5] = [
        |mutex| wait_for_single_object(mutex, DEADLINE_MS),
        |mutex| wait_for_single_object_ex(mutex, DEADLINE_MS, true),
        |mutex| wait_for_multiple_objects(&[mutex], false, DEADLINE_MS),
        |mutex| wait_for_multiple_objects_ex(&[mutex], true, DEADLINE_MS, true),
        |mutex| wsa_wait_for_multiple_events(&[mutex], false, DEADLINE_MS, false),
    ];
    for wait in waits {
        let mutex = abandoned();
        assert_eq!(wait(mutex.handle()), sys::WAIT_ABANDONED_0);
        assert_eq!(elsewhere(mutex.handle()), sys::WAIT_TIMEOUT, "the ownership was granted");
        assert_eq!(wait(mutex.handle()), sys::WAIT_OBJECT_0, "it is said once");
        assert_eq!((mutex.release(), mutex.release()), (Ok(()), Ok(())));
        assert_eq!(mutex.release(), Err(sys::ERROR_NOT_OWNER));
        assert_eq!(wait(mutex.handle()), sys::WAIT_OBJECT_0, "it is as good as new");
        assert_eq!(mutex.release(), Ok(()));
    }
}

#[test]
fn e8_the_index_of_the_abandoned_mutex_is_told() {
    startup();
    let (never, free) = (Event::manual(false), Mutex::new(false));
    for index in 0..3 {
        let mutex = abandoned();
        let mut handles = vec![never.handle(); 3];
        handles[index] = mutex.handle();
        let expected = sys::WAIT_ABANDONED_0 + index as u32;
        assert_eq!(wait_for_multiple_objects(&handles, false, DEADLINE_MS), expected);
        assert_eq!(mutex.release(), Ok(()));
    }
    // With a free one before it, the lowest is taken as ever.
    let mutex = abandoned();
    let handles = [free.handle(), mutex.handle()];
    assert_eq!(wait_for_multiple_objects(&handles, false, DEADLINE_MS), sys::WAIT_OBJECT_0);
    assert_eq!(free.release(), Ok(()));
    assert_eq!(wait_for_single_object(mutex.handle(), 0), sys::WAIT_ABANDONED_0, "left alone, abandoned still");
    assert_eq!(mutex.release(), Ok(()));
}

#[test]
fn e8_the_end_of_the_owner_ends_the_wait_of_others() {
    let mutex = Arc::new(Mutex::new(false));
    let (go, owned) = (Arc::new(Event::manual(false)), mpsc::channel());
    let (go_on, theirs) = (go.clone(), mutex.clone());
    // It has the mutex twice over: that is abandoned as a whole.
    let owner = Thread::start(move || {
        for _ in 0..2 {
            assert_eq!(wait_for_single_object(theirs.handle(), 0), sys::WAIT_OBJECT_0);
        }
        owned.0.send(()).unwrap();
        assert_eq!(go_on.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
    });
    owned.1.recv_timeout(DEADLINE).unwrap();
    let handle = mutex.handle();
    let waiter = thread::spawn(move || {
        let told = wait_for_single_object(handle, DEADLINE_MS);
        (told, mutex.release(), mutex.release())
    });
    nap();
    go.set();
    owner.join();
    assert_eq!(waiter.join().unwrap(), (sys::WAIT_ABANDONED_0, Ok(()), Err(sys::ERROR_NOT_OWNER)));
}

#[test]
fn e9_a_mutex_is_recursive_and_released_by_its_owner_alone() {
    let mutex = Arc::new(Mutex::new(true));
    let handle = mutex.handle();
    for _ in 0..2 {
        assert_eq!(wait_for_single_object(handle, 0), sys::WAIT_OBJECT_0, "owned already: no wait");
    }
    for times in (0..3).rev() {
        assert_eq!(elsewhere(handle), sys::WAIT_TIMEOUT, "owned here");
        let theirs = mutex.clone();
        assert_eq!(finishes("the release", move || theirs.release()), Err(sys::ERROR_NOT_OWNER));
        assert_eq!(mutex.release(), Ok(()), "{times} to go");
    }
    assert_eq!(mutex.release(), Err(sys::ERROR_NOT_OWNER), "as often as it was got");
    let theirs = mutex.clone();
    let got = finishes("the other thread", move || (wait_for_single_object(handle, 0), theirs.release()));
    assert_eq!(got, (sys::WAIT_OBJECT_0, Ok(())), "free for others");
}

#[test]
fn e9_a_release_lets_one_waiter_have_the_mutex() {
    let mutex = Arc::new(Mutex::new(true));
    let (sender, told) = mpsc::channel();
    for _ in 0..3 {
        let (mutex, sender) = (mutex.clone(), sender.clone());
        thread::spawn(move || {
            let got = wait_for_single_object(mutex.handle(), DEADLINE_MS);
            // Another thread with the mutex would make this release fail, or its own.
            sender.send((got, mutex.release()))
        });
    }
    nap();
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty), "it is owned");
    assert_eq!(mutex.release(), Ok(()));
    for _ in 0..3 {
        assert_eq!(told.recv_timeout(DEADLINE), Ok((sys::WAIT_OBJECT_0, Ok(()))));
    }
}

#[test]
fn e10_a_wait_takes_one() {
    let semaphore = Semaphore::new(2, 3);
    for _ in 0..2 {
        assert_eq!(wait_for_single_object(semaphore.handle(), 0), sys::WAIT_OBJECT_0);
    }
    assert_eq!(wait_for_single_object(semaphore.handle(), 0), sys::WAIT_TIMEOUT);
    assert_eq!(semaphore.release(2), (Ok(()), 0), "the count before");
    assert_eq!(semaphore.release(1), (Ok(()), 2), "the count before");
}

#[test]
fn e10_a_release_lets_as_many_go_as_it_says() {
    let semaphore = Arc::new(Semaphore::new(0, 10));
    let (sender, told) = mpsc::channel();
    for _ in 0..4 {
        let (semaphore, sender) = (semaphore.clone(), sender.clone());
        thread::spawn(move || sender.send(wait_for_single_object(semaphore.handle(), DEADLINE_MS)));
    }
    nap();
    for count in [1, 3] {
        assert_eq!(semaphore.release_uncounted(count), Ok(()));
        for _ in 0..count {
            assert_eq!(told.recv_timeout(DEADLINE), Ok(sys::WAIT_OBJECT_0));
        }
    }
    // Each of the four took one; had a waiter got away without, one would be left.
    assert_eq!(semaphore.release(1), (Ok(()), 0));
}

#[test]
fn e10_a_release_above_the_maximum_changes_nothing() {
    let semaphore = Semaphore::new(1, 3);
    for count in [3, i32::MAX] {
        assert_eq!(semaphore.release(count), (Err(sys::ERROR_TOO_MANY_POSTS), -1), "{count}");
        assert_eq!(semaphore.release_uncounted(count), Err(sys::ERROR_TOO_MANY_POSTS), "{count}");
    }
    assert_eq!(semaphore.release(2), (Ok(()), 1), "the count is what it was");
    assert_eq!(semaphore.release(1), (Err(sys::ERROR_TOO_MANY_POSTS), -1), "full");
}

#[test]
fn e10_an_initial_count_above_the_maximum_is_refused() {
    for (count, maximum) in [(2, 1), (1, 0), (0, 0), (-1, 1), (0, -1)] {
        set_last_error(UNTOUCHED);
        assert!(Semaphore::create(count, maximum).is_err(), "{count} of {maximum}");
        assert_eq!(get_last_error(), sys::ERROR_INVALID_PARAMETER, "{count} of {maximum}");
    }
    assert!(Semaphore::create(1, 1).is_ok());
}
