//! ReadFileEx and WriteFileEx: with a completion routine.

use crate::error::finish_bool;
use crate::file::io::{Call, check, start};
use crate::file::request::Direction;
use crate::file::{File, find, on_sockets};
use crate::socket;
use crate::socket::overlapped::{Operation, Overlapped};
use crate::types::*;

/// Starts an operation whose end the routine is to be told.
///
/// # Safety
/// As for [`ReadFileEx`] or [`WriteFileEx`].
unsafe fn run(handle: HANDLE, call: Call, routine: LPOVERLAPPED_COMPLETION_ROUTINE) -> Result<(), WIN32_ERROR> {
    let file = find(handle);
    let (overlapped, associated) = match &file {
        Some(file) => (file.core.overlapped, file.core.state.lock().association.is_some()),
        None => {
            let socket = socket::lock(handle as SOCKET).map_err(|_| ERROR_INVALID_HANDLE)?;
            (socket.overlapped, socket.association.is_some())
        }
    };
    // SAFETY: as the caller promises.
    let place = unsafe { Overlapped::new(call.overlapped) }.ok_or(ERROR_INVALID_PARAMETER)?;
    let operation = Operation::with_file_routine(place, routine.ok_or(ERROR_INVALID_PARAMETER)?);
    if !overlapped || associated {
        return Err(ERROR_INVALID_PARAMETER);
    }
    match file {
        Some(file) => on_file(&file, call, operation),
        // SAFETY: as the caller promises.
        None => match unsafe { on_sockets::transfer(handle as SOCKET, call, operation) } {
            // Over already, or begun: the routine is called in either case.
            Ok(_) | Err(ERROR_IO_PENDING) => Ok(()),
            Err(code) => Err(code),
        },
    }
}

fn on_file(file: &File, call: Call, operation: Operation) -> Result<(), WIN32_ERROR> {
    let transfer = check(&file.core, call, Some(&operation))?;
    start(&file.core, transfer, operation)
}

/// Reads from an overlapped file or socket, and has a routine called with the outcome.
///
/// The routine is called in an alertable wait of the calling thread, with a Win32 code (ERROR_HANDLE_EOF at the end of a
/// file), the number of bytes and the OVERLAPPED; not if this call failed. `hEvent` is the program's own to use.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for a handle that is not overlapped or has a completion port, for no OVERLAPPED or no
/// routine, and for a negative offset; else as for [`ReadFile`](crate::ReadFile).
///
/// # Safety
/// `lpbuffer` is writable for `nnumberofbytestoread` bytes until the routine is called, and the OVERLAPPED lives until
/// then. The routine may be called on this thread, and must not unwind.
///
/// ```
/// use std::ptr::{null, null_mut};
/// use winsock::*;
/// unsafe extern "system" fn done(error: u32, bytes: u32, _: *mut OVERLAPPED) {
///     assert_eq!((error, bytes), (0, 5));
/// }
/// // SAFETY: the string, the buffer and the OVERLAPPED live until the routine was called.
/// unsafe {
///     let name = c"/dev/zero".as_ptr().cast();
///     let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
///     let file = CreateFileA(name, GENERIC_READ, share, null(), OPEN_EXISTING, FILE_FLAG_OVERLAPPED, null_mut());
///     let (mut buffer, mut overlapped) = ([1; 5], OVERLAPPED::default());
///     assert_eq!(ReadFileEx(file, buffer.as_mut_ptr(), 5, &mut overlapped, Some(done)), TRUE);
///     assert_eq!(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
///     assert_eq!(buffer, [0; 5]);
///     CloseHandle(file);
/// }
/// ```
#[unsafe(export_name = "ws_ReadFileEx")]
pub unsafe extern "system" fn ReadFileEx(
    hfile: HANDLE,
    lpbuffer: *mut u8,
    nnumberofbytestoread: u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let call = Call {
        direction: Direction::Read,
        buffer: lpbuffer,
        len: nnumberofbytestoread,
        bytes: std::ptr::null_mut(),
        overlapped: lpoverlapped,
    };
    // SAFETY: as the caller promises.
    finish_bool(unsafe { run(hfile, call, lpcompletionroutine) })
}

/// Writes to an overlapped file or socket, and has a routine called with the outcome: as [`ReadFileEx`].
///
/// # Errors
/// As for [`ReadFileEx`] and [`WriteFile`](crate::WriteFile).
///
/// # Safety
/// As for [`ReadFileEx`], but that the buffer need only be readable.
#[unsafe(export_name = "ws_WriteFileEx")]
pub unsafe extern "system" fn WriteFileEx(
    hfile: HANDLE,
    lpbuffer: *const u8,
    nnumberofbytestowrite: u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let call = Call {
        direction: Direction::Write,
        buffer: lpbuffer.cast_mut(),
        len: nnumberofbytestowrite,
        bytes: std::ptr::null_mut(),
        overlapped: lpoverlapped,
    };
    // SAFETY: as the caller promises.
    finish_bool(unsafe { run(hfile, call, lpcompletionroutine) })
}
