//! The threads that carry out steps.

use crate::case::Step;
use crate::coverage::Counts;
use crate::operation::{Notice, Operation, Work};
use crate::report::{self, deadline};
use crate::socket::Sock;
use crate::trace::{Event, Outcome};
use crate::waiting::{Entry, For};
use crate::world::{ThreadSlot, World};
use conformance::raw::{Begin, Thread, Window, sleep_ex};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What a worker is told.
pub(crate) enum Order {
    /// Carry out these steps, each with its number in its case.
    Run(Arc<World>, VecDeque<(usize, Step)>),
    /// Have routines called until none is due, and say so.
    RunRoutines(Arc<World>, Sender<()>),
}

/// One of the workers, whose thread changes.
#[derive(Debug)]
pub(crate) struct Handle {
    orders: Sender<Order>,
    thread: ThreadSlot,
}

/// What goes from a thread to the next one of the same worker.
struct Place {
    index: usize,
    orders: Receiver<Order>,
    thread: ThreadSlot,
}

/// A worker that carries out the steps of one sequence.
pub(crate) struct Worker {
    /// The sequence.
    pub world: Arc<World>,
    /// Its number.
    pub index: usize,
    /// How many threads were this worker before, in this sequence.
    pub generation: u32,
    /// The step at hand.
    pub step: usize,
    /// What is not in the table yet.
    pub counts: Counts,
    /// Its window, if it has one.
    pub window: Option<Window>,
}

impl Handle {
    /// Starts a worker.
    pub(crate) fn start(index: usize) -> Handle {
        let (orders, receiver) = channel();
        let thread = Arc::new(Mutex::new(None));
        start(Place { index, orders: receiver, thread: thread.clone() }, None);
        Handle { orders, thread }
    }

    /// Tells it something.
    pub(crate) fn tell(&self, order: Order) {
        self.orders.send(order).expect("workers do not end");
    }

    /// Where its thread is.
    pub(crate) fn thread(&self) -> ThreadSlot {
        self.thread.clone()
    }
}

/// What is left of a sequence for the next thread.
type Rest = (Arc<World>, u32, VecDeque<(usize, Step)>);

/// Starts a thread for a worker. Those of one worker have no handle, as most of a program's do not.
fn start(place: Place, rest: Option<Rest>) {
    let slot = place.thread.clone();
    if place.index == 0 {
        std::thread::spawn(move || run(place, rest));
        return;
    }
    let mut slot = slot.lock().unwrap();
    *slot = Some(Thread::start(move || run(place, rest)));
}

fn run(place: Place, mut rest: Option<Rest>) {
    loop {
        let (world, generation, steps) = match rest.take() {
            Some(rest) => rest,
            None => match place.orders.recv() {
                Ok(Order::Run(world, steps)) => (world, 0, steps),
                Ok(Order::RunRoutines(world, done)) => {
                    run_routines(&world, place.index);
                    drop(world);
                    let _ = done.send(());
                    continue;
                }
                Err(_) => return,
            },
        };
        let mut worker =
            Worker { world, index: place.index, generation, step: 0, counts: Counts::default(), window: None };
        if let Some(steps) = worker.run(steps) {
            let Worker { world, generation, .. } = worker;
            start(place, Some((world, generation + 1, steps)));
            return;
        }
    }
}

/// Waits alertably until the routines of all operations that this thread has started were called.
fn run_routines(world: &Arc<World>, index: usize) {
    let end = Instant::now() + deadline();
    let mut counts = Counts::default();
    let generation = world.ended_threads[index].load(Ordering::SeqCst);
    let mine = |it: &Arc<Operation>| it.notice == Notice::Routine && it.thread == (index, generation);
    let operations: Vec<_> = world.operations().into_iter().filter(mine).collect();
    for operation in operations.iter().filter(|it| it.started() == Some(true)) {
        while operation.routines.load(Ordering::SeqCst) == 0 {
            if Instant::now() > end {
                world.fail(&format!("the routine of step {} is not called", operation.step));
            }
            sleep_ex(1, true);
        }
        world.settle(index, operation, &mut counts);
    }
    // User APCs, and a routine that comes twice.
    sleep_ex(0, true);
    world.shared.coverage.add(&mut counts);
}

impl Worker {
    /// Carries out steps. Those that the next thread is to carry out are what this returns.
    fn run(&mut self, mut steps: VecDeque<(usize, Step)>) -> Option<VecDeque<(usize, Step)>> {
        while let Some((number, step)) = steps.pop_front() {
            self.step = number;
            self.world.trace.note(self.index, Event::Begins { step: number, call: step.call });
            let ends = step.call == crate::call::Call::ThreadEnd;
            if ends {
                // Before anything of the thread ends.
                self.world.ended_threads[self.index].fetch_add(1, Ordering::SeqCst);
                self.world.thread_ends(self.index, self.generation);
            }
            let outcome = if ends { Outcome::Done } else { self.perform(step) };
            self.world.trace.note(self.index, Event::Ends(number, outcome));
            self.counts.call(step.call.name(), outcome);
            if ends {
                self.world.shared.coverage.add(&mut self.counts);
                return Some(steps);
            }
        }
        self.world.shared.coverage.add(&mut self.counts);
        self.window = None;
        self.world.waiting.finish(self.index, self.step);
        None
    }

    /// The step is about to use a socket.
    pub(crate) fn uses(&self, socket: &Sock) {
        self.world.trace.note(self.index, Event::Uses(socket.id));
    }

    /// Carries out a call that may wait; `how` says in which way it is to be released if nothing else happens.
    pub(crate) fn wait<T>(&self, what: For, how: u8, call: impl FnOnce() -> T) -> T {
        let entry = Entry { step: self.step, what, how, tries: 0 };
        self.world.waiting.during(self.index, entry, call)
    }

    /// Takes note of the end of an operation, if it is over.
    pub(crate) fn settle(&mut self, operation: &Arc<Operation>) {
        self.world.settle(self.index, operation, &mut self.counts);
    }

    /// Starts an operation with a buffer of this class.
    pub(crate) fn start(
        &mut self,
        socket: &Arc<Sock>,
        notice: Notice,
        work: Work,
        class: usize,
        call: impl FnOnce(&Operation) -> Begin,
    ) -> (Arc<Operation>, Outcome) {
        let lent = self.world.shared.pool.take(class);
        let operation = Operation::new(self.step, (self.index, self.generation), socket, notice, work, lent);
        self.world.register(&operation);
        if notice == Notice::Routine {
            self.expect_routine(&operation);
        }
        let begun = match socket.blocks {
            true => self.wait(For::Operation(operation.clone()), 0, || call(&operation)),
            false => call(&operation),
        };
        *operation.begun.lock().unwrap() = Some(begun);
        if operation.started() == Some(true) {
            self.settle(&operation);
        }
        (operation, begun.into())
    }

    fn expect_routine(&self, operation: &Arc<Operation>) {
        // One that is lost with its thread keeps nothing alive.
        let (world, expected) = (Arc::downgrade(&self.world), Arc::downgrade(operation));
        let thread = std::thread::current().id();
        operation.lent.request.on_completion(move |completed| {
            let (Some(world), Some(operation)) = (world.upgrade(), expected.upgrade()) else {
                report::fault_of_current("a routine was called for an operation of an earlier sequence")
            };
            let worker = operation.thread.0;
            operation.routines.fetch_add(1, Ordering::SeqCst);
            if completed.thread != thread {
                world.fail(&format!("the routine of step {} was called on another thread", operation.step));
            }
            let mut counts = Counts::default();
            world.settle(worker, &operation, &mut counts);
            world.shared.coverage.add(&mut counts);
        });
    }
}
