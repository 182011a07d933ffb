//! Share modes: who may open a file that is open already.
//!
//! Windows asks every program on the machine; here the rule holds between the handles of one process.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ranked_locks::{Mutex, rank};

use crate::types::*;

/// A device and a file on it.
type Id = (u64, u64);

/// One opening of a file, until it is dropped.
pub(super) struct Claim {
    file: Id,
    number: u64,
}

struct Held {
    number: u64,
    wants: FILE_SHARE_MODE,
    shares: FILE_SHARE_MODE,
}

static HELD: LazyLock<Mutex<HashMap<Id, Vec<Held>>, rank::Leaf>> = LazyLock::new(Mutex::default);

impl Claim {
    /// Opens a file for what `wants` says, with FILE_SHARE_READ for reading and so on, and lets others open it for what
    /// `shares` says.
    ///
    /// # Errors
    /// ERROR_SHARING_VIOLATION: somebody does not share what is wanted, or wants what is not shared.
    pub(super) fn new(file: Id, wants: FILE_SHARE_MODE, shares: FILE_SHARE_MODE) -> Result<Claim, WIN32_ERROR> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut held = HELD.lock();
        let others = held.entry(file).or_default();
        if others.iter().any(|other| wants & !other.shares != 0 || other.wants & !shares != 0) {
            return Err(ERROR_SHARING_VIOLATION);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        others.push(Held { number, wants, shares });
        Ok(Claim { file, number })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = HELD.lock();
        if let Some(others) = held.get_mut(&self.file) {
            others.retain(|other| other.number != self.number);
            if others.is_empty() {
                held.remove(&self.file);
            }
        }
    }
}
