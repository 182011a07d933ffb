//! Message-only windows and the queue of the thread that made them, as far as WSAAsyncSelect needs them.

use super::{Event, get_last_error, startup};
use pentaport::sys;
use std::sync::Once;

/// The class of all windows here: `PentaportConformance`, terminated by 0.
const CLASS: [u16; 21] = {
    let (text, mut wide, mut index) = (b"PentaportConformance", [0; 21], 0);
    while index < text.len() {
        wide[index] = text[index] as u16;
        index += 1;
    }
    wide
};

/// A message-only window of the thread that made it; destroyed when dropped.
#[derive(Debug)]
pub struct Window(usize);

/// A message as it lay in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The window's handle.
    pub window: usize,
    /// The number of the message.
    pub message: u32,
    /// The first parameter.
    pub wparam: usize,
    /// The second parameter.
    pub lparam: isize,
}

impl Window {
    /// A window of the calling thread.
    #[expect(clippy::new_without_default, reason = "it makes a window, which is nobody's default")]
    pub fn new() -> Self {
        startup();
        register();
        // SAFETY: the class name is terminated; null is allowed for the other pointers.
        let handle = unsafe {
            sys::CreateWindowExW(
                0,
                CLASS.as_ptr(),
                std::ptr::null(),
                0,
                0,
                0,
                0,
                0,
                sys::HWND_MESSAGE,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null(),
            )
        };
        assert!(!handle.is_null(), "CreateWindowExW: {}", get_last_error());
        Self(handle as usize)
    }

    /// The handle's value.
    pub fn handle(&self) -> usize {
        self.0
    }

    /// PeekMessageW for this window and this message alone, which takes it out of the queue.
    pub fn take(&self, message: u32) -> Option<Message> {
        self.peek(message, sys::PM_REMOVE)
    }

    /// PeekMessageW for this window and this message alone, which leaves it in the queue.
    pub fn look(&self, message: u32) -> Option<Message> {
        self.peek(message, sys::PM_NOREMOVE)
    }

    fn peek(&self, message: u32, remove: sys::PEEK_MESSAGE_REMOVE_TYPE) -> Option<Message> {
        let mut raw = sys::MSG::default();
        // SAFETY: the structure outlives the call; the window is ours.
        let found = unsafe { sys::PeekMessageW(&mut raw, self.0 as sys::HWND, message, message, remove) };
        (found != 0).then(|| Message::of(&raw))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: no pointers but the window, which is ours and not used again.
        unsafe { sys::DestroyWindow(self.0 as sys::HWND) };
    }
}

impl Message {
    fn of(raw: &sys::MSG) -> Self {
        Self { window: raw.hwnd as usize, message: raw.message, wparam: raw.wParam, lparam: raw.lParam }
    }

    /// LOWORD of the second parameter: the network event.
    pub fn event(&self) -> u32 {
        u32::from(self.lparam as u16)
    }

    /// HIWORD of the second parameter: the error.
    pub fn error(&self) -> i32 {
        i32::from((self.lparam as u32 >> 16) as u16)
    }
}

/// GetMessageW for any message of the calling thread; waits for one.
pub fn get_message() -> Message {
    let mut raw = sys::MSG::default();
    // SAFETY: the structure outlives the call; null stands for every window of the thread.
    let result = unsafe { sys::GetMessageW(&mut raw, std::ptr::null_mut(), 0, 0) };
    assert!(result > 0, "GetMessageW: {result}");
    Message::of(&raw)
}

/// MsgWaitForMultipleObjectsEx for these events and for messages, also those that lie in the queue already; the answer
/// as it comes.
pub fn msg_wait(events: &[&Event], milliseconds: u32) -> u32 {
    let handles: Vec<sys::HANDLE> = events.iter().map(|event| event.handle() as sys::HANDLE).collect();
    let flags = sys::MWMO_INPUTAVAILABLE;
    // SAFETY: the array has the count given and outlives the call.
    unsafe {
        sys::MsgWaitForMultipleObjectsEx(handles.len() as u32, handles.as_ptr(), milliseconds, sys::QS_ALLINPUT, flags)
    }
}

/// RegisterClassW, once for the process.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let class = sys::WNDCLASSW {
            lpfnWndProc: Some(sys::DefWindowProcW),
            lpszClassName: CLASS.as_ptr(),
            ..Default::default()
        };
        // SAFETY: the class outlives the call and its name is terminated and static.
        let atom = unsafe { sys::RegisterClassW(&class) };
        assert_ne!(atom, 0, "RegisterClassW: {}", get_last_error());
    });
}
