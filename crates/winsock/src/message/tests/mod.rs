//! What the tests of windows and queues share. Each test has its own thread, and so its own queue.

mod descriptor;
mod fetching;
mod msg_wait;
mod network;
mod posting;
mod sending;
mod timers;
mod windows;

use std::cell::RefCell;
use std::ffi::CString;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::types::*;

/// A message as a window procedure saw it.
pub(super) type Seen = (u32, WPARAM, LPARAM);

thread_local! {
    static SEEN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

/// What the windows of this thread have seen since the last call.
pub(super) fn seen() -> Vec<Seen> {
    SEEN.take()
}

/// The numbers of the messages that [`seen`] tells.
pub(super) fn seen_messages() -> Vec<u32> {
    seen().into_iter().map(|(message, ..)| message).collect()
}

/// Notes what it sees, and does what windows do.
pub(super) unsafe extern "system" fn recorder(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    SEEN.with_borrow_mut(|seen| seen.push((message, wparam, lparam)));
    // SAFETY: called as a window procedure.
    unsafe { DefWindowProcA(hwnd, message, wparam, lparam) }
}

/// A class that no other test has.
pub(super) fn class(procedure: WNDPROC, extra: i32) -> CString {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("Test class {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let name = CString::new(name).expect("no zero inside");
    let class = WNDCLASSA {
        lpfnWndProc: procedure,
        cbWndExtra: extra,
        lpszClassName: name.as_ptr().cast(),
        ..WNDCLASSA::default()
    };
    // SAFETY: the class is valid.
    assert_ne!(unsafe { RegisterClassA(&raw const class) }, 0);
    name
}

pub(super) fn create(class: &CString, parent: HWND) -> HWND {
    let name = class.as_ptr().cast();
    // SAFETY: the name is a string.
    unsafe { CreateWindowExA(0, name, null(), 0, 0, 0, 0, 0, parent, null_mut(), null_mut(), null()) }
}

/// The calling thread, for PostThreadMessage.
pub(super) fn own_id() -> u32 {
    // SAFETY: no precondition.
    unsafe { crate::GetCurrentThreadId() }
}

/// A message-only window with a procedure; its first messages are forgotten.
pub(super) fn window_with(procedure: WNDPROC) -> HWND {
    let hwnd = create(&class(procedure, 0), HWND_MESSAGE);
    assert!(!hwnd.is_null(), "error {}", crate::error::last_error());
    seen();
    hwnd
}

pub(super) fn window() -> HWND {
    window_with(Some(recorder))
}

pub(super) fn peek_for(hwnd: HWND, first: u32, last: u32, flags: u32) -> Option<MSG> {
    let mut msg = MSG::default();
    // SAFETY: `msg` is writable.
    (unsafe { PeekMessageA(&raw mut msg, hwnd, first, last, flags) } != FALSE).then_some(msg)
}

/// Takes a message, if there is one.
pub(super) fn peek() -> Option<MSG> {
    peek_for(null_mut(), 0, 0, PM_REMOVE)
}

/// The numbers of all messages in the queue, which is empty afterwards.
pub(super) fn drain() -> Vec<u32> {
    std::iter::from_fn(peek).map(|msg| msg.message).collect()
}

/// Waits for a message.
pub(super) fn get() -> MSG {
    let mut msg = MSG::default();
    // SAFETY: `msg` is writable.
    assert_ne!(unsafe { GetMessageA(&raw mut msg, null_mut(), 0, 0) }, -1);
    msg
}

/// Posts a message; says whether that worked.
pub(super) fn post(hwnd: HWND, message: u32) -> bool {
    // SAFETY: the tests' procedures expect nothing of the parameters.
    unsafe { PostMessageA(hwnd, message, 0, 0) != FALSE }
}

/// A window handle that may go to another thread.
#[derive(Clone, Copy)]
pub(super) struct Anywhere(usize);

impl Anywhere {
    pub(super) fn of(hwnd: HWND) -> Anywhere {
        Anywhere(hwnd as usize)
    }

    pub(super) fn hwnd(self) -> HWND {
        self.0 as HWND
    }
}
