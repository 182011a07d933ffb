//! Messages that are sent: their sender waits until the window procedure has returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use super::filter::Filter;
use super::procedure;
use super::queue::{self, Found, Look, Otherwise, Queue};
use super::window;
use crate::dispatcher::{self, Object};
use crate::error::set_last_error;
use crate::types::*;

/// A message on its way to another thread. Dropped without being run, because its window or thread is gone, it is
/// answered with 0.
pub(super) struct Sent {
    window: u32,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    reply: Arc<Reply>,
}

struct Reply {
    result: AtomicIsize,
    /// The sender may go on.
    done: Object,
}

impl Sent {
    pub(super) fn is_for(&self, window: u32) -> bool {
        self.window == window
    }

    /// Runs the window's procedure, on its thread and with no lock held.
    pub(super) fn run(self) {
        // SAFETY: the sender has promised that the message's parameters are what the window expects.
        let result = unsafe { procedure::call(self.window as usize, self.message, self.wparam, self.lparam) };
        self.reply.result.store(result, Ordering::Release);
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.reply.done.set();
    }
}

/// Sends a message to a window and returns what its procedure answers.
///
/// To a window of the calling thread it is a call. To one of another thread the message is handed over, and runs there
/// when that thread looks for messages; meanwhile messages that are sent to the caller run here. HWND_BROADCAST sends to
/// every window without parent that is not message-only, and answers 1.
///
/// # Errors
/// 0 with ERROR_INVALID_WINDOW_HANDLE; 0 too if the window is destroyed before the message has run.
///
/// # Safety
/// The parameters are what the window's procedure expects with this message.
#[unsafe(export_name = "ws_SendMessageA")]
pub unsafe extern "system" fn SendMessageA(hwnd: HWND, msg: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if hwnd == HWND_BROADCAST {
        for window in window::top_level() {
            // A window that is destroyed meanwhile is none of the caller's business.
            let _ = send(window as usize, msg, wparam, lparam);
        }
        return 1;
    }
    send(hwnd as usize, msg, wparam, lparam).unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// As [`SendMessageA`]: no message here has a string in it.
///
/// # Errors
/// As for [`SendMessageA`].
///
/// # Safety
/// As for [`SendMessageA`].
#[unsafe(export_name = "ws_SendMessageW")]
pub unsafe extern "system" fn SendMessageW(hwnd: HWND, msg: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: the caller's promise is the same.
    unsafe { SendMessageA(hwnd, msg, wparam, lparam) }
}

fn send(hwnd: usize, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<LRESULT, WIN32_ERROR> {
    let (window, handle) = window::find(hwnd).ok_or(ERROR_INVALID_WINDOW_HANDLE)?;
    let theirs = window.queue();
    if theirs.is_current() {
        // SAFETY: the caller of SendMessage promises this.
        return Ok(unsafe { procedure::call(hwnd, message, wparam, lparam) });
    }
    let own = queue::current().ok_or(ERROR_INVALID_WINDOW_HANDLE)?;
    let reply = Arc::new(Reply { result: AtomicIsize::new(0), done: Object::event(true, false) });
    let sent = Sent { window: handle, message, wparam, lparam, reply: reply.clone() };
    theirs.send(|| window.means(handle), sent)?;
    wait_for(&reply, own);
    Ok(reply.result.load(Ordering::Acquire))
}

/// Waits for the answer; runs what is sent to the caller meanwhile, or two that send to each other would wait for ever.
fn wait_for(reply: &Reply, own: &Queue) {
    let look = Look { filter: Filter::ALL, kinds: QS_SENDMESSAGE, remove: true };
    let objects = [reply.done.clone(), own.event.clone()];
    while !reply.done.is_set() {
        match own.look(&look, Otherwise::Wait) {
            Found::Sent(sent) => sent.run(),
            _ => drop(dispatcher::wait(&objects, false, None, false)),
        }
    }
    own.disarm(0);
}
