//! What clients do to a server. Each function is one client thread: it goes on until its time is over.

use super::ledger::Ledger;
use super::peer::{Dice, Peer};
use std::io;
use std::net::SocketAddrV4;
use std::thread;
use std::time::{Duration, Instant};

/// What a client thread knows.
pub(super) struct Stress<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) server: SocketAddrV4,
    pub(super) end: Instant,
    /// Differs between threads and phases.
    pub(super) seed: u64,
}

pub(super) type Behaviour = fn(&Stress<'_>) -> io::Result<()>;

/// More than the server's queue for a client (--send-queue-limit) and the buffers of both systems' ends: a client that sends
/// so much and reads nothing is stopped by a window of zero.
const FLOOD: usize = 64 * 1024 * 1024;

/// Connections that one thread holds when it holds many.
const IDLE: usize = 750;
const DRIPPING: usize = 24;
const FLOODING: usize = 6;
const AT_A_TIME: usize = 12;

impl<'a> Stress<'a> {
    fn connect(&self) -> io::Result<Peer<'a>> {
        Peer::connect(self.ledger, self.server, None)
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end || self.ledger.is_over()
    }

    /// Waits until the end, as one who does nothing.
    fn wait_for_end(&self) {
        while !self.is_over() {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Connects, exchanges some messages and closes, over and over.
pub(super) fn churn(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while !stress.is_over() {
        let mut peer = stress.connect()?;
        for _ in 0..=dice.below(3) {
            peer.exchange(1 + dice.below(8 * 1024) as usize)?;
        }
        match dice.below(2) {
            0 => peer.close()?,
            _ => peer.finish()?,
        }
    }
    Ok(())
}

/// Like [`churn`], with some connections open at a time: also those that wait to be accepted are several.
pub(super) fn churn_in_waves(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while !stress.is_over() {
        let mut peers = (0..AT_A_TIME).map(|_| stress.connect()).collect::<io::Result<Vec<_>>>()?;
        for peer in &mut peers {
            peer.exchange(1 + dice.below(4 * 1024) as usize)?;
        }
        peers.into_iter().try_for_each(Peer::close)?;
    }
    Ok(())
}

/// Resets connections at each moment of their life.
pub(super) fn reset(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while !stress.is_over() {
        let mut peer = stress.connect()?;
        let moment = dice.below(6);
        match moment {
            // Before the server may have accepted it.
            0 => {}
            // In the middle of a message, whose echo may be on its way.
            1 => peer.send(1 + dice.below(32 * 1024) as usize)?,
            // Between messages.
            2 => peer.exchange(100)?,
            // In the middle of an answer.
            3 | 4 => {
                peer.send(32 * 1024)?;
                peer.receive_some(1 + dice.below(4 * 1024) as usize)?;
            }
            // After the end of what we send, while the answer is on its way.
            _ => {
                peer.send(32 * 1024)?;
                peer.half_close()?;
            }
        }
        // By SO_LINGER of zero, or by closing what has not been read: a client that has read everything closes in order.
        if moment == 4 { peer.abandon() } else { peer.reset()? }
    }
    Ok(())
}

/// Sends as fast as it can, and reads a little now and then through a small window.
pub(super) fn read_slowly(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while !stress.is_over() {
        let mut peer = Peer::connect(stress.ledger, stress.server, Some(4 * 1024))?;
        peer.exchange(1)?;
        let mut to_send = 512 * 1024;
        while to_send > 0 && !stress.is_over() {
            to_send -= peer.send_now(to_send.min(64 * 1024))?;
            if peer.owed() > 0 {
                peer.receive_some(1 + dice.below(4 * 1024) as usize)?;
            }
            thread::sleep(Duration::from_millis(dice.below(3)));
        }
        peer.finish()?;
    }
    Ok(())
}

/// Sends a byte on each connection now and then.
pub(super) fn drip(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    let mut peers = (0..DRIPPING).map(|_| stress.connect()).collect::<io::Result<Vec<_>>>()?;
    while !stress.is_over() {
        for peer in &mut peers {
            match dice.below(4) {
                // Its echo is read with the next one.
                0 => peer.send(1)?,
                _ => peer.exchange(1)?,
            }
            thread::sleep(Duration::from_micros(dice.below(500)));
        }
    }
    peers.into_iter().try_for_each(Peer::finish)
}

/// Opens very many connections, leaves them alone, and then ends half of them in order and resets the others.
pub(super) fn idle(stress: &Stress<'_>) -> io::Result<()> {
    let mut peers = Vec::with_capacity(IDLE);
    while peers.len() < IDLE && !stress.ledger.is_over() {
        let mut peer = stress.connect()?;
        peer.exchange(1)?;
        peers.push(peer);
    }
    stress.wait_for_end();
    for (index, mut peer) in peers.into_iter().enumerate() {
        match index % 4 {
            0 => peer.exchange(100).and_then(|()| peer.close())?,
            1 => peer.finish()?,
            _ => peer.reset()?,
        }
    }
    Ok(())
}

/// Sends without reading until the window is zero in both directions; then reads all, or leaves.
pub(super) fn never_read(stress: &Stress<'_>) -> io::Result<()> {
    while !stress.is_over() {
        let mut peers = (0..FLOODING).map(|_| stress.connect()).collect::<io::Result<Vec<_>>>()?;
        for peer in &mut peers {
            flood(peer)?;
        }
        for (index, peer) in peers.into_iter().enumerate() {
            match index % 3 {
                0 => peer.finish()?,
                1 => peer.reset()?,
                _ => peer.abandon(),
            }
        }
    }
    Ok(())
}

/// Sends until nothing more goes, three times in a row.
pub(super) fn flood(peer: &mut Peer<'_>) -> io::Result<()> {
    let (mut sent, mut stopped) = (0, 0);
    while stopped < 3 && sent < FLOOD {
        let count = peer.send_now(64 * 1024)?;
        sent += count;
        if count == 0 {
            stopped += 1;
            thread::sleep(Duration::from_millis(10));
        } else {
            stopped = 0;
        }
    }
    Ok(())
}

/// Ends its side before the answer, with and without a message before.
pub(super) fn half_close(stress: &Stress<'_>) -> io::Result<()> {
    let mut dice = Dice::new(stress.seed);
    while !stress.is_over() {
        let mut peer = stress.connect()?;
        match dice.below(3) {
            0 => {}
            1 => peer.send(1 + dice.below(100) as usize)?,
            _ => peer.send(1 + dice.below(64 * 1024) as usize)?,
        }
        peer.finish()?;
    }
    Ok(())
}
