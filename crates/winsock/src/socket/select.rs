//! select, over `poll`: counted sets, no limit but the caller's.
//!
//! What the kernel reports is read by the state of each socket: a fresh stream polls as hung up, a refused connect as
//! readable and writable, and data that a pending receive will take is nobody else's (S19, S27, S36). A thread that
//! blocks here is woken by an eventfd of its own when a socket that select has looked at is closed.

use std::cell::Cell;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arrayvec::ArrayVec;
use ranked_locks::{Mutex, rank};

use crate::deadline::Deadline;
use crate::dispatcher::{self, Alertable};
use crate::error::{WsaError, WsaResult, fail, finish_count, is_bad, wsa_from_errno};
use crate::os;
use crate::port::blocking;
use crate::sleeper::Elsewhere;
use crate::socket::{Locked, Phase, State, connect, lock, send};
use crate::startup::started;
use crate::thread;
use crate::types::*;

/// Threads that are in select, each by the eventfd that wakes it.
static SELECTING: Mutex<Vec<Arc<OwnedFd>>, rank::Leaf> = Mutex::new(Vec::new());

/// Wakes every thread that is in select: a socket was closed that one of them may look at.
pub(crate) fn wake_all() {
    for wake in SELECTING.lock().iter() {
        os::eventfd_write(wake);
    }
}

/// Says that a socket may be ready for other reasons than before: that no pending operation takes what comes to it any
/// more (S36), that it listens or connects. A thread in select looks again.
pub(crate) fn look_again(socket: &State) {
    if socket.selected {
        wake_all();
    }
}

/// What a set asks of its sockets. One set may be passed twice (S10).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Asked {
    read: bool,
    write: bool,
    except: bool,
}

/// A caller's set: a count, and as many sockets as it says (S2, S3).
struct Set {
    set: *mut FD_SET,
    asked: Asked,
}

impl Set {
    /// # Safety
    /// As for [`select`].
    #[expect(clippy::mut_from_ref, reason = "the memory is the caller's, behind a pointer")]
    unsafe fn sockets(&self) -> &mut [SOCKET] {
        // SAFETY: as the caller promises: `fd_count` entries follow, however many the type declares.
        unsafe {
            let count = (*self.set).fd_count as usize;
            std::slice::from_raw_parts_mut((&raw mut (*self.set).fd_array).cast(), count)
        }
    }

    /// Leaves the first `count` sockets in the set.
    ///
    /// # Safety
    /// As for [`select`]; the set has as many.
    unsafe fn truncate(&mut self, count: usize) {
        // SAFETY: as the caller promises.
        unsafe { (*self.set).fd_count = count as u32 };
    }
}

thread_local! {
    /// What `poll` is given: kept, so that a server that calls select in a loop allocates nothing.
    static FDS: Cell<Vec<libc::pollfd>> = const { Cell::new(Vec::new()) };
}

/// Waits until a socket of `readfds` can be received from or accepted on, one of `writefds` can be sent to, or one of
/// `exceptfds` has urgent data or a failed connect.
///
/// Each set is rewritten to the sockets that are ready, in their order. Returns how many there are in all sets, or 0
/// after the timeout; a null timeout waits for ever. `nfds` is ignored. Sets may hold as many sockets as `fd_count`
/// says, whatever FD_SETSIZE is.
///
/// # Errors
/// SOCKET_ERROR with WSAEINVAL if all sets are null or empty or the timeout is negative, WSAENOTSOCK (the sets are left
/// as they were), WSANOTINITIALISED.
///
/// # Safety
/// Each set is null or holds `fd_count` readable and writable sockets; `timeout` is null or readable.
pub unsafe extern "system" fn select(
    _nfds: i32,
    readfds: *mut FD_SET,
    writefds: *mut FD_SET,
    exceptfds: *mut FD_SET,
    timeout: *const TIMEVAL,
) -> i32 {
    let run = || {
        if !started() {
            return fail(WSANOTINITIALISED);
        }
        let bad = |set: *const FD_SET| !set.is_null() && is_bad(set);
        if bad(readfds) || bad(writefds) || bad(exceptfds) || (!timeout.is_null() && is_bad(timeout)) {
            return fail(WSAEFAULT);
        }
        let mut sets = distinct_sets(readfds, writefds, exceptfds);
        // SAFETY: as the caller promises.
        let timeout = match unsafe { timeout.as_ref() } {
            None => None,
            Some(TIMEVAL { tv_sec: 0.., tv_usec: 0.. }) => {
                // SAFETY: as above; checked not to be null.
                let TIMEVAL { tv_sec, tv_usec } = unsafe { *timeout };
                Some(Duration::from_secs(tv_sec as u64) + Duration::from_micros(tv_usec as u64))
            }
            Some(_) => return fail(WSAEINVAL),
        };
        // SAFETY: as the caller promises.
        if sets.iter().all(|set| unsafe { set.sockets() }.is_empty()) {
            return fail(WSAEINVAL);
        }
        // Not borrowed: a routine that runs meanwhile may call select itself.
        let mut fds = FDS.try_with(Cell::take).unwrap_or_default();
        // SAFETY: as the caller promises.
        let result = unsafe { wait(&mut sets, timeout, &mut fds) };
        let _ = FDS.try_with(|kept| kept.set(fds));
        result
    };
    finish_count(run())
}

/// Whether a socket is in a set: what the macro FD_ISSET calls.
///
/// # Safety
/// `set` is null or holds `fd_count` readable sockets.
#[unsafe(export_name = "ws___WSAFDIsSet")]
pub unsafe extern "system" fn __WSAFDIsSet(fd: SOCKET, set: *mut FD_SET) -> i32 {
    if set.is_null() {
        return 0;
    }
    let set = Set { set, asked: Asked::default() };
    // SAFETY: as the caller promises.
    unsafe { set.sockets() }.contains(&fd).into()
}

fn distinct_sets(read: *mut FD_SET, write: *mut FD_SET, except: *mut FD_SET) -> ArrayVec<Set, 3> {
    let all = [
        (read, Asked { read: true, ..Asked::default() }),
        (write, Asked { write: true, ..Asked::default() }),
        (except, Asked { except: true, ..Asked::default() }),
    ];
    let mut sets = ArrayVec::<Set, 3>::new();
    for (set, asked) in all.into_iter().filter(|(set, _)| !set.is_null()) {
        match sets.iter_mut().find(|other| other.set == set) {
            Some(other) => {
                other.asked.read |= asked.read;
                other.asked.write |= asked.write;
                other.asked.except |= asked.except;
            }
            None => sets.push(Set { set, asked }),
        }
    }
    sets
}

/// # Safety
/// As for [`select`].
unsafe fn wait(sets: &mut [Set], timeout: Option<Duration>, fds: &mut Vec<libc::pollfd>) -> WsaResult<usize> {
    let deadline = Deadline::after(timeout);
    let entered = if timeout == Some(Duration::ZERO) { None } else { Some(Entered::new()?) };
    loop {
        // SAFETY: as the caller promises.
        let any_ready = unsafe { build(sets, fds)? };
        if let Some(entered) = &entered {
            fds.push(libc::pollfd { fd: entered.0.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        }
        let me = thread::current();
        // What is ready goes before the routines that wait to run (S41).
        let looks_only = any_ready || dispatcher::has_apcs(&me);
        let remaining = if looks_only { Some(Duration::ZERO) } else { deadline.remaining() };
        poll_blocking(fds, remaining, entered.as_ref().filter(|_| !looks_only), &me)?;
        let woken = entered.as_ref().filter(|_| fds.pop().is_some_and(|wake| wake.revents != 0));
        if let Some(entered) = woken {
            os::eventfd_drain(&entered.0);
        }
        // SAFETY: as the caller promises.
        let ready = unsafe { evaluate(sets, fds, any_ready || woken.is_some())? };
        if ready > 0 {
            return Ok(ready);
        }
        if entered.is_some() {
            dispatcher::run_queued_apcs(&me);
        }
        if deadline.is_over() {
            // SAFETY: as the caller promises.
            sets.iter_mut().for_each(|set| unsafe { set.truncate(0) });
            return Ok(0);
        }
    }
}

pub(super) fn poll_blocking(
    fds: &mut [libc::pollfd],
    timeout: Option<Duration>,
    entered: Option<&Entered>,
    me: &thread::Current,
) -> WsaResult<()> {
    let _elsewhere = (timeout != Some(Duration::ZERO)).then(blocking);
    let alertable = entered.map(|entered| Alertable::enter(me, Elsewhere::Descriptor(entered.0.clone())));
    // A routine has just been queued: it is run after a look.
    let timeout = if let Some(None) = alertable { Some(Duration::ZERO) } else { timeout };
    os::poll(fds, timeout).map(drop).map_err(|errno| WsaError(wsa_from_errno(errno)))
}

/// Enters one `pollfd` for each entry of each set. Returns whether a socket is ready without asking the kernel.
///
/// # Safety
/// As for [`select`].
unsafe fn build(sets: &[Set], fds: &mut Vec<libc::pollfd>) -> WsaResult<bool> {
    fds.clear();
    let mut any_ready = false;
    for set in sets {
        // SAFETY: as the caller promises.
        for &handle in unsafe { set.sockets() }.iter() {
            let mut socket = lock(handle)?;
            socket.selected = true;
            connect::settle(&mut socket);
            let interest = Interest::of(&mut socket, set.asked);
            any_ready |= interest.ready;
            // A negative descriptor is skipped.
            let fd = if interest.events == 0 { -1 } else { socket.fd() };
            fds.push(libc::pollfd { fd, events: interest.events, revents: 0 });
        }
    }
    Ok(any_ready)
}

/// What a socket has to be polled for, and whether it is ready as it is.
struct Interest {
    events: i16,
    ready: bool,
}

impl Interest {
    fn of(socket: &mut Locked, asked: Asked) -> Interest {
        let mut interest = Interest { events: 0, ready: false };
        if asked.read {
            interest.add(read_interest(socket));
        }
        if asked.write {
            interest.add(write_interest(socket));
        }
        if asked.except {
            interest.add(except_interest(socket));
        }
        interest
    }

    fn add(&mut self, (events, ready): (i16, bool)) {
        self.events |= events;
        self.ready |= ready;
    }
}

const NOTHING: (i16, bool) = (0, false);
const READY: (i16, bool) = (0, true);

pub(super) fn read_interest(socket: &mut Locked) -> (i16, bool) {
    let state: &State = socket;
    match (state.is_stream(), state.phase) {
        (true, Phase::Listening) => {
            let queues = state.listener();
            if queues.is_some_and(|queues| queues.has_deferred()) {
                return READY;
            }
            // A connection that AcceptEx waits for is not to be accepted (S36).
            let taken = queues.is_some_and(|queues| !queues.accepts.is_empty());
            if taken { NOTHING } else { (libc::POLLIN, false) }
        }
        (true, Phase::Connected) | (false, Phase::Bound | Phase::Connected) => {
            if state.fatal != 0 || state.owes_refusal() {
                READY
            } else if state.receives.is_empty() {
                (libc::POLLIN, false)
            } else {
                // Data that a pending receive waits for is not to be received (S36).
                NOTHING
            }
        }
        _ => NOTHING,
    }
}

pub(super) fn write_interest(socket: &mut Locked) -> (i16, bool) {
    match (socket.is_stream(), socket.phase) {
        (true, Phase::Connected) if socket.fatal != 0 => READY,
        (true, Phase::Connected | Phase::Connecting) => (libc::POLLOUT, false),
        (false, Phase::Fresh | Phase::Bound | Phase::Connected) => (libc::POLLOUT, false),
        _ => NOTHING,
    }
}

fn except_interest(socket: &mut Locked) -> (i16, bool) {
    match (socket.is_stream(), socket.phase) {
        (true, Phase::Connecting) => (libc::POLLOUT, false),
        // Inline, the urgent byte is data like any other (S26).
        (true, Phase::Connected) if !socket.options().oob_inline => (libc::POLLPRI, false),
        (true, _) if socket.connect_failed => READY,
        _ => NOTHING,
    }
}

/// Rewrites the sets to what is ready and returns how many sockets that are; leaves them alone if nothing is. Looks at
/// the sockets that `poll` named, or at `all`.
///
/// # Safety
/// As for [`select`].
unsafe fn evaluate(sets: &mut [Set], fds: &[libc::pollfd], all: bool) -> WsaResult<usize> {
    let stamp = next_stamp();
    let mut entries = fds.iter();
    let mut ready = [0; 3];
    let mut closed = false;
    for (set, (count, stamp)) in sets.iter().zip(ready.iter_mut().zip(stamp..)) {
        // SAFETY: as the caller promises.
        let sockets = unsafe { set.sockets() };
        // What is ready is moved to the front, where everything has been looked at.
        let mut choose = |sockets: &mut [SOCKET], handle| {
            sockets[*count] = handle;
            *count += 1;
        };
        for (at, fd) in (0..sockets.len()).zip(&mut entries) {
            if fd.revents == 0 && !all {
                continue;
            }
            let handle = sockets[at];
            match lock(handle) {
                // A socket that is in a set twice is reported once (S9).
                Ok(mut socket) if socket.select_stamp != stamp => {
                    if is_ready(&mut socket, set.asked, fd.revents) {
                        socket.select_stamp = stamp;
                        choose(sockets, handle);
                    }
                }
                Ok(_) => {}
                // Closed by another thread: readable, or else the call fails (S39, S40).
                Err(_) if set.asked.read => choose(sockets, handle),
                Err(_) => closed = true,
            }
        }
    }
    let count = ready.iter().sum();
    if count > 0 || closed {
        for (set, count) in sets.iter_mut().zip(ready) {
            // SAFETY: as the caller promises; what is ready is a part of the set.
            unsafe { set.truncate(count) };
        }
    }
    if closed && count == 0 { fail(WSAENOTSOCK) } else { Ok(count) }
}

fn next_stamp() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(3, Ordering::Relaxed)
}

fn is_ready(socket: &mut Locked, asked: Asked, events: i16) -> bool {
    connect::settle(socket);
    let events = with_refusals(socket, events);
    let holds = |(polled, ready): (i16, bool), meant: i16| ready || (polled != 0 && events & meant != 0);
    let ended = libc::POLLHUP | libc::POLLERR;
    let read = asked.read && holds(read_interest(socket), libc::POLLIN | ended) && is_still_readable(socket);
    let write = asked.write && holds(write_interest(socket), libc::POLLOUT | ended) && has_room(socket);
    let except = asked.except && holds(except_interest(socket), libc::POLLPRI);
    read || write || except
}

/// What `poll` says of a socket, where a datagram that was refused is something to receive (D69). If no receive is to be told
/// of it (SIO_UDP_CONNRESET), it is forgotten: `poll` would report it for ever.
pub(super) fn with_refusals(socket: &Locked, polled: i16) -> i16 {
    if socket.is_stream() || polled & libc::POLLERR == 0 {
        return polled;
    }
    if socket.options().udp_connection_reset {
        return polled | libc::POLLIN;
    }
    os::drain_error_queue(socket.fd());
    let _ = os::take_error(socket.fd());
    polled & !libc::POLLERR
}

/// Whether what `poll` saw is still there: an operation that was posted since may have taken it (S36).
pub(super) fn is_still_readable(socket: &Locked) -> bool {
    let ready_itself = socket.fatal != 0 || socket.owes_refusal();
    let deferred = socket.listener().is_some_and(|queues| queues.has_deferred());
    // Where no operation has ever pended, nobody takes anything behind our back.
    ready_itself || deferred || !socket.is_watched() || os::poll_now(socket.fd(), libc::POLLIN) != 0
}

/// Whether a send would be taken: not while an earlier one waits in our own queue (S37).
pub(super) fn has_room(socket: &mut Locked) -> bool {
    if socket.phase == Phase::Connecting {
        return false;
    }
    send::drain(socket, None);
    socket.sends.is_empty() || socket.fatal != 0
}

/// A thread in select or WSAPoll, to be woken by [`wake_all`].
pub(super) struct Entered(pub(super) Arc<OwnedFd>);

impl Entered {
    pub(super) fn new() -> WsaResult<Entered> {
        let wake = thread::current().wake_descriptor();
        let wake = wake.map_err(|errno| WsaError(wsa_from_errno(errno)))?;
        SELECTING.lock().push(wake.clone());
        Ok(Entered(wake))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Once: a routine's call may be inside another one of the same thread.
        let mut selecting = SELECTING.lock();
        if let Some(mine) = selecting.iter().rposition(|wake| Arc::ptr_eq(wake, &self.0)) {
            selecting.swap_remove(mine);
        }
    }
}
