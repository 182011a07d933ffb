//! Reports as people read them.

use super::LoadReport;
use super::report::{ConnectionFailure, Latency};
use crate::text::{bytes, count, micros, plural, three_digits};
use std::fmt::Write;

/// A line of a report: its name and what it says.
pub(super) type Line = (&'static str, String);

pub(super) fn report_text(report: &LoadReport) -> String {
    let mut setup = format!(
        "{} to {}, {}-byte messages, {} in flight each, {}",
        plural(report.connections as u64, "connection"),
        report.address,
        count(report.message_bytes as u64),
        count(report.depth as u64),
        plural(report.threads as u64, "thread"),
    );
    if report.idle > 0 {
        // Writing to a String cannot fail.
        let _ = write!(setup, ", {} idle besides", plural(report.idle as u64, "connection"));
    }
    let messages = format!(
        "{} in {} s, {} per second, {}/s each way",
        count(report.messages),
        three_digits(report.elapsed_seconds),
        count(report.messages_per_second.round() as u64),
        bytes(report.messages_per_second * report.message_bytes as f64),
    );
    let mut lines = vec![("load", setup), ("messages", messages)];
    if report.interrupted {
        lines.push(("interrupted", "before the time was over; messages in flight are not counted".to_owned()));
    }
    lines.push(("latency", latency(&report.latency_us)));
    if let Some(rate) = report.rate {
        lines.push(("rate", format!("{rate} per second asked for; latency counts from when it was due")));
    }
    if report.unsent > 0 {
        let unsent = plural(report.unsent, "message");
        lines.push(("unsent", format!("{unsent} due that could not be sent: too slow a server or too little depth")));
    }
    lines.push(("checked", format!("{} came back right", plural(report.bytes_checked, "byte"))));
    lines.extend(failure_lines(report.failed, &report.failures));
    table(&lines)
}

pub(super) fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<12} {value}");
    }
    text
}

pub(super) fn latency(latency: &Latency) -> String {
    format!(
        "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
        micros(latency.p50),
        micros(latency.p90),
        micros(latency.p99),
        micros(latency.p99_9),
        micros(latency.max),
    )
}

pub(super) fn failure_lines(failed: usize, failures: &[ConnectionFailure]) -> Vec<Line> {
    let all = match failed {
        0 => "none".to_owned(),
        n => plural(n as u64, "connection"),
    };
    let mut lines = vec![("failures", all)];
    for failure in failures {
        let which = match failure.connections {
            1 => format!("connection {}", failure.connection),
            n => plural(n as u64, "connection"),
        };
        lines.push(("", format!("{which}: {}", failure.what)));
    }
    let told: usize = failures.iter().map(|failure| failure.connections).sum();
    if failed > told {
        lines.push(("", format!("and {} more", count((failed - told) as u64))));
    }
    lines
}

/// The first of connections that failed alike.
pub(super) fn which(failure: &ConnectionFailure) -> String {
    match failure.local_address {
        Some(local) => format!("connection {} from {local}", failure.connection),
        None => format!("connection {}", failure.connection),
    }
}
