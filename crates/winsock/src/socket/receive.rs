//! Receiving: recv, recvfrom, WSARecv, WSARecvFrom, and the queue of receives.

use std::ptr::null_mut;

use crate::deadline::Deadline;
use crate::error::{WsaError, WsaResult, fail, finish, status_from_errno, status_from_wsa, wsa_from_errno};
use crate::os::{self, Errno};
use crate::socket::overlapped::{self, Completion, Operation, Overlapped, conclude, finish_length};
use crate::socket::request::{Fifo, Request, Role, has, total};
use crate::socket::{
    Locked, Phase, Readable, State, accept_ex, arrivals, connect, lock, messages, select, send, transmission,
};
use crate::thread;
use crate::types::*;

/// A receive as a call asks for it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) buffers: &'a [WSABUF],
    pub(super) flags: u32,
    pub(super) from: *mut SOCKADDR,
    pub(super) from_len: *mut i32,
    /// Of WSARecvMsg: where the rest of what came goes.
    pub(super) message: *mut WSAMSG,
}

impl Call<'_> {
    fn has(&self, flag: SEND_RECV_FLAGS) -> bool {
        has(self.flags, flag)
    }

    /// The call that a queued request came from.
    fn of(request: &Request) -> Call<'_> {
        let (buffers, flags) = (request.buffers.as_slice(), request.flags);
        let call = Call { buffers, flags, from: null_mut(), from_len: null_mut(), message: null_mut() };
        match request.role {
            Role::From(from, from_len) => Call { from, from_len, ..call },
            Role::Message(message) => Call { message, ..call },
            _ => call,
        }
    }

    /// What is special about the request that the call becomes.
    fn role(&self, state: &State) -> Role {
        match self.from.is_null() || state.is_stream() {
            _ if !self.message.is_null() => Role::Message(self.message),
            true => Role::Plain,
            false => Role::From(self.from, self.from_len),
        }
    }
}

/// What one try brought.
enum Try {
    Done(Completion),
    /// Part of what MSG_WAITALL asked for: how much there is now, and no more yet.
    Part(u32),
    Failed {
        code: i32,
        status: NTSTATUS,
    },
}

/// Receives on behalf of a call. With an OVERLAPPED, WSA_IO_PENDING says that the operation has begun.
///
/// # Safety
/// The buffers and pointers in `call` are writable, until the operation completes if there is an OVERLAPPED.
#[inline(always)]
pub(super) unsafe fn receive(s: SOCKET, call: Call<'_>, operation: Option<&Operation>) -> WsaResult<Completion> {
    let mut socket = lock(s)?;
    // SAFETY: as the caller promises.
    let result = unsafe { receive_locked(&mut socket, &call, operation) };
    arrivals::receive_called(&mut socket, &result);
    if transmission::waits_for_end(&socket) {
        // A transmission let this receive go first, and no edge tells it of its end.
        send::drain(&mut socket, None);
    }
    result
}

/// # Safety
/// As for [`receive`].
#[inline(always)]
unsafe fn receive_locked(socket: &mut Locked, call: &Call<'_>, operation: Option<&Operation>) -> WsaResult<Completion> {
    if let Err(error) = check_state(socket) {
        operation.into_iter().for_each(Operation::reset_event);
        return Err(error);
    }
    check_arguments(socket, call)?;
    let Some(operation) = operation else {
        let wait = !socket.nonblocking;
        // SAFETY: as the caller promises.
        return unsafe { synchronous(socket, call, wait) };
    };
    operation.begin();
    if socket.overlapped {
        // SAFETY: as the caller promises.
        return unsafe { start(socket, call, operation) };
    }
    // SAFETY: as the caller promises.
    unsafe { block_for(socket, call, operation) }
}

/// Receives on behalf of an operation of a socket that is not an overlapped one: the call blocks until it is done,
/// whatever the mode (D3).
///
/// # Safety
/// As for [`receive`].
#[cold]
unsafe fn block_for(socket: &mut Locked, call: &Call<'_>, operation: &Operation) -> WsaResult<Completion> {
    let me = thread::current();
    let overlapped = operation.overlapped.as_ptr().addr();
    // SAFETY: as the caller promises.
    let result = me.blocked.with_overlapped(overlapped, || unsafe { synchronous(socket, call, true) });
    overlapped::conclude_blocked(socket, operation, result)
}

/// Receives into one buffer, for ReadFile: see [`receive`].
///
/// # Safety
/// The buffer is writable until the operation completes.
pub(crate) unsafe fn receive_one(s: SOCKET, buffer: WSABUF, operation: Operation) -> WsaResult<Completion> {
    let call = Call { buffers: &[buffer], flags: 0, from: null_mut(), from_len: null_mut(), message: null_mut() };
    // SAFETY: as the caller promises.
    unsafe { receive(s, call, Some(&operation)) }
}

/// Whether the socket is one that can receive.
#[inline]
fn check_state(socket: &mut Locked) -> WsaResult<()> {
    connect::settle(socket);
    if socket.fatal != 0 {
        return fail(socket.fatal);
    }
    match (socket.is_stream(), socket.phase) {
        (true, Phase::Connected) | (false, Phase::Bound | Phase::Connected) => {}
        (true, _) => return fail(WSAENOTCONN),
        (false, _) => return fail(WSAEINVAL),
    }
    if socket.receive_shut { fail(WSAESHUTDOWN) } else { Ok(()) }
}

/// Whether the call asks for something that it can get.
#[inline]
fn check_arguments(socket: &State, call: &Call<'_>) -> WsaResult<()> {
    if call.buffers.iter().any(|buffer| buffer.buf.is_null() && buffer.len > 0) {
        return fail(WSAEFAULT);
    }
    if call.flags == 0 && socket.is_stream() {
        return Ok(());
    }
    let unlike = call.has(MSG_OOB) || call.has(MSG_PEEK) || call.flags & MSG_PARTIAL != 0;
    if call.has(MSG_WAITALL) && (unlike || socket.nonblocking || !socket.is_stream()) {
        return fail(WSAEOPNOTSUPP);
    }
    if call.has(MSG_OOB) && !socket.is_stream() {
        return fail(WSAEOPNOTSUPP);
    }
    if socket.is_stream() { Ok(()) } else { check_from(socket, call) }
}

/// A datagram must not be lost because its sender's address does not fit (D59).
fn check_from(state: &State, call: &Call<'_>) -> WsaResult<()> {
    if call.from.is_null() || call.from_len.is_null() {
        return Ok(());
    }
    let needed = if state.family == AF_INET6 { size_of::<SOCKADDR_IN6>() } else { size_of::<SOCKADDR_IN>() };
    // SAFETY: the program vouches for the length that it passed.
    if (unsafe { call.from_len.read_unaligned() }) < needed as i32 { fail(WSAEFAULT) } else { Ok(()) }
}

/// Starts an overlapped receive.
///
/// # Safety
/// As for [`receive`].
#[inline]
unsafe fn start(socket: &mut Locked, call: &Call<'_>, operation: &Operation) -> WsaResult<Completion> {
    let mut done = 0;
    // What has come since it was emptied makes an edge now, which the port's threads take.
    let emptied = socket.readable == Readable::Emptied && socket.association.is_some();
    if call.has(MSG_OOB) || (socket.receives.is_empty() && !emptied) {
        // SAFETY: as the caller promises.
        match unsafe { try_once(socket, call, 0) } {
            Try::Done(completion) => {
                overlapped::complete_at_once(socket, operation, completion);
                return conclude(completion);
            }
            Try::Failed { code, .. } => return fail(code),
            Try::Part(bytes) => done = bytes,
        }
    }
    overlapped::pend(socket, operation);
    push(socket, call, operation, done);
    if let Err(errno) = socket.watch() {
        forget(socket, call.flags, operation.overlapped);
        return fail(wsa_from_errno(errno));
    }
    fail(WSA_IO_PENDING)
}

/// Queues a call of which `done` bytes are there.
#[inline(always)]
fn push(socket: &mut Locked, call: &Call<'_>, operation: &Operation, done: u32) {
    let role = call.role(socket);
    let mut request = overlapped::request(operation, call.flags, call.buffers, role);
    request.done = done;
    queue_for(socket, call.flags).push(request);
}

fn queue_for(state: &mut State, flags: u32) -> &mut Fifo {
    match has(flags, MSG_OOB) {
        true => state.urgent_queue(),
        false => &mut state.receives,
    }
}

fn forget(state: &mut State, flags: u32, overlapped: Overlapped) {
    queue_for(state, flags).take(|request| request.overlapped == overlapped.as_ptr());
}

/// Receives within the call; `wait` says whether it may block.
///
/// # Safety
/// As for [`receive`].
#[inline(always)]
unsafe fn synchronous(socket: &mut Locked, call: &Call<'_>, wait: bool) -> WsaResult<Completion> {
    if socket.readable == Readable::No {
        // There may be an edge that nobody has taken yet.
        socket.readable = Readable::Unknown;
    }
    let mut done = 0;
    if call.has(MSG_OOB) || socket.receives.is_empty() {
        // SAFETY: as the caller promises.
        match unsafe { try_once(socket, call, 0) } {
            Try::Done(completion) => return conclude(completion),
            Try::Failed { code, .. } => return fail(code),
            Try::Part(bytes) => done = bytes,
        }
    }
    if !wait {
        return fail(WSAEWOULDBLOCK);
    }
    // SAFETY: as the caller promises.
    unsafe { block(socket, call, done) }
}

/// Waits within the call for what is missing after `done` bytes.
///
/// # Safety
/// As for [`receive`].
#[cold]
unsafe fn block(socket: &mut Locked, call: &Call<'_>, done: u32) -> WsaResult<Completion> {
    let mut place = OVERLAPPED::default();
    // SAFETY: `place` outlives the request: whichever way this function is left, the request is out of the queue.
    let Some(mine) = (unsafe { Overlapped::new(&mut place) }) else { return fail(WSAEFAULT) };
    let operation = Operation::synchronous(mine);
    operation.begin();
    push(socket, call, &operation, done);
    let deadline = Deadline::after_milliseconds(socket.options().receive_timeout);
    let events = if call.has(MSG_OOB) { libc::POLLPRI } else { libc::POLLIN };
    while !mine.is_over() {
        let blocked = socket.block(events, deadline);
        if mine.is_over() {
            break;
        }
        if let Err(error) = blocked {
            forget(socket, call.flags, mine);
            // What queued behind us may go on.
            socket.readable = Readable::Unknown;
            drain(socket, None);
            select::look_again(socket);
            return Err(error);
        }
        socket.readable = Readable::Unknown;
        drain(socket, Some(mine));
    }
    conclude(mine.completion())
}

/// Runs queued receives as far as data is there. Synchronous ones are left to the thread that waits for them: `owner`
/// if it is the caller.
pub(crate) fn drain(socket: &mut Locked, owner: Option<Overlapped>) {
    drain_urgent(socket, owner);
    let waited = !socket.receives.is_empty();
    run_queue(socket, owner);
    if waited && socket.receives.is_empty() {
        select::look_again(socket);
    }
}

#[inline]
fn run_queue(socket: &mut Locked, owner: Option<Overlapped>) {
    while socket.readable != Readable::No {
        if socket.receives.front().is_none_or(|request| !may_run(request, owner)) {
            return;
        }
        let Some(mut request) = socket.receives.pop() else { return };
        // SAFETY: the program keeps the buffers of a pending operation writable.
        match unsafe { try_once(socket, &Call::of(&request), request.done) } {
            Try::Done(completion) => end(socket, request, completion),
            Try::Failed { status, .. } => end(socket, request, Completion::failure(status)),
            Try::Part(bytes) => {
                request.done += bytes;
                socket.receives.put_back(request);
                return;
            }
        }
    }
}

fn drain_urgent(socket: &mut Locked, owner: Option<Overlapped>) {
    let Some(mut queue) = socket.take_urgent_receives() else { return };
    while queue.front().is_some_and(|request| may_run(request, owner)) {
        let Some(request) = queue.pop() else { break };
        // SAFETY: the program keeps the buffers of a pending operation writable.
        match unsafe { try_once(socket, &Call::of(&request), request.done) } {
            Try::Done(completion) => end(socket, request, completion),
            Try::Failed { status, .. } => end(socket, request, Completion::failure(status)),
            Try::Part(_) => {
                queue.put_back(request);
                break;
            }
        }
    }
    if !queue.is_empty() {
        socket.set_urgent_receives(queue);
    }
}

fn may_run(request: &Request, owner: Option<Overlapped>) -> bool {
    !request.is_synchronous() || owner.map(Overlapped::as_ptr) == Some(request.overlapped)
}

#[inline(always)]
fn end(socket: &mut Locked, request: Request, completion: Completion) {
    if let Role::AcceptData(_) = request.role {
        return accept_ex::end_data_phase(request, completion);
    }
    overlapped::complete(socket, &request, completion);
}

/// Tries once to receive what is missing after `done` bytes.
///
/// # Safety
/// The call's buffers and pointers are writable.
#[inline(always)]
unsafe fn try_once(socket: &mut Locked, call: &Call<'_>, done: u32) -> Try {
    // SAFETY: as the caller promises.
    unsafe {
        match (socket.is_stream(), call.has(MSG_OOB)) {
            (true, true) => try_urgent(socket, call),
            (true, false) => try_stream(socket, call, done),
            (false, _) => try_datagram(socket, call),
        }
    }
}

/// The flags that the kernel has as well; MSG_WAITALL is done here.
fn kernel_flags(flags: u32) -> i32 {
    if flags == 0 {
        return 0;
    }
    let pairs = [(MSG_OOB, libc::MSG_OOB), (MSG_PEEK, libc::MSG_PEEK), (MSG_DONTROUTE, libc::MSG_DONTROUTE)];
    pairs.iter().filter(|(ours, _)| has(flags, *ours)).fold(0, |all, (_, theirs)| all | theirs)
}

/// # Safety
/// As for [`try_once`].
#[inline(always)]
unsafe fn try_stream(socket: &mut Locked, call: &Call<'_>, before: u32) -> Try {
    if socket.readable == Readable::No {
        return Try::Part(0);
    }
    let buffers = call.buffers;
    let all = total(buffers);
    if all == before {
        return try_empty(socket);
    }
    let flags = kernel_flags(call.flags);
    let mut done = before;
    loop {
        let fd = socket.fd();
        // SAFETY: as the caller promises.
        let result = unsafe {
            match buffers {
                [one] if done == 0 => os::receive(fd, *one, flags),
                many => os::receive_message(fd, many, done as usize, flags).map(|message| message.bytes),
            }
        };
        match result {
            Ok(0) => return end_of_stream(socket, done),
            Ok(bytes) => done += bytes as u32,
            Err(libc::EAGAIN) => {
                socket.readable = if socket.is_watched() { Readable::No } else { Readable::Emptied };
                return Try::Part(done - before);
            }
            Err(errno) => return stream_failed(socket, errno),
        }
        socket.readable = match done < all {
            _ if call.has(MSG_PEEK) => Readable::Yes,
            // The queue is empty now, and what comes next will be an edge.
            true if !socket.sticky && buffers.len() <= os::MOST_BUFFERS => match socket.is_watched() {
                true => Readable::No,
                false => Readable::Emptied,
            },
            _ => Readable::Unknown,
        };
        if done == all || !call.has(MSG_WAITALL) {
            return Try::Done(Completion::success(done));
        }
        if socket.readable == Readable::No {
            return Try::Part(done - before);
        }
    }
}

/// A receive of no bytes waits for data and takes none (D44).
#[inline]
fn try_empty(socket: &mut Locked) -> Try {
    if matches!(socket.readable, Readable::Unknown | Readable::Emptied) {
        match os::peek_readable(socket.fd()) {
            Ok(true) => socket.readable = Readable::Yes,
            Ok(false) if socket.is_watched() => socket.readable = Readable::No,
            Ok(false) => return Try::Part(0),
            Err(errno) => return stream_failed(socket, errno),
        }
    }
    match socket.readable {
        Readable::No => Try::Part(0),
        _ if socket.fatal != 0 => connection_is_over(socket),
        _ => Try::Done(Completion::success(0)),
    }
}

fn end_of_stream(socket: &mut Locked, done: u32) -> Try {
    socket.end_of_stream = true;
    socket.sticky = true;
    // A reset that follows the end of the stream, since we sent to a peer that had closed (D53): Linux says "end".
    match os::take_error(socket.fd()) {
        // Linux reports an error once, and says "end" from then on.
        0 if socket.fatal != 0 => connection_is_over(socket),
        0 => Try::Done(Completion::success(done)),
        _ => {
            socket.end(WSAECONNABORTED);
            connection_is_over(socket)
        }
    }
}

/// The connection has ended with an error, which another operation has reported: every later one ends with it (D51, D52).
fn connection_is_over(socket: &State) -> Try {
    Try::Failed { code: socket.fatal, status: status_from_wsa(socket.fatal) }
}

fn stream_failed(socket: &mut Locked, errno: Errno) -> Try {
    let code = wsa_from_errno(errno);
    // A bad buffer is the call's fault; everything else is the end of the connection.
    if errno != libc::EFAULT && errno != libc::EINVAL && errno != libc::ENOMEM {
        socket.end(code);
    }
    Try::Failed { code, status: status_from_errno(errno) }
}

/// # Safety
/// As for [`try_once`].
unsafe fn try_urgent(socket: &mut Locked, call: &Call<'_>) -> Try {
    // SAFETY: as the caller promises.
    let result = unsafe { os::receive_message(socket.fd(), call.buffers, 0, kernel_flags(call.flags)) };
    match result {
        Ok(message) => Try::Done(Completion::success(message.bytes as u32)),
        Err(libc::EINVAL) if socket.options().oob_inline => {
            Try::Failed { code: WSAEINVAL, status: STATUS_INVALID_PARAMETER }
        }
        // No urgent byte now: Linux says EINVAL where there never was one.
        Err(libc::EAGAIN | libc::EINVAL) => no_urgent_byte(socket),
        Err(errno) => stream_failed(socket, errno),
    }
}

/// There is no urgent byte: none yet, or, after the end of the stream, none ever.
fn no_urgent_byte(socket: &mut Locked) -> Try {
    let ended = libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR;
    if os::poll_now(socket.fd(), libc::POLLRDHUP) & ended == 0 {
        return Try::Part(0);
    }
    match os::take_error(socket.fd()) {
        0 if socket.fatal != 0 => connection_is_over(socket),
        0 => Try::Done(Completion::success(0)),
        errno => stream_failed(socket, errno),
    }
}

/// # Safety
/// As for [`try_once`].
unsafe fn try_datagram(socket: &mut Locked, call: &Call<'_>) -> Try {
    let refused = Try::Failed { code: WSAECONNRESET, status: STATUS_PORT_UNREACHABLE };
    if std::mem::take(&mut socket.refused_datagram) && socket.options().udp_connection_reset {
        return refused;
    }
    let mut room = [0; messages::CONTROL_ROOM];
    let control = if call.message.is_null() { &mut [] } else { &mut room[..] };
    loop {
        let flags = kernel_flags(call.flags);
        // SAFETY: as the caller promises.
        let result = unsafe { os::receive_message_and_control(socket.fd(), call.buffers, 0, flags, control) };
        let message = match result {
            Ok(message) => message,
            Err(libc::EAGAIN) => {
                socket.readable = if socket.is_watched() { Readable::No } else { Readable::Unknown };
                return Try::Part(0);
            }
            Err(libc::ECONNREFUSED) => {
                os::drain_error_queue(socket.fd());
                if socket.options().udp_connection_reset {
                    return refused;
                }
                continue;
            }
            Err(errno) => {
                // What this receive reports, a thread that polls is not to meet again, for ever.
                os::drain_error_queue(socket.fd());
                return Try::Failed { code: wsa_from_errno(errno), status: status_from_errno(errno) };
            }
        };
        if !call.message.is_null() {
            // SAFETY: as the caller promises.
            unsafe { messages::deliver(call.message, &message, control) };
        } else if !call.from.is_null() {
            // A length that shrank since the call began loses the address, not the datagram.
            // SAFETY: as the caller promises.
            let _ = unsafe { message.from.write(call.from, call.from_len) };
        }
        let whole = message.flags & libc::MSG_TRUNC == 0;
        let status = if whole { STATUS_SUCCESS } else { STATUS_BUFFER_OVERFLOW };
        return Try::Done(Completion { status, bytes: message.bytes as u32 });
    }
}

/// Receives data; returns how many bytes, or 0 at the end of a stream.
///
/// A stream gives what is there, at least one byte; a datagram that is longer than `len` is cut.
///
/// # Errors
/// SOCKET_ERROR with WSAEWOULDBLOCK on a non-blocking socket that has nothing, WSAETIMEDOUT after SO_RCVTIMEO,
/// WSAECONNRESET, WSAECONNABORTED, WSAENOTCONN, WSAESHUTDOWN after SD_RECEIVE, WSAEMSGSIZE for a cut datagram, WSAEINVAL
/// for an unbound datagram socket, WSAEOPNOTSUPP, WSAEFAULT, WSAENOTSOCK.
///
/// # Safety
/// `buf` is writable for `len` bytes.
#[unsafe(export_name = "ws_recv")]
pub unsafe extern "system" fn recv(s: SOCKET, buf: PSTR, len: i32, flags: SEND_RECV_FLAGS) -> i32 {
    // SAFETY: as the caller promises; there is no address to write.
    finish_length(unsafe { receive_buffer(s, buf, len, flags, null_mut(), null_mut()) })
}

/// Receives data as [`recv`] does, and says where a datagram came from.
///
/// On a stream socket the address arguments are left alone.
///
/// # Errors
/// As for [`recv`]; WSAEFAULT also if `*fromlen` is too small, and then the datagram stays queued.
///
/// # Safety
/// `buf` is writable for `len` bytes, `from` is null or writable for `*fromlen` bytes, `fromlen` is null or writable.
#[unsafe(export_name = "ws_recvfrom")]
pub unsafe extern "system" fn recvfrom(
    s: SOCKET,
    buf: PSTR,
    len: i32,
    flags: i32,
    from: *mut SOCKADDR,
    fromlen: *mut i32,
) -> i32 {
    // SAFETY: as the caller promises.
    finish_length(unsafe { receive_buffer(s, buf, len, flags, from, fromlen) })
}

/// Receives into one buffer within the call.
///
/// # Safety
/// As for [`recvfrom`].
#[inline(always)]
unsafe fn receive_buffer(
    s: SOCKET,
    buf: PSTR,
    len: i32,
    flags: i32,
    from: *mut SOCKADDR,
    from_len: *mut i32,
) -> WsaResult<Completion> {
    let Ok(len) = u32::try_from(len) else { return fail(WSAEFAULT) };
    let buffers = [WSABUF { len, buf }];
    let call = Call { buffers: &buffers, flags: flags as u32, from, from_len, message: null_mut() };
    // SAFETY: as the caller promises.
    unsafe { receive(s, call, None) }
}

/// Receives into several buffers, in the call or overlapped.
///
/// Without an OVERLAPPED this is [`recv`] with more buffers. With one, on an overlapped socket: 0 if data was there,
/// and the completion is indicated all the same; else WSA_IO_PENDING. It is indicated by the event of the OVERLAPPED, by
/// a packet or, with a routine, by that: in an alertable wait of the calling thread. Buffers are filled strictly in posting
/// order. A receive of no bytes completes when data is there and takes none.
///
/// # Errors
/// SOCKET_ERROR with the codes of [`recv`], WSA_IO_PENDING, or WSAEINVAL for no buffers or for a completion routine on a
/// socket with a completion port.
///
/// # Safety
/// `lpbuffers` is readable for `dwbuffercount` entries; the buffers are writable, and with an OVERLAPPED stay so until
/// the operation completes, as does the OVERLAPPED. The other pointers are null or writable.
#[unsafe(export_name = "ws_WSARecv")]
pub unsafe extern "system" fn WSARecv(
    s: SOCKET,
    lpbuffers: *const WSABUF,
    dwbuffercount: u32,
    lpnumberofbytesrecvd: *mut u32,
    lpflags: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let (bytes, from, routine) = (lpnumberofbytesrecvd, (null_mut(), null_mut()), lpcompletionroutine);
    // SAFETY: as the caller promises; there is no address to write.
    finish(unsafe { receive_buffers(s, lpbuffers, dwbuffercount, bytes, lpflags, from, lpoverlapped, routine) })
}

/// Receives as [`WSARecv`] does, and says where a datagram came from.
///
/// `lpfrom` and `lpfromlen` are written when the operation completes; on a stream socket they are left alone.
///
/// # Errors
/// As for [`WSARecv`] and [`recvfrom`].
///
/// # Safety
/// As for [`WSARecv`]; `lpfrom` and `lpfromlen` are null or writable until the operation completes.
#[unsafe(export_name = "ws_WSARecvFrom")]
pub unsafe extern "system" fn WSARecvFrom(
    s: SOCKET,
    lpbuffers: *const WSABUF,
    dwbuffercount: u32,
    lpnumberofbytesrecvd: *mut u32,
    lpflags: *mut u32,
    lpfrom: *mut SOCKADDR,
    lpfromlen: *mut i32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let (bytes, from, routine) = (lpnumberofbytesrecvd, (lpfrom, lpfromlen), lpcompletionroutine);
    // SAFETY: as the caller promises.
    finish(unsafe { receive_buffers(s, lpbuffers, dwbuffercount, bytes, lpflags, from, lpoverlapped, routine) })
}

/// What [`WSARecv`] and [`WSARecvFrom`] do.
///
/// # Safety
/// As for [`WSARecvFrom`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "they are the calls'")]
unsafe fn receive_buffers(
    s: SOCKET,
    buffers: *const WSABUF,
    count: u32,
    bytes: *mut u32,
    flags: *mut u32,
    (from, from_len): (*mut SOCKADDR, *mut i32),
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> WsaResult<()> {
    // SAFETY: as the caller promises.
    unsafe {
        overlapped::call(
            s,
            (buffers, count),
            bytes,
            overlapped,
            routine,
            #[inline(always)]
            |buffers, operation| {
                let flags = flags.as_mut().ok_or(WsaError(WSAEFAULT))?;
                let call = Call { buffers, flags: *flags, from, from_len, message: null_mut() };
                let completion = receive(s, call, operation)?;
                *flags = overlapped::flags_of(completion.status);
                Ok(completion)
            },
        )
    }
}
