//! The mutex, and what is waited on with one.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::held::{Held, Rank};

/// parking_lot's mutex, with a rank.
pub struct Mutex<T: ?Sized, R: Rank> {
    rank: PhantomData<fn() -> R>,
    inner: parking_lot::Mutex<T>,
}

/// What a mutex guards, as long as the calling thread holds it.
#[must_use]
pub struct MutexGuard<'a, T: ?Sized, R: Rank> {
    inner: parking_lot::MutexGuard<'a, T>,
    // Dropped last: until the lock is let go of, it is held.
    held: Held<R>,
}

impl<T, R: Rank> Mutex<T, R> {
    /// A mutex that nobody holds.
    pub const fn new(value: T) -> Self {
        Mutex { inner: parking_lot::Mutex::new(value), rank: PhantomData }
    }
}

impl<T: ?Sized, R: Rank> Mutex<T, R> {
    /// Waits for the mutex.
    ///
    /// # Panics
    /// In debug builds, if the thread holds a lock that does not come before this one.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> MutexGuard<'_, T, R> {
        let held = Held::waiting();
        MutexGuard { inner: self.inner.lock(), held }
    }

    /// Takes the mutex if nobody holds it, whatever else the thread holds.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T, R>> {
        let inner = self.inner.try_lock()?;
        Some(MutexGuard { inner, held: Held::tried() })
    }

    /// What it guards, for its only owner.
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T: Default, R: Rank> Default for Mutex<T, R> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for Mutex<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized, R: Rank> MutexGuard<'_, T, R> {
    /// Lets go of the mutex for the time of `f`.
    ///
    /// # Panics
    /// In debug builds, if the thread holds another lock that does not come before this one.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn unlocked<U>(guard: &mut Self, f: impl FnOnce() -> U) -> U {
        let MutexGuard { inner, held } = guard;
        held.interrupted(|| parking_lot::MutexGuard::unlocked(inner, f))
    }

    /// Lets a thread that waits for the mutex have it, and waits for it again.
    ///
    /// # Panics
    /// As [`unlocked`](Self::unlocked).
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn bump(guard: &mut Self) {
        let MutexGuard { inner, held } = guard;
        held.interrupted(|| parking_lot::MutexGuard::bump(inner));
    }
}

impl<T: ?Sized, R: Rank> Deref for MutexGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized, R: Rank> DerefMut for MutexGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// parking_lot's condition variable, for mutexes of any rank. It is no lock, and has no rank itself.
#[derive(Debug, Default)]
pub struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// A condition that nobody waits on.
    pub const fn new() -> Self {
        Condvar(parking_lot::Condvar::new())
    }

    /// Lets go of the mutex until another thread notifies, and waits for it again.
    ///
    /// # Panics
    /// In debug builds, if the thread holds another lock that does not come before the mutex.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn wait<T: ?Sized, R: Rank>(&self, guard: &mut MutexGuard<'_, T, R>) {
        let MutexGuard { inner, held } = guard;
        held.interrupted(|| self.0.wait(inner));
    }

    /// As [`wait`](Self::wait), for so long at most; whether that is over.
    ///
    /// # Panics
    /// As [`wait`](Self::wait).
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn wait_for<T: ?Sized, R: Rank>(&self, guard: &mut MutexGuard<'_, T, R>, timeout: Duration) -> bool {
        let MutexGuard { inner, held } = guard;
        held.interrupted(|| self.0.wait_for(inner, timeout).timed_out())
    }

    /// As [`wait`](Self::wait), until then at the latest; whether that is over.
    ///
    /// # Panics
    /// As [`wait`](Self::wait).
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn wait_until<T: ?Sized, R: Rank>(&self, guard: &mut MutexGuard<'_, T, R>, at: Instant) -> bool {
        let MutexGuard { inner, held } = guard;
        held.interrupted(|| self.0.wait_until(inner, at).timed_out())
    }

    /// Wakes one thread that waits.
    #[inline(always)]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all threads that wait.
    #[inline(always)]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
