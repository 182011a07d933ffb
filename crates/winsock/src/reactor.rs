//! Readiness: an epoll instance, edge-triggered, and what is done with its edges.
//!
//! Every port has one for its sockets; sockets without a port share one for the process. Nothing in the kernel holds
//! a caller's buffer between completions: an edge only makes the socket's queued requests run.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::os::{self, OsResult};
use crate::socket::{self, Socket};
use crate::watchdog;

/// How many edges one call takes. Large enough to spread the cost of the call, small enough that what the first
/// receive brought is still in the cache when its packet is handled.
const BATCH: usize = 64;

const EDGES: i32 = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLPRI | libc::EPOLLET;

/// What the wake descriptor is registered as; no socket lies at address 0.
const WAKE: u64 = 0;

pub(crate) struct Epoll {
    fd: OwnedFd,
    wake: OwnedFd,
    harvests: AtomicU32,
}

/// The epoll of the sockets that have no port.
pub(crate) fn process() -> OsResult<&'static Epoll> {
    static PROCESS: OnceLock<Epoll> = OnceLock::new();
    if let Some(epoll) = PROCESS.get() {
        return Ok(epoll);
    }
    let epoll = Epoll::new()?;
    if PROCESS.set(epoll).is_ok()
        && let Some(epoll) = PROCESS.get()
    {
        watchdog::watch_process(epoll);
    }
    PROCESS.get().ok_or(libc::EIO)
}

impl Epoll {
    pub(crate) fn new() -> OsResult<Epoll> {
        let epoll = Epoll { fd: os::epoll_create()?, wake: os::eventfd()?, harvests: AtomicU32::new(0) };
        os::epoll_add(&epoll.fd, epoll.wake.as_raw_fd(), libc::EPOLLIN | libc::EPOLLET, WAKE)?;
        Ok(epoll)
    }

    /// Watches a socket. What is ready already comes as the first edge.
    pub(crate) fn add(&self, fd: RawFd, socket: &'static Socket) -> OsResult<()> {
        os::epoll_add(&self.fd, fd, EDGES, socket as *const Socket as u64)
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
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        let count = os::epoll_wait(&self.fd, &mut events, milliseconds(timeout));
        self.harvests.fetch_add(1, Ordering::Relaxed);
        for event in &events[..count] {
            let address = event.u64;
            if address != WAKE {
                // SAFETY: only addresses of sockets are registered, and sockets are leaked and recycled in place.
                let socket: &'static Socket = unsafe { &*(address as *const Socket) };
                socket::ready(socket, event.events as i32);
            }
        }
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

/// As epoll wants it: rounded up, so that no wait ends early (E22); -1 for ever.
fn milliseconds(timeout: Option<Duration>) -> i32 {
    timeout.map_or(-1, |timeout| timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32)
}
