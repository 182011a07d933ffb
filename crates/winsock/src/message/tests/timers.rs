use std::cell::Cell;
use std::time::{Duration, Instant};

use super::filter::Filter;
use super::timer::Timers;
use super::*;
use crate::error::last_error;

/// Sets a timer that is due soon.
fn set(hwnd: HWND, id: usize, procedure: TIMERPROC) -> usize {
    // SAFETY: the procedure is one.
    unsafe { SetTimer(hwnd, id, 10, procedure) }
}

fn kill(hwnd: HWND, id: usize) -> bool {
    // SAFETY: no precondition.
    unsafe { KillTimer(hwnd, id) != FALSE }
}

#[test]
fn a_timer_comes_again_and_again_until_it_is_killed() {
    let hwnd = window();
    assert_ne!(set(hwnd, 7, None), 0);
    for _ in 0..3 {
        let msg = get();
        assert_eq!((msg.hwnd, msg.message, msg.wParam, msg.lParam), (hwnd, WM_TIMER, 7, 0));
    }
    assert!(kill(hwnd, 7));
    assert!(!kill(hwnd, 7));
    assert!(peek().is_none());
}

#[test]
fn a_timer_comes_after_everything_else() {
    let hwnd = window();
    set(hwnd, 1, None);
    // SAFETY: no precondition.
    crate::testing::until("the timer is due", || unsafe { GetQueueStatus(QS_TIMER) } >> 16 != 0);
    assert!(post(hwnd, WM_USER));
    // SAFETY: no precondition.
    unsafe { PostQuitMessage(0) };
    assert_eq!([get().message, get().message, get().message], [WM_USER, WM_QUIT, WM_TIMER]);
    kill(hwnd, 1);
}

#[test]
fn beats_that_nobody_saw_are_one_message() {
    let (beat, mut timers) = (Duration::from_secs(3600), Timers::default());
    timers.set(0, 0, beat, 0);
    let first = timers.next_any().expect("one timer");
    assert!(timers.find(&Filter::ALL, first - Duration::from_nanos(1), true).is_none());
    let late = first + beat * 5 / 2;
    assert!(timers.find(&Filter::ALL, late, true).is_some());
    assert!(timers.find(&Filter::ALL, late, true).is_none());
    assert_eq!(timers.next(&Filter::ALL, late), Some(first + beat * 3), "and the beat goes on");
}

#[test]
fn a_timer_without_window_gets_an_id_of_its_own() {
    let (one, two) = (set(null_mut(), 99, None), set(null_mut(), 99, None));
    assert!(one != 0 && two != 0 && one != two);
    assert_eq!(set(null_mut(), one, None), one, "set anew");
    let msg = get();
    assert_eq!((msg.hwnd, msg.message), (null_mut(), WM_TIMER));
    assert!(msg.wParam == one || msg.wParam == two);
    assert!(kill(null_mut(), one) && kill(null_mut(), two) && !kill(null_mut(), 99));
}

thread_local! {
    static CALLED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

unsafe extern "system" fn procedure(hwnd: HWND, message: u32, id: usize, _: u32) {
    assert_eq!(message, WM_TIMER);
    CALLED.set((hwnd as usize, id));
}

#[test]
fn dispatching_calls_the_timers_procedure_and_none_that_no_timer_has() {
    let hwnd = window();
    set(hwnd, 5, Some(procedure));
    let msg = get();
    // SAFETY: messages as fetched, or posted by anybody.
    unsafe {
        DispatchMessageA(&raw const msg);
        assert_eq!(CALLED.replace((0, 0)), (hwnd as usize, 5));
        kill(hwnd, 5);
        DispatchMessageA(&raw const msg);
        DispatchMessageA(&MSG { lParam: 0x10, ..msg });
    }
    assert_eq!(CALLED.get(), (0, 0));
    assert!(seen().is_empty(), "the window's procedure sees none of it");
}

#[test]
fn a_timer_ends_with_its_window_and_is_its_threads() {
    let hwnd = window();
    set(hwnd, 1, None);
    let theirs = Anywhere::of(hwnd);
    std::thread::spawn(move || {
        assert_eq!(set(theirs.hwnd(), 1, None), 0);
        assert_eq!(last_error(), ERROR_ACCESS_DENIED);
    })
    .join()
    .expect("no panic");
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    let queue = super::queue::current().expect("a queue");
    assert!(queue.with_timers(|timers| timers.is_empty()));
    assert_eq!(set(hwnd, 1, None), 0);
    assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
}

#[test]
fn the_interval_is_at_least_the_smallest() {
    let before = Instant::now();
    // SAFETY: no precondition.
    let id = unsafe { SetTimer(null_mut(), 0, 0, None) };
    let next = super::queue::current().and_then(|queue| queue.with_timers(|timers| timers.next_any()));
    assert!(next.expect("one timer") >= before + Duration::from_millis(u64::from(USER_TIMER_MINIMUM)));
    assert_eq!((get().message, get().message), (WM_TIMER, WM_TIMER));
    assert!(kill(null_mut(), id));
}
