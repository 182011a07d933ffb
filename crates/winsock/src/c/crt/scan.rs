//! Reading: `scanf` with Microsoft's lengths (`I64`), and `scanf_s`, where each text's address is followed by the size of its
//! buffer.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::format::{Conversion, Length};
use super::va_list::VaList;
use crate::c::text::WChar;

unsafe extern "C" {
    static stdin: *mut libc::FILE;
    #[link_name = "__isoc99_vfscanf"]
    fn libc_vfscanf(file: *mut libc::FILE, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "__isoc99_vsscanf"]
    fn libc_vsscanf(text: *const c_char, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "__isoc99_vfwscanf"]
    fn libc_vfwscanf(file: *mut libc::FILE, format: *const WChar, arguments: *mut c_void) -> c_int;
    #[link_name = "__isoc99_vswscanf"]
    fn libc_vswscanf(text: *const WChar, format: *const WChar, arguments: *mut c_void) -> c_int;
}

/// Reads standard input.
///
/// # Safety
/// As of C's `vscanf`.
#[unsafe(export_name = "ws_vscanf")]
pub unsafe extern "system" fn vscanf(format: *const c_char, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise; libc sets `stdin` before anything runs.
    unsafe { vfscanf(stdin, format, arguments) }
}

/// Reads a file.
///
/// # Safety
/// As of C's `vfscanf`.
#[unsafe(export_name = "ws_vfscanf")]
pub unsafe extern "system" fn vfscanf(file: *mut libc::FILE, format: *const c_char, arguments: VaList) -> c_int {
    if file.is_null() || format.is_null() {
        return libc::EOF;
    }
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    unsafe { libc_vfscanf(file, glibc(CStr::from_ptr(format)).as_ptr(), arguments.copy().as_list()) }
}

/// Reads a text.
///
/// # Safety
/// As of C's `vsscanf`.
#[unsafe(export_name = "ws_vsscanf")]
pub unsafe extern "system" fn vsscanf(text: *const c_char, format: *const c_char, arguments: VaList) -> c_int {
    if text.is_null() || format.is_null() {
        return libc::EOF;
    }
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    unsafe { libc_vsscanf(text, glibc(CStr::from_ptr(format)).as_ptr(), arguments.copy().as_list()) }
}

/// Reads standard input as wide characters, by a format of glibc's.
///
/// # Safety
/// As of C's `vwscanf`.
#[unsafe(export_name = "ws_vwscanf")]
pub unsafe extern "system" fn vwscanf(format: *const WChar, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise; libc sets `stdin` before anything runs.
    unsafe { vfwscanf(stdin, format, arguments) }
}

/// Reads a file as wide characters, by a format of glibc's.
///
/// # Safety
/// As of C's `vfwscanf`.
#[unsafe(export_name = "ws_vfwscanf")]
pub unsafe extern "system" fn vfwscanf(file: *mut libc::FILE, format: *const WChar, arguments: VaList) -> c_int {
    if file.is_null() || format.is_null() {
        return libc::EOF;
    }
    // SAFETY: the caller's promise.
    unsafe { libc_vfwscanf(file, format, arguments.copy().as_list()) }
}

/// Reads a wide text, by a format of glibc's.
///
/// # Safety
/// As of C's `vswscanf`.
#[unsafe(export_name = "ws_vswscanf")]
pub unsafe extern "system" fn vswscanf(text: *const WChar, format: *const WChar, arguments: VaList) -> c_int {
    if text.is_null() || format.is_null() {
        return libc::EOF;
    }
    // SAFETY: the caller's promise.
    unsafe { libc_vswscanf(text, format, arguments.copy().as_list()) }
}

/// A format of `scanf` in glibc's language.
pub(super) fn glibc(format: &CStr) -> CString {
    let mut plain = Vec::with_capacity(format.count_bytes() + 1);
    for item in items(format.to_bytes()) {
        match item {
            Item::Text(text) => plain.extend_from_slice(text),
            Item::Conversion { before_length, after_length, .. } => {
                plain.extend_from_slice(before_length);
                plain.extend_from_slice(&after_length);
            }
        }
    }
    CString::new(plain).unwrap_or_default()
}

/// What the headers have room for, and what a call of libc here passes.
const MOST_ARGUMENTS: usize = 32;
const MOST_ADDRESSES: usize = 16;

/// How many arguments a format of `scanf_s` takes, the sizes counted. -1 if it cannot be read so.
///
/// # Safety
/// `format` is null or ends with a zero.
#[unsafe(export_name = "ws__ws_scan_s_arguments")]
pub unsafe extern "system" fn _ws_scan_s_arguments(format: *const c_char) -> c_int {
    if format.is_null() {
        return -1;
    }
    // SAFETY: the caller's promise.
    let items = items(unsafe { CStr::from_ptr(format) }.to_bytes());
    let arguments: usize = items.iter().map(Item::arguments).sum();
    let addresses = items.iter().filter(|item| item.arguments() > 0).count();
    if arguments > MOST_ARGUMENTS || addresses > MOST_ADDRESSES {
        return -1;
    }
    c_int::try_from(arguments).unwrap_or(-1)
}

/// Reads from `file`, or from `text` if there is no file, what the format says. `arguments` are the call's, those that are
/// sizes in the low 32 bits.
///
/// # Safety
/// `file` is null or open; `text` is null or ends with a zero; `format` ends with a zero; `arguments` has as many entries
/// as [`_ws_scan_s_arguments`] says, addresses of what the conversions give.
#[unsafe(export_name = "ws__ws_scan_s")]
pub unsafe extern "system" fn _ws_scan_s(
    file: *mut libc::FILE,
    text: *const c_char,
    format: *const c_char,
    arguments: *mut *mut c_void,
) -> c_int {
    if format.is_null() || (file.is_null() && text.is_null()) {
        return libc::EOF;
    }
    // SAFETY: the caller's promise.
    let items = items(unsafe { CStr::from_ptr(format) }.to_bytes());
    let mut next = arguments;
    let mut plain = Vec::new();
    let mut addresses = [std::ptr::null_mut(); MOST_ADDRESSES];
    let mut used = 0;
    for item in &items {
        let Item::Conversion { before_length, after_length, conversion } = item else {
            let Item::Text(text) = item else { continue };
            plain.extend_from_slice(text);
            continue;
        };
        if item.arguments() == 0 || used == MOST_ADDRESSES {
            plain.extend_from_slice(before_length);
            plain.extend_from_slice(after_length);
            continue;
        }
        // SAFETY: as many as the format takes, by the caller.
        addresses[used] = unsafe { *next };
        used += 1;
        // SAFETY: as above.
        next = unsafe { next.add(1) };
        if item.arguments() == 2 {
            // SAFETY: as above.
            let size = unsafe { *next } as usize & 0xffff_ffff;
            // SAFETY: as above, or one behind the last.
            next = unsafe { next.add(1) };
            let room = if conversion.kind == b'c' { size } else { size.saturating_sub(1) };
            if room == 0 {
                return libc::EOF;
            }
            let default = if conversion.kind == b'c' { 1 } else { room };
            plain.push(b'%');
            plain.extend_from_slice(conversion.width.unwrap_or(default).min(room).to_string().as_bytes());
        } else {
            plain.extend_from_slice(before_length);
        }
        plain.extend_from_slice(after_length);
    }
    let Ok(plain) = CString::new(plain) else { return libc::EOF };
    let a = &addresses;
    // SAFETY: the caller's promise; the format takes the first `used` addresses, the rest are not looked at.
    unsafe {
        if file.is_null() {
            libc::sscanf(
                text,
                plain.as_ptr(),
                a[0],
                a[1],
                a[2],
                a[3],
                a[4],
                a[5],
                a[6],
                a[7],
                a[8],
                a[9],
                a[10],
                a[11],
                a[12],
                a[13],
                a[14],
                a[15],
            )
        } else {
            libc::fscanf(
                file,
                plain.as_ptr(),
                a[0],
                a[1],
                a[2],
                a[3],
                a[4],
                a[5],
                a[6],
                a[7],
                a[8],
                a[9],
                a[10],
                a[11],
                a[12],
                a[13],
                a[14],
                a[15],
            )
        }
    }
}

/// A piece of a format.
enum Item<'a> {
    Text(&'a [u8]),
    Conversion {
        /// `%`, `*` and the width.
        before_length: &'a [u8],
        /// glibc's length, and the letter with what belongs to it.
        after_length: Vec<u8>,
        conversion: Conversion,
    },
}

impl Item<'_> {
    fn arguments(&self) -> usize {
        match self {
            Self::Conversion { conversion, .. } if conversion.is_suppressed || conversion.kind == b'%' => 0,
            Self::Conversion { conversion, .. } if b"sSc[".contains(&conversion.kind) => 2,
            Self::Conversion { .. } => 1,
            Self::Text(_) => 0,
        }
    }
}

fn items(format: &[u8]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < format.len() {
        let read = if format[at] == b'%' { Conversion::read(format, at) } else { None };
        let Some((conversion, mut end)) = read else {
            items.push(Item::Text(&format[at..=at]));
            at += 1;
            continue;
        };
        let letter = end - 1;
        if conversion.kind == b'[' {
            end = end_of_set(format, end);
        }
        let length: &[u8] = match conversion.size {
            Length::I64 => b"ll",
            Length::I => b"z",
            Length::None | Length::I32 | Length::W => b"",
            Length::H => b"h",
            Length::L => b"l",
            Length::Other => &format[conversion.length()..letter],
        };
        let mut after_length = length.to_vec();
        after_length.extend_from_slice(&format[letter..end]);
        items.push(Item::Conversion { before_length: &format[at..conversion.length()], after_length, conversion });
        at = end;
    }
    items
}

/// Behind the `]` that ends a set, which may have one as its first character.
fn end_of_set(format: &[u8], mut at: usize) -> usize {
    if format.get(at) == Some(&b'^') {
        at += 1;
    }
    if format.get(at) == Some(&b']') {
        at += 1;
    }
    while at < format.len() && format[at] != b']' {
        at += 1;
    }
    (at + 1).min(format.len())
}
