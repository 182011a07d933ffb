//! Event objects, and the wait for one of them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::deadline::Deadline;
use crate::error::{finish_bool, set_last_error};
use crate::objects::Object;
use crate::objects::table::{self, Entry};
use crate::port::blocking;
use crate::types::*;

/// An event: set until it is reset or, if it is auto-reset, until one wait has seen it.
pub(crate) struct Event {
    set: Mutex<bool>,
    changed: Condvar,
    manual_reset: bool,
}

impl Event {
    pub(crate) fn new(manual_reset: bool, set: bool) -> Event {
        Event { set: Mutex::new(set), changed: Condvar::new(), manual_reset }
    }

    pub(crate) fn set(&self) {
        *self.set.lock() = true;
        if self.manual_reset {
            self.changed.notify_all();
        } else {
            self.changed.notify_one();
        }
    }

    pub(crate) fn reset(&self) {
        *self.set.lock() = false;
    }

    /// Waits until the event is set; false after the timeout. `None` waits for ever.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> bool {
        let deadline = Deadline::after(timeout);
        let mut set = self.set.lock();
        let _elsewhere = (!*set && timeout != Some(Duration::ZERO)).then(blocking);
        while !*set {
            match deadline.remaining() {
                Some(Duration::ZERO) => return false,
                Some(remaining) => drop(self.changed.wait_for(&mut set, remaining)),
                None => self.changed.wait(&mut set),
            }
        }
        *set = self.manual_reset;
        true
    }
}

/// The event that `handle` means.
pub(crate) fn find(handle: usize) -> Option<Arc<Event>> {
    match table::object(handle) {
        Some(Object::Event(event)) => Some(event),
        _ => None,
    }
}

/// Makes an event. Names are not offered: `lpname` must be null.
///
/// # Errors
/// Null with ERROR_NOT_SUPPORTED for a name.
///
/// # Safety
/// `lpeventattributes` is ignored; `lpname` is only compared with null.
pub unsafe extern "system" fn CreateEventW(
    _lpeventattributes: *const SECURITY_ATTRIBUTES,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: PCWSTR,
) -> HANDLE {
    let event = Arc::new(Event::new(bmanualreset != FALSE, binitialstate != FALSE));
    let handle = match lpname.is_null() {
        true => table::insert(Entry::Object(Object::Event(event))).ok_or(ERROR_NO_SYSTEM_RESOURCES),
        false => Err(ERROR_NOT_SUPPORTED),
    };
    match handle {
        Ok(handle) => {
            set_last_error(ERROR_SUCCESS);
            handle as usize as HANDLE
        }
        Err(code) => {
            set_last_error(code);
            std::ptr::null_mut()
        }
    }
}

/// Sets an event.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
pub unsafe extern "system" fn SetEvent(hevent: HANDLE) -> BOOL {
    finish_bool(find(hevent as usize).map(|event| event.set()).ok_or(ERROR_INVALID_HANDLE))
}

/// Resets an event.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
pub unsafe extern "system" fn ResetEvent(hevent: HANDLE) -> BOOL {
    finish_bool(find(hevent as usize).map(|event| event.reset()).ok_or(ERROR_INVALID_HANDLE))
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PulseEvent(_hevent: HANDLE) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSACreateEvent() -> WSAEVENT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSACloseEvent(_hevent: WSAEVENT) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSASetEvent(_hevent: WSAEVENT) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WSAResetEvent(_hevent: WSAEVENT) -> BOOL {
    FALSE
}
