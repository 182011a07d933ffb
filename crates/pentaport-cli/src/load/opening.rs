//! Opening a worker's connections: connect, then exchange one message on each active one.

use super::connection::Connection;
use super::fault::Fault;
use super::pattern::Pattern;
use super::worker::SCRATCH;
use super::{LoadOptions, worker};
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

/// Opens connections with tokens counting from 0; None if another worker failed.
///
/// The first `active` of the worker's connections exchange a message, the others are idle ones.
/// `numbers` gives each its number among all connections of the load.
pub(super) fn open_all(
    poll: &mut Poll,
    options: &LoadOptions,
    numbers: &[usize],
    opened: &AtomicU64,
    give_up: &AtomicBool,
) -> anyhow::Result<Option<Vec<Option<Connection>>>> {
    let mut opening = Opening {
        poll,
        options,
        numbers,
        opened,
        connections: Vec::with_capacity(numbers.len()),
        stages: Vec::with_capacity(numbers.len()),
        pending: 0,
        oldest: 0,
        scratch: vec![0; SCRATCH],
        clock: Instant::now(),
    };
    let mut events = Events::with_capacity(AT_A_TIME);
    loop {
        while opening.pending < AT_A_TIME && opening.connections.len() < numbers.len() {
            opening.start()?;
        }
        if opening.pending == 0 {
            return Ok(Some(opening.connections.into_iter().map(Some).collect()));
        }
        if give_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        worker::poll(opening.poll, &mut events, Some(Duration::from_millis(50)))?;
        for event in &events {
            opening.advance(event)?;
        }
        opening.check_timeouts()?;
    }
}

struct Opening<'a> {
    poll: &'a mut Poll,
    options: &'a LoadOptions,
    numbers: &'a [usize],
    opened: &'a AtomicU64,
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
    fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    fn is_idle(&self, index: usize) -> bool {
        self.numbers[index] >= self.options.connections
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let index = self.connections.len();
        let stream =
            TcpStream::connect(self.options.address).map_err(|error| self.error(index, &self.connect_fault(error)))?;
        let pattern = Pattern::new(self.options.seed, self.numbers[index] as u64);
        let mut connection = Connection::new(stream, pattern, self.now());
        self.poll.registry().register(connection.stream(), Token(index), Interest::READABLE | Interest::WRITABLE)?;
        self.connections.push(connection);
        self.stages.push(Stage::Connecting);
        self.pending += 1;
        Ok(())
    }

    fn advance(&mut self, event: &mio::event::Event) -> anyhow::Result<()> {
        let Token(index) = event.token();
        self.connections[index].note(event);
        if let Stage::Connecting = self.stages[index] {
            if !self.connected(index).map_err(|fault| self.error(index, &fault))? {
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
            Stage::Greeting => {
                self.greet(index).map_err(|fault| self.error(index, &fault))?;
            }
            // An idle or finished connection that is told something while others open: it is
            // looked at by the run, whose first poll would not tell it again.
            Stage::Open => {
                let connection = &mut self.connections[index];
                let heard = connection.receive(&mut self.scratch);
                heard.map_err(|fault| self.error(index, &fault))?;
            }
            Stage::Connecting => unreachable!("handled above"),
        }
        Ok(())
    }

    /// Whether the connection is made, which a writable event alone does not say.
    fn connected(&mut self, index: usize) -> Result<bool, Fault> {
        let stream = self.connections[index].stream();
        let outcome = match stream.take_error() {
            Ok(None) => stream.peer_addr().and_then(|_| stream.set_nodelay(true)),
            Ok(Some(error)) | Err(error) => {
                return Err(self.connect_fault(error));
            }
        };
        match outcome {
            Ok(()) => Ok(true),
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
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn check_timeouts(&mut self) -> anyhow::Result<()> {
        while matches!(self.stages.get(self.oldest), Some(Stage::Open)) {
            self.oldest += 1;
        }
        let now = self.now();
        let limit = self.options.timeout.as_nanos() as u64;
        for index in self.oldest..self.connections.len() {
            let connection = &self.connections[index];
            let fault = match self.stages[index] {
                Stage::Connecting if connection.age(now) > limit => self.connect_fault(io::ErrorKind::TimedOut.into()),
                Stage::Greeting if connection.waited(now) > limit => connection.no_answer(now),
                _ => continue,
            };
            return Err(self.error(index, &fault));
        }
        Ok(())
    }

    fn connect_fault(&self, error: io::Error) -> Fault {
        Fault::Connect { error, timeout: self.options.timeout }
    }

    fn error(&self, index: usize, fault: &Fault) -> anyhow::Error {
        let of = self.options.connections + self.options.idle;
        fault.while_opening(self.numbers[index] + 1, of, self.options.address)
    }
}
