//! What a program keeps with a window.

use super::window;
use crate::error::set_last_error;
use crate::types::*;

const WORD: usize = size_of::<isize>();

/// Reads what is kept with a window: GWLP_USERDATA, GWLP_WNDPROC, GWLP_ID, GWLP_HINSTANCE, or eight bytes of its own at an
/// offset (`cbWndExtra` of its class).
///
/// # Errors
/// 0 with ERROR_INVALID_WINDOW_HANDLE, or ERROR_INVALID_INDEX.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_GetWindowLongPtrA")]
pub unsafe extern "system" fn GetWindowLongPtrA(hwnd: HWND, nindex: WINDOW_LONG_PTR_INDEX) -> isize {
    finish(access(hwnd, nindex, None))
}

/// As [`GetWindowLongPtrA`].
///
/// # Errors
/// As for [`GetWindowLongPtrA`].
///
/// # Safety
/// As for [`GetWindowLongPtrA`].
#[unsafe(export_name = "ws_GetWindowLongPtrW")]
pub unsafe extern "system" fn GetWindowLongPtrW(hwnd: HWND, nindex: WINDOW_LONG_PTR_INDEX) -> isize {
    finish(access(hwnd, nindex, None))
}

/// Replaces what [`GetWindowLongPtrA`] reads; returns what was there before.
///
/// A success that returns 0 leaves the last error alone.
///
/// # Errors
/// As for [`GetWindowLongPtrA`].
///
/// # Safety
/// With GWLP_WNDPROC, the value is a window procedure.
#[unsafe(export_name = "ws_SetWindowLongPtrA")]
pub unsafe extern "system" fn SetWindowLongPtrA(hwnd: HWND, nindex: WINDOW_LONG_PTR_INDEX, dwnewlong: isize) -> isize {
    finish(access(hwnd, nindex, Some(dwnewlong)))
}

/// As [`SetWindowLongPtrA`].
///
/// # Errors
/// As for [`GetWindowLongPtrA`].
///
/// # Safety
/// As for [`SetWindowLongPtrA`].
#[unsafe(export_name = "ws_SetWindowLongPtrW")]
pub unsafe extern "system" fn SetWindowLongPtrW(hwnd: HWND, nindex: WINDOW_LONG_PTR_INDEX, dwnewlong: isize) -> isize {
    finish(access(hwnd, nindex, Some(dwnewlong)))
}

fn finish(value: Result<isize, WIN32_ERROR>) -> isize {
    value.unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Reads, and replaces if there is a new value.
fn access(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX, new: Option<isize>) -> Result<isize, WIN32_ERROR> {
    let (window, handle) = window::require(hwnd)?;
    window.with_data(handle, |data| {
        let place = match index {
            GWLP_WNDPROC => {
                return Ok(match new {
                    Some(new) => window.set_procedure_address(new as usize) as isize,
                    None => window.procedure_address() as isize,
                });
            }
            GWLP_USERDATA => &mut data.user,
            GWLP_ID => &mut data.id,
            GWLP_HINSTANCE => &mut data.instance,
            offset => {
                let offset = usize::try_from(offset).map_err(|_| ERROR_INVALID_INDEX)?;
                let bytes = data.extra.get_mut(offset..offset + WORD).ok_or(ERROR_INVALID_INDEX)?;
                let mut word = [0; WORD];
                word.copy_from_slice(bytes);
                if let Some(new) = new {
                    bytes.copy_from_slice(&new.to_ne_bytes());
                }
                return Ok(isize::from_ne_bytes(word));
            }
        };
        let old = *place;
        *place = new.unwrap_or(old);
        Ok(old)
    })?
}
