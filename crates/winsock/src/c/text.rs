//! Strings as C passes them: bytes (UTF-8) for the A functions, `wchar_t` of 32 bits for the W functions.

use std::ffi::CStr;

use crate::error::is_bad;
use crate::types::*;

/// C's `wchar_t`.
pub(super) type WChar = u32;

/// A string of bytes: UTF-8 or, if it is none, Latin-1. None for a bad pointer.
///
/// # Safety
/// `text` is bad (null) or ends with a zero.
pub(super) unsafe fn narrow(text: PCSTR) -> Option<String> {
    if is_bad(text) {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(from_bytes(unsafe { CStr::from_ptr(text.cast()) }.to_bytes()))
}

/// Bytes as a string: UTF-8 or, if they are none, Latin-1.
pub(super) fn from_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// A string of `wchar_t`. None for a bad pointer; what is no character becomes U+FFFD.
///
/// # Safety
/// `text` is bad (null) or ends with a zero.
pub(super) unsafe fn wide(text: *const WChar) -> Option<String> {
    // SAFETY: the caller's promise.
    unsafe { units(text) }.map(from_units)
}

/// `wchar_t`s as a string.
pub(super) fn from_units(units: &[WChar]) -> String {
    units.iter().map(|&unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The `wchar_t`s before the zero. None for a bad pointer.
///
/// # Safety
/// `text` is bad (null) or ends with a zero, and lives for `'a`.
pub(super) unsafe fn units<'a>(text: *const WChar) -> Option<&'a [WChar]> {
    if is_bad(text) {
        return None;
    }
    let mut len = 0;
    // SAFETY: the caller promises a zero at the end, and nothing behind it is read.
    while unsafe { *text.add(len) } != 0 {
        len += 1;
    }
    // SAFETY: the loop has just read these.
    Some(unsafe { std::slice::from_raw_parts(text, len) })
}

/// A string in `wchar_t` without the zero.
pub(super) fn wide_of(text: &str) -> Vec<WChar> {
    text.chars().map(WChar::from).collect()
}

/// Copies `text` and a zero to `place`; false, and nothing copied, if there is no room for `size` units.
///
/// # Safety
/// `place` is writable for `size` units.
pub(super) unsafe fn put<T: Copy + Default>(text: &[T], place: *mut T, size: usize) -> bool {
    if is_bad(place) || text.len() >= size {
        return false;
    }
    // SAFETY: the caller's promise; there is room for the text and one more.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len());
        place.add(text.len()).write(T::default());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_string_are_read_to_their_zero() {
        let units: Vec<WChar> = "Größe 🦀".chars().map(WChar::from).chain([0, 65]).collect();
        // SAFETY: both strings end with a zero.
        unsafe {
            assert_eq!(wide(units.as_ptr()).as_deref(), Some("Größe 🦀"));
            assert_eq!(narrow(c"Größe".as_ptr().cast()).as_deref(), Some("Größe"));
            assert_eq!(narrow(c"\xb0\xa1".as_ptr().cast()).as_deref(), Some("°¡"));
            assert_eq!((wide(std::ptr::null()), narrow(8 as PCSTR)), (None, None));
        }
        assert_eq!(from_units(&[65, 0xd800, 0x11_0000]), "A\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_does_not_fit_is_not_begun() {
        let mut place = [9u8; 4];
        // SAFETY: the size is that of the array.
        unsafe {
            assert!(!put(b"abcd", place.as_mut_ptr(), 4));
            assert_eq!(place, [9; 4]);
            assert!(put(b"abc", place.as_mut_ptr(), 4));
            assert!(!put(b"", std::ptr::null_mut::<u8>(), 4));
        }
        assert_eq!(&place, b"abc\0");
    }
}
