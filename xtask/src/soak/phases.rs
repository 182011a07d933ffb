//! The phases of a cycle: which clients a server has to stand at a time.

use super::behaviours::{self, Behaviour, Stress};
use super::ledger::Ledger;
use super::loads;
use super::peer::Dice;
use super::server::Server;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One kind of stress.
pub(super) struct Phase {
    pub(super) name: &'static str,
    /// What clients do, and in how many threads.
    clients: &'static [(Behaviour, usize)],
    beside: Beside,
}

/// What else goes on in a phase.
#[derive(PartialEq)]
enum Beside {
    Nothing,
    Kills,
    LimitMoves,
}

/// A cycle: each phase in turn, the last one everything that needs no other limits.
pub(super) const PHASES: [Phase; 10] = [
    Phase { name: "churn", clients: &[(behaviours::churn, 4)], beside: Beside::Nothing },
    Phase { name: "resets", clients: &[(behaviours::reset, 4)], beside: Beside::Nothing },
    Phase { name: "slow readers", clients: &[(behaviours::read_slowly, 6)], beside: Beside::Nothing },
    Phase { name: "drips", clients: &[(behaviours::drip, 4)], beside: Beside::Nothing },
    Phase { name: "idle thousands", clients: &[(behaviours::idle, 4)], beside: Beside::Nothing },
    Phase { name: "zero windows", clients: &[(behaviours::never_read, 4)], beside: Beside::Nothing },
    Phase { name: "half-closes", clients: &[(behaviours::half_close, 4)], beside: Beside::Nothing },
    Phase { name: "killed loads", clients: &[], beside: Beside::Kills },
    Phase { name: "descriptor limits", clients: &[(behaviours::churn_in_waves, 4)], beside: Beside::LimitMoves },
    Phase {
        name: "all at once",
        clients: &[
            (behaviours::churn, 1),
            (behaviours::churn_in_waves, 1),
            (behaviours::reset, 1),
            (behaviours::read_slowly, 1),
            (behaviours::drip, 1),
            (behaviours::never_read, 1),
            (behaviours::half_close, 1),
        ],
        beside: Beside::Kills,
    },
];

impl Phase {
    /// Stresses the server for so long; what fails is noted in the ledger. Returns when all clients have gone.
    pub(super) fn run(&self, server: &Server, ledger: &Ledger, length: Duration, seed: u64) {
        let stress = |thread: usize| Stress {
            ledger,
            server: server.address,
            end: Instant::now() + length,
            seed: seed * 100 + thread as u64,
        };
        let clients: Vec<Behaviour> =
            self.clients.iter().flat_map(|&(client, threads)| std::iter::repeat_n(client, threads)).collect();
        let working = AtomicUsize::new(clients.len());
        thread::scope(|scope| {
            for (thread, client) in clients.iter().enumerate() {
                let (stress, working) = (stress(thread), &working);
                scope.spawn(move || {
                    if let Err(error) = client(&stress) {
                        ledger.fault(self.name, error);
                    }
                    working.fetch_sub(1, Ordering::SeqCst);
                });
            }
            let beside = match self.beside {
                Beside::Nothing => Ok(()),
                Beside::Kills => loads::killed(&stress(clients.len()), server),
                Beside::LimitMoves => move_limit(&stress(clients.len()), server, &working),
            };
            if let Err(error) = beside {
                ledger.fault(self.name, format!("{error:#}"));
            }
        });
    }
}

/// Takes descriptors from the server and gives them back, until its clients have gone. They wait meanwhile, and notice
/// nothing else.
fn move_limit(stress: &Stress<'_>, server: &Server, working: &AtomicUsize) -> anyhow::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while Instant::now() < stress.end && working.load(Ordering::SeqCst) > 0 {
        // From some below what it has, so that it gets none even if some are closed, to a few more.
        let few = (server.vitals()?.descriptors + dice.below(16)).saturating_sub(8);
        server.limit_descriptors(Some(few))?;
        thread::sleep(Duration::from_millis(20 + dice.below(100)));
        server.limit_descriptors(None)?;
        stress.ledger.limit_moves.fetch_add(2, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(dice.below(50)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_a_name_of_its_own_and_something_to_do() {
        for (index, phase) in PHASES.iter().enumerate() {
            assert!(PHASES[..index].iter().all(|other| other.name != phase.name), "{}", phase.name);
            assert!(!phase.clients.is_empty() || phase.beside != Beside::Nothing, "{}", phase.name);
        }
    }
}
