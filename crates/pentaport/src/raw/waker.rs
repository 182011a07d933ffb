//! Reaching into another thread's alertable waits.

use super::call::{check_bool, last_error};
use super::panic::call;
use crate::Result;
use crate::sys::{self, HANDLE};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A thread, by a handle of its own. Closed when dropped.
pub(crate) struct Thread {
    handle: HANDLE,
    /// A wake-up is queued that has not run yet.
    woken: AtomicBool,
}

// SAFETY: a thread's handle may be used by any thread.
unsafe impl Send for Thread {}
// SAFETY: as above, also by several at once.
unsafe impl Sync for Thread {}

/// What `post` sends: one pointer wide.
type Posted = Box<dyn FnOnce() + Send>;

impl Thread {
    /// The calling thread.
    pub(crate) fn current() -> Result<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the pseudo-handles mean this process and this thread; the new handle is stored in our variable.
        check_bool(unsafe {
            let process = sys::GetCurrentProcess();
            let (thread, same) = (sys::GetCurrentThread(), sys::DUPLICATE_SAME_ACCESS);
            sys::DuplicateHandle(process, thread, process, &mut handle, 0, sys::FALSE, same)
        })?;
        Ok(Self { handle, woken: AtomicBool::new(false) })
    }

    /// Ends the thread's alertable wait, now or the next. Does nothing if that is queued already.
    pub(crate) fn wake(self: &Arc<Self>) -> Result<()> {
        if self.woken.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let this = Arc::into_raw(Arc::clone(self));
        self.queue(woken, this.expose_provenance()).inspect_err(|_| {
            // SAFETY: nothing was queued, so the count is ours still.
            drop(unsafe { Arc::from_raw(this) });
            self.woken.store(false, Ordering::Release);
        })
    }

    /// Has the thread call `routine` in an alertable wait.
    pub(crate) fn post(&self, routine: Posted) -> Result<()> {
        let routine = Box::into_raw(Box::new(routine));
        self.queue(posted, routine.expose_provenance()).inspect_err(|_| {
            // SAFETY: nothing was queued, so the box is ours still.
            drop(unsafe { Box::from_raw(routine) });
        })
    }

    fn queue(&self, routine: unsafe extern "system" fn(usize), argument: usize) -> Result<()> {
        // SAFETY: the handle is open; the routine gets the argument that belongs to it, once.
        let queued = unsafe { sys::QueueUserAPC(Some(routine), self.handle, argument) };
        if queued == 0 { Err(last_error()) } else { Ok(()) }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { sys::CloseHandle(self.handle) };
    }
}

unsafe extern "system" fn woken(thread: usize) {
    // SAFETY: the count that `wake` gave away comes back, once.
    let thread = unsafe { Arc::from_raw(std::ptr::with_exposed_provenance::<Thread>(thread)) };
    // What the callers of `wake` did before it is seen from here on; one that comes later queues another.
    thread.woken.swap(false, Ordering::AcqRel);
}

unsafe extern "system" fn posted(routine: usize) {
    // SAFETY: the box that `post` gave away comes back, once.
    let routine = unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Posted>(routine)) };
    call(routine);
}
