//! FormatMessage: what an error code means, in English.

use core::ffi::c_void;

use crate::c::memory::LocalAlloc;
use crate::c::messages;
use crate::c::text::{WChar, narrow, put, wide, wide_of};
use crate::error::{is_bad, set_last_error};
use crate::types::*;

/// A width in the low byte of the flags that takes ends of lines away.
const MAX_WIDTH_MASK: u32 = 0xff;

/// The text of a code or of a string, as the flags say.
fn text(flags: u32, source: Option<String>, code: u32) -> Result<String, WIN32_ERROR> {
    let mut text = if flags & FORMAT_MESSAGE_FROM_STRING != 0 {
        source.ok_or(ERROR_INVALID_PARAMETER)?
    } else if flags & (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE) != 0 {
        // HRESULT_FROM_WIN32.
        let code = if code >> 16 == 0x8007 { code & 0xffff } else { code };
        format!("{}\r\n", messages::message(code).ok_or(ERROR_MR_MID_NOT_FOUND)?)
    } else {
        return Err(ERROR_INVALID_PARAMETER);
    };
    if flags & FORMAT_MESSAGE_IGNORE_INSERTS == 0 {
        text = expand(&text)?;
    }
    if flags & MAX_WIDTH_MASK == MAX_WIDTH_MASK {
        text = text.replace("\r\n", " ");
    }
    Ok(text)
}

/// What `%` stands for in a message, but for values to insert, which are not offered.
fn expand(text: &str) -> Result<String, WIN32_ERROR> {
    let mut expanded = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' => match characters.next() {
                Some('0') => return Ok(expanded),
                Some('1'..='9') => return Err(ERROR_NOT_SUPPORTED),
                Some('n') => expanded.push_str("\r\n"),
                Some('r') => expanded.push('\r'),
                Some('t') => expanded.push('\t'),
                Some(other) => expanded.push(other),
                None => return Err(ERROR_INVALID_PARAMETER),
            },
            other => expanded.push(other),
        }
    }
    Ok(expanded)
}

/// Gives the text away: in the caller's buffer, or in a block of LocalAlloc whose address goes there. Answers its length.
///
/// # Safety
/// `place` is bad (null) or writable: for `size` units, or for a pointer.
unsafe fn give<T: Copy + Default>(text: Result<Vec<T>, WIN32_ERROR>, flags: u32, place: *mut T, size: u32) -> u32 {
    let run = || {
        let text = text?;
        if is_bad(place) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise; the block has room.
        unsafe {
            if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER != 0 {
                let room = (text.len() + 1).max(size as usize);
                let block = LocalAlloc(0, room * size_of::<T>()).cast::<T>();
                if !put(&text, block, room) {
                    return Err(ERROR_NOT_ENOUGH_MEMORY);
                }
                place.cast::<*mut T>().write_unaligned(block);
            } else if !put(&text, place, size as usize) {
                return Err(ERROR_INSUFFICIENT_BUFFER);
            }
        }
        Ok(text.len() as u32)
    };
    run().unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Writes the meaning of an error code, in English whatever the language asked for, or a string of the caller's.
///
/// Answers the length. With FORMAT_MESSAGE_ALLOCATE_BUFFER `lpbuffer` points to a pointer, which gets a block that LocalFree
/// frees. Values to insert (`%1`) are not offered: a string with one needs FORMAT_MESSAGE_IGNORE_INSERTS, with which it is
/// copied as it is.
///
/// # Errors
/// 0 with ERROR_MR_MID_NOT_FOUND for an unknown code, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED
/// for a value to insert, ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// `lpbuffer` is null or writable as the flags say; `lpsource` is null or, with FORMAT_MESSAGE_FROM_STRING, ends with a zero.
#[unsafe(export_name = "ws_FormatMessageA")]
pub unsafe extern "system" fn FormatMessageA(
    dwflags: u32,
    lpsource: *const c_void,
    dwmessageid: u32,
    _dwlanguageid: u32,
    lpbuffer: PSTR,
    nsize: u32,
    _arguments: *const c_void,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let is_string = dwflags & FORMAT_MESSAGE_FROM_STRING != 0;
        let source = is_string.then(|| narrow(lpsource.cast())).flatten();
        give(text(dwflags, source, dwmessageid).map(String::into_bytes), dwflags, lpbuffer, nsize)
    }
}

/// [`FormatMessageA`] for wide strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_FormatMessageW")]
pub unsafe extern "system" fn FormatMessageW(
    dwflags: u32,
    lpsource: *const c_void,
    dwmessageid: u32,
    _dwlanguageid: u32,
    lpbuffer: *mut WChar,
    nsize: u32,
    _arguments: *const c_void,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let is_string = dwflags & FORMAT_MESSAGE_FROM_STRING != 0;
        let source = is_string.then(|| wide(lpsource.cast())).flatten();
        give(text(dwflags, source, dwmessageid).map(|text| wide_of(&text)), dwflags, lpbuffer, nsize)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::ptr::null;

    use super::*;
    use crate::c::memory::LocalFree;
    use crate::error::last_error;

    const SYSTEM: u32 = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;

    #[test]
    fn a_code_has_a_text_in_the_callers_memory_or_in_a_block() {
        let reset = WSAECONNRESET as u32;
        // SAFETY: the buffers are as long as is said; the block is freed once.
        unsafe {
            let mut block: *mut u8 = std::ptr::null_mut();
            let place = (&raw mut block).cast();
            let length =
                FormatMessageA(SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, null(), reset, 0x400, place, 0, null());
            let text = CStr::from_ptr(block.cast()).to_bytes();
            assert_eq!(text.len(), length as usize);
            assert_eq!(text, b"An existing connection was forcibly closed by the remote host.\r\n");
            LocalFree(block.cast());
            let mut place: [WChar; 20] = [0; 20];
            let five = 5;
            assert_eq!(FormatMessageW(SYSTEM, null(), five, 0, place.as_mut_ptr(), 20, null()), 19);
            assert_eq!(wide(place.as_ptr()).as_deref(), Some("Access is denied.\r\n"));
            assert_eq!(FormatMessageW(SYSTEM, null(), five, 0, place.as_mut_ptr(), 19, null()), 0);
            assert_eq!(last_error(), ERROR_INSUFFICIENT_BUFFER);
            assert_eq!(FormatMessageW(SYSTEM, null(), 987_654, 0, place.as_mut_ptr(), 20, null()), 0);
            assert_eq!(last_error(), ERROR_MR_MID_NOT_FOUND);
            assert_eq!(FormatMessageW(0, null(), five, 0, place.as_mut_ptr(), 20, null()), 0);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    }

    #[test]
    fn strings_are_expanded_unless_they_are_not_to_be() {
        let mut place = [0u8; 20];
        let mut format = |flags: u32, source: &CStr| {
            // SAFETY: the buffer is as long as is said, the source ends with a zero.
            unsafe {
                let flags = flags | FORMAT_MESSAGE_FROM_STRING;
                let length = FormatMessageA(flags, source.as_ptr().cast(), 0, 0, place.as_mut_ptr(), 20, null());
                place[..length as usize].to_vec()
            }
        };
        assert_eq!(format(0, c"100%% a%nb%0c"), b"100% a\r\nb");
        assert_eq!(format(FORMAT_MESSAGE_IGNORE_INSERTS, c"%1!d! %n"), b"%1!d! %n");
        assert_eq!((format(0, c"%1"), last_error()), (Vec::new(), ERROR_NOT_SUPPORTED));
    }
}
