//! Slim reader/writer locks: parking_lot's lock in the size of a pointer.

use parking_lot::RawRwLock;
use parking_lot::lock_api::RawRwLock as _;

use super::lock_at;
use crate::port::blocking;
use crate::types::*;

const _: () = assert!(size_of::<RawRwLock>() == size_of::<SRWLOCK>());
// SAFETY: a lock is a word.
const _: () = assert!(unsafe { std::mem::transmute::<RawRwLock, usize>(RawRwLock::INIT) } == 0);

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

/// # Safety
/// The calling thread has the lock, in this way.
pub(super) unsafe fn release(lock: &RawRwLock, shared: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if shared {
            lock.unlock_shared();
        } else {
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

/// Gives back a lock that was taken alone.
///
/// # Safety
/// `srwlock` is null or a lock that the calling thread has alone.
#[unsafe(export_name = "ws_ReleaseSRWLockExclusive")]
pub unsafe extern "system" fn ReleaseSRWLockExclusive(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(lock) = at(srwlock).filter(|lock| lock.is_locked_exclusive()) {
            release(lock, false);
        }
    }
}

/// Gives back a lock that was taken with others.
///
/// # Safety
/// `srwlock` is null or a lock that the calling thread has with others.
#[unsafe(export_name = "ws_ReleaseSRWLockShared")]
pub unsafe extern "system" fn ReleaseSRWLockShared(srwlock: *mut SRWLOCK) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(lock) = at(srwlock).filter(|lock| lock.is_locked() && !lock.is_locked_exclusive()) {
            release(lock, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let mut lock = SRWLOCK::default();
        // SAFETY: the lock is live, and given back as it was taken.
        unsafe {
            AcquireSRWLockShared(&mut lock);
            assert!(TryAcquireSRWLockShared(&mut lock));
            assert!(!TryAcquireSRWLockExclusive(&mut lock));
            ReleaseSRWLockShared(&mut lock);
            ReleaseSRWLockShared(&mut lock);
            AcquireSRWLockExclusive(&mut lock);
            assert!(!TryAcquireSRWLockShared(&mut lock) && !TryAcquireSRWLockExclusive(&mut lock));
            ReleaseSRWLockExclusive(&mut lock);
            ReleaseSRWLockExclusive(&mut lock);
            assert!(lock.Ptr.is_null(), "as it was");
        }
    }
}
