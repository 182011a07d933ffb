//! What a server has done so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Close;

/// What a server has done so far: [`Handle::totals`](crate::Handle::totals) while it runs, and the result of
/// [`Server::run`](crate::Server::run).
///
/// Each connection that was accepted ends in one of `closed`, `reset`, `timed_out`, `stopped` and `failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Connections that were served.
    pub accepted: u64,
    /// Connections that were refused, by the limit or by the service.
    pub refused: u64,
    /// Connections that ended in order, by the peer or by the service.
    pub closed: u64,
    /// Connections that the peer reset.
    pub reset: u64,
    /// Connections that were idle for too long.
    pub timed_out: u64,
    /// Connections that ended since the server was stopped.
    pub stopped: u64,
    /// Connections that failed otherwise, or whose handler panicked.
    pub failed: u64,
    /// Connections, among all of those, that lost bytes: such as were queued for them or, as the server stopped, such as
    /// they had sent and were not answered. Their clients see a reset unless they have ended the connection themselves,
    /// or sent on after the server's end of it.
    pub cut_off: u64,
    /// Times that no connection could be accepted for want of descriptors or memory. The clients wait, and the server
    /// goes on when there are some again.
    pub accept_errors: u64,
    /// Times that there was no thread for a connection ([`Model::ThreadPerClient`](crate::Model::ThreadPerClient)). The
    /// clients wait, and the server goes on when there is one.
    pub thread_errors: u64,
    /// Bytes that the service received. What comes after the end of a connection, and is thrown away, is not among them.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// The most bytes that ever waited to be sent on one connection.
    pub queue_peak: u64,
    /// Times that a thread of the server came back from a wait. It stands still while nothing happens.
    pub wakeups: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted, {} closed, {} reset", self.accepted, self.closed, self.reset)?;
        let rare = [
            (self.refused, "refused"),
            (self.timed_out, "timed out"),
            (self.stopped, "stopped"),
            (self.failed, "failed"),
            (self.cut_off, "cut off"),
            (self.accept_errors, "accept errors"),
            (self.thread_errors, "thread errors"),
        ];
        for (count, what) in rare.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        write!(f, "; {} bytes in, {} bytes out", self.bytes_in, self.bytes_out)
    }
}

/// The counters behind [`Totals`]. Each worker counts in a lane of its own, so that no cache line travels between
/// processors for every message.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    lanes: [Lane; LANES],
}

/// More lanes than most servers have workers; when there are more, they share.
const LANES: usize = 16;

/// One worker's counters; 128 bytes are two cache lines, which processors fetch in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Lane {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) cut_off: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
    pub(crate) thread_errors: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    pub(crate) wakeups: AtomicU64,
    queue_peak: AtomicU64,
    ended: [AtomicU64; 5],
}

/// What a worker counts for itself while it handles several messages, and then [adds](Lane::add) to its lane: an atomic
/// instruction for each message would be felt.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Counters {
    /// The lane for the worker of that number.
    pub(crate) fn lane(&self, worker: usize) -> &Lane {
        &self.lanes[worker % LANES]
    }

    /// The sum over all lanes.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for lane in &self.lanes {
            totals.accepted += lane.accepted.load(Relaxed);
            totals.refused += lane.refused.load(Relaxed);
            totals.closed += lane.ended[0].load(Relaxed);
            totals.reset += lane.ended[1].load(Relaxed);
            totals.timed_out += lane.ended[2].load(Relaxed);
            totals.stopped += lane.ended[3].load(Relaxed);
            totals.failed += lane.ended[4].load(Relaxed);
            totals.cut_off += lane.cut_off.load(Relaxed);
            totals.accept_errors += lane.accept_errors.load(Relaxed);
            totals.thread_errors += lane.thread_errors.load(Relaxed);
            totals.bytes_in += lane.bytes_in.load(Relaxed);
            totals.bytes_out += lane.bytes_out.load(Relaxed);
            totals.queue_peak = totals.queue_peak.max(lane.queue_peak.load(Relaxed));
            totals.wakeups += lane.wakeups.load(Relaxed);
        }
        totals
    }
}

impl Lane {
    /// Counts a connection that ended.
    pub(crate) fn ended(&self, why: Close) {
        let index = match why {
            Close::Peer | Close::Service => 0,
            Close::Reset => 1,
            Close::Idle => 2,
            Close::Stopped => 3,
            Close::Failed => 4,
        };
        self.ended[index].fetch_add(1, Relaxed);
    }

    /// Adds what was tallied, and begins a new tally.
    pub(crate) fn add(&self, tally: &mut Tally) {
        let Tally { bytes_in, bytes_out } = std::mem::take(tally);
        if bytes_in > 0 {
            self.bytes_in.fetch_add(bytes_in, Relaxed);
        }
        if bytes_out > 0 {
            self.bytes_out.fetch_add(bytes_out, Relaxed);
        }
    }

    /// Notes that so many bytes wait on one connection.
    pub(crate) fn queued(&self, bytes: usize) {
        let bytes = bytes as u64;
        if bytes > self.queue_peak.load(Relaxed) {
            self.queue_peak.fetch_max(bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_sum_all_lanes() {
        let counters = Counters::default();
        for worker in 0..40 {
            counters.lane(worker).accepted.fetch_add(1, Relaxed);
            counters.lane(worker).queued(worker);
        }
        let mut tally = Tally { bytes_in: 3, bytes_out: 4 };
        counters.lane(3).add(&mut tally);
        counters.lane(3).add(&mut tally);
        counters.lane(3).ended(Close::Reset);
        counters.lane(4).ended(Close::Service);
        let totals = counters.totals();
        assert_eq!((totals.accepted, totals.queue_peak), (40, 39));
        assert_eq!((totals.bytes_in, totals.bytes_out), (3, 4));
        assert_eq!((totals.closed, totals.reset, totals.failed), (1, 1, 0));
    }

    #[test]
    fn what_never_happened_is_not_printed() {
        let totals = Totals { accepted: 3, closed: 2, refused: 1, bytes_in: 10, ..Totals::default() };
        assert_eq!(totals.to_string(), "3 accepted, 2 closed, 0 reset, 1 refused; 10 bytes in, 0 bytes out");
    }
}
