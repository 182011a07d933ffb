//! The locks of pentaport's crates. Each has a *rank*, a type that stands beside the type of what it guards, and debug builds
//! check that every thread takes its locks in the order of their ranks.
//!
//! Two threads that take two locks in opposite orders wait for each other once in a million runs. The check needs no second
//! thread and no luck: the first test that walks a wrong path panics, and the message names both places, where the lock
//! that is held was taken and where the next one is asked for.
//!
//! The rules, of which [`rank`] has the order:
//!
//! * A thread waits for a lock only if the ranks of all locks that it holds come before that lock's.
//! * So it never waits for a second lock of one rank. A second one is tried ([`Mutex::try_lock`]), and where that fails the
//!   first is let go of.
//! * What is only tried may be out of order, since it never waits. Once taken it counts as held, as any other.
//! * To wait on a [`Condvar`], and to let go of a lock for a while ([`MutexGuard::unlocked`]), ends with taking the lock again:
//!   so all else that is held has to come before it.
//!
//! In release builds a lock is parking_lot's and nothing else: no larger, and not an instruction more.
//!
//! ```
//! use ranked_locks::{Mutex, rank};
//! let socket: Mutex<u32, rank::Socket> = Mutex::new(1);
//! let port: Mutex<u32, rank::Port> = Mutex::new(2);
//! let socket = socket.lock();
//! assert_eq!(*socket + *port.lock(), 3);
//! ```
#![forbid(unsafe_code)]

mod held;
mod mutex;
pub mod rank;
mod rw_lock;
#[cfg(all(test, debug_assertions, not(feature = "shuttle")))]
mod tests;

pub use held::{Held, Rank};
pub use mutex::{Condvar, Mutex, MutexGuard};
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(not(debug_assertions))]
const _: () = {
    type Ranked<T> = Mutex<T, rank::Leaf>;
    assert!(size_of::<Ranked<u32>>() == size_of::<parking_lot::Mutex<u32>>());
    assert!(size_of::<MutexGuard<'_, u32, rank::Leaf>>() == size_of::<parking_lot::MutexGuard<'_, u32>>());
};
