//! When a wait gives up.

use std::time::{Duration, Instant};

/// A point in time, or never.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(None);

    /// `None` is never, as is what the clock cannot express.
    pub(crate) fn after(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// From SO_RCVTIMEO or SO_SNDTIMEO, where 0 is never.
    pub(crate) fn after_milliseconds(timeout: u32) -> Deadline {
        Deadline::after((timeout != 0).then(|| Duration::from_millis(timeout.into())))
    }

    /// The time that is left; `None` is for ever.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.0.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn is_over(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}
