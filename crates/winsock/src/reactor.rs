//! Readiness: an epoll instance, edge-triggered, and what is done with its edges.
//!
//! Every port has one for its sockets. A socket without a port is watched at the *home* of a thread, the epoll in which
//! that thread sleeps when it waits: so what the thread waits for happens on the thread itself, without a hop through
//! another one. Nothing in the kernel holds a caller's buffer between completions: an edge only makes the socket's
//! queued requests run.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::os::{self, OsResult};
use crate::socket::{self, Socket};
use crate::watchdog;

/// How many edges one call takes. Large enough to spread the cost of the call, small enough that what the first
/// receive brought is still in the cache when its packet is handled.
const BATCH: usize = 64;

const EDGES: i32 = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLPRI | libc::EPOLLET;

/// How often in a row the watchdog has taken edges after a nap when it begins to take them at once. Until then their
/// thread may be busy, and have them first when it comes back: two threads at the same sockets cost more than one.
const DESERTED: u32 = 16;

/// What the wake descriptor is registered as; no socket lies at address 0.
const WAKE: u64 = 0;

/// The bits of an address. Above them lies the number of the registration, so that an edge that was taken before the
/// socket was registered anew, or closed, is told from a later one.
const ADDRESS_BITS: u32 = 48;

pub(crate) struct Epoll {
    fd: OwnedFd,
    wake: OwnedFd,
    harvests: AtomicU32,
    /// How often the watchdog has taken edges since its thread last did.
    absences: AtomicU32,
    /// Its thread sleeps in it.
    waited_for: AtomicBool,
    /// Under which the watchdog knows it, if it is a home.
    id: OnceLock<u64>,
}

impl Epoll {
    /// For a port, which the watchdog knows itself.
    pub(crate) fn new() -> OsResult<Epoll> {
        let (fd, wake) = (os::epoll_create()?, os::eventfd()?);
        os::epoll_add(&fd, wake.as_raw_fd(), libc::EPOLLIN | libc::EPOLLET, WAKE)?;
        Ok(Epoll {
            fd,
            wake,
            harvests: AtomicU32::new(0),
            absences: AtomicU32::new(0),
            waited_for: AtomicBool::new(false),
            id: OnceLock::new(),
        })
    }

    /// For the sockets of a thread.
    pub(crate) fn home() -> OsResult<Arc<Epoll>> {
        let epoll = Arc::new(Epoll::new()?);
        let id = *epoll.id.get_or_init(|| watchdog::register_home(&Arc::downgrade(&epoll)));
        watchdog::watch(id, &epoll);
        Ok(epoll)
    }

    /// Watches a socket under the number of its registration. What is ready already comes as the first edge.
    pub(crate) fn add(&self, fd: RawFd, socket: &'static Socket, registration: u16) -> OsResult<()> {
        let address = socket as *const Socket as u64;
        debug_assert!(address >> ADDRESS_BITS == 0);
        os::epoll_add(&self.fd, fd, EDGES, address | u64::from(registration) << ADDRESS_BITS)
    }

    pub(crate) fn remove(&self, fd: RawFd) {
        os::epoll_remove(&self.fd, fd);
    }

    /// Wakes the thread that sits in [`Epoll::harvest`].
    pub(crate) fn nudge(&self) {
        os::eventfd_write(&self.wake);
    }

    /// Waits for edges and runs what they make possible.
    pub(crate) fn harvest(&self, timeout: Option<Duration>) {
        self.take_edges(timeout, || {});
    }

    /// As [`Epoll::harvest`], for the thread whose home it is. Does not wait if the thread has been woken by now, as
    /// `asleep` says; tells when the waiting is over.
    pub(crate) fn harvest_at_home(
        &self,
        timeout: Option<Duration>,
        asleep: impl FnOnce() -> bool,
        waited: impl FnOnce(),
    ) {
        self.absences.store(0, Ordering::Relaxed);
        // From here on the watchdog gives back a nudge that it has taken. One that it took before came with a wake-up
        // that `asleep` sees.
        self.waited_for.store(true, Ordering::SeqCst);
        let timeout = if asleep() { timeout } else { Some(Duration::ZERO) };
        self.take_edges(timeout, || {
            self.waited_for.store(false, Ordering::Relaxed);
            waited();
        });
    }

    /// Takes edges that nobody takes, as the watchdog: all, if the home is deserted.
    pub(crate) fn harvest_deserted(&self) {
        // The thread may set it to 0 meanwhile; then it comes to that a little later.
        self.absences.store(self.absences.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
        let mut nudged = self.take_edges(Some(Duration::ZERO), || {});
        while self.is_deserted() && self.is_ready() {
            nudged |= self.take_edges(Some(Duration::ZERO), || {});
        }
        if nudged && self.waited_for.load(Ordering::SeqCst) {
            self.nudge();
        }
    }

    /// Returns whether somebody has nudged.
    fn take_edges(&self, timeout: Option<Duration>, waited: impl FnOnce()) -> bool {
        let mut room = [const { MaybeUninit::uninit() }; BATCH];
        let events = os::epoll_wait(&self.fd, &mut room, milliseconds(timeout));
        waited();
        self.harvests.fetch_add(1, Ordering::Relaxed);
        let mut nudged = false;
        for event in events {
            let data = event.u64;
            if data == WAKE {
                nudged = true;
                continue;
            }
            let address = data & ((1 << ADDRESS_BITS) - 1);
            // SAFETY: only addresses of sockets are registered, and sockets are leaked and recycled in place.
            let socket: &'static Socket = unsafe { &*(address as *const Socket) };
            socket::ready(socket, (data >> ADDRESS_BITS) as u16, event.events as i32);
        }
        nudged
    }

    /// Whether the watchdog is to take edges without waiting whether its thread does.
    pub(crate) fn is_deserted(&self) -> bool {
        self.absences.load(Ordering::Relaxed) >= DESERTED
    }

    /// Whether an edge waits to be taken.
    pub(crate) fn is_ready(&self) -> bool {
        os::poll_now(self.fd.as_raw_fd(), libc::POLLIN) != 0
    }

    pub(crate) fn harvests(&self) -> u32 {
        self.harvests.load(Ordering::Relaxed)
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        if let Some(&id) = self.id.get() {
            watchdog::unregister(id);
        }
    }
}

/// As epoll wants it: rounded up, so that no wait ends early (E22); -1 for ever.
fn milliseconds(timeout: Option<Duration>) -> i32 {
    timeout.map_or(-1, |timeout| timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32)
}
