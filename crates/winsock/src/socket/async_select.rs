//! WSAAsyncSelect.

use crate::error::{fail, finish};
use crate::message;
use crate::socket::arrivals::{self, Target};
use crate::socket::event_select::ALL_EVENTS;
use crate::socket::lock;
use crate::types::*;

/// Posts the message `wmsg` to a window for each network event of `levent` (FD_READ, FD_ACCEPT …), and makes the socket
/// non-blocking; 0 events end that.
///
/// `wParam` of a message is the socket, the low word of `lParam` one event, the high word its error. All that holds when
/// the call is made is posted at once, but for FD_CONNECT. Then each event is posted once, and again when a call such as
/// recv, which re-enables it, finds that it still holds or when it happens after that call. A new selection replaces
/// the old one, also one by [`WSAEventSelect`](crate::WSAEventSelect); messages that are queued stay.
///
/// Differs from Windows: a second urgent byte makes the first an ordinary one, which FD_READ tells of, or, if the first
/// was next to be received, takes its place.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEINVAL if events are selected and `hwnd` is no window, WSAENOBUFS.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[doc(alias = "FD_READ")]
#[unsafe(export_name = "ws_WSAAsyncSelect")]
pub unsafe extern "system" fn WSAAsyncSelect(s: SOCKET, hwnd: HWND, wmsg: u32, levent: i32) -> i32 {
    finish(lock(s).and_then(|mut socket| {
        let selected = levent as u32 & ALL_EVENTS;
        if selected == 0 {
            arrivals::deselect(&mut socket);
            return Ok(());
        }
        if !message::is_window(hwnd as usize) {
            return fail(WSAEINVAL);
        }
        arrivals::select(&mut socket, selected, Target::Window(hwnd as usize, wmsg))
    }))
}
