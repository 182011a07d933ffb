//! A plain edge-triggered epoll echo server, as an expert would write it by hand: the yardstick of the bench.
//!
//! Each thread has a loop and a listener (SO_REUSEPORT) of its own. A connection is registered once, for both directions,
//! and never again. An edge is answered by receiving until a receive fills less than the buffer, which saves the last
//! receive (the one that would only say EAGAIN) — but not once RDHUP, HUP or ERR has been seen: data and end of stream that
//! came together give one edge only. What was received is sent at once from the shared buffer; only what the socket does not
//! take is copied, and nothing more is received for that connection until it is gone.

use crate::sys::{self, Epoll};
use crate::{BUFFER, TURNS};
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// How often to retry an accept that lacked descriptors or memory, in milliseconds: no new edge
/// will tell when there are some again.
const ACCEPT_RETRY: i32 = 50;

const GONE: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    let epoll = Epoll::new()?;
    epoll.add(listener.as_raw_fd(), libc::EPOLLIN | libc::EPOLLET)?;
    Loop { epoll, listener, connections: Vec::new(), unfinished: Vec::new(), accept_again: false }.run()
}

struct Loop {
    epoll: Epoll,
    listener: TcpListener,
    /// By descriptor number.
    connections: Vec<Option<Connection>>,
    /// Connections that used up their turns with more to receive.
    unfinished: Vec<RawFd>,
    /// An accept failed for lack of descriptors or memory.
    accept_again: bool,
}

struct Connection {
    socket: OwnedFd,
    /// Received, not yet taken by the socket; `unsent[sent..]` is left.
    unsent: Vec<u8>,
    sent: usize,
    /// RDHUP, HUP or ERR was seen: a short receive no longer means drained.
    gone: bool,
    /// It is in `unfinished`.
    queued: bool,
}

enum Progress {
    /// Nothing to do before the next edge.
    Waiting,
    /// The turns are used up and there may be more to receive.
    Unfinished,
    Closed,
}

impl Loop {
    fn run(mut self) -> io::Result<Infallible> {
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; 1024];
        // Shared by all connections: echo keeps nothing between receive and send.
        let mut buffer = vec![0; BUFFER];
        loop {
            let timeout = match (self.unfinished.is_empty(), self.accept_again) {
                (false, _) => 0,
                (true, true) => ACCEPT_RETRY,
                (true, false) => -1,
            };
            let n = self.epoll.wait(&mut events, timeout)?;
            let unfinished = std::mem::take(&mut self.unfinished);
            for &libc::epoll_event { events, u64: data } in &events[..n] {
                let fd = data as RawFd;
                if fd == self.listener.as_raw_fd() {
                    self.accept_again = true;
                } else {
                    self.connection_event(fd, events, &mut buffer);
                }
            }
            for fd in unfinished {
                self.next_turn(fd, &mut buffer);
            }
            // After the connections, whose closing may have freed descriptors.
            if self.accept_again {
                self.accept_all()?;
            }
        }
    }

    fn accept_all(&mut self) -> io::Result<()> {
        loop {
            match sys::accept(self.listener.as_raw_fd()) {
                Ok(socket) => self.open(socket)?,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => {
                        self.accept_again = false;
                        return Ok(());
                    }
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                        self.accept_again = true;
                        return Ok(());
                    }
                    // The connection went away while it was queued, or accept(2)'s network errors:
                    // the next one may be well.
                    Some(
                        libc::ECONNABORTED
                        | libc::EINTR
                        | libc::EPERM
                        | libc::EPROTO
                        | libc::ENETDOWN
                        | libc::ENOPROTOOPT
                        | libc::EHOSTDOWN
                        | libc::ENONET
                        | libc::EHOSTUNREACH
                        | libc::ENETUNREACH,
                    ) => {}
                    _ => return Err(error),
                },
            }
        }
    }

    fn open(&mut self, socket: OwnedFd) -> io::Result<()> {
        let fd = socket.as_raw_fd();
        let interest = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        match self.epoll.add(fd, interest) {
            Ok(()) => {}
            // max_user_watches: this one is refused by being closed, the others are served.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::ENOMEM)) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let index = fd as usize;
        if self.connections.len() <= index {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(Connection { socket, unsent: Vec::new(), sent: 0, gone: false, queued: false });
        Ok(())
    }

    fn connection_event(&mut self, fd: RawFd, events: u32, buffer: &mut [u8]) {
        // A stranger cannot sit here yet: connections are accepted at the end of a turn.
        let Some(Some(connection)) = self.connections.get_mut(fd as usize) else { return };
        connection.gone |= events & GONE != 0;
        if !connection.queued {
            let progress = connection.advance(events, buffer);
            self.after(fd, progress);
        }
    }

    fn next_turn(&mut self, fd: RawFd, buffer: &mut [u8]) {
        let Some(Some(connection)) = self.connections.get_mut(fd as usize) else { return };
        connection.queued = false;
        let progress = connection.advance(libc::EPOLLIN as u32, buffer);
        self.after(fd, progress);
    }

    fn after(&mut self, fd: RawFd, progress: Progress) {
        let place = &mut self.connections[fd as usize];
        match progress {
            Progress::Waiting => {}
            Progress::Closed => *place = None,
            Progress::Unfinished => {
                if let Some(connection) = place {
                    connection.queued = true;
                    self.unfinished.push(fd);
                }
            }
        }
    }
}

impl Connection {
    /// Moves what can be moved now.
    fn advance(&mut self, events: u32, buffer: &mut [u8]) -> Progress {
        let mut receive = events & (libc::EPOLLIN as u32 | GONE) != 0;
        if !self.unsent.is_empty() {
            match self.send_rest() {
                Ok(true) => receive = true, // what came meanwhile gave its edge long ago
                Ok(false) => return Progress::Waiting,
                Err(_) => return Progress::Closed,
            }
        }
        if receive { self.echo(buffer) } else { Progress::Waiting }
    }

    fn echo(&mut self, buffer: &mut [u8]) -> Progress {
        let fd = self.socket.as_raw_fd();
        for _ in 0..TURNS {
            let n = match sys::recv(fd, buffer) {
                Ok(0) => return Progress::Closed,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Waiting;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Progress::Closed,
            };
            match sys::send(fd, &buffer[..n]) {
                Ok(sent) if sent == n => {}
                Ok(sent) => return self.keep(&buffer[sent..n]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.keep(&buffer[..n]);
                }
                Err(_) => return Progress::Closed,
            }
            if n < buffer.len() && !self.gone {
                return Progress::Waiting;
            }
        }
        Progress::Unfinished
    }

    fn keep(&mut self, rest: &[u8]) -> Progress {
        self.unsent.extend_from_slice(rest);
        Progress::Waiting
    }

    /// Says whether all is sent.
    fn send_rest(&mut self) -> io::Result<bool> {
        while self.sent < self.unsent.len() {
            match sys::send(self.socket.as_raw_fd(), &self.unsent[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent = Vec::new(); // rare and up to 64 KiB: an idle connection holds no buffer
        self.sent = 0;
        Ok(true)
    }
}
