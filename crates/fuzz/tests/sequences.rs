//! Sequences that found a fault once, and new ones for a few seconds.
#![forbid(unsafe_code)]

use fuzz::case::Case;
use fuzz::report;
use fuzz::run::{Limit, Runner};
use std::path::Path;
use std::time::Duration;

/// How often a sequence that found something is run.
const TIMES: u64 = 30;

/// One test, since a fault ends the process, and the plateau is the process's.
#[test]
fn nothing_is_lost_doubled_or_stuck() {
    report::to(Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults"));
    let mut runner = Runner::new(3);
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let case: Case = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        runner.repeated(&case, TIMES);
    }
    let steps = 20_000;
    // On a machine that does other things, fewer are enough.
    let limit = Limit { steps, time: Duration::from_secs(5), slow: Duration::MAX };
    let done = runner.generated(0x5EED, 0, limit);
    assert!(done.operations > 0);
}
