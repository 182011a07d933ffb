//! Startup, and last errors as results.

use crate::sys;
use crate::{Error, Result};
use std::sync::OnceLock;

/// Winsock 2.2.
const VERSION: u16 = 0x0202;

/// Starts Winsock on first use. It is never cleaned up: the process's end does that.
pub(crate) fn startup() -> Result<()> {
    static STARTUP: OnceLock<i32> = OnceLock::new();
    let status = *STARTUP.get_or_init(|| {
        let mut data = std::mem::MaybeUninit::<sys::WSADATA>::zeroed();
        // SAFETY: the pointer is to a WSADATA of ours, which the call fills.
        unsafe { sys::WSAStartup(VERSION, data.as_mut_ptr()) }
    });
    if status == 0 { Ok(()) } else { Err(Error::from_code(status)) }
}

/// The error of the Winsock call that failed just now on this thread.
pub(crate) fn last_socket_error() -> Error {
    // SAFETY: reads a number of this thread's.
    Error::from_code(unsafe { sys::WSAGetLastError() })
}

/// The error of the Win32 call that failed just now on this thread.
pub(crate) fn last_error() -> Error {
    // SAFETY: reads a number of this thread's.
    Error::from_code(unsafe { sys::GetLastError() } as i32)
}

/// The result of a Winsock call that returns 0 or `SOCKET_ERROR`.
pub(super) fn check(status: i32) -> Result<()> {
    if status == sys::SOCKET_ERROR { Err(last_socket_error()) } else { Ok(()) }
}

/// The result of a Winsock call that returns a count of bytes or `SOCKET_ERROR`.
pub(super) fn check_count(status: i32) -> Result<usize> {
    usize::try_from(status).map_err(|_| last_socket_error())
}

/// The result of a Winsock call that returns a socket.
pub(super) fn check_socket(socket: sys::SOCKET) -> Result<sys::SOCKET> {
    if socket == sys::INVALID_SOCKET { Err(last_socket_error()) } else { Ok(socket) }
}

/// The result of a Win32 call that returns a `BOOL`.
pub(super) fn check_bool(status: sys::BOOL) -> Result<()> {
    if status == sys::FALSE { Err(last_error()) } else { Ok(()) }
}

/// A wait in milliseconds, rounded up so that it is never shorter than asked for; `None` is forever.
pub(crate) fn milliseconds(timeout: Option<std::time::Duration>) -> u32 {
    let Some(timeout) = timeout else { return sys::INFINITE };
    let rounded = timeout.as_nanos().div_ceil(1_000_000);
    // The largest finite wait (49 days) stands for all longer ones.
    u32::try_from(rounded).unwrap_or(u32::MAX).min(sys::INFINITE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn waits_are_rounded_up_and_stay_finite() {
        assert_eq!(milliseconds(None), sys::INFINITE);
        assert_eq!(milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(milliseconds(Some(Duration::from_nanos(1))), 1);
        assert_eq!(milliseconds(Some(Duration::from_millis(7))), 7);
        assert_eq!(milliseconds(Some(Duration::MAX)), sys::INFINITE - 1);
    }
}
