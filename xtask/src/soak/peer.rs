//! A client of the echo server that knows each byte that has to come back.

use super::ledger::Ledger;
use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, sockopt};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How long a client waits for its next byte. A server under stress is slow; one that lost a byte never answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Addresses of the clients, in turn: ports of closed connections rest for a minute, between the same two addresses.
const SOURCES: u64 = 250;

/// A prime: what comes from a wrong place of the stream, or from a stream beside it, is wrong at once.
const BLOCK: usize = 65_521;

/// A connection to the server.
pub(super) struct Peer<'a> {
    stream: TcpStream,
    ledger: &'a Ledger,
    /// Where in the block the stream begins.
    start: u64,
    sent: u64,
    back: u64,
}

impl<'a> Peer<'a> {
    /// Connects; a receive buffer of that size, if one is given, is set before, so that it bounds the window.
    pub(super) fn connect(ledger: &'a Ledger, server: SocketAddrV4, buffer: Option<usize>) -> io::Result<Peer<'a>> {
        let number = ledger.attempted.fetch_add(1, Relaxed);
        let socket = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        if let Some(bytes) = buffer {
            socket::setsockopt(&socket, sockopt::RcvBuf, &bytes)?;
        }
        // The port is chosen when both addresses are known: before that there are but as many as for one.
        socket::setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        let source = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, (number % SOURCES + 1) as u8), 0);
        socket::bind(socket.as_raw_fd(), &SockaddrIn::from(source))?;
        socket::connect(socket.as_raw_fd(), &SockaddrIn::from(server))?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Peer { stream, ledger, start: number.wrapping_mul(7_919), sent: 0, back: 0 })
    }

    /// Sends so many bytes, and waits for room if there is none.
    pub(super) fn send(&mut self, bytes: usize) -> io::Result<()> {
        let end = self.sent + bytes as u64;
        while self.sent < end {
            let part = expected(self.start + self.sent, end - self.sent);
            let count = self.stream.write(part).map_err(|error| self.explain("send", error))?;
            self.note_sent(count);
        }
        Ok(())
    }

    /// Sends what there is room for, at most so many bytes; returns how many.
    pub(super) fn send_now(&mut self, bytes: usize) -> io::Result<usize> {
        let part = expected(self.start + self.sent, bytes as u64);
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match socket::send(self.stream.as_raw_fd(), part, flags) {
            Ok(count) => {
                self.note_sent(count);
                Ok(count)
            }
            Err(Errno::EAGAIN) => Ok(0),
            Err(errno) => Err(self.explain("send", errno.into())),
        }
    }

    fn note_sent(&mut self, count: usize) {
        self.sent += count as u64;
        self.ledger.bytes_sent.fetch_add(count as u64, Relaxed);
    }

    /// Waits for the next bytes, at most as many as the buffer holds, and compares them; 0 at the end of the stream.
    fn receive_into(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer).map_err(|error| self.explain("receive", error))?;
        if self.back + count as u64 > self.sent {
            return Err(io::Error::other(format!("more came back than the {} bytes sent", self.sent)));
        }
        if count > 0 && self.back == 0 {
            self.ledger.answered.fetch_add(1, Relaxed);
        }
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let part = expected(self.start + self.back, rest.len() as u64);
            let (head, tail) = rest.split_at(part.len());
            if head != part {
                let at = head.iter().zip(part).position(|(is, should)| is != should).unwrap_or(0);
                return Err(io::Error::other(format!("byte {} came back wrong", self.back + at as u64)));
            }
            self.back += head.len() as u64;
            rest = tail;
        }
        self.ledger.bytes_back.fetch_add(count as u64, Relaxed);
        Ok(count)
    }

    /// Waits for some of the next bytes, at most so many.
    pub(super) fn receive_some(&mut self, most: usize) -> io::Result<usize> {
        self.receive_into(&mut vec![0; most])
    }

    /// Bytes that were sent and have not come back.
    pub(super) fn owed(&self) -> u64 {
        self.sent - self.back
    }

    /// Waits until all that was sent has come back.
    pub(super) fn receive_all(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        while self.owed() > 0 {
            if self.receive_into(&mut buffer)? == 0 {
                return Err(io::Error::other(format!("the end came {} bytes early", self.owed())));
            }
        }
        Ok(())
    }

    /// Sends a message and waits until it has come back.
    pub(super) fn exchange(&mut self, bytes: usize) -> io::Result<()> {
        self.send(bytes)?;
        self.receive_all()?;
        self.ledger.messages.fetch_add(1, Relaxed);
        Ok(())
    }

    pub(super) fn half_close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Ends our side, waits for all bytes and the server's end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.half_close()?;
        self.ledger.messages.fetch_add(u64::from(self.owed() > 0), Relaxed);
        self.receive_all()?;
        match self.receive_some(1)? {
            0 => {
                self.ledger.in_order.fetch_add(1, Relaxed);
                Ok(())
            }
            _ => Err(io::Error::other("more came than was sent")),
        }
    }

    /// Closes when all has come back, without waiting for the server's end.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.receive_all()?;
        self.ledger.in_order.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Resets the connection.
    pub(super) fn reset(self) -> io::Result<()> {
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        socket::setsockopt(&self.stream, sockopt::Linger, &at_once)?;
        self.abandon();
        Ok(())
    }

    /// Closes whatever has not been read, which the system tells the server as a reset.
    pub(super) fn abandon(self) {
        self.ledger.resets.fetch_add(1, Relaxed);
    }

    fn explain(&self, doing: &str, error: io::Error) -> io::Error {
        let what = format!("{doing}: {error}, {} bytes sent, {} back", self.sent, self.back);
        io::Error::new(error.kind(), what)
    }
}

/// The next bytes of the stream at that place, at least one and at most so many.
fn expected(place: u64, most: u64) -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let mut dice = Dice::new(1);
        (0..BLOCK).map(|_| dice.below(256) as u8).collect()
    });
    let from = (place % BLOCK as u64) as usize;
    &bytes[from..bytes.len().min(from.saturating_add(most as usize))]
}

/// Random numbers: xorshift, since any will do.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below that bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The low bits of xorshift are its weakest.
        (self.0 >> 11) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    /// Serves one client by that function, and returns what its exchange of 100,000 bytes came to.
    fn exchange_with(server: impl FnOnce(TcpStream) + Send) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!("bound to IPv4") };
        let ledger = Ledger::default();
        thread::scope(|scope| {
            scope.spawn(|| server(listener.accept().unwrap().0));
            let mut peer = Peer::connect(&ledger, address, None)?;
            peer.exchange(50_000)?;
            peer.exchange(50_000)?;
            peer.finish()
        })
    }

    fn echo_changed(mut stream: TcpStream, mut change: impl FnMut(u64, &mut Vec<u8>)) {
        let (mut buffer, mut place) = (vec![0; 4096], 0);
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let mut bytes = buffer[..count].to_vec();
            change(place, &mut bytes);
            place += count as u64;
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
    }

    #[test]
    fn an_echo_is_right() {
        exchange_with(|stream| echo_changed(stream, |_, _| ())).unwrap();
    }

    #[test]
    fn a_changed_a_lost_and_a_doubled_byte_are_wrong() {
        let changed = exchange_with(|stream| echo_changed(stream, |_, bytes| bytes[0] ^= 1));
        assert_eq!(changed.unwrap_err().to_string(), "byte 0 came back wrong");
        for change in
            [|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1), |bytes: &mut Vec<u8>| bytes.insert(0, bytes[0])]
        {
            let once = |place, bytes: &mut Vec<u8>| {
                if place == 0 {
                    change(bytes)
                }
            };
            assert!(exchange_with(|stream| echo_changed(stream, once)).is_err());
        }
    }
}
