use super::queue::MOST_POSTED;
use super::*;
use crate::error::last_error;

#[test]
fn messages_come_in_the_order_of_posting() {
    let hwnd = window();
    // SAFETY: no precondition.
    unsafe {
        PostMessageW(hwnd, WM_USER, 1, 2);
        PostMessageA(null_mut(), WM_USER + 1, 3, -4);
    }
    let (first, second) = (get(), get());
    assert_eq!((first.hwnd, first.message, first.wParam, first.lParam), (hwnd, WM_USER, 1, 2));
    assert_eq!((second.hwnd, second.message, second.wParam, second.lParam), (null_mut(), WM_USER + 1, 3, -4));
    assert!(peek().is_none());
}

#[test]
fn a11_a_network_message_names_the_socket_one_event_and_an_error() {
    let hwnd = window();
    let posted = post_network_event(hwnd as usize, WM_USER + 3, 0x4000_0004, FD_CLOSE, WSAECONNABORTED as u32);
    assert!(posted);
    let msg = get();
    assert_eq!((msg.hwnd, msg.message, msg.wParam), (hwnd, WM_USER + 3, 0x4000_0004));
    assert_eq!((msg.lParam & 0xffff, msg.lParam >> 16), (FD_CLOSE as isize, WSAECONNABORTED as isize));
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    assert!(!post_network_event(hwnd as usize, WM_USER + 3, 0x4000_0004, FD_READ, 0));
}

#[test]
fn a_full_queue_refuses_messages_but_loses_none_of_the_network() {
    let hwnd = window();
    for _ in 0..MOST_POSTED {
        assert!(post(hwnd, WM_USER));
    }
    assert!(!post(hwnd, WM_USER));
    assert_eq!(last_error(), ERROR_NOT_ENOUGH_QUOTA);
    assert!(post_network_event(hwnd as usize, WM_USER + 1, 4, FD_READ, 0));
    assert_eq!(drain().len(), MOST_POSTED + 1);
    assert!(post(hwnd, WM_USER));
}

#[test]
fn a_broadcast_reaches_windows_without_parent_that_are_not_message_only() {
    let name = class(Some(recorder), 0);
    let (top, message_only) = (create(&name, null_mut()), window());
    let child = create(&name, top);
    // A number that no other test posts, since it reaches their windows too.
    assert!(post(HWND_BROADCAST, WM_APP + 77));
    let reached: Vec<_> = std::iter::from_fn(peek).map(|msg| msg.hwnd).collect();
    assert_eq!(reached, [top]);
    assert!(is_window(message_only as usize) && is_window(child as usize));
}

#[test]
fn a_thread_has_a_queue_once_it_has_looked() {
    let (told, tell) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let (to_us, from_us) = (told.0, tell.1);
    let thread = std::thread::spawn(move || {
        to_us.send(own_id()).expect("we listen");
        from_us.recv().expect("we tell");
        assert!(peek().is_none());
        to_us.send(0).expect("we listen");
        let msg = get();
        (msg.hwnd as usize, msg.message, msg.wParam)
    });
    let number = told.1.recv().expect("it tells");
    let post = || {
        // SAFETY: no precondition.
        unsafe { PostThreadMessageA(number, WM_USER + 5, 6, 7) != FALSE }
    };
    assert!(!post());
    assert_eq!(last_error(), ERROR_INVALID_THREAD_ID);
    tell.0.send(()).expect("it listens");
    told.1.recv().expect("it tells");
    assert!(post());
    assert_eq!(thread.join().expect("no panic"), (0, WM_USER + 5, 6));
    crate::testing::until("the queue is gone", || !post());
    assert_eq!(last_error(), ERROR_INVALID_THREAD_ID);
}

#[test]
fn a10_who_posts_may_be_any_thread_and_wakes_who_waits() {
    let hwnd = Anywhere::of(window());
    let posters: Vec<_> = (0..4).map(|_| std::thread::spawn(move || assert!(post(hwnd.hwnd(), WM_USER)))).collect();
    for _ in 0..4 {
        assert_eq!(get().message, WM_USER);
    }
    posters.into_iter().for_each(|poster| poster.join().expect("no panic"));
}

#[test]
fn a_destroyed_window_takes_its_messages_with_it() {
    let (hwnd, other) = (window(), window());
    assert!(post(hwnd, WM_USER) && post(other, WM_USER + 1) && post(hwnd, WM_USER + 2));
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    assert_eq!(drain(), [WM_USER + 1]);
}

#[test]
fn many_threads_post_to_one_and_nothing_is_lost() {
    const EACH: usize = 2000;
    let hwnd = Anywhere::of(window());
    let posters: Vec<_> = (0..3)
        .map(|poster| {
            std::thread::spawn(move || {
                for i in 0..EACH {
                    // SAFETY: no precondition.
                    assert_ne!(unsafe { PostMessageA(hwnd.hwnd(), WM_USER, poster, i as isize) }, FALSE);
                }
            })
        })
        .collect();
    let mut next = [0; 3];
    for _ in 0..3 * EACH {
        let msg = get();
        assert_eq!(msg.lParam, next[msg.wParam], "messages of one thread keep their order");
        next[msg.wParam] += 1;
    }
    posters.into_iter().for_each(|poster| poster.join().expect("no panic"));
    assert!(peek().is_none());
}

#[test]
fn a_threads_end_leaves_nothing_to_the_next_threads_queue() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    // The newest window; somebody posts to it all the time, also while its thread ends.
    static NEWEST: AtomicUsize = AtomicUsize::new(0);
    static DONE: AtomicBool = AtomicBool::new(false);
    let poster = std::thread::spawn(|| {
        while !DONE.load(Ordering::Relaxed) {
            post(NEWEST.load(Ordering::Relaxed) as HWND, WM_USER + 1);
        }
    });
    for _ in 0..300 {
        let thread = std::thread::spawn(|| {
            let found = peek_for(null_mut(), 0, 0, PM_NOREMOVE).map(|msg| msg.message);
            assert_eq!(found, None, "a message of another thread");
            let hwnd = window();
            // Before the poster can fill the queue.
            assert!(post(null_mut(), WM_USER + 2));
            NEWEST.store(hwnd as usize, Ordering::Relaxed);
            // SAFETY: no precondition.
            unsafe {
                SetTimer(hwnd, 1, 10, None);
                PostQuitMessage(1);
            }
            if crate::thread::number().is_multiple_of(4) {
                get();
            }
        });
        thread.join().expect("no panic");
    }
    DONE.store(true, Ordering::Relaxed);
    poster.join().expect("no panic");
}
