//! One measurement: one server, one number of connections, once.

use super::pin::Pin;
use super::subject::{Running, Subject};
use crate::load::{LoadOptions, LoadSession, command};
use crate::process;
use serde::Serialize;
use std::time::Duration;

/// What each server is loaded with.
pub(super) struct Load {
    pub(super) connections: usize,
    /// Connections besides, which send nothing.
    pub(super) idle: usize,
    pub(super) message: usize,
    pub(super) depth: usize,
    pub(super) duration: Duration,
    pub(super) threads: usize,
    pub(super) timeout: Duration,
}

/// What one measurement found, in the shape in which `--json` writes it.
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
    /// Growth of its memory from before connecting until before closing, for each connection, idle or not.
    pub(super) memory_per_connection_bytes: f64,
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
    let unconnected = usage();
    let mut session = LoadSession::connect(&options, |_| {})?;
    let connected = usage();
    let report = session.run(|_, _| {});
    let loaded = usage();
    let threads = server.pid().and_then(process::threads);
    drop(session);
    command::verdict(&report)?;
    let process = match (unconnected, connected, loaded) {
        (Some(unconnected), Some(connected), Some(loaded)) => Some(ProcessMeasurement {
            server_cpu_us_per_message: (loaded.cpu.saturating_sub(connected.cpu)).as_secs_f64() * 1e6
                / report.messages.max(1) as f64,
            server_threads: threads,
            memory_per_connection_bytes: loaded.memory.saturating_sub(unconnected.memory) as f64
                / (load.connections + load.idle) as f64,
        }),
        _ => None,
    };
    Ok(Measurement {
        messages_per_second: report.messages_per_second,
        p50_us: report.latency_us.p50,
        p99_us: report.latency_us.p99,
        p99_9_us: report.latency_us.p99_9,
        process,
    })
}
