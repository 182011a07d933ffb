//! What has no Win32 counterpart: the wait set, the descriptor of a thread's message queue, taking an event in one call, and
//! whether a thread still has routines called. One implementation for each system.

#[cfg(not(windows))]
mod linux;
#[cfg(not(windows))]
pub use {
    linux::{Descriptor, take_event},
    winsock::{WaitSet, thread_is_over},
};

// Also compiled for tests on Linux, where the same waits are underneath.
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, unreachable_pub, reason = "the tests use it"))]
mod waiters;
#[cfg(windows)]
pub use waiters::WaitSet;

/// Whether `closesocket` ends every operation of the socket, sends included.
pub const CLOSING_ENDS_ALL: bool = cfg!(not(windows));

/// Windows's message queue has no descriptor: who waits for other things besides waits with the queue's own calls.
#[cfg(windows)]
#[derive(Debug, Default)]
pub struct Descriptor(());

/// Resets an event; whether it was set.
#[cfg(windows)]
pub fn take_event(event: &crate::event_select::Event) -> bool {
    let is_set = event.is_set();
    if is_set {
        event.reset();
    }
    is_set
}

/// Whether the calling thread is so near its end that no routine is called on it any more.
///
/// Windows does not say. Thread-locals are destroyed in the reverse order of their first use, and this one is first used
/// when an operation is started: so it goes before a scope that is in a thread-local itself and was made before that.
#[cfg(windows)]
pub fn thread_is_over() -> bool {
    struct Probe;
    impl Drop for Probe {
        fn drop(&mut self) {}
    }
    thread_local! {
        static PROBE: Probe = const { Probe };
    }
    PROBE.try_with(|_| ()).is_err()
}
