//! The bytes that are sent: a stream for each connection in which every position is its own.

use std::ops::Range;

/// Pseudo-random bytes by position (SplitMix64 over the number of the 8-byte word).
///
/// Nothing is stored: any range can be made again, to be sent or to be compared. A stream of
/// repeated messages would not tell a lost message from a late one; this does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    key: u64,
}

/// A byte that came back wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) position: u64,
    pub(crate) sent: u8,
    pub(crate) received: u8,
}

impl Pattern {
    /// The stream of connection number `connection` in the run that `seed` makes.
    pub(crate) fn new(seed: u64, connection: u64) -> Pattern {
        Pattern { key: scramble(scramble(seed) ^ connection) }
    }

    /// Writes the bytes from `position` on.
    pub(crate) fn fill(&self, position: u64, bytes: &mut [u8]) {
        self.each_word(position, bytes.len(), |range, word| bytes[range].copy_from_slice(word));
    }

    /// Compares what came back at `position` with what was sent there.
    pub(crate) fn check(&self, position: u64, received: &[u8]) -> Result<(), Mismatch> {
        let mut first = None;
        self.each_word(position, received.len(), |range, word| {
            if first.is_none() && received[range.clone()] != *word {
                first =
                    received[range.clone()].iter().zip(word).position(|(received, sent)| received != sent).map(|i| {
                        Mismatch {
                            position: position + (range.start + i) as u64,
                            sent: word[i],
                            received: received[range.start + i],
                        }
                    });
            }
        });
        first.map_or(Ok(()), Err)
    }

    /// Walks `length` bytes from `position` word by word; the first and the last may be partial.
    #[inline]
    fn each_word(&self, position: u64, length: usize, mut visit: impl FnMut(Range<usize>, &[u8])) {
        let mut done = 0;
        while done < length {
            let at = position + done as u64;
            let word = scramble(self.key.wrapping_add((at / 8).wrapping_mul(GOLDEN))).to_le_bytes();
            let skip = (at % 8) as usize;
            let n = (8 - skip).min(length - done);
            visit(done..done + n, &word[skip..skip + n]);
            done += n;
        }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(pattern: Pattern, position: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        pattern.fill(position, &mut bytes);
        bytes
    }

    #[test]
    fn any_cut_of_the_stream_is_the_same_stream() {
        let pattern = Pattern::new(1, 7);
        let whole = bytes(pattern, 0, 100);
        for from in 0..20 {
            for to in from..100 {
                assert_eq!(bytes(pattern, from as u64, to - from), whole[from..to]);
                assert_eq!(pattern.check(from as u64, &whole[from..to]), Ok(()));
            }
        }
    }

    #[test]
    fn a_wrong_byte_is_found_where_it_is() {
        let pattern = Pattern::new(1, 7);
        let whole = bytes(pattern, 3, 61);
        for i in 0..whole.len() {
            let mut wrong = whole.clone();
            wrong[i] ^= 0x80;
            let expected = Mismatch { position: 3 + i as u64, sent: whole[i], received: whole[i] ^ 0x80 };
            assert_eq!(pattern.check(3, &wrong), Err(expected));
        }
    }

    #[test]
    fn shifted_swapped_and_strange_bytes_are_found() {
        let pattern = Pattern::new(1, 7);
        assert!(pattern.check(0, &bytes(pattern, 1, 64)).is_err(), "shifted by one");
        assert!(pattern.check(0, &bytes(pattern, 64, 64)).is_err(), "the next message");
        assert!(pattern.check(64, &bytes(pattern, 0, 64)).is_err(), "the message before");
        assert!(pattern.check(0, &bytes(Pattern::new(1, 8), 0, 64)).is_err(), "a neighbour's");
        assert!(pattern.check(0, &bytes(Pattern::new(2, 7), 0, 64)).is_err(), "another run's");
    }
}
