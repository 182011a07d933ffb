//! What a handle can stand for, and the table that says so.

pub(crate) mod duplicate;
pub(crate) mod event;
pub(crate) mod mutex;
pub(crate) mod names;
pub(crate) mod processes;
pub(crate) mod semaphore;
pub(crate) mod table;
pub(crate) mod threads;
pub(crate) mod timer;

use std::sync::Arc;

use crate::dispatcher;
use crate::error::{finish_bool, set_last_error};
use crate::file::File;
use crate::objects::processes::ProcessObject;
use crate::objects::threads::ThreadObject;
use crate::objects::timer::Timer;
use crate::port::Port;
use crate::socket::closesocket;
use crate::types::*;

/// An object behind a handle, other than a socket (see [`table::Slot`]).
#[derive(Clone)]
pub(crate) enum Object {
    Event(dispatcher::Object),
    Semaphore(dispatcher::Object),
    Mutex(dispatcher::Object),
    Thread(Arc<ThreadObject>),
    Process(Arc<ProcessObject>),
    Timer(Arc<Timer>),
    Port(Arc<Port>),
    File(Arc<File>),
}

impl Object {
    /// The object, if it is nothing but something to wait for.
    pub(crate) fn plain(&self) -> Option<&dispatcher::Object> {
        match self {
            Object::Event(object) | Object::Semaphore(object) | Object::Mutex(object) => Some(object),
            _ => None,
        }
    }

    /// What waiting for the handle waits for.
    pub(crate) fn waitable(&self) -> dispatcher::Object {
        match self {
            Object::Event(object) | Object::Semaphore(object) | Object::Mutex(object) => object.clone(),
            Object::Thread(thread) => thread.exited.clone(),
            Object::Process(process) => process.exited.clone(),
            Object::Timer(timer) => timer.due.clone(),
            Object::Port(port) => port.waitable(),
            Object::File(file) => file.waitable(),
        }
    }
}

/// Makes an object and its handle. Null, with the last error, if it fails.
pub(crate) fn create(make: impl FnOnce() -> Result<Object, WIN32_ERROR>) -> HANDLE {
    finish(make())
}

/// Ends a function that answers a new handle of an object.
pub(crate) fn finish(object: Result<Object, WIN32_ERROR>) -> HANDLE {
    let insert = |object| table::insert(object).ok_or(ERROR_NO_SYSTEM_RESOURCES);
    match object.and_then(insert) {
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

/// Closes a handle.
///
/// A port's waiters wake with ERROR_ABANDONED_WAIT_0. A socket closed this way is closed as by closesocket. Who waits
/// for the object of a closed handle goes on waiting.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_CloseHandle")]
pub unsafe extern "system" fn CloseHandle(hobject: HANDLE) -> BOOL {
    let handle = hobject as usize;
    if table::socket(handle).is_some() {
        // SAFETY: nothing is asked of the caller.
        let closed = unsafe { closesocket(handle) } == 0;
        return finish_bool(if closed { Ok(()) } else { Err(ERROR_INVALID_HANDLE) });
    }
    finish_bool(match table::remove(handle).flatten() {
        Some(Object::Port(port)) => {
            port.close_handle();
            Ok(())
        }
        Some(_) => Ok(()),
        None => Err(ERROR_INVALID_HANDLE),
    })
}
