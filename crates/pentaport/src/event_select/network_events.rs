//! Network events, and what was recorded of them.

use crate::{Error, sys};
use std::fmt;
use std::ops::{BitOr, BitOrAssign, Sub};

/// A set of network events.
///
/// ```
/// use pentaport::event_select::NetworkEvents;
/// let events = NetworkEvents::READ | NetworkEvents::CLOSE;
/// assert!(events.contains(NetworkEvents::READ) && !events.contains(NetworkEvents::WRITE));
/// assert_eq!(format!("{events:?}"), "READ | CLOSE");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NetworkEvents(u32);

impl NetworkEvents {
    /// No event.
    pub const NONE: Self = Self(0);
    /// There is data to receive.
    #[doc(alias = "FD_READ")]
    pub const READ: Self = Self(sys::FD_READ);
    /// There is room to send.
    #[doc(alias = "FD_WRITE")]
    pub const WRITE: Self = Self(sys::FD_WRITE);
    /// There is urgent data.
    #[doc(alias = "FD_OOB")]
    pub const OOB: Self = Self(sys::FD_OOB);
    /// There is a connection to accept.
    #[doc(alias = "FD_ACCEPT")]
    pub const ACCEPT: Self = Self(sys::FD_ACCEPT);
    /// A connect succeeded or failed.
    #[doc(alias = "FD_CONNECT")]
    pub const CONNECT: Self = Self(sys::FD_CONNECT);
    /// The peer ended its direction, or the connection was reset.
    #[doc(alias = "FD_CLOSE")]
    pub const CLOSE: Self = Self(sys::FD_CLOSE);
    /// All of the above.
    pub const ALL: Self =
        Self(sys::FD_READ | sys::FD_WRITE | sys::FD_OOB | sys::FD_ACCEPT | sys::FD_CONNECT | sys::FD_CLOSE);

    /// Whether all of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no event is in this set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The events one at a time, in the order in which they are told when several happen at once.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(event, _)| event).filter(move |&event| self.contains(event))
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The events of these bits that have a name here.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }
}

/// In the order of SEMANTICS A12.
const NAMES: [(NetworkEvents, &str); 6] = [
    (NetworkEvents::CONNECT, "CONNECT"),
    (NetworkEvents::ACCEPT, "ACCEPT"),
    (NetworkEvents::OOB, "OOB"),
    (NetworkEvents::READ, "READ"),
    (NetworkEvents::WRITE, "WRITE"),
    (NetworkEvents::CLOSE, "CLOSE"),
];

impl BitOr for NetworkEvents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for NetworkEvents {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Sub for NetworkEvents {
    type Output = Self;

    /// Those that are not in `other`.
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<Self> for NetworkEvents {
    fn from_iter<I: IntoIterator<Item = Self>>(events: I) -> Self {
        events.into_iter().fold(Self::NONE, Self::bitor)
    }
}

impl fmt::Debug for NetworkEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("NONE");
        }
        let mut separator = "";
        for (_, name) in NAMES.iter().filter(|(event, _)| self.contains(*event)) {
            write!(f, "{separator}{name}")?;
            separator = " | ";
        }
        Ok(())
    }
}

/// What [`enumerate`](super::enumerate) took: network events, and for each the error, if it is a failure.
#[doc(alias = "WSANETWORKEVENTS")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NetworkRecord {
    events: NetworkEvents,
    /// By number of the event's bit; 0 for success.
    codes: [i32; sys::FD_MAX_EVENTS as usize],
}

impl NetworkRecord {
    pub(crate) fn new(events: u32, codes: [i32; sys::FD_MAX_EVENTS as usize]) -> Self {
        Self { events: NetworkEvents::from_bits(events), codes }
    }

    /// The events.
    #[doc(alias = "lNetworkEvents")]
    pub fn events(&self) -> NetworkEvents {
        self.events
    }

    /// Whether all of `events` were recorded.
    pub fn contains(&self, events: NetworkEvents) -> bool {
        self.events.contains(events)
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Why an event is a failure: a connect that was refused, a close that was a reset. `None` if it is none, or was
    /// not recorded. Of several events, the first failure.
    #[doc(alias = "iErrorCode")]
    pub fn error(&self, event: NetworkEvents) -> Option<Error> {
        let recorded = self.events.iter().filter(|&recorded| event.contains(recorded));
        let mut codes = recorded.map(|recorded| self.codes[recorded.bits().trailing_zeros() as usize]);
        codes.find(|&code| code != 0).map(Error::from_code)
    }
}

impl fmt::Debug for NetworkRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.events.iter().map(|event| (event, self.error(event)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_joined_and_taken_apart() {
        let mut events = NetworkEvents::CLOSE | NetworkEvents::READ;
        events |= NetworkEvents::CONNECT;
        assert_eq!(format!("{events:?}"), "CONNECT | READ | CLOSE");
        assert_eq!(events.iter().collect::<NetworkEvents>(), events);
        assert_eq!(events - NetworkEvents::READ - NetworkEvents::CLOSE, NetworkEvents::CONNECT);
        assert!(NetworkEvents::ALL.contains(events) && !events.contains(NetworkEvents::ALL));
        assert_eq!(format!("{:?}", NetworkEvents::default()), "NONE");
    }

    #[test]
    fn an_error_belongs_to_its_event() {
        let mut codes = [77; sys::FD_MAX_EVENTS as usize];
        codes[sys::FD_CONNECT_BIT as usize] = sys::WSAECONNREFUSED;
        codes[sys::FD_WRITE_BIT as usize] = 0;
        let record = NetworkRecord::new(sys::FD_CONNECT | sys::FD_WRITE, codes);
        assert_eq!(record.error(NetworkEvents::CONNECT), Some(Error::from_code(sys::WSAECONNREFUSED)));
        assert_eq!(record.error(NetworkEvents::WRITE), None);
        // Not recorded, so its code means nothing.
        assert_eq!(record.error(NetworkEvents::READ), None);
        assert_eq!(record.error(NetworkEvents::ALL), record.error(NetworkEvents::CONNECT));
    }
}
