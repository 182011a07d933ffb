//! What becomes of a fault: the case and its trace are written to files, and the process ends.

use crate::world::World;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

/// Where cases that failed are written.
static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();

/// The sequence that runs.
static CURRENT: Mutex<Weak<World>> = Mutex::new(Weak::new());

/// The first thread that fails has it, and never lets go.
static FIRST: Mutex<()> = Mutex::new(());

/// The names of the files in the directory.
pub const CASE: &str = "case.txt";
/// What the threads did.
pub const TRACE: &str = "trace.txt";
/// What was wrong.
pub const FAULT: &str = "fault.txt";

/// How long anything may take that has to come to an end.
static DEADLINE: OnceLock<Duration> = OnceLock::new();

/// How long anything may take that has to come to an end.
pub(crate) fn deadline() -> Duration {
    *DEADLINE.get_or_init(|| Duration::from_secs(20))
}

/// Sets the deadline. To be called before anything has asked for it.
pub fn set_deadline(deadline: Duration) {
    DEADLINE.set(deadline).expect("it is said once");
}

/// Has faults written to this directory, panics among them.
pub fn to(directory: PathBuf) {
    DIRECTORY.set(directory).expect("it is said once");
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        let world = CURRENT.lock().map_or_else(|_| Weak::new(), |world| world.clone());
        match world.upgrade() {
            Some(world) => fault(&world, &format!("panic: {panic}")),
            None => std::process::abort(),
        }
    }));
}

/// This sequence begins.
pub(crate) fn begins(world: &Arc<World>) {
    *CURRENT.lock().unwrap() = Arc::downgrade(world);
}

/// Reports a fault of the sequence that runs, if one does, and ends the process.
pub(crate) fn fault_of_current(what: &str) -> ! {
    let world = CURRENT.lock().unwrap().upgrade();
    match world {
        Some(world) => fault(&world, what),
        None => end(what),
    }
}

/// Reports a fault and ends the process.
pub(crate) fn fault(world: &World, what: &str) -> ! {
    // No destructor and no exit handler runs: they may wait for what hangs.
    let _first = FIRST.lock();
    let directory = DIRECTORY.get().cloned().unwrap_or_else(std::env::temp_dir);
    let _ = std::fs::create_dir_all(&directory);
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text);
    let _ = write(CASE, format!("# {}\n{}", world.label, world.case));
    let _ = write(TRACE, world.trace.to_string());
    let _ = write(FAULT, format!("{what}\n"));
    end(what)
}

fn end(what: &str) -> ! {
    let _ = writeln!(std::io::stderr(), "fault: {what}");
    std::process::abort()
}
