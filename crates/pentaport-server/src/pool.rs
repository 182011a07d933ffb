//! Send queues that no connection needs at the moment.

use crate::send_queue::SendQueue;

/// Send queues that no connection of a worker needs at the moment, so that a steady exchange of messages allocates
/// nothing, and a connection with nothing to send holds nothing.
#[derive(Debug)]
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "a connection holds the box")]
    queues: Vec<Box<SendQueue>>,
    most: usize,
    largest: usize,
}

impl Pool {
    /// A pool that keeps `most` queues, and of each the buffers of up to `largest` bytes.
    pub(crate) const fn new(most: usize, largest: usize) -> Self {
        Pool { queues: Vec::new(), most, largest }
    }

    /// An empty queue.
    #[inline]
    pub(crate) fn take(&mut self) -> Box<SendQueue> {
        self.queues.pop().unwrap_or_default()
    }

    /// Takes a queue back; its contents are dropped.
    #[inline]
    pub(crate) fn give(&mut self, mut queue: Box<SendQueue>) {
        if self.queues.len() < self.most {
            queue.clear();
            queue.shrink(self.largest);
            self.queues.push(queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_comes_back_empty() {
        let mut pool = Pool::new(2, 100);
        let mut queue = pool.take();
        queue.end().extend_from_slice(b"secret");
        queue.front();
        queue.end().extend_from_slice(b"more");
        pool.give(queue);
        let mut again = pool.take();
        assert!(again.len() == 0 && again.front().is_empty() && again.end().is_empty());
        assert!(again.end().capacity() > 0);
        assert_eq!(pool.take().end().capacity(), 0);
    }

    #[test]
    fn what_it_keeps_is_bounded() {
        let mut pool = Pool::new(2, 100);
        for _ in 0..5 {
            pool.give(Box::default());
        }
        assert_eq!(pool.queues.len(), 2);
        let mut large = pool.take();
        large.end().reserve(1000);
        pool.give(large);
        assert_eq!(pool.take().end().capacity(), 0);
    }
}
