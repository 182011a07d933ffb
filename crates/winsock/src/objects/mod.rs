//! What a handle can stand for, and the table that says so.

pub(crate) mod duplicate;
pub(crate) mod event;
pub(crate) mod mutex;
pub(crate) mod semaphore;
pub(crate) mod table;
pub(crate) mod threads;
pub(crate) mod timer;

use std::sync::Arc;

use crate::error::finish_bool;
use crate::objects::event::Event;
use crate::port::Port;
use crate::socket::closesocket;
use crate::types::*;

/// An object behind a handle, other than a socket (see [`table::Slot`]).
#[derive(Clone)]
pub(crate) enum Object {
    Event(Arc<Event>),
    Port(Arc<Port>),
}

/// Closes a handle.
///
/// A port's waiters wake with ERROR_ABANDONED_WAIT_0. A socket closed this way is closed as by closesocket.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
pub unsafe extern "system" fn CloseHandle(hobject: HANDLE) -> BOOL {
    let handle = hobject as usize;
    if table::socket(handle).is_some() {
        // SAFETY: nothing is asked of the caller.
        let closed = unsafe { closesocket(handle) } == 0;
        return finish_bool(if closed { Ok(()) } else { Err(ERROR_INVALID_HANDLE) });
    }
    finish_bool(match table::remove(handle).flatten() {
        Some(Object::Port(port)) => {
            port.close();
            Ok(())
        }
        Some(Object::Event(_)) => Ok(()),
        None => Err(ERROR_INVALID_HANDLE),
    })
}
