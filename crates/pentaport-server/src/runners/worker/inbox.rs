//! How others reach a worker.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use parking_lot::Mutex;
use pentaport::Result;
use pentaport::socket::Socket;

use super::ClientId;
use crate::Connection;

/// How others reach a worker: they leave a note, and wake it.
pub(super) struct Inbox<W> {
    /// Some wakers belong to the worker's thread, which therefore makes its own.
    waker: OnceLock<W>,
    /// There is something to be looked at.
    left: AtomicBool,
    /// The worker has been woken, and has not looked yet.
    called: AtomicBool,
    /// `None` when the worker has gone home.
    notes: Mutex<Option<Vec<Note>>>,
}

/// Wakes a worker that waits, or keeps it from falling asleep, from any thread.
pub(in crate::runners) trait Wake: Send + Sync + 'static {
    /// Without blocking. It fails for want of memory.
    fn wake(&self) -> Result<()>;
}

/// What a worker is asked for.
pub(super) enum Note {
    /// To serve a connection.
    Serve(Socket, Connection),
    /// To send what is in a connection's mailbox.
    Mail(ClientId),
}

impl<W: Wake> Inbox<W> {
    pub(super) fn new() -> Self {
        Inbox {
            waker: OnceLock::new(),
            left: AtomicBool::new(false),
            called: AtomicBool::new(false),
            notes: Mutex::new(Some(Vec::new())),
        }
    }

    /// The worker is there. Nobody calls it before.
    pub(super) fn open(&self, waker: W) {
        let first = self.waker.set(waker).is_ok();
        debug_assert!(first, "a worker begins once");
    }

    /// Leaves a note and wakes the worker; false if it has gone home.
    pub(super) fn put(&self, note: Note) -> bool {
        {
            let mut notes = self.notes.lock();
            let Some(notes) = &mut *notes else { return false };
            notes.push(note);
        }
        self.call();
        true
    }

    /// Has the worker look.
    pub(super) fn call(&self) {
        self.left.store(true, SeqCst);
        // One that could not begin has no waker, and nothing to look at.
        let Some(waker) = self.waker.get() else { return };
        if !self.called.swap(true, SeqCst) && waker.wake().is_err() {
            // The next one tries again; and the worker looks when something else has woken it.
            self.called.store(false, SeqCst);
        }
    }

    /// Whether the worker is to look: at its notes, and at whether the server is being stopped. Also if it was called while
    /// it took the last notes, that one's among them: who comes next does not wake it before it has looked.
    pub(super) fn has_something(&self) -> bool {
        self.left.load(SeqCst) || self.called.load(SeqCst)
    }

    /// The notes. Whoever comes from now on wakes the worker again.
    pub(super) fn take(&self) -> Vec<Note> {
        self.called.store(false, SeqCst);
        self.left.store(false, SeqCst);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{self, SyncSender};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// What a worker waits for: as an event, it stays set until the worker has waited.
    struct Bell(SyncSender<()>);

    impl Wake for Bell {
        fn wake(&self) -> Result<()> {
            // If it is full, it is set.
            let _ = self.0.try_send(());
            Ok(())
        }
    }

    #[test]
    fn no_note_is_left_lying() {
        const NOTES: usize = 300_000;
        let (inbox, read) = (Inbox::new(), AtomicUsize::new(0));
        let (bell, rung) = mpsc::sync_channel(1);
        inbox.open(Bell(bell));
        thread::scope(|scope| {
            let (inbox, read) = (&inbox, &read);
            let worker = scope.spawn(move || {
                while read.load(SeqCst) < NOTES {
                    if !inbox.has_something() {
                        rung.recv_timeout(Duration::from_secs(20)).expect("a worker that is called");
                    }
                    if inbox.has_something() {
                        read.fetch_add(inbox.take().len(), SeqCst);
                    }
                }
            });
            for number in 0..NOTES {
                assert!(inbox.put(Note::Mail(ClientId::from_token(number))));
                // A few at a time, so that the worker now and then falls asleep over the next.
                while number % 4 == 0 && read.load(SeqCst) < number && !worker.is_finished() {
                    std::hint::spin_loop();
                }
            }
        });
    }
}
