//! WSAPoll.

use super::{Outcome, Socket, count_or_error};
use pentaport::sys;

/// What a socket is asked for and what the call says that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollEntry {
    /// The handle's value.
    pub fd: usize,
    /// What is asked for.
    pub events: i16,
    /// What the call says.
    pub revents: i16,
}

impl PollEntry {
    /// Asks for `events` of a socket; `revents` is what no call says.
    pub fn of(socket: &Socket, events: i16) -> Self {
        Self::of_raw(socket.raw(), events)
    }

    /// The same of any value.
    pub fn of_raw(fd: usize, events: i16) -> Self {
        Self { fd, events, revents: i16::MIN }
    }
}

/// WSAPoll; a negative timeout waits for ever.
pub fn wsa_poll(entries: &mut [PollEntry], milliseconds: i32) -> Outcome<usize> {
    let mut array: Vec<_> = entries
        .iter()
        .map(|entry| sys::WSAPOLLFD { fd: entry.fd, events: entry.events, revents: entry.revents })
        .collect();
    // SAFETY: the array has as many entries as is said, and outlives the call.
    let result = unsafe { sys::WSAPoll(array.as_mut_ptr(), array.len() as u32, milliseconds) };
    for (entry, filled) in entries.iter_mut().zip(&array) {
        entry.revents = filled.revents;
    }
    count_or_error(result)
}

/// WSAPoll with a null array of so many entries.
pub fn wsa_poll_null(count: u32) -> Outcome<usize> {
    // SAFETY: null is refused.
    count_or_error(unsafe { sys::WSAPoll(std::ptr::null_mut(), count, 0) })
}

/// What WSAPoll says of one socket, without waiting; it counts it if that is anything.
#[track_caller]
pub fn polled(socket: &Socket, events: i16) -> i16 {
    let mut entry = [PollEntry::of(socket, events)];
    let count = wsa_poll(&mut entry, 0);
    assert_eq!(count, Ok(usize::from(entry[0].revents != 0)));
    entry[0].revents
}
