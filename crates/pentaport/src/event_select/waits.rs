//! Waits for up to 64 events.

use super::Event;
use crate::raw::call::milliseconds;
use crate::raw::event::{self as raw, Ending};
use crate::sys::{self, HANDLE};
use crate::{Error, Result};
use std::borrow::Borrow;
use std::time::Duration;

/// The most events that one wait takes; a [`WaitSet`](super::WaitSet) takes any number.
#[doc(alias = "WSA_MAXIMUM_WAIT_EVENTS")]
#[doc(alias = "MAXIMUM_WAIT_OBJECTS")]
pub const MAX_EVENTS: usize = sys::WSA_MAXIMUM_WAIT_EVENTS as usize;

/// How an alertable wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake<T> {
    /// By what was waited for.
    #[doc(alias = "WSA_WAIT_EVENT_0")]
    Signalled(T),
    /// Routines were queued to this thread, and have run, all of them. No event was taken.
    #[doc(alias = "WSA_WAIT_IO_COMPLETION")]
    Routines,
    /// The time was over.
    #[doc(alias = "WSA_WAIT_TIMEOUT")]
    Timeout,
}

/// Waits until one of the events is set; gives the lowest index of those that are, or `None` if the time was over.
///
/// Only that event is taken (reset, if it is auto-reset). A `timeout` of zero does not wait, `None` waits without end;
/// others are rounded up to milliseconds.
///
/// ```
/// use pentaport::event_select::{Event, wait_any};
/// use std::time::Duration;
/// # fn main() -> pentaport::Result<()> {
/// let events = [Event::auto_reset()?, Event::manual_reset()?, Event::auto_reset()?];
/// events[2].set();
/// events[1].set();
/// assert_eq!(wait_any(&events, None)?, Some(1));
/// events[1].reset();
/// assert_eq!(wait_any(&events, None)?, Some(2));
/// assert_eq!(wait_any(&events, Some(Duration::ZERO))?, None);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `ERROR_INVALID_PARAMETER` if there is no event, or more than [`MAX_EVENTS`].
#[doc(alias = "WSAWaitForMultipleEvents")]
#[doc(alias = "WaitForMultipleObjects")]
pub fn wait_any<E: Borrow<Event>>(events: &[E], timeout: Option<Duration>) -> Result<Option<usize>> {
    match wait(events, false, timeout, false)? {
        Ending::Signalled(index) => Ok(Some(index)),
        Ending::Routines | Ending::Timeout => Ok(None),
    }
}

/// Waits until all of the events are set at once, and takes them all; false if the time was over first, and none was
/// taken. The timeout is as for [`wait_any`].
///
/// # Errors
/// As [`wait_any`]; `ERROR_INVALID_PARAMETER` also if an event is among them twice.
#[doc(alias = "WSAWaitForMultipleEvents")]
#[doc(alias = "WaitForMultipleObjects")]
pub fn wait_all<E: Borrow<Event>>(events: &[E], timeout: Option<Duration>) -> Result<bool> {
    Ok(matches!(wait(events, true, timeout, false)?, Ending::Signalled(_)))
}

/// As [`wait_any`], but lets routines run that are queued to this thread; the wait ends when they have.
///
/// If there are routines and an event is set, the routines come first.
///
/// # Errors
/// As [`wait_any`].
#[doc(alias = "WSAWaitForMultipleEvents")]
#[doc(alias = "WaitForMultipleObjectsEx")]
pub fn wait_any_alertable<E: Borrow<Event>>(events: &[E], timeout: Option<Duration>) -> Result<Wake<usize>> {
    Ok(match wait(events, false, timeout, true)? {
        Ending::Signalled(index) => Wake::Signalled(index),
        Ending::Routines => Wake::Routines,
        Ending::Timeout => Wake::Timeout,
    })
}

/// As [`wait_all`], but lets routines run that are queued to this thread; the wait ends when they have.
///
/// # Errors
/// As [`wait_all`].
#[doc(alias = "WSAWaitForMultipleEvents")]
#[doc(alias = "WaitForMultipleObjectsEx")]
pub fn wait_all_alertable<E: Borrow<Event>>(events: &[E], timeout: Option<Duration>) -> Result<Wake<()>> {
    Ok(match wait(events, true, timeout, true)? {
        Ending::Signalled(_) => Wake::Signalled(()),
        Ending::Routines => Wake::Routines,
        Ending::Timeout => Wake::Timeout,
    })
}

fn wait<E: Borrow<Event>>(events: &[E], all: bool, timeout: Option<Duration>, alertable: bool) -> Result<Ending> {
    let mut room = [std::ptr::null_mut(); MAX_EVENTS];
    let handles = handles(events, &mut room)?;
    raw::wait(handles, all, milliseconds(timeout), alertable)
}

/// The events' handles, in `room`.
pub(crate) fn handles<'a, E: Borrow<Event>>(events: &[E], room: &'a mut [HANDLE]) -> Result<&'a [HANDLE]> {
    let handles = room.get_mut(..events.len()).ok_or(Error::from_code(sys::ERROR_INVALID_PARAMETER as i32))?;
    for (handle, event) in handles.iter_mut().zip(events) {
        *handle = event.borrow().raw();
    }
    Ok(handles)
}
