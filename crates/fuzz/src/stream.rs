//! The model of connections: which bytes each direction owes, so that a receive can be judged by itself.
//!
//! Every send has a number in its direction, and its bytes follow from the number and their place. A receiver keeps the
//! places where it may be in the stream; each byte that comes has to fit one of them. That is one place, unless a send was
//! cancelled or failed: such a one may end anywhere. So order and "exactly once" are judged without keeping any data.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What the file holds that TransmitFile sends.
pub(crate) const FILE_LENGTH: usize = 20_000;

/// A byte of that file.
pub(crate) fn file_byte(at: usize) -> u8 {
    (at.wrapping_mul(0x9E37_79B1) >> 11) as u8
}

/// Where the bytes of a send come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// From its number.
    Own,
    /// From the file, behind a head with so many bytes of the file's beginning.
    File(usize),
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    length: usize,
    content: Content,
    /// It may have ended anywhere.
    torn: bool,
    /// It was told to have succeeded.
    done: bool,
}

impl Sent {
    fn byte(&self, direction: u32, number: usize, at: usize) -> u8 {
        match self.content {
            Content::Own => own_byte(direction, number, at),
            Content::File(head) if at < head => file_byte(at),
            Content::File(head) => file_byte(at - head),
        }
    }
}

fn own_byte(direction: u32, number: usize, at: usize) -> u8 {
    let x = (direction as usize).wrapping_mul(0x85EB_CA6B)
        ^ number.wrapping_mul(0xC2B2_AE35)
        ^ at.wrapping_mul(0x9E37_79B1);
    (x >> 13) as u8
}

/// How a receive ended.
#[derive(Debug)]
pub(crate) enum Got {
    /// With these bytes.
    Data(Vec<u8>),
    /// With the end of the stream.
    End,
    /// With nothing: it failed, or asked for no bytes.
    Nothing,
}

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Direction {
    id: u32,
    /// Receives and sends are not kept in order by the model: nothing is judged.
    pub wild: AtomicBool,
    /// Its sender was told to end it.
    pub ended: AtomicBool,
    /// To be held for the time of a call that sends.
    pub send_gate: Mutex<()>,
    /// To be held for the time of a call that receives: the number of the next receive.
    pub receive_gate: Mutex<u64>,
    sends: Mutex<Vec<Sent>>,
    reader: Mutex<Reader>,
}

#[derive(Debug, Default)]
struct Reader {
    next: u64,
    /// Receives that ended before an earlier one was seen to.
    early: BTreeMap<u64, Got>,
    places: Vec<(usize, usize)>,
    bytes: u64,
}

impl Direction {
    fn new(id: u32) -> Direction {
        let reader = Reader { places: vec![(0, 0)], ..Reader::default() };
        Direction {
            id,
            wild: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            send_gate: Mutex::new(()),
            receive_gate: Mutex::new(0),
            sends: Mutex::default(),
            reader: Mutex::new(reader),
        }
    }

    /// Nothing is judged any more.
    pub(crate) fn go_wild(&self) {
        self.wild.store(true, Ordering::SeqCst);
    }

    /// Announces a send, before the call; its number. It is torn if it may end anywhere.
    pub(crate) fn announce(&self, length: usize, content: Content, torn: bool) -> usize {
        let mut sends = self.sends.lock().unwrap();
        sends.push(Sent { length, content, torn, done: false });
        sends.len() - 1
    }

    /// The bytes of a send.
    pub(crate) fn bytes(&self, number: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| own_byte(self.id, number, at)).collect()
    }

    /// The call that was to send did nothing.
    pub(crate) fn withdraw(&self, number: usize) {
        let sent = &mut self.sends.lock().unwrap()[number];
        sent.length = 0;
        sent.done = true;
    }

    /// The send may end anywhere: something was done that may cancel it.
    pub(crate) fn tear(&self, number: usize) {
        let sent = &mut self.sends.lock().unwrap()[number];
        sent.torn = !sent.done;
    }

    /// All sends that are not known to have succeeded may end anywhere.
    pub(crate) fn tear_all(&self) {
        self.sends.lock().unwrap().iter_mut().for_each(|sent| sent.torn = !sent.done);
    }

    /// The send has succeeded, so that all of it is owed.
    pub(crate) fn sent(&self, number: usize) {
        let sent = &mut self.sends.lock().unwrap()[number];
        (sent.done, sent.torn) = (true, false);
    }

    /// A receive ended. Says what is wrong with what it got, if anything is. `lossy` says whether bytes may be missing at the
    /// end of the stream.
    pub(crate) fn received(&self, ticket: u64, got: Got, lossy: impl Fn() -> bool) -> Result<(), String> {
        let mut reader = self.reader.lock().unwrap();
        reader.early.insert(ticket, got);
        loop {
            let next = reader.next;
            let Some(got) = reader.early.remove(&next) else { return Ok(()) };
            reader.next += 1;
            if self.wild.load(Ordering::SeqCst) {
                continue;
            }
            match got {
                Got::Nothing => {}
                Got::Data(data) => self.judge_data(&mut reader, &data)?,
                Got::End => self.judge_end(&reader, &lossy)?,
            }
        }
    }

    fn judge_data(&self, reader: &mut Reader, data: &[u8]) -> Result<(), String> {
        let sends = self.sends.lock().unwrap();
        let (mut places, mut next) = (std::mem::take(&mut reader.places), Vec::new());
        let mut at = 0;
        while at < data.len() {
            if let [(number, offset)] = places[..]
                && let Some(sent) = sends.get(number).filter(|sent| !sent.torn && offset < sent.length)
            {
                // Mostly so: there is one place, and the send goes on.
                let run = (sent.length - offset).min(data.len() - at);
                let right = |&it: &usize| sent.byte(self.id, number, offset + it) == data[at + it];
                let fits = (0..run).take_while(right).count();
                at += fits;
                places[0].1 += fits;
                if fits == run {
                    continue;
                }
                next.clear();
            } else {
                next.clear();
                for_each_place(&sends, &places, |(number, offset)| {
                    let here = sends.get(number).filter(|sent| offset < sent.length);
                    let fits = here.is_some_and(|sent| sent.byte(self.id, number, offset) == data[at]);
                    if fits && !next.contains(&(number, offset + 1)) {
                        next.push((number, offset + 1));
                    }
                });
            }
            if next.is_empty() {
                return Err(format!(
                    "byte {at} of {} that a receive got, byte {} of the stream, is {:#04x}, and none of the places \
                     {places:?} (send, offset) has it; sends: {:?}",
                    data.len(),
                    reader.bytes + at as u64,
                    data[at],
                    &sends[..]
                ));
            }
            std::mem::swap(&mut places, &mut next);
            at += 1;
        }
        reader.places = places;
        reader.bytes += data.len() as u64;
        Ok(())
    }

    fn judge_end(&self, reader: &Reader, lossy: &dyn Fn() -> bool) -> Result<(), String> {
        if lossy() {
            return Ok(());
        }
        if !self.ended.load(Ordering::SeqCst) {
            return Err("a receive got the end of a stream that nobody has ended".to_owned());
        }
        let mut sends = self.sends.lock().unwrap().clone();
        // What is not known to have succeeded need not have come.
        sends.iter_mut().for_each(|sent| sent.torn |= !sent.done);
        let mut at_end = false;
        for_each_place(&sends, &reader.places, |(number, _)| at_end |= number == sends.len());
        if lossy() || at_end {
            return Ok(());
        }
        let places = &reader.places;
        Err(format!("the stream ended at the places {places:?} (send, offset), before its last byte; sends: {sends:?}"))
    }
}

/// Calls `f` for these places and those that are the same: behind a send is before the next one, and a torn one may end where
/// it is.
fn for_each_place(sends: &[Sent], places: &[(usize, usize)], mut f: impl FnMut((usize, usize))) {
    for &(mut number, mut offset) in places {
        loop {
            f((number, offset));
            match sends.get(number) {
                Some(sent) if sent.torn || offset >= sent.length => (number, offset) = (number + 1, 0),
                _ => break,
            }
        }
    }
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that connected.
    Client,
    /// The one that was accepted.
    Server,
}

/// A connection, from when a client begins to connect.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Its number in the world.
    pub id: u32,
    from_client: Direction,
    from_server: Direction,
    /// Either end was closed or reset: what was on its way may be lost, and operations may fail.
    pub broken: AtomicBool,
    /// Some accept gave it.
    pub claimed: AtomicBool,
    /// The other end is a socket of the model, whose doings are known.
    pub accepted: AtomicBool,
}

impl Connection {
    /// A new one.
    pub(crate) fn new(id: u32) -> Arc<Connection> {
        Arc::new(Connection {
            id,
            from_client: Direction::new(2 * id),
            from_server: Direction::new(2 * id + 1),
            broken: AtomicBool::new(false),
            claimed: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
        })
    }

    /// What this side sends.
    pub(crate) fn from(&self, side: Side) -> &Direction {
        match side {
            Side::Client => &self.from_client,
            Side::Server => &self.from_server,
        }
    }

    /// What this side receives.
    pub(crate) fn to(&self, side: Side) -> &Direction {
        match side {
            Side::Client => &self.from_server,
            Side::Server => &self.from_client,
        }
    }

    /// Whether bytes may be lost, and operations fail: an end was closed, or nobody is known to have accepted it.
    pub(crate) fn is_lossy(&self) -> bool {
        self.broken.load(Ordering::SeqCst) || !self.accepted.load(Ordering::SeqCst)
    }

    /// Either end is closed or reset from now on.
    pub(crate) fn break_off(&self) {
        self.broken.store(true, Ordering::SeqCst);
        for direction in [&self.from_client, &self.from_server] {
            direction.ended.store(true, Ordering::SeqCst);
            direction.tear_all();
        }
    }

    /// Nothing of it is judged any more.
    pub(crate) fn go_wild(&self) {
        self.break_off();
        self.from_client.go_wild();
        self.from_server.go_wild();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(direction: &Direction, number: usize, range: std::ops::Range<usize>) -> Got {
        Got::Data(direction.bytes(number, range.end)[range].to_vec())
    }

    #[test]
    fn bytes_in_order_are_right_and_others_are_not() {
        let whole = Direction::new(1);
        assert_eq!([whole.announce(10, Content::Own, false), whole.announce(10, Content::Own, false)], [0, 1]);
        whole.received(1, data(&whole, 1, 0..10), || false).unwrap();
        whole.received(0, data(&whole, 0, 0..10), || false).unwrap();
        let twice = Direction::new(1);
        twice.announce(10, Content::Own, false);
        twice.received(0, data(&twice, 0, 0..5), || false).unwrap();
        twice.received(1, data(&twice, 0, 4..9), || false).unwrap_err();
    }

    #[test]
    fn a_send_that_may_be_cancelled_may_end_anywhere() {
        let direction = Direction::new(1);
        direction.announce(100, Content::Own, false);
        direction.announce(100, Content::Own, false);
        direction.tear(0);
        direction.received(0, data(&direction, 0, 0..37), || false).unwrap();
        direction.received(1, data(&direction, 1, 0..100), || false).unwrap();
        direction.received(2, data(&direction, 0, 37..100), || false).unwrap_err();
    }

    #[test]
    fn an_end_before_the_last_byte_is_wrong() {
        let direction = Direction::new(1);
        direction.received(0, Got::End, || false).unwrap_err();
        direction.announce(3, Content::Own, false);
        direction.sent(0);
        direction.ended.store(true, Ordering::SeqCst);
        direction.received(1, Got::End, || false).unwrap_err();
        direction.received(2, data(&direction, 0, 0..3), || false).unwrap();
        direction.received(3, Got::End, || false).unwrap();
    }
}
