//! closesocket, and what outlives it: data that a non-blocking send had accepted (D61).

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::error::{WsaError, WsaResult, fail, finish};
use crate::objects::table;
use crate::os;
use crate::port::blocking;
use crate::socket::overlapped::{self, Completion};
use crate::socket::request::{Fifo, Request, Role};
use crate::socket::{Locked, Phase, Socket, accept_ex, lock, select, send, spare};
use crate::types::*;
use crate::watchdog;

/// How long the exit of the process waits for peers that take nothing of what they are owed, and how long in all.
const EXIT_STALL: Duration = Duration::from_secs(5);
const EXIT_DRAIN: Duration = Duration::from_secs(30);

/// Closes a socket, with the last of its handles.
///
/// Pending operations end: receives on a connection with ERROR_CONNECTION_ABORTED, all others with
/// ERROR_OPERATION_ABORTED; their packets arrive with the socket's key. Calls that block on the socket return. Unsent
/// data is sent in the background, unless SO_LINGER says to wait for it or, with a time of 0, to reset the connection.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK; WSAEWOULDBLOCK if SO_LINGER says to wait and the socket is non-blocking: it is then
/// still open.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_closesocket")]
pub unsafe extern "system" fn closesocket(s: SOCKET) -> i32 {
    finish(lock(s).and_then(|socket| close(socket, s, true)))
}

/// The descriptor behind a socket, for Linux calls that Winsock has no counterpart of; -1 if `s` is no socket.
///
/// It is non-blocking, and the engine's: do not close it, nor change what it is registered for.
pub extern "system" fn winsock_fd(s: SOCKET) -> i32 {
    lock(s).map_or(-1, |socket| socket.fd())
}

/// Closes every socket without a word to those who wait for operations (H6).
pub(crate) fn close_all_sockets() {
    for handle in table::all_sockets() {
        if let Ok(socket) = lock(handle) {
            // Nothing is left open: a linger time does not apply here.
            let _ = close(socket, handle, false);
        }
    }
    spare::close_all();
}

/// Makes another handle of a socket.
pub(crate) fn duplicate(handle: SOCKET) -> Result<usize, WIN32_ERROR> {
    let mut socket = lock(handle).map_err(|_| ERROR_INVALID_HANDLE)?;
    let duplicate = table::insert_duplicate(socket.socket).ok_or(ERROR_NO_SYSTEM_RESOURCES)?;
    socket.add_duplicate();
    Ok(duplicate as usize)
}

fn close(mut socket: Locked, handle: SOCKET, indicate: bool) -> WsaResult<()> {
    if socket.take_duplicate() {
        table::remove(handle);
        return Ok(());
    }
    let mut linger = socket.options().linger.filter(|_| socket.is_stream() && socket.phase == Phase::Connected);
    if let Some(seconds @ 1..) = linger.filter(|_| indicate) {
        if socket.nonblocking && has_unsent(&socket) {
            return fail(WSAEWOULDBLOCK);
        }
        if !send_in_time(&mut socket, Deadline::after_milliseconds(u32::from(seconds) * 1000))? {
            linger = Some(0);
        }
    }
    let accepting_for = socket.stop_accepting();
    table::remove(handle);
    let queues = socket.take_listener();
    end_operations(&mut socket, indicate);
    socket.handle = 0;
    socket.release_waiters();
    if socket.selected {
        select::wake_all();
    }
    if let Some(listener) = accepting_for {
        let acceptor = socket.socket;
        socket.unlocked(|| accept_ex::acceptor_closed(listener, acceptor));
    }
    if let Some(queues) = queues {
        accept_ex::end_all(&mut socket, *queues, indicate);
    }
    // Not lingering yet: who ends that recycles the socket, and threads may still block on it.
    socket.phase = Phase::Closed;
    release_blocked(&mut socket, linger == Some(0));
    if linger != Some(0) && !socket.sends.is_empty() {
        socket.phase = Phase::Lingering;
        linger_in_background(&mut socket);
        return Ok(());
    }
    let fd = socket.take_fd();
    socket.recycle();
    drop(socket);
    if let Some(fd) = fd {
        close_descriptor(fd, linger);
    }
    Ok(())
}

/// Waits until our own queue is sent; false if the time is over before.
fn send_in_time(socket: &mut Locked, deadline: Deadline) -> WsaResult<bool> {
    while !socket.sends.is_empty() && socket.fatal == 0 {
        match socket.block(libc::POLLOUT, deadline) {
            Err(WsaError(WSAETIMEDOUT)) => return Ok(false),
            result => result?,
        }
        send::drain(socket, None);
    }
    Ok(true)
}

fn has_unsent(socket: &Locked) -> bool {
    !socket.sends.is_empty() || os::ioctl_read(socket.fd(), libc::TIOCOUTQ).is_ok_and(|bytes| bytes > 0)
}

/// Ends every operation of a socket that is being closed. What a non-blocking send accepted stays queued.
fn end_operations(socket: &mut Locked, indicate: bool) {
    socket.network_events = None;
    // A receive on a connection is aborted, not cancelled (D81).
    let status = match socket.is_stream() && socket.phase == Phase::Connected {
        true => STATUS_CONNECTION_ABORTED,
        false => STATUS_CANCELLED,
    };
    let mut all = socket.receives.take(|_| true);
    all.extend(socket.take_urgent_receives().into_iter().flat_map(|mut queue: Box<Fifo>| queue.take(|_| true)));
    all.extend(socket.sends.take(|request| !matches!(request.role, Role::Spill)));
    let connect = socket.take_connecting().and_then(|connecting| connecting.into_request());
    // A call that blocks is interrupted instead (D86).
    let call_status = if status == STATUS_CANCELLED { STATUS_REQUEST_ABORTED } else { status };
    let with_status = |request: Request| {
        let status = if request.is_synchronous() { call_status } else { status };
        (request, status)
    };
    let all = all.into_iter().map(with_status);
    for (request, status) in all.chain(connect.map(|request| (request, STATUS_CANCELLED))) {
        let completion = Completion::failure(status);
        match request.role {
            _ if !indicate && !request.is_synchronous() => overlapped::end_silently(&request, completion),
            Role::AcceptData(_) => accept_ex::end_data_phase(request, completion),
            _ => overlapped::complete(socket, &request, completion),
        }
    }
}

/// Gets threads that block on the descriptor out of their calls, and waits until they are.
fn release_blocked(socket: &mut Locked, reset: bool) {
    let inner = socket.socket;
    if inner.blocked.load(Ordering::Relaxed) == 0 {
        return;
    }
    let fd = socket.fd();
    for round in 0.. {
        let blocked = inner.blocked.load(Ordering::Acquire);
        if blocked == 0 {
            return;
        }
        // Each of these wakes who polls the descriptor. SHUT_RD spares what is still to be sent; only a thread that
        // waits to send behind that is not woken by it, and closing may not wait for a peer that takes nothing.
        let _ = match round {
            0 if reset => os::disconnect(fd),
            0 if !socket.sends.is_empty() => os::shutdown(fd, libc::SHUT_RD),
            0 | 10 => os::shutdown(fd, libc::SHUT_RDWR),
            _ => Ok(()),
        };
        socket.unlocked(|| os::futex_wait(&inner.blocked, blocked, Some(Duration::from_millis(100))));
    }
}

fn close_descriptor(fd: OwnedFd, linger: Option<u16>) {
    if let Some(seconds) = linger {
        let _elsewhere = (seconds > 0).then(blocking);
        // With a time the kernel waits within close; with none it resets the connection.
        let _ = os::set_linger(fd.as_raw_fd(), Some(seconds));
    }
    drop(fd);
    watchdog::descriptor_freed();
}

fn linger_in_background(socket: &mut Locked) {
    // Whoever drains it next may find it empty, and closes it.
    if socket.watch().is_err() {
        return sent_all(socket);
    }
    let bytes = owed(socket);
    watchdog::linger(socket.socket, bytes);
}

/// A closed socket has sent all that it owed.
pub(crate) fn sent_all(socket: &mut Locked) {
    drop(socket.take_fd());
    socket.recycle();
}

fn owed(socket: &Locked) -> usize {
    socket.sends.iter().map(|request| (request.total() - request.done) as usize).sum()
}

/// How many bytes a closed socket still owes; 0 if it is done.
pub(crate) fn owes(socket: &'static Socket) -> usize {
    let socket = socket.lock();
    if socket.phase == Phase::Lingering { owed(&socket) } else { 0 }
}

/// Gives up a closed socket whose peer takes nothing.
pub(crate) fn abandon(socket: &'static Socket) {
    let mut socket = socket.lock();
    if socket.phase == Phase::Lingering {
        socket.sends.take(|_| true);
        let _ = os::set_linger(socket.fd(), Some(0));
        sent_all(&mut socket);
    }
}

/// From now on the process's exit waits for what non-blocking sends have accepted.
pub(crate) fn drain_at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| os::at_exit(drain_all));
}

extern "C" fn drain_all() {
    let end = Instant::now() + EXIT_DRAIN;
    let (mut stalled, mut least) = (Instant::now() + EXIT_STALL, usize::MAX);
    while let Some(time) = stalled.min(end).checked_duration_since(Instant::now()) {
        let mut owing: Vec<_> = watchdog::lingering();
        owing.extend(
            table::all_sockets().into_iter().filter_map(|handle| lock(handle).ok()).map(|locked| locked.socket),
        );
        let (mut fds, mut owed_now) = (Vec::new(), 0);
        for socket in owing {
            let mut socket = socket.lock();
            // What queued behind is not drained: its memory is the program's, and may be gone by now.
            drop(socket.sends.take(|request| !matches!(request.role, Role::Spill)));
            send::drain(&mut socket, None);
            owed_now += owed(&socket);
            if !socket.sends.is_empty() {
                fds.push(libc::pollfd { fd: socket.fd(), events: libc::POLLOUT, revents: 0 });
            }
        }
        if owed_now < least {
            (stalled, least) = (Instant::now() + EXIT_STALL, owed_now);
        }
        if fds.is_empty() || os::poll(&mut fds, Some(time)).is_err() {
            return;
        }
    }
}
