//! A thread for each client, in blocking calls: the baseline that the models are measured against.
//!
//! A client's thread waits in a receive, calls the service, and sends the answer before it receives again. What the
//! system charges for that is a stack, and a switch of threads for each message.
//!
//! What comes from elsewhere is sent by a second thread, the client's *courier*, who is there while there is something
//! to carry: what was sent from outside, what is queued when the server stops, or an endless service's output. Both
//! threads share the conversation under a lock, which nobody holds while he receives or sends; the conversation sees to
//! it that only one of them sends.
//!
//! The calling thread accepts. It is the only one that waits for two things at once, a caller and a stop, and does so in
//! `select`.

mod client;

use std::io;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use pentaport::Result;
use pentaport::select::{SelectSet, select};
use pentaport::socket::Socket;
use ranked_locks::{Condvar, Mutex, rank};

use self::client::{Client, Patiently};
use super::accept::Caller;
use super::waker::Waker;
use super::{ACCEPT_AGAIN, ACCEPTS, Host, SHORTEST_WAIT, Stopping};
use crate::handle::{Link, Stop};
use crate::registry::Registry;
use crate::sweep::Limits;
use crate::totals::Lane;
use crate::{Connection, ConnectionId, SendError, Service, Shortage};

/// What a thread has for its stack. A service's handlers run on it, and so does the report of a panic in one.
const STACK: usize = 256 * 1024;

/// How much longer than the time to drain a thread may need to come back from its call, and end its client by itself.
const AFTER_DRAIN: Duration = Duration::from_millis(100);

/// How often a stop looks at clients that have no lull to wait for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The least time between two looks.
const FINEST: Duration = Duration::from_millis(10);

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let shared = Arc::clone(&host.shared);
    let runner = Arc::new(Runner {
        limits: Limits::new(&host.options),
        host,
        waker: Waker::new().map_err(|error| Shortage::new(DOOR, error))?,
        clients: Registry::default(),
        stopping: Stopping::default(),
        drain_until: OnceLock::new(),
        threads: Mutex::new(0),
        one_less: Condvar::new(),
    });
    let mut door = Door::new(&runner, listener);
    door.check()?;
    shared.attach(Arc::new(Outside(Arc::clone(&runner))));
    runner.host.told.ready();
    door.mind();
    runner.wait_for_threads();
    shared.detach();
    Ok(())
}

/// What is lacking for whom, when the server cannot begin.
const DOOR: &str = "the thread that accepts";

/// What all threads share.
struct Runner<S: Service> {
    host: Host<S>,
    limits: Limits,
    waker: Waker,
    clients: Registry<Arc<Client<S>>>,
    stopping: Stopping,
    /// When the time to drain is over, from a stop on; `None` if it is never.
    drain_until: OnceLock<Option<Instant>>,
    /// Threads of clients, and couriers.
    threads: Mutex<usize, rank::Leaf>,
    one_less: Condvar,
}

impl<S: Service> Runner<S> {
    /// Starts a thread that is waited for in the end.
    fn start(self: &Arc<Self>, work: impl FnOnce(&Arc<Self>, &mut Counted<S>) + Send + 'static) -> io::Result<()> {
        let mut counted = Counted::new(self);
        let thread = thread::Builder::new().stack_size(STACK);
        thread
            .spawn(move || {
                let runner = Arc::clone(&counted.runner);
                work(&runner, &mut counted);
            })
            .map(drop)
    }

    /// Whether the server is being stopped, and the time to drain is over.
    fn drain_is_over(&self) -> bool {
        let until = self.drain_until.get().copied().flatten();
        until.is_some_and(|until| until <= Instant::now())
    }

    /// Does not wait for so many threads in the end.
    fn give_up(&self, threads: usize) {
        *self.threads.lock() -= threads;
        self.one_less.notify_all();
    }

    fn wait_for_threads(&self) {
        let mut threads = self.threads.lock();
        while *threads > 0 {
            self.one_less.wait(&mut threads);
        }
    }

    /// Has the thread that accepts look around.
    fn wake(&self) {
        // It fails for want of memory only, and the next one tries again.
        let _ = self.waker.wake();
    }

    /// A connection has ended.
    fn left(&self) {
        if self.host.leave() == 0 && self.stopping.get().is_some() {
            self.wake();
        }
    }
}

/// Counts a thread for as long as it lives.
struct Counted<S: Service> {
    runner: Arc<Runner<S>>,
    /// It is not counted any more.
    is_given_up: bool,
}

impl<S: Service> Counted<S> {
    fn new(runner: &Arc<Runner<S>>) -> Self {
        *runner.threads.lock() += 1;
        Counted { runner: Arc::clone(runner), is_given_up: false }
    }
}

impl<S: Service> Drop for Counted<S> {
    fn drop(&mut self) {
        if !self.is_given_up {
            self.runner.give_up(1);
        }
    }
}

/// Where connections come in; and where the end of the server is waited for.
struct Door<'a, S: Service> {
    runner: &'a Arc<Runner<S>>,
    listener: Option<Socket>,
    /// A client for whom there was no thread: he waits as those do who are not accepted.
    held: Option<(Arc<Client<S>>, Connection)>,
    /// Nobody is accepted before: there are no descriptors, or no threads.
    accept_again: Option<Instant>,
    /// The stop that has been carried out.
    stopped: Option<Stop>,
    /// When to look whether clients have paused.
    look: Option<Instant>,
    /// When to end those whose time to drain is over.
    drain_over: Option<Instant>,
    /// When to end those who had to do so themselves.
    after_drain: Option<Instant>,
}

impl<'a, S: Service> Door<'a, S> {
    fn new(runner: &'a Arc<Runner<S>>, listener: Socket) -> Self {
        Door {
            runner,
            listener: Some(listener),
            held: None,
            accept_again: None,
            stopped: None,
            look: None,
            drain_over: None,
            after_drain: None,
        }
    }

    /// Sees that there is what a client needs.
    fn check(&self) -> std::result::Result<(), Shortage> {
        let mut nobody = SelectSet::new();
        nobody.insert(self.runner.waker.socket());
        select(Some(&mut nobody), None, None, Some(SHORTEST_WAIT)).map_err(|error| Shortage::new(DOOR, error))?;
        self.runner.host.check_descriptors()?;
        let thread = thread::Builder::new().stack_size(STACK).spawn(|| {});
        let thread = thread.map_err(|error| Shortage::of_threads("a client", error))?;
        thread.join().expect("it does nothing");
        Ok(())
    }

    fn lane(&self) -> &'a Lane {
        self.runner.host.shared.counters.lane(0)
    }

    /// Lets clients in until the server is stopped, and waits until all have left.
    fn mind(&mut self) {
        while self.stopped.is_none() || self.runner.host.shared.connections.load(SeqCst) > 0 {
            let ready = self.wait();
            self.lane().wakeups.fetch_add(1, Relaxed);
            if let Err(error) = ready {
                // There is no memory to wait with. Others may free some.
                self.runner.host.lacks(self.lane(), error);
                thread::sleep(ACCEPT_AGAIN);
            }
            // Whatever it was: to look costs little.
            self.runner.waker.clear();
            let now = Instant::now();
            self.accept_again.take_if(|at| *at <= now);
            let stop = self.runner.stopping.get();
            if stop > self.stopped {
                self.stop(stop.expect("it is more than none"), now);
            }
            self.look_at_the_clock(now);
            if self.accept_again.is_none() {
                self.accept(now);
            }
        }
    }

    fn wait(&self) -> Result<usize> {
        let mut read = SelectSet::new();
        read.insert(self.runner.waker.socket());
        if let Some(listener) = self.listener.as_ref().filter(|_| self.accept_again.is_none()) {
            read.insert(listener);
        }
        let plans = [self.accept_again, self.look, self.drain_over, self.after_drain];
        let next = plans.into_iter().flatten().min();
        let timeout = next.map(|next| next.saturating_duration_since(Instant::now()));
        select(Some(&mut read), None, None, timeout)
    }

    /// Ends the clients of a server that is being stopped: those who have paused, and in the end all.
    fn look_at_the_clock(&mut self, now: Instant) {
        if self.drain_over.take_if(|at| *at <= now).is_some() {
            for client in self.runner.clients.all() {
                client.drain_over(self.runner, Patiently::Yes);
            }
            self.after_drain = now.checked_add(AFTER_DRAIN);
        }
        if self.after_drain.take_if(|at| *at <= now).is_some() {
            for client in self.runner.clients.all() {
                client.drain_over(self.runner, Patiently::No);
            }
        }
        if self.look.take_if(|at| *at <= now).is_some() {
            let clients = self.runner.clients.all();
            let lulls = clients.iter().filter_map(|client| client.look_for_lull(self.runner, now));
            let next = lulls.min().unwrap_or(now + LOOK_AGAIN);
            self.look = Some(next.max(now + FINEST));
        }
    }

    /// Accepts those who are there.
    fn accept(&mut self, now: Instant) {
        if let Some((client, connection)) = self.held.take() {
            self.serve(client, connection, now);
        }
        for _ in 0..ACCEPTS {
            let Some(listener) = self.listener.as_ref().filter(|_| self.held.is_none()) else { return };
            match self.runner.host.accept(self.lane(), listener) {
                Caller::Accepted { socket, peer, local } => {
                    let connection = Connection::new(self.runner.host.shared.next_id(), peer, local);
                    match Client::new(socket, connection.id(), &self.runner.host.options) {
                        Ok(client) => self.serve(Arc::new(client), connection, now),
                        // He has gone.
                        Err(_) => drop(self.runner.host.leave()),
                    }
                }
                Caller::Gone => {}
                Caller::Nobody => return,
                Caller::Unservable => {
                    self.accept_again = Some(now + ACCEPT_AGAIN);
                    return;
                }
            }
        }
    }

    /// Starts the thread of a client, or holds him until there is one.
    fn serve(&mut self, client: Arc<Client<S>>, connection: Connection, now: Instant) {
        self.runner.clients.insert(Arc::clone(&client));
        let its = Arc::clone(&client);
        let started = self.runner.start(move |runner, counted| its.serve(runner, counted, &connection));
        if let Err(error) = started {
            self.runner.clients.remove(connection.id());
            self.runner.host.lacks_threads(self.lane(), error);
            self.held = Some((client, connection));
            self.accept_again = Some(now + ACCEPT_AGAIN);
        }
    }

    fn stop(&mut self, how: Stop, now: Instant) {
        self.listener = None;
        self.accept_again = None;
        if let Some((client, _)) = self.held.take() {
            client.turn_away();
            self.runner.host.leave();
        }
        if self.stopped.is_none() {
            let until = now.checked_add(self.runner.host.options.drain);
            // Before the clients are told: their threads look at it.
            self.runner.drain_until.get_or_init(|| until);
            self.drain_over = until;
            self.look = Some(now);
        }
        self.stopped = Some(how);
        for client in self.runner.clients.all() {
            client.stop(self.runner, how);
        }
    }
}

/// What handles reach.
struct Outside<S: Service>(Arc<Runner<S>>);

impl<S: Service> Link for Outside<S> {
    fn send(&self, to: ConnectionId, bytes: &[u8]) -> std::result::Result<(), SendError> {
        let Outside(runner) = self;
        let client = runner.clients.get(to).ok_or(SendError::Gone)?;
        let wake = client.mailbox.leave(bytes, runner.host.options.send_queue_limit)?;
        if wake && !client.has_mail_carried(runner) {
            // There is no thread to be had. The mail stays until the next one comes.
            client.mailbox.unschedule();
        }
        Ok(())
    }

    fn stop(&self, how: Stop) {
        self.0.stopping.set(how);
        self.0.wake();
    }
}
