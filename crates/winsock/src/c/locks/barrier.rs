//! Barriers: threads wait for one another.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, park, unpark_all};

use super::lock_at;
use crate::error::{finish_bool, is_bad};
use crate::port::blocking;
use crate::types::*;

/// A SYNCHRONIZATION_BARRIER as it is used here.
#[repr(C)]
struct Barrier {
    total: AtomicU32,
    /// How many are missing in this phase.
    missing: AtomicU32,
    phase: AtomicU32,
    /// How many are in EnterSynchronizationBarrier.
    inside: AtomicU32,
}

const _: () = assert!(size_of::<SYNCHRONIZATION_BARRIER>() == 32);

impl Barrier {
    /// Waits for the others; true for the one that comes last.
    fn enter(&self) -> bool {
        self.inside.fetch_add(1, Ordering::AcqRel);
        let phase = self.phase.load(Ordering::Acquire);
        let last = self.missing.fetch_sub(1, Ordering::AcqRel) == 1;
        if last {
            self.missing.store(self.total.load(Ordering::Relaxed), Ordering::Release);
            self.phase.fetch_add(1, Ordering::AcqRel);
            wake((&raw const self.phase).addr());
        } else {
            wait((&raw const self.phase).addr(), || self.phase.load(Ordering::Acquire) == phase);
        }
        if self.inside.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The barrier may be gone now: only its address is used.
            wake((&raw const self.inside).addr());
        }
        last
    }

    fn wait_until_empty(&self) {
        wait((&raw const self.inside).addr(), || self.inside.load(Ordering::Acquire) != 0);
    }
}

fn wait(address: usize, still: impl Fn() -> bool) {
    while still() {
        let _elsewhere = blocking();
        // SAFETY: the address lies in a barrier, where only this parks; the closures neither panic nor wait.
        unsafe { park(address, &still, || {}, |_, _| {}, DEFAULT_PARK_TOKEN, None) };
    }
}

fn wake(address: usize) {
    // SAFETY: the address lies in a barrier, where only we park.
    unsafe { unpark_all(address, DEFAULT_UNPARK_TOKEN) };
}

/// Makes memory a barrier for so many threads. The spin count is ignored.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for null or no threads.
///
/// # Safety
/// `lpbarrier` is null or writable.
#[unsafe(export_name = "ws_InitializeSynchronizationBarrier")]
pub unsafe extern "system" fn InitializeSynchronizationBarrier(
    lpbarrier: *mut SYNCHRONIZATION_BARRIER,
    ltotalthreads: i32,
    _lspincount: i32,
) -> BOOL {
    let total = match u32::try_from(ltotalthreads) {
        Ok(total @ 1..) if !is_bad(lpbarrier) => total,
        _ => return finish_bool(Err(ERROR_INVALID_PARAMETER)),
    };
    let fresh = Barrier {
        total: AtomicU32::new(total),
        missing: AtomicU32::new(total),
        phase: AtomicU32::new(0),
        inside: AtomicU32::new(0),
    };
    // SAFETY: the caller's promise; it is no larger than a SYNCHRONIZATION_BARRIER.
    unsafe { lpbarrier.cast::<Barrier>().write(fresh) };
    TRUE
}

/// Waits until as many threads have come as the barrier is for. TRUE for one of them. The flags, how to wait and whether
/// the barrier is ever deleted, are ignored.
///
/// # Safety
/// `lpbarrier` is null or a barrier.
#[unsafe(export_name = "ws_EnterSynchronizationBarrier")]
pub unsafe extern "system" fn EnterSynchronizationBarrier(
    lpbarrier: *mut SYNCHRONIZATION_BARRIER,
    _dwflags: u32,
) -> BOOL {
    // SAFETY: the caller's promise.
    unsafe { lock_at::<_, Barrier>(lpbarrier) }.is_some_and(Barrier::enter).into()
}

/// Waits until no thread is in the barrier any more. There is nothing to free.
///
/// # Safety
/// `lpbarrier` is null or a barrier, into which no thread goes any more.
#[unsafe(export_name = "ws_DeleteSynchronizationBarrier")]
pub unsafe extern "system" fn DeleteSynchronizationBarrier(lpbarrier: *mut SYNCHRONIZATION_BARRIER) -> BOOL {
    // SAFETY: the caller's promise.
    if let Some(barrier) = unsafe { lock_at::<_, Barrier>(lpbarrier) } {
        barrier.wait_until_empty();
    }
    TRUE
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn nobody_passes_before_all_have_come_and_one_is_told_so() {
        const THREADS: usize = 3;
        const PHASES: usize = 100;
        let mut barrier = SYNCHRONIZATION_BARRIER::default();
        let address = (&raw mut barrier).addr();
        let (come, last) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        // SAFETY: the barrier lives until the threads have ended.
        unsafe {
            assert_eq!(InitializeSynchronizationBarrier(&mut barrier, 0, -1), FALSE);
            assert_eq!(InitializeSynchronizationBarrier(&mut barrier, THREADS as i32, -1), TRUE);
        }
        let work = || {
            for phase in 1..=PHASES {
                come.fetch_add(1, Ordering::SeqCst);
                // SAFETY: as above.
                let told = unsafe { EnterSynchronizationBarrier(address as *mut SYNCHRONIZATION_BARRIER, 0) };
                last.fetch_add(told as usize, Ordering::SeqCst);
                assert!(come.load(Ordering::SeqCst) >= phase * THREADS);
            }
        };
        std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(last.load(Ordering::SeqCst), PHASES);
        // SAFETY: as above.
        assert_eq!(unsafe { DeleteSynchronizationBarrier(&mut barrier) }, TRUE);
    }
}
