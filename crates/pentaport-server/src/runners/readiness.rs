//! One connection in a model that tells when a socket is ready: select, WSAAsyncSelect, WSAEventSelect.

use std::io::ErrorKind;

use pentaport::event_select::NetworkEvents;
use pentaport::socket::Socket;

use super::transfer::Found;
use super::worker::{Desk, Untaken};
use super::{SEND_SIZE, lost};
use crate::Service;
use crate::conversation::Conversation;

/// A socket that does not block, what its conversation waits for, and what is known of it.
///
/// A notification says that a call may succeed now, and one receive answers it: whatever is left is told of again, by
/// the next `select` or, in the other two models, since a receive re-enables FD_READ. But FD_CLOSE is told once, and
/// perhaps before all data has been received; so from then on it is received until the end comes.
pub(super) struct Line {
    pub(super) socket: Socket,
    pub(super) waits: Waits,
    /// It was told to be readable, and has not been received from since.
    readable: bool,
    /// The peer has ended its side, or the connection.
    ended: bool,
}

/// What a conversation waits for.
#[derive(Clone, Copy, Default)]
pub(super) struct Waits {
    pub(super) read: bool,
    pub(super) write: bool,
}

impl Line {
    /// A line for an accepted socket, which is non-blocking already, as its listener is.
    pub(super) fn new(socket: Socket) -> Result<Self, Untaken> {
        match socket.set_no_delay(true) {
            Ok(()) => Ok(Line { socket, waits: Waits::default(), readable: false, ended: false }),
            Err(error) => Err(Untaken { socket, error }),
        }
    }

    /// The model tells of these events.
    pub(super) fn notified<S: Service>(
        &mut self,
        events: NetworkEvents,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        let has = |event| events.contains(event);
        self.ended |= has(NetworkEvents::CLOSE);
        self.readable |= has(NetworkEvents::READ) || has(NetworkEvents::CLOSE);
        // One who waits for room learns from his send that the connection has been reset.
        if self.waits.write && (has(NetworkEvents::WRITE) || has(NetworkEvents::CLOSE)) {
            self.send(conversation, desk);
        }
        if self.waits.read && self.readable {
            self.receive_now(conversation, desk);
        }
    }

    /// The conversation wants to receive.
    pub(super) fn receive<S: Service>(&mut self, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        if self.readable {
            self.receive_now(conversation, desk);
        } else {
            self.waits.read = true;
        }
    }

    fn receive_now<S: Service>(&mut self, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        self.waits.read = false;
        let found = desk.receive(&self.socket, conversation);
        self.readable = self.ended && found != Found::Nothing;
    }

    /// The conversation wants to send, or waited for room to.
    pub(super) fn send<S: Service>(&mut self, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        let front = conversation.front();
        let part = &front[..front.len().min(SEND_SIZE)];
        self.waits.write = false;
        match self.socket.send(part) {
            Ok(count) => conversation.sent(&mut desk.worker(), count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.waits.write = true,
            Err(error) => {
                conversation.sent_nothing();
                lost(conversation, error);
            }
        }
    }
}
