//! Threads: their ends, their numbers, and what the C runtime calls starting them.

use core::ffi::c_void;
use std::cell::Cell;
use std::ptr::null_mut;

use crate::error::{finish_bool, is_bad, set_last_error};
use crate::objects::CloseHandle;
use crate::objects::threads::ResumeThread;
use crate::objects::threads::{self, ThreadRoutine};
use crate::types::*;

thread_local! {
    /// The handle that _beginthread gave and that ends with the thread.
    static OWN_HANDLE: Cell<usize> = const { Cell::new(0) };
}

/// Ends the calling thread with an exit code. On the process's first thread, the process ends with its last thread.
///
/// Objects of C++ on its stack are destroyed. Only threads of CreateThread, of C and of C++ may call it, as a thread of
/// Rust's cannot be ended from within.
///
/// # Safety
/// No frame of Rust that has something to drop is on the stack.
#[unsafe(export_name = "ws_ExitThread")]
pub unsafe extern "system-unwind" fn ExitThread(dwexitcode: u32) -> ! {
    threads::exit(dwexitcode)
}

/// Refused: a thread cannot be ended from outside without leaving its locks locked. FALSE with ERROR_NOT_SUPPORTED, or
/// ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_TerminateThread")]
pub unsafe extern "system" fn TerminateThread(hthread: HANDLE, _dwexitcode: u32) -> BOOL {
    finish_bool(threads::find(hthread as usize).ok_or(ERROR_INVALID_HANDLE).and(Err(ERROR_NOT_SUPPORTED)))
}

/// The system's number for a thread; 0 with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetThreadId")]
pub unsafe extern "system" fn GetThreadId(thread: HANDLE) -> u32 {
    match threads::find(thread as usize) {
        Some(thread) => thread.id(),
        None => {
            set_last_error(ERROR_INVALID_HANDLE);
            0
        }
    }
}

/// Lets another thread run, if one is ready to.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SwitchToThread")]
pub unsafe extern "system" fn SwitchToThread() -> BOOL {
    std::thread::yield_now();
    TRUE
}

/// Accepted; FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetThreadPriority")]
pub unsafe extern "system" fn SetThreadPriority(hthread: HANDLE, _npriority: i32) -> BOOL {
    finish_bool(threads::find(hthread as usize).map(drop).ok_or(ERROR_INVALID_HANDLE))
}

/// THREAD_PRIORITY_NORMAL (0), whatever was set; THREAD_PRIORITY_ERROR_RETURN with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetThreadPriority")]
pub unsafe extern "system" fn GetThreadPriority(hthread: HANDLE) -> i32 {
    match threads::find(hthread as usize) {
        Some(_) => 0,
        None => {
            set_last_error(ERROR_INVALID_HANDLE);
            i32::MAX
        }
    }
}

/// Accepted; FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetThreadPriorityBoost")]
pub unsafe extern "system" fn SetThreadPriorityBoost(hthread: HANDLE, _bdisablepriorityboost: BOOL) -> BOOL {
    // SAFETY: nothing is asked of the caller.
    unsafe { SetThreadPriority(hthread, 0) }
}

/// What a thread of _beginthread does, and where it finds its own handle.
struct Begun {
    routine: unsafe extern "C-unwind" fn(*mut c_void),
    parameter: *mut c_void,
    handle: usize,
}

/// The first function of such a thread. There must be nothing to drop when the routine runs.
unsafe extern "system-unwind" fn begin(begun: *mut c_void) -> u32 {
    // SAFETY: _beginthread made it a pointer for this thread alone.
    let Begun { routine, parameter, handle } = *unsafe { Box::from_raw(begun.cast::<Begun>()) };
    OWN_HANDLE.set(handle);
    // SAFETY: the program vouches for its routine and the parameter.
    unsafe { routine(parameter) };
    close_own_handle();
    0
}

fn close_own_handle() {
    let handle = OWN_HANDLE.replace(0);
    if handle != 0 {
        // SAFETY: nothing is asked of the caller.
        unsafe { CloseHandle(handle as HANDLE) };
    }
}

/// The error of a function of the C runtime.
fn set_errno(errno: i32) {
    // SAFETY: libc's errno is thread-local and its address is valid while the thread lives.
    unsafe { *libc::__errno_location() = errno };
}

/// Starts a thread, whose handle is closed when it ends: it may mean nothing by the time that the caller has it.
///
/// # Errors
/// -1 with errno EINVAL or EAGAIN.
///
/// # Safety
/// The routine may be called on another thread with the argument.
#[unsafe(export_name = "ws__beginthread")]
pub unsafe extern "system" fn _beginthread(
    start_address: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    stack_size: u32,
    arglist: *mut c_void,
) -> usize {
    let Some(routine) = start_address else {
        set_errno(libc::EINVAL);
        return usize::MAX;
    };
    let begun = Box::into_raw(Box::new(Begun { routine, parameter: arglist, handle: 0 }));
    // SAFETY: the thread takes the box, and begins only when its handle is in there.
    unsafe {
        let thread = threads::create(Some(begin), begun.cast(), stack_size as usize, true, null_mut());
        if thread.is_null() {
            drop(Box::from_raw(begun));
            set_errno(libc::EAGAIN);
            return usize::MAX;
        }
        (*begun).handle = thread as usize;
        ResumeThread(thread);
        thread as usize
    }
}

/// [`CreateThread`](crate::CreateThread), by the C runtime's name.
///
/// # Errors
/// 0 with errno EINVAL or EAGAIN.
///
/// # Safety
/// As for CreateThread.
#[unsafe(export_name = "ws__beginthreadex")]
pub unsafe extern "system" fn _beginthreadex(
    _security: *mut c_void,
    stack_size: u32,
    start_address: Option<ThreadRoutine>,
    arglist: *mut c_void,
    initflag: u32,
    thrdaddr: *mut u32,
) -> usize {
    let (suspended, id) = (initflag & CREATE_SUSPENDED != 0, if is_bad(thrdaddr) { null_mut() } else { thrdaddr });
    // SAFETY: the caller's promise.
    let thread = unsafe { threads::create(start_address, arglist, stack_size as usize, suspended, id) };
    if thread.is_null() {
        set_errno(if start_address.is_none() { libc::EINVAL } else { libc::EAGAIN });
    }
    thread as usize
}

/// Ends a thread of _beginthread, and closes its handle.
///
/// # Safety
/// As for [`ExitThread`].
#[unsafe(export_name = "ws__endthread")]
pub unsafe extern "system-unwind" fn _endthread() -> ! {
    close_own_handle();
    threads::exit(0)
}

/// Ends a thread of _beginthreadex.
///
/// # Safety
/// As for [`ExitThread`].
#[unsafe(export_name = "ws__endthreadex")]
pub unsafe extern "system-unwind" fn _endthreadex(retval: u32) -> ! {
    threads::exit(retval)
}

#[cfg(test)]
mod tests {
    use std::ptr::null;

    use super::*;
    use crate::error::last_error;
    use crate::{GetCurrentThread, GetCurrentThreadId, GetExitCodeThread, WaitForSingleObject};

    unsafe extern "system-unwind" fn exits(parameter: *mut c_void) -> u32 {
        // SAFETY: the frames below are CreateThread's and this one, without anything to drop.
        unsafe { ExitThread(parameter.addr() as u32) }
    }

    unsafe extern "system-unwind" fn returns_its_number(_: *mut c_void) -> u32 {
        // SAFETY: nothing is asked of the caller.
        unsafe { GetThreadId(GetCurrentThread()) }
    }

    fn exit_code(thread: usize) -> u32 {
        let mut code = 0;
        // SAFETY: the place is live; the handle is ours.
        unsafe {
            assert_eq!(WaitForSingleObject(thread as HANDLE, INFINITE), WAIT_OBJECT_0);
            assert_eq!(GetExitCodeThread(thread as HANDLE, &mut code), TRUE);
            CloseHandle(thread as HANDLE);
        }
        code
    }

    #[test]
    fn a_thread_ends_with_the_code_that_it_says_in_its_midst() {
        // SAFETY: the routine takes any parameter.
        let thread = unsafe { _beginthreadex(null_mut(), 0, Some(exits), 77 as *mut c_void, 0, null_mut()) };
        assert_eq!(exit_code(thread), 77);
    }

    #[test]
    fn a_thread_has_a_number_by_its_handle() {
        let mut id = 0;
        // SAFETY: the routine takes any parameter; the place is live.
        unsafe {
            let thread = _beginthreadex(null_mut(), 1, Some(returns_its_number), null_mut(), CREATE_SUSPENDED, &mut id);
            assert_eq!(GetThreadId(thread as HANDLE), id);
            ResumeThread(thread as HANDLE);
            assert_eq!(exit_code(thread), id);
            assert_eq!(GetThreadId(GetCurrentThread()), GetCurrentThreadId());
            assert_eq!((GetThreadId(null_mut()), last_error()), (0, ERROR_INVALID_HANDLE));
            assert_eq!(_beginthreadex(null_mut(), 0, None, null_mut(), 0, null_mut()), 0);
        }
    }

    #[test]
    fn the_handle_of_beginthread_ends_with_its_thread() {
        unsafe extern "C-unwind" fn waits(event: *mut c_void) {
            // SAFETY: nothing is asked of the caller.
            unsafe { WaitForSingleObject(event, INFINITE) };
        }
        unsafe extern "C-unwind" fn waits_and_ends(event: *mut c_void) {
            // SAFETY: as for `exits`.
            unsafe {
                WaitForSingleObject(event, INFINITE);
                _endthread()
            }
        }
        for routine in [waits as unsafe extern "C-unwind" fn(*mut c_void), waits_and_ends] {
            // SAFETY: the routines take an event; the handles are ours.
            unsafe {
                let event = crate::CreateEventW(null(), TRUE, FALSE, null());
                let thread = _beginthread(Some(routine), 0, event) as HANDLE;
                assert_eq!((TerminateThread(thread, 0), last_error()), (FALSE, ERROR_NOT_SUPPORTED));
                assert_eq!((SetThreadPriority(thread, 2), GetThreadPriority(thread)), (TRUE, 0));
                crate::SetEvent(event);
                crate::testing::until("the handle is closed", || SetThreadPriority(thread, 0) == FALSE);
                CloseHandle(event);
                assert_eq!(_beginthread(None, 0, null_mut()), usize::MAX);
            }
        }
    }
}
