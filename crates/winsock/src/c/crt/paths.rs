//! What takes a path in the C runtime: libc's functions, with `\` taken for `/` as CreateFile takes it.

use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use libc::{FILE, c_int};

use crate::c::text::{WChar, wide};
use crate::error::is_bad;
use crate::types::PCSTR;

/// A path as Linux knows it.
fn native(path: &[u8]) -> CString {
    let path: Vec<u8> = path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    // It has no zero, since it ended with one.
    CString::new(path).unwrap_or_default()
}

/// Calls libc with a path; EINVAL without one.
///
/// # Safety
/// `path` is bad (null) or ends with a zero.
unsafe fn with<T>(path: PCSTR, failed: T, call: impl FnOnce(*const libc::c_char) -> T) -> T {
    if is_bad(path) {
        // SAFETY: libc's errno is thread-local and its address is valid while the thread lives.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return failed;
    }
    // SAFETY: the caller's promise.
    let path = native(unsafe { CStr::from_ptr(path.cast()) }.to_bytes());
    call(path.as_ptr())
}

/// Opens a file.
///
/// # Safety
/// As for C's `fopen`; `name` may be null.
#[unsafe(export_name = "ws_fopen")]
pub unsafe extern "system" fn fopen(name: PCSTR, mode: PCSTR) -> *mut FILE {
    // SAFETY: the caller's promise.
    unsafe { with(name, null_mut(), |name| libc::fopen(name, mode.cast())) }
}

/// Opens a file by a wide name.
///
/// # Safety
/// `name` and `mode` are null or end with a zero.
#[unsafe(export_name = "ws__wfopen")]
pub unsafe extern "system" fn _wfopen(name: *const WChar, mode: *const WChar) -> *mut FILE {
    let text = |text: Option<String>| text.and_then(|text| CString::new(text).ok());
    // SAFETY: the caller's promise; what is not null ends with a zero.
    unsafe {
        let (name, mode) = (text(wide(name)), text(wide(mode)));
        let Some(mode) = mode else { return with(null(), null_mut(), |_| null_mut()) };
        fopen(name.as_ref().map_or(null(), |name| name.as_ptr().cast()), mode.as_ptr().cast())
    }
}

/// Opens a file in another's place, or the same in another mode.
///
/// # Safety
/// As for C's `freopen`.
#[unsafe(export_name = "ws_freopen")]
pub unsafe extern "system" fn freopen(name: PCSTR, mode: PCSTR, file: *mut FILE) -> *mut FILE {
    // SAFETY: the caller's promise.
    unsafe {
        if name.is_null() {
            return libc::freopen(null(), mode.cast(), file);
        }
        with(name, null_mut(), |name| libc::freopen(name, mode.cast(), file))
    }
}

/// Deletes a file.
///
/// # Safety
/// `name` is null or ends with a zero.
#[unsafe(export_name = "ws_remove")]
pub unsafe extern "system" fn remove(name: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(name, -1, |name| libc::remove(name)) }
}

/// Gives a file another name; one that has that name already is replaced, as in Linux.
///
/// # Safety
/// The names are null or end with zeros.
#[unsafe(export_name = "ws_rename")]
pub unsafe extern "system" fn rename(old: PCSTR, new: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(old, -1, |old| with(new, -1, |new| libc::rename(old, new))) }
}

/// Whether a file is there (0), can be written (2), read (4).
///
/// # Safety
/// `path` is null or ends with a zero.
#[unsafe(export_name = "ws__access")]
pub unsafe extern "system" fn _access(path: PCSTR, mode: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(path, -1, |path| libc::access(path, mode)) }
}

/// Makes a directory.
///
/// # Safety
/// `path` is null or ends with a zero.
#[unsafe(export_name = "ws__mkdir")]
pub unsafe extern "system" fn _mkdir(path: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(path, -1, |path| libc::mkdir(path, 0o777)) }
}

/// Removes an empty directory.
///
/// # Safety
/// `path` is null or ends with a zero.
#[unsafe(export_name = "ws__rmdir")]
pub unsafe extern "system" fn _rmdir(path: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(path, -1, |path| libc::rmdir(path)) }
}

/// Changes the current directory.
///
/// # Safety
/// `path` is null or ends with a zero.
#[unsafe(export_name = "ws__chdir")]
pub unsafe extern "system" fn _chdir(path: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(path, -1, |path| libc::chdir(path)) }
}

/// Deletes a file.
///
/// # Safety
/// `path` is null or ends with a zero.
#[unsafe(export_name = "ws__unlink")]
pub unsafe extern "system" fn _unlink(path: PCSTR) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(path, -1, |path| libc::unlink(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_lie_between_the_parts_of_a_path() {
        let folder = std::env::temp_dir().join(format!("winsock-paths-{}", std::process::id()));
        let path = |name: &str| CString::new(format!("{}{name}", folder.display()).replace('/', "\\")).expect("a path");
        let units = |text: &str| text.chars().map(WChar::from).chain([0]).collect::<Vec<_>>();
        let (a, b) = (path("\\a"), path("\\b"));
        let (a, b): (PCSTR, PCSTR) = (a.as_ptr().cast(), b.as_ptr().cast());
        // SAFETY: strings end with zeros; each file is closed once.
        unsafe {
            assert_eq!(_mkdir(path("").as_ptr().cast()), 0);
            let file = fopen(a, c"w".as_ptr().cast());
            assert!(!file.is_null() && folder.join("a").is_file());
            let file = freopen(b, c"w".as_ptr().cast(), file);
            assert!(!file.is_null() && folder.join("b").is_file());
            libc::fclose(file);
            assert_eq!((remove(b), rename(a, b), _access(a, 0), _access(b, 6)), (0, 0, -1, 0));
            let wide_name = units(&path("\\b").into_string().expect("a path"));
            let file = _wfopen(wide_name.as_ptr(), units("r").as_ptr());
            assert!(!file.is_null());
            libc::fclose(file);
            assert_eq!((_unlink(b), _rmdir(path("").as_ptr().cast())), (0, 0));
            assert!(!folder.exists());
            assert_eq!((fopen(null(), c"r".as_ptr().cast()), _access(null(), 0)), (null_mut(), -1));
            assert_eq!(*libc::__errno_location(), libc::EINVAL);
        }
    }
}
