//! What the handles of one socket share with its operations in flight.
//!
//! A socket at a port has users of two sorts. **Owners** are handles in the program: while there is one, the socket is
//! open and operations can be started. **Flights** are operations whose record is in the system's hands: they keep the
//! key alive but not the socket, for a dropped connection must close although a receive is pending on it, and the
//! packet of that receive comes after the close and still names its key (SEMANTICS D84, P14).
//!
//! ```text
//!              Owner::fly                   Flight::land
//!   Owner ─────────────────► Flight ───────┬─────────────► Owner     while the socket is open
//!     │ last one: close()                  └─────────────► Remnant   after that
//! ```
//!
//! Both counts live in one word, so that each step is one atomic instruction, and so that "closed" (no owner) is
//! decided together with "may this packet still use the socket". From no owner there is no way back. When both counts
//! are zero the value **retires**: no packet of it will ever come again. Its memory lives on while a `Remnant` does: that
//! is a third count, of remnants and of all others together. (An `Arc` would have a fourth, and every idle connection
//! with it.)

use std::marker::PhantomData;
use std::ops::Deref;
use std::process;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What a shared value does at the turns of its life. Each is called once at most.
pub(crate) trait Lifecycle {
    /// Dropped when closing is over, retirement included.
    type Farewell;

    /// The last owner is gone: nobody uses the value but flights and remnants, and no owner comes again.
    fn close(&self) -> Self::Farewell;

    /// There is neither an owner nor a flight any more, and never will be.
    fn retire(&self);
}

/// One owner, in the upper half of the word; one flight, in the lower.
const OWNER: u64 = 1 << 32;
const FLIGHT: u64 = 1;
/// More owners than this can exist only if handles are forgotten in a loop; counting on would overflow.
const MOST: u64 = u32::MAX as u64 / 2;

fn owners(state: u64) -> u64 {
    state / OWNER
}

fn flights(state: u64) -> u64 {
    state % OWNER
}

pub(crate) struct Shared<T> {
    state: AtomicU64,
    /// Who keeps the memory: each remnant, and the owners and flights together. With the last it is freed.
    keepers: AtomicU32,
    value: T,
}

/// A handle in the program.
pub(crate) struct Owner<T: Lifecycle>(NonNull<Shared<T>>, PhantomData<Shared<T>>);

/// An operation in the system's hands.
pub(crate) struct Flight<T: Lifecycle>(NonNull<Shared<T>>, PhantomData<Shared<T>>);

/// What is left to look at when the socket is closed.
pub(crate) struct Remnant<T>(NonNull<Shared<T>>, PhantomData<Shared<T>>);

// SAFETY: an Owner gives shared access to T from wherever it is, and drops it there: as an Arc<T> would.
unsafe impl<T: Lifecycle + Send + Sync> Send for Owner<T> {}
// SAFETY: as above.
unsafe impl<T: Lifecycle + Send + Sync> Sync for Owner<T> {}
// SAFETY: a Remnant gives shared access to T from wherever it is, and may drop it there.
unsafe impl<T: Send + Sync> Send for Remnant<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Remnant<T> {}
// SAFETY: a Flight gives no access to T, but its end may drop T.
unsafe impl<T: Lifecycle + Send + Sync> Send for Flight<T> {}
// SAFETY: nothing can be done with a shared Flight.
unsafe impl<T: Lifecycle + Send + Sync> Sync for Flight<T> {}

impl<T: Lifecycle> Owner<T> {
    /// A value with one owner.
    pub(crate) fn new(value: T) -> Self {
        Self(allocate(value, OWNER), PhantomData)
    }

    /// One more flight.
    pub(crate) fn fly(&self) -> Flight<T> {
        let before = self.shared().state.fetch_add(FLIGHT, Ordering::Relaxed);
        if flights(before) > MOST {
            process::abort();
        }
        Flight(self.0, PhantomData)
    }

    /// How many flights there are at this moment.
    pub(crate) fn flights(&self) -> u32 {
        // The lower half fits.
        flights(self.shared().state.load(Ordering::Relaxed)) as u32
    }

    /// Whether this is the only owner, and nothing is in flight. True stays true while `self` is borrowed.
    pub(crate) fn is_alone(&mut self) -> bool {
        self.shared().state.load(Ordering::Acquire) == OWNER
    }

    /// A number that no other value has meanwhile; that of [`Flight::into_raw`] is the same.
    pub(crate) fn address(&self) -> usize {
        self.0.addr().get()
    }

    /// What [`Flight::into_raw`] of any of its flights gives.
    pub(crate) fn pointer(&self) -> NonNull<()> {
        self.0.cast()
    }

    fn shared(&self) -> &Shared<T> {
        // SAFETY: this owner is counted, so the memory is kept.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Lifecycle> Deref for Owner<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shared().value
    }
}

impl<T: Lifecycle> Clone for Owner<T> {
    fn clone(&self) -> Self {
        let before = self.shared().state.fetch_add(OWNER, Ordering::Relaxed);
        if owners(before) > MOST {
            process::abort();
        }
        Self(self.0, PhantomData)
    }
}

impl<T: Lifecycle> Drop for Owner<T> {
    fn drop(&mut self) {
        let state = &self.shared().state;
        let mut before = state.load(Ordering::Relaxed);
        loop {
            // The last owner closes, and turns into a flight meanwhile, which keeps the value from retiring.
            let after = before - OWNER + if owners(before) == 1 { FLIGHT } else { 0 };
            match state.compare_exchange_weak(before, after, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => before = now,
            }
        }
        if owners(before) == 1 {
            let closing = Flight(self.0, PhantomData);
            // SAFETY: `closing` is counted.
            let farewell = unsafe { closing.0.as_ref() }.value.close();
            drop(closing);
            drop(farewell);
        }
    }
}

impl<T: Lifecycle> Flight<T> {
    /// A value that never had an owner: it comes and goes with this flight.
    pub(crate) fn alone(value: T) -> Self {
        Self(allocate(value, FLIGHT), PhantomData)
    }

    /// The end of a flight: an owner while the socket is open, else what is left.
    pub(crate) fn land(self) -> Result<Owner<T>, Remnant<T>> {
        // SAFETY: this flight is counted, so the memory is kept.
        let state = unsafe { &self.0.as_ref().state };
        let mut before = state.load(Ordering::Relaxed);
        while owners(before) > 0 {
            let after = before + OWNER - FLIGHT;
            match state.compare_exchange_weak(before, after, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if owners(before) > MOST => process::abort(),
                Ok(_) => {
                    let owner = Owner(self.0, PhantomData);
                    std::mem::forget(self);
                    return Ok(owner);
                }
                Err(now) => before = now,
            }
        }
        // SAFETY: this flight is counted until it is dropped below, so the memory is kept.
        let before = unsafe { self.0.as_ref() }.keepers.fetch_add(1, Ordering::Relaxed);
        if u64::from(before) > MOST {
            process::abort();
        }
        let remnant = Remnant(self.0, PhantomData);
        drop(self);
        Err(remnant)
    }

    /// An owner while the socket is open. The flight goes on.
    ///
    /// # Safety
    /// The pointer came from `into_raw` of a `Flight` of the same `T`, which is in the air until this returns.
    pub(crate) unsafe fn owner_of(pointer: NonNull<()>) -> Option<Owner<T>> {
        let shared = pointer.cast::<Shared<T>>();
        // SAFETY: the flight is counted by the caller's promise, so the memory is kept.
        let state = unsafe { &shared.as_ref().state };
        let mut before = state.load(Ordering::Relaxed);
        while owners(before) > 0 {
            match state.compare_exchange_weak(before, before + OWNER, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if owners(before) > MOST => process::abort(),
                Ok(_) => return Some(Owner(shared, PhantomData)),
                Err(now) => before = now,
            }
        }
        None
    }

    /// For the record that travels through the system. Whoever has the pointer owes [`from_raw`](Self::from_raw).
    pub(crate) fn into_raw(self) -> NonNull<()> {
        let pointer = self.0.cast();
        std::mem::forget(self);
        pointer
    }

    /// # Safety
    /// The pointer came from `into_raw` of a `Flight` of the same `T`, and is used once.
    pub(crate) unsafe fn from_raw(pointer: NonNull<()>) -> Self {
        Self(pointer.cast(), PhantomData)
    }
}

impl<T: Lifecycle> Drop for Flight<T> {
    fn drop(&mut self) {
        // SAFETY: this flight is counted, so the memory is kept.
        let shared = unsafe { self.0.as_ref() };
        if shared.state.fetch_sub(FLIGHT, Ordering::AcqRel) == FLIGHT {
            shared.value.retire();
            // SAFETY: both counts are zero, so the place that they had together among the keepers is ours to give up: no
            // owner comes from nothing, and no flight without an owner.
            unsafe { give_up(self.0) };
        }
    }
}

impl<T> Deref for Remnant<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this remnant is counted, so the memory is kept.
        &unsafe { self.0.as_ref() }.value
    }
}

impl<T> Drop for Remnant<T> {
    fn drop(&mut self) {
        // SAFETY: this remnant is counted, and is no more.
        unsafe { give_up(self.0) };
    }
}

fn allocate<T>(value: T, state: u64) -> NonNull<Shared<T>> {
    let shared = Shared { state: AtomicU64::new(state), keepers: AtomicU32::new(1), value };
    NonNull::from(Box::leak(Box::new(shared)))
}

/// Gives up a place among the keepers.
///
/// # Safety
/// The caller has one, and does not use the pointer any more.
unsafe fn give_up<T>(shared: NonNull<Shared<T>>) {
    // SAFETY: the caller is a keeper until the count is less.
    let before = unsafe { shared.as_ref() }.keepers.fetch_sub(1, Ordering::Release);
    if before == 1 {
        // What the others did with the value comes before its end. By a load, as ThreadSanitizer knows no fences.
        // SAFETY: as above.
        unsafe { shared.as_ref() }.keepers.load(Ordering::Acquire);
        // SAFETY: `allocate` made it of a Box, and nobody else keeps it.
        drop(unsafe { Box::from_raw(shared.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    /// Counts the turns of its life.
    #[derive(Default)]
    struct Tally {
        closed: AtomicUsize,
        retired: AtomicUsize,
        said_farewell: AtomicUsize,
        dropped: AtomicUsize,
    }

    struct Value(Arc<Tally>);

    impl Drop for Value {
        fn drop(&mut self) {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Farewell(Arc<Tally>);

    impl Drop for Farewell {
        fn drop(&mut self) {
            self.0.said_farewell.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Lifecycle for Value {
        type Farewell = Farewell;

        fn close(&self) -> Farewell {
            assert_eq!(self.0.retired.load(Ordering::SeqCst), 0);
            self.0.closed.fetch_add(1, Ordering::SeqCst);
            Farewell(Arc::clone(&self.0))
        }

        fn retire(&self) {
            self.0.retired.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Tally {
        /// closed, retired, said farewell, dropped
        fn turns(&self) -> [usize; 4] {
            [&self.closed, &self.retired, &self.said_farewell, &self.dropped].map(|count| count.load(Ordering::SeqCst))
        }
    }

    fn start() -> (Owner<Value>, Arc<Tally>) {
        let tally = Arc::new(Tally::default());
        (Owner::new(Value(Arc::clone(&tally))), tally)
    }

    #[test]
    fn the_last_owner_closes_and_without_flights_all_ends() {
        let (owner, tally) = start();
        let second = owner.clone();
        drop(owner);
        assert_eq!(tally.turns(), [0, 0, 0, 0]);
        drop(second);
        assert_eq!(tally.turns(), [1, 1, 1, 1]);
    }

    #[test]
    fn a_flight_does_not_keep_the_socket_open_but_keeps_the_key() {
        let (owner, tally) = start();
        let flight = owner.fly();
        assert_eq!(owner.flights(), 1);
        drop(owner);
        assert_eq!(tally.turns(), [1, 0, 1, 0]);
        let Err(remnant) = flight.land() else { panic!("closed") };
        assert_eq!(tally.turns(), [1, 1, 1, 0]);
        assert_eq!((*remnant).0.turns(), [1, 1, 1, 0]);
        drop(remnant);
        assert_eq!(tally.turns(), [1, 1, 1, 1]);
    }

    #[test]
    fn a_landing_becomes_an_owner_while_the_socket_is_open() {
        let (owner, tally) = start();
        let flight = owner.fly();
        let Ok(landed) = flight.land() else { panic!("open") };
        drop(owner);
        assert_eq!(tally.turns(), [0, 0, 0, 0]);
        assert_eq!(landed.flights(), 0);
        drop(landed);
        assert_eq!(tally.turns(), [1, 1, 1, 1]);
    }

    #[test]
    fn alone_means_no_other_handle_and_no_flight() {
        let (mut owner, _tally) = start();
        assert!(owner.is_alone());
        let second = owner.clone();
        assert!(!owner.is_alone());
        drop(second);
        let flight = owner.fly();
        assert!(!owner.is_alone());
        drop(flight);
        assert!(owner.is_alone());
    }

    #[test]
    fn a_value_that_never_had_an_owner_retires_with_its_flight() {
        let tally = Arc::new(Tally::default());
        let flight = Flight::alone(Value(Arc::clone(&tally)));
        // SAFETY: the pointer is from into_raw just before.
        let flight = unsafe { Flight::<Value>::from_raw(flight.into_raw()) };
        assert!(flight.land().is_err());
        assert_eq!(tally.turns(), [0, 1, 0, 1]);
    }

    /// Owners and flights come and go on four threads; each turn happens exactly once, whichever thread is last.
    #[test]
    fn every_turn_happens_once_under_contention() {
        let rounds = if cfg!(miri) { 5 } else { 2000 };
        for _ in 0..rounds {
            let (owner, tally) = start();
            thread::scope(|scope| {
                for _ in 0..3 {
                    let owner = owner.clone();
                    scope.spawn(move || {
                        let flights = [owner.fly(), owner.fly()];
                        drop(owner);
                        for flight in flights {
                            match flight.land() {
                                Ok(owner) => drop(owner.fly().land()),
                                // Closing has begun, and may go on still in another thread.
                                Err(remnant) => {
                                    // SAFETY: the remnant keeps the memory.
                                    let state = unsafe { remnant.0.as_ref() }.state.load(Ordering::SeqCst);
                                    assert_eq!(owners(state), 0);
                                }
                            }
                        }
                    });
                }
                drop(owner);
            });
            assert_eq!(tally.turns(), [1, 1, 1, 1]);
        }
    }
}
