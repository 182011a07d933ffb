//! Calls of the raw contract that the tests of completion ports and overlapped operations need beside [`crate::raw`].
#![allow(unsafe_code)]

use crate::raw::{Event, Outcome, Request, Socket, UNTOUCHED, wsa_get_last_error};
use pentaport::sys;
use std::net::{SocketAddr, SocketAddrV4};

/// WaitForSingleObject on any handle value; the answer as it comes.
pub fn wait_for_single_object(handle: usize, milliseconds: u32) -> u32 {
    // SAFETY: no pointers but a handle, which the call checks.
    unsafe { sys::WaitForSingleObject(handle as sys::HANDLE, milliseconds) }
}

/// The event's handle with bit 0 set: as `hEvent` it says that no packet is wanted.
pub fn tagged(event: &Event) -> usize {
    event.handle() | 1
}

/// WSARecv with null for both the OVERLAPPED and the byte count.
pub fn wsa_recv_now_uncounted(socket: &Socket, buffer: &mut [u8]) -> Outcome<()> {
    let array = [sys::WSABUF { len: buffer.len() as u32, buf: buffer.as_mut_ptr() }];
    let mut flags = 0;
    let (count, overlapped) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the array, the buffer and the flags outlive the call, which is not overlapped.
    let result = unsafe { sys::WSARecv(socket.raw(), array.as_ptr(), 1, count, &mut flags, overlapped, None) };
    if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}

/// WSASendTo without OVERLAPPED, with or without a byte count.
pub fn wsa_send_to_now(socket: &Socket, data: &[u8], to: SocketAddrV4, counted: bool) -> Outcome<u32> {
    let array = [sys::WSABUF { len: data.len() as u32, buf: data.as_ptr().cast_mut() }];
    let to = sockaddr_in(to);
    let mut count = UNTOUCHED;
    // SAFETY: the array, the buffer, which a send only reads, the address and the count outlive the call, which is not
    // overlapped.
    let result = unsafe {
        sys::WSASendTo(
            socket.raw(),
            array.as_ptr(),
            1,
            if counted { &mut count } else { std::ptr::null_mut() },
            0,
            (&raw const to).cast(),
            size_of::<sys::SOCKADDR_IN>() as i32,
            std::ptr::null_mut(),
            None,
        )
    };
    if result == 0 { Ok(count) } else { Err(wsa_get_last_error()) }
}

/// WSARecv of a request whose WSABUF array lies to a null pointer: for a count of 0.
pub fn wsa_recv_without_array(socket: &Socket, request: Request) -> Outcome<()> {
    let mut flags = 0;
    // SAFETY: no buffers are given; the OVERLAPPED lives for ever; the flags outlive the call, which is refused.
    let result = unsafe {
        sys::WSARecv(socket.raw(), std::ptr::null(), 0, std::ptr::null_mut(), &mut flags, request.pointer(), None)
    };
    if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}

/// WSAIoctl with a request and a null pointer for the byte count.
pub fn wsa_ioctl_request_uncounted(socket: &Socket, code: u32, input: &[u8], request: Request) -> Outcome<()> {
    // SAFETY: `input` has the length given and outlives the call; the OVERLAPPED lives for ever; a null count is
    // refused.
    let result = unsafe {
        sys::WSAIoctl(
            socket.raw(),
            code,
            input.as_ptr().cast(),
            input.len() as u32,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
            request.pointer(),
            None,
        )
    };
    if result == 0 { Ok(()) } else { Err(wsa_get_last_error()) }
}

/// The IPv4 address that a test's own helpers gave.
pub fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(v4) => v4,
        SocketAddr::V6(v6) => panic!("{v6} is no IPv4 address"),
    }
}

fn sockaddr_in(address: SocketAddrV4) -> sys::SOCKADDR_IN {
    let mut raw = sys::SOCKADDR_IN { sin_family: sys::AF_INET, sin_port: address.port().to_be(), ..Default::default() };
    raw.sin_addr.S_un.S_addr = u32::from_ne_bytes(address.ip().octets());
    raw
}
