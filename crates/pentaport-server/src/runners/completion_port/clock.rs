//! What is to happen at some time, although no packet comes.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use ranked_locks::{Mutex, rank};

use crate::Options;
use crate::machine::Patience;
use crate::runners::ACCEPT_AGAIN;
use crate::sweep::{Limits, Sweep};

/// What is to happen at some time, although no packet comes.
///
/// Only workers plan something, and a worker that did so waits no longer than until then. So it happens, whatever the
/// other workers wait for.
pub(super) struct Clock {
    /// From when moments are counted.
    start: Instant,
    limits: Limits,
    drain: Duration,
    plans: Mutex<Plans, rank::Leaf>,
    /// Whether there is any plan: without, nobody takes the lock.
    planned: AtomicBool,
}

/// A point of time in half the room of an [`Instant`]: nanoseconds since the server began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment(u64);

struct Plans {
    sweep: Sweep,
    /// A stop ends by then; `None` if it has no end, or has not begun.
    drain: Option<Instant>,
    draining: bool,
    accept: Option<Instant>,
}

/// What is due.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Due {
    /// The time limits of all connections are to be looked at.
    pub(super) sweep: bool,
    /// The time to drain after a stop is over.
    pub(super) drain: bool,
    /// Accepting is to be tried again.
    pub(super) accept: bool,
}

impl Clock {
    pub(super) fn new(options: &Options) -> Self {
        let limits = Limits::new(options);
        let sweep = Sweep::new(limits);
        let plans = Plans { sweep, drain: None, draining: false, accept: None };
        let planned = AtomicBool::new(false);
        Clock { start: Instant::now(), limits, drain: options.drain, plans: Mutex::new(plans), planned }
    }

    /// How long a worker may wait for packets.
    pub(super) fn timeout(&self) -> Option<Duration> {
        if !self.planned.load(SeqCst) {
            return None;
        }
        let next = self.plans.lock().next()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// What is due now; each is told once.
    pub(super) fn due(&self, now: Instant) -> Due {
        if !self.planned.load(SeqCst) {
            return Due::default();
        }
        let mut plans = self.plans.lock();
        let due = Due {
            sweep: plans.sweep.begin(now),
            drain: plans.drain.take_if(|at| *at <= now).is_some(),
            accept: plans.accept.take_if(|at| *at <= now).is_some(),
        };
        self.planned.store(plans.next().is_some(), SeqCst);
        due
    }

    pub(super) fn moment(&self, at: Instant) -> Moment {
        // They are enough for centuries.
        Moment(at.saturating_duration_since(self.start).as_nanos() as u64)
    }

    /// From when the lull of a connection counts, at a stop, that last moved at `since`.
    pub(super) fn lull_from(&self, since: Moment) -> Moment {
        let since = self.start + Duration::from_nanos(since.0);
        self.moment(self.limits.lull_from(since, Instant::now()))
    }

    /// When a connection that last moved at `since` is over its limit.
    pub(super) fn deadline(&self, patience: Patience, since: Moment) -> Option<Instant> {
        self.limits.deadline(patience, self.start + Duration::from_nanos(since.0))
    }

    /// A connection is over its limit at `deadline`, unless it moves before.
    pub(super) fn plan(&self, deadline: Option<Instant>) {
        if deadline.is_some() {
            self.change(|plans| plans.sweep.plan(deadline));
        }
    }

    /// All connections were looked at; `next` is the earliest limit of those that remain.
    pub(super) fn swept(&self, now: Instant, next: Option<Instant>) {
        self.change(|plans| plans.sweep.swept(now, next));
    }

    /// The server is being stopped, from now on.
    pub(super) fn begin_drain(&self, now: Instant) {
        self.change(|plans| {
            if !std::mem::replace(&mut plans.draining, true) {
                plans.drain = now.checked_add(self.drain);
                plans.sweep.begin_stop(self.limits);
            }
        });
    }

    /// Accepting failed; it is to be tried again in a while.
    pub(super) fn accept_later(&self, now: Instant) {
        self.change(|plans| {
            plans.accept.get_or_insert(now + ACCEPT_AGAIN);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Plans)) {
        let mut plans = self.plans.lock();
        change(&mut plans);
        self.planned.store(plans.next().is_some(), SeqCst);
    }
}

impl Plans {
    fn next(&self) -> Option<Instant> {
        [self.sweep.due(), self.drain, self.accept].into_iter().flatten().min()
    }
}
