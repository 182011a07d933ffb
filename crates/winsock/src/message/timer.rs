//! Timers of a message queue.
//!
//! A timer is no message in a queue: WM_TIMER is made when a thread looks, finds nothing else, and a timer is due. So it
//! comes last, and once, however long nobody looked.

use std::time::{Duration, Instant};

use super::filter::Filter;
use super::queue::{self, Message};
use super::window;
use crate::error::{finish_bool, set_last_error};
use crate::types::*;

struct Timer {
    /// 0 for the thread's own.
    window: u32,
    id: usize,
    /// A TIMERPROC, or 0.
    procedure: usize,
    period: Duration,
    due: Instant,
    /// Its being due has been counted as new input.
    noted: bool,
}

#[derive(Default)]
pub(super) struct Timers {
    timers: Vec<Timer>,
    /// The last id given to a timer without a window.
    last: usize,
}

impl Timers {
    pub(super) fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Sets a timer, or sets it anew; returns its id.
    pub(super) fn set(&mut self, window: u32, id: usize, period: Duration, procedure: usize) -> usize {
        let now = Instant::now();
        let known = self.timers.iter().position(|timer| (timer.window, timer.id) == (window, id));
        let id = if window == 0 && known.is_none() { self.fresh_id() } else { id };
        let due = now + period;
        let timer = Timer { window, id, procedure, period, due, noted: false };
        match known {
            Some(place) => self.timers[place] = timer,
            None => self.timers.push(timer),
        }
        id
    }

    fn fresh_id(&mut self) -> usize {
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.timers.iter().any(|timer| (timer.window, timer.id) == (0, self.last)) {
                return self.last;
            }
        }
    }

    fn kill(&mut self, window: u32, id: usize) -> bool {
        let before = self.timers.len();
        self.timers.retain(|timer| (timer.window, timer.id) != (window, id));
        self.timers.len() < before
    }

    pub(super) fn remove_window(&mut self, window: u32) {
        self.timers.retain(|timer| timer.window != window);
    }

    /// Whether a timer has this procedure.
    pub(super) fn has_procedure(&self, procedure: usize) -> bool {
        self.timers.iter().any(|timer| timer.procedure == procedure)
    }

    /// WM_TIMER of the timer that has been due for longest, of those that pass the filter.
    pub(super) fn find(&mut self, filter: &Filter, now: Instant, remove: bool) -> Option<Message> {
        let due = |timer: &&mut Timer| timer.due <= now && filter.takes(timer.window, WM_TIMER);
        let timer = self.timers.iter_mut().filter(due).min_by_key(|timer| timer.due)?;
        if remove {
            // Beats that passed unseen are one message, and the beat goes on.
            let beats = (now - timer.due).as_nanos() / timer.period.as_nanos();
            let passed = timer.period * u32::try_from(beats).unwrap_or(u32::MAX - 1);
            timer.due += passed + timer.period;
            timer.noted = false;
        }
        Some(Message::new(timer.window, WM_TIMER, timer.id, timer.procedure as LPARAM))
    }

    /// When the next of those that pass the filter and are not due will be.
    pub(super) fn next(&self, filter: &Filter, now: Instant) -> Option<Instant> {
        let later = |timer: &&Timer| timer.due > now && filter.takes(timer.window, WM_TIMER);
        self.timers.iter().filter(later).map(|timer| timer.due).min()
    }

    /// When the next is due, or has been.
    pub(super) fn next_any(&self) -> Option<Instant> {
        self.timers.iter().map(|timer| timer.due).min()
    }

    /// When the next of those is due that have not been counted as new input.
    pub(super) fn next_new(&self) -> Option<Instant> {
        self.timers.iter().filter(|timer| !timer.noted).map(|timer| timer.due).min()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.timers.iter().any(|timer| timer.due <= now)
    }

    /// Notes which timers are due; returns whether one is that was not before.
    pub(super) fn note_due(&mut self, now: Instant) -> bool {
        let mut new = false;
        for timer in self.timers.iter_mut().filter(|timer| !timer.noted && timer.due <= now) {
            timer.noted = true;
            new = true;
        }
        new
    }
}

/// Sets a timer of the calling thread, or sets it anew: every `uelapse` milliseconds it is due, and the thread finds
/// WM_TIMER when nothing else is in its queue. Returns what KillTimer names it by, with no window a fresh id.
///
/// DispatchMessage calls `lptimerfunc`, if there is one, instead of the window's procedure. The interval is at least
/// USER_TIMER_MINIMUM.
///
/// # Errors
/// 0 with ERROR_INVALID_WINDOW_HANDLE; ERROR_ACCESS_DENIED for a window of another thread.
///
/// # Safety
/// `lptimerfunc` is a TIMERPROC as long as the timer lives.
#[unsafe(export_name = "ws_SetTimer")]
pub unsafe extern "system" fn SetTimer(hwnd: HWND, nidevent: usize, uelapse: u32, lptimerfunc: TIMERPROC) -> usize {
    let period = Duration::from_millis(uelapse.clamp(USER_TIMER_MINIMUM, USER_TIMER_MAXIMUM).into());
    let procedure = lptimerfunc.map_or(0, |procedure| procedure as usize);
    let id = owner(hwnd)
        .map(|(queue, window)| queue.with_timers(|timers| timers.set(window, nidevent, period, procedure)).max(1));
    id.unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Ends a timer. A WM_TIMER of it that nobody fetched does not come any more; on Windows it may.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER if there is no such timer; as [`SetTimer`].
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_KillTimer")]
pub unsafe extern "system" fn KillTimer(hwnd: HWND, uidevent: usize) -> BOOL {
    finish_bool(owner(hwnd).and_then(|(queue, window)| {
        let killed = queue.with_timers(|timers| timers.kill(window, uidevent));
        if killed { Ok(()) } else { Err(ERROR_INVALID_PARAMETER) }
    }))
}

/// The calling thread's queue, for a timer of `hwnd`.
fn owner(hwnd: HWND) -> Result<(&'static queue::Queue, u32), WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_INVALID_PARAMETER)?;
    if hwnd.is_null() {
        return Ok((queue, 0));
    }
    let (window, handle) = window::require(hwnd)?;
    if window.queue().is_current() { Ok((queue, handle)) } else { Err(ERROR_ACCESS_DENIED) }
}
