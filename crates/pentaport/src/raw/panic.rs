//! Panics in routines: they must not unwind through the system, and are resumed after the wait that called the routine.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// The first panic of a routine on this thread that was not resumed yet.
    static PANIC: Cell<Option<Box<dyn Any + Send>>> = const { Cell::new(None) };
    /// Whether there is one: asked after each call that may block, so it must cost nothing.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Calls a routine; a panic in it is kept. If several routines of one wait panic, the first is.
pub(super) fn call(routine: impl FnOnce()) {
    // What a panic leaves half done is the program's own, which sees the panic after the wait.
    let Err(panic) = catch_unwind(AssertUnwindSafe(routine)) else { return };
    let _ = PANIC.try_with(|slot| slot.set(Some(slot.take().unwrap_or(panic))));
    PANICKED.set(true);
}

/// To be called after each wait that may have called routines.
pub(crate) fn resume_panic() {
    if PANICKED.get() {
        resume();
    }
}

#[cold]
fn resume() {
    // While one panic unwinds, another would end the process: it waits for the next wait.
    if std::thread::panicking() {
        return;
    }
    PANICKED.set(false);
    if let Ok(Some(panic)) = PANIC.try_with(Cell::take) {
        resume_unwind(panic);
    }
}
