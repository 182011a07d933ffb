//! What the clients of a soak have done, counted while it runs.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// Faults that are told; of further ones only the number is.
const TOLD: usize = 10;

/// So many faults end a model's soak: the next thousand would say the same.
pub(super) const TOO_MANY: u64 = 50;

/// The counters of one model's soak. All clients count in it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Connections that clients of this process tried to make.
    pub(super) attempted: AtomicU64,
    /// Those on which a byte came back, so that the server has accepted them.
    pub(super) answered: AtomicU64,
    /// Those that ended in order: all bytes had come back.
    pub(super) in_order: AtomicU64,
    /// Those that the client reset.
    pub(super) resets: AtomicU64,
    /// Messages that came back.
    pub(super) messages: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    /// Bytes that came back, each compared with what was sent.
    pub(super) bytes_back: AtomicU64,
    /// Connections that loads tried to make, and messages that those loads report which were not killed.
    pub(super) load_connections: AtomicU64,
    pub(super) load_messages: AtomicU64,
    pub(super) kills: AtomicU64,
    pub(super) limit_moves: AtomicU64,
    pub(super) faults: AtomicU64,
    told: Mutex<Vec<String>>,
    /// By Ctrl-C; all models' ledgers have the same.
    interrupted: Arc<AtomicBool>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) attempted: u64,
    pub(super) answered: u64,
    pub(super) in_order: u64,
    pub(super) resets: u64,
    pub(super) messages: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_back: u64,
    pub(super) load_connections: u64,
    pub(super) load_messages: u64,
    pub(super) kills: u64,
    pub(super) limit_moves: u64,
    pub(super) faults: u64,
}

impl Counts {
    /// Connections of this process and of loads.
    pub(super) fn connections(&self) -> u64 {
        self.attempted + self.load_connections
    }

    /// Messages of this process and of loads.
    pub(super) fn all_messages(&self) -> u64 {
        self.messages + self.load_messages
    }
}

impl Ledger {
    pub(super) fn new(interrupted: Arc<AtomicBool>) -> Ledger {
        Ledger { interrupted, ..Ledger::default() }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            attempted: self.attempted.load(Relaxed),
            answered: self.answered.load(Relaxed),
            in_order: self.in_order.load(Relaxed),
            resets: self.resets.load(Relaxed),
            messages: self.messages.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
            bytes_back: self.bytes_back.load(Relaxed),
            load_connections: self.load_connections.load(Relaxed),
            load_messages: self.load_messages.load(Relaxed),
            kills: self.kills.load(Relaxed),
            limit_moves: self.limit_moves.load(Relaxed),
            faults: self.faults.load(Relaxed),
        }
    }

    /// Notes what should not have happened.
    pub(super) fn fault(&self, place: &str, what: impl Display) {
        self.faults.fetch_add(1, Relaxed);
        let mut told = self.told.lock().expect("nothing panics under this lock");
        if told.len() < TOLD {
            told.push(format!("{place}: {what}"));
        }
    }

    /// The first faults.
    pub(super) fn told(&self) -> Vec<String> {
        self.told.lock().expect("nothing panics under this lock").clone()
    }

    /// Whether clients are to end at once: by Ctrl-C, or since too much has failed.
    pub(super) fn is_over(&self) -> bool {
        self.interrupted.load(Relaxed) || self.faults.load(Relaxed) >= TOO_MANY
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }
}
