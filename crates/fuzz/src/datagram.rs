//! Datagrams that say who sent them, and what is in them.

use crate::socket::Sock;
use crate::world::World;
use std::sync::atomic::Ordering;

/// World, sender, number, length: four bytes each.
pub(crate) const HEADER: usize = 16;

impl World {
    /// The next datagram of a socket, of this length: no less than the header.
    pub(crate) fn next_datagram(&self, socket: &Sock, length: usize) -> Vec<u8> {
        let number = socket.next_datagram.fetch_add(1, Ordering::SeqCst);
        let mut bytes = Vec::with_capacity(length);
        for word in [self.nonce, socket.id, number, length as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend((HEADER..length).map(|at| content(socket.id, number, at)));
        bytes
    }

    /// Judges a datagram that a socket received, perhaps only its beginning.
    pub(crate) fn datagram(&self, socket: &Sock, bytes: &[u8]) -> Result<(), String> {
        let word =
            |at: usize| bytes.get(at..at + 4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")));
        let (Some(nonce), Some(sender), Some(number), Some(length)) = (word(0), word(4), word(8), word(12)) else {
            // A small buffer got less than the header.
            return Ok(());
        };
        if nonce != self.nonce {
            return Ok(());
        }
        let right = |(at, &byte): (usize, &u8)| byte == content(sender, number, at);
        if bytes.len() > length as usize || !bytes.iter().enumerate().skip(HEADER).all(right) {
            return Err(format!("datagram {number} of socket {sender} was changed: {} of {length} bytes", bytes.len()));
        }
        if !socket.seen.lock().unwrap().insert((sender, number)) {
            return Err(format!("datagram {number} of socket {sender} came twice to socket {}", socket.id));
        }
        Ok(())
    }
}

fn content(sender: u32, number: u32, at: usize) -> u8 {
    (sender.wrapping_mul(0x9E37_79B1) ^ number.wrapping_mul(0x85EB_CA6B) ^ (at as u32).wrapping_mul(0xC2B2_AE35)) as u8
}
