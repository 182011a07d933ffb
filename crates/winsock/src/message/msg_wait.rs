//! Waiting for objects and messages at once.

use super::filter::POSTED;
use super::queue::{self, Queue};
use super::shim::{self, Object, Outcome};
use crate::completion_port::timeout;
use crate::deadline::Deadline;
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::types::*;

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
/// `phandles` points to `ncount` handles.
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
/// WAIT_FAILED with ERROR_INVALID_PARAMETER for more than 63 handles or unknown flags, ERROR_NOACCESS, ERROR_INVALID_HANDLE.
///
/// # Safety
/// `phandles` points to `ncount` handles.
pub unsafe extern "system" fn MsgWaitForMultipleObjectsEx(
    ncount: u32,
    phandles: *const HANDLE,
    dwmilliseconds: u32,
    dwwakemask: QUEUE_STATUS_FLAGS,
    dwflags: MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
) -> WAIT_EVENT {
    let flags = MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE;
    let handles = if ncount > MOST_HANDLES || dwflags & !flags != 0 {
        Err(ERROR_INVALID_PARAMETER)
    } else if ncount == 0 {
        Ok(&[][..])
    } else if is_bad(phandles) {
        Err(ERROR_NOACCESS)
    } else {
        // SAFETY: the caller's promise.
        Ok(unsafe { std::slice::from_raw_parts(phandles, ncount as usize) })
    };
    let result =
        handles.and_then(|handles| wait(handles, Deadline::after(timeout(dwmilliseconds)), dwwakemask, dwflags));
    result.unwrap_or_else(|code| {
        set_last_error(code);
        WAIT_FAILED
    })
}

fn wait(
    handles: &[HANDLE],
    deadline: Deadline,
    mask: QUEUE_STATUS_FLAGS,
    flags: MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
) -> Result<WAIT_EVENT, WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let mut objects = shim::objects(handles)?;
    objects.push(queue.event.clone());
    let result = wait_for(queue, &objects, deadline, mask, flags);
    Ok(result)
}

/// The last of `objects` is the queue's event.
fn wait_for(queue: &Queue, objects: &[Object], deadline: Deadline, mask: u32, flags: u32) -> WAIT_EVENT {
    let all = flags & MWMO_WAITALL != 0;
    loop {
        let timer = queue.arm(mask, flags & MWMO_INPUTAVAILABLE != 0);
        let left = deadline.remaining();
        let timeout = [left, timer].into_iter().flatten().min();
        let outcome = shim::wait(objects, all, timeout, flags & MWMO_ALERTABLE != 0);
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
pub unsafe extern "system" fn WaitMessage() -> BOOL {
    finish_bool(wait(&[], Deadline::NEVER, QS_ALLINPUT | POSTED, 0).map(drop))
}
