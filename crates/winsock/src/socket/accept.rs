//! accept, WSAAccept, and what a listening socket keeps.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

use crate::address::Address;
use crate::deadline::Deadline;
use crate::error::{WsaError, WsaResult, fail, wsa_from_errno};
use crate::os::{self, Errno, OsResult};
use crate::socket::accept_ex::{self, AcceptRequest, Receiving};
use crate::socket::{self, Kind, Locked, Phase, Readable, arrivals, closesocket, create, lock, spare};
use crate::types::*;

pub(crate) use crate::socket::accept_ex::AcceptData;

/// A connection that nobody has yet.
pub(crate) struct Connection {
    pub(crate) fd: OwnedFd,
    pub(crate) peer: Address,
}

pub(crate) struct Listener {
    /// Where it listens, if that is one address: then it is the local address of all its connections.
    local: Option<Address>,
    /// Pending AcceptEx operations that wait for a connection.
    pub(crate) accepts: VecDeque<AcceptRequest>,
    /// Those that have one and wait for its first data.
    pub(crate) receiving: Receiving,
    /// Connections taken from the kernel and put back (CF_DEFER): they come before the kernel's.
    pub(crate) deferred: VecDeque<Connection>,
    /// There was no descriptor for a connection, or another lack, and the watchdog tries again.
    pub(crate) starved: bool,
    /// The system refused to give a connection: until the watchdog's next try no AcceptEx asks again.
    pub(crate) refused: bool,
}

impl Listener {
    pub(crate) fn new(fd: RawFd) -> Listener {
        Listener {
            local: os::local_address(fd).ok().filter(|address| !address.is_any()),
            accepts: VecDeque::new(),
            receiving: Receiving::default(),
            deferred: VecDeque::new(),
            starved: false,
            refused: false,
        }
    }

    pub(crate) fn local_address(&self, connection: &Connection) -> Address {
        let ask = || os::local_address(connection.fd.as_raw_fd()).unwrap_or(Address::UNSPECIFIED);
        self.local.unwrap_or_else(ask)
    }

    /// Whether a connection is here without asking the kernel.
    pub(crate) fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }
}

/// Takes a connection; blocks until there is one, unless the listener is non-blocking.
///
/// The new socket has the listener's modes and options. Connections that a pending AcceptEx waits for go to it first.
///
/// # Errors
/// INVALID_SOCKET with WSAENOTSOCK, WSAEOPNOTSUPP for a datagram socket, WSAEINVAL if the socket does not listen,
/// WSAEFAULT if `*addrlen` is too small (the connection stays), WSAEWOULDBLOCK, WSAEMFILE, WSAEINTR if the listener is
/// closed meanwhile.
///
/// # Safety
/// `addrlen` is null or writable, `addr` is null or writable for `*addrlen` bytes.
#[unsafe(export_name = "ws_accept")]
pub unsafe extern "system" fn accept(s: SOCKET, addr: *mut SOCKADDR, addrlen: *mut i32) -> SOCKET {
    let run = || {
        let mut listener = lock(s)?;
        let mine = listener.handle;
        // SAFETY: as the caller promises.
        let connection = unsafe { wait_for_connection(&mut listener, addr, addrlen) };
        if listener.handle == mine {
            arrivals::accept_called(&mut listener, &connection);
        }
        // SAFETY: as the caller promises.
        unsafe { hand_over(listener, connection?, addr, addrlen) }
    };
    create::finish(run())
}

/// Takes a connection if the condition function accepts it.
///
/// The function runs on the calling thread with the peer's address as caller and the local one as callee. CF_REJECT
/// resets the connection; CF_DEFER leaves it first in line. The handshake is done before the function runs, whatever
/// SO_CONDITIONAL_ACCEPT says.
///
/// # Errors
/// As for [`accept`]; WSAECONNREFUSED after CF_REJECT, WSATRY_AGAIN after CF_DEFER, WSAEINVAL after any other answer
/// (the connection stays).
///
/// # Safety
/// As for [`accept`]; the condition function is called with `dwcallbackdata` and must not unwind.
#[unsafe(export_name = "ws_WSAAccept")]
pub unsafe extern "system" fn WSAAccept(
    s: SOCKET,
    addr: *mut SOCKADDR,
    addrlen: *mut i32,
    lpfncondition: LPCONDITIONPROC,
    dwcallbackdata: usize,
) -> SOCKET {
    let Some(condition) = lpfncondition else {
        // SAFETY: as the caller promises.
        return unsafe { accept(s, addr, addrlen) };
    };
    let run = || {
        let mut listener = lock(s)?;
        let mine = listener.handle;
        // SAFETY: as the caller promises.
        let connection = unsafe { wait_for_connection(&mut listener, addr, addrlen) };
        if connection.is_err() && listener.handle == mine {
            arrivals::accept_called(&mut listener, &connection);
        }
        let connection = connection?;
        let local = listener.listener().map_or(Address::UNSPECIFIED, |queues| queues.local_address(&connection));
        // No lock is held while code of the program runs.
        let answer = listener.unlocked(|| {
            let (mut caller, mut callee) = (AddressBuffer::new(&connection.peer), AddressBuffer::new(&local));
            let (mut caller, mut callee) = (caller.describe(), callee.describe());
            let mut group = 0;
            // SAFETY: the pointers live through the call; the program vouches for its function.
            unsafe {
                condition(
                    &mut caller,
                    null_mut(),
                    null_mut(),
                    null_mut(),
                    &mut callee,
                    null_mut(),
                    &mut group,
                    dwcallbackdata,
                )
            }
        });
        if listener.handle != mine {
            // Closed meanwhile: what is locked here may be another socket by now, or free to become one.
            drop(listener);
            reset(connection);
            return fail(WSAEINTR);
        }
        if matches!(answer as u32, CF_ACCEPT | CF_REJECT) {
            arrivals::accept_called(&mut listener, &Ok(()));
        }
        match answer as u32 {
            CF_ACCEPT => {
                // SAFETY: as the caller promises.
                unsafe { hand_over(listener, connection, addr, addrlen) }
            }
            CF_REJECT => {
                reset(connection);
                fail(WSAECONNREFUSED)
            }
            answer => {
                put_back(&mut listener, connection);
                fail(if answer == CF_DEFER { WSATRY_AGAIN } else { WSAEINVAL })
            }
        }
    };
    create::finish(run())
}

/// An address as a condition function gets it.
struct AddressBuffer {
    bytes: SOCKADDR_STORAGE,
    len: i32,
}

impl AddressBuffer {
    fn new(address: &Address) -> AddressBuffer {
        let mut buffer =
            AddressBuffer { bytes: SOCKADDR_STORAGE::default(), len: size_of::<SOCKADDR_STORAGE>() as i32 };
        // SAFETY: the storage is as long as the length says. It holds every address, so writing cannot fail.
        let _ = unsafe { address.write((&raw mut buffer.bytes).cast(), &mut buffer.len) };
        buffer
    }

    fn describe(&mut self) -> WSABUF {
        WSABUF { len: self.len as u32, buf: (&raw mut self.bytes).cast() }
    }
}

/// Ends a connection with a reset.
pub(crate) fn reset(connection: Connection) {
    // If it fails, the peer sees an orderly end instead.
    let _ = os::set_linger(connection.fd.as_raw_fd(), Some(0));
}

/// Puts a connection back to the front of the line.
fn put_back(listener: &mut Locked, connection: Connection) {
    match listener.listener_mut() {
        Some(queues) => queues.deferred.push_front(connection),
        None => return reset(connection),
    }
    // Nothing more is done with the listener, which may have been closed.
    let _ = accept_ex::drain(listener);
}

/// # Safety
/// As for [`accept`].
unsafe fn wait_for_connection(listener: &mut Locked, addr: *mut SOCKADDR, addrlen: *mut i32) -> WsaResult<Connection> {
    if !listener.is_stream() {
        return fail(WSAEOPNOTSUPP);
    }
    if listener.phase != Phase::Listening {
        return fail(WSAEINVAL);
    }
    let needed = if listener.family == AF_INET6 { size_of::<SOCKADDR_IN6>() } else { size_of::<SOCKADDR_IN>() };
    // SAFETY: as the caller promises.
    if !addr.is_null() && !addrlen.is_null() && unsafe { addrlen.read_unaligned() } < needed as i32 {
        return fail(WSAEFAULT);
    }
    loop {
        // What AcceptEx waits for is not ours. There may be an edge that nobody has taken yet.
        listener.readable = Readable::Unknown;
        if !accept_ex::drain(listener) {
            return fail(WSAEINTR);
        }
        match next_connection(listener) {
            Ok(connection) => return Ok(connection),
            Err(libc::EAGAIN) if listener.nonblocking => return fail(WSAEWOULDBLOCK),
            Err(libc::EAGAIN) => listener.block(libc::POLLIN, Deadline::NEVER)?,
            Err(errno) => return fail(wsa_from_errno(errno)),
        }
        if listener.phase != Phase::Listening {
            return fail(WSAEINTR);
        }
    }
}

/// How many connections in a row may turn out to have failed before they were accepted.
const MOST_FAILED: usize = 64;

/// Takes the next connection, if there is one.
pub(crate) fn next_connection(listener: &mut Locked) -> OsResult<Connection> {
    let queues = listener.listener_mut().ok_or(libc::EINVAL)?;
    if let Some(connection) = queues.deferred.pop_front() {
        return Ok(connection);
    }
    let mut failed = 0;
    loop {
        match os::accept(listener.fd()) {
            Ok((fd, peer)) => return Ok(Connection { fd, peer }),
            Err(libc::EAGAIN) => {
                listener.readable = if listener.is_watched() { Readable::No } else { Readable::Unknown };
                return Err(libc::EAGAIN);
            }
            Err(libc::EMFILE | libc::ENFILE) if spare::close_all() => {}
            // There may be others behind it.
            Err(errno) if is_of_one_connection(errno) && failed < MOST_FAILED => failed += 1,
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether Linux reports what befell one connection before it was accepted. Every other error would come again at once.
fn is_of_one_connection(errno: Errno) -> bool {
    const OF_ONE: [Errno; 11] = [
        libc::ECONNABORTED,
        libc::ECONNRESET,
        libc::ETIMEDOUT,
        libc::EPROTO,
        libc::ENOPROTOOPT,
        libc::EOPNOTSUPP,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENONET,
    ];
    OF_ONE.contains(&errno)
}

/// Makes a socket of a connection, and writes the peer's address.
///
/// # Safety
/// As for [`accept`].
unsafe fn hand_over(
    listener: Locked,
    connection: Connection,
    addr: *mut SOCKADDR,
    addrlen: *mut i32,
) -> WsaResult<SOCKET> {
    let Connection { fd, peer } = connection;
    let options = listener.own_options();
    let (family, protocol) = (listener.family, listener.protocol);
    let (nonblocking, overlapped) = (listener.nonblocking, listener.overlapped);
    let events = arrivals::inheritance(&listener);
    drop(listener);
    let socket = socket::create(fd, |state| {
        state.family = family;
        state.kind = Kind::Stream;
        state.protocol = protocol;
        state.phase = Phase::Connected;
        state.nonblocking = nonblocking;
        state.overlapped = overlapped;
        state.set_own_options(options);
        state.connected_now();
        state.accepted = true;
    })?;
    if let Some(events) = events
        && let Err(error) = events.give_to(socket)
    {
        // SAFETY: nothing is asked of the caller.
        unsafe { closesocket(socket) };
        return Err(error);
    }
    if !addr.is_null() && !addrlen.is_null() {
        // SAFETY: as the caller promises.
        unsafe { peer.write(addr, addrlen) }.map_err(|_| WsaError(WSAEFAULT))?;
    }
    Ok(socket)
}
