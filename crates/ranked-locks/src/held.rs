//! What a thread holds: a list, in debug builds.

use std::marker::PhantomData;

/// The place of a lock in the order in which locks are taken. Implemented by the types of [`rank`](crate::rank).
pub trait Rank {
    /// What the rank is called.
    const NAME: &'static str;
    /// The place: a lock may be waited for by a thread that holds locks of lower places only.
    const PLACE: u8;
}

/// Says that the calling thread holds a lock of rank `R`, from the moment on when it waits for it. It lies in the lock's
/// guard; in release builds it is nothing.
#[must_use]
pub struct Held<R: Rank> {
    /// Its place in the list; `None` if the list is gone, at the end of the thread.
    #[cfg(debug_assertions)]
    place: Option<usize>,
    /// A guard stays with its thread.
    rank: PhantomData<*const R>,
}

impl<R: Rank> Held<R> {
    /// The calling thread is about to wait for the lock.
    ///
    /// # Panics
    /// In debug builds, if it holds one that does not come before this.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn waiting() -> Self {
        #[cfg(debug_assertions)]
        list::check::<R>(None);
        Self::tried()
    }

    /// The calling thread has taken the lock without waiting.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn tried() -> Self {
        Held {
            #[cfg(debug_assertions)]
            place: list::put(list::Entry::new::<R>()),
            rank: PhantomData,
        }
    }

    /// Calls `f`, before which the lock is let go of, and after which it is waited for again.
    ///
    /// # Panics
    /// In debug builds, if the thread holds another lock that does not come before this one.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn interrupted<T>(&mut self, f: impl FnOnce() -> T) -> T {
        #[cfg(debug_assertions)]
        let _again = self.interrupt();
        f()
    }
}

#[cfg(debug_assertions)]
impl<R: Rank> Held<R> {
    #[track_caller]
    fn interrupt(&mut self) -> Interrupted<'_, R> {
        list::check::<R>(self.place);
        let entry = self.place.take().and_then(list::take);
        Interrupted { held: self, entry }
    }
}

/// A lock that was let go of and is taken again when this is dropped.
#[cfg(debug_assertions)]
struct Interrupted<'a, R: Rank> {
    held: &'a mut Held<R>,
    entry: Option<list::Entry>,
}

#[cfg(debug_assertions)]
impl<R: Rank> Drop for Interrupted<'_, R> {
    fn drop(&mut self) {
        self.held.place = self.entry.take().and_then(list::put);
    }
}

#[cfg(debug_assertions)]
impl<R: Rank> Drop for Held<R> {
    fn drop(&mut self) {
        self.place.take().and_then(list::take);
    }
}

#[cfg(debug_assertions)]
mod list {
    use std::cell::Cell;
    use std::io::{self, Write};
    use std::panic::Location;
    use std::{process, thread};

    use super::Rank;

    /// More than any thread holds at once.
    const MOST: usize = 16;

    /// What the calling thread holds. Of fixed size and without a destructor: locks are taken while a thread's locals are
    /// being destroyed, too.
    type List = [Cell<Option<Entry>>; MOST];

    #[cfg(not(feature = "shuttle"))]
    thread_local! {
        static HELD: List = const { [const { Cell::new(None) }; MOST] };
    }
    #[cfg(feature = "shuttle")]
    shuttle::thread_local! {
        static HELD: List = [const { Cell::new(None) }; MOST];
    }

    /// A lock that is held, and where it was taken.
    #[derive(Clone, Copy)]
    pub(super) struct Entry {
        name: &'static str,
        rank: u8,
        taken_at: &'static Location<'static>,
    }

    impl Entry {
        /// One that the caller takes.
        #[track_caller]
        pub(super) fn new<R: Rank>() -> Entry {
            Entry { name: R::NAME, rank: R::PLACE, taken_at: Location::caller() }
        }
    }

    /// Panics if a lock of rank `R` may not be waited for. What lies at `except` is not held meanwhile.
    #[track_caller]
    pub(super) fn check<R: Rank>(except: Option<usize>) {
        let worst = |held: &List| {
            let others = held.iter().enumerate().filter(|&(place, _)| Some(place) != except);
            others.filter_map(|(_, entry)| entry.get()).max_by_key(|entry| entry.rank)
        };
        if let Some(worst) = HELD.try_with(worst).ok().flatten().filter(|worst| worst.rank >= R::PLACE) {
            refuse(&worst, &Entry::new::<R>());
        }
    }

    /// Enters a lock, and tells where; `None` if the list is gone, at the end of a thread of shuttle's.
    pub(super) fn put(entry: Entry) -> Option<usize> {
        let enter = |held: &List| {
            let free = held.iter().position(|entry| entry.get().is_none()).expect("no thread holds so many locks");
            held[free].set(Some(entry));
            free
        };
        HELD.try_with(enter).ok()
    }

    pub(super) fn take(place: usize) -> Option<Entry> {
        HELD.try_with(|held| held[place].take()).ok().flatten()
    }

    #[cold]
    fn refuse(held: &Entry, asked: &Entry) -> ! {
        let rule = match held.rank == asked.rank {
            true => "a second lock of one rank may only be tried",
            false => "locks are taken in the order of their ranks",
        };
        let text = format!(
            "a thread waits for a lock of rank {} at {}, while it holds one of rank {} taken at {}: {rule}",
            asked.name, asked.taken_at, held.name, held.taken_at
        );
        if thread::current().name().is_some_and(|name| name.starts_with("winsock-")) {
            // One of the engine's own, which nobody joins: a test would wait for it, or pass.
            let _ = writeln!(io::stderr(), "{text}");
            process::abort();
        }
        panic!("{text}")
    }
}
