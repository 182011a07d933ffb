//! Send buffers that no connection needs at the moment.

/// Send buffers that no connection of a worker needs at the moment, so that a steady exchange of messages allocates
/// nothing, and a connection with nothing to send holds nothing.
#[derive(Debug)]
pub(crate) struct Pool {
    buffers: Vec<Vec<u8>>,
    most: usize,
    largest: usize,
}

impl Pool {
    /// A pool that keeps `most` buffers of up to `largest` bytes.
    pub(crate) const fn new(most: usize, largest: usize) -> Self {
        Pool { buffers: Vec::new(), most, largest }
    }

    /// An empty buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back; its contents are dropped.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        if capacity > 0 && capacity <= self.largest && self.buffers.len() < self.most {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty() {
        let mut pool = Pool::new(2, 100);
        pool.give(b"secret".to_vec());
        let again = pool.take();
        assert!(again.is_empty() && again.capacity() > 0);
        assert_eq!(pool.take().capacity(), 0);
    }

    #[test]
    fn what_it_keeps_is_bounded() {
        let mut pool = Pool::new(2, 100);
        for _ in 0..5 {
            pool.give(vec![0; 50]);
        }
        pool.give(vec![0; 1000]);
        assert_eq!(pool.buffers.len(), 2);
    }
}
