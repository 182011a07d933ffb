//! Churn: connections that connect, exchange one message and close, again and again.
//!
//! Each worker thread keeps its share of the connections under way at a time: as soon as one has its answer it is closed, and
//! the next is begun in its place. The client closes first, in an orderly way, so that the ports wait out their time on
//! its side; [`Source`] has more of them than can be used up.
//!
//! A place whose connection fails stays empty. So a server that refuses everybody ends the run, and failures are bounded.

mod report;
mod source;
mod text;
mod worker;

pub(crate) use report::ChurnReport;
pub(crate) use text::{report_text, verdict};

use super::live::Live;
use super::{LoadOptions, LoadSession, in_threads};
use source::Source;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use worker::Worker;

/// Churns for the duration, then waits for the connections under way; Ctrl-C ends it at once.
///
/// `options.connections` are under way at a time, each with one message of `options.message` bytes; `idle`, `depth` and
/// `rate` say nothing here. `progress` is told the time since the start and the connections that are done, `live` how long they took.
///
/// # Errors
/// One connection is tried before; if not even that one works, the error says why. What fails later is in the report.
pub(crate) fn churn(
    options: &LoadOptions,
    live: Option<&Live>,
    mut progress: impl FnMut(Duration, u64),
) -> anyhow::Result<ChurnReport> {
    let one = LoadOptions { connections: 1, idle: 0, depth: 1, rate: None, threads: 1, ..options.clone() };
    drop(LoadSession::connect(&one, |_| {})?);
    crate::limits::allow_connections(options.connections as u64)?;
    let threads = options.threads.min(options.connections).max(1);
    let source = Source::new(options.address);
    let done = AtomicU64::new(0);
    let start = Instant::now();
    let tallies = in_threads(
        (0..threads).collect(),
        |index| Worker::new(options, &source, index, threads, start).map(|worker| worker.run(&done, live)),
        || progress(start.elapsed(), done.load(Ordering::Relaxed)),
    );
    let tallies = tallies.into_iter().collect::<std::io::Result<_>>()?;
    Ok(ChurnReport::new(options, threads, options.duration.min(start.elapsed()), tallies))
}
