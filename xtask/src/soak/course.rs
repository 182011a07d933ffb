//! The course of a soak: what the server has and what its clients have done, several times a second.

use super::ledger::{Counts, Ledger};
use super::vitals::Vitals;
use anyhow::Context;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);

/// What lies between the phases.
pub(super) const LULL: &str = "lull";

/// One moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) phase: &'static str,
    pub(super) vitals: Vitals,
    pub(super) counts: Counts,
}

/// The course of one model's soak.
pub(super) struct Course<'a> {
    begun: Instant,
    ledger: &'a Ledger,
    pid: u32,
    now: Mutex<(&'static str, Vec<Sample>)>,
}

impl<'a> Course<'a> {
    pub(super) fn of(pid: u32, ledger: &'a Ledger) -> Course<'a> {
        Course { begun: Instant::now(), ledger, pid, now: Mutex::new((LULL, Vec::new())) }
    }

    /// Records what goes on while `work` does it.
    pub(super) fn record<R>(&self, work: impl FnOnce() -> R) -> R {
        let (over, is_over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(INTERVAL) {
                    self.sample();
                }
            });
            let outcome = work();
            drop(over);
            outcome
        })
    }

    /// Says what begins now.
    pub(super) fn enter(&self, phase: &'static str) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0 = phase;
    }

    fn sample(&self) {
        match Vitals::of(self.pid) {
            Ok(vitals) => {
                let (seconds, counts) = (self.begun.elapsed().as_secs_f64(), self.ledger.counts());
                let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
                let phase = now.0;
                now.1.push(Sample { seconds, phase, vitals, counts });
            }
            Err(error) => self.ledger.fault("the server", format!("{error:#}")),
        }
    }

    pub(super) fn samples(self) -> Vec<Sample> {
        self.now.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// Writes the samples as a table of comma-separated values.
pub(super) fn write(samples: &[Sample], file: &Path) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(file).with_context(|| file.display().to_string())?;
    table.write_record([
        "seconds",
        "phase",
        "pss_bytes",
        "anonymous_bytes",
        "descriptors",
        "threads",
        "connections",
        "messages",
        "bytes_back",
        "resets",
        "kills",
        "limit_moves",
        "faults",
    ])?;
    for Sample { seconds, phase, vitals, counts } in samples {
        let numbers = [
            vitals.pss_bytes,
            vitals.anonymous_bytes,
            vitals.descriptors,
            vitals.threads,
            counts.connections(),
            counts.all_messages(),
            counts.bytes_back,
            counts.resets,
            counts.kills,
            counts.limit_moves,
            counts.faults,
        ];
        let row = [format!("{seconds:.2}"), (*phase).to_owned()].into_iter().chain(numbers.map(|n| n.to_string()));
        table.write_record(row)?;
    }
    table.flush().with_context(|| file.display().to_string())
}
