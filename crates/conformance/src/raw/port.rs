//! Completion ports.

use super::{Request, Socket, UNTOUCHED, get_last_error, set_last_error};
use pentaport::sys;
use std::sync::atomic::{AtomicBool, Ordering};

/// A completion port; closed when dropped.
#[derive(Debug)]
pub struct Port {
    handle: usize,
    open: AtomicBool,
}

/// What GetQueuedCompletionStatus answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dequeued {
    /// TRUE or FALSE.
    pub ok: bool,
    /// The byte count, [`UNTOUCHED`] if the call did not write it.
    pub bytes: u32,
    /// The key, [`UNTOUCHED`] if the call did not write it.
    pub key: usize,
    /// The address of the OVERLAPPED, 0 for none, [`UNTOUCHED`] if the call did not write it.
    pub overlapped: usize,
    /// The last error after the call, which was [`UNTOUCHED`] before.
    pub error: u32,
}

impl Dequeued {
    /// Whether nothing was dequeued since the time was over.
    pub fn timed_out(self) -> bool {
        !self.ok && self.overlapped == 0 && self.error == sys::WAIT_TIMEOUT
    }

    /// Whether this is the packet of that request.
    pub fn is_of(self, request: Request) -> bool {
        self.overlapped == request.address()
    }
}

/// One entry that GetQueuedCompletionStatusEx removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: usize,
    /// The address of the OVERLAPPED, 0 for none.
    pub overlapped: usize,
    /// The NTSTATUS.
    pub internal: usize,
    /// The byte count.
    pub bytes: u32,
}

impl Port {
    /// An empty port with this concurrency value, 0 for the number of processors.
    pub fn new(concurrency: u32) -> Self {
        let handle = create_io_completion_port(invalid_handle(), 0, 0, concurrency);
        Self::of(handle.expect("a completion port"))
    }

    /// Owns a port's handle.
    pub fn of(handle: usize) -> Self {
        Self { handle, open: AtomicBool::new(true) }
    }

    /// The handle, also after the port was closed.
    pub fn handle(&self) -> usize {
        self.handle
    }

    /// Associates a socket with the port.
    pub fn associate(&self, socket: &Socket, key: usize) -> Result<(), u32> {
        let handle = create_io_completion_port(socket.raw(), self.handle, key, 0)?;
        assert_eq!(handle, self.handle, "the association gives the port's own handle");
        Ok(())
    }

    /// GetQueuedCompletionStatus.
    pub fn get(&self, milliseconds: u32) -> Dequeued {
        let (mut bytes, mut key) = (UNTOUCHED, UNTOUCHED as usize);
        let mut overlapped = std::ptr::without_provenance_mut(UNTOUCHED as usize);
        set_last_error(UNTOUCHED);
        // SAFETY: the three variables outlive the call.
        let ok = unsafe {
            sys::GetQueuedCompletionStatus(
                self.handle as sys::HANDLE,
                &mut bytes,
                &mut key,
                &mut overlapped,
                milliseconds,
            )
        };
        let error = get_last_error();
        Dequeued { ok: ok != 0, bytes, key, overlapped: overlapped as usize, error }
    }

    /// The next packet, which is to come soon; panics if it does not.
    #[track_caller]
    pub fn packet(&self) -> Dequeued {
        let dequeued = self.get(30_000);
        assert!(dequeued.ok || dequeued.overlapped != 0, "no packet: {dequeued:?}");
        dequeued
    }

    /// Whether no packet is queued now.
    pub fn is_empty(&self) -> bool {
        self.get(0).timed_out()
    }

    /// GetQueuedCompletionStatusEx, not alertable: the entries, or the last error; and the removed count, which was
    /// [`UNTOUCHED`] before.
    pub fn get_many(&self, count: usize, milliseconds: u32) -> (Result<Vec<Entry>, u32>, u32) {
        self.get_many_ex(count, milliseconds, false)
    }

    /// As [`Port::get_many`], alertable if wished.
    pub fn get_many_ex(&self, count: usize, milliseconds: u32, alertable: bool) -> (Result<Vec<Entry>, u32>, u32) {
        let mut entries = vec![sys::OVERLAPPED_ENTRY::default(); count.max(1)];
        let mut removed = UNTOUCHED;
        // SAFETY: the array has at least `count` entries; it and the count outlive the call.
        let ok = unsafe {
            sys::GetQueuedCompletionStatusEx(
                self.handle as sys::HANDLE,
                entries.as_mut_ptr(),
                count as u32,
                &mut removed,
                milliseconds,
                i32::from(alertable),
            )
        };
        if ok == 0 {
            return (Err(get_last_error()), removed);
        }
        entries.truncate(removed as usize);
        let entry = |entry: &sys::OVERLAPPED_ENTRY| Entry {
            key: entry.lpCompletionKey,
            overlapped: entry.lpOverlapped as usize,
            internal: entry.Internal,
            bytes: entry.dwNumberOfBytesTransferred,
        };
        (Ok(entries.iter().map(entry).collect()), removed)
    }

    /// PostQueuedCompletionStatus; `overlapped` is any value.
    pub fn post(&self, bytes: u32, key: usize, overlapped: usize) -> Result<(), u32> {
        let overlapped = std::ptr::without_provenance(overlapped);
        // SAFETY: the contract says that the pointer is passed through and not looked at.
        let ok = unsafe { sys::PostQueuedCompletionStatus(self.handle as sys::HANDLE, bytes, key, overlapped) };
        if ok != 0 { Ok(()) } else { Err(get_last_error()) }
    }

    /// WaitForSingleObject on the port's handle.
    pub fn wait(&self, milliseconds: u32) -> u32 {
        // SAFETY: no pointers.
        unsafe { sys::WaitForSingleObject(self.handle as sys::HANDLE, milliseconds) }
    }

    /// CloseHandle.
    pub fn close(&self) -> Result<(), u32> {
        self.open.store(false, Ordering::SeqCst);
        close_handle(self.handle)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if *self.open.get_mut() {
            let _ = close_handle(self.handle);
        }
    }
}

/// CreateIoCompletionPort with any handle values; 0 is NULL.
pub fn create_io_completion_port(file: usize, existing: usize, key: usize, concurrency: u32) -> Result<usize, u32> {
    super::startup();
    // SAFETY: no pointers but handles, which the call checks.
    let port = unsafe { sys::CreateIoCompletionPort(file as sys::HANDLE, existing as sys::HANDLE, key, concurrency) };
    if port.is_null() { Err(get_last_error()) } else { Ok(port as usize) }
}

/// SetFileCompletionNotificationModes.
pub fn set_file_completion_notification_modes(handle: usize, flags: u8) -> Result<(), u32> {
    // SAFETY: no pointers but a handle, which the call checks.
    let ok = unsafe { sys::SetFileCompletionNotificationModes(handle as sys::HANDLE, flags) };
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// CloseHandle.
pub fn close_handle(handle: usize) -> Result<(), u32> {
    // SAFETY: no pointers but a handle, which the call checks.
    if unsafe { sys::CloseHandle(handle as sys::HANDLE) } != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// INVALID_HANDLE_VALUE.
pub fn invalid_handle() -> usize {
    sys::INVALID_HANDLE_VALUE as usize
}

/// NULL.
pub fn null_handle() -> usize {
    0
}
