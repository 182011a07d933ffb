//! Conditions with deadlines, and tests that need a process of their own.

use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Set in a process that [`in_child`] started.
const CHILD: &str = "PENTAPORT_CONFORMANCE_CHILD";

/// How long a condition may take on a loaded machine before the test counts as failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// A whole test program takes seconds. One that takes this long hangs in a call that never returns.
const PROGRAM_DEADLINE: Duration = Duration::from_secs(300);

/// Waits until `condition` holds; panics, naming `what`, when that takes too long.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Gives another thread the time to enter the blocking call that it is about to make.
///
/// No test passes because of a nap: it only makes the interesting order the likely one.
pub fn nap() {
    std::thread::sleep(Duration::from_millis(50));
}

/// Runs `body` in a process of its own: the test program starts itself again for the test `name` alone.
///
/// For what belongs to a whole process, such as startup and cleanup. `name` is the name of the calling test.
#[track_caller]
pub fn in_child(name: &str, body: impl FnOnce()) {
    in_child_with(name, &[], body);
}

/// As [`in_child`], with variables for the environment of the process.
#[track_caller]
pub fn in_child_with(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if is_child() {
        return body();
    }
    let output = child(name).envs(variables.iter().copied()).output();
    let output = output.expect("the test program starts again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "no test is called {name}");
    assert!(
        output.status.success(),
        "in a process of its own ({}):\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The command that runs the test `name` alone in a process of its own, where [`is_child`] holds.
pub fn child(name: &str) -> Command {
    let program = std::env::current_exe().expect("the test program has a path");
    let mut command = Command::new(program);
    // Whoever runs a test that is left out here otherwise gets to run its part in the other process, too.
    command.args([name, "--exact", "--include-ignored", "--test-threads=1", "--nocapture"]).env(CHILD, "1");
    command
}

/// Whether this process was started by [`in_child`] or [`child`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Ends the test program with a message instead of letting it hang for ever. Starts with the first call.
pub(crate) fn bound_the_program() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::thread::spawn(|| {
            std::thread::sleep(PROGRAM_DEADLINE);
            eprintln!("this test program runs for {PROGRAM_DEADLINE:?}: a call does not return");
            std::process::abort();
        });
    });
}
