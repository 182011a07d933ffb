//! ReadFile and WriteFile on a socket: a receive and a send, with Win32's codes instead of Winsock's (D92).

use crate::error::{last_error, win32_from_wsa};
use crate::file::io::{Call, is_accessible};
use crate::file::request::Direction;
use crate::socket::overlapped::Overlapped;
use crate::socket::{self, WSARecv, WSASend};
use crate::types::*;

/// # Safety
/// As for ReadFile or WriteFile.
pub(super) unsafe fn run(s: SOCKET, call: Call) -> Result<u32, WIN32_ERROR> {
    let is_overlapped = socket::lock(s).map_err(|_| ERROR_INVALID_HANDLE)?.overlapped;
    // SAFETY: as the caller promises.
    match unsafe { Overlapped::new(call.overlapped) } {
        None if is_overlapped => return Err(ERROR_INVALID_PARAMETER),
        None if call.bytes.is_null() => return Err(ERROR_NOACCESS),
        Some(overlapped) if overlapped.offset() > i64::MAX as u64 => return Err(ERROR_INVALID_PARAMETER),
        _ => {}
    }
    if !is_accessible(call.direction, call.buffer, call.len) {
        return Err(ERROR_NOACCESS);
    }
    // A socket that is not overlapped blocks, whatever its mode: that is what an OVERLAPPED says there (D3).
    let mut place = OVERLAPPED::default();
    let overlapped = if call.overlapped.is_null() { &raw mut place } else { call.overlapped };
    let buffers = [WSABUF { len: call.len, buf: call.buffer }];
    let (mut bytes, mut flags) = (0, 0);
    // SAFETY: as the caller promises. `place` is used only where the call is over when it returns.
    let result = unsafe {
        match call.direction {
            Direction::Read => WSARecv(s, buffers.as_ptr(), 1, &mut bytes, &mut flags, overlapped, None),
            Direction::Write => WSASend(s, buffers.as_ptr(), 1, &mut bytes, 0, overlapped, None),
        }
    };
    if result == 0 { Ok(bytes) } else { Err(win32_from_wsa(last_error() as WSA_ERROR)) }
}
