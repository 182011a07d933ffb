//! Files by wide names; those who know no 64-bit sizes; deleting.

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::c::text::{WChar, from_units, units};
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::file::{self, GetFileSizeEx, SetFilePointerEx};
use crate::types::*;

/// A wide path in UTF-8; what is no character makes it no path.
///
/// # Safety
/// `path` is null or ends with a zero.
unsafe fn utf8(path: *const WChar) -> Result<CString, WIN32_ERROR> {
    // SAFETY: the caller's promise.
    let units = unsafe { units(path) }.ok_or(ERROR_PATH_NOT_FOUND)?;
    if units.iter().any(|&unit| char::from_u32(unit).is_none()) {
        return Err(ERROR_INVALID_NAME);
    }
    CString::new(from_units(units)).map_err(|_| ERROR_INVALID_NAME)
}

/// [`crate::CreateFileA`] by a wide path.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateFileW")]
pub unsafe extern "system" fn CreateFileW(
    lpfilename: *const WChar,
    dwdesiredaccess: u32,
    dwsharemode: FILE_SHARE_MODE,
    lpsecurityattributes: *const SECURITY_ATTRIBUTES,
    dwcreationdisposition: FILE_CREATION_DISPOSITION,
    dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
    htemplatefile: HANDLE,
) -> HANDLE {
    // SAFETY: the caller's promise.
    match unsafe { utf8(lpfilename) } {
        // SAFETY: the caller's promise; the path lives through the call.
        Ok(path) => unsafe {
            file::CreateFileA(
                path.as_ptr().cast(),
                dwdesiredaccess,
                dwsharemode,
                lpsecurityattributes,
                dwcreationdisposition,
                dwflagsandattributes,
                htemplatefile,
            )
        },
        Err(code) => {
            set_last_error(code);
            INVALID_HANDLE_VALUE
        }
    }
}

/// Moves the position of a file, as [`SetFilePointerEx`]; a distance without a high half is signed. Answers the low half
/// of the new position.
///
/// # Errors
/// INVALID_SET_FILE_POINTER (0xffffffff) with the codes of SetFilePointerEx, and ERROR_INVALID_PARAMETER, with nothing moved,
/// for a place that needs the high half and has no room for it. As it is a position as well, the last error is 0 after
/// success.
///
/// # Safety
/// `lpdistancetomovehigh` is null or readable and writable.
#[unsafe(export_name = "ws_SetFilePointer")]
pub unsafe extern "system" fn SetFilePointer(
    hfile: HANDLE,
    ldistancetomove: i32,
    lpdistancetomovehigh: *mut i32,
    dwmovemethod: SET_FILE_POINTER_MOVE_METHOD,
) -> u32 {
    // SAFETY: the caller's promise.
    let distance = match unsafe { lpdistancetomovehigh.as_ref() } {
        Some(&high) => i64::from(high) << 32 | i64::from(ldistancetomove as u32),
        None => ldistancetomove.into(),
    };
    let (mut before, mut position) = (0, 0);
    // SAFETY: the places live through the calls.
    let moved = unsafe {
        SetFilePointerEx(hfile, 0, &mut before, FILE_CURRENT) != FALSE
            && SetFilePointerEx(hfile, distance, &mut position, dwmovemethod) != FALSE
    };
    if !moved {
        return INVALID_SET_FILE_POINTER;
    }
    // SAFETY: the caller's promise.
    match unsafe { lpdistancetomovehigh.as_mut() } {
        Some(high) => *high = (position >> 32) as i32,
        None if position >> 32 != 0 => {
            // SAFETY: nothing is asked of the caller.
            unsafe { SetFilePointerEx(hfile, before, std::ptr::null_mut(), FILE_BEGIN) };
            set_last_error(ERROR_INVALID_PARAMETER);
            return INVALID_SET_FILE_POINTER;
        }
        None => {}
    }
    set_last_error(ERROR_SUCCESS);
    position as u32
}

/// The low half of a file's size.
///
/// # Errors
/// INVALID_FILE_SIZE (0xffffffff) with the codes of [`GetFileSizeEx`]. As it is a size as well, the last error is 0 after
/// success.
///
/// # Safety
/// `lpfilesizehigh` is null or writable.
#[unsafe(export_name = "ws_GetFileSize")]
pub unsafe extern "system" fn GetFileSize(hfile: HANDLE, lpfilesizehigh: *mut u32) -> u32 {
    let mut size = 0;
    // SAFETY: the place lives through the call.
    if unsafe { GetFileSizeEx(hfile, &mut size) } == FALSE {
        return INVALID_FILE_SIZE;
    }
    // SAFETY: the caller's promise.
    if let Some(high) = unsafe { lpfilesizehigh.as_mut() } {
        *high = (size >> 32) as u32;
    }
    set_last_error(ERROR_SUCCESS);
    size as u32
}

/// Deletes a file that is not open here, or whose handles share deletion.
///
/// # Errors
/// FALSE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED (also for a directory),
/// ERROR_SHARING_VIOLATION.
///
/// # Safety
/// `lpfilename` is null or ends with a zero.
#[unsafe(export_name = "ws_DeleteFileA")]
pub unsafe extern "system" fn DeleteFileA(lpfilename: PCSTR) -> BOOL {
    if is_bad(lpfilename) {
        return finish_bool(Err(ERROR_PATH_NOT_FOUND));
    }
    // SAFETY: the caller's promise.
    let path = unsafe { std::ffi::CStr::from_ptr(lpfilename.cast()) };
    finish_bool(delete(path.to_bytes()))
}

/// [`DeleteFileA`] by a wide path.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_DeleteFileW")]
pub unsafe extern "system" fn DeleteFileW(lpfilename: *const WChar) -> BOOL {
    // SAFETY: the caller's promise.
    finish_bool(unsafe { utf8(lpfilename) }.and_then(|path| delete(path.to_bytes())))
}

fn delete(path: &[u8]) -> Result<(), WIN32_ERROR> {
    let path: Vec<u8> = path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    file::delete(Path::new(&PathBuf::from(std::ffi::OsString::from_vec(path))))
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use super::*;
    use crate::error::last_error;
    use crate::{CloseHandle, WriteFile};

    #[test]
    fn a_file_is_made_measured_and_deleted_by_its_wide_name() {
        let path = std::env::temp_dir().join(format!("winsock-c-files-{}-ü", std::process::id()));
        let windows = path.to_str().expect("UTF-8").replace('/', "\\");
        let name: Vec<WChar> = windows.chars().map(WChar::from).chain([0]).collect();
        // SAFETY: the names end with a zero; the buffers are live.
        unsafe {
            let open = |share| {
                CreateFileW(name.as_ptr(), GENERIC_READ | GENERIC_WRITE, share, null(), CREATE_ALWAYS, 0, null_mut())
            };
            let file = open(0);
            assert_ne!(file, INVALID_HANDLE_VALUE);
            let mut written = 0;
            assert_eq!(WriteFile(file, b"hello".as_ptr(), 5, &mut written, null_mut()), TRUE);
            let mut high = 7;
            assert_eq!((GetFileSize(file, &mut high), high), (5, 0));
            assert_eq!(SetFilePointer(file, -2, null_mut(), FILE_CURRENT), 3);
            assert_eq!(SetFilePointer(file, -4, null_mut(), FILE_CURRENT), INVALID_SET_FILE_POINTER);
            assert_eq!(last_error(), ERROR_NEGATIVE_SEEK);
            let mut high = 1;
            assert_eq!((SetFilePointer(file, 1, &mut high, FILE_BEGIN), high), (1, 1));
            assert_eq!(SetFilePointer(file, 1, null_mut(), FILE_CURRENT), INVALID_SET_FILE_POINTER, "no room for it");
            let mut high = 0;
            assert_eq!((SetFilePointer(file, 0, &mut high, FILE_CURRENT), high), (1, 1), "where it was");
            assert_eq!((DeleteFileW(name.as_ptr()), last_error()), (FALSE, ERROR_SHARING_VIOLATION));
            CloseHandle(file);
            assert_eq!(DeleteFileW(name.as_ptr()), TRUE);
            assert!(!path.exists());
            assert_eq!((DeleteFileW(name.as_ptr()), last_error()), (FALSE, ERROR_FILE_NOT_FOUND));
            assert_eq!((DeleteFileA(c"/".as_ptr().cast()), last_error()), (FALSE, ERROR_ACCESS_DENIED));
            assert_eq!((DeleteFileA(null()), last_error()), (FALSE, ERROR_PATH_NOT_FOUND));
            assert_eq!((GetFileSize(null_mut(), null_mut()), last_error()), (INVALID_FILE_SIZE, ERROR_INVALID_HANDLE));
            let surrogate = [0xd800, 0];
            let file = CreateFileW(surrogate.as_ptr(), GENERIC_READ, 0, null(), OPEN_EXISTING, 0, null_mut());
            assert_eq!((file, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_NAME));
        }
    }
}
