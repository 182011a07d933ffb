//! WSARecvMsg and WSASendMsg: datagrams with what came with them.
//!
//! Control data is laid out alike on both systems, as headers and data at multiples of 8 bytes; its kinds have other
//! numbers. What a program can ask for is where a datagram was sent to (IP_PKTINFO, IPV6_PKTINFO).

use crate::error::{WsaResult, fail, finish, is_bad};
use crate::os;
use crate::socket::lock;
use crate::socket::overlapped::{self, Operation};
use crate::socket::receive;
use crate::socket::send::{self, Call};
use crate::types::*;

/// How many words of control data the kernel may give: more than all that can be asked for.
pub(super) const CONTROL_ROOM: usize = 16;

const HEADER: usize = size_of::<CMSGHDR>();
const _: () = assert!(HEADER == size_of::<libc::cmsghdr>() && HEADER.is_multiple_of(8));

/// Tells a program what came with a datagram: its sender, control data, and whether anything was cut.
///
/// # Safety
/// `place` is a WSAMSG whose buffers are writable, and the address's room `namelen` bytes.
pub(super) unsafe fn deliver(place: *mut WSAMSG, message: &os::Message, control: &[u64]) {
    // SAFETY: as the caller promises; the kernel has filled as much control data as it says.
    unsafe {
        let mut cut = if message.flags & libc::MSG_TRUNC != 0 { MSG_TRUNC } else { 0 };
        if !(*place).name.is_null() {
            // A length that is too small loses the address, not the datagram.
            let _ = message.from.write((*place).name, &raw mut (*place).namelen);
        }
        let bytes = std::slice::from_raw_parts(control.as_ptr().cast::<u8>(), message.control);
        let given = translated(bytes);
        let room = (*place).Control.len as usize;
        if given.len() <= room && (given.is_empty() || !is_bad((*place).Control.buf)) {
            std::ptr::copy_nonoverlapping(given.as_ptr(), (*place).Control.buf, given.len());
            (*place).Control.len = given.len() as u32;
        } else {
            (*place).Control.len = 0;
            cut |= MSG_CTRUNC;
        }
        (*place).dwFlags = cut;
    }
}

/// Control data of Linux's as Winsock has it.
fn translated(mut control: &[u8]) -> Vec<u8> {
    let mut given = Vec::new();
    while let Some((header, _)) = control.split_first_chunk::<HEADER>() {
        let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
        let length = header.first_chunk().map_or(0, |bytes| usize::from_ne_bytes(*bytes));
        let Some(data) = control.get(HEADER..length) else { break };
        match (number(8), number(12)) {
            // The interface first and a local address between: on Linux.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) if data.len() == 12 => {
                push(&mut given, IPPROTO_IP, IP_PKTINFO, &[&data[8..], &data[..4]].concat());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if data.len() == size_of::<IN6_PKTINFO>() => {
                push(&mut given, IPPROTO_IPV6, IPV6_PKTINFO, data);
            }
            _ => {}
        }
        control = control.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    given
}

const _: () = assert!(size_of::<IN_PKTINFO>() == 8);

fn push(given: &mut Vec<u8>, level: i32, kind: i32, data: &[u8]) {
    given.extend((HEADER + data.len()).to_ne_bytes());
    given.extend(level.to_ne_bytes());
    given.extend(kind.to_ne_bytes());
    given.extend(data);
    given.resize(given.len().next_multiple_of(8), 0);
}

/// Control data of Winsock's as Linux has it. What has no counterpart there is left out.
///
/// # Safety
/// The buffer is null or readable for its length.
unsafe fn for_the_kernel(control: WSABUF) -> WsaResult<Vec<u64>> {
    if control.len == 0 {
        return Ok(Vec::new());
    }
    if is_bad(control.buf) {
        return fail(WSAEFAULT);
    }
    let mut taken = Vec::new();
    // SAFETY: as the caller promises.
    let mut rest = unsafe { std::slice::from_raw_parts(control.buf.cast_const(), control.len as usize) };
    while let Some((header, _)) = rest.split_first_chunk::<HEADER>() {
        let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
        let length = header.first_chunk().map_or(0, |bytes| usize::from_ne_bytes(*bytes));
        let Some(data) = rest.get(HEADER..length) else { return fail(WSAEINVAL) };
        match (number(8), number(12), data) {
            // The sender's address is Linux's local one; the third is of no use here.
            (IPPROTO_IP, IP_PKTINFO, &[a, b, c, d, ref interface @ ..]) if interface.len() == 4 => {
                push(&mut taken, libc::IPPROTO_IP, libc::IP_PKTINFO, &[interface, &[a, b, c, d], &[0; 4]].concat());
            }
            (IPPROTO_IPV6, IPV6_PKTINFO, data) if data.len() == size_of::<IN6_PKTINFO>() => {
                push(&mut taken, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, data);
            }
            (IPPROTO_IP, IP_PKTINFO, _) | (IPPROTO_IPV6, IPV6_PKTINFO, _) => return fail(WSAEINVAL),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(taken.chunks_exact(8).filter_map(|word| word.first_chunk()).map(|word| u64::from_ne_bytes(*word)).collect())
}

/// What both calls check: a datagram or raw socket, and a description of a message.
///
/// # Safety
/// `message` is null or a WSAMSG.
unsafe fn check(s: SOCKET, message: *const WSAMSG) -> WsaResult<WSAMSG> {
    let is_stream = lock(s)?.is_stream();
    if is_bad(message) {
        return fail(WSAEFAULT);
    }
    if is_stream {
        return fail(WSAEINVAL);
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { *message })
}

/// Receives a datagram, with its sender and where it was sent to. Fetched by WSAIoctl with WSAID_WSARECVMSG.
///
/// The rest as WSARecvFrom. Of the flags in the message only MSG_PEEK is allowed; afterwards they say whether data
/// (MSG_TRUNC) or control data (MSG_CTRUNC) was cut. Control data comes if IP_PKTINFO or IPV6_PKTINFO is set.
///
/// # Errors
/// SOCKET_ERROR with the codes of WSARecvFrom; WSAEINVAL for a stream socket or another flag, WSAEFAULT for a null message.
///
/// # Safety
/// The message and all that it points to are writable, as long as the operation lasts; `lpdwnumberofbytesrecvd` is null or
/// writable, `lpoverlapped` null or an OVERLAPPED that lives until the operation completes.
#[unsafe(export_name = "ws_WSARecvMsg")]
pub unsafe extern "system" fn WSARecvMsg(
    s: SOCKET,
    lpmsg: *mut WSAMSG,
    lpdwnumberofbytesrecvd: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let run = || {
        // SAFETY: as the caller promises.
        let message = unsafe { check(s, lpmsg)? };
        if message.dwFlags & !(MSG_PEEK as u32) != 0 {
            return fail(WSAEINVAL);
        }
        let transfer = |buffers: &[WSABUF], operation: Option<&Operation>| {
            // SAFETY: the message is there: `check` has read it.
            let from_len = unsafe { &raw mut (*lpmsg).namelen };
            let call = receive::Call { buffers, flags: message.dwFlags, from: message.name, from_len, message: lpmsg };
            // SAFETY: as the caller promises.
            unsafe { receive::receive(s, call, operation) }
        };
        let buffers = (message.lpBuffers.cast_const(), message.dwBufferCount);
        // SAFETY: as the caller promises.
        unsafe { overlapped::call(s, buffers, lpdwnumberofbytesrecvd, lpoverlapped, lpcompletionroutine, transfer) }
    };
    finish(run())
}

/// Sends a datagram, to the message's address if it has one. Fetched by WSAIoctl with WSAID_WSASENDMSG, or linked.
///
/// The rest as WSASendTo. Control data of IP_PKTINFO or IPV6_PKTINFO says from which address and by which interface; other
/// kinds are ignored.
///
/// # Errors
/// SOCKET_ERROR with the codes of WSASendTo; WSAEINVAL for a stream socket, for control data that is cut, and for an address
/// that is not one of this machine; WSAEFAULT for a null message.
///
/// # Safety
/// What the message points to is readable, its buffers as long as the operation lasts; the rest as for WSASendTo.
#[unsafe(export_name = "ws_WSASendMsg")]
pub unsafe extern "system" fn WSASendMsg(
    handle: SOCKET,
    lpmsg: *const WSAMSG,
    dwflags: u32,
    lpnumberofbytessent: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
    lpcompletionroutine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    let run = || {
        // SAFETY: as the caller promises.
        let (message, control) = unsafe {
            let message = check(handle, lpmsg)?;
            (message, for_the_kernel(message.Control)?)
        };
        let transfer = |buffers: &[WSABUF], operation: Option<&Operation>| {
            // SAFETY: as the caller promises.
            let to = unsafe { send::destination(handle, message.name, message.namelen)? };
            let call = Call { buffers, flags: dwflags, to: to.as_ref(), control: &control };
            // SAFETY: as the caller promises.
            unsafe { send::transmit(handle, call, operation) }
        };
        let buffers = (message.lpBuffers.cast_const(), message.dwBufferCount);
        // SAFETY: as the caller promises.
        unsafe { overlapped::call(handle, buffers, lpnumberofbytessent, lpoverlapped, lpcompletionroutine, transfer) }
    };
    finish(run())
}
