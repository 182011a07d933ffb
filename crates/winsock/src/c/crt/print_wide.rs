//! Printing in `wchar_t`. Files get UTF-8, written as bytes: glibc would allow a file either bytes or wide characters for
//! good, and Windows's programs mix them.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::format::translate;
use super::print::{Utf8, standard_output};
use super::va_list::VaList;
use crate::c::text::{self, WChar};

unsafe extern "C" {
    fn open_wmemstream(text: *mut *mut WChar, length: *mut usize) -> *mut libc::FILE;
    #[link_name = "vfwprintf"]
    fn libc_vfwprintf(file: *mut libc::FILE, format: *const WChar, arguments: *mut c_void) -> c_int;
    #[link_name = "fputwc"]
    fn libc_fputwc(character: WChar, file: *mut libc::FILE) -> u32;
    fn fwide(file: *mut libc::FILE, mode: c_int) -> c_int;
}

/// Prints to standard output.
///
/// # Safety
/// As of C's `vwprintf`.
#[unsafe(export_name = "ws_vwprintf")]
pub unsafe extern "system" fn vwprintf(format: *const WChar, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { vfwprintf(standard_output(), format, arguments) }
}

/// Prints to a file.
///
/// # Safety
/// As of C's `vfwprintf`.
#[unsafe(export_name = "ws_vfwprintf")]
pub unsafe extern "system" fn vfwprintf(file: *mut libc::FILE, format: *const WChar, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise.
    let Some(printed) = (unsafe { print(format, arguments, false) }) else { return -1 };
    // SAFETY: the caller's promise.
    if unsafe { put(file, &printed) } { count(printed.len()) } else { -1 }
}

/// Prints to memory: -1 if not all fits.
///
/// # Safety
/// As of C's `vswprintf`.
#[unsafe(export_name = "ws_vswprintf")]
pub unsafe extern "system" fn vswprintf(
    buffer: *mut WChar,
    size: usize,
    format: *const WChar,
    arguments: VaList,
) -> c_int {
    if buffer.is_null() || size == 0 {
        return -1;
    }
    // SAFETY: the caller's promise.
    let Some(printed) = (unsafe { print(format, arguments, true) }) else { return -1 };
    let fitting = printed.len().min(size - 1);
    // SAFETY: the buffer has `size` characters, by the caller.
    unsafe {
        ptr::copy_nonoverlapping(printed.as_ptr(), buffer, fitting);
        *buffer.add(fitting) = 0;
    }
    if printed.len() < size { count(printed.len()) } else { -1 }
}

/// Microsoft's older one: no zero at the end if there is no room for it, and -1 if not all fits.
///
/// # Safety
/// As of C's `vswprintf`.
#[unsafe(export_name = "ws__vsnwprintf")]
pub unsafe extern "system" fn _vsnwprintf(
    buffer: *mut WChar,
    size: usize,
    format: *const WChar,
    arguments: VaList,
) -> c_int {
    if buffer.is_null() && size != 0 {
        return -1;
    }
    // SAFETY: the caller's promise.
    let Some(mut printed) = (unsafe { print(format, arguments, false) }) else { return -1 };
    let length = printed.len();
    if buffer.is_null() {
        return count(length);
    }
    printed.push(0);
    // SAFETY: the buffer has `size` characters, by the caller.
    unsafe { ptr::copy_nonoverlapping(printed.as_ptr(), buffer, printed.len().min(size)) };
    if length > size { -1 } else { count(length) }
}

/// How many characters printing would give.
///
/// # Safety
/// As of C's `vwprintf`.
#[unsafe(export_name = "ws__vscwprintf")]
pub unsafe extern "system" fn _vscwprintf(format: *const WChar, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { print(format, arguments, false) }.map_or(-1, |printed| count(printed.len()))
}

/// Writes a text to a file.
///
/// # Safety
/// As of C's `fputws`.
#[unsafe(export_name = "ws_fputws")]
pub unsafe extern "system" fn fputws(text: *const WChar, file: *mut libc::FILE) -> c_int {
    // SAFETY: the caller's promise.
    let Some(units) = (unsafe { text::units(text) }) else { return -1 };
    // SAFETY: the caller's promise.
    if unsafe { put(file, units) } { 0 } else { -1 }
}

/// Writes a text and an end of line to standard output.
///
/// # Safety
/// `text` is null or ends with a zero.
#[unsafe(export_name = "ws__putws")]
pub unsafe extern "system" fn _putws(text: *const WChar) -> c_int {
    let file = standard_output();
    // SAFETY: the caller's promise.
    if unsafe { fputws(text, file) } < 0 || unsafe { fputwc(WChar::from(b'\n'), file) } == WEOF { -1 } else { 0 }
}

/// Writes a character to a file.
///
/// # Safety
/// As of C's `fputwc`.
#[unsafe(export_name = "ws_fputwc")]
pub unsafe extern "system" fn fputwc(character: WChar, file: *mut libc::FILE) -> u32 {
    // SAFETY: the caller's promise.
    if unsafe { put(file, &[character]) } { character } else { WEOF }
}

/// Writes a character to standard output.
#[unsafe(export_name = "ws_putwchar")]
pub extern "system" fn putwchar(character: WChar) -> u32 {
    // SAFETY: standard output is a file.
    unsafe { fputwc(character, standard_output()) }
}

const WEOF: u32 = u32::MAX;

/// The characters that a format and its arguments give. None if glibc cannot.
///
/// # Safety
/// `format` is null or ends with a zero; the arguments are those that it names. With `for_library`, a format that libstdc++
/// uses keeps its `long` of 64 bits: `std::to_wstring` prints by `vswprintf` with exactly `%ld` or `%lu`.
unsafe fn print(format: *const WChar, arguments: VaList, for_library: bool) -> Option<Vec<WChar>> {
    // SAFETY: the caller's promise.
    let units = unsafe { text::units(format) }?;
    let is_library = for_library && [*b"%ld", *b"%lu"].iter().any(|own| own.map(WChar::from) == *units);
    let translated = if is_library { None } else { translate(units, true) };
    let format = translated.as_ref().map_or(format, |translated| translated.as_ptr());

    let _utf8 = Utf8::enter();
    let (mut text, mut length) = (ptr::null_mut(), 0);
    // SAFETY: both outlive the stream, which is closed below.
    let stream = unsafe { open_wmemstream(&mut text, &mut length) };
    if stream.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; the stream is open, and after it is closed, the text has that length and is freed.
    unsafe {
        let result = libc_vfwprintf(stream, format, arguments.copy().as_list());
        let is_closed = libc::fclose(stream) == 0;
        let printed = (result >= 0 && is_closed).then(|| std::slice::from_raw_parts(text, length).to_vec());
        libc::free(text.cast());
        printed
    }
}

/// Writes characters to a file as UTF-8.
///
/// # Safety
/// `file` is null or an open file.
pub(super) unsafe fn put(file: *mut libc::FILE, characters: &[WChar]) -> bool {
    if file.is_null() {
        return false;
    }
    // SAFETY: the file is open.
    if unsafe { is_wide(file) } {
        // SAFETY: the same.
        return characters.iter().all(|&character| unsafe { libc_fputwc(character, file) } != WEOF);
    }
    let bytes = text::from_units(characters);
    // SAFETY: as many bytes as there are, and the file is open.
    unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), file) == bytes.len() }
}

/// Whether a file takes wide characters alone by now.
///
/// # Safety
/// `file` is an open file.
pub(super) unsafe fn is_wide(file: *mut libc::FILE) -> bool {
    // SAFETY: the caller's promise; nothing is changed.
    unsafe { fwide(file, 0) > 0 }
}

fn count(length: usize) -> c_int {
    c_int::try_from(length).unwrap_or(-1)
}
