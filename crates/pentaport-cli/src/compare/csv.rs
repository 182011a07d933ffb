//! Every run as a line of CSV, for spreadsheets and statistics programs.

use super::report::{Cell, Report};
use anyhow::Context;
use serde::Serialize;

/// One run.
#[derive(Serialize)]
struct Row<'a> {
    /// Which of the files, from 1.
    run: usize,
    version: &'a str,
    date: &'a str,
    system: &'a str,
    scenario: &'a str,
    connections: usize,
    idle: usize,
    churn: bool,
    message_bytes: usize,
    depth: usize,
    rate: Option<f64>,
    server: &'a str,
    /// It is the second measurement of a model, to be compared with the first.
    control: bool,
    round: usize,
    messages_per_second: Option<f64>,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    #[serde(rename = "p99.9_us")]
    p99_9_us: Option<f64>,
    server_cpu_us_per_message: Option<f64>,
    server_threads: Option<usize>,
    memory_per_connection_bytes: Option<f64>,
    error: Option<&'a str>,
}

/// The lines, with one of names before them.
pub(crate) fn write(reports: &[&Report]) -> anyhow::Result<Vec<u8>> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for (index, report) in reports.iter().enumerate() {
        for scenario in &report.scenarios {
            let controls = report.controls.iter().filter(|cell| cell.scenario == scenario.name);
            let cells = report.cells(scenario).map(|cell| (cell, false)).chain(controls.map(|cell| (cell, true)));
            for (cell, control) in cells {
                for round in 0..cell.runs.len() {
                    let row = Row {
                        run: index + 1,
                        version: &report.version,
                        date: &report.date,
                        system: report.machine.system.as_deref().unwrap_or(""),
                        scenario: &scenario.name,
                        connections: scenario.connections,
                        idle: scenario.idle,
                        churn: scenario.churn,
                        message_bytes: scenario.message_bytes,
                        depth: scenario.depth,
                        rate: scenario.rate,
                        ..Row::of(cell, control, round)
                    };
                    writer.serialize(row).context("cannot write CSV")?;
                }
            }
        }
    }
    writer.into_inner().context("cannot write CSV")
}

impl<'a> Row<'a> {
    /// What a run itself says; the rest is of its scenario and report.
    fn of(cell: &'a Cell, control: bool, round: usize) -> Row<'a> {
        let run = &cell.runs[round];
        let measured = run.measured();
        let process = measured.and_then(|measured| measured.process);
        Row {
            run: 0,
            version: "",
            date: "",
            system: "",
            scenario: "",
            connections: 0,
            idle: 0,
            churn: false,
            message_bytes: 0,
            depth: 0,
            rate: None,
            server: &cell.name,
            control,
            round: round + 1,
            messages_per_second: measured.map(|measured| measured.messages_per_second),
            p50_us: measured.map(|measured| measured.p50_us),
            p99_us: measured.map(|measured| measured.p99_us),
            p99_9_us: measured.map(|measured| measured.p99_9_us),
            server_cpu_us_per_message: process.map(|process| process.server_cpu_us_per_message),
            server_threads: process.and_then(|process| process.server_threads),
            memory_per_connection_bytes: process.and_then(|process| process.memory_per_connection_bytes),
            error: run.error(),
        }
    }
}
