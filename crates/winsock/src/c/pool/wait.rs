//! Waits and timers with callbacks: RegisterWaitForSingleObject, CreateThreadpoolWait, CreateThreadpoolTimer.

use core::ffi::c_void;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ranked_locks::{Condvar, Mutex, MutexGuard, rank};

use super::{Context, WAITERS};
use crate::completion_port::timeout;
use crate::dispatcher::{self, Object, Outcome};
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::objects::event;
use crate::port::blocking;
use crate::thread;
use crate::types::*;
use crate::wait::waitable;

/// A thread that waits for what it was set to, and calls back.
pub(super) struct Waiter {
    /// Set when the setting has changed.
    changed: Object,
    state: Mutex<State, rank::PoolWait>,
    quiet: Condvar,
    callback: Box<dyn Fn(Outcome) + Send + Sync>,
}

#[derive(Default)]
struct State {
    setting: Option<Setting>,
    /// How often that has changed, so that what comes late for an earlier one is found out.
    changes: u64,
    running: bool,
    closed: bool,
    /// To be set when the callback that runs has returned, after the end.
    done: Option<Object>,
    /// Our number of the waiter's thread.
    thread: u32,
}

#[derive(Clone)]
struct Setting {
    /// What is waited for; none for a timer.
    object: Option<Object>,
    until: Option<Instant>,
    /// How the wait goes on after a callback.
    again: Again,
}

#[derive(Clone, Copy)]
enum Again {
    Never,
    /// Each time with this timeout.
    Always(Option<Duration>),
}

impl Waiter {
    /// Starts one, set to something or to nothing yet; answers its number.
    fn start(setting: Option<Setting>, callback: Box<dyn Fn(Outcome) + Send + Sync>) -> Result<usize, WIN32_ERROR> {
        let waiter = Arc::new(Waiter {
            changed: Object::event(false, false),
            state: Mutex::new(State { setting, ..State::default() }),
            quiet: Condvar::new(),
            callback,
        });
        let number = WAITERS.insert(waiter.clone());
        match std::thread::Builder::new().name("winsock-wait".into()).spawn(move || waiter.run()) {
            Ok(_) => Ok(number),
            Err(_) => {
                WAITERS.remove(number);
                Err(ERROR_NOT_ENOUGH_MEMORY)
            }
        }
    }

    fn run(&self) {
        self.state.lock().thread = thread::current().number();
        loop {
            let (setting, changes) = {
                let state = self.state.lock();
                if state.closed {
                    return;
                }
                (state.setting.clone(), state.changes)
            };
            let mut objects = vec![self.changed.clone()];
            let mut timeout = None;
            if let Some(setting) = &setting {
                objects.extend(setting.object.clone());
                timeout = setting.until.map(|until| until.saturating_duration_since(Instant::now()));
            }
            let outcome = dispatcher::wait(&objects, false, timeout, false);
            if outcome != Outcome::Object(0) {
                self.call(outcome, changes);
            }
        }
    }

    fn call(&self, outcome: Outcome, changes: u64) {
        let mut state = self.state.lock();
        // Set to something else just now, or closed: what came is nobody's any more.
        let is_meant = !state.closed && state.changes == changes;
        let Some(setting) = state.setting.clone().filter(|_| is_meant) else { return };
        state.setting = match setting.again {
            Again::Never => None,
            Again::Always(timeout) => {
                let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
                Some(Setting { until, ..setting })
            }
        };
        state.running = true;
        MutexGuard::unlocked(&mut state, || (self.callback)(outcome));
        state.running = false;
        if let Some(done) = state.done.take() {
            done.set();
        }
        self.quiet.notify_all();
    }

    fn set(&self, setting: Option<Setting>) {
        let mut state = self.state.lock();
        state.setting = setting;
        state.changes += 1;
        drop(state);
        self.changed.set();
    }

    /// Ends it; says whether a callback still runs, which sets `done` when it returns.
    fn close(&self, done: Option<Object>) -> bool {
        let mut state = self.state.lock();
        state.closed = true;
        let runs = state.running;
        match done {
            Some(done) if runs => state.done = Some(done),
            Some(done) => done.set(),
            None => {}
        }
        drop(state);
        self.changed.set();
        runs
    }

    /// Waits until no callback runs, unless it is one that asks.
    fn wait_until_quiet(&self) {
        let _elsewhere = blocking();
        let me = thread::current().number();
        let mut state = self.state.lock();
        while state.running && state.thread != me {
            self.quiet.wait(&mut state);
        }
    }
}

/// Calls back whenever an object is signalled, or a time has passed without that; once, with WT_EXECUTEONLYONCE (8). Other
/// flags are ignored: the callback may block. Each registration has a thread of its own.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for no callback or a null pointer, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The callback may be called on another thread with the context, and does not unwind; `phnewwaitobject` is null or writable.
#[unsafe(export_name = "ws_RegisterWaitForSingleObject")]
pub unsafe extern "system" fn RegisterWaitForSingleObject(
    phnewwaitobject: *mut HANDLE,
    hobject: HANDLE,
    callback: WAITORTIMERCALLBACK,
    context: *const c_void,
    dwmilliseconds: u32,
    dwflags: u32,
) -> BOOL {
    let register = || {
        let callback = callback.filter(|_| !is_bad(phnewwaitobject)).ok_or(ERROR_INVALID_PARAMETER)?;
        let object = waitable(hobject as usize).ok_or(ERROR_INVALID_HANDLE)?;
        let timeout = timeout(dwmilliseconds);
        let again = if dwflags & WT_EXECUTEONLYONCE != 0 { Again::Never } else { Again::Always(timeout) };
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let context = Context(context.cast_mut());
        // SAFETY: the caller's promise.
        let call = move |outcome| unsafe { callback(context.get(), outcome == Outcome::Timeout) };
        // Written before the first callback, which may want it.
        // SAFETY: the caller's promise.
        unsafe { phnewwaitobject.write(std::ptr::null_mut()) };
        let number = Waiter::start(None, Box::new(call))?;
        // SAFETY: the caller's promise.
        unsafe { phnewwaitobject.write(number as HANDLE) };
        if let Some(waiter) = WAITERS.find(number) {
            waiter.set(Some(Setting { object: Some(object), until, again }));
        }
        Ok(())
    };
    finish_bool(register())
}

/// Ends a registration. Does not wait for a callback that runs: FALSE with ERROR_IO_PENDING then, though it is ended.
///
/// # Errors
/// FALSE also with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_UnregisterWait")]
pub unsafe extern "system" fn UnregisterWait(waithandle: HANDLE) -> BOOL {
    // SAFETY: nothing is asked of the caller.
    unsafe { UnregisterWaitEx(waithandle, std::ptr::null_mut()) }
}

/// Ends a registration; waits for a callback that runs if `completionevent` is INVALID_HANDLE_VALUE, and else has that event
/// set when none runs any more.
///
/// # Errors
/// As for [`UnregisterWait`].
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_UnregisterWaitEx")]
pub unsafe extern "system" fn UnregisterWaitEx(waithandle: HANDLE, completionevent: HANDLE) -> BOOL {
    let waits = completionevent == INVALID_HANDLE_VALUE;
    let unregister = || {
        let done = match completionevent as usize {
            0 => None,
            _ if waits => None,
            event => Some(event::find(event).ok_or(ERROR_INVALID_HANDLE)?),
        };
        let waiter = WAITERS.remove(waithandle as usize).ok_or(ERROR_INVALID_HANDLE)?;
        match waiter.close(done) {
            true if waits => {
                waiter.wait_until_quiet();
                Ok(())
            }
            true => Err(ERROR_IO_PENDING),
            false => Ok(()),
        }
    };
    finish_bool(unregister())
}

fn created(number: Result<usize, WIN32_ERROR>) -> isize {
    number.map_or_else(
        |code| {
            set_last_error(code);
            0
        },
        |number| number as isize,
    )
}

/// When a time of SetThreadpoolWait or SetThreadpoolTimer comes: negative from now on, else since 1601, in 100 ns.
///
/// # Safety
/// `time` is bad (null) or readable.
unsafe fn at(time: *const FILETIME) -> Option<Instant> {
    if is_bad(time) {
        return None;
    }
    // SAFETY: the caller's promise.
    let FILETIME { dwLowDateTime, dwHighDateTime } = unsafe { time.read_unaligned() };
    let time = (u64::from(dwHighDateTime) << 32 | u64::from(dwLowDateTime)) as i64;
    let units = |units: u64| Duration::new(units / 10_000_000, (units % 10_000_000 * 100) as u32);
    let wait = match time {
        ..=0 => units(time.unsigned_abs()),
        // From 1601 to the epoch of Unix.
        absolute => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            units((absolute as u64).saturating_sub(116_444_736_000_000_000)).saturating_sub(now)
        }
    };
    Instant::now().checked_add(wait)
}

/// Makes a wait with a callback; [`SetThreadpoolWait`] says for what. The environment is ignored.
///
/// # Errors
/// 0 with ERROR_INVALID_PARAMETER for no callback, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The callback may be called on another thread with the context, and does not unwind.
#[unsafe(export_name = "ws_CreateThreadpoolWait")]
pub unsafe extern "system" fn CreateThreadpoolWait(
    pfnwa: PTP_WAIT_CALLBACK,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> PTP_WAIT {
    let context = Context(pv);
    created(pfnwa.ok_or(ERROR_INVALID_PARAMETER).and_then(|callback| {
        let number = Arc::new(OnceLock::new());
        let mine = number.clone();
        let call = move |outcome| {
            let result = match outcome {
                Outcome::Timeout => WAIT_TIMEOUT,
                Outcome::Abandoned(_) => WAIT_ABANDONED_0,
                _ => WAIT_OBJECT_0,
            };
            // Nothing is waited for before the program knows the number.
            let number = mine.get().copied().unwrap_or(0);
            // SAFETY: the caller's promise.
            unsafe { callback(0, context.get(), number as PTP_WAIT, result) };
        };
        let started = Waiter::start(None, Box::new(call))?;
        Ok(*number.get_or_init(|| started))
    }))
}

/// Has a wait call back once: when the object is signalled or the time has come (null: never). A null handle takes back what
/// was set.
///
/// # Safety
/// `pftimeout` is null or readable.
#[unsafe(export_name = "ws_SetThreadpoolWait")]
pub unsafe extern "system" fn SetThreadpoolWait(pwa: PTP_WAIT, h: HANDLE, pftimeout: *const FILETIME) {
    let Some(waiter) = WAITERS.find(pwa as usize) else { return };
    // SAFETY: the caller's promise.
    let until = unsafe { at(pftimeout) };
    waiter.set(waitable(h as usize).map(|object| Setting { object: Some(object), until, again: Again::Never }));
}

/// Waits until no callback runs. With `fcancelpendingcallbacks` what was set is taken back.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_WaitForThreadpoolWaitCallbacks")]
pub unsafe extern "system" fn WaitForThreadpoolWaitCallbacks(pwa: PTP_WAIT, fcancelpendingcallbacks: BOOL) {
    wait_for_callbacks(pwa, fcancelpendingcallbacks);
}

fn wait_for_callbacks(number: isize, cancel: BOOL) {
    let Some(waiter) = WAITERS.find(number as usize) else { return };
    if cancel != FALSE {
        waiter.set(None);
    }
    waiter.wait_until_quiet();
}

/// Gives a wait up.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CloseThreadpoolWait")]
pub unsafe extern "system" fn CloseThreadpoolWait(pwa: PTP_WAIT) {
    WAITERS.remove(pwa as usize).map(|waiter| waiter.close(None));
}

/// Makes a timer with a callback; [`SetThreadpoolTimer`] says for when. The environment is ignored.
///
/// # Errors
/// 0 with ERROR_INVALID_PARAMETER for no callback, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The callback may be called on another thread with the context, and does not unwind.
#[unsafe(export_name = "ws_CreateThreadpoolTimer")]
pub unsafe extern "system" fn CreateThreadpoolTimer(
    pfnti: PTP_TIMER_CALLBACK,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> PTP_TIMER {
    let context = Context(pv);
    created(pfnti.ok_or(ERROR_INVALID_PARAMETER).and_then(|callback| {
        let number = Arc::new(OnceLock::new());
        let mine = number.clone();
        let call = move |_| {
            // Nothing is waited for before the program knows the number.
            let number = mine.get().copied().unwrap_or(0);
            // SAFETY: the caller's promise.
            unsafe { callback(0, context.get(), number as PTP_TIMER) };
        };
        let started = Waiter::start(None, Box::new(call))?;
        Ok(*number.get_or_init(|| started))
    }))
}

/// Has a timer call back at a time, and then every `msperiod` milliseconds if that is not 0. A null time takes back what was
/// set. The window is ignored.
///
/// # Safety
/// `pftduetime` is null or readable.
#[unsafe(export_name = "ws_SetThreadpoolTimer")]
pub unsafe extern "system" fn SetThreadpoolTimer(
    pti: PTP_TIMER,
    pftduetime: *const FILETIME,
    msperiod: u32,
    _mswindowlength: u32,
) {
    let Some(waiter) = WAITERS.find(pti as usize) else { return };
    let again = match msperiod {
        0 => Again::Never,
        period => Again::Always(Some(Duration::from_millis(period.into()))),
    };
    // SAFETY: the caller's promise.
    let until = unsafe { at(pftduetime) };
    waiter.set(until.map(|until| Setting { object: None, until: Some(until), again }));
}

/// Waits until no callback runs. With `fcancelpendingcallbacks` what was set is taken back.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_WaitForThreadpoolTimerCallbacks")]
pub unsafe extern "system" fn WaitForThreadpoolTimerCallbacks(pti: PTP_TIMER, fcancelpendingcallbacks: BOOL) {
    wait_for_callbacks(pti, fcancelpendingcallbacks);
}

/// Gives a timer up.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CloseThreadpoolTimer")]
pub unsafe extern "system" fn CloseThreadpoolTimer(pti: PTP_TIMER) {
    WAITERS.remove(pti as usize).map(|waiter| waiter.close(None));
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::last_error;
    use crate::testing::until;
    use crate::{CloseHandle, CreateEventW, SetEvent, WaitForSingleObject};

    #[derive(Default)]
    struct Counts {
        signalled: AtomicUsize,
        timed_out: AtomicUsize,
    }

    unsafe extern "system" fn count(context: *mut c_void, timed_out: bool) {
        // SAFETY: what the tests pass.
        let counts = unsafe { &*context.cast::<Counts>() };
        if timed_out { &counts.timed_out } else { &counts.signalled }.fetch_add(1, Ordering::SeqCst);
    }

    unsafe extern "system" fn count_wait(_: isize, context: *mut c_void, _: PTP_WAIT, result: u32) {
        // SAFETY: what the tests pass.
        unsafe { count(context, result == WAIT_TIMEOUT) };
    }

    unsafe extern "system" fn count_timer(_: isize, context: *mut c_void, _: PTP_TIMER) {
        // SAFETY: what the tests pass.
        unsafe { count(context, true) };
    }

    #[test]
    fn a_registered_wait_calls_back_each_time_until_it_is_taken_back() {
        static COUNTS: Counts = Counts { signalled: AtomicUsize::new(0), timed_out: AtomicUsize::new(0) };
        let context = (&raw const COUNTS).cast();
        // SAFETY: the counts are static; handles are ours.
        unsafe {
            let (event, done) = (CreateEventW(null(), 0, 0, null()), CreateEventW(null(), 0, 0, null()));
            let mut wait = null_mut();
            assert_eq!(RegisterWaitForSingleObject(&mut wait, event, Some(count), context, INFINITE, 0), TRUE);
            for round in 1..=3 {
                SetEvent(event);
                until("called back", || COUNTS.signalled.load(Ordering::SeqCst) == round);
            }
            // Whether the third callback has returned by now is not known.
            let ended = UnregisterWaitEx(wait, done);
            assert!(ended == TRUE || last_error() == ERROR_IO_PENDING);
            assert_eq!(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
            assert_eq!((UnregisterWait(wait), last_error()), (FALSE, ERROR_INVALID_HANDLE));
            // Once, and by time.
            assert_eq!(RegisterWaitForSingleObject(&mut wait, event, Some(count), context, 1, 8), TRUE);
            until("timed out", || COUNTS.timed_out.load(Ordering::SeqCst) == 1);
            assert_eq!(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), TRUE);
            SetEvent(event);
            assert_eq!(COUNTS.signalled.load(Ordering::SeqCst), 3);
            assert_eq!(RegisterWaitForSingleObject(&mut wait, null_mut(), Some(count), context, 1, 0), FALSE);
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            CloseHandle(event);
            CloseHandle(done);
        }
    }

    #[test]
    fn a_wait_is_set_for_one_callback_at_a_time() {
        static COUNTS: Counts = Counts { signalled: AtomicUsize::new(0), timed_out: AtomicUsize::new(0) };
        // SAFETY: the counts are static; handles are ours.
        unsafe {
            let event = CreateEventW(null(), TRUE, FALSE, null());
            let wait = CreateThreadpoolWait(Some(count_wait), (&raw const COUNTS).cast_mut().cast(), null());
            SetThreadpoolWait(wait, event, null());
            SetEvent(event);
            until("called back", || COUNTS.signalled.load(Ordering::SeqCst) == 1);
            WaitForThreadpoolWaitCallbacks(wait, FALSE);
            SetThreadpoolWait(wait, event, null());
            until("called back again", || COUNTS.signalled.load(Ordering::SeqCst) == 2);
            crate::ResetEvent(event);
            let at_once = FILETIME::default();
            SetThreadpoolWait(wait, event, &at_once);
            until("timed out", || COUNTS.timed_out.load(Ordering::SeqCst) == 1);
            CloseThreadpoolWait(wait);
            CloseHandle(event);
        }
    }

    #[test]
    fn a_timer_calls_back_until_it_is_taken_back() {
        static COUNTS: Counts = Counts { signalled: AtomicUsize::new(0), timed_out: AtomicUsize::new(0) };
        // SAFETY: the counts are static.
        unsafe {
            let timer = CreateThreadpoolTimer(Some(count_timer), (&raw const COUNTS).cast_mut().cast(), null());
            SetThreadpoolTimer(timer, &FILETIME::default(), 1, 0);
            until("called back often", || COUNTS.timed_out.load(Ordering::SeqCst) >= 3);
            SetThreadpoolTimer(timer, null(), 0, 0);
            WaitForThreadpoolTimerCallbacks(timer, TRUE);
            CloseThreadpoolTimer(timer);
        }
    }
}
