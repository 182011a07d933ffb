//! A completion port that all workers take from.
//!
//! Every wait is an overlapped operation: connections are accepted by a few accept operations that are always pending,
//! and an idle connection has one pending receive *without a buffer*, which completes when there is something to
//! receive. The worker that takes its packet receives into its own scratch buffer, calls the service, and starts to send
//! the answer. Nearly always the send is done at once, which leaves no packet; then the worker starts the receive
//! without a buffer again, and is done. So a message costs one packet, one receive and one send; an idle connection
//! holds no buffer; and nothing is allocated for a message.
//!
//! A connection's state is behind a lock of its own, since the packets of its receive, of its send and of a wake-up from
//! outside may be taken by different workers. Handlers run under that lock. So nothing that takes it is called from a
//! handler: what is sent from outside goes to the connection's mailbox, and a posted packet makes a worker take it out.
//!
//! The table of clients keeps each connection's socket open. Whoever carries out the close takes it out of there; the
//! socket closes when the packets that are being handled let go of it, and what is in flight is cancelled by that.

mod accept;
mod client;
mod clock;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread;
use std::time::Instant;

use pentaport::completion_port::{self as port, CompletionPort, Operation, OperationKind, Packet};
use pentaport::socket::Socket;

use self::accept::Acceptor;
use self::client::Client;
use self::clock::{Clock, Moment};
use super::{Host, RECEIVE_SIZE, Stopping, WORKER};
use crate::conversation::Worker;
use crate::handle::{Link, Stop};
use crate::pool::Pool;
use crate::registry::Registry;
use crate::totals::{Lane, Tally};
use crate::{ConnectionId, SendError, Service, Shortage};

/// Packets taken at a time: more would leave other workers idle, fewer would cost more calls.
const BATCH: usize = 16;

/// Send buffers that a worker keeps for connections that have something to send.
const SPARE_BUFFERS: usize = 64;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    let threads = host.options.threads.get();
    let shared = Arc::clone(&host.shared);
    let runner = Arc::new(Runner::new(host, listener)?);
    shared.attach(Arc::clone(&runner) as Arc<dyn Link>);
    let result = thread::scope(|scope| {
        let spawn = |number| {
            let runner = &runner;
            let worker = thread::Builder::new().name(format!("worker {number}"));
            worker.spawn_scoped(scope, move || runner.work(number)).map(drop)
        };
        // The first accept operation has the port make what it needs, and then there has to be enough for a client.
        let begun = runner
            .begin_to_accept()
            .and_then(|()| runner.host.check_descriptors())
            .and_then(|()| (1..threads).try_for_each(spawn).map_err(|error| Shortage::of_threads(WORKER, error)));
        match &begun {
            Ok(()) => {
                runner.accept_more();
                runner.host.told.ready();
            }
            // Who was accepted meanwhile is reset.
            Err(_) => Link::stop(&*runner, Stop::Now),
        }
        runner.work(0);
        begun
    });
    shared.detach();
    Ok(result?)
}

/// Whose socket a packet is about: the documents' per-handle data.
enum Key<S: Service> {
    /// The server's own: the listener, or a packet that was posted to stop it.
    Server,
    Client(Client<S>),
}

type PortSocket<S> = port::PortSocket<Key<S>, ()>;

struct Runner<S: Service> {
    host: Host<S>,
    port: CompletionPort<Key<S>, ()>,
    acceptor: Acceptor<S>,
    clients: Registry<PortSocket<S>>,
    stopping: Stopping,
    clock: Clock,
}

/// What one worker has for itself.
struct Desk<'a> {
    lane: &'a Lane,
    tally: Tally,
    pool: Pool,
    /// Where everything is received.
    scratch: Vec<u8>,
    /// Operations that are not under way.
    operations: Vec<Operation<()>>,
    /// When the packets that are being handled were taken.
    now: Instant,
    moment: Moment,
}

/// Operations that a worker keeps.
const SPARE_OPERATIONS: usize = 64;

impl Desk<'_> {
    /// An operation to start.
    fn operation(&mut self) -> Operation<()> {
        self.operations.pop().unwrap_or_else(|| Operation::new(Vec::new(), ()))
    }

    /// Keeps an operation that has ended.
    fn keep(&mut self, operation: Operation<()>) {
        if self.operations.len() < SPARE_OPERATIONS {
            self.operations.push(operation);
        }
    }

    fn worker<'a, S>(&'a mut self, host: &'a Host<S>) -> Worker<'a, S> {
        Worker { service: &host.service, pool: &mut self.pool, lane: self.lane, tally: &mut self.tally }
    }
}

impl<S: Service> Runner<S> {
    fn new(host: Host<S>, listener: Socket) -> Result<Self, Shortage> {
        let lacks = |error| Shortage::new("the port", error);
        // A handler does not block, so there is no use in more threads than may run.
        let port = CompletionPort::new(u32::try_from(host.options.threads.get()).unwrap_or(0)).map_err(lacks)?;
        let listener = port.associate(listener, Key::Server).map_err(lacks)?;
        let clock = Clock::new(&host.options);
        Ok(Runner {
            host,
            port,
            acceptor: Acceptor::new(listener),
            clients: Registry::default(),
            stopping: Stopping::default(),
            clock,
        })
    }

    /// Handles packets until the port is closed.
    fn work(&self, number: usize) {
        let _guard = EndOnPanic(self);
        let mut desk = Desk {
            lane: self.host.shared.counters.lane(number),
            tally: Tally::default(),
            pool: Pool::new(SPARE_BUFFERS, self.host.largest_buffer()),
            scratch: vec![0; RECEIVE_SIZE],
            operations: Vec::new(),
            now: Instant::now(),
            moment: Moment::default(),
        };
        let mut packets = Vec::with_capacity(BATCH);
        while self.port.get_many(&mut packets, BATCH, self.clock.timeout()).is_ok() {
            desk.lane.wakeups.fetch_add(1, Relaxed);
            desk.now = Instant::now();
            desk.moment = self.clock.moment(desk.now);
            for packet in packets.drain(..) {
                self.handle(&mut desk, packet);
            }
            self.look_at_the_clock(&mut desk);
            desk.lane.add(&mut desk.tally);
        }
    }

    fn handle(&self, desk: &mut Desk<'_>, packet: Packet<Key<S>, ()>) {
        let Packet { source, result, operation } = packet;
        match (source.key(), source.socket()) {
            (Key::Client(_), Some(socket)) => self.client_packet(desk, socket, result, operation),
            (Key::Server, Some(listener)) => self.accept_packet(desk, listener, result, operation),
            // Posted by a handle.
            (Key::Server, None) if operation.kind() == OperationKind::Posted => self.stop(desk),
            // The socket has been closed, and this is what was in flight then.
            (Key::Server, None) => self.accept_ended(operation),
            (Key::Client(_), None) => {}
        }
    }

    /// Carries out a stop, if there was one. It may become harder later.
    fn stop(&self, desk: &mut Desk<'_>) {
        let Some(how) = self.stopping.get() else { return };
        self.acceptor.close();
        self.clock.begin_drain(desk.now);
        for socket in self.clients.all() {
            self.stop_client(desk, &socket, how);
        }
        self.end_if_all_have_left();
    }

    /// A connection has ended, or was not served.
    fn left(&self) {
        self.host.leave();
        self.end_if_all_have_left();
    }

    /// Ends a server that is being stopped, if there is no connection: nor one that has been accepted, whose packet has
    /// not been taken.
    fn end_if_all_have_left(&self) {
        let has_left = || self.host.shared.connections.load(SeqCst) == 0 && self.acceptor.pending.load(SeqCst) == 0;
        if self.stopping.get().is_some() && has_left() {
            self.end();
        }
    }

    /// Sends all workers home.
    fn end(&self) {
        // It can only fail for want of memory to wake those who wait; there is nothing better to do about that.
        let _ = self.port.close();
    }

    /// Ends what has taken too long.
    fn look_at_the_clock(&self, desk: &mut Desk<'_>) {
        let due = self.clock.due(desk.now);
        if due.accept {
            self.accept_parked(desk);
        }
        if due.drain {
            for socket in self.clients.all() {
                self.drain_over(desk, &socket);
            }
        }
        if due.sweep {
            let all = self.clients.all();
            let next = all.iter().filter_map(|socket| self.check_limit(desk, socket)).min();
            self.clock.swept(desk.now, next);
        }
    }
}

impl<S: Service> Link for Runner<S> {
    fn send(&self, to: ConnectionId, bytes: &[u8]) -> Result<(), SendError> {
        let socket = self.clients.get(to).ok_or(SendError::Gone)?;
        let Key::Client(client) = socket.key() else { unreachable!("the table holds clients") };
        let wake = client.mailbox.leave(bytes, self.host.options.send_queue_limit)?;
        if wake && socket.post(0, ().into()).is_err() {
            // There is no memory for the packet. The mail stays until something else wakes the connection.
            client.mailbox.unschedule();
        }
        Ok(())
    }

    fn stop(&self, how: Stop) {
        self.stopping.set(how);
        if self.port.post(Key::Server, 0, ().into()).is_err() {
            // Without memory for a packet there is no gentle way.
            self.end();
        }
    }
}

/// A worker that panics must not leave the others waiting for ever.
struct EndOnPanic<'a, S: Service>(&'a Runner<S>);

impl<S: Service> Drop for EndOnPanic<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}
