//! What the engine knows of the calling thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::socket;

struct Thread {
    /// Ours, never used twice: the kernel's ids are.
    number: u32,
    /// The thread started an operation that only it may keep alive (D87).
    owes: Cell<bool>,
}

thread_local! {
    static THREAD: Thread = Thread { number: next_number(), owes: Cell::new(false) };
}

fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The number of the calling thread; 0 while its thread-locals are being destroyed.
pub(crate) fn number() -> u32 {
    THREAD.try_with(|thread| thread.number).unwrap_or(0)
}

/// Notes that an operation of the calling thread is to be cancelled when the thread ends.
pub(crate) fn owe() {
    let _ = THREAD.try_with(|thread| thread.owes.set(true));
}

impl Drop for Thread {
    fn drop(&mut self) {
        if self.owes.get() {
            socket::cancel_of_thread(self.number);
        }
    }
}
