//! Workers that keep their connections to themselves, as in all models but two.
//!
//! A worker is one thread that waits for its share of the connections. Nothing about a connection is locked: only its
//! worker receives from it, calls the service, and sends. What differs from model to model is how a worker waits and
//! what it is told; that is a [`Mechanism`], and each of the files beside this one that is named for such a model holds
//! one.
//!
//! The first worker also accepts, with a condition function, and deals the connections out to all. To reach another
//! worker, be it with a connection, with something to send from outside, or to stop it, one leaves a note in its inbox
//! and wakes it, in the way of its model.
//!
//! What the mechanism tells is collected first and looked after then: a handler never runs inside a wait, nor a wait
//! inside a handler.

mod client;
mod clients;
mod inbox;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pentaport::socket::Socket;
use pentaport::{Error, Result};

use self::client::Client;
pub(super) use self::clients::ClientId;
use self::clients::Clients;
pub(super) use self::inbox::Wake;
use self::inbox::{Inbox, Note};
use super::accept::Caller;
use super::transfer::Found;
use super::{ACCEPT_AGAIN, Host, RECEIVE_SIZE, SHORTEST_WAIT, Stopping, WORKER, refuse, transfer};
use crate::conversation::{self, Conversation};
use crate::handle::{Link, Stop};
use crate::mailbox::Mailbox;
use crate::observer::is_shortage;
use crate::pool::Pool;
use crate::registry::{self, Named, Registry};
use crate::sweep::{Limits, Sweep};
use crate::totals::{Lane, Tally};
use crate::{Connection, ConnectionId, SendError, Service, Shortage};

/// Send buffers that a worker keeps for connections that have something to send.
const SPARE_BUFFERS: usize = 64;

/// How a worker waits under one model, and how it receives and sends. It stays on the worker's thread.
pub(super) trait Mechanism<S: Service>: Sized {
    /// What wakes this worker.
    type Waker: Wake;
    /// A connection's socket, and what the model keeps with it.
    type Line;
    /// What the model tells of a connection.
    type Signal;

    /// How many callers to accept for one notice of callers. After each accept the model tells of the next, if somebody
    /// is there; to ask until nobody is costs one more call, and Wine may lose the notice of who comes during that one.
    const ACCEPTS: usize = 1;

    /// Called on the worker's thread.
    fn new() -> Result<(Self, Self::Waker)>;

    /// Begins to tell of callers, those who are there already included.
    fn listen(&mut self, listener: &Socket) -> Result<()>;

    /// Tells of callers no more.
    fn ignore(&mut self, listener: &Socket);

    /// Makes what the model makes for a worker's first connection, so that a lack of it is known before there is one.
    /// The probe is a datagram socket at rest.
    fn rehearse(&mut self, probe: &Socket) -> Result<()>;

    /// Takes an accepted socket in, which is non-blocking.
    fn take_in(&mut self, id: ClientId, socket: Socket) -> std::result::Result<Self::Line, Untaken>;

    /// Closes a socket. Of its connection nothing more needs to be told.
    fn let_go(&mut self, line: Self::Line);

    fn socket(line: &Self::Line) -> &Socket;

    /// Waits until there is something to tell, somebody wakes the worker, or the time is over. It may tell of
    /// connections that are gone, and of what has been seen to before.
    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<Self::Signal>>) -> Result<()>;

    /// Does what a signal calls for.
    fn signalled(
        &mut self,
        line: &mut Self::Line,
        signal: Self::Signal,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    );

    /// Begins to receive.
    fn receive(&mut self, line: &mut Self::Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>);

    /// Begins to send.
    fn send(&mut self, line: &mut Self::Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>);

    /// All has been done that there was to do for a connection; it waits now.
    fn settle(&mut self, _line: &mut Self::Line) {}
}

/// A socket that could not be taken in, and why.
pub(super) struct Untaken {
    pub(super) socket: Socket,
    pub(super) error: Error,
}

/// What a mechanism tells.
pub(super) enum Notice<T> {
    /// There may be callers.
    Caller,
    /// Something happened to a connection.
    Client(ClientId, T),
}

/// What a worker needs to look after any of its connections.
pub(super) struct Desk<'a, S> {
    pub(super) host: &'a Host<S>,
    lane: &'a Lane,
    tally: Tally,
    pool: Pool,
    /// Where everything is received.
    scratch: Vec<u8>,
    now: Instant,
}

impl<S: Service> Desk<'_, S> {
    pub(super) fn worker(&mut self) -> conversation::Worker<'_, S> {
        let Desk { host, pool, lane, tally, .. } = self;
        conversation::Worker { service: &host.service, pool, lane, tally }
    }

    /// Receives what is there, and tells the conversation.
    pub(super) fn receive(&mut self, socket: &Socket, conversation: &mut Conversation<S>) -> Found {
        let Desk { host, pool, lane, tally, scratch, .. } = self;
        let mut worker = conversation::Worker { service: &host.service, pool, lane, tally };
        transfer::receive(socket, scratch, conversation, &mut worker)
    }
}

/// Serves until stopped.
pub(super) fn run<S: Service, M: Mechanism<S>>(host: Host<S>, listener: Socket) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let inboxes = (0..host.options.threads.get()).map(|_| Inbox::new()).collect();
    let limits = Limits::new(&host.options);
    let shared = Arc::clone(&host.shared);
    let (directory, stopping) = (Registry::default(), Stopping::default());
    let runner = Arc::new(Runner::<S, M::Waker> { host, inboxes, directory, stopping, limits });
    let result = thread::scope(|scope| {
        let mut first = Worker::<S, M>::begin(&runner, 0)?;
        first.accept_from(listener).map_err(|error| Shortage::new("the listener", error))?;
        let (tell, begun) = mpsc::channel();
        let spawn = |number| {
            let (runner, tell) = (&*runner, tell.clone());
            let thread = thread::Builder::new().name(format!("worker {number}"));
            thread.spawn_scoped(scope, move || match Worker::<S, M>::begin(runner, number) {
                Ok(mut worker) => {
                    // Whoever asks has not gone before he heard.
                    let _ = tell.send(Ok(()));
                    worker.work();
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            })
        };
        let (mut started, mut outcome) = (0, Ok(()));
        for number in 1..runner.inboxes.len() {
            match spawn(number) {
                Ok(_) => started += 1,
                Err(error) => {
                    outcome = Err(Shortage::of_threads(WORKER, error));
                    break;
                }
            }
        }
        let outcome = begun.iter().take(started).fold(outcome, std::result::Result::and);
        if let Err(shortage) = outcome.and_then(|()| runner.host.check_descriptors()) {
            runner.stop(Stop::Now);
            return Err(shortage);
        }
        // From now on all workers can be woken.
        shared.attach(Arc::clone(&runner) as Arc<dyn Link>);
        runner.host.told.ready();
        first.work();
        Ok(())
    });
    shared.detach();
    Ok(result?)
}

/// What the workers share.
struct Runner<S: Service, W> {
    host: Host<S>,
    inboxes: Vec<Inbox<W>>,
    /// Where each connection is, for what is sent from outside.
    directory: Registry<Arc<Entry>>,
    stopping: Stopping,
    limits: Limits,
}

/// What can be reached of a connection from outside its worker.
struct Entry {
    name: NonZeroU64,
    mailbox: Mailbox,
    worker: usize,
    /// What its worker calls it.
    client: ClientId,
}

impl Named for Entry {
    fn name(&self) -> &NonZeroU64 {
        &self.name
    }
}

/// A worker: one thread, its connections, and all that it needs for them.
struct Worker<'a, S: Service, M: Mechanism<S>> {
    runner: &'a Runner<S, M::Waker>,
    number: usize,
    desk: Desk<'a, S>,
    // Before the mechanism: dropped first, for its sockets are part of it.
    clients: Clients<Client<S, M>>,
    mechanism: M,
    notices: Vec<Notice<M::Signal>>,
    /// Those who have their turn as soon as all that is ready has been looked after.
    postponed: Vec<ClientId>,
    /// Nobody: room for a list while the other is looked after.
    nobody: Vec<ClientId>,
    listener: Option<Socket>,
    /// Accepted connections that could not be taken in: they wait as those do who are not accepted.
    held: Vec<(Socket, Connection)>,
    /// Nobody is accepted or taken in before: there are no descriptors.
    accept_again: Option<Instant>,
    next_worker: usize,
    sweep: Sweep,
    /// The stop that has been carried out.
    stopped: Option<Stop>,
    drain_until: Option<Instant>,
}

impl<'a, S: Service, M: Mechanism<S>> Worker<'a, S, M> {
    /// A worker that has all it needs for its connections. To be called on its thread.
    fn begin(runner: &'a Runner<S, M::Waker>, number: usize) -> std::result::Result<Self, Shortage> {
        Self::new(runner, number).map_err(|error| Shortage::new(WORKER, error))
    }

    fn new(runner: &'a Runner<S, M::Waker>, number: usize) -> Result<Self> {
        let (mut mechanism, waker) = M::new()?;
        mechanism.rehearse(&Socket::udp(&runner.host.local)?)?;
        mechanism.wait(Some(SHORTEST_WAIT), &mut Vec::new())?;
        runner.inboxes[number].open(waker);
        Ok(Worker {
            runner,
            number,
            desk: Desk {
                host: &runner.host,
                lane: runner.host.shared.counters.lane(number),
                tally: Tally::default(),
                pool: Pool::new(SPARE_BUFFERS, runner.host.largest_buffer()),
                scratch: vec![0; RECEIVE_SIZE],
                now: Instant::now(),
            },
            clients: Clients::new(),
            mechanism,
            notices: Vec::new(),
            postponed: Vec::new(),
            nobody: Vec::new(),
            listener: None,
            held: Vec::new(),
            accept_again: None,
            next_worker: 0,
            sweep: Sweep::new(runner.limits),
            stopped: None,
            drain_until: None,
        })
    }

    fn accept_from(&mut self, listener: Socket) -> Result<()> {
        self.mechanism.listen(&listener)?;
        self.listener = Some(listener);
        Ok(())
    }

    /// Looks after connections until the server is stopped and all of them have ended.
    fn work(&mut self) {
        let _guard = StopOnPanic(self.runner);
        while !self.is_done() {
            let waited = self.mechanism.wait(self.timeout(), &mut self.notices);
            self.desk.lane.wakeups.fetch_add(1, Relaxed);
            self.desk.now = Instant::now();
            if let Err(error) = waited {
                // There is no memory to wait with. Others may free some.
                self.desk.host.lacks(self.desk.lane, error);
                thread::sleep(ACCEPT_AGAIN);
            }
            self.look_after_all();
            self.look_at_the_clock();
            self.desk.lane.add(&mut self.desk.tally);
        }
    }

    /// Whether there is nothing to do any more, and never will be.
    fn is_done(&self) -> bool {
        self.stopped.is_some() && self.clients.is_empty() && self.inbox().close_if_empty()
    }

    fn inbox(&self) -> &'a Inbox<M::Waker> {
        &self.runner.inboxes[self.number]
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.postponed.is_empty() || self.inbox().has_something() {
            return Some(Duration::ZERO);
        }
        let plans = [self.sweep.due(), self.drain_until, self.accept_again];
        let next = plans.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn look_after_all(&mut self) {
        // They are put back below, with their memory.
        let mut notices = std::mem::take(&mut self.notices);
        let nobody = std::mem::take(&mut self.nobody);
        let mut postponed = std::mem::replace(&mut self.postponed, nobody);
        for notice in notices.drain(..) {
            match notice {
                Notice::Caller => self.accept(),
                Notice::Client(id, signal) => {
                    self.with_client(id, |client, mechanism, desk| client.signalled(mechanism, desk, signal));
                }
            }
        }
        for id in postponed.drain(..) {
            self.with_client(id, Client::go_on);
        }
        self.notices = notices;
        self.nobody = postponed;
        if self.inbox().has_something() {
            self.read_notes();
        }
    }

    /// Lets something happen to a connection, and does all that follows from it. It may have ended before.
    fn with_client(&mut self, id: ClientId, input: impl FnOnce(&mut Client<S, M>, &mut M, &mut Desk<'a, S>)) {
        let Some(client) = self.clients.get_mut(id) else { return };
        input(client, &mut self.mechanism, &mut self.desk);
        client.drive(&mut self.mechanism, &mut self.desk);
        client.settle(&mut self.mechanism, &self.desk);
        self.sweep.plan(client.new_limit(self.runner.limits));
        if client.is_postponed() {
            self.postponed.push(id);
        }
        if client.is_closed() {
            let client = self.clients.remove(id).expect("it was there");
            self.runner.directory.remove(client.name());
            self.mechanism.let_go(client.into_line());
            self.runner.host.leave();
        }
    }

    /// Carries out what others have left in the inbox.
    fn read_notes(&mut self) {
        for note in self.inbox().take() {
            match note {
                Note::Serve(socket, connection) => self.serve(socket, &connection),
                Note::Mail(id) => self.with_client(id, |client, _, desk| client.take_mail(desk)),
            }
        }
        let stop = self.runner.stopping.get();
        if stop > self.stopped {
            self.stop(stop.expect("it is more than none"));
        }
    }

    /// Accepts those who are there, as many as a notice is for.
    fn accept(&mut self) {
        for _ in 0..M::ACCEPTS {
            let Some(listener) = self.listener.as_ref().filter(|_| self.accept_again.is_none()) else { return };
            match self.runner.host.accept(self.desk.lane, listener) {
                Caller::Accepted { socket, peer, local } => self.deal_out(socket, peer, local),
                Caller::Gone => {}
                Caller::Nobody => return,
                Caller::Unservable => self.accept_later(),
            }
        }
    }

    /// Gives a connection to the worker whose turn it is.
    fn deal_out(&mut self, socket: Socket, peer: SocketAddr, local: SocketAddr) {
        let connection = Connection::new(self.runner.host.shared.next_id(), peer, local);
        let worker = self.next_worker;
        self.next_worker = (worker + 1) % self.runner.inboxes.len();
        if worker == self.number {
            self.serve(socket, &connection);
        } else if let Err(Note::Serve(socket, _)) = self.runner.inboxes[worker].put(Note::Serve(socket, connection)) {
            // The server is being stopped, and that worker has gone home.
            self.turn_away(socket);
        }
    }

    /// Accepts nobody for a while.
    fn accept_later(&mut self) {
        if let Some(listener) = self.listener.as_ref().filter(|_| self.accept_again.is_none()) {
            self.mechanism.ignore(listener);
        }
        self.accept_again = Some(self.desk.now + ACCEPT_AGAIN);
    }

    /// Resets a connection that has a place and is not served.
    fn turn_away(&self, socket: Socket) {
        refuse(socket);
        self.runner.host.leave();
    }

    fn serve(&mut self, socket: Socket, connection: &Connection) {
        let line = match self.mechanism.take_in(self.clients.next_id(), socket) {
            Ok(line) => line,
            Err(Untaken { socket, error }) if is_shortage(error) && self.stopped.is_none() => {
                self.desk.host.lacks(self.desk.lane, error);
                self.held.push((socket, *connection));
                return self.accept_later();
            }
            // The client has gone, or the server goes.
            Err(Untaken { socket, .. }) => return self.turn_away(socket),
        };
        let client = self.clients.next_id();
        let name = registry::name(connection.id());
        let entry = Arc::new(Entry { name, mailbox: Mailbox::default(), worker: self.number, client });
        let id = self.clients.insert(Client::new(connection.id(), line, &entry, &self.desk));
        self.runner.directory.insert(entry);
        self.with_client(id, |client, _, desk| client.open(desk, connection));
        if let Some(how) = self.stopped {
            let limits = self.runner.limits;
            self.with_client(id, |client, _, _| client.stop(how, limits));
        }
    }

    fn stop(&mut self, how: Stop) {
        if let Some(listener) = self.listener.take() {
            self.mechanism.ignore(&listener);
        }
        self.accept_again = None;
        for (socket, _) in std::mem::take(&mut self.held) {
            self.turn_away(socket);
        }
        if self.stopped.is_none() {
            self.drain_until = self.desk.now.checked_add(self.runner.host.options.drain);
        }
        self.stopped = Some(how);
        let limits = self.runner.limits;
        self.sweep.begin_stop(limits);
        for id in self.everybody() {
            self.with_client(id, |client, _, _| client.stop(how, limits));
        }
    }

    /// Takes in those who could not be before, and accepts again.
    fn accept_again(&mut self) {
        for (socket, connection) in std::mem::take(&mut self.held) {
            self.serve(socket, &connection);
        }
        if self.accept_again.is_none()
            && let Some(listener) = &self.listener
            && let Err(error) = self.mechanism.listen(listener)
        {
            self.desk.host.lacks(self.desk.lane, error);
            self.accept_again = Some(self.desk.now + ACCEPT_AGAIN);
        }
    }

    fn everybody(&self) -> Vec<ClientId> {
        self.clients.iter().map(|(id, _)| id).collect()
    }

    /// Ends what has taken too long, and begins what was to wait.
    fn look_at_the_clock(&mut self) {
        let now = self.desk.now;
        if self.accept_again.take_if(|at| *at <= now).is_some() {
            self.accept_again();
        }
        if self.drain_until.take_if(|at| *at <= now).is_some() {
            let limits = self.runner.limits;
            for id in self.everybody() {
                self.with_client(id, |client, _, desk| client.drain_over(desk, limits));
            }
        }
        if self.sweep.begin(now) {
            let limits = self.runner.limits;
            let over = |client: &Client<S, M>| client.deadline(limits).is_some_and(|deadline| deadline <= now);
            let late: Vec<_> = self.clients.iter().filter(|(_, client)| over(client)).map(|(id, _)| id).collect();
            for id in late {
                self.with_client(id, |client, _, desk| client.out_of_patience(desk));
            }
            let next = self.clients.iter().filter_map(|(_, client)| client.deadline(limits)).min();
            self.sweep.swept(now, next);
        }
    }
}

impl<S: Service, W: Wake> Link for Runner<S, W> {
    fn send(&self, to: ConnectionId, bytes: &[u8]) -> std::result::Result<(), SendError> {
        let entry = self.directory.get(to).ok_or(SendError::Gone)?;
        if entry.mailbox.leave(bytes, self.host.options.send_queue_limit)? {
            // A worker that has gone home has closed its connections' mailboxes before.
            let _ = self.inboxes[entry.worker].put(Note::Mail(entry.client));
        }
        Ok(())
    }

    fn stop(&self, how: Stop) {
        self.stopping.set(how);
        for inbox in &self.inboxes {
            inbox.call();
        }
    }
}

/// A worker that panics must not leave the others waiting for ever.
struct StopOnPanic<'a, S: Service, W: Wake>(&'a Runner<S, W>);

impl<S: Service, W: Wake> Drop for StopOnPanic<'_, S, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(Stop::Now);
        }
    }
}
