//! The functions of completion ports: CreateIoCompletionPort, GetQueuedCompletionStatus(Ex),
//! PostQueuedCompletionStatus.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{finish_bool, set_last_error, win32_from_status};
use crate::file;
use crate::objects::Object;
use crate::objects::table::{self, Value};
use crate::port::{self, GetError, Packet, Port, Posted};
use crate::socket::request::Notice;
use crate::socket::{self, Association};
use crate::types::*;

fn find(handle: usize) -> Option<Arc<Port>> {
    match table::object(handle) {
        Some(Object::Port(port)) => Some(port),
        _ => None,
    }
}

/// A timeout in milliseconds; `None` for INFINITE.
pub(crate) fn timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds != INFINITE).then(|| Duration::from_millis(milliseconds.into()))
}

/// Makes a completion port, associates an overlapped socket or file with one, or both.
///
/// `filehandle` INVALID_HANDLE_VALUE makes an empty port for at most `numberofconcurrentthreads` running threads (0: the
/// number of processors). With a socket or a file and an existing port it associates them, for its life, and
/// returns the port; with no port it makes one first.
///
/// # Errors
/// Null with ERROR_INVALID_PARAMETER for INVALID_HANDLE_VALUE with an existing port, a handle that is associated already
/// or is not overlapped; ERROR_INVALID_HANDLE for a handle that is closed or of another kind.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_CreateIoCompletionPort")]
pub unsafe extern "system" fn CreateIoCompletionPort(
    filehandle: HANDLE,
    existingcompletionport: HANDLE,
    completionkey: usize,
    numberofconcurrentthreads: u32,
) -> HANDLE {
    let run = || {
        let existing = existingcompletionport as usize;
        if filehandle == INVALID_HANDLE_VALUE {
            return match existing {
                0 => insert(Port::new(numberofconcurrentthreads)),
                _ => Err(ERROR_INVALID_PARAMETER),
            };
        }
        if existing != 0 {
            associate(filehandle, find(existing).ok_or(ERROR_INVALID_HANDLE)?, completionkey)?;
            return Ok(existing);
        }
        let port = Port::new(numberofconcurrentthreads);
        associate(filehandle, port.clone(), completionkey)?;
        insert(port)
    };
    match run() {
        Ok(handle) => handle as HANDLE,
        Err(code) => {
            set_last_error(code);
            std::ptr::null_mut()
        }
    }
}

fn insert(port: Arc<Port>) -> Result<usize, WIN32_ERROR> {
    table::insert(Object::Port(port)).map(|handle| handle as usize).ok_or(ERROR_NO_SYSTEM_RESOURCES)
}

fn associate(handle: HANDLE, port: Arc<Port>, key: usize) -> Result<(), WIN32_ERROR> {
    match file::find(handle) {
        Some(file) => file.associate(port, key),
        None => associate_socket(handle as SOCKET, port, key),
    }
}

fn associate_socket(socket: SOCKET, port: Arc<Port>, key: usize) -> Result<(), WIN32_ERROR> {
    let mut socket = socket::lock(socket).map_err(|_| ERROR_INVALID_HANDLE)?;
    if !socket.overlapped || socket.association.is_some() {
        return Err(ERROR_INVALID_PARAMETER);
    }
    // Operations that pend already are the port's from now on (P10): its threads are to see their edges.
    let was_watched = socket.is_watched();
    if was_watched {
        socket.unwatch();
    }
    socket.association = Some(Association { port, key });
    socket.signal(&Notice::HANDLE);
    if was_watched && socket.watch().is_err() {
        socket.association = None;
        // Its edges go where they went before.
        let _ = socket.watch();
        return Err(ERROR_NO_SYSTEM_RESOURCES);
    }
    Ok(())
}

/// Takes one packet from a port; waits for it up to `dwmilliseconds`.
///
/// # Errors
/// FALSE with a non-null `*lpoverlapped`: the packet of an operation that failed, with its Win32 code as last error.
/// FALSE with a null one: nothing was dequeued; WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0 if the port was closed meanwhile, or
/// ERROR_INVALID_HANDLE. The other outputs are then untouched.
///
/// # Safety
/// The pointers are writable; `lpnumberofbytestransferred` and `lpcompletionkey` may be null.
#[unsafe(export_name = "ws_GetQueuedCompletionStatus")]
pub unsafe extern "system" fn GetQueuedCompletionStatus(
    completionport: HANDLE,
    lpnumberofbytestransferred: *mut u32,
    lpcompletionkey: *mut usize,
    lpoverlapped: *mut *mut OVERLAPPED,
    dwmilliseconds: u32,
) -> BOOL {
    if lpoverlapped.is_null() {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    }
    let mut entries = [MaybeUninit::uninit()];
    if let Err(error) = get(completionport, &mut entries, dwmilliseconds, false) {
        // SAFETY: as the caller promises.
        unsafe { *lpoverlapped = std::ptr::null_mut() };
        return finish_bool(Err(error));
    }
    let [entry] = entries;
    // SAFETY: a packet was taken, whose entry was written.
    let entry = unsafe { entry.assume_init() };
    let OVERLAPPED_ENTRY { lpCompletionKey, lpOverlapped, Internal, dwNumberOfBytesTransferred } = entry;
    // SAFETY: as the caller promises.
    unsafe {
        *lpoverlapped = lpOverlapped;
        if let Some(key) = lpcompletionkey.as_mut() {
            *key = lpCompletionKey;
        }
        if let Some(bytes) = lpnumberofbytestransferred.as_mut() {
            *bytes = dwNumberOfBytesTransferred;
        }
    }
    let status = Internal as u32 as NTSTATUS;
    finish_bool(if status >= 0 { Ok(()) } else { Err(win32_from_status(status)) })
}

/// Takes up to `ulcount` packets that are there; waits, up to `dwmilliseconds`, for the first only.
///
/// TRUE even if operations failed: each entry's `Internal` is its NTSTATUS. With `falertable` routines queued to the
/// thread run, and end the wait; a packet that is queued comes before them if the thread has used this port before.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for a count of 0 or null pointers, WAIT_TIMEOUT, WAIT_IO_COMPLETION after routines
/// have run, ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpcompletionportentries` is writable for `ulcount` entries, `ulnumentriesremoved` is writable.
#[unsafe(export_name = "ws_GetQueuedCompletionStatusEx")]
pub unsafe extern "system" fn GetQueuedCompletionStatusEx(
    completionport: HANDLE,
    lpcompletionportentries: *mut OVERLAPPED_ENTRY,
    ulcount: u32,
    ulnumentriesremoved: *mut u32,
    dwmilliseconds: u32,
    falertable: BOOL,
) -> BOOL {
    if lpcompletionportentries.is_null() || ulnumentriesremoved.is_null() || ulcount == 0 {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: as the caller promises; nothing is asked of what the entries hold.
    let entries = unsafe { std::slice::from_raw_parts_mut(lpcompletionportentries.cast(), ulcount as usize) };
    let result = get(completionport, entries, dwmilliseconds, falertable != FALSE);
    // SAFETY: as the caller promises.
    unsafe { *ulnumentriesremoved = *result.as_ref().unwrap_or(&0) as u32 };
    finish_bool(result.map(drop))
}

fn get(
    handle: HANDLE,
    entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
    milliseconds: u32,
    alertable: bool,
) -> Result<usize, WIN32_ERROR> {
    let handle = handle as usize & !3;
    let (find, timeout) = (|| find(handle), timeout(milliseconds));
    let result = match alertable {
        false => port::get(handle, find, entries, timeout),
        true => port::get_alertably(handle, find, entries, timeout),
    };
    result.map_err(|error| match error {
        GetError::Alerted => WAIT_IO_COMPLETION,
        GetError::Timeout => WAIT_TIMEOUT,
        GetError::Abandoned => ERROR_ABANDONED_WAIT_0,
        GetError::InvalidHandle => ERROR_INVALID_HANDLE,
    })
}

/// Queues a packet of the program's own; the values pass through unchecked.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpoverlapped` is only passed through.
#[unsafe(export_name = "ws_PostQueuedCompletionStatus")]
pub unsafe extern "system" fn PostQueuedCompletionStatus(
    completionport: HANDLE,
    dwnumberofbytestransferred: u32,
    dwcompletionkey: usize,
    lpoverlapped: *const OVERLAPPED,
) -> BOOL {
    let packet = Packet::new(dwcompletionkey, lpoverlapped.cast_mut(), STATUS_SUCCESS, dwnumberofbytestransferred);
    match post_as_before(completionport as usize, packet) {
        true => TRUE,
        false => finish_bool(post(completionport as usize, dwcompletionkey, lpoverlapped, dwnumberofbytestransferred)),
    }
}

/// The longer way. It takes its arguments one by one, so that a packet on the short one stays in registers.
#[inline(never)]
fn post(handle: usize, key: usize, overlapped: *const OVERLAPPED, bytes: u32) -> Result<(), WIN32_ERROR> {
    let port = find(handle).ok_or(ERROR_INVALID_HANDLE)?;
    remember(handle, &port);
    port.push(Packet::new(key, overlapped.cast_mut(), STATUS_SUCCESS, bytes));
    Ok(())
}

/// Where a thread posted last: it needs no lock of the table to post there again. The port itself is not kept.
struct Addressee {
    handle: u32,
    value: &'static Value,
    posted: Arc<Posted>,
}

thread_local! {
    static ADDRESSEE: RefCell<Option<Addressee>> = const { RefCell::new(None) };
}

/// Queues a packet where this thread posted last, if `handle` means that still and nobody has to be woken for it.
#[inline(always)]
fn post_as_before(handle: usize, packet: Packet) -> bool {
    let post = move |addressee: &RefCell<Option<Addressee>>| {
        let addressee = addressee.borrow();
        let meant = addressee.as_ref().filter(|last| last.handle as usize == handle && last.value.means(last.handle));
        meant.is_some_and(|addressee| addressee.posted.push(packet))
    };
    ADDRESSEE.try_with(post).unwrap_or(false)
}

fn remember(handle: usize, port: &Port) {
    let remember = |last: &RefCell<Option<Addressee>>| {
        let is_last = |last: &Addressee| last.handle as usize == handle && Arc::ptr_eq(&last.posted, port.posted());
        if last.borrow().as_ref().is_some_and(is_last) {
            return;
        }
        if let Some((value, handle)) = table::object_value(handle) {
            last.replace(Some(Addressee { handle, value, posted: port.posted().clone() }));
        }
    };
    let _ = ADDRESSEE.try_with(remember);
}
