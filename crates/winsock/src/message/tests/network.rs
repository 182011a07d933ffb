use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::RawFd;
use std::thread;

use super::descriptor::{is_readable, until_readable};
use super::*;
use crate::error::{last_error, set_last_error};
use crate::testing::{Pair, listener};
use crate::{WSAAsyncSelect, accept, closesocket, recv, send};

const WM_SOCKET: u32 = WM_USER;

fn select(s: SOCKET, hwnd: HWND, events: u32) {
    // SAFETY: no precondition.
    assert_eq!(unsafe { WSAAsyncSelect(s, hwnd, WM_SOCKET, events as i32) }, 0, "error {}", last_error());
}

fn send_byte(s: SOCKET) {
    // SAFETY: the byte lives through the call.
    assert_eq!(unsafe { send(s, c"x".as_ptr().cast(), 1, 0) }, 1, "error {}", last_error());
}

/// Receives into a buffer that is larger than what comes; answers how much came.
fn receive(s: SOCKET, buffer: &mut [u8]) -> i32 {
    // SAFETY: the buffer lives through the call.
    unsafe { recv(s, buffer.as_mut_ptr(), buffer.len() as i32, 0) }
}

/// The socket and the event of a network message.
fn event_of(msg: &MSG) -> (SOCKET, u32) {
    assert_eq!((msg.message, msg.lParam >> 16), (WM_SOCKET, 0), "no error");
    (msg.wParam, msg.lParam as u32 & 0xffff)
}

/// Fetches a message as a main loop does. A look may find nothing, while the watchdog makes the message.
fn watch(fd: RawFd) -> MSG {
    loop {
        until_readable(fd);
        if let Some(msg) = peek() {
            return msg;
        }
    }
}

/// The window procedure of an echo server, as the documents write it. When the last client goes, it ends the loop.
unsafe extern "system" fn echo(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message != WM_SOCKET {
        // SAFETY: called as a window procedure.
        return unsafe { DefWindowProcA(hwnd, message, wparam, lparam) };
    }
    let mut buffer = [0; 1024];
    // SAFETY: the buffer lives through the calls; null pointers are allowed.
    unsafe {
        match lparam as u32 & 0xffff {
            FD_ACCEPT => {
                let client = accept(wparam, null_mut(), null_mut());
                assert_ne!(client, INVALID_SOCKET);
                assert_eq!(WSAAsyncSelect(client, hwnd, WM_SOCKET, (FD_READ | FD_CLOSE) as i32), 0);
                SetWindowLongPtrA(hwnd, GWLP_USERDATA, GetWindowLongPtrA(hwnd, GWLP_USERDATA) + 1);
            }
            FD_READ => {
                let len = receive(wparam, &mut buffer);
                if len > 0 {
                    assert_eq!(send(wparam, buffer.as_ptr(), len, 0), len);
                }
            }
            FD_CLOSE => {
                closesocket(wparam);
                let left = GetWindowLongPtrA(hwnd, GWLP_USERDATA) - 1;
                SetWindowLongPtrA(hwnd, GWLP_USERDATA, left);
                if left == 0 {
                    PostQuitMessage(0);
                }
            }
            other => panic!("{other:#x} was not asked for"),
        }
    }
    0
}

/// Runs the echo server with a loop, and clients that check what comes back. None of them goes before all are served.
fn serve(run: impl FnOnce()) {
    const CLIENTS: usize = 8;
    let hwnd = window_with(Some(echo));
    let (s, address) = listener();
    select(s, hwnd, FD_ACCEPT);
    let port = u16::from_be(address.sin_port);
    let all = std::sync::Arc::new(std::sync::Barrier::new(CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let all = all.clone();
            thread::spawn(move || {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
                for round in 0..100 {
                    let sent = [client as u8, round, 3, 4];
                    stream.write_all(&sent).expect("it is connected");
                    let mut received = [0; 4];
                    stream.read_exact(&mut received).expect("it echoes");
                    assert_eq!(received, sent);
                    if round == 0 {
                        all.wait();
                    }
                }
            })
        })
        .collect();
    run();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    // SAFETY: no precondition.
    unsafe {
        closesocket(s);
        DestroyWindow(hwnd);
    }
}

#[test]
fn the_documents_echo_server_runs() {
    serve(|| {
        loop {
            let msg = get();
            if msg.message == WM_QUIT {
                break;
            }
            // SAFETY: a message as fetched.
            unsafe { DispatchMessageA(&raw const msg) };
        }
    });
}

#[test]
fn the_documents_echo_server_runs_in_a_foreign_main_loop() {
    let fd = message_queue_fd().expect("a descriptor");
    serve(|| {
        'outer: loop {
            until_readable(fd);
            while let Some(msg) = peek() {
                if msg.message == WM_QUIT {
                    break 'outer;
                }
                // SAFETY: a message as fetched.
                unsafe { DispatchMessageA(&raw const msg) };
            }
        }
    });
    crate::testing::until("it is unreadable", || peek().is_none() && !is_readable(fd));
}

#[test]
fn the_descriptor_is_readable_for_news_and_not_after_it_was_taken() {
    let (hwnd, pair) = (window(), Pair::new());
    let fd = message_queue_fd().expect("a descriptor");
    select(pair.server, hwnd, FD_READ);
    assert!(peek().is_none());
    assert!(!is_readable(fd));
    for _ in 0..20 {
        send_byte(pair.client);
        assert_eq!(event_of(&watch(fd)), (pair.server, FD_READ));
        crate::testing::until("it is unreadable", || peek().is_none() && !is_readable(fd));
        assert_eq!(receive(pair.server, &mut [0; 8]), 1);
    }
}

#[test]
fn news_that_is_no_message_does_not_keep_the_descriptor_readable() {
    let (hwnd, pair) = (window(), Pair::new());
    let fd = message_queue_fd().expect("a descriptor");
    select(pair.server, hwnd, FD_READ);
    send_byte(pair.client);
    assert_eq!(event_of(&watch(fd)), (pair.server, FD_READ));
    // Nothing is posted for this byte: the program has not received the first one.
    send_byte(pair.client);
    crate::testing::until("the second byte is there", || {
        let mut pending = 0;
        // SAFETY: the number lives through the call.
        unsafe { crate::ioctlsocket(pair.server, FIONREAD, &raw mut pending) == 0 && pending == 2 }
    });
    crate::testing::until("it is unreadable", || peek().is_none() && !is_readable(fd));
}

#[test]
fn a5_a6_messages_in_the_queue_stay_when_the_socket_is_deselected_or_closed() {
    let (hwnd, pair) = (window(), Pair::new());
    for close in [false, true] {
        select(pair.server, hwnd, FD_WRITE);
        // SAFETY: no precondition.
        let gone = unsafe {
            match close {
                false => WSAAsyncSelect(pair.server, hwnd, 0, 0),
                true => closesocket(pair.server),
            }
        };
        assert_eq!(gone, 0);
        assert_eq!(peek().map(|msg| event_of(&msg)), Some((pair.server, FD_WRITE)));
        assert!(peek().is_none());
    }
}

#[test]
fn a10_the_thread_that_selects_may_end() {
    let (hwnd, pair) = (Anywhere::of(window()), Pair::new());
    let server = pair.server;
    thread::spawn(move || select(server, hwnd.hwnd(), FD_READ)).join().expect("no panic");
    for _ in 0..3 {
        send_byte(pair.client);
        assert_eq!(event_of(&get()), (pair.server, FD_READ));
        assert_eq!(receive(pair.server, &mut [0; 8]), 1);
    }
}

#[test]
fn a13_the_last_error_is_as_it_was() {
    let (hwnd, pair) = (window(), Pair::new());
    select(pair.server, hwnd, FD_READ);
    send_byte(pair.client);
    set_last_error(4711);
    let msg = get();
    assert!(peek().is_none());
    // SAFETY: a message as fetched.
    unsafe { DispatchMessageA(&raw const msg) };
    assert_eq!((event_of(&msg), last_error()), ((pair.server, FD_READ), 4711));
}

#[test]
fn the_network_ends_a_wait_for_messages() {
    let (hwnd, pair) = (window(), Pair::new());
    select(pair.server, hwnd, FD_READ);
    send_byte(pair.client);
    // SAFETY: no handles.
    let ended = unsafe { MsgWaitForMultipleObjectsEx(0, null(), INFINITE, QS_POSTMESSAGE, MWMO_INPUTAVAILABLE) };
    assert_eq!(ended, WAIT_OBJECT_0);
    assert_eq!(peek().map(|msg| event_of(&msg)), Some((pair.server, FD_READ)));
}

#[test]
fn a_window_that_is_gone_is_told_nothing() {
    let (hwnd, pair) = (window(), Pair::new());
    select(pair.server, hwnd, FD_READ);
    // SAFETY: no precondition.
    unsafe { DestroyWindow(hwnd) };
    send_byte(pair.client);
    let other = window();
    assert!(peek().is_none());
    // SAFETY: no precondition.
    assert_eq!(unsafe { WSAAsyncSelect(pair.server, hwnd, WM_SOCKET, FD_READ as i32) }, SOCKET_ERROR);
    assert_eq!(last_error(), WSAEINVAL as u32);
    select(pair.server, other, FD_READ);
    assert_eq!(event_of(&get()), (pair.server, FD_READ), "the data is there");
}
