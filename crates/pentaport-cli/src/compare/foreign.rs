//! What others took of the CPUs while servers were measured.

use crate::process::{self, MachineTime};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// From this share on the machine is called busy.
const BUSY: f64 = 0.05;

/// Shares of the time of all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Foreign {
    /// Of processes that are neither this one, nor servers that it started, nor peers whose `--pid` is known.
    pub(crate) others: f64,
    /// Of the hypervisor, which ran something else when this machine had work.
    pub(crate) steal: f64,
}

/// Clocks read at the beginning.
pub(super) struct Watch {
    start: Instant,
    machine: Option<MachineTime>,
    own: Duration,
    /// Processes that are measured but were not started here.
    peers: Vec<(u32, Duration)>,
}

impl Watch {
    pub(super) fn start(peers: impl Iterator<Item = u32>) -> Watch {
        let peers = peers.filter_map(|pid| Some((pid, process::usage(pid)?.cpu))).collect();
        Watch { start: Instant::now(), machine: process::machine_time(), own: process::own_time(), peers }
    }

    /// What others took since the start. All servers that were started since have ended.
    pub(super) fn stop(self) -> Option<Foreign> {
        let (before, after) = (self.machine?, process::machine_time()?);
        let own = process::own_time().saturating_sub(self.own);
        let used = |&(pid, before): &(u32, Duration)| Some(process::usage(pid)?.cpu.saturating_sub(before));
        let ours = own + self.peers.iter().filter_map(used).sum::<Duration>();
        let all = self.start.elapsed().as_secs_f64() * after.cpus as f64;
        let share = |time: Duration| (time.as_secs_f64() / all.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        Some(Foreign {
            others: share(after.busy.saturating_sub(before.busy).saturating_sub(ours)),
            steal: share(after.steal.saturating_sub(before.steal)),
        })
    }
}

impl Foreign {
    pub(crate) fn is_busy(&self) -> bool {
        self.others + self.steal >= BUSY
    }

    /// `other processes took 12 % of the CPUs and the hypervisor 3 %`.
    pub(crate) fn text(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        format!("other processes took {} of the CPUs and the hypervisor {}", percent(self.others), percent(self.steal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_does_is_not_foreign() {
        let watch = Watch::start(std::iter::empty());
        let own = process::own_time();
        let mut x = 0u64;
        while process::own_time() < own + Duration::from_millis(200) {
            (0..1_000_000).for_each(|i| x = std::hint::black_box(x ^ i));
        }
        // Where the system tells of all CPUs at all, this is not all that they did.
        if let Some(Foreign { others, steal }) = watch.stop() {
            assert!((0.0..=1.0).contains(&others) && (0.0..=1.0).contains(&steal), "{others} {steal}");
        }
    }

    #[test]
    fn a_machine_is_busy_by_what_others_and_the_hypervisor_take() {
        assert!(!Foreign { others: 0.02, steal: 0.02 }.is_busy());
        assert!(Foreign { others: 0.02, steal: 0.04 }.is_busy());
        let text = Foreign { others: 0.123, steal: 0.0 }.text();
        assert_eq!(text, "other processes took 12 % of the CPUs and the hypervisor 0 %");
    }
}
