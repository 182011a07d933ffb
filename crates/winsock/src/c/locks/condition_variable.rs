//! Condition variables, for critical sections and for slim locks. The variable itself stays zero: it is an address to wait
//! at.

use std::time::Instant;

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, ParkResult, park, unpark_all, unpark_one};

use super::{TIMED_OUT, critical_section, give_up_at, srw_lock};
use crate::error::{finish_bool, is_bad};
use crate::port::blocking;
use crate::types::*;

/// Waits at an address, from before `unlock` is called; false after the timeout.
///
/// # Safety
/// `unlock` neither panics nor waits.
unsafe fn sleep(variable: *mut CONDITION_VARIABLE, unlock: impl FnOnce(), until: Option<Instant>) -> bool {
    let _elsewhere = blocking();
    // SAFETY: the address is the program's variable, at which nobody else parks; the closures are as they have to be.
    let result = unsafe { park(variable.addr(), || true, unlock, |_, _| {}, DEFAULT_PARK_TOKEN, until) };
    !matches!(result, ParkResult::TimedOut)
}

/// Makes memory a condition variable.
///
/// # Safety
/// `conditionvariable` is null or writable.
#[unsafe(export_name = "ws_InitializeConditionVariable")]
pub unsafe extern "system" fn InitializeConditionVariable(conditionvariable: *mut CONDITION_VARIABLE) {
    if !is_bad(conditionvariable) {
        // SAFETY: the caller's promise.
        unsafe { conditionvariable.write(CONDITION_VARIABLE::default()) };
    }
}

/// Leaves the critical section, waits to be woken, and enters it again.
///
/// # Errors
/// FALSE with ERROR_TIMEOUT, in the section all the same; ERROR_INVALID_PARAMETER for null.
///
/// # Safety
/// Both are null or what they are called; the calling thread has entered the section, once.
#[unsafe(export_name = "ws_SleepConditionVariableCS")]
pub unsafe extern "system" fn SleepConditionVariableCS(
    conditionvariable: *mut CONDITION_VARIABLE,
    criticalsection: *mut CRITICAL_SECTION,
    dwmilliseconds: u32,
) -> BOOL {
    // SAFETY: the caller's promise.
    let Some(section) = unsafe { critical_section::at(criticalsection) }.filter(|_| !is_bad(conditionvariable)) else {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    };
    // SAFETY: leaving a section wakes others and does not wait.
    let woken = unsafe { sleep(conditionvariable, || section.leave(), give_up_at(dwmilliseconds)) };
    section.enter();
    finish_bool(if woken { Ok(()) } else { TIMED_OUT })
}

/// Gives the lock back, waits to be woken, and takes it again: with others if `flags` is
/// CONDITION_VARIABLE_LOCKMODE_SHARED (1), as it was taken.
///
/// # Errors
/// FALSE with ERROR_TIMEOUT, with the lock all the same; ERROR_INVALID_PARAMETER for null.
///
/// # Safety
/// Both are null or what they are called.
#[unsafe(export_name = "ws_SleepConditionVariableSRW")]
pub unsafe extern "system" fn SleepConditionVariableSRW(
    conditionvariable: *mut CONDITION_VARIABLE,
    srwlock: *mut SRWLOCK,
    dwmilliseconds: u32,
    flags: u32,
) -> BOOL {
    // SAFETY: the caller's promise.
    let Some(lock) = unsafe { srw_lock::at(srwlock) }.filter(|_| !is_bad(conditionvariable)) else {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    };
    let shared = flags & CONDITION_VARIABLE_LOCKMODE_SHARED != 0;
    // SAFETY: giving the lock back wakes others and does not wait.
    let woken = unsafe { sleep(conditionvariable, || srw_lock::release(lock, shared), give_up_at(dwmilliseconds)) };
    srw_lock::acquire(lock, shared);
    finish_bool(if woken { Ok(()) } else { TIMED_OUT })
}

/// Wakes one thread that sleeps at the variable.
///
/// # Safety
/// Nothing is asked of the caller: the pointer is not followed.
#[unsafe(export_name = "ws_WakeConditionVariable")]
pub unsafe extern "system" fn WakeConditionVariable(conditionvariable: *mut CONDITION_VARIABLE) {
    // SAFETY: at the address of a program's variable only we park.
    unsafe { unpark_one(conditionvariable.addr(), |_| DEFAULT_UNPARK_TOKEN) };
}

/// Wakes all threads that sleep at the variable.
///
/// # Safety
/// Nothing is asked of the caller: the pointer is not followed.
#[unsafe(export_name = "ws_WakeAllConditionVariable")]
pub unsafe extern "system" fn WakeAllConditionVariable(conditionvariable: *mut CONDITION_VARIABLE) {
    // SAFETY: at the address of a program's variable only we park.
    unsafe { unpark_all(conditionvariable.addr(), DEFAULT_UNPARK_TOKEN) };
}

#[cfg(test)]
mod tests {
    use std::cell::UnsafeCell;

    use super::super::critical_section::{EnterCriticalSection, LeaveCriticalSection};
    use super::super::srw_lock::{AcquireSRWLockExclusive, ReleaseSRWLockExclusive};
    use super::*;
    use crate::error::last_error;

    #[derive(Default)]
    struct Shared {
        section: UnsafeCell<CRITICAL_SECTION>,
        lock: UnsafeCell<SRWLOCK>,
        variable: UnsafeCell<CONDITION_VARIABLE>,
        turn: UnsafeCell<usize>,
    }

    // SAFETY: the turn is used under a lock, and the others are there to be shared.
    unsafe impl Sync for Shared {}

    #[test]
    fn two_threads_take_turns_in_a_section() {
        let shared = &Shared::default();
        let take_turns = |mine: usize| {
            // SAFETY: all are live, and the turn is used in the section.
            unsafe {
                EnterCriticalSection(shared.section.get());
                for round in 0..100 {
                    while *shared.turn.get() != 2 * round + mine {
                        assert_eq!(
                            SleepConditionVariableCS(shared.variable.get(), shared.section.get(), INFINITE),
                            TRUE
                        );
                    }
                    *shared.turn.get() += 1;
                    WakeAllConditionVariable(shared.variable.get());
                }
                LeaveCriticalSection(shared.section.get());
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| take_turns(0));
            scope.spawn(|| take_turns(1));
        });
        // SAFETY: the threads have ended.
        assert_eq!(unsafe { *shared.turn.get() }, 200);
    }

    #[test]
    fn a_wait_that_gives_up_has_the_lock_again() {
        let shared = Shared::default();
        // SAFETY: all are live; the lock is given back as it was taken.
        unsafe {
            AcquireSRWLockExclusive(shared.lock.get());
            assert_eq!(SleepConditionVariableSRW(shared.variable.get(), shared.lock.get(), 1, 0), FALSE);
            assert_eq!(last_error(), ERROR_TIMEOUT);
            assert!(srw_lock::at(shared.lock.get()).is_some_and(|lock| {
                use parking_lot::lock_api::RawRwLock as _;
                lock.is_locked_exclusive()
            }));
            ReleaseSRWLockExclusive(shared.lock.get());
            assert_eq!(SleepConditionVariableCS(std::ptr::null_mut(), shared.section.get(), 0), FALSE);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    }
}
