//! Overlapped files.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateFileA(
    _lpfilename: PCSTR,
    _dwdesiredaccess: u32,
    _dwsharemode: FILE_SHARE_MODE,
    _lpsecurityattributes: *const SECURITY_ATTRIBUTES,
    _dwcreationdisposition: FILE_CREATION_DISPOSITION,
    _dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
    _htemplatefile: HANDLE,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateFileW(
    _lpfilename: PCWSTR,
    _dwdesiredaccess: u32,
    _dwsharemode: FILE_SHARE_MODE,
    _lpsecurityattributes: *const SECURITY_ATTRIBUTES,
    _dwcreationdisposition: FILE_CREATION_DISPOSITION,
    _dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
    _htemplatefile: HANDLE,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn ReadFile(
    _hfile: HANDLE,
    _lpbuffer: *mut u8,
    _nnumberofbytestoread: u32,
    _lpnumberofbytesread: *mut u32,
    _lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WriteFile(
    _hfile: HANDLE,
    _lpbuffer: *const u8,
    _nnumberofbytestowrite: u32,
    _lpnumberofbyteswritten: *mut u32,
    _lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn ReadFileEx(
    _hfile: HANDLE,
    _lpbuffer: *mut u8,
    _nnumberofbytestoread: u32,
    _lpoverlapped: *mut OVERLAPPED,
    _lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WriteFileEx(
    _hfile: HANDLE,
    _lpbuffer: *const u8,
    _nnumberofbytestowrite: u32,
    _lpoverlapped: *mut OVERLAPPED,
    _lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SetFilePointerEx(
    _hfile: HANDLE,
    _lidistancetomove: i64,
    _lpnewfilepointer: *mut i64,
    _dwmovemethod: SET_FILE_POINTER_MOVE_METHOD,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetFileSizeEx(_hfile: HANDLE, _lpfilesize: *mut i64) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn FlushFileBuffers(_hfile: HANDLE) -> BOOL {
    FALSE
}
