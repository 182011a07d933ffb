//! What a call looks for in a queue.

use super::window;
use crate::types::*;

/// The kinds of input that a posted message counts as.
pub(super) const POSTED: u32 = QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;

/// Which windows' messages a call takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    Any,
    /// The thread itself: messages without a window.
    Thread,
    /// A window and those below it.
    Window(u32),
}

/// Which messages a call takes.
#[derive(Clone, Copy)]
pub(super) struct Filter {
    pub(super) recipient: Recipient,
    first: u32,
    last: u32,
}

impl Filter {
    pub(super) const ALL: Filter = Filter { recipient: Recipient::Any, first: 0, last: u32::MAX };

    /// From the arguments of GetMessage and PeekMessage. The window has to be the calling thread's.
    pub(super) fn new(hwnd: HWND, first: u32, last: u32) -> Result<Filter, WIN32_ERROR> {
        let recipient = match hwnd as usize {
            0 => Recipient::Any,
            usize::MAX => Recipient::Thread,
            _ => {
                let (window, handle) = window::require(hwnd)?;
                if !window.queue().is_current() {
                    return Err(ERROR_INVALID_WINDOW_HANDLE);
                }
                Recipient::Window(handle)
            }
        };
        let (first, last) = if (first, last) == (0, 0) { (0, u32::MAX) } else { (first, last) };
        Ok(Filter { recipient, first, last })
    }

    /// Whether a message for `window` (0 is the thread) is taken. WM_QUIT always is.
    pub(super) fn takes(&self, window: u32, message: u32) -> bool {
        let recipient = match self.recipient {
            Recipient::Any => true,
            Recipient::Thread => window == 0,
            Recipient::Window(wanted) => window != 0 && window::is_within(window, wanted),
        };
        message == WM_QUIT || recipient && (self.first..=self.last).contains(&message)
    }

    pub(super) fn is_narrow(&self) -> bool {
        (self.first, self.last) != (0, u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::null_mut;

    use super::*;

    #[test]
    fn a_range_of_messages_and_the_threads_own() {
        let all = Filter::new(null_mut(), 0, 0).expect("no window");
        assert!(all.takes(0, 0) && all.takes(8, u32::MAX) && !all.is_narrow());
        let range = Filter::new(null_mut(), WM_USER, WM_USER + 1).expect("no window");
        assert_eq!(
            [0, WM_USER - 1, WM_USER, WM_USER + 1, WM_USER + 2].map(|m| range.takes(8, m)),
            [false, false, true, true, false]
        );
        let thread = Filter::new(-1_isize as HWND, 0, 0).expect("no window");
        assert!(thread.takes(0, WM_USER) && !thread.takes(8, WM_USER));
        assert!(range.takes(8, WM_QUIT) && thread.takes(8, WM_QUIT), "WM_QUIT passes every filter");
    }

    #[test]
    fn a_window_that_is_none_is_refused() {
        assert!(Filter::new(0x2000_0ff0 as HWND, 0, 0).is_err_and(|code| code == ERROR_INVALID_WINDOW_HANDLE));
    }
}
