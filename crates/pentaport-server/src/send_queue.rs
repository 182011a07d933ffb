//! What waits to be sent on one connection.

/// What waits to be sent on one connection: two buffers. One is being sent, the other collects what comes meanwhile;
/// when the first has been sent, they change places. So many small answers become one send, and nothing is moved.
///
/// A third one is the place of a buffer that was received into, and is sent as it is.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// What is being sent, unless `received` is; empty while [`SendQueue::take_front`] lends it out.
    flight: Vec<u8>,
    /// What was received and is being sent, or was sent; lent out as the flight is.
    received: Vec<u8>,
    /// Whether `received` is what is being sent.
    returns: bool,
    start: usize,
    /// Bytes of the flight from `start` on that are not sent yet, wherever the buffer is.
    flying: usize,
    /// What is to be sent after the flight.
    queue: Vec<u8>,
}

impl SendQueue {
    /// How many bytes wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.flying + self.queue.len()
    }

    /// The end of the queue, to be appended to.
    #[inline]
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.queue
    }

    /// Appends bytes that are in a buffer already.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        if self.queue.capacity() == 0 {
            self.queue = bytes;
        } else {
            self.queue.extend_from_slice(&bytes);
        }
    }

    /// Appends the first `count` bytes of `buffer`, which becomes another one of its length. Nothing waits.
    pub(crate) fn send_back(&mut self, buffer: &mut Vec<u8>, count: usize) {
        debug_assert!(self.len() == 0 && count <= buffer.len(), "bytes are lost");
        std::mem::swap(&mut self.received, buffer);
        buffer.resize(self.received.len(), 0);
        self.returns = true;
        self.start = 0;
        self.flying = count;
    }

    /// The bytes to be sent next.
    #[inline]
    pub(crate) fn front(&mut self) -> &[u8] {
        if self.returns {
            return &self.received[self.start..][..self.flying];
        }
        self.fill_flight();
        &self.flight[self.start..]
    }

    /// The bytes to be sent next, in their buffer, which [`sent_from`](Self::sent_from) gives back.
    pub(crate) fn take_front(&mut self) -> Vec<u8> {
        self.fill_flight();
        let (start, end) = (self.start, self.start + self.flying);
        self.start = 0;
        let mut buffer = std::mem::take(self.in_flight());
        buffer.truncate(end);
        buffer.drain(..start);
        buffer
    }

    /// The next `count` bytes have been sent.
    #[inline]
    pub(crate) fn sent(&mut self, count: usize) {
        debug_assert!(count <= self.flying, "more was sent than given");
        self.flying -= count;
        self.start += count;
        if self.flying == 0 {
            self.flight.clear();
            self.returns = false;
            self.start = 0;
        }
    }

    /// As [`sent`](Self::sent), for `buffer`, which [`take_front`](Self::take_front) lent.
    pub(crate) fn sent_from(&mut self, buffer: Vec<u8>, count: usize) {
        *self.in_flight() = buffer;
        self.sent(count);
    }

    /// Drops what waits.
    pub(crate) fn clear(&mut self) {
        self.flight.clear();
        self.queue.clear();
        self.returns = false;
        self.start = 0;
        self.flying = 0;
    }

    /// Drops the buffers that have grown beyond `largest`.
    pub(crate) fn shrink(&mut self, largest: usize) {
        for buffer in [&mut self.flight, &mut self.received, &mut self.queue] {
            if buffer.capacity() > largest {
                *buffer = Vec::new();
            }
        }
        // The buffer that has served will serve again.
        if self.queue.capacity() < self.flight.capacity() {
            std::mem::swap(&mut self.flight, &mut self.queue);
        }
    }

    #[inline]
    fn in_flight(&mut self) -> &mut Vec<u8> {
        if self.returns { &mut self.received } else { &mut self.flight }
    }

    fn fill_flight(&mut self) {
        if self.flying == 0 {
            std::mem::swap(&mut self.flight, &mut self.queue);
            self.start = 0;
            self.flying = self.flight.len();
        }
    }
}
