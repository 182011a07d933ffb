//! What a server is told before it starts.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::Model;

/// What a [`Server`](crate::Server) is told before it starts.
///
/// ```
/// use pentaport_server::{Model, Options};
/// use std::time::Duration;
///
/// let options = Options {
///     model: Model::Select,
///     max_connections: Some(100),
///     idle_timeout: Some(Duration::from_secs(30)),
///     ..Options::default()
/// };
/// # assert_eq!(options.send_queue_limit, 256 * 1024);
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// How the server waits for its connections. Default: [`Model::CompletionPort`].
    pub model: Model,
    /// Worker threads. Default: the number of processors. [`Model::ThreadPerClient`] ignores it.
    pub threads: NonZeroUsize,
    /// Connections served at a time; one more is refused before the service sees it. Default: no limit.
    pub max_connections: Option<usize>,
    /// A connection is closed when for this long nothing was received on it and no send was completed: also one whose
    /// peer takes an answer so slowly that sending it takes longer. It is noticed up to a sixteenth later. Default:
    /// never.
    pub idle_timeout: Option<Duration>,
    /// Bytes that may wait to be sent on one connection. Once they do, the connection receives nothing more until
    /// half of them have left, so that a client that never reads costs no more than this and the answer to one
    /// [receive](crate::Service::receive). Default: 256 KiB.
    pub send_queue_limit: usize,
    /// How long a connection that the server ends may take to accept what is queued for it and to end its own side;
    /// after that it is aborted. It is the time that [`Handle::stop`](crate::Handle::stop) takes at most, in which it
    /// still answers what clients send. Default: 5 seconds.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            model: Model::CompletionPort,
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_connections: None,
            idle_timeout: None,
            send_queue_limit: 256 * 1024,
            drain: Duration::from_secs(5),
        }
    }
}
