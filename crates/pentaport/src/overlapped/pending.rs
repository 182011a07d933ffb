//! Operations by event that are under way.

use super::Completion;
use crate::Result;
use crate::event_select::{Event, Wake, wait_any_alertable};
use crate::operation::Operation;
use crate::raw::pending as raw;
use std::fmt;
use std::time::{Duration, Instant};

use super::OverlappedSocket;

/// An operation by event that is in the system's hands, until [`finish`](Self::finish) takes it back.
///
/// Dropped, it is cancelled; what it holds is freed when it is over, and not before.
#[must_use = "dropping it cancels the operation"]
pub struct Pending<C> {
    pub(super) pending: raw::Pending<C>,
}

impl<C> Pending<C> {
    /// The event, which is set when the operation completes: to be waited for along with others, in
    /// [`wait_any`](crate::event_select::wait_any) or a [`WaitSet`](crate::event_select::WaitSet).
    ///
    /// It is the same event each time this operation is started, so it needs to be put into a wait set only once. A
    /// program does not set or reset it: that would deceive those who wait, though nothing worse comes of it.
    #[doc(alias = "hEvent")]
    pub fn event(&self) -> &Event {
        self.pending.event()
    }

    /// Whether the operation is over. It costs no system call.
    #[doc(alias = "HasOverlappedIoCompleted")]
    pub fn is_complete(&self) -> bool {
        self.pending.is_over()
    }

    /// Waits until the operation is over; false if the time was over first.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "GetOverlappedResultEx")]
    #[doc(alias = "WaitForSingleObject")]
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.pending.wait(timeout)
    }

    /// As [`wait`](Self::wait), but also ends after routines have run on this thread, before the operation is over.
    ///
    /// Routines that are queued run first, even if the operation is over already. A panic in one goes on out of this
    /// call.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "GetOverlappedResultEx")]
    #[doc(alias = "WaitForSingleObjectEx")]
    pub fn wait_alertable(&self, timeout: Option<Duration>) -> Result<Wake<()>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match wait_any_alertable(&[self.event()], remaining)? {
                Wake::Routines => return Ok(Wake::Routines),
                _ if self.is_complete() => return Ok(Wake::Signalled(())),
                Wake::Timeout => return Ok(Wake::Timeout),
                Wake::Signalled(_) => self.pending.forget_stale_signal(),
            }
        }
    }

    /// Takes the operation back with its result, if it is over, and resets its event.
    ///
    /// If it is not, `self` comes back: the event was set by somebody else, or late for the operation before this. The
    /// program waits again.
    ///
    /// # Errors
    /// The operation itself, as it is not over.
    #[doc(alias = "GetOverlappedResult")]
    #[doc(alias = "WSAGetOverlappedResult")]
    #[doc(alias = "WSAResetEvent")]
    pub fn finish(self) -> std::result::Result<Completion<C>, Self> {
        let landing = self.pending.finish().map_err(|pending| Self { pending })?;
        Ok(Completion {
            socket: landing.socket.map(OverlappedSocket::from_owner),
            result: landing.result,
            operation: Operation::from_record(landing.record),
        })
    }

    /// Cancels the operation; whether it was still to be cancelled. It does not wait: the operation ends soon, with
    /// `ERROR_OPERATION_ABORTED` (995) or with its result if it was done just before.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<bool> {
        self.pending.cancel()
    }
}

impl<C> fmt::Debug for Pending<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("complete", &self.is_complete()).finish_non_exhaustive()
    }
}
