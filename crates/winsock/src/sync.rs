//! What the wait engine and the port are built from: locks, atomics, a futex, thread-locals.
//!
//! With the feature `shuttle` these are shuttle's, so that tests run both under many schedules (see `schedules.rs`).

#[cfg(feature = "shuttle")]
pub(crate) use self::model::*;
#[cfg(not(feature = "shuttle"))]
pub(crate) use self::system::*;

#[cfg(not(feature = "shuttle"))]
mod system {
    pub(crate) use std::sync::atomic;
    pub(crate) use std::thread_local as local;

    pub(crate) use ranked_locks::{Mutex, MutexGuard};

    pub(crate) use crate::os::{futex_wait, futex_wake};

    /// A static that starts anew in each of shuttle's runs.
    macro_rules! global {
        (static $name:ident: $type:ty = $value:expr;) => {
            static $name: $type = $value;
        };
    }
    pub(crate) use global;
}

#[cfg(feature = "shuttle")]
mod model {
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};
    use std::time::Duration;

    use ranked_locks::{Held, Rank};
    pub(crate) use shuttle::sync::atomic;

    macro_rules! local {
        ($($(#[$meta:meta])* static $name:ident: $type:ty = const $value:block;)*) => {
            $(shuttle::thread_local! { $(#[$meta])* static $name: $type = $value; })*
        };
        (static $name:ident: $type:ty = $value:expr;) => {
            shuttle::thread_local! { static $name: $type = $value; }
        };
    }
    pub(crate) use local;

    macro_rules! global {
        (static $name:ident: $type:ty = $value:expr;) => {
            shuttle::lazy_static! { static ref $name: $type = $value; }
        };
    }
    pub(crate) use global;

    /// As [`ranked_locks::Mutex`]: ranked, no poisoning, and a guard that can let go for a while.
    pub(crate) struct Mutex<T, R: Rank> {
        inner: shuttle::sync::Mutex<T>,
        rank: PhantomData<fn() -> R>,
    }

    pub(crate) struct MutexGuard<'a, T, R: Rank> {
        mutex: &'a Mutex<T, R>,
        inner: Option<shuttle::sync::MutexGuard<'a, T>>,
        held: Held<R>,
    }

    impl<T, R: Rank> Mutex<T, R> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex { inner: shuttle::sync::Mutex::new(value), rank: PhantomData }
        }

        #[track_caller]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T, R> {
            let held = Held::waiting();
            MutexGuard { mutex: self, inner: self.inner.lock().ok(), held }
        }
    }

    impl<T, R: Rank> MutexGuard<'_, T, R> {
        #[track_caller]
        pub(crate) fn unlocked<U>(guard: &mut Self, f: impl FnOnce() -> U) -> U {
            let MutexGuard { mutex, inner, held } = guard;
            held.interrupted(|| {
                *inner = None;
                let result = f();
                *inner = mutex.inner.lock().ok();
                result
            })
        }
    }

    impl<T, R: Rank> Deref for MutexGuard<'_, T, R> {
        type Target = T;

        fn deref(&self) -> &T {
            self.inner.as_ref().expect("locked")
        }
    }

    impl<T, R: Rank> DerefMut for MutexGuard<'_, T, R> {
        fn deref_mut(&mut self) -> &mut T {
            self.inner.as_mut().expect("locked")
        }
    }

    global! { static FUTEX: (shuttle::sync::Mutex<()>, shuttle::sync::Condvar) = Default::default(); }

    /// Sleeps while `word` holds `expected`. Time does not pass in a run: a wait is for ever, or for no time.
    pub(crate) fn futex_wait(word: &atomic::AtomicU32, expected: u32, timeout: Option<Duration>) {
        let mut guard = FUTEX.0.lock().expect("not poisoned");
        // Once, as the system does: who changes the word and does not wake leaves the sleeper asleep.
        if timeout != Some(Duration::ZERO) && word.load(atomic::Ordering::SeqCst) == expected {
            guard = FUTEX.1.wait(guard).expect("not poisoned");
        }
        drop(guard);
    }

    pub(crate) fn futex_wake(_: &atomic::AtomicU32) {
        let _guard = FUTEX.0.lock().expect("not poisoned");
        FUTEX.1.notify_all();
    }
}
