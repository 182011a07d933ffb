//! Waiting for objects and messages at once.

use super::filter::POSTED;
use super::queue::{self, Queue};
use crate::completion_port::timeout;
use crate::deadline::Deadline;
use crate::dispatcher::{self, Object, Outcome};
use crate::error::{finish_bool, set_last_error};
use crate::types::*;
use crate::wait::{self, Waitables};

/// One place of the 64 is the queue's.
const MOST_HANDLES: u32 = WSA_MAXIMUM_WAIT_EVENTS - 1;

/// Waits for objects and for input in the calling thread's message queue; WAIT_OBJECT_0 + `ncount` is the queue.
///
/// Only input counts that has come since the thread last looked at its queue (GetMessage, PeekMessage, GetQueueStatus, or
/// this function reporting it). As [`MsgWaitForMultipleObjectsEx`] with MWMO_WAITALL or no flag.
///
/// # Errors
/// As for [`MsgWaitForMultipleObjectsEx`].
///
/// # Safety
/// `phandles` is null or readable for `ncount` handles.
#[unsafe(export_name = "ws_MsgWaitForMultipleObjects")]
pub unsafe extern "system" fn MsgWaitForMultipleObjects(
    ncount: u32,
    phandles: *const HANDLE,
    fwaitall: BOOL,
    dwmilliseconds: u32,
    dwwakemask: QUEUE_STATUS_FLAGS,
) -> WAIT_EVENT {
    let flags = if fwaitall != FALSE { MWMO_WAITALL } else { 0 };
    // SAFETY: the caller's promise is the same.
    unsafe { MsgWaitForMultipleObjectsEx(ncount, phandles, dwmilliseconds, dwwakemask, flags) }
}

/// Waits for objects and for input in the calling thread's message queue; WAIT_OBJECT_0 + `ncount` is the queue.
///
/// Without MWMO_INPUTAVAILABLE only input counts that has come since the thread last looked: a program that does not empty
/// its queue before it waits needs the flag. MWMO_WAITALL waits for all objects and input, together; MWMO_ALERTABLE runs
/// routines queued to the thread and then returns WAIT_IO_COMPLETION.
///
/// # Errors
/// WAIT_FAILED with ERROR_INVALID_PARAMETER for more than 63 handles, unknown flags or, waiting for all,
/// the same object twice; ERROR_INVALID_HANDLE.
///
/// # Safety
/// `phandles` is null or readable for `ncount` handles.
#[unsafe(export_name = "ws_MsgWaitForMultipleObjectsEx")]
pub unsafe extern "system" fn MsgWaitForMultipleObjectsEx(
    ncount: u32,
    phandles: *const HANDLE,
    dwmilliseconds: u32,
    dwwakemask: QUEUE_STATUS_FLAGS,
    dwflags: MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
) -> WAIT_EVENT {
    let known = MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE;
    let objects = match ncount {
        _ if ncount > MOST_HANDLES || dwflags & !known != 0 => Err(ERROR_INVALID_PARAMETER),
        0 => Ok(Waitables::new()),
        // SAFETY: the caller's promise.
        _ => unsafe { wait::objects(ncount, phandles) },
    };
    let result = objects.and_then(|objects| {
        let twice = |index: usize| objects[..index].contains(&objects[index]);
        if dwflags & MWMO_WAITALL != 0 && (0..objects.len()).any(twice) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        wait_with(objects, Deadline::after(timeout(dwmilliseconds)), dwwakemask, dwflags)
    });
    result.unwrap_or_else(|code| {
        set_last_error(code);
        WAIT_FAILED
    })
}

/// Waits for the objects and the queue.
fn wait_with(mut objects: Waitables, deadline: Deadline, mask: u32, flags: u32) -> Result<WAIT_EVENT, WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    objects.push(queue.event.clone());
    Ok(wait_for(queue, &objects, deadline, mask, flags))
}

/// The last of `objects` is the queue's event.
fn wait_for(queue: &Queue, objects: &[Object], deadline: Deadline, mask: u32, flags: u32) -> WAIT_EVENT {
    let all = flags & MWMO_WAITALL != 0;
    loop {
        let timer = queue.arm(mask, flags & MWMO_INPUTAVAILABLE != 0);
        let left = deadline.remaining();
        let timeout = [left, timer].into_iter().flatten().min();
        let outcome = dispatcher::wait(objects, all, timeout, flags & MWMO_ALERTABLE != 0);
        let by_queue = matches!(outcome, Outcome::Object(index) if all || index + 1 == objects.len());
        queue.disarm(if by_queue { mask } else { 0 });
        match outcome {
            Outcome::Object(index) => return WAIT_OBJECT_0 + index as u32,
            Outcome::Abandoned(index) => return WAIT_ABANDONED_0 + index as u32,
            Outcome::Apc => return WAIT_IO_COMPLETION,
            Outcome::Timeout if timeout == left && deadline.is_over() => return WAIT_TIMEOUT,
            // A timer of the queue.
            Outcome::Timeout => {}
        }
    }
}

/// Waits until input comes to the calling thread's queue; input that the thread has seen and left there does not count.
///
/// # Errors
/// None; always TRUE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WaitMessage")]
pub unsafe extern "system" fn WaitMessage() -> BOOL {
    finish_bool(wait_with(Waitables::new(), Deadline::NEVER, QS_ALLINPUT | POSTED, 0).map(drop))
}
