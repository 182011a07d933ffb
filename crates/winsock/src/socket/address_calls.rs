//! bind, listen, shutdown, getsockname, getpeername.

use crate::address::Address;
use crate::error::{WsaError, WsaResult, fail, finish, wsa_from_errno};
use crate::objects::table;
use crate::os;
use crate::socket::{Kind, Locked, Phase, arrivals, connect, lock, select};
use crate::types::*;

/// Gives a socket its local address; port 0 lets the system choose.
///
/// A port whose old connections are in TIME_WAIT can be bound, as on Windows.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEFAULT for a null or short address, WSAEAFNOSUPPORT for another family,
/// WSAEADDRNOTAVAIL for a foreign address, WSAEINVAL if the socket is bound, WSAEADDRINUSE, WSAEACCES.
///
/// # Safety
/// `name` is null or readable for `namelen` bytes.
#[unsafe(export_name = "ws_bind")]
pub unsafe extern "system" fn bind(s: SOCKET, name: *const SOCKADDR, namelen: i32) -> i32 {
    // SAFETY: as the caller promises.
    finish(lock(s).and_then(|mut socket| bind_to(&mut socket, unsafe { Address::read(name, namelen)? })))
}

fn bind_to(socket: &mut Locked, address: Address) -> WsaResult<()> {
    if address.family() != socket.family {
        return fail(WSAEAFNOSUPPORT);
    }
    if socket.phase != Phase::Fresh || socket.accepting_for().is_some() {
        return fail(WSAEINVAL);
    }
    bind_fresh(socket, &address)
}

/// Binds a socket that is not bound yet.
///
/// Windows lets a port be bound whose old connections are in TIME_WAIT; Linux does only if the old sockets and the
/// new one have SO_REUSEADDR. With it, though, two sockets may be bound to one port as long as neither listens. So: bind
/// without it, which finds every conflict; set it then, for those who come after; and bind with it only if the port is
/// in use but no socket of ours uses it.
pub(crate) fn bind_fresh(socket: &mut Locked, address: &Address) -> WsaResult<()> {
    let fd = socket.fd();
    let shared = socket.options().reuse_address;
    let bind = || os::bind(fd, address).map_err(wsa_from_errno);
    let set = |name, on: bool| {
        let _ = os::set_option(fd, libc::SOL_SOCKET, name, on.into());
    };
    if shared && other_on_port(socket, address.port())? == Some(Sharing::Refused) {
        return fail(WSAEACCES);
    }
    match (socket.is_stream(), shared) {
        (false, _) => {
            set(libc::SO_REUSEADDR, shared);
            bind().map_err(WsaError)?;
        }
        (true, true) => {
            // SO_REUSEADDR on Windows means what SO_REUSEPORT means here: sharing a port.
            set(libc::SO_REUSEADDR, true);
            set(libc::SO_REUSEPORT, true);
            bind().map_err(WsaError)?;
        }
        (true, false) => {
            match bind() {
                Err(WSAEADDRINUSE) if other_on_port(socket, address.port())?.is_none() => {
                    set(libc::SO_REUSEADDR, true);
                    bind()
                }
                result => result,
            }
            .map_err(WsaError)?;
            set(libc::SO_REUSEADDR, true);
        }
    }
    socket.phase = Phase::Bound;
    arrivals::bound(socket);
    Ok(())
}

/// What a socket that uses a port has to say to others that want it.
#[derive(PartialEq, Eq)]
enum Sharing {
    Unsaid,
    /// SO_EXCLUSIVEADDRUSE.
    Refused,
}

/// Whether another socket of this process and kind is bound to the port.
///
/// # Errors
/// WSAENOTSOCK if the socket was closed meanwhile: its descriptor may be another's by now.
fn other_on_port(socket: &mut Locked, port: u16) -> WsaResult<Option<Sharing>> {
    let (mine, kind) = (socket.handle as usize, socket.kind);
    // Other sockets are locked one by one, and never two at once.
    let others = || table::all_sockets().into_iter().filter(|&other| port != 0 && other != mine);
    let found = socket.unlocked(|| {
        others().filter_map(|other| lock(other).ok()).find_map(|other| {
            // An accepted connection shares its listener's port and says nothing.
            let uses = match kind {
                Kind::Stream => matches!(other.phase, Phase::Bound | Phase::Listening),
                _ => matches!(other.phase, Phase::Bound | Phase::Connected),
            };
            let same =
                uses && other.kind == kind && os::local_address(other.fd()).is_ok_and(|address| address.port() == port);
            let exclusive = other.options().exclusive_address_use;
            same.then_some(if exclusive { Sharing::Refused } else { Sharing::Unsaid })
        })
    });
    if socket.handle as usize == mine { Ok(found) } else { fail(WSAENOTSOCK) }
}

/// Makes a bound stream socket accept connections; `backlog` connections may wait.
///
/// Linux caps the backlog by `net.core.somaxconn`; SOMAXCONN (0x7fffffff or 5) asks for the cap.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEINVAL if the socket is not bound, WSAEOPNOTSUPP for a datagram socket, WSAEISCONN,
/// WSAEADDRINUSE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_listen")]
pub unsafe extern "system" fn listen(s: SOCKET, backlog: i32) -> i32 {
    finish(lock(s).and_then(|mut socket| start_listening(&mut socket, backlog)))
}

fn start_listening(socket: &mut Locked, backlog: i32) -> WsaResult<()> {
    connect::settle(socket);
    if !socket.is_stream() {
        return fail(WSAEOPNOTSUPP);
    }
    match socket.phase {
        _ if socket.accepting_for().is_some() => return fail(WSAEINVAL),
        Phase::Fresh | Phase::Connecting => return fail(WSAEINVAL),
        Phase::Connected => return fail(WSAEISCONN),
        _ => {}
    }
    // Windows knows no backlog of 0: at least one connection can always wait.
    let backlog = if backlog == 5 || backlog < 0 { i32::MAX } else { backlog.max(1) };
    os::listen(socket.fd(), backlog).map_err(|errno| WsaError(wsa_from_errno(errno)))?;
    if socket.phase != Phase::Listening {
        socket.phase = Phase::Listening;
        socket.listen();
        select::look_again(socket);
    }
    Ok(())
}

/// Ends sending (SD_SEND: the peer sees the end of the stream once all is sent), receiving (SD_RECEIVE), or both.
///
/// SD_RECEIVE concerns new receives only: one that is pending stays pending and can still get data.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAENOTCONN for a stream socket without a connection, WSAEINVAL for another `how`.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_shutdown")]
pub unsafe extern "system" fn shutdown(s: SOCKET, how: WINSOCK_SHUTDOWN_HOW) -> i32 {
    finish(lock(s).and_then(|mut socket| shut(&mut socket, how)))
}

/// Ends sending, as [`shutdown`] with SD_SEND. Disconnect data does not exist in TCP and is ignored.
///
/// # Errors
/// As for [`shutdown`].
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSASendDisconnect")]
pub unsafe extern "system" fn WSASendDisconnect(s: SOCKET, _lpoutbounddisconnectdata: *const WSABUF) -> i32 {
    // SAFETY: nothing is asked of the caller.
    unsafe { shutdown(s, SD_SEND) }
}

/// Ends receiving, as [`shutdown`] with SD_RECEIVE. Disconnect data does not exist in TCP; none is given.
///
/// # Errors
/// As for [`shutdown`].
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_WSARecvDisconnect")]
pub unsafe extern "system" fn WSARecvDisconnect(s: SOCKET, _lpinbounddisconnectdata: *const WSABUF) -> i32 {
    // SAFETY: nothing is asked of the caller.
    unsafe { shutdown(s, SD_RECEIVE) }
}

fn shut(socket: &mut Locked, how: i32) -> WsaResult<()> {
    connect::settle(socket);
    if !matches!(how, SD_RECEIVE | SD_SEND | SD_BOTH) {
        return fail(WSAEINVAL);
    }
    if socket.is_stream() && socket.phase != Phase::Connected {
        return fail(WSAENOTCONN);
    }
    // The kernel is never told of SD_RECEIVE: it would end pending receives, which Winsock does not (D72).
    socket.receive_shut |= how != SD_SEND;
    if how != SD_RECEIVE && !std::mem::replace(&mut socket.send_shut, true) {
        finish_sending(socket);
    }
    Ok(())
}

/// Tells the peer that nothing more comes, once what is queued has been sent.
pub(crate) fn finish_sending(socket: &mut Locked) {
    if socket.is_stream() && socket.send_shut && socket.sends.is_empty() {
        // ENOTCONN: a reset came first, and the peer expects nothing any more.
        let _ = os::shutdown(socket.fd(), libc::SHUT_WR);
    }
}

/// The local address of a socket.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEINVAL if the socket is not bound, WSAEFAULT for null or short memory, the length
/// then unchanged.
///
/// # Safety
/// `namelen` is null or writable, `name` is null or writable for `*namelen` bytes.
#[unsafe(export_name = "ws_getsockname")]
pub unsafe extern "system" fn getsockname(s: SOCKET, name: *mut SOCKADDR, namelen: *mut i32) -> i32 {
    let run = || {
        let mut socket = lock(s)?;
        connect::settle(&mut socket);
        if socket.phase == Phase::Fresh {
            return fail(WSAEINVAL);
        }
        let address = os::local_address(socket.fd()).map_err(|errno| WsaError(wsa_from_errno(errno)))?;
        // SAFETY: as the caller promises.
        unsafe { address.write(name, namelen) }
    };
    finish(run())
}

/// The address of the peer of a connected socket.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAENOTCONN, WSAEFAULT for null or short memory, the length then unchanged.
///
/// # Safety
/// As for [`getsockname`].
#[unsafe(export_name = "ws_getpeername")]
pub unsafe extern "system" fn getpeername(s: SOCKET, name: *mut SOCKADDR, namelen: *mut i32) -> i32 {
    let run = || {
        let mut socket = lock(s)?;
        connect::settle(&mut socket);
        let address = match (socket.connecting(), socket.phase) {
            // While connect (not ConnectEx) is under way, the peer is named already (X26).
            (Some(connecting), Phase::Connecting) if connecting.is_plain() => connecting.peer(),
            (_, Phase::Connected) => os::peer_address(socket.fd()).map_err(|errno| WsaError(wsa_from_errno(errno)))?,
            _ => return fail(WSAENOTCONN),
        };
        // SAFETY: as the caller promises.
        unsafe { address.write(name, namelen) }
    };
    finish(run())
}
