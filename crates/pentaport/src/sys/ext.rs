//! What has no Win32 counterpart: the wait set, and the descriptor of a thread's message queue. One implementation for
//! each system.

#[cfg(not(windows))]
mod linux;
#[cfg(not(windows))]
pub use {linux::Descriptor, winsock::WaitSet};

// Also compiled for tests on Linux, where the same waits are underneath.
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, unreachable_pub, reason = "the tests use it"))]
mod waiters;
#[cfg(windows)]
pub use waiters::WaitSet;

/// Windows's message queue has no descriptor: who waits for other things besides waits with the queue's own calls.
#[cfg(windows)]
#[derive(Debug, Default)]
pub struct Descriptor(());
