//! Opening a worker's connections: connect, then exchange one message on each active one.

use super::connection::Connection;
use super::fault::Fault;
use super::opening_fault::OpeningFault;
use super::pattern::Pattern;
use super::worker::SCRATCH;
use super::{LoadOptions, worker};
use crate::interrupt;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many connections one worker opens at a time. Well below any listener's backlog: a full one
/// drops requests, and each costs a second until it is sent again.
const AT_A_TIME: usize = 64;

/// A connection that is being opened.
enum Stage {
    Connecting,
    /// Its first message is on its way.
    Greeting,
    Open,
}

/// Opens connections with tokens counting from 0; None if another worker failed, or at Ctrl-C.
///
/// The first `active` of the worker's connections exchange a message, the others are idle ones.
/// `numbers` gives each its number among all connections of the load.
pub(super) fn open_all(
    poll: &mut Poll,
    options: &LoadOptions,
    numbers: &[usize],
    progress: &Progress,
) -> Result<Option<Vec<Option<Connection>>>, OpeningFault> {
    let mut opening = Opening {
        poll,
        options,
        numbers,
        progress,
        connections: Vec::with_capacity(numbers.len()),
        stages: Vec::with_capacity(numbers.len()),
        pending: 0,
        oldest: 0,
        scratch: vec![0; SCRATCH],
        clock: Instant::now(),
    };
    let outcome = opening.open();
    if let Ok(true) = outcome {
        return Ok(Some(opening.connections.into_iter().map(Some).collect()));
    }
    opening.count_unanswered();
    outcome.map(|_| None).map_err(|(index, fault)| OpeningFault { number: numbers[index] + 1, fault })
}

/// What the workers know of each other while they open connections.
#[derive(Default)]
pub(super) struct Progress {
    /// Connections that are open.
    pub(super) opened: AtomicU64,
    /// Connections on which a right byte came back.
    pub(super) answered: AtomicU64,
    /// Connections that were made and greeted when their worker gave up, and on which nothing had come back.
    pub(super) unanswered: AtomicU64,
    /// A worker has failed: the others need not go on.
    pub(super) give_up: AtomicBool,
}

struct Opening<'a> {
    poll: &'a mut Poll,
    options: &'a LoadOptions,
    numbers: &'a [usize],
    progress: &'a Progress,
    connections: Vec<Connection>,
    stages: Vec<Stage>,
    /// How many are not open yet.
    pending: usize,
    /// All before this one are open.
    oldest: usize,
    scratch: Vec<u8>,
    clock: Instant,
}

impl Opening<'_> {
    /// Opens all; false if it gave up since another worker failed, or by Ctrl-C. A fault comes with its index.
    fn open(&mut self) -> Result<bool, (usize, Fault)> {
        let mut events = Events::with_capacity(AT_A_TIME);
        loop {
            while self.pending < AT_A_TIME && self.connections.len() < self.numbers.len() {
                let index = self.connections.len();
                self.start().map_err(|error| (index, self.connect_fault(error)))?;
            }
            if self.pending == 0 {
                return Ok(true);
            }
            if self.progress.give_up.load(Ordering::Relaxed) || interrupt::requested() {
                return Ok(false);
            }
            worker::poll(self.poll, &mut events, Some(Duration::from_millis(50)))
                .map_err(|error| (self.oldest, self.connect_fault(error)))?;
            for event in &events {
                let Token(index) = event.token();
                self.advance(index, event).map_err(|fault| (index, fault))?;
            }
            self.check_timeouts()?;
        }
    }

    fn count_unanswered(&self) {
        let greeted = self.connections.iter().zip(&self.stages).filter(|(_, stage)| matches!(stage, Stage::Greeting));
        let unanswered = greeted.filter(|(connection, _)| connection.received() == 0).count();
        self.progress.unanswered.fetch_add(unanswered as u64, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    fn is_idle(&self, index: usize) -> bool {
        self.numbers[index] >= self.options.connections
    }

    fn start(&mut self) -> io::Result<()> {
        let index = self.connections.len();
        let stream = TcpStream::connect(self.options.address)?;
        let pattern = Pattern::new(self.options.seed, self.numbers[index] as u64);
        let mut connection = Connection::new(stream, pattern, self.now());
        self.poll.registry().register(connection.stream(), Token(index), Interest::READABLE | Interest::WRITABLE)?;
        self.connections.push(connection);
        self.stages.push(Stage::Connecting);
        self.pending += 1;
        Ok(())
    }

    fn advance(&mut self, index: usize, event: &mio::event::Event) -> Result<(), Fault> {
        self.connections[index].note(event);
        if let Stage::Connecting = self.stages[index] {
            if !self.connected(index)? {
                return Ok(());
            }
            if self.is_idle(index) {
                self.finish(index);
                return Ok(());
            }
            self.stages[index] = Stage::Greeting;
            let now = self.now();
            self.connections[index].start_message(self.options.message, now, now);
        }
        match self.stages[index] {
            Stage::Greeting => self.greet(index),
            // An idle or finished connection that is told something while others open: it is
            // looked at by the run, whose first poll would not tell it again.
            Stage::Open => self.connections[index].receive(&mut self.scratch),
            Stage::Connecting => unreachable!("handled above"),
        }
    }

    /// Whether the connection is made, which a writable event alone does not say.
    fn connected(&mut self, index: usize) -> Result<bool, Fault> {
        let ending = self.connections[index].is_ending();
        let stream = self.connections[index].stream();
        let outcome = match stream.take_error() {
            Ok(None) => stream.peer_addr().and_then(|_| stream.set_nodelay(true)),
            Ok(Some(error)) | Err(error) => {
                return Err(self.connect_fault(error));
            }
        };
        match outcome {
            Ok(()) => Ok(true),
            // It was connected, and is no more.
            Err(error) if error.kind() == io::ErrorKind::NotConnected && ending => Err(Fault::Reset { missing: 0 }),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(self.connect_fault(error)),
        }
    }

    fn greet(&mut self, index: usize) -> Result<(), Fault> {
        let now = self.now();
        let connection = &mut self.connections[index];
        connection.send(&mut self.scratch)?;
        let before = connection.received();
        connection.receive(&mut self.scratch)?;
        if connection.received() > before {
            connection.note_progress(now);
            self.progress.answered.fetch_add(u64::from(before == 0), Ordering::Relaxed);
        }
        // What came back may have made room for more.
        connection.send(&mut self.scratch)?;
        if connection.finish_message(self.options.message).is_some() {
            self.finish(index);
        }
        Ok(())
    }

    fn finish(&mut self, index: usize) {
        self.stages[index] = Stage::Open;
        self.pending -= 1;
        self.progress.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn check_timeouts(&mut self) -> Result<(), (usize, Fault)> {
        while matches!(self.stages.get(self.oldest), Some(Stage::Open)) {
            self.oldest += 1;
        }
        let now = self.now();
        let limit = self.options.timeout.as_nanos() as u64;
        for index in self.oldest..self.connections.len() {
            let connection = &self.connections[index];
            let fault = match self.stages[index] {
                Stage::Connecting if connection.age(now) > limit => self.connect_fault(io::ErrorKind::TimedOut.into()),
                Stage::Greeting if connection.waited(now) > limit => connection.no_answer(self.options.timeout),
                _ => continue,
            };
            return Err((index, fault));
        }
        Ok(())
    }

    fn connect_fault(&self, error: io::Error) -> Fault {
        Fault::Connect { error, timeout: self.options.timeout }
    }
}
