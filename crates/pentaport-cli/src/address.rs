//! Addresses as the user writes them.

use crate::failure::Failure;
use crate::{process, text};
use anyhow::Context;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// All addresses that `text`, `HOST:PORT`, stands for.
pub(crate) fn resolve(text: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let malformed = |what: &str| {
        Failure::new(
            format!("'{text}' is no address: {what}"),
            "write HOST:PORT, for example 127.0.0.1:5150, localhost:5150 or [::1]:5150",
        )
    };
    if text.parse::<SocketAddr>().is_err() {
        let (host, port) = text.rsplit_once(':').ok_or_else(|| malformed("the port is missing"))?;
        if host.is_empty() {
            return Err(malformed("the host is missing").into());
        }
        if port.parse::<u16>().is_err() {
            return Err(malformed("the port is not a number from 0 to 65535").into());
        }
        if host.contains(':') {
            return Err(malformed("an IPv6 address stands in brackets").into());
        }
    }
    let unresolved = |why: String| {
        Failure::new(
            format!("cannot resolve '{text}': {why}"),
            "is the name spelled right? An address like 127.0.0.1:5150 needs no resolving",
        )
    };
    let addresses: Vec<SocketAddr> = text.to_socket_addrs().map_err(|error| unresolved(error.to_string()))?.collect();
    if addresses.is_empty() {
        return Err(unresolved("the name has no address".into()).into());
    }
    Ok(addresses)
}

/// Connects to the first of the addresses of `name` that answers.
pub(crate) fn connect(name: &str, timeout: Duration) -> anyhow::Result<TcpStream> {
    let mut last = None;
    for address in resolve(name)? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some((address, error)),
        }
    }
    let (address, error) = last.context("no address to connect to")?;
    Err(cannot_connect(address, &error, timeout).into())
}

/// The address to load: the only one, or the first that accepts a connection.
pub(crate) fn choose(name: &str, timeout: Duration) -> anyhow::Result<SocketAddr> {
    match resolve(name)?[..] {
        [only] => Ok(only),
        _ => connect(name, timeout)?.peer_addr().context("cannot read the server's address"),
    }
}

/// Says why a connection could not be made.
pub(crate) fn cannot_connect(address: SocketAddr, error: &io::Error, timeout: Duration) -> Failure {
    let (why, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            "connection refused".to_owned(),
            "nothing listens there: start a server, for example `pentaport serve`, or check the \
             address",
        ),
        io::ErrorKind::TimedOut => (
            format!("no answer within {}", text::duration(timeout)),
            "is the host up, and does a firewall let this through?",
        ),
        _ if process::no_port_left(error) && address.port() != 0 => (
            "the system has no local port left for one more connection to that address".to_owned(),
            process::MORE_PORTS,
        ),
        _ if process::no_descriptor_left(error) => (
            "no descriptor is left for one more connection".to_owned(),
            "raise the limit: `ulimit -n`, or fs.file-max for the whole system",
        ),
        _ => (error.to_string(), "is this the address of a server?"),
    };
    Failure::new(format!("cannot connect to {address}: {why}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn having_no_port_left_is_no_fault_of_the_server() {
        let address: SocketAddr = "127.0.0.1:5150".parse().unwrap();
        let error = io::ErrorKind::AddrNotAvailable.into();
        let told = cannot_connect(address, &error, Duration::from_secs(1)).to_string();
        assert_eq!(
            told,
            "cannot connect to 127.0.0.1:5150: the system has no local port left for one more connection to that address"
        );
    }
}
