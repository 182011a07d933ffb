//! What is measured.

use std::time::Duration;

/// Rounds of a case that a target is judged by: at least 15 pairs.
pub(super) const JUDGED: usize = 15;
/// Rounds of the others: as few as a 95 % interval can be given for.
const SHOWN: usize = 6;

/// One call of `pentaport compare`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// As `--case` takes it.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) connections: usize,
    pub(super) idle: usize,
    pub(super) message: usize,
    pub(super) depth: usize,
    pub(super) churn: bool,
    pub(super) runs: usize,
    pub(super) duration: Duration,
    /// One worker thread on a CPU of its own; else two, anywhere.
    pub(super) pinned: bool,
    pub(super) who: Who,
    /// A remark for the reader.
    pub(super) note: &'static str,
}

/// Which servers take part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Who {
    All,
    /// All but those of [`Who::Slow`].
    Fast,
    /// Models whose cost grows with the number of connections; compared with the plain loop alone.
    Slow,
}

/// Models whose cost grows with the number of connections.
pub(super) const SLOW_MODELS: [&str; 2] = ["thread-per-client", "select"];

/// All models, as `--models` takes them.
pub(super) const MODELS: [&str; 7] = [
    "thread-per-client",
    "select",
    "async-select",
    "event-select",
    "overlapped-event",
    "overlapped-routine",
    "completion-port",
];

const PLAIN: Case = Case {
    name: "",
    title: "",
    connections: 64,
    idle: 0,
    message: 64,
    depth: 1,
    churn: false,
    runs: SHOWN,
    duration: Duration::from_secs(1),
    pinned: true,
    who: Who::All,
    note: "",
};

/// In the order in which they are measured and shown.
pub(super) const CASES: [Case; 13] = [
    Case { name: "64", title: "64 connections", runs: JUDGED, ..PLAIN },
    Case { name: "1000", title: "1,000 connections", connections: 1_000, runs: JUDGED, ..PLAIN },
    Case {
        name: "10000",
        title: "10,000 connections",
        connections: 10_000,
        runs: JUDGED,
        who: Who::Fast,
        note: "thread-per-client and select are in a table of their own below.",
        ..PLAIN
    },
    Case {
        name: "10000-slow",
        title: "10,000 connections: the models whose cost grows with them",
        connections: 10_000,
        who: Who::Slow,
        ..PLAIN
    },
    Case { name: "1MiB", title: "64 connections, messages of 1 MiB", message: 1 << 20, runs: JUDGED, ..PLAIN },
    Case {
        name: "churn",
        title: "Churn: connect, one echo, close; 64 at a time",
        churn: true,
        runs: JUDGED,
        note: "Each figure is of connections: made, served once and closed. Latency is from connecting to the answer.",
        ..PLAIN
    },
    Case {
        name: "idle",
        title: "10,000 idle connections, 100 active",
        connections: 100,
        idle: 10_000,
        note: "Memory is divided by all 10,100.",
        ..PLAIN
    },
    Case { name: "1", title: "1 connection", connections: 1, ..PLAIN },
    Case { name: "1KiB", title: "64 connections, messages of 1 KiB", message: 1 << 10, ..PLAIN },
    Case { name: "16KiB", title: "64 connections, messages of 16 KiB", message: 16 << 10, ..PLAIN },
    Case { name: "depth16", title: "64 connections, 16 messages in flight on each", depth: 16, ..PLAIN },
    Case {
        name: "depth16-1KiB",
        title: "64 connections, 16 messages of 1 KiB in flight on each",
        depth: 16,
        message: 1 << 10,
        ..PLAIN
    },
    Case {
        name: "two-threads",
        title: "64 connections, two worker threads",
        pinned: false,
        note: "Two workers and the load share two CPUs, and nothing is pinned: these figures show that a second worker does \
               no harm. What it gives, a machine with more CPUs has to say.",
        ..PLAIN
    },
];

/// The name of the count of system calls among the cases.
pub(super) const CALLS: &str = "calls";
/// The name of the queues between threads among the cases.
pub(super) const QUEUE: &str = "queue";

impl Case {
    /// How long it takes with so many subjects, roughly.
    pub(super) fn estimate(&self, subjects: usize) -> Duration {
        // Starting and stopping, connecting and closing.
        let around = Duration::from_millis(120) + Duration::from_micros(70) * (self.connections + self.idle) as u32;
        (self.duration + around) * (self.runs * subjects) as u32
    }

    /// The models that take part.
    pub(super) fn models(&self) -> Vec<&'static str> {
        let takes_part = |model: &&str| match self.who {
            Who::All => true,
            Who::Fast => !SLOW_MODELS.contains(model),
            Who::Slow => SLOW_MODELS.contains(model),
        };
        MODELS.into_iter().filter(takes_part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_model_is_measured_at_10_000() {
        let mut names: Vec<_> = CASES.iter().map(|case| case.name).chain([CALLS, QUEUE]).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CASES.len() + 2);
        let at_10_000 = CASES.iter().filter(|case| case.connections == 10_000);
        assert_eq!(at_10_000.map(|case| case.models().len()).sum::<usize>(), MODELS.len());
    }
}
