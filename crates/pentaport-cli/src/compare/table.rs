//! The result of a comparison as a table for people, in Markdown, so that it can be kept in a document.

use super::report::{Cell, Report, Settings, Spread};
use crate::text::{bytes, count, micros, plural, three_digits};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// The table with a line on how it was made.
pub(super) fn text(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header(report));
    for cell in &report.results {
        table.add_row(row(cell, report.yardstick.is_some()));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n\n{}{}\n", table, failures(report), how(report))
}

fn header(report: &Report) -> Vec<String> {
    let counted = if report.settings.churn { "connection" } else { "message" };
    let mut header: Vec<String> = ["model", "connections"].map(str::to_owned).into();
    header.push(format!("{counted}s/s"));
    header.extend(["p50", "p99", "p99.9"].map(str::to_owned));
    header.push(format!("server CPU µs/{counted}"));
    header.extend(report.yardstick.as_ref().map(|name| format!("CPU / {name}")));
    header.extend(["threads", "memory/connection"].map(str::to_owned));
    header
}

fn row(cell: &Cell, ratio: bool) -> Vec<String> {
    let mut row = vec![
        cell.name.clone(),
        count(cell.connections as u64),
        median(cell.messages_per_second, |n| count(n.round() as u64)),
        median(cell.p50_us, micros),
        median(cell.p99_us, micros),
        median(cell.p99_9_us, micros),
        median(cell.server_cpu_us_per_message, three_digits),
    ];
    if ratio {
        row.push(median(cell.cpu_ratio_to_yardstick, |ratio| format!("{ratio:.2}×")));
    }
    row.push(median(cell.server_threads, |n| count(n.round() as u64)));
    row.push(median(cell.memory_per_connection_bytes, bytes));
    row
}

/// A line for each failure, and an empty one.
fn failures(report: &Report) -> String {
    let mut text = String::new();
    for cell in &report.results {
        if let Some(error) = &cell.error {
            let (name, connections) = (&cell.name, plural(cell.connections as u64, "connection"));
            let which = match cell.runs.len() {
                runs if runs == cell.failed_runs => String::new(),
                runs => format!(" in {} of {runs} runs", cell.failed_runs),
            };
            text += &format!("{name} failed with {connections}{which}: {}\n", error.replace('\n', " "));
        }
    }
    if text.is_empty() { text } else { text + "\n" }
}

fn median(spread: Option<Spread>, show: impl Fn(f64) -> String) -> String {
    spread.map_or_else(unknown, |spread| show(spread.median))
}

fn unknown() -> String {
    "–".to_owned()
}

fn how(report: &Report) -> String {
    let settings = &report.settings;
    format!(
        "Echo of {}-byte messages, {}, {} s each{}; {} of the server, {} of the load{}.\n\
         Memory is the growth of the server's process, on Linux of its anonymous pages, divided by its connections: with \
         few of them, that of its beginning.\n\
         {}.{}",
        count(settings.message_bytes as u64),
        match settings {
            Settings { churn: true, .. } => "one on each connection, which is closed then and another made".to_owned(),
            Settings { depth, idle: 0, .. } => format!("{} in flight on each connection", count(*depth as u64)),
            Settings { depth, idle, .. } => format!(
                "{} in flight on each connection, {} besides",
                count(*depth as u64),
                plural(*idle as u64, "idle connection")
            ),
        },
        settings.duration_seconds,
        if settings.runs > 1 { format!(", medians of {} runs", settings.runs) } else { String::new() },
        plural(settings.server_threads as u64, "thread"),
        plural(settings.load_threads as u64, "thread"),
        if settings.pinned { ", each on a CPU of its own" } else { "" },
        report.machine.line(),
        if report.interrupted { "\nInterrupted: rows are missing, or are of fewer runs." } else { "" },
    )
}
