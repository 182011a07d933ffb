//! The descriptor of a thread's message queue; taking an event.

use crate::async_select::MessageQueue;
use crate::event_select::Event;
use std::cell::OnceCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// A descriptor that is readable while messages wait in the calling thread's queue. It is made when first asked for:
/// to keep it true costs the queue system calls, which is nothing for those who do without.
///
/// A duplicate of the queue's own, so that it is open as long as this is there, whatever the thread does.
#[derive(Debug, Default)]
pub struct Descriptor(OnceCell<OwnedFd>);

/// The descriptor is readable while messages wait, or may be made by what the queue's sockets are ready for. A main loop
/// watches it, level-triggered, and then calls [`MessageQueue::peek`] until there is nothing.
///
/// # Panics
/// The first call makes the descriptor, and panics if the system has none left.
impl AsFd for MessageQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let Descriptor(made) = self.descriptor();
        made.get_or_init(|| make().expect("a descriptor for the message queue")).as_fd()
    }
}

/// As [`AsFd`].
impl AsRawFd for MessageQueue {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

fn make() -> io::Result<OwnedFd> {
    let own = winsock::message_queue_fd().map_err(io::Error::from_raw_os_error)?;
    // SAFETY: the queue's own is open until this thread ends, so certainly until it is duplicated here.
    unsafe { BorrowedFd::borrow_raw(own) }.try_clone_to_owned()
}

/// Resets an event; whether it was set.
pub fn take_event(event: &Event) -> bool {
    winsock::take_event(event.raw())
}
