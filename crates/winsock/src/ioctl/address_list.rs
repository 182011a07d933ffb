//! SIO_ADDRESS_LIST_QUERY: the addresses of this machine that a socket can be bound to.

use core::ffi::c_void;
use std::mem::{offset_of, size_of};

use crate::address::Address;
use crate::error::WsaResult;
use crate::resolve::machine_addresses;
use crate::types::*;

/// What an address takes behind the list, aligned.
const PLACE: usize = size_of::<SOCKADDR_IN6>().next_multiple_of(align_of::<SOCKET_ADDRESS>());

/// Writes a SOCKET_ADDRESS_LIST of the family, with the addresses behind it, if there is room for it. Returns how much it
/// takes.
///
/// # Safety
/// `out` is writable for `room` bytes. It need not be aligned.
pub(super) unsafe fn write(family: ADDRESS_FAMILY, out: *mut c_void, room: usize) -> WsaResult<usize> {
    let family = if family == AF_INET6 { libc::AF_INET6 } else { libc::AF_INET };
    let addresses = machine_addresses(family)?;
    let entries = offset_of!(SOCKET_ADDRESS_LIST, Address);
    let places = entries + addresses.len() * size_of::<SOCKET_ADDRESS>();
    let size = (places + addresses.len() * PLACE).max(size_of::<SOCKET_ADDRESS_LIST>());
    if size > room {
        return Ok(size);
    }
    let out = out.cast::<u8>();
    // SAFETY: there is room for the whole list, whose first field is the count.
    unsafe { out.cast::<i32>().write_unaligned(addresses.len() as i32) };
    for (index, address) in addresses.iter().enumerate() {
        // SAFETY: within the room, as computed above, which the caller made writable.
        unsafe {
            write_one(address, out.add(entries + index * size_of::<SOCKET_ADDRESS>()), out.add(places + index * PLACE))
        };
    }
    Ok(size)
}

/// # Safety
/// `entry` is writable for a SOCKET_ADDRESS and `place` for [`PLACE`] bytes.
unsafe fn write_one(address: &Address, entry: *mut u8, place: *mut u8) {
    let mut length = PLACE as i32;
    // SAFETY: the caller's promise; the length says how much room there is.
    let _fits = unsafe { address.write(place.cast(), &mut length) };
    let value = SOCKET_ADDRESS { lpSockaddr: place.cast(), iSockaddrLength: length };
    // SAFETY: the caller's promise.
    unsafe { entry.cast::<SOCKET_ADDRESS>().write_unaligned(value) };
}
