//! What the workers wait for, and how many run: when none does, the one that watches has to do something about it.

use crate::operation::Operation;
use crate::socket::Sock;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What a worker waits for.
#[derive(Clone, Debug)]
pub(crate) enum For {
    /// A call on a socket, in which it may be blocked.
    Call(&'static str, Arc<Sock>),
    /// A packet of a port.
    Port(usize),
    /// The end of an operation.
    Operation(Arc<Operation>),
    /// A routine.
    Routine,
    /// Nothing: it has carried out all of its steps.
    Finished,
}

/// A worker that waits.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The step that it is at.
    pub step: usize,
    /// What for.
    pub what: For,
    /// In which way it is to be released, if nothing else does.
    pub how: u8,
    /// How often that was tried.
    pub tries: u32,
}

#[derive(Debug)]
struct State {
    running: usize,
    entries: Vec<Option<Entry>>,
    changes: u64,
}

/// The state of all workers of a sequence.
#[derive(Debug)]
pub(crate) struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

impl Waiting {
    /// So many workers, all of which run.
    pub(crate) fn new(workers: usize) -> Waiting {
        let state = State { running: workers, entries: vec![None; workers], changes: 0 };
        Waiting { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Carries out a call that may wait. Others see what for.
    pub(crate) fn during<T>(&self, worker: usize, entry: Entry, call: impl FnOnce() -> T) -> T {
        self.begin(worker, entry);
        let result = call();
        let mut state = self.state.lock().unwrap();
        state.running += 1;
        state.changes += 1;
        state.entries[worker] = None;
        result
    }

    /// The worker has nothing more to do.
    pub(crate) fn finish(&self, worker: usize, step: usize) {
        self.begin(worker, Entry { step, what: For::Finished, how: 0, tries: 0 });
    }

    fn begin(&self, worker: usize, entry: Entry) {
        let mut state = self.state.lock().unwrap();
        state.running -= 1;
        state.changes += 1;
        state.entries[worker] = Some(entry);
        if state.running == 0 {
            self.changed.notify_all();
        }
    }

    /// Waits until no worker runs, or for this time; whether none does.
    pub(crate) fn none_runs(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap();
        let (state, _) = self.changed.wait_timeout_while(state, time, |state| state.running > 0).unwrap();
        state.running == 0
    }

    /// What each worker waits for; `None` for those that run.
    pub(crate) fn entries(&self) -> Vec<Option<Entry>> {
        self.state.lock().unwrap().entries.clone()
    }

    /// Notes that a release of this worker from this step was tried.
    pub(crate) fn tried(&self, worker: usize, step: usize) {
        if let Some(entry) = &mut self.state.lock().unwrap().entries[worker]
            && entry.step == step
        {
            entry.tries += 1;
        }
    }

    /// How often anything has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.state.lock().unwrap().changes
    }

    /// Waits until something has changed since `before`, for this time at most.
    pub(crate) fn change_since(&self, before: u64, time: Duration) {
        let end = Instant::now() + time;
        while self.changes() == before && Instant::now() < end {
            std::thread::yield_now();
        }
    }
}
