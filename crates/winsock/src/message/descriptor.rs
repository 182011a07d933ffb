//! The queue's descriptor: how a message queue gets into somebody else's main loop.
//!
//! An epoll that holds three descriptors:
//! * the epoll of the thread's home, so that whoever watches wakes when one of the queue's sockets has news, without another
//!   thread in between; the news becomes messages when the thread looks (PeekMessage harvests its home);
//! * an eventfd, readable while messages wait;
//! * a timerfd, readable while a timer is due.
//!
//! All are asked by level. A thread that looks until it finds nothing has harvested the home, taken the messages and the
//! timers, and leaves the descriptor unreadable; as long as something is left, it is readable. What the thread's own look
//! brings in and takes out costs no system call: the state is shown when the call returns.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use crate::os::{self, OsResult};
use crate::reactor::Epoll;

pub(super) struct Descriptor {
    epoll: OwnedFd,
    waiting: OwnedFd,
    timer: OwnedFd,
    /// What `waiting` shows.
    shown: bool,
    /// When `timer` becomes readable.
    armed: Option<Instant>,
}

impl Descriptor {
    /// Beside the queue's own, watches the thread's home.
    pub(super) fn new(home: &Epoll) -> OsResult<Descriptor> {
        let (epoll, waiting, timer) = (os::epoll_create()?, os::eventfd()?, os::timerfd()?);
        for fd in [waiting.as_raw_fd(), timer.as_raw_fd(), home.as_raw_fd()] {
            os::epoll_add(&epoll, fd, libc::EPOLLIN, 0)?;
        }
        Ok(Descriptor { epoll, waiting, timer, shown: false, armed: None })
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// Shows whether messages wait, and becomes readable when a timer is due.
    pub(super) fn show(&mut self, waiting: bool, timer: Option<Instant>) {
        match (self.shown, waiting) {
            (false, true) => os::eventfd_write(&self.waiting),
            (true, false) => os::eventfd_drain(&self.waiting),
            _ => {}
        }
        self.shown = waiting;
        if self.armed != timer {
            // A time that has passed has to arm it too, and zero would disarm it.
            let left = timer.map(|due| due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1)));
            os::timerfd_set(&self.timer, left);
            self.armed = timer;
        }
    }
}
