//! Semaphore objects.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateSemaphoreW(
    _lpsemaphoreattributes: *const SECURITY_ATTRIBUTES,
    _linitialcount: i32,
    _lmaximumcount: i32,
    _lpname: PCWSTR,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn ReleaseSemaphore(
    _hsemaphore: HANDLE,
    _lreleasecount: i32,
    _lppreviouscount: *mut i32,
) -> BOOL {
    FALSE
}
