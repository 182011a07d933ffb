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
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use pentaport::Result;
use pentaport::select::{SelectSet, select};
use pentaport::socket::Socket;

use self::client::Client;
use super::accept::Caller;
use super::waker::Waker;
use super::{ACCEPT_AGAIN, ACCEPTS, Host, Stopping};
use crate::handle::{Link, Stop};
use crate::registry::Registry;
use crate::sweep::Limits;
use crate::{Connection, ConnectionId, SendError, Service};

/// What a thread has for its stack. A service's handlers run on it, and so does the report of a panic in one.
const STACK: usize = 256 * 1024;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let shared = Arc::clone(&host.shared);
    let runner = Arc::new(Runner {
        limits: Limits::new(&host.options),
        host,
        waker: Waker::new()?,
        clients: Registry::default(),
        stopping: Stopping::default(),
        threads: Mutex::new(0),
        one_less: Condvar::new(),
    });
    shared.attach(Arc::new(Outside(Arc::clone(&runner))));
    Door::new(&runner, listener).mind();
    runner.wait_for_threads();
    shared.detach();
    Ok(())
}

/// What all threads share.
struct Runner<S: Service> {
    host: Host<S>,
    limits: Limits,
    waker: Waker,
    clients: Registry<Arc<Client<S>>>,
    stopping: Stopping,
    /// Threads of clients, and couriers.
    threads: Mutex<usize>,
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
    /// Nobody is accepted before: there are no descriptors.
    accept_again: Option<Instant>,
    /// The stop that has been carried out.
    stopped: Option<Stop>,
    drain_until: Option<Instant>,
}

impl<'a, S: Service> Door<'a, S> {
    fn new(runner: &'a Arc<Runner<S>>, listener: Socket) -> Self {
        Door { runner, listener: Some(listener), accept_again: None, stopped: None, drain_until: None }
    }

    /// Lets clients in until the server is stopped, and waits until all have left.
    fn mind(&mut self) {
        let lane = self.runner.host.shared.counters.lane(0);
        while self.stopped.is_none() || self.runner.host.shared.connections.load(SeqCst) > 0 {
            let ready = self.wait();
            lane.wakeups.fetch_add(1, Relaxed);
            if ready.is_err() {
                // There is no memory to wait with. Others may free some.
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
            if self.drain_until.take_if(|at| *at <= now).is_some() {
                for client in self.runner.clients.all() {
                    client.out_of_patience(self.runner);
                }
            }
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
        let next = self.accept_again.into_iter().chain(self.drain_until).min();
        let timeout = next.map(|next| next.saturating_duration_since(Instant::now()));
        select(Some(&mut read), None, None, timeout)
    }

    /// Accepts those who are there.
    fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else { return };
            match self.runner.host.accept(self.runner.host.shared.counters.lane(0), listener) {
                Caller::Accepted { socket, peer, local } => {
                    let connection = Connection::new(self.runner.host.shared.next_id(), peer, local);
                    if self.serve(socket, connection).is_err() {
                        // There is no thread to be had for him, nor for those who wait.
                        self.runner.host.shared.counters.lane(0).accept_errors.fetch_add(1, Relaxed);
                        self.accept_again = Some(now + ACCEPT_AGAIN);
                        return;
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

    fn serve(&self, socket: Socket, connection: Connection) -> io::Result<()> {
        let runner = self.runner;
        let started =
            Client::new(socket, connection.id(), &runner.host.options).map_err(io::Error::from).and_then(|client| {
                let client = Arc::new(client);
                runner.clients.insert(Arc::clone(&client));
                runner.start(move |runner, counted| client.serve(runner, counted, &connection))
            });
        if started.is_err() {
            runner.clients.remove(connection.id());
            runner.host.leave();
        }
        started
    }

    fn stop(&mut self, how: Stop, now: Instant) {
        self.listener = None;
        self.accept_again = None;
        if self.stopped.is_none() {
            self.drain_until = now.checked_add(self.runner.host.options.drain);
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
