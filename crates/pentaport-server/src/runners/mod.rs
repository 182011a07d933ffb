//! The models: one file each, with a function `run` that serves until the server is stopped.
//!
//! A runner owns sockets and threads. What happens on a connection it tells the connection's [`Conversation`], and does
//! what that says next; it decides nothing about a connection itself.

pub(crate) mod completion_port;
pub(crate) mod select;
pub(crate) mod thread_per_client;
mod waker;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use pentaport::Error;

use crate::conversation::Conversation;
use crate::handle::{Shared, Stop};
use crate::totals::Lane;
use crate::{Admit, Options, Service};

/// The most that is received at once: large enough that a fast sender costs few calls, small enough to stay in the
/// processor's cache.
const RECEIVE_SIZE: usize = 64 * 1024;

/// The most that a call which does not tell how far it got is asked to send: nearer to the truth about what has left,
/// and less for the system to keep if it takes all of it.
const SEND_SIZE: usize = 64 * 1024;

/// How often one connection is received from, and asked for more to send, before others have their turn.
const TURNS: u32 = 16;

/// How long to wait before accepting again when there are no descriptors: others of the process may free some.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What every runner is given.
pub(crate) struct Host<S> {
    pub(crate) service: S,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    /// Where the server listens.
    pub(crate) local: SocketAddr,
}

impl<S: Service> Host<S> {
    /// A place for one more connection, until it [leaves](Self::leave): how many others there are, or `None` if the
    /// server is full.
    fn take_place(&self, lane: &Lane) -> Option<usize> {
        let most = self.options.max_connections.unwrap_or(usize::MAX);
        let one_more = |others| (others < most).then_some(others + 1);
        let place = self.shared.connections.fetch_update(SeqCst, SeqCst, one_more).ok();
        if place.is_none() {
            lane.refused.fetch_add(1, Relaxed);
        }
        place
    }

    /// Whether the service takes a connection for which there is a place.
    fn admits(&self, lane: &Lane, peer: SocketAddr, local: SocketAddr, others: usize) -> bool {
        // A panic has been reported by its hook; whom the service cannot judge it does not serve.
        let ask = || self.service.admit(peer, local, others);
        let admits = matches!(catch_unwind(AssertUnwindSafe(ask)), Ok(Admit::Accept));
        if !admits {
            lane.refused.fetch_add(1, Relaxed);
        }
        admits
    }

    /// Gives back a place. Returns how many connections are left.
    fn leave(&self) -> usize {
        self.shared.connections.fetch_sub(1, SeqCst) - 1
    }
}

/// Whether and how a runner is being stopped.
#[derive(Debug, Default)]
struct Stopping(AtomicU8);

impl Stopping {
    fn set(&self, how: Stop) {
        let value = match how {
            Stop::Drain => 1,
            Stop::Now => 2,
        };
        self.0.fetch_max(value, SeqCst);
    }

    fn get(&self) -> Option<Stop> {
        match self.0.load(SeqCst) {
            0 => None,
            1 => Some(Stop::Drain),
            _ => Some(Stop::Now),
        }
    }
}

/// Whether an accept failed through its caller, who has gone before he was accepted, and not through this system.
fn is_callers(error: Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

/// Tells a conversation that a call on its socket failed.
fn lost<S: Service>(conversation: &mut Conversation<S>, error: Error) {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => conversation.reset(),
        _ => conversation.failed(),
    }
}

/// Tells a conversation how the server is being stopped.
fn stop<S: Service>(conversation: &mut Conversation<S>, how: Stop) {
    match how {
        Stop::Drain => conversation.stop(),
        Stop::Now => conversation.stop_now(),
    }
}
