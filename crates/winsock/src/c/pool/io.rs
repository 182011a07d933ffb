//! Callbacks for completed operations: CreateThreadpoolIo, BindIoCompletionCallback.

use core::ffi::c_void;
use std::sync::{Arc, OnceLock};

use ranked_locks::{Condvar, Mutex, rank};

use super::{Context, Registry};
use crate::completion_port::{CreateIoCompletionPort, GetQueuedCompletionStatusEx};
use crate::error::{finish_bool, set_last_error, win32_from_status};
use crate::port::blocking;
use crate::types::*;

/// What a handle's operations are told to.
struct Io {
    callback: Callback,
    /// Operations that have begun and are not told of yet.
    pending: Mutex<usize, rank::Leaf>,
    quiet: Condvar,
}

enum Callback {
    Pool(unsafe extern "system" fn(isize, *mut c_void, *mut c_void, u32, usize, PTP_IO), Context),
    Bound(unsafe extern "system" fn(u32, u32, *mut OVERLAPPED)),
}

static IOS: Registry<Io> = Registry::new();

/// The pool's port, with its threads.
fn port() -> Result<HANDLE, WIN32_ERROR> {
    static PORT: OnceLock<usize> = OnceLock::new();
    let port = *PORT.get_or_init(|| {
        // SAFETY: nothing is asked of the caller.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, std::ptr::null_mut(), 0, 0) } as usize;
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
        // More than run at a time, so that there are others when callbacks block.
        for _ in 0..(4 * processors).max(8) {
            // With fewer threads callbacks come later.
            let _ = std::thread::Builder::new().name("winsock-pool-io".into()).spawn(move || run(port));
        }
        port
    });
    if port == 0 { Err(ERROR_NO_SYSTEM_RESOURCES) } else { Ok(port as HANDLE) }
}

fn run(port: usize) {
    let mut entry = OVERLAPPED_ENTRY::default();
    let mut count = 0;
    loop {
        // SAFETY: room for one entry.
        let got = unsafe { GetQueuedCompletionStatusEx(port as HANDLE, &mut entry, 1, &mut count, INFINITE, FALSE) };
        if got == FALSE {
            return;
        }
        if let Some(io) = IOS.find(entry.lpCompletionKey) {
            io.tell(&entry);
        }
    }
}

impl Io {
    fn tell(&self, entry: &OVERLAPPED_ENTRY) {
        let (status, bytes) = (entry.Internal as u32, entry.dwNumberOfBytesTransferred);
        // SAFETY: who made this vouches for the callback.
        unsafe {
            match self.callback {
                Callback::Pool(callback, context) => {
                    let code = win32_from_status(status as NTSTATUS);
                    let (overlapped, number) = (entry.lpOverlapped.cast(), entry.lpCompletionKey as PTP_IO);
                    callback(0, context.get(), overlapped, code, bytes as usize, number);
                }
                Callback::Bound(callback) => callback(status, bytes, entry.lpOverlapped),
            }
        }
        self.ended();
    }

    fn ended(&self) {
        let mut pending = self.pending.lock();
        *pending = pending.saturating_sub(1);
        if *pending == 0 {
            self.quiet.notify_all();
        }
    }
}

fn bind(handle: HANDLE, callback: Callback) -> Result<usize, WIN32_ERROR> {
    let port = port()?;
    let io = Io { callback, pending: Mutex::new(0), quiet: Condvar::new() };
    let number = IOS.insert(Arc::new(io));
    // SAFETY: nothing is asked of the caller.
    if unsafe { CreateIoCompletionPort(handle, port, number, 0) }.is_null() {
        IOS.remove(number);
        return Err(crate::error::last_error());
    }
    Ok(number)
}

/// Has the operations on a handle call back on the pool's threads, with their status (an NTSTATUS), bytes and OVERLAPPED.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for no callback, a handle that has a port or is not overlapped.
///
/// # Safety
/// The function may be called on other threads, also several at a time, and does not unwind.
#[unsafe(export_name = "ws_BindIoCompletionCallback")]
pub unsafe extern "system" fn BindIoCompletionCallback(
    filehandle: HANDLE,
    function: LPOVERLAPPED_COMPLETION_ROUTINE,
    _flags: u32,
) -> BOOL {
    let function = function.ok_or(ERROR_INVALID_PARAMETER);
    finish_bool(function.and_then(|function| bind(filehandle, Callback::Bound(function))).map(drop))
}

/// Has the operations on a handle call back on the pool's threads. [`StartThreadpoolIo`] is to be called before each, and
/// [`CancelThreadpoolIo`] if it failed at once. The environment is ignored.
///
/// # Errors
/// 0 with the codes of [`BindIoCompletionCallback`].
///
/// # Safety
/// The callback may be called on other threads with the context, also several at a time, and does not unwind.
#[unsafe(export_name = "ws_CreateThreadpoolIo")]
pub unsafe extern "system" fn CreateThreadpoolIo(
    fl: HANDLE,
    pfnio: PTP_WIN32_IO_CALLBACK,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> PTP_IO {
    let callback = pfnio.ok_or(ERROR_INVALID_PARAMETER);
    match callback.and_then(|callback| bind(fl, Callback::Pool(callback, Context(pv)))) {
        Ok(number) => number as PTP_IO,
        Err(code) => {
            set_last_error(code);
            0
        }
    }
}

/// Says that an operation is about to begin.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_StartThreadpoolIo")]
pub unsafe extern "system" fn StartThreadpoolIo(pio: PTP_IO) {
    if let Some(io) = IOS.find(pio as usize) {
        *io.pending.lock() += 1;
    }
}

/// Says that an operation has not begun after all.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CancelThreadpoolIo")]
pub unsafe extern "system" fn CancelThreadpoolIo(pio: PTP_IO) {
    if let Some(io) = IOS.find(pio as usize) {
        io.ended();
    }
}

/// Waits until all operations that have begun are told of. Those that pend are not cancelled by this, whatever
/// `fcancelpendingcallbacks` says.
///
/// # Safety
/// Nothing is asked of the caller; a callback of the same would wait for itself.
#[unsafe(export_name = "ws_WaitForThreadpoolIoCallbacks")]
pub unsafe extern "system" fn WaitForThreadpoolIoCallbacks(pio: PTP_IO, _fcancelpendingcallbacks: BOOL) {
    let Some(io) = IOS.find(pio as usize) else { return };
    let _elsewhere = blocking();
    let mut pending = io.pending.lock();
    while *pending > 0 {
        io.quiet.wait(&mut pending);
    }
}

/// Gives the callback up. Operations that complete later are told to nobody.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_CloseThreadpoolIo")]
pub unsafe extern "system" fn CloseThreadpoolIo(pio: PTP_IO) {
    IOS.remove(pio as usize);
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use super::*;
    use crate::error::last_error;
    use crate::testing::{Pair, until};

    /// What a callback was told.
    static TOLD: Mutex<Vec<(usize, u32, usize)>, rank::Leaf> = Mutex::new(Vec::new());

    unsafe extern "system" fn pool_tells(
        _: isize,
        _: *mut c_void,
        at: *mut c_void,
        code: u32,
        bytes: usize,
        _: PTP_IO,
    ) {
        TOLD.lock().push((at.addr(), code, bytes));
    }

    unsafe extern "system" fn tells(code: u32, bytes: u32, at: *mut OVERLAPPED) {
        TOLD.lock().push((at.addr(), code, bytes as usize));
    }

    fn told(overlapped: &OVERLAPPED) -> Option<(u32, usize)> {
        let address = (&raw const *overlapped).addr();
        TOLD.lock().iter().find(|(at, ..)| *at == address).map(|&(_, code, bytes)| (code, bytes))
    }

    /// An OVERLAPPED may lie where one of an earlier operation did.
    fn forget(overlapped: &OVERLAPPED) {
        let address = (&raw const *overlapped).addr();
        TOLD.lock().retain(|(at, ..)| *at != address);
    }

    #[test]
    fn a_receive_calls_back_with_what_came() {
        for by_pool in [true, false] {
            let pair = Pair::new();
            let (mut overlapped, mut place, mut flags) = (OVERLAPPED::default(), [0u8; 8], 0);
            forget(&overlapped);
            let buffer = WSABUF { len: 8, buf: place.as_mut_ptr() };
            // SAFETY: all of it lives until the callback was called.
            unsafe {
                let handle = pair.server as HANDLE;
                let io = match by_pool {
                    true => CreateThreadpoolIo(handle, Some(pool_tells), null_mut(), null()),
                    false => BindIoCompletionCallback(handle, Some(tells), 0) as PTP_IO,
                };
                assert_ne!(io, 0);
                StartThreadpoolIo(io);
                crate::WSARecv(pair.server, &buffer, 1, null_mut(), &mut flags, &mut overlapped, None);
                assert_eq!(crate::send(pair.client, b"hello".as_ptr(), 5, 0), 5);
                until("called back", || told(&overlapped).is_some());
                assert_eq!(told(&overlapped), Some((0, 5)));
                WaitForThreadpoolIoCallbacks(io, FALSE);
                StartThreadpoolIo(io);
                CancelThreadpoolIo(io);
                WaitForThreadpoolIoCallbacks(io, FALSE);
                assert_eq!(BindIoCompletionCallback(handle, Some(tells), 0), FALSE, "twice");
                assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
                CloseThreadpoolIo(io);
            }
        }
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        // SAFETY: nothing is used.
        unsafe {
            assert_eq!(CreateThreadpoolIo(8 as HANDLE, Some(pool_tells), null_mut(), null()), 0);
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            assert_eq!(
                (BindIoCompletionCallback(8 as HANDLE, None, 0), last_error()),
                (FALSE, ERROR_INVALID_PARAMETER)
            );
        }
    }
}
