//! What the threads did, in the order in which they did it, so that a fault can be read although a seed does not replay it.

use crate::call::Call;
use conformance::raw::Begin;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    /// There was nothing to do it on.
    Nothing,
    /// The call succeeded.
    Done,
    /// The operation was pending when the call returned.
    Pending,
    /// The call failed with this code.
    Failed(i64),
}

impl From<Begin> for Outcome {
    fn from(begin: Begin) -> Outcome {
        match begin {
            Begin::Done(_) => Outcome::Done,
            Begin::Pending => Outcome::Pending,
            Begin::Failed(code) => Outcome::Failed(code.into()),
        }
    }
}

impl<T> From<Result<T, i32>> for Outcome {
    fn from(result: Result<T, i32>) -> Outcome {
        result.map_or_else(|code| Outcome::Failed(code.into()), |_| Outcome::Done)
    }
}

impl<T> From<Result<T, u32>> for Outcome {
    fn from(result: Result<T, u32>) -> Outcome {
        result.map_or_else(|code| Outcome::Failed(code.into()), |_| Outcome::Done)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Nothing => f.write_str("nothing to do it on"),
            Outcome::Done => f.write_str("done"),
            Outcome::Pending => f.write_str("pending"),
            Outcome::Failed(code) => write!(f, "failed, {code}"),
        }
    }
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A worker begins a step.
    Begins {
        /// The number of the step in its case.
        step: usize,
        /// Its kind.
        call: Call,
    },
    /// The step is about to use this socket.
    Uses(u32),
    /// The step is over.
    Ends(usize, Outcome),
    /// The end of the operation of this step was seen, with this status.
    Ended(usize, u32),
    /// The packet of this step's operation came.
    Packet(usize),
    /// What is done at the end, and to which object.
    Note(&'static str, u32),
}

/// The trace of one sequence.
#[derive(Debug)]
pub(crate) struct Trace {
    order: AtomicU64,
    begun: Instant,
    /// Of each worker, and at the end of the thread that watches over them.
    events: Vec<Mutex<Vec<(u64, Duration, Event)>>>,
}

impl Trace {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> Trace {
        Trace {
            order: AtomicU64::new(0),
            begun: Instant::now(),
            events: (0..=workers).map(|_| Mutex::default()).collect(),
        }
    }

    /// Adds an entry of a worker.
    pub(crate) fn note(&self, worker: usize, event: Event) {
        let order = self.order.fetch_add(1, Ordering::Relaxed);
        self.events[worker].lock().unwrap().push((order, self.begun.elapsed(), event));
    }

    /// How many entries there are: grows as long as something goes on.
    pub(crate) fn length(&self) -> u64 {
        self.order.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Vec::new();
        for (worker, events) in self.events.iter().enumerate() {
            // A thread that failed may have it locked for ever.
            let Ok(events) = events.try_lock() else { continue };
            all.extend(events.iter().map(|&(order, time, event)| (order, time, worker, event)));
        }
        all.sort_by_key(|&(order, ..)| order);
        for (order, time, worker, event) in all {
            let who = if worker + 1 == self.events.len() { "end".to_owned() } else { format!("worker {worker}") };
            write!(f, "{order:5} {:8} µs {who}: ", time.as_micros())?;
            match event {
                Event::Begins { step, call } => writeln!(f, "step {step}, {call}")?,
                Event::Uses(socket) => writeln!(f, "  on socket {socket}")?,
                Event::Ends(step, outcome) => writeln!(f, "step {step}: {outcome}")?,
                Event::Ended(step, status) => writeln!(f, "  the operation of step {step} ended with {status:#x}")?,
                Event::Packet(step) => writeln!(f, "  the packet of step {step}")?,
                Event::Note(what, number) => writeln!(f, "  {what} {number}")?,
            }
        }
        Ok(())
    }
}
