//! Threads as objects: to wait for, and to queue routines to.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use crate::apc::Apc;
use crate::dispatcher::{self, Object};
use crate::error::{finish_bool, set_last_error};
use crate::objects::{self, table};
use crate::os;
use crate::sync::Mutex;
use crate::thread;
use crate::types::*;

/// What GetCurrentProcess and GetCurrentThread answer: no handles of the table, but values that mean the caller.
const CURRENT_PROCESS: usize = usize::MAX;
const CURRENT_THREAD: usize = usize::MAX - 1;

/// The least that a stack may be asked to have.
const SMALLEST_STACK: usize = 64 * 1024;

/// A thread, behind its handles.
pub(crate) struct ThreadObject {
    /// Set from the thread's end on.
    pub(crate) exited: Object,
    /// Set once the thread may run.
    resumed: Object,
    exit_code: AtomicU32,
    stage: Mutex<Stage>,
}

/// How far a thread has got.
enum Stage {
    /// It has not begun; these routines run first.
    Created(Vec<Apc>),
    /// Under this number.
    Running(u32),
    Ended,
}

impl ThreadObject {
    fn new(stage: Stage) -> Arc<ThreadObject> {
        Arc::new(ThreadObject {
            exited: Object::event(true, false),
            resumed: Object::event(true, matches!(stage, Stage::Running(_))),
            exit_code: AtomicU32::new(0),
            stage: Mutex::new(stage),
        })
    }

    pub(crate) fn of_running(number: u32) -> Arc<ThreadObject> {
        ThreadObject::new(Stage::Running(number))
    }

    /// From now on nothing can be queued to it.
    pub(crate) fn ending(&self) {
        *self.stage.lock() = Stage::Ended;
    }

    /// It is over, for those who wait for it.
    pub(crate) fn ended(&self) {
        self.exited.set();
    }

    /// The calling thread is this one, and begins.
    fn begin(&self) {
        let number = thread::number();
        let mut stage = self.stage.lock();
        if let Stage::Created(apcs) = std::mem::replace(&mut *stage, Stage::Running(number)) {
            for apc in apcs {
                // The thread lives: it is the caller.
                let _ = dispatcher::queue_apc(number, apc);
            }
        }
    }

    /// Queues a routine to the thread; false if it has ended.
    pub(crate) fn queue(&self, apc: Apc) -> bool {
        match &mut *self.stage.lock() {
            Stage::Created(apcs) => {
                apcs.push(apc);
                true
            }
            Stage::Running(number) => dispatcher::queue_apc(*number, apc).is_ok(),
            Stage::Ended => false,
        }
    }
}

/// The thread that `handle` means.
pub(crate) fn find(handle: usize) -> Option<Arc<ThreadObject>> {
    match table::object(handle) {
        Some(objects::Object::Thread(thread)) => Some(thread),
        _ if handle == CURRENT_THREAD => Some(thread::current().object().clone()),
        _ => None,
    }
}

/// What waiting for the calling thread or process waits for, if `handle` means one of them: in vain.
pub(crate) fn pseudo(handle: usize) -> Option<Object> {
    match handle {
        CURRENT_THREAD => find(handle).map(|thread| thread.exited.clone()),
        CURRENT_PROCESS => Some(Object::event(true, false)),
        _ => None,
    }
}

pub(crate) fn is_current_process(handle: usize) -> bool {
    handle == CURRENT_PROCESS
}

/// What a new thread is to do. The pointer is the program's, which lets that thread have it.
struct Start {
    routine: unsafe extern "system" fn(*mut c_void) -> u32,
    parameter: *mut c_void,
}

// SAFETY: who creates the thread passes the parameter to it.
unsafe impl Send for Start {}

impl Start {
    fn run(self) -> u32 {
        // SAFETY: the program vouches for its routine and the parameter.
        unsafe { (self.routine)(self.parameter) }
    }
}

/// Starts a thread that calls `lpstartaddress`; what that answers is the thread's exit code.
///
/// With CREATE_SUSPENDED it begins once [`ResumeThread`] has been called; routines queued to it before run first. A
/// stack size of 0 is the default of this system's threads. Other flags are ignored. Closing the handle does not end
/// the thread.
///
/// # Errors
/// Null with ERROR_INVALID_PARAMETER for no routine, ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES.
///
/// # Safety
/// `lpthreadattributes` is ignored. The routine may be called on another thread with `lpparameter`, and must not unwind;
/// `lpthreadid` is null or writable.
#[unsafe(export_name = "ws_CreateThread")]
pub unsafe extern "system" fn CreateThread(
    _lpthreadattributes: *const SECURITY_ATTRIBUTES,
    dwstacksize: usize,
    lpstartaddress: LPTHREAD_START_ROUTINE,
    lpparameter: *const c_void,
    dwcreationflags: THREAD_CREATION_FLAGS,
    lpthreadid: *mut u32,
) -> HANDLE {
    objects::create(|| {
        let routine = lpstartaddress.ok_or(ERROR_INVALID_PARAMETER)?;
        let start = Start { routine, parameter: lpparameter.cast_mut() };
        let thread = ThreadObject::new(Stage::Created(Vec::new()));
        if dwcreationflags & CREATE_SUSPENDED == 0 {
            thread.resumed.set();
        }
        let (object, (tell, told)) = (thread.clone(), mpsc::sync_channel(1));
        let body = move || {
            thread::current().adopt(object.clone());
            object.begin();
            let _ = tell.send(os::thread_id() as u32);
            dispatcher::wait(std::slice::from_ref(&object.resumed), false, None, false);
            dispatcher::run_queued_apcs(&thread::current());
            object.exit_code.store(start.run(), Ordering::Release);
        };
        let mut builder = std::thread::Builder::new();
        if dwstacksize > 0 {
            builder = builder.stack_size(dwstacksize.max(SMALLEST_STACK));
        }
        builder.spawn(body).map_err(|_| ERROR_NOT_ENOUGH_MEMORY)?;
        let id = told.recv().map_err(|_| ERROR_NOT_ENOUGH_MEMORY)?;
        // SAFETY: as the caller promises.
        if let Some(place) = unsafe { lpthreadid.as_mut() } {
            *place = id;
        }
        Ok(objects::Object::Thread(thread))
    })
}

/// Lets a thread that was created suspended begin. Answers how often it was suspended before: 1, or 0 if it was not.
///
/// # Errors
/// u32::MAX with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_ResumeThread")]
pub unsafe extern "system" fn ResumeThread(hthread: HANDLE) -> u32 {
    let Some(thread) = find(hthread as usize) else {
        set_last_error(ERROR_INVALID_HANDLE);
        return u32::MAX;
    };
    let suspended = !thread.resumed.is_set();
    thread.resumed.set();
    suspended.into()
}

/// Tells the exit code of a thread; STILL_ACTIVE (259) while it runs. A thread that CreateThread did not make exits
/// with 0.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_NOACCESS for a null pointer.
///
/// # Safety
/// `lpexitcode` is null or writable.
#[unsafe(export_name = "ws_GetExitCodeThread")]
pub unsafe extern "system" fn GetExitCodeThread(hthread: HANDLE, lpexitcode: *mut u32) -> BOOL {
    let get = || {
        let thread = find(hthread as usize).ok_or(ERROR_INVALID_HANDLE)?;
        // SAFETY: as the caller promises.
        let place = unsafe { lpexitcode.as_mut() }.ok_or(ERROR_NOACCESS)?;
        *place = match thread.exited.is_set() {
            true => thread.exit_code.load(Ordering::Acquire),
            false => STILL_ACTIVE as u32,
        };
        Ok(())
    };
    finish_bool(get())
}

/// A value that means the calling thread. DuplicateHandle makes a handle of it that others can use.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_GetCurrentThread")]
pub unsafe extern "system" fn GetCurrentThread() -> HANDLE {
    CURRENT_THREAD as HANDLE
}

/// A value that means this process, for DuplicateHandle.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_GetCurrentProcess")]
pub unsafe extern "system" fn GetCurrentProcess() -> HANDLE {
    CURRENT_PROCESS as HANDLE
}

/// The system's number for the calling thread.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_GetCurrentThreadId")]
pub unsafe extern "system" fn GetCurrentThreadId() -> u32 {
    os::thread_id() as u32
}
