//! Event objects.

use super::waits::wait_any;
use crate::Result;
use crate::raw::event::OwnedEvent;
use crate::sys::HANDLE;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// An event object: set or not, and waited for until it is.
///
/// It is a handle: clones are the same event, and any number of threads may use it at once. It is closed with the last
/// clone.
///
/// ```
/// use pentaport::event_select::Event;
/// # fn main() -> pentaport::Result<()> {
/// let stop = Event::manual_reset()?;
/// let worker = std::thread::spawn({
///     let stop = stop.clone();
///     move || stop.wait(None)
/// });
/// stop.set();
/// assert_eq!(worker.join().expect("no panic"), Ok(true));
/// # Ok(())
/// # }
/// ```
#[doc(alias = "WSAEVENT")]
#[derive(Clone)]
pub struct Event {
    owned: Arc<OwnedEvent>,
}

impl Event {
    /// An event that, once set, stays so until it is [reset](Self::reset). It is not set at first.
    ///
    /// # Errors
    /// `ERROR_NO_SYSTEM_RESOURCES` or `ERROR_NOT_ENOUGH_MEMORY`, by what the system lacks.
    #[doc(alias = "WSACreateEvent")]
    #[doc(alias = "CreateEventW")]
    pub fn manual_reset() -> Result<Self> {
        OwnedEvent::new(true).map(|event| Self { owned: Arc::new(event) })
    }

    /// An event that is reset by the one wait that sees it set. It is not set at first.
    ///
    /// # Errors
    /// As [`manual_reset`](Self::manual_reset).
    #[doc(alias = "CreateEventW")]
    pub fn auto_reset() -> Result<Self> {
        OwnedEvent::new(false).map(|event| Self { owned: Arc::new(event) })
    }

    /// Sets the event: wakes all who wait for it, or one, if it is auto-reset.
    #[doc(alias = "WSASetEvent")]
    #[doc(alias = "SetEvent")]
    pub fn set(&self) {
        self.owned.set();
    }

    /// Resets the event.
    #[doc(alias = "WSAResetEvent")]
    #[doc(alias = "ResetEvent")]
    pub fn reset(&self) {
        self.owned.reset();
    }

    /// Whether the event is set. It is a wait of no time, so an auto-reset event is not set after it.
    pub fn is_set(&self) -> bool {
        self.wait(Some(Duration::ZERO)) == Ok(true)
    }

    /// Waits until the event is set; false if the time was over first. A `timeout` of zero does not wait, `None` waits
    /// without end; others are rounded up to milliseconds.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "WaitForSingleObject")]
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        wait_any(std::slice::from_ref(self), timeout).map(|index| index.is_some())
    }

    /// The `HANDLE` itself, for calls that are not here. It stays this object's.
    pub fn raw(&self) -> HANDLE {
        self.owned.handle()
    }
}

impl PartialEq for Event {
    /// Whether both are the same event.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.owned, &other.owned)
    }
}

impl Eq for Event {}

impl Hash for Event {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.owned).hash(state);
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not whether it is set: asking would reset an auto-reset event.
        f.debug_tuple("Event").field(&self.raw()).finish()
    }
}
