//! Listeners.

use std::io;
use std::net::TcpListener;

use socket2::{Domain, Protocol, Socket, Type};

use crate::cli::Options;

/// What the kernel caps at net.core.somaxconn.
pub const BACKLOG: i32 = 65_535;

/// A listener for each thread, non-blocking, all at one address.
pub fn bind(options: &Options) -> io::Result<Vec<TcpListener>> {
    let threads = options.threads.get();
    let mut address = options.listen;
    let mut listeners = Vec::new();
    for _ in 0..threads {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(threads > 1)?;
        // Accepted sockets inherit it.
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(listeners)
}
