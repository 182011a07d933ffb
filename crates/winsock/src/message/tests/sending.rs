use std::sync::mpsc;
use std::thread;

use super::*;
use crate::error::last_error;

/// Answers WM_USER with its own thread's number, and WM_USER + 1 with what the window in wParam says to WM_USER.
unsafe extern "system" fn answers(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: called as a window procedure.
    unsafe {
        match message {
            WM_USER => own_id() as LRESULT,
            0x401 => SendMessageA(wparam as HWND, WM_USER, 0, 0),
            _ => DefWindowProcA(hwnd, message, wparam, lparam),
        }
    }
}

/// A thread with a window, whose loop runs until WM_QUIT.
struct Looper {
    hwnd: Anywhere,
    number: u32,
    thread: thread::JoinHandle<()>,
}

impl Looper {
    fn start() -> Looper {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            tell.send((Anywhere::of(window_with(Some(answers))), own_id())).expect("we listen");
            while get().message != WM_QUIT {}
        });
        let (hwnd, number) = told.recv().expect("it tells");
        Looper { hwnd, number, thread }
    }

    fn stop(self) {
        // SAFETY: no precondition.
        assert_ne!(unsafe { PostThreadMessageA(self.number, WM_QUIT, 0, 0) }, FALSE);
        self.thread.join().expect("no panic");
    }
}

fn send(hwnd: HWND, message: u32, wparam: usize) -> LRESULT {
    // SAFETY: no precondition.
    unsafe { SendMessageW(hwnd, message, wparam, 0) }
}

#[test]
fn to_a_window_of_the_same_thread_it_is_a_call() {
    let hwnd = window_with(Some(answers));
    assert!(post(hwnd, WM_USER + 9));
    assert_eq!(send(hwnd, WM_USER, 0), own_id() as isize);
    assert_eq!(drain(), [WM_USER + 9], "what is posted waits");
    assert_eq!(send(8 as HWND, WM_USER, 0), 0);
    assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
}

#[test]
fn to_another_thread_it_runs_there() {
    let looper = Looper::start();
    for _ in 0..100 {
        assert_eq!(send(looper.hwnd.hwnd(), WM_USER, 0), looper.number as isize);
    }
    looper.stop();
}

#[test]
fn who_waits_for_an_answer_answers_meanwhile() {
    let (looper, hwnd) = (Looper::start(), window_with(Some(answers)));
    for _ in 0..100 {
        assert_eq!(send(looper.hwnd.hwnd(), 0x401, hwnd as usize), own_id() as isize);
    }
    looper.stop();
}

#[test]
fn a_message_that_can_no_longer_run_is_answered_with_0() {
    let (tell, told) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let (one, two) = (window_with(Some(answers)), window_with(Some(answers)));
        tell.send([Anywhere::of(one), Anywhere::of(two)]).expect("we listen");
        wait.recv().expect("we tell");
        // SAFETY: no precondition.
        while unsafe { GetQueueStatus(QS_SENDMESSAGE) } >> 16 == 0 {
            thread::yield_now();
        }
        // SAFETY: no precondition.
        unsafe { DestroyWindow(one) };
        tell.send([Anywhere::of(two); 2]).expect("we listen");
        wait.recv().expect("we tell");
        // SAFETY: no precondition.
        while unsafe { GetQueueStatus(QS_SENDMESSAGE) } >> 16 == 0 {
            thread::yield_now();
        }
    });
    let [one, two] = told.recv().expect("it tells");
    go.send(()).expect("it listens");
    assert_eq!(send(one.hwnd(), WM_USER, 0), 0, "the window was destroyed");
    told.recv().expect("it tells");
    go.send(()).expect("it listens");
    assert_eq!(send(two.hwnd(), WM_USER, 0), 0, "the thread has ended");
    thread.join().expect("no panic");
}

#[test]
fn looking_runs_what_was_sent_before_anything_posted() {
    let hwnd = window();
    assert!(post(hwnd, WM_USER));
    let target = Anywhere::of(hwnd);
    let sender = thread::spawn(move || send(target.hwnd(), WM_USER + 1, 0));
    // SAFETY: no precondition.
    crate::testing::until("it is sent", || unsafe { GetQueueStatus(QS_SENDMESSAGE) } >> 16 != 0);
    assert!(peek_for(null_mut(), 0, 0, PM_NOREMOVE).is_some());
    assert_eq!(seen_messages(), [WM_USER + 1]);
    sender.join().expect("no panic");
}
