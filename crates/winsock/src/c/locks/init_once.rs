//! One-time initialisation.
//!
//! The two low bits of an INIT_ONCE say how far it is, the rest is the context that the initialiser leaves. All wait at one
//! place, since they wait once.

use core::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use ranked_locks::{Condvar, Mutex, rank};

use super::lock_at;
use crate::error::{finish_bool, is_bad};
use crate::port::blocking;
use crate::types::*;

type InitOnceRoutine = unsafe extern "system" fn(*mut INIT_ONCE, *mut c_void, *mut *mut c_void) -> BOOL;

/// The bits that are no context (INIT_ONCE_CTX_RESERVED_BITS).
const STAGE: usize = 3;
const FRESH: usize = 0;
/// One thread initialises, the others wait.
const RUNNING: usize = 1;
/// Each may try; the first to be done wins.
const RACING: usize = 2;
const DONE: usize = 3;

static WAITERS: Mutex<(), rank::Leaf> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();

/// # Safety
/// `once` is bad (null) or an INIT_ONCE.
unsafe fn at<'a>(once: *mut INIT_ONCE) -> Result<&'a AtomicUsize, WIN32_ERROR> {
    // SAFETY: the caller's promise.
    unsafe { lock_at(once) }.ok_or(ERROR_INVALID_PARAMETER)
}

/// Becomes the one that initialises, or waits until it is done; then tells the context.
fn begin(once: &AtomicUsize) -> Option<usize> {
    loop {
        match once.compare_exchange(FRESH, RUNNING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return None,
            Err(word) if word & STAGE == DONE => return Some(word & !STAGE),
            Err(_) => {
                let _elsewhere = blocking();
                let mut waiters = WAITERS.lock();
                if once.load(Ordering::Acquire) & STAGE == RUNNING {
                    CHANGED.wait(&mut waiters);
                }
            }
        }
    }
}

fn end(once: &AtomicUsize, word: usize) {
    let waiters = WAITERS.lock();
    once.store(word, Ordering::Release);
    drop(waiters);
    CHANGED.notify_all();
}

/// # Safety
/// `place` is bad (null) or writable.
unsafe fn give(context: usize, place: *mut *mut c_void) {
    if !is_bad(place) {
        // SAFETY: the caller's promise.
        unsafe { place.write(context as *mut c_void) };
    }
}

/// Makes memory one that nothing was initialised by yet.
///
/// # Safety
/// `initonce` is null or writable.
#[unsafe(export_name = "ws_InitOnceInitialize")]
pub unsafe extern "system" fn InitOnceInitialize(initonce: *mut INIT_ONCE) {
    if !is_bad(initonce) {
        // SAFETY: the caller's promise.
        unsafe { initonce.write(INIT_ONCE::default()) };
    }
}

/// Calls a routine unless it has been called and has answered TRUE; a thread that calls meanwhile waits. Gives the context
/// that the routine left.
///
/// # Errors
/// FALSE if the routine answers so; it is called again then. FALSE with ERROR_INVALID_PARAMETER for null, or a context that
/// is no multiple of 4.
///
/// # Safety
/// `initonce` is null or an INIT_ONCE; the routine may be called with `parameter`, and does not unwind; `context` is null or
/// writable.
#[unsafe(export_name = "ws_InitOnceExecuteOnce")]
pub unsafe extern "system" fn InitOnceExecuteOnce(
    initonce: *mut INIT_ONCE,
    initfn: Option<InitOnceRoutine>,
    parameter: *mut c_void,
    context: *mut *mut c_void,
) -> BOOL {
    let run = || {
        // SAFETY: the caller's promise.
        let (once, routine) = (unsafe { at(initonce) }?, initfn.ok_or(ERROR_INVALID_PARAMETER)?);
        let word = match begin(once) {
            Some(word) => word,
            None => {
                let mut left = std::ptr::null_mut();
                // SAFETY: the caller's promise.
                if unsafe { routine(initonce, parameter, &mut left) } == FALSE {
                    end(once, FRESH);
                    return Ok(FALSE);
                }
                if left.addr() & STAGE != 0 {
                    end(once, FRESH);
                    return Err(ERROR_INVALID_PARAMETER);
                }
                end(once, left.addr() | DONE);
                left.addr()
            }
        };
        // SAFETY: the caller's promise.
        unsafe { give(word, context) };
        Ok(TRUE)
    };
    run().unwrap_or_else(|code| finish_bool(Err(code)))
}

/// Begins an initialisation, or finds it done. `fpending` says whether the caller is to initialise and then to call
/// InitOnceComplete.
///
/// With INIT_ONCE_CHECK_ONLY nothing begins; with INIT_ONCE_ASYNC several threads may initialise, and none waits.
///
/// # Errors
/// FALSE with ERROR_GEN_FAILURE if it is not done and was only to be checked, ERROR_INVALID_PARAMETER for null, unknown
/// flags, or if the other way of initialising is under way.
///
/// # Safety
/// `lpinitonce` is null or an INIT_ONCE; `fpending` and `lpcontext` are null or writable.
#[unsafe(export_name = "ws_InitOnceBeginInitialize")]
pub unsafe extern "system" fn InitOnceBeginInitialize(
    lpinitonce: *mut INIT_ONCE,
    dwflags: u32,
    fpending: *mut BOOL,
    lpcontext: *mut *mut c_void,
) -> BOOL {
    let run = || {
        // SAFETY: the caller's promise.
        let once = unsafe { at(lpinitonce) }?;
        if is_bad(fpending) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let word = once.load(Ordering::Acquire);
        let done = match (word & STAGE, dwflags) {
            (DONE, _) => Some(word & !STAGE),
            (_, INIT_ONCE_CHECK_ONLY) => return Err(ERROR_GEN_FAILURE),
            (RACING, 0) | (RUNNING, INIT_ONCE_ASYNC) => return Err(ERROR_INVALID_PARAMETER),
            (_, 0) => begin(once),
            (_, INIT_ONCE_ASYNC) => match once.compare_exchange(FRESH, RACING, Ordering::AcqRel, Ordering::Acquire) {
                Err(word) if word & STAGE == DONE => Some(word & !STAGE),
                Err(RUNNING) => return Err(ERROR_INVALID_PARAMETER),
                _ => None,
            },
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        // SAFETY: the caller's promise.
        unsafe {
            fpending.write(done.is_none().into());
            if let Some(context) = done {
                give(context, lpcontext);
            }
        }
        Ok(())
    };
    finish_bool(run())
}

/// Ends an initialisation that InitOnceBeginInitialize began: done, with a context, or failed (INIT_ONCE_INIT_FAILED), so
/// that another may begin. INIT_ONCE_ASYNC as there.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for null, a context that is no multiple of 4, or other flags; ERROR_GEN_FAILURE if none
/// is under way, as when another thread was quicker.
///
/// # Safety
/// `lpinitonce` is null or an INIT_ONCE.
#[unsafe(export_name = "ws_InitOnceComplete")]
pub unsafe extern "system" fn InitOnceComplete(
    lpinitonce: *mut INIT_ONCE,
    dwflags: u32,
    lpcontext: *mut c_void,
) -> BOOL {
    let run = || {
        // SAFETY: the caller's promise.
        let once = unsafe { at(lpinitonce) }?;
        let (failed, racing) = (dwflags & INIT_ONCE_INIT_FAILED != 0, dwflags & INIT_ONCE_ASYNC != 0);
        if dwflags & !(INIT_ONCE_INIT_FAILED | INIT_ONCE_ASYNC) != 0
            || (failed && (racing || !lpcontext.is_null()))
            || lpcontext.addr() & STAGE != 0
        {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let (from, to) = (if racing { RACING } else { RUNNING }, if failed { FRESH } else { lpcontext.addr() | DONE });
        let waiters = WAITERS.lock();
        once.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).map_err(|_| ERROR_GEN_FAILURE)?;
        drop(waiters);
        CHANGED.notify_all();
        Ok(())
    };
    finish_bool(run())
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;
    use std::ptr::null_mut;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;
    use crate::error::last_error;
    use crate::port::{self, Packet, Port};
    use crate::testing::until;

    /// Counts its calls, fails the first time, and leaves the count's address.
    unsafe extern "system" fn initialise(_: *mut INIT_ONCE, parameter: *mut c_void, context: *mut *mut c_void) -> BOOL {
        // SAFETY: what the test passes.
        unsafe {
            let count = (*parameter.cast::<AtomicUsize>()).fetch_add(1, Ordering::SeqCst);
            *context = parameter;
            (count > 0).into()
        }
    }

    #[test]
    fn the_routine_is_called_until_it_succeeds_and_by_one_thread() {
        let mut once = INIT_ONCE::default();
        let count = AtomicUsize::new(0);
        let parameter = (&raw const count).cast_mut().cast::<c_void>();
        let (once_address, parameter_address) = ((&raw mut once).addr(), parameter.addr());
        // SAFETY: all live until the threads have ended.
        unsafe {
            assert_eq!(InitOnceExecuteOnce(&mut once, Some(initialise), parameter, null_mut()), FALSE);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(move || {
                        let mut context = null_mut();
                        let (once, parameter) = (once_address as *mut INIT_ONCE, parameter_address as *mut c_void);
                        assert_eq!(InitOnceExecuteOnce(once, Some(initialise), parameter, &mut context), TRUE);
                        assert_eq!(context, parameter);
                    });
                }
            });
        }
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_worker_of_a_port_that_waits_lets_another_run() {
        let once = AtomicUsize::new(RUNNING);
        let port = Port::new(1);
        let take = |timeout| {
            let mut entries = [MaybeUninit::uninit()];
            // No handle that there is, so that each call finds the port by itself.
            port::get(0, || Some(port.clone()), &mut entries, timeout)
        };
        let packet = || Packet::new(0, null_mut(), STATUS_SUCCESS, 0);
        let runs = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(take(None), Ok(1));
                runs.store(true, Ordering::SeqCst);
                assert_eq!(begin(&once), Some(0));
            });
            port.push(packet());
            until("the worker runs", || runs.load(Ordering::SeqCst));
            port.push(packet());
            // Only one may run.
            until("the worker waits", || take(Some(Duration::ZERO)) == Ok(1));
            end(&once, DONE);
        });
    }

    #[test]
    fn an_initialisation_begins_fails_and_is_done() {
        let mut once = INIT_ONCE::default();
        let (mut pending, mut context) = (0, null_mut());
        let word = 0u64;
        let left = (&raw const word).cast_mut().cast::<c_void>();
        // SAFETY: all are live.
        unsafe {
            let once = &raw mut once;
            assert_eq!(InitOnceBeginInitialize(once, INIT_ONCE_CHECK_ONLY, &mut pending, null_mut()), FALSE);
            assert_eq!(last_error(), ERROR_GEN_FAILURE);
            assert_eq!((InitOnceBeginInitialize(once, 0, &mut pending, null_mut()), pending), (TRUE, TRUE));
            assert_eq!(InitOnceComplete(once, INIT_ONCE_INIT_FAILED, null_mut()), TRUE);
            for _ in 0..2 {
                let began = InitOnceBeginInitialize(once, INIT_ONCE_ASYNC, &mut pending, null_mut());
                assert_eq!((began, pending), (TRUE, TRUE), "each may try");
            }
            assert_eq!(InitOnceComplete(once, INIT_ONCE_ASYNC, left), TRUE);
            assert_eq!(InitOnceComplete(once, INIT_ONCE_ASYNC, left), FALSE, "another was quicker");
            let checked = InitOnceBeginInitialize(once, INIT_ONCE_CHECK_ONLY, &mut pending, &mut context);
            assert_eq!((checked, pending, context), (TRUE, FALSE, left));
            assert_eq!(InitOnceExecuteOnce(null_mut(), Some(initialise), null_mut(), null_mut()), FALSE);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    }
}
