//! The calls on one socket. All are safe whatever the `SOCKET` is: the system checks it.

use super::address::Address;
use super::call::{check, check_bool, check_count, check_socket, startup};
use super::panic::resume_panic;
use crate::sys::{self, HANDLE, SOCKET};
use crate::{Error, Result};
use std::ffi::c_void;
use std::net::SocketAddr;

/// A new socket, overlapped, not inherited by child processes.
pub(crate) fn open(family: sys::ADDRESS_FAMILY, kind: i32, protocol: i32) -> Result<SOCKET> {
    startup()?;
    let flags = sys::WSA_FLAG_OVERLAPPED | sys::WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: no protocol information is passed, the rest are numbers.
    let socket = unsafe { sys::WSASocketW(family.into(), kind, protocol, std::ptr::null(), 0, flags) };
    check_socket(socket)
}

pub(crate) fn close(socket: SOCKET) -> Result<()> {
    // SAFETY: takes a number; callers own the socket.
    check(unsafe { sys::closesocket(socket) })
}

/// Cancels one operation of the socket, or all; whether there was anything to cancel.
pub(crate) fn cancel(socket: SOCKET, one: Option<*const sys::OVERLAPPED>) -> Result<bool> {
    let overlapped = one.unwrap_or(std::ptr::null());
    // SAFETY: callers own the socket. The OVERLAPPED is only compared.
    match check_bool(unsafe { sys::CancelIoEx(socket as HANDLE, overlapped) }) {
        Ok(()) => Ok(true),
        Err(error) if error.code() == sys::ERROR_NOT_FOUND as i32 => Ok(false),
        Err(error) => Err(error),
    }
}

/// Ends the operations of a socket that is about to be closed, as far as closing it would not: on Windows a send may go
/// on until the peer has taken all of it. With a linger time that is what the program wants.
pub(super) fn end_operations(socket: SOCKET) {
    // For no time means: do not wait for sends, reset the connection.
    let waits = |linger: sys::LINGER| linger.l_onoff != 0 && linger.l_linger != 0;
    let lingers = || option::<sys::LINGER>(socket, sys::SOL_SOCKET, sys::SO_LINGER).is_ok_and(waits);
    if !sys::ext::CLOSING_ENDS_ALL && !lingers() {
        // What cannot be cancelled is over, or ends by itself.
        let _ = cancel(socket, None);
    }
}

pub(crate) fn bind(socket: SOCKET, address: &SocketAddr) -> Result<()> {
    let address = Address::from(address);
    // SAFETY: `length` bytes of the address are ours and initialised.
    check(unsafe { sys::bind(socket, address.as_ptr(), address.length) })
}

pub(crate) fn listen(socket: SOCKET, backlog: i32) -> Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { sys::listen(socket, backlog) })
}

/// The accepted socket, and the caller's address as far as the system gave one.
pub(crate) fn accept(socket: SOCKET) -> Result<(SOCKET, Address)> {
    let mut address = Address::room();
    let pointer = address.as_mut_ptr();
    // SAFETY: the address has room for `length` bytes, and both outlive the call.
    let accepted = unsafe { sys::accept(socket, pointer, &mut address.length) };
    check_socket(accepted).map(|accepted| (accepted, address))
}

pub(crate) fn connect(socket: SOCKET, address: &SocketAddr) -> Result<()> {
    let address = Address::from(address);
    // SAFETY: `length` bytes of the address are ours and initialised.
    waited(check(unsafe { sys::connect(socket, address.as_ptr(), address.length) }))
}

pub(crate) fn shutdown(socket: SOCKET, how: sys::WINSOCK_SHUTDOWN_HOW) -> Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { sys::shutdown(socket, how) })
}

pub(crate) fn send(socket: SOCKET, data: &[u8], flags: sys::SEND_RECV_FLAGS) -> Result<usize> {
    // SAFETY: the system reads at most `length` bytes of `data`.
    waited(check_count(unsafe { sys::send(socket, data.as_ptr(), length(data), flags) }))
}

pub(crate) fn receive(socket: SOCKET, buffer: &mut [u8], flags: i32) -> Result<usize> {
    // SAFETY: the system writes at most `length` bytes into `buffer`.
    waited(check_count(unsafe { sys::recv(socket, buffer.as_mut_ptr(), length(buffer), flags) }))
}

pub(crate) fn send_to(socket: SOCKET, data: &[u8], to: &SocketAddr) -> Result<usize> {
    let to = Address::from(to);
    // SAFETY: the system reads at most `length` bytes of `data`, and the address.
    waited(check_count(unsafe { sys::sendto(socket, data.as_ptr(), length(data), 0, to.as_ptr(), to.length) }))
}

/// The count, and the sender's address, if the system gave one (for a stream it gives none).
pub(crate) fn receive_from(socket: SOCKET, buffer: &mut [u8]) -> Result<(usize, Address)> {
    let mut from = Address::room();
    let pointer = from.as_mut_ptr();
    // SAFETY: the system writes at most `length` bytes into `buffer`, and into the address at most its length.
    let count = waited(check_count(unsafe {
        sys::recvfrom(socket, buffer.as_mut_ptr(), length(buffer), 0, pointer, &mut from.length)
    }))?;
    Ok((count, from))
}

pub(crate) fn local_address(socket: SOCKET) -> Result<SocketAddr> {
    let mut address = Address::room();
    let pointer = address.as_mut_ptr();
    // SAFETY: the address has room for `length` bytes.
    check(unsafe { sys::getsockname(socket, pointer, &mut address.length) })?;
    address.get()
}

pub(crate) fn peer_address(socket: SOCKET) -> Result<SocketAddr> {
    let mut address = Address::room();
    let pointer = address.as_mut_ptr();
    // SAFETY: the address has room for `length` bytes.
    check(unsafe { sys::getpeername(socket, pointer, &mut address.length) })?;
    address.get()
}

/// `FIONBIO`, `FIONREAD`: a command with one number in and out.
pub(crate) fn control(socket: SOCKET, command: i32, argument: u32) -> Result<u32> {
    let mut argument = argument;
    // SAFETY: both commands used take one u32.
    check(unsafe { sys::ioctlsocket(socket, command, &mut argument) })?;
    Ok(argument)
}

/// A type that every bit pattern is a value of, and that has no padding: what options are made of.
///
/// # Safety
/// As said.
pub(crate) unsafe trait OptionValue: Copy {}

// SAFETY: plain numbers.
unsafe impl OptionValue for u32 {}
// SAFETY: plain numbers.
unsafe impl OptionValue for i32 {}
// SAFETY: two u16.
unsafe impl OptionValue for sys::LINGER {}
// SAFETY: a plain number (a SOCKET is a handle's value).
unsafe impl OptionValue for usize {}

pub(crate) fn option<T: OptionValue>(socket: SOCKET, level: i32, name: i32) -> Result<T> {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    let mut size = size_of::<T>() as i32;
    // SAFETY: the value has room for `size` bytes.
    check(unsafe { sys::getsockopt(socket, level, name, value.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: it was zeroed, so it is initialised whatever the call wrote, and every bit pattern is a value.
    Ok(unsafe { value.assume_init() })
}

pub(crate) fn set_option<T: OptionValue>(socket: SOCKET, level: i32, name: i32, value: T) -> Result<()> {
    // SAFETY: the system reads `size_of::<T>()` bytes of the value, which has no padding.
    check(unsafe { sys::setsockopt(socket, level, name, (&raw const value).cast(), size_of::<T>() as i32) })
}

/// The extension function with this id, as a pointer of type `F`.
///
/// # Safety
/// `F` is `Option<unsafe extern "system" fn …>` with the signature that belongs to `id`.
pub(super) unsafe fn extension<F: Copy>(socket: SOCKET, id: sys::GUID) -> Result<F> {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    let mut function = std::mem::MaybeUninit::<F>::zeroed();
    let mut returned = 0;
    // SAFETY: the input is the id, the output has room for a pointer; no overlapped call.
    check(unsafe {
        sys::WSAIoctl(
            socket,
            sys::SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const id).cast::<c_void>(),
            size_of_val(&id) as u32,
            function.as_mut_ptr().cast(),
            size_of::<F>() as u32,
            &mut returned,
            std::ptr::null_mut(),
            None,
        )
    })?;
    if returned as usize != size_of::<F>() {
        return Err(Error::from_code(sys::WSAEOPNOTSUPP));
    }
    // SAFETY: the system stored a pointer to the function that the id names, and `F` is its type by the caller's
    // promise.
    Ok(unsafe { function.assume_init() })
}

/// After a call that may have blocked, and so may have called routines (SEMANTICS D75): goes on with a panic of theirs.
fn waited<T>(result: T) -> T {
    resume_panic();
    result
}

/// Winsock counts in i32: a longer buffer is used as far as that goes.
fn length(data: &[u8]) -> i32 {
    i32::try_from(data.len()).unwrap_or(i32::MAX)
}
