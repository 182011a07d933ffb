//! Windows and message queues, as far as WSAAsyncSelect needs them.

use crate::types::*;

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn RegisterClassA(_lpwndclass: *const WNDCLASSA) -> u16 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn RegisterClassW(_lpwndclass: *const WNDCLASSW) -> u16 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn RegisterClassExA(_param0: *const WNDCLASSEXA) -> u16 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn RegisterClassExW(_param0: *const WNDCLASSEXW) -> u16 {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn UnregisterClassA(_lpclassname: PCSTR, _hinstance: HINSTANCE) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn UnregisterClassW(_lpclassname: PCWSTR, _hinstance: HINSTANCE) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateWindowExA(
    _dwexstyle: WINDOW_EX_STYLE,
    _lpclassname: PCSTR,
    _lpwindowname: PCSTR,
    _dwstyle: WINDOW_STYLE,
    _x: i32,
    _y: i32,
    _nwidth: i32,
    _nheight: i32,
    _hwndparent: HWND,
    _hmenu: HMENU,
    _hinstance: HINSTANCE,
    _lpparam: *const core::ffi::c_void,
) -> HWND {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn CreateWindowExW(
    _dwexstyle: WINDOW_EX_STYLE,
    _lpclassname: PCWSTR,
    _lpwindowname: PCWSTR,
    _dwstyle: WINDOW_STYLE,
    _x: i32,
    _y: i32,
    _nwidth: i32,
    _nheight: i32,
    _hwndparent: HWND,
    _hmenu: HMENU,
    _hinstance: HINSTANCE,
    _lpparam: *const core::ffi::c_void,
) -> HWND {
    std::ptr::null_mut()
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DestroyWindow(_hwnd: HWND) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn IsWindow(_hwnd: HWND) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetMessageA(
    _lpmsg: *mut MSG,
    _hwnd: HWND,
    _wmsgfiltermin: u32,
    _wmsgfiltermax: u32,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetMessageW(
    _lpmsg: *mut MSG,
    _hwnd: HWND,
    _wmsgfiltermin: u32,
    _wmsgfiltermax: u32,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PeekMessageA(
    _lpmsg: *mut MSG,
    _hwnd: HWND,
    _wmsgfiltermin: u32,
    _wmsgfiltermax: u32,
    _wremovemsg: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PeekMessageW(
    _lpmsg: *mut MSG,
    _hwnd: HWND,
    _wmsgfiltermin: u32,
    _wmsgfiltermax: u32,
    _wremovemsg: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PostMessageA(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PostMessageW(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PostThreadMessageA(_idthread: u32, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PostThreadMessageW(_idthread: u32, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SendMessageA(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SendMessageW(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DispatchMessageA(_lpmsg: *const MSG) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DispatchMessageW(_lpmsg: *const MSG) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn TranslateMessage(_lpmsg: *const MSG) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DefWindowProcA(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn DefWindowProcW(_hwnd: HWND, _msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn PostQuitMessage(_nexitcode: i32) {}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SetTimer(_hwnd: HWND, _nidevent: usize, _uelapse: u32, _lptimerfunc: TIMERPROC) -> usize {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn KillTimer(_hwnd: HWND, _uidevent: usize) -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn MsgWaitForMultipleObjects(
    _ncount: u32,
    _phandles: *const HANDLE,
    _fwaitall: BOOL,
    _dwmilliseconds: u32,
    _dwwakemask: QUEUE_STATUS_FLAGS,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn MsgWaitForMultipleObjectsEx(
    _ncount: u32,
    _phandles: *const HANDLE,
    _dwmilliseconds: u32,
    _dwwakemask: QUEUE_STATUS_FLAGS,
    _dwflags: MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
) -> WAIT_EVENT {
    WAIT_FAILED
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn WaitMessage() -> BOOL {
    FALSE
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetWindowLongPtrA(_hwnd: HWND, _nindex: WINDOW_LONG_PTR_INDEX) -> isize {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetWindowLongPtrW(_hwnd: HWND, _nindex: WINDOW_LONG_PTR_INDEX) -> isize {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SetWindowLongPtrA(
    _hwnd: HWND,
    _nindex: WINDOW_LONG_PTR_INDEX,
    _dwnewlong: isize,
) -> isize {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn SetWindowLongPtrW(
    _hwnd: HWND,
    _nindex: WINDOW_LONG_PTR_INDEX,
    _dwnewlong: isize,
) -> isize {
    0
}

/// Not offered yet.
///
/// # Safety
/// Nothing is asked of the caller.
pub unsafe extern "system" fn GetQueueStatus(_flags: QUEUE_STATUS_FLAGS) -> u32 {
    0
}

/// A descriptor that is readable while messages wait in the calling thread's queue, or may be made by readiness of the
/// sockets that post to it; the queue's own, open until the thread ends.
///
/// # Errors
/// The `errno` of the system call that failed.
pub fn message_queue_fd() -> Result<std::os::fd::RawFd, i32> {
    Err(libc::ENOSYS)
}
