//! The thread pool: work items, waits and timers with callbacks, and callbacks for completed operations.
//!
//! Work runs on threads that start on demand and end when there has been nothing to do for a while. A wait or a timer has a
//! thread of its own, which also calls back: so callbacks of one never overlap, and any number of them may block. Operations
//! complete at a port of the pool's own, at which a few threads wait.
//!
//! There is one pool. Those that programs make, and environments that name one, are accepted and mean this one.

mod io;
mod wait;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use crate::c::pool::wait::Waiter;

/// Things that programs know by a number: no address, and no handle of the table.
struct Registry<T>(Mutex<(usize, BTreeMap<usize, Arc<T>>), rank::Leaf>);

impl<T> Registry<T> {
    const fn new() -> Registry<T> {
        Registry(Mutex::new((0x0060_0000, BTreeMap::new())))
    }

    fn insert(&self, thing: Arc<T>) -> usize {
        let (last, things) = &mut *self.0.lock();
        *last += 16;
        things.insert(*last, thing);
        *last
    }

    fn find(&self, number: usize) -> Option<Arc<T>> {
        self.0.lock().1.get(&number).cloned()
    }

    fn remove(&self, number: usize) -> Option<Arc<T>> {
        self.0.lock().1.remove(&number)
    }
}

/// Waits and timers, of all the families that have them.
static WAITERS: Registry<Waiter> = Registry::new();

/// A context that a program passes, for its callback.
#[derive(Clone, Copy)]
struct Context(*mut core::ffi::c_void);

// SAFETY: the program passes it from thread to thread, and says what it means.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// By a method, so that a closure takes the whole and not the pointer within.
    fn get(self) -> *mut core::ffi::c_void {
        self.0
    }
}
