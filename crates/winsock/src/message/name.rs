//! Class names, as the two families of functions pass them.

use std::ffi::CStr;

use crate::error::is_bad;
use crate::types::*;

/// How a program names a class.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClassName {
    /// By what RegisterClass returned, in place of a pointer (the macro MAKEINTATOM).
    Atom(u16),
    /// By a string; folded to one case, since case does not count.
    Text(String),
}

impl ClassName {
    /// From a string of bytes: UTF-8, or else Latin-1. Any two strings that a program distinguishes stay distinct, whatever
    /// code page it was written in, as long as it passes the same bytes each time.
    ///
    /// # Safety
    /// `name` is an atom, a bad pointer or a string that ends with a zero.
    pub(super) unsafe fn from_bytes(name: PCSTR) -> Option<ClassName> {
        if is_bad(name) {
            return ClassName::from_atom(name.addr());
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { CStr::from_ptr(name.cast()) }.to_bytes();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_lowercase(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().to_lowercase(),
        };
        Some(ClassName::Text(text))
    }

    /// From text.
    pub(crate) fn from_text(text: &str) -> ClassName {
        ClassName::Text(text.to_lowercase())
    }

    /// From a string of UTF-16.
    ///
    /// # Safety
    /// As for [`ClassName::from_bytes`].
    pub(super) unsafe fn from_wide(name: PCWSTR) -> Option<ClassName> {
        if is_bad(name) {
            return ClassName::from_atom(name.addr());
        }
        let mut len = 0;
        // SAFETY: the caller promises a zero at the end, and nothing behind it is read.
        while unsafe { *name.add(len) } != 0 {
            len += 1;
        }
        // SAFETY: the loop has just read these.
        let units = unsafe { std::slice::from_raw_parts(name, len) };
        Some(ClassName::Text(String::from_utf16_lossy(units).to_lowercase()))
    }

    /// From the value of a pointer that is none.
    pub(crate) fn from_atom(value: usize) -> Option<ClassName> {
        u16::try_from(value).ok().filter(|&atom| atom != 0).map(ClassName::Atom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().chain([0]).collect()
    }

    #[test]
    fn both_families_mean_the_same_name_and_case_does_not_count() {
        let name = wide("Größe");
        // SAFETY: both strings end with a zero.
        let (a, w) =
            unsafe { (ClassName::from_bytes(c"GRÖßE".as_ptr().cast()), ClassName::from_wide(name.as_ptr())) };
        assert_eq!(a, w);
        assert!(matches!(a, Some(ClassName::Text(_))));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_a_name_all_the_same() {
        // SAFETY: all strings end with a zero.
        let [first, second, same] =
            [c"\xb0\xa1", c"\xb0\xa2", c"\xb0\xa1"].map(|name| unsafe { ClassName::from_bytes(name.as_ptr().cast()) });
        assert_ne!(first, second);
        assert_eq!(first, same);
    }

    #[test]
    fn a_small_number_in_place_of_a_pointer_is_an_atom() {
        // SAFETY: no pointers are passed.
        unsafe {
            assert_eq!(ClassName::from_bytes(0xc001 as PCSTR), Some(ClassName::Atom(0xc001)));
            assert_eq!(ClassName::from_wide(0xc001 as PCWSTR), Some(ClassName::Atom(0xc001)));
            assert_eq!(ClassName::from_wide(std::ptr::null()), None);
        }
    }
}
