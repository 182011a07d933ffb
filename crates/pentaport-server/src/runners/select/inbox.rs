//! How others reach a worker.

use parking_lot::Mutex;
use pentaport::Result;
use pentaport::socket::Socket;

use crate::runners::waker::Waker;
use crate::{Connection, ConnectionId};

/// How others reach a worker.
pub(super) struct Inbox {
    pub(super) waker: Waker,
    /// `None` when the worker has gone home.
    notes: Mutex<Option<Vec<Note>>>,
}

/// What a worker is asked for.
pub(super) enum Note {
    /// To serve a connection.
    Serve(Socket, Connection),
    /// To send what is in a connection's mailbox.
    Mail(ConnectionId),
}

impl Inbox {
    pub(super) fn new() -> Result<Self> {
        Ok(Inbox { waker: Waker::new()?, notes: Mutex::new(Some(Vec::new())) })
    }

    /// Leaves a note and wakes the worker; false if it has gone home.
    pub(super) fn put(&self, note: Note) -> bool {
        {
            let mut notes = self.notes.lock();
            let Some(notes) = &mut *notes else { return false };
            notes.push(note);
        }
        self.waker.wake();
        true
    }

    pub(super) fn take(&self) -> Vec<Note> {
        self.notes.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The worker goes home, unless there is a note. Whether it did.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut notes = self.notes.lock();
        let empty = notes.as_ref().is_none_or(Vec::is_empty);
        if empty {
            *notes = None;
        }
        empty
    }
}
