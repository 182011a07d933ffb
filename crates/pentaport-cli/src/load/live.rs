//! What a load shows while it runs: the rate and the latency of the last half second.

use super::report::{Latencies, Latency, new_histogram};
use crate::text::{count, micros};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often what is shown is renewed.
const PERIOD: Duration = Duration::from_millis(500);

/// Latencies that workers have told of and nobody has looked at.
pub(crate) struct Live {
    recent: Mutex<Latencies>,
}

/// What one worker has told.
pub(super) struct Told<'a> {
    live: &'a Live,
    before: Latencies,
}

/// The line that is shown.
pub(crate) struct Shown {
    live: Arc<Live>,
    /// `message` or `connection`.
    noun: &'static str,
    renewed: Duration,
    done: u64,
    line: String,
}

impl Live {
    pub(crate) fn new() -> Live {
        Live { recent: Mutex::new(new_histogram()) }
    }

    fn add(&self, latencies: &Latencies) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.add(latencies).expect("histograms of the same bounds add up");
    }

    fn take(&self) -> Latencies {
        std::mem::replace(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner), new_histogram())
    }
}

impl<'a> Told<'a> {
    pub(super) fn new(live: &'a Live) -> Told<'a> {
        Told { live, before: new_histogram() }
    }

    /// Tells what came since the last time, of all that a worker has recorded.
    pub(super) fn tell(&mut self, all: &Latencies) {
        let mut since = all.clone();
        since.subtract(&self.before).expect("a worker's histogram only grows");
        self.live.add(&since);
        self.before.clone_from(all);
    }
}

impl Shown {
    pub(crate) fn new(live: Arc<Live>, noun: &'static str) -> Shown {
        Shown { live, noun, renewed: Duration::ZERO, done: 0, line: String::new() }
    }

    /// The line at `elapsed`, when `done` messages or connections are done.
    pub(crate) fn line(&mut self, elapsed: Duration, done: u64) -> &str {
        let since = elapsed.saturating_sub(self.renewed);
        if since >= PERIOD {
            let rate = done.saturating_sub(self.done) as f64 / since.as_secs_f64();
            let latency = Latency::of(&self.live.take());
            self.line = format!("{} {}s/s, p99 {}", count(rate.round() as u64), self.noun, micros(latency.p99));
            (self.renewed, self.done) = (elapsed, done);
        }
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_of_the_last_half_second() {
        let live = Arc::new(Live::new());
        let mut worker = Told::new(&live);
        let mut all = new_histogram();
        let mut shown = Shown::new(live.clone(), "message");
        assert_eq!(shown.line(Duration::from_millis(400), 10), "");
        all.record_n(1_000_000, 100).unwrap();
        worker.tell(&all);
        assert_eq!(shown.line(Duration::from_secs(1), 100), "100 messages/s, p99 1.00 ms");
        all.record_n(5_000, 400).unwrap();
        worker.tell(&all);
        assert_eq!(shown.line(Duration::from_millis(1_400), 300), "100 messages/s, p99 1.00 ms");
        assert_eq!(shown.line(Duration::from_secs(3), 500), "200 messages/s, p99 5.00 µs");
    }
}
