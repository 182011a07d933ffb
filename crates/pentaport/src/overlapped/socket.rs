//! Sockets to start operations on.

use super::Pending;
use crate::Result;
use crate::operation::{Failed, Operation};
use crate::raw::open_socket::OpenSocket;
use crate::raw::shared::Owner;
use crate::raw::start::Call;
use crate::socket::Socket;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;

/// What starting an operation by event gives.
pub type StartResult<C> = std::result::Result<Pending<C>, Failed<C>>;

/// A socket to start operations on, by event (here) or by routine ([`RoutineScope`](super::RoutineScope)).
///
/// It is a handle: clones are the same socket, and any number of threads may use it. The socket closes when the last
/// handle is dropped; operations that are under way do not keep it open, but are cancelled by the close.
///
/// All the calls of [`Socket`] are here too, and are synchronous. Where both have a call of the same name (`send`,
/// `accept`, …), [`socket`](Self::socket) leads to the synchronous one.
pub struct OverlappedSocket {
    pub(super) owner: Owner<OpenSocket>,
}

impl OverlappedSocket {
    /// A handle of this socket, which closes with the last one.
    pub fn new(socket: Socket) -> Self {
        Self { owner: Owner::open(socket) }
    }

    pub(crate) fn from_owner(owner: Owner<OpenSocket>) -> Self {
        Self { owner }
    }

    /// The socket, for synchronous calls.
    pub fn socket(&self) -> &Socket {
        self.owner.socket()
    }

    /// How many operations of this socket are in the system's hands just now, or are over and not taken back.
    pub fn pending(&self) -> usize {
        self.owner.flights() as usize
    }

    /// Cancels all operations that are under way on this socket; whether there was one. It does not wait: each ends with
    /// `ERROR_OPERATION_ABORTED` (995), or with its result if it was done just before.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<bool> {
        self.owner.cancel(None)
    }
}

/// Starting operations by event. Each moves the operation into the system; [`Pending`] brings it back, or [`Failed`].
///
/// An operation that succeeded at once gives a `Pending` as well, which [is complete](Pending::is_complete) already.
///
/// The system cancels an operation when the thread that started it ends (SEMANTICS D87).
impl OverlappedSocket {
    /// Starts to receive into the operation's buffer. It completes as soon as there is any data, and says how much, or 0
    /// at the end of the stream.
    ///
    /// Of several receives on one socket, the one that started first gets the first data.
    ///
    /// # Errors
    /// `WSAECONNRESET`, `WSAECONNABORTED`, `WSAENOTCONN`, `WSAESHUTDOWN` after
    /// [`Shutdown::Receive`](crate::socket::Shutdown::Receive); as the result `ERROR_NETNAME_DELETED` (64) if the peer
    /// reset the connection, `ERROR_CONNECTION_ABORTED` (1236) if the socket was closed, `ERROR_OPERATION_ABORTED` (995)
    /// if it was cancelled (on Windows also if the socket was closed).
    #[doc(alias = "WSARecv")]
    pub fn receive<C: Send + 'static>(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::Receive)
    }

    /// Starts to wait until there is something to receive (data, the end of the stream, or a failure), and takes none
    /// of it. The buffer is not used, and may be empty: an idle connection needs none.
    ///
    /// For stream sockets only; a datagram would be lost.
    ///
    /// # Errors
    /// As [`receive`](Self::receive); `WSAEOPNOTSUPP` if it is no stream socket.
    #[doc(alias = "WSARecv")]
    #[doc(alias = "zero-byte receive")]
    pub fn receive_ready<C: Send + 'static>(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::ReceiveReady)
    }

    /// Starts to send the operation's buffer, or the [range](Operation::with_range) of it. It completes when all of it is
    /// sent, or the connection failed: a send is never short.
    ///
    /// Several sends on one socket leave in the order in which they were started, one after the other.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), with [`Shutdown::Send`](crate::socket::Shutdown::Send).
    #[doc(alias = "WSASend")]
    pub fn send<C: Send + 'static>(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::Send)
    }

    /// Starts to receive a datagram; [`Operation::sender`] tells from whom.
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is not bound; as the result `ERROR_MORE_DATA` (234) if the datagram was larger than the
    /// buffer, which then holds its beginning.
    #[doc(alias = "WSARecvFrom")]
    pub fn receive_from<C: Send + 'static>(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::ReceiveFrom)
    }

    /// Starts to send the operation's buffer, or the [range](Operation::with_range) of it, as a datagram.
    ///
    /// # Errors
    /// `WSAEMSGSIZE` if it is too large for a datagram, `WSAEACCES` for a broadcast that was not
    /// [allowed](Socket::set_broadcast).
    #[doc(alias = "WSASendTo")]
    pub fn send_to<C: Send + 'static>(&self, operation: Operation<C>, to: &SocketAddr) -> StartResult<C> {
        self.start(operation, Call::SendTo(to))
    }

    /// Starts to accept a connection into `acceptor`, a new socket of the listener's family. It completes when there is a
    /// connection, and [`Operation::take_accepted`] gives it.
    ///
    /// The buffer is not used, but is made to have 88 bytes of capacity to spare.
    ///
    /// # Errors
    /// `WSAEINVAL` if this socket does not listen or `acceptor` is in use. As the result `ERROR_OPERATION_ABORTED` (995)
    /// if the listener was closed, `ERROR_NETNAME_DELETED` (64) if the caller had gone. [`Operation::take_acceptor`]
    /// gives the socket back.
    #[doc(alias = "AcceptEx")]
    #[doc(alias = "SO_UPDATE_ACCEPT_CONTEXT")]
    #[doc(alias = "GetAcceptExSockaddrs")]
    pub fn accept<C: Send + 'static>(&self, operation: Operation<C>, acceptor: Socket) -> StartResult<C> {
        self.start(operation, Call::Accept(acceptor))
    }

    /// As [`accept`](Self::accept), but it completes only when the connection's first data is here as well, in the
    /// operation's buffer ([`Operation::received`]).
    ///
    /// A caller who sends nothing holds the operation for as long as it likes: have other accept operations started, and
    /// [cancel](Pending::cancel) this one if need be.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    #[doc(alias = "AcceptEx")]
    pub fn accept_receive<C: Send + 'static>(&self, operation: Operation<C>, acceptor: Socket) -> StartResult<C> {
        self.start(operation, Call::AcceptReceive(acceptor))
    }

    /// Starts to connect to `address`. It completes when the connection is there or cannot be made. A socket that is not
    /// bound is bound to a free port of any address first, as Winsock wants it.
    ///
    /// # Errors
    /// `WSAEISCONN` if the socket is connected, `WSAEINVAL` if it is connecting or listens. As the result
    /// `ERROR_CONNECTION_REFUSED` (1225), `ERROR_SEM_TIMEOUT` (121), `ERROR_NETWORK_UNREACHABLE` (1231),
    /// `ERROR_HOST_UNREACHABLE` (1232).
    #[doc(alias = "ConnectEx")]
    #[doc(alias = "SO_UPDATE_CONNECT_CONTEXT")]
    pub fn connect<C: Send + 'static>(&self, operation: Operation<C>, address: &SocketAddr) -> StartResult<C> {
        self.connect_send(operation.with_range(0..0), address)
    }

    /// As [`connect`](Self::connect), and sends the operation's buffer, or the [range](Operation::with_range) of it, as
    /// the connection's first data. The result says how many bytes went.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    #[doc(alias = "ConnectEx")]
    pub fn connect_send<C: Send + 'static>(&self, operation: Operation<C>, address: &SocketAddr) -> StartResult<C> {
        if let Err(error) = self.socket().bind_if_unbound(address) {
            return Err(Failed { error, operation });
        }
        self.start(operation, Call::Connect(address))
    }

    fn start<C: Send + 'static>(&self, operation: Operation<C>, call: Call) -> StartResult<C> {
        match self.owner.start_by_event(operation.into_record(), call) {
            Ok(pending) => Ok(Pending { pending }),
            Err(rejected) => Err(Failed::new(rejected)),
        }
    }
}

impl From<Socket> for OverlappedSocket {
    fn from(socket: Socket) -> Self {
        Self::new(socket)
    }
}

impl Deref for OverlappedSocket {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        self.owner.socket()
    }
}

impl Clone for OverlappedSocket {
    fn clone(&self) -> Self {
        Self { owner: self.owner.clone() }
    }
}

impl fmt::Debug for OverlappedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverlappedSocket").field("socket", self.socket()).field("pending", &self.pending()).finish()
    }
}
