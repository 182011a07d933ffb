//! DuplicateHandle.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::finish_bool;
use crate::objects::table;
use crate::objects::{CloseHandle, Object, threads};
use crate::socket;
use crate::types::*;

/// Makes a second handle of an object, within this process. The object lives until its last handle is closed.
///
/// Of a socket's duplicates only the first handle is one for WSAGetOverlappedResult (D31).
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED for another process, ERROR_INVALID_PARAMETER for a null target,
/// ERROR_NO_SYSTEM_RESOURCES.
///
/// # Safety
/// `lptargethandle` is null or writable. Access and inheritance are ignored.
#[unsafe(export_name = "ws_DuplicateHandle")]
pub unsafe extern "system" fn DuplicateHandle(
    hsourceprocesshandle: HANDLE,
    hsourcehandle: HANDLE,
    htargetprocesshandle: HANDLE,
    lptargethandle: *mut HANDLE,
    _dwdesiredaccess: u32,
    _binherithandle: BOOL,
    dwoptions: DUPLICATE_HANDLE_OPTIONS,
) -> BOOL {
    let duplicate = || {
        let both = [hsourceprocesshandle, htargetprocesshandle];
        if !both.iter().all(|&process| threads::is_current_process(process as usize)) {
            return Err(ERROR_NOT_SUPPORTED);
        }
        // SAFETY: as the caller promises.
        let target = unsafe { lptargethandle.as_mut() }.ok_or(ERROR_INVALID_PARAMETER)?;
        *target = make(hsourcehandle as usize)? as HANDLE;
        if dwoptions & DUPLICATE_CLOSE_SOURCE != 0 {
            // SAFETY: nothing is asked of the caller.
            unsafe { CloseHandle(hsourcehandle) };
        }
        Ok(())
    };
    finish_bool(duplicate())
}

fn make(handle: usize) -> Result<usize, WIN32_ERROR> {
    if table::socket(handle).is_some() {
        return socket::duplicate(handle);
    }
    let object = match table::object(handle) {
        Some(object) => object,
        None => Object::Thread(threads::find(handle).ok_or(ERROR_INVALID_HANDLE)?),
    };
    // Counted before there is a handle to close.
    let port = match &object {
        Object::Port(port) => Some(Arc::clone(port)),
        _ => None,
    };
    if let Some(port) = &port {
        port.handles.fetch_add(1, Ordering::Relaxed);
    }
    match table::insert(object) {
        Some(handle) => Ok(handle as usize),
        None => {
            if let Some(port) = port {
                port.close_handle();
            }
            Err(ERROR_NO_SYSTEM_RESOURCES)
        }
    }
}
