//! Printing in bytes: `printf` and its sisters. The headers have the variadic ones, over these.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use super::format::translate;
use super::va_list::VaList;

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    #[link_name = "vfprintf"]
    fn libc_vfprintf(file: *mut libc::FILE, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "vsprintf"]
    fn libc_vsprintf(buffer: *mut c_char, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "vsnprintf"]
    fn libc_vsnprintf(buffer: *mut c_char, size: usize, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "vasprintf"]
    fn libc_vasprintf(buffer: *mut *mut c_char, format: *const c_char, arguments: *mut c_void) -> c_int;
    #[link_name = "vdprintf"]
    fn libc_vdprintf(fd: c_int, format: *const c_char, arguments: *mut c_void) -> c_int;
}

/// Prints to standard output.
///
/// # Safety
/// As of C's `vprintf`.
#[unsafe(export_name = "ws_vprintf")]
pub unsafe extern "system" fn vprintf(format: *const c_char, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise; libc sets `stdout` before anything runs.
    unsafe { vfprintf(standard_output(), format, arguments) }
}

/// Prints to a file.
///
/// # Safety
/// As of C's `vfprintf`.
#[unsafe(export_name = "ws_vfprintf")]
pub unsafe extern "system" fn vfprintf(file: *mut libc::FILE, format: *const c_char, arguments: VaList) -> c_int {
    if file.is_null() || format.is_null() {
        return -1;
    }
    let _utf8 = Utf8::enter();
    // SAFETY: the caller's promise.
    if unsafe { super::print_wide::is_wide(file) } {
        // SAFETY: the same.
        return unsafe { to_wide_file(file, format, arguments) };
    }
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    unsafe { libc_vfprintf(file, glibc(format).as_ptr().cast(), arguments.copy().as_list()) }
}

/// Prints to memory, without knowing how much there is.
///
/// # Safety
/// As of C's `vsprintf`.
#[unsafe(export_name = "ws_vsprintf")]
pub unsafe extern "system" fn vsprintf(buffer: *mut c_char, format: *const c_char, arguments: VaList) -> c_int {
    if buffer.is_null() || format.is_null() {
        return -1;
    }
    let _utf8 = Utf8::enter();
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    unsafe { libc_vsprintf(buffer, glibc(format).as_ptr().cast(), arguments.copy().as_list()) }
}

/// Prints what fits to memory.
///
/// # Safety
/// As of C's `vsnprintf`.
#[unsafe(export_name = "ws_vsnprintf")]
pub unsafe extern "system" fn vsnprintf(
    buffer: *mut c_char,
    size: usize,
    format: *const c_char,
    arguments: VaList,
) -> c_int {
    if format.is_null() || (buffer.is_null() && size != 0) {
        return -1;
    }
    let _utf8 = Utf8::enter();
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    unsafe { libc_vsnprintf(buffer, size, glibc(format).as_ptr().cast(), arguments.copy().as_list()) }
}

/// Microsoft's older one: no zero at the end if there is no room for it, and -1 if not all fits.
///
/// # Safety
/// As of C's `vsnprintf`.
#[unsafe(export_name = "ws__vsnprintf")]
pub unsafe extern "system" fn _vsnprintf(
    buffer: *mut c_char,
    size: usize,
    format: *const c_char,
    arguments: VaList,
) -> c_int {
    if format.is_null() || (buffer.is_null() && size != 0) {
        return -1;
    }
    let mut text: *mut c_char = std::ptr::null_mut();
    let _utf8 = Utf8::enter();
    // SAFETY: the caller's promise, and the translated format asks for the same arguments.
    let length = unsafe { libc_vasprintf(&mut text, glibc(format).as_ptr().cast(), arguments.copy().as_list()) };
    let Ok(written) = usize::try_from(length) else { return -1 };
    // SAFETY: `text` has `written` bytes and a zero, the buffer `size`, by the caller; `text` is freed once.
    unsafe {
        if !buffer.is_null() {
            std::ptr::copy_nonoverlapping(text, buffer, size.min(written + 1));
        }
        libc::free(text.cast());
    }
    if written > size && !buffer.is_null() { -1 } else { length }
}

/// Prints to a block of memory, as glibc does.
///
/// # Safety
/// As of glibc's `vasprintf`.
#[unsafe(export_name = "ws_vasprintf")]
pub unsafe extern "system" fn vasprintf(buffer: *mut *mut c_char, format: *const c_char, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libc_vasprintf(buffer, format, arguments.copy().as_list()) }
}

/// Prints to a descriptor, as glibc does.
///
/// # Safety
/// As of glibc's `vdprintf`.
#[unsafe(export_name = "ws_vdprintf")]
pub unsafe extern "system" fn vdprintf(fd: c_int, format: *const c_char, arguments: VaList) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libc_vdprintf(fd, format, arguments.copy().as_list()) }
}

/// Prints to a file that `std::wcout` has made one of wide characters, to which libc prints no bytes any more.
///
/// # Safety
/// As of C's `vfprintf`.
unsafe fn to_wide_file(file: *mut libc::FILE, format: *const c_char, arguments: VaList) -> c_int {
    let mut text = std::ptr::null_mut();
    // SAFETY: the caller's promise; a text that is made ends with a zero and is freed once.
    unsafe {
        let length = libc_vasprintf(&mut text, glibc(format).as_ptr().cast(), arguments.copy().as_list());
        if length < 0 {
            return length;
        }
        let characters: Vec<_> = CStr::from_ptr(text).to_string_lossy().chars().map(u32::from).collect();
        libc::free(text.cast());
        if super::print_wide::put(file, &characters) { length } else { -1 }
    }
}

pub(super) fn standard_output() -> *mut libc::FILE {
    // SAFETY: libc has set it before anything runs; a program that assigns to it while others print is at fault.
    unsafe { stdout }
}

/// A format in glibc's language.
///
/// # Safety
/// `format` ends with a zero and lives for `'a`.
unsafe fn glibc<'a>(format: *const c_char) -> Cow<'a, [u8]> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { CStr::from_ptr(format) }.to_bytes_with_nul();
    match translate(&bytes[..bytes.len() - 1], false) {
        Some(translated) => Cow::Owned(translated),
        None => Cow::Borrowed(bytes),
    }
}

/// While it lives, wide characters are printed as UTF-8 on this thread, also if the program has set no locale.
pub(super) struct Utf8 {
    before: libc::locale_t,
}

impl Utf8 {
    pub(super) fn enter() -> Option<Self> {
        static LOCALE: OnceLock<usize> = OnceLock::new();
        unsafe extern "C" {
            fn __ctype_get_mb_cur_max() -> usize;
        }
        // SAFETY: takes nothing.
        if unsafe { __ctype_get_mb_cur_max() } > 1 {
            return None;
        }
        // SAFETY: the name is a C string, and the locale is never freed.
        let locale = *LOCALE.get_or_init(|| unsafe {
            libc::newlocale(libc::LC_CTYPE_MASK, c"C.UTF-8".as_ptr(), std::ptr::null_mut()) as usize
        });
        if locale == 0 {
            return None;
        }
        // SAFETY: a locale that lives for ever.
        Some(Self { before: unsafe { libc::uselocale(locale as libc::locale_t) } })
    }
}

impl Drop for Utf8 {
    fn drop(&mut self) {
        // SAFETY: what this thread had before.
        unsafe { libc::uselocale(self.before) };
    }
}
