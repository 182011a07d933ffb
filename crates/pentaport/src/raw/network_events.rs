//! `WSAEventSelect` and its record; `WSAAsyncSelect` is in `window.rs`.

use super::call::check;
use crate::Result;
use crate::sys::{self, HANDLE, SOCKET};

/// Lets the network events of `mask` set the event.
pub(crate) fn event_select(socket: SOCKET, event: HANDLE, mask: u32) -> Result<()> {
    // SAFETY: takes numbers and a handle.
    check(unsafe { sys::WSAEventSelect(socket, event as sys::WSAEVENT, mask as i32) })
}

/// Takes the record: the events, and an error code for each that there is.
pub(crate) fn enumerate(socket: SOCKET, event: HANDLE) -> Result<(u32, [i32; sys::FD_MAX_EVENTS as usize])> {
    let mut record = sys::WSANETWORKEVENTS { lNetworkEvents: 0, iErrorCode: [0; sys::FD_MAX_EVENTS as usize] };
    // SAFETY: the record is ours, and the call fills it.
    check(unsafe { sys::WSAEnumNetworkEvents(socket, event as sys::WSAEVENT, &mut record) })?;
    Ok((record.lNetworkEvents as u32, record.iErrorCode))
}
