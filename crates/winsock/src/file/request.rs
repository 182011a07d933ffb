//! One transfer between a file and memory, and how its end is told.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use ranked_locks::{Condvar, Mutex, rank};

use crate::file::codes::status_from_errno;
use crate::file::pool::{Lane, Ticket};
use crate::file::{Core, Kind};
use crate::os;
use crate::port::blocking;
use crate::socket::overlapped::{self, Completion, Operation};
use crate::types::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Read,
    Write,
}

/// Where in the file a transfer begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    At(u64),
    /// Wherever the end is when the bytes are written (F7).
    End,
}

/// What a call asks for.
#[derive(Clone, Copy)]
pub(super) struct Transfer {
    pub(super) direction: Direction,
    pub(super) buffer: *mut u8,
    pub(super) len: u32,
    /// Means nothing to what has no offsets.
    pub(super) place: Place,
}

/// How a transfer ended: the bytes, or a status.
pub(super) type Outcome = Result<u32, NTSTATUS>;

/// Who is told of the end.
pub(super) enum Told {
    /// The program, as it asked for.
    Program(Operation),
    /// A call that waits.
    Caller(Arc<Waiting>),
}

pub(super) struct Request {
    pub(super) ticket: Arc<Ticket>,
    pub(super) core: Arc<Core>,
    pub(super) transfer: Transfer,
    pub(super) told: Told,
}

// SAFETY: the pointers are the caller's, who keeps what they point to alive and untouched until completion.
unsafe impl Send for Request {}

/// A call that waits for a thread of a lane.
#[derive(Default)]
pub(super) struct Waiting {
    outcome: Mutex<Option<Outcome>, rank::Leaf>,
    known: Condvar,
}

impl Waiting {
    pub(super) fn wait(&self) -> Outcome {
        let _elsewhere = blocking();
        let mut outcome = self.outcome.lock();
        loop {
            match *outcome {
                Some(outcome) => return outcome,
                None => self.known.wait(&mut outcome),
            }
        }
    }
}

/// What is stored in an OVERLAPPED.
pub(super) fn completion(outcome: Outcome) -> Completion {
    match outcome {
        Ok(bytes) => Completion::success(bytes),
        Err(status) => Completion::failure(status),
    }
}

impl Request {
    /// Carries the request out, as a thread of its lane.
    pub(super) fn run(&self, lane: &Lane) -> Outcome {
        // SAFETY: the program keeps the buffer of a pending operation, and a call that waits its own.
        unsafe {
            match self.core.kind {
                Kind::Positioned => self.transfer.positioned(&self.core).map(|(bytes, _)| bytes),
                Kind::Stream => self.transfer.streamed(&self.core, lane, &self.ticket),
            }
        }
    }

    /// Tells of the end. After that the program may free everything.
    pub(super) fn complete(&self, outcome: Outcome) {
        match &self.told {
            Told::Caller(waiting) => {
                *waiting.outcome.lock() = Some(outcome);
                waiting.known.notify_one();
            }
            Told::Program(Operation { overlapped, notice }) => {
                let overlapped = *overlapped;
                let completion = completion(outcome);
                let state = self.core.state.lock();
                let association = state.association.as_ref();
                overlapped::indicate(association, overlapped.as_ptr(), notice, self.ticket.thread, completion);
                // Last, since who waits for the handle looks at the status then, and waits on if it is not over.
                self.core.signal(&state, notice);
            }
        }
    }
}

impl Transfer {
    /// Transfers at offsets: as much as there is when reading (F11), all of it when writing. Returns also where the
    /// transfer ended.
    ///
    /// # Safety
    /// The buffer is writable or readable for its length.
    pub(super) unsafe fn positioned(&self, core: &Core) -> Result<(u32, u64), NTSTATUS> {
        let fd = core.fd.as_raw_fd();
        let mut done = 0;
        while done < self.len {
            let (buffer, len) = self.rest(done);
            // SAFETY: as the caller promises.
            let result = unsafe {
                match (self.direction, self.place) {
                    (Direction::Read, Place::At(offset)) => {
                        let from = offset + u64::from(done);
                        // No file goes on behind the last offset that there is, and the kernel refuses to look there.
                        let most = usize::try_from(i64::MAX as u64 - from).unwrap_or(usize::MAX);
                        os::file::read_at(fd, buffer, len.min(most), from)
                    }
                    (Direction::Read, Place::End) => Ok(0),
                    (Direction::Write, Place::At(offset)) => {
                        os::file::write_at(fd, buffer, len, offset + u64::from(done))
                    }
                    (Direction::Write, Place::End) => os::file::append(fd, buffer, len),
                }
            };
            match result {
                Ok(0) => break,
                Ok(bytes) => done += bytes as u32,
                // What was read is there; who reads on meets the error again.
                Err(_) if done > 0 && self.direction == Direction::Read => break,
                Err(errno) => return Err(status_from_errno(errno)),
            }
        }
        if done == 0 && self.len > 0 && self.direction == Direction::Read {
            return Err(STATUS_END_OF_FILE);
        }
        let end = match self.place {
            Place::At(offset) => offset + u64::from(done),
            Place::End => os::file::end(fd).map_err(status_from_errno)?,
        };
        Ok((done, end))
    }

    /// Transfers to or from something without offsets: what comes next when reading, all of it when writing.
    ///
    /// # Safety
    /// As for [`Transfer::positioned`].
    unsafe fn streamed(&self, core: &Core, lane: &Lane, ticket: &Ticket) -> Outcome {
        let fd = core.fd.as_raw_fd();
        let mut done = 0;
        while done < self.len {
            let (buffer, len) = self.rest(done);
            // SAFETY: as the caller promises.
            let (result, ready) = unsafe {
                match self.direction {
                    Direction::Read => (os::file::read(fd, buffer, len), libc::POLLIN),
                    Direction::Write => (os::file::write(fd, buffer, len), libc::POLLOUT),
                }
            };
            match (result, self.direction) {
                (Ok(0), Direction::Read) => return Err(STATUS_END_OF_FILE),
                (Ok(bytes), Direction::Read) => return Ok(bytes as u32),
                (Ok(bytes), Direction::Write) => done += bytes as u32,
                (Err(libc::EAGAIN), _) if lane.wait_ready(ticket, fd, ready) => {}
                (Err(libc::EAGAIN), _) => return Err(STATUS_CANCELLED),
                (Err(errno), _) => return Err(status_from_errno(errno)),
            }
        }
        Ok(done)
    }

    fn rest(&self, done: u32) -> (*mut u8, usize) {
        (self.buffer.wrapping_add(done as usize), (self.len - done) as usize)
    }
}
