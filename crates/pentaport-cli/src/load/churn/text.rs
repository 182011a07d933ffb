//! A churn's report as people read it, and what is wrong with it.

use super::ChurnReport;
use crate::failure::Failure;
use crate::load::text::{failure_lines, latency, which};
use crate::text::{count, plural, three_digits};

pub(crate) fn report_text(report: &ChurnReport) -> String {
    let mut lines = vec![
        (
            "churn",
            format!(
                "{} at a time to {}, one message of {} each, {}",
                plural(report.at_a_time as u64, "connection"),
                report.address,
                plural(report.message_bytes as u64, "byte"),
                plural(report.threads as u64, "thread"),
            ),
        ),
        (
            "connections",
            format!(
                "{} in {} s, {} per second",
                count(report.connections),
                three_digits(report.elapsed_seconds),
                count(report.connections_per_second.round() as u64),
            ),
        ),
    ];
    if report.interrupted {
        lines.push(("interrupted", "before the time was over; connections under way are not counted".to_owned()));
    }
    lines.push(("latency", format!("{} (connect to answer)", latency(&report.latency_us))));
    lines.push(("checked", format!("{} came back right", plural(report.bytes_checked, "byte"))));
    lines.extend(failure_lines(report.failed, &report.failures));
    crate::load::text::table(&lines)
}

/// An error if anything failed, told by the first failure.
pub(crate) fn verdict(report: &ChurnReport) -> anyhow::Result<()> {
    let Some(first) = report.failures.first() else { return Ok(()) };
    let of = report.connections + report.failed as u64;
    Err(Failure::new(
        format!(
            "{} of {} failed; first {}: {}",
            count(report.failed as u64),
            plural(of, "connection"),
            which(first),
            first.what
        ),
        first.hint,
    )
    .into())
}
