//! One connection at the port.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use pentaport::Result;
use pentaport::completion_port::{Failed, Operation, OperationKind, Started};
use pentaport::socket::Shutdown;
use ranked_locks::{Mutex, rank};

use super::clock::Moment;
use super::{Desk, Key, PortSocket, Runner};
use crate::conversation::{Conversation, Step, Worker};
use crate::handle::Stop;
use crate::machine::Patience;
use crate::mailbox::{Mailbox, Then};
use crate::registry::{Named, name};
use crate::runners::transfer::{self, Found};
use crate::runners::{TURNS, has_unread, lost, stop};
use crate::{Connection, ConnectionId, Options, Service};

/// The per-handle data of a connection.
pub(super) struct Client<S: Service> {
    /// Never 0, so that [`Key`] needs no room to tell a client.
    name: NonZeroU64,
    pub(super) mailbox: Mailbox,
    state: Mutex<State<S>, rank::Client>,
}

struct State<S: Service> {
    conversation: Conversation<S>,
    /// The conversation wants to receive, and does so when a posted packet comes, after other connections had their
    /// turn.
    postponed: bool,
    takes_mail: bool,
    /// There is likely something to receive, so that there is no use in waiting first: nothing was received yet, and who
    /// connects mostly sends at once, or the last receive left some.
    likely: bool,
    /// When the connection last moved.
    since: Moment,
    /// The time limit that a sweep is planned for.
    planned: Option<Patience>,
}

impl<S: Service> Client<S> {
    pub(super) fn new(id: ConnectionId, options: &Options, since: Moment) -> Self {
        let state = State {
            conversation: Conversation::new(options.send_queue_limit),
            postponed: false,
            takes_mail: true,
            likely: true,
            since,
            planned: None,
        };
        Client { name: name(id), mailbox: Mailbox::default(), state: Mutex::new(state) }
    }
}

/// What happens to a connection.
impl<S: Service> Runner<S> {
    /// It has been accepted.
    pub(super) fn open(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, about: &Connection) {
        self.with_client(desk, socket, |desk, state| {
            state.conversation.open(&mut desk.worker(&self.host), about);
        });
    }

    /// One of its operations has ended, or it was woken.
    pub(super) fn client_packet(
        &self,
        desk: &mut Desk<'_>,
        socket: &PortSocket<S>,
        result: Result<usize>,
        operation: Operation<()>,
    ) {
        self.with_client(desk, socket, |desk, state| match operation.kind() {
            OperationKind::ReceiveReady => {
                desk.keep(operation);
                match result {
                    Ok(_) => self.receive(desk, socket, state),
                    Err(error) => lost(&mut state.conversation, error),
                }
            }
            OperationKind::Send => {
                let failed = result.err();
                self.sent(desk, state, operation, result.unwrap_or(0));
                if let Some(error) = failed {
                    lost(&mut state.conversation, error);
                }
            }
            _ => {
                desk.keep(operation);
                self.take_mail(desk, socket, state, Then::Open);
                if std::mem::take(&mut state.postponed) {
                    self.receive(desk, socket, state);
                }
            }
        });
    }

    /// The server is being stopped.
    pub(super) fn stop_client(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, how: Stop) {
        self.with_client(desk, socket, |_, state| {
            state.since = self.clock.lull_from(state.since);
            stop(&mut state.conversation, socket, how);
        });
    }

    /// The time to drain after a stop is over.
    pub(super) fn drain_over(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>) {
        self.with_client(desk, socket, |desk, state| {
            if state.conversation.patience() == Patience::Lull && self.is_over(desk, state) {
                self.out_of_patience(desk, socket, state);
            }
            state.conversation.drain_over(has_unread(socket));
        });
    }

    /// Ends it if its time limit is over; else says when that will be.
    pub(super) fn check_limit(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>) -> Option<Instant> {
        let deadline = {
            let state = client(socket).state.lock();
            self.clock.deadline(state.conversation.patience(), state.since)?
        };
        if deadline > desk.now {
            return Some(deadline);
        }
        self.with_client(desk, socket, |desk, state| {
            // Another worker may have moved it since.
            if self.is_over(desk, state) {
                self.out_of_patience(desk, socket, state);
            }
        });
        let state = client(socket).state.lock();
        let next = || self.clock.deadline(state.conversation.patience(), state.since);
        if state.conversation.is_closed() { None } else { next() }
    }

    /// Whether its time limit is over.
    fn is_over(&self, desk: &Desk<'_>, state: &State<S>) -> bool {
        let deadline = self.clock.deadline(state.conversation.patience(), state.since);
        deadline.is_some_and(|deadline| deadline <= desk.now)
    }

    /// Its time limit is over.
    fn out_of_patience(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        let unread = has_unread(socket);
        if state.conversation.patience() == Patience::Lull && !unread {
            // What was sent to it from outside until now is sent before its end.
            self.take_mail(desk, socket, state, Then::Closed);
            state.conversation.lull_over();
        } else {
            state.conversation.out_of_patience(unread);
        }
    }

    /// Takes the connection's lock, lets `input` happen, and does all that follows from it. Nothing happens to a
    /// connection that was closed before.
    fn with_client(
        &self,
        desk: &mut Desk<'_>,
        socket: &PortSocket<S>,
        input: impl FnOnce(&mut Desk<'_>, &mut State<S>),
    ) {
        let state = &mut *client(socket).state.lock();
        if state.conversation.is_closed() {
            return;
        }
        input(desk, state);
        self.drive(desk, socket, state);
        if state.takes_mail && state.conversation.is_ending() {
            state.takes_mail = false;
            client(socket).mailbox.take(Then::Closed, |_| 0);
        }
        client(socket).mailbox.note_queued(state.conversation.queued());
        if state.conversation.take_progress() {
            // A lull is short, and its worker may have been at this for long.
            let is_stopping = state.conversation.is_stopping();
            state.since = if is_stopping { self.clock.moment(Instant::now()) } else { desk.moment };
        }
        let patience = state.conversation.patience();
        if state.planned != Some(patience) {
            state.planned = Some(patience);
            self.clock.plan(self.clock.deadline(patience, state.since));
        }
    }
}

/// What a connection does.
impl<S: Service> Runner<S> {
    /// Does what the conversation says, until it waits.
    fn drive(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        let (mut turns, mut receives) = (TURNS, TURNS);
        loop {
            match state.conversation.next(&mut desk.worker(&self.host), &mut turns) {
                Step::Receive if receives == 0 => {
                    state.postponed = true;
                    self.come_back(desk, socket, state);
                }
                Step::Receive => {
                    receives -= 1;
                    match state.likely {
                        true => self.receive(desk, socket, state),
                        false => self.wait_to_receive(desk, socket, state),
                    }
                }
                Step::Send => self.send(desk, socket, state),
                Step::ShutdownSend => {
                    if let Err(error) = socket.shutdown(Shutdown::Send) {
                        lost(&mut state.conversation, error);
                    }
                }
                Step::Yield => return self.come_back(desk, socket, state),
                Step::Wait => return,
                Step::Close => self.close(socket),
                Step::Abort => {
                    // It fails only for a socket that is gone already.
                    let _ = socket.set_linger(Some(Duration::ZERO));
                    self.close(socket);
                }
            }
        }
    }

    /// Starts a receive without a buffer, which is done at once if there is something to receive.
    fn wait_to_receive(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        match socket.receive_ready(desk.operation()) {
            Ok(Started::Pending) => {}
            Ok(Started::Done(operation, _)) => {
                desk.keep(operation);
                self.receive(desk, socket, state);
            }
            Err(Failed { error, operation }) => {
                desk.keep(operation);
                state.conversation.received_nothing();
                lost(&mut state.conversation, error);
            }
        }
    }

    /// Receives what is there.
    fn receive(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        let Desk { scratch, pool, lane, tally, .. } = desk;
        let mut worker = Worker { service: &self.host.service, pool, lane, tally };
        state.likely = transfer::receive(socket, scratch, &mut state.conversation, &mut worker) == Found::Full;
    }

    /// Sends what is queued, or starts to.
    fn send(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        if transfer::sends_at_once(socket.socket(), &mut state.conversation, &mut desk.worker(&self.host)) {
            return;
        }
        // Else there is no room, or something is wrong, which the operation will tell.
        let mut operation = desk.operation();
        *operation.buffer_mut() = state.conversation.take_front();
        match socket.send(operation) {
            Ok(Started::Pending) => {}
            Ok(Started::Done(operation, count)) => self.sent(desk, state, operation, count),
            Err(Failed { error, operation }) => {
                self.sent(desk, state, operation, 0);
                lost(&mut state.conversation, error);
            }
        }
    }

    /// A send has ended, with `count` bytes of its buffer sent.
    fn sent(&self, desk: &mut Desk<'_>, state: &mut State<S>, mut operation: Operation<()>, count: usize) {
        let buffer = std::mem::take(operation.buffer_mut());
        state.conversation.sent_from(&mut desk.worker(&self.host), buffer, count);
        desk.keep(operation);
    }

    /// Queues what was sent from outside.
    fn take_mail(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>, then: Then) {
        client(socket).mailbox.take(then, |bytes| {
            state.conversation.push(&mut desk.worker(&self.host), bytes);
            state.conversation.queued()
        });
    }

    /// Has a packet come for this connection, behind those of others.
    fn come_back(&self, desk: &mut Desk<'_>, socket: &PortSocket<S>, state: &mut State<S>) {
        if socket.post(0, desk.operation()).is_err() {
            // Without memory for a packet the connection would never be looked after again.
            state.conversation.failed();
        }
    }

    /// Lets go of the socket, which closes when the packets of it that are being handled let go of it as well.
    fn close(&self, socket: &PortSocket<S>) {
        self.clients.remove(ConnectionId::new(client(socket).name.get()));
        self.left();
    }
}

impl<S: Service> Named for PortSocket<S> {
    fn name(&self) -> &NonZeroU64 {
        &client(self).name
    }
}

fn client<S: Service>(socket: &PortSocket<S>) -> &Client<S> {
    match socket.key() {
        Key::Client(client) => client,
        Key::Server => unreachable!("it is a client's socket"),
    }
}
