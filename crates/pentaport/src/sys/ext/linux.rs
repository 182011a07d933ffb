//! The descriptor of a thread's message queue.

use crate::async_select::MessageQueue;
use crate::{Error, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// A descriptor that is readable while messages wait in the queue of the thread that made it.
///
/// A duplicate of the queue's own, so that it is open as long as this is there, whatever the thread does.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

impl Descriptor {
    /// That of the calling thread's queue.
    ///
    /// # Errors
    /// `WSAEMFILE` if there are too many descriptors, `ERROR_NO_SYSTEM_RESOURCES` for anything else that is lacking.
    pub fn of_this_thread() -> Result<Self> {
        let own = winsock::message_queue_fd().map_err(|errno| lacking(std::io::Error::from_raw_os_error(errno)))?;
        // SAFETY: it is open until this thread ends, so certainly until the next line is done.
        let own = unsafe { BorrowedFd::borrow_raw(own) };
        own.try_clone_to_owned().map(Self).map_err(lacking)
    }
}

impl AsFd for MessageQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor().0.as_fd()
    }
}

impl AsRawFd for MessageQueue {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor().0.as_raw_fd()
    }
}

fn lacking(error: std::io::Error) -> Error {
    // EMFILE and ENFILE, which `std::io` has no kind for.
    match error.raw_os_error() {
        Some(23 | 24) => Error::from_code(super::super::WSAEMFILE),
        _ => Error::from_code(super::super::ERROR_NO_SYSTEM_RESOURCES as i32),
    }
}
