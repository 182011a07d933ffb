//! Alertable sleep, and reaching into it from other threads.

use crate::Result;
use crate::raw;
use std::sync::Arc;
use std::time::Duration;

/// Sleeps until routines have run on this thread (true), or the time was over (false). `None` is forever.
///
/// All routines that are queued run before it returns, those included that are queued meanwhile; of no time, it runs
/// what is there. A panic in one goes on out of this call, when the others have run.
#[doc(alias = "SleepEx")]
pub fn sleep_alertable(timeout: Option<Duration>) -> bool {
    raw::routine::sleep_alertable(timeout)
}

/// Reaches into the alertable waits of one thread from any other. Clones reach the same thread.
///
/// ```
/// use pentaport::overlapped::{Waker, sleep_alertable};
/// use std::sync::mpsc;
/// # fn main() -> pentaport::Result<()> {
/// let (results, received) = mpsc::channel();
/// let waker = Waker::current()?;
/// std::thread::spawn(move || waker.post(move || results.send("done").unwrap()));
/// while !sleep_alertable(None) {}
/// assert_eq!(received.try_recv(), Ok("done"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Waker {
    thread: Arc<raw::waker::Thread>,
}

impl Waker {
    /// One that reaches the calling thread.
    ///
    /// # Errors
    /// What the system lacks; `ERROR_GEN_FAILURE` (31) when the thread is about to end, its thread-locals gone.
    #[doc(alias = "GetCurrentThread")]
    #[doc(alias = "DuplicateHandle")]
    pub fn current() -> Result<Self> {
        raw::waker::Thread::current().map(|thread| Self { thread })
    }

    /// Ends the thread's alertable wait, as if a routine had run: the one it is in, or its next.
    ///
    /// Several calls before that end one wait, not several. What the caller did before the call is seen by the thread
    /// after the wait. Nothing is allocated.
    ///
    /// # Errors
    /// `ERROR_GEN_FAILURE` (31) if the thread has ended, unless a call before it has ended was of no avail already.
    #[doc(alias = "QueueUserAPC")]
    pub fn wake(&self) -> Result<()> {
        self.thread.wake()
    }

    /// Has the thread call `routine` in an alertable wait: the one it is in, or its next. They are called in the order
    /// in which they were posted. A panic in one goes on out of that wait.
    ///
    /// If the thread ends without such a wait, `routine` is never called, nor dropped.
    ///
    /// # Errors
    /// `ERROR_GEN_FAILURE` (31) if the thread has ended.
    #[doc(alias = "QueueUserAPC")]
    pub fn post(&self, routine: impl FnOnce() + Send + 'static) -> Result<()> {
        self.thread.post(Box::new(routine))
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}
