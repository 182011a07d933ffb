//! What is sent to a connection from outside its handler.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ranked_locks::{Mutex, rank};

use crate::SendError;

/// What is sent to one connection from outside its handler, until its worker takes it.
///
/// A handler may send to other connections, whose handlers may be running and sending to it; so the lock of a mailbox is
/// held for no more than a copy, and never while the service is called.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// Bytes in the connection's send queue when last heard of.
    queued: AtomicUsize,
    mail: Mutex<Mail, rank::Mailbox>,
}

/// Few connections ever get mail: what it takes is made with the first.
#[derive(Debug, Default)]
struct Mail {
    #[expect(clippy::box_collection, reason = "every connection has room for it")]
    bytes: Option<Box<Vec<u8>>>,
    /// The worker has been woken and has not taken the mail yet.
    scheduled: bool,
    closed: bool,
}

impl Mail {
    fn len(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }

    fn take(&mut self) -> Vec<u8> {
        self.bytes.take().map_or_else(Vec::new, |bytes| *bytes)
    }
}

const _: () = assert!(size_of::<Mailbox>() <= 4 * size_of::<usize>(), "every connection has one");

/// What becomes of the mailbox once the mail is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It takes more.
    Open,
    /// It takes no more.
    Closed,
}

impl Mailbox {
    /// Leaves `bytes`, if they are no more than `limit` together with all that is queued. True if the worker is to be
    /// woken. A message that alone is longer than `limit` is taken when nothing else is queued.
    pub(crate) fn leave(&self, bytes: &[u8], limit: usize) -> Result<bool, SendError> {
        let mut mail = self.mail.lock();
        if mail.closed {
            return Err(SendError::Gone);
        }
        let queued = self.queued.load(Relaxed) + mail.len();
        if queued > 0 && queued + bytes.len() > limit {
            return Err(SendError::Full);
        }
        mail.bytes.get_or_insert_default().extend_from_slice(bytes);
        Ok(!std::mem::replace(&mut mail.scheduled, true))
    }

    /// Hands the mail over to `queue`, which says how much the send queue holds then.
    pub(crate) fn take(&self, then: Then, queue: impl FnOnce(Vec<u8>) -> usize) {
        let mut mail = self.mail.lock();
        mail.scheduled = false;
        mail.closed |= then == Then::Closed;
        let queued = queue(mail.take());
        self.queued.store(queued, Relaxed);
    }

    /// As [`take`](Self::take), for a worker that comes again as long as it is told that there was something. Until it
    /// is told otherwise nobody wakes it.
    pub(crate) fn collect(&self, queue: impl FnOnce(Vec<u8>) -> usize) -> bool {
        let mut mail = self.mail.lock();
        if mail.len() == 0 {
            mail.scheduled = false;
            return false;
        }
        let queued = queue(mail.take());
        self.queued.store(queued, Relaxed);
        true
    }

    /// Forgets that the worker has been woken, since it could not be.
    pub(crate) fn unschedule(&self) {
        self.mail.lock().scheduled = false;
    }

    /// Notes how much the send queue holds.
    pub(crate) fn note_queued(&self, queued: usize) {
        if self.queued.load(Relaxed) != queued {
            self.queued.store(queued, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_woken_once_until_it_has_come() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.leave(b"a", 10), Ok(true));
        assert_eq!(mailbox.leave(b"b", 10), Ok(false));
        mailbox.take(Then::Open, |bytes| {
            assert_eq!(bytes, b"ab");
            bytes.len()
        });
        assert_eq!(mailbox.leave(b"c", 10), Ok(true));
    }

    #[test]
    fn a_worker_that_comes_again_is_not_woken() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.leave(b"a", 10), Ok(true));
        assert!(mailbox.collect(|bytes| bytes.len()));
        assert_eq!(mailbox.leave(b"b", 10), Ok(false));
        assert!(mailbox.collect(|bytes| bytes.len()));
        assert!(!mailbox.collect(|_| unreachable!()));
        assert_eq!(mailbox.leave(b"c", 10), Ok(true));
    }

    #[test]
    fn a_full_queue_takes_no_mail() {
        let mailbox = Mailbox::default();
        mailbox.note_queued(8);
        assert_eq!(mailbox.leave(b"abc", 10), Err(SendError::Full));
        assert_eq!(mailbox.leave(b"ab", 10), Ok(true));
        assert_eq!(mailbox.leave(b"c", 10), Err(SendError::Full));
        mailbox.take(Then::Open, |bytes| {
            assert_eq!(bytes, b"ab");
            0
        });
        assert_eq!(mailbox.leave(&[0; 100], 10), Ok(true), "nothing is queued before it");
        assert_eq!(mailbox.leave(b"c", 10), Err(SendError::Full));
    }

    #[test]
    fn a_closed_mailbox_takes_no_mail() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.leave(b"a", 10), Ok(true));
        mailbox.take(Then::Closed, |bytes| bytes.len());
        assert_eq!(mailbox.leave(b"b", 10), Err(SendError::Gone));
    }
}
