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

    pub(crate) use parking_lot::{Mutex, MutexGuard};

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
    use std::ops::{Deref, DerefMut};
    use std::time::Duration;

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

    /// As parking_lot's: no poisoning, and a guard that can let go for a while.
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    pub(crate) struct MutexGuard<'a, T>(&'a Mutex<T>, Option<shuttle::sync::MutexGuard<'a, T>>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Mutex<T> {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(self, self.0.lock().ok())
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Mutex<T> {
            Mutex::new(T::default())
        }
    }

    impl<T> MutexGuard<'_, T> {
        pub(crate) fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
            guard.1 = None;
            let result = f();
            guard.1 = guard.0.0.lock().ok();
            result
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.1.as_ref().expect("locked")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.1.as_mut().expect("locked")
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
