//! Mutex objects.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateMutexW(
    _lpmutexattributes: *const SECURITY_ATTRIBUTES,
    _binitialowner: BOOL,
    _lpname: PCWSTR,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn ReleaseMutex(_hmutex: HANDLE) -> BOOL {
    FALSE
}
