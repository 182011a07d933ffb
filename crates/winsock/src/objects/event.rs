//! Event objects.

use crate::dispatcher;
use crate::error::finish_bool;
use crate::objects::names::{self, Name};
use crate::objects::{self, Object, table};
use crate::types::*;

/// The event that `handle` means.
pub(crate) fn find(handle: usize) -> Option<dispatcher::Object> {
    table::with_object(handle, |object| match object {
        Object::Event(event) => Some(event.clone()),
        _ => None,
    })?
}

fn with(handle: usize, f: impl FnOnce(&dispatcher::Object)) -> BOOL {
    finish_bool(find(handle).map(|event| f(&event)).ok_or(ERROR_INVALID_HANDLE))
}

/// Resets an event; whether it was set. False, too, if it is none.
///
/// Not part of Winsock, where it takes a wait of no time and ResetEvent.
pub fn take_event(event: HANDLE) -> bool {
    find(event as usize).is_some_and(|event| event.take())
}

/// Makes an event.
///
/// A manual-reset event stays set until it is reset, and releases everybody who waits; an auto-reset event is reset by
/// the one wait that it ends.
///
/// With a name, within this process: one that an object of the kind has already gives another handle of that one, with the
/// last error ERROR_ALREADY_EXISTS. Case counts; the prefixes `Global\` and `Local\` do not.
///
/// # Errors
/// Null with ERROR_INVALID_HANDLE for the name of an object of another kind, ERROR_PATH_NOT_FOUND for a
/// backslash in it, ERROR_FILENAME_EXCED_RANGE for more than 260 characters, ERROR_NO_SYSTEM_RESOURCES when all handles
/// are in use.
///
/// # Safety
/// `lpeventattributes` is ignored; `lpname` is null or ends with a zero.
pub unsafe extern "system" fn CreateEventW(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: PCWSTR,
) -> HANDLE {
    // SAFETY: the caller's promise.
    create(unsafe { names::from_utf16(lpname) }, bmanualreset != FALSE, binitialstate != FALSE)
}

/// Whether an object is an event.
pub(crate) fn is_event(object: &Object) -> bool {
    matches!(object, Object::Event(_))
}

pub(crate) fn create(name: Name, manual_reset: bool, set: bool) -> HANDLE {
    names::create(name, is_event, || Ok(Object::Event(dispatcher::Object::event(manual_reset, set))))
}

/// Sets an event.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_SetEvent")]
pub unsafe extern "system" fn SetEvent(hevent: HANDLE) -> BOOL {
    with(hevent as usize, dispatcher::Object::set)
}

/// Resets an event.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_ResetEvent")]
pub unsafe extern "system" fn ResetEvent(hevent: HANDLE) -> BOOL {
    with(hevent as usize, dispatcher::Object::reset)
}

/// Releases those who wait for an event at this moment (an auto-reset event: one of them) and leaves it reset.
///
/// A wait for all that other objects hold up is not released. If nobody waits the pulse is lost.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_PulseEvent")]
pub unsafe extern "system" fn PulseEvent(hevent: HANDLE) -> BOOL {
    with(hevent as usize, dispatcher::Object::pulse)
}

/// Makes a manual-reset event that is not set, for Winsock's functions.
///
/// # Errors
/// 0 (WSA_INVALID_EVENT) with ERROR_NO_SYSTEM_RESOURCES.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSACreateEvent")]
pub unsafe extern "system" fn WSACreateEvent() -> WSAEVENT {
    // SAFETY: null attributes and a null name are allowed.
    unsafe { CreateEventW(std::ptr::null(), TRUE, FALSE, std::ptr::null()) as WSAEVENT }
}

/// Closes an event. Who waits for it goes on waiting.
///
/// # Errors
/// FALSE with WSA_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSACloseEvent")]
pub unsafe extern "system" fn WSACloseEvent(hevent: WSAEVENT) -> BOOL {
    // SAFETY: nothing is asked of the caller.
    unsafe { objects::CloseHandle(hevent as HANDLE) }
}

/// Sets an event.
///
/// # Errors
/// FALSE with WSA_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSASetEvent")]
pub unsafe extern "system" fn WSASetEvent(hevent: WSAEVENT) -> BOOL {
    with(hevent as usize, dispatcher::Object::set)
}

/// Resets an event.
///
/// # Errors
/// FALSE with WSA_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSAResetEvent")]
pub unsafe extern "system" fn WSAResetEvent(hevent: WSAEVENT) -> BOOL {
    with(hevent as usize, dispatcher::Object::reset)
}
