//! One connection of the load: what was sent, what came back, what is in flight.

use super::fault::Fault;
use super::pattern::Pattern;
use crate::process::SHORT_RECEIVE_DRAINS;
use mio::net::TcpStream;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// A connection and the state of its stream. Positions count bytes since it was opened.
pub(crate) struct Connection {
    stream: TcpStream,
    pattern: Pattern,
    /// End of the messages that were started.
    started: u64,
    /// What the socket has taken.
    sent: u64,
    /// What has come back, all of it right.
    received: u64,
    /// For each message in flight the time from which its latency counts, oldest first.
    in_flight: VecDeque<u64>,
    /// When it was created, a byte came back, or the only message in flight was started: the latest.
    progress: u64,
    writable: bool,
    /// The end of the stream was announced.
    ending: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, pattern: Pattern, now: u64) -> Connection {
        Connection {
            stream,
            pattern,
            started: 0,
            sent: 0,
            received: 0,
            in_flight: VecDeque::new(),
            progress: now,
            writable: false,
            ending: false,
        }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of started messages that have not come back.
    pub(crate) fn missing(&self) -> u64 {
        self.started - self.received
    }

    /// What the socket has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the socket has still to take some of what was started.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.started
    }

    /// Lets the next send try without having been told by an event.
    pub(crate) fn assume_writable(&mut self) {
        self.writable = true;
    }

    /// Notes what an event said before it is acted on.
    pub(crate) fn note(&mut self, event: &mio::event::Event) {
        self.writable |= event.is_writable();
        self.ending |= event.is_read_closed() || event.is_error();
    }

    /// Whether an event has said that the stream ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending
    }

    /// How long it has been there with nothing sent on it, in nanoseconds.
    pub(crate) fn age(&self, now: u64) -> u64 {
        now.saturating_sub(self.progress)
    }

    /// How long bytes that are due have not come, in nanoseconds.
    pub(crate) fn waited(&self, now: u64) -> u64 {
        if self.in_flight.is_empty() { 0 } else { now.saturating_sub(self.progress) }
    }

    /// The fault of having waited for longer than `timeout`.
    pub(crate) fn no_answer(&self, timeout: Duration) -> Fault {
        Fault::NoAnswer { sent: self.sent, received: self.received, timeout }
    }

    /// Puts one more message in flight, whose latency counts from `due`; `send` sends it.
    pub(crate) fn start_message(&mut self, size: usize, due: u64, now: u64) {
        if self.in_flight.is_empty() {
            self.progress = now;
        }
        self.in_flight.push_back(due);
        self.started += size as u64;
    }

    /// Sends what is started, as far as the socket takes it.
    pub(crate) fn send(&mut self, scratch: &mut [u8]) -> Result<(), Fault> {
        while self.writable && self.sent < self.started {
            let n = (self.started - self.sent).min(scratch.len() as u64) as usize;
            let piece = &mut scratch[..n];
            self.pattern.fill(self.sent, piece);
            match self.stream.write(piece) {
                Ok(n) => self.sent += n as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                // Still connecting, for which Linux says WouldBlock.
                Err(error) if error.kind() == io::ErrorKind::NotConnected && self.sent == 0 && !self.ending => {
                    self.writable = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::from_io(error, self.missing())),
            }
        }
        Ok(())
    }

    /// Receives and checks all that has come.
    pub(crate) fn receive(&mut self, scratch: &mut [u8]) -> Result<(), Fault> {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return Err(Fault::Closed { missing: self.missing() }),
                Ok(n) => {
                    let asked = (self.sent - self.received).min(n as u64) as usize;
                    self.pattern.check(self.received, &scratch[..asked]).map_err(Fault::WrongByte)?;
                    if asked < n {
                        return Err(Fault::Unasked);
                    }
                    self.received += n as u64;
                    if SHORT_RECEIVE_DRAINS && n < scratch.len() && !self.ending {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::from_io(error, self.missing())),
            }
        }
    }

    /// Takes the oldest message out of flight if all of it has come back; returns the time from
    /// which its latency counts.
    pub(crate) fn finish_message(&mut self, size: usize) -> Option<u64> {
        let end = self.started - (self.in_flight.len() as u64).checked_sub(1)? * size as u64;
        if self.received < end { None } else { self.in_flight.pop_front() }
    }

    /// Notes that something came back just now.
    pub(crate) fn note_progress(&mut self, now: u64) {
        self.progress = now;
    }
}
