//! `pentaport load`: arguments, progress bar, report.

use super::{LoadOptions, LoadReport, LoadSession};
use crate::failure::Failure;
use crate::interrupt::{self, Interrupted};
use crate::text::{bytes, count, micros, plural};
use crate::{address, output, text, value};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
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
    #[arg(short, long, value_name = "C", default_value = "64", value_parser = value::at_least_one)]
    connections: usize,
    /// Further connections that stay open and send nothing.
    #[arg(long, value_name = "N", default_value = "0")]
    idle: usize,
    /// Size of a message.
    #[arg(short, long, value_name = "BYTES", default_value = "64", value_parser = value::message_size)]
    message: usize,
    /// Messages in flight on each connection.
    #[arg(long, value_name = "D", default_value = "1", value_parser = value::depth)]
    depth: usize,
    /// How long to load.
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    duration: Duration,
    /// Threads of the load generator [default: half of the CPUs, since the server needs some].
    #[arg(short, long, value_name = "N", value_parser = value::threads)]
    threads: Option<usize>,
    /// Messages per second over all connections [default: as fast as answers come].
    ///
    /// Latency then counts from the time at which a message was due, so that a server that keeps
    /// the client from sending is not forgiven the wait (no coordinated omission).
    #[arg(short, long, value_name = "R", value_parser = value::rate)]
    rate: Option<f64>,
    /// How long a connection may wait for its next byte.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
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
    let report = load(&options)?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).context("cannot write JSON")?;
        output::write(json + "\n")?;
    } else {
        output::write(report_text(&report))?;
    }
    verdict(&report)?;
    if report.interrupted { Err(Interrupted.into()) } else { Ok(()) }
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
    let which = match first.local_address {
        Some(local) => format!("connection {} from {local}", first.connection),
        None => format!("connection {}", first.connection),
    };
    Err(Failure::new(
        format!(
            "{} of {} failed; first {which}: {}",
            count(report.failed as u64),
            plural(of as u64, "connection"),
            first.what
        ),
        first.hint,
    )
    .into())
}

fn load(options: &LoadOptions) -> anyhow::Result<LoadReport> {
    let all = (options.connections as u64).saturating_add(options.idle as u64);
    // On a terminal only: indicatif draws nothing elsewhere.
    let bar = ProgressBar::new(all).with_style(style("connecting {bar:30} {pos}/{len}"));
    let mut session =
        LoadSession::connect(options, |open| bar.set_position(open)).inspect_err(|_| bar.finish_and_clear())?;
    bar.set_style(style("loading {bar:30} {msg}"));
    bar.set_length(options.duration.as_millis() as u64);
    let report = session.run(|elapsed, messages| {
        bar.set_position(elapsed.as_millis() as u64);
        bar.set_message(format!("{} messages", count(messages)));
    });
    bar.finish_and_clear();
    Ok(report)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn report_text(report: &LoadReport) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<12} {value}");
    };
    let mut setup = format!(
        "{} to {}, {}-byte messages, {} in flight each, {}",
        plural(report.connections as u64, "connection"),
        report.address,
        count(report.message_bytes as u64),
        count(report.depth as u64),
        plural(report.threads as u64, "thread"),
    );
    if report.idle > 0 {
        let _ = write!(setup, ", {} idle besides", plural(report.idle as u64, "connection"));
    }
    line("load", setup);
    line(
        "messages",
        format!(
            "{} in {} s, {} per second, {}/s each way",
            count(report.messages),
            text::three_digits(report.elapsed_seconds),
            count(report.messages_per_second.round() as u64),
            bytes(report.messages_per_second * report.message_bytes as f64),
        ),
    );
    if report.interrupted {
        line("interrupted", "before the time was over; messages in flight are not counted".to_owned());
    }
    let latency = &report.latency_us;
    line(
        "latency",
        format!(
            "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
            micros(latency.p50),
            micros(latency.p90),
            micros(latency.p99),
            micros(latency.p99_9),
            micros(latency.max),
        ),
    );
    if let Some(rate) = report.rate {
        line("rate", format!("{rate} per second asked for; latency counts from when it was due"));
    }
    if report.unsent > 0 {
        let unsent = plural(report.unsent, "message");
        line("unsent", format!("{unsent} due that could not be sent: too slow a server or too little depth"));
    }
    line("checked", format!("{} came back right", plural(report.bytes_checked, "byte")));
    let failed = match report.failed {
        0 => "none".to_owned(),
        n => plural(n as u64, "connection"),
    };
    line("failures", failed);
    for failure in &report.failures {
        let which = match failure.connections {
            1 => format!("connection {}", failure.connection),
            n => plural(n as u64, "connection"),
        };
        line("", format!("{which}: {}", failure.what));
    }
    let told: usize = report.failures.iter().map(|failure| failure.connections).sum();
    if report.failed > told {
        line("", format!("and {} more", count((report.failed - told) as u64)));
    }
    text
}
