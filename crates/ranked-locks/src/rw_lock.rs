//! The lock that many readers share.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::held::{Held, Rank};

/// parking_lot's readers-writer lock, with a rank. To read twice at once is refused, too: a writer that came in between
/// would let nobody read before.
pub struct RwLock<T: ?Sized, R: Rank> {
    rank: PhantomData<fn() -> R>,
    inner: parking_lot::RwLock<T>,
}

/// What a lock guards, as long as the calling thread reads.
#[must_use]
pub struct RwLockReadGuard<'a, T: ?Sized, R: Rank> {
    inner: parking_lot::RwLockReadGuard<'a, T>,
    // Dropped last: until the lock is let go of, it is held.
    _held: Held<R>,
}

/// What a lock guards, as long as the calling thread writes.
#[must_use]
pub struct RwLockWriteGuard<'a, T: ?Sized, R: Rank> {
    inner: parking_lot::RwLockWriteGuard<'a, T>,
    // As above.
    _held: Held<R>,
}

impl<T, R: Rank> RwLock<T, R> {
    /// A lock that nobody holds.
    pub const fn new(value: T) -> Self {
        RwLock { inner: parking_lot::RwLock::new(value), rank: PhantomData }
    }
}

impl<T: ?Sized, R: Rank> RwLock<T, R> {
    /// Waits until nobody writes.
    ///
    /// # Panics
    /// In debug builds, if the thread holds a lock that does not come before this one.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn read(&self) -> RwLockReadGuard<'_, T, R> {
        let _held = Held::waiting();
        RwLockReadGuard { inner: self.inner.read(), _held }
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn write(&self) -> RwLockWriteGuard<'_, T, R> {
        let _held = Held::waiting();
        RwLockWriteGuard { inner: self.inner.write(), _held }
    }
}

impl<T: Default, R: Rank> Default for RwLock<T, R> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for RwLock<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized, R: Rank> Deref for RwLockReadGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized, R: Rank> Deref for RwLockWriteGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized, R: Rank> DerefMut for RwLockWriteGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}
