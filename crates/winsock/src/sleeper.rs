//! Where a thread sleeps, and how others wake it.

use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ranked_locks::rank;

use crate::os;
use crate::port::Wakeable;
use crate::reactor::Epoll;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Mutex, futex_wait, futex_wake};

const AWAKE: u32 = 0;
/// On the word itself or, if the thread has a home, in its epoll.
const ASLEEP: u32 = 1;
/// In a call that sleeps in a way of its own.
const ELSEWHERE: u32 = 2;

/// A place where a thread sleeps other than in a wait of the engine.
#[derive(Clone)]
pub(crate) enum Elsewhere {
    /// It polls this eventfd, with others.
    Descriptor(Arc<OwnedFd>),
    /// It waits for packets.
    Port(Wakeable),
}

/// The one sleeper of a thread. It gets ready to sleep under the dispatcher's lock, under which others look whether it
/// has to be woken.
pub(crate) struct Sleeper {
    word: AtomicU32,
    /// The epoll of the sockets that are homed at this thread. Made by the thread itself, and never while it sleeps.
    pub(crate) home: OnceLock<Arc<Epoll>>,
    elsewhere: Mutex<Option<Elsewhere>, rank::Leaf>,
}

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        Sleeper { word: AtomicU32::new(AWAKE), home: OnceLock::new(), elsewhere: Mutex::new(None) }
    }

    pub(crate) fn prepare(&self) {
        self.word.store(ASLEEP, Ordering::Relaxed);
    }

    /// Says where the thread is about to sleep. The caller holds no lock: others come to theirs by what is kept here.
    pub(crate) fn go_elsewhere(&self, place: Elsewhere) {
        *self.elsewhere.lock() = Some(place);
    }

    pub(crate) fn prepare_elsewhere(&self) {
        self.word.store(ELSEWHERE, Ordering::Relaxed);
    }

    /// The thread has left its sleep elsewhere.
    pub(crate) fn awake(&self) {
        self.word.store(AWAKE, Ordering::Relaxed);
        let place = self.elsewhere.lock().take();
        // Not under the lock: the port may have no other reference.
        drop(place);
    }

    /// Sleeps until woken, or until the time is over, and runs what edges at home make possible.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        match self.home.get() {
            Some(home) => home.harvest_at_home(
                timeout,
                || self.word.load(Ordering::SeqCst) == ASLEEP,
                || self.word.store(AWAKE, Ordering::Relaxed),
            ),
            None => futex_wait(&self.word, ASLEEP, timeout),
        }
    }

    pub(crate) fn must_be_woken(&self) -> bool {
        self.word.load(Ordering::Relaxed) != AWAKE
    }

    /// Wakes the thread from a wait of the engine that has ended. One that sleeps elsewhere has left that wait, and is left
    /// alone: it may be in a port whose lock the caller holds.
    pub(crate) fn wake(&self) {
        if self.word.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.end_sleep();
        }
    }

    /// Wakes the thread wherever it sleeps: a routine is queued to it.
    pub(crate) fn alert(&self) {
        match self.word.swap(AWAKE, Ordering::SeqCst) {
            ASLEEP => self.end_sleep(),
            ELSEWHERE => {
                // Not under the lock: a port has one, too.
                let place = self.elsewhere.lock().clone();
                match place {
                    Some(Elsewhere::Descriptor(fd)) => os::eventfd_write(&fd),
                    Some(Elsewhere::Port(waiter)) => waiter.wake(),
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn end_sleep(&self) {
        match self.home.get() {
            Some(home) => home.nudge(),
            None => futex_wake(&self.word),
        }
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn what_ended_a_wait_leaves_a_thread_alone_that_sleeps_elsewhere_by_now() {
        let sleeper = Sleeper::new();
        let place = Arc::new(os::eventfd().expect("a descriptor"));
        let is_told = || os::poll_now(place.as_raw_fd(), libc::POLLIN) != 0;
        sleeper.go_elsewhere(Elsewhere::Descriptor(place.clone()));
        sleeper.prepare_elsewhere();
        sleeper.wake();
        assert!(!is_told() && sleeper.must_be_woken());
        sleeper.alert();
        assert!(is_told() && !sleeper.must_be_woken());
    }
}
