//! Every worker calls `select` over its share of the connections.
//!
//! A worker keeps its connections to itself, so nothing about them is locked: it waits until some are ready, receives
//! from those, calls the service, sends at once what can be sent, and waits again. A connection is in the read set
//! while its conversation wants to receive, and in the write set only while a send found no room. Both sets are kept
//! from call to call, and copied for each.
//!
//! The first worker also accepts, with a condition function, and deals the connections out to all. To reach another
//! worker, be it with a connection, with something to send from outside, or to stop it, one leaves a note in its inbox
//! and wakes it by a socket that is in its read set for that.
//!
//! A set may be of any size here, so there are no groups of 64. But each call looks at every socket, which is the
//! model's price: it grows with all connections, not with the busy ones.

mod client;
mod inbox;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use pentaport::Result;
use pentaport::select::{SelectSet, select};
use pentaport::socket::{Socket, SocketId};

use self::client::Client;
use self::inbox::{Inbox, Note};
use super::accept::Caller;
use super::{ACCEPT_AGAIN, ACCEPTS, Host, RECEIVE_SIZE, Stopping};
use crate::handle::{Link, Stop};
use crate::mailbox::Mailbox;
use crate::pool::Pool;
use crate::registry::Registry;
use crate::sweep::{Limits, Sweep};
use crate::totals::{Lane, Tally};
use crate::{Connection, ConnectionId, SendError, Service};

/// Send buffers that a worker keeps for connections that have something to send.
const SPARE_BUFFERS: usize = 64;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let inboxes = (0..host.options.threads.get()).map(|_| Inbox::new());
    let inboxes = inboxes.collect::<Result<Vec<_>>>()?;
    let shared = Arc::clone(&host.shared);
    let limits = Limits::new(&host.options);
    let stopping = Stopping::default();
    let runner = Arc::new(Runner { host, inboxes, directory: Registry::default(), stopping, limits });
    shared.attach(Arc::clone(&runner) as Arc<dyn Link>);
    let result = thread::scope(|scope| {
        for number in 1..runner.inboxes.len() {
            let runner = &runner;
            let worker = thread::Builder::new().name(format!("worker {number}"));
            if let Err(error) = worker.spawn_scoped(scope, move || Worker::new(runner, number).work()) {
                runner.stop(Stop::Now);
                return Err(error);
            }
        }
        let mut first = Worker::new(&runner, 0);
        first.accept_from(listener);
        first.work();
        Ok(())
    });
    shared.detach();
    result
}

/// What the workers share.
struct Runner<S: Service> {
    host: Host<S>,
    inboxes: Vec<Inbox>,
    /// Where each connection is, for what is sent from outside.
    directory: Registry<Arc<Entry>>,
    stopping: Stopping,
    limits: Limits,
}

/// What can be reached of a connection from outside its worker.
struct Entry {
    mailbox: Mailbox,
    worker: usize,
}

/// A worker: one thread, its connections, and all that it needs for them.
struct Worker<'a, S: Service> {
    runner: &'a Runner<S>,
    number: usize,
    desk: Desk<'a>,
    clients: HashMap<SocketId, Client<S>>,
    names: HashMap<ConnectionId, SocketId>,
    /// Those who have their turn as soon as all that is ready has been looked after.
    postponed: Vec<SocketId>,
    interests: Interests,
    listener: Option<Socket>,
    /// Nobody is accepted before: there are no descriptors.
    accept_again: Option<Instant>,
    next_worker: usize,
    sweep: Sweep,
    /// The stop that has been carried out.
    stopped: Option<Stop>,
    drain_until: Option<Instant>,
}

/// What a worker needs to look after any of its connections.
struct Desk<'a> {
    lane: &'a Lane,
    tally: Tally,
    pool: Pool,
    /// Where everything is received.
    scratch: Vec<u8>,
    now: Instant,
}

/// Which sockets are waited for; and the sets that `select` changes.
#[derive(Default)]
struct Interests {
    read: SelectSet,
    write: SelectSet,
    readable: SelectSet,
    writable: SelectSet,
}

impl<'a, S: Service> Worker<'a, S> {
    fn new(runner: &'a Runner<S>, number: usize) -> Self {
        let mut interests = Interests::default();
        interests.read.insert(runner.inboxes[number].waker.socket());
        Worker {
            runner,
            number,
            desk: Desk {
                lane: runner.host.shared.counters.lane(number),
                tally: Tally::default(),
                pool: Pool::new(SPARE_BUFFERS, 2 * runner.host.options.send_queue_limit),
                scratch: vec![0; RECEIVE_SIZE],
                now: Instant::now(),
            },
            clients: HashMap::new(),
            names: HashMap::new(),
            postponed: Vec::new(),
            interests,
            listener: None,
            accept_again: None,
            next_worker: 0,
            sweep: Sweep::new(runner.limits),
            stopped: None,
            drain_until: None,
        }
    }

    fn accept_from(&mut self, listener: Socket) {
        self.interests.read.insert(&listener);
        self.listener = Some(listener);
    }

    /// Looks after connections until the server is stopped and all of them have ended.
    fn work(&mut self) {
        let _guard = StopOnPanic(self.runner);
        while !self.is_done() {
            let ready = self.wait();
            self.desk.lane.wakeups.fetch_add(1, Relaxed);
            self.desk.now = Instant::now();
            if ready.is_err() {
                // There is no memory to wait with. Others may free some.
                thread::sleep(ACCEPT_AGAIN);
                continue;
            }
            self.look_after_those_who_are_ready();
            self.look_at_the_clock();
            self.desk.lane.add(&mut self.desk.tally);
        }
    }

    /// Whether there is nothing to do any more, and never will be.
    fn is_done(&self) -> bool {
        self.stopped.is_some() && self.clients.is_empty() && self.inbox().close_if_empty()
    }

    fn inbox(&self) -> &'a Inbox {
        &self.runner.inboxes[self.number]
    }

    fn wait(&mut self) -> Result<usize> {
        let timeout = self.timeout();
        let Interests { read, write, readable, writable } = &mut self.interests;
        readable.copy_from(read);
        writable.copy_from(write);
        select(Some(readable), Some(writable), None, timeout)
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.postponed.is_empty() {
            return Some(Duration::ZERO);
        }
        let plans = [self.sweep.due(), self.drain_until, self.accept_again];
        let next = plans.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn look_after_those_who_are_ready(&mut self) {
        // The sets are put back below, with their memory.
        let readable = std::mem::take(&mut self.interests.readable);
        let writable = std::mem::take(&mut self.interests.writable);
        let postponed = std::mem::take(&mut self.postponed);
        let waker = self.inbox().waker.socket().id();
        let listener = self.listener.as_ref().map(Socket::id);
        for id in writable.iter() {
            self.with_client(id, |client, host, desk| client.send(host, desk));
        }
        for id in readable.iter() {
            if id == waker {
                self.read_notes();
            } else if Some(id) == listener {
                self.accept();
            } else {
                self.with_client(id, |client, host, desk| client.receive(host, desk));
            }
        }
        for id in postponed {
            self.with_client(id, |_, _, _| {});
        }
        self.interests.readable = readable;
        self.interests.writable = writable;
    }

    /// Lets something happen to a connection, and does all that follows from it. It may have ended before.
    fn with_client(&mut self, id: SocketId, input: impl FnOnce(&mut Client<S>, &super::Host<S>, &mut Desk<'_>)) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let host = &self.runner.host;
        input(client, host, &mut self.desk);
        client.drive(host, &mut self.desk);
        client.settle(&mut self.desk, &mut self.interests);
        self.sweep.plan(client.new_limit(self.runner.limits));
        if client.is_postponed() {
            self.postponed.push(id);
        }
        if client.is_closed() {
            let name = client.name;
            self.clients.remove(&id);
            self.names.remove(&name);
            self.runner.directory.remove(name);
            host.leave();
        }
    }

    /// Carries out what others have left in the inbox.
    fn read_notes(&mut self) {
        self.inbox().waker.clear();
        for note in self.inbox().take() {
            match note {
                Note::Serve(socket, connection) => self.serve(socket, &connection),
                Note::Mail(name) => {
                    if let Some(&id) = self.names.get(&name) {
                        self.with_client(id, Client::take_mail);
                    }
                }
            }
        }
        let stop = self.runner.stopping.get();
        if stop > self.stopped {
            self.stop(stop.expect("it is more than none"));
        }
    }

    /// Accepts those who are there.
    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else { return };
            match self.runner.host.accept(self.desk.lane, listener) {
                Caller::Accepted { socket, peer, local } => self.deal_out(socket, peer, local),
                Caller::Gone => {}
                Caller::Nobody => return,
                Caller::Unservable => {
                    self.accept_again = Some(self.desk.now + ACCEPT_AGAIN);
                    self.interests.read.remove(listener.id());
                    return;
                }
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
        } else if !self.runner.inboxes[worker].put(Note::Serve(socket, connection)) {
            // The server is being stopped, and that worker has gone home.
            self.runner.host.leave();
        }
    }

    fn serve(&mut self, socket: Socket, connection: &Connection) {
        let entry = Arc::new(Entry { mailbox: Mailbox::default(), worker: self.number });
        let client = match Client::new(socket, connection.id(), &entry, &self.runner.host, &self.desk) {
            Ok(client) => client,
            Err(_) => {
                self.desk.lane.accept_errors.fetch_add(1, Relaxed);
                self.runner.host.leave();
                return;
            }
        };
        let (name, id) = (connection.id(), client.socket_id());
        self.names.insert(name, id);
        self.clients.insert(id, client);
        self.runner.directory.insert(name, entry);
        self.with_client(id, |client, host, desk| client.open(host, desk, connection));
        if let Some(how) = self.stopped {
            self.with_client(id, |client, host, desk| client.stop(host, desk, how));
        }
    }

    fn stop(&mut self, how: Stop) {
        if let Some(listener) = self.listener.take() {
            self.interests.read.remove(listener.id());
            self.accept_again = None;
        }
        if self.stopped.is_none() {
            self.drain_until = self.desk.now.checked_add(self.runner.host.options.drain);
        }
        self.stopped = Some(how);
        for id in self.everybody() {
            self.with_client(id, |client, host, desk| client.stop(host, desk, how));
        }
    }

    fn everybody(&self) -> Vec<SocketId> {
        self.clients.keys().copied().collect()
    }

    /// Ends what has taken too long, and begins what was to wait.
    fn look_at_the_clock(&mut self) {
        let now = self.desk.now;
        if self.accept_again.take_if(|at| *at <= now).is_some()
            && let Some(listener) = &self.listener
        {
            self.interests.read.insert(listener);
        }
        if self.drain_until.take_if(|at| *at <= now).is_some() {
            for id in self.everybody() {
                self.with_client(id, |client, _, _| client.out_of_patience());
            }
        }
        if self.sweep.begin(now) {
            let limits = self.runner.limits;
            let over = |client: &Client<S>| client.deadline(limits).is_some_and(|deadline| deadline <= now);
            let late: Vec<_> = self.clients.iter().filter(|(_, client)| over(client)).map(|(id, _)| *id).collect();
            for id in late {
                self.with_client(id, |client, _, _| client.out_of_patience());
            }
            let next = self.clients.values().filter_map(|client| client.deadline(limits)).min();
            self.sweep.swept(now, next);
        }
    }
}

impl<S: Service> Link for Runner<S> {
    fn send(&self, to: ConnectionId, bytes: &[u8]) -> std::result::Result<(), SendError> {
        let entry = self.directory.get(to).ok_or(SendError::Gone)?;
        if entry.mailbox.leave(bytes, self.host.options.send_queue_limit)? {
            // A worker that has gone home has closed its connections' mailboxes before.
            self.inboxes[entry.worker].put(Note::Mail(to));
        }
        Ok(())
    }

    fn stop(&self, how: Stop) {
        self.stopping.set(how);
        for inbox in &self.inboxes {
            inbox.waker.wake();
        }
    }
}

/// A worker that panics must not leave the others waiting for ever.
struct StopOnPanic<'a, S: Service>(&'a Runner<S>);

impl<S: Service> Drop for StopOnPanic<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(Stop::Now);
        }
    }
}
