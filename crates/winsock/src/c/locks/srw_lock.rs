//! Slim reader/writer locks: parking_lot's lock in the size of a pointer.
//!
//! A slim lock knows no owner (W1): any thread may release what another one took. So what a release looks at is whether the
//! lock is held in that way, and nothing else; if it is not, the release does nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RawRwLock;
use parking_lot::lock_api::RawRwLock as _;

use super::lock_at;
use crate::port::blocking;
use crate::types::*;

const _: () = assert!(size_of::<RawRwLock>() == size_of::<SRWLOCK>());
// SAFETY: a lock is a word.
const _: () = assert!(unsafe { std::mem::transmute::<RawRwLock, usize>(RawRwLock::INIT) } == 0);

/// What each holder with others adds to parking_lot's word. By its interface alone, a writer that still waits for them is the
/// same as one that has the lock.
const READER: usize = 0x10;

fn has_readers(lock: &RawRwLock) -> bool {
    // SAFETY: the lock is an atomic word, as its size and its value say above.
    let word = unsafe { &*(&raw const *lock).cast::<AtomicUsize>() };
    word.load(Ordering::Relaxed) >= READER
}

fn is_held_exclusively(lock: &RawRwLock) -> bool {
    lock.is_locked_exclusive() && !has_readers(lock)
}

/// # Safety
/// `lock` is bad (null) or an SRWLOCK.
pub(super) unsafe fn at<'a>(lock: *mut SRWLOCK) -> Option<&'a RawRwLock> {
    // SAFETY: the caller's promise.
    unsafe { lock_at(lock) }
}

pub(super) fn acquire(lock: &RawRwLock, shared: bool) {
    if shared {
        if !lock.try_lock_shared() {
            let _elsewhere = blocking();
            lock.lock_shared();
        }
    } else if !lock.try_lock_exclusive() {
        let _elsewhere = blocking();
        lock.lock_exclusive();
    }
}

/// Releases a lock that is held in this way, by whichever thread.
pub(super) fn release(lock: &RawRwLock, shared: bool) {
    // SAFETY: each is called if the lock is held so.
    unsafe {
        if shared && has_readers(lock) {
            lock.unlock_shared();
        } else if !shared && is_held_exclusively(lock) {
            lock.unlock_exclusive();
        }
    }
}

/// Makes memory a lock.
///
/// # Safety
/// `srwlock` is null or writable.
#[unsafe(export_name = "ws_InitializeSRWLock")]
pub unsafe extern "system" fn InitializeSRWLock(srwlock: *mut SRWLOCK) {
    if !crate::error::is_bad(srwlock) {
        // SAFETY: the caller's promise.
        unsafe { srwlock.write(SRWLOCK::default()) };
    }
}

/// Waits until nobody has the lock, and takes it. Not recursive.
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_AcquireSRWLockExclusive")]
pub unsafe extern "system" fn AcquireSRWLockExclusive(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    if let Some(lock) = unsafe { at(srwlock) } {
        acquire(lock, false);
    }
}

/// Waits until nobody has the lock alone, and takes it with others.
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_AcquireSRWLockShared")]
pub unsafe extern "system" fn AcquireSRWLockShared(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    if let Some(lock) = unsafe { at(srwlock) } {
        acquire(lock, true);
    }
}

/// Takes the lock if nobody has it; answers whether (a BOOLEAN).
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_TryAcquireSRWLockExclusive")]
pub unsafe extern "system" fn TryAcquireSRWLockExclusive(srwlock: *mut SRWLOCK) -> bool {
    // SAFETY: the caller's promise.
    unsafe { at(srwlock) }.is_some_and(RawRwLock::try_lock_exclusive)
}

/// Takes the lock with others if nobody has it alone; answers whether (a BOOLEAN).
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_TryAcquireSRWLockShared")]
pub unsafe extern "system" fn TryAcquireSRWLockShared(srwlock: *mut SRWLOCK) -> bool {
    // SAFETY: the caller's promise.
    unsafe { at(srwlock) }.is_some_and(RawRwLock::try_lock_shared)
}

/// Gives back a lock that a thread, this one or another, took alone.
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_ReleaseSRWLockExclusive")]
pub unsafe extern "system" fn ReleaseSRWLockExclusive(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    if let Some(lock) = unsafe { at(srwlock) } {
        release(lock, false);
    }
}

/// Gives back a lock that a thread, this one or another, took with others.
///
/// # Safety
/// `srwlock` is null or a lock.
#[unsafe(export_name = "ws_ReleaseSRWLockShared")]
pub unsafe extern "system" fn ReleaseSRWLockShared(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    if let Some(lock) = unsafe { at(srwlock) } {
        release(lock, true);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::UnsafeCell;
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Shared(UnsafeCell<SRWLOCK>);

    // SAFETY: a lock is there to be shared.
    unsafe impl Send for Shared {}
    // SAFETY: the same.
    unsafe impl Sync for Shared {}

    impl Shared {
        fn word(&self) -> usize {
            // SAFETY: the lock is an atomic word.
            unsafe { &*self.0.get().cast::<AtomicUsize>() }.load(Ordering::Relaxed)
        }

        /// Waits until a thread waits for the lock: its word changes.
        fn wait_until_not(&self, word: usize) {
            let deadline = Instant::now() + DEADLINE;
            while self.word() == word {
                assert!(Instant::now() < deadline, "no thread waits for the lock");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let mut lock = SRWLOCK::default();
        // SAFETY: the lock is live.
        unsafe {
            AcquireSRWLockShared(&mut lock);
            assert!(TryAcquireSRWLockShared(&mut lock));
            assert!(!TryAcquireSRWLockExclusive(&mut lock));
            ReleaseSRWLockExclusive(&mut lock);
            ReleaseSRWLockShared(&mut lock);
            ReleaseSRWLockShared(&mut lock);
            AcquireSRWLockExclusive(&mut lock);
            assert!(!TryAcquireSRWLockShared(&mut lock) && !TryAcquireSRWLockExclusive(&mut lock));
            ReleaseSRWLockShared(&mut lock);
            assert!(!TryAcquireSRWLockShared(&mut lock), "no reader had it");
            ReleaseSRWLockExclusive(&mut lock);
            ReleaseSRWLockExclusive(&mut lock);
            ReleaseSRWLockShared(&mut lock);
            assert!(lock.Ptr.is_null(), "as it was");
        }
    }

    #[test]
    fn w1_readers_are_counted_as_parking_lot_counts_them() {
        let shared = Shared::default();
        for readers in 1..=3 {
            // SAFETY: the lock is live.
            unsafe { AcquireSRWLockShared(shared.0.get()) };
            assert_eq!(shared.word(), readers * READER);
        }
        for _ in 0..3 {
            // SAFETY: the lock is live.
            unsafe { ReleaseSRWLockShared(shared.0.get()) };
        }
        // SAFETY: the lock is live.
        unsafe { AcquireSRWLockExclusive(shared.0.get()) };
        assert!((1..READER).contains(&shared.word()));
    }

    #[test]
    fn w1_a_thread_waits_for_what_another_one_releases() {
        for (held, wanted) in [(true, false), (false, true), (false, false)] {
            let shared = Arc::new(Shared::default());
            let holds = if held { 3 } else { 1 };
            acquire_times(shared.0.get(), held, holds);
            let word = shared.word();
            let (done, is_done) = mpsc::channel();
            let waiter = Arc::clone(&shared);
            std::thread::spawn(move || {
                acquire_times(waiter.0.get(), wanted, 1);
                release_once(waiter.0.get(), wanted);
                done.send(()).expect("the test waits");
            });
            shared.wait_until_not(word);
            let releaser = Arc::clone(&shared);
            std::thread::spawn(move || (0..holds).for_each(|_| release_once(releaser.0.get(), held)));
            assert_eq!(is_done.recv_timeout(DEADLINE), Ok(()), "held {held}, wanted {wanted}");
            assert_eq!(shared.word(), 0, "as it was");
        }
    }

    fn acquire_times(lock: *mut SRWLOCK, shared: bool, times: usize) {
        for _ in 0..times {
            // SAFETY: the tests' locks are live.
            unsafe { if shared { AcquireSRWLockShared(lock) } else { AcquireSRWLockExclusive(lock) } };
        }
    }

    fn release_once(lock: *mut SRWLOCK, shared: bool) {
        // SAFETY: the tests' locks are live.
        unsafe { if shared { ReleaseSRWLockShared(lock) } else { ReleaseSRWLockExclusive(lock) } };
    }
}
