//! Fetching messages.

use std::time::Instant;

use super::filter::{Filter, POSTED, Recipient};
use super::queue::{self, Found, Look, Message, Otherwise, Queue};
use super::window;
use crate::dispatcher;
use crate::error::{is_bad, set_last_error};
use crate::thread;
use crate::types::*;

const ALL_KINDS: u32 = QS_SENDMESSAGE | POSTED | QS_TIMER;

/// The value of a message filter that means the thread's own messages is not a window, and neither is none.
fn is_gone(filter: &Filter) -> bool {
    matches!(filter.recipient, Recipient::Window(handle) if window::find(handle as usize).is_none())
}

/// Waits for a message and takes it: FALSE if it is WM_QUIT, else TRUE.
///
/// In this order: messages that other threads have sent run, posted messages come first in, first out, then WM_QUIT if
/// PostQuitMessage was called, then timers. `hwnd` may be null for all messages, a window of this thread (and those below
/// it), or -1 for messages without a window; `wmsgfiltermin` and `wmsgfiltermax` both 0 mean all messages. WM_QUIT passes
/// every filter. The wait is not alertable.
///
/// # Errors
/// -1 with ERROR_INVALID_WINDOW_HANDLE, also when the window is destroyed meanwhile, or ERROR_NOACCESS.
///
/// # Safety
/// `lpmsg` is writable.
///
/// ```
/// use std::ptr::{null, null_mut};
/// use winsock::*;
///
/// unsafe extern "system" fn procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
///     // SAFETY: the arguments are those that the procedure was called with.
///     unsafe {
///         match message {
///             WM_USER => PostQuitMessage(wparam as i32),
///             _ => return DefWindowProcA(hwnd, message, wparam, lparam),
///         }
///     }
///     0
/// }
///
/// let name = c"a window without picture".as_ptr().cast();
/// let class = WNDCLASSA { lpfnWndProc: Some(procedure), lpszClassName: name, ..Default::default() };
/// // SAFETY: the name is a string, the procedure is one, and the message is writable.
/// unsafe {
///     assert_ne!(RegisterClassA(&class), 0);
///     let hwnd = CreateWindowExA(0, name, null(), 0, 0, 0, 0, 0, HWND_MESSAGE, null_mut(), null_mut(), null());
///     assert!(!hwnd.is_null());
///     assert_ne!(PostMessageA(hwnd, WM_USER, 42, 0), FALSE);
///     let mut msg = MSG::default();
///     while GetMessageA(&mut msg, null_mut(), 0, 0) > 0 {
///         TranslateMessage(&msg);
///         DispatchMessageA(&msg);
///     }
///     assert_eq!(msg.wParam, 42);
/// }
/// ```
#[unsafe(export_name = "ws_GetMessageA")]
pub unsafe extern "system" fn GetMessageA(lpmsg: *mut MSG, hwnd: HWND, wmsgfiltermin: u32, wmsgfiltermax: u32) -> BOOL {
    let message = if is_bad(lpmsg) {
        Err(ERROR_NOACCESS)
    } else {
        Filter::new(hwnd, wmsgfiltermin, wmsgfiltermax).and_then(|filter| get(&filter))
    };
    match message {
        Ok(message) => {
            // SAFETY: the caller's promise.
            unsafe { lpmsg.write(message.to_msg()) };
            if message.message == WM_QUIT { FALSE } else { TRUE }
        }
        Err(code) => {
            set_last_error(code);
            -1
        }
    }
}

/// As [`GetMessageA`].
///
/// # Errors
/// As for [`GetMessageA`].
///
/// # Safety
/// As for [`GetMessageA`].
#[unsafe(export_name = "ws_GetMessageW")]
pub unsafe extern "system" fn GetMessageW(lpmsg: *mut MSG, hwnd: HWND, wmsgfiltermin: u32, wmsgfiltermax: u32) -> BOOL {
    // SAFETY: the caller's promise is the same.
    unsafe { GetMessageA(lpmsg, hwnd, wmsgfiltermin, wmsgfiltermax) }
}

fn get(filter: &Filter) -> Result<Message, WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let look = Look { filter: *filter, kinds: ALL_KINDS, remove: true };
    loop {
        match queue.look(&look, Otherwise::Wait) {
            Found::Sent(sent) => sent.run(),
            Found::Message(message) => {
                harvest_now_and_then();
                return Ok(message);
            }
            Found::Nothing(_) if is_gone(filter) => {
                queue.disarm(0);
                return Err(ERROR_INVALID_WINDOW_HANDLE);
            }
            Found::Nothing(due) => {
                let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
                dispatcher::wait(std::slice::from_ref(&queue.event), false, timeout, false);
            }
        }
    }
}

/// Looks for a message, without waiting; FALSE if there is none.
///
/// Order and filters are [`GetMessageA`]'s. PM_REMOVE takes the message out, PM_NOREMOVE leaves it. The upper half of
/// `wremovemsg` may name the kinds of input to look for (`PM_QS_POSTMESSAGE` and its like). An empty queue first takes in
/// what has happened at the thread's sockets.
///
/// # Errors
/// FALSE with ERROR_INVALID_WINDOW_HANDLE or ERROR_NOACCESS; with no message, the last error is as it was.
///
/// # Safety
/// `lpmsg` is writable.
#[unsafe(export_name = "ws_PeekMessageA")]
pub unsafe extern "system" fn PeekMessageA(
    lpmsg: *mut MSG,
    hwnd: HWND,
    wmsgfiltermin: u32,
    wmsgfiltermax: u32,
    wremovemsg: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    let message = if is_bad(lpmsg) {
        Err(ERROR_NOACCESS)
    } else {
        let filter = Filter::new(hwnd, wmsgfiltermin, wmsgfiltermax);
        filter.and_then(|filter| peek(&look_for(filter, wremovemsg)))
    };
    match message {
        Ok(Some(message)) => {
            // SAFETY: the caller's promise.
            unsafe { lpmsg.write(message.to_msg()) };
            TRUE
        }
        Ok(None) => FALSE,
        Err(code) => {
            set_last_error(code);
            FALSE
        }
    }
}

/// As [`PeekMessageA`].
///
/// # Errors
/// As for [`PeekMessageA`].
///
/// # Safety
/// As for [`PeekMessageA`].
#[unsafe(export_name = "ws_PeekMessageW")]
pub unsafe extern "system" fn PeekMessageW(
    lpmsg: *mut MSG,
    hwnd: HWND,
    wmsgfiltermin: u32,
    wmsgfiltermax: u32,
    wremovemsg: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    // SAFETY: the caller's promise is the same.
    unsafe { PeekMessageA(lpmsg, hwnd, wmsgfiltermin, wmsgfiltermax, wremovemsg) }
}

fn look_for(filter: Filter, flags: PEEK_MESSAGE_REMOVE_TYPE) -> Look {
    let kinds = match flags >> 16 {
        0 => ALL_KINDS,
        kinds => kinds,
    };
    Look { filter, kinds, remove: flags & PM_REMOVE != 0 }
}

fn peek(look: &Look) -> Result<Option<Message>, WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    if let Some(message) = look_until(queue, look, Otherwise::Harvest) {
        harvest_now_and_then();
        return Ok(Some(message));
    }
    // Takes in what has happened at the thread's sockets.
    thread::current().harvest();
    Ok(look_until(queue, look, Otherwise::Return))
}

fn look_until(queue: &Queue, look: &Look, otherwise: Otherwise) -> Option<Message> {
    loop {
        match queue.look(look, otherwise) {
            Found::Sent(sent) => sent.run(),
            Found::Message(message) => return Some(message),
            Found::Nothing(_) => return None,
        }
    }
}

/// A thread whose queue is never empty must not starve its sockets.
fn harvest_now_and_then() {
    thread::current().harvest_now_and_then(1);
}

/// Which kinds of input (QS_…) are in the calling thread's queue, in the upper half, and which came since the thread last
/// looked, in the lower. Those of `flags` are no longer new after the call.
///
/// # Errors
/// None.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_GetQueueStatus")]
pub unsafe extern "system" fn GetQueueStatus(flags: QUEUE_STATUS_FLAGS) -> u32 {
    let (changed, present) = queue::current().map_or((0, 0), |queue| queue.status(flags));
    present << 16 | changed & 0xffff
}
