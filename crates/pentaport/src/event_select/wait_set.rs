//! The wait set.

use super::{Event, Wake};
use crate::raw::call::milliseconds;
use crate::raw::panic::resume_panic;
use crate::sys::{self, ext};
use crate::{Error, Result};
use ranked_locks::{Mutex, MutexGuard, rank};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// Any number of events to wait for, each registered once, under a token of the program's.
///
/// Where [`wait_any`](super::wait_any) names its events anew at each call and knows 64 of them, a set keeps them, and a
/// wait costs for those that are set. It reports them in rotation: one that is set all the time hides no other.
///
/// Being reported takes an event as a wait does: an auto-reset event is reset, a manual-reset one is reported again
/// until it is reset. The set keeps its events open. Several threads may wait for one set: then an auto-reset event
/// is reported to one of them, a manual-reset one to each.
///
/// ```
/// use pentaport::event_select::{Event, WaitSet};
/// # fn main() -> pentaport::Result<()> {
/// let set = WaitSet::new()?;
/// let events: Vec<Event> = (0..200).map(|_| Event::auto_reset()).collect::<Result<_, _>>()?;
/// for (token, event) in events.iter().enumerate() {
///     set.add(event, token)?;
/// }
/// events[150].set();
/// let mut tokens = [0; 16];
/// assert_eq!(set.wait(&mut tokens, None)?, 1);
/// assert_eq!(tokens[0], 150);
/// # Ok(())
/// # }
/// ```
pub struct WaitSet {
    // Dropped first: it may wait for the events until then.
    set: ext::WaitSet,
    /// By handle.
    events: Mutex<HashMap<usize, Event>, rank::WaitSet>,
}

impl WaitSet {
    /// An empty set.
    ///
    /// # Errors
    /// `ERROR_NO_SYSTEM_RESOURCES` or `ERROR_NOT_ENOUGH_MEMORY`, by what the system lacks.
    pub fn new() -> Result<Self> {
        let set = ext::WaitSet::new().map_err(from_win32)?;
        Ok(Self { set, events: Mutex::default() })
    }

    /// Adds an event, under a token that need not be unique.
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS` if the event is in the set; or what the system lacks.
    pub fn add(&self, event: &Event, token: usize) -> Result<()> {
        let mut events = self.events();
        self.set.add(event.raw(), token).map_err(from_win32)?;
        events.insert(event.raw().addr(), event.clone());
        Ok(())
    }

    /// Takes an event out of the set. Its token is not reported any more.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` if it is not in the set.
    pub fn remove(&self, event: &Event) -> Result<()> {
        let mut events = self.events();
        if !events.contains_key(&event.raw().addr()) {
            return Err(Error::from_code(sys::ERROR_NOT_FOUND as i32));
        }
        self.set.remove(event.raw()).map_err(from_win32)?;
        events.remove(&event.raw().addr());
        Ok(())
    }

    /// Waits until an event of the set is set; puts the tokens of as many as fit and are set into `tokens`, and
    /// returns how many. 0 says that the time was over.
    ///
    /// A `timeout` of zero does not wait, `None` waits without end; others are rounded up to milliseconds.
    ///
    /// On Windows a token may be reported of an event that was reset meanwhile, once; and a wait of no time may miss
    /// what was set an instant before it.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` if `tokens` has no room.
    pub fn wait(&self, tokens: &mut [usize], timeout: Option<Duration>) -> Result<usize> {
        match self.wait_for(tokens, timeout, false)? {
            Wake::Signalled(count) => Ok(count),
            Wake::Routines | Wake::Timeout => Ok(0),
        }
    }

    /// As [`wait`](Self::wait), but lets routines run that are queued to this thread; the wait ends when they have.
    /// `Signalled` has the number of tokens.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_alertable(&self, tokens: &mut [usize], timeout: Option<Duration>) -> Result<Wake<usize>> {
        self.wait_for(tokens, timeout, true)
    }

    /// How many events are in the set.
    pub fn len(&self) -> usize {
        self.events().len()
    }

    /// Whether no event is in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn wait_for(&self, tokens: &mut [usize], timeout: Option<Duration>, alertable: bool) -> Result<Wake<usize>> {
        if tokens.is_empty() {
            return Err(Error::from_code(sys::ERROR_INVALID_PARAMETER as i32));
        }
        let outcome = self.set.wait(tokens, milliseconds(timeout), alertable);
        resume_panic();
        match outcome {
            Ok(count) => Ok(Wake::Signalled(count)),
            Err(sys::WAIT_IO_COMPLETION) => Ok(Wake::Routines),
            Err(sys::WAIT_TIMEOUT) => Ok(Wake::Timeout),
            Err(code) => Err(from_win32(code)),
        }
    }

    fn events(&self) -> MutexGuard<'_, HashMap<usize, Event>, rank::WaitSet> {
        self.events.lock()
    }
}

impl fmt::Debug for WaitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

fn from_win32(code: sys::WIN32_ERROR) -> Error {
    Error::from_code(code as i32)
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<WaitSet>();
    is_shared::<Event>();
};
