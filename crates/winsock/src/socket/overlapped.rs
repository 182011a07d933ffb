//! Overlapped operations: how they start, how they complete, and how a program asks for their result.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::apc::{self, Apc, FileRoutine, WinsockRoutine};
use crate::completion_port::timeout;
use crate::dispatcher::{self, Outcome};
use crate::error::{
    WsaResult, fail, finish, finish_bool, is_bad, set_last_error, status_from_wsa, win32_from_status, wsa_from_status,
};
use crate::file;
use crate::objects::event;
use crate::port::Packet;
use crate::socket::request::{Buffers, Notice, Request, Role};
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
}

impl Completion {
    pub(crate) fn success(bytes: u32) -> Completion {
        Completion { status: STATUS_SUCCESS, bytes }
    }

    pub(crate) fn failure(status: NTSTATUS) -> Completion {
        Completion { status, bytes: 0 }
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

    /// Where in a file the operation is to begin.
    pub(crate) fn offset(self) -> u64 {
        // SAFETY: the OVERLAPPED is alive (`new`); the union is plain integers.
        let place = unsafe { (*self.0).Anonymous.Anonymous };
        u64::from(place.OffsetHigh) << 32 | u64::from(place.Offset)
    }

    pub(crate) fn is_over(self) -> bool {
        self.status() != STATUS_PENDING
    }

    /// The result of an operation that is over.
    pub(crate) fn completion(self) -> Completion {
        Completion { status: self.status(), bytes: self.bytes() as u32 }
    }

    /// `hEvent`.
    fn event(self) -> usize {
        // SAFETY: the OVERLAPPED is alive (`new`).
        unsafe { (*self.0).hEvent as usize }
    }

    /// Publishes the result: the status last, since a program may watch it and free everything then (D15). The offset
    /// stays as the program gave it, even where it means nothing (D18).
    pub(crate) fn finish(self, completion: Completion) {
        // SAFETY: the OVERLAPPED is alive until the status is stored below (`new`).
        unsafe { (*self.0).InternalHigh = completion.bytes as usize };
        self.status_word().store(completion.status as u32 as usize, Ordering::Release);
    }
}

/// An operation that a call asks for.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) overlapped: Overlapped,
    pub(crate) notice: Notice,
}

impl Operation {
    /// With an event or, in `hEvent`'s place (D25), a routine.
    #[inline]
    pub(crate) fn new(overlapped: Overlapped, routine: Option<WinsockRoutine>) -> Operation {
        let by_event = || match overlapped.event() {
            0 => Notice::HANDLE,
            event => Notice::Event { event: event::find(event), packet: event & NO_PACKET == 0 },
        };
        Operation { overlapped, notice: routine.map_or_else(by_event, Notice::Routine) }
    }

    /// With a routine of ReadFileEx or WriteFileEx.
    pub(crate) fn with_file_routine(overlapped: Overlapped, routine: FileRoutine) -> Operation {
        Operation { overlapped, notice: Notice::FileRoutine(routine) }
    }

    /// A call that blocks until the operation is over.
    pub(crate) fn synchronous(overlapped: Overlapped) -> Operation {
        Operation { overlapped, notice: Notice::Synchronous }
    }

    /// Resets the event of an operation that fails in the socket before it has begun (D20).
    pub(crate) fn reset_event(&self) {
        if let Notice::Event { event: Some(event), .. } = &self.notice {
            event.reset();
        }
    }

    /// Marks the operation as started (D13) and resets its event (D20).
    #[inline]
    pub(crate) fn begin(&self) {
        self.overlapped.status_word().store(STATUS_PENDING as u32 as usize, Ordering::Relaxed);
        self.reset_event();
        if let Notice::Routine(_) | Notice::FileRoutine(_) = self.notice {
            thread::current().expect_apcs();
        }
    }
}

/// A request for an operation that could not be finished at once.
#[inline(always)]
pub(crate) fn request(operation: &Operation, flags: u32, buffers: &[WSABUF], role: Role) -> Request {
    Request {
        overlapped: operation.overlapped.0,
        notice: operation.notice.clone(),
        thread: thread::number(),
        flags,
        done: 0,
        buffers: Buffers::capture(buffers),
        role,
    }
}

/// Whether a status is of the severity "error": a warning such as STATUS_BUFFER_OVERFLOW is not.
pub(crate) fn is_error(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 3
}

/// The flags that the end of an operation reports (WSAGetOverlappedResult, routines). They follow from the status: nothing is
/// kept beside the OVERLAPPED, which may be freed as soon as its status is there (D18).
pub(crate) fn flags_of(status: NTSTATUS) -> u32 {
    match status {
        STATUS_RECEIVE_PARTIAL => MSG_PARTIAL,
        STATUS_RECEIVE_EXPEDITED => MSG_OOB as u32,
        STATUS_RECEIVE_PARTIAL_EXPEDITED => MSG_PARTIAL | MSG_OOB as u32,
        _ => 0,
    }
}

/// Notes that the operation is pending: unless its completion goes to a port and nowhere else, it ends with its
/// thread (D87).
#[inline]
pub(crate) fn pend(state: &State, operation: &Operation) {
    // Without an event the handle is what is waited for (D21).
    if operation.notice.is_by_handle() {
        state.unsignal();
    }
    if state.association.is_none() || !operation.notice.is_for_port() {
        thread::owe();
    }
}

/// Completes an operation that the call itself finished: the indications come all the same (D5), but for the packet
/// if the program asked to be spared it (P38).
#[inline(always)]
pub(crate) fn complete_at_once(state: &State, operation: &Operation, completion: Completion) {
    let skip = u32::from(state.notification_modes) & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS != 0;
    // A warning counts as success here (D57).
    let association = state.association.as_ref().filter(|_| !skip || is_error(completion.status));
    let Operation { overlapped, notice } = operation;
    indicate(association, overlapped.0, notice, thread::number(), completion);
    // Last, since who waits for the handle looks at the status then, and waits on if it is not over.
    state.signal(notice);
}

/// Ends an operation whose call has blocked until it was over (D3). One that failed is told by the call alone, and is no
/// longer pending.
pub(crate) fn conclude_blocked(
    state: &State,
    operation: &Operation,
    result: WsaResult<Completion>,
) -> WsaResult<Completion> {
    match &result {
        Ok(completion) => complete_at_once(state, operation, *completion),
        Err(error) => operation.overlapped.finish(Completion::failure(status_from_wsa(error.0))),
    }
    result
}

/// Completes a request that was queued.
#[inline(always)]
pub(crate) fn complete(state: &State, request: &Request, completion: Completion) {
    if let Role::Spill = request.role {
        return;
    }
    indicate(state.association.as_ref(), request.overlapped, &request.notice, request.thread, completion);
    state.signal(&request.notice);
}

/// Publishes the result and indicates nothing (H6).
pub(crate) fn end_silently(request: &Request, completion: Completion) {
    if !request.overlapped.is_null() {
        Overlapped(request.overlapped).finish(completion);
    }
}

/// Publishes the result and indicates it, at the port that the operation belongs to if that is wanted.
#[inline(always)]
pub(crate) fn indicate(
    association: Option<&Association>,
    overlapped: *mut OVERLAPPED,
    notice: &Notice,
    thread: u32,
    completion: Completion,
) {
    // From here on the program may free the OVERLAPPED, unless a routine is still to be called with it.
    Overlapped(overlapped).finish(completion);
    let Completion { status, bytes } = completion;
    match notice {
        Notice::Event { event, packet } => {
            if let Some(event) = event {
                event.set();
            }
            if let Some(association) = association
                && *packet
            {
                association.port.push(Packet::new(association.key, overlapped, status, bytes));
            }
        }
        &Notice::Routine(routine) => {
            let error = wsa_from_status(status) as u32;
            apc::queue(thread, Apc::Winsock { routine, error, bytes, overlapped, flags: flags_of(status) });
        }
        &Notice::FileRoutine(routine) => {
            apc::queue(thread, Apc::File { routine, error: win32_from_status(status), bytes, overlapped });
        }
        Notice::Synchronous => {}
    }
}

/// Waits for the end of an operation and returns its status as it is then. `None` waits for nothing.
fn result(handle: usize, overlapped: Overlapped, wait: Option<Wait>) -> Result<NTSTATUS, WIN32_ERROR> {
    if overlapped.is_over() {
        return Ok(overlapped.status());
    }
    let Wait { timeout, alertable } = wait.ok_or(ERROR_IO_INCOMPLETE)?;
    let outcome = match overlapped.event() & !NO_PACKET {
        // The handle is signalled for other operations too.
        0 => {
            let handle = wait::waitable(handle).ok_or(ERROR_INVALID_HANDLE)?;
            dispatcher::wait_until(&handle, || overlapped.is_over(), timeout, alertable)
        }
        // The event is trusted, whatever the status says then (D33).
        event => {
            let event = event::find(event).ok_or(ERROR_INVALID_HANDLE)?;
            dispatcher::wait(std::slice::from_ref(&event), false, timeout, alertable)
        }
    };
    match outcome {
        Outcome::Timeout => Err(WAIT_TIMEOUT),
        Outcome::Apc => Err(WAIT_IO_COMPLETION),
        Outcome::Object(_) | Outcome::Abandoned(_) => Ok(overlapped.status()),
    }
}

/// How long to wait for the end of an operation, and whether routines run meanwhile.
#[derive(Clone, Copy)]
struct Wait {
    timeout: Option<Duration>,
    alertable: bool,
}

impl Wait {
    const FOR_EVER: Wait = Wait { timeout: None, alertable: false };
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
#[unsafe(export_name = "ws_GetOverlappedResult")]
pub unsafe extern "system" fn GetOverlappedResult(
    hfile: HANDLE,
    lpoverlapped: *const OVERLAPPED,
    lpnumberofbytestransferred: *mut u32,
    bwait: BOOL,
) -> BOOL {
    let wait = (bwait != FALSE).then_some(Wait::FOR_EVER);
    // SAFETY: as the caller promises.
    unsafe { get_result(hfile, lpoverlapped, lpnumberofbytestransferred, wait) }
}

/// Asks for the result of an overlapped operation, and waits for it up to `dwmilliseconds`, alertably if so said.
///
/// Otherwise as [`GetOverlappedResult`].
///
/// # Errors
/// FALSE with the codes of [`GetOverlappedResult`]; ERROR_IO_INCOMPLETE only for a time of 0, else WAIT_TIMEOUT;
/// WAIT_IO_COMPLETION after routines have run. The number of bytes is left alone in these cases.
///
/// # Safety
/// As for [`GetOverlappedResult`].
#[unsafe(export_name = "ws_GetOverlappedResultEx")]
pub unsafe extern "system" fn GetOverlappedResultEx(
    hfile: HANDLE,
    lpoverlapped: *const OVERLAPPED,
    lpnumberofbytestransferred: *mut u32,
    dwmilliseconds: u32,
    balertable: BOOL,
) -> BOOL {
    let wait = Wait { timeout: timeout(dwmilliseconds), alertable: balertable != FALSE };
    // SAFETY: as the caller promises.
    unsafe { get_result(hfile, lpoverlapped, lpnumberofbytestransferred, (dwmilliseconds > 0).then_some(wait)) }
}

/// # Safety
/// As for [`GetOverlappedResult`].
unsafe fn get_result(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    bytes_transferred: *mut u32,
    wait: Option<Wait>,
) -> BOOL {
    // SAFETY: as the caller promises.
    let Some(overlapped) = (unsafe { Overlapped::new(overlapped.cast_mut()) }) else {
        return finish_bool(Err(ERROR_INVALID_PARAMETER));
    };
    let status = match result(handle as usize, overlapped, wait) {
        Ok(status) => status,
        Err(code) => return finish_bool(Err(code)),
    };
    // SAFETY: as the caller promises.
    if let Some(bytes) = unsafe { bytes_transferred.as_mut() } {
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
#[unsafe(export_name = "ws_WSAGetOverlappedResult")]
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
    // A duplicate is not known to Winsock (D31).
    if !socket::lock(s).is_ok_and(|socket| socket.handle as usize == s & !3) {
        return finish_bool(Err(WSAENOTSOCK as u32));
    }
    let (Some(overlapped), Some(bytes), Some(flags)) = (overlapped, bytes, flags) else {
        return finish_bool(Err(WSAEFAULT as u32));
    };
    let status = match result(s, overlapped, (fwait != FALSE).then_some(Wait::FOR_EVER)) {
        Ok(status) => status,
        Err(code) => return finish_bool(Err(code)),
    };
    *bytes = overlapped.bytes() as u32;
    *flags = flags_of(status);
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
/// FALSE with ERROR_INVALID_HANDLE, or with ERROR_INVALID_PARAMETER if it is not overlapped.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_SetFileCompletionNotificationModes")]
pub unsafe extern "system" fn SetFileCompletionNotificationModes(filehandle: HANDLE, flags: u8) -> BOOL {
    let set = || {
        if let Some(file) = file::find(filehandle) {
            return file.add_notification_modes(flags);
        }
        let mut socket = socket::lock(filehandle as SOCKET).map_err(|_| ERROR_INVALID_HANDLE)?;
        if !socket.overlapped {
            return Err(ERROR_INVALID_PARAMETER);
        }
        socket.notification_modes |= flags;
        Ok(())
    };
    finish_bool(set())
}

/// What WSASend, WSARecv and their like do alike: checks the call, after the socket itself, has `transfer` carry it out
/// with its buffers and, if it is overlapped, its operation, and says how many bytes went at once.
///
/// # Safety
/// `buffers` is null or readable for `count` entries for the time of the call, `bytes` null or writable, and `overlapped`
/// null or an OVERLAPPED that lives until the operation completes.
#[inline(always)]
pub(crate) unsafe fn call(
    s: SOCKET,
    (buffers, count): (*const WSABUF, u32),
    bytes: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    transfer: impl FnOnce(&[WSABUF], Option<&Operation>) -> WsaResult<Completion>,
) -> WsaResult<()> {
    // SAFETY: as the caller promises.
    let (buffers, overlapped) = unsafe { (array(buffers, count), Overlapped::new(overlapped)) };
    let routine = overlapped.and(routine);
    let operation = overlapped.map(|overlapped| Operation::new(overlapped, routine));
    if buffers.is_err() || routine.is_some() || (operation.is_none() && bytes.is_null()) {
        check_further(s, buffers.map(|_| ()), routine.is_some())?;
    }
    let completion = transfer(buffers?, operation.as_ref())?;
    // SAFETY: as the caller promises.
    if let Some(bytes) = unsafe { bytes.as_mut() } {
        *bytes = completion.bytes;
    }
    Ok(())
}

/// The array of buffers that a call passed.
///
/// # Safety
/// `buffers` is null or readable for `count` entries for the time of the call.
unsafe fn array<'a>(buffers: *const WSABUF, count: u32) -> WsaResult<&'a [WSABUF]> {
    match (is_bad(buffers), count) {
        (_, 0) => fail(WSAEINVAL),
        (true, _) => fail(WSAEFAULT),
        // SAFETY: as the caller promises.
        (false, count) => Ok(unsafe { std::slice::from_raw_parts(buffers, count as usize) }),
    }
}

/// Something may be wrong; what is wrong with the socket comes first.
#[cold]
fn check_further(s: SOCKET, buffers: WsaResult<()>, has_routine: bool) -> WsaResult<()> {
    let socket = socket::lock(s)?;
    buffers?;
    match (has_routine, &socket.association) {
        (false, _) => fail(WSAEFAULT),
        (true, Some(_)) => fail(WSAEINVAL),
        (true, None) => Ok(()),
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
