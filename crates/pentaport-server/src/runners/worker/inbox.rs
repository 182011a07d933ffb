//! How others reach a worker.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::SeqCst;

use pentaport::Result;
use pentaport::socket::Socket;
use ranked_locks::{Mutex, rank};

use super::ClientId;
use crate::Connection;

/// How others reach a worker: they leave a note, and wake it.
pub(super) struct Inbox<W> {
    /// Some wakers belong to the worker's thread, which therefore makes its own.
    waker: OnceLock<W>,
    /// One of [`bell`]. In one word: a worker that takes its notes while somebody calls it must not miss half of that.
    bell: AtomicU8,
    /// `None` when the worker has gone home.
    notes: Mutex<Option<Vec<Note>>, rank::Leaf>,
}

/// Whether a worker is to look.
mod bell {
    /// There is nothing to look at.
    pub(super) const SILENT: u8 = 0;
    /// There is something, but the worker could not be woken for it.
    pub(super) const MUTE: u8 = 1;
    /// There is something, and the worker has been woken.
    pub(super) const RUNG: u8 = 2;
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
        Inbox { waker: OnceLock::new(), bell: AtomicU8::new(bell::SILENT), notes: Mutex::new(Some(Vec::new())) }
    }

    /// The worker is there. Nobody calls it before.
    pub(super) fn open(&self, waker: W) {
        let first = self.waker.set(waker).is_ok();
        debug_assert!(first, "a worker begins once");
    }

    /// Leaves a note and wakes the worker; gives the note back if it has gone home.
    pub(super) fn put(&self, note: Note) -> std::result::Result<(), Note> {
        {
            let mut notes = self.notes.lock();
            let Some(notes) = &mut *notes else { return Err(note) };
            notes.push(note);
        }
        self.call();
        Ok(())
    }

    /// Has the worker look.
    pub(super) fn call(&self) {
        if self.bell.swap(bell::RUNG, SeqCst) == bell::RUNG {
            return;
        }
        // One that could not begin has no waker, and nothing to look at.
        let Some(waker) = self.waker.get() else { return };
        if waker.wake().is_err() {
            // The next one tries again; and the worker looks when something else has woken it.
            self.bell.store(bell::MUTE, SeqCst);
        }
    }

    /// Whether the worker is to look: at its notes, and at whether the server is being stopped.
    pub(super) fn has_something(&self) -> bool {
        self.bell.load(SeqCst) != bell::SILENT
    }

    /// The notes. Whoever comes from now on wakes the worker again.
    pub(super) fn take(&self) -> Vec<Note> {
        self.bell.store(bell::SILENT, SeqCst);
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
                assert!(inbox.put(Note::Mail(ClientId::from_token(number))).is_ok());
                // A few at a time, so that the worker now and then falls asleep over the next.
                while number % 4 == 0 && read.load(SeqCst) < number && !worker.is_finished() {
                    std::hint::spin_loop();
                }
            }
        });
    }
}
