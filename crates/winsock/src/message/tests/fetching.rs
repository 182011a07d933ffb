use super::*;
use crate::error::last_error;

#[test]
fn looking_leaves_a_message_or_takes_it() {
    let hwnd = window();
    assert!(post(hwnd, WM_USER));
    for _ in 0..2 {
        assert_eq!(peek_for(null_mut(), 0, 0, PM_NOREMOVE).map(|msg| msg.message), Some(WM_USER));
    }
    assert!(peek().is_some() && peek().is_none());
}

#[test]
fn messages_are_chosen_by_window_and_by_number() {
    let (first, second) = (window(), window());
    for (hwnd, message) in [(first, 1), (second, 2), (null_mut(), 3), (first, 4)] {
        assert!(post(hwnd, WM_USER + message));
    }
    let found = |hwnd, from, to| peek_for(hwnd, from, to, PM_REMOVE).map(|msg| msg.message - WM_USER);
    assert_eq!(found(-1_isize as HWND, 0, 0), Some(3));
    assert_eq!(found(-1_isize as HWND, 0, 0), None);
    assert_eq!(found(second, 0, 0), Some(2));
    assert_eq!(found(second, 0, 0), None);
    assert_eq!(found(null_mut(), WM_USER + 2, WM_USER + 9), Some(4));
    assert_eq!(found(null_mut(), WM_USER + 2, WM_USER + 9), None);
    assert_eq!(found(first, 0, 0), Some(1));
}

#[test]
fn a_window_that_is_not_ours_is_an_error() {
    let theirs = std::thread::spawn(|| Anywhere::of(window())).join().expect("no panic").hwnd();
    let mut msg = MSG::default();
    // SAFETY: `msg` is writable, or null is found out.
    unsafe {
        for hwnd in [theirs, 8 as HWND] {
            assert_eq!(GetMessageW(&raw mut msg, hwnd, 0, 0), -1);
            assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
            assert_eq!(PeekMessageW(&raw mut msg, hwnd, 0, 0, PM_REMOVE), FALSE);
        }
        assert_eq!(GetMessageW(null_mut(), null_mut(), 0, 0), -1);
        assert_eq!(last_error(), ERROR_NOACCESS);
    }
}

#[test]
fn wm_quit_comes_last_and_passes_every_filter() {
    let hwnd = window();
    // SAFETY: no precondition.
    unsafe { PostQuitMessage(-3) };
    assert!(post(hwnd, WM_USER));
    assert_eq!(peek_for(null_mut(), 0, 0, PM_NOREMOVE).map(|msg| msg.message), Some(WM_USER));
    assert_eq!(get().message, WM_USER);
    let quit = peek_for(hwnd, WM_USER, WM_USER, PM_NOREMOVE).expect("WM_QUIT passes");
    assert_eq!((quit.hwnd, quit.message, quit.wParam), (null_mut(), WM_QUIT, 0xffff_fffd));
    let mut msg = MSG::default();
    // SAFETY: `msg` is writable.
    assert_eq!(unsafe { GetMessageA(&raw mut msg, hwnd, WM_USER, WM_USER) }, FALSE);
    assert_eq!(msg.message, WM_QUIT);
    assert!(peek().is_none(), "once");
}

#[test]
fn wm_quit_may_be_posted_as_any_message() {
    let hwnd = window();
    assert!(post(null_mut(), WM_QUIT) && post(hwnd, WM_USER));
    let mut msg = MSG::default();
    // SAFETY: `msg` is writable.
    assert_eq!(unsafe { GetMessageA(&raw mut msg, hwnd, 0, 0) }, FALSE, "in its place");
    assert_eq!(drain(), [WM_USER]);
}

#[test]
fn the_kinds_to_look_for_may_be_named() {
    let hwnd = window();
    assert!(post(hwnd, WM_USER));
    assert!(peek_for(null_mut(), 0, 0, PM_REMOVE | QS_TIMER << 16).is_none());
    assert!(peek_for(null_mut(), 0, 0, PM_REMOVE | QS_POSTMESSAGE << 16).is_some());
}

#[test]
fn dispatching_calls_the_windows_procedure() {
    unsafe extern "system" fn doubles(_: HWND, message: u32, wparam: WPARAM, _: LPARAM) -> LRESULT {
        if message == WM_USER { 2 * wparam as isize } else { 1 }
    }
    let hwnd = window_with(Some(doubles));
    let msg = MSG { hwnd, message: WM_USER, wParam: 21, ..MSG::default() };
    // SAFETY: messages as they are fetched, or null, which is found out.
    unsafe {
        assert_eq!(TranslateMessage(&raw const msg), FALSE);
        assert_eq!(DispatchMessageA(&raw const msg), 42);
        assert_eq!(DispatchMessageW(&MSG { hwnd: null_mut(), ..msg }), 0);
        assert_eq!(DispatchMessageW(null()), 0);
        DestroyWindow(hwnd);
        assert_eq!(DispatchMessageW(&raw const msg), 0);
    }
}

#[test]
fn a_procedure_runs_with_no_lock_held() {
    /// Does in a handler all that takes a lock.
    unsafe extern "system" fn busy(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
        // SAFETY: called as a window procedure; no call has a precondition that does not hold.
        unsafe {
            if message == WM_USER {
                let inner = window();
                SendMessageA(inner, WM_USER, 0, 0);
                PostMessageA(hwnd, WM_USER + 1, 0, 0);
                assert_eq!(get().message, WM_USER + 1);
                SetTimer(hwnd, 1, 1000, None);
                KillTimer(hwnd, 1);
                DestroyWindow(inner);
                DestroyWindow(hwnd);
            }
            DefWindowProcW(hwnd, message, wparam, lparam)
        }
    }
    let hwnd = window_with(Some(busy));
    assert!(post(hwnd, WM_USER));
    let msg = get();
    // SAFETY: a message as fetched.
    unsafe { DispatchMessageA(&raw const msg) };
    assert!(!is_window(hwnd as usize));
}

#[test]
fn the_status_says_what_is_there_and_what_is_new() {
    let hwnd = window();
    let status = |mask| {
        // SAFETY: no precondition.
        let status = unsafe { GetQueueStatus(mask) };
        (status >> 16, status & 0xffff)
    };
    assert_eq!(status(QS_ALLINPUT), (0, 0));
    assert!(post(hwnd, WM_USER));
    assert_eq!(status(QS_POSTMESSAGE), (QS_POSTMESSAGE, QS_POSTMESSAGE));
    assert_eq!(status(QS_POSTMESSAGE), (QS_POSTMESSAGE, 0), "there, but no longer new");
    let all = QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
    assert!(peek_for(hwnd, WM_USER + 1, WM_USER + 1, PM_REMOVE).is_none());
    assert_eq!(status(all), (all, QS_ALLPOSTMESSAGE), "a look for some leaves the others new");
    assert!(peek().is_some());
    assert_eq!(status(all), (0, 0));
}
