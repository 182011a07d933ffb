//! Event objects, and waiting for handles. All is safe whatever the handles are: the system checks them.

use super::call::{check_bool, last_error};
use super::panic::resume_panic;
use crate::Result;
use crate::sys::{self, HANDLE};

/// An event object, closed when dropped.
#[derive(Debug)]
pub(crate) struct OwnedEvent {
    handle: HANDLE,
}

// SAFETY: an event's handle may be used by any thread.
unsafe impl Send for OwnedEvent {}
// SAFETY: as above, also by several at once.
unsafe impl Sync for OwnedEvent {}

impl OwnedEvent {
    /// An event that is not set.
    pub(crate) fn new(manual_reset: bool) -> Result<Self> {
        // SAFETY: no attributes and no name are passed.
        let handle = unsafe { sys::CreateEventW(std::ptr::null(), manual_reset.into(), sys::FALSE, std::ptr::null()) };
        if handle.is_null() { Err(last_error()) } else { Ok(Self { handle }) }
    }

    pub(crate) fn handle(&self) -> HANDLE {
        self.handle
    }

    pub(crate) fn set(&self) {
        // SAFETY: takes a handle, which is open.
        let set = check_bool(unsafe { sys::SetEvent(self.handle) });
        debug_assert_eq!(set, Ok(()), "an open event can be set");
    }

    pub(crate) fn reset(&self) {
        // SAFETY: takes a handle, which is open.
        let reset = check_bool(unsafe { sys::ResetEvent(self.handle) });
        debug_assert_eq!(reset, Ok(()), "an open event can be reset");
    }
}

impl Drop for OwnedEvent {
    fn drop(&mut self) {
        // SAFETY: the handle is ours. What else refers to the object (a socket's selection, an operation) keeps the
        // object, not the handle.
        unsafe { sys::CloseHandle(self.handle) };
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The object at this index was signalled; 0 if the wait was for all of them.
    Signalled(usize),
    /// Routines ran.
    Routines,
    /// The time was over.
    Timeout,
}

/// Waits for one handle or all of them.
pub(crate) fn wait(handles: &[HANDLE], all: bool, milliseconds: u32, alertable: bool) -> Result<Ending> {
    let outcome = match handles {
        // SAFETY: takes a handle and numbers.
        [one] => unsafe { sys::WaitForSingleObjectEx(*one, milliseconds, alertable.into()) },
        many => {
            let count = u32::try_from(many.len()).unwrap_or(u32::MAX);
            // SAFETY: `count` handles can be read, or the count is refused as beyond the system's limit of 64.
            unsafe { sys::WaitForMultipleObjectsEx(count, many.as_ptr(), all.into(), milliseconds, alertable.into()) }
        }
    };
    let ending = ending(outcome);
    resume_panic();
    ending
}

/// What the result of a wait for several objects means.
pub(super) fn ending(outcome: sys::WAIT_EVENT) -> Result<Ending> {
    match outcome {
        sys::WAIT_FAILED => Err(last_error()),
        sys::WAIT_TIMEOUT => Ok(Ending::Timeout),
        sys::WAIT_IO_COMPLETION => Ok(Ending::Routines),
        // Only mutexes are abandoned, and we have none.
        index => Ok(Ending::Signalled((index - sys::WAIT_OBJECT_0) as usize)),
    }
}
