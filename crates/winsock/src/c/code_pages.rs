//! Between bytes and wide characters: UTF-8, which is what every code page of this system is.

use crate::c::text::{WChar, from_units, wide_of};
use crate::error::{is_bad, set_last_error};
use crate::types::*;

/// The code pages that mean UTF-8 here: ANSI, OEM, the thread's, and UTF-8 itself.
const UTF8: [u32; 4] = [0, 1, 3, 65001];

/// The units of a string that is `length` long or, for -1, ends with a zero, which counts then.
///
/// # Safety
/// `text` is bad (null), or readable so far.
unsafe fn source<'a, T: Copy + Default + PartialEq>(text: *const T, length: i32) -> Result<&'a [T], WIN32_ERROR> {
    if is_bad(text) || length == 0 || length < -1 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    unsafe {
        let length = match length {
            -1 => (0..).take_while(|&at| *text.add(at) != T::default()).count() + 1,
            length => length as usize,
        };
        Ok(std::slice::from_raw_parts(text, length))
    }
}

/// Gives the converted text; says how long it is, or would be if there is no room at all.
///
/// # Safety
/// `place` is bad (null) or writable for `room` units.
unsafe fn give<T: Copy>(text: Result<Vec<T>, WIN32_ERROR>, place: *mut T, room: i32) -> i32 {
    let run = || {
        let text = text?;
        match usize::try_from(room).map_err(|_| ERROR_INVALID_PARAMETER)? {
            0 => {}
            _ if is_bad(place) => return Err(ERROR_INVALID_PARAMETER),
            room if room < text.len() => return Err(ERROR_INSUFFICIENT_BUFFER),
            // SAFETY: the caller's promise; there is room.
            _ => unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len()) },
        }
        i32::try_from(text.len()).map_err(|_| ERROR_INVALID_PARAMETER)
    };
    run().unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Converts bytes in UTF-8 to wide characters; answers how many, or with no room how many there would be.
///
/// A length of -1 is up to the zero, which counts. What is no UTF-8 becomes U+FFFD or, with MB_ERR_INVALID_CHARS (8), an error.
///
/// # Errors
/// 0 with ERROR_INVALID_PARAMETER (also for another code page), ERROR_INSUFFICIENT_BUFFER, ERROR_NO_UNICODE_TRANSLATION.
///
/// # Safety
/// `lpmultibytestr` is null or readable as the length says, `lpwidecharstr` null or writable for `cchwidechar` characters.
#[unsafe(export_name = "ws_MultiByteToWideChar")]
pub unsafe extern "system" fn MultiByteToWideChar(
    codepage: u32,
    dwflags: u32,
    lpmultibytestr: PCSTR,
    cbmultibyte: i32,
    lpwidecharstr: *mut WChar,
    cchwidechar: i32,
) -> i32 {
    let convert = || {
        if !UTF8.contains(&codepage) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { source(lpmultibytestr, cbmultibyte)? };
        let text = String::from_utf8_lossy(bytes);
        if dwflags & MB_ERR_INVALID_CHARS != 0 && std::str::from_utf8(bytes).is_err() {
            return Err(ERROR_NO_UNICODE_TRANSLATION);
        }
        Ok(wide_of(&text))
    };
    // SAFETY: the caller's promise.
    unsafe { give(convert(), lpwidecharstr, cchwidechar) }
}

const MB_ERR_INVALID_CHARS: u32 = 8;

/// Converts wide characters to bytes in UTF-8; answers how many, or with no room how many there would be.
///
/// A length of -1 is up to the zero, which counts. Every character has bytes in UTF-8, so that the default character is not
/// used, and `lpuseddefaultchar` gets FALSE.
///
/// # Errors
/// 0 with ERROR_INVALID_PARAMETER (also for another code page), ERROR_INSUFFICIENT_BUFFER.
///
/// # Safety
/// `lpwidecharstr` is null or readable as the length says, `lpmultibytestr` null or writable for `cbmultibyte` bytes,
/// `lpuseddefaultchar` null or writable.
#[unsafe(export_name = "ws_WideCharToMultiByte")]
pub unsafe extern "system" fn WideCharToMultiByte(
    codepage: u32,
    _dwflags: u32,
    lpwidecharstr: *const WChar,
    cchwidechar: i32,
    lpmultibytestr: PSTR,
    cbmultibyte: i32,
    _lpdefaultchar: PCSTR,
    lpuseddefaultchar: *mut BOOL,
) -> i32 {
    let convert = || {
        if !UTF8.contains(&codepage) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe {
            if !is_bad(lpuseddefaultchar) {
                *lpuseddefaultchar = FALSE;
            }
            source(lpwidecharstr, cchwidechar).map(|units| from_units(units).into_bytes())
        }
    };
    // SAFETY: the caller's promise.
    unsafe { give(convert(), lpmultibytestr, cbmultibyte) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::last_error;

    #[test]
    fn text_goes_from_bytes_to_wide_characters_and_back() {
        let bytes = c"Größe";
        let (mut units, mut back) = ([0; 8], [0u8; 8]);
        // SAFETY: buffers are as long as is said, the text ends with a zero.
        unsafe {
            let to_wide =
                |length, place, room| MultiByteToWideChar(65001, 0, bytes.as_ptr().cast(), length, place, room);
            assert_eq!(to_wide(-1, std::ptr::null_mut(), 0), 6, "with the zero");
            assert_eq!(to_wide(3, units.as_mut_ptr(), 8), 3, "the last is half a character");
            assert_eq!((to_wide(-1, units.as_mut_ptr(), 5), last_error()), (0, ERROR_INSUFFICIENT_BUFFER));
            assert_eq!(to_wide(-1, units.as_mut_ptr(), 8), 6);
            let null = std::ptr::null_mut;
            let mut to_bytes =
                |room| WideCharToMultiByte(0, 0, units.as_ptr(), -1, back.as_mut_ptr(), room, std::ptr::null(), null());
            assert_eq!((to_bytes(0), to_bytes(8)), (8, 8));
            assert_eq!(&back, bytes.to_bytes_with_nul());
            let wrong = b"\xff";
            assert_eq!(MultiByteToWideChar(65001, 8, wrong.as_ptr(), 1, units.as_mut_ptr(), 8), 0);
            assert_eq!(last_error(), ERROR_NO_UNICODE_TRANSLATION);
            assert_eq!(MultiByteToWideChar(936, 0, wrong.as_ptr(), 1, units.as_mut_ptr(), 8), 0);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    }
}
