//! Accepting: a few accept operations are always pending.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use pentaport::Result;
use pentaport::completion_port::{Accepted, Failed, Operation, Started};
use pentaport::socket::{Family, Socket};
use ranked_locks::{Mutex, rank};

use super::client::Client;
use super::{Desk, Key, PortSocket, Runner};
use crate::runners::accept::is_callers;
use crate::runners::refuse;
use crate::{Connection, Service, Shortage};

/// The listener, and the accept operations that are not pending.
pub(super) struct Acceptor<S: Service> {
    listener: Mutex<Option<PortSocket<S>>, rank::Leaf>,
    /// Operations that are pending, or whose packets have not been taken yet.
    pub(super) pending: AtomicUsize,
    /// Operations that could not be started for want of descriptors or memory.
    parked: Mutex<Vec<Operation<()>>, rank::Leaf>,
}

/// Accept operations that are pending for each worker. Connections that come faster wait in the listener's backlog.
const PENDING_PER_WORKER: usize = 2;
const MOST_PENDING: usize = 64;

impl<S: Service> Acceptor<S> {
    pub(super) fn new(listener: PortSocket<S>) -> Self {
        Acceptor { listener: Mutex::new(Some(listener)), pending: AtomicUsize::new(0), parked: Mutex::default() }
    }

    /// Lets go of the listener, by which its operations are cancelled.
    pub(super) fn close(&self) {
        let listener = self.listener.lock().take();
        drop(listener);
        self.parked.lock().clear();
    }
}

impl<S: Service> Runner<S> {
    /// Starts the first accept operation.
    pub(super) fn begin_to_accept(&self) -> std::result::Result<(), Shortage> {
        self.accept_once_more().map_err(|failed| Shortage::new("a client", failed.error))
    }

    /// Starts as many accept operations as are to be pending, or as there are descriptors for.
    pub(super) fn accept_more(&self) {
        let most = (PENDING_PER_WORKER * self.host.options.threads.get()).min(MOST_PENDING);
        let _ = (1..most).try_for_each(|_| self.accept_once_more());
    }

    fn accept_once_more(&self) -> std::result::Result<(), Failed<()>> {
        // A stop may have closed it already.
        let Some(listener) = self.acceptor.listener.lock().clone() else { return Ok(()) };
        self.accept(&listener, Operation::new(Vec::new(), ()))
    }

    /// An accept operation has ended.
    pub(super) fn accept_packet(
        &self,
        desk: &mut Desk<'_>,
        listener: &PortSocket<S>,
        result: Result<usize>,
        mut operation: Operation<()>,
    ) {
        let accepted = result.map(|_| operation.take_accepted().expect("it succeeded"));
        match &accepted {
            Err(error) if !is_callers(*error) => {
                self.host.lacks(desk.lane, *error);
                drop(operation.take_acceptor());
                self.park(desk, operation);
            }
            // The next caller is let in before this one is looked after.
            _ => self.accept_or_park(desk, listener, operation),
        }
        if let Ok(accepted) = accepted {
            self.welcome(desk, accepted);
        }
        // Last, so that the server has not ended meanwhile.
        self.acceptor.pending.fetch_sub(1, SeqCst);
        self.end_if_all_have_left();
    }

    /// An accept operation has ended since the listener was closed, or just before that: its connection is refused.
    pub(super) fn accept_ended(&self, mut operation: Operation<()>) {
        let accepted = operation.take_accepted().map(|accepted| accepted.socket);
        accepted.or_else(|| operation.take_acceptor()).into_iter().for_each(refuse);
        self.acceptor.pending.fetch_sub(1, SeqCst);
        self.end_if_all_have_left();
    }

    /// Starts the operations that could not be started before.
    pub(super) fn accept_parked(&self, desk: &mut Desk<'_>) {
        let Some(listener) = self.acceptor.listener.lock().clone() else { return };
        let parked = std::mem::take(&mut *self.acceptor.parked.lock());
        for operation in parked {
            self.accept_or_park(desk, &listener, operation);
        }
    }

    fn accept_or_park(&self, desk: &mut Desk<'_>, listener: &PortSocket<S>, operation: Operation<()>) {
        if let Err(Failed { error, operation }) = self.accept(listener, operation) {
            self.host.lacks(desk.lane, error);
            self.park(desk, operation);
        }
    }

    /// Keeps an operation for later: most likely there are no descriptors, and some will be freed.
    fn park(&self, desk: &Desk<'_>, operation: Operation<()>) {
        self.acceptor.parked.lock().push(operation);
        self.clock.accept_later(desk.now);
    }

    fn accept(&self, listener: &PortSocket<S>, operation: Operation<()>) -> std::result::Result<(), Failed<()>> {
        let acceptor = match Socket::stream(Family::of(&self.host.local)) {
            Ok(acceptor) => acceptor,
            Err(error) => return Err(Failed { error, operation }),
        };
        // Before it starts, for another worker may take its packet at once.
        self.acceptor.pending.fetch_add(1, SeqCst);
        match listener.accept(operation, acceptor) {
            Ok(Started::Pending) => Ok(()),
            Ok(Started::Done(..)) => unreachable!("the listener's operations all leave packets"),
            Err(mut failed) => {
                self.acceptor.pending.fetch_sub(1, SeqCst);
                drop(failed.operation.take_acceptor());
                Err(failed)
            }
        }
    }

    /// Serves a connection that was accepted, or refuses it.
    fn welcome(&self, desk: &mut Desk<'_>, accepted: Accepted) {
        let Accepted { socket, local, peer } = accepted;
        let Some(others) = self.host.take_place(desk.lane) else { return refuse(socket) };
        // In this order: the place is taken first, so that a stop either sees it or is seen here.
        if self.stopping.get().is_some() || !self.host.admits(desk.lane, peer, local, others) {
            refuse(socket);
            return self.left();
        }
        let id = self.host.shared.next_id();
        let client = Client::new(id, &self.host.options, desk.moment);
        match self.associate(socket, client) {
            Ok(socket) => {
                self.clients.insert(socket.clone());
                self.open(desk, &socket, &Connection::new(id, peer, local));
                // A stop that looked through the clients before has missed this one.
                if let Some(how) = self.stopping.get() {
                    self.stop_client(desk, &socket, how);
                }
            }
            Err(error) => {
                self.host.lacks(desk.lane, error);
                self.left();
            }
        }
    }

    fn associate(&self, socket: Socket, client: Client<S>) -> Result<PortSocket<S>> {
        socket.set_nonblocking(true)?;
        socket.set_no_delay(true)?;
        let mut socket = self.port.associate(socket, Key::Client(client))?;
        socket.skip_completion_on_success()?;
        Ok(socket)
    }
}
