//! One measurement: one server, one number of connections, once.

use super::pin::Pin;
use super::subject::{Running, Subject};
use crate::load::report::Latency;
use crate::load::{LoadOptions, LoadSession, churn, command};
use crate::process::{self, Usage};
use serde::Serialize;
use std::thread;
use std::time::{Duration, Instant};

/// How often a server is looked at that is to come to rest, and how long at most.
const GLANCE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

/// What each server is loaded with.
pub(super) struct Load {
    pub(super) connections: usize,
    /// Each connection is closed after one message, and another one made.
    pub(super) churn: bool,
    /// Connections besides, which send nothing.
    pub(super) idle: usize,
    pub(super) message: usize,
    pub(super) depth: usize,
    pub(super) duration: Duration,
    pub(super) threads: usize,
    pub(super) timeout: Duration,
}

/// What one measurement found, in the shape in which `--json` writes it. In a churn each message is a connection.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Measurement {
    pub(super) messages_per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    #[serde(rename = "p99.9_us")]
    pub(super) p99_9_us: f64,
    /// The server's; None if its process is not known. So are the others below.
    #[serde(flatten)]
    pub(super) process: Option<ProcessMeasurement>,
}

/// What the server's process used.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ProcessMeasurement {
    /// User and system time from when all connections were open until they closed.
    pub(super) server_cpu_us_per_message: f64,
    /// While loaded; None if the system does not tell.
    pub(super) server_threads: Option<usize>,
    /// Growth of its memory from before connecting until before closing, for each connection, idle or not. None in a churn.
    pub(super) memory_per_connection_bytes: Option<f64>,
}

/// Starts the subject, loads it, and stops it.
pub(super) fn measure(
    subject: &Subject,
    load: &Load,
    server_threads: usize,
    pin: Option<&Pin>,
    seed: u64,
) -> anyhow::Result<Measurement> {
    let server = subject.start(server_threads, pin)?;
    match measure_running(&server, load, seed) {
        Ok(measurement) => server.stop().map(|()| measurement),
        Err(error) => Err(server.explain(error)),
    }
}

fn measure_running(server: &Running, load: &Load, seed: u64) -> anyhow::Result<Measurement> {
    let options = LoadOptions {
        address: server.address(),
        connections: load.connections,
        idle: load.idle,
        message: load.message,
        depth: load.depth,
        duration: load.duration,
        threads: load.threads,
        rate: None,
        timeout: load.timeout,
        seed,
    };
    let usage = || server.pid().and_then(process::usage);
    let before = usage();
    if load.churn {
        let report = churn::churn(&options, |_, _| {})?;
        let after = usage();
        let threads = server.pid().and_then(process::threads);
        churn::verdict(&report)?;
        let process = before.zip(after).map(|(before, after)| ProcessMeasurement {
            server_cpu_us_per_message: cpu_us(before, after, report.connections),
            server_threads: threads,
            memory_per_connection_bytes: None,
        });
        return Ok(Measurement::new(report.connections_per_second, &report.latency_us, process));
    }
    let mut session = LoadSession::connect(&options, |_| {})?;
    if load.idle > 0 {
        // Nothing was exchanged on these: the server may have them yet to accept.
        wait_for_rest(usage);
    }
    let connected = usage();
    let report = session.run(|_, _| {});
    let after = usage();
    let threads = server.pid().and_then(process::threads);
    drop(session);
    command::verdict(&report)?;
    let process = before.zip(connected).zip(after).map(|((before, connected), after)| ProcessMeasurement {
        server_cpu_us_per_message: cpu_us(connected, after, report.messages),
        server_threads: threads,
        memory_per_connection_bytes: Some(
            after.memory.saturating_sub(before.memory) as f64 / (load.connections + load.idle) as f64,
        ),
    });
    Ok(Measurement::new(report.messages_per_second, &report.latency_us, process))
}

/// Waits until a server uses next to no CPU time, or the patience is used up.
fn wait_for_rest(usage: impl Fn() -> Option<Usage>) {
    let start = Instant::now();
    let Some(mut before) = usage() else { return };
    while start.elapsed() < PATIENCE {
        thread::sleep(GLANCE);
        let Some(now) = usage() else { return };
        if now.cpu.saturating_sub(before.cpu) < GLANCE / 20 {
            return;
        }
        before = now;
    }
}

fn cpu_us(before: Usage, after: Usage, messages: u64) -> f64 {
    after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / messages.max(1) as f64
}

impl Measurement {
    fn new(messages_per_second: f64, latency: &Latency, process: Option<ProcessMeasurement>) -> Measurement {
        Measurement { messages_per_second, p50_us: latency.p50, p99_us: latency.p99, p99_9_us: latency.p99_9, process }
    }
}
