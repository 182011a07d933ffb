//! Sockets at a port: starting operations.

use super::{CompletionPort, Failed, Operation, StartResult, Started};
use crate::Result;
use crate::raw::association::Association;
use crate::raw::shared::Owner;
use crate::raw::start::{Call, Start};
use crate::socket::Socket;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;

/// A socket at a completion port, with its key.
///
/// It is a handle: clones are the same socket, and any number of threads may use it. The socket closes when the last
/// handle is dropped; a [`Packet`](super::Packet) of an open socket has one. What is in flight then is cancelled, and
/// its packets come all the same.
///
/// All the calls of [`Socket`] are here too, and are synchronous: they leave no packets. Where both have a call of the
/// same name (`send`, `accept`, …), [`socket`](Self::socket) leads to the synchronous one.
pub struct PortSocket<K, C> {
    pub(super) owner: Owner<Association<K, C>>,
}

/// Starting operations. Each moves the operation into the system; it comes back in its packet, or in [`Failed`].
impl<K: Send + Sync + 'static, C: Send + 'static> PortSocket<K, C> {
    /// Starts to receive into the operation's buffer. The packet comes as soon as there is any data, and says how
    /// much, or 0 at the end of the stream.
    ///
    /// Of several receives on one socket, the one that started first gets the first data.
    ///
    /// # Errors
    /// `WSAECONNRESET`, `WSAECONNABORTED`, `WSAENOTCONN`, `WSAESHUTDOWN` after
    /// [`Shutdown::Receive`](crate::socket::Shutdown::Receive); in the packet `ERROR_NETNAME_DELETED` (64) if the peer
    /// reset the connection, `ERROR_CONNECTION_ABORTED` (1236) if the socket was closed, `ERROR_OPERATION_ABORTED`
    /// (995) if it was cancelled (on Windows also if the socket was closed).
    #[doc(alias = "WSARecv")]
    pub fn receive(&self, operation: Operation<C>) -> StartResult<C> {
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
    pub fn receive_ready(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::ReceiveReady)
    }

    /// Starts to send the operation's buffer, or the [range](Operation::with_range) of it. The packet comes when all
    /// of it is sent, or the connection failed: a send is never short.
    ///
    /// Several sends on one socket leave in the order in which they were started, one after the other.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), with [`Shutdown::Send`](crate::socket::Shutdown::Send).
    #[doc(alias = "WSASend")]
    pub fn send(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::Send)
    }

    /// Starts to receive a datagram; [`Operation::sender`] tells from whom.
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is not bound; in the packet `ERROR_MORE_DATA` (234) if the datagram was larger than
    /// the buffer, which then holds its beginning.
    #[doc(alias = "WSARecvFrom")]
    pub fn receive_from(&self, operation: Operation<C>) -> StartResult<C> {
        self.start(operation, Call::ReceiveFrom)
    }

    /// Starts to send the operation's buffer, or the [range](Operation::with_range) of it, as a datagram.
    ///
    /// # Errors
    /// `WSAEMSGSIZE` if it is too large for a datagram, `WSAEACCES` for a broadcast that was not
    /// [allowed](Socket::set_broadcast).
    #[doc(alias = "WSASendTo")]
    pub fn send_to(&self, operation: Operation<C>, to: &SocketAddr) -> StartResult<C> {
        self.start(operation, Call::SendTo(to))
    }

    /// Starts to accept a connection into `acceptor`, a new socket of the listener's family. The packet comes when
    /// there is a connection, and [`Operation::take_accepted`] gives it. The packet is this listener's.
    ///
    /// The buffer is not used, but is made to have 88 bytes of capacity to spare.
    ///
    /// # Errors
    /// `WSAEINVAL` if this socket does not listen or `acceptor` is in use. In the packet `ERROR_OPERATION_ABORTED`
    /// (995) if the listener was closed, `ERROR_NETNAME_DELETED` (64) if the caller had gone.
    /// [`Operation::take_acceptor`] gives the socket back.
    #[doc(alias = "AcceptEx")]
    #[doc(alias = "SO_UPDATE_ACCEPT_CONTEXT")]
    #[doc(alias = "GetAcceptExSockaddrs")]
    pub fn accept(&self, operation: Operation<C>, acceptor: Socket) -> StartResult<C> {
        self.start(operation, Call::Accept(acceptor))
    }

    /// As [`accept`](Self::accept), but the packet comes only when the connection's first data is here as well, in the
    /// operation's buffer ([`Operation::received`]).
    ///
    /// A caller who sends nothing holds the operation for as long as it likes: have other accept operations started,
    /// and end this one by closing the listener if need be.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    #[doc(alias = "AcceptEx")]
    pub fn accept_receive(&self, operation: Operation<C>, acceptor: Socket) -> StartResult<C> {
        self.start(operation, Call::AcceptReceive(acceptor))
    }

    /// Starts to connect to `address`. The packet comes when the connection is there or cannot be made. A socket that
    /// is not bound is bound to a free port of any address first, as Winsock wants it.
    ///
    /// # Errors
    /// `WSAEISCONN` if the socket is connected, `WSAEINVAL` if it is connecting or listens. In the packet
    /// `ERROR_CONNECTION_REFUSED` (1225), `ERROR_SEM_TIMEOUT` (121), `ERROR_NETWORK_UNREACHABLE` (1231),
    /// `ERROR_HOST_UNREACHABLE` (1232).
    #[doc(alias = "ConnectEx")]
    #[doc(alias = "SO_UPDATE_CONNECT_CONTEXT")]
    pub fn connect(&self, operation: Operation<C>, address: &SocketAddr) -> StartResult<C> {
        self.connect_send(operation.with_range(0..0), address)
    }

    /// As [`connect`](Self::connect), and sends the operation's buffer, or the [range](Operation::with_range) of it, as
    /// the connection's first data. The packet says how many bytes went.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    #[doc(alias = "ConnectEx")]
    pub fn connect_send(&self, operation: Operation<C>, address: &SocketAddr) -> StartResult<C> {
        if let Err(error) = self.socket().bind_if_unbound(address) {
            return Err(Failed { error, operation });
        }
        self.start(operation, Call::Connect(address))
    }

    /// Queues a packet that is no operation's, with this socket's key and `bytes` as its result. It is how a thread
    /// hands something to whoever takes the socket's packets.
    ///
    /// # Errors
    /// What the system lacks.
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, bytes: u32, operation: Operation<C>) -> std::result::Result<(), Failed<C>> {
        self.owner.post(bytes, operation.into_record()).map_err(Failed::new)
    }

    /// Cancels all that is in flight on this socket; whether there was anything. It does not wait: each operation's
    /// packet comes, with `ERROR_OPERATION_ABORTED` (995), or with its result if it was done just before.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<bool> {
        self.owner.cancel()
    }

    /// From now on, an operation that succeeds at once leaves no packet, and is returned as [`Started::Done`]. That
    /// saves a way through the queue; it cannot be undone.
    ///
    /// To be called when the socket was just associated.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` if there is another handle of this socket, or something in flight on it.
    #[doc(alias = "SetFileCompletionNotificationModes")]
    #[doc(alias = "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS")]
    pub fn skip_completion_on_success(&mut self) -> Result<()> {
        self.owner.skip_on_success()
    }

    /// How many operations and posted packets of this socket are in the system's hands just now: started, and their
    /// packets not taken.
    pub fn pending(&self) -> usize {
        self.owner.flights() as usize
    }

    /// The port.
    pub fn port(&self) -> CompletionPort<K, C> {
        CompletionPort { port: self.owner.port() }
    }

    fn start(&self, operation: Operation<C>, call: Call) -> StartResult<C> {
        match self.owner.start(operation.into_record(), call) {
            Ok(Start::Pending(_)) => Ok(Started::Pending),
            Ok(Start::Done(record, bytes)) => Ok(Started::Done(Operation::from_record(record), bytes)),
            Err(rejected) => Err(Failed::new(rejected)),
        }
    }
}

impl<K, C> PortSocket<K, C> {
    /// The key that the socket was associated with: the per-handle data.
    #[doc(alias = "CompletionKey")]
    pub fn key(&self) -> &K {
        self.owner.key()
    }

    /// The socket, for synchronous calls.
    pub fn socket(&self) -> &Socket {
        self.owner.socket()
    }
}

impl<K, C> Deref for PortSocket<K, C> {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        self.owner.socket()
    }
}

impl<K, C> Clone for PortSocket<K, C> {
    fn clone(&self) -> Self {
        Self { owner: self.owner.clone() }
    }
}

impl<K: fmt::Debug, C> fmt::Debug for PortSocket<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortSocket")
            .field("socket", self.socket())
            .field("key", self.key())
            .field("pending", &self.owner.flights())
            .finish()
    }
}
