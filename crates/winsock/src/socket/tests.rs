//! What befalls sockets when things happen in the wrong order, or too much of them.
#![expect(clippy::undocumented_unsafe_blocks, reason = "each call gets memory that the test keeps until it is over")]

use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;
use std::thread;

use super::*;
use crate::testing::{Pair, bind_to_loopback, last_error, listener, status_word, tcp, udp, until};
use crate::{
    CloseHandle, CreateEventW, CreateIoCompletionPort, DuplicateHandle, GetCurrentProcess, GetCurrentThread,
    GetQueuedCompletionStatus, QueueUserAPC, WaitForSingleObject, ioctlsocket,
};

/// An OVERLAPPED and a buffer that live for ever, as an operation may need them.
struct Operation {
    overlapped: *mut OVERLAPPED,
    buffer: &'static mut [u8],
}

impl Operation {
    fn new(len: usize) -> Operation {
        Operation { overlapped: Box::leak(Box::default()), buffer: vec![0; len].leak() }
    }

    fn wsabuf(&mut self) -> WSABUF {
        WSABUF { len: self.buffer.len() as u32, buf: self.buffer.as_mut_ptr() }
    }

    /// Returns the error, or 0.
    fn receive(&mut self, s: SOCKET) -> i32 {
        let mut flags = 0;
        match unsafe { WSARecv(s, &self.wsabuf(), 1, null_mut(), &mut flags, self.overlapped, None) } {
            0 => 0,
            _ => last_error(),
        }
    }

    fn send(&mut self, s: SOCKET) -> i32 {
        match unsafe { WSASend(s, &self.wsabuf(), 1, null_mut(), 0, self.overlapped, None) } {
            0 => 0,
            _ => last_error(),
        }
    }

    fn is_over(&self) -> bool {
        unsafe { status_word(self.overlapped) != STATUS_PENDING as usize }
    }
}

fn set_nonblocking(s: SOCKET) {
    let mut on = 1;
    assert_eq!(unsafe { ioctlsocket(s, FIONBIO, &mut on) }, 0);
}

fn send_all(s: SOCKET, data: &[u8]) {
    assert_eq!(unsafe { send(s, data.as_ptr(), data.len() as i32, 0) }, data.len() as i32, "error {}", last_error());
}

fn wait_readable(s: SOCKET) {
    until("data", || os::poll_now(winsock_fd(s), libc::POLLIN) != 0);
}

/// Reads to the end; returns how much there was.
fn read_to_end(s: SOCKET) -> Result<usize, i32> {
    let timeout = 20_000u32;
    unsafe { setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (&raw const timeout).cast(), 4) };
    let mut buffer = vec![0u8; 1 << 20];
    let mut all = 0;
    loop {
        match unsafe { recv(s, buffer.as_mut_ptr(), buffer.len() as i32, 0) } {
            0 => return Ok(all),
            SOCKET_ERROR => return Err(last_error()),
            n => all += n as usize,
        }
    }
}

#[test]
fn a_refused_send_leaves_no_error_behind_that_wakes_receivers() {
    let s = udp();
    let address = bind_to_loopback(s);
    let big = vec![0u8; 65_520];
    let sent = unsafe { sendto(s, big.as_ptr(), big.len() as i32, 0, (&raw const address).cast(), 16) };
    assert_eq!((sent, last_error()), (SOCKET_ERROR, WSAEMSGSIZE));
    assert_eq!(os::poll_now(winsock_fd(s), libc::POLLIN), 0, "a blocking receive would spin");
    unsafe { closesocket(s) };
}

#[test]
fn a_cancelled_send_does_not_lose_the_end_of_the_stream() {
    let pair = Pair::new();
    let mut operation = Operation::new(32 << 20);
    assert_eq!(operation.send(pair.client), WSA_IO_PENDING);
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    assert_ne!(unsafe { CancelIoEx(pair.client as HANDLE, null()) }, FALSE);
    assert!(read_to_end(pair.server).is_ok_and(|bytes| bytes < operation.buffer.len()));
}

#[test]
fn what_is_there_is_received_before_its_edge_was_taken() {
    let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
    let pair = Pair::new();
    unsafe { CreateIoCompletionPort(pair.server as HANDLE, port, 0, 0) };
    set_nonblocking(pair.server);
    let mut operation = Operation::new(64);
    for round in 0..200 {
        assert_eq!(operation.receive(pair.server), WSA_IO_PENDING);
        send_all(pair.client, b"a");
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        let got = unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, 30_000) };
        assert_ne!(got, FALSE);
        send_all(pair.client, b"b");
        wait_readable(pair.server);
        let mut byte = 0;
        assert_eq!(unsafe { recv(pair.server, &mut byte, 1, 0) }, 1, "round {round}: error {}", last_error());
    }
}

#[test]
fn a_receive_into_more_buffers_than_the_kernel_takes_forgets_no_data() {
    let pair = Pair::new();
    // From now on edges tell.
    let mut first = Operation::new(1);
    assert_eq!(first.receive(pair.server), WSA_IO_PENDING);
    send_all(pair.client, &[0; 3001]);
    until("the first byte", || first.is_over());
    until("the rest", || os::ioctl_read(winsock_fd(pair.server), libc::FIONREAD).is_ok_and(|bytes| bytes == 3000));
    let memory = vec![0u8; 2000].leak();
    let buffers: Vec<_> = memory.iter_mut().map(|byte| WSABUF { len: 1, buf: byte }).collect();
    let overlapped: *mut OVERLAPPED = Box::leak(Box::default());
    let (mut bytes, mut flags) = (0, 0);
    let result = unsafe { WSARecv(pair.server, buffers.as_ptr(), 2000, &mut bytes, &mut flags, overlapped, None) };
    assert_eq!(result, 0);
    let mut rest = Operation::new(3000);
    assert_eq!(rest.receive(pair.server), 0, "{bytes} bytes were received, the rest is there");
}

#[test]
fn a_datagram_of_more_buffers_than_the_kernel_takes_is_sent_whole() {
    let s = udp();
    let address = bind_to_loopback(s);
    let mut memory = vec![7u8; 2000];
    let buffers: Vec<_> = memory.iter_mut().map(|byte| WSABUF { len: 1, buf: byte }).collect();
    let mut bytes = 0;
    let to = (&raw const address).cast();
    assert_eq!(unsafe { WSASendTo(s, buffers.as_ptr(), 2000, &mut bytes, 0, to, 16, null_mut(), None) }, 0);
    let mut whole = [0u8; 3000];
    assert_eq!((bytes, unsafe { recv(s, whole.as_mut_ptr(), 3000, 0) }), (2000, 2000));
    unsafe { closesocket(s) };
}

#[test]
fn a_receive_of_urgent_data_ends_with_the_connection() {
    let pair = Pair::new();
    let server = pair.server;
    let receiver = thread::spawn(move || {
        let mut byte = 0;
        (unsafe { recv(server, &mut byte, 1, MSG_OOB) }, last_error())
    });
    until("a thread that receives", || blocks_on(server));
    let linger = LINGER { l_onoff: 1, l_linger: 0 };
    unsafe {
        setsockopt(pair.client, SOL_SOCKET, SO_LINGER, (&raw const linger).cast(), 4);
        closesocket(pair.client);
    }
    until("the receive ends", || receiver.is_finished());
    assert_eq!(receiver.join().unwrap(), (SOCKET_ERROR, WSAECONNRESET));
}

fn blocks_on(s: SOCKET) -> bool {
    lock(s).is_ok_and(|socket| socket.socket.blocked.load(Ordering::Relaxed) > 0)
}

#[test]
fn closing_under_a_receiver_loses_nothing_that_was_accepted() {
    let pair = Pair::new();
    let client = pair.client;
    let receiver = thread::spawn(move || {
        let mut byte = 0;
        unsafe { recv(client, &mut byte, 1, 0) }
    });
    until("a thread that receives", || blocks_on(client));
    set_nonblocking(client);
    let data = vec![1u8; 32 << 20];
    send_all(client, &data);
    assert!(lock(client).is_ok_and(|socket| !socket.sends.is_empty()), "more than the kernel takes");
    assert_eq!(unsafe { closesocket(client) }, 0);
    assert_eq!(receiver.join().unwrap(), SOCKET_ERROR);
    assert_eq!(read_to_end(pair.server), Ok(data.len()));
}

#[test]
fn two_listeners_that_are_each_others_acceptor_do_not_lock_each_other_out() {
    let (a, b) = (listener().0, listener().0);
    let rounds = |listener, acceptor| {
        for _ in 0..100_000 {
            let (mut overlapped, mut buffer) = (OVERLAPPED::default(), [0u8; 64]);
            let output = buffer.as_mut_ptr().cast();
            let started = unsafe { AcceptEx(listener, acceptor, output, 0, 32, 32, null_mut(), &mut overlapped) };
            assert_eq!((started, last_error()), (FALSE, WSAEINVAL));
        }
    };
    let threads = [thread::spawn(move || rounds(a, b)), thread::spawn(move || rounds(b, a))];
    until("both are refused", || threads.iter().all(|thread| thread.is_finished()));
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_listener_closed_by_its_condition_function_gives_no_connection() {
    unsafe extern "system" fn close_it(
        _: *mut WSABUF,
        _: *mut WSABUF,
        _: *mut QOS,
        _: *mut QOS,
        _: *mut WSABUF,
        _: *mut WSABUF,
        _: *mut u32,
        listener: usize,
    ) -> i32 {
        unsafe { closesocket(listener) };
        CF_ACCEPT as i32
    }
    let (listener, address) = listener();
    let client = tcp();
    assert_eq!(unsafe { connect(client, (&raw const address).cast(), 16) }, 0);
    let accepted = unsafe { WSAAccept(listener, null_mut(), null_mut(), Some(close_it), listener) };
    assert_eq!((accepted, last_error()), (INVALID_SOCKET, WSAEINTR));
    unsafe { closesocket(client) };
}

#[test]
fn who_waits_for_one_operation_leaves_the_handle_signalled_for_others() {
    let pair = Pair::new();
    let server = pair.server;
    let mut receive = Operation::new(1);
    assert_eq!(receive.receive(server), WSA_IO_PENDING);
    let overlapped = receive.overlapped as usize;
    let receiver = thread::spawn(move || {
        let mut bytes = 0;
        assert_ne!(unsafe { GetOverlappedResult(server as HANDLE, overlapped as *const _, &mut bytes, TRUE) }, FALSE);
        bytes
    });
    let mut sends = Operation::new(1);
    for round in 0..200 {
        assert_eq!(sends.send(server), 0);
        for _ in 0..10 {
            assert_eq!(unsafe { WaitForSingleObject(server as HANDLE, 0) }, WAIT_OBJECT_0, "round {round}");
            thread::yield_now();
        }
    }
    assert!(!receiver.is_finished());
    send_all(pair.client, b"a");
    until("the receive", || receiver.is_finished());
    assert_eq!(receiver.join().unwrap(), 1);
}

#[test]
fn an_event_whose_handle_is_closed_meanwhile_is_set_for_those_who_have_another() {
    let pair = Pair::new();
    let mut receive = Operation::new(1);
    let mut other = null_mut();
    unsafe {
        let event = CreateEventW(null(), TRUE, FALSE, null());
        let me = GetCurrentProcess();
        assert_ne!(DuplicateHandle(me, event, me, &mut other, 0, FALSE, DUPLICATE_SAME_ACCESS), FALSE);
        (*receive.overlapped).hEvent = event;
        assert_eq!(receive.receive(pair.server), WSA_IO_PENDING);
        CloseHandle(event);
        send_all(pair.client, b"a");
        until("the receive", || receive.is_over());
        assert_eq!(WaitForSingleObject(other, 30_000), WAIT_OBJECT_0);
        let mut bytes = 0;
        assert_ne!(GetOverlappedResult(pair.server as HANDLE, receive.overlapped, &mut bytes, TRUE), FALSE);
        CloseHandle(other);
    }
}

#[test]
fn closing_ends_a_wait_for_a_handle_that_operations_do_not_signal() {
    let s = udp();
    let modes = FILE_SKIP_SET_EVENT_ON_HANDLE as u8;
    assert_ne!(unsafe { SetFileCompletionNotificationModes(s as HANDLE, modes) }, FALSE);
    let waiter = thread::spawn(move || unsafe { WaitForSingleObject(s as HANDLE, 30_000) });
    until("somebody waits", || lock(s).is_ok_and(|socket| socket.waited_for().is_some()));
    unsafe { closesocket(s) };
    assert_eq!(waiter.join().unwrap(), WAIT_OBJECT_0);
}

#[test]
fn a_listeners_handle_tells_of_first_data() {
    let (listener, address) = listener();
    let (acceptor, client) = (tcp(), tcp());
    let operation = Operation::new(128);
    let output = operation.buffer.as_mut_ptr().cast();
    let started = unsafe { AcceptEx(listener, acceptor, output, 16, 32, 32, null_mut(), operation.overlapped) };
    assert_eq!((started, last_error()), (FALSE, WSA_IO_PENDING));
    assert_eq!(unsafe { connect(client, (&raw const address).cast(), 16) }, 0);
    assert_eq!(unsafe { WaitForSingleObject(listener as HANDLE, 0) }, WAIT_TIMEOUT);
    send_all(client, b"hello");
    until("the first data", || operation.is_over());
    assert_eq!(unsafe { WaitForSingleObject(listener as HANDLE, 30_000) }, WAIT_OBJECT_0);
    for s in [listener, acceptor, client] {
        unsafe { closesocket(s) };
    }
}

fn set_of(s: SOCKET) -> FD_SET {
    let mut set = FD_SET { fd_count: 1, ..FD_SET::default() };
    set.fd_array[0] = s;
    set
}

#[test]
fn a_routine_that_runs_in_select_may_call_select() {
    unsafe extern "system" fn look(s: usize) {
        let (mut set, timeout) = (set_of(s), TIMEVAL { tv_sec: 0, tv_usec: 1000 });
        assert_eq!(unsafe { select(0, &mut set, null_mut(), null_mut(), &timeout) }, 0);
        // From another thread, mostly once this one waits again.
        thread::spawn(move || unsafe { closesocket(s) });
    }
    let s = udp();
    bind_to_loopback(s);
    let waiter = thread::spawn(move || unsafe {
        assert_ne!(QueueUserAPC(Some(look), GetCurrentThread(), s), 0);
        select(0, &mut set_of(s), null_mut(), null_mut(), null())
    });
    until("select tells that the socket is closed", || waiter.is_finished());
    // Ready, or an error if it was closed before this thread waited again.
    assert_ne!(waiter.join().unwrap(), 0);
}

#[test]
fn an_acceptor_that_gave_up_its_descriptor_is_whole_again_when_it_waits_no_more() {
    let (listener, _) = listener();
    let acceptor = tcp();
    let accept = Operation::new(64);
    let output = accept.buffer.as_mut_ptr().cast();
    let started = unsafe { AcceptEx(listener, acceptor, output, 0, 32, 32, null_mut(), accept.overlapped) };
    assert_eq!((started, last_error()), (FALSE, WSA_IO_PENDING));
    drop(lock(acceptor).ok().and_then(|mut acceptor| acceptor.take_fd()));
    assert_ne!(unsafe { CancelIoEx(listener as HANDLE, null()) }, FALSE);
    until("cancelled", || accept.is_over());
    let address = bind_to_loopback(acceptor);
    assert_ne!(address.sin_port, 0);
    unsafe {
        closesocket(acceptor);
        closesocket(listener);
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic = "a second lock of one rank may only be tried"]
fn a_second_socket_is_never_waited_for() {
    let (first, second) = (tcp(), tcp());
    let _first = lock(first);
    let _second = lock(second);
}

#[test]
fn a_datagram_socket_without_its_peer_stays_at_its_port() {
    let (peer, s) = (udp(), udp());
    let peer_address = bind_to_loopback(peer);
    let address = bind_to_loopback(s);
    let none = SOCKADDR::default();
    for _ in 0..3 {
        unsafe {
            assert_eq!(connect(s, (&raw const peer_address).cast(), 16), 0);
            assert_eq!(connect(s, &none, 16), 0, "error {}", last_error());
        }
        let (mut now, mut len) = (SOCKADDR_IN::default(), 16);
        assert_eq!(unsafe { getsockname(s, (&raw mut now).cast(), &mut len) }, 0);
        assert_eq!(now.sin_port, address.sin_port);
        let mut byte = 0;
        assert_eq!(unsafe { sendto(peer, b"x".as_ptr(), 1, 0, (&raw const address).cast(), 16) }, 1);
        assert_eq!(unsafe { recv(s, &mut byte, 1, 0) }, 1, "it is reached there");
    }
}
