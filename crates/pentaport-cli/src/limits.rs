//! The limit on open descriptors.

use crate::failure::Failure;
use crate::text;

/// What a process has open besides its connections: standard streams, polls, libraries, files of
/// /proc read for a moment.
const OTHERS: u64 = 64;

/// Raises the soft limit so far that `connections` sockets can be open; says which limit is in the
/// way if it cannot.
pub(crate) fn allow_connections(connections: u64) -> anyhow::Result<()> {
    let needed = connections.saturating_add(OTHERS);
    let allowed = raise(needed);
    if allowed >= needed {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{} need {} descriptors, but the limit is {} (RLIMIT_NOFILE, hard)",
            text::plural(connections, "connection"),
            text::count(needed),
            text::count(allowed),
        ),
        format!(
            "use at most {} here, or raise the hard limit: `ulimit -Hn {needed}` as root, \
             LimitNOFILE= in a systemd unit, or `nofile` in /etc/security/limits.conf",
            text::plural(allowed.saturating_sub(OTHERS), "connection"),
        ),
    )
    .into())
}

/// Raises the soft limit as far as `needed` and returns what is allowed now. The limit is left as
/// it is if it cannot be read or set: then the connections themselves will tell.
fn raise(needed: u64) -> u64 {
    rlimit::increase_nofile_limit(needed).unwrap_or(u64::MAX)
}

/// Raises the soft limit as far as it goes.
pub(crate) fn allow_all() {
    raise(u64::MAX);
}
