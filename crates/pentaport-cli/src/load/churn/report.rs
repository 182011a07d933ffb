//! What a churn found.

use crate::load::LoadOptions;
use crate::load::report::{ConnectionFailure, Latencies, Latency, Tally, first_failures};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What a churn found, in the shape in which `--json` prints it. Times in seconds or microseconds, as the names say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ChurnReport {
    pub(crate) address: SocketAddr,
    /// Connections under way at a time.
    pub(crate) at_a_time: usize,
    pub(crate) message_bytes: usize,
    pub(crate) threads: usize,
    /// Ctrl-C ended it before its time was over; the connections under way are not counted.
    pub(crate) interrupted: bool,
    pub(crate) elapsed_seconds: f64,
    /// Connections that were made, got the right answer and were closed.
    pub(crate) connections: u64,
    pub(crate) connections_per_second: f64,
    /// All of them right.
    pub(crate) bytes_checked: u64,
    /// From the beginning of a connection to the end of its answer.
    pub(crate) latency_us: Latency,
    #[serde(skip)]
    pub(crate) latencies: Latencies,
    /// Connections that failed.
    pub(crate) failed: usize,
    /// How many failed in which way.
    pub(crate) failures_by_kind: BTreeMap<&'static str, usize>,
    /// The first of them; those that failed alike are one.
    pub(crate) failures: Vec<ConnectionFailure>,
}

impl ChurnReport {
    /// `churned`: how long connections were begun for.
    pub(super) fn new(options: &LoadOptions, threads: usize, churned: Duration, tallies: Vec<Tally>) -> ChurnReport {
        let all = Tally::of_all(tallies);
        let elapsed_seconds = all.elapsed_seconds(churned);
        ChurnReport {
            address: options.address,
            at_a_time: options.connections,
            message_bytes: options.message,
            threads,
            interrupted: all.interrupted,
            elapsed_seconds,
            connections: all.messages,
            connections_per_second: all.per_second(elapsed_seconds),
            bytes_checked: all.bytes,
            latency_us: Latency::of(&all.latencies),
            failed: all.faults.len(),
            failures_by_kind: all.failures_by_kind(),
            failures: first_failures(&all.faults),
            latencies: all.latencies,
        }
    }
}
