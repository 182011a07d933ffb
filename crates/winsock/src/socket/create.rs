//! Making sockets.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::error::{WsaError, WsaResult, fail, set_last_error, wsa_from_errno};
use crate::os::{self, OsResult};
use crate::socket::{self as sockets, Kind, Phase, State, spare};
use crate::startup::started;
use crate::types::*;

/// Makes an overlapped socket (D1).
///
/// # Errors
/// INVALID_SOCKET with WSANOTINITIALISED, WSAESOCKTNOSUPPORT for an unknown type (checked before the family),
/// WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE, WSAEMFILE, WSAEACCES for a raw socket without the right.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_socket")]
pub unsafe extern "system" fn socket(af: i32, r#type: WINSOCK_SOCKET_TYPE, protocol: i32) -> SOCKET {
    finish(create(af, r#type, protocol, true))
}

/// Makes a socket; it is overlapped only with WSA_FLAG_OVERLAPPED (D1).
///
/// `lpprotocolinfo` is not supported: sockets are not passed between processes.
///
/// # Errors
/// As for [`socket`]; WSAEINVAL if `lpprotocolinfo` is given.
///
/// # Safety
/// `lpprotocolinfo` is null.
#[unsafe(export_name = "ws_WSASocketW")]
pub unsafe extern "system" fn WSASocketW(
    af: i32,
    r#type: i32,
    protocol: i32,
    lpprotocolinfo: *const WSAPROTOCOL_INFOW,
    _g: u32,
    dwflags: u32,
) -> SOCKET {
    if !lpprotocolinfo.is_null() {
        return finish(fail(WSAEINVAL));
    }
    finish(create(af, r#type, protocol, dwflags & WSA_FLAG_OVERLAPPED != 0))
}

/// Ends a function that answers a socket.
pub(crate) fn finish(result: WsaResult<SOCKET>) -> SOCKET {
    match result {
        Ok(socket) => {
            set_last_error(ERROR_SUCCESS);
            socket
        }
        Err(error) => {
            set_last_error(error.0 as u32);
            INVALID_SOCKET
        }
    }
}

fn create(af: i32, r#type: i32, protocol: i32, overlapped: bool) -> WsaResult<SOCKET> {
    if !started() {
        return fail(WSANOTINITIALISED);
    }
    let kind = match r#type {
        SOCK_STREAM => Kind::Stream,
        SOCK_DGRAM => Kind::Datagram,
        SOCK_RAW => Kind::Raw,
        // The type may follow from the protocol.
        0 if protocol == IPPROTO_TCP => Kind::Stream,
        0 if protocol == IPPROTO_UDP => Kind::Datagram,
        _ => return fail(WSAESOCKTNOSUPPORT),
    };
    let family = match u16::try_from(af) {
        Ok(AF_INET) => AF_INET,
        Ok(AF_INET6) => AF_INET6,
        Ok(AF_UNSPEC) if protocol != 0 => AF_INET,
        Ok(AF_UNSPEC) => return fail(WSAEINVAL),
        _ => return fail(WSAEAFNOSUPPORT),
    };
    let domain = if family == AF_INET6 { libc::AF_INET6 } else { libc::AF_INET };
    let (r#type, default) = match kind {
        Kind::Stream => (libc::SOCK_STREAM, IPPROTO_TCP),
        Kind::Datagram => (libc::SOCK_DGRAM, IPPROTO_UDP),
        Kind::Raw => (libc::SOCK_RAW, 0),
    };
    let protocol = if protocol == 0 { default } else { protocol };
    let spare = (kind == Kind::Stream).then(|| spare::take(family, protocol)).flatten();
    let new = || {
        let open = || os::socket(domain, r#type, protocol);
        let fd = match open() {
            Err(libc::EMFILE | libc::ENFILE) if spare::close_all() => open(),
            result => result,
        };
        let fd = fd.map_err(|errno| wsa(errno, kind, protocol))?;
        prepare(fd.as_raw_fd(), family, kind);
        Ok(fd)
    };
    let fd = spare.map_or_else(new, Ok)?;
    sockets::create(fd, |state| {
        state.fd_untouched.set(true);
        state.family = family;
        state.kind = kind;
        state.protocol = protocol;
        state.phase = Phase::Fresh;
        state.overlapped = overlapped;
    })
}

fn wsa(errno: i32, kind: Kind, protocol: i32) -> WsaError {
    let other = match kind {
        Kind::Stream => IPPROTO_UDP,
        _ => IPPROTO_TCP,
    };
    // Linux knows one code where Winsock tells a protocol of another type from an unknown one.
    let code = match errno {
        libc::EPROTONOSUPPORT if protocol == other && kind != Kind::Raw => WSAEPROTOTYPE,
        // What Linux says of a number beyond its table.
        libc::EINVAL if kind != Kind::Raw => WSAEPROTONOSUPPORT,
        errno => wsa_from_errno(errno),
    };
    WsaError(code)
}

/// A new descriptor for a stream socket that needs another one.
pub(crate) fn descriptor_for(socket: &State) -> OsResult<OwnedFd> {
    let domain = if socket.family == AF_INET6 { libc::AF_INET6 } else { libc::AF_INET };
    let fd = os::socket(domain, libc::SOCK_STREAM, socket.protocol)?;
    prepare(fd.as_raw_fd(), socket.family, socket.kind);
    Ok(fd)
}

/// Gives a new descriptor the defaults of Windows where those of Linux differ.
pub(crate) fn prepare(fd: i32, family: ADDRESS_FAMILY, kind: Kind) {
    // None of these fails on a socket of the right kind; if one did, the socket would be as Linux makes it.
    if family == AF_INET6 {
        let _ = os::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1);
    }
    if kind == Kind::Datagram {
        // Without it only a connected socket learns of refused datagrams (D69). A dual-stack socket sends them by IPv4, too.
        let _ = os::set_option(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1);
        if family == AF_INET6 {
            let _ = os::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1);
        }
    }
}
