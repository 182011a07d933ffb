//! Files, and ReadFile and WriteFile on any handle.

use super::routine::ran;
use super::{Request, UNTOUCHED, close_handle, get_last_error};
use pentaport::sys;
use std::path::Path;

/// A file's handle; closed when dropped.
#[derive(Debug)]
pub struct File(usize);

/// What ReadFile or WriteFile answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// TRUE or FALSE.
    pub ok: bool,
    /// The byte count, [`UNTOUCHED`] if the call did not write it.
    pub bytes: u32,
    /// The last error, if the answer is FALSE; else 0.
    pub error: u32,
}

impl Answer {
    /// Whether an operation was started: it is done or pending.
    pub fn started(self) -> bool {
        self.ok || self.error == sys::ERROR_IO_PENDING
    }
}

impl File {
    /// CreateFileW of a file that exists, for reading and writing, with these flags.
    pub fn open(path: &Path, flags: u32) -> Self {
        let name: Vec<u16> = path.to_str().expect("a path in UTF-8").encode_utf16().chain([0]).collect();
        // SAFETY: the name ends with 0 and outlives the call; null attributes and a null template are allowed.
        let handle = unsafe {
            sys::CreateFileW(
                name.as_ptr(),
                sys::GENERIC_READ | sys::GENERIC_WRITE,
                sys::FILE_SHARE_READ | sys::FILE_SHARE_WRITE | sys::FILE_SHARE_DELETE,
                std::ptr::null(),
                sys::OPEN_EXISTING,
                flags,
                std::ptr::null_mut(),
            )
        };
        assert_ne!(handle, sys::INVALID_HANDLE_VALUE, "CreateFileW: {}", get_last_error());
        Self(handle as usize)
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.0
    }

    /// SetFilePointerEx.
    pub fn seek(&self, distance: i64, method: u32) -> Result<i64, u32> {
        let mut position = -1;
        // SAFETY: the handle is ours; the position outlives the call.
        let ok = unsafe { sys::SetFilePointerEx(self.0 as sys::HANDLE, distance, &mut position, method) };
        if ok != 0 { Ok(position) } else { Err(get_last_error()) }
    }

    /// The file position, without moving it.
    pub fn position(&self) -> i64 {
        self.seek(0, sys::FILE_CURRENT).expect("the position")
    }

    /// GetFileSizeEx.
    pub fn size(&self) -> i64 {
        let mut size = -1;
        // SAFETY: the handle is ours; the size outlives the call.
        let ok = unsafe { sys::GetFileSizeEx(self.0 as sys::HANDLE, &mut size) };
        assert_ne!(ok, 0, "GetFileSizeEx: {}", get_last_error());
        size
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = close_handle(self.0);
    }
}

impl Request {
    /// The same request with this offset in its OVERLAPPED.
    pub fn at(self, offset: u64) -> Self {
        let place = self.pointer();
        // SAFETY: the record lives for ever; no operation uses it yet; any bits are an offset.
        unsafe {
            (*place).Anonymous.Anonymous =
                sys::OVERLAPPED_0_0 { Offset: offset as u32, OffsetHigh: (offset >> 32) as u32 };
        }
        self
    }

    /// The offset in its OVERLAPPED now.
    pub fn offset(self) -> u64 {
        // SAFETY: the record lives for ever; any bits are an offset.
        let place = unsafe { (&raw const (*self.pointer()).Anonymous.Anonymous).read_volatile() };
        u64::from(place.OffsetHigh) << 32 | u64::from(place.Offset)
    }

    /// The value in `hEvent`.
    pub fn event_handle(self) -> usize {
        // SAFETY: the record lives for ever, and no system call writes this field.
        unsafe { (*self.pointer()).hEvent as usize }
    }
}

/// ReadFile of a request's first buffer, with its OVERLAPPED.
pub fn read_file(handle: usize, request: Request) -> Answer {
    let (buffer, length) = buffer_of(request);
    // SAFETY: the buffer, the OVERLAPPED and the count live for ever; a bad buffer is to be refused.
    let ok =
        unsafe { sys::ReadFile(handle as sys::HANDLE, buffer, length, request.count_pointer(), request.pointer()) };
    answer(ok, request.count())
}

/// WriteFile of a request's first buffer, with its OVERLAPPED.
pub fn write_file(handle: usize, request: Request) -> Answer {
    let (buffer, length) = buffer_of(request);
    // SAFETY: the buffer, the OVERLAPPED and the count live for ever; a bad buffer is to be refused.
    let ok =
        unsafe { sys::WriteFile(handle as sys::HANDLE, buffer, length, request.count_pointer(), request.pointer()) };
    answer(ok, request.count())
}

/// ReadFile with a null OVERLAPPED.
pub fn read_file_now(handle: usize, buffer: &mut [u8]) -> Answer {
    let mut bytes = UNTOUCHED;
    let length = buffer.len() as u32;
    // SAFETY: the buffer has `length` bytes; it and the count outlive the call, which is not overlapped.
    let ok =
        unsafe { sys::ReadFile(handle as sys::HANDLE, buffer.as_mut_ptr(), length, &mut bytes, std::ptr::null_mut()) };
    answer(ok, bytes)
}

/// WriteFile with a null OVERLAPPED.
pub fn write_file_now(handle: usize, data: &[u8]) -> Answer {
    let mut bytes = UNTOUCHED;
    let length = data.len() as u32;
    // SAFETY: the data has `length` bytes; it and the count outlive the call, which is not overlapped.
    let ok = unsafe { sys::WriteFile(handle as sys::HANDLE, data.as_ptr(), length, &mut bytes, std::ptr::null_mut()) };
    answer(ok, bytes)
}

/// ReadFileEx of a request's first buffer; its routine is that of [`Request::on_completion`].
pub fn read_file_ex(handle: usize, request: Request) -> Result<(), u32> {
    let (buffer, length) = buffer_of(request);
    // SAFETY: the buffer and the OVERLAPPED live for ever.
    let ok = unsafe { sys::ReadFileEx(handle as sys::HANDLE, buffer, length, request.pointer(), Some(file_routine)) };
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

/// WriteFileEx of a request's first buffer; its routine is that of [`Request::on_completion`].
pub fn write_file_ex(handle: usize, request: Request) -> Result<(), u32> {
    let (buffer, length) = buffer_of(request);
    // SAFETY: the buffer and the OVERLAPPED live for ever.
    let ok = unsafe { sys::WriteFileEx(handle as sys::HANDLE, buffer, length, request.pointer(), Some(file_routine)) };
    if ok != 0 { Ok(()) } else { Err(get_last_error()) }
}

fn buffer_of(request: Request) -> (*mut u8, u32) {
    let (buffer, length) = request.first_buffer();
    (buffer, u32::try_from(length).expect("under 4 GiB"))
}

fn answer(ok: sys::BOOL, bytes: u32) -> Answer {
    let error = if ok != 0 { 0 } else { get_last_error() };
    Answer { ok: ok != 0, bytes, error }
}

unsafe extern "system" fn file_routine(error: u32, bytes: u32, overlapped: *mut sys::OVERLAPPED) {
    ran(error, bytes, overlapped as usize, 0);
}
