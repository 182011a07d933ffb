//! What real sockets record: no event that did not happen, none missed, none twice.
#![expect(clippy::undocumented_unsafe_blocks, reason = "each call gets memory that the test keeps until it is over")]

use std::ptr::{null, null_mut};

use super::*;
use crate::testing::{Pair, bind_to_loopback, bound_tcp, last_error, listener, tcp, udp, until};
use crate::{
    AcceptEx, CloseHandle, CreateEventW, ResetEvent, WSAAsyncSelect, WSAEnumNetworkEvents, WSAEventSelect, WSARecv,
    WaitForSingleObject, accept, bind, closesocket, connect, ioctlsocket, recv, recvfrom, send, sendto, setsockopt,
    shutdown,
};

const CLOSE: u32 = FD_CLOSE;
const ALL: u32 = READ | WRITE | OOB | ACCEPT | CONNECT | CLOSE;

/// An event, and a pair of sockets of which one can tell that all earlier edges were harvested.
struct Observer {
    event: usize,
    fence: SOCKET,
    fence_address: SOCKADDR_IN,
    fence_event: usize,
}

fn new_event() -> usize {
    unsafe { CreateEventW(null(), TRUE, FALSE, null()) as usize }
}

impl Observer {
    fn new() -> Observer {
        let fence = udp();
        let fence_address = bind_to_loopback(fence);
        let observer = Observer { event: new_event(), fence, fence_address, fence_event: new_event() };
        assert_eq!(unsafe { WSAEventSelect(fence, observer.fence_event as WSAEVENT, READ as i32) }, 0);
        observer
    }

    fn of(s: SOCKET, events: u32) -> Observer {
        let observer = Observer::new();
        observer.select(s, events);
        observer
    }

    fn select(&self, s: SOCKET, events: u32) {
        let result = unsafe { WSAEventSelect(s, self.event as WSAEVENT, events as i32) };
        assert_eq!(result, 0, "error {}", last_error());
    }

    fn is_set(&self) -> bool {
        unsafe { WaitForSingleObject(self.event as HANDLE, 0) == WAIT_OBJECT_0 }
    }

    /// Waits until the edges of everything that has come to the sockets of this thread were harvested.
    fn settle(&self) {
        let to = (&raw const self.fence_address).cast();
        let mut byte = 0u8;
        unsafe {
            assert_eq!(sendto(self.fence, b"x".as_ptr(), 1, 0, to, 16), 1);
            until("the fence", || WaitForSingleObject(self.fence_event as HANDLE, 0) == WAIT_OBJECT_0);
            ResetEvent(self.fence_event as HANDLE);
            assert_eq!(recvfrom(self.fence, &mut byte, 1, 0, null_mut(), null_mut()), 1);
        }
    }

    /// Waits until exactly these events were recorded.
    fn expect(&self, s: SOCKET, events: u32) {
        let mut seen = 0;
        until("network events", || {
            // What is recorded without a signal is missed.
            let taken = if self.is_set() { self.take(s).0 } else { 0 };
            assert_eq!(seen & taken, 0, "an event came twice");
            seen |= taken;
            assert_eq!(seen & !events, 0, "{seen:#x} instead of {events:#x}");
            seen == events
        });
    }

    fn expect_nothing(&self, s: SOCKET) {
        self.settle();
        assert_eq!(self.take(s).0, 0);
    }

    fn take(&self, s: SOCKET) -> (u32, [i32; 10]) {
        let mut events = WSANETWORKEVENTS { lNetworkEvents: -1, iErrorCode: [-1; 10] };
        assert_eq!(unsafe { WSAEnumNetworkEvents(s, self.event as WSAEVENT, &mut events) }, 0);
        let taken = events.lNetworkEvents as u32;
        for (bit, &error) in events.iErrorCode.iter().enumerate() {
            assert_eq!(error == -1, taken & 1 << bit == 0, "only the codes of {taken:#x} are written");
        }
        (taken, events.iErrorCode)
    }

    /// Waits for one event; returns its error.
    fn error_of(&self, s: SOCKET, event: u32) -> i32 {
        let mut error = -1;
        until("an event", || {
            let (taken, errors) = self.take(s);
            error = errors[event.trailing_zeros() as usize];
            assert_eq!(taken & !event, 0);
            taken == event
        });
        error
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        unsafe {
            closesocket(self.fence);
            CloseHandle(self.event as HANDLE);
            CloseHandle(self.fence_event as HANDLE);
        }
    }
}

fn send_bytes(s: SOCKET, data: &[u8], flags: i32) {
    assert_eq!(
        unsafe { send(s, data.as_ptr(), data.len() as i32, flags) },
        data.len() as i32,
        "error {}",
        last_error()
    );
}

/// Returns how many bytes came, or minus the error.
fn receive(s: SOCKET, len: usize, flags: i32) -> i32 {
    let mut buffer = vec![0u8; len];
    match unsafe { recv(s, buffer.as_mut_ptr(), len as i32, flags) } {
        SOCKET_ERROR => -last_error(),
        bytes => bytes,
    }
}

fn wait_for(s: SOCKET, events: i16) {
    until("readiness", || os::poll_now(crate::winsock_fd(s), events) & events != 0);
}

fn connect_to(s: SOCKET, address: &SOCKADDR_IN) -> i32 {
    match unsafe { connect(s, (&raw const *address).cast(), 16) } {
        0 => 0,
        _ => last_error(),
    }
}

fn close(sockets: &[SOCKET]) {
    sockets.iter().for_each(|&s| assert_eq!(unsafe { closesocket(s) }, 0));
}

#[test]
fn each_arrival_is_recorded_once() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, ALL);
    observer.expect(pair.server, WRITE);
    observer.expect_nothing(pair.server);
    for _ in 0..3 {
        send_bytes(pair.client, b"abc", 0);
        observer.expect(pair.server, READ);
        observer.expect_nothing(pair.server);
    }
    observer.select(pair.server, ALL);
    observer.expect_nothing(pair.server);
    assert_eq!(receive(pair.server, 4, 0), 4);
    observer.expect(pair.server, READ);
    observer.expect_nothing(pair.server);
    send_bytes(pair.client, b"d", 0);
    observer.expect(pair.server, READ);
    assert_eq!(receive(pair.server, 100, 0), 6);
    observer.expect_nothing(pair.server);
    assert_eq!(receive(pair.server, 100, 0), -WSAEWOULDBLOCK);
    observer.expect_nothing(pair.server);
}

#[test]
fn what_was_there_before_is_recorded_once() {
    let pair = Pair::new();
    send_bytes(pair.client, b"ab", 0);
    wait_for(pair.server, libc::POLLIN);
    let observer = Observer::of(pair.server, ALL);
    observer.expect(pair.server, READ | WRITE);
    observer.expect_nothing(pair.server);
    assert_eq!(receive(pair.server, 2, MSG_PEEK), 2);
    observer.expect(pair.server, READ);
    observer.expect_nothing(pair.server);
}

#[test]
fn what_comes_while_it_is_not_selected_is_there_when_it_is() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, CLOSE);
    for _ in 0..20 {
        send_bytes(pair.client, b"ab", 0);
        wait_for(pair.server, libc::POLLIN);
        // Whether its edge was harvested or not.
        observer.select(pair.server, READ | CLOSE);
        assert_eq!(observer.take(pair.server).0, READ);
        observer.expect_nothing(pair.server);
        assert_eq!(receive(pair.server, 100, 0), 2);
        observer.select(pair.server, CLOSE);
    }
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    wait_for(pair.server, libc::POLLRDHUP);
    observer.select(pair.server, READ | CLOSE);
    assert_eq!(observer.take(pair.server).0, CLOSE);
    observer.expect_nothing(pair.server);
}

#[test]
fn what_was_received_before_it_was_selected_is_not_recorded() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, CLOSE);
    send_bytes(pair.client, b"ab", 0);
    wait_for(pair.server, libc::POLLIN);
    assert_eq!(receive(pair.server, 100, 0), 2);
    observer.settle();
    observer.select(pair.server, READ | CLOSE);
    observer.expect_nothing(pair.server);
}

#[test]
fn data_of_pending_receives_is_theirs_and_what_they_leave_is_told() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ | CLOSE);
    let done = new_event();
    let mut overlapped = OVERLAPPED { hEvent: done as HANDLE, ..Default::default() };
    let (mut byte, mut flags) = (0u8, 0);
    let buffer = WSABUF { len: 1, buf: &mut byte };
    let post = |overlapped: &mut OVERLAPPED, flags: &mut u32| unsafe {
        WSARecv(pair.server, &buffer, 1, null_mut(), flags, overlapped, None)
    };
    assert_eq!((post(&mut overlapped, &mut flags), last_error()), (SOCKET_ERROR, WSA_IO_PENDING));
    send_bytes(pair.client, b"a", 0);
    // This thread sleeps where its edges come, and takes them itself.
    assert_eq!(unsafe { WaitForSingleObject(done as HANDLE, 30_000) }, WAIT_OBJECT_0);
    observer.expect_nothing(pair.server);

    assert_eq!((post(&mut overlapped, &mut flags), last_error()), (SOCKET_ERROR, WSA_IO_PENDING));
    send_bytes(pair.client, b"abc", 0);
    observer.expect(pair.server, READ);
    observer.expect_nothing(pair.server);
    assert_eq!(post(&mut overlapped, &mut flags), 0);
    observer.expect(pair.server, READ);
    assert_eq!(post(&mut overlapped, &mut flags), 0);
    observer.expect_nothing(pair.server);
    unsafe { CloseHandle(done as HANDLE) };
}

#[test]
fn data_that_is_received_while_its_edge_is_harvested_is_not_told_of() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ);
    for _ in 0..300 {
        send_bytes(pair.client, b"a", 0);
        until("the byte", || receive(pair.server, 10, 0) == 1);
        assert_eq!(receive(pair.server, 10, 0), -WSAEWOULDBLOCK);
        observer.expect_nothing(pair.server);
    }
}

#[test]
fn a_socket_that_follows_its_events_to_another_thread_tells_nothing_twice() {
    let pair = Pair::new();
    let _observer = Observer::of(pair.server, READ);
    let take = || {
        let mut events = WSANETWORKEVENTS::default();
        assert_eq!(unsafe { WSAEnumNetworkEvents(pair.server, 0, &mut events) }, 0);
        events.lNetworkEvents as u32
    };
    for _ in 0..20 {
        let at_home_here = || {
            let observer = Observer::new();
            send_bytes(pair.client, b"abc", 0);
            until("data", || take() == READ);
            assert_eq!(receive(pair.server, 1, 0), 1);
            observer.settle();
            assert_eq!(take(), READ);
            observer.settle();
            assert_eq!(take(), 0);
        };
        std::thread::scope(|scope| scope.spawn(at_home_here).join()).unwrap();
    }
}

#[test]
fn data_behind_an_urgent_byte_is_told_each_time_it_comes() {
    for selected_first in [true, false] {
        let pair = Pair::new();
        let observer = Observer::new();
        if selected_first {
            observer.select(pair.server, READ | OOB);
        }
        send_bytes(pair.client, b"!", MSG_OOB);
        send_bytes(pair.client, b"abc", 0);
        wait_for(pair.server, libc::POLLIN);
        observer.select(pair.server, READ | OOB);
        observer.expect(pair.server, READ | OOB);
        observer.settle();
        observer.take(pair.server);
        for _ in 0..3 {
            send_bytes(pair.client, b"abc", 0);
            observer.expect(pair.server, READ);
            observer.expect_nothing(pair.server);
        }
        assert_eq!(receive(pair.server, 1, 0), 1);
        observer.expect(pair.server, READ);
    }
}

/// An edge as it comes if this thread, or another, is late to handle what it has harvested.
fn late_edge(s: SOCKET, edges: i32) {
    let locked = lock(s).unwrap();
    let (socket, registration) = (locked.socket, locked.registration);
    drop(locked);
    crate::socket::ready(socket, registration, edges);
}

#[test]
fn a_late_edge_of_the_socket_before_it_was_connected_ends_nothing() {
    let pair = Pair::new();
    let observer = Observer::of(pair.client, READ | CLOSE);
    late_edge(pair.client, libc::EPOLLOUT | libc::EPOLLHUP);
    observer.expect_nothing(pair.client);
}

#[test]
fn a_late_edge_of_data_that_was_received_tells_nothing() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ);
    send_bytes(pair.client, b"a", 0);
    observer.expect(pair.server, READ);
    assert_eq!(receive(pair.server, 10, 0), 1);
    std::thread::scope(|scope| {
        scope.spawn(|| late_edge(pair.server, libc::EPOLLIN | libc::EPOLLOUT));
    });
    observer.expect_nothing(pair.server);
}

#[test]
fn a_late_edge_of_a_closed_socket_tells_the_next_one_nothing() {
    let observer = Observer::new();
    until("the next socket lies where the closed one did", || {
        let old = udp();
        bind_to_loopback(old);
        observer.select(old, READ);
        let locked = lock(old).unwrap();
        let (place, registration) = (locked.socket, locked.registration);
        drop(locked);
        close(&[old]);
        // A closed one rests for a while.
        (0..1000).any(|_| {
            let new = udp();
            let same = std::ptr::eq(lock(new).unwrap().socket, place);
            if same {
                bind_to_loopback(new);
                observer.select(new, READ);
                crate::socket::ready(place, registration, libc::EPOLLIN);
                observer.expect_nothing(new);
            }
            close(&[new]);
            same
        })
    });
}

#[test]
fn room_for_what_waits_to_be_sent_is_no_data() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ);
    send_bytes(pair.client, b"a", 0);
    observer.expect(pair.server, READ);
    // More than the kernel takes; it comes with many edges, in whose mask the byte is.
    let data = vec![0u8; 16 << 20];
    send_bytes(pair.server, &data, 0);
    let mut left = data.len();
    while left > 0 {
        left -= receive(pair.client, 1 << 20, 0) as usize;
        observer.expect_nothing(pair.server);
    }
}

#[test]
fn registering_anew_tells_nothing_twice() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ | OOB);
    send_bytes(pair.client, b"abc", 0);
    observer.expect(pair.server, READ);
    send_bytes(pair.client, b"!", MSG_OOB);
    observer.expect(pair.server, OOB);
    for _ in 0..2 {
        let mut locked = lock(pair.server).unwrap();
        locked.unwatch();
        locked.watch().unwrap();
        drop(locked);
        observer.expect_nothing(pair.server);
    }
}

#[test]
fn a_bad_buffer_records_nothing() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ);
    send_bytes(pair.client, b"a", 0);
    observer.expect(pair.server, READ);
    assert_eq!(unsafe { recv(pair.server, null_mut(), 5, 0) }, SOCKET_ERROR);
    assert_eq!(last_error(), WSAEFAULT);
    observer.expect_nothing(pair.server);
}

#[test]
fn connections_are_recorded_one_by_one() {
    let (s, address) = listener();
    let observer = Observer::of(s, ALL);
    let clients: Vec<_> = (0..3).map(|_| tcp()).collect();
    for &client in &clients {
        assert_eq!(connect_to(client, &address), 0);
        observer.expect(s, ACCEPT);
        observer.expect_nothing(s);
    }
    observer.select(s, ALL);
    observer.expect_nothing(s);
    for left in (0..3).rev() {
        let server = unsafe { accept(s, null_mut(), null_mut()) };
        assert_ne!(server, INVALID_SOCKET);
        if left > 0 {
            observer.expect(s, ACCEPT);
        }
        observer.expect_nothing(s);
        unsafe { closesocket(server) };
    }
    assert_eq!(unsafe { accept(s, null_mut(), null_mut()) }, INVALID_SOCKET);
    assert_eq!(last_error(), WSAEWOULDBLOCK);
    observer.expect_nothing(s);
    close(&clients);
    close(&[s]);
}

#[test]
fn a_connection_that_waited_is_recorded_once_and_inherits() {
    let (s, address) = listener();
    let client = tcp();
    assert_eq!(connect_to(client, &address), 0);
    let observer = Observer::of(s, ACCEPT | READ | WRITE);
    observer.expect(s, ACCEPT);
    observer.expect_nothing(s);
    send_bytes(client, b"a", 0);
    let server = unsafe { accept(s, null_mut(), null_mut()) };
    observer.expect(server, READ | WRITE);
    send_bytes(client, b"b", 0);
    until("the event of the listener", || observer.is_set());
    observer.expect(server, READ);
    close(&[s, client, server]);
}

#[test]
fn a_fresh_socket_is_quiet_and_a_connect_tells_two_events() {
    let (s, address) = listener();
    let client = tcp();
    let observer = Observer::of(client, ALL);
    // Linux calls a socket without a connection hung up.
    observer.expect_nothing(client);
    assert_eq!(connect_to(client, &address), WSAEWOULDBLOCK);
    observer.expect(client, CONNECT | WRITE);
    observer.expect_nothing(client);
    close(&[s, client]);
}

#[test]
fn a_connect_that_is_over_is_recorded() {
    let pair = Pair::new();
    let observer = Observer::of(pair.client, WRITE);
    observer.expect(pair.client, WRITE);
    observer.select(pair.client, ALL);
    observer.expect(pair.client, CONNECT);
    observer.expect_nothing(pair.client);
}

#[test]
fn a_refused_connect_tells_why_and_the_next_may_succeed() {
    let (bound, nobody) = bound_tcp();
    let (s, address) = listener();
    let client = tcp();
    let observer = Observer::of(client, ALL);
    assert_eq!(connect_to(client, &nobody), WSAEWOULDBLOCK);
    assert_eq!(observer.error_of(client, CONNECT), WSAECONNREFUSED);
    observer.select(client, ALL);
    observer.expect_nothing(client);
    assert_eq!(connect_to(client, &address), WSAEWOULDBLOCK);
    observer.expect(client, CONNECT | WRITE);
    observer.expect_nothing(client);
    close(&[bound, s, client]);
}

#[test]
fn the_end_of_the_stream_is_told_at_once_and_once() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, ALL);
    observer.expect(pair.server, WRITE);
    send_bytes(pair.client, b"abc", 0);
    observer.expect(pair.server, READ);
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    assert_eq!(observer.error_of(pair.server, CLOSE), 0);
    observer.expect_nothing(pair.server);
    assert_eq!(receive(pair.server, 1, 0), 1);
    observer.expect(pair.server, READ);
    assert_eq!(receive(pair.server, 10, 0), 2);
    assert_eq!(receive(pair.server, 10, 0), 0);
    observer.expect_nothing(pair.server);
    unsafe { closesocket(pair.client) };
    observer.expect_nothing(pair.server);
    observer.select(pair.server, ALL);
    observer.expect_nothing(pair.server);
}

#[test]
fn data_and_end_that_come_together_are_both_told() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ | CLOSE);
    send_bytes(pair.client, b"abc", 0);
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    observer.expect(pair.server, READ | CLOSE);
    observer.expect_nothing(pair.server);
}

#[test]
fn a_reset_is_told_as_an_abort_whoever_saw_it_first() {
    for receive_first in [false, true] {
        let pair = Pair::new();
        let observer = Observer::of(pair.server, READ | CLOSE);
        let linger = LINGER { l_onoff: 1, l_linger: 0 };
        unsafe { setsockopt(pair.client, SOL_SOCKET, SO_LINGER, (&raw const linger).cast(), 4) };
        unsafe { closesocket(pair.client) };
        if receive_first {
            until("the reset", || receive(pair.server, 1, 0) == -WSAECONNRESET);
        }
        assert_eq!(observer.error_of(pair.server, CLOSE), WSAECONNABORTED);
        observer.expect_nothing(pair.server);
    }
}

#[test]
fn our_own_shutdown_is_no_end_of_the_connection() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ | CLOSE);
    assert_eq!(unsafe { shutdown(pair.server, SD_BOTH) }, 0);
    observer.expect_nothing(pair.server);
    assert_eq!(unsafe { shutdown(pair.client, SD_RECEIVE) }, 0);
    observer.expect_nothing(pair.server);
    assert_eq!(unsafe { shutdown(pair.client, SD_SEND) }, 0);
    assert_eq!(observer.error_of(pair.server, CLOSE), 0);
}

#[test]
fn urgent_data_is_told_each_time_it_comes() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, OOB | READ);
    send_bytes(pair.client, b"a", MSG_OOB);
    observer.expect(pair.server, OOB);
    observer.expect_nothing(pair.server);
    observer.select(pair.server, OOB);
    send_bytes(pair.client, b"b", MSG_OOB);
    observer.expect(pair.server, OOB);
    observer.expect_nothing(pair.server);
    assert_eq!(receive(pair.server, 1, MSG_OOB), 1);
    observer.expect_nothing(pair.server);
    send_bytes(pair.client, b"c", MSG_OOB);
    observer.expect(pair.server, OOB);
}

#[test]
fn inline_urgent_data_is_data() {
    let pair = Pair::new();
    let on = 1;
    unsafe { setsockopt(pair.server, SOL_SOCKET, SO_OOBINLINE, (&raw const on).cast(), 4) };
    let observer = Observer::of(pair.server, OOB | READ);
    send_bytes(pair.client, b"a", MSG_OOB);
    observer.expect(pair.server, READ);
    observer.expect_nothing(pair.server);
}

#[test]
fn room_is_told_after_a_send_was_refused() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, WRITE);
    observer.expect(pair.server, WRITE);
    let big = vec![0u8; 1 << 20];
    let mut sent = 0;
    let refused = loop {
        match unsafe { send(pair.server, big.as_ptr(), big.len() as i32, 0) } {
            SOCKET_ERROR => break last_error(),
            bytes => sent += bytes,
        }
    };
    assert_eq!(refused, WSAEWOULDBLOCK);
    observer.expect_nothing(pair.server);
    while !observer.is_set() {
        assert!(sent > 0, "all is received, and there is no room");
        sent -= receive(pair.client, 1 << 16, 0);
        observer.settle();
    }
    observer.expect(pair.server, WRITE);
    send_bytes(pair.server, b"a", 0);
    observer.expect_nothing(pair.server);
}

#[test]
fn a_datagram_socket_tells_when_it_can_send_and_of_each_datagram() {
    let s = udp();
    let observer = Observer::of(s, ALL);
    observer.expect_nothing(s);
    let address = bind_to_loopback(s);
    observer.expect(s, WRITE);
    for _ in 0..3 {
        assert_eq!(unsafe { sendto(s, b"ab".as_ptr(), 2, 0, (&raw const address).cast(), 16) }, 2);
        observer.expect(s, READ);
        observer.expect_nothing(s);
    }
    assert_eq!(receive(s, 10, 0), 2);
    observer.expect(s, READ);
    assert_eq!(unsafe { sendto(s, b"ab".as_ptr(), 2, 0, (&raw const address).cast(), 16) }, 2);
    observer.expect(s, READ);
    assert_eq!([2, 2, 2, -WSAEWOULDBLOCK].map(|_| receive(s, 10, 0)), [2, 2, 2, -WSAEWOULDBLOCK]);
    observer.expect_nothing(s);
    assert_eq!(connect_to(s, &address), 0);
    observer.expect(s, CONNECT | WRITE);
    unsafe { closesocket(s) };
}

#[test]
fn a_datagram_socket_is_bound_by_its_first_datagram() {
    let (s, other) = (udp(), udp());
    let address = bind_to_loopback(other);
    let observer = Observer::of(s, ALL);
    for events in [WRITE, 0] {
        assert_eq!(unsafe { sendto(s, b"ab".as_ptr(), 2, 0, (&raw const address).cast(), 16) }, 2);
        observer.settle();
        assert_eq!(observer.take(s).0, events);
    }
    close(&[s, other]);
}

#[test]
fn connections_of_pending_operations_are_theirs() {
    let (s, address) = listener();
    let observer = Observer::of(s, ACCEPT);
    let acceptor = tcp();
    let theirs = Observer::of(acceptor, ALL);
    let done = new_event();
    let mut overlapped = OVERLAPPED { hEvent: done as HANDLE, ..Default::default() };
    let mut buffer = [0u8; 64];
    let mut post = |acceptor| unsafe {
        let result = AcceptEx(s, acceptor, buffer.as_mut_ptr().cast(), 0, 32, 32, null_mut(), &mut overlapped);
        assert_eq!((result, last_error()), (FALSE, WSA_IO_PENDING));
    };
    post(acceptor);
    let clients = [tcp(), tcp()];
    assert_eq!(connect_to(clients[0], &address), 0);
    assert_eq!(unsafe { WaitForSingleObject(done as HANDLE, 30_000) }, WAIT_OBJECT_0);
    observer.expect_nothing(s);
    theirs.expect(acceptor, WRITE);
    send_bytes(clients[0], b"a", 0);
    theirs.expect(acceptor, READ);
    assert_eq!(connect_to(clients[1], &address), 0);
    until("the event", || observer.is_set());
    // Recorded and not taken yet: the operation takes the connection and what was recorded of it.
    let second = tcp();
    post(second);
    observer.expect_nothing(s);
    close(&[s, acceptor, second]);
    close(&clients);
    unsafe { CloseHandle(done as HANDLE) };
}

#[test]
fn a_selected_socket_does_not_become_blocking() {
    let s = udp();
    let observer = Observer::of(s, READ);
    let mut blocking = 0;
    assert_eq!(unsafe { ioctlsocket(s, FIONBIO, &mut blocking) }, SOCKET_ERROR);
    assert_eq!(last_error(), WSAEINVAL);
    assert_eq!(unsafe { WSAEventSelect(s, 0, 0) }, 0);
    assert_eq!(unsafe { ioctlsocket(s, FIONBIO, &mut blocking) }, 0);
    observer.expect_nothing(s);
    unsafe { closesocket(s) };
}

#[test]
fn arguments_that_are_wrong_change_nothing() {
    let s = udp();
    let mut name = SOCKADDR_IN { sin_family: AF_INET, ..Default::default() };
    name.sin_addr.S_un.S_addr = INADDR_LOOPBACK.to_be();
    let observer = Observer::of(s, WRITE);
    let last = |result: i32| (result, last_error());
    let mut events = WSANETWORKEVENTS::default();
    unsafe {
        assert_eq!(last(WSAEventSelect(s, 0, 1)), (SOCKET_ERROR, WSAEINVAL));
        assert_eq!(last(WSAEventSelect(s, s as WSAEVENT, 1)), (SOCKET_ERROR, WSAEINVAL));
        assert_eq!(last(WSAEventSelect(0, observer.event as WSAEVENT, 1)), (SOCKET_ERROR, WSAENOTSOCK));
        assert_eq!(bind(s, (&raw const name).cast(), 16), 0);
        assert_eq!(last(WSAEnumNetworkEvents(s, observer.event as WSAEVENT, null_mut())), (SOCKET_ERROR, WSAEFAULT));
        assert_eq!(last(WSAEnumNetworkEvents(s, s as WSAEVENT, &mut events)), (SOCKET_ERROR, WSAEINVAL));
        assert_eq!(last(WSAEnumNetworkEvents(0, 0, &mut events)), (SOCKET_ERROR, WSAENOTSOCK));
        assert!(observer.is_set());
        assert_eq!(WSAEnumNetworkEvents(s, 0, &mut events), 0);
        assert_eq!(events.lNetworkEvents as u32, WRITE);
        assert!(observer.is_set(), "a null event resets none");
        assert_eq!(last(WSAAsyncSelect(s, null_mut(), 0, 1)), (SOCKET_ERROR, WSAEINVAL));
        closesocket(s);
    }
}

#[test]
fn closing_records_nothing_and_leaves_the_event_alone() {
    let pair = Pair::new();
    let observer = Observer::of(pair.server, READ | CLOSE);
    unsafe { closesocket(pair.server) };
    observer.settle();
    assert!(!observer.is_set());
}

#[test]
fn an_event_that_was_closed_is_set_all_the_same() {
    let pair = Pair::new();
    let event = new_event();
    assert_eq!(unsafe { WSAEventSelect(pair.server, event as WSAEVENT, READ as i32) }, 0);
    unsafe { CloseHandle(event as HANDLE) };
    let observer = Observer::new();
    send_bytes(pair.client, b"a", 0);
    observer.settle();
    let mut events = WSANETWORKEVENTS::default();
    assert_eq!(unsafe { WSAEnumNetworkEvents(pair.server, 0, &mut events) }, 0);
    assert_eq!(events.lNetworkEvents as u32, READ);
}
