//! That descriptors, handles, threads and memory come back to where they were.

use crate::report;
use conformance::raw::{Event, tcp};
use std::time::{Duration, Instant};

/// What a process has of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// The places of the handle table that were ever used: those that are given back are used again.
    pub handles: usize,
    /// Resident memory in kilobytes.
    pub memory: usize,
}

/// How much more there may be than after the first sequences.
const MORE: Level = Level { descriptors: 64, threads: 16, handles: 1200, memory: 128 << 10 };

/// How long what is closed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

impl Level {
    /// What there is now.
    pub(crate) fn now() -> Level {
        let entries = |path: &str| std::fs::read_dir(path).map_or(0, Iterator::count);
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0);
        let place = |handle: usize| handle >> 2 & 0x1F_FFFF;
        let handles = place(Event::manual(false).handle()).max(place(tcp().raw()));
        Level { descriptors: entries("/proc/self/fd"), threads: entries("/proc/self/task"), handles, memory: pages * 4 }
    }

    /// The larger of both, of each.
    #[must_use]
    pub(crate) fn max(self, other: Level) -> Level {
        Level {
            descriptors: self.descriptors.max(other.descriptors),
            threads: self.threads.max(other.threads),
            handles: self.handles.max(other.handles),
            memory: self.memory.max(other.memory),
        }
    }

    fn exceeds(&self, before: &Level) -> Option<String> {
        let parts = [
            ("descriptors", self.descriptors, before.descriptors + MORE.descriptors),
            ("threads", self.threads, before.threads + MORE.threads),
            ("handles", self.handles, before.handles + MORE.handles),
            ("kilobytes of memory", self.memory, before.memory + MORE.memory),
        ];
        let (name, now, limit) = parts.into_iter().find(|&(_, now, limit)| now > limit)?;
        Some(format!("{now} {name}, more than {limit}: something is not given back"))
    }

    /// Compares with what there was after the first sequences; a leak is a fault.
    pub(crate) fn compare(before: &Level) {
        let end = Instant::now() + PATIENCE;
        while let Some(excess) = Level::now().exceeds(before) {
            if Instant::now() > end {
                report::fault_of_current(&excess);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
