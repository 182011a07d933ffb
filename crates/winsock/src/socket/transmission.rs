//! What TransmitFile and DisconnectEx queue among a socket's sends: buffers and a file to send, then the end of the
//! connection, and a fresh descriptor behind the handle.
//!
//! A socket that is to be used again shuts down, reads until the peer has ended too, and only then is the descriptor
//! closed: with unread bytes that would reset the connection, and the peer would lose what was on its way.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use crate::deadline::Deadline;
use crate::error::{WsaResult, fail, wsa_from_errno};
use crate::file::File;
use crate::os::{self, OsResult};
use crate::socket::address_calls::finish_sending;
use crate::socket::overlapped::{self, Completion, Operation, Overlapped, conclude};
use crate::socket::request::{Fifo, Role};
use crate::socket::send::{self, Try, stream_failed};
use crate::socket::{Locked, Phase, Readable, State, create, receive};
use crate::types::*;

/// How much of a file goes into one system call: the lock is held meanwhile.
const MOST_AT_ONCE: usize = 1 << 20;

/// One call of TransmitFile or DisconnectEx.
pub(crate) struct Transmission {
    /// Before the file.
    pub(super) head: WSABUF,
    pub(super) file: Option<FilePart>,
    /// Behind the file.
    pub(super) tail: WSABUF,
    /// The connection ends then,
    pub(super) disconnect: bool,
    /// and the handle can be used for another.
    pub(super) reuse: bool,
    /// The bytes that have gone out.
    sent: u32,
    /// Sending has ended; the peer's end is waited for.
    ended: bool,
}

/// What is left of a file to send.
pub(super) struct FilePart {
    pub(super) file: Arc<File>,
    pub(super) offset: u64,
    pub(super) left: u64,
}

// SAFETY: the buffers are the caller's, who keeps them readable and untouched until completion.
unsafe impl Send for Transmission {}

/// Options that the handle keeps although they were set on the connection; those that were set before are noted.
const OF_A_CONNECTION: [(i32, i32); 3] = [
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
];

/// No bytes.
pub(super) const EMPTY: WSABUF = WSABUF { len: 0, buf: std::ptr::null_mut() };

impl Transmission {
    pub(super) fn new(
        head: WSABUF,
        file: Option<FilePart>,
        tail: WSABUF,
        disconnect: bool,
        reuse: bool,
    ) -> Transmission {
        Transmission { head, file, tail, disconnect, reuse, sent: 0, ended: false }
    }

    /// Goes on as far as that is possible without waiting.
    ///
    /// # Safety
    /// The buffers are readable.
    pub(super) unsafe fn advance(&mut self, socket: &mut Locked) -> Try {
        // SAFETY: as the caller promises.
        if let Err(errno) = unsafe { self.send(socket) } {
            return match errno {
                libc::EAGAIN => Try::Part(self.sent),
                errno => stream_failed(socket, errno),
            };
        }
        if self.disconnect && !std::mem::replace(&mut self.ended, true) {
            socket.send_shut = true;
            // ENOTCONN: a reset came first, and the peer expects nothing any more.
            let _ = os::shutdown(socket.fd(), libc::SHUT_WR);
        }
        if self.reuse {
            if !peer_has_ended(socket) {
                return Try::Part(self.sent);
            }
            if let Err(errno) = renew(socket) {
                return Try::Failed { code: wsa_from_errno(errno), status: STATUS_INSUFFICIENT_RESOURCES };
            }
        }
        Try::Done(Completion::success(self.sent))
    }

    /// # Safety
    /// The buffers are readable.
    unsafe fn send(&mut self, socket: &Locked) -> OsResult<()> {
        let fd = socket.fd();
        let more_behind_head = self.file.as_ref().is_some_and(|part| part.left > 0) || self.tail.len > 0;
        // SAFETY: as the caller promises.
        unsafe { send_buffer(fd, &mut self.head, more_behind_head, &mut self.sent)? };
        if let Some(part) = &mut self.file {
            while part.left > 0 {
                let ask = part.left.min(MOST_AT_ONCE as u64) as usize;
                let sent = os::file::send_to_socket(fd, part.file.descriptor(), &mut part.offset, ask)?;
                // The file has become shorter.
                part.left = if sent == 0 { 0 } else { part.left - sent as u64 };
                self.sent += sent as u32;
            }
        }
        // SAFETY: as the caller promises.
        unsafe { send_buffer(fd, &mut self.tail, false, &mut self.sent) }
    }
}

/// Sends a buffer and shortens it by what has gone.
///
/// # Safety
/// The buffer is readable.
unsafe fn send_buffer(fd: i32, buffer: &mut WSABUF, more: bool, sent: &mut u32) -> OsResult<()> {
    while buffer.len > 0 {
        // SAFETY: as the caller promises.
        let bytes = unsafe { os::send(fd, *buffer, if more { libc::MSG_MORE } else { 0 })? } as u32;
        buffer.len -= bytes;
        buffer.buf = buffer.buf.wrapping_add(bytes as usize);
        *sent += bytes;
    }
    Ok(())
}

/// Whether a request waits for the peer's end: any edge may bring that.
pub(super) fn waits_for_end(state: &State) -> bool {
    state.sends.front().is_some_and(|request| matches!(&request.role, Role::Transmission(it) if it.ended))
}

/// Reads away what still comes, unless receives of the program wait for it, and says whether the peer has ended.
fn peer_has_ended(socket: &mut Locked) -> bool {
    let over = socket.end_of_stream || socket.fatal != 0;
    if over && !socket.receives.is_empty() {
        // A send has met the end, and the edge that tells receives of it is still to come: they belong to this connection.
        socket.readable = Readable::Unknown;
        receive::drain(socket, None);
    }
    // A thread that is blocked in a receive carries that out itself, and looks here again.
    if over || !socket.receives.is_empty() {
        return socket.receives.is_empty();
    }
    socket.readable = Readable::Unknown;
    loop {
        match os::discard(socket.fd()) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(errno) => return errno != libc::EAGAIN,
        }
    }
}

/// Puts a fresh descriptor behind the handle. One that was bound by the program is bound again, to the same address; the
/// port is another, since the old one rests for a while (TIME_WAIT).
fn renew(socket: &mut Locked) -> OsResult<()> {
    let fd = create::descriptor_for(socket)?;
    for (level, name) in OF_A_CONNECTION {
        let _ = os::get_option(socket.fd(), level, name)
            .and_then(|value| os::set_option(fd.as_raw_fd(), level, name, value));
    }
    let was_accepted = socket.accepted;
    if !was_accepted {
        let address = os::local_address(socket.fd())?.with_port(0);
        os::bind(fd.as_raw_fd(), &address)?;
    }
    socket.replace_fd(fd);
    socket.phase = if was_accepted { Phase::Fresh } else { Phase::Bound };
    socket.receive_shut = false;
    socket.send_shut = false;
    socket.end_of_stream = false;
    socket.readable = Readable::Unknown;
    socket.accepted = false;
    socket.connect_context = false;
    socket.fatal = 0;
    socket.connect_error = 0;
    socket.connect_failed = false;
    socket.not_connected();
    socket.reused = true;
    end_the_rest(socket);
    Ok(())
}

/// Nothing comes of what else was asked of the old connection: another disconnect, a receive of urgent data.
fn end_the_rest(socket: &mut Locked) {
    let mut rest = socket.sends.take(|_| true);
    rest.extend(socket.take_urgent_receives().into_iter().flat_map(|mut queue: Box<Fifo>| queue.take(|_| true)));
    for request in rest {
        overlapped::complete(socket, &request, Completion::failure(STATUS_CANCELLED));
    }
}

/// Starts a transmission, or carries it out if the call has no OVERLAPPED. An overlapped one always pends.
///
/// # Safety
/// The buffers are readable, until the operation completes if there is one.
pub(super) unsafe fn run(
    socket: &mut Locked,
    transmission: Transmission,
    operation: Option<Operation>,
) -> WsaResult<()> {
    let mut place = OVERLAPPED::default();
    // SAFETY: `place` outlives the request: whichever way this function is left, the request is out of the queue.
    let Some(mine) = (unsafe { Overlapped::new(&mut place) }) else { return fail(WSAEFAULT) };
    let by_program = operation.is_some();
    let operation = operation.unwrap_or_else(|| Operation::synchronous(mine));
    operation.begin();
    let mut request = overlapped::request(&operation, 0, &[], Role::Plain);
    request.role = Role::Transmission(Box::new(transmission));
    if by_program {
        overlapped::pend(socket, &operation);
        socket.sends.push(request);
        send::drain(socket, None);
        let queued = socket.sends.iter().any(|request| request.overlapped == operation.overlapped.as_ptr());
        if queued && let Err(errno) = socket.watch() {
            socket.sends.take(|request| request.overlapped == operation.overlapped.as_ptr());
            return fail(wsa_from_errno(errno));
        }
        return fail(WSA_IO_PENDING);
    }
    socket.sends.push(request);
    send::drain(socket, Some(mine));
    while !mine.is_over() {
        let events = if waits_for_end(socket) { libc::POLLIN } else { libc::POLLOUT };
        let blocked = socket.block(events, Deadline::NEVER);
        if mine.is_over() {
            break;
        }
        if let Err(error) = blocked {
            socket.sends.take(|request| request.overlapped == mine.as_ptr());
            // What queued behind us may go on.
            send::drain(socket, None);
            finish_sending(socket);
            return Err(error);
        }
        send::drain(socket, Some(mine));
    }
    conclude(mine.completion()).map(drop)
}
