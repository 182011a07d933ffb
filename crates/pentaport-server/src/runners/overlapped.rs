//! One connection under overlapped operations whose end is told by an event or by a routine.
//!
//! A connection that waits has one pending receive *without a buffer*, which completes when there is something to
//! receive; that is received into the worker's scratch buffer. A short answer nearly always goes at once; what does not
//! is sent by an operation that takes the buffer along. So an idle connection holds no buffer, and a message costs a
//! completion, a receive and a send.

use pentaport::Result;
use pentaport::overlapped::{Completion, Failed, Operation, OperationKind, OverlappedSocket};
use pentaport::socket::Socket;

use super::transfer::Found;
use super::worker::{Desk, Untaken};
use super::{lost, transfer};
use crate::Service;
use crate::conversation::Conversation;

/// A socket and its two operations. `C` is their context, and `P` what stands for one that is pending.
pub(super) struct Line<C, P> {
    // First, so that what is pending has been cancelled when it is dropped.
    socket: OverlappedSocket,
    pub(super) receive: Side<C, P>,
    pub(super) send: Side<C, P>,
    /// There is likely something to receive: the last receive left some.
    likely: bool,
}

/// The operation in one direction.
#[derive(Default)]
pub(super) enum Side<C, P> {
    /// There is none yet, or it is being handled.
    #[default]
    Away,
    AtRest(Operation<C>),
    Pending(P),
}

/// How an operation began.
pub(super) enum Begun<C, P> {
    Pending(P),
    /// It is over already.
    Done(Completion<C>),
}

impl<C, P> Side<C, P> {
    /// The operation, if there is one.
    fn take(&mut self) -> Option<Operation<C>> {
        match std::mem::take(self) {
            Side::AtRest(operation) => Some(operation),
            Side::Away => None,
            Side::Pending(_) => unreachable!("one operation is under way at a time"),
        }
    }
}

impl<C, P> Line<C, P> {
    /// A line for an accepted socket, which is non-blocking already, as its listener is.
    pub(super) fn new(socket: Socket) -> std::result::Result<Self, Untaken> {
        match socket.set_no_delay(true) {
            Ok(()) => Ok(Line { socket: socket.into(), receive: Side::Away, send: Side::Away, likely: false }),
            Err(error) => Err(Untaken { socket, error }),
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        self.socket.socket()
    }

    /// Receives, at once if something is likely there, or else as soon as something is: for that it waits by the
    /// operation that is at rest or else by a new one.
    pub(super) fn receive<S: Service>(
        &mut self,
        new: impl FnOnce() -> Result<Operation<C>>,
        start: impl FnOnce(&OverlappedSocket, Operation<C>) -> std::result::Result<Begun<C, P>, Failed<C>>,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        if self.likely {
            return self.receive_now(conversation, desk);
        }
        let operation = match self.receive.take().map_or_else(new, Ok) {
            Ok(operation) => operation,
            Err(error) => {
                conversation.received_nothing();
                return lost(conversation, error);
            }
        };
        match start(&self.socket, operation) {
            Ok(Begun::Pending(pending)) => self.receive = Side::Pending(pending),
            Ok(Begun::Done(completion)) => self.completed(completion, conversation, desk),
            Err(Failed { error, operation }) => {
                self.receive = Side::AtRest(operation);
                conversation.received_nothing();
                lost(conversation, error);
            }
        }
    }

    /// Sends what is queued, or starts to, by the operation that is at rest or else by a new one.
    pub(super) fn send<S: Service>(
        &mut self,
        new: impl FnOnce() -> Result<Operation<C>>,
        start: impl FnOnce(&OverlappedSocket, Operation<C>) -> std::result::Result<Begun<C, P>, Failed<C>>,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        if transfer::sends_at_once(self.socket.socket(), conversation, &mut desk.worker()) {
            return;
        }
        let mut operation = match self.send.take().map_or_else(new, Ok) {
            Ok(operation) => operation,
            Err(error) => {
                conversation.sent_nothing();
                return lost(conversation, error);
            }
        };
        *operation.buffer_mut() = conversation.take_front();
        match start(&self.socket, operation) {
            Ok(Begun::Pending(pending)) => self.send = Side::Pending(pending),
            Ok(Begun::Done(completion)) => self.completed(completion, conversation, desk),
            Err(Failed { error, operation }) => {
                self.sent(operation, 0, conversation, desk);
                lost(conversation, error);
            }
        }
    }

    fn receive_now<S: Service>(&mut self, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        self.likely = desk.receive(self.socket.socket(), conversation) == Found::Full;
    }

    /// An operation has ended.
    pub(super) fn completed<S: Service>(
        &mut self,
        Completion { result, operation, .. }: Completion<C>,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        let failed = result.err();
        match operation.kind() {
            OperationKind::ReceiveReady => {
                self.receive = Side::AtRest(operation);
                if failed.is_none() {
                    self.receive_now(conversation, desk);
                } else {
                    conversation.received_nothing();
                }
            }
            OperationKind::Send => self.sent(operation, result.unwrap_or(0), conversation, desk),
            kind => unreachable!("no {kind:?} is ever started"),
        }
        if let Some(error) = failed {
            lost(conversation, error);
        }
    }

    /// A send has ended, with `count` bytes of its buffer sent.
    fn sent<S: Service>(
        &mut self,
        mut operation: Operation<C>,
        count: usize,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        let buffer = std::mem::take(operation.buffer_mut());
        self.send = Side::AtRest(operation);
        conversation.sent_from(&mut desk.worker(), buffer, count);
    }
}
