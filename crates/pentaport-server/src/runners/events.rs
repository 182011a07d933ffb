//! What a worker waits for in models that have events: those of its connections, one that wakes it, and the listener's.

use std::time::Duration;

use pentaport::Result;
use pentaport::event_select::{self, Event, NetworkEvents, WaitSet};
use pentaport::socket::Socket;

use super::worker::{Notice, Wake};

/// Tokens taken at a time: enough that a wait costs each of them little.
const BATCH: usize = 64;

/// The events of a worker, each of which has a token.
///
/// The documents wait for groups of 64 events, the most that one wait takes. A [`WaitSet`] has no such limit, and
/// waiting costs what happened rather than what is waited for.
pub(super) struct Events {
    set: WaitSet,
    tokens: [usize; BATCH],
    /// Where callers come in; the first worker has one.
    door: Option<Door>,
}

/// The token of the event that wakes the worker.
const WAKER: usize = usize::MAX;

/// The token of the listener's event.
const DOOR: usize = usize::MAX - 1;

impl Events {
    /// No events but the one that wakes the worker.
    pub(super) fn new() -> Result<(Self, Event)> {
        let (set, waker) = (WaitSet::new()?, Event::auto_reset()?);
        set.add(&waker, WAKER)?;
        Ok((Events { set, tokens: [0; BATCH], door: None }, waker))
    }

    /// Adds an event of a connection; its token is less than the two largest that there are.
    pub(super) fn add(&self, event: &Event, token: usize) -> Result<()> {
        self.set.add(event, token)
    }

    pub(super) fn remove(&self, event: &Event) {
        let removed = self.set.remove(event);
        debug_assert_eq!(removed, Ok(()), "it was in the set");
    }

    pub(super) fn listen(&mut self, listener: &Socket) -> Result<()> {
        if let Some(door) = &self.door {
            return door.open(listener);
        }
        let door = Door::new()?;
        self.set.add(door.event(), DOOR)?;
        self.door.insert(door).open(listener)
    }

    pub(super) fn ignore(&self, listener: &Socket) {
        if let Some(door) = &self.door {
            door.close(listener);
        }
    }

    /// Waits, and tells what the events of connections mean, which are known by their tokens.
    pub(super) fn wait<T>(
        &mut self,
        timeout: Option<Duration>,
        notices: &mut Vec<Notice<T>>,
        meaning: impl Fn(usize) -> Notice<T>,
    ) -> Result<()> {
        let count = self.set.wait(&mut self.tokens, timeout)?;
        for &token in &self.tokens[..count] {
            match token {
                // Whoever woke the worker has left a note.
                WAKER => {}
                DOOR => notices.push(Notice::Caller),
                token => notices.push(meaning(token)),
            }
        }
        Ok(())
    }
}

/// Ties a socket to an event for a moment, so that the system makes what it needs for the first one of a thread, be it
/// for network events or for overlapped operations.
pub(super) fn rehearse(probe: &Socket) -> Result<()> {
    event_select::select(probe, &Event::auto_reset()?, NetworkEvents::READ)?;
    event_select::cancel(probe)
}

/// An event that is set when there are callers at the listener: by WSAEventSelect, since an overlapped accept would
/// know no condition function, and cannot end in a routine.
pub(super) struct Door {
    event: Event,
}

impl Door {
    pub(super) fn new() -> Result<Self> {
        Ok(Door { event: Event::auto_reset()? })
    }

    pub(super) fn event(&self) -> &Event {
        &self.event
    }

    /// From now on the event is set for callers, those who are there already included.
    pub(super) fn open(&self, listener: &Socket) -> Result<()> {
        event_select::select(listener, &self.event, NetworkEvents::ACCEPT)
    }

    /// The event is set no more.
    pub(super) fn close(&self, listener: &Socket) {
        // It fails only for a socket that is gone already. The listener goes on not to block.
        let _ = event_select::cancel(listener);
    }
}

impl Wake for Event {
    fn wake(&self) -> Result<()> {
        self.set();
        Ok(())
    }
}
