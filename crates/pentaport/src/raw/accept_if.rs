//! `WSAAccept` with a closure as its condition function.

use super::address::Address;
use super::call::check_socket;
use crate::sys::{self, SOCKET};
use crate::{Error, Result};
use std::any::Any;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};

/// What the condition function needs, and what it leaves behind.
struct Call<'a> {
    /// Gives CF_ACCEPT, CF_REJECT or CF_DEFER for caller and callee.
    decide: &'a mut dyn FnMut(SocketAddr, SocketAddr) -> u32,
    panic: Option<Box<dyn Any + Send>>,
}

/// Accepts the next connection if `decide(caller, callee)` says so.
///
/// A panic in `decide` rejects the connection and goes on here, after the call.
pub(crate) fn accept_if(
    socket: SOCKET,
    decide: &mut dyn FnMut(SocketAddr, SocketAddr) -> u32,
) -> Result<(SOCKET, Address)> {
    let mut call = Call { decide, panic: None };
    let mut address = Address::room();
    let pointer = address.as_mut_ptr();
    let data = (&raw mut call).expose_provenance();
    // SAFETY: the address has room for `length` bytes; `condition` gets the pointer to `call`, which outlives the
    // call, and nothing else uses `call` meanwhile.
    let accepted = unsafe { sys::WSAAccept(socket, pointer, &mut address.length, Some(condition), data) };
    let accepted = check_socket(accepted);
    if let Some(payload) = call.panic.take() {
        if let Ok(accepted) = accepted {
            // A system that accepts what was rejected: not ours to keep.
            let _ = super::socket::close(accepted);
        }
        panic::resume_unwind(payload);
    }
    accepted.map(|accepted| (accepted, address))
}

/// Runs on the thread of [`accept_if`], inside its call.
unsafe extern "system" fn condition(
    caller: *mut sys::WSABUF,
    _caller_data: *mut sys::WSABUF,
    _qos: *mut sys::QOS,
    _group_qos: *mut sys::QOS,
    callee: *mut sys::WSABUF,
    _callee_data: *mut sys::WSABUF,
    _group: *mut u32,
    data: usize,
) -> i32 {
    // SAFETY: `data` is the address that accept_if passed (and exposed); its owner is inside WSAAccept.
    let call = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<Call<'_>>(data) };
    // SAFETY: the system gives each address as a buffer with its length.
    let addresses = unsafe { read(caller).and_then(|caller| Ok((caller, read(callee)?))) };
    let Ok((caller, callee)) = addresses else { return sys::CF_REJECT as i32 };
    let decision = panic::catch_unwind(AssertUnwindSafe(|| (call.decide)(caller, callee)));
    decision.unwrap_or_else(|payload| {
        call.panic = Some(payload);
        sys::CF_REJECT
    }) as i32
}

/// # Safety
/// `buffer` is null or points to a WSABUF that holds an address.
unsafe fn read(buffer: *const sys::WSABUF) -> Result<SocketAddr> {
    // SAFETY: by the caller's promise.
    let Some(buffer) = (unsafe { buffer.as_ref() }) else {
        return Err(Error::from_code(sys::WSAEFAULT));
    };
    // SAFETY: `len` bytes at `buf` can be read, by the caller's promise.
    unsafe { Address::read(buffer.buf.cast(), i32::try_from(buffer.len).unwrap_or(i32::MAX)) }
}
