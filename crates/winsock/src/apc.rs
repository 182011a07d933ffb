//! Routines queued to threads, to run in their alertable waits.

use crate::dispatcher;
use crate::error::set_last_error;
use crate::objects::threads;
use crate::types::*;

/// A routine of Winsock's kind (WSARecv …), of Win32's (ReadFileEx …), of a timer.
pub(crate) type WinsockRoutine = unsafe extern "system" fn(u32, u32, *mut OVERLAPPED, u32);
pub(crate) type FileRoutine = unsafe extern "system" fn(u32, u32, *mut OVERLAPPED);
pub(crate) type TimerRoutine = unsafe extern "system" fn(*const core::ffi::c_void, u32, u32);
type UserRoutine = unsafe extern "system" fn(usize);

/// A routine with its arguments.
pub(crate) enum Apc {
    User { routine: UserRoutine, argument: usize },
    Winsock { routine: WinsockRoutine, error: u32, bytes: u32, overlapped: *mut OVERLAPPED, flags: u32 },
    File { routine: FileRoutine, error: u32, bytes: u32, overlapped: *mut OVERLAPPED },
    Timer { routine: TimerRoutine, argument: *const core::ffi::c_void, low: u32, high: u32 },
}

// SAFETY: the pointers are only passed through to the routine, whose program says what they mean.
unsafe impl Send for Apc {}

impl Apc {
    /// Calls the routine. No lock is held.
    pub(crate) fn run(self) {
        // SAFETY: who queued the routine vouches for it and its arguments.
        unsafe {
            match self {
                Apc::User { routine, argument } => routine(argument),
                Apc::Winsock { routine, error, bytes, overlapped, flags } => routine(error, bytes, overlapped, flags),
                Apc::File { routine, error, bytes, overlapped } => routine(error, bytes, overlapped),
                Apc::Timer { routine, argument, low, high } => routine(argument, low, high),
            }
        }
    }
}

/// Queues a routine to a thread, by its number. A thread that has ended loses it (E18).
pub(crate) fn queue(thread: u32, apc: Apc) -> bool {
    dispatcher::queue_apc(thread, apc).is_ok()
}

/// Queues a routine of the program's own to a thread; it runs in an alertable wait of that thread.
///
/// Routines queued before the thread begins run before anything else of it. Not alertable waits and running code are
/// never interrupted.
///
/// # Errors
/// 0 with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for no routine, ERROR_GEN_FAILURE for a thread that has ended.
///
/// # Safety
/// The routine may be called with `dwdata` on that thread, and must not unwind.
#[unsafe(export_name = "ws_QueueUserAPC")]
pub unsafe extern "system" fn QueueUserAPC(pfnapc: PAPCFUNC, hthread: HANDLE, dwdata: usize) -> u32 {
    let queue = || {
        let thread = threads::find(hthread as usize).ok_or(ERROR_INVALID_HANDLE)?;
        let routine = pfnapc.ok_or(ERROR_INVALID_PARAMETER)?;
        if thread.queue(Apc::User { routine, argument: dwdata }) { Ok(()) } else { Err(ERROR_GEN_FAILURE) }
    };
    match queue() {
        Ok(()) => 1,
        Err(code) => {
            set_last_error(code);
            0
        }
    }
}
