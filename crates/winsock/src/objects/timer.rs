//! Waitable timers.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateWaitableTimerW(
    _lptimerattributes: *const SECURITY_ATTRIBUTES,
    _bmanualreset: BOOL,
    _lptimername: PCWSTR,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SetWaitableTimer(
    _htimer: HANDLE,
    _lpduetime: *const i64,
    _lperiod: i32,
    _pfncompletionroutine: PTIMERAPCROUTINE,
    _lpargtocompletionroutine: *const core::ffi::c_void,
    _fresume: BOOL,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CancelWaitableTimer(_htimer: HANDLE) -> BOOL {
    FALSE
}
