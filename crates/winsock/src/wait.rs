//! The functions that wait: for one handle, for up to 64, for a time.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::completion_port::timeout;
use crate::dispatcher::{self, Object as Waitable, Outcome};
use crate::error::set_last_error;
use crate::objects::threads;
use crate::objects::{Object, table};
use crate::socket;
use crate::startup::started;
use crate::types::*;

/// MAXIMUM_WAIT_OBJECTS.
pub(crate) const MOST: usize = 64;

/// What a wait for several handles waits for.
pub(crate) type Waitables = ArrayVec<Waitable, MOST>;

/// What waiting for a handle waits for; of a socket, a file or a port, what says whether the handle is signalled.
pub(crate) fn waitable(handle: usize) -> Option<Waitable> {
    table::with_object(handle, |object| object.plain().cloned()).flatten().or_else(|| waitable_part(handle))
}

/// The same of what is more than something to wait for.
#[cold]
fn waitable_part(handle: usize) -> Option<Waitable> {
    match table::object(handle) {
        Some(object) => Some(object.waitable()),
        None => socket::lock(handle).ok().map(|mut socket| socket.waitable()),
    }
}

fn answer(outcome: Outcome) -> WAIT_EVENT {
    match outcome {
        Outcome::Object(index) => WAIT_OBJECT_0 + index as u32,
        Outcome::Abandoned(index) => WAIT_ABANDONED_0 + index as u32,
        Outcome::Timeout => WAIT_TIMEOUT,
        Outcome::Apc => WAIT_IO_COMPLETION,
    }
}

fn fail(code: WIN32_ERROR) -> WAIT_EVENT {
    set_last_error(code);
    WAIT_FAILED
}

/// Waits for a handle to be signalled, not alertably: see [`WaitForSingleObjectEx`].
///
/// # Errors
/// WAIT_TIMEOUT after `dwmilliseconds`; WAIT_FAILED with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WaitForSingleObject")]
pub unsafe extern "system" fn WaitForSingleObject(hhandle: HANDLE, dwmilliseconds: u32) -> WAIT_EVENT {
    // SAFETY: as the caller promises.
    unsafe { WaitForSingleObjectEx(hhandle, dwmilliseconds, FALSE) }
}

/// Waits for a handle to be signalled: an event or a timer that is set, a semaphore with a count, a mutex that is free,
/// a thread that has ended, a port that has packets, a socket or file of which an operation without an event has
/// completed.
///
/// The wait resets an auto-reset event or timer, takes one of a semaphore's count and makes the thread a mutex's owner.
/// A handle that is closed meanwhile does not end the wait; the socket or port behind it does. With `balertable`
/// routines queued to the thread run, and end the wait; they come before a handle that is signalled too. Success and
/// timeout leave the last error alone.
///
/// # Errors
/// WAIT_ABANDONED for a mutex whose owner ended without releasing it (it is owned all the same); WAIT_TIMEOUT after
/// `dwmilliseconds`; WAIT_IO_COMPLETION after routines have run; WAIT_FAILED with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
///
/// ```
/// use winsock::*;
/// // SAFETY: null attributes and a null name are allowed.
/// unsafe {
///     let event = CreateEventW(std::ptr::null(), FALSE, TRUE, std::ptr::null());
///     assert_eq!(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_OBJECT_0);
///     assert_eq!(WaitForSingleObjectEx(event, 0, TRUE), WAIT_TIMEOUT);
///     CloseHandle(event);
/// }
/// ```
#[unsafe(export_name = "ws_WaitForSingleObjectEx")]
pub unsafe extern "system" fn WaitForSingleObjectEx(
    hhandle: HANDLE,
    dwmilliseconds: u32,
    balertable: BOOL,
) -> WAIT_EVENT {
    match threads::pseudo(hhandle as usize).or_else(|| waitable(hhandle as usize)) {
        Some(object) => answer(dispatcher::wait(&[object], false, timeout(dwmilliseconds), balertable != FALSE)),
        None => fail(ERROR_INVALID_HANDLE),
    }
}

/// Waits for one of up to 64 handles or for all of them, not alertably: see [`WaitForMultipleObjectsEx`].
///
/// # Errors
/// As for [`WaitForMultipleObjectsEx`].
///
/// # Safety
/// `lphandles` is null or readable for `ncount` handles.
#[unsafe(export_name = "ws_WaitForMultipleObjects")]
pub unsafe extern "system" fn WaitForMultipleObjects(
    ncount: u32,
    lphandles: *const HANDLE,
    bwaitall: BOOL,
    dwmilliseconds: u32,
) -> WAIT_EVENT {
    // SAFETY: as the caller promises.
    unsafe { WaitForMultipleObjectsEx(ncount, lphandles, bwaitall, dwmilliseconds, FALSE) }
}

/// Waits for one of up to 64 handles, or for all of them at once. For what is signalled when, and what the wait takes,
/// see [`WaitForSingleObjectEx`].
///
/// A wait for one answers WAIT_OBJECT_0 plus the lowest index that is signalled, and takes from that object only. A wait
/// for all takes from none before all are signalled at the same time.
///
/// # Errors
/// WAIT_ABANDONED_0 plus the index of an abandoned mutex; WAIT_TIMEOUT; WAIT_IO_COMPLETION; WAIT_FAILED with
/// ERROR_INVALID_PARAMETER for no handles, more than 64 or, waiting for all, the same object twice, and with
/// ERROR_INVALID_HANDLE, also for what GetCurrentProcess and GetCurrentThread answer.
///
/// # Safety
/// `lphandles` is null or readable for `ncount` handles.
#[unsafe(export_name = "ws_WaitForMultipleObjectsEx")]
pub unsafe extern "system" fn WaitForMultipleObjectsEx(
    ncount: u32,
    lphandles: *const HANDLE,
    bwaitall: BOOL,
    dwmilliseconds: u32,
    balertable: BOOL,
) -> WAIT_EVENT {
    // SAFETY: as the caller promises.
    let objects = match unsafe { objects(ncount, lphandles) } {
        Ok(objects) => objects,
        Err(code) => return fail(code),
    };
    let all = bwaitall != FALSE;
    if all && objects.iter().enumerate().any(|(index, object)| objects[..index].contains(object)) {
        return fail(ERROR_INVALID_PARAMETER);
    }
    answer(dispatcher::wait(&objects, all, timeout(dwmilliseconds), balertable != FALSE))
}

/// The objects of an array of handles.
///
/// # Safety
/// `handles` is null or readable for `count` handles.
pub(crate) unsafe fn objects(count: u32, handles: *const HANDLE) -> Result<Waitables, WIN32_ERROR> {
    if count == 0 || count as usize > MOST || handles.is_null() {
        return Err(ERROR_INVALID_PARAMETER);
    }
    // SAFETY: as the caller promises.
    let handles = unsafe { std::slice::from_raw_parts(handles, count as usize) };
    handles.iter().map(|&handle| waitable(handle as usize).ok_or(ERROR_INVALID_HANDLE)).collect()
}

/// Waits for one of up to 64 events, or for all of them at once, as [`WaitForMultipleObjectsEx`] does.
///
/// # Errors
/// As for [`WaitForMultipleObjectsEx`], under Winsock's names: WSA_WAIT_TIMEOUT, WSA_WAIT_IO_COMPLETION, and
/// WSA_WAIT_FAILED with WSA_INVALID_PARAMETER, WSA_INVALID_HANDLE or WSANOTINITIALISED.
///
/// # Safety
/// `lphevents` is null or readable for `cevents` handles.
#[unsafe(export_name = "ws_WSAWaitForMultipleEvents")]
pub unsafe extern "system" fn WSAWaitForMultipleEvents(
    cevents: u32,
    lphevents: *const HANDLE,
    fwaitall: BOOL,
    dwtimeout: u32,
    falertable: BOOL,
) -> WAIT_EVENT {
    if !started() {
        return fail(WSANOTINITIALISED as u32);
    }
    // SAFETY: as the caller promises.
    unsafe { WaitForMultipleObjectsEx(cevents, lphevents, fwaitall, dwtimeout, falertable) }
}

/// Sets an event, or releases a mutex or one of a semaphore's count, and waits for another object.
///
/// # Errors
/// As for [`WaitForSingleObjectEx`]; WAIT_FAILED also with ERROR_INVALID_HANDLE for an object of another kind,
/// ERROR_NOT_OWNER or ERROR_TOO_MANY_POSTS, and then nothing is waited for.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_SignalObjectAndWait")]
pub unsafe extern "system" fn SignalObjectAndWait(
    hobjecttosignal: HANDLE,
    hobjecttowaiton: HANDLE,
    dwmilliseconds: u32,
    balertable: BOOL,
) -> WAIT_EVENT {
    let Some(object) = waitable(hobjecttowaiton as usize) else { return fail(ERROR_INVALID_HANDLE) };
    let signalled = match table::object(hobjecttosignal as usize) {
        Some(Object::Event(event)) => {
            event.set();
            Ok(())
        }
        Some(Object::Semaphore(semaphore)) => semaphore.release_semaphore(1).map(drop).ok_or(ERROR_TOO_MANY_POSTS),
        Some(Object::Mutex(mutex)) => {
            if mutex.release_mutex() {
                Ok(())
            } else {
                Err(ERROR_NOT_OWNER)
            }
        }
        _ => Err(ERROR_INVALID_HANDLE),
    };
    match signalled {
        Ok(()) => answer(dispatcher::wait(&[object], false, timeout(dwmilliseconds), balertable != FALSE)),
        Err(code) => fail(code),
    }
}

/// Sleeps for a time in milliseconds; INFINITE sleeps for ever. Runs no routines.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_Sleep")]
pub unsafe extern "system" fn Sleep(dwmilliseconds: u32) {
    sleep(dwmilliseconds, false);
}

/// Sleeps for a time in milliseconds. Alertably, it runs the routines that are queued to the thread, and those that are
/// queued meanwhile, and then ends.
///
/// Answers WAIT_IO_COMPLETION after routines have run, and else 0. Leaves the last error alone.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_SleepEx")]
pub unsafe extern "system" fn SleepEx(dwmilliseconds: u32, balertable: BOOL) -> u32 {
    match sleep(dwmilliseconds, balertable != FALSE) {
        Outcome::Apc => WAIT_IO_COMPLETION,
        _ => 0,
    }
}

fn sleep(milliseconds: u32, alertable: bool) -> Outcome {
    let timeout = timeout(milliseconds);
    if timeout == Some(Duration::ZERO) {
        // Gives up the rest of its time slice.
        std::thread::yield_now();
    }
    dispatcher::wait(&[], false, timeout, alertable)
}
