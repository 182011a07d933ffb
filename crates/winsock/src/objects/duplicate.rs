//! DuplicateHandle.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DuplicateHandle(
    _hsourceprocesshandle: HANDLE,
    _hsourcehandle: HANDLE,
    _htargetprocesshandle: HANDLE,
    _lptargethandle: *mut HANDLE,
    _dwdesiredaccess: u32,
    _binherithandle: BOOL,
    _dwoptions: DUPLICATE_HANDLE_OPTIONS,
) -> BOOL {
    FALSE
}
