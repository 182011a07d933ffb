//! Calling window procedures.

use super::create::DestroyWindow;
use super::queue;
use super::window;
use crate::error::is_bad;
use crate::os;
use crate::types::*;

/// Calls the procedure of a window of the calling thread, with no lock held; 0 if there is no such window.
///
/// # Safety
/// The parameters are what the procedure expects with this message.
pub(super) unsafe fn call(hwnd: usize, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    let Some((window, _)) = window::find(hwnd) else { return 0 };
    if !window.queue().is_current() {
        return 0;
    }
    match window.procedure() {
        // SAFETY: it is a window procedure, as the program promised to RegisterClass or SetWindowLongPtr.
        Some(procedure) => unsafe { procedure(hwnd as HWND, message, wparam, lparam) },
        None => 0,
    }
}

/// Hands a message that GetMessage or PeekMessage has fetched to its window's procedure, or WM_TIMER to its timer's.
/// Returns what that answers.
///
/// A message of the thread itself, or to a window that is gone or another thread's, goes nowhere. So does WM_TIMER with a
/// procedure that no timer of the thread has.
///
/// # Errors
/// None; 0 if nothing was called.
///
/// # Safety
/// `lpmsg` points to a message as one of those functions has filled it.
#[unsafe(export_name = "ws_DispatchMessageA")]
pub unsafe extern "system" fn DispatchMessageA(lpmsg: *const MSG) -> LRESULT {
    if is_bad(lpmsg) {
        return 0;
    }
    // SAFETY: the caller's promise.
    let msg = unsafe { &*lpmsg };
    if msg.message == WM_TIMER && msg.lParam != 0 {
        return call_timer(msg);
    }
    // SAFETY: the message's sender promised that it fits.
    unsafe { call(msg.hwnd as usize, msg.message, msg.wParam, msg.lParam) }
}

/// As [`DispatchMessageA`].
///
/// # Errors
/// As for [`DispatchMessageA`].
///
/// # Safety
/// As for [`DispatchMessageA`].
#[unsafe(export_name = "ws_DispatchMessageW")]
pub unsafe extern "system" fn DispatchMessageW(lpmsg: *const MSG) -> LRESULT {
    // SAFETY: the caller's promise is the same.
    unsafe { DispatchMessageA(lpmsg) }
}

/// Anybody may post WM_TIMER with any number in it: only what a timer of this thread has is called.
fn call_timer(msg: &MSG) -> LRESULT {
    let address = msg.lParam as usize;
    let known = queue::existing().is_some_and(|queue| queue.with_timers(|timers| timers.has_procedure(address)));
    // SAFETY: the address of a TIMERPROC, or of none: a timer has it, and SetTimer's caller promised so.
    let procedure = known.then(|| unsafe { std::mem::transmute::<usize, TIMERPROC>(address) }).flatten();
    if let Some(procedure) = procedure {
        // SAFETY: SetTimer's caller promised that it is one.
        unsafe { procedure(msg.hwnd, WM_TIMER, msg.wParam, os::milliseconds()) };
    }
    0
}

/// Turns key strokes into characters: there are none, so that nothing is translated.
///
/// # Errors
/// None; always FALSE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_TranslateMessage")]
pub unsafe extern "system" fn TranslateMessage(_lpmsg: *const MSG) -> BOOL {
    FALSE
}

/// What a window procedure does with messages that it does not know: WM_NCCREATE lets the window come into being,
/// WM_CLOSE destroys it, all others do nothing.
///
/// # Errors
/// None.
///
/// # Safety
/// As for the window procedure that calls it.
#[unsafe(export_name = "ws_DefWindowProcA")]
pub unsafe extern "system" fn DefWindowProcA(hwnd: HWND, msg: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    match msg {
        WM_NCCREATE => 1,
        WM_CLOSE => {
            // SAFETY: nothing is asked of the caller.
            unsafe { DestroyWindow(hwnd) };
            0
        }
        _ => 0,
    }
}

/// As [`DefWindowProcA`].
///
/// # Errors
/// None.
///
/// # Safety
/// As for [`DefWindowProcA`].
#[unsafe(export_name = "ws_DefWindowProcW")]
pub unsafe extern "system" fn DefWindowProcW(hwnd: HWND, msg: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: the caller's promise is the same.
    unsafe { DefWindowProcA(hwnd, msg, wparam, lparam) }
}
