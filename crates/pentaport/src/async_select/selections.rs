//! Which messages are of a selection that is still on.
//!
//! A socket's number says little about a message that was queued a while ago: the socket may be closed, and its number
//! another's (Windows gives it out again at once). So each selection has a message number of its own, and only messages
//! with the number of the socket's present selection are let through.
//!
//! Accepted sockets inherit their listener's number, and the queue does not see them being accepted. So the numbers of
//! selections for `ACCEPT` are let through whichever socket they come with.

use super::{NetworkEvents, SocketId};
use crate::raw::window::NUMBERS_END;
use crate::sys::WM_APP;
use foldhash::{HashMap, HashMapExt};

/// Message numbers from here to [`NUMBERS_END`] are those of selections; below are the program's.
pub(super) const NETWORK_BEGIN: u32 = WM_APP;

/// Whether a message with this number is of a selection.
pub(super) fn is_network(number: u32) -> bool {
    number >= NETWORK_BEGIN
}

/// Fewer sockets than these are not worth looking for closed ones among them.
const FEW: usize = 256;

#[derive(Debug)]
pub(super) struct Selections {
    /// The number of each socket's present selection. The queue is not told of a socket that is closed, and its number may
    /// never be selected again: closed ones are looked for when there are twice as many as were open the last time.
    numbers: HashMap<SocketId, u32>,
    /// How many there are then.
    sweep_at: usize,
    /// Those of them that are for `ACCEPT`. Few.
    inheritable: Vec<u32>,
    next: u32,
}

impl Default for Selections {
    fn default() -> Self {
        Self { numbers: HashMap::new(), sweep_at: FEW, inheritable: Vec::new(), next: NETWORK_BEGIN }
    }
}

impl Selections {
    /// A selection of a socket has begun, with an unused number; it takes the place of an earlier one. `is_open` tells
    /// closed sockets, which are forgotten, from those that are open.
    pub(super) fn begin(
        &mut self,
        socket: SocketId,
        events: NetworkEvents,
        number: u32,
        is_open: impl Fn(SocketId) -> bool,
    ) {
        if self.numbers.len() >= self.sweep_at {
            // What is inherited from a listener that was closed may still be on: its number stays inheritable.
            self.numbers.retain(|&socket, _| is_open(socket));
            self.sweep_at = FEW.max(2 * self.numbers.len());
        }
        if let Some(earlier) = self.numbers.insert(socket, number) {
            self.withdraw(earlier);
        }
        if events.contains(NetworkEvents::ACCEPT) {
            self.inheritable.push(number);
        }
    }

    pub(super) fn end(&mut self, socket: SocketId) {
        if let Some(number) = self.numbers.remove(&socket) {
            self.withdraw(number);
        }
    }

    /// Whether a message that came with this number is of the socket's present selection, or of an inherited one.
    pub(super) fn is_current(&self, socket: SocketId, number: u32) -> bool {
        self.numbers.get(&socket) == Some(&number) || self.inheritable.contains(&number)
    }

    /// A number for a new selection: the next in turn. By the time that a number's turn comes again, 16,383 selections
    /// later, its messages are long taken; but what is inherited from it may still be on.
    pub(super) fn unused(&mut self) -> u32 {
        loop {
            let number = self.next;
            self.next = if number + 1 == NUMBERS_END { NETWORK_BEGIN } else { number + 1 };
            if !self.inheritable.contains(&number) {
                return number;
            }
        }
    }

    fn withdraw(&mut self, number: u32) {
        self.inheritable.retain(|&inheritable| inheritable != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: NetworkEvents = NetworkEvents::READ;
    const ACCEPT: NetworkEvents = NetworkEvents::ACCEPT;

    fn begin(selections: &mut Selections, socket: SocketId, events: NetworkEvents) -> u32 {
        let number = selections.unused();
        selections.begin(socket, events, number, |_| true);
        number
    }

    #[test]
    fn closed_sockets_are_forgotten_and_open_ones_are_not() {
        let mut selections = Selections::default();
        let is_open = |SocketId(number): SocketId| number % 100 == 0;
        let mut open = Vec::new();
        for socket in (0..100 * FEW).map(|number| SocketId(number as _)) {
            let number = selections.unused();
            selections.begin(socket, READ, number, is_open);
            if is_open(socket) {
                open.push((socket, number));
            }
            assert!(selections.numbers.len() <= FEW.max(2 * open.len()), "{} of {socket:?}", selections.numbers.len());
        }
        assert!(open.iter().all(|&(socket, number)| selections.is_current(socket, number)));
    }

    #[test]
    fn an_earlier_selection_of_the_same_number_is_over() {
        let mut selections = Selections::default();
        let (one, two) = (SocketId(4), SocketId(8));
        let first = begin(&mut selections, one, READ);
        let second = begin(&mut selections, two, READ);
        assert!(selections.is_current(one, first) && selections.is_current(two, second));
        assert!(!selections.is_current(two, first));
        let again = begin(&mut selections, one, READ);
        assert!(!selections.is_current(one, first) && selections.is_current(one, again));
        selections.end(one);
        assert!(!selections.is_current(one, again) && selections.is_current(two, second));
    }

    #[test]
    fn what_a_listener_passes_on_is_let_through_while_its_selection_is_on() {
        let mut selections = Selections::default();
        let (listener, accepted) = (SocketId(4), SocketId(8));
        let number = begin(&mut selections, listener, ACCEPT | READ);
        assert!(selections.is_current(accepted, number));
        // Numbers go round, but not through the one that is inherited.
        for _ in 0..3 * (NUMBERS_END - NETWORK_BEGIN) {
            assert_ne!(begin(&mut selections, accepted, READ), number);
        }
        selections.end(listener);
        assert!(!selections.is_current(accepted, number) && !selections.is_current(listener, number));
    }

    #[test]
    fn numbers_stay_within_their_range() {
        let mut selections = Selections::default();
        for _ in 0..2 * (NUMBERS_END - NETWORK_BEGIN) {
            let number = begin(&mut selections, SocketId(4), READ);
            assert!(is_network(number) && number < NUMBERS_END);
        }
    }
}
