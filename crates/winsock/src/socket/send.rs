//! Sending: send, sendto, WSASend, WSASendTo, and the queue of sends.
//!
//! Bytes leave in posting order (D64): a send is tried at once only if nothing is queued before it. A non-blocking send
//! on a stream is all or nothing (D60): what the kernel does not take of it goes into the queue, copied.

use std::ptr::{null, null_mut};

use crate::address::Address;
use crate::deadline::Deadline;
use crate::error::{WsaResult, fail, finish, status_from_errno, status_from_wsa, wsa_from_errno};
use crate::os::{self, Errno};
use crate::socket::address_calls::finish_sending;
use crate::socket::overlapped::{self, Completion, Operation, Overlapped, conclude, finish_length};
use crate::socket::request::{Buffers, Destination, Notice, Request, Role, has, total};
use crate::socket::{Locked, Phase, State, arrivals, close, connect, lock, spill};
use crate::thread;
use crate::types::*;

/// A send as a call asks for it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) buffers: &'a [WSABUF],
    pub(super) flags: u32,
    pub(super) to: Option<&'a Address>,
    /// Of WSASendMsg, as the kernel has it.
    pub(super) control: &'a [u64],
}

/// What one try did.
pub(super) enum Try {
    Done(Completion),
    /// How much went out, all in all; the kernel takes no more now.
    Part(u32),
    Failed {
        code: i32,
        status: NTSTATUS,
    },
}

/// Sends on behalf of a call. With an OVERLAPPED, WSA_IO_PENDING says that the operation has begun.
///
/// # Safety
/// The buffers in `call` are readable, until the operation completes if there is an OVERLAPPED.
#[inline(always)]
pub(super) unsafe fn transmit(s: SOCKET, call: Call<'_>, operation: Option<&Operation>) -> WsaResult<Completion> {
    let mut socket = lock(s)?;
    if let Err(error) = check_state(&mut socket, call) {
        operation.into_iter().for_each(Operation::reset_event);
        return Err(error);
    }
    check_arguments(&socket, call)?;
    let Some(operation) = operation else {
        // SAFETY: as the caller promises.
        return unsafe {
            match socket.nonblocking {
                true => {
                    let result = all_or_nothing(&mut socket, call);
                    arrivals::send_called(&mut socket, &result);
                    result
                }
                false => synchronous(&mut socket, call),
            }
        };
    };
    operation.begin();
    if socket.overlapped {
        // SAFETY: as the caller promises.
        return unsafe { start(&mut socket, call, operation) };
    }
    // Not an overlapped socket: the call blocks until it is done, whatever the mode (D3).
    let me = thread::current();
    let overlapped = operation.overlapped.as_ptr().addr();
    // SAFETY: as the caller promises.
    let result = me.blocked.with_overlapped(overlapped, || unsafe { synchronous(&mut socket, call) });
    overlapped::conclude_blocked(&socket, operation, result)
}

/// Sends one buffer, for WriteFile: see [`transmit`].
///
/// # Safety
/// The buffer is readable until the operation completes.
pub(crate) unsafe fn send_one(s: SOCKET, buffer: WSABUF, operation: Operation) -> WsaResult<Completion> {
    // SAFETY: as the caller promises.
    unsafe { transmit(s, Call { buffers: &[buffer], flags: 0, to: None, control: &[] }, Some(&operation)) }
}

/// Whether the socket is one that can send.
#[inline]
fn check_state(socket: &mut Locked, call: Call<'_>) -> WsaResult<()> {
    connect::settle(socket);
    if socket.fatal != 0 {
        return fail(socket.fatal);
    }
    match (socket.is_stream(), socket.phase) {
        (_, Phase::Connected) => {}
        (true, _) => return fail(WSAENOTCONN),
        // A datagram socket that was never bound is bound now (D65).
        (false, Phase::Bound) if call.to.is_some() => {}
        (false, _) if call.to.is_some() => {
            socket.phase = Phase::Bound;
            arrivals::bound(socket);
        }
        (false, _) => return fail(WSAENOTCONN),
    }
    if socket.send_shut { fail(WSAESHUTDOWN) } else { Ok(()) }
}

/// Whether the call asks for something that it can get.
#[inline]
fn check_arguments(socket: &State, call: Call<'_>) -> WsaResult<()> {
    if call.buffers.iter().any(|buffer| buffer.buf.is_null() && buffer.len > 0) {
        return fail(WSAEFAULT);
    }
    if has(call.flags, MSG_OOB) && !socket.is_stream() { fail(WSAEOPNOTSUPP) } else { Ok(()) }
}

fn request(socket: &Locked, operation: &Operation, call: Call<'_>, done: u32) -> Request {
    let role = match call.to.is_some() || !call.control.is_empty() {
        true if !socket.is_stream() => {
            Role::To(Box::new(Destination { address: call.to.copied(), control: call.control.into() }))
        }
        _ => Role::Plain,
    };
    Request { done, ..overlapped::request(operation, call.flags, call.buffers, role) }
}

/// Starts an overlapped send.
///
/// # Safety
/// As for [`transmit`].
#[inline(always)]
unsafe fn start(socket: &mut Locked, call: Call<'_>, operation: &Operation) -> WsaResult<Completion> {
    let mut done = 0;
    if socket.sends.is_empty() {
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
    let request = request(socket, operation, call, done);
    socket.sends.push(request);
    if let Err(errno) = socket.watch() {
        socket.sends.take(|request| request.overlapped == operation.overlapped.as_ptr());
        return fail(wsa_from_errno(errno));
    }
    fail(WSA_IO_PENDING)
}

/// A non-blocking send: takes all if there is any room, and nothing if there is none.
///
/// # Safety
/// As for [`transmit`].
#[inline(always)]
unsafe fn all_or_nothing(socket: &mut Locked, call: Call<'_>) -> WsaResult<Completion> {
    drain(socket, None);
    if socket.fatal != 0 {
        return fail(socket.fatal);
    }
    if !socket.sends.is_empty() {
        return fail(WSAEWOULDBLOCK);
    }
    let all = total(call.buffers);
    // SAFETY: as the caller promises.
    let sent = match unsafe { try_once(socket, call, 0) } {
        Try::Done(completion) => return conclude(completion),
        Try::Failed { code, .. } => return fail(code),
        Try::Part(0) => return fail(WSAEWOULDBLOCK),
        Try::Part(bytes) => bytes,
    };
    // SAFETY: as the caller promises.
    let rest = unsafe { spill::copy_after(call.buffers, sent as usize) };
    let request = Request {
        overlapped: null_mut(),
        notice: Notice::HANDLE,
        thread: 0,
        flags: call.flags,
        done: 0,
        buffers: Buffers::Owned(rest),
        role: Role::Spill,
    };
    socket.sends.push(request);
    close::drain_at_exit();
    match socket.watch() {
        Ok(()) => Ok(Completion::success(all)),
        // Without readiness the rest could wait for ever: the count that left is all that can be promised.
        Err(_) => {
            socket.sends.take(|request| matches!(request.role, Role::Spill));
            Ok(Completion::success(sent))
        }
    }
}

/// Sends within the call, which blocks until all is buffered (D62).
///
/// # Safety
/// As for [`transmit`].
unsafe fn synchronous(socket: &mut Locked, call: Call<'_>) -> WsaResult<Completion> {
    let mut done = 0;
    if socket.sends.is_empty() {
        // SAFETY: as the caller promises.
        match unsafe { try_once(socket, call, 0) } {
            Try::Done(completion) => return conclude(completion),
            Try::Failed { code, .. } => return fail(code),
            Try::Part(bytes) => done = bytes,
        }
    }
    let mut place = OVERLAPPED::default();
    // SAFETY: `place` outlives the request: whichever way this function is left, the request is out of the queue.
    let Some(mine) = (unsafe { Overlapped::new(&mut place) }) else { return fail(WSAEFAULT) };
    let operation = Operation::synchronous(mine);
    operation.begin();
    let request = request(socket, &operation, call, done);
    socket.sends.push(request);
    let deadline = Deadline::after_milliseconds(socket.options().send_timeout);
    while !mine.is_over() {
        let blocked = socket.block(libc::POLLOUT, deadline);
        if mine.is_over() {
            break;
        }
        if let Err(error) = blocked {
            socket.sends.take(|request| request.overlapped == mine.as_ptr());
            // What queued behind us may go on.
            drain(socket, None);
            finish_sending(socket);
            return Err(error);
        }
        drain(socket, Some(mine));
    }
    // What queued behind us while we polled is the epoll's from now on.
    if !socket.sends.is_empty() {
        let _ = socket.watch();
    }
    conclude(mine.completion())
}

/// Runs queued sends as far as the kernel takes them. Synchronous ones are left to the thread that waits for them:
/// `owner` if it is the caller.
#[inline]
pub(crate) fn drain(socket: &mut Locked, owner: Option<Overlapped>) {
    if !socket.sends.is_empty() {
        run_queue(socket, owner);
    }
}

fn run_queue(socket: &mut Locked, owner: Option<Overlapped>) {
    while let Some(front) = socket.sends.front() {
        if front.is_synchronous() && owner.map(Overlapped::as_ptr) != Some(front.overlapped) {
            return;
        }
        let Some(mut request) = socket.sends.pop() else { return };
        // SAFETY: the program keeps the buffers of a pending operation readable.
        let tried = unsafe {
            match &mut request.role {
                Role::Transmission(transmission) => transmission.advance(socket),
                role => {
                    let (to, control) = match role {
                        Role::To(to) => (to.address.as_ref(), &*to.control),
                        _ => (None, [].as_slice()),
                    };
                    let call = Call { buffers: request.buffers.as_slice(), flags: request.flags, to, control };
                    try_once(socket, call, request.done)
                }
            }
        };
        match tried {
            Try::Done(completion) => {
                overlapped::complete(socket, &request, completion);
                if let Buffers::Owned(copy) = request.buffers {
                    spill::keep(copy);
                }
            }
            Try::Failed { status, .. } => overlapped::complete(socket, &request, Completion::failure(status)),
            Try::Part(done) => {
                request.done = done;
                socket.sends.put_back(request);
                return;
            }
        }
    }
    match socket.phase {
        Phase::Lingering => close::sent_all(socket),
        _ => {
            finish_sending(socket);
            arrivals::room(socket);
        }
    }
}

/// Tries to send what is left after the first `done` bytes.
///
/// # Safety
/// The buffers are readable.
#[inline(always)]
unsafe fn try_once(socket: &mut Locked, call: Call<'_>, mut done: u32) -> Try {
    if !socket.is_stream() {
        // SAFETY: as the caller promises.
        return unsafe { try_datagram(socket, call) };
    }
    let all = total(call.buffers);
    let flags = kernel_flags(call.flags);
    while done < all {
        let fd = socket.fd();
        // SAFETY: as the caller promises.
        let result = unsafe {
            match call.buffers {
                [one] if done == 0 => os::send(fd, *one, flags),
                many => os::send_message(fd, many, done as usize, flags, None, &[]),
            }
        };
        match result {
            Ok(bytes) => done += bytes as u32,
            Err(libc::EAGAIN) => return Try::Part(done),
            Err(errno) => return stream_failed(socket, errno),
        }
    }
    Try::Done(Completion::success(all))
}

fn kernel_flags(flags: u32) -> i32 {
    if flags == 0 {
        return 0;
    }
    let pairs = [(MSG_OOB, libc::MSG_OOB), (MSG_DONTROUTE, libc::MSG_DONTROUTE)];
    pairs.iter().filter(|(ours, _)| has(flags, *ours)).fold(0, |all, (_, theirs)| all | theirs)
}

pub(super) fn stream_failed(socket: &mut Locked, errno: Errno) -> Try {
    let (code, status) = match errno {
        libc::EFAULT | libc::ENOMEM | libc::ENOBUFS | libc::EINVAL | libc::EOPNOTSUPP => {
            return Try::Failed { code: wsa_from_errno(errno), status: status_from_errno(errno) };
        }
        // Linux reports an error once, and then that the connection is broken.
        libc::EPIPE if socket.fatal != 0 => (socket.fatal, status_from_wsa(socket.fatal)),
        // A peer that had closed has answered with a reset (D53).
        libc::EPIPE | libc::ECONNRESET if socket.end_of_stream => (WSAECONNABORTED, STATUS_CONNECTION_ABORTED),
        libc::EPIPE => (WSAECONNRESET, STATUS_CONNECTION_RESET),
        errno => (wsa_from_errno(errno), status_from_errno(errno)),
    };
    socket.end(code);
    Try::Failed { code, status }
}

/// # Safety
/// The buffers are readable.
unsafe fn try_datagram(socket: &mut Locked, call: Call<'_>) -> Try {
    let all = total(call.buffers);
    if call.buffers.len() > os::MOST_BUFFERS {
        // The kernel would send those that it takes: a part of the datagram.
        // SAFETY: as the caller promises.
        let whole = unsafe { spill::copy_after(call.buffers, 0) };
        // SAFETY: the copy lives through the call.
        return unsafe { try_datagram(socket, Call { buffers: whole.as_slice(), ..call }) };
    }
    loop {
        // SAFETY: as the caller promises.
        let result =
            unsafe { os::send_message(socket.fd(), call.buffers, 0, kernel_flags(call.flags), call.to, call.control) };
        let errno = match result {
            Ok(bytes) => return Try::Done(Completion::success(bytes as u32)),
            Err(errno) => errno,
        };
        match errno {
            libc::EAGAIN => return Try::Part(0),
            // An earlier datagram was refused: no matter of a send, but of the next receive (D69).
            libc::ECONNREFUSED => {
                os::drain_error_queue(socket.fd());
                socket.refused_datagram = true;
            }
            // A datagram to port 0 goes nowhere, which is fine (D68).
            libc::EINVAL if call.to.is_some_and(|to| to.port() == 0) => return Try::Done(Completion::success(all)),
            libc::EDESTADDRREQ => return Try::Failed { code: WSAENOTCONN, status: STATUS_INVALID_CONNECTION },
            _ => {
                // What the call reports, a thread that polls is not to meet again, for ever.
                os::drain_error_queue(socket.fd());
                return Try::Failed { code: wsa_from_errno(errno), status: status_from_errno(errno) };
            }
        }
    }
}

/// Sends data; returns how many bytes were taken.
///
/// A blocking send returns when all is buffered. A non-blocking one on a stream takes all if there is any room, even
/// more than the kernel does; what that is beyond the kernel's buffer is sent in the background, also after
/// closesocket and, for a bounded time, when the process exits.
///
/// # Errors
/// SOCKET_ERROR with WSAEWOULDBLOCK, WSAETIMEDOUT after SO_SNDTIMEO, WSAENOTCONN, WSAESHUTDOWN after SD_SEND,
/// WSAECONNRESET, WSAECONNABORTED, WSAEMSGSIZE for a datagram that is too long, WSAEFAULT, WSAENOTSOCK.
///
/// # Safety
/// `buf` is readable for `len` bytes.
#[unsafe(export_name = "ws_send")]
pub unsafe extern "system" fn send(s: SOCKET, buf: PCSTR, len: i32, flags: SEND_RECV_FLAGS) -> i32 {
    // SAFETY: as the caller promises.
    finish_length(unsafe { send_buffer(s, buf, len, flags, None) })
}

/// Sends data as [`send`] does, a datagram to an address.
///
/// On a connected stream the address is ignored.
///
/// # Errors
/// As for [`send`]; WSAEFAULT and WSAEAFNOSUPPORT for a bad address.
///
/// # Safety
/// `buf` is readable for `len` bytes, `to` is null or readable for `tolen` bytes.
#[unsafe(export_name = "ws_sendto")]
pub unsafe extern "system" fn sendto(
    s: SOCKET,
    buf: PCSTR,
    len: i32,
    flags: i32,
    to: *const SOCKADDR,
    tolen: i32,
) -> i32 {
    let run = || {
        // SAFETY: as the caller promises.
        let to = unsafe { destination(s, to, tolen)? };
        // SAFETY: as the caller promises.
        unsafe { send_buffer(s, buf, len, flags, to.as_ref()) }
    };
    finish_length(run())
}

/// Sends one buffer within the call.
///
/// # Safety
/// `buf` is readable for `len` bytes.
#[inline(always)]
unsafe fn send_buffer(s: SOCKET, buf: PCSTR, len: i32, flags: i32, to: Option<&Address>) -> WsaResult<Completion> {
    let Ok(len) = u32::try_from(len) else { return fail(WSAEFAULT) };
    let buffers = [WSABUF { len, buf: buf.cast_mut() }];
    // SAFETY: as the caller promises.
    unsafe { transmit(s, Call { buffers: &buffers, flags: flags as u32, to, control: &[] }, None) }
}

/// The address that a call names, if the socket heeds it (D66).
///
/// # Safety
/// `to` is null or readable for `len` bytes.
#[inline]
pub(super) unsafe fn destination(s: SOCKET, to: *const SOCKADDR, len: i32) -> WsaResult<Option<Address>> {
    if to.is_null() || lock(s)?.is_stream() {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    unsafe { Address::read(to, len) }.map(Some)
}

/// Sends several buffers, in the call or overlapped.
///
/// Without an OVERLAPPED this is [`send`] with more buffers. With one, on an overlapped socket: 0 if the kernel took
/// all, and the completion is indicated all the same; else WSA_IO_PENDING. Success always means the full length. Bytes
/// leave in posting order.
///
/// # Errors
/// SOCKET_ERROR with the codes of [`send`], WSA_IO_PENDING, or WSAEINVAL for no buffers or for a completion routine on a
/// socket with a completion port.
///
/// # Safety
/// `lpbuffers` is readable for `dwbuffercount` entries; the buffers are readable, and with an OVERLAPPED stay so until
/// the operation completes, as does the OVERLAPPED. `lpnumberofbytessent` is null or writable.
#[unsafe(export_name = "ws_WSASend")]
pub unsafe extern "system" fn WSASend(
    s: SOCKET,
    lpbuffers: *const WSABUF,
    dwbuffercount: u32,
    lpnumberofbytessent: *mut u32,
    dwflags: u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let (bytes, routine) = (lpnumberofbytessent, lpcompletionroutine);
    // SAFETY: as the caller promises; there is no address to read.
    finish(unsafe { send_buffers(s, lpbuffers, dwbuffercount, bytes, dwflags, (null(), 0), lpoverlapped, routine) })
}

/// Sends as [`WSASend`] does, a datagram to an address.
///
/// # Errors
/// As for [`WSASend`] and [`sendto`].
///
/// # Safety
/// As for [`WSASend`]; `lpto` is null or readable for `itolen` bytes.
#[unsafe(export_name = "ws_WSASendTo")]
pub unsafe extern "system" fn WSASendTo(
    s: SOCKET,
    lpbuffers: *const WSABUF,
    dwbuffercount: u32,
    lpnumberofbytessent: *mut u32,
    dwflags: u32,
    lpto: *const SOCKADDR,
    itolen: i32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let (bytes, to, routine) = (lpnumberofbytessent, (lpto, itolen), lpcompletionroutine);
    // SAFETY: as the caller promises.
    finish(unsafe { send_buffers(s, lpbuffers, dwbuffercount, bytes, dwflags, to, lpoverlapped, routine) })
}

/// What [`WSASend`] and [`WSASendTo`] do.
///
/// # Safety
/// As for [`WSASendTo`].
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "they are the calls'")]
unsafe fn send_buffers(
    s: SOCKET,
    buffers: *const WSABUF,
    count: u32,
    bytes: *mut u32,
    flags: u32,
    (to, to_len): (*const SOCKADDR, i32),
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
                let to = destination(s, to, to_len)?;
                let call = Call { buffers, flags, to: to.as_ref(), control: &[] };
                transmit(s, call, operation)
            },
        )
    }
}
