//! The record of one socket's network events: what has happened, what is selected, and who is told what. Pure: calls and
//! edges are its inputs, and what is to be done is its answer.
//!
//! WSAEventSelect and WSAAsyncSelect look alike and are not. Event mode is a *record*: what begins is noted whether it
//! is selected or not, stays noted until WSAEnumNetworkEvents takes it, each new arrival is noted again (V10), and
//! selecting looks at nothing but the record (V4, V7). Message mode looks at *what holds*: selecting posts all of that
//! (A21), and then each kind is silent, whatever arrives (A14, A18), until a call re-enables it.
//!
//! So one record is kept in both modes, and the silence of message mode beside it.

use crate::types::*;

pub(crate) const READ: u32 = FD_READ;
pub(crate) const WRITE: u32 = FD_WRITE;
pub(crate) const OOB: u32 = FD_OOB;
pub(crate) const ACCEPT: u32 = FD_ACCEPT;
pub(crate) const CONNECT: u32 = FD_CONNECT;
pub(crate) const CLOSE: u32 = FD_CLOSE;

/// The order in which several conditions are posted (A12).
const ORDER: [u32; 6] = [CONNECT, ACCEPT, OOB, READ, WRITE, CLOSE];

/// Who is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Mode {
    /// Nobody; the record is kept all the same (V8).
    #[default]
    Off,
    Event,
    Message,
}

/// What an input leads to.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    Nothing,
    /// Set the event.
    Set,
    /// Post a message for each of these events, in the order of [`in_order`].
    Post(u32),
}

#[derive(Default)]
pub(crate) struct Record {
    mode: Mode,
    selected: u32,
    /// What WSAEnumNetworkEvents has not taken yet.
    recorded: u32,
    /// What was posted, and is silent until a call re-enables it.
    silent: u32,
    /// A send was refused for want of room, so that FD_WRITE says when there is room again (V14, A23).
    send_refused: bool,
    connect_error: i32,
    /// The connection has ended, and with what error: told once for each connection (A34).
    closed: Option<i32>,
}

/// Events one by one, in the order in which they are posted.
pub(crate) fn in_order(events: u32) -> impl Iterator<Item = u32> {
    ORDER.into_iter().filter(move |event| events & event != 0)
}

impl Record {
    /// The record of a socket that nobody has selected for yet, from what holds now.
    pub(crate) fn new(holds: u32, connect_error: i32) -> Record {
        Record { recorded: holds, connect_error, ..Record::default() }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn selected(&self) -> u32 {
        self.selected
    }

    /// The error that comes with an event.
    pub(crate) fn error(&self, event: u32) -> i32 {
        match event {
            CONNECT => self.connect_error,
            CLOSE => self.closed.unwrap_or(0),
            _ => 0,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(crate) fn waits_for_room(&self) -> bool {
        self.send_refused
    }

    /// Nobody is told from now on.
    pub(crate) fn deselect(&mut self) {
        self.mode = Mode::Off;
        self.selected = 0;
    }

    /// Selects for an event: what is recorded counts, not what holds (V4, V6, V7).
    pub(crate) fn select_for_event(&mut self, events: u32) -> Notice {
        self.mode = Mode::Event;
        self.selected = events;
        self.tell(self.recorded)
    }

    /// Selects for messages: what holds is posted, whatever was posted before (A21), but for FD_CONNECT (A22).
    pub(crate) fn select_for_messages(&mut self, events: u32, holds: u32) -> Notice {
        self.mode = Mode::Message;
        self.selected = events;
        let closed = if self.is_closed() { CLOSE } else { 0 };
        let posted = (holds & !(CONNECT | CLOSE)) | closed;
        self.silent = posted & events;
        self.tell(posted)
    }

    /// A connection, data or urgent data has come.
    pub(crate) fn arrived(&mut self, event: u32) -> Notice {
        self.recorded |= event;
        if self.mode != Mode::Message {
            return self.tell(event);
        }
        let news = event & !self.silent;
        self.silent |= event & self.selected;
        self.tell(news)
    }

    /// A re-enabling call has been made; `holds` says whether it left the condition as it was (A17, V11).
    ///
    /// What the call consumed is not to be told of any more (V9, A30).
    pub(crate) fn re_enabled(&mut self, event: u32, holds: bool) -> Notice {
        if holds {
            self.silent &= !event;
            return self.arrived(event);
        }
        self.consumed(event);
        Notice::Nothing
    }

    /// Re-enabling calls have been made for these events, and left none of what they are about.
    pub(crate) fn consumed(&mut self, events: u32) {
        self.silent &= !events;
        self.recorded &= !events;
    }

    /// A re-enabling call has failed for its own fault: that re-enables messages (A16) and records nothing (V12).
    pub(crate) fn failed(&mut self, event: u32, holds: bool) -> Notice {
        if self.mode != Mode::Message {
            return Notice::Nothing;
        }
        self.silent &= !event;
        if !holds {
            return Notice::Nothing;
        }
        self.silent |= event & self.selected;
        self.tell(event)
    }

    /// A stream has a connection now, which its own connect has made: FD_CONNECT and FD_WRITE together (V16).
    pub(crate) fn connected(&mut self) -> Notice {
        self.connect_error = 0;
        self.begin_connection(CONNECT | WRITE)
    }

    /// A connect has failed.
    pub(crate) fn connect_failed(&mut self, error: i32) -> Notice {
        self.connect_error = error;
        self.recorded |= CONNECT;
        self.tell(CONNECT)
    }

    /// The socket has become a connection that a listener took (V21, A9).
    pub(crate) fn accepted(&mut self) -> Notice {
        self.begin_connection(WRITE)
    }

    fn begin_connection(&mut self, events: u32) -> Notice {
        self.closed = None;
        self.silent = 0;
        self.send_refused = false;
        self.recorded = (self.recorded & !(READ | OOB | ACCEPT | CLOSE)) | events;
        self.tell(events)
    }

    /// A datagram socket has a local address: that is when its event records FD_WRITE (V23). Its messages have had it
    /// since they were selected (A26).
    pub(crate) fn bound(&mut self) -> Notice {
        self.recorded |= WRITE;
        if self.mode == Mode::Event { self.tell(WRITE) } else { Notice::Nothing }
    }

    /// A datagram socket has a peer: both events are recorded (V23), FD_WRITE is posted (A26).
    pub(crate) fn has_peer(&mut self) -> Notice {
        self.connect_error = 0;
        self.recorded |= CONNECT | WRITE;
        self.tell(if self.mode == Mode::Message { WRITE } else { CONNECT | WRITE })
    }

    /// A send was refused for want of room.
    pub(crate) fn send_refused(&mut self) {
        self.send_refused = true;
    }

    /// There is room for a send. Told only after one was refused (A24, V14).
    pub(crate) fn has_room(&mut self) -> Notice {
        if !std::mem::take(&mut self.send_refused) {
            return Notice::Nothing;
        }
        self.recorded |= WRITE;
        self.tell(WRITE)
    }

    /// The peer has ended the connection, orderly or not.
    pub(crate) fn closed(&mut self, error: i32) -> Notice {
        if self.is_closed() {
            return Notice::Nothing;
        }
        self.closed = Some(error);
        self.recorded |= CLOSE;
        self.tell(CLOSE)
    }

    /// Takes what is recorded and selected; the rest stays recorded (V26).
    pub(crate) fn enumerate(&mut self) -> u32 {
        let taken = if self.mode == Mode::Event { self.recorded & self.selected } else { 0 };
        self.recorded &= !taken;
        taken
    }

    fn tell(&self, events: u32) -> Notice {
        match (self.mode, events & self.selected) {
            (Mode::Off, _) | (_, 0) => Notice::Nothing,
            (Mode::Event, _) => Notice::Set,
            (Mode::Message, events) => Notice::Post(events),
        }
    }
}

#[cfg(test)]
mod tests;
