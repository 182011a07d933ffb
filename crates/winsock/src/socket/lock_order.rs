//! The rule of the sockets' locks: a thread that has one never waits for another. [`lock_second`](super::lock_second) and
//! [`Socket::try_lock`](super::Socket::try_lock) are the ways to a second one. Debug builds check it.

#[cfg(debug_assertions)]
use std::cell::Cell;

#[cfg(debug_assertions)]
thread_local! {
    /// How many sockets the thread has locked.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// That the calling thread has a socket locked.
pub(super) struct Held(());

impl Held {
    pub(super) fn new() -> Held {
        #[cfg(debug_assertions)]
        HELD.set(HELD.get() + 1);
        Held(())
    }

    /// Calls `f`, before which the lock has been let go of, and after which it is taken again.
    pub(super) fn interrupted<T>(&mut self, f: impl FnOnce() -> T) -> T {
        #[cfg(debug_assertions)]
        HELD.set(HELD.get() - 1);
        let result = f();
        #[cfg(debug_assertions)]
        HELD.set(HELD.get() + 1);
        result
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        #[cfg(debug_assertions)]
        HELD.set(HELD.get() - 1);
    }
}

/// The calling thread is about to wait for a socket's lock.
#[inline]
pub(super) fn may_wait() {
    #[cfg(debug_assertions)]
    assert_eq!(HELD.get(), 0, "a thread waits for a socket's lock while it has another socket locked");
}
