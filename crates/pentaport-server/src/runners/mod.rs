//! The models: one file each, with a function `run` that serves until the server is stopped.
//!
//! Another model is another file here, a [`Model`](crate::Model), and a line in [`Server::run`](crate::Server::run).
//!
//! A runner owns sockets and threads. What happens on a connection it tells the connection's [`Conversation`], and does
//! what that says next; it decides nothing about a connection itself.
//!
//! All but the first and the last are [workers](worker) that keep their connections to themselves. Three of those are
//! told when a socket is ready ([`readiness`]), two when an operation is over ([`overlapped`]); two of them wait for
//! [`events`].

mod accept;
pub(crate) mod async_select;
pub(crate) mod completion_port;
pub(crate) mod event_select;
mod events;
mod overlapped;
pub(crate) mod overlapped_event;
pub(crate) mod overlapped_routine;
mod readiness;
pub(crate) mod select;
pub(crate) mod thread_per_client;
mod transfer;
mod waker;
mod worker;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use pentaport::Error;
use pentaport::socket::{Family, Socket};

use crate::conversation::Conversation;
use crate::handle::{Shared, Stop};
use crate::observer::Told;
use crate::totals::Lane;
use crate::{Options, Service, Shortage};

/// The most that is received at once: large enough that a fast sender costs few calls, small enough to stay in the
/// processor's cache.
const RECEIVE_SIZE: usize = 64 * 1024;

/// The most that a call which does not tell how far it got is asked to send: nearer to the truth about what has left,
/// and less for the system to keep if it takes all of it.
const SEND_SIZE: usize = 64 * 1024;

/// How often one connection is received from, and asked for more to send, before others have their turn.
const TURNS: u32 = 16;

/// How long to wait before accepting again when there are no descriptors or threads: others of the process may free some.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Connections that are accepted in a row, before others have their turn, by those who are told nothing of the next
/// caller until they wait again.
const ACCEPTS: usize = 64;

/// What every runner is given.
pub(crate) struct Host<S> {
    pub(crate) service: S,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    /// Where the server listens.
    pub(crate) local: SocketAddr,
    /// Who is told what the server lacks.
    pub(crate) told: Told,
}

impl<S> Host<S> {
    /// The largest buffer that a worker keeps for what its connections send: also one that something was received into,
    /// and that went back as the answer.
    fn largest_buffer(&self) -> usize {
        RECEIVE_SIZE.max(2 * self.options.send_queue_limit)
    }

    /// Counts that no connection could be accepted, and says why if it has not been said yet.
    fn lacks(&self, lane: &Lane, error: Error) {
        lane.accept_errors.fetch_add(1, Relaxed);
        self.told.lacks(&Shortage::new(ANOTHER_CLIENT, error));
    }

    /// The same, for want of a thread.
    fn lacks_threads(&self, lane: &Lane, error: io::Error) {
        lane.thread_errors.fetch_add(1, Relaxed);
        self.told.lacks(&Shortage::of_threads(ANOTHER_CLIENT, error));
    }

    /// Sees that there are descriptors for a client, before anybody is told that clients are served.
    fn check_descriptors(&self) -> Result<(), Shortage> {
        let sockets: pentaport::Result<Vec<_>> =
            (0..NEEDED_DESCRIPTORS).map(|_| Socket::stream(Family::of(&self.local))).collect();
        sockets.map(drop).map_err(|error| Shortage::new("a client", error))
    }
}

/// What is lacking for whom, when the server has begun.
const ANOTHER_CLIENT: &str = "another client";

/// What is lacking for whom, when it cannot begin.
const WORKER: &str = "a worker";

/// Descriptors that have to be free when the server begins: one for a client, and two that the engine may come to need
/// for itself (its watchdog).
const NEEDED_DESCRIPTORS: usize = 3;

/// How long to wait to have waited once: with no time at all, the system need not make what a thread needs to sleep.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

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

/// Tells a conversation that a call on its socket failed.
fn lost<S: Service>(conversation: &mut Conversation<S>, error: Error) {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => conversation.reset(),
        _ => conversation.failed(),
    }
}

/// Tells a conversation how the server is being stopped.
fn stop<S: Service>(conversation: &mut Conversation<S>, socket: &Socket, how: Stop) {
    match how {
        Stop::Drain => conversation.stop(),
        Stop::Now => conversation.stop_now(has_unread(socket)),
    }
}

/// Whether there is something to receive. It does not block, whoever else is in a call on the socket.
fn has_unread(socket: &Socket) -> bool {
    socket.available().is_ok_and(|count| count > 0)
}

/// Resets a connection that is not served, so that its client does not take what it has sent for received.
fn refuse(socket: Socket) {
    // It fails only for a socket that is gone already.
    let _ = socket.set_linger(Some(Duration::ZERO));
}
