//! Winsock's A functions beside W ones that the crate has.

use crate::socket;
use crate::types::*;

/// [`socket::WSASocketW`] with a description in bytes, which is refused as well.
///
/// # Safety
/// Nothing is asked of the caller; the description is only compared with null.
#[unsafe(export_name = "ws_WSASocketA")]
pub unsafe extern "system" fn WSASocketA(
    af: i32,
    r#type: i32,
    protocol: i32,
    lpprotocolinfo: *const WSAPROTOCOL_INFOA,
    g: u32,
    dwflags: u32,
) -> SOCKET {
    // SAFETY: nothing is asked of the caller.
    unsafe { socket::WSASocketW(af, r#type, protocol, lpprotocolinfo.cast(), g, dwflags) }
}
