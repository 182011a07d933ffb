//! A server and its address.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use pentaport::socket::Socket;

use crate::handle::Shared;
use crate::observer::{Told, is_shortage};
use crate::runners::{self, Host};
use crate::{Handle, Model, Observer, Options, Service, Shortage, Totals};

/// A server that has its address and does not serve yet.
pub struct Server {
    listener: Socket,
    local: SocketAddr,
    options: Options,
    shared: Arc<Shared>,
}

/// Connections that wait to be accepted. The system may use less.
const BACKLOG: u32 = 4096;

impl Server {
    /// Binds a server to `address` and listens there; port 0 picks a port, which [`local_addr`](Self::local_addr)
    /// tells. Clients may connect from now on, and are served by [`run`](Self::run).
    ///
    /// # Errors
    /// The address is in use (`AddrInUse`), is not of this machine (`AddrNotAvailable`), or is not permitted
    /// (`PermissionDenied`); or there is no descriptor for a socket, which a [`Shortage`](crate::Shortage) in the error
    /// says.
    pub fn bind(address: SocketAddr, options: Options) -> io::Result<Server> {
        let listener = Socket::tcp(&address).map_err(|error| match is_shortage(error) {
            true => Shortage::new("a listener", error).into(),
            false => io::Error::from(error),
        })?;
        listener.bind(&address)?;
        listener.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        Ok(Server { listener, local, options, shared: Arc::default() })
    }

    /// The address that the server is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What reaches the server while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Serves until it is [stopped](Handle::stop) and all connections have ended. The calling thread is one of the
    /// workers.
    ///
    /// # Errors
    /// The server could not begin: a [`Shortage`](crate::Shortage) in the error says what it lacks, be it only for the
    /// first client. Once it runs, nothing that happens to a connection or to the listener ends it.
    pub fn run(self, service: impl Service) -> io::Result<Totals> {
        self.run_observed(service, ())
    }

    /// As [`run`](Self::run), and tells `observer` when clients are served, and what is lacking.
    ///
    /// # Errors
    /// As [`run`](Self::run); then the observer has been told nothing.
    pub fn run_observed(self, service: impl Service, observer: impl Observer) -> io::Result<Totals> {
        let Server { listener, local, options, shared } = self;
        let model = options.model;
        let host = Host { service, options, shared: Arc::clone(&shared), local, told: Told::new(observer) };
        match model {
            Model::ThreadPerClient => runners::thread_per_client::run(host, listener),
            Model::Select => runners::select::run(host, listener),
            Model::AsyncSelect => runners::async_select::run(host, listener),
            Model::EventSelect => runners::event_select::run(host, listener),
            Model::OverlappedEvent => runners::overlapped_event::run(host, listener),
            Model::OverlappedRoutine => runners::overlapped_routine::run(host, listener),
            Model::CompletionPort => runners::completion_port::run(host, listener),
        }?;
        Ok(shared.counters.totals())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, model) = (self.local, self.options.model);
        f.debug_struct("Server").field("local", &local).field("model", &model).finish()
    }
}
