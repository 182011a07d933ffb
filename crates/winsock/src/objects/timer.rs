//! Waitable timers. One thread, started with the first timer, sleeps until the next is due.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::{Duration, Instant, SystemTime};

use ranked_locks::{Condvar, Mutex, MutexGuard, rank};

use crate::apc::{self, Apc, TimerRoutine};
use crate::dispatcher::Object as Waitable;
use crate::error::finish_bool;
use crate::objects::names::{self, Name};
use crate::objects::{Object, table};
use crate::thread;
use crate::types::*;

/// The 100 ns of a FILETIME from 1601 to the epoch of Unix.
const UNIX_EPOCH: i128 = 116_444_736_000_000_000;

/// A timer, behind its handles.
pub(crate) struct Timer {
    /// Set when the time has come.
    pub(crate) due: Waitable,
    setting: Mutex<Setting, rank::Timer>,
}

#[derive(Default)]
struct Setting {
    due: Option<Due>,
    period: Option<Duration>,
    routine: Option<Routine>,
}

/// The routine of a setting, and the thread that made it.
#[derive(Clone, Copy)]
struct Routine {
    routine: TimerRoutine,
    argument: *const c_void,
    thread: u32,
}

// SAFETY: the argument is only passed through to the routine, on the thread that gave it.
unsafe impl Send for Routine {}

/// When a setting comes due, and a number that no other has.
type Due = (Instant, u64);

/// What is to come due.
static SCHEDULE: Mutex<BTreeMap<Due, Weak<Timer>>, rank::Leaf> = Mutex::new(BTreeMap::new());
static CHANGED: Condvar = Condvar::new();

impl Timer {
    fn new(manual_reset: bool) -> Timer {
        Timer { due: Waitable::event(manual_reset, false), setting: Mutex::default() }
    }

    /// Starts a setting anew; what came before does nothing any more.
    fn set(self: &Arc<Timer>, at: Instant, period: Option<Duration>, routine: Option<Routine>) {
        static SETTINGS: AtomicU64 = AtomicU64::new(0);
        let due = (at, SETTINGS.fetch_add(1, Ordering::Relaxed));
        let mut setting = self.setting.lock();
        self.due.reset();
        unschedule(setting.due);
        *setting = Setting { due: Some(due), period, routine };
        schedule(due, self);
    }

    fn cancel(&self) {
        unschedule(std::mem::take(&mut *self.setting.lock()).due);
    }

    /// Comes due, if the setting still holds.
    fn fire(self: &Arc<Timer>, due: Due) {
        let mut setting = self.setting.lock();
        if setting.due != Some(due) {
            return;
        }
        self.due.set();
        if let Some(Routine { routine, argument, thread }) = setting.routine {
            let now = file_time(SystemTime::now()) as u64;
            apc::queue(thread, Apc::Timer { routine, argument, low: now as u32, high: (now >> 32) as u32 });
        }
        let (at, number) = due;
        setting.due = setting.period.map(|period| ((at + period).max(Instant::now()), number));
        setting.due.iter().for_each(|&again| schedule(again, self));
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        unschedule(self.setting.get_mut().due);
    }
}

fn schedule(due: Due, timer: &Arc<Timer>) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Without the thread no timer comes due; there is nobody to tell here.
        let _ = std::thread::Builder::new().name("winsock-timer".into()).stack_size(128 * 1024).spawn(run);
    });
    SCHEDULE.lock().insert(due, Arc::downgrade(timer));
    CHANGED.notify_one();
}

fn unschedule(due: Option<Due>) {
    if let Some(due) = due {
        SCHEDULE.lock().remove(&due);
    }
}

fn run() {
    let mut schedule = SCHEDULE.lock();
    loop {
        match schedule.first_entry() {
            None => CHANGED.wait(&mut schedule),
            Some(next) if next.key().0 > Instant::now() => {
                let at = next.key().0;
                CHANGED.wait_until(&mut schedule, at);
            }
            Some(next) => {
                let (due, timer) = next.remove_entry();
                // A timer's lock comes first.
                MutexGuard::unlocked(&mut schedule, || {
                    timer.upgrade().iter().for_each(|timer| timer.fire(due));
                });
            }
        }
    }
}

fn file_time(time: SystemTime) -> i128 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + (since.as_nanos() / 100) as i128
}

/// When a due time is: negative ones count from now, others are FILETIMEs.
fn instant(due: i64) -> Instant {
    let hundreds = match due {
        ..0 => -i128::from(due),
        0.. => (i128::from(due) - file_time(SystemTime::now())).max(0),
    };
    let now = Instant::now();
    now.checked_add(Duration::from_nanos((hundreds * 100).min(u64::MAX.into()) as u64)).unwrap_or(now)
}

fn find(handle: HANDLE) -> Result<Arc<Timer>, WIN32_ERROR> {
    match table::object(handle as usize) {
        Some(Object::Timer(timer)) => Ok(timer),
        _ => Err(ERROR_INVALID_HANDLE),
    }
}

/// Makes a timer that is not set. For names see [`CreateEventW`](crate::CreateEventW).
///
/// # Errors
/// Null as for CreateEventW.
///
/// # Safety
/// `lptimerattributes` is ignored; `lptimername` is null or ends with a zero.
pub unsafe extern "system" fn CreateWaitableTimerW(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    lptimername: PCWSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    create(unsafe { names::from_utf16(lptimername) }, bmanualreset != FALSE)
}

/// Whether an object is a timer.
pub(crate) fn is_timer(object: &Object) -> bool {
    matches!(object, Object::Timer(_))
}

pub(crate) fn create(name: Name, manual_reset: bool) -> HANDLE {
    names::create(name, is_timer, || Ok(Object::Timer(Arc::new(Timer::new(manual_reset)))))
}

/// Has a timer come due at a time, and then every `lperiod` milliseconds if that is not 0.
///
/// `lpduetime` is in 100 ns: negative from now on, else since 1601 (UTC). Setting a timer again resets it. The routine
/// is queued to the calling thread each time; one that is queued already still runs if the timer is set again or
/// cancelled, unlike on Windows. `fresume` is ignored.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a null time or a negative period.
///
/// # Safety
/// `lpduetime` is null or readable. The routine may be called on this thread with the argument, and must not unwind.
#[unsafe(export_name = "ws_SetWaitableTimer")]
pub unsafe extern "system" fn SetWaitableTimer(
    htimer: HANDLE,
    lpduetime: *const i64,
    lperiod: i32,
    pfncompletionroutine: PTIMERAPCROUTINE,
    lpargtocompletionroutine: *const c_void,
    _fresume: BOOL,
) -> BOOL {
    let set = || {
        let timer = find(htimer)?;
        // SAFETY: as the caller promises.
        let due = *unsafe { lpduetime.as_ref() }.ok_or(ERROR_INVALID_PARAMETER)?;
        let period = u64::try_from(lperiod).map_err(|_| ERROR_INVALID_PARAMETER)?;
        let me = thread::current();
        let routine = pfncompletionroutine.map(|routine| {
            me.expect_apcs();
            Routine { routine, argument: lpargtocompletionroutine, thread: me.number() }
        });
        timer.set(instant(due), (period > 0).then(|| Duration::from_millis(period)), routine);
        Ok(())
    };
    finish_bool(set())
}

/// Has a timer not come due any more; whether it is signalled stays as it is.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_CancelWaitableTimer")]
pub unsafe extern "system" fn CancelWaitableTimer(htimer: HANDLE) -> BOOL {
    finish_bool(find(htimer).map(|timer| timer.cancel()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_is_set_often_is_scheduled_once() {
        let timer = Arc::new(Timer::new(true));
        let late = Instant::now() + Duration::from_secs(3600);
        (0..100).for_each(|second| timer.set(late + Duration::from_secs(second), None, None));
        let mine = Arc::downgrade(&timer);
        let scheduled = || SCHEDULE.lock().values().filter(|other| other.ptr_eq(&mine)).count();
        assert_eq!(scheduled(), 1);
        timer.cancel();
        assert_eq!(scheduled(), 0);
        timer.set(late, None, None);
        drop(timer);
        assert_eq!(scheduled(), 0, "closed");
    }
}
