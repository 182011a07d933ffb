//! Operations by event: taking their records back from the system.
//!
//! No packet and no routine brings such a record. That its operation is over is read from its status, never concluded
//! from the event: a program can set and reset that too, and the system sets it after the status, so that the signal of
//! one operation may come when the next has begun already.

use super::open_socket::OpenSocket;
use super::record::Record;
use super::shared::{Flight, Owner};
use super::start::{self, Call, Notice, Rejected, Start, finish};
use crate::Result;
use crate::event_select::Event;
use crate::sys::ext::take_event;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// How long a dropped operation is waited for after it was cancelled.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the end of an operation is given time to set the event. It does so next, whatever thread it is on.
const YIELDS: usize = 1000;

/// A record in the system's hands, with its event.
pub(crate) struct Pending<C> {
    record: NonNull<Record<C>>,
    event: Event,
}

/// A record that came back.
pub(crate) struct Landing<C> {
    /// The socket, if it is open still.
    pub(crate) socket: Option<Owner<OpenSocket>>,
    pub(crate) result: Result<usize>,
    pub(crate) record: Box<Record<C>>,
}

// SAFETY: a Pending is its record, which is Send if C is, and nobody else has that but the system.
unsafe impl<C: Send> Send for Pending<C> {}
// SAFETY: a shared Pending gives no access to the record but to its status, which is atomic.
unsafe impl<C: Send> Sync for Pending<C> {}

impl Owner<OpenSocket> {
    /// Starts an operation whose end sets its event.
    pub(crate) fn start_by_event<C>(
        &self,
        mut record: Box<Record<C>>,
        call: Call,
    ) -> std::result::Result<Pending<C>, Rejected<C>> {
        let event = match record.event.take().map_or_else(Event::manual_reset, Ok) {
            Ok(event) => event,
            Err(error) => return Err((error, record)),
        };
        match start::start(self, record, call, Notice::Event(event.raw())) {
            Ok(Start::Pending(record)) => Ok(Pending { record, event }),
            Ok(Start::Done(..)) => unreachable!("only a port's sockets skip notices"),
            Err((error, mut record)) => {
                record.event = Some(event);
                Err((error, record))
            }
        }
    }
}

impl<C> Pending<C> {
    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: the record was started, and is allocated until `self` ends.
        unsafe { Record::is_over(self.record) }
    }

    /// Asks the system to end the operation; whether it was there to be ended. A closed socket's is on its way.
    pub(crate) fn cancel(&self) -> Result<bool> {
        // SAFETY: the flight is written before the start only and taken out at the end of `self`, where it was until then
        // in the air.
        let owner = unsafe { (*self.record.as_ptr()).flight.and_then(|flight| Flight::<OpenSocket>::owner_of(flight)) };
        owner.map_or(Ok(false), |owner| owner.cancel(Some(Record::overlapped(self.record.as_ptr()))))
    }

    /// Waits by the event until the operation is over; false after the timeout.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while !self.is_over() {
            let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if !self.event.wait(remaining)? {
                return Ok(self.is_over());
            }
            self.forget_stale_signal();
        }
        Ok(true)
    }

    /// To be called when the event was found set: if the operation is not over, the signal is the one before it.
    pub(crate) fn forget_stale_signal(&self) {
        if !self.is_over() {
            self.event.reset();
            // It may have ended just before the reset.
            if self.is_over() {
                self.event.set();
            }
        }
    }

    /// The record, its event reset, if the operation is over.
    pub(crate) fn finish(self) -> std::result::Result<Landing<C>, Self> {
        if !self.is_over() {
            self.forget_stale_signal();
            return Err(self);
        }
        // The event is to stay reset, so it must have been set. One who waited for it has seen that.
        for _ in 0..YIELDS {
            if take_event(&self.event) {
                break;
            }
            std::thread::yield_now();
        }
        Ok(self.land())
    }

    fn land(self) -> Landing<C> {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again, nor dropped.
        let event = unsafe { std::ptr::read(&this.event) };
        // SAFETY: the operation is over, so the record is ours again; it was given away as a Box.
        let mut record = unsafe { Box::from_raw(this.record.as_ptr()) };
        let flight = record.flight.take().expect("a record comes back once");
        // SAFETY: the pointer is from `into_raw` of a flight of an OpenSocket, and was just taken out.
        let socket = unsafe { Flight::<OpenSocket>::from_raw(flight) }.land().ok();
        record.event = Some(event);
        record.transferred = record.bytes();
        let result = record.outcome().and_then(|()| finish(&mut record, socket.as_ref().map(|owner| owner.socket())));
        Landing { socket, result: result.map(|()| record.transferred as usize), record }
    }
}

/// An operation that nobody waits for is cancelled. Its record is freed when it is over, and not before: if the system
/// should keep it, it is leaked.
impl<C> Drop for Pending<C> {
    fn drop(&mut self) {
        if !self.is_over() {
            let _ = self.cancel();
            if !matches!(self.wait(Some(PATIENCE)), Ok(true)) {
                // The system has the event too.
                std::mem::forget(self.event.clone());
                debug_assert!(std::thread::panicking(), "an operation did not end");
                return;
            }
        }
        // SAFETY: the operation is over, so the record is ours again: a Box once, with a flight of an OpenSocket.
        drop(unsafe { start::take_back::<OpenSocket, C>(self.record.as_ptr()) });
    }
}
