//! Whether a server has come back.

use super::vitals::Vitals;

/// What memory may grow beyond the peak of the warm-up, each seen in the lull at the end of a cycle. Between phases it is not
/// judged: which pages the allocator can give back differs from time to time. A leak of 20 bytes for each connection is more
/// than the margin after some 200,000 connections.
const MARGIN_BYTES: u64 = 4 << 20;
const MARGIN_PERCENT: u64 = 20;

/// What a server that has no clients may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plateau {
    descriptors: u64,
    threads: u64,
    /// The peak at the end of a cycle of the warm-up.
    anonymous_bytes: u64,
}

impl Plateau {
    /// That of the first lull.
    pub(super) fn of(first: &Vitals) -> Plateau {
        let &Vitals { descriptors, threads, anonymous_bytes, .. } = first;
        Plateau { descriptors, threads, anonymous_bytes }
    }

    /// Takes the end of a cycle of the warm-up into account.
    pub(super) fn warm_up(&mut self, end_of_cycle: Option<&Lull>) {
        let bytes = end_of_cycle.map_or(0, |lull| lull.vitals.anonymous_bytes);
        self.anonymous_bytes = self.anonymous_bytes.max(bytes);
    }

    /// What the server has too much of.
    pub(super) fn excess(&self, now: &Vitals, bounds_memory: bool) -> Vec<String> {
        let margin = (self.anonymous_bytes * MARGIN_PERCENT / 100).max(MARGIN_BYTES);
        let memory_bound = if bounds_memory { self.anonymous_bytes + margin } else { u64::MAX };
        let bounds = [
            ("descriptors", now.descriptors, self.descriptors),
            ("threads", now.threads, self.threads),
            ("bytes of anonymous pages", now.anonymous_bytes, memory_bound),
        ];
        let over = bounds.into_iter().filter(|(_, is, bound)| is > bound);
        over.map(|(what, is, bound)| format!("{is} {what}, at most {bound} expected")).collect()
    }
}

/// The rest after a phase, when all clients have gone.
#[derive(Clone, Debug)]
pub(super) struct Lull {
    pub(super) phase: &'static str,
    /// Counted from 1.
    pub(super) cycle: usize,
    pub(super) vitals: Vitals,
    /// What the server still had too much of when the time of the lull was over.
    pub(super) excess: Vec<String>,
}

/// Everything that a model's soak has found wrong.
pub(super) fn findings(lulls: &[Lull], faults: u64, told: &[String], contradictions: &[String]) -> Vec<String> {
    let mut findings: Vec<String> = told.to_vec();
    if faults > told.len() as u64 {
        findings.push(format!("{} further faults", faults - told.len() as u64));
    }
    for Lull { phase, cycle, excess, .. } in lulls {
        findings.extend(excess.iter().map(|excess| format!("cycle {cycle}, after {phase}: {excess}")));
    }
    findings.extend(contradictions.iter().map(|what| format!("totals: {what}")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Vitals = Vitals { pss_bytes: 9 << 20, anonymous_bytes: 4 << 20, descriptors: 12, threads: 3 };

    fn lull(vitals: Vitals, plateau: &Plateau) -> Lull {
        Lull { phase: "resets", cycle: 2, vitals, excess: plateau.excess(&vitals, true) }
    }

    #[test]
    fn a_server_that_has_what_it_had_has_come_back() {
        let plateau = Plateau::of(&REST);
        let less = Vitals { descriptors: 11, threads: 2, anonymous_bytes: 1 << 20, ..REST };
        assert!(findings(&[lull(REST, &plateau), lull(less, &plateau)], 0, &[], &[]).is_empty());
    }

    #[test]
    fn one_descriptor_or_thread_too_many_is_found() {
        let plateau = Plateau::of(&REST);
        let lulls = [lull(Vitals { descriptors: 13, threads: 4, ..REST }, &plateau)];
        assert_eq!(
            findings(&lulls, 0, &[], &[]),
            [
                "cycle 2, after resets: 13 descriptors, at most 12 expected",
                "cycle 2, after resets: 4 threads, at most 3 expected"
            ]
        );
    }

    #[test]
    fn memory_is_bounded_by_the_peak_of_the_warm_up() {
        let mut plateau = Plateau::of(&REST);
        let of = |mebibytes: u64| Vitals { anonymous_bytes: mebibytes << 20, ..REST };
        // Of little memory a part is less than what the allocator rounds to.
        assert!(plateau.excess(&of(8), true).is_empty());
        assert_eq!(plateau.excess(&of(9), true).len(), 1);
        plateau.warm_up(Some(&lull(of(40), &plateau)));
        plateau.warm_up(Some(&lull(of(20), &plateau)));
        assert!(plateau.excess(&of(48), true).is_empty());
        assert_eq!(plateau.excess(&of(49), true).len(), 1);
        assert!(plateau.excess(&of(49), false).is_empty(), "in the middle of a cycle");
    }

    #[test]
    fn faults_and_contradictions_are_findings() {
        let told = ["churn: byte 3 came back wrong".to_owned()];
        let found = findings(&[], 3, &told, &["1 failed".to_owned()]);
        assert_eq!(found, ["churn: byte 3 came back wrong", "2 further faults", "totals: 1 failed"]);
    }
}
