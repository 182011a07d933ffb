//! WSAStartup, WSACleanup and the last error.

use super::{Outcome, UNTOUCHED, zero_or_error};
use pentaport::sys;
use std::sync::Once;

/// What WSAStartup says about the implementation, as far as facts are about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartupData {
    /// The version that the program shall use.
    pub version: u16,
    /// The highest version supported.
    pub high_version: u16,
    /// `iMaxSockets`: meaningless since version 2.
    pub max_sockets: u16,
    /// `iMaxUdpDg`: meaningless since version 2.
    pub max_udp_datagram: u16,
}

static STARTED: Once = Once::new();

/// Starts Winsock 2.2 once for the whole test program, which never ends it, and ends the program if it runs for minutes.
pub fn startup() {
    STARTED.call_once(|| {
        crate::process::bound_the_program();
        start();
    });
}

/// The same for a program that may run for as long as it likes. To be called before anything else here.
pub fn startup_for_long() {
    STARTED.call_once(start);
}

fn start() {
    let (code, _) = wsa_startup(0x0202);
    assert_eq!(code, 0, "WSAStartup(2.2)");
}

/// WSAStartup: the code that it returns itself, and what it filled in.
pub fn wsa_startup(version: u16) -> (i32, StartupData) {
    let mut data = sys::WSADATA {
        wVersion: UNTOUCHED as u16,
        wHighVersion: UNTOUCHED as u16,
        iMaxSockets: UNTOUCHED as u16,
        iMaxUdpDg: UNTOUCHED as u16,
        ..Default::default()
    };
    // SAFETY: `data` is a whole WSADATA and outlives the call.
    let code = unsafe { sys::WSAStartup(version, &mut data) };
    let filled = StartupData {
        version: data.wVersion,
        high_version: data.wHighVersion,
        max_sockets: data.iMaxSockets,
        max_udp_datagram: data.iMaxUdpDg,
    };
    (code, filled)
}

/// WSAStartup with a null pointer for the data.
pub fn wsa_startup_without_data(version: u16) -> i32 {
    // SAFETY: the contract says that a null pointer is refused with WSAEFAULT.
    unsafe { sys::WSAStartup(version, std::ptr::null_mut()) }
}

/// WSACleanup.
pub fn wsa_cleanup() -> Outcome<()> {
    // SAFETY: no pointers.
    zero_or_error(unsafe { sys::WSACleanup() })
}

/// WSAGetLastError.
pub fn wsa_get_last_error() -> i32 {
    // SAFETY: no pointers.
    unsafe { sys::WSAGetLastError() }
}

/// WSASetLastError.
pub fn wsa_set_last_error(code: i32) {
    // SAFETY: no pointers.
    unsafe { sys::WSASetLastError(code) }
}

/// GetLastError.
pub fn get_last_error() -> u32 {
    // SAFETY: no pointers.
    unsafe { sys::GetLastError() }
}

/// SetLastError.
pub fn set_last_error(code: u32) {
    // SAFETY: no pointers.
    unsafe { sys::SetLastError(code) }
}
