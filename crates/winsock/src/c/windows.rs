//! Window classes and windows with wide names.

use core::ffi::c_void;

use crate::c::text::{WChar, wide};
use crate::error::{is_bad, set_last_error};
use crate::message::{self, ClassName};
use crate::types::*;

/// A class's name, or its atom in place of a pointer.
///
/// # Safety
/// `name` is an atom, null or a string that ends with a zero.
unsafe fn class_name(name: *const WChar) -> Option<ClassName> {
    // SAFETY: the caller's promise; an atom is a bad pointer.
    match unsafe { wide(name) } {
        Some(text) => Some(ClassName::from_text(&text)),
        None => ClassName::from_atom(name.addr()),
    }
}

/// [`crate::RegisterClassW`]. Its structure is that of `windows-sys`, but for the strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_RegisterClassW")]
pub unsafe extern "system" fn RegisterClassW(lpwndclass: *const WNDCLASSW) -> u16 {
    if is_bad(lpwndclass) {
        set_last_error(ERROR_NOACCESS);
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let class = &*lpwndclass;
        message::register_named(class_name(class.lpszClassName.cast()), class.lpfnWndProc, class.cbWndExtra)
    }
}

/// [`crate::RegisterClassExW`]. Its structure is that of `windows-sys`, but for the strings.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_RegisterClassExW")]
pub unsafe extern "system" fn RegisterClassExW(lpwndclass: *const WNDCLASSEXW) -> u16 {
    if is_bad(lpwndclass) {
        set_last_error(ERROR_NOACCESS);
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let class = &*lpwndclass;
        if class.cbSize as usize != size_of::<WNDCLASSEXW>() {
            set_last_error(ERROR_INVALID_PARAMETER);
            return 0;
        }
        message::register_named(class_name(class.lpszClassName.cast()), class.lpfnWndProc, class.cbWndExtra)
    }
}

/// [`crate::UnregisterClassW`].
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_UnregisterClassW")]
pub unsafe extern "system" fn UnregisterClassW(lpclassname: *const WChar, _hinstance: HINSTANCE) -> BOOL {
    // SAFETY: the caller's promise.
    message::unregister_named(unsafe { class_name(lpclassname) })
}

/// [`crate::CreateWindowExW`]. The two strings are passed on in the CREATESTRUCT as they are.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_CreateWindowExW")]
pub unsafe extern "system" fn CreateWindowExW(
    dwexstyle: WINDOW_EX_STYLE,
    lpclassname: *const WChar,
    lpwindowname: *const WChar,
    dwstyle: WINDOW_STYLE,
    x: i32,
    y: i32,
    nwidth: i32,
    nheight: i32,
    hwndparent: HWND,
    hmenu: HMENU,
    hinstance: HINSTANCE,
    lpparam: *const c_void,
) -> HWND {
    // The structure with wide strings is the same but for what the two point to.
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
    message::create_named(unsafe { class_name(lpclassname) }, &create)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DefWindowProcW, DestroyWindow, GetLastError};

    #[test]
    fn a_class_with_a_wide_name_has_windows() {
        let name = |text: &str| text.chars().map(WChar::from).chain([0]).collect::<Vec<_>>();
        let (registered, other_case) = (name("C-Wide-Größe"), name("c-wide-GRÖßE"));
        let class = WNDCLASSW {
            lpfnWndProc: Some(DefWindowProcW),
            lpszClassName: registered.as_ptr().cast(),
            ..Default::default()
        };
        let null = std::ptr::null_mut;
        // SAFETY: the names end with a zero, the structures are live.
        unsafe {
            let create = |name| {
                CreateWindowExW(0, name, std::ptr::null(), 0, 0, 0, 0, 0, null(), null(), null(), std::ptr::null())
            };
            let atom = RegisterClassW(&class);
            assert_ne!(atom, 0);
            for name in [other_case.as_ptr(), usize::from(atom) as *const WChar] {
                let window = create(name);
                assert!(!window.is_null());
                assert_eq!(DestroyWindow(window), TRUE);
            }
            assert_eq!(RegisterClassW(&class), 0, "twice");
            assert_eq!(UnregisterClassW(other_case.as_ptr(), null()), TRUE);
            assert!(create(registered.as_ptr()).is_null());
            assert_eq!(GetLastError(), ERROR_CANNOT_FIND_WND_CLASS);
            assert_eq!((RegisterClassW(std::ptr::null()), RegisterClassExW(std::ptr::null())), (0, 0));
            assert_eq!(GetLastError(), ERROR_NOACCESS);
        }
    }
}
