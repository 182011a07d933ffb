//! The resolver's flags and codes: Winsock's and this system's.

use crate::types as ws;

use crate::error::{WsaError, WsaResult, fail};
use crate::types::*;

pub(super) const ADDRESS_FLAGS: &[(u32, i32)] = &[
    (AI_PASSIVE, libc::AI_PASSIVE),
    (AI_CANONNAME, libc::AI_CANONNAME),
    (AI_NUMERICHOST, libc::AI_NUMERICHOST),
    (AI_NUMERICSERV, libc::AI_NUMERICSERV),
    (AI_ALL, libc::AI_ALL),
    (AI_ADDRCONFIG, libc::AI_ADDRCONFIG),
    (AI_V4MAPPED, libc::AI_V4MAPPED),
    (ws::AI_FQDN, libc::AI_CANONNAME),
];

/// Flags for Windows's own name services and for the Ex functions.
pub(super) const IGNORED_ADDRESS_FLAGS: u32 = ws::AI_DNS_ONLY
    | ws::AI_FORCE_CLEAR_TEXT
    | ws::AI_BYPASS_DNS_CACHE
    | ws::AI_RETURN_TTL
    | ws::AI_NON_AUTHORITATIVE
    | ws::AI_SECURE
    | ws::AI_RETURN_PREFERRED_NAMES
    | ws::AI_FILESERVER
    | ws::AI_DISABLE_IDN_ENCODING
    | ws::AI_SECURE_WITH_FALLBACK
    | ws::AI_EXCLUSIVE_CUSTOM_SERVERS
    | ws::AI_RETURN_RESPONSE_FLAGS
    | ws::AI_REQUIRE_SECURE
    | ws::AI_RESOLUTION_HANDLE
    | ws::AI_EXTENDED;

pub(super) const NAME_FLAGS: &[(u32, i32)] = &[
    (NI_NOFQDN, libc::NI_NOFQDN),
    (NI_NUMERICHOST, libc::NI_NUMERICHOST),
    (NI_NAMEREQD, libc::NI_NAMEREQD),
    (NI_NUMERICSERV, libc::NI_NUMERICSERV),
    (NI_DGRAM, libc::NI_DGRAM),
];

/// Translates flags by a table; one that is neither in it nor ignored is `WSAEINVAL`.
pub(super) fn linux_flags(flags: i32, table: &[(u32, i32)], ignored: u32) -> WsaResult<i32> {
    let mut rest = flags as u32 & !ignored;
    let mut linux = 0;
    for &(winsock_flag, linux_flag) in table {
        if rest & winsock_flag != 0 {
            rest &= !winsock_flag;
            linux |= linux_flag;
        }
    }
    if rest == 0 { Ok(linux) } else { fail(WSAEINVAL) }
}

/// The host exists and has no address; glibc and musl agree on the number, which `libc` does not declare.
const EAI_NODATA: i32 = -5;
/// A numeric host of the family that was not asked for.
const EAI_ADDRFAMILY: i32 = -9;

/// The resolver's answer as a result. It must be read at once: for `EAI_SYSTEM` the reason is in errno.
pub(super) fn check(code: i32) -> WsaResult<()> {
    match code {
        0 => Ok(()),
        libc::EAI_SYSTEM => Err(WsaError::last_os()),
        libc::EAI_AGAIN => fail(WSATRY_AGAIN),
        libc::EAI_BADFLAGS => fail(WSAEINVAL),
        libc::EAI_FAMILY => fail(WSAEAFNOSUPPORT),
        libc::EAI_MEMORY => fail(WSA_NOT_ENOUGH_MEMORY),
        EAI_NODATA => fail(WSANO_DATA),
        libc::EAI_NONAME | EAI_ADDRFAMILY => fail(WSAHOST_NOT_FOUND),
        libc::EAI_SERVICE => fail(WSATYPE_NOT_FOUND),
        libc::EAI_SOCKTYPE => fail(WSAESOCKTNOSUPPORT),
        libc::EAI_OVERFLOW => fail(WSAEFAULT),
        _ => fail(WSANO_RECOVERY),
    }
}
