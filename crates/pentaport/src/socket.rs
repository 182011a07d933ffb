//! Sockets: TCP and UDP, IPv4 and IPv6, and the calls that block.
//!
//! # Mechanism
//! A [`Socket`] is created, bound, and then either listens and [accepts](Socket::accept) or
//! [connects](Socket::connect). Each call waits until it is done: `receive` until there is data, `send` until all of it
//! is in the system's buffers. It is the model that every reader understands at once, for what the program does next
//! stands on its next line.
//!
//! With [`set_nonblocking`](Socket::set_nonblocking) no call waits: what would have to fails with
//! [`WouldBlock`](std::io::ErrorKind::WouldBlock). That is how the sockets of [`select`](crate::select) are used.
//!
//! # Limits
//! A thread that waits for one socket can do nothing else, so a server needs a thread for each connection: a stack,
//! and a switch of threads for each message. Some hundreds are nothing; many thousands are better served by a
//! [completion port](crate::completion_port).
//!
//! # Routines
//! A call that has to wait does so alertably, as on Windows: [routines](crate::overlapped#by-completion-routine) that are
//! queued to the thread run meanwhile, and then the call waits on. A panic in one goes on out of the call. A call that
//! can be done at once runs none. It concerns only threads that start operations by routine, or give a
//! [`Waker`](crate::overlapped::Waker) away. A routine must not call what blocks, in its turn.
//!
//! # Differences from Windows
//! None that a program sees, other than the deviations listed in the project's PLATFORM.md. Winsock is started when
//! the first socket is made, and stays so until the process ends.
//!
//! # An echo server
//! One thread accepts, and starts a thread for each client.
//!
//! ```
//! use pentaport::socket::{Shutdown, Socket};
//! use std::thread;
//!
//! fn serve(listener: &Socket, clients: usize) -> pentaport::Result<()> {
//!     let mut threads = Vec::new();
//!     for _ in 0..clients {
//!         let (client, address) = listener.accept()?;
//!         println!("accepted {address}");
//!         threads.push(thread::spawn(move || echo(&client)));
//!     }
//!     threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
//! }
//!
//! fn echo(client: &Socket) -> pentaport::Result<()> {
//!     let mut buffer = [0; 1024];
//!     loop {
//!         match client.recv(&mut buffer)? {
//!             0 => return client.shutdown(Shutdown::Send), // the client said goodbye
//!             count => client.send_all(&buffer[..count])?,
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Socket::tcp(&"127.0.0.1:0".parse()?)?;
//! listener.bind(&"127.0.0.1:0".parse()?)?;
//! listener.listen(5)?;
//! let address = listener.local_addr()?;
//! let server = thread::spawn(move || serve(&listener, 2));
//!
//! for message in [&b"hello"[..], b"winsock"] {
//!     let client = Socket::tcp(&address)?;
//!     client.connect(&address)?;
//!     client.send_all(message)?;
//!     client.shutdown(Shutdown::Send)?;
//!     assert_eq!(client.recv_to_end()?, message);
//! }
//! server.join().expect("no panic")?;
//! # Ok(())
//! # }
//! ```

mod options;

use crate::raw::address::Address;
use crate::raw::panic::resume_panic;
use crate::raw::{accept_if, socket as raw};
use crate::sys::{self, SOCKET};
use crate::{Error, Result};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicBool;

/// The family of a socket's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    #[doc(alias = "AF_INET")]
    V4,
    /// IPv6.
    #[doc(alias = "AF_INET6")]
    V6,
}

impl Family {
    /// The family of this address.
    pub const fn of(address: &SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }

    const fn number(self) -> sys::ADDRESS_FAMILY {
        match self {
            Self::V4 => sys::AF_INET,
            Self::V6 => sys::AF_INET6,
        }
    }
}

/// Which direction of a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Nothing more is received. What the peer sends is not refused.
    #[doc(alias = "SD_RECEIVE")]
    Receive,
    /// Nothing more is sent: the peer's receives end with 0 bytes when it has read what was sent before.
    #[doc(alias = "SD_SEND")]
    Send,
    /// Neither.
    #[doc(alias = "SD_BOTH")]
    Both,
}

/// What [`Socket::accept_if`] is to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Accept it.
    #[doc(alias = "CF_ACCEPT")]
    Accept,
    /// Refuse it: the caller's connection is reset.
    #[doc(alias = "CF_REJECT")]
    Reject,
    /// Decide later: it stays the first in line.
    #[doc(alias = "CF_DEFER")]
    Defer,
}

/// Which socket: a number that no other open socket of this process has.
///
/// After the socket is closed, the number may be given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub(crate) SOCKET);

/// A socket. It is closed when dropped.
///
/// All calls take `&self`: several threads may use one socket, such as one that receives and one that sends.
#[doc(alias = "SOCKET")]
pub struct Socket {
    raw: SOCKET,
    is_stream: bool,
    /// At a port: operations that succeed at once leave no packet.
    pub(crate) skips_on_success: AtomicBool,
}

impl Socket {
    /// A TCP socket.
    ///
    /// # Errors
    /// `WSAEMFILE` if the process has too many descriptors open, `WSAENOBUFS` if there is no memory,
    /// `WSAEAFNOSUPPORT` if the system lacks the family.
    #[doc(alias = "socket")]
    #[doc(alias = "WSASocketW")]
    pub fn stream(family: Family) -> Result<Self> {
        let raw = raw::open(family.number(), sys::SOCK_STREAM, sys::IPPROTO_TCP)?;
        Ok(Self::new(raw, true))
    }

    /// A UDP socket.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    #[doc(alias = "socket")]
    #[doc(alias = "WSASocketW")]
    pub fn datagram(family: Family) -> Result<Self> {
        let raw = raw::open(family.number(), sys::SOCK_DGRAM, sys::IPPROTO_UDP)?;
        Ok(Self::new(raw, false))
    }

    /// A TCP socket of the family of this address; nothing else is done with the address.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub fn tcp(family_of: &SocketAddr) -> Result<Self> {
        Self::stream(Family::of(family_of))
    }

    /// A UDP socket of the family of this address; nothing else is done with the address.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub fn udp(family_of: &SocketAddr) -> Result<Self> {
        Self::datagram(Family::of(family_of))
    }

    /// Gives the socket its address. Port 0 lets the system choose one; [`local_addr`](Self::local_addr) tells which.
    ///
    /// # Errors
    /// `WSAEADDRINUSE`, `WSAEADDRNOTAVAIL`, `WSAEACCES`; `WSAEINVAL` if it has an address already.
    pub fn bind(&self, address: &SocketAddr) -> Result<()> {
        raw::bind(self.raw, address)
    }

    /// Lets the system take connections; up to `backlog` wait to be accepted (the system may use another limit).
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is not bound, `WSAEOPNOTSUPP` if it is no TCP socket.
    pub fn listen(&self, backlog: u32) -> Result<()> {
        raw::listen(self.raw, i32::try_from(backlog).unwrap_or(i32::MAX))
    }

    /// Waits for the next connection; gives its socket and the caller's address.
    ///
    /// The new socket has the listener's blocking mode and options (SEMANTICS X41).
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK` if the listener is non-blocking and nobody is there; `WSAEMFILE` if there are too many
    /// descriptors (the connection stays in line); `WSAEINVAL` if the socket does not listen.
    #[doc(alias = "WSAAccept")]
    pub fn accept(&self) -> Result<(Self, SocketAddr)> {
        Self::accepted(raw::accept(self.raw))
    }

    /// Waits for the next connection, and lets `condition` decide on it by the caller's address and the callee's
    /// (which is this end's).
    ///
    /// A panic in `condition` rejects the connection, and goes on out of this call.
    ///
    /// ```
    /// use pentaport::socket::{Condition, Socket};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = Socket::tcp(&"127.0.0.1:0".parse()?)?;
    /// listener.bind(&"127.0.0.1:0".parse()?)?;
    /// listener.listen(5)?;
    /// let client = Socket::tcp(&listener.local_addr()?)?;
    /// client.connect(&listener.local_addr()?)?;
    /// let full = listener.accept_if(|caller, _callee| {
    ///     if caller.ip().is_loopback() { Condition::Reject } else { Condition::Accept }
    /// });
    /// assert_eq!(full.unwrap_err().name(), Some("WSAECONNREFUSED"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `WSAECONNREFUSED` after [`Condition::Reject`], `WSATRY_AGAIN` after [`Condition::Defer`]; else as
    /// [`accept`](Self::accept).
    #[doc(alias = "WSAAccept")]
    #[doc(alias = "LPCONDITIONPROC")]
    pub fn accept_if(
        &self,
        mut condition: impl FnMut(SocketAddr, SocketAddr) -> Condition,
    ) -> Result<(Self, SocketAddr)> {
        let mut decide = |caller, callee| match condition(caller, callee) {
            Condition::Accept => sys::CF_ACCEPT,
            Condition::Reject => sys::CF_REJECT,
            Condition::Defer => sys::CF_DEFER,
        };
        Self::accepted(accept_if::accept_if(self.raw, &mut decide))
    }

    fn accepted(accepted: Result<(SOCKET, Address)>) -> Result<(Self, SocketAddr)> {
        let accepted = accepted.map(|(raw, address)| (Self::new(raw, true), address));
        // The wait may have called routines. If one has panicked, the socket is closed, not lost.
        resume_panic();
        let (socket, address) = accepted?;
        Ok((socket, address.get()?))
    }

    /// Connects to `address`. For UDP: sends there from now on, and receives from there only.
    ///
    /// # Errors
    /// `WSAECONNREFUSED`, `WSAETIMEDOUT`, `WSAENETUNREACH`, `WSAEHOSTUNREACH`; `WSAEISCONN` if it is connected. On a
    /// non-blocking socket `WSAEWOULDBLOCK` says that the connection is being made: [`select`](crate::select::select)
    /// reports it in the write set when it is there, and in the except set when it failed, for the reason that
    /// [`last_connect_error`](Self::last_connect_error) gives.
    #[doc(alias = "WSAConnect")]
    pub fn connect(&self, address: &SocketAddr) -> Result<()> {
        raw::connect(self.raw, address)
    }

    /// Ends one or both directions.
    ///
    /// # Errors
    /// `WSAENOTCONN` if the socket is not connected.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Receive => sys::SD_RECEIVE,
            Shutdown::Send => sys::SD_SEND,
            Shutdown::Both => sys::SD_BOTH,
        };
        raw::shutdown(self.raw, how)
    }

    /// Sends `data`, and returns how many bytes went.
    ///
    /// A blocking stream socket sends all of it. A non-blocking one takes all or nothing (SEMANTICS D60), though a
    /// program does well to expect less.
    ///
    /// # Errors
    /// `WSAECONNRESET` or `WSAECONNABORTED` if the connection is gone, `WSAESHUTDOWN` after [`Shutdown::Send`],
    /// `WSAEWOULDBLOCK`, `WSAENOTCONN`, `WSAETIMEDOUT` after the [send timeout](Self::set_send_timeout).
    #[doc(alias = "WSASend")]
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        raw::send(self.raw, data, 0)
    }

    /// Sends `data` to its end.
    ///
    /// # Errors
    /// As [`send`](Self::send). How much went before the failure is not known.
    pub fn send_all(&self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let sent = self.send(data)?;
            data = &data[sent..];
        }
        Ok(())
    }

    /// Waits for data, and returns how many bytes came: at least 1, or 0 when the peer has ended its direction (or
    /// the buffer is empty).
    ///
    /// # Errors
    /// `WSAECONNRESET` if the peer reset the connection, `WSAECONNABORTED`, `WSAEWOULDBLOCK`, `WSAENOTCONN`,
    /// `WSAETIMEDOUT` after the [receive timeout](Self::set_receive_timeout); `WSAEMSGSIZE` if a datagram is larger
    /// than the buffer, which then holds its beginning.
    #[doc(alias = "WSARecv")]
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        raw::receive(self.raw, buffer, 0)
    }

    /// Receives until the peer ends its direction; gives all that came.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_to_end(&self) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.recv(&mut buffer)? {
                0 => return Ok(data),
                count => data.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// As [`recv`](Self::recv), but leaves the data to be received again.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&self, buffer: &mut [u8]) -> Result<usize> {
        raw::receive(self.raw, buffer, sys::MSG_PEEK)
    }

    /// Sends a datagram to `to`.
    ///
    /// # Errors
    /// `WSAEMSGSIZE` if it is too large, `WSAEACCES` if `to` is a broadcast address and
    /// [`set_broadcast`](Self::set_broadcast) was not called; else as [`send`](Self::send).
    #[doc(alias = "sendto")]
    pub fn send_to(&self, data: &[u8], to: &SocketAddr) -> Result<usize> {
        raw::send_to(self.raw, data, to)
    }

    /// Waits for a datagram; gives its length and its sender.
    ///
    /// # Errors
    /// `WSAEMSGSIZE` if the datagram is larger than the buffer (which holds its beginning); `WSAECONNRESET` if a
    /// datagram that this socket sent met no service; `WSAEINVAL` if the socket is not bound.
    #[doc(alias = "recvfrom")]
    pub fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let (count, from) = raw::receive_from(self.raw, buffer)?;
        // For a stream the system leaves the address alone (SEMANTICS D59): it is the peer's.
        from.get().or_else(|_| self.peer_addr()).map(|from| (count, from))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is not bound yet.
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> Result<SocketAddr> {
        raw::local_address(self.raw)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// `WSAENOTCONN` if the socket is not connected.
    #[doc(alias = "getpeername")]
    pub fn peer_addr(&self) -> Result<SocketAddr> {
        raw::peer_address(self.raw)
    }

    /// Whether calls fail with `WSAEWOULDBLOCK` rather than wait. At first they wait.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "FIONBIO")]
    #[doc(alias = "ioctlsocket")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<()> {
        raw::control(self.raw, sys::FIONBIO, nonblocking.into()).map(drop)
    }

    /// How many bytes can be received without waiting; for UDP, how large what one receive would give is.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "FIONREAD")]
    #[doc(alias = "ioctlsocket")]
    pub fn available(&self) -> Result<usize> {
        raw::control(self.raw, sys::FIONREAD, 0).map(|count| count as usize)
    }

    /// The socket's number, to know it by.
    pub fn id(&self) -> SocketId {
        SocketId(self.raw)
    }

    /// The `SOCKET` itself, for calls that are not here. It stays this object's.
    pub fn raw(&self) -> SOCKET {
        self.raw
    }

    /// Whether it is a stream (TCP), rather than a socket for datagrams (UDP).
    #[doc(alias = "SO_TYPE")]
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Cancels the operations that are under way on this socket, and has threads return that are blocked in a receive or a
    /// send on it; whether there was one. It does not wait: each ends with `ERROR_OPERATION_ABORTED` (995, as an error of
    /// a call `WSA_OPERATION_ABORTED`), or with its result if it was done just before.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<bool> {
        raw::cancel(self.raw, None)
    }

    /// Closes the socket, and tells if that failed.
    ///
    /// What was sent goes on to the peer in the background, unless [`linger`](Self::set_linger) says otherwise.
    ///
    /// # Errors
    /// `WSAEWOULDBLOCK` if the socket is non-blocking and its linger time would have to be waited for: it is then
    /// closed as if none were set.
    #[doc(alias = "closesocket")]
    pub fn close(self) -> Result<()> {
        let socket = std::mem::ManuallyDrop::new(self);
        socket.close_for_good()
    }

    /// Closes; `self` is not to be used any more.
    pub(crate) fn close_for_good(&self) -> Result<()> {
        let closed = raw::close(self.raw);
        if closed == Err(Error::from_code(sys::WSAEWOULDBLOCK)) {
            // The handle is still valid (SEMANTICS D88). It must not leak for a linger time that nobody waits for.
            let in_background = self.set_linger(None).and_then(|()| raw::close(self.raw));
            debug_assert_eq!(in_background, Ok(()));
        }
        closed
    }

    /// `ConnectEx` wants a socket that is bound: to a free port of any address, if the program did not say.
    pub(crate) fn bind_if_unbound(&self, peer: &SocketAddr) -> Result<()> {
        let unbound = Err(Error::from_code(sys::WSAEINVAL));
        if self.local_addr().map(drop) != unbound {
            return Ok(());
        }
        let any = match peer {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        self.bind(&any)
    }

    /// In place of a socket where there is none. Calls on it fail.
    pub(crate) const fn none() -> Self {
        Self::new(sys::INVALID_SOCKET, false)
    }

    const fn new(raw: SOCKET, is_stream: bool) -> Self {
        Self { raw, is_stream, skips_on_success: AtomicBool::new(false) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.close_for_good();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Socket");
        debug.field("raw", &self.raw);
        if let Ok(local) = self.local_addr() {
            debug.field("local", &local);
        }
        if let Ok(peer) = self.peer_addr() {
            debug.field("peer", &peer);
        }
        debug.finish()
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv(buffer)?)
    }
}

impl Write for &Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.send(data)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
