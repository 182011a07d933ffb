//! What a server tells the program that runs it: [`Observer`].

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pentaport::Error;

/// What a server tells the program that runs it, by [`Server::run_observed`](crate::Server::run_observed).
///
/// The methods are called by the server's threads, which wait for them to return.
///
/// ```
/// use pentaport_server::{Observer, Options, Server, Shortage, services::Echo};
///
/// struct Log;
///
/// impl Observer for Log {
///     fn ready(&self) {
///         println!("clients are served");
///     }
///
///     fn lacks(&self, shortage: &Shortage) {
///         eprintln!("{shortage}; clients wait");
///     }
/// }
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::bind("127.0.0.1:0".parse().unwrap(), Options::default())?;
/// # server.handle().stop();
/// server.run_observed(Echo, Log)?;
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// The server has all that it needs to serve a client, and does so from now on. Called once, unless the server could
    /// not begin.
    fn ready(&self) {}

    /// The server lacks something to serve another client, and those who come wait until it has it. Called once for each
    /// [`Resource`]; how often it was lacking is in [`Totals::accept_errors`](crate::Totals::accept_errors) and
    /// [`Totals::thread_errors`](crate::Totals::thread_errors).
    fn lacks(&self, shortage: &Shortage) {
        let _ = shortage;
    }
}

/// Nobody is told.
impl Observer for () {}

/// What a server may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Descriptors (`RLIMIT_NOFILE`, or the system's own limit); handles on Windows.
    Descriptors,
    /// Memory, or room in the system's buffers.
    Memory,
    /// Threads (`RLIMIT_NPROC`, a limit of a control group), or memory for a thread's stack.
    Threads,
    /// Something else, which the error names.
    Other,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Resource::Descriptors => "descriptors",
            Resource::Memory => "memory",
            Resource::Threads => "threads",
            Resource::Other => "resources",
        })
    }
}

/// What a server lacks to serve another client, or to begin: then it is the error's source that
/// [`Server::run`](crate::Server::run) returns.
#[derive(Debug)]
pub struct Shortage {
    resource: Resource,
    purpose: &'static str,
    error: io::Error,
}

impl Shortage {
    /// What was lacking, for a call of pentaport's that failed.
    pub(crate) fn new(purpose: &'static str, error: Error) -> Self {
        Shortage { resource: resource(error), purpose, error: error.into() }
    }

    /// There was no thread.
    pub(crate) fn of_threads(purpose: &'static str, error: io::Error) -> Self {
        Shortage { resource: Resource::Threads, purpose, error }
    }

    /// What is lacking.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// The error that told so.
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} for {}: {}", self.resource, self.purpose, self.error)
    }
}

impl std::error::Error for Shortage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A server that cannot begin returns what it lacks.
impl From<Shortage> for io::Error {
    fn from(shortage: Shortage) -> Self {
        io::Error::new(shortage.error.kind(), shortage)
    }
}

/// What a call lacked that failed so.
fn resource(error: Error) -> Resource {
    // WSAEMFILE, ERROR_TOO_MANY_OPEN_FILES.
    const NO_DESCRIPTOR: [i32; 2] = [10_024, 4];
    match error.kind() {
        _ if NO_DESCRIPTOR.contains(&error.code()) => Resource::Descriptors,
        io::ErrorKind::OutOfMemory => Resource::Memory,
        _ => Resource::Other,
    }
}

/// Whether a call failed for want of something that there may be again.
pub(crate) fn is_shortage(error: Error) -> bool {
    resource(error) != Resource::Other
}

/// An observer, and what it has been told.
pub(crate) struct Told {
    observer: Box<dyn Observer>,
    shortages: [AtomicBool; 4],
}

impl Told {
    pub(crate) fn new(observer: impl Observer) -> Self {
        Told { observer: Box::new(observer), shortages: Default::default() }
    }

    pub(crate) fn ready(&self) {
        self.observer.ready();
    }

    pub(crate) fn lacks(&self, shortage: &Shortage) {
        let index = match shortage.resource {
            Resource::Descriptors => 0,
            Resource::Memory => 1,
            Resource::Threads => 2,
            Resource::Other => 3,
        };
        if !self.shortages[index].swap(true, Relaxed) {
            self.observer.lacks(shortage);
        }
    }
}
