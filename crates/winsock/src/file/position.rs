//! A file's position, its size, and the way to the disk.

use std::os::fd::AsRawFd;

use crate::error::finish_bool;
use crate::file::codes::win32_from_errno;
use crate::file::{Core, Kind, find};
use crate::os;
use crate::port::blocking;
use crate::types::*;

/// Where a file ends.
fn size(core: &Core) -> Result<i64, WIN32_ERROR> {
    match core.kind {
        Kind::Positioned => os::file::end(core.fd.as_raw_fd()).map(|end| end as i64).map_err(win32_from_errno),
        Kind::Stream => Err(ERROR_INVALID_FUNCTION),
    }
}

/// Moves the position of a file: where the next operation without an OVERLAPPED begins.
///
/// It may lie behind the end. An overlapped handle keeps what is set and never uses it.
///
/// # Errors
/// FALSE with ERROR_NEGATIVE_SEEK for a place before the beginning, ERROR_INVALID_PARAMETER for an unknown method,
/// ERROR_INVALID_FUNCTION for something without offsets, ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpnewfilepointer` is null or writable.
#[doc(alias = "lseek")]
#[unsafe(export_name = "ws_SetFilePointerEx")]
pub unsafe extern "system" fn SetFilePointerEx(
    hfile: HANDLE,
    lidistancetomove: i64,
    lpnewfilepointer: *mut i64,
    dwmovemethod: SET_FILE_POINTER_MOVE_METHOD,
) -> BOOL {
    let run = || {
        let file = find(hfile).ok_or(ERROR_INVALID_HANDLE)?;
        let mut position = file.core.position.lock();
        let end = size(&file.core)?;
        let from = match dwmovemethod {
            FILE_BEGIN => 0,
            FILE_CURRENT => *position as i64,
            FILE_END => end,
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        let to = from.checked_add(lidistancetomove).ok_or(ERROR_INVALID_PARAMETER)?;
        *position = u64::try_from(to).map_err(|_| ERROR_NEGATIVE_SEEK)?;
        // SAFETY: as the caller promises.
        if let Some(new) = unsafe { lpnewfilepointer.as_mut() } {
            *new = to;
        }
        Ok(())
    };
    finish_bool(run())
}

/// Asks for the size of a file.
///
/// # Errors
/// FALSE with ERROR_INVALID_FUNCTION for something without a size, ERROR_INVALID_PARAMETER for a null pointer,
/// ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpfilesize` is null or writable.
#[doc(alias = "fstat")]
#[unsafe(export_name = "ws_GetFileSizeEx")]
pub unsafe extern "system" fn GetFileSizeEx(hfile: HANDLE, lpfilesize: *mut i64) -> BOOL {
    let run = || {
        let file = find(hfile).ok_or(ERROR_INVALID_HANDLE)?;
        // SAFETY: as the caller promises.
        let place = unsafe { lpfilesize.as_mut() }.ok_or(ERROR_INVALID_PARAMETER)?;
        *place = size(&file.core)?;
        Ok(())
    };
    finish_bool(run())
}

/// Brings what was written to the disk. Operations that are pending are not waited for.
///
/// # Errors
/// FALSE with ERROR_ACCESS_DENIED for a handle that may not write, ERROR_INVALID_HANDLE, ERROR_DISK_FULL, ERROR_IO_DEVICE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[doc(alias = "fsync")]
#[unsafe(export_name = "ws_FlushFileBuffers")]
pub unsafe extern "system" fn FlushFileBuffers(hfile: HANDLE) -> BOOL {
    let run = || {
        let file = find(hfile).ok_or(ERROR_INVALID_HANDLE)?;
        let core = &file.core;
        if !core.access.write && !core.access.append {
            return Err(ERROR_ACCESS_DENIED);
        }
        let _elsewhere = blocking();
        match os::file::sync(core.fd.as_raw_fd()) {
            // What has no disk behind it.
            Err(libc::EINVAL | libc::ENOTSUP) => Ok(()),
            result => result.map_err(win32_from_errno),
        }
    };
    finish_bool(run())
}
