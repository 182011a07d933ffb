//! The other end of a connection: a plain stream on the same thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What is sent to and fro.
pub(crate) const MESSAGE: [u8; 64] = [7; 64];

pub(crate) struct Listener(TcpListener);

pub(crate) struct Peer(TcpStream);

impl Listener {
    pub(crate) fn bind() -> Listener {
        Listener(TcpListener::bind("127.0.0.1:0").expect("a port of loopback"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("bound")
    }

    /// Takes the connection that was just made.
    pub(crate) fn accept(self) -> Peer {
        let (stream, _) = self.0.accept().expect("somebody has connected");
        stream.set_nodelay(true).expect("an open socket");
        Peer(stream)
    }
}

impl Peer {
    pub(crate) fn write(&mut self) {
        self.0.write_all(&MESSAGE).expect("connected");
    }

    pub(crate) fn read(&mut self) {
        self.0.read_exact(&mut [0; MESSAGE.len()]).expect("connected");
    }
}
