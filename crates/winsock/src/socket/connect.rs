//! connect, WSAConnect, ConnectEx.

use crate::address::Address;
use crate::deadline::Deadline;
use crate::error::{WsaError, WsaResult, fail, finish, finish_bool, status_from_errno, wsa_from_errno};
use crate::os::{self, Errno};
use crate::socket::overlapped::{self, Completion, Operation, Overlapped};
use crate::socket::request::{Buffers, Request, Role};
use crate::socket::{Locked, Phase, Readable, arrivals, lock, select, send, spill};
use crate::types::*;

/// A connect under way.
pub(crate) struct Connecting {
    peer: Address,
    /// The phase to go back to if it fails.
    before: Phase,
    /// The operation, if it is ConnectEx; its buffers are what is to be sent first, copied (X22).
    request: Option<Request>,
}

impl Connecting {
    /// Whether it was begun by connect, not by ConnectEx.
    pub(crate) fn is_plain(&self) -> bool {
        self.request.is_none()
    }

    pub(crate) fn peer(&self) -> Address {
        self.peer
    }

    /// The operation of ConnectEx.
    pub(crate) fn into_request(self) -> Option<Request> {
        self.request
    }

    pub(crate) fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }
}

/// Connects a stream; on a datagram socket sets the peer, or with AF_UNSPEC dissolves the association.
///
/// On a non-blocking stream the call returns at once and the connection is made meanwhile: select shows success in the
/// write set and failure in the except set. A socket whose connect failed may connect again.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL for a listening socket or during AcceptEx or
/// ConnectEx, WSAEISCONN, WSAEWOULDBLOCK when it goes on in the background, WSAEALREADY during that, WSAECONNREFUSED,
/// WSAENETUNREACH, WSAEHOSTUNREACH, WSAETIMEDOUT, WSAEADDRNOTAVAIL for the wildcard address or port 0.
///
/// # Safety
/// `name` is null or readable for `namelen` bytes.
#[unsafe(export_name = "ws_connect")]
pub unsafe extern "system" fn connect(s: SOCKET, name: *const SOCKADDR, namelen: i32) -> i32 {
    let run = || {
        let mut socket = lock(s)?;
        // SAFETY: as the caller promises.
        let peer = unsafe { Address::read(name, namelen)? };
        match socket.is_stream() {
            true => connect_stream(&mut socket, peer),
            false => connect_datagram(&mut socket, peer),
        }
    };
    finish(run())
}

/// Connects as [`connect`] does. Caller and callee data and quality of service do not exist in TCP/IP and are ignored.
///
/// # Errors
/// As for [`connect`].
///
/// # Safety
/// As for [`connect`].
#[unsafe(export_name = "ws_WSAConnect")]
pub unsafe extern "system" fn WSAConnect(
    s: SOCKET,
    name: *const SOCKADDR,
    namelen: i32,
    _lpcallerdata: *const WSABUF,
    _lpcalleedata: *mut WSABUF,
    _lpsqos: *const QOS,
    _lpgqos: *const QOS,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { connect(s, name, namelen) }
}

fn connect_datagram(socket: &mut Locked, peer: Address) -> WsaResult<()> {
    if peer.family() == AF_UNSPEC {
        dissolve(socket)?;
        if socket.phase == Phase::Connected {
            socket.phase = Phase::Bound;
        }
        return Ok(());
    }
    if peer.family() != socket.family {
        return fail(WSAEAFNOSUPPORT);
    }
    os::connect(socket.fd(), &peer).map_err(|errno| WsaError(wsa_from_errno(errno)))?;
    socket.phase = Phase::Connected;
    arrivals::has_peer(socket);
    Ok(())
}

fn connect_stream(socket: &mut Locked, peer: Address) -> WsaResult<()> {
    settle(socket);
    match socket.phase {
        Phase::Fresh | Phase::Bound if socket.accepting_for().is_none() => {}
        Phase::Connecting if socket.connecting().is_some_and(|connecting| connecting.is_plain()) => {
            return fail(WSAEALREADY);
        }
        Phase::Connected if socket.connect_context => return fail(WSAEINVAL),
        Phase::Connected => return fail(WSAEISCONN),
        _ => return fail(WSAEINVAL),
    }
    begin(socket, peer, None)?;
    if socket.phase == Phase::Connecting && socket.nonblocking {
        return fail(WSAEWOULDBLOCK);
    }
    while socket.phase == Phase::Connecting {
        let mine = socket.handle;
        let blocked = socket.block(libc::POLLOUT, Deadline::NEVER);
        if socket.handle != mine {
            return blocked;
        }
        settle(socket);
        if blocked.is_err() && socket.phase != Phase::Connected {
            give_up(socket);
            return blocked;
        }
    }
    if socket.phase == Phase::Connected {
        return Ok(());
    }
    // The failure of a blocking connect is told by the call; SO_ERROR stays clear (S31).
    fail(std::mem::take(&mut socket.connect_error))
}

/// Starts to connect. The socket is then connecting, connected, or as it was, with the failure latched.
fn begin(socket: &mut Locked, peer: Address, request: Option<Request>) -> WsaResult<()> {
    if peer.family() != socket.family {
        return fail(WSAEAFNOSUPPORT);
    }
    // Linux takes these for the local host and for a refusal.
    if peer.is_any() || peer.port() == 0 {
        return fail(WSAEADDRNOTAVAIL);
    }
    let before = socket.phase;
    match os::connect(socket.fd(), &peer) {
        Err(libc::EINPROGRESS) | Ok(()) => {}
        Err(errno @ (libc::EADDRINUSE | libc::EADDRNOTAVAIL | libc::EACCES | libc::EPERM | libc::EAFNOSUPPORT)) => {
            return fail(wsa_from_errno(errno));
        }
        Err(errno) => {
            socket.begin_connecting(Connecting { peer, before, request });
            socket.phase = Phase::Connecting;
            failed(socket, errno);
            return Ok(());
        }
    }
    socket.begin_connecting(Connecting { peer, before, request });
    socket.phase = Phase::Connecting;
    // Edges that came before say nothing about the connection.
    socket.readable = Readable::Unknown;
    select::look_again(socket);
    Ok(())
}

/// Finds out whether a connect under way has ended, and acts on it.
#[inline]
pub(crate) fn settle(socket: &mut Locked) {
    if socket.phase == Phase::Connecting {
        look(socket);
    }
}

#[cold]
fn look(socket: &mut Locked) {
    let events = os::poll_now(socket.fd(), libc::POLLOUT | libc::POLLRDHUP);
    if events == 0 {
        return;
    }
    match os::take_error(socket.fd()) {
        0 if events & libc::POLLOUT != 0 && events & libc::POLLERR == 0 => {
            // A socket without a connection polls as hung up: what was seen before says nothing.
            socket.sticky = events & (libc::POLLRDHUP | libc::POLLHUP) != 0;
            succeeded(socket);
        }
        0 => failed(socket, libc::ECONNREFUSED),
        errno => failed(socket, errno),
    }
    arrivals::connect_ended(socket);
}

fn succeeded(socket: &mut Locked) {
    socket.phase = Phase::Connected;
    socket.connect_error = 0;
    socket.connect_failed = false;
    socket.readable = Readable::Unknown;
    let connecting = socket.take_connecting();
    socket.connected_now();
    let Some(request) = connecting.and_then(|connecting| connecting.into_request()) else { return };
    socket.connect_context = true;
    if request.total() == 0 {
        overlapped::complete(socket, &request, Completion::success(0));
        return;
    }
    // The first data goes before anything that is sent later, and its end is the operation's.
    socket.sends.push(request);
    send::drain(socket, None);
}

fn failed(socket: &mut Locked, errno: Errno) {
    let Some(connecting) = socket.take_connecting() else { return };
    socket.phase = connecting.before;
    socket.connect_error = wsa_from_errno(errno);
    socket.connect_failed = true;
    // A socket that could not connect may connect again, be bound, or listen (S34).
    let _ = dissolve(socket);
    if let Some(request) = connecting.into_request() {
        overlapped::complete(socket, &request, Completion::failure(status_from_errno(errno)));
    }
}

/// Ends a connect under way without a word; gives back its operation.
pub(crate) fn give_up(socket: &mut Locked) -> Option<Request> {
    let connecting = socket.take_connecting()?;
    socket.phase = connecting.before;
    let _ = dissolve(socket);
    connecting.into_request()
}

/// Takes a socket's peer away. What was bound stays bound, to the same port: Linux lets go of a port that it had chosen.
///
/// # Errors
/// If the port was taken by another socket in that moment: this one is not bound any more.
fn dissolve(socket: &mut Locked) -> WsaResult<()> {
    let fd = socket.fd();
    let before = if socket.phase == Phase::Fresh { None } else { os::local_address(fd).ok() };
    let _ = os::disconnect(fd);
    let (Some(before), Ok(now)) = (before, os::local_address(fd)) else { return Ok(()) };
    match os::bind(fd, &now.with_port(before.port())) {
        // EINVAL: it is still bound.
        Ok(()) | Err(libc::EINVAL) => Ok(()),
        Err(errno) => {
            socket.phase = Phase::Fresh;
            fail(wsa_from_errno(errno))
        }
    }
}

/// Connects a bound stream socket and sends first data, overlapped. Fetched by WSAIoctl with WSAID_CONNECTEX.
///
/// Always pends, even on loopback. The buffer may be used again once the call has returned. Before
/// SO_UPDATE_CONNECT_CONTEXT is set, getpeername and shutdown are not promised.
///
/// # Errors
/// FALSE with WSA_IO_PENDING, WSAENOTSOCK, ERROR_INVALID_PARAMETER for a null OVERLAPPED, WSAEINVAL for a socket that is
/// not bound, listens or is connecting, WSAEISCONN, WSAEFAULT, WSAEAFNOSUPPORT. The operation fails with
/// ERROR_CONNECTION_REFUSED, ERROR_NETWORK_UNREACHABLE, ERROR_SEM_TIMEOUT.
///
/// # Safety
/// `name` is readable for `namelen` bytes, `lpsendbuffer` for `dwsenddatalength`; `lpoverlapped` is null or lives until
/// the operation completes; `lpdwbytessent` is null or writable.
#[unsafe(export_name = "ws_ConnectEx")]
pub unsafe extern "system" fn ConnectEx(
    s: SOCKET,
    name: *const SOCKADDR,
    namelen: i32,
    lpsendbuffer: *const core::ffi::c_void,
    dwsenddatalength: u32,
    _lpdwbytessent: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    let run = || {
        let mut socket = lock(s)?;
        // SAFETY: as the caller promises.
        let overlapped = unsafe { Overlapped::new(lpoverlapped) }.ok_or(WsaError(WSA_INVALID_PARAMETER))?;
        let operation = Operation::new(overlapped, None);
        operation.begin();
        // SAFETY: as the caller promises.
        let peer = unsafe { Address::read(name, namelen)? };
        settle(&mut socket);
        match socket.phase {
            _ if socket.accepting_for().is_some() => return fail(WSAEINVAL),
            Phase::Bound if socket.is_stream() => {}
            Phase::Fresh if socket.reused => {}
            Phase::Connected => return fail(WSAEISCONN),
            _ => return fail(WSAEINVAL),
        }
        let first = match lpsendbuffer.is_null() {
            true => WSABUF::default(),
            false => WSABUF { len: dwsenddatalength, buf: lpsendbuffer.cast::<u8>().cast_mut() },
        };
        // SAFETY: as the caller promises.
        let data = unsafe { spill::copy_after(&[first], 0) };
        let mut request = overlapped::request(&operation, 0, &[], Role::Plain);
        request.buffers = Buffers::Owned(data);
        overlapped::pend(&socket, &operation);
        begin(&mut socket, peer, Some(request))?;
        if socket.phase == Phase::Connecting
            && let Err(errno) = socket.watch()
        {
            // Nobody would learn of the end: the operation has not started.
            give_up(&mut socket);
            return fail(wsa_from_errno(errno));
        }
        fail::<()>(WSA_IO_PENDING)
    };
    finish_bool(run().map_err(|error| error.0 as u32))
}
