//! What a load found.

use super::LoadOptions;
use super::connection::Connection;
use super::fault::Fault;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Kinds of failures told in full; the rest is counted.
const EXAMPLES: usize = 10;
/// Latencies above it count as it: an hour, in nanoseconds.
const LONGEST_LATENCY: u64 = 3_600_000_000_000;

/// How long messages took, in nanoseconds.
pub(crate) type Latencies = Histogram<u64>;

/// What one worker counted.
pub(super) struct Tally {
    pub(super) latencies: Histogram<u64>,
    pub(super) messages: u64,
    /// Bytes that came back and were right, the first message of each connection included.
    pub(super) bytes: u64,
    /// When the last message came back, in nanoseconds since the start.
    last: u64,
    /// Messages of the schedule that could not be started in time.
    pub(super) unsent: u64,
    /// Ended by Ctrl-C, before it was done.
    pub(super) interrupted: bool,
    pub(super) faults: Vec<(usize, Option<SocketAddr>, Fault)>,
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally {
            latencies: new_histogram(),
            messages: 0,
            bytes: 0,
            last: 0,
            unsent: 0,
            interrupted: false,
            faults: Vec::new(),
        }
    }

    /// Counts a message that came back `now` and whose latency counts from `due`.
    pub(super) fn record(&mut self, now: u64, due: u64) {
        self.latencies.saturating_record(now.saturating_sub(due));
        self.messages += 1;
        self.last = now;
    }

    /// Counts the bytes of a connection that is done.
    pub(super) fn close(&mut self, connection: &Connection) {
        self.bytes += connection.received();
    }

    pub(super) fn fail(&mut self, number: usize, local: Option<SocketAddr>, fault: Fault) {
        self.faults.push((number, local, fault));
    }

    /// What all workers counted.
    pub(super) fn of_all(tallies: Vec<Tally>) -> Tally {
        let mut all = Tally::new();
        for mut tally in tallies {
            all.latencies.add(&tally.latencies).expect("histograms of the same bounds add up");
            all.messages += tally.messages;
            all.bytes += tally.bytes;
            all.last = all.last.max(tally.last);
            all.unsent += tally.unsent;
            all.interrupted |= tally.interrupted;
            all.faults.append(&mut tally.faults);
        }
        all
    }

    /// How long it took, in seconds, if messages were started for the time `loaded`.
    pub(super) fn elapsed_seconds(&self, loaded: Duration) -> f64 {
        // A slow rate may leave the end of the run without messages.
        let whole = if self.faults.is_empty() { loaded.as_secs_f64() } else { 0.0 };
        whole.max(self.last as f64 / 1e9)
    }

    /// How many come back in a second, if `elapsed_seconds` is how long it took.
    pub(super) fn per_second(&self, elapsed_seconds: f64) -> f64 {
        if self.messages == 0 { 0.0 } else { self.messages as f64 / elapsed_seconds }
    }

    /// How many connections failed in which way.
    pub(super) fn failures_by_kind(&self) -> BTreeMap<&'static str, usize> {
        let mut by_kind = BTreeMap::new();
        for (_, _, fault) in &self.faults {
            *by_kind.entry(fault.kind()).or_insert(0) += 1;
        }
        by_kind
    }
}

/// What a load found, in the shape in which `--json` prints it. Times in seconds or microseconds,
/// as the names say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoadReport {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) idle: usize,
    pub(crate) message_bytes: usize,
    pub(crate) depth: usize,
    pub(crate) threads: usize,
    /// Messages per second that were asked for.
    pub(crate) rate: Option<f64>,
    /// Ctrl-C ended it before its time was over; the messages in flight are not counted.
    pub(crate) interrupted: bool,
    pub(crate) elapsed_seconds: f64,
    pub(crate) messages: u64,
    pub(crate) messages_per_second: f64,
    /// All of them right.
    pub(crate) bytes_checked: u64,
    /// From a message to its answer.
    pub(crate) latency_us: Latency,
    #[serde(skip)]
    pub(crate) latencies: Latencies,
    /// Latencies count from the time at which a message was due, not from when it could be sent.
    pub(crate) corrected: bool,
    /// Messages that were due in the run and could not be sent: the server was slower than the rate.
    pub(crate) unsent: u64,
    /// Connections that failed.
    pub(crate) failed: usize,
    /// How many failed in which way.
    pub(crate) failures_by_kind: BTreeMap<&'static str, usize>,
    /// The first of them; those that failed alike are one.
    pub(crate) failures: Vec<ConnectionFailure>,
}

/// Percentiles of a time in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    #[serde(rename = "p99.9")]
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

/// Connections that failed alike.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ConnectionFailure {
    /// How many they are.
    pub(crate) connections: usize,
    /// The first of them, counted from 1.
    pub(crate) connection: usize,
    /// Of the first of them.
    pub(crate) local_address: Option<SocketAddr>,
    pub(crate) kind: &'static str,
    pub(crate) what: String,
    #[serde(skip)]
    pub(crate) hint: &'static str,
}

impl LoadReport {
    /// `loaded`: how long messages were started for.
    pub(super) fn new(options: &LoadOptions, threads: usize, loaded: Duration, tallies: Vec<Tally>) -> LoadReport {
        let all = Tally::of_all(tallies);
        let elapsed_seconds = all.elapsed_seconds(loaded);
        LoadReport {
            address: options.address,
            connections: options.connections,
            idle: options.idle,
            message_bytes: options.message,
            depth: options.depth,
            threads,
            rate: options.rate,
            interrupted: all.interrupted,
            elapsed_seconds,
            messages: all.messages,
            messages_per_second: all.per_second(elapsed_seconds),
            bytes_checked: all.bytes,
            latency_us: Latency::of(&all.latencies),
            corrected: options.rate.is_some(),
            unsent: all.unsent,
            failed: all.faults.len(),
            failures_by_kind: all.failures_by_kind(),
            failures: first_failures(&all.faults),
            latencies: all.latencies,
        }
    }
}

impl Latency {
    pub(super) fn of(histogram: &Histogram<u64>) -> Latency {
        let us = |ns: u64| ns as f64 / 1e3;
        let quantile = |q| us(histogram.value_at_quantile(q));
        Latency {
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            max: us(histogram.max()),
            mean: histogram.mean() / 1e3,
        }
    }
}

pub(super) fn first_failures(faults: &[(usize, Option<SocketAddr>, Fault)]) -> Vec<ConnectionFailure> {
    let mut failures: Vec<ConnectionFailure> = Vec::new();
    for (number, local_address, fault) in faults {
        let what = fault.to_string();
        if let Some(alike) = failures.iter_mut().find(|failure| failure.what == what) {
            alike.connections += 1;
        } else if failures.len() < EXAMPLES {
            failures.push(ConnectionFailure {
                connections: 1,
                connection: number + 1,
                local_address: *local_address,
                kind: fault.kind(),
                what,
                hint: fault.hint(),
            });
        }
    }
    failures
}

pub(crate) fn new_histogram() -> Latencies {
    Histogram::new_with_bounds(1, LONGEST_LATENCY, 3).expect("constant bounds that are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_failed_alike_are_one_line_with_their_count() {
        let mut faults: Vec<_> = (0..1000).map(|number| (number, None, Fault::Reset { missing: 64 })).collect();
        faults.insert(1, (1000, None, Fault::Unasked));
        faults.extend((0..1000).map(|missing| (2000, None, Fault::Closed { missing })));
        let failures = first_failures(&faults);
        assert_eq!(failures.len(), EXAMPLES);
        assert_eq!((failures[0].connections, failures[0].connection, failures[0].kind), (1000, 1, "reset"));
        assert_eq!((failures[1].connections, failures[1].connection, failures[1].kind), (1, 1001, "unasked"));
        assert!(failures[2..].iter().all(|failure| failure.connections == 1));
    }
}
