use std::cell::Cell;

use super::*;
use crate::error::last_error;

unsafe extern "system" fn refuses_nccreate(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: called as a window procedure.
    let answer = unsafe { recorder(hwnd, message, wparam, lparam) };
    if message == WM_NCCREATE { 0 } else { answer }
}

unsafe extern "system" fn refuses_create(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: called as a window procedure.
    let answer = unsafe { recorder(hwnd, message, wparam, lparam) };
    if message == WM_CREATE { -1 } else { answer }
}

/// Looks into the CREATESTRUCT.
unsafe extern "system" fn reads_create(_: HWND, message: u32, _: WPARAM, lparam: LPARAM) -> LRESULT {
    if message == WM_CREATE {
        // SAFETY: that is what comes with WM_CREATE.
        let create = unsafe { &*(lparam as *const CREATESTRUCTA) };
        let parameter = create.lpCreateParams.cast::<Cell<(i32, i32)>>();
        // SAFETY: the test passes the address of its cell.
        unsafe { &*parameter }.set((create.cx, create.cy));
    }
    1
}

#[test]
fn a_window_sees_its_own_making_and_its_end() {
    let hwnd = create(&class(Some(recorder), 0), HWND_MESSAGE);
    assert_eq!(seen_messages(), [WM_NCCREATE, WM_CREATE]);
    assert!(is_window(hwnd as usize));
    // SAFETY: no precondition.
    unsafe {
        assert_ne!(IsWindow(hwnd), FALSE);
        assert_ne!(DestroyWindow(hwnd), FALSE);
        assert_eq!(seen_messages(), [WM_DESTROY, WM_NCDESTROY]);
        assert_eq!(IsWindow(hwnd), FALSE);
        assert_eq!(DestroyWindow(hwnd), FALSE);
    }
    assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
}

#[test]
fn the_parameter_and_the_size_come_with_the_createstruct() {
    let cell = Cell::new((0, 0));
    let name = class(Some(reads_create), 0);
    let (parameter, style) = ((&raw const cell).cast(), 0x00cf_0000);
    // SAFETY: the name is a string.
    let hwnd = unsafe {
        let (none, instance) = (null_mut(), null_mut());
        CreateWindowExA(0, name.as_ptr().cast(), null(), style, CW_USEDEFAULT, 0, 7, 9, none, none, instance, parameter)
    };
    assert!(!hwnd.is_null(), "an ordinary window is kept without picture");
    assert_eq!(cell.get(), (7, 9));
}

#[test]
fn a_procedure_may_refuse_to_be_made() {
    assert!(create(&class(Some(refuses_nccreate), 0), HWND_MESSAGE).is_null());
    assert_eq!(seen_messages(), [WM_NCCREATE, WM_NCDESTROY]);
    assert!(create(&class(Some(refuses_create), 0), HWND_MESSAGE).is_null());
    assert_eq!(seen_messages(), [WM_NCCREATE, WM_CREATE, WM_DESTROY, WM_NCDESTROY]);
}

#[test]
fn a_class_is_registered_once_and_not_forgotten_while_it_has_windows() {
    let name = class(Some(recorder), 0);
    let again = WNDCLASSA { lpfnWndProc: Some(recorder), lpszClassName: name.as_ptr().cast(), ..WNDCLASSA::default() };
    let hwnd = create(&name, HWND_MESSAGE);
    // SAFETY: the names are strings.
    unsafe {
        assert_eq!(RegisterClassA(&raw const again), 0);
        assert_eq!(last_error(), ERROR_CLASS_ALREADY_EXISTS);
        assert_eq!(UnregisterClassA(name.as_ptr().cast(), null_mut()), FALSE);
        assert_eq!(last_error(), ERROR_CLASS_HAS_WINDOWS);
        DestroyWindow(hwnd);
        assert_ne!(UnregisterClassA(name.as_ptr().cast(), null_mut()), FALSE);
        assert_eq!(UnregisterClassA(name.as_ptr().cast(), null_mut()), FALSE);
        assert_eq!(last_error(), ERROR_CLASS_DOES_NOT_EXIST);
    }
    assert!(create(&name, HWND_MESSAGE).is_null());
    assert_eq!(last_error(), ERROR_CANNOT_FIND_WND_CLASS);
}

#[test]
fn a_class_is_found_by_its_atom_and_by_its_name_in_utf_16() {
    let name: Vec<u16> = "Wide class".encode_utf16().chain([0]).collect();
    let class = WNDCLASSEXW {
        cbSize: size_of::<WNDCLASSEXW>() as u32,
        lpfnWndProc: Some(recorder),
        lpszClassName: name.as_ptr(),
        ..WNDCLASSEXW::default()
    };
    let wrong = WNDCLASSEXW { cbSize: 1, ..class };
    // SAFETY: the class is valid, the names are strings or an atom.
    unsafe {
        let atom = RegisterClassExW(&raw const class);
        assert!(atom >= 0xc000);
        let by = |name| CreateWindowExA(0, name, null(), 0, 0, 0, 0, 0, HWND_MESSAGE, null_mut(), null_mut(), null());
        assert!(!by(usize::from(atom) as PCSTR).is_null());
        assert!(!by(c"WIDE CLASS".as_ptr().cast()).is_null());
        assert!(!by(c"static".as_ptr().cast()).is_null(), "there is a class that nobody registers");
        assert_eq!(RegisterClassExW(&raw const wrong), 0);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    }
}

#[test]
fn only_its_thread_destroys_a_window_and_with_it_all_windows_end() {
    let hwnd = Anywhere::of(window());
    let theirs = std::thread::spawn(move || {
        // SAFETY: no precondition.
        assert_eq!(unsafe { DestroyWindow(hwnd.hwnd()) }, FALSE);
        assert_eq!(last_error(), ERROR_ACCESS_DENIED);
        let theirs = window();
        let home = crate::thread::home().expect("a home");
        assert!(home_of(theirs as usize).is_some_and(|found| Arc::ptr_eq(&found, &home)));
        assert!(post(theirs, WM_USER));
        Anywhere::of(theirs)
    });
    let theirs = theirs.join().expect("no panic");
    // The thread has ended, but its locals may be destroyed a moment after it can be joined.
    crate::testing::until("the window is gone", || !is_window(theirs.0));
    assert!(!post(theirs.hwnd(), WM_USER));
    assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
    assert!(is_window(hwnd.0));
}

#[test]
fn children_are_destroyed_with_their_parent() {
    let parent = window();
    let name = class(Some(recorder), 0);
    let child = create(&name, parent);
    let grandchild = create(&name, child);
    seen();
    assert!(post(grandchild, WM_USER));
    assert_eq!(peek_for(parent, 0, 0, PM_REMOVE).map(|msg| msg.hwnd), Some(grandchild), "GetMessage's filter");
    // SAFETY: no precondition.
    unsafe { DestroyWindow(parent) };
    let each = [WM_DESTROY, WM_DESTROY, WM_DESTROY, WM_NCDESTROY, WM_NCDESTROY, WM_NCDESTROY];
    assert_eq!(seen_messages(), each, "the parent's last message comes last");
    assert!([parent, child, grandchild].iter().all(|&hwnd| !is_window(hwnd as usize)));
    assert!(create(&name, parent).is_null());
    assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
}

#[test]
fn wm_close_destroys_a_window_by_default() {
    let hwnd = window();
    assert!(post(hwnd, WM_CLOSE));
    let msg = get();
    // SAFETY: a message as fetched.
    unsafe { DispatchMessageA(&raw const msg) };
    assert_eq!(seen_messages(), [WM_CLOSE, WM_DESTROY, WM_NCDESTROY]);
    assert!(!is_window(hwnd as usize));
}

#[test]
fn a_program_keeps_words_with_a_window() {
    let hwnd = create(&class(Some(recorder), 16), HWND_MESSAGE);
    // SAFETY: the window procedure is one.
    unsafe {
        for index in [GWLP_USERDATA, GWLP_ID, GWLP_HINSTANCE, 0, 8] {
            assert_eq!(SetWindowLongPtrA(hwnd, index, 0x1234_5678_9abc + index as isize), 0);
        }
        for index in [GWLP_USERDATA, GWLP_ID, GWLP_HINSTANCE, 0, 8] {
            assert_eq!(GetWindowLongPtrW(hwnd, index), 0x1234_5678_9abc + index as isize);
        }
        for index in [9, 16, -1, i32::MAX] {
            assert_eq!(GetWindowLongPtrA(hwnd, index), 0);
            assert_eq!(last_error(), ERROR_INVALID_INDEX);
        }
        let old = SetWindowLongPtrA(hwnd, GWLP_WNDPROC, DefWindowProcA as *const () as isize);
        assert_eq!(old, recorder as *const () as isize);
        seen();
        SendMessageA(hwnd, WM_USER, 0, 0);
        assert!(seen().is_empty(), "another procedure has its place");
    }
}

#[test]
fn a_handle_is_positive_above_descriptors_and_not_soon_used_again() {
    let name = class(Some(recorder), 0);
    let first = create(&name, HWND_MESSAGE);
    assert!((0x2000_0000..0x4000_0000).contains(&(first as usize)));
    // SAFETY: no precondition.
    unsafe { DestroyWindow(first) };
    for _ in 0..600 {
        let next = create(&name, HWND_MESSAGE);
        assert!(!next.is_null() && next != first);
        // SAFETY: no precondition.
        unsafe { DestroyWindow(next) };
    }
    assert!(!is_window(0) && !is_window(usize::MAX) && !is_window(0x2000_0000 | 1));
}

#[test]
fn a_window_is_destroyed_once_even_if_its_procedure_destroys_it_too() {
    unsafe extern "system" fn insists(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
        if message == WM_DESTROY {
            // SAFETY: no precondition.
            assert_eq!(unsafe { DestroyWindow(hwnd) }, FALSE);
        }
        // SAFETY: called as a window procedure.
        unsafe { recorder(hwnd, message, wparam, lparam) }
    }
    let hwnd = window_with(Some(insists));
    // SAFETY: no precondition.
    assert_ne!(unsafe { DestroyWindow(hwnd) }, FALSE);
    assert_eq!(seen_messages(), [WM_DESTROY, WM_NCDESTROY]);
}
