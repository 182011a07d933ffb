//! Threads that have handles: to be waited for and to get APCs.

use super::{close_handle, get_last_error, wait_for_single_object_ex};
use pentaport::sys;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, mpsc};

/// A thread that CreateThread made; its handle is closed when this is dropped, the thread goes on.
#[derive(Debug)]
pub struct Thread<T> {
    handle: usize,
    result: Arc<Mutex<Option<std::thread::Result<T>>>>,
}

type Body = Box<dyn FnOnce() + Send>;

impl<T: Send + 'static> Thread<T> {
    /// A thread whose body has begun: an APC that is queued to it now finds it running.
    pub fn start(body: impl FnOnce() -> T + Send + 'static) -> Self {
        let (begun, begins) = mpsc::channel();
        let thread = Self::create(
            move || {
                begun.send(()).expect("`start` waits");
                body()
            },
            0,
        );
        begins.recv().expect("the thread begins");
        thread
    }

    /// A thread that was created suspended.
    pub fn suspended(body: impl FnOnce() -> T + Send + 'static) -> Self {
        Self::create(body, sys::CREATE_SUSPENDED)
    }

    fn create(body: impl FnOnce() -> T + Send + 'static, flags: u32) -> Self {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        let body: Body = Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(body));
            *slot.lock().unwrap() = Some(outcome);
        });
        let parameter: *mut Body = Box::into_raw(Box::new(body));
        let (null, no_id) = (std::ptr::null(), std::ptr::null_mut());
        // SAFETY: null attributes and a null id are allowed; `run` gets what it expects.
        let handle = unsafe { sys::CreateThread(null, 0, Some(run), parameter.cast(), flags, no_id) };
        assert!(!handle.is_null(), "CreateThread: {}", get_last_error());
        Self { handle: handle as usize, result }
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.handle
    }

    /// ResumeThread: the suspend count before.
    pub fn resume(&self) -> u32 {
        // SAFETY: no pointers; the handle is ours.
        unsafe { sys::ResumeThread(self.handle as sys::HANDLE) }
    }

    /// Waits for the end of the thread, for 30 s at most, and gives its result; panics if it panicked.
    #[track_caller]
    pub fn join(self) -> T {
        assert_eq!(wait_for_single_object_ex(self.handle, 30_000, false), sys::WAIT_OBJECT_0, "the thread ends");
        let outcome = self.result.lock().unwrap().take().expect("the thread ran");
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        let _ = close_handle(self.handle);
    }
}

unsafe extern "system" fn run(parameter: *mut c_void) -> u32 {
    // SAFETY: `create` passed the pointer of `into_raw`, and a thread starts once.
    let body = unsafe { Box::from_raw(parameter.cast::<Body>()) };
    body();
    0
}

/// GetCurrentThread: a value that means the calling thread, whichever that is.
pub fn current_thread() -> usize {
    // SAFETY: no arguments.
    unsafe { sys::GetCurrentThread() as usize }
}

/// GetCurrentProcess: a value that means this process.
pub fn current_process() -> usize {
    // SAFETY: no arguments.
    unsafe { sys::GetCurrentProcess() as usize }
}
