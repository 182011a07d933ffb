use std::ffi::CString;
use std::ptr::{null, null_mut};

use std::sync::atomic::Ordering;

use super::*;
use crate::error::{last_error, set_last_error};
use crate::testing::{Pair, status_word, until};
use crate::*;

mod opening;
mod pipes;
mod routines;
mod sockets;
mod transfers;

/// A path of a file that is not there yet; removed at the end if it is then.
struct Place(std::path::PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Place(std::env::temp_dir().join(format!("winsock-{}-{number}", std::process::id())))
    }

    fn with(content: &[u8]) -> Place {
        let place = Place::new();
        std::fs::write(&place.0, content).expect("a temporary file");
        place
    }

    fn fifo() -> Place {
        let place = Place::new();
        // SAFETY: the path is a terminated string.
        assert_eq!(unsafe { libc::mkfifo(place.name().as_ptr(), 0o600) }, 0);
        place
    }

    fn name(&self) -> CString {
        CString::new(self.0.to_str().expect("a path in UTF-8")).expect("no zeros")
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(&self.0).expect("the file")
    }

    fn open(&self, rights: u32, disposition: u32, flags: u32) -> Handle {
        let handle = self.try_open(rights, FILE_SHARE_READ | FILE_SHARE_WRITE, disposition, flags);
        handle.unwrap_or_else(|code| panic!("CreateFile: {code}"))
    }

    fn try_open(&self, rights: u32, share: u32, disposition: u32, flags: u32) -> Result<Handle, u32> {
        set_last_error(12345);
        // SAFETY: the name is a terminated string.
        let handle =
            unsafe { CreateFileA(self.name().as_ptr().cast(), rights, share, null(), disposition, flags, null_mut()) };
        if handle == INVALID_HANDLE_VALUE { Err(last_error()) } else { Ok(Handle(handle)) }
    }

    /// Open for everything.
    fn overlapped(&self) -> Handle {
        self.open(GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    }

    fn ordinary(&self) -> Handle {
        self.open(GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS, 0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

struct Handle(HANDLE);

// SAFETY: a handle is a number.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: no precondition.
        unsafe { CloseHandle(self.0) };
    }
}

fn event() -> Handle {
    // SAFETY: null pointers are allowed.
    Handle(unsafe { CreateEventW(null(), TRUE, FALSE, null()) })
}

impl Handle {
    /// For closures of other threads, which would borrow the pointer alone.
    fn value(&self) -> HANDLE {
        self.0
    }

    fn is_signalled(&self) -> bool {
        // SAFETY: no precondition.
        unsafe { WaitForSingleObject(self.0, 0) == WAIT_OBJECT_0 }
    }

    /// Waits for it: an event is set after the result is there, and by another thread.
    fn gets_signalled(&self) -> bool {
        // SAFETY: no precondition.
        unsafe { WaitForSingleObject(self.0, 30_000) == WAIT_OBJECT_0 }
    }

    fn port() -> Handle {
        // SAFETY: no precondition.
        Handle(unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 0) })
    }

    fn associate(&self, port: &Handle, key: usize) -> Result<(), u32> {
        // SAFETY: no precondition.
        let result = unsafe { CreateIoCompletionPort(self.0, port.0, key, 0) };
        if result == port.0 { Ok(()) } else { Err(last_error()) }
    }

    /// Without an OVERLAPPED: the bytes, or the code; a count that was written is checked.
    fn read(&self, buffer: &mut [u8]) -> Result<u32, u32> {
        let mut bytes = 77;
        // SAFETY: the buffer lives through the call, and a call without an OVERLAPPED is over when it returns.
        let ok = unsafe { ReadFile(self.0, buffer.as_mut_ptr(), buffer.len() as u32, &mut bytes, null_mut()) };
        answer(ok, bytes)
    }

    fn write(&self, data: &[u8]) -> Result<u32, u32> {
        let mut bytes = 77;
        // SAFETY: as for `read`.
        let ok = unsafe { WriteFile(self.0, data.as_ptr(), data.len() as u32, &mut bytes, null_mut()) };
        answer(ok, bytes)
    }

    fn seek(&self, distance: i64, method: u32) -> Result<i64, u32> {
        let mut place = -1;
        // SAFETY: the place lives through the call.
        if unsafe { SetFilePointerEx(self.0, distance, &mut place, method) } == FALSE {
            return Err(last_error());
        }
        Ok(place)
    }
}

fn answer(ok: BOOL, bytes: u32) -> Result<u32, u32> {
    if ok == FALSE {
        assert_eq!(bytes, 0, "the count is 0 where the call failed or pends");
        return Err(last_error());
    }
    Ok(bytes)
}

/// An OVERLAPPED with a buffer; never freed, so that no failing test lets memory be written that is not its own.
#[derive(Clone, Copy)]
struct Operation {
    overlapped: *mut OVERLAPPED,
    buffer: *mut u8,
    len: u32,
}

// SAFETY: nothing is freed, and a test looks at the buffer when the operation is over.
unsafe impl Send for Operation {}
// SAFETY: as above.
unsafe impl Sync for Operation {}

impl Operation {
    fn new(offset: u64, data: &[u8]) -> Operation {
        let data: &'static mut [u8] = data.to_vec().leak();
        let mut overlapped = OVERLAPPED { Internal: 77, InternalHigh: 78, ..Default::default() };
        overlapped.Anonymous.Anonymous = OVERLAPPED_0_0 { Offset: offset as u32, OffsetHigh: (offset >> 32) as u32 };
        Operation { overlapped: Box::leak(Box::new(overlapped)), buffer: data.as_mut_ptr(), len: data.len() as u32 }
    }

    fn to_read(offset: u64, len: usize) -> Operation {
        Operation::new(offset, &vec![0; len])
    }

    fn with_event(self, event: HANDLE) -> Operation {
        // SAFETY: never freed, and not in flight yet.
        unsafe { (*self.overlapped).hEvent = event };
        self
    }

    fn bad(offset: u64, pointer: usize, len: u32) -> Operation {
        Operation { buffer: pointer as *mut u8, len, ..Operation::new(offset, &[]) }
    }

    fn read(&self, handle: HANDLE) -> Result<u32, u32> {
        let mut bytes = 77;
        // SAFETY: nothing of the operation is ever freed.
        let ok = unsafe { ReadFile(handle, self.buffer, self.len, &mut bytes, self.overlapped) };
        answer(ok, bytes)
    }

    fn write(&self, handle: HANDLE) -> Result<u32, u32> {
        let mut bytes = 77;
        // SAFETY: nothing of the operation is ever freed.
        let ok = unsafe { WriteFile(handle, self.buffer, self.len, &mut bytes, self.overlapped) };
        answer(ok, bytes)
    }

    /// Waits for the end: the bytes, or the code.
    fn result(&self, handle: HANDLE) -> Result<u32, u32> {
        let mut bytes = 0;
        // SAFETY: never freed.
        match unsafe { GetOverlappedResult(handle, self.overlapped, &mut bytes, TRUE) } {
            FALSE => Err(last_error()),
            _ => Ok(bytes),
        }
    }

    fn data(&self) -> &[u8] {
        // SAFETY: never freed; the operation is over.
        unsafe { std::slice::from_raw_parts(self.buffer, self.len as usize) }
    }

    fn internal(&self) -> (usize, usize) {
        // SAFETY: never freed; what else the operation wrote is there with its status.
        unsafe { (status_word(self.overlapped), (*self.overlapped).InternalHigh) }
    }

    fn offset(&self) -> u64 {
        // SAFETY: never freed; the union is plain integers.
        let place = unsafe { (*self.overlapped).Anonymous.Anonymous };
        u64::from(place.OffsetHigh) << 32 | u64::from(place.Offset)
    }
}

/// One packet: whose it is, its key, and how the operation ended. `None` if there is none.
fn packet(port: &Handle, milliseconds: u32) -> Option<(*mut OVERLAPPED, usize, Result<u32, u32>)> {
    let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
    // SAFETY: the places live through the call.
    let ok = unsafe { GetQueuedCompletionStatus(port.0, &mut bytes, &mut key, &mut overlapped, milliseconds) };
    if overlapped.is_null() {
        return None;
    }
    Some((overlapped, key, if ok == FALSE { Err(last_error()) } else { Ok(bytes) }))
}

const PENDING: Result<u32, u32> = Err(ERROR_IO_PENDING);
