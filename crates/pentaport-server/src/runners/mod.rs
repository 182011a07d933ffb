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

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use pentaport::Error;

use crate::conversation::Conversation;
use crate::handle::{Shared, Stop};
use crate::{Options, Service};

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
}

impl<S> Host<S> {
    /// The largest buffer that a worker keeps for what its connections send: also one that something was received into,
    /// and that went back as the answer.
    fn largest_buffer(&self) -> usize {
        RECEIVE_SIZE.max(2 * self.options.send_queue_limit)
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
