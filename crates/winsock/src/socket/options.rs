//! getsockopt and setsockopt.
//!
//! Most options are the kernel's and need only another number ([`table`]). What the kernel does not have, or would
//! not give back as it was set, is kept with the socket ([`super::Options`]).
//!
//! Every option that can be read is four bytes long, an `int`, a `BOOL`, a `DWORD` or a LINGER.

mod table;

use std::os::fd::RawFd;
use std::time::Instant;

use crate::error::{WsaResult, fail, finish, wsa_from_errno};
use crate::os::{self, OsResult};
use crate::socket::options::table::{Row, Shape};
use crate::socket::{Kind, Locked, Phase, connect, lock};
use crate::types::*;

/// SO_CONNECT_TIME of a socket that is not connected.
const NOT_CONNECTED: u32 = u32::MAX;

/// What IPv4 and IPv6 leave of 65,535 bytes for the data of a datagram.
const MAX_DATAGRAM_IPV4: i32 = 65_507;
const MAX_DATAGRAM_IPV6: i32 = 65_527;

/// Reads an option of a socket.
///
/// `level` is SOL_SOCKET, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IP or IPPROTO_IPV6. Timeouts are in milliseconds,
/// SO_CONNECT_TIME, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_MAXRT in seconds, buffer sizes in bytes. SO_ERROR tells why
/// the last connect failed, and reading it does not clear it.
///
/// Differs from Windows: the defaults of SO_SNDBUF, SO_RCVBUF and IP_TTL are those of this system.
///
/// # Errors
/// SOCKET_ERROR with
/// * `WSAENOTSOCK`: `s` is no socket.
/// * `WSAEFAULT`: a null pointer, or `*optlen` is too small; it is left as it is.
/// * `WSAEINVAL`: there is no such level.
/// * `WSAENOPROTOOPT`: there is no such option, not for this kind of socket, or it cannot be read.
///
/// # Safety
/// `optlen` is null or points to an `i32` to read and write; `optval` is null or writable for `*optlen` bytes.
///
/// ```
/// use winsock::*;
/// // SAFETY: the pointers lead to live values.
/// unsafe {
///     let mut data = WSADATA::default();
///     WSAStartup(0x0202, &mut data);
///     let s = socket(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP);
///     let timeout = 1500u32;
///     assert_eq!(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (&raw const timeout).cast(), 4), 0);
///     let (mut read, mut len) = (0u32, 4);
///     assert_eq!(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (&raw mut read).cast(), &mut len), 0);
///     assert_eq!((read, len), (1500, 4));
///     closesocket(s);
///     WSACleanup();
/// }
/// ```
#[unsafe(export_name = "ws_getsockopt")]
pub unsafe extern "system" fn getsockopt(s: SOCKET, level: i32, optname: i32, optval: PSTR, optlen: *mut i32) -> i32 {
    finish(lock(s).and_then(|mut socket| {
        if optval.is_null() || optlen.is_null() {
            return fail(WSAEFAULT);
        }
        let value = get(&mut socket, level, optname)?;
        // SAFETY: not null, so readable and writable, as the caller promises.
        unsafe {
            if optlen.read_unaligned() < value.len() as i32 {
                return fail(WSAEFAULT);
            }
            // SAFETY (of the copy): `*optlen` covers the value.
            optval.copy_from_nonoverlapping(value.as_ptr(), value.len());
            optlen.write_unaligned(value.len() as i32);
        }
        Ok(())
    }))
}

/// Sets an option of a socket.
///
/// Units are those of [`getsockopt`]. SO_RCVTIMEO and SO_SNDTIMEO act on blocking calls of overlapped sockets; 0 waits
/// for ever. SO_UPDATE_ACCEPT_CONTEXT takes the listening socket, SO_UPDATE_CONNECT_CONTEXT no value.
///
/// Differs from Windows: SO_CONDITIONAL_ACCEPT is kept, but the handshake is always done before WSAAccept asks its
/// condition function; a buffer size of 0 is the least that this system allows; SO_DEBUG, SO_RANDOMIZE_PORT,
/// SO_PORT_SCALABILITY, SO_REUSE_UNICASTPORT and SO_REUSE_MULTICASTPORT are kept and change nothing.
///
/// # Errors
/// SOCKET_ERROR with
/// * `WSAENOTSOCK`: `s` is no socket, or the value of SO_UPDATE_ACCEPT_CONTEXT is none.
/// * `WSAEFAULT`: the value is null or too short.
/// * `WSAEINVAL`: there is no such level, the value is not allowed, or it comes too late (IPV6_V6ONLY after bind,
///   SO_CONDITIONAL_ACCEPT after listen), or it contradicts another (SO_REUSEADDR and SO_EXCLUSIVEADDRUSE).
/// * `WSAENOTCONN`: SO_UPDATE_CONNECT_CONTEXT or SO_UPDATE_ACCEPT_CONTEXT on a socket without a connection.
/// * `WSAENOPROTOOPT`: there is no such option, not for this kind of socket, or it cannot be set.
///
/// # Safety
/// `optval` is null or readable for `optlen` bytes.
#[unsafe(export_name = "ws_setsockopt")]
pub unsafe extern "system" fn setsockopt(s: SOCKET, level: i32, optname: i32, optval: PCSTR, optlen: i32) -> i32 {
    let value = match usize::try_from(optlen) {
        // SAFETY: not null, so readable for its length, as the caller promises.
        Ok(len) if !optval.is_null() => unsafe { std::slice::from_raw_parts(optval, len) },
        _ => &[],
    };
    finish(if (level, optname) == (SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT) {
        update_accept_context(s, value)
    } else {
        lock(s).and_then(|mut socket| set(&mut socket, level, optname, value))
    })
}

fn get(socket: &mut Locked, level: i32, name: i32) -> WsaResult<[u8; 4]> {
    if let Some(row) = table::find(level, name) {
        return get_from_kernel(socket, row);
    }
    if level != SOL_SOCKET {
        return fail(if table::is_level(level) { WSAENOPROTOOPT } else { WSAEINVAL });
    }
    let (stream, options) = (socket.is_stream(), socket.options());
    let value = match name {
        SO_ACCEPTCONN if stream => (socket.phase == Phase::Listening).into(),
        SO_ERROR => {
            // The end of a connect that nobody has noticed yet.
            connect::settle(socket);
            socket.connect_error
        }
        SO_TYPE => match socket.kind {
            Kind::Stream => SOCK_STREAM,
            Kind::Datagram => SOCK_DGRAM,
            Kind::Raw => SOCK_RAW,
        },
        SO_REUSEADDR => options.reuse_address.into(),
        SO_EXCLUSIVEADDRUSE => options.exclusive_address_use.into(),
        SO_LINGER if stream => return Ok(linger_bytes(options.linger)),
        SO_DONTLINGER if stream => options.linger.is_none().into(),
        SO_CONDITIONAL_ACCEPT if stream => options.conditional_accept.into(),
        SO_SNDBUF => options.send_buffer.map_or_else(|| buffer_size(socket.fd(), libc::SO_SNDBUF), Ok)?,
        SO_RCVBUF => options.receive_buffer.map_or_else(|| buffer_size(socket.fd(), libc::SO_RCVBUF), Ok)?,
        SO_SNDTIMEO => options.send_timeout as i32,
        SO_RCVTIMEO => options.receive_timeout as i32,
        SO_MAX_MSG_SIZE => match (stream, socket.family) {
            // A stream has no messages whose size could matter.
            (true, _) => 0,
            (false, AF_INET6) => MAX_DATAGRAM_IPV6,
            (false, _) => MAX_DATAGRAM_IPV4,
        },
        SO_CONNECT_TIME => connect_time(socket) as i32,
        SO_DEBUG | SO_RANDOMIZE_PORT | SO_PORT_SCALABILITY | SO_REUSE_UNICASTPORT | SO_REUSE_MULTICASTPORT => {
            (options.inert & inert(name) != 0).into()
        }
        _ => return fail(WSAENOPROTOOPT),
    };
    Ok(value.to_ne_bytes())
}

fn set(socket: &mut Locked, level: i32, name: i32, value: &[u8]) -> WsaResult<()> {
    if let Some(row) = table::find(level, name) {
        return set_in_kernel(socket, row, value);
    }
    if level != SOL_SOCKET {
        return fail(if table::is_level(level) { WSAENOPROTOOPT } else { WSAEINVAL });
    }
    let stream = socket.is_stream();
    match name {
        // What these two mean to the kernel is bind's to say.
        SO_REUSEADDR => set_reuse(socket, bool_of(value)?)?,
        SO_EXCLUSIVEADDRUSE => set_exclusive(socket, bool_of(value)?)?,
        SO_LINGER if stream => socket.options_mut().linger = linger_of(value)?,
        // Turned "off", it is a linger of no time at all: closing resets the connection.
        SO_DONTLINGER if stream => socket.options_mut().linger = if bool_of(value)? { None } else { Some(0) },
        SO_CONDITIONAL_ACCEPT if stream => {
            let on = bool_of(value)?;
            if socket.phase == Phase::Listening {
                return fail(WSAEINVAL);
            }
            socket.options_mut().conditional_accept = on;
        }
        SO_SNDBUF => {
            let size = int_of(value)?;
            set_int(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, size)?;
            socket.options_mut().send_buffer = Some(size);
        }
        SO_RCVBUF => {
            let size = int_of(value)?;
            set_int(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, size)?;
            socket.options_mut().receive_buffer = Some(size);
        }
        SO_SNDTIMEO => socket.options_mut().send_timeout = int_of(value)? as u32,
        SO_RCVTIMEO => socket.options_mut().receive_timeout = int_of(value)? as u32,
        SO_UPDATE_CONNECT_CONTEXT if stream => {
            connect::settle(socket);
            if socket.phase != Phase::Connected {
                return fail(WSAENOTCONN);
            }
            socket.connect_context = false;
        }
        SO_DEBUG | SO_RANDOMIZE_PORT | SO_PORT_SCALABILITY | SO_REUSE_UNICASTPORT | SO_REUSE_MULTICASTPORT => {
            let on = bool_of(value)?;
            let inert = inert(name);
            let options = socket.options_mut();
            options.inert = if on { options.inert | inert } else { options.inert & !inert };
        }
        _ => return fail(WSAENOPROTOOPT),
    }
    Ok(())
}

/// The bit that remembers an option without effect.
fn inert(name: i32) -> u8 {
    match name {
        SO_DEBUG => 1,
        SO_RANDOMIZE_PORT => 2,
        SO_PORT_SCALABILITY => 4,
        SO_REUSE_UNICASTPORT => 8,
        _ => 16,
    }
}

/// SO_REUSEADDR and SO_EXCLUSIVEADDRUSE exclude each other.
fn set_reuse(socket: &mut Locked, on: bool) -> WsaResult<()> {
    if on && socket.options().exclusive_address_use {
        return fail(WSAEINVAL);
    }
    socket.options_mut().reuse_address = on;
    Ok(())
}

fn set_exclusive(socket: &mut Locked, on: bool) -> WsaResult<()> {
    if on && socket.options().reuse_address {
        return fail(WSAEINVAL);
    }
    socket.options_mut().exclusive_address_use = on;
    Ok(())
}

/// Ties a connection that AcceptEx took to its listener: it gets the listener's options (X16). What the kernel keeps
/// of them it has had since the connection was made.
fn update_accept_context(s: SOCKET, value: &[u8]) -> WsaResult<()> {
    drop(lock(s)?);
    let Some(listener) = value.first_chunk() else { return fail(WSAEFAULT) };
    let listener = lock(usize::from_ne_bytes(*listener))?;
    if listener.phase != Phase::Listening {
        return fail(WSAEINVAL);
    }
    let options = listener.own_options();
    drop(listener);
    let mut socket = lock(s)?;
    if socket.phase != Phase::Connected {
        return fail(WSAENOTCONN);
    }
    for &(level, name, value) in options.iter().flat_map(|options| &options.replay) {
        // One that the socket itself had set to something else; what cannot be set on a connection stays.
        let _ = os::set_option(socket.fd(), level, name, value);
    }
    socket.set_own_options(options);
    Ok(())
}

fn connect_time(socket: &mut Locked) -> u32 {
    connect::settle(socket);
    match socket.connected_at() {
        Some(since) if socket.is_stream() => Instant::now().saturating_duration_since(since).as_secs() as u32,
        _ => NOT_CONNECTED,
    }
}

fn get_from_kernel(socket: &Locked, row: &Row) -> WsaResult<[u8; 4]> {
    let from = match row.shape {
        _ if row.only.is_some_and(|kind| kind != socket.kind) => return fail(WSAENOPROTOOPT),
        Shape::Int { from, .. } => from,
        Shape::ReadOnly | Shape::Interface { .. } => |value| value,
        Shape::Command { .. } => return fail(WSAENOPROTOOPT),
    };
    Ok(from(kernel(os::get_option(socket.fd(), row.linux_level, row.linux_name))?).to_ne_bytes())
}

fn set_in_kernel(socket: &mut Locked, row: &Row, value: &[u8]) -> WsaResult<()> {
    let bytes = match row.shape {
        _ if row.only.is_some_and(|kind| kind != socket.kind) => return fail(WSAENOPROTOOPT),
        Shape::Int { to, .. } => {
            set_int(socket, row.linux_level, row.linux_name, to(int_of(value)?))?;
            if (row.level, row.name) == (SOL_SOCKET, SO_OOBINLINE) {
                socket.options_mut().oob_inline = bool_of(value)?;
            }
            return Ok(());
        }
        Shape::ReadOnly => return fail(WSAENOPROTOOPT),
        Shape::Interface { to } => to(int_of(value)?),
        Shape::Command { size, .. } if value.len() < size => return fail(WSAEFAULT),
        Shape::Command { size, to } => to(&value[..size]),
    };
    kernel(os::set_option_bytes(socket.fd(), row.linux_level, row.linux_name, &bytes))
}

/// Sets an option in the kernel, and notes it for a descriptor that may take this one's place.
fn set_int(socket: &mut Locked, level: i32, name: i32, value: i32) -> WsaResult<()> {
    kernel(os::set_option(socket.fd(), level, name, value))?;
    if socket.is_stream() && matches!(socket.phase, Phase::Fresh | Phase::Bound | Phase::Connecting) {
        let replay = &mut socket.options_mut().replay;
        replay.retain(|set| (set.0, set.1) != (level, name));
        replay.push((level, name, value));
    }
    Ok(())
}

/// A buffer size that the program has not set: Linux counts its own bookkeeping in, about as much again.
fn buffer_size(fd: RawFd, name: i32) -> WsaResult<i32> {
    Ok(kernel(os::get_option(fd, libc::SOL_SOCKET, name))? / 2)
}

fn kernel<T>(result: OsResult<T>) -> WsaResult<T> {
    result.or_else(|errno| match errno {
        // Linux's other way to say that this kind of socket has no such option.
        libc::EOPNOTSUPP => fail(WSAENOPROTOOPT),
        errno => fail(wsa_from_errno(errno)),
    })
}

fn int_of(value: &[u8]) -> WsaResult<i32> {
    value.first_chunk().map_or(fail(WSAEFAULT), |bytes| Ok(i32::from_ne_bytes(*bytes)))
}

fn bool_of(value: &[u8]) -> WsaResult<bool> {
    Ok(int_of(value)? != 0)
}

/// A LINGER, two `u_short`s: on or off, and for how many seconds.
fn linger_of(value: &[u8]) -> WsaResult<Option<u16>> {
    let Some(&[on0, on1, seconds0, seconds1]) = value.first_chunk() else { return fail(WSAEFAULT) };
    let on = u16::from_ne_bytes([on0, on1]) != 0;
    Ok(on.then_some(u16::from_ne_bytes([seconds0, seconds1])))
}

fn linger_bytes(linger: Option<u16>) -> [u8; 4] {
    let [on0, on1] = u16::from(linger.is_some()).to_ne_bytes();
    let [seconds0, seconds1] = linger.unwrap_or(0).to_ne_bytes();
    [on0, on1, seconds0, seconds1]
}

#[cfg(test)]
mod tests;
