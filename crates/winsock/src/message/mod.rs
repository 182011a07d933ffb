//! Windows and message queues, as far as WSAAsyncSelect needs them.
//!
//! WSAAsyncSelect brings the network into a program's message loop: what happens at a socket is posted to a window, and the
//! thread that made the window finds it between its other messages (GetMessage) and has the window's procedure called
//! (DispatchMessage). There is no screen here. A window is an address for messages, with a procedure.
//!
//! # How it works
//!
//! A thread has a [`queue`] from its first call that needs one until its end. In it lie posted messages, first in, first
//! out; messages that other threads have *sent* and whose return they wait for; the wish for WM_QUIT, and timers: of these
//! two a message is made when the thread looks and finds nothing better. A [`window`] belongs to the thread that made it;
//! who posts to the window finds that thread's queue by it.
//!
//! A message costs one lock when it is posted and one when it is taken, which hardly ever meet, and no allocation: the
//! window table is read without a lock, and the queue keeps its memory.
//!
//! **Waiting.** A queue has an event of the wait engine. It is touched only when its owner waits: GetMessage finds nothing,
//! notes under the queue's lock what it waits for, and waits for the event, in which time the thread's own sockets are
//! harvested by it; so a network message is mostly posted and taken by one thread. What is posted to a thread that runs
//! sets no event.
//!
//! **New input.** MsgWaitForMultipleObjects wakes for input that is *new*, as on Windows: come since the thread last
//! looked. The queue keeps a bit for each kind of input that a look clears.
//!
//! **Locks.** A queue's lock comes after a socket's (a network message is posted under it, so that messages of one
//! socket queue in the order of what happened), and before that of the wait engine. Window procedures, timer procedures and
//! messages that were sent run with no lock held.
//!
//! **The descriptor.** [`message_queue_fd`] is what a main loop of GLib, Qt or calloop watches; see [`descriptor`].
//!
//! # What differs from Windows
//!
//! No keyboard, mouse, painting, menus, hooks: their messages do not come. Functions named …A and …W do the same; strings
//! exist only in class names and in the CREATESTRUCT, which carries the pointers that the program passed.

mod class;
mod create;
mod descriptor;
mod filter;
mod get;
mod long_ptr;
mod msg_wait;
mod name;
mod post;
mod procedure;
mod queue;
mod send;
#[cfg(test)]
mod tests;
mod timer;
mod window;

pub use class::{
    RegisterClassA, RegisterClassExA, RegisterClassExW, RegisterClassW, UnregisterClassA, UnregisterClassW,
};
pub(crate) use class::{register_named, unregister_named};
pub(crate) use create::create_named;
pub use create::{CreateWindowExA, CreateWindowExW, DestroyWindow, IsWindow};
pub use get::{GetMessageA, GetMessageW, GetQueueStatus, PeekMessageA, PeekMessageW};
pub use long_ptr::{GetWindowLongPtrA, GetWindowLongPtrW, SetWindowLongPtrA, SetWindowLongPtrW};
pub use msg_wait::{MsgWaitForMultipleObjects, MsgWaitForMultipleObjectsEx, WaitMessage};
pub(crate) use name::ClassName;
pub(crate) use post::post_network_event;
pub use post::{PostMessageA, PostMessageW, PostQuitMessage, PostThreadMessageA, PostThreadMessageW};
pub use procedure::{DefWindowProcA, DefWindowProcW, DispatchMessageA, DispatchMessageW, TranslateMessage};
pub use send::{SendMessageA, SendMessageW};
pub use timer::{KillTimer, SetTimer};

use std::os::fd::RawFd;
use std::sync::Arc;

use descriptor::Descriptor;

use crate::reactor::Epoll;
use crate::thread;

/// Whether there is such a window.
pub(crate) fn is_window(hwnd: usize) -> bool {
    window::find(hwnd).is_some()
}

/// The home of the thread that made the window: where its sockets are best watched, since that thread will look for the
/// messages. None if there is no such window, or the system refused what a home needs.
pub(crate) fn home_of(hwnd: usize) -> Option<Arc<Epoll>> {
    window::find(hwnd).and_then(|(window, _)| window.queue().home())
}

/// A descriptor that is readable while messages wait in the calling thread's queue, or may be made by readiness of the
/// sockets that post to it; the queue's own, open until the thread ends.
///
/// A main loop watches it for reading and then calls PeekMessage until that finds nothing. After this it is not readable
/// before there is something new.
///
/// # Errors
/// The `errno` of the system call that failed.
///
/// ```
/// use winsock::*;
/// let mut fds = [libc::pollfd { fd: message_queue_fd().unwrap(), events: libc::POLLIN, revents: 0 }];
/// let mut msg = MSG::default();
/// // SAFETY: the message is writable, and the descriptors are as many as said.
/// unsafe {
///     assert_ne!(PostMessageA(std::ptr::null_mut(), WM_USER, 0, 0), FALSE);
///     assert_eq!(libc::poll(fds.as_mut_ptr(), 1, -1), 1);
///     while PeekMessageA(&mut msg, std::ptr::null_mut(), 0, 0, PM_REMOVE) != FALSE {
///         assert_eq!(msg.message, WM_USER);
///     }
///     assert_eq!(libc::poll(fds.as_mut_ptr(), 1, 0), 0);
/// }
/// ```
pub fn message_queue_fd() -> Result<RawFd, i32> {
    let queue = queue::current().ok_or(libc::EIO)?;
    let home = thread::home()?;
    queue.descriptor(|| Descriptor::new(&home))
}
