//! One connection of a worker.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pentaport::Result;
use pentaport::socket::{Shutdown, Socket, SocketId};

use super::{Desk, Entry, Interests};
use crate::conversation::{self, Conversation, Step};
use crate::handle::Stop;
use crate::machine::Patience;
use crate::mailbox::Then;
use crate::runners::{Host, SEND_SIZE, TURNS, lost, stop};
use crate::sweep::Limits;
use crate::{Connection, ConnectionId, Service};

/// One connection of a worker.
pub(super) struct Client<S: Service> {
    pub(super) name: ConnectionId,
    socket: Socket,
    conversation: Conversation<S>,
    entry: Arc<Entry>,
    /// What the conversation is waiting for.
    wants: Waits,
    /// Which sets the socket is in.
    is_in: Waits,
    postponed: bool,
    takes_mail: bool,
    /// When the connection last moved.
    since: Instant,
    /// The time limit that a sweep is planned for.
    planned: Option<Patience>,
}

#[derive(Clone, Copy, Default)]
struct Waits {
    read: bool,
    write: bool,
}

impl<S: Service> Client<S> {
    pub(super) fn new(
        socket: Socket,
        name: ConnectionId,
        entry: &Arc<Entry>,
        host: &Host<S>,
        desk: &Desk<'_>,
    ) -> Result<Self> {
        // An accepted socket is non-blocking already, as its listener is.
        socket.set_no_delay(true)?;
        Ok(Client {
            name,
            socket,
            conversation: Conversation::new(host.options.send_queue_limit),
            entry: Arc::clone(entry),
            wants: Waits::default(),
            is_in: Waits::default(),
            postponed: false,
            takes_mail: true,
            since: desk.now,
            planned: None,
        })
    }

    pub(super) fn socket_id(&self) -> SocketId {
        self.socket.id()
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
impl<S: Service> Client<S> {
    /// It has been accepted.
    pub(super) fn open(&mut self, host: &Host<S>, desk: &mut Desk<'_>, connection: &Connection) {
        self.conversation.open(&mut desk.worker(host), connection);
    }

    /// It is ready to be received from.
    pub(super) fn receive(&mut self, host: &Host<S>, desk: &mut Desk<'_>) {
        if !self.wants.read {
            return;
        }
        let result = self.socket.recv(&mut desk.scratch);
        let Desk { scratch, pool, lane, tally, .. } = desk;
        let mut worker = conversation::Worker { service: &host.service, pool, lane, tally };
        match result {
            Ok(0) => self.conversation.end_of_stream(&mut worker),
            Ok(count) => self.conversation.received(&mut worker, &scratch[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => lost(&mut self.conversation, error),
        }
        self.wants.read = false;
    }

    /// There is something to be sent, or room for it.
    pub(super) fn send(&mut self, host: &Host<S>, desk: &mut Desk<'_>) {
        let front = self.conversation.front();
        let part = &front[..front.len().min(SEND_SIZE)];
        match self.socket.send(part) {
            Ok(count) => self.conversation.sent(&mut desk.worker(host), count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.wants.write = true;
                return;
            }
            Err(error) => {
                self.conversation.sent_nothing();
                lost(&mut self.conversation, error);
            }
        }
        self.wants.write = false;
    }

    /// Something was sent to it from outside.
    pub(super) fn take_mail(&mut self, host: &Host<S>, desk: &mut Desk<'_>) {
        self.empty_mailbox(host, desk, Then::Open);
    }

    /// The server is being stopped.
    pub(super) fn stop(&mut self, host: &Host<S>, desk: &mut Desk<'_>, how: Stop) {
        self.empty_mailbox(host, desk, Then::Closed);
        stop(&mut self.conversation, how);
    }

    /// Its time limit is over.
    pub(super) fn out_of_patience(&mut self) {
        self.conversation.out_of_patience();
    }

    fn empty_mailbox(&mut self, host: &Host<S>, desk: &mut Desk<'_>, then: Then) {
        let (entry, conversation) = (&self.entry, &mut self.conversation);
        entry.mailbox.take(then, |bytes| {
            conversation.push(&mut desk.worker(host), bytes);
            conversation.queued()
        });
    }
}

/// What a connection does.
impl<S: Service> Client<S> {
    /// Does what the conversation says, until it waits.
    pub(super) fn drive(&mut self, host: &Host<S>, desk: &mut Desk<'_>) {
        let mut turns = TURNS;
        loop {
            match self.conversation.next(&mut desk.worker(host), &mut turns) {
                Step::Receive => self.wants.read = true,
                Step::Send => self.send(host, desk),
                Step::ShutdownSend => {
                    if let Err(error) = self.socket.shutdown(Shutdown::Send) {
                        lost(&mut self.conversation, error);
                    }
                }
                Step::Yield => {
                    self.postponed = true;
                    return;
                }
                Step::Wait => return,
                Step::Close => self.wants = Waits::default(),
                Step::Abort => {
                    self.wants = Waits::default();
                    // It fails only for a socket that is gone already.
                    let _ = self.socket.set_linger(Some(Duration::ZERO));
                }
            }
        }
    }

    /// Puts down what others are to know of the connection's state.
    pub(super) fn settle(&mut self, desk: &mut Desk<'_>, interests: &mut Interests) {
        if self.wants.read != self.is_in.read {
            change(&mut interests.read, &self.socket, self.wants.read);
        }
        if self.wants.write != self.is_in.write {
            change(&mut interests.write, &self.socket, self.wants.write);
        }
        self.is_in = self.wants;
        if self.takes_mail && self.conversation.is_ending() {
            self.takes_mail = false;
            self.entry.mailbox.take(Then::Closed, |_| 0);
        }
        self.entry.mailbox.note_queued(self.conversation.queued());
        if self.conversation.take_progress() {
            self.since = desk.now;
        }
    }
}

impl Desk<'_> {
    fn worker<'a, S>(&'a mut self, host: &'a Host<S>) -> conversation::Worker<'a, S> {
        let Desk { pool, lane, tally, .. } = self;
        conversation::Worker { service: &host.service, pool, lane, tally }
    }
}

fn change(set: &mut pentaport::select::SelectSet, socket: &Socket, wanted: bool) {
    if wanted {
        set.insert(socket);
    } else {
        set.remove(socket.id());
    }
}
