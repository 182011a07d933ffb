//! Time limits of many connections, kept by looking through them now and then.
//!
//! A timer for each connection would have to be moved at each message. Instead a connection only notes when it last
//! moved, and all are looked through when the first of them could be over its limit: never more often than a sixteenth
//! of the limit, and never at all while there are none. So a message costs a store, and an idle server sleeps.

use std::time::{Duration, Instant};

use crate::Options;
use crate::machine::Patience;

/// When connections are to be looked through for those whose time limit is over.
#[derive(Debug)]
pub(crate) struct Sweep {
    due: Option<Instant>,
    shortest: Duration,
}

/// The time limits of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    idle: Option<Duration>,
    drain: Duration,
    lull: Duration,
}

/// How long a client has to be silent before a server that is being stopped ends its side: a message on the longest way
/// around the earth and its answer take less, so that it is no client in the middle of an exchange.
const LULL: Duration = Duration::from_millis(250);

/// A client that had been silent for so many lulls when the stop came has had its lull. Of another the time is not known so
/// well: it is that at which its worker woke up, and the answer may have been sent much later.
const LULLS_OF_SILENCE: u32 = 4;

/// With little time to drain, a lull is this part of it.
const LULLS_IN_DRAIN: u32 = 4;

/// Looking through more often than this helps nobody.
const FINEST: Duration = Duration::from_millis(10);

impl Limits {
    pub(crate) fn new(options: &Options) -> Self {
        let lull = (options.drain / LULLS_IN_DRAIN).min(LULL);
        Limits { idle: options.idle_timeout, drain: options.drain, lull }
    }

    /// From when the lull of a connection counts, at a stop, that last moved at `since`.
    pub(crate) fn lull_from(&self, since: Instant, now: Instant) -> Instant {
        if now.saturating_duration_since(since) < LULLS_OF_SILENCE * self.lull { now } else { since }
    }

    /// When a connection that last moved at `since` is over its limit, if ever.
    pub(crate) fn deadline(&self, patience: Patience, since: Instant) -> Option<Instant> {
        let limit = match patience {
            Patience::Idle => self.idle?,
            Patience::Drain => self.drain,
            Patience::Lull => self.lull,
        };
        // A limit beyond what a clock can show is none.
        since.checked_add(limit)
    }
}

impl Sweep {
    pub(crate) fn new(limits: Limits) -> Self {
        let shortest = limits.idle.unwrap_or(limits.drain).min(limits.drain);
        Sweep { due: None, shortest }
    }

    /// The server is being stopped: lulls are to be noticed soon.
    pub(crate) fn begin_stop(&mut self, limits: Limits) {
        self.shortest = self.shortest.min(limits.lull);
    }

    /// A connection's limit is over at `deadline`, if it does not move before.
    pub(crate) fn plan(&mut self, deadline: Option<Instant>) {
        self.due = self.due.into_iter().chain(deadline).min();
    }

    /// When the next sweep is due; `None` if none is planned.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the sweep is to be done now. If so, the caller looks at all connections, and plans the deadline of each
    /// that remains by [`swept`](Self::swept).
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = None;
        }
        due
    }

    /// The sweep is done, and `next` is the earliest deadline of all connections that remain.
    pub(crate) fn swept(&mut self, now: Instant, next: Option<Instant>) {
        let earliest = now + (self.shortest / 16).max(FINEST);
        self.plan(next.map(|next| next.max(earliest)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        let idle_timeout = Some(16 * SECOND);
        Limits::new(&Options { idle_timeout, drain: 32 * SECOND, ..Options::default() })
    }

    fn sweep() -> Sweep {
        Sweep::new(limits())
    }

    #[test]
    fn nothing_is_due_without_connections() {
        let mut sweep = sweep();
        let now = Instant::now();
        assert_eq!(sweep.due(), None);
        assert!(!sweep.begin(now + 1000 * SECOND));
    }

    #[test]
    fn the_first_deadline_is_when_to_look() {
        let mut sweep = sweep();
        let now = Instant::now();
        let limits = limits();
        sweep.plan(limits.deadline(Patience::Drain, now));
        sweep.plan(limits.deadline(Patience::Idle, now));
        sweep.plan(limits.deadline(Patience::Idle, now + SECOND));
        assert_eq!(sweep.due(), Some(now + 16 * SECOND));
        assert!(!sweep.begin(now + 15 * SECOND));
        assert!(sweep.begin(now + 16 * SECOND));
        assert_eq!(sweep.due(), None);
    }

    #[test]
    fn deadlines_close_to_each_other_are_met_by_one_sweep() {
        let mut sweep = sweep();
        let now = Instant::now();
        sweep.swept(now, Some(now + Duration::from_millis(1)));
        assert_eq!(sweep.due(), Some(now + SECOND));
        sweep.swept(now, None);
        assert_eq!(sweep.due(), Some(now + SECOND));
    }

    #[test]
    fn a_stop_gives_a_lull_to_those_who_have_moved_lately() {
        let limits = limits();
        let before = Instant::now();
        let now = before + 4 * limits.lull;
        assert_eq!(limits.lull_from(before, now), before);
        let lately = before + Duration::from_millis(1);
        assert_eq!(limits.lull_from(lately, now), now);
        assert_eq!(limits.deadline(Patience::Lull, now), Some(now + LULL));
    }

    #[test]
    fn a_limit_for_ever_is_none() {
        let options = Options { drain: Duration::MAX, ..Options::default() };
        let limits = Limits::new(&options);
        assert_eq!(limits.deadline(Patience::Drain, Instant::now()), None);
        assert_eq!(limits.deadline(Patience::Idle, Instant::now()), None);
    }
}
