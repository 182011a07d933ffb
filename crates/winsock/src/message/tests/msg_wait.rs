use std::cell::Cell;

use super::*;
use crate::error::last_error;

fn wait(milliseconds: u32, mask: u32, flags: u32) -> WAIT_EVENT {
    // SAFETY: no handles.
    unsafe { MsgWaitForMultipleObjectsEx(0, null(), milliseconds, mask, flags) }
}

#[test]
fn only_new_input_wakes() {
    let hwnd = window();
    assert_eq!(wait(0, QS_ALLINPUT, 0), WAIT_TIMEOUT);
    assert!(post(hwnd, WM_USER));
    assert_eq!(wait(INFINITE, QS_ALLINPUT, 0), WAIT_OBJECT_0);
    assert_eq!(wait(0, QS_ALLINPUT, 0), WAIT_TIMEOUT, "the wait itself has looked");
    assert_eq!(wait(INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE), WAIT_OBJECT_0, "but it is there");
    assert!(post(hwnd, WM_USER + 1));
    assert_eq!(wait(INFINITE, QS_ALLINPUT, 0), WAIT_OBJECT_0);
    assert!(post(hwnd, WM_USER + 2));
    assert!(peek().is_some());
    assert_eq!(wait(0, QS_ALLINPUT, 0), WAIT_TIMEOUT, "the look has seen them all");
    assert_eq!(drain(), [WM_USER + 1, WM_USER + 2]);
    assert_eq!(wait(0, QS_ALLINPUT, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
}

#[test]
fn only_the_kinds_of_the_mask_wake() {
    let hwnd = window();
    assert!(post(hwnd, WM_USER));
    assert_eq!(wait(0, QS_TIMER | QS_SENDMESSAGE, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
    // SAFETY: no precondition.
    let id = unsafe { SetTimer(null_mut(), 0, 10, None) };
    assert_eq!(wait(INFINITE, QS_TIMER, 0), WAIT_OBJECT_0);
    assert_eq!(wait(INFINITE, QS_TIMER, MWMO_INPUTAVAILABLE), WAIT_OBJECT_0);
    assert_eq!(wait(0, QS_TIMER, 0), WAIT_TIMEOUT, "due, and seen");
    // SAFETY: no precondition.
    unsafe { KillTimer(null_mut(), id) };
    assert_eq!(wait(0, QS_TIMER, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
    assert_eq!(wait(0, 0, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
}

#[test]
fn another_thread_wakes_who_waits() {
    let hwnd = Anywhere::of(window());
    let poster = std::thread::spawn(move || assert!(post(hwnd.hwnd(), WM_USER)));
    assert_eq!(wait(INFINITE, QS_POSTMESSAGE, MWMO_INPUTAVAILABLE), WAIT_OBJECT_0);
    poster.join().expect("no panic");
    assert_eq!(drain(), [WM_USER]);
    // SAFETY: no precondition.
    let sender = std::thread::spawn(move || unsafe { SendMessageA(hwnd.hwnd(), WM_USER, 0, 0) });
    assert_eq!(wait(INFINITE, QS_SENDMESSAGE, 0), WAIT_OBJECT_0);
    assert!(seen().is_empty(), "waiting runs nothing");
    assert!(peek().is_none());
    assert_eq!(seen_messages(), [WM_USER]);
    sender.join().expect("no panic");
}

#[test]
fn wait_message_waits_for_what_is_new() {
    let hwnd = Anywhere::of(window());
    let poster = std::thread::spawn(move || assert!(post(hwnd.hwnd(), WM_USER)));
    // SAFETY: no precondition.
    assert_ne!(unsafe { WaitMessage() }, FALSE);
    assert_eq!(drain(), [WM_USER]);
    poster.join().expect("no panic");
}

#[test]
fn arguments_that_cannot_be() {
    // SAFETY: none of the handles is read.
    unsafe {
        assert_eq!(MsgWaitForMultipleObjectsEx(64, null(), 0, QS_ALLINPUT, 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert_eq!(MsgWaitForMultipleObjectsEx(0, null(), 0, QS_ALLINPUT, 8), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert_eq!(MsgWaitForMultipleObjects(1, null(), FALSE, 0, QS_ALLINPUT), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        let bad = [8 as HANDLE];
        assert_eq!(MsgWaitForMultipleObjects(1, bad.as_ptr(), FALSE, 0, QS_ALLINPUT), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    }
}

fn event(set: bool) -> HANDLE {
    // SAFETY: null attributes and a null name are allowed.
    let event = unsafe { crate::CreateEventW(null(), FALSE, set.into(), null()) };
    assert!(!event.is_null());
    event
}

fn wait_with(handles: &[HANDLE], milliseconds: u32, flags: u32) -> WAIT_EVENT {
    // SAFETY: the handles are as many as said.
    unsafe { MsgWaitForMultipleObjectsEx(handles.len() as u32, handles.as_ptr(), milliseconds, QS_ALLINPUT, flags) }
}

#[test]
fn handles_come_before_the_queue() {
    let (hwnd, handles) = (window(), [event(false), event(true)]);
    assert!(post(hwnd, WM_USER));
    assert_eq!(wait_with(&handles, INFINITE, 0), WAIT_OBJECT_0 + 1, "which was auto-reset");
    assert_eq!(wait_with(&handles, INFINITE, 0), WAIT_OBJECT_0 + 2, "the message is still new");
    assert_eq!(wait_with(&handles, 0, 0), WAIT_TIMEOUT);
    for handle in handles {
        // SAFETY: no precondition.
        assert_ne!(unsafe { crate::CloseHandle(handle) }, FALSE);
    }
}

#[test]
fn all_handles_and_input_together() {
    let (hwnd, handle) = (window(), event(true));
    assert_eq!(wait_with(&[handle], 0, MWMO_WAITALL), WAIT_TIMEOUT, "no input");
    assert!(post(hwnd, WM_USER));
    assert_eq!(wait_with(&[handle], INFINITE, MWMO_WAITALL), WAIT_OBJECT_0);
    assert_eq!(wait_with(&[handle], 0, MWMO_WAITALL | MWMO_INPUTAVAILABLE), WAIT_TIMEOUT, "the event was taken");
    // SAFETY: no precondition.
    unsafe {
        assert_ne!(crate::SetEvent(handle), FALSE);
        assert_eq!(wait_with(&[handle], 0, MWMO_WAITALL), WAIT_TIMEOUT, "the input was seen");
        let id = SetTimer(null_mut(), 0, 10, None);
        assert_eq!(wait_with(&[handle], INFINITE, MWMO_WAITALL), WAIT_OBJECT_0, "a timer is input");
        KillTimer(null_mut(), id);
        assert_eq!(wait_with(&[handle, handle], 0, MWMO_WAITALL), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        crate::CloseHandle(handle);
    }
}

unsafe extern "system" fn routine(count: usize) {
    // SAFETY: the test passes the address of its cell.
    let count = unsafe { &*(count as *const Cell<u32>) };
    count.set(count.get() + 1);
    // A routine may look for messages itself.
    assert_eq!(drain(), [WM_USER]);
}

#[test]
fn routines_run_in_an_alertable_wait_and_end_it() {
    let (hwnd, count) = (window(), Cell::new(0));
    assert!(post(hwnd, WM_USER));
    // SAFETY: the routine gets the cell's address while the cell lives.
    let queued = unsafe { crate::QueueUserAPC(Some(routine), crate::GetCurrentThread(), (&raw const count) as usize) };
    assert_ne!(queued, 0);
    assert_eq!(wait(0, 0, 0), WAIT_TIMEOUT);
    assert_eq!(count.get(), 0, "not in a wait that is not alertable");
    assert_eq!(wait(INFINITE, QS_ALLINPUT, MWMO_ALERTABLE), WAIT_IO_COMPLETION, "before the input");
    assert_eq!(count.get(), 1);
    assert_eq!(wait(0, QS_ALLINPUT, MWMO_ALERTABLE | MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
}

#[test]
fn input_of_another_kind_does_not_end_the_wait() {
    let (hwnd, handle) = (Anywhere::of(window()), event(false));
    let (waiter, event) = (crate::os::thread_id(), handle as usize);
    let poster = std::thread::spawn(move || {
        crate::testing::until("the thread waits", || crate::watchdog::is_asleep(waiter));
        assert!(post(hwnd.hwnd(), WM_USER));
        // SAFETY: no precondition.
        assert_ne!(unsafe { crate::SetEvent(event as HANDLE) }, FALSE);
    });
    // SAFETY: one handle.
    let ended = unsafe { MsgWaitForMultipleObjectsEx(1, &raw const handle, INFINITE, QS_SENDMESSAGE, 0) };
    assert_eq!(ended, WAIT_OBJECT_0);
    poster.join().expect("no panic");
    // SAFETY: no precondition.
    unsafe { crate::CloseHandle(handle) };
}
