//! The soak of one model: cycles of phases, each followed by a lull, and the end.

use super::behaviours;
use super::course::{Course, LULL, Sample};
use super::ledger::{Counts, Ledger};
use super::peer::Peer;
use super::phases::PHASES;
use super::server::Server;
use super::totals::Totals;
use super::verdict::{Lull, Plateau, findings};
use super::vitals::Vitals;
use anyhow::ensure;
use pentaport_server::Model;
use std::io;
use std::net::SocketAddrV4;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a lull may take at most. What goes away later than that is a leak to those who have to pay for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes before the first lull: what an engine starts but once, such as the thread that sends what a peer did not take at
/// first, it has started then.
const BEFORE_FIRST_LULL: [&str; 2] = ["churn", "zero windows"];

/// For so long nothing may change until the first lull is one.
const QUIET: Duration = Duration::from_secs(1);

/// Clients that do nothing, and one that does not read, which are there when the server is told to end.
const LEFT_IDLE: usize = 8;
const LEFT: u64 = LEFT_IDLE as u64 + 1;

/// The part of a phase's time that its lull does not take.
const STRESSED: f64 = 0.75;

/// Cycles in which memory takes its size, and in how many a short soak is divided; it may have time for one less.
const WARM_UP: usize = 2;
const FEW_CYCLES: u32 = 4;

/// A phase is not longer than this; longer soaks have more cycles.
const LONGEST_PHASE: Duration = Duration::from_secs(10);

/// What one phase has come to in all cycles.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    pub(super) phase: &'static str,
    pub(super) runs: u64,
    pub(super) connections: u64,
    pub(super) messages: u64,
    pub(super) resets: u64,
    pub(super) kills: u64,
    pub(super) limit_moves: u64,
    /// After the first and after the last run.
    pub(super) first: Vitals,
    pub(super) last: Vitals,
}

/// What a model's soak has come to.
pub(super) struct Outcome {
    pub(super) model: Model,
    pub(super) cycles: usize,
    pub(super) counts: Counts,
    pub(super) shares: Vec<Share>,
    pub(super) lulls: Vec<Lull>,
    pub(super) first: Vitals,
    pub(super) totals: Option<Totals>,
    pub(super) findings: Vec<String>,
    pub(super) samples: Vec<Sample>,
}

/// Stresses a server of that model for so long, three cycles at least.
pub(super) fn soak(model: Model, share: Duration, ledger: &Ledger, log: &Path) -> anyhow::Result<Outcome> {
    let end = Instant::now() + share;
    let server = Server::start(model, log)?;
    let course = Course::of(server.pid(), ledger);
    let mut run = Run { server: &server, course: &course, ledger, shares: Vec::new(), lulls: Vec::new() };
    let (first, cycles, left) = course.record(|| {
        let first = run.first_lull()?;
        let cycles = run.cycles(Plateau::of(&first), share, end);
        let left = leave_some(ledger, server.address);
        anyhow::Ok((first, cycles, left.map_err(|error| ledger.fault("the end", error)).unwrap_or_default()))
    })?;
    let Run { shares, lulls, .. } = run;
    let samples = course.samples();
    let ending = if ledger.is_interrupted() { Ok(None) } else { server.stop().map(Some) };
    drop(left);
    let counts = ledger.counts();
    let (totals, contradictions) = match ending {
        Ok(None) => (None, vec!["interrupted".to_owned()]),
        Ok(Some(totals)) => (Some(totals.clone()), totals.contradictions(&counts, LEFT)),
        Err(error) => (None, vec![format!("{error:#}")]),
    };
    let findings = findings(&lulls, counts.faults, &ledger.told(), &contradictions);
    Ok(Outcome { model, cycles, counts, shares, lulls, first, totals, findings, samples })
}

struct Run<'a> {
    server: &'a Server,
    course: &'a Course<'a>,
    ledger: &'a Ledger,
    shares: Vec<Share>,
    lulls: Vec<Lull>,
}

impl Run<'_> {
    /// What the server has when it has served a few clients, and nothing has changed for a while.
    fn first_lull(&mut self) -> anyhow::Result<Vitals> {
        for phase in PHASES.iter().filter(|phase| BEFORE_FIRST_LULL.contains(&phase.name)) {
            phase.run(self.server, self.ledger, QUIET / 4, 0);
        }
        let begun = Instant::now();
        let (mut last, mut since) = (self.server.vitals()?, Instant::now());
        while since.elapsed() < QUIET {
            ensure!(begun.elapsed() < PATIENCE, "the server does not come to rest after its first clients: {last:?}");
            thread::sleep(Duration::from_millis(20));
            let now = self.server.vitals()?;
            if (now.descriptors, now.threads) != (last.descriptors, last.threads) {
                since = Instant::now();
            }
            last = now;
        }
        Ok(last)
    }

    /// Cycles until the time is over; returns how many.
    fn cycles(&mut self, mut plateau: Plateau, share: Duration, end: Instant) -> usize {
        let phase = (share / (FEW_CYCLES * PHASES.len() as u32)).mul_f64(STRESSED).min(LONGEST_PHASE);
        let mut cycles = 0;
        loop {
            cycles += 1;
            let begun = Instant::now();
            for index in 0..PHASES.len() {
                if self.ledger.is_over() {
                    return cycles;
                }
                self.phase(index, cycles, phase, &plateau);
            }
            if cycles <= WARM_UP {
                plateau.warm_up(self.lulls.last());
            } else if Instant::now() + begun.elapsed() > end {
                return cycles;
            }
        }
    }

    fn phase(&mut self, index: usize, cycle: usize, length: Duration, plateau: &Plateau) {
        let phase = &PHASES[index];
        let before = self.ledger.counts();
        self.course.enter(phase.name);
        phase.run(self.server, self.ledger, length, (cycle * PHASES.len() + index) as u64);
        self.course.enter(LULL);
        let is_last = index + 1 == PHASES.len();
        let Some((vitals, excess)) = self.lull(phase.name, plateau, cycle > WARM_UP && is_last) else { return };
        let after = self.ledger.counts();
        if self.shares.len() <= index {
            self.shares.push(Share { phase: phase.name, first: vitals, ..Share::default() });
        }
        let share = &mut self.shares[index];
        share.runs += 1;
        share.connections += after.connections() - before.connections();
        share.messages += after.all_messages() - before.all_messages();
        share.resets += after.resets - before.resets;
        share.kills += after.kills - before.kills;
        share.limit_moves += after.limit_moves - before.limit_moves;
        share.last = vitals;
        self.lulls.push(Lull { phase: phase.name, cycle, vitals, excess });
    }

    /// Waits until the server is back at its plateau, or the time for that is over; None if there is no server. What it has not
    /// given back once is not waited for again: else a soak that fails would take ten times as long.
    fn lull(&self, phase: &'static str, plateau: &Plateau, bounds_memory: bool) -> Option<(Vitals, Vec<String>)> {
        let patience = if self.lulls.iter().all(|lull| lull.excess.is_empty()) { PATIENCE } else { QUIET };
        let begun = Instant::now();
        loop {
            let vitals = self.server.vitals().map_err(|error| self.ledger.fault(phase, format!("{error:#}"))).ok()?;
            let excess = plateau.excess(&vitals, bounds_memory);
            if excess.is_empty() || begun.elapsed() > patience || self.ledger.is_interrupted() {
                return Some((vitals, excess));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Clients that are there at the end of the server.
fn leave_some(ledger: &Ledger, server: SocketAddrV4) -> io::Result<Vec<Peer<'_>>> {
    let mut left = Vec::new();
    for _ in 0..LEFT {
        let mut peer = Peer::connect(ledger, server, None)?;
        peer.exchange(1)?;
        left.push(peer);
    }
    behaviours::flood(&mut left[LEFT_IDLE])?;
    Ok(left)
}
