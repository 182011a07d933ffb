//! One connection of a worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pentaport::socket::Shutdown;

use super::{Desk, Entry, Mechanism};
use crate::conversation::{Conversation, Step};
use crate::handle::Stop;
use crate::machine::Patience;
use crate::mailbox::Then;
use crate::runners::{TURNS, has_unread, lost, stop};
use crate::sweep::Limits;
use crate::{Connection, ConnectionId, Service};

/// One connection of a worker.
pub(super) struct Client<S: Service, M: Mechanism<S>> {
    line: M::Line,
    conversation: Conversation<S>,
    name: ConnectionId,
    entry: Arc<Entry>,
    /// What the mailbox was told of the send queue.
    noted: usize,
    /// The conversation wants to receive, and does so when others have had their turn.
    receive_due: bool,
    postponed: bool,
    takes_mail: bool,
    /// When the connection last moved.
    since: Instant,
    /// The time limit that a sweep is planned for.
    planned: Option<Patience>,
}

impl<S: Service, M: Mechanism<S>> Client<S, M> {
    pub(super) fn new(name: ConnectionId, line: M::Line, entry: &Arc<Entry>, desk: &Desk<'_, S>) -> Self {
        Client {
            line,
            conversation: Conversation::new(desk.host.options.send_queue_limit),
            name,
            entry: Arc::clone(entry),
            noted: 0,
            receive_due: false,
            postponed: false,
            takes_mail: true,
            since: desk.now,
            planned: None,
        }
    }

    pub(super) fn name(&self) -> ConnectionId {
        self.name
    }

    /// Its line, when it is closed.
    pub(super) fn into_line(self) -> M::Line {
        self.line
    }

    pub(super) fn is_closed(&self) -> bool {
        self.conversation.is_closed()
    }

    /// Whether it has more to do than one turn allows; asked once.
    pub(super) fn is_postponed(&mut self) -> bool {
        std::mem::take(&mut self.postponed)
    }

    /// When its time limit is over, if it does not move before.
    pub(super) fn deadline(&self, limits: Limits) -> Option<Instant> {
        limits.deadline(self.conversation.patience(), self.since)
    }

    /// The [deadline](Self::deadline), if another limit applies than when this was asked before.
    pub(super) fn new_limit(&mut self, limits: Limits) -> Option<Instant> {
        let patience = self.conversation.patience();
        let is_new = self.planned != Some(patience);
        self.planned = Some(patience);
        is_new.then(|| self.deadline(limits)).flatten()
    }
}

/// What happens to a connection.
impl<S: Service, M: Mechanism<S>> Client<S, M> {
    /// It has been accepted.
    pub(super) fn open(&mut self, desk: &mut Desk<'_, S>, connection: &Connection) {
        self.conversation.open(&mut desk.worker(), connection);
    }

    /// The model tells something of it.
    pub(super) fn signalled(&mut self, mechanism: &mut M, desk: &mut Desk<'_, S>, signal: M::Signal) {
        mechanism.signalled(&mut self.line, signal, &mut self.conversation, desk);
    }

    /// Others have had their turn.
    pub(super) fn go_on(&mut self, mechanism: &mut M, desk: &mut Desk<'_, S>) {
        if std::mem::take(&mut self.receive_due) {
            mechanism.receive(&mut self.line, &mut self.conversation, desk);
        }
    }

    /// Something was sent to it from outside.
    pub(super) fn take_mail(&mut self, desk: &mut Desk<'_, S>) {
        self.empty_mailbox(desk, Then::Open);
    }

    /// The server is being stopped.
    pub(super) fn stop(&mut self, how: Stop, limits: Limits) {
        self.since = limits.lull_from(self.since, Instant::now());
        stop(&mut self.conversation, M::socket(&self.line), how);
    }

    /// Its time limit is over.
    pub(super) fn out_of_patience(&mut self, desk: &mut Desk<'_, S>) {
        let unread = has_unread(M::socket(&self.line));
        if self.conversation.patience() == Patience::Lull && !unread {
            // What was sent to it from outside until now is sent before its end.
            self.empty_mailbox(desk, Then::Closed);
            self.conversation.lull_over();
        } else {
            self.conversation.out_of_patience(unread);
        }
    }

    /// The time to drain after a stop is over.
    pub(super) fn drain_over(&mut self, desk: &mut Desk<'_, S>, limits: Limits) {
        let is_over = |deadline| deadline <= desk.now;
        if self.conversation.patience() == Patience::Lull && self.deadline(limits).is_some_and(is_over) {
            self.out_of_patience(desk);
        }
        self.conversation.drain_over(has_unread(M::socket(&self.line)));
    }

    fn empty_mailbox(&mut self, desk: &mut Desk<'_, S>, then: Then) {
        let (entry, conversation) = (&self.entry, &mut self.conversation);
        entry.mailbox.take(then, |bytes| {
            conversation.push(&mut desk.worker(), bytes);
            conversation.queued()
        });
        self.noted = conversation.queued();
    }
}

/// What a connection does.
impl<S: Service, M: Mechanism<S>> Client<S, M> {
    /// Does what the conversation says, until it waits.
    pub(super) fn drive(&mut self, mechanism: &mut M, desk: &mut Desk<'_, S>) {
        let (mut turns, mut receives) = (TURNS, TURNS);
        loop {
            match self.conversation.next(&mut desk.worker(), &mut turns) {
                Step::Receive if receives == 0 => {
                    self.receive_due = true;
                    self.postponed = true;
                }
                Step::Receive => {
                    receives -= 1;
                    mechanism.receive(&mut self.line, &mut self.conversation, desk);
                }
                Step::Send => mechanism.send(&mut self.line, &mut self.conversation, desk),
                Step::ShutdownSend => {
                    if let Err(error) = M::socket(&self.line).shutdown(Shutdown::Send) {
                        lost(&mut self.conversation, error);
                    }
                }
                Step::Yield => {
                    self.postponed = true;
                    return;
                }
                Step::Wait => return,
                // Its worker sees that it is closed, and closes the socket.
                Step::Close => {}
                Step::Abort => {
                    // It fails only for a socket that is gone already.
                    let _ = M::socket(&self.line).set_linger(Some(Duration::ZERO));
                }
            }
        }
    }

    /// Puts down what others are to know of the connection's state.
    pub(super) fn settle(&mut self, mechanism: &mut M, desk: &Desk<'_, S>) {
        mechanism.settle(&mut self.line);
        if self.takes_mail && self.conversation.is_ending() {
            self.takes_mail = false;
            self.entry.mailbox.take(Then::Closed, |_| 0);
        }
        let queued = self.conversation.queued();
        if std::mem::replace(&mut self.noted, queued) != queued {
            self.entry.mailbox.note_queued(queued);
        }
        if self.conversation.take_progress() {
            // A lull is short, and its worker may have been at this for long.
            self.since = if self.conversation.is_stopping() { Instant::now() } else { desk.now };
        }
    }
}
