//! What reaches a running server from outside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ranked_locks::{RwLock, rank};

use crate::totals::Counters;
use crate::{ConnectionId, Totals};

/// Reaches a server from other threads, and from its own service: stops it, sends to its connections, and says what it
/// has done.
///
/// Handles are cheap to clone. A service that sends to connections other than the one it is called for (a chat) keeps
/// one, which it gets from [`Server::handle`](crate::Server::handle) before the server runs.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Handle { shared }
    }

    /// Queues `bytes` to be sent to a connection. It never blocks and may be called from a handler.
    ///
    /// What is sent by one thread to one connection arrives in that order. A handler's own [`Reply`](crate::Reply) is
    /// sent before what is sent from outside meanwhile.
    ///
    /// # Errors
    /// [`SendError::Gone`] if there is no such connection, or it is ending; [`SendError::Full`] if its send queue has no
    /// room: its client reads too slowly, and nothing of `bytes` has been queued.
    pub fn send(&self, to: ConnectionId, bytes: impl AsRef<[u8]>) -> Result<(), SendError> {
        let bytes = bytes.as_ref();
        match &*self.shared.link.read() {
            Some(link) => link.send(to, bytes),
            None => Err(SendError::Gone),
        }
    }

    /// Stops the server: it accepts no more, answers what its clients have sent, and ends every connection within
    /// [`Options::drain`](crate::Options::drain). [`Server::run`](crate::Server::run) returns after that.
    ///
    /// A connection on which all is answered and sent, and nothing has come for a quarter of a second (or of the time to
    /// drain, if that is shorter), is ended in order: the server shuts down its sending side and waits for the client to
    /// do the same. Clients that had been silent for longer, for a second, meet that end at once. One that goes on sending is
    /// answered until the time to drain is over, and then reset, as is one that has not taken its answers by then; both
    /// are counted in [`Totals::cut_off`](crate::Totals::cut_off). So is one whose bytes come after the end that the server
    /// has sent it: they can only be thrown away.
    ///
    /// Clients that have connected and are not accepted yet are reset.
    pub fn stop(&self) {
        self.shared.stop(Stop::Drain);
    }

    /// Stops the server at once: every connection is reset, whatever is queued for it or on its way.
    pub fn stop_now(&self) {
        self.shared.stop(Stop::Now);
    }

    /// How many connections are served at the moment.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// What the server has done so far.
    pub fn totals(&self) -> Totals {
        self.shared.counters.totals()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

/// Why [`Handle::send`] queued nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such connection, or it is ending.
    Gone,
    /// The connection's send queue has no room for so many bytes.
    Full,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Gone => "the connection is gone",
            SendError::Full => "the connection's send queue is full",
        })
    }
}

impl std::error::Error for SendError {}

/// How a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// What is queued is sent first.
    Drain,
    /// Every connection is reset.
    Now,
}

/// The part of a runner that its handles reach.
pub(crate) trait Link: Send + Sync {
    /// Queues `bytes` for a connection, without blocking and without calling the service.
    fn send(&self, to: ConnectionId, bytes: &[u8]) -> Result<(), SendError>;

    /// Begins to stop, without blocking and without calling the service. It may be called again, with a harder stop.
    fn stop(&self, how: Stop);
}

/// What a server, its runner and its handles share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    /// How many connections are served.
    pub(crate) connections: AtomicUsize,
    last_id: AtomicU64,
    stop: RwLock<Option<Stop>, rank::Leaf>,
    link: RwLock<Option<Arc<dyn Link>>, rank::Link>,
}

impl Shared {
    /// The name of a new connection.
    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId::new(self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Lets handles reach the runner; if the server was stopped before, it is now.
    pub(crate) fn attach(&self, link: Arc<dyn Link>) {
        *self.link.write() = Some(Arc::clone(&link));
        let stop = *self.stop.read();
        if let Some(how) = stop {
            link.stop(how);
        }
    }

    /// Ends what [`attach`](Self::attach) began, when the runner has returned.
    pub(crate) fn detach(&self) {
        *self.link.write() = None;
    }

    fn stop(&self, how: Stop) {
        {
            let mut stop = self.stop.write();
            *stop = (*stop).max(Some(how));
        }
        let link = self.link.read().clone();
        if let Some(link) = link {
            link.stop(how);
        }
    }
}
