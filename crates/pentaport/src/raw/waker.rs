//! Reaching into another thread's alertable waits.

use super::call::{check_bool, last_error};
use super::panic::call;
use crate::sys::{self, HANDLE};
use crate::{Error, Result};
use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// The calling thread, once it has asked for itself.
    static OWN: OnceCell<Arc<Thread>> = const { OnceCell::new() };
}

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
    /// The calling thread; the same each time.
    pub(crate) fn current() -> Result<Arc<Self>> {
        OWN.try_with(|own| match own.get() {
            Some(thread) => Ok(Arc::clone(thread)),
            None => Self::open().map(|thread| Arc::clone(own.get_or_init(|| Arc::new(thread)))),
        })
        .unwrap_or(Err(Error::from_code(sys::ERROR_GEN_FAILURE as i32)))
    }

    fn open() -> Result<Self> {
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
    pub(crate) fn wake(&self) -> Result<()> {
        if self.woken.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.queue(woken, 0).inspect_err(|_| self.woken.store(false, Ordering::Release))
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

/// Runs on the thread that was woken. It gets no pointer: if the thread ends before, nothing is left over.
extern "system" fn woken(_: usize) {
    // What the callers of `wake` did before it is seen from here on; one that comes later queues another.
    let _ = OWN.try_with(|own| own.get().is_some_and(|thread| thread.woken.swap(false, Ordering::AcqRel)));
}

unsafe extern "system" fn posted(routine: usize) {
    // SAFETY: the box that `post` gave away comes back, once.
    let routine = unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Posted>(routine)) };
    call(routine);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_before_it_is_woken_leaves_nothing() {
        let thread = std::thread::spawn(|| {
            let own = Thread::current().unwrap();
            own.wake().unwrap();
            Arc::downgrade(&own)
        });
        assert_eq!(thread.join().unwrap().strong_count(), 0);
    }
}
