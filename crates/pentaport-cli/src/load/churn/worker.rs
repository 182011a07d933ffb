//! One thread of the churn.

use super::source::Source;
use crate::interrupt;
use crate::load::LoadOptions;
use crate::load::connection::Connection;
use crate::load::fault::Fault;
use crate::load::live::{Live, Told};
use crate::load::pattern::Pattern;
use crate::load::report::Tally;
use crate::load::worker::{SCRATCH, STALL_CHECK, poll, share};
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A share of the places.
pub(super) struct Worker<'a> {
    options: &'a LoadOptions,
    source: &'a Source,
    start: Instant,
    /// No connection begins after it, in nanoseconds since the start.
    deadline: u64,
    poll: Poll,
    /// By token; None if the last one failed, or the time is over.
    places: Vec<Option<Place>>,
    /// Places that are not empty.
    under_way: usize,
    /// The number of the next connection: each thread has every n-th.
    next: usize,
    step: usize,
    scratch: Vec<u8>,
    tally: Tally,
}

/// A connection under way.
struct Place {
    number: usize,
    connection: Connection,
}

impl<'a> Worker<'a> {
    /// The share of thread `index` of `threads`, none of them begun.
    pub(super) fn new(
        options: &'a LoadOptions,
        source: &'a Source,
        index: usize,
        threads: usize,
        start: Instant,
    ) -> io::Result<Worker<'a>> {
        let mine = share(options.connections, threads, index).len();
        Ok(Worker {
            options,
            source,
            start,
            deadline: options.duration.as_nanos() as u64,
            poll: Poll::new()?,
            places: (0..mine).map(|_| None).collect(),
            under_way: 0,
            next: index,
            step: threads,
            scratch: vec![0; SCRATCH],
            tally: Tally::new(),
        })
    }

    /// Churns for the duration and adds the connections that are done to `done`.
    pub(super) fn run(mut self, done: &AtomicU64, live: Option<&Live>) -> Tally {
        let mut told = live.map(Told::new);
        let mut events = Events::with_capacity(1024);
        let mut next_check = STALL_CHECK;
        let mut published = 0;
        (0..self.places.len()).for_each(|place| self.begin(place));
        while self.under_way > 0 {
            if interrupt::requested() {
                self.tally.interrupted = true;
                break;
            }
            let now = self.now();
            let wait = Duration::from_nanos(next_check.saturating_sub(now));
            if let Err(error) = poll(&mut self.poll, &mut events, Some(wait)) {
                self.fail_all(&error);
                break;
            }
            for event in &events {
                self.event(event);
            }
            if now >= next_check {
                next_check = now + STALL_CHECK;
                self.fail_stalled(now);
                if let Some(told) = &mut told {
                    told.tell(&self.tally.latencies);
                }
            }
            done.fetch_add(self.tally.messages - published, Ordering::Relaxed);
            published = self.tally.messages;
        }
        for place in self.places.iter().flatten() {
            self.tally.close(&place.connection);
        }
        self.tally
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Begins a connection in an empty place, unless the time is over.
    fn begin(&mut self, place: usize) {
        let now = self.now();
        if now >= self.deadline {
            return;
        }
        let number = self.next;
        self.next += self.step;
        match self.source.connect() {
            Ok(stream) => {
                let connection = Connection::new(stream, Pattern::new(self.options.seed, number as u64), now);
                self.places[place] = Some(Place { number, connection });
                self.under_way += 1;
                if let Err(fault) = self.greet(place, now) {
                    self.fail(place, fault);
                }
            }
            Err(error) => self.tally.fail(number, None, Fault::Connect { error, timeout: self.options.timeout }),
        }
    }

    /// Sends the message, as far as that goes at once: over loopback the connection is mostly there already.
    fn greet(&mut self, place: usize, now: u64) -> Result<(), Fault> {
        let Some(Place { connection, .. }) = &mut self.places[place] else { return Ok(()) };
        connection.stream().set_nodelay(true).map_err(Fault::Lost)?;
        connection.start_message(self.options.message, now, now);
        connection.assume_writable();
        send(connection, &mut self.scratch, self.options.timeout)?;
        let interest = match connection.has_unsent() {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        self.poll.registry().register(connection.stream(), Token(place), interest).map_err(Fault::Lost)
    }

    /// Goes on with a connection; begins the next one if it is done.
    fn event(&mut self, event: &mio::event::Event) {
        let Token(place) = event.token();
        match self.exchange(place, event) {
            Ok(true) => self.begin(place),
            Ok(false) => {}
            Err(fault) => self.fail(place, fault),
        }
    }

    /// Sends and receives what is possible; true if the whole answer was there, and the connection is closed.
    fn exchange(&mut self, place: usize, event: &mio::event::Event) -> Result<bool, Fault> {
        let Some(Place { connection, .. }) = &mut self.places[place] else { return Ok(false) };
        connection.note(event);
        send(connection, &mut self.scratch, self.options.timeout)?;
        if connection.sent() == 0 {
            return Ok(false);
        }
        let before = connection.received();
        match connection.receive(&mut self.scratch) {
            // Who closes after the whole answer is early, but has done all that was asked.
            Err(Fault::Closed { missing: 0 }) => {}
            outcome => outcome?,
        }
        if connection.received() == before {
            return Ok(false);
        }
        let now = self.start.elapsed().as_nanos() as u64;
        connection.note_progress(now);
        let Some(begun) = connection.finish_message(self.options.message) else { return Ok(false) };
        self.tally.record(now, begun);
        self.tally.close(connection);
        self.places[place] = None;
        self.under_way -= 1;
        Ok(true)
    }

    fn fail_stalled(&mut self, now: u64) {
        let timeout = self.options.timeout;
        for place in 0..self.places.len() {
            let Some(Place { connection, .. }) = &self.places[place] else { continue };
            if connection.waited(now) > timeout.as_nanos() as u64 {
                let fault = match connection.sent() {
                    0 => Fault::Connect { error: io::ErrorKind::TimedOut.into(), timeout },
                    _ => connection.no_answer(timeout),
                };
                self.fail(place, fault);
            }
        }
    }

    fn fail_all(&mut self, error: &io::Error) {
        for place in 0..self.places.len() {
            self.fail(place, Fault::Lost(io::Error::new(error.kind(), error.to_string())));
        }
    }

    /// Gives a connection up. Its place stays empty.
    fn fail(&mut self, place: usize, fault: Fault) {
        let Some(Place { number, mut connection }) = self.places[place].take() else { return };
        // Closing it takes it out of the poll as well; this says so to systems that need it.
        let _ = self.poll.registry().deregister(connection.stream());
        self.under_way -= 1;
        self.tally.close(&connection);
        self.tally.fail(number, connection.local_addr(), fault);
    }
}

/// Sends what is started. What goes wrong before the first byte is sent went wrong with connecting.
fn send(connection: &mut Connection, scratch: &mut [u8], timeout: Duration) -> Result<(), Fault> {
    match connection.send(scratch) {
        Err(Fault::Lost(error)) if connection.sent() == 0 => Err(Fault::Connect { error, timeout }),
        outcome => outcome,
    }
}
