//! User APCs.

use super::get_last_error;
use pentaport::sys;

type Routine = Box<dyn FnOnce() + Send>;

/// QueueUserAPC: queues the closure to a thread, or gives the last error.
///
/// The closure must not panic. One that never runs is leaked.
pub fn queue_user_apc(thread: usize, routine: impl FnOnce() + Send + 'static) -> Result<(), u32> {
    let routine: *mut Routine = Box::into_raw(Box::new(Box::new(routine)));
    // SAFETY: the thread's handle is checked by the call; `run` gets what it expects.
    let queued = unsafe { sys::QueueUserAPC(Some(run), thread as sys::HANDLE, routine.expose_provenance()) };
    if queued != 0 {
        return Ok(());
    }
    let error = get_last_error();
    // SAFETY: the pointer is from `into_raw`, and an APC that was not queued never runs.
    drop(unsafe { Box::from_raw(routine) });
    Err(error)
}

unsafe extern "system" fn run(routine: usize) {
    // SAFETY: `queue_user_apc` passed the pointer of `into_raw`, and an APC runs once.
    let routine = unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Routine>(routine)) };
    routine();
}
