//! Overlapped operations: how they start, how they complete, and how a program asks for their result.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{WsaResult, fail, finish, finish_bool, is_bad, set_last_error, win32_from_status, wsa_from_status};
use crate::objects::{event, table};
use crate::port::Packet;
use crate::socket::request::{Buffers, Request, Role};
use crate::socket::{self, Association, State};
use crate::thread;
use crate::types::*;
use crate::wait;

/// The bit of `hEvent` that keeps a completion from the port (D22).
const NO_PACKET: usize = 1;

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub(crate) status: NTSTATUS,
    pub(crate) bytes: u32,
    /// What WSAGetOverlappedResult reports as flags.
    pub(crate) flags: u32,
}

impl Completion {
    pub(crate) fn success(bytes: u32) -> Completion {
        Completion { status: STATUS_SUCCESS, bytes, flags: 0 }
    }

    pub(crate) fn failure(status: NTSTATUS) -> Completion {
        Completion { status, bytes: 0, flags: 0 }
    }
}

/// A call's OVERLAPPED. The program keeps it alive and in place until the operation completes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlapped(*mut OVERLAPPED);

impl Overlapped {
    /// `None` for a null pointer.
    ///
    /// # Safety
    /// `pointer` is null or points to an OVERLAPPED that lives until the operation completes.
    pub(crate) unsafe fn new(pointer: *mut OVERLAPPED) -> Option<Overlapped> {
        (!pointer.is_null()).then_some(Overlapped(pointer))
    }

    pub(crate) fn as_ptr(self) -> *mut OVERLAPPED {
        self.0
    }

    fn status_word(&self) -> &AtomicUsize {
        // SAFETY: the OVERLAPPED is alive (`new`), and a program that watches `Internal` reads it only.
        unsafe { AtomicUsize::from_ptr(&raw mut (*self.0).Internal) }
    }

    fn status(self) -> NTSTATUS {
        self.status_word().load(Ordering::Acquire) as u32 as NTSTATUS
    }

    fn bytes(self) -> usize {
        // SAFETY: the OVERLAPPED is alive (`new`).
        unsafe { (*self.0).InternalHigh }
    }

    fn flags(self) -> u32 {
        // SAFETY: the OVERLAPPED is alive (`new`); the union is plain integers.
        unsafe { (*self.0).Anonymous.Anonymous.Offset }
    }

    pub(crate) fn is_over(self) -> bool {
        self.status() != STATUS_PENDING
    }

    /// The result of an operation that is over.
    pub(crate) fn completion(self) -> Completion {
        Completion { status: self.status(), bytes: self.bytes() as u32, flags: self.flags() }
    }

    /// `hEvent`.
    fn event(self) -> usize {
        // SAFETY: the OVERLAPPED is alive (`new`).
        unsafe { (*self.0).hEvent as usize }
    }

    /// Resets the event of an operation that fails in the socket before it has begun (D20).
    pub(crate) fn reset_event(self) {
        if let Some(event) = event::find(self.event()) {
            event.reset();
        }
    }

    /// Marks the operation as started (D13) and resets its event (D20). Returns `hEvent`.
    pub(crate) fn begin(self) -> usize {
        self.status_word().store(STATUS_PENDING as u32 as usize, Ordering::Relaxed);
        self.reset_event();
        self.event()
    }

    /// Publishes the result: the status last, since a program may watch it and free everything then (D15).
    fn finish(self, completion: Completion) {
        // SAFETY: the OVERLAPPED is alive until the status is stored below (`new`).
        unsafe {
            (*self.0).InternalHigh = completion.bytes as usize;
            (*self.0).Anonymous.Anonymous.Offset = completion.flags;
        }
        self.status_word().store(completion.status as u32 as usize, Ordering::Release);
    }
}

/// A request for an operation that could not be finished at once.
pub(crate) fn request(overlapped: Overlapped, event: usize, flags: u32, buffers: &[WSABUF], role: Role) -> Request {
    Request {
        overlapped: overlapped.0,
        event,
        thread: thread::number(),
        flags,
        done: 0,
        synchronous: false,
        buffers: Buffers::capture(buffers),
        role,
    }
}

/// Whether a status is of the severity "error": a warning such as STATUS_BUFFER_OVERFLOW is not.
pub(crate) fn is_error(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 3
}

/// Notes that the operation is pending: unless its completion goes to a port and nowhere else, it ends with its
/// thread (D87).
pub(crate) fn pend(state: &State, event: usize) {
    // Without an event the handle is what is waited for (D21).
    if event == 0 {
        state.signalled.set(false);
    }
    if state.association.is_none() || event != 0 {
        thread::owe();
    }
}

/// Completes an operation that the call itself finished: the indications come all the same (D5), but for the packet
/// if the program asked to be spared it (P38).
pub(crate) fn complete_at_once(state: &State, overlapped: Overlapped, event: usize, completion: Completion) {
    let skip = u32::from(state.notification_modes) & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS != 0;
    // A warning counts as success here (D57).
    state.signal(event);
    let packet = !skip || is_error(completion.status);
    indicate(state.association.as_ref().filter(|_| packet), overlapped.0, event, completion);
}

/// Completes a request that was queued.
pub(crate) fn complete(state: &State, request: &Request, completion: Completion) {
    match request.role {
        Role::Spill => {}
        _ if request.synchronous => Overlapped(request.overlapped).finish(completion),
        _ => {
            state.signal(request.event);
            indicate(state.association.as_ref(), request.overlapped, request.event, completion);
        }
    }
}

/// Publishes the result and indicates nothing (H6).
pub(crate) fn end_silently(request: &Request, completion: Completion) {
    if !request.overlapped.is_null() {
        Overlapped(request.overlapped).finish(completion);
    }
}

/// Publishes the result and indicates it, at the port that the operation belongs to if that is wanted.
pub(crate) fn indicate(
    association: Option<&Association>,
    overlapped: *mut OVERLAPPED,
    event: usize,
    completion: Completion,
) {
    // From here on the program may free the OVERLAPPED.
    Overlapped(overlapped).finish(completion);
    if let Some(event) = event::find(event & !NO_PACKET) {
        event.set();
    }
    if let Some(association) = association
        && event & NO_PACKET == 0
    {
        let Completion { status, bytes, .. } = completion;
        association.port.push(Packet { key: association.key, overlapped, status, bytes });
    }
    wait::tell();
}

/// The result of an operation; waits for it if `wait`. Returns the status as the call found it.
fn result(overlapped: Overlapped, wait: bool) -> Result<NTSTATUS, WIN32_ERROR> {
    if overlapped.status() == STATUS_PENDING {
        if !wait {
            return Err(ERROR_IO_INCOMPLETE);
        }
        match event::find(overlapped.event()) {
            // The event is trusted, whatever the status says then (D33).
            Some(event) => drop(event.wait(None)),
            None => drop(wait::wait_until(None, || overlapped.is_over())),
        }
    }
    Ok(overlapped.status())
}

/// Asks for the result of an overlapped operation on a handle, in Win32 codes.
///
/// Stores the number of bytes in `lpnumberofbytestransferred` once the operation has completed, even if it failed.
/// With `bwait` the call waits on the operation's event, or for its end if it has none.
///
/// # Errors
/// FALSE with ERROR_IO_INCOMPLETE while the operation is pending and `bwait` is FALSE, ERROR_INVALID_PARAMETER for a
/// null pointer, or the code of the failed operation, such as ERROR_NETNAME_DELETED for a reset.
///
/// # Safety
/// `lpoverlapped` is null or points to a live OVERLAPPED; `lpnumberofbytestransferred` is null or writable.
pub unsafe extern "system" fn GetOverlappedResult(
    _hfile: HANDLE,
    lpoverlapped: *const OVERLAPPED,
    lpnumberofbytestransferred: *mut u32,
    bwait: BOOL,
) -> BOOL {
    // SAFETY: as the caller promises.
    let Some(overlapped) = (unsafe { Overlapped::new(lpoverlapped.cast_mut()) }) else {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    };
    let status = match result(overlapped, bwait != FALSE) {
        Ok(status) => status,
        Err(code) => return finish_bool(Err(code)),
    };
    // SAFETY: as the caller promises.
    if let Some(bytes) = unsafe { lpnumberofbytestransferred.as_mut() } {
        *bytes = overlapped.bytes() as u32;
    }
    set_last_error(win32_from_status(status));
    BOOL::from(status >= 0)
}

/// Asks for the result of an overlapped operation on a socket, in Winsock codes.
///
/// Stores the bytes transferred and the flags (such as MSG_PARTIAL) once the operation has completed.
///
/// # Errors
/// FALSE with WSAENOTSOCK, WSA_IO_INCOMPLETE while the operation is pending and `fwait` is FALSE, WSAEFAULT for a null
/// pointer, or the code of the failed operation, such as WSAECONNRESET.
///
/// # Safety
/// `lpoverlapped` is null or points to a live OVERLAPPED; the other pointers are null or writable.
pub unsafe extern "system" fn WSAGetOverlappedResult(
    s: SOCKET,
    lpoverlapped: *const OVERLAPPED,
    lpcbtransfer: *mut u32,
    fwait: BOOL,
    lpdwflags: *mut u32,
) -> BOOL {
    // SAFETY: as the caller promises.
    let overlapped = unsafe { Overlapped::new(lpoverlapped.cast_mut()) };
    // SAFETY: as the caller promises.
    let (bytes, flags) = unsafe { (lpcbtransfer.as_mut(), lpdwflags.as_mut()) };
    if table::socket(s).is_none() {
        return finish_bool(Err(WSAENOTSOCK as u32));
    }
    let (Some(overlapped), Some(bytes), Some(flags)) = (overlapped, bytes, flags) else {
        return finish_bool(Err(WSAEFAULT as u32));
    };
    let status = match result(overlapped, fwait != FALSE) {
        Ok(status) => status,
        Err(code) => return finish_bool(Err(code)),
    };
    *bytes = overlapped.bytes() as u32;
    *flags = overlapped.flags();
    let code = match status {
        STATUS_SUCCESS => 0,
        // An event that was set beforehand (D33): Winsock's own code for a pending operation, not 996.
        STATUS_PENDING => ERROR_IO_PENDING,
        status => wsa_from_status(status) as u32,
    };
    set_last_error(code);
    BOOL::from(status >= 0)
}

/// Chooses what a completion on this handle signals.
///
/// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: an operation that the call itself finished queues no packet.
/// FILE_SKIP_SET_EVENT_ON_HANDLE: the handle is not signalled; the event of the OVERLAPPED still is. Flags add up and
/// cannot be taken back; undefined ones are ignored.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, or with ERROR_INVALID_PARAMETER if the socket is not overlapped.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
pub unsafe extern "system" fn SetFileCompletionNotificationModes(filehandle: HANDLE, flags: u8) -> BOOL {
    let set = || {
        let mut socket = socket::lock(filehandle as SOCKET).map_err(|_| ERROR_INVALID_HANDLE)?;
        if !socket.overlapped {
            return Err(ERROR_INVALID_PARAMETER);
        }
        socket.notification_modes |= flags;
        Ok(())
    };
    finish_bool(set())
}

/// The array of buffers that a call passed.
///
/// # Safety
/// `buffers` is null or readable for `count` entries for the time of the call.
pub(crate) unsafe fn buffers<'a>(buffers: *const WSABUF, count: u32) -> WsaResult<&'a [WSABUF]> {
    match (is_bad(buffers), count) {
        (_, 0) => fail(WSAEINVAL),
        (true, _) => fail(WSAEFAULT),
        // SAFETY: as the caller promises.
        (false, count) => Ok(unsafe { std::slice::from_raw_parts(buffers, count as usize) }),
    }
}

/// What the overlapped calls of Winsock check alike, after the socket itself.
pub(crate) fn check_call(
    s: SOCKET,
    buffers: WsaResult<&[WSABUF]>,
    bytes: *mut u32,
    overlapped: Option<Overlapped>,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> WsaResult<&[WSABUF]> {
    let routine = overlapped.and(routine);
    match buffers {
        Ok(buffers) if routine.is_none() && (overlapped.is_some() || !bytes.is_null()) => return Ok(buffers),
        _ => {}
    }
    // Something is wrong; what is wrong with the socket comes first.
    let socket = socket::lock(s)?;
    buffers?;
    match (routine, &socket.association) {
        (None, _) => fail(WSAEFAULT),
        (Some(_), Some(_)) => fail(WSAEINVAL),
        (Some(_), None) => fail(WSAEOPNOTSUPP),
    }
}

/// What a call returns for an operation that is over.
pub(crate) fn conclude(completion: Completion) -> WsaResult<Completion> {
    match completion.status {
        STATUS_SUCCESS => Ok(completion),
        status => fail(wsa_from_status(status)),
    }
}

/// Ends a function that answers how many bytes were transferred.
pub(crate) fn finish_length(result: WsaResult<Completion>) -> i32 {
    match result {
        Ok(completion) => {
            set_last_error(ERROR_SUCCESS);
            completion.bytes as i32
        }
        Err(error) => finish(Err(error)),
    }
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetOverlappedResultEx(
    _hfile: HANDLE,
    _lpoverlapped: *const OVERLAPPED,
    _lpnumberofbytestransferred: *mut u32,
    _dwmilliseconds: u32,
    _balertable: BOOL,
) -> BOOL {
    FALSE
}
