//! Work items: QueueUserWorkItem, CreateThreadpoolWork and its sisters.

use core::ffi::c_void;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ranked_locks::{Condvar, Mutex, MutexGuard, rank};

use super::{Context, Registry};
use crate::error::{finish_bool, set_last_error};
use crate::port::blocking;
use crate::types::*;

/// As many threads as Windows's pool has at most.
const MOST_THREADS: usize = 500;
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static POOL: Mutex<Pool, rank::Leaf> = Mutex::new(Pool { jobs: VecDeque::new(), threads: 0, idle: 0 });
static JOBS: Condvar = Condvar::new();

/// Has a thread of the pool do something.
///
/// # Errors
/// ERROR_NOT_ENOUGH_MEMORY: there is no thread, and none can be started.
fn submit(job: Job) -> Result<(), WIN32_ERROR> {
    let mut pool = POOL.lock();
    pool.jobs.push_back(job);
    if pool.idle >= pool.jobs.len() || pool.threads >= MOST_THREADS {
        JOBS.notify_one();
        return Ok(());
    }
    pool.threads += 1;
    if std::thread::Builder::new().name("winsock-pool".into()).spawn(run).is_ok() {
        return Ok(());
    }
    pool.threads -= 1;
    if pool.threads > 0 {
        return Ok(());
    }
    pool.jobs.pop_back();
    Err(ERROR_NOT_ENOUGH_MEMORY)
}

fn run() {
    let mut pool = POOL.lock();
    loop {
        if let Some(job) = pool.jobs.pop_front() {
            MutexGuard::unlocked(&mut pool, job);
            continue;
        }
        pool.idle += 1;
        let timed_out = JOBS.wait_for(&mut pool, IDLE);
        pool.idle -= 1;
        if timed_out && pool.jobs.is_empty() {
            pool.threads -= 1;
            return;
        }
    }
}

/// Has a thread of the pool call a function. The flags are ignored.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for no function, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The function may be called on another thread with the context, and does not unwind.
#[unsafe(export_name = "ws_QueueUserWorkItem")]
pub unsafe extern "system" fn QueueUserWorkItem(
    function: LPTHREAD_START_ROUTINE,
    context: *const c_void,
    _flags: u32,
) -> BOOL {
    let context = Context(context.cast_mut());
    finish_bool(function.ok_or(ERROR_INVALID_PARAMETER).and_then(|function| {
        submit(Box::new(move || {
            // SAFETY: the caller's promise.
            unsafe { function(context.get()) };
        }))
    }))
}

/// Has a thread of the pool call a function.
///
/// # Errors
/// As for [`QueueUserWorkItem`].
///
/// # Safety
/// As there. The environment is ignored.
#[unsafe(export_name = "ws_TrySubmitThreadpoolCallback")]
pub unsafe extern "system" fn TrySubmitThreadpoolCallback(
    pfns: PTP_SIMPLE_CALLBACK,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> BOOL {
    let context = Context(pv);
    finish_bool(pfns.ok_or(ERROR_INVALID_PARAMETER).and_then(|function| {
        // SAFETY: the caller's promise.
        submit(Box::new(move || unsafe { function(0, context.get()) }))
    }))
}

/// Work that may be submitted again and again.
struct Work {
    callback: unsafe extern "system" fn(PTP_CALLBACK_INSTANCE, *mut c_void, PTP_WORK),
    context: Context,
    state: Mutex<State, rank::Leaf>,
    quiet: Condvar,
}

/// How often it waits to be called, and is being called.
#[derive(Default)]
struct State {
    pending: usize,
    running: usize,
}

static WORKS: Registry<Work> = Registry::new();

/// Makes work to submit. The environment is ignored.
///
/// # Errors
/// 0 with ERROR_INVALID_PARAMETER for no callback.
///
/// # Safety
/// The callback may be called on other threads with the context, also several at a time, and does not unwind.
#[unsafe(export_name = "ws_CreateThreadpoolWork")]
pub unsafe extern "system" fn CreateThreadpoolWork(
    pfnwk: PTP_WORK_CALLBACK,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> PTP_WORK {
    let Some(callback) = pfnwk else {
        set_last_error(ERROR_INVALID_PARAMETER);
        return 0;
    };
    let work = Work { callback, context: Context(pv), state: Mutex::default(), quiet: Condvar::new() };
    WORKS.insert(Arc::new(work)) as PTP_WORK
}

/// Has the callback called once more.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SubmitThreadpoolWork")]
pub unsafe extern "system" fn SubmitThreadpoolWork(pwk: PTP_WORK) {
    let Some(work) = WORKS.find(pwk as usize) else { return };
    work.state.lock().pending += 1;
    let mine = work.clone();
    let call = move || {
        let mut state = mine.state.lock();
        // Cancelled meanwhile.
        if state.pending == 0 {
            return;
        }
        state.pending -= 1;
        state.running += 1;
        // SAFETY: who made the work vouches for the callback.
        MutexGuard::unlocked(&mut state, || unsafe { (mine.callback)(0, mine.context.get(), pwk) });
        state.running -= 1;
        mine.quiet.notify_all();
    };
    if submit(Box::new(call)).is_err() {
        work.state.lock().pending -= 1;
    }
}

/// Waits until no callback is called any more; with `fcancelpendingcallbacks` those that have not begun are not called.
///
/// # Safety
/// Nothing is asked of the caller; a callback of the work would wait for itself.
#[unsafe(export_name = "ws_WaitForThreadpoolWorkCallbacks")]
pub unsafe extern "system" fn WaitForThreadpoolWorkCallbacks(pwk: PTP_WORK, fcancelpendingcallbacks: BOOL) {
    let Some(work) = WORKS.find(pwk as usize) else { return };
    let _elsewhere = blocking();
    let mut state = work.state.lock();
    if fcancelpendingcallbacks != FALSE {
        state.pending = 0;
    }
    while state.pending + state.running > 0 {
        work.quiet.wait(&mut state);
    }
}

/// Gives work up. What was submitted is still done.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CloseThreadpoolWork")]
pub unsafe extern "system" fn CloseThreadpoolWork(pwk: PTP_WORK) {
    WORKS.remove(pwk as usize);
}

/// What stands for any pool that a program makes.
const ANY_POOL: PTP_POOL = 0x0061_0000;

/// Accepted: there is one pool.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CreateThreadpool")]
pub unsafe extern "system" fn CreateThreadpool(_reserved: *const c_void) -> PTP_POOL {
    ANY_POOL
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CloseThreadpool")]
pub unsafe extern "system" fn CloseThreadpool(_ptpp: PTP_POOL) {}

/// Accepted: the pool has as many threads as it needs.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetThreadpoolThreadMaximum")]
pub unsafe extern "system" fn SetThreadpoolThreadMaximum(_ptpp: PTP_POOL, _cthrdmost: u32) {}

/// Accepted: the pool has as many threads as it needs.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_SetThreadpoolThreadMinimum")]
pub unsafe extern "system" fn SetThreadpoolThreadMinimum(_ptpp: PTP_POOL, _cthrdmic: u32) -> BOOL {
    TRUE
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::testing::until;

    unsafe extern "system" fn count(context: *mut c_void) -> u32 {
        // SAFETY: what the tests pass.
        unsafe { (*context.cast::<AtomicUsize>()).fetch_add(1, Ordering::SeqCst) as u32 }
    }

    unsafe extern "system" fn count_work(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
        // SAFETY: what the tests pass.
        unsafe { count(context) };
    }

    #[test]
    fn items_are_done_even_if_others_block() {
        static DONE: AtomicUsize = AtomicUsize::new(0);
        static BLOCKS: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
        unsafe extern "system" fn block(_: *mut c_void) -> u32 {
            drop(BLOCKS.lock());
            0
        }
        let held = BLOCKS.lock();
        // SAFETY: the count is a static.
        unsafe {
            for _ in 0..20 {
                assert_eq!(QueueUserWorkItem(Some(block), std::ptr::null(), 0), TRUE);
            }
            for _ in 0..20 {
                assert_eq!(QueueUserWorkItem(Some(count), (&raw const DONE).cast(), 0), TRUE);
            }
            until("all are done", || DONE.load(Ordering::SeqCst) == 20);
            assert_eq!(QueueUserWorkItem(None, std::ptr::null(), 0), FALSE);
        }
        drop(held);
    }

    #[test]
    fn work_is_done_as_often_as_it_is_submitted() {
        let done = AtomicUsize::new(0);
        // SAFETY: the count lives until no callback is called any more.
        unsafe {
            let work = CreateThreadpoolWork(Some(count_work), (&raw const done).cast_mut().cast(), std::ptr::null());
            for _ in 0..100 {
                SubmitThreadpoolWork(work);
            }
            WaitForThreadpoolWorkCallbacks(work, FALSE);
            assert_eq!(done.load(Ordering::SeqCst), 100);
            WaitForThreadpoolWorkCallbacks(work, TRUE);
            CloseThreadpoolWork(work);
            SubmitThreadpoolWork(work);
            WaitForThreadpoolWorkCallbacks(work, FALSE);
            assert_eq!(done.load(Ordering::SeqCst), 100, "it is gone");
        }
    }
}
