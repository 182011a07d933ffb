//! Reading from a socket and writing to it: a receive and a send, with Win32's codes instead of Winsock's (D92).

use crate::error::{WsaError, is_bad, win32_from_wsa};
use crate::file::io::Call;
use crate::file::request::Direction;
use crate::socket::overlapped::{Operation, Overlapped};
use crate::socket::{self, receive, send};
use crate::types::*;

/// ReadFile or WriteFile.
///
/// # Safety
/// As for ReadFile or WriteFile.
pub(super) unsafe fn run(s: SOCKET, call: Call) -> Result<u32, WIN32_ERROR> {
    // SAFETY: as the caller promises.
    let overlapped = unsafe { Overlapped::new(call.overlapped) };
    match overlapped {
        None if is_overlapped(s)? => return Err(ERROR_INVALID_PARAMETER),
        None if call.bytes.is_null() => return Err(ERROR_NOACCESS),
        _ => {}
    }
    let mut place = OVERLAPPED::default();
    // A socket that is not overlapped blocks, whatever its mode: that is what an OVERLAPPED says there (D3).
    // SAFETY: `place` is used where the operation is over when the call returns.
    let overlapped = overlapped.or_else(|| unsafe { Overlapped::new(&raw mut place) }).ok_or(ERROR_NOACCESS)?;
    // SAFETY: as the caller promises.
    unsafe { transfer(s, call, Operation::new(overlapped, None)) }
}

/// Whether a socket is overlapped; an error if it is none.
pub(super) fn is_overlapped(s: SOCKET) -> Result<bool, WIN32_ERROR> {
    socket::lock(s).map(|socket| socket.overlapped).map_err(|_| ERROR_INVALID_HANDLE)
}

/// # Safety
/// The call's buffer is writable or readable, until the operation completes if the socket is overlapped.
pub(super) unsafe fn transfer(s: SOCKET, call: Call, operation: Operation) -> Result<u32, WIN32_ERROR> {
    let Call { direction, buffer, len, .. } = call;
    is_overlapped(s)?;
    if operation.overlapped.offset() > i64::MAX as u64 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    // More is not asked beforehand: a receive or send of some bytes costs little more than the asking.
    if len > 0 && is_bad(buffer) {
        return Err(ERROR_NOACCESS);
    }
    let buffer = WSABUF { len, buf: buffer };
    // SAFETY: as the caller promises.
    let result = unsafe {
        match direction {
            Direction::Read => receive::receive_one(s, buffer, operation),
            Direction::Write => send::send_one(s, buffer, operation),
        }
    };
    result.map(|completion| completion.bytes).map_err(|WsaError(code)| win32_from_wsa(code))
}
