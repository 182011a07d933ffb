//! The wait engine and the port under schedules that shuttle chooses: random ones, and ones with few but telling
//! switches. A thread that is left asleep shows as a deadlock.

mod ports;
mod waits;

/// How many schedules of each kind a test is run under.
const RUNS: usize = 3000;

/// How many switches at telling points the second kind has.
const SWITCHES: usize = 3;

fn check(test: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(test.clone(), RUNS);
    shuttle::check_pct(test, RUNS, SWITCHES);
}
