//! Ctrl-C, SIGTERM and SIGHUP for commands that measure: they end early, with what was measured so far.

use anyhow::Context;
use std::fmt;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// What shells report of a process that Ctrl-C ended.
pub(crate) const STATUS: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C only [requests](requested) the end; a second one ends at once.
pub(crate) fn watch() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            process::exit(STATUS.into());
        }
    })
    .context("cannot handle Ctrl-C")
}

/// Whether the command is to end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// The command ended before it was done. What it had measured is printed already.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}
