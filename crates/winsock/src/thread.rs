//! What the engine knows of the calling thread.

use std::cell::{Cell, OnceCell};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::blocked;
use crate::dispatcher;
use crate::objects::threads::ThreadObject;
use crate::os::{self, OsResult};
use crate::reactor::Epoll;
use crate::sleeper::Sleeper;
use crate::sync::local;
use crate::{file, socket};

/// A thread that finds something each time it waits looks after its sockets when it has found so much: about what one
/// harvest brings. Later, others would harvest for it.
const FOUND_PER_HARVEST: usize = 64;

/// A thread that has used the engine.
pub(crate) struct Thread {
    number: u32,
    sleeper: Arc<Sleeper>,
    /// The thread started an operation that only it may keep alive (D87).
    owes: Cell<bool>,
    expects_apcs: Cell<bool>,
    /// What wakes the thread where it polls descriptors.
    wake: OnceCell<Arc<OwnedFd>>,
    /// The synchronous calls that it is blocked in.
    pub(crate) blocked: blocked::OfThread,
    /// What it has found without waiting since it last harvested.
    found: Cell<usize>,
    /// The thread as an object, once somebody asked for a handle to it.
    object: OnceCell<Arc<ThreadObject>>,
}

/// The calling thread.
pub(crate) type Current = Rc<Thread>;

local! {
    static THREAD: Rc<Thread> = Rc::new(Thread::new());
}

/// The calling thread. While its thread-locals are being destroyed, one that lives for the time of the call.
pub(crate) fn current() -> Current {
    THREAD.try_with(Rc::clone).unwrap_or_else(|_| Rc::new(Thread::new()))
}

/// The number of the calling thread, never 0; 0 while its thread-locals are being destroyed.
pub(crate) fn number() -> u32 {
    THREAD.try_with(|thread| thread.number).unwrap_or(0)
}

/// Whether the calling thread is so near its end that no routine is called on it any more, and none is queued to it: its
/// thread-locals are being destroyed, and the engine's among them is gone.
pub fn thread_is_over() -> bool {
    THREAD.try_with(|_| ()).is_err()
}

/// Notes that an operation of the calling thread is to be cancelled when the thread ends.
pub(crate) fn owe() {
    let _ = THREAD.try_with(|thread| thread.owes.set(true));
}

/// The epoll in which the calling thread sleeps, for sockets without a port.
pub(crate) fn home() -> OsResult<Arc<Epoll>> {
    current().home()
}

impl Thread {
    fn new() -> Thread {
        let sleeper = Arc::new(Sleeper::new());
        Thread {
            number: dispatcher::add_thread(sleeper.clone()),
            sleeper,
            owes: Cell::new(false),
            expects_apcs: Cell::new(false),
            wake: OnceCell::new(),
            blocked: blocked::OfThread::default(),
            found: Cell::new(0),
            object: OnceCell::new(),
        }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn sleeper(&self) -> &Sleeper {
        &self.sleeper
    }

    pub(crate) fn home(&self) -> OsResult<Arc<Epoll>> {
        if let Some(home) = self.sleeper.home.get() {
            return Ok(home.clone());
        }
        let home = Epoll::home()?;
        Ok(self.sleeper.home.get_or_init(|| home).clone())
    }

    /// The eventfd that wakes the thread where it polls descriptors.
    pub(crate) fn wake_descriptor(&self) -> OsResult<Arc<OwnedFd>> {
        match self.wake.get() {
            Some(wake) => Ok(wake.clone()),
            None => os::eventfd().map(|fd| self.wake.get_or_init(|| Arc::new(fd)).clone()),
        }
    }

    /// From now on somebody may queue a routine to this thread.
    pub(crate) fn expect_apcs(&self) {
        self.expects_apcs.set(true);
    }

    /// Whether somebody could queue a routine to this thread: it has asked for one itself, or for its own handle.
    pub(crate) fn can_get_apcs(&self) -> bool {
        self.expects_apcs.get() || self.object.get().is_some()
    }

    /// Takes the edges that wait at home; returns whether there is a home.
    pub(crate) fn harvest(&self) -> bool {
        match self.sleeper.home.get() {
            Some(home) => {
                home.harvest_at_home(Some(Duration::ZERO), || true, || {});
                true
            }
            None => false,
        }
    }

    /// As [`Thread::harvest`], once in a while: for a thread that has found so much without waiting.
    pub(crate) fn harvest_now_and_then(&self, found: usize) {
        let found = self.found.get() + found;
        self.found.set(found);
        if found >= FOUND_PER_HARVEST {
            self.found.set(0);
            self.harvest();
        }
    }

    /// The thread as something to wait for and to queue routines to.
    pub(crate) fn object(&self) -> &Arc<ThreadObject> {
        self.object.get_or_init(|| ThreadObject::of_running(self.number))
    }

    /// A thread that CreateThread made takes the object that stood for it before it began.
    pub(crate) fn adopt(&self, object: Arc<ThreadObject>) {
        let _ = self.object.set(object);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if self.owes.get() {
            socket::cancel_of_thread(self.number);
            file::cancel_of_thread(self.number);
        }
        if let Some(object) = self.object.get() {
            object.ending();
        }
        self.blocked.end(self.number);
        dispatcher::remove_thread(self.number);
        if let Some(object) = self.object.get() {
            object.ended();
        }
    }
}
