//! Sequences, one after the other, in this process.

use crate::call::Call;
use crate::case::{Case, generate};
use crate::finish::finish;
use crate::plateau::Level;
use crate::release;
use crate::report;
use crate::worker::{Handle, Order};
use crate::world::{Shared, World};
use conformance::raw::{routine_calls, startup_for_long};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many sequences fill what is kept for reuse, before levels are compared.
const WARM_UP: u64 = 300;

/// What a sequence of a file is called.
const REPLAYED: &str = "replayed";

/// How many sequences there are between two comparisons.
const BETWEEN: u64 = 300;

/// When a run is long enough.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// After so many steps.
    pub steps: u64,
    /// After this time.
    pub time: Duration,
    /// A sequence that takes longer is a fault.
    pub slow: Duration,
}

/// What a run has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Sequences.
    pub cases: u64,
    /// Their steps.
    pub steps: u64,
    /// Overlapped operations among them.
    pub operations: u64,
    /// The time it took.
    pub time: Duration,
}

/// The workers and what they share.
pub struct Runner {
    workers: Vec<Handle>,
    /// OVERLAPPEDs and counts.
    pub(crate) shared: Arc<Shared>,
    done: Done,
    begun: Instant,
    level: Option<Level>,
}

impl Runner {
    /// So many workers, two at least.
    pub fn new(workers: usize) -> Runner {
        startup_for_long();
        let workers = (0..workers.max(2)).map(Handle::start).collect();
        Runner { workers, shared: Arc::default(), done: Done::default(), begun: Instant::now(), level: None }
    }

    /// Runs generated sequences up to a limit, from this number on.
    pub fn generated(&mut self, seed: u64, first: u64, limit: Limit) -> Done {
        for number in first.. {
            if self.done.steps >= limit.steps || self.begun.elapsed() >= limit.time {
                break;
            }
            self.case(generate(seed, number).current(), format!("seed {seed} number {number}"), limit.slow);
        }
        self.end()
    }

    /// Runs one sequence again and again.
    pub fn repeated(&mut self, case: &Case, times: u64) -> Done {
        self.level = None;
        for time in 0..times {
            if time == times / 5 {
                self.level = Some(Level::now());
            }
            self.case(case.clone(), REPLAYED.to_owned(), Duration::MAX);
        }
        self.end()
    }

    fn end(&mut self) -> Done {
        if let Some(level) = &self.level {
            Level::compare(level);
        }
        self.done.time = self.begun.elapsed();
        self.done
    }

    /// Runs one sequence.
    fn case(&mut self, case: Case, label: String, slow: Duration) {
        let begun = Instant::now();
        let routines = routine_calls();
        let threads = self.workers.iter().map(Handle::thread).collect();
        let world = World::new(case, label, threads, &self.shared);
        report::begins(&world);
        let mut scripts = vec![VecDeque::new(); self.workers.len()];
        for (number, &step) in world.case.steps.iter().enumerate() {
            scripts[step.thread as usize % self.workers.len()].push_back((number, step));
        }
        for (worker, script) in self.workers.iter().zip(scripts) {
            worker.tell(Order::Run(world.clone(), script));
        }
        release::until_finished(&world);
        self.done.operations += finish(&world, &self.workers, routines);
        self.done.steps += world.case.steps.len() as u64;
        self.done.cases += 1;
        if begun.elapsed() > slow {
            world.fail(&format!("the sequence took {:?}", begun.elapsed()));
        }
        // A leak is reported with the sequence at hand, which mostly has its part in it.
        if !world.label.starts_with(REPLAYED) {
            self.compare_levels();
        }
    }

    fn compare_levels(&mut self) {
        let cases = self.done.cases;
        if cases <= WARM_UP {
            if cases.is_multiple_of(20) {
                let now = Level::now();
                self.level = Some(self.level.map_or(now, |level| level.max(now)));
            }
        } else if cases.is_multiple_of(BETWEEN)
            && let Some(level) = &self.level
        {
            Level::compare(level);
        }
    }

    /// What became of the steps, as a table.
    pub fn table(&self) -> String {
        self.shared.coverage.table().to_string()
    }

    /// The kinds of steps that never did anything.
    pub fn idle(&self) -> Vec<&'static str> {
        self.shared.coverage.idle(Call::WEIGHTS.iter().map(|(call, _)| call.name()))
    }
}
