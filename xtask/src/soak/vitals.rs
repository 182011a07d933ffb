//! What a process has at one moment: memory, descriptors, threads.

use anyhow::Context;
use serde::Serialize;
use std::fs;

/// What a process has at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Vitals {
    /// Its share of the pages that it has in memory: of those that others map as well, a part (PSS).
    pub(super) pss_bytes: u64,
    /// Heap and stacks: pages that are of no file.
    pub(super) anonymous_bytes: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
}

impl Vitals {
    /// Those of that process, from /proc.
    pub(super) fn of(pid: u32) -> anyhow::Result<Vitals> {
        let folder = format!("/proc/{pid}");
        let read =
            |name: &str| fs::read_to_string(format!("{folder}/{name}")).with_context(|| format!("{folder}/{name}"));
        let (memory, status) = (read("smaps_rollup")?, read("status")?);
        let field = |text: &str, name: &str| number(text, name).with_context(|| format!("{folder} has no {name}"));
        Ok(Vitals {
            pss_bytes: field(&memory, "Pss:")? * 1024,
            anonymous_bytes: field(&memory, "Anonymous:")? * 1024,
            descriptors: fs::read_dir(format!("{folder}/fd")).context("its descriptors")?.count() as u64,
            threads: field(&status, "Threads:")?,
        })
    }
}

/// The number of a line such as `Pss:     1234 kB`.
fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sees_its_own_descriptors_and_threads() {
        let pid = std::process::id();
        let files: Vec<_> = (0..64).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let vitals = Vitals::of(pid).unwrap();
        assert!(vitals.descriptors >= files.len() as u64 && vitals.threads >= 1, "{vitals:?}");
        assert!(vitals.pss_bytes > 0 && vitals.anonymous_bytes > 0, "{vitals:?}");
    }

    #[test]
    fn a_number_is_of_the_line_that_has_its_name() {
        let text = "Rss:   9 kB\nPss:    12 kB\nPss_Anon:  7 kB\n";
        assert_eq!((number(text, "Pss:"), number(text, "Pss_Anon:"), number(text, "Swap:")), (Some(12), Some(7), None));
    }
}
