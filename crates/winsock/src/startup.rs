//! Startup and cleanup, counted for the whole process.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

use ranked_locks::{Mutex, rank};

use crate::error::{WsaResult, fail, finish};
use crate::socket::close_all_sockets;
use crate::types::*;

/// How often the process has started Winsock and not cleaned up.
static STARTUPS: AtomicU32 = AtomicU32::new(0);

/// Held while the count changes, so that a startup cannot come between the last cleanup's count and its closing of
/// all sockets.
static CHANGING: Mutex<(), rank::Startup> = Mutex::new(());

/// The highest version, 2.2: minor version in the high byte, as MAKEWORD writes it.
const VERSION_2_2: u16 = 0x0202;
const VERSION_1_1: u16 = 0x0101;

/// Whether the process may use sockets: it has called [`WSAStartup`] more often than [`WSACleanup`].
pub(crate) fn started() -> bool {
    STARTUPS.load(Ordering::Relaxed) != 0
}

/// Fails with `WSANOTINITIALISED` before the first startup and after the last cleanup.
pub(crate) fn require_started() -> WsaResult<()> {
    if started() { Ok(()) } else { fail(WSANOTINITIALISED) }
}

/// Starts the use of Winsock and describes it.
///
/// `wversionrequested` holds the major version in its low byte and the minor in its high byte: `0x0202` is 2.2. The
/// answer's `wVersion` is the version asked for, or the nearest one below it that exists.
///
/// Every call that succeeds needs one [`WSACleanup`].
///
/// # Errors
/// The answer itself is the code, and 0 means success; [`WSAGetLastError`](crate::WSAGetLastError) says nothing.
/// * `WSAEFAULT`: `lpwsadata` is null.
/// * `WSAVERNOTSUPPORTED`: major version 0. The data is filled in all the same.
///
/// # Safety
/// `lpwsadata` is null or points to memory that a `WSADATA` may be written to.
///
/// ```
/// use winsock::{WSACleanup, WSADATA, WSAStartup};
/// let mut data = WSADATA::default();
/// // SAFETY: `data` is a live WSADATA.
/// assert_eq!(unsafe { WSAStartup(0x0202, &mut data) }, 0);
/// assert_eq!(data.wVersion, 0x0202);
/// // SAFETY: no socket is in use.
/// assert_eq!(unsafe { WSACleanup() }, 0);
/// ```
#[unsafe(export_name = "ws_WSAStartup")]
pub unsafe extern "system" fn WSAStartup(wversionrequested: u16, lpwsadata: *mut WSADATA) -> i32 {
    if lpwsadata.is_null() {
        return WSAEFAULT;
    }
    // SAFETY: not null, so the caller lets us write a WSADATA there.
    unsafe { lpwsadata.write_unaligned(describe(wversionrequested)) };
    if major(wversionrequested) == 0 {
        return WSAVERNOTSUPPORTED;
    }
    let _changing = CHANGING.lock();
    STARTUPS.fetch_add(1, Ordering::Relaxed);
    0
}

/// Ends one use of Winsock. The last one closes every socket of the process.
///
/// Operations in flight are cancelled without any notice: no event is set, no routine runs, no packet is queued.
///
/// # Errors
/// `SOCKET_ERROR` with `WSANOTINITIALISED` if every [`WSAStartup`] has had its cleanup.
///
/// # Safety
/// If this is the last cleanup: as closing every socket of the process.
#[unsafe(export_name = "ws_WSACleanup")]
pub unsafe extern "system" fn WSACleanup() -> i32 {
    finish(cleanup())
}

fn cleanup() -> WsaResult<()> {
    let _changing = CHANGING.lock();
    match STARTUPS.load(Ordering::Relaxed) {
        0 => return fail(WSANOTINITIALISED),
        1 => {
            // Down first: no socket can be made any more while the existing ones are closed.
            STARTUPS.store(0, Ordering::Relaxed);
            close_all_sockets();
        }
        n => STARTUPS.store(n - 1, Ordering::Relaxed),
    }
    Ok(())
}

/// What Winsock says of itself to a program that asked for `requested`.
fn describe(requested: u16) -> WSADATA {
    let version = negotiate(requested);
    let mut data = WSADATA { wVersion: version, wHighVersion: VERSION_2_2, ..WSADATA::default() };
    if major(version) == 1 {
        // Constants that version 1 programs size their tables by; version 2 has no such limits and says 0.
        data.iMaxSockets = 32767;
        data.iMaxUdpDg = 65467;
    }
    put(&mut data.szDescription, c"WinSock 2.0");
    put(&mut data.szSystemStatus, c"Running");
    data
}

/// The version to use for the one that was asked for.
fn negotiate(requested: u16) -> u16 {
    match requested {
        0x0001 | 0x0101 | 0x0002 | 0x0102 | 0x0202 => requested,
        _ if major(requested) == 1 => VERSION_1_1,
        _ => VERSION_2_2,
    }
}

fn major(version: u16) -> u8 {
    version as u8
}

/// Writes a text into a zeroed C array that is longer than it.
fn put(place: &mut [i8], text: &CStr) {
    for (to, from) in place.iter_mut().zip(text.to_bytes()) {
        *to = *from as i8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h2_versions() {
        let rows = [
            (0x0001, 0x0001), // 1.0
            (0x0101, 0x0101),
            (0x0002, 0x0002), // 2.0
            (0x0102, 0x0102), // 2.1
            (0x0202, 0x0202),
            (0x0302, 0x0202), // 2.3
            (0x0003, 0x0202), // 3.0
            (0xFFFF, 0x0202),
            (0x0201, 0x0101), // 1.2
            (0xFF01, 0x0101),
        ];
        for (requested, version) in rows {
            let data = describe(requested);
            assert_eq!((data.wVersion, data.wHighVersion), (version, 0x0202), "{requested:#06x}");
        }
    }

    #[test]
    fn h4_limits_are_for_version_1() {
        let limits = |version| {
            let data = describe(version);
            (data.iMaxSockets, data.iMaxUdpDg)
        };
        assert_eq!(limits(0x0101), (32767, 65467));
        assert_eq!(limits(0x0001), (32767, 65467));
        assert_eq!(limits(0x0002), (0, 0));
        assert_eq!(limits(0x0202), (0, 0));
    }
}
