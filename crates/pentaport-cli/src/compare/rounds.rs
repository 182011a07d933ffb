//! The rounds of a scenario: every subject once in each, in an order that turns, so that what changes on the machine
//! meanwhile touches all.

use super::measure::{Conditions, Measurement, Ready};
use super::order::Orders;
use super::progress::Progress;
use super::report::{Cell, Identity, Run};
use super::scenario::{Planned, Rounds, Scenario};
use super::subject::Subject;
use crate::interrupt;
use crate::load::Latencies;
use crate::load::report::new_histogram;
use pentaport_server::Model;
use std::time::Instant;

/// A subject that fails so often in a row is not tried again in the scenario.
const TRIES: usize = 3;
/// Rounds that there are even if they take longer than they should.
const FEWEST: usize = 3;
/// A server that answers fewer of the messages that were due does not keep up with the rate.
const KEEPS_UP: f64 = 0.95;

/// What a scenario gave.
pub(super) struct Outcome {
    pub(super) cells: Vec<Cell>,
    pub(super) control: Option<Cell>,
    /// By subject: how long messages took in all rounds together.
    pub(super) latencies: Vec<(String, Latencies)>,
}

/// A subject in one scenario.
struct Contender<'a> {
    subject: &'a Subject,
    /// It lasts for all rounds.
    kept: Option<Ready>,
    runs: Vec<Run>,
    latencies: Latencies,
    failures_in_a_row: usize,
}

/// Measures all subjects; `control` is the place of the one that is measured a second time in each round. Ctrl-C ends it with
/// what is done.
pub(super) fn measure(
    planned: &Planned,
    subjects: &[&Subject],
    control: Option<usize>,
    conditions: &Conditions,
    seed: u64,
    progress: &mut Progress,
) -> Outcome {
    let scenario = &planned.scenario;
    let again = control.map(|index| subjects[index]);
    let mut contenders: Vec<Contender<'_>> = subjects.iter().copied().chain(again).map(Contender::new).collect();
    if scenario.kept {
        for contender in &mut contenders {
            progress.show(&format!("{}: {}, opening idle connections", scenario.title, contender.subject.name()));
            contender.keep(scenario, conditions);
            if interrupt::requested() {
                break;
            }
        }
    }
    let mut orders = Orders::new(contenders.len(), seed);
    let start = Instant::now();
    let mut round = 0;
    while match planned.rounds {
        Rounds::Exactly(rounds) => round < rounds,
        // A round is not begun that would end late, if the others are a guide.
        Rounds::Within(time) => round < FEWEST || start.elapsed() * (round + 1) as u32 / (round as u32) < time,
    } {
        // A single round has the order of the list: there is nothing to turn.
        let order = if planned.rounds == Rounds::Exactly(1) { (0..contenders.len()).collect() } else { orders.draw() };
        for index in order {
            let contender = &mut contenders[index];
            let name = contender.subject.name();
            progress.show(&format!("{}: round {}, {name}", scenario.title, round + 1));
            let outcome = contender.measure(scenario, conditions);
            if interrupt::requested() {
                // Whatever came out of it: the servers may have had the signal as well.
                break;
            }
            contender.note(outcome);
        }
        if interrupt::requested() {
            break;
        }
        round += 1;
        progress.rounds(planned, contenders.len(), round, start.elapsed());
    }
    for contender in &mut contenders {
        contender.end();
    }
    outcome(scenario, contenders, again.is_some(), conditions)
}

fn outcome(
    scenario: &Scenario,
    mut contenders: Vec<Contender<'_>>,
    has_control: bool,
    conditions: &Conditions,
) -> Outcome {
    let control = if has_control { contenders.pop() } else { None };
    let yardstick = contenders.iter().find(|contender| contender.subject.is_peer());
    let yardstick = yardstick.map(|contender| contender.runs.clone());
    let cell = |contender: Contender<'_>| {
        let subject = contender.subject;
        let identity = Identity {
            scenario: scenario.name.clone(),
            name: subject.name().to_owned(),
            peer: subject.is_peer(),
            connections: scenario.connections,
            workers: workers(subject, scenario, conditions.server_threads),
            advice: subject.advice(scenario.connections),
        };
        let cell = Cell::new(identity, contender.runs, yardstick.as_deref());
        let latencies = (subject.name().to_owned(), contender.latencies);
        (cell, latencies)
    };
    let control = control.map(|contender| cell(contender).0).filter(|control| !control.runs.is_empty());
    let measured = contenders.into_iter().filter(|contender| !contender.runs.is_empty());
    let (cells, latencies) = measured.map(cell).unzip();
    Outcome { cells, control, latencies }
}

/// How many of a server's threads serve connections; None if that is not known, or changes all the time.
fn workers(subject: &Subject, scenario: &Scenario, threads: usize) -> Option<usize> {
    match subject {
        Subject::Model(Model::ThreadPerClient, _) if scenario.churn => None,
        Subject::Model(Model::ThreadPerClient, _) => Some(scenario.connections + scenario.idle),
        Subject::Model(..) => Some(threads),
        Subject::Peer(_) | Subject::Server(_) => None,
    }
}

/// Whether a subject kept up with the rate of its scenario in any round: what else runs on the machine only makes it slower.
/// Without a rate it did.
pub(super) fn kept_up(cell: &Cell, scenario: &Scenario) -> bool {
    match (scenario.rate, cell.messages_per_second) {
        (Some(rate), Some(reached)) => reached.max >= rate * KEEPS_UP,
        (Some(_), None) => false,
        (None, _) => true,
    }
}

impl<'a> Contender<'a> {
    fn new(subject: &'a Subject) -> Contender<'a> {
        Contender { subject, kept: None, runs: Vec::new(), latencies: new_histogram(), failures_in_a_row: 0 }
    }

    /// Starts its server for all rounds. If that fails it is not tried again.
    fn keep(&mut self, scenario: &Scenario, conditions: &Conditions) {
        match Ready::start(self.subject, scenario, conditions) {
            Ok(ready) => self.kept = Some(ready),
            Err(_) if interrupt::requested() => {}
            Err(error) => {
                self.note(Err(error));
                self.failures_in_a_row = TRIES;
            }
        }
    }

    fn measure(&mut self, scenario: &Scenario, conditions: &Conditions) -> anyhow::Result<(Measurement, Latencies)> {
        if self.failures_in_a_row >= TRIES {
            let why = self.runs.iter().rev().find_map(Run::error).unwrap_or("it failed").to_owned();
            return Err(anyhow::Error::msg(why));
        }
        if let Some(ready) = self.kept.take() {
            return match ready.measure(scenario, conditions) {
                Ok(measured) => {
                    self.kept = Some(ready);
                    Ok(measured)
                }
                Err(error) => {
                    // Its idle connections are lost: it would take too long to start another.
                    self.failures_in_a_row = TRIES;
                    Err(ready.explain(error))
                }
            };
        }
        let ready = Ready::start(self.subject, scenario, conditions)?;
        match ready.measure(scenario, conditions) {
            Ok(measured) => ready.stop().map(|()| measured),
            Err(error) => Err(ready.explain(error)),
        }
    }

    fn note(&mut self, outcome: anyhow::Result<(Measurement, Latencies)>) {
        match outcome {
            Ok((measurement, latencies)) => {
                self.failures_in_a_row = 0;
                self.latencies.add(&latencies).expect("histograms of the same bounds add up");
                self.runs.push(Run::Measured(measurement));
            }
            Err(error) => {
                self.failures_in_a_row += 1;
                self.runs.push(Run::Failed { error: format!("{error:#}") });
            }
        }
    }

    /// Stops a server that was kept. If it does not end well, its last round has failed.
    fn end(&mut self) {
        let Some(ready) = self.kept.take() else { return };
        if let Err(error) = ready.stop()
            && !interrupt::requested()
        {
            self.runs.pop();
            self.note(Err(error));
        }
    }
}
