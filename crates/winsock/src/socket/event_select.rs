//! WSAEventSelect and WSAEnumNetworkEvents.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSAEventSelect(_s: SOCKET, _heventobject: WSAEVENT, _lnetworkevents: i32) -> i32 {
    SOCKET_ERROR
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSAEnumNetworkEvents(
    _s: SOCKET,
    _heventobject: WSAEVENT,
    _lpnetworkevents: *mut WSANETWORKEVENTS,
) -> i32 {
    SOCKET_ERROR
}
