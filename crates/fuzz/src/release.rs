//! The thread that watches over the workers: when all of them wait it releases one, and it says what hangs.

use crate::report::deadline;
use crate::waiting::{Entry, For};
use crate::world::World;
use conformance::raw::{cancel_io_ex, cancel_synchronous_io};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a release may take before it is tried again.
const TICK: Duration = Duration::from_millis(1);

/// Returns when every worker has carried out its steps.
pub(crate) fn until_finished(world: &Arc<World>) {
    let mut progress = (0, 0);
    let mut since = Instant::now();
    loop {
        let none_runs = world.waiting.none_runs(TICK);
        let now = (world.waiting.changes(), world.trace.length());
        if now != progress {
            (progress, since) = (now, Instant::now());
        } else if since.elapsed() > deadline() {
            hangs(world);
        }
        if !none_runs {
            continue;
        }
        let entries = world.waiting.entries();
        let waiting = |(worker, entry): (usize, &Option<Entry>)| {
            let entry = entry.clone().filter(|entry| !matches!(entry.what, For::Finished))?;
            Some((worker, entry))
        };
        let waiting: Vec<_> = entries.iter().enumerate().filter_map(waiting).collect();
        if waiting.is_empty() {
            if entries.iter().all(Option::is_some) {
                return;
            }
            continue;
        }
        // The one that was tried least: others go on when it has.
        let (worker, entry) = waiting.iter().min_by_key(|(_, entry)| entry.tries).expect("one waits");
        let changes = world.waiting.changes();
        release(world, *worker, entry, &waiting);
        world.waiting.tried(*worker, entry.step);
        world.waiting.change_since(changes, TICK);
    }
}

/// Does something after which the worker's call has to return.
fn release(world: &Arc<World>, worker: usize, entry: &Entry, waiting: &[(usize, Entry)]) {
    match &entry.what {
        For::Call(_, socket) => {
            if socket.closed.load(Ordering::SeqCst) {
                return;
            }
            let handle = socket.raw.raw();
            match (entry.how % 4, world.thread(worker)) {
                (0, Some(thread)) => drop(cancel_synchronous_io(thread)),
                (1, _) => drop(world.close(socket, entry.how & 4 != 0)),
                _ => {
                    socket.expect_cancel();
                    let _ = cancel_io_ex(handle, None);
                }
            }
        }
        For::Port(port) => {
            let same = |(_, other): &&(usize, Entry)| matches!(other.what, For::Port(other) if other == *port);
            // Never one more than are needed: another packet would hide that a thread was not woken for the first.
            if world.posts_due(*port) < waiting.iter().filter(same).count() {
                world.post(*port).expect("a post to an open port");
            }
        }
        For::Operation(operation) => {
            world.expect_cancel(operation);
            let _ = cancel_io_ex(operation.socket.raw.raw(), Some(operation.lent.request));
        }
        For::Routine if entry.tries == 0 => {
            if let Some(thread) = world.thread(worker) {
                world.queue_apc(worker, thread).expect("a routine can be queued to a thread that runs");
            }
        }
        For::Routine | For::Finished => {}
    }
}

fn hangs(world: &World) -> ! {
    let describe = |(worker, entry): (usize, &Option<Entry>)| match entry {
        None => format!("worker {worker} runs, or is in a call that should not wait: see the last steps of the trace"),
        Some(Entry { step, what, tries, .. }) => {
            let what = match what {
                For::Call(name, socket) => format!("waits in {name} on socket {}", socket.id),
                For::Port(port) => {
                    format!("waits for a packet of port {port}, where {} are due", world.posts_due(*port))
                }
                For::Operation(it) => format!(
                    "waits for the operation of step {}, {}, status {:#x}",
                    it.step,
                    it.work.name(),
                    it.status()
                ),
                For::Routine => "waits for a routine".to_owned(),
                For::Finished => "has finished".to_owned(),
            };
            format!("worker {worker}, step {step}: {what}, {tries} releases were tried")
        }
    };
    let entries = world.waiting.entries();
    let all: Vec<_> = entries.iter().enumerate().map(describe).collect();
    world.fail(&format!("nothing goes on for {:?}:\n  {}", deadline(), all.join("\n  ")))
}
