use std::os::fd::RawFd;
use std::time::Duration;

use super::*;
use crate::os;

pub(super) fn is_readable(fd: RawFd) -> bool {
    os::poll_now(fd, libc::POLLIN) != 0
}

/// Waits as a main loop does.
pub(super) fn until_readable(fd: RawFd) {
    let mut fds = [libc::pollfd { fd, events: libc::POLLIN, revents: 0 }];
    // A signal ends the wait early.
    crate::testing::until("the descriptor is readable", || {
        os::poll(&mut fds, Some(Duration::from_secs(1))).expect("poll works") == 1
    });
}

#[test]
fn it_is_readable_as_long_as_messages_wait() {
    let hwnd = window();
    let fd = message_queue_fd().expect("a descriptor");
    assert_eq!(message_queue_fd(), Ok(fd), "there is one");
    assert!(!is_readable(fd));
    assert!(post(hwnd, WM_USER) && post(hwnd, WM_USER));
    assert!(is_readable(fd));
    assert!(peek().is_some());
    assert!(is_readable(fd));
    assert!(peek_for(hwnd, WM_USER + 1, WM_USER + 1, PM_REMOVE).is_none());
    assert!(is_readable(fd), "a look for something else leaves it");
    assert!(peek().is_some() && peek().is_none());
    assert!(!is_readable(fd));
    // SAFETY: no precondition.
    unsafe { PostQuitMessage(0) };
    assert!(is_readable(fd));
    assert_eq!(drain(), [WM_QUIT]);
    assert!(!is_readable(fd));
}

#[test]
fn it_shows_what_was_there_before_it_was_asked_for() {
    let hwnd = window();
    assert!(post(hwnd, WM_USER));
    let fd = message_queue_fd().expect("a descriptor");
    assert!(is_readable(fd));
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    assert!(!is_readable(fd), "the window took its messages along");
}

#[test]
fn a_main_loop_loses_no_message_of_other_threads() {
    const COUNT: usize = 3000;
    let hwnd = Anywhere::of(window());
    let fd = message_queue_fd().expect("a descriptor");
    let posters = [0, 1].map(|_| {
        std::thread::spawn(move || {
            for _ in 0..COUNT {
                assert!(post(hwnd.hwnd(), WM_USER));
            }
        })
    });
    let mut count = 0;
    while count < 2 * COUNT {
        until_readable(fd);
        count += drain().len();
    }
    posters.into_iter().for_each(|poster| poster.join().expect("no panic"));
    assert!(!is_readable(fd));
}

#[test]
fn it_is_readable_when_something_was_sent() {
    let hwnd = Anywhere::of(window());
    let fd = message_queue_fd().expect("a descriptor");
    // SAFETY: no precondition.
    let sender = std::thread::spawn(move || unsafe { SendMessageA(hwnd.hwnd(), WM_USER, 0, 0) });
    until_readable(fd);
    assert!(peek().is_none());
    assert_eq!(seen_messages(), [WM_USER]);
    assert!(!is_readable(fd));
    sender.join().expect("no panic");
}

#[test]
fn it_becomes_readable_when_a_timer_is_due() {
    let hwnd = window();
    // SAFETY: no precondition.
    unsafe { SetTimer(hwnd, 1, 20, None) };
    let fd = message_queue_fd().expect("a descriptor");
    for _ in 0..3 {
        until_readable(fd);
        assert!(peek_for(null_mut(), 0, 0, PM_NOREMOVE).is_some());
        assert!(is_readable(fd), "it was left there");
        assert_eq!(peek().map(|msg| msg.message), Some(WM_TIMER));
    }
    // SAFETY: no precondition.
    unsafe { KillTimer(hwnd, 1) };
    assert!(!is_readable(fd));
    // SAFETY: no precondition.
    unsafe { SetTimer(hwnd, 1, 10, None) };
    until_readable(fd);
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    assert!(!is_readable(fd));
}

#[test]
fn waiting_in_our_calls_and_watching_go_together() {
    let hwnd = Anywhere::of(window());
    let fd = message_queue_fd().expect("a descriptor");
    let poster = std::thread::spawn(move || assert!(post(hwnd.hwnd(), WM_USER) && post(hwnd.hwnd(), WM_USER)));
    assert_eq!(get().message, WM_USER);
    poster.join().expect("no panic");
    assert!(is_readable(fd));
    assert_eq!(drain(), [WM_USER]);
    assert!(!is_readable(fd));
}
