//! The limit on open sockets.

use crate::failure::Failure;
use crate::{process, text};

/// What a process has open besides its connections: standard streams, polls, libraries, files of
/// /proc read for a moment.
const OTHERS: u64 = 64;

/// Raises the limit so far that `connections` sockets can be open; says which limit is in the way if
/// it cannot.
pub(crate) fn allow_connections(connections: u64) -> anyhow::Result<()> {
    let needed = connections.saturating_add(OTHERS);
    let allowed = process::raise_limit(needed);
    if allowed >= needed {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{} need {} {}, but the limit is {} ({})",
            text::plural(connections, "connection"),
            text::count(needed),
            process::DESCRIPTORS,
            text::count(allowed),
            process::LIMIT,
        ),
        format!(
            "use at most {} here{}",
            text::plural(allowed.saturating_sub(OTHERS), "connection"),
            process::how_to_raise_limit(needed),
        ),
    )
    .into())
}

/// How many connections a process can have when its limit is raised as far as it goes.
pub(crate) fn connections_that_fit() -> u64 {
    process::raise_limit(u64::MAX).saturating_sub(OTHERS)
}

/// Raises the limit as far as it goes.
pub(crate) fn allow_all() {
    process::raise_limit(u64::MAX);
}
