//! Where connections come from.

use crate::process;
use mio::net::TcpStream;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

/// Loopback addresses that take turns. A port of a closed connection rests for a minute, between the same two addresses;
/// Linux has some 28,000 of them.
const ADDRESSES: u32 = 250;

/// Makes connections to one address.
///
/// If that is a loopback address of IPv4, each comes from the next of 127.0.0.1 to 127.0.0.250, so that ports do not run out
/// on systems that keep them for the pair of addresses.
pub(super) struct Source {
    target: SocketAddr,
    made: AtomicU32,
}

impl Source {
    pub(super) fn new(target: SocketAddr) -> Source {
        Source { target, made: AtomicU32::new(0) }
    }

    /// Begins to connect.
    pub(super) fn connect(&self) -> io::Result<TcpStream> {
        match self.target {
            SocketAddr::V4(target) if target.ip().is_loopback() => {
                let last = self.made.fetch_add(1, Ordering::Relaxed) % ADDRESSES + 1;
                process::connect_from(Ipv4Addr::new(127, 0, 0, last as u8), target)
            }
            target => TcpStream::connect(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::net::TcpListener;

    #[test]
    #[cfg_attr(windows, ignore = "elsewhere than on Linux the system chooses the address")]
    fn connections_come_from_all_addresses_in_turn() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = Source::new(listener.local_addr().unwrap());
        let mut seen = BTreeSet::new();
        for _ in 0..ADDRESSES {
            let _stream = source.connect().unwrap();
            seen.insert(listener.accept().unwrap().1.ip());
        }
        assert_eq!(seen.len(), ADDRESSES as usize);
        assert!(seen.contains(&Ipv4Addr::LOCALHOST.into()));
    }
}
