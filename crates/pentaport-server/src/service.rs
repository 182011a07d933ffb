//! What a server does with its clients: [`Service`], and what it is called with.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::reply::Reply;

/// What a server does with its clients.
///
/// A service never sees a socket and never waits. It is shared by all workers, and each connection has a
/// [`Session`](Self::Session) of its own (the documents' *per-handle data*), whose methods are never run by two
/// workers at once: [`admit`](Self::admit) → [`open`](Self::open) → [`receive`](Self::receive) … →
/// [`finish`](Self::finish) → [`close`](Self::close). For each `open` there is exactly one `close`.
///
/// A method that blocks holds up every connection of its worker. One that panics costs its own connection, no other.
///
/// ```
/// use pentaport_server::{Close, Connection, Reply, Service};
///
/// /// Answers each line with its length.
/// struct Lengths;
///
/// impl Service for Lengths {
///     type Session = usize;
///
///     fn open(&self, _: &Connection, _: &mut Reply<'_>) -> usize {
///         0
///     }
///
///     fn receive(&self, length: &mut usize, data: &[u8], reply: &mut Reply<'_>) {
///         for byte in data {
///             match byte {
///                 b'\n' => reply.send(format!("{}\n", std::mem::take(length)).as_bytes()),
///                 _ => *length += 1,
///             }
///         }
///     }
/// }
///
/// // A service is tested without a server.
/// let (mut out, mut length) = (Vec::new(), 0);
/// Lengths.receive(&mut length, b"four\nseven", &mut Reply::new(&mut out, 1024));
/// assert_eq!((out.as_slice(), length), (&b"4\n"[..], 5));
/// ```
pub trait Service: Send + Sync + 'static {
    /// What the service keeps for each connection.
    type Session: Send + 'static;

    /// Says whether a connection from `peer` is served, when `connections` others are: the role of WSAAccept's
    /// condition function. It is not asked when [`Options::max_connections`](crate::Options::max_connections) are
    /// served already. A refused connection is reset.
    fn admit(&self, peer: SocketAddr, local: SocketAddr, connections: usize) -> Admit {
        let _ = (peer, local, connections);
        Admit::Accept
    }

    /// Begins a connection; a service that speaks first does it by `reply`.
    fn open(&self, connection: &Connection, reply: &mut Reply<'_>) -> Self::Session;

    /// Takes what the peer sent: at least one byte, and as many as came, whatever the peer's messages were.
    fn receive(&self, session: &mut Self::Session, data: &[u8], reply: &mut Reply<'_>);

    /// Sends on, since the service said [`Reply::again`] and there is room for at least half of
    /// [`Options::send_queue_limit`](crate::Options::send_queue_limit).
    fn more(&self, session: &mut Self::Session, reply: &mut Reply<'_>) {
        let _ = (session, reply);
    }

    /// Takes note that the peer will send nothing more, though it may still read. What is queued is sent before the
    /// connection is closed, and so is what [`more`](Self::more) adds for as long as it is asked for.
    fn finish(&self, session: &mut Self::Session, reply: &mut Reply<'_>) {
        let _ = (session, reply);
    }

    /// Ends a connection; nothing more is sent or received on it.
    fn close(&self, session: Self::Session, why: Close) {
        let _ = (session, why);
    }
}

/// A service that its program keeps a reference to.
impl<S: Service> Service for Arc<S> {
    type Session = S::Session;

    fn admit(&self, peer: SocketAddr, local: SocketAddr, connections: usize) -> Admit {
        S::admit(self, peer, local, connections)
    }

    fn open(&self, connection: &Connection, reply: &mut Reply<'_>) -> S::Session {
        S::open(self, connection, reply)
    }

    fn receive(&self, session: &mut S::Session, data: &[u8], reply: &mut Reply<'_>) {
        S::receive(self, session, data, reply);
    }

    fn more(&self, session: &mut S::Session, reply: &mut Reply<'_>) {
        S::more(self, session, reply);
    }

    fn finish(&self, session: &mut S::Session, reply: &mut Reply<'_>) {
        S::finish(self, session, reply);
    }

    fn close(&self, session: S::Session, why: Close) {
        S::close(self, session, why);
    }
}

/// Whether a connection is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admit {
    /// Serve it (`CF_ACCEPT`).
    #[doc(alias = "CF_ACCEPT")]
    Accept,
    /// Refuse it: the peer sees a reset (`CF_REJECT`).
    #[doc(alias = "CF_REJECT")]
    Refuse,
}

/// A connection, as a service is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    id: ConnectionId,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Connection {
    /// A connection as [`Service::open`] gets it; a program needs this only to test its service.
    pub const fn new(id: ConnectionId, peer: SocketAddr, local: SocketAddr) -> Self {
        Connection { id, peer, local }
    }

    /// The connection's name, by which [`Handle::send`](crate::Handle::send) reaches it.
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// The client's address.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The server's own address in this connection.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }
}

/// The name of a connection, given once in the life of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The connection of that number; a program needs this only to test its service.
    pub const fn new(number: u64) -> Self {
        ConnectionId(number)
    }

    /// The connection's number: 1 for the first one that was served.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Close {
    /// The peer ended its side, and all that it was to get has been sent.
    Peer,
    /// The peer reset the connection.
    Reset,
    /// The service said [`Reply::close`].
    Service,
    /// No byte moved for the [idle timeout](crate::Options::idle_timeout).
    Idle,
    /// The server was stopped. Whether the client got all its answers is told by
    /// [`Totals::cut_off`](crate::Totals::cut_off) only.
    Stopped,
    /// The connection failed otherwise, or its handler panicked.
    Failed,
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Close::Peer => "closed by the peer",
            Close::Reset => "reset by the peer",
            Close::Service => "closed by the service",
            Close::Idle => "closed as idle",
            Close::Stopped => "closed as the server stopped",
            Close::Failed => "failed",
        })
    }
}
