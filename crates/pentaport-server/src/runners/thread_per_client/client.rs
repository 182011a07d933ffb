//! One client: its thread, and its courier.

use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

use pentaport::Result;
use pentaport::socket::{Shutdown, Socket};
use ranked_locks::{Condvar, Mutex, MutexGuard, rank};

use super::{Counted, Runner};
use crate::conversation::{Conversation, Step, Worker};
use crate::handle::Stop;
use crate::machine::Patience;
use crate::mailbox::{Mailbox, Then};
use crate::pool::Pool;
use crate::registry::{self, Named};
use crate::runners::{SEND_SIZE, TURNS, has_unread, lost, stop};
use crate::totals::Tally;
use crate::{Connection, ConnectionId, Options, Service};

/// The most that is received at once. Each thread has a buffer of its own, so it is smaller than elsewhere.
const RECEIVE_SIZE: usize = 16 * 1024;

/// One client.
pub(super) struct Client<S: Service> {
    name: NonZeroU64,
    socket: Socket,
    pub(super) mailbox: Mailbox,
    state: Mutex<State<S>, rank::Client>,
    /// Someone else than the client's own thread has changed the state.
    changed: Condvar,
    /// The connection is closed; for those who send in several calls.
    closed: AtomicBool,
}

struct State<S: Service> {
    conversation: Conversation<S>,
    opened: bool,
    /// The conversation wants to receive, which is for the client's own thread to do.
    receive_due: bool,
    /// The conversation wants to send, which is for a courier to do.
    send_due: bool,
    /// A courier is there, or on his way, who looks after all that is to be sent.
    assisted: bool,
    /// Calls on the socket have had a time limit, so that the next one has to set its own.
    limited: bool,
    takes_mail: bool,
    /// When the connection last moved.
    since: Instant,
    /// Threads that are in a call on the socket.
    in_calls: usize,
    /// The connection has been found quiet by one look of a stop.
    quiet: bool,
    /// Those threads are not waited for.
    given_up: bool,
}

impl<S: Service> Named for Client<S> {
    fn name(&self) -> &NonZeroU64 {
        &self.name
    }
}

/// Who is doing something for a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Its own thread.
    Own,
    /// Its courier.
    Courier,
    /// Someone who must not be kept waiting.
    Visitor,
}

/// Whether to leave the end of a client to its threads that are in calls: from then on those take no longer than the time
/// to drain, but for such as began before the stop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patiently {
    Yes,
    No,
}

/// A thread, and what it needs to do something for a client.
struct Helper<'a, S: Service> {
    runner: &'a Arc<Runner<S>>,
    role: Role,
    pool: Pool,
    tally: Tally,
    counted: Option<&'a mut Counted<S>>,
}

impl<S: Service> Helper<'_, S> {
    fn worker(&mut self, client: &Client<S>) -> Worker<'_, S> {
        let host = &self.runner.host;
        let lane = host.shared.counters.lane(client.name.get() as usize);
        Worker { service: &host.service, pool: &mut self.pool, lane, tally: &mut self.tally }
    }
}

impl<S: Service> Client<S> {
    pub(super) fn new(socket: Socket, name: ConnectionId, options: &Options) -> Result<Self> {
        // It does not block so far, as its listener does not.
        socket.set_nonblocking(false)?;
        socket.set_no_delay(true)?;
        let state = State {
            conversation: Conversation::new(options.send_queue_limit),
            opened: false,
            receive_due: false,
            send_due: false,
            assisted: false,
            limited: false,
            takes_mail: true,
            since: Instant::now(),
            in_calls: 0,
            quiet: false,
            given_up: false,
        };
        Ok(Client {
            name: registry::name(name),
            socket,
            mailbox: Mailbox::default(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
        })
    }

    /// What the client's own thread does.
    pub(super) fn serve(self: &Arc<Self>, runner: &Arc<Runner<S>>, counted: &mut Counted<S>, connection: &Connection) {
        let pool = Pool::new(2, RECEIVE_SIZE);
        let mut own = Helper { runner, role: Role::Own, pool, tally: Tally::default(), counted: Some(counted) };
        let mut buffer = vec![0; RECEIVE_SIZE];
        let mut state = self.state.lock();
        state.conversation.open(&mut own.worker(self), connection);
        state.opened = true;
        // A stop has passed by a client that was not open.
        if let Some(how) = runner.stopping.get() {
            self.begin_to_stop(&mut state, how);
        }
        loop {
            self.drive(&mut own, &mut state);
            if runner.drain_is_over() {
                self.end_drain(&mut own, &mut state);
                self.drive(&mut own, &mut state);
            }
            if state.conversation.is_closed() {
                return;
            }
            if std::mem::take(&mut state.receive_due) {
                self.receive(&mut own, &mut state, &mut buffer);
            } else {
                self.changed.wait(&mut state);
            }
            own.worker(self).lane.wakeups.fetch_add(1, Relaxed);
        }
    }

    /// What a courier does: sends all that is to be sent, what was sent from outside included.
    fn carry(self: &Arc<Self>, runner: &Arc<Runner<S>>, counted: &mut Counted<S>, assists: bool) {
        let pool = Pool::new(1, SEND_SIZE);
        let mut courier = Helper { runner, role: Role::Courier, pool, tally: Tally::default(), counted: Some(counted) };
        let mut state = self.state.lock();
        loop {
            let found = self.mailbox.collect(|bytes| {
                state.conversation.push(&mut courier.worker(self), bytes);
                state.conversation.queued()
            });
            if std::mem::take(&mut state.send_due) {
                self.send(&mut courier, &mut state);
            }
            self.drive(&mut courier, &mut state);
            self.changed.notify_all();
            if !found && !state.send_due {
                state.assisted &= !assists;
                return;
            }
        }
    }

    /// Has a courier come for what was sent from outside; `false` if there is no thread to be had.
    pub(super) fn has_mail_carried(self: &Arc<Self>, runner: &Arc<Runner<S>>) -> bool {
        self.start_courier(runner, false)
    }

    /// Has a courier come unless one is there; `false` if there is no thread to be had.
    fn is_assisted(self: &Arc<Self>, runner: &Arc<Runner<S>>, state: &mut State<S>) -> bool {
        state.assisted = state.assisted || self.start_courier(runner, true);
        state.assisted
    }

    fn start_courier(self: &Arc<Self>, runner: &Arc<Runner<S>>, assists: bool) -> bool {
        let client = Arc::clone(self);
        runner.start(move |runner, counted| client.carry(runner, counted, assists)).is_ok()
    }

    /// The server is being stopped.
    pub(super) fn stop(self: &Arc<Self>, runner: &Arc<Runner<S>>, how: Stop) {
        self.visit(runner, |_, state| self.begin_to_stop(state, how));
    }

    fn begin_to_stop(&self, state: &mut State<S>, how: Stop) {
        stop(&mut state.conversation, &self.socket, how);
    }

    /// Resets a client that has no thread.
    pub(super) fn turn_away(&self) {
        // It fails only for a socket that is gone already.
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// A server that is being stopped ends it if it has paused; else says when that will be, if it is not to send first.
    pub(super) fn look_for_lull(self: &Arc<Self>, runner: &Arc<Runner<S>>, now: Instant) -> Option<Instant> {
        let mut next = None;
        self.visit(runner, |visitor, state| {
            if state.conversation.patience() != Patience::Lull {
                return;
            }
            next = runner.limits.deadline(Patience::Lull, state.since).filter(|lull| *lull > now);
            if next.is_some() {
                state.quiet = false;
            } else if state.in_calls > 0 && !std::mem::replace(&mut state.quiet, true) {
                // A thread may have received something, and wait for the lock to tell: it has until the next look.
                next = Some(now);
            } else {
                self.out_of_patience(visitor, state);
            }
        });
        next
    }

    /// The time to drain after a stop is over.
    pub(super) fn drain_over(self: &Arc<Self>, runner: &Arc<Runner<S>>, patiently: Patiently) {
        self.visit(runner, |visitor, state| {
            if patiently == Patiently::No || state.in_calls == 0 {
                self.end_drain(visitor, state);
            }
        });
    }

    fn end_drain(&self, helper: &mut Helper<'_, S>, state: &mut State<S>) {
        let lull = helper.runner.limits.deadline(Patience::Lull, state.since);
        if state.conversation.patience() == Patience::Lull && lull.is_some_and(|lull| lull <= Instant::now()) {
            self.out_of_patience(helper, state);
        }
        state.conversation.drain_over(has_unread(&self.socket));
    }

    /// Its time limit is over.
    fn out_of_patience(&self, helper: &mut Helper<'_, S>, state: &mut State<S>) {
        let unread = has_unread(&self.socket);
        if state.conversation.patience() == Patience::Lull && !unread {
            // What was sent to it from outside until now is sent before its end.
            self.mailbox.take(Then::Closed, |bytes| {
                state.conversation.push(&mut helper.worker(self), bytes);
                state.conversation.queued()
            });
            state.conversation.lull_over();
        } else {
            state.conversation.out_of_patience(unread);
        }
    }

    fn visit(self: &Arc<Self>, runner: &Arc<Runner<S>>, input: impl FnOnce(&mut Helper<'_, S>, &mut State<S>)) {
        let mut visitor =
            Helper { runner, role: Role::Visitor, pool: Pool::new(0, 0), tally: Tally::default(), counted: None };
        let mut state = self.state.lock();
        if state.opened && !state.conversation.is_closed() {
            input(&mut visitor, &mut state);
            self.drive(&mut visitor, &mut state);
            self.changed.notify_all();
        }
    }
}

/// What a connection does.
impl<S: Service> Client<S> {
    /// Does what the conversation says, until it waits or wants to receive.
    fn drive(self: &Arc<Self>, helper: &mut Helper<'_, S>, state: &mut MutexGuard<'_, State<S>, rank::Client>) {
        let mut turns = TURNS;
        loop {
            match state.conversation.next(&mut helper.worker(self), &mut turns) {
                Step::Receive => state.receive_due = true,
                Step::Send if helper.role == Role::Visitor => {
                    if self.is_assisted(helper.runner, state) {
                        state.send_due = true;
                    } else {
                        // Nobody can send without making others wait: a later visit tries again, if the client's own
                        // thread does not come by before.
                        state.conversation.sent_nothing();
                        break;
                    }
                }
                Step::Send => self.send(helper, state),
                Step::ShutdownSend => {
                    if let Err(error) = self.socket.shutdown(Shutdown::Send) {
                        lost(&mut state.conversation, error);
                    }
                }
                // An endless service: from now on the courier sends, so that the client's own thread can receive.
                Step::Yield if helper.role != Role::Courier && self.is_assisted(helper.runner, state) => break,
                Step::Yield => {
                    turns = TURNS;
                    MutexGuard::bump(state);
                }
                Step::Wait => break,
                Step::Close => self.close(helper, state),
                Step::Abort => {
                    // It fails only for a socket that is gone already.
                    let _ = self.socket.set_linger(Some(Duration::ZERO));
                    self.close(helper, state);
                }
            }
        }
        self.settle(helper, state);
    }

    /// Puts down what others are to know of the connection's state.
    fn settle(&self, helper: &mut Helper<'_, S>, state: &mut State<S>) {
        let Worker { lane, tally, .. } = helper.worker(self);
        lane.add(tally);
        if state.takes_mail && state.conversation.is_ending() {
            state.takes_mail = false;
            self.mailbox.take(Then::Closed, |_| 0);
        }
        self.mailbox.note_queued(state.conversation.queued());
        if state.conversation.take_progress() {
            state.since = Instant::now();
        }
    }

    fn receive(
        self: &Arc<Self>,
        own: &mut Helper<'_, S>,
        state: &mut MutexGuard<'_, State<S>, rank::Client>,
        buffer: &mut Vec<u8>,
    ) {
        let (set_limit, limit) = self.time_left(own, state);
        let received = self.call(own, state, |socket| {
            if set_limit {
                socket.set_receive_timeout(limit)?;
            }
            socket.recv(buffer)
        });
        state.quiet = false;
        match received {
            Ok(0) => state.conversation.end_of_stream(&mut own.worker(self)),
            Ok(count) => state.conversation.received(&mut own.worker(self), buffer, count),
            Err(error) => {
                state.conversation.received_nothing();
                if error.kind() == ErrorKind::TimedOut {
                    self.check_limit(own, state);
                } else {
                    lost(&mut state.conversation, error);
                }
            }
        }
    }

    fn send(self: &Arc<Self>, helper: &mut Helper<'_, S>, state: &mut MutexGuard<'_, State<S>, rank::Client>) {
        let (set_limit, limit) = self.time_left(helper, state);
        let buffer = state.conversation.take_front();
        let mut sent = 0;
        let result = self.call(helper, state, |socket| {
            if set_limit {
                socket.set_send_timeout(limit)?;
            }
            for piece in buffer.chunks(SEND_SIZE) {
                if self.closed.load(SeqCst) {
                    break;
                }
                sent += socket.send(piece)?;
            }
            Ok(())
        });
        state.conversation.sent_from(&mut helper.worker(self), buffer, sent);
        match result {
            Ok(()) => {}
            // How much of the last piece has left is not known, so that there is no way on.
            Err(error) if error.kind() == ErrorKind::TimedOut => state.conversation.out_of_patience(false),
            Err(error) => lost(&mut state.conversation, error),
        }
        if helper.role == Role::Courier {
            self.changed.notify_all();
        }
    }

    /// A call on the socket, during which others may look after the connection.
    fn call<T>(
        &self,
        helper: &mut Helper<'_, S>,
        state: &mut MutexGuard<'_, State<S>, rank::Client>,
        call: impl FnOnce(&Socket) -> Result<T>,
    ) -> Result<T> {
        state.in_calls += 1;
        let result = MutexGuard::unlocked(state, || call(&self.socket));
        state.in_calls -= 1;
        if let Some(counted) = helper.counted.as_mut().filter(|_| state.given_up) {
            counted.is_given_up = true;
        }
        result
    }

    fn close(&self, helper: &mut Helper<'_, S>, state: &mut State<S>) {
        self.closed.store(true, SeqCst);
        if state.in_calls > 0 {
            // A thread that returns closes the socket as it is to be closed. Where nothing but the peer releases a thread
            // from a call, the end of our side makes most peers leave.
            if self.socket.cancel() != Ok(true) {
                let _ = self.socket.shutdown(Shutdown::Both);
            }
            state.given_up = true;
            helper.runner.give_up(state.in_calls);
        }
        helper.runner.clients.remove(ConnectionId::new(self.name.get()));
        helper.runner.left();
    }

    /// How long a call on the socket may take, and whether the socket has to be told.
    fn time_left(&self, helper: &Helper<'_, S>, state: &mut State<S>) -> (bool, Option<Duration>) {
        let deadline = helper.runner.limits.deadline(state.conversation.patience(), state.since);
        let drain_until = helper.runner.drain_until.get().copied().flatten();
        let left = deadline.into_iter().chain(drain_until).min().map(|deadline| {
            // None at all would be for ever to a socket.
            deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
        });
        state.limited |= left.is_some();
        (state.limited, left)
    }

    /// Ends the connection if its time limit is over: others may have moved it meanwhile.
    fn check_limit(&self, helper: &mut Helper<'_, S>, state: &mut State<S>) {
        let deadline = helper.runner.limits.deadline(state.conversation.patience(), state.since);
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.out_of_patience(helper, state);
        }
    }
}
