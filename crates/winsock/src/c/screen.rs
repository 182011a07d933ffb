//! What programs with windows call, where there is no screen: accepted, and answered as if done.
//!
//! Icons, cursors and brushes are values that mean nothing. A message box goes to the standard error stream, and nobody
//! answers it.

use std::io::Write;

use crate::c::text::{WChar, narrow, wide};
use crate::error::finish_bool;
use crate::message;
use crate::types::*;

/// What stands for any icon, cursor, brush or font: no address and no handle of the table.
const RESOURCE: usize = 0x0001_0001;

fn require(hwnd: HWND) -> Result<(), WIN32_ERROR> {
    if message::is_window(hwnd as usize) { Ok(()) } else { Err(ERROR_INVALID_WINDOW_HANDLE) }
}

/// Accepted. Answers FALSE, that the window was not visible, also with ERROR_INVALID_WINDOW_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_ShowWindow")]
pub unsafe extern "system" fn ShowWindow(hwnd: HWND, _ncmdshow: i32) -> BOOL {
    if let Err(code) = require(hwnd) {
        return finish_bool(Err(code));
    }
    FALSE
}

/// Accepted; FALSE with ERROR_INVALID_WINDOW_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_UpdateWindow")]
pub unsafe extern "system" fn UpdateWindow(hwnd: HWND) -> BOOL {
    finish_bool(require(hwnd))
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller: nothing is read.
#[unsafe(export_name = "ws_LoadIconA")]
pub unsafe extern "system" fn LoadIconA(_hinstance: HINSTANCE, _lpiconname: PCSTR) -> *mut core::ffi::c_void {
    RESOURCE as _
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller: nothing is read.
#[unsafe(export_name = "ws_LoadIconW")]
pub unsafe extern "system" fn LoadIconW(_hinstance: HINSTANCE, _lpiconname: *const WChar) -> *mut core::ffi::c_void {
    RESOURCE as _
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller: nothing is read.
#[unsafe(export_name = "ws_LoadCursorA")]
pub unsafe extern "system" fn LoadCursorA(_hinstance: HINSTANCE, _lpcursorname: PCSTR) -> *mut core::ffi::c_void {
    RESOURCE as _
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller: nothing is read.
#[unsafe(export_name = "ws_LoadCursorW")]
pub unsafe extern "system" fn LoadCursorW(
    _hinstance: HINSTANCE,
    _lpcursorname: *const WChar,
) -> *mut core::ffi::c_void {
    RESOURCE as _
}

/// Accepted; null for a number that no stock object has.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetStockObject")]
pub unsafe extern "system" fn GetStockObject(i: i32) -> *mut core::ffi::c_void {
    match i {
        0..=8 | 10..=19 => RESOURCE as _,
        _ => std::ptr::null_mut(),
    }
}

/// Writes caption and text to the standard error stream.
///
/// Answers what the default button would, but never "retry": IDABORT or IDCANCEL instead, as nobody looks after what
/// went wrong.
///
/// # Safety
/// Both strings are null or end with a zero.
#[unsafe(export_name = "ws_MessageBoxA")]
pub unsafe extern "system" fn MessageBoxA(_hwnd: HWND, lptext: PCSTR, lpcaption: PCSTR, utype: u32) -> i32 {
    // SAFETY: the caller's promise.
    let (text, caption) = unsafe { (narrow(lptext), narrow(lpcaption)) };
    message_box(text, caption, utype)
}

/// [`MessageBoxA`] for wide strings.
///
/// # Safety
/// Both strings are null or end with a zero.
#[unsafe(export_name = "ws_MessageBoxW")]
pub unsafe extern "system" fn MessageBoxW(
    _hwnd: HWND,
    lptext: *const WChar,
    lpcaption: *const WChar,
    utype: u32,
) -> i32 {
    // SAFETY: the caller's promise.
    let (text, caption) = unsafe { (wide(lptext), wide(lpcaption)) };
    message_box(text, caption, utype)
}

fn message_box(text: Option<String>, caption: Option<String>, style: u32) -> i32 {
    let (text, caption) = (text.unwrap_or_default(), caption.unwrap_or_else(|| "Error".to_owned()));
    // Nobody can be told that there is no such stream.
    let _ = writeln!(std::io::stderr().lock(), "{caption}: {text}");
    answer(style)
}

/// The number of the button that is pressed, as it were.
fn answer(style: u32) -> i32 {
    const OK: i32 = 1;
    const CANCEL: i32 = 2;
    const ABORT: i32 = 3;
    const IGNORE: i32 = 5;
    const YES: i32 = 6;
    const NO: i32 = 7;
    // By the kind of box, its buttons in their order.
    let buttons = match style & 0xf {
        0 => [OK, OK, OK],
        1 => [OK, CANCEL, OK],
        2 => [ABORT, ABORT, IGNORE],
        3 => [YES, NO, CANCEL],
        4 => [YES, NO, YES],
        5 => [CANCEL, CANCEL, CANCEL],
        _ => return 0,
    };
    // MB_DEFBUTTON2 is 0x100, MB_DEFBUTTON3 0x200.
    buttons.get(((style >> 8) & 0xf) as usize).copied().unwrap_or(buttons[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_answered_with_its_default_button_but_nothing_is_tried_for_ever() {
        assert_eq!([0x10, 0x01, 0x101, 0x04, 0x104, 0x23, 0x203].map(answer), [1, 1, 2, 6, 7, 6, 2]);
        assert_eq!([0x02, 0x102, 0x05].map(answer), [3, 3, 2]);
    }

    #[test]
    fn what_is_no_window_or_no_object_is_said() {
        // SAFETY: nothing is asked of the caller.
        unsafe {
            assert_eq!(UpdateWindow(0x10 as HWND), FALSE);
            assert_eq!(crate::GetLastError(), ERROR_INVALID_WINDOW_HANDLE);
            assert!(!GetStockObject(0).is_null() && GetStockObject(9).is_null() && GetStockObject(-1).is_null());
            assert!(!LoadIconA(std::ptr::null_mut(), 32512 as PCSTR).is_null());
        }
    }
}
