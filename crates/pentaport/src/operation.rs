//! Operations: the records that go to the system and come back, whichever way their completion is told.

use crate::event_select::Event;
use crate::raw::record::Record;
use crate::socket::Socket;
use crate::{Error, Result};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::{Bound, RangeBounds};

/// What sort of operation it is that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// To receive data.
    Receive,
    /// To wait until there is something to receive.
    ReceiveReady,
    /// To send data.
    Send,
    /// To receive a datagram.
    ReceiveFrom,
    /// To send a datagram.
    SendTo,
    /// To accept a connection.
    Accept,
    /// To connect.
    Connect,
    /// No operation: a packet that was posted. Also what an operation is called that never started.
    Posted,
}

/// One operation: a buffer, a context of the program's, and what the system needs to know; one allocation.
///
/// It is made once and started again and again. Starting moves it into the system; its packet brings it back, or the
/// [`Completion`](crate::overlapped::Completion) of an operation by event or by routine.
///
/// Receives and sends use the part of the buffer that [`set_range`](Self::set_range) names, or else all of it (its
/// length, not its capacity). The range holds for one start.
#[doc(alias = "OVERLAPPED")]
#[doc(alias = "WSAOVERLAPPED")]
pub struct Operation<C> {
    record: Box<Record<C>>,
}

impl<C> Operation<C> {
    /// An operation with this buffer and this context (the documents' per-I/O data).
    pub fn new(buffer: Vec<u8>, context: C) -> Self {
        Self::from_record(Record::new(buffer, context))
    }

    pub(crate) fn from_record(record: Box<Record<C>>) -> Self {
        Self { record }
    }

    pub(crate) fn into_record(self) -> Box<Record<C>> {
        self.record
    }

    /// The buffer.
    pub fn buffer(&self) -> &[u8] {
        &self.record.buffer
    }

    /// The buffer: to be filled before a send, resized before a receive, or taken.
    pub fn buffer_mut(&mut self) -> &mut Vec<u8> {
        &mut self.record.buffer
    }

    /// The context.
    pub fn context(&self) -> &C {
        &self.record.context
    }

    /// The context, to be changed.
    pub fn context_mut(&mut self) -> &mut C {
        &mut self.record.context
    }

    /// Buffer and context, when the operation is no longer needed.
    pub fn into_parts(self) -> (Vec<u8>, C) {
        let Record { buffer, context, .. } = *self.record;
        (buffer, context)
    }

    /// Names the part of the buffer that the next start uses. If it is not within the buffer then, the start fails
    /// with `WSAEFAULT`.
    pub fn set_range(&mut self, range: impl RangeBounds<usize>) {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.record.buffer.len(),
        };
        self.record.ask_for(start..end);
    }

    /// As [`set_range`](Self::set_range): `socket.send(operation.with_range(..count))`.
    #[must_use]
    pub fn with_range(mut self, range: impl RangeBounds<usize>) -> Self {
        self.set_range(range);
        self
    }

    /// The operation's event, which is set when it completes by event. It is made here, or by the first start by event,
    /// and stays the operation's from then on.
    ///
    /// # Errors
    /// What the system lacks.
    #[doc(alias = "hEvent")]
    pub fn event(&mut self) -> Result<&Event> {
        match &mut self.record.event {
            Some(event) => Ok(event),
            none => Ok(none.insert(Event::manual_reset()?)),
        }
    }

    /// What kind of operation this was last.
    pub fn kind(&self) -> OperationKind {
        self.record.kind
    }

    /// How many bytes the last operation transferred. For a datagram that was cut off, whose result is an error
    /// (`ERROR_MORE_DATA`, `WSAEMSGSIZE`), as many as fit.
    #[doc(alias = "lpNumberOfBytesTransferred")]
    pub fn transferred(&self) -> usize {
        self.record.transferred as usize
    }

    /// What the last receive put into the buffer; empty if it was no receive.
    pub fn received(&self) -> &[u8] {
        use OperationKind::{Accept, Receive, ReceiveFrom};
        if !matches!(self.record.kind, Receive | ReceiveFrom | Accept) {
            return &[];
        }
        let range = self.record.range();
        // The program may have shortened the buffer since.
        let part = self.record.buffer.get(range).unwrap_or_default();
        &part[..self.transferred().min(part.len())]
    }

    /// Who sent the datagram, after a `receive_from` that did not fail.
    pub fn sender(&self) -> Option<SocketAddr> {
        (self.record.kind == OperationKind::ReceiveFrom).then(|| self.record.sender()).flatten()
    }

    /// The connection, after an `accept` that did not fail. Given once.
    pub fn take_accepted(&mut self) -> Option<Accepted> {
        self.record.take_accepted()
    }

    /// The unused socket, after an `accept` that failed or did not start. Given once.
    pub fn take_acceptor(&mut self) -> Option<Socket> {
        self.record.take_acceptor()
    }
}

impl<C> From<C> for Operation<C> {
    /// An operation without a buffer, to be posted.
    fn from(context: C) -> Self {
        Self::new(Vec::new(), context)
    }
}

impl<C: fmt::Debug> fmt::Debug for Operation<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("kind", &self.kind())
            .field("buffer", &self.buffer().len())
            .field("transferred", &self.transferred())
            .field("context", self.context())
            .finish()
    }
}

/// A connection that an [`accept`](crate::completion_port::PortSocket::accept) operation made.
#[derive(Debug)]
pub struct Accepted {
    /// The socket that was given to the operation, now connected.
    pub socket: Socket,
    /// The address of this end.
    pub local: SocketAddr,
    /// The caller's address.
    pub peer: SocketAddr,
}

/// An operation that did not start, or failed at once: nothing else tells of it.
pub struct Failed<C> {
    /// Why.
    pub error: Error,
    /// The operation, as it was.
    pub operation: Operation<C>,
}

impl<C> Failed<C> {
    pub(crate) fn new((error, record): (Error, Box<Record<C>>)) -> Self {
        Self { error, operation: Operation::from_record(record) }
    }
}

impl<C> fmt::Debug for Failed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<C> fmt::Display for Failed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<C> std::error::Error for Failed<C> {}

impl<C> From<Failed<C>> for Error {
    fn from(failed: Failed<C>) -> Self {
        failed.error
    }
}

impl<C> From<Failed<C>> for io::Error {
    fn from(failed: Failed<C>) -> Self {
        failed.error.into()
    }
}

// Sizes that a program has one of for each operation in flight, held so that they do not grow unnoticed.
const _: () = assert!(size_of::<Operation<()>>() == size_of::<usize>());
const _: () = assert!(size_of::<Result<usize>>() <= 2 * size_of::<usize>());
