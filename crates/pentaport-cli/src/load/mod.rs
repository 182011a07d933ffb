//! The load generator: connections that keep messages in flight and check every byte.
//!
//! It stands on `mio` and not on our own engine, so that a fault of the engine that it tests cannot
//! hide itself by being on both sides.
//!
//! Each worker thread owns a share of the connections and one poll. A connection's bytes follow a
//! [`pattern`] of its own in which every position differs, so a byte that is lost, doubled, shifted
//! or a stranger's is seen. [`LoadSession::connect`] opens all connections and exchanges one message
//! on each, so that the server has accepted and knows every one before anything is measured;
//! [`LoadSession::run`] loads; dropping the session closes.

pub(crate) mod churn;
pub(crate) mod command;
mod connection;
mod fault;
pub(crate) mod hgrm;
pub(crate) mod live;
mod opening;
mod opening_fault;
mod pattern;
pub(crate) mod report;
mod schedule;
mod text;
mod worker;

pub(crate) use report::{Latencies, LoadReport};

use crate::interrupt::Interrupted;
use crate::limits;
use live::Live;
use opening::Progress;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use worker::Worker;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// What to load, and how.
#[derive(Clone, Debug)]
pub(crate) struct LoadOptions {
    pub(crate) address: SocketAddr,
    /// Connections that exchange messages.
    pub(crate) connections: usize,
    /// Connections besides, which stay open and send nothing.
    pub(crate) idle: usize,
    /// Bytes of a message.
    pub(crate) message: usize,
    /// Messages in flight on each connection.
    pub(crate) depth: usize,
    pub(crate) duration: Duration,
    pub(crate) threads: usize,
    /// Messages per second over all connections; None: as fast as the answers come.
    pub(crate) rate: Option<f64>,
    /// How long a connection may wait for its first or next byte.
    pub(crate) timeout: Duration,
    /// Makes the bytes sent.
    pub(crate) seed: u64,
}

/// Open connections, ready to run.
pub(crate) struct LoadSession {
    options: LoadOptions,
    workers: Vec<Worker>,
}

impl LoadSession {
    /// Opens all connections and exchanges one message on each active one. Any failure ends it.
    ///
    /// `progress` counts the connections that are open.
    pub(crate) fn connect(options: &LoadOptions, mut progress: impl FnMut(u64)) -> anyhow::Result<LoadSession> {
        limits::allow_connections((options.connections as u64).saturating_add(options.idle as u64))?;
        let threads = options.threads.min(options.connections + options.idle).max(1);
        let opening = Progress::default();
        let outcomes = in_threads(
            (0..threads).collect(),
            |index| {
                let outcome = Worker::connect(options, index, threads, &opening);
                if outcome.is_err() {
                    opening.give_up.store(true, Ordering::Relaxed);
                }
                outcome
            },
            || progress(opening.opened.load(Ordering::Relaxed)),
        );
        let mut workers = Vec::with_capacity(threads);
        let mut failure = None;
        for outcome in outcomes {
            match outcome {
                Ok(Some(worker)) => workers.push(worker),
                Ok(None) => {} // gave up since another failed, or by Ctrl-C
                Err(fault) => failure = failure.or(Some(fault)),
            }
        }
        match failure {
            Some(fault) => Err(fault.error(options, &opening)),
            None if workers.len() < threads => Err(Interrupted.into()),
            None => Ok(LoadSession { options: options.clone(), workers }),
        }
    }

    /// Loads for the duration, then waits for the messages in flight; Ctrl-C ends it at once. The connections stay open.
    ///
    /// `progress` is told the time since the start and the messages that have come back, `live` how long they took.
    pub(crate) fn run(&mut self, live: Option<&Live>, progress: impl FnMut(Duration, u64)) -> LoadReport {
        self.run_for(self.options.duration, live, progress)
    }

    /// The same for another duration, to warm up.
    pub(crate) fn run_for(
        &mut self,
        duration: Duration,
        live: Option<&Live>,
        mut progress: impl FnMut(Duration, u64),
    ) -> LoadReport {
        let messages = AtomicU64::new(0);
        let start = Instant::now();
        let options = &LoadOptions { duration, ..self.options.clone() };
        let tallies = in_threads(
            self.workers.iter_mut().collect(),
            |worker| worker.run(options, start, &messages, live),
            || progress(start.elapsed(), messages.load(Ordering::Relaxed)),
        );
        let loaded = options.duration.min(start.elapsed());
        LoadReport::new(options, self.workers.len(), loaded, tallies)
    }
}

/// Runs `work` on each item in a thread of its own and calls `tick` meanwhile.
fn in_threads<I: Send, T: Send>(items: Vec<I>, work: impl Fn(I) -> T + Sync, mut tick: impl FnMut()) -> Vec<T> {
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        let work = &work;
        for item in items {
            let sender = sender.clone();
            scope.spawn(move || sender.send(work(item)));
        }
        // The channel closes when the last thread is done.
        drop(sender);
        let mut collected = Vec::new();
        loop {
            match results.recv_timeout(TICK) {
                Ok(result) => collected.push(result),
                Err(mpsc::RecvTimeoutError::Timeout) => tick(),
                Err(mpsc::RecvTimeoutError::Disconnected) => return collected,
            }
        }
    })
}
