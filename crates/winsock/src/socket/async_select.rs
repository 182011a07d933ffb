//! WSAAsyncSelect.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSAAsyncSelect(_s: SOCKET, _hwnd: HWND, _wmsg: u32, _levent: i32) -> i32 {
    SOCKET_ERROR
}
