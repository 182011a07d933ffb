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
    /// Ctrl-C ended it: results are missing, or are of fewer runs.
    pub(super) interrupted: bool,
    pub(super) results: Vec<Cell>,
}

/// How it was measured.
#[derive(Debug, Serialize)]
pub(super) struct Settings {
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
    pub(super) peer: bool,
    pub(super) connections: usize,
    /// Why it failed; the figures are of the runs that did not.
    pub(super) error: Option<String>,
    /// What to do about it.
    #[serde(skip)]
    pub(super) advice: String,
    pub(super) messages_per_second: Option<Spread>,
    pub(super) p50_us: Option<Spread>,
    pub(super) p99_us: Option<Spread>,
    pub(super) server_cpu_us_per_message: Option<Spread>,
    /// Of the CPU time per message to that of the first peer with as many connections.
    pub(super) cpu_ratio_to_peer: Option<f64>,
    pub(super) server_threads: Option<Spread>,
    pub(super) memory_per_connection_bytes: Option<Spread>,
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
}

impl Report {
    pub(super) fn new(machine: Machine, settings: Settings, interrupted: bool, mut results: Vec<Cell>) -> Report {
        add_ratios(&mut results);
        Report {
            version: env!("CARGO_PKG_VERSION"),
            command: std::env::args().collect(),
            machine,
            settings,
            interrupted,
            results,
        }
    }

    /// The peer that the others are compared with.
    pub(super) fn yardstick(&self) -> Option<&str> {
        self.results.iter().find(|cell| cell.peer).map(|cell| cell.name.as_str())
    }
}

impl Cell {
    pub(super) fn new(subject: &Subject, connections: usize, outcomes: &[Result<Measurement, String>]) -> Cell {
        let measured: Vec<&Measurement> = outcomes.iter().flatten().collect();
        let of = |figure: fn(&Measurement) -> Option<f64>| Spread::of(measured.iter().filter_map(|m| figure(m)));
        Cell {
            name: subject.name().to_owned(),
            peer: subject.is_peer(),
            connections,
            advice: subject.advice(connections),
            error: outcomes.iter().find_map(|outcome| outcome.as_ref().err().cloned()),
            messages_per_second: of(|m| Some(m.messages_per_second)),
            p50_us: of(|m| Some(m.p50_us)),
            p99_us: of(|m| Some(m.p99_us)),
            server_cpu_us_per_message: of(|m| Some(m.process?.cpu_us_per_message)),
            cpu_ratio_to_peer: None,
            server_threads: of(|m| {
                let ProcessMeasurement { threads, .. } = m.process?;
                threads.map(|n| n as f64)
            }),
            memory_per_connection_bytes: of(|m| Some(m.process?.memory_per_connection)),
        }
    }
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

fn add_ratios(cells: &mut [Cell]) {
    let Some(yardstick) = cells.iter().find(|cell| cell.peer).map(|cell| cell.name.clone()) else {
        return;
    };
    let cost = |cell: &Cell| cell.server_cpu_us_per_message.map(|cpu| cpu.median).filter(|&cpu| cpu > 0.0);
    let of_peer: Vec<(usize, f64)> = cells
        .iter()
        .filter(|cell| cell.peer && cell.name == yardstick)
        .filter_map(|cell| Some((cell.connections, cost(cell)?)))
        .collect();
    for cell in cells {
        let peer = of_peer.iter().find(|(connections, _)| *connections == cell.connections);
        cell.cpu_ratio_to_peer = peer.and_then(|(_, peer)| Some(cost(cell)? / peer));
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
    fn ratios_are_to_the_first_peer_with_as_many_connections() {
        let cell = |name: &str, peer, connections, cpu: f64| Cell {
            name: name.to_owned(),
            peer,
            connections,
            error: None,
            advice: String::new(),
            messages_per_second: None,
            p50_us: None,
            p99_us: None,
            server_cpu_us_per_message: Spread::of([cpu].into_iter()),
            cpu_ratio_to_peer: None,
            server_threads: None,
            memory_per_connection_bytes: None,
        };
        let mut cells = [
            cell("select", false, 1, 6.0),
            cell("epoll", true, 1, 4.0),
            cell("other", true, 1, 2.0),
            cell("select", false, 64, 6.0),
            cell("epoll", true, 64, 3.0),
        ];
        add_ratios(&mut cells);
        let ratios: Vec<_> = cells.iter().map(|cell| cell.cpu_ratio_to_peer).collect();
        assert_eq!(ratios, [Some(1.5), Some(1.0), Some(0.5), Some(2.0), Some(1.0)]);
    }
}
