//! Where a thread sleeps, and how others wake it.

use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
    elsewhere: Mutex<Option<Elsewhere>>,
}

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        Sleeper { word: AtomicU32::new(AWAKE), home: OnceLock::new(), elsewhere: Mutex::new(None) }
    }

    pub(crate) fn prepare(&self) {
        self.word.store(ASLEEP, Ordering::Relaxed);
    }

    pub(crate) fn prepare_elsewhere(&self, place: Elsewhere) {
        *self.elsewhere.lock() = Some(place);
        self.word.store(ELSEWHERE, Ordering::Relaxed);
    }

    /// The thread has left its sleep elsewhere.
    pub(crate) fn awake(&self) {
        self.word.store(AWAKE, Ordering::Relaxed);
        *self.elsewhere.lock() = None;
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

    pub(crate) fn wake(&self) {
        match self.word.swap(AWAKE, Ordering::SeqCst) {
            ASLEEP => match self.home.get() {
                Some(home) => home.nudge(),
                None => futex_wake(&self.word),
            },
            ELSEWHERE => match &*self.elsewhere.lock() {
                Some(Elsewhere::Descriptor(fd)) => os::eventfd_write(fd),
                Some(Elsewhere::Port(waiter)) => waiter.wake(),
                None => {}
            },
            _ => {}
        }
    }
}
