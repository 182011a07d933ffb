//! What completion routines do: a closure for each request, found by the address of its OVERLAPPED.

use super::Request;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::thread::ThreadId;

/// What a completion routine was told, and on which thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The error code.
    pub error: u32,
    /// The byte count.
    pub bytes: u32,
    /// The address of the OVERLAPPED.
    pub overlapped: usize,
    /// The flags; 0 for the routine of a file.
    pub flags: u32,
    /// The thread that the routine ran on.
    pub thread: ThreadId,
}

type Routine = Box<dyn FnOnce(Completed) + Send>;

static ROUTINES: LazyLock<Mutex<HashMap<usize, Routine>>> = LazyLock::new(Mutex::default);

impl Request {
    /// The same request, whose completion routine, if the call passes one, calls this closure once. It must not panic.
    pub fn on_completion(self, routine: impl FnOnce(Completed) + Send + 'static) -> Self {
        ROUTINES.lock().unwrap().insert(self.address(), Box::new(routine));
        self
    }
}

/// A completion routine ran.
pub(super) fn ran(error: u32, bytes: u32, overlapped: usize, flags: u32) {
    let routine = ROUTINES.lock().unwrap().remove(&overlapped);
    let thread = std::thread::current().id();
    // Called without the lock: a routine may start the next operation, and nest.
    if let Some(routine) = routine {
        routine(Completed { error, bytes, overlapped, flags, thread });
    }
}
