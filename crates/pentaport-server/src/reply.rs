//! Where a service puts what is to be sent.

use std::io;

/// Where a [`Service`](crate::Service) puts what is to be sent: the end of the connection's send queue.
///
/// Nothing is sent before the service returns; then all of it is sent as one.
#[derive(Debug)]
pub struct Reply<'a> {
    queue: &'a mut Vec<u8>,
    queued_before: usize,
    /// What is answered, if it need not be copied to be sent back.
    received: &'a [u8],
    /// All of `received` is the answer so far.
    returns: bool,
    room: usize,
    close: bool,
    again: bool,
    stopping: bool,
}

impl<'a> Reply<'a> {
    /// A reply that is collected at the end of `queue`, where `room` bytes are wanted; a program needs this only to
    /// test its service.
    pub fn new(queue: &'a mut Vec<u8>, room: usize) -> Self {
        Reply::to(&[], queue, room, false)
    }

    /// A reply to what was received, for a conversation that can send it back without a copy, since nothing waits to be
    /// sent; or, with nothing received, for one that cannot. `stopping` says whether the server is being stopped.
    pub(crate) fn to(received: &'a [u8], queue: &'a mut Vec<u8>, room: usize, stopping: bool) -> Self {
        let queued_before = queue.len();
        Reply { queue, queued_before, received, returns: false, room, close: false, again: false, stopping }
    }

    /// Queues `bytes`. All are taken, also those for which there is no [`room`](Self::room): they are the answer to
    /// something that was received, and nothing more will be until they have left. Much that was received, sent back as it
    /// came, is not copied.
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) {
        if !self.received.is_empty() && self.takes(bytes) {
            return;
        }
        self.queue.extend_from_slice(bytes);
    }

    /// Queues `bytes` without copying them, if nothing else is queued.
    pub fn send_vec(&mut self, bytes: Vec<u8>) {
        self.copy();
        if self.queue.is_empty() && self.queue.capacity() < bytes.len() {
            *self.queue = bytes;
        } else {
            self.queue.extend_from_slice(&bytes);
        }
    }

    /// How many bytes more the send queue is meant to take. A service that makes up what it sends stops there and says
    /// [`again`](Self::again).
    pub fn room(&self) -> usize {
        let returned = if self.returns { self.received.len() } else { 0 };
        self.room.saturating_sub(self.queue.len() - self.queued_before + returned)
    }

    /// Ends the connection as soon as all that is queued has been sent. What the peer sends meanwhile is discarded.
    pub fn close(&mut self) {
        self.close = true;
    }

    /// Asks for a call of [`Service::more`](crate::Service::more) as soon as half of the send queue is free.
    pub fn again(&mut self) {
        self.again = true;
    }

    /// Whether the server is being [stopped](crate::Handle::stop). A service that sends without end ends here; an answer
    /// that has an end is completed, if [`Options::drain`](crate::Options::drain) is enough for it.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether [`close`](Self::close) was called.
    pub fn closes(&self) -> bool {
        self.close
    }

    /// Whether [`again`](Self::again) was called.
    pub fn wants_more(&self) -> bool {
        self.again
    }

    /// Whether the answer is all that was received, which nobody has copied.
    pub(crate) fn returns(&self) -> bool {
        self.returns
    }

    /// Whether these are the bytes that were received, and the beginning of the answer: they are not copied then, unless
    /// something follows.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        let returns = !self.returns && self.queue.is_empty() && std::ptr::eq(bytes, self.received);
        if returns {
            self.returns = true;
        } else if !bytes.is_empty() {
            self.copy();
        }
        returns
    }

    /// Makes an ordinary answer of one that was not copied.
    fn copy(&mut self) {
        if std::mem::take(&mut self.returns) {
            self.queue.extend_from_slice(self.received);
        }
        self.received = &[];
    }
}

/// Writing is [`send`](Reply::send) and never fails; flushing does nothing.
impl io::Write for Reply<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
