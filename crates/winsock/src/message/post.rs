//! Posting messages.

use super::queue::{self, Message, Queue};
use super::window;
use crate::error::finish_bool;
use crate::types::*;

/// Posts a message to a window and returns at once. With a null window the message is the calling thread's own; with
/// HWND_BROADCAST every window gets it that has no parent and is not message-only.
///
/// # Errors
/// FALSE with ERROR_INVALID_WINDOW_HANDLE, or ERROR_NOT_ENOUGH_QUOTA if 10,000 messages wait in the queue.
///
/// # Safety
/// The parameters are what the window's procedure expects with this message.
#[unsafe(export_name = "ws_PostMessageA")]
pub unsafe extern "system" fn PostMessageA(hwnd: HWND, msg: u32, wparam: WPARAM, lparam: LPARAM) -> BOOL {
    if hwnd == HWND_BROADCAST {
        for handle in window::top_level() {
            // A window that is gone or has no room is none of the caller's business.
            let _ = post(handle as usize, msg, wparam, lparam);
        }
        return TRUE;
    }
    if hwnd.is_null() {
        let own = queue::current().ok_or(ERROR_INVALID_THREAD_ID);
        return finish_bool(own.and_then(|queue| post_to_thread(queue, msg, wparam, lparam)));
    }
    finish_bool(post(hwnd as usize, msg, wparam, lparam))
}

/// As [`PostMessageA`].
///
/// # Errors
/// As for [`PostMessageA`].
///
/// # Safety
/// As for [`PostMessageA`].
#[unsafe(export_name = "ws_PostMessageW")]
pub unsafe extern "system" fn PostMessageW(hwnd: HWND, msg: u32, wparam: WPARAM, lparam: LPARAM) -> BOOL {
    // SAFETY: the caller's promise is the same.
    unsafe { PostMessageA(hwnd, msg, wparam, lparam) }
}

/// Posts a message to a thread; it belongs to no window. The thread has a queue once it has looked for messages.
///
/// # Errors
/// FALSE with ERROR_INVALID_THREAD_ID if there is no such thread or it has no queue; ERROR_NOT_ENOUGH_QUOTA.
///
/// # Safety
/// The parameters are what the thread expects with this message.
#[unsafe(export_name = "ws_PostThreadMessageA")]
pub unsafe extern "system" fn PostThreadMessageA(idthread: u32, msg: u32, wparam: WPARAM, lparam: LPARAM) -> BOOL {
    let queue = queue::of_thread(idthread).ok_or(ERROR_INVALID_THREAD_ID);
    finish_bool(queue.and_then(|queue| {
        let message = Message::new(0, msg, wparam, lparam);
        // The thread may end meanwhile, and its queue be another's.
        let posted = queue.post(|| queue.thread() == idthread, message);
        posted.map_err(|code| if code == ERROR_INVALID_WINDOW_HANDLE { ERROR_INVALID_THREAD_ID } else { code })
    }))
}

/// As [`PostThreadMessageA`].
///
/// # Errors
/// As for [`PostThreadMessageA`].
///
/// # Safety
/// As for [`PostThreadMessageA`].
#[unsafe(export_name = "ws_PostThreadMessageW")]
pub unsafe extern "system" fn PostThreadMessageW(idthread: u32, msg: u32, wparam: WPARAM, lparam: LPARAM) -> BOOL {
    // SAFETY: the caller's promise is the same.
    unsafe { PostThreadMessageA(idthread, msg, wparam, lparam) }
}

/// Has the calling thread's message loop end: when no posted message is left, WM_QUIT is made, with `nexitcode` in wParam.
///
/// # Errors
/// None.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_PostQuitMessage")]
pub unsafe extern "system" fn PostQuitMessage(nexitcode: i32) {
    if let Some(queue) = queue::current() {
        queue.post_quit(nexitcode);
    }
}

/// Posts what has happened at a socket (A11); false if the window is gone. Called under the socket's lock.
pub(crate) fn post_network_event(hwnd: usize, message: u32, socket: SOCKET, bit: u32, error: u32) -> bool {
    let Some((window, handle)) = window::find(hwnd) else { return false };
    let lparam = (bit & 0xffff | (error & 0xffff) << 16) as LPARAM;
    window.queue().post_always(|| window.means(handle), Message::new(handle, message, socket, lparam)).is_ok()
}

fn post(hwnd: usize, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), WIN32_ERROR> {
    let (window, handle) = window::find(hwnd).ok_or(ERROR_INVALID_WINDOW_HANDLE)?;
    window.queue().post(|| window.means(handle), Message::new(handle, message, wparam, lparam))
}

fn post_to_thread(queue: &Queue, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), WIN32_ERROR> {
    queue.post(|| true, Message::new(0, message, wparam, lparam))
}
