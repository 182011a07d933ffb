//! TransmitFile, over `sendfile`.

use crate::error::{WsaError, WsaResult, fail, finish_bool, is_bad};
use crate::file;
use crate::socket::overlapped::{Operation, Overlapped};
use crate::socket::transmission::{self, EMPTY, FilePart, Transmission};
use crate::socket::{Phase, connect, lock};
use crate::types::*;

/// As much as one call sends.
const MOST: u64 = 2_147_483_646;

/// Flags that say how Windows goes about it, and change nothing here.
const HINTS: u32 = TF_WRITE_BEHIND | TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC;

/// Sends a file on a connection, with a buffer before and one behind it. Fetched by WSAIoctl with WSAID_TRANSMITFILE, or
/// linked.
///
/// `nnumberofbytestowrite` 0 sends the rest of the file: from the OVERLAPPED's offset or, without one, from the file's
/// position, which stays where it is. A null file sends the buffers alone. The result counts the buffers too. With an
/// OVERLAPPED the operation always pends; without one the call blocks. TF_DISCONNECT ends the connection then, as
/// [`DisconnectEx`](super::DisconnectEx), and TF_REUSE_SOCKET with it has the handle used again. The size of a single send
/// and the other flags change nothing.
///
/// # Errors
/// FALSE with WSA_IO_PENDING, WSAENOTSOCK, WSAENOTCONN (for datagram sockets too), WSAESHUTDOWN, WSAEINVAL for
/// TF_REUSE_SOCKET without TF_DISCONNECT, for an unknown flag, an offset behind the end of the file or more than 2,147,483,646
/// bytes; ERROR_INVALID_HANDLE for what is no file, ERROR_ACCESS_DENIED for one that may not be read; the codes of a send.
///
/// # Safety
/// `lpoverlapped` is null or points to an OVERLAPPED that lives until the operation completes; `lptransmitbuffers` is null or
/// points to a description of buffers that are readable until then.
#[unsafe(export_name = "ws_TransmitFile")]
pub unsafe extern "system" fn TransmitFile(
    hsocket: SOCKET,
    hfile: HANDLE,
    nnumberofbytestowrite: u32,
    _nnumberofbytespersend: u32,
    lpoverlapped: *mut OVERLAPPED,
    lptransmitbuffers: *const TRANSMIT_FILE_BUFFERS,
    dwreserved: u32,
) -> BOOL {
    let run = || {
        let mut socket = lock(hsocket)?;
        connect::settle(&mut socket);
        if socket.phase != Phase::Connected {
            return fail(WSAENOTCONN);
        }
        let (disconnect, reuse) = (dwreserved & TF_DISCONNECT != 0, dwreserved & TF_REUSE_SOCKET != 0);
        let known = TF_DISCONNECT | TF_REUSE_SOCKET | HINTS;
        if !socket.is_stream() || dwreserved & !known != 0 || (reuse && !disconnect) {
            return fail(WSAEINVAL);
        }
        if socket.fatal != 0 {
            return fail(socket.fatal);
        }
        if socket.send_shut {
            return fail(WSAESHUTDOWN);
        }
        // SAFETY: as the caller promises.
        let (overlapped, (head, tail)) = unsafe { (Overlapped::new(lpoverlapped), buffers(lptransmitbuffers)?) };
        let file = match hfile.is_null() {
            true => None,
            false => Some(part(hfile, overlapped.map(Overlapped::offset), nnumberofbytestowrite)?),
        };
        let rest = file.as_ref().map_or(0, |part| part.left);
        if rest + u64::from(head.len) + u64::from(tail.len) > MOST {
            return fail(WSAEINVAL);
        }
        let transmission = Transmission::new(head, file, tail, disconnect, reuse);
        let operation = overlapped.map(|overlapped| Operation::new(overlapped, None));
        // What is sent later would be behind the end.
        socket.send_shut |= disconnect;
        // SAFETY: as the caller promises.
        unsafe { transmission::run(&mut socket, transmission, operation) }
    };
    finish_bool(run().map_err(|error| error.0 as u32))
}

/// What is before and behind the file.
///
/// # Safety
/// `buffers` is null or points to a description.
unsafe fn buffers(buffers: *const TRANSMIT_FILE_BUFFERS) -> WsaResult<(WSABUF, WSABUF)> {
    if buffers.is_null() {
        return Ok((EMPTY, EMPTY));
    }
    if is_bad(buffers) {
        return fail(WSAEFAULT);
    }
    // SAFETY: as the caller promises.
    let TRANSMIT_FILE_BUFFERS { Head, HeadLength, Tail, TailLength } = unsafe { buffers.read_unaligned() };
    if (HeadLength > 0 && is_bad(Head)) || (TailLength > 0 && is_bad(Tail)) {
        return fail(WSAEFAULT);
    }
    Ok((WSABUF { len: HeadLength, buf: Head.cast() }, WSABUF { len: TailLength, buf: Tail.cast() }))
}

/// What of the file is to be sent.
fn part(handle: HANDLE, offset: Option<u64>, count: u32) -> WsaResult<FilePart> {
    let file = file::find(handle).ok_or(WsaError(ERROR_INVALID_HANDLE as i32))?;
    let (end, position) = file.to_be_sent().map_err(|code| WsaError(code as i32))?;
    let offset = offset.unwrap_or(position);
    let rest = end.checked_sub(offset).ok_or(WsaError(WSAEINVAL))?;
    let left = if count == 0 { rest } else { rest.min(count.into()) };
    Ok(FilePart { file, offset, left })
}
