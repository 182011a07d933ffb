//! The line that says what runs and how long is left. On a terminal only: indicatif draws nothing elsewhere.

use super::scenario::{Planned, Rounds, Scenario};
use crate::text::count;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Starting and stopping a server, and opening one connection.
const SERVER: Duration = Duration::from_millis(7);
const CONNECTION: Duration = Duration::from_micros(70);

pub(super) struct Progress {
    bar: ProgressBar,
    scenarios: usize,
    /// Of the scenario that runs, from 1.
    scenario: usize,
    /// What the scenarios after it take.
    after: Duration,
    /// What is left of it.
    here: Duration,
    whole: Duration,
}

impl Progress {
    /// For these scenarios with `subjects` in each round.
    pub(super) fn new(planned: &[Planned], subjects: usize) -> Progress {
        let style = ProgressStyle::with_template("{bar:20} {wide_msg}");
        let bar = ProgressBar::new(1_000).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        let whole = planned.iter().map(|planned| estimate(planned, subjects)).sum();
        Progress { bar, scenarios: planned.len(), scenario: 0, after: whole, here: Duration::ZERO, whole }
    }

    /// The next scenario begins.
    pub(super) fn begin(&mut self, planned: &Planned, subjects: usize) {
        self.scenario += 1;
        self.here = estimate(planned, subjects);
        self.after = self.after.saturating_sub(self.here);
    }

    /// `done` rounds of the scenario are done, in the time `took`.
    pub(super) fn rounds(&mut self, planned: &Planned, subjects: usize, done: usize, took: Duration) {
        self.here = match planned.rounds {
            Rounds::Exactly(rounds) => took / done.max(1) as u32 * rounds.saturating_sub(done) as u32,
            Rounds::Within(time) => time.saturating_sub(took),
        } + closing(&planned.scenario, subjects);
    }

    /// What runs now.
    pub(super) fn show(&self, what: &str) {
        let left = self.here + self.after;
        let done = 1.0 - left.as_secs_f64() / self.whole.as_secs_f64().max(1e-9);
        self.bar.set_position((done.clamp(0.0, 1.0) * 1_000.0) as u64);
        let left = crate::text::duration(Duration::from_secs(left.as_secs()));
        let scenarios = count(self.scenarios as u64);
        self.bar.set_message(format!("about {left} left; {} of {scenarios}, {what}", count(self.scenario as u64)));
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// How long a scenario takes, roughly.
pub(super) fn estimate(planned: &Planned, subjects: usize) -> Duration {
    let scenario = &planned.scenario;
    let fresh = if scenario.kept { 0 } else { scenario.idle };
    let one = scenario.duration() + scenario.warmup() + SERVER + CONNECTION * (scenario.connections + fresh) as u32;
    let rounds = match planned.rounds {
        Rounds::Exactly(rounds) => one * (rounds * subjects) as u32,
        Rounds::Within(time) => time.max(one * subjects as u32),
    };
    // Idle connections that are kept are opened before the rounds and closed after them.
    rounds + closing(scenario, subjects) * 2
}

fn closing(scenario: &Scenario, subjects: usize) -> Duration {
    if scenario.kept { CONNECTION * (scenario.idle * subjects) as u32 } else { Duration::ZERO }
}
