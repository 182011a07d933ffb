//! Threads as objects: to wait for, and to queue routines to.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use ranked_locks::rank;

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
    /// The system's number; 0 before it has begun.
    id: AtomicU32,
    stage: Mutex<Stage, rank::Thread>,
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
            id: AtomicU32::new(0),
            stage: Mutex::new(stage),
        })
    }

    /// For the calling thread.
    pub(crate) fn of_running(number: u32) -> Arc<ThreadObject> {
        let object = ThreadObject::new(Stage::Running(number));
        object.id.store(os::thread_id() as u32, Ordering::Relaxed);
        object
    }

    /// For the first thread of another process: nothing can be queued to it.
    pub(crate) fn of_process(id: u32) -> Arc<ThreadObject> {
        let object = ThreadObject::new(Stage::Ended);
        object.resumed.set();
        object.id.store(id, Ordering::Relaxed);
        object
    }

    /// The system's number for the thread.
    pub(crate) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// The number by which the engine knows the thread, while it runs.
    pub(crate) fn number(&self) -> Option<u32> {
        match *self.stage.lock() {
            Stage::Running(number) => Some(number),
            _ => None,
        }
    }

    /// Notes with which code the thread will have ended.
    pub(crate) fn exit_with(&self, code: u32) {
        self.exit_code.store(code, Ordering::Release);
    }

    /// STILL_ACTIVE until it is over.
    pub(crate) fn exit_code(&self) -> u32 {
        match self.exited.is_set() {
            true => self.exit_code.load(Ordering::Acquire),
            false => STILL_ACTIVE as u32,
        }
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

/// A thread's routine. A thread that is ended within it (ExitThread) unwinds through it.
pub(crate) type ThreadRoutine = unsafe extern "system-unwind" fn(*mut c_void) -> u32;

/// What a new thread is to do.
struct Start {
    object: Arc<ThreadObject>,
    /// Who created it wants its number.
    tell: mpsc::SyncSender<u32>,
    routine: ThreadRoutine,
    /// The program's, which lets the thread have it.
    parameter: *mut c_void,
}

impl Start {
    /// Makes the calling thread what was created, and waits until it may run. Nothing of this is left to be dropped.
    fn prepare(self) -> (ThreadRoutine, *mut c_void) {
        thread::current().adopt(self.object.clone());
        self.object.begin();
        let id = os::thread_id() as u32;
        self.object.id.store(id, Ordering::Relaxed);
        let _ = self.tell.send(id);
        dispatcher::wait(std::slice::from_ref(&self.object.resumed), false, None, false);
        dispatcher::run_queued_apcs(&thread::current());
        (self.routine, self.parameter)
    }
}

/// The first function of a thread. There must be nothing to drop when the routine runs: the thread may end within it.
extern "C-unwind" fn run(start: *mut c_void) -> *mut c_void {
    // SAFETY: CreateThread made it a pointer for this thread alone.
    let (routine, parameter) = unsafe { Box::from_raw(start.cast::<Start>()) }.prepare();
    // SAFETY: the program vouches for its routine and the parameter.
    let code = unsafe { routine(parameter) };
    note_exit_code(code);
    std::ptr::null_mut()
}

/// Notes with which code the calling thread will have ended.
fn note_exit_code(code: u32) {
    thread::current().object().exit_with(code);
}

/// Ends the calling thread: what lies on its stack is unwound if it is C++'s, and its thread-locals are destroyed.
pub(crate) fn exit(code: u32) -> ! {
    note_exit_code(code);
    os::exit_thread()
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
    // SAFETY: the same but that it may be unwound, which C's calling convention allows and its caller is ready for.
    let routine = unsafe { std::mem::transmute::<LPTHREAD_START_ROUTINE, Option<ThreadRoutine>>(lpstartaddress) };
    let suspended = dwcreationflags & CREATE_SUSPENDED != 0;
    // SAFETY: the caller's promise.
    unsafe { create(routine, lpparameter.cast_mut(), dwstacksize, suspended, lpthreadid) }
}

/// Starts a thread, or has it ready to be started.
///
/// # Safety
/// The routine may be called on another thread with the parameter; `id` is null or writable.
pub(crate) unsafe fn create(
    routine: Option<ThreadRoutine>,
    parameter: *mut c_void,
    stack: usize,
    suspended: bool,
    id: *mut u32,
) -> HANDLE {
    objects::create(|| {
        let routine = routine.ok_or(ERROR_INVALID_PARAMETER)?;
        let thread = ThreadObject::new(Stage::Created(Vec::new()));
        if !suspended {
            thread.resumed.set();
        }
        let (tell, told) = mpsc::sync_channel(1);
        let start = Box::into_raw(Box::new(Start { object: thread.clone(), tell, routine, parameter }));
        let stack = if stack > 0 { stack.max(SMALLEST_STACK) } else { 0 };
        if os::start_thread(run, start.cast(), stack).is_err() {
            // SAFETY: there is no thread that has it.
            drop(unsafe { Box::from_raw(start) });
            return Err(ERROR_NOT_ENOUGH_MEMORY);
        }
        let number = told.recv().map_err(|_| ERROR_NOT_ENOUGH_MEMORY)?;
        // SAFETY: as the caller promises.
        if let Some(place) = unsafe { id.as_mut() } {
            *place = number;
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
        *place = thread.exit_code();
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
