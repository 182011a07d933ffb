//! What a comparison found, in the shape in which `--save` writes it: every run, so that all that is claimed can be computed
//! again, and the medians for those who read the file by other means.

use super::foreign::Foreign;
use super::measure::Measurement;
use super::scenario::{Axis, Scenario};
use crate::machine::Machine;
use serde::{Deserialize, Serialize};

/// The version of the shape. A change that readers of older files could not read raises it.
pub(crate) const SCHEMA: u32 = 1;

/// The whole result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    pub(crate) version: String,
    /// When it began, RFC 3339.
    pub(crate) date: String,
    pub(crate) command: Vec<String>,
    pub(crate) machine: Machine,
    /// Whose Winsock it is.
    pub(crate) measured: String,
    pub(crate) settings: Settings,
    /// The share of the CPUs that other processes took during the run; None if the system does not tell.
    pub(crate) foreign: Option<Foreign>,
    /// What the others are compared with.
    pub(crate) yardstick: Option<String>,
    /// Ctrl-C ended it: results are missing, or are of fewer runs.
    pub(crate) interrupted: bool,
    /// What the scenarios differ in, if they are a sweep.
    pub(crate) sweep: Option<Axis>,
    pub(crate) scenarios: Vec<Scenario>,
    /// Scenarios that the machine's limits do not allow.
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) results: Vec<Cell>,
    /// One model a second time in every round of each scenario.
    pub(crate) controls: Vec<Cell>,
    /// What is claimed, for programs that read the file; whoever has the runs can compute it again.
    #[serde(default)]
    pub(crate) claims: Vec<Claim>,
}

/// One server was shown to cost more than another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) scenario: String,
    pub(crate) dearer: String,
    pub(crate) than: String,
    /// The median of the ratios within rounds, and an interval that holds together with all others of the run.
    pub(crate) ratio: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) server_threads: usize,
    pub(crate) load_threads: usize,
    pub(crate) pinned: bool,
    /// Draws the orders of the rounds.
    pub(crate) seed: u64,
}

/// A scenario that was not measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    pub(crate) scenario: String,
    pub(crate) reason: String,
    #[serde(skip)]
    pub(crate) advice: String,
}

/// One subject in one scenario, over all rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// The scenario's name.
    pub(crate) scenario: String,
    pub(crate) name: String,
    /// It is none of the models.
    pub(crate) peer: bool,
    pub(crate) connections: usize,
    /// Why it failed; the figures are of the runs that did not.
    pub(crate) error: Option<String>,
    pub(crate) failed_runs: usize,
    /// What to do about it.
    #[serde(skip)]
    pub(crate) advice: String,
    pub(crate) messages_per_second: Option<Spread>,
    pub(crate) p50_us: Option<Spread>,
    pub(crate) p99_us: Option<Spread>,
    #[serde(rename = "p99.9_us")]
    pub(crate) p99_9_us: Option<Spread>,
    pub(crate) server_cpu_us_per_message: Option<Spread>,
    /// Of the CPU time per message to that of the yardstick in the same round.
    pub(crate) cpu_ratio_to_yardstick: Option<Spread>,
    /// All of them, and how many of these serve connections.
    pub(crate) server_threads: Option<Spread>,
    pub(crate) server_workers: Option<usize>,
    pub(crate) memory_per_connection_bytes: Option<Spread>,
    /// By round: those of the same place were made next to each other.
    pub(crate) runs: Vec<Run>,
}

/// One measurement, or why there is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Run {
    Measured(Measurement),
    Failed { error: String },
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// What a cell is about.
pub(super) struct Identity {
    pub(super) scenario: String,
    pub(super) name: String,
    pub(super) peer: bool,
    pub(super) connections: usize,
    pub(super) workers: Option<usize>,
    pub(super) advice: String,
}

impl Report {
    /// The cells of a scenario.
    pub(crate) fn cells<'a>(&'a self, scenario: &'a Scenario) -> impl Iterator<Item = &'a Cell> {
        self.results.iter().filter(|cell| cell.scenario == scenario.name)
    }

    /// The control of a scenario.
    pub(crate) fn control(&self, scenario: &Scenario) -> Option<&Cell> {
        self.controls.iter().find(|cell| cell.scenario == scenario.name)
    }
}

impl Cell {
    /// `yardstick`: the runs that this subject's are compared with.
    pub(super) fn new(identity: Identity, runs: Vec<Run>, yardstick: Option<&[Run]>) -> Cell {
        let of = |figure: fn(&Measurement) -> Option<f64>| {
            Spread::of(runs.iter().filter_map(Run::measured).filter_map(figure))
        };
        let threads = of(Measurement::threads);
        Cell {
            scenario: identity.scenario,
            name: identity.name,
            peer: identity.peer,
            connections: identity.connections,
            advice: identity.advice,
            error: runs.iter().find_map(Run::error).map(str::to_owned),
            failed_runs: runs.iter().filter_map(Run::error).count(),
            messages_per_second: of(|m| Some(m.messages_per_second)),
            p50_us: of(|m| Some(m.p50_us)),
            p99_us: of(|m| Some(m.p99_us)),
            p99_9_us: of(|m| Some(m.p99_9_us)),
            server_cpu_us_per_message: of(Measurement::cpu),
            cpu_ratio_to_yardstick: yardstick.and_then(|yardstick| Spread::of(cpu_ratios(&runs, yardstick))),
            server_threads: threads,
            server_workers: identity.workers.filter(|_| threads.is_some()),
            memory_per_connection_bytes: of(|m| m.process?.memory_per_connection_bytes),
            runs,
        }
    }

    /// CPU time per message, by round.
    pub(crate) fn costs(&self) -> Vec<Option<f64>> {
        self.runs.iter().map(Run::cost).collect()
    }

    /// A figure of all runs that have it.
    pub(crate) fn figures(&self, figure: fn(&Measurement) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(Run::measured).filter_map(figure).collect()
    }
}

impl Run {
    pub(crate) fn measured(&self) -> Option<&Measurement> {
        match self {
            Run::Measured(measurement) => Some(measurement),
            Run::Failed { .. } => None,
        }
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            Run::Measured(_) => None,
            Run::Failed { error } => Some(error),
        }
    }

    /// CPU time per message. Less than the system's clock can tell is not known.
    fn cost(&self) -> Option<f64> {
        self.measured()?.cpu().filter(|&cpu| cpu > 0.0)
    }
}

/// Of each run to the one made next to it. What the machine did meanwhile touched both.
fn cpu_ratios(runs: &[Run], yardstick: &[Run]) -> impl Iterator<Item = f64> {
    runs.iter().zip(yardstick).filter_map(|(run, yardstick)| Some(run.cost()? / yardstick.cost()?))
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Option<Spread> {
        let summary = pentaport_cli::statistics::Summary::of(figures)?;
        Some(Spread { min: summary.min, median: summary.median, max: summary.max })
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::ProcessMeasurement;
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
        assert_eq!(ratios(&[run(0.0)], &[run(1.0)]), [0.0; 0]);
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        for text in [
            r#"{"messages_per_second":1.0,"p50_us":2.0,"p99_us":3.0,"p99.9_us":4.0,"server_cpu_us_per_message":5.0,"server_threads":3,"memory_per_connection_bytes":null}"#,
            r#"{"messages_per_second":1.0,"p50_us":2.0,"p99_us":3.0,"p99.9_us":4.0}"#,
            r#"{"error":"reset"}"#,
        ] {
            let run: Run = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&run).unwrap(), text);
        }
    }
}
