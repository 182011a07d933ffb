//! One thread of the load: its poll, its connections, its loop.

use super::LoadOptions;
use super::connection::Connection;
use super::fault::Fault;
use super::live::{Live, Told};
use super::opening::{self, Progress};
use super::opening_fault::OpeningFault;
use super::report::Tally;
use super::schedule::Schedule;
use crate::interrupt;
use mio::{Events, Poll, Token};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes sent or received by one call at most.
pub(super) const SCRATCH: usize = 64 * 1024;
/// How often connections that wait too long are looked for, in nanoseconds.
pub(super) const STALL_CHECK: u64 = 100_000_000;
/// A poll sleeps whole milliseconds, rounded up. What is due sooner is spun for: sent late, it would
/// count as latency of the server.
const SPIN: Duration = Duration::from_millis(2);

/// A share of the connections, open and greeted.
pub(super) struct Worker {
    poll: Poll,
    /// By token; None once failed. The active ones come first.
    connections: Vec<Option<Connection>>,
    /// The number of each among all connections of the load; the active ones are below
    /// `options.connections`.
    numbers: Vec<usize>,
    active: usize,
}

impl Worker {
    /// Opens the share of thread `index` of `threads`; None if another thread failed.
    pub(super) fn connect(
        options: &LoadOptions,
        index: usize,
        threads: usize,
        progress: &Progress,
    ) -> Result<Option<Worker>, OpeningFault> {
        let active = share(options.connections, threads, index);
        let idle = share(options.idle, threads, index);
        let numbers: Vec<usize> = active.clone().chain(idle.map(|number| number + options.connections)).collect();
        let mut poll = Poll::new().map_err(|error| OpeningFault {
            number: numbers.first().map_or(1, |number| number + 1),
            fault: Fault::Connect { error, timeout: options.timeout },
        })?;
        let connections = opening::open_all(&mut poll, options, &numbers, progress)?;
        Ok(connections.map(|connections| Worker { poll, connections, numbers, active: active.len() }))
    }

    /// Loads from `start` for the duration of the options and adds what comes back to `messages`.
    pub(super) fn run(
        &mut self,
        options: &LoadOptions,
        start: Instant,
        messages: &AtomicU64,
        live: Option<&Live>,
    ) -> Tally {
        let schedule = options
            .rate
            .filter(|_| self.active > 0)
            .map(|rate| Schedule::new(rate, options.connections, self.active, self.numbers[0]));
        let mut run = Run {
            options,
            start,
            deadline: options.duration.as_nanos() as u64,
            schedule,
            number: 0,
            turns: vec![0; self.active],
            over: false,
            living: self.active,
            in_flight: 0,
            scratch: vec![0; SCRATCH],
            tally: Tally::new(),
            worker: self,
        };
        run.run(messages, live);
        run.finish()
    }
}

/// Part `index` of `total` things shared out among `parts`.
pub(super) fn share(total: usize, parts: usize, index: usize) -> Range<usize> {
    let start = |index: usize| (total as u128 * index as u128 / parts as u128) as usize;
    start(index)..start(index + 1)
}

/// Polls; an interruption is no event.
pub(super) fn poll(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        outcome => outcome,
    }
}

struct Run<'a> {
    worker: &'a mut Worker,
    options: &'a LoadOptions,
    start: Instant,
    /// No message starts after it, in nanoseconds since the start.
    deadline: u64,
    schedule: Option<Schedule>,
    /// The next message of the schedule.
    number: u64,
    /// By slot: how many of its messages of the schedule were started.
    turns: Vec<u64>,
    /// The deadline is past and what was due before it is started.
    over: bool,
    /// Active connections that have not failed.
    living: usize,
    /// Messages in flight on all connections.
    in_flight: usize,
    scratch: Vec<u8>,
    tally: Tally,
}

impl Run<'_> {
    fn run(&mut self, messages: &AtomicU64, live: Option<&Live>) {
        let mut told = live.map(Told::new);
        let mut events = Events::with_capacity(1024);
        let mut next_check = STALL_CHECK;
        let mut published = 0;
        if self.schedule.is_none() {
            (0..self.worker.active).for_each(|slot| self.kick(slot));
        }
        loop {
            let now = self.now();
            self.start_due(now);
            self.over |= now >= self.deadline;
            if self.done() {
                return;
            }
            if interrupt::requested() {
                // Nothing was due after now.
                self.deadline = self.deadline.min(now);
                self.tally.interrupted = true;
                return;
            }
            let timeout = self.timeout(now, next_check);
            if let Err(error) = poll(&mut self.worker.poll, &mut events, Some(timeout)) {
                self.fail_all(&error);
                return;
            }
            for event in &events {
                self.event(event);
            }
            if timeout.is_zero() && events.is_empty() {
                thread::yield_now();
            }
            if now >= next_check {
                next_check = now + STALL_CHECK;
                self.fail_stalled(now);
                if let Some(told) = &mut told {
                    told.tell(&self.tally.latencies);
                }
            }
            messages.fetch_add(self.tally.messages - published, Ordering::Relaxed);
            published = self.tally.messages;
        }
    }

    /// Nothing more is to come: the time is over, or every active connection has failed. A worker
    /// that has idle connections only watches them to the end.
    fn done(&self) -> bool {
        let all_failed = self.living == 0 && self.worker.active > 0;
        all_failed || (self.over && self.in_flight == 0)
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// How long to poll so that nothing that is due is late.
    fn timeout(&self, now: u64, next_check: u64) -> Duration {
        let mut until = next_check;
        if !self.over {
            until = until.min(self.deadline);
        }
        let wait = Duration::from_nanos(until.saturating_sub(now));
        let Some(schedule) = self.schedule else { return wait };
        let due = schedule.due_number(self.number);
        if due >= self.deadline {
            return wait;
        }
        let due_in = Duration::from_nanos(due.saturating_sub(now));
        if due_in < SPIN {
            return Duration::ZERO;
        }
        // The poll rounds up to a whole millisecond.
        wait.min(Duration::from_millis(due_in.as_millis() as u64 - 1))
    }

    /// Starts the messages of the schedule that are due, where the depth allows it. Connections
    /// that are full start theirs when an answer comes.
    fn start_due(&mut self, now: u64) {
        let Some(schedule) = self.schedule else { return };
        let time = now.min(self.deadline.saturating_sub(1));
        let mut visited = 0;
        while schedule.due_number(self.number) <= time {
            if visited == self.worker.active {
                // Every connection had its turn; more turns start nothing more.
                self.number = schedule.first_after(time);
                return;
            }
            self.kick(schedule.slot(self.number));
            self.number += 1;
            visited += 1;
        }
    }

    /// Starts and sends what a connection may.
    fn kick(&mut self, slot: usize) {
        let now = self.now();
        if let Err(fault) = self.top_up(slot, now) {
            self.fail(slot, fault);
        }
    }

    fn event(&mut self, event: &mio::event::Event) {
        let Token(slot) = event.token();
        if let Err(fault) = self.exchange(slot, event) {
            self.fail(slot, fault);
        }
    }

    fn exchange(&mut self, slot: usize, event: &mio::event::Event) -> Result<(), Fault> {
        let Some(connection) = &mut self.worker.connections[slot] else { return Ok(()) };
        connection.note(event);
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            let before = connection.received();
            connection.receive(&mut self.scratch)?;
            if connection.received() > before {
                let now = self.start.elapsed().as_nanos() as u64;
                connection.note_progress(now);
                while let Some(due) = connection.finish_message(self.options.message) {
                    self.tally.record(now, due);
                    self.in_flight -= 1;
                }
                if slot < self.worker.active {
                    return self.top_up(slot, now);
                }
            }
        }
        // Only writable, or nothing new: there may be a rest to send.
        connection.send(&mut self.scratch)
    }

    /// Puts as many messages in flight as the depth and the schedule allow, and sends.
    fn top_up(&mut self, slot: usize, now: u64) -> Result<(), Fault> {
        let Some(connection) = &mut self.worker.connections[slot] else { return Ok(()) };
        while !self.over && connection.in_flight() < self.options.depth {
            let due = match self.schedule {
                None if now < self.deadline => now,
                None => break,
                Some(schedule) => match schedule.due(slot, self.turns[slot]) {
                    due if due <= now && due < self.deadline => due,
                    _ => break,
                },
            };
            self.turns[slot] += 1;
            self.in_flight += 1;
            connection.start_message(self.options.message, due, now);
        }
        connection.send(&mut self.scratch)
    }

    fn fail_stalled(&mut self, now: u64) {
        let limit = self.options.timeout.as_nanos() as u64;
        for slot in 0..self.worker.active {
            let Some(connection) = &self.worker.connections[slot] else { continue };
            if connection.waited(now) > limit {
                let fault = connection.no_answer(self.options.timeout);
                self.fail(slot, fault);
            }
        }
    }

    fn fail_all(&mut self, error: &io::Error) {
        for slot in 0..self.worker.connections.len() {
            self.fail(slot, Fault::Lost(io::Error::new(error.kind(), error.to_string())));
        }
    }

    /// Gives a connection up.
    fn fail(&mut self, slot: usize, fault: Fault) {
        let Some(mut connection) = self.worker.connections[slot].take() else { return };
        // Closing it takes it out of the poll as well; this says so to systems that need it.
        let _ = self.worker.poll.registry().deregister(connection.stream());
        self.in_flight -= connection.in_flight();
        self.living -= usize::from(slot < self.worker.active);
        self.tally.close(&connection);
        self.tally.fail(self.worker.numbers[slot], connection.local_addr(), fault);
    }

    fn finish(mut self) -> Tally {
        for connection in self.worker.connections.iter().flatten() {
            self.tally.close(connection);
        }
        if let Some(schedule) = self.schedule {
            for (slot, &turns) in self.turns.iter().enumerate() {
                self.tally.unsent += schedule.due_before(slot, self.deadline).saturating_sub(turns);
            }
        }
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_everything_once() {
        for (total, parts) in [(0, 1), (1, 3), (10, 3), (1000, 7)] {
            let mut next = 0;
            for index in 0..parts {
                let share = share(total, parts, index);
                assert_eq!(share.start, next);
                next = share.end;
            }
            assert_eq!(next, total);
        }
    }
}
