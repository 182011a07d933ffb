//! WSAPoll, over `poll`.
//!
//! As for select, what the kernel reports is read by the state of each socket: Winsock tells a peer that has ended its
//! stream (POLLHUP), data, and a connection that is lost apart where the kernel sets several flags at once.

use std::cell::Cell;
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::dispatcher;
use crate::error::{WsaResult, fail, finish_count, is_bad};
use crate::os;
use crate::socket::select::{
    Entered, has_room, is_still_readable, poll_blocking, read_interest, with_refusals, write_interest,
};
use crate::socket::{Locked, Phase, connect, lock};
use crate::startup::started;
use crate::thread;
use crate::types::*;

/// What may be asked for (S45).
const ASKABLE: i16 = POLLRDNORM | POLLRDBAND | POLLWRNORM;

thread_local! {
    /// What `poll` is given: kept, so that a server that calls WSAPoll in a loop allocates nothing.
    static FDS: Cell<Vec<libc::pollfd>> = const { Cell::new(Vec::new()) };
}

/// Waits until a socket has what is asked for in its `events`, or was lost, ended by its peer, or closed.
///
/// Sets `revents` of each entry, and returns how many of them are not 0, or 0 after the timeout in milliseconds; a negative
/// one waits for ever. Data and connections to accept are POLLRDNORM, urgent data POLLRDBAND, room to send POLLWRNORM. A
/// peer that has ended its stream is POLLHUP, with POLLRDNORM while there is data before the end; a reset and a connect that
/// failed are POLLERR with POLLHUP. What is no socket is POLLNVAL and is not counted, so that a negative value switches an
/// entry off; one that is closed meanwhile is counted. The wait is alertable, as every blocking call.
///
/// # Errors
/// SOCKET_ERROR with WSAEINVAL for no entries or if something else is asked for, WSAEFAULT for a null array, WSAENOTSOCK if
/// there is no socket in it, WSANOTINITIALISED.
///
/// # Safety
/// `fdarray` is null or holds `fds` entries, readable and writable.
///
/// ```
/// use winsock::*;
/// // SAFETY: the structures are live, the socket is closed once.
/// unsafe {
///     let mut data = WSADATA::default();
///     WSAStartup(0x0202, &mut data);
///     let s = socket(AF_INET.into(), SOCK_DGRAM, 0);
///     let mut entry = WSAPOLLFD { fd: s, events: POLLIN | POLLOUT, revents: 0 };
///     assert_eq!(WSAPoll(&mut entry, 1, -1), 1);
///     assert_eq!(entry.revents, POLLWRNORM);
///     closesocket(s);
///     WSACleanup();
/// }
/// ```
#[doc(alias = "poll")]
#[unsafe(export_name = "ws_WSAPoll")]
pub unsafe extern "system" fn WSAPoll(fdarray: *mut WSAPOLLFD, fds: u32, timeout: i32) -> i32 {
    let run = || {
        if !started() {
            return fail(WSANOTINITIALISED);
        }
        if fds == 0 {
            return fail(WSAEINVAL);
        }
        if is_bad(fdarray) {
            return fail(WSAEFAULT);
        }
        // SAFETY: as the caller promises.
        let entries = unsafe { std::slice::from_raw_parts_mut(fdarray, fds as usize) };
        let timeout = u64::try_from(timeout).ok().map(Duration::from_millis);
        // Not borrowed: a routine that runs meanwhile may call WSAPoll itself.
        let mut polled = FDS.try_with(Cell::take).unwrap_or_default();
        let result = wait(entries, timeout, &mut polled);
        let _ = FDS.try_with(|kept| kept.set(polled));
        result
    };
    finish_count(run())
}

fn wait(entries: &mut [WSAPOLLFD], timeout: Option<Duration>, fds: &mut Vec<libc::pollfd>) -> WsaResult<usize> {
    check(entries)?;
    let deadline = Deadline::after(timeout);
    let entered = if timeout == Some(Duration::ZERO) { None } else { Some(Entered::new()?) };
    loop {
        let any_ready = build(entries, fds);
        if let Some(entered) = &entered {
            fds.push(libc::pollfd { fd: entered.0.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        }
        let me = thread::current();
        // What is ready goes before the routines that wait to run (S49).
        let looks_only = any_ready || dispatcher::has_apcs(&me);
        let remaining = if looks_only { Some(Duration::ZERO) } else { deadline.remaining() };
        poll_blocking(fds, remaining, entered.as_ref().filter(|_| !looks_only), &me)?;
        if let Some(entered) = &entered
            && fds.pop().is_some_and(|wake| wake.revents != 0)
        {
            os::eventfd_drain(&entered.0);
        }
        let ready = evaluate(entries, fds);
        if ready > 0 {
            return Ok(ready);
        }
        if entered.is_some() {
            dispatcher::run_queued_apcs(&me);
        }
        if deadline.is_over() {
            return Ok(0);
        }
    }
}

/// Finds out which entries are sockets, and whether all that is asked of those may be: `revents` says so, POLLNVAL or 0.
fn check(entries: &mut [WSAPOLLFD]) -> WsaResult<()> {
    let mut sockets = 0;
    for entry in entries.iter_mut() {
        // Nothing of the table is negative, whether a program says so in 32 bits or in 64.
        let known = lock(entry.fd).is_ok();
        if known && entry.events & !ASKABLE != 0 {
            return fail(WSAEINVAL);
        }
        entry.revents = if known { 0 } else { POLLNVAL };
        sockets += usize::from(known);
    }
    if sockets == 0 { fail(WSAENOTSOCK) } else { Ok(()) }
}

/// Whether an entry was a socket when the call began.
fn was_socket(entry: &WSAPOLLFD) -> bool {
    entry.revents != POLLNVAL
}

/// Enters one `pollfd` for each entry. Returns whether one is ready without asking the kernel.
fn build(entries: &[WSAPOLLFD], fds: &mut Vec<libc::pollfd>) -> bool {
    fds.clear();
    let mut any_ready = false;
    for entry in entries {
        // A negative descriptor is skipped.
        let mut polled = libc::pollfd { fd: -1, events: 0, revents: 0 };
        match lock(entry.fd) {
            Ok(mut socket) if was_socket(entry) => {
                socket.selected = true;
                connect::settle(&mut socket);
                any_ready |= is_lost(&socket);
                (polled.events, any_ready) = interest(&mut socket, entry.events, any_ready);
                if polled.events != 0 {
                    polled.fd = socket.fd();
                }
            }
            Ok(_) => {}
            Err(_) => any_ready |= was_socket(entry),
        }
        fds.push(polled);
    }
    any_ready
}

/// What a socket has to be polled for, and whether it is ready as it is.
fn interest(socket: &mut Locked, asked: i16, mut ready: bool) -> (i16, bool) {
    let mut events = 0;
    let mut add = |(polled, is_ready): (i16, bool)| {
        events |= polled;
        ready |= is_ready;
    };
    if asked & POLLRDNORM != 0 {
        add(read_interest(socket));
    }
    // A connect that is under way ends in room to send or in failure, which is told unasked.
    if asked & POLLWRNORM != 0 || socket.phase == Phase::Connecting {
        add(write_interest(socket));
    }
    if socket.is_stream() && socket.phase == Phase::Connected {
        add((libc::POLLRDHUP, false));
        if asked & POLLRDBAND != 0 && !socket.options().oob_inline {
            add((libc::POLLPRI, false));
        }
    }
    (events, ready)
}

/// Whether the connection is known to be lost, or to have failed.
fn is_lost(socket: &Locked) -> bool {
    socket.is_stream() && (socket.fatal != 0 || socket.connect_failed)
}

/// Fills in `revents` if an entry is ready, and returns how many are.
fn evaluate(entries: &mut [WSAPOLLFD], fds: &[libc::pollfd]) -> usize {
    let mut ready = 0;
    for (entry, fd) in entries.iter_mut().zip(fds).filter(|(entry, _)| was_socket(entry)) {
        let found = match lock(entry.fd) {
            Ok(mut socket) => found(&mut socket, entry.events, fd.revents),
            Err(_) => CLOSED,
        };
        entry.revents = found;
        ready += usize::from(found != 0);
    }
    ready
}

/// What a socket that is closed meanwhile has (S49).
const CLOSED: i16 = POLLNVAL;

/// What a socket has, of what is asked for and of what is told unasked.
fn found(socket: &mut Locked, asked: i16, polled: i16) -> i16 {
    connect::settle(socket);
    let is_connection = socket.is_stream() && socket.phase == Phase::Connected;
    if is_lost(socket) || (is_connection && polled & libc::POLLERR != 0) {
        return POLLERR | POLLHUP | (asked & POLLWRNORM);
    }
    let polled = with_refusals(socket, polled);
    let holds = |(of_interest, ready): (i16, bool), meant: i16| ready || (of_interest != 0 && polled & meant != 0);
    let mut found = 0;
    let ended = is_connection && (socket.end_of_stream || polled & (libc::POLLRDHUP | libc::POLLHUP) != 0);
    if ended {
        found |= POLLHUP;
    }
    if asked & POLLRDNORM != 0
        && holds(read_interest(socket), libc::POLLIN)
        && is_still_readable(socket)
        && (!ended || has_data(socket))
    {
        found |= POLLRDNORM;
    }
    if asked & POLLRDBAND != 0 && polled & libc::POLLPRI != 0 {
        found |= POLLRDBAND;
    }
    let writable = libc::POLLOUT | libc::POLLERR;
    if asked & POLLWRNORM != 0 && holds(write_interest(socket), writable) && has_room(socket) {
        found |= POLLWRNORM;
    }
    found
}

/// Whether there is data before the end of a stream.
fn has_data(socket: &Locked) -> bool {
    os::ioctl_read(socket.fd(), libc::FIONREAD as _).is_ok_and(|bytes| bytes > 0)
}
