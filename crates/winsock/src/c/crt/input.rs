//! Lines of standard input.

use std::ffi::{c_char, c_int};

/// The next line, without its end, however long. Null at the end of the input.
///
/// # Safety
/// As of C's `gets`, which nobody can keep to: the buffer has room for any line that comes.
#[unsafe(export_name = "ws_gets")]
pub unsafe extern "system" fn gets(buffer: *mut c_char) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { line(buffer, usize::MAX) }
}

/// The next line, without its end. One that does not fit is read away, and gives an empty text and null.
///
/// # Safety
/// `buffer` is null or has `size` bytes.
#[unsafe(export_name = "ws_gets_s")]
pub unsafe extern "system" fn gets_s(buffer: *mut c_char, size: usize) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { line(buffer, size) }
}

unsafe fn line(buffer: *mut c_char, size: usize) -> *mut c_char {
    if buffer.is_null() || size == 0 {
        return std::ptr::null_mut();
    }
    let mut length = 0;
    let mut is_any = false;
    // SAFETY: takes nothing.
    while let Some(byte) = byte_of(unsafe { libc::getchar() }) {
        is_any = true;
        if byte == b'\n' {
            break;
        }
        if length + 1 < size {
            // SAFETY: within the caller's buffer.
            unsafe { *buffer.add(length) = byte.cast_signed() as c_char };
        }
        length += 1;
    }
    if !is_any {
        // The buffer stays as it is: programs rely on it as C says so.
        return std::ptr::null_mut();
    }
    let fits = length < size;
    // SAFETY: within the caller's buffer.
    unsafe { *buffer.add(if fits { length } else { 0 }) = 0 };
    if fits { buffer } else { std::ptr::null_mut() }
}

fn byte_of(character: c_int) -> Option<u8> {
    u8::try_from(character).ok()
}
