//! ReadFile and WriteFile.

use std::sync::Arc;

use crate::blocked::{Blocked, Target};
use crate::error::{finish_bool, is_bad, win32_from_status};
use crate::file::pool::Ticket;
use crate::file::request::{Direction, Outcome, Place, Request, Told, Transfer, Waiting, completion};
use crate::file::{Core, File, Kind, find, on_sockets, standard};
use crate::os;
use crate::socket::overlapped::{self, Operation, Overlapped};
use crate::socket::request::Notice;
use crate::thread;
use crate::types::*;

/// ReadFile or WriteFile as a call asks for it.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) direction: Direction,
    pub(super) buffer: *mut u8,
    pub(super) len: u32,
    pub(super) bytes: *mut u32,
    pub(super) overlapped: *mut OVERLAPPED,
}

/// Reads or writes, on a file or a socket.
///
/// # Safety
/// As for [`ReadFile`] or [`WriteFile`].
unsafe fn run(handle: HANDLE, call: Call) -> BOOL {
    // SAFETY: as the caller promises.
    if let Some(bytes) = unsafe { call.bytes.as_mut() } {
        *bytes = 0;
    }
    let result = match find(handle) {
        // SAFETY: as the caller promises.
        Some(file) => unsafe { on_file(&file, call) },
        None => match standard::descriptor(handle) {
            // SAFETY: as the caller promises.
            Some(fd) => unsafe { standard::run(fd, call) },
            // SAFETY: as the caller promises.
            None => unsafe { on_sockets::run(handle as SOCKET, call) },
        },
    };
    finish_bool(result.map(|transferred| {
        // SAFETY: as the caller promises.
        if let Some(bytes) = unsafe { call.bytes.as_mut() } {
            *bytes = transferred;
        }
    }))
}

/// # Safety
/// As for [`run`].
unsafe fn on_file(file: &File, call: Call) -> Result<u32, WIN32_ERROR> {
    let core = &file.core;
    // SAFETY: as the caller promises.
    let operation = unsafe { Overlapped::new(call.overlapped) }.map(|overlapped| Operation::new(overlapped, None));
    match &operation {
        None if core.overlapped => return Err(ERROR_INVALID_PARAMETER),
        None if call.bytes.is_null() => return Err(ERROR_NOACCESS),
        _ => {}
    }
    let transfer = check(core, call, operation.as_ref())?;
    match operation {
        Some(operation) if core.overlapped => {
            start(core, transfer, operation)?;
            Err(ERROR_IO_PENDING)
        }
        // SAFETY: as the caller promises.
        operation => unsafe { synchronous(core, transfer, operation) },
    }
}

/// Checks what is checked before anything begins, so that the OVERLAPPED and its event stay as they are (F9).
pub(super) fn check(core: &Core, call: Call, operation: Option<&Operation>) -> Result<Transfer, WIN32_ERROR> {
    let Call { direction, buffer, len, .. } = call;
    let permitted = match direction {
        Direction::Read => core.access.read,
        Direction::Write => core.access.write || core.access.append,
    };
    if !permitted {
        return Err(ERROR_ACCESS_DENIED);
    }
    let place = match operation.map(|operation| operation.overlapped.offset()) {
        Some(u64::MAX) if direction == Direction::Write => Place::End,
        Some(offset) if offset > i64::MAX as u64 => return Err(ERROR_INVALID_PARAMETER),
        _ if core.access.append && direction == Direction::Write => Place::End,
        Some(offset) => Place::At(offset),
        None => Place::At(0),
    };
    if !is_accessible(direction, buffer, len) {
        return Err(ERROR_NOACCESS);
    }
    Ok(Transfer { direction, buffer, len, place })
}

/// Whether the first and the last byte of a buffer are there, as far as this transfer needs them. A hole between them
/// is found by the transfer itself.
fn is_accessible(direction: Direction, buffer: *mut u8, len: u32) -> bool {
    if len == 0 {
        return true;
    }
    let last = buffer.wrapping_add(len as usize - 1);
    let there = |byte| match direction {
        Direction::Read => os::file::is_writable(byte),
        Direction::Write => os::file::is_readable(byte),
    };
    !is_bad(buffer) && there(buffer) && (len == 1 || there(last))
}

/// Hands an operation to the pool.
pub(super) fn start(core: &Arc<Core>, transfer: Transfer, operation: Operation) -> Result<(), WIN32_ERROR> {
    let associated = core.begin(&operation);
    let only_to_port = operation.notice.is_for_port();
    if !only_to_port || !associated {
        thread::owe();
    }
    let ticket =
        Ticket::new(Arc::as_ptr(core).addr(), operation.overlapped.as_ptr().addr(), thread::number(), only_to_port);
    let request = Request { ticket, core: core.clone(), transfer, told: Told::Program(operation) };
    core.lane(transfer.direction).submit(request)
}

/// Carries an operation out within the call.
///
/// # Safety
/// As for [`run`].
unsafe fn synchronous(
    core: &Arc<Core>,
    mut transfer: Transfer,
    operation: Option<Operation>,
) -> Result<u32, WIN32_ERROR> {
    // SAFETY: as the caller promises.
    let outcome = unsafe {
        match core.kind {
            Kind::Positioned => {
                let mut position = core.position.lock();
                if operation.is_none() && transfer.place != Place::End {
                    transfer.place = Place::At(*position);
                }
                transfer.positioned(core).map(|(bytes, end)| {
                    *position = end;
                    bytes
                })
            }
            Kind::Stream => streamed(core, transfer, operation.as_ref()),
        }
    };
    // A buffer that is no good leaves everything as it was (F9).
    if outcome != Err(STATUS_ACCESS_VIOLATION) {
        core.signal(&core.state.lock(), &Notice::HANDLE);
        if let Some(operation) = &operation {
            tell(operation, outcome);
        }
    }
    match outcome {
        // Without an OVERLAPPED the end of the file is no error (F4).
        Err(STATUS_END_OF_FILE) if operation.is_none() => Ok(0),
        outcome => outcome.map_err(win32_from_status),
    }
}

/// Has a thread of the file's lane do it: that one can neither be killed by a pipe without a reader nor meet a signal, and can
/// be recalled.
fn streamed(core: &Arc<Core>, transfer: Transfer, operation: Option<&Operation>) -> Outcome {
    let me = thread::current();
    let waiting = Arc::new(Waiting::default());
    let overlapped = operation.map_or(0, |operation| operation.overlapped.as_ptr().addr());
    let ticket = Ticket::new(Arc::as_ptr(core).addr(), overlapped, me.number(), false);
    let lane = core.lane(transfer.direction);
    let cancel = {
        let (lane, mine) = (lane.clone(), ticket.clone());
        move || {
            lane.cancel(|ticket| std::ptr::eq(ticket, &*mine));
        }
    };
    let request = Request { ticket, core: core.clone(), transfer, told: Told::Caller(waiting.clone()) };
    lane.submit(request).map_err(|_| STATUS_INSUFFICIENT_RESOURCES)?;
    let _blocked = Blocked::until(&me, Target::File, cancel);
    waiting.wait()
}

/// Stores in the OVERLAPPED how a call ended that is over; its event is set if that was well (D20).
fn tell(operation: &Operation, outcome: Outcome) {
    operation.begin();
    let &Operation { overlapped, ref notice } = operation;
    let completion = completion(outcome);
    match outcome {
        Ok(_) => overlapped::indicate(None, overlapped.as_ptr(), notice, thread::number(), completion),
        Err(_) => overlapped.finish(completion),
    }
}

/// Reads from a file, or receives from a socket.
///
/// On an overlapped handle the OVERLAPPED says from which offset, and the call returns FALSE with ERROR_IO_PENDING (a
/// socket that has data answers TRUE). On any other the call reads before it returns: from the OVERLAPPED's offset if
/// there is one, else from the file's position, and moves the position. What is there is read, up to `nnumberofbytestoread`;
/// the end of the file is TRUE with 0 bytes, or ERROR_HANDLE_EOF where there is an OVERLAPPED. Pipes and terminals take
/// no notice of the offset. `*lpnumberofbytesread` is set to 0 first of all.
///
/// # Errors
/// FALSE with ERROR_IO_PENDING; ERROR_INVALID_PARAMETER for a negative offset, or for an overlapped handle without an
/// OVERLAPPED; ERROR_NOACCESS for a buffer that is no good, ERROR_ACCESS_DENIED, ERROR_HANDLE_EOF, ERROR_INVALID_HANDLE; for a
/// socket Win32's codes, such as ERROR_NETNAME_DELETED for a reset.
///
/// # Safety
/// `lpbuffer` is writable for `nnumberofbytestoread` bytes, and with an OVERLAPPED stays so until the operation completes,
/// as does the OVERLAPPED. `lpnumberofbytesread` is null or writable.
#[doc(alias = "pread")]
#[unsafe(export_name = "ws_ReadFile")]
pub unsafe extern "system" fn ReadFile(
    hfile: HANDLE,
    lpbuffer: *mut u8,
    nnumberofbytestoread: u32,
    lpnumberofbytesread: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    let call = Call {
        direction: Direction::Read,
        buffer: lpbuffer,
        len: nnumberofbytestoread,
        bytes: lpnumberofbytesread,
        overlapped: lpoverlapped,
    };
    // SAFETY: as the caller promises.
    unsafe { run(hfile, call) }
}

/// Writes to a file, or sends to a socket.
///
/// As [`ReadFile`] in everything but the direction. Success means all of it; the offset 0xFFFFFFFFFFFFFFFF appends.
///
/// # Errors
/// As for [`ReadFile`]; ERROR_DISK_FULL, ERROR_FILE_TOO_LARGE, ERROR_NO_DATA for a pipe without a reader.
///
/// # Safety
/// As for [`ReadFile`], but that the buffer need only be readable.
#[doc(alias = "pwrite")]
#[unsafe(export_name = "ws_WriteFile")]
pub unsafe extern "system" fn WriteFile(
    hfile: HANDLE,
    lpbuffer: *const u8,
    nnumberofbytestowrite: u32,
    lpnumberofbyteswritten: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    let call = Call {
        direction: Direction::Write,
        buffer: lpbuffer.cast_mut(),
        len: nnumberofbytestowrite,
        bytes: lpnumberofbyteswritten,
        overlapped: lpoverlapped,
    };
    // SAFETY: as the caller promises.
    unsafe { run(hfile, call) }
}
