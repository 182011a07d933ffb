//! What waits to be sent on one connection.

/// What waits to be sent on one connection: two buffers. One is being sent, the other collects what comes meanwhile;
/// when the first has been sent, they change places. So many small answers become one send, and nothing is moved.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// What is being sent, from `start` on; empty while [`SendQueue::take_front`] lends it out.
    flight: Vec<u8>,
    start: usize,
    /// Bytes of the flight that are not sent yet, wherever the buffer is.
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

    /// The bytes to be sent next.
    #[inline]
    pub(crate) fn front(&mut self) -> &[u8] {
        self.fill_flight();
        &self.flight[self.start..]
    }

    /// The bytes to be sent next, in their buffer, which [`sent_from`](Self::sent_from) gives back.
    pub(crate) fn take_front(&mut self) -> Vec<u8> {
        self.fill_flight();
        self.flight.drain(..self.start);
        self.start = 0;
        std::mem::take(&mut self.flight)
    }

    /// The next `count` bytes have been sent.
    #[inline]
    pub(crate) fn sent(&mut self, count: usize) {
        debug_assert!(count <= self.flying, "more was sent than given");
        self.flying -= count;
        self.start += count;
        if self.flying == 0 {
            self.flight.clear();
            self.start = 0;
        }
    }

    /// As [`sent`](Self::sent), for `buffer`, which [`take_front`](Self::take_front) lent.
    pub(crate) fn sent_from(&mut self, buffer: Vec<u8>, count: usize) {
        self.flight = buffer;
        self.sent(count);
    }

    /// Drops what waits.
    pub(crate) fn clear(&mut self) {
        self.flight.clear();
        self.queue.clear();
        self.start = 0;
        self.flying = 0;
    }

    /// Drops the buffers that have grown beyond `largest`.
    pub(crate) fn shrink(&mut self, largest: usize) {
        for buffer in [&mut self.flight, &mut self.queue] {
            if buffer.capacity() > largest {
                *buffer = Vec::new();
            }
        }
        // The buffer that has served will serve again.
        if self.queue.capacity() < self.flight.capacity() {
            std::mem::swap(&mut self.flight, &mut self.queue);
        }
    }

    fn fill_flight(&mut self) {
        if self.flying == 0 {
            std::mem::swap(&mut self.flight, &mut self.queue);
            self.start = 0;
            self.flying = self.flight.len();
        }
    }
}
