use std::ptr::{null, null_mut};

use super::*;
use crate::testing::{Pair, bind_to_loopback, last_error, tcp, udp, until};
use crate::{
    CloseHandle, CreateIoCompletionPort, GetQueuedCompletionStatus, closesocket, getsockopt, recv, send, sendto,
    setsockopt,
};

/// WSAIoctl without an OVERLAPPED: how many bytes came back.
fn control_with(s: SOCKET, code: u32, input: &[u8], output: &mut [u8]) -> Result<u32, i32> {
    let mut returned = 0;
    // SAFETY: the slices are as long as said.
    let result = unsafe {
        WSAIoctl(
            s,
            code,
            input.as_ptr().cast(),
            input.len() as u32,
            output.as_mut_ptr().cast(),
            output.len() as u32,
            &raw mut returned,
            null_mut(),
            None,
        )
    };
    if result == 0 { Ok(returned) } else { Err(last_error()) }
}

fn ask(s: SOCKET, command: i32) -> Result<u32, i32> {
    let mut value = 0x5555;
    // SAFETY: the value is a live u32.
    if unsafe { ioctlsocket(s, command, &raw mut value) } == 0 { Ok(value) } else { Err(last_error()) }
}

fn send_bytes(s: SOCKET, bytes: &[u8], flags: i32) {
    // SAFETY: the slice is as long as said.
    assert_eq!(unsafe { send(s, bytes.as_ptr(), bytes.len() as i32, flags) }, bytes.len() as i32);
}

fn receive(s: SOCKET, len: usize, flags: i32) -> Vec<u8> {
    let mut buffer = vec![0; len];
    // SAFETY: the buffer is as long as said.
    let received = unsafe { recv(s, buffer.as_mut_ptr(), len as i32, flags) };
    buffer.truncate(usize::try_from(received).expect("no error"));
    buffer
}

#[test]
fn extension_functions_by_guid() {
    let s = tcp();
    let wanted = [
        (WSAID_ACCEPTEX, AcceptEx as *const ()),
        (WSAID_CONNECTEX, ConnectEx as *const ()),
        (WSAID_GETACCEPTEXSOCKADDRS, GetAcceptExSockaddrs as *const ()),
    ];
    for (id, function) in wanted {
        let mut place = [0; 8];
        assert_eq!(control_with(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id_bytes(&id), &mut place), Ok(8));
        assert_eq!(usize::from_ne_bytes(place), function as usize);
    }
    let get = |id: &[u8], room| control_with(s, SIO_GET_EXTENSION_FUNCTION_POINTER, id, &mut vec![0; room]);
    assert_eq!(get(&[1; 16], 8), Err(WSAEINVAL), "no such function");
    assert_eq!(get(&id_bytes(&WSAID_ACCEPTEX)[..15], 8), Err(WSAEFAULT));
    assert_eq!(get(&id_bytes(&WSAID_ACCEPTEX), 7), Err(WSAEFAULT));
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
    assert_eq!(get(&id_bytes(&WSAID_ACCEPTEX), 8), Err(WSAENOTSOCK));
}

#[test]
fn h19_bad_buffers_and_unknown_codes() {
    let s = tcp();
    assert_eq!(control_with(s, FIONBIO as u32, &[1, 0, 0], &mut []), Err(WSAEFAULT));
    assert_eq!(control_with(s, FIONREAD as u32, &[], &mut [0; 3]), Err(WSAEFAULT));
    assert_eq!(control_with(s, SIOCATMARK as u32, &[], &mut []), Err(WSAEFAULT));
    assert_eq!(control_with(s, SIO_KEEPALIVE_VALS, &[0; 11], &mut []), Err(WSAEFAULT));
    assert_eq!(control_with(s, 0x667E, &[0; 8], &mut [0; 8]), Err(WSAEINVAL));
    assert_eq!(control_with(s, 0x9800_7777, &[0; 8], &mut [0; 8]), Err(WSAEOPNOTSUPP));
    assert_eq!(control_with(s, SIO_UDP_CONNRESET, &[0; 4], &mut []), Err(WSAEOPNOTSUPP), "not for streams");
    // SAFETY: null pointers are refused.
    unsafe {
        assert_eq!(ioctlsocket(s, FIONBIO, null_mut()), SOCKET_ERROR);
        assert_eq!(last_error(), WSAEFAULT);
        let mode = [1_u8, 0, 0, 0];
        let null_count = null_mut();
        let on = mode.as_ptr().cast();
        assert_eq!(WSAIoctl(s, FIONBIO as u32, on, 4, null_mut(), 0, null_count, null_mut(), None), SOCKET_ERROR);
        assert_eq!(last_error(), WSAEFAULT);
        assert!(!lock(s).unwrap().nonblocking, "nothing was done");
        assert_eq!(WSAIoctl(s, FIONBIO as u32, null(), 4, null_mut(), 0, &mut 0, null_mut(), None), SOCKET_ERROR);
        assert_eq!(last_error(), WSAEFAULT);
        closesocket(s);
    }
    assert_eq!(ask(s, FIONREAD), Err(WSAENOTSOCK));
}

#[test]
fn the_blocking_mode() {
    let s = tcp();
    for mode in [1_u32, 0, 7] {
        assert_eq!(control_with(s, FIONBIO as u32, &mode.to_ne_bytes(), &mut []), Ok(0));
        assert_eq!(lock(s).unwrap().nonblocking, mode != 0);
    }
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
}

#[test]
fn h20_readable_bytes_and_the_urgent_mark() {
    let pair = Pair::new();
    let (from, to) = (pair.client, pair.server);
    assert_eq!((ask(to, FIONREAD), ask(to, SIOCATMARK)), (Ok(0), Ok(1)));
    send_bytes(from, b"TEST", 0);
    until("four bytes are there", || ask(to, FIONREAD) == Ok(4));
    assert_eq!(ask(to, SIOCATMARK), Ok(1));
    send_bytes(from, b"!", MSG_OOB);
    until("the urgent byte is there", || ask(to, SIOCATMARK) == Ok(0));
    assert_eq!(ask(to, FIONREAD), Ok(4), "in-band bytes only");
    assert_eq!(receive(to, 8, 0), b"TEST");
    assert_eq!(receive(to, 8, MSG_OOB), b"!");
    assert_eq!((ask(to, FIONREAD), ask(to, SIOCATMARK)), (Ok(0), Ok(1)));
}

#[test]
fn h20_inline_a_reader_can_stop_at_the_urgent_mark() {
    let pair = Pair::new();
    let (from, to) = (pair.client, pair.server);
    let on = 1_i32;
    // SAFETY: the value is a live int.
    assert_eq!(unsafe { setsockopt(to, SOL_SOCKET, SO_OOBINLINE, (&raw const on).cast(), 4) }, 0);
    send_bytes(from, b"ab", 0);
    send_bytes(from, b"c", MSG_OOB);
    until("the urgent byte is ahead", || ask(to, SIOCATMARK) == Ok(0));
    assert_eq!(receive(to, 8, 0), b"ab", "a receive stops at the mark");
    assert_eq!(ask(to, SIOCATMARK), Ok(1));
    assert_eq!(receive(to, 8, 0), b"c");
}

#[test]
fn keep_alive_times_are_rounded_up_to_seconds() {
    let s = tcp();
    let values = [1_u32, 1_500, 200].map(u32::to_ne_bytes).concat();
    assert_eq!(control_with(s, SIO_KEEPALIVE_VALS, &values, &mut []), Ok(0));
    let read = |level, name| {
        let (mut value, mut len) = (0, 4);
        // SAFETY: both pointers lead to live ints.
        assert_eq!(unsafe { getsockopt(s, level, name, (&raw mut value).cast(), &raw mut len) }, 0);
        value
    };
    let state = || (read(SOL_SOCKET, SO_KEEPALIVE), read(IPPROTO_TCP, TCP_KEEPIDLE), read(IPPROTO_TCP, TCP_KEEPINTVL));
    assert_eq!(state(), (1, 2, 1));
    assert_eq!(control_with(s, SIO_KEEPALIVE_VALS, &[0; 12], &mut []), Ok(0));
    assert_eq!(state(), (0, 2, 1), "off leaves the times");
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
}

#[test]
fn d69_connection_resets_of_datagrams_are_a_choice() {
    let s = udp();
    assert!(lock(s).unwrap().options().udp_connection_reset);
    for (input, on) in [(&[0_u8][..], false), (&[1, 0, 0, 0], true), (&[0, 0, 0, 0], false), (&[1], true)] {
        assert_eq!(control_with(s, SIO_UDP_CONNRESET, input, &mut []), Ok(0));
        assert_eq!(lock(s).unwrap().options().udp_connection_reset, on);
    }
    assert_eq!(control_with(s, SIO_UDP_CONNRESET, &[], &mut []), Err(WSAEFAULT));
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
}

/// Sends a datagram to a port that has just been closed, and receives what comes of it.
fn refused(report: Option<u32>) -> i32 {
    let (s, gone) = (udp(), udp());
    bind_to_loopback(s);
    let nowhere = bind_to_loopback(gone);
    if let Some(report) = report {
        assert_eq!(control_with(s, SIO_UDP_CONNRESET, &report.to_ne_bytes(), &mut []), Ok(0));
    }
    let mut byte = 0;
    // SAFETY: the buffers are one byte long, the address 16.
    unsafe {
        closesocket(gone);
        assert_eq!(sendto(s, &raw const byte, 1, 0, (&raw const nowhere).cast(), 16), 1);
        assert_eq!(ioctlsocket(s, FIONBIO, &mut 1), 0);
        assert_eq!(recv(s, &raw mut byte, 1, 0), SOCKET_ERROR);
        let code = last_error();
        closesocket(s);
        code
    }
}

#[test]
fn d69_a_refused_datagram_fails_a_receive_unless_told_not_to() {
    // Another process may have got the port meanwhile: then it is tried again.
    until("a refusal is reported", || refused(None) == WSAECONNRESET);
    until("a refusal is reported when asked for", || refused(Some(1)) == WSAECONNRESET);
    assert_eq!(refused(Some(0)), WSAEWOULDBLOCK);
}

#[test]
fn the_base_handle_is_the_socket() {
    let s = tcp();
    let mut base = [0; 8];
    assert_eq!(control_with(s, SIO_BASE_HANDLE, &[], &mut base), Ok(8));
    assert_eq!(SOCKET::from_ne_bytes(base), s);
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
}

#[test]
fn d91_overlapped_control_finishes_at_once_and_queues_a_packet() {
    let pair = Pair::new();
    send_bytes(pair.client, b"TEST", 0);
    until("four bytes are there", || ask(pair.server, FIONREAD) == Ok(4));
    let mut overlapped = OVERLAPPED::default();
    let (mut count, mut returned) = (0_u32, 0);
    let (mut bytes, mut key, mut which) = (77, 0, null_mut());
    // SAFETY: every pointer leads to a live value, and the operation ends before the OVERLAPPED does.
    unsafe {
        let port = CreateIoCompletionPort(pair.server as HANDLE, null_mut(), 5, 0);
        assert!(!port.is_null());
        let out = (&raw mut count).cast();
        let code = FIONREAD as u32;
        let result = WSAIoctl(pair.server, code, null(), 0, out, 4, &raw mut returned, &raw mut overlapped, None);
        assert_eq!((result, returned, count), (0, 4, 4));
        assert_eq!(overlapped.Internal, 0);
        let got = GetQueuedCompletionStatus(port, &raw mut bytes, &raw mut key, &raw mut which, 10_000);
        assert_eq!((got, bytes, key), (TRUE, 0, 5), "no bytes, whatever came back");
        assert_eq!(which, &raw mut overlapped);
        CloseHandle(port);
    }
}

#[test]
fn the_list_of_addresses_lies_in_the_buffer() {
    let s = tcp();
    let needed = |room: &mut [u8]| {
        let mut returned = 0;
        let (out, length) = (room.as_mut_ptr().cast(), room.len() as u32);
        // SAFETY: the slice is as long as said.
        let result =
            unsafe { WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, null(), 0, out, length, &raw mut returned, null_mut(), None) };
        (result, returned as usize)
    };
    let (result, size) = needed(&mut []);
    assert_eq!((result, last_error()), (SOCKET_ERROR, WSAEFAULT));
    assert_eq!(needed(&mut vec![0; size - 1]), (SOCKET_ERROR, size), "it says how much it takes");
    let mut list = vec![0_u64; size.div_ceil(8)];
    // SAFETY: the vector's memory, as bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(list.as_mut_ptr().cast::<u8>(), size) };
    assert_eq!(needed(bytes), (0, size));
    let within = bytes.as_ptr_range();
    // SAFETY: the list begins there, aligned, with as many entries as it says.
    let entries = unsafe {
        let list = &*bytes.as_ptr().cast::<SOCKET_ADDRESS_LIST>();
        std::slice::from_raw_parts(list.Address.as_ptr(), list.iAddressCount as usize)
    };
    assert!(!entries.is_empty(), "loopback at least");
    for entry in entries {
        assert_eq!(entry.iSockaddrLength, 16);
        assert!(within.contains(&entry.lpSockaddr.cast_const().cast()));
        // SAFETY: it points into the buffer, to an address of that length.
        assert_eq!(unsafe { (*entry.lpSockaddr).sa_family }, AF_INET);
    }
    // SAFETY: no precondition.
    unsafe { closesocket(s) };
}
