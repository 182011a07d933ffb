//! Threads as objects.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateThread(
    _lpthreadattributes: *const SECURITY_ATTRIBUTES,
    _dwstacksize: usize,
    _lpstartaddress: LPTHREAD_START_ROUTINE,
    _lpparameter: *const core::ffi::c_void,
    _dwcreationflags: THREAD_CREATION_FLAGS,
    _lpthreadid: *mut u32,
) -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn ResumeThread(_hthread: HANDLE) -> u32 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetExitCodeThread(_hthread: HANDLE, _lpexitcode: *mut u32) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetCurrentThread() -> HANDLE {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetCurrentThreadId() -> u32 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetCurrentProcess() -> HANDLE {
    std::ptr::null_mut()
}
