//! `pentaport load`: arguments, progress bar, report.

use super::churn::{self, ChurnReport, churn};
use super::live::{Live, Shown};
use super::text::{report_text, which};
use super::{Latencies, LoadOptions, LoadReport, LoadSession, hgrm};
use crate::failure::Failure;
use crate::interrupt::{self, Interrupted};
use crate::text::{count, plural};
use crate::{address, output, value};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

/// Load an echo server and check every byte that comes back.
///
/// Each connection keeps messages in flight: as soon as one has come back the next is sent, or when
/// it is due if --rate is given. Ctrl-C ends with the report of what was measured so far. Exit
/// status 1 if a byte was wrong or a connection failed, else 130 after Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server.
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    /// Connections that exchange messages.
    #[arg(short, long, value_name = "C", default_value = "64", allow_hyphen_values = true, value_parser = value::at_least_one)]
    connections: usize,
    /// Further connections that stay open and send nothing.
    #[arg(long, value_name = "N", default_value = "0", allow_hyphen_values = true, value_parser = value::whole)]
    idle: usize,
    /// Size of a message.
    #[arg(short, long, value_name = "BYTES", default_value = "64", allow_hyphen_values = true, value_parser = value::message_size)]
    message: usize,
    /// Messages in flight on each connection.
    #[arg(long, value_name = "D", default_value = "1", allow_hyphen_values = true, value_parser = value::depth)]
    depth: usize,
    /// How long to load.
    #[arg(short, long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true, value_parser = value::duration)]
    duration: Duration,
    /// Threads of the load generator [default: half of the CPUs, since the server needs some].
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, value_parser = value::threads)]
    threads: Option<usize>,
    /// Messages per second over all connections [default: as fast as answers come].
    ///
    /// Latency then counts from the time at which a message was due, so that a server that keeps
    /// the client from sending is not forgiven the wait (no coordinated omission).
    #[arg(short, long, value_name = "R", allow_hyphen_values = true, value_parser = value::rate)]
    rate: Option<f64>,
    /// Close each connection after one message and make another, C at a time; latency counts from connecting.
    ///
    /// Loopback connections come from 127.0.0.1 to 127.0.0.250 in turn, since the ports of closed ones rest for a minute.
    #[arg(long, conflicts_with_all = ["idle", "depth", "rate"])]
    churn: bool,
    /// Load for so long before, and count nothing of it.
    #[arg(long, value_name = "TIME", default_value = "0s", allow_hyphen_values = true, value_parser = value::duration_or_zero)]
    warmup: Duration,
    /// Write all latencies to a file, in microseconds, as HdrHistogram's plotter reads them.
    #[arg(long, value_name = "FILE")]
    hgrm: Option<PathBuf>,
    /// How long a connection may wait for its next byte.
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true, value_parser = value::duration)]
    timeout: Duration,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = LoadOptions {
        address: address::choose(&arguments.address, arguments.timeout)?,
        connections: arguments.connections,
        idle: arguments.idle,
        message: arguments.message,
        depth: arguments.depth,
        duration: arguments.duration,
        threads: arguments.threads.unwrap_or_else(default_threads),
        rate: arguments.rate,
        timeout: arguments.timeout,
        seed: new_seed(),
    };
    interrupt::watch()?;
    let interrupted = if arguments.churn {
        let report = churn_with_bar(&options, arguments.warmup)?;
        keep(&report.latencies, arguments)?;
        tell(&report, arguments.json, churn::report_text)?;
        churn::verdict(&report)?;
        report.interrupted
    } else {
        let report = load(&options, arguments.warmup)?;
        keep(&report.latencies, arguments)?;
        tell(&report, arguments.json, report_text)?;
        verdict(&report)?;
        report.interrupted
    };
    if interrupted { Err(Interrupted.into()) } else { Ok(()) }
}

/// Writes the latencies to the file that was asked for.
fn keep(latencies: &Latencies, arguments: &Arguments) -> anyhow::Result<()> {
    let Some(file) = &arguments.hgrm else { return Ok(()) };
    hgrm::write(file, latencies).map_err(|error| {
        let message = format!("cannot write {}: {error}", file.display());
        Failure::new(message, "--hgrm takes a file in a directory that exists and may be written to").into()
    })
}

fn tell<R: Serialize>(report: &R, json: bool, text: impl FnOnce(&R) -> String) -> anyhow::Result<()> {
    match json {
        true => output::write(serde_json::to_string_pretty(report).context("cannot write JSON")? + "\n"),
        false => output::write(text(report)),
    }
}

/// Half of the CPUs: the server needs the others.
pub(crate) fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get() / 2).max(1)
}

/// A seed that no run before had, so that answers kept from one are not taken for right.
pub(crate) fn new_seed() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}

/// An error if anything failed, told by the first failure.
pub(crate) fn verdict(report: &LoadReport) -> anyhow::Result<()> {
    let Some(first) = report.failures.first() else { return Ok(()) };
    let of = report.connections + report.idle;
    Err(Failure::new(
        format!(
            "{} of {} failed; first {}: {}",
            count(report.failed as u64),
            plural(of as u64, "connection"),
            which(first),
            first.what
        ),
        first.hint,
    )
    .into())
}

fn load(options: &LoadOptions, warmup: Duration) -> anyhow::Result<LoadReport> {
    let all = (options.connections as u64).saturating_add(options.idle as u64);
    // On a terminal only: indicatif draws nothing elsewhere.
    let bar = ProgressBar::new(all).with_style(style("connecting {bar:30} {pos}/{len}"));
    let mut session =
        LoadSession::connect(options, |open| bar.set_position(open)).inspect_err(|_| bar.finish_and_clear())?;
    if !warmup.is_zero() {
        bar.set_style(style("warming up"));
        verdict(&session.run_for(warmup, None, |_, _| bar.tick())).inspect_err(|_| bar.finish_and_clear())?;
    }
    bar.set_style(style("loading {bar:20} {wide_msg}"));
    let (live, shown) = live(&bar, options, "message");
    let report = session.run(live.as_deref(), shown);
    bar.finish_and_clear();
    Ok(report)
}

fn churn_with_bar(options: &LoadOptions, warmup: Duration) -> anyhow::Result<ChurnReport> {
    let bar = ProgressBar::new(0).with_style(style("warming up"));
    if !warmup.is_zero() {
        let report = churn(&LoadOptions { duration: warmup, ..options.clone() }, None, |_, _| bar.tick());
        report.and_then(|report| churn::verdict(&report)).inspect_err(|_| bar.finish_and_clear())?;
    }
    bar.set_style(style("churning {bar:20} {wide_msg}"));
    let (live, shown) = live(&bar, options, "connection");
    let report = churn(options, live.as_deref(), shown);
    bar.finish_and_clear();
    report
}

/// What a bar shows while it runs. Workers tell of latencies only if it is seen.
fn live(
    bar: &ProgressBar,
    options: &LoadOptions,
    noun: &'static str,
) -> (Option<Arc<Live>>, impl FnMut(Duration, u64) + use<>) {
    bar.set_length(options.duration.as_millis() as u64);
    bar.set_position(0);
    let live = (!bar.is_hidden()).then(|| Arc::new(Live::new()));
    let mut shown = live.clone().map(|live| Shown::new(live, noun));
    let bar = bar.clone();
    let show = move |elapsed: Duration, done: u64| {
        let Some(shown) = &mut shown else { return };
        bar.set_position(elapsed.as_millis() as u64);
        bar.set_message(shown.line(elapsed, done).to_owned());
    };
    (live, show)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
