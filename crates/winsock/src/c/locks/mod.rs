//! Locks that live in the program's own memory, in structures of Windows's sizes.
//!
//! All zeros is the state of each when nobody uses it, as programs initialise them statically. Those who wait are in
//! parking_lot's table of addresses; nothing is allocated, so that a lock that is never deleted leaks nothing. A thread
//! that sleeps for one lets another worker of its completion port run.

mod address;
mod barrier;
mod condition_variable;
mod critical_section;
mod init_once;
mod srw_lock;

use std::time::{Duration, Instant};

use crate::completion_port::timeout;
use crate::error::is_bad;
use crate::types::*;

/// When a wait of so many milliseconds gives up; `None` is never.
fn give_up_at(milliseconds: u32) -> Option<Instant> {
    timeout(milliseconds).and_then(|timeout: Duration| Instant::now().checked_add(timeout))
}

/// A lock behind a program's pointer; `None` for a bad one.
///
/// # Safety
/// `place` is bad (null) or a lock of this kind, which lives for `'a`.
unsafe fn lock_at<'a, T, L>(place: *mut T) -> Option<&'a L> {
    const { assert!(size_of::<L>() <= size_of::<T>() && align_of::<L>() <= align_of::<T>()) };
    // SAFETY: the caller's promise; the locks are made of atomics.
    (!is_bad(place)).then(|| unsafe { &*place.cast::<L>() })
}

/// What a wait answers that gave up.
const TIMED_OUT: Result<(), WIN32_ERROR> = Err(ERROR_TIMEOUT);
