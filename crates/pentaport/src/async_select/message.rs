//! Messages, decoded.

use super::{NetworkEvents, SocketId};
use crate::Error;
use crate::raw::window::{NUMBERS_BEGIN, Raw};

/// A message, as it came out of the queue.
#[doc(alias = "MSG")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A network event of a selected socket.
    Network(NetworkMessage),
    /// A message that was posted by a [`Poster`](super::Poster).
    Posted(PostedMessage),
    /// The loop is to end: [`quit`](super::MessageQueue::quit) was called, with this code.
    #[doc(alias = "WM_QUIT")]
    Quit(i32),
}

/// A network event of a selected socket.
#[doc(alias = "WSAGETSELECTEVENT")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkMessage {
    /// The socket. It may be closed by now.
    pub socket: SocketId,
    /// What happened: exactly one event.
    pub event: NetworkEvents,
    /// Why it is a failure, if it is: a connect that was refused, a close that was a reset.
    #[doc(alias = "WSAGETSELECTERROR")]
    pub error: Option<Error>,
}

/// A message that the program posted to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedMessage {
    /// The number, as it was given.
    pub number: u32,
    /// The first parameter, as it was given.
    pub wparam: usize,
    /// The second parameter, as it was given.
    pub lparam: isize,
}

/// What ended a wait for messages and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// A message, which was taken.
    Message(Message),
    /// The event at this index is set.
    Event(usize),
}

impl NetworkMessage {
    pub(super) fn decode(raw: Raw) -> Self {
        // The low half of the second parameter is the event, the high half the error (SEMANTICS A11).
        let (event, code) = (raw.lparam as u32 & 0xffff, raw.lparam as u32 >> 16);
        Self {
            socket: SocketId(raw.wparam),
            event: NetworkEvents::from_bits(event),
            error: (code != 0).then(|| Error::from_code(code as i32)),
        }
    }
}

impl PostedMessage {
    pub(super) fn decode(raw: Raw) -> Self {
        Self { number: raw.number - NUMBERS_BEGIN, wparam: raw.wparam, lparam: raw.lparam }
    }

    pub(super) fn encode(self) -> Raw {
        Raw { number: NUMBERS_BEGIN + self.number, wparam: self.wparam, lparam: self.lparam }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys;

    #[test]
    fn the_second_parameter_has_event_and_error() {
        let lparam = (sys::WSAECONNREFUSED as isize) << 16 | sys::FD_CONNECT as isize;
        let message = NetworkMessage::decode(Raw { number: sys::WM_APP, wparam: 44, lparam });
        assert_eq!((message.socket, message.event), (SocketId(44), NetworkEvents::CONNECT));
        assert_eq!(message.error.and_then(Error::name), Some("WSAECONNREFUSED"));
        let fine = NetworkMessage::decode(Raw { number: sys::WM_APP, wparam: 44, lparam: sys::FD_READ as isize });
        assert_eq!((fine.event, fine.error), (NetworkEvents::READ, None));
    }
}
