//! The result of a comparison, in the shape in which `--json` writes it.

use super::measure::{Measurement, ProcessMeasurement};
use super::subject::Subject;
use crate::machine::Machine;
use serde::Serialize;

/// The whole result.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    command: Vec<String>,
    pub(super) machine: Machine,
    pub(super) settings: Settings,
    /// What the others are compared with.
    pub(super) yardstick: Option<String>,
    /// Ctrl-C ended it: results are missing, or are of fewer runs.
    pub(super) interrupted: bool,
    pub(super) results: Vec<Cell>,
}

/// How it was measured.
#[derive(Debug, Serialize)]
pub(super) struct Settings {
    /// Each connection was closed after one message, and another one made: messages are connections.
    pub(super) churn: bool,
    pub(super) idle: usize,
    pub(super) message_bytes: usize,
    pub(super) depth: usize,
    pub(super) duration_seconds: f64,
    pub(super) runs: usize,
    pub(super) server_threads: usize,
    pub(super) load_threads: usize,
    pub(super) pinned: bool,
}

/// One subject with one number of connections, over all runs.
#[derive(Debug, Serialize)]
pub(super) struct Cell {
    pub(super) name: String,
    /// It is none of the models.
    pub(super) peer: bool,
    pub(super) connections: usize,
    /// Why it failed; the figures are of the runs that did not.
    pub(super) error: Option<String>,
    pub(super) failed_runs: usize,
    /// What to do about it.
    #[serde(skip)]
    pub(super) advice: String,
    pub(super) messages_per_second: Option<Spread>,
    pub(super) p50_us: Option<Spread>,
    pub(super) p99_us: Option<Spread>,
    #[serde(rename = "p99.9_us")]
    pub(super) p99_9_us: Option<Spread>,
    pub(super) server_cpu_us_per_message: Option<Spread>,
    /// Of the CPU time per message to that of the yardstick in the same run.
    pub(super) cpu_ratio_to_yardstick: Option<Spread>,
    pub(super) server_threads: Option<Spread>,
    pub(super) memory_per_connection_bytes: Option<Spread>,
    /// In the order in which they were made: those of the same place are neighbours in time.
    pub(super) runs: Vec<Run>,
}

/// One measurement, or why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Run {
    Measured(Measurement),
    Failed { error: String },
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
}

impl Report {
    pub(super) fn new(machine: Machine, settings: Settings, interrupted: bool, results: Vec<Cell>) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION"),
            command: std::env::args().collect(),
            machine,
            settings,
            yardstick: results.iter().find(|cell| cell.peer).map(|cell| cell.name.clone()),
            interrupted,
            results,
        }
    }
}

impl Cell {
    /// `yardstick`: the runs that this subject's are compared with.
    pub(super) fn new(subject: &Subject, connections: usize, runs: &[Run], yardstick: Option<&[Run]>) -> Cell {
        let of = |figure: fn(&Measurement) -> Option<f64>| {
            Spread::of(runs.iter().filter_map(Run::measured).filter_map(figure))
        };
        Cell {
            name: subject.name().to_owned(),
            peer: subject.is_peer(),
            connections,
            advice: subject.advice(connections),
            error: runs.iter().find_map(Run::error).map(str::to_owned),
            failed_runs: runs.iter().filter_map(Run::error).count(),
            messages_per_second: of(|m| Some(m.messages_per_second)),
            p50_us: of(|m| Some(m.p50_us)),
            p99_us: of(|m| Some(m.p99_us)),
            p99_9_us: of(|m| Some(m.p99_9_us)),
            server_cpu_us_per_message: of(|m| Some(m.process?.server_cpu_us_per_message)),
            cpu_ratio_to_yardstick: yardstick.and_then(|yardstick| Spread::of(cpu_ratios(runs, yardstick))),
            server_threads: of(|m| {
                let ProcessMeasurement { server_threads, .. } = m.process?;
                server_threads.map(|n| n as f64)
            }),
            memory_per_connection_bytes: of(|m| m.process?.memory_per_connection_bytes),
            runs: runs.to_vec(),
        }
    }
}

impl Run {
    fn measured(&self) -> Option<&Measurement> {
        match self {
            Run::Measured(measurement) => Some(measurement),
            Run::Failed { .. } => None,
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Run::Measured(_) => None,
            Run::Failed { error } => Some(error),
        }
    }
}

/// Of each run to the one made next to it. What the machine did meanwhile touched both.
fn cpu_ratios(runs: &[Run], yardstick: &[Run]) -> impl Iterator<Item = f64> {
    let cost = |run: &Run| Some(run.measured()?.process?.server_cpu_us_per_message).filter(|&cpu| cpu > 0.0);
    runs.iter().zip(yardstick).filter_map(move |(run, yardstick)| Some(cost(run)? / cost(yardstick)?))
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        Some(Spread {
            min: *figures.first()?,
            median: if figures.len().is_multiple_of(2) {
                (figures[middle - 1] + figures[middle]) / 2.0
            } else {
                figures[middle]
            },
            max: *figures.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle() {
        let spread = |figures: &[f64]| Spread::of(figures.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[2.0]), Some(Spread { min: 2.0, median: 2.0, max: 2.0 }));
        assert_eq!(spread(&[3.0, 1.0, 10.0]), Some(Spread { min: 1.0, median: 3.0, max: 10.0 }));
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
    }

    #[test]
    fn ratios_are_to_the_run_of_the_same_place() {
        let run = |cpu| {
            Run::Measured(Measurement {
                messages_per_second: 1.0,
                p50_us: 1.0,
                p99_us: 1.0,
                p99_9_us: 1.0,
                process: Some(ProcessMeasurement {
                    server_cpu_us_per_message: cpu,
                    server_threads: None,
                    memory_per_connection_bytes: None,
                }),
            })
        };
        let failed = || Run::Failed { error: "reset".into() };
        let ratios = |runs: &[Run], yardstick: &[Run]| cpu_ratios(runs, yardstick).collect::<Vec<_>>();
        assert_eq!(ratios(&[run(6.0), run(8.0)], &[run(4.0), run(2.0)]), [1.5, 4.0]);
        // A run that failed on either side has no ratio, and shifts none.
        assert_eq!(ratios(&[run(6.0), failed(), run(3.0)], &[failed(), run(2.0), run(1.0)]), [3.0]);
        // Interrupted: the last one is missing.
        assert_eq!(ratios(&[run(6.0), run(8.0)], &[run(4.0)]), [1.5]);
        assert_eq!(ratios(&[run(6.0)], &[run(0.0)]), [0.0; 0]);
    }
}
