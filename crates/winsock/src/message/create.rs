//! Making windows and destroying them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::class::{self, Class};
use super::name::ClassName;
use super::procedure;
use super::queue;
use super::window::{self, MESSAGE_ONLY, Window};
use crate::error::{finish_bool, set_last_error};
use crate::types::*;

/// Makes a window of the calling thread; its procedure gets WM_NCCREATE and WM_CREATE before the call returns.
///
/// There is no screen. A window without picture is all that WSAAsyncSelect needs: one with HWND_MESSAGE as its parent is
/// just that on Windows too; for others style, size and menu are only passed on in the CREATESTRUCT, and no message about
/// them comes. A window whose parent is a window of the same thread is destroyed with it. The classes `STATIC` and
/// `Message` exist without being registered, with DefWindowProc.
///
/// # Errors
/// Null with ERROR_CANNOT_FIND_WND_CLASS, ERROR_INVALID_WINDOW_HANDLE for the parent, ERROR_NO_MORE_USER_HANDLES; null too
/// if the procedure answers WM_NCCREATE with 0 or WM_CREATE with -1, or destroys the window.
///
/// # Safety
/// `lpclassname` is an atom or a string that ends with a zero. The class's procedure may be called with `lpparam`.
#[unsafe(export_name = "ws_CreateWindowExA")]
pub unsafe extern "system" fn CreateWindowExA(
    dwexstyle: WINDOW_EX_STYLE,
    lpclassname: PCSTR,
    lpwindowname: PCSTR,
    dwstyle: WINDOW_STYLE,
    x: i32,
    y: i32,
    nwidth: i32,
    nheight: i32,
    hwndparent: HWND,
    hmenu: HMENU,
    hinstance: HINSTANCE,
    lpparam: *const core::ffi::c_void,
) -> HWND {
    let create = CREATESTRUCTA {
        lpCreateParams: lpparam.cast_mut(),
        hInstance: hinstance,
        hMenu: hmenu,
        hwndParent: hwndparent,
        cy: nheight,
        cx: nwidth,
        y,
        x,
        style: dwstyle as i32,
        lpszName: lpwindowname,
        lpszClass: lpclassname,
        dwExStyle: dwexstyle,
    };
    // SAFETY: the caller's promise.
    let name = unsafe { ClassName::from_bytes(lpclassname) };
    create_named(name, &create)
}

/// As [`CreateWindowExA`], with strings in UTF-16. They are passed on in the CREATESTRUCT as they are.
///
/// # Errors
/// As for [`CreateWindowExA`].
///
/// # Safety
/// As for [`CreateWindowExA`].
pub unsafe extern "system" fn CreateWindowExW(
    dwexstyle: WINDOW_EX_STYLE,
    lpclassname: PCWSTR,
    lpwindowname: PCWSTR,
    dwstyle: WINDOW_STYLE,
    x: i32,
    y: i32,
    nwidth: i32,
    nheight: i32,
    hwndparent: HWND,
    hmenu: HMENU,
    hinstance: HINSTANCE,
    lpparam: *const core::ffi::c_void,
) -> HWND {
    // CREATESTRUCTW is the same structure but for what the two strings point to.
    let create = CREATESTRUCTA {
        lpCreateParams: lpparam.cast_mut(),
        hInstance: hinstance,
        hMenu: hmenu,
        hwndParent: hwndparent,
        cy: nheight,
        cx: nwidth,
        y,
        x,
        style: dwstyle as i32,
        lpszName: lpwindowname.cast(),
        lpszClass: lpclassname.cast(),
        dwExStyle: dwexstyle,
    };
    // SAFETY: the caller's promise.
    let name = unsafe { ClassName::from_wide(lpclassname) };
    create_named(name, &create)
}

const _: () = assert!(size_of::<CREATESTRUCTA>() == size_of::<CREATESTRUCTW>());

/// Makes a window of the class of this name.
pub(crate) fn create_named(name: Option<ClassName>, create: &CREATESTRUCTA) -> HWND {
    finish(create_window(name, create))
}

fn finish(created: Result<HWND, Option<WIN32_ERROR>>) -> HWND {
    created.unwrap_or_else(|code| {
        if let Some(code) = code {
            set_last_error(code);
        }
        std::ptr::null_mut()
    })
}

/// Fails without a code if the program does not want the window.
fn create_window(name: Option<ClassName>, create: &CREATESTRUCTA) -> Result<HWND, Option<WIN32_ERROR>> {
    let class = name.and_then(|name| class::find(&name)).ok_or(ERROR_CANNOT_FIND_WND_CLASS)?;
    let parent = if create.hwndParent == HWND_MESSAGE {
        MESSAGE_ONLY
    } else if create.hwndParent.is_null() {
        0
    } else {
        window::require(create.hwndParent)?.1
    };
    let handle = open(class, parent, create)?;
    let (hwnd, lparam) = (window::hwnd(handle), &raw const *create as LPARAM);
    // SAFETY: what a window procedure expects with these messages is a CREATESTRUCT, which lives until they are handled.
    unsafe {
        if procedure::call(hwnd as usize, WM_NCCREATE, 0, lparam) == 0 {
            close(handle);
            return Err(None);
        }
        if procedure::call(hwnd as usize, WM_CREATE, 0, lparam) == -1 {
            DestroyWindow(hwnd);
            return Err(None);
        }
    }
    // The procedure may have destroyed it.
    window::find(handle as usize).map(|_| hwnd).ok_or(None)
}

fn open(class: Arc<Class>, parent: u32, create: &CREATESTRUCTA) -> Result<u32, WIN32_ERROR> {
    let queue = queue::current().ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let (window, handle) = Window::new(class, queue, parent).ok_or(ERROR_NO_MORE_USER_HANDLES)?;
    queue.open_window(window, handle);
    window.with_data(handle, |data| {
        data.instance = create.hInstance as isize;
        // A menu or, for a child, its number.
        data.id = create.hMenu as isize;
    })?;
    Ok(handle)
}

/// Destroys a window of the calling thread: its procedure gets WM_DESTROY, its children are destroyed, it gets WM_NCDESTROY
/// and is gone, with its timers and with the messages that wait for it. Network messages for it are not made any more.
///
/// # Errors
/// FALSE with ERROR_INVALID_WINDOW_HANDLE (also while it is being destroyed); ERROR_ACCESS_DENIED for a window of another
/// thread.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_DestroyWindow")]
pub unsafe extern "system" fn DestroyWindow(hwnd: HWND) -> BOOL {
    finish_bool(window::require(hwnd).and_then(|(window, handle)| {
        if !window.queue().is_current() {
            return Err(ERROR_ACCESS_DENIED);
        }
        if window.doomed.swap(true, Ordering::AcqRel) {
            return Err(ERROR_INVALID_WINDOW_HANDLE);
        }
        destroy(window, handle);
        Ok(())
    }))
}

fn destroy(window: &Window, handle: u32) {
    // SAFETY: nothing comes with the message.
    unsafe { procedure::call(handle as usize, WM_DESTROY, 0, 0) };
    for child in window.queue().windows() {
        if window::find(child as usize).is_some_and(|(window, _)| window.parent() == handle) {
            // SAFETY: nothing is asked of the caller.
            unsafe { DestroyWindow(window::hwnd(child)) };
        }
    }
    close(handle);
}

/// The last message, and the end.
fn close(handle: u32) {
    // SAFETY: nothing comes with the message.
    unsafe { procedure::call(handle as usize, WM_NCDESTROY, 0, 0) };
    if let Some((window, handle)) = window::find(handle as usize) {
        window.queue().close_window(window, handle);
    }
}

/// Whether there is such a window, of any thread.
///
/// # Errors
/// None.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_IsWindow")]
pub unsafe extern "system" fn IsWindow(hwnd: HWND) -> BOOL {
    if super::is_window(hwnd as usize) { TRUE } else { FALSE }
}
