//! A message-only window, and the thread's queue of messages.
//!
//! Messages of the window are taken out of the queue and decoded at once. A loop that is not ours may take them too (on
//! Windows: a dialog box, a menu that is open, another library's): it hands them to the window's procedure, which
//! keeps them in an inbox, where our loop finds them. Without that they would be lost, and since a network event is not
//! posted again before its socket was read, so would be the connection.

use super::call::{check_bool, last_error, startup};
use super::event::{self, Ending};
use crate::sys::{self, HANDLE, HWND, SOCKET};
use crate::{Error, Result};
use ranked_locks::{RwLock, rank};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

/// The message numbers that are for our windows: those from here up to [`NUMBERS_END`].
pub(crate) const NUMBERS_BEGIN: u32 = sys::WM_USER;
/// From here on the system gives out numbers by name.
pub(crate) const NUMBERS_END: u32 = 0xC000;

/// A message of one of our windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub(crate) number: u32,
    pub(crate) wparam: usize,
    pub(crate) lparam: isize,
}

/// What comes out of the queue.
pub(crate) enum Taken {
    /// A message of this window.
    Ours(Raw),
    /// The thread was asked to end its loop.
    Quit(i32),
    /// A message of another window, which has had it now; or none.
    Nothing,
}

/// A message-only window of the thread that made it. (`HWND` is a pointer, so it is neither `Send` nor `Sync`.)
pub(crate) struct Window {
    handle: HWND,
    /// For those who post from other threads.
    address: Address,
}

/// Where other threads post to: the window, while there is one.
#[derive(Clone, Debug)]
pub(crate) struct Address(Arc<RwLock<Option<usize>, rank::Window>>);

thread_local! {
    /// For each window of ours on this thread, the messages that came by its procedure. Nearly always one.
    static INBOXES: RefCell<Vec<Inbox>> = const { RefCell::new(Vec::new()) };
}

struct Inbox {
    window: HWND,
    messages: VecDeque<Raw>,
}

impl Window {
    pub(crate) fn new() -> Result<Self> {
        startup()?;
        let class = class()?;
        // SAFETY: the class is registered; the parent asks for a message-only window; no menu, no data.
        let handle = unsafe {
            sys::CreateWindowExW(
                0,
                class.as_ptr(),
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
        if handle.is_null() {
            return Err(last_error());
        }
        INBOXES.with_borrow_mut(|inboxes| inboxes.push(Inbox { window: handle, messages: VecDeque::new() }));
        Ok(Self { handle, address: Address(Arc::new(RwLock::new(Some(handle.expose_provenance())))) })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Lets the network events of `mask` be posted here as messages with this number.
    pub(crate) fn async_select(&self, socket: SOCKET, number: u32, mask: u32) -> Result<()> {
        // SAFETY: takes numbers, and our window.
        super::call::check(unsafe { sys::WSAAsyncSelect(socket, self.handle, number, mask as i32) })
    }

    /// Waits for the next message of this thread.
    pub(crate) fn get(&self) -> Result<Taken> {
        if let Some(message) = self.take_from_inbox() {
            return Ok(Taken::Ours(message));
        }
        let mut message = MaybeUninit::<sys::MSG>::zeroed();
        // SAFETY: the system fills our MSG.
        let got = unsafe { sys::GetMessageW(message.as_mut_ptr(), std::ptr::null_mut(), 0, 0) };
        if got == -1 {
            return Err(last_error());
        }
        // SAFETY: filled by the system, and zeroed before: numbers and pointers.
        Ok(self.sort(unsafe { message.assume_init_ref() }))
    }

    /// Takes a message of this thread if there is one; `None` if there is not.
    pub(crate) fn peek(&self) -> Option<Taken> {
        if let Some(message) = self.take_from_inbox() {
            return Some(Taken::Ours(message));
        }
        let mut message = MaybeUninit::<sys::MSG>::zeroed();
        // SAFETY: the system fills our MSG.
        let found = unsafe { sys::PeekMessageW(message.as_mut_ptr(), std::ptr::null_mut(), 0, 0, sys::PM_REMOVE) };
        // SAFETY: filled by the system, and zeroed before: numbers and pointers.
        (found != sys::FALSE).then(|| self.sort(unsafe { message.assume_init_ref() }))
    }

    /// Waits for one of the handles, or for a message: that is the index after theirs.
    pub(crate) fn wait(&self, handles: &[HANDLE], milliseconds: u32) -> Result<Ending> {
        if self.has_mail() {
            // The handles come first, as they would in the system's own wait.
            let ready = match handles.is_empty() {
                true => Ending::Timeout,
                false => event::wait(handles, false, 0, false)?,
            };
            return Ok(if ready == Ending::Timeout { Ending::Signalled(handles.len()) } else { ready });
        }
        let count = u32::try_from(handles.len()).unwrap_or(u32::MAX);
        // SAFETY: `count` handles can be read, or the count is refused as beyond the system's limit.
        let outcome = unsafe {
            sys::MsgWaitForMultipleObjectsEx(
                count,
                handles.as_ptr(),
                milliseconds,
                sys::QS_ALLINPUT,
                sys::MWMO_INPUTAVAILABLE,
            )
        };
        event::ending(outcome)
    }

    /// Asks the loop of this thread to end, once it has taken what was posted before.
    pub(crate) fn quit(&self, code: i32) {
        // SAFETY: takes a number.
        unsafe { sys::PostQuitMessage(code) };
    }

    /// Keeps what is ours, and gives what is another window's to it.
    fn sort(&self, message: &sys::MSG) -> Taken {
        if message.message == sys::WM_QUIT {
            return Taken::Quit(message.wParam as i32);
        }
        if message.hwnd == self.handle && is_ours(message.message) {
            return Taken::Ours(Raw { number: message.message, wparam: message.wParam, lparam: message.lParam });
        }
        // SAFETY: the message came out of the queue just now. What runs is the procedure of the window that it is for.
        unsafe {
            sys::TranslateMessage(message);
            sys::DispatchMessageW(message);
        }
        Taken::Nothing
    }

    fn take_from_inbox(&self) -> Option<Raw> {
        INBOXES.with_borrow_mut(|inboxes| find(inboxes, self.handle)?.messages.pop_front())
    }

    fn has_mail(&self) -> bool {
        INBOXES.with_borrow_mut(|inboxes| find(inboxes, self.handle).is_some_and(|inbox| !inbox.messages.is_empty()))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // From here on nobody posts: the handle may come to mean another window.
        *self.address.0.write() = None;
        // SAFETY: the window is ours and of this thread, since `Window` cannot leave it.
        unsafe { sys::DestroyWindow(self.handle) };
        // At the thread's end the inboxes may be gone already.
        let _ = INBOXES.try_with(|inboxes| inboxes.borrow_mut().retain(|inbox| inbox.window != self.handle));
    }
}

impl Address {
    /// Queues a message for the window.
    pub(crate) fn post(&self, message: Raw) -> Result<()> {
        let window = self.0.read();
        let Some(window) = *window else {
            return Err(Error::from_code(sys::ERROR_INVALID_WINDOW_HANDLE as i32));
        };
        let window = std::ptr::with_exposed_provenance_mut(window);
        // SAFETY: takes numbers, and a window that exists while it is read-locked.
        check_bool(unsafe { sys::PostMessageW(window, message.number, message.wparam, message.lparam) })
    }
}

/// The name of the class of our windows, registered once.
fn class() -> Result<&'static [u16]> {
    static CLASS: OnceLock<Result<Vec<u16>>> = OnceLock::new();
    let class = CLASS.get_or_init(|| {
        // Two copies of this crate in one process have a procedure each, so they need a class each.
        let name = format!("pentaport {:p}\0", procedure as *const ());
        let name: Vec<u16> = name.encode_utf16().collect();
        // SAFETY: a class of zeros (no style, no icon, no extra bytes) is valid.
        let mut class: sys::WNDCLASSW = unsafe { MaybeUninit::zeroed().assume_init() };
        class.lpfnWndProc = Some(procedure);
        class.lpszClassName = name.as_ptr();
        // SAFETY: the name ends with 0, and is copied by the call.
        let atom = unsafe { sys::RegisterClassW(&class) };
        if atom == 0 { Err(last_error()) } else { Ok(name) }
    });
    class.as_deref().map_err(|error| *error)
}

/// Called by loops that dispatch. What is ours goes to the inbox.
unsafe extern "system" fn procedure(window: HWND, number: u32, wparam: sys::WPARAM, lparam: sys::LPARAM) -> isize {
    if !is_ours(number) {
        // SAFETY: the arguments are those that the system gave.
        return unsafe { sys::DefWindowProcW(window, number, wparam, lparam) };
    }
    let _ = INBOXES.try_with(|inboxes| {
        if let Some(inbox) = find(&mut inboxes.borrow_mut(), window) {
            inbox.messages.push_back(Raw { number, wparam, lparam });
        }
    });
    0
}

fn find(inboxes: &mut [Inbox], window: HWND) -> Option<&mut Inbox> {
    inboxes.iter_mut().find(|inbox| inbox.window == window)
}

fn is_ours(number: u32) -> bool {
    (NUMBERS_BEGIN..NUMBERS_END).contains(&number)
}
