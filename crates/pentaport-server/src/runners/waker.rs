//! Waking a thread that waits in `select`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use pentaport::Result;
use pentaport::socket::Socket;

/// Wakes a thread that waits in `select`: a UDP socket that is connected to itself. It is in the thread's read set, and
/// a datagram of one byte makes it ready.
#[derive(Debug)]
pub(super) struct Waker {
    socket: Socket,
    /// A datagram is on its way, or waits.
    woken: AtomicBool,
}

impl Waker {
    pub(super) fn new() -> Result<Self> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = Socket::udp(&any_port)?;
        socket.bind(&any_port)?;
        socket.connect(&socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Waker { socket, woken: AtomicBool::new(false) })
    }

    /// The socket for the read set.
    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Wakes the thread, or keeps it from falling asleep. If that fails the next one tries again.
    pub(super) fn wake(&self) -> Result<()> {
        if self.woken.swap(true, SeqCst) {
            return Ok(());
        }
        let sent = self.socket.send(&[0]);
        if sent.is_err() {
            self.woken.store(false, SeqCst);
        }
        sent.map(drop)
    }

    /// To be called by the thread when the socket is ready, before it looks what it was woken for.
    pub(super) fn clear(&self) {
        // More than one datagram may be there: one is sent as soon as the mark below is gone.
        while self.socket.recv(&mut [0; 1]).is_ok() {}
        self.woken.store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pentaport::select::{SelectSet, select};

    use super::*;

    fn is_awake(waker: &Waker) -> bool {
        let mut read = SelectSet::new();
        read.insert(waker.socket());
        select(Some(&mut read), None, None, Some(Duration::ZERO)).unwrap() == 1
    }

    #[test]
    fn wakes_until_it_is_cleared() {
        let waker = Waker::new().unwrap();
        assert!(!is_awake(&waker));
        for _ in 0..1000 {
            waker.wake().unwrap();
        }
        assert!(is_awake(&waker));
        waker.clear();
        assert!(!is_awake(&waker));
        waker.wake().unwrap();
        assert!(is_awake(&waker));
    }
}
