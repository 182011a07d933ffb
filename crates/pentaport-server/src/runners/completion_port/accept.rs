//! Accepting: a few accept operations are always pending.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use parking_lot::Mutex;
use pentaport::Result;
use pentaport::completion_port::{Accepted, Failed, Operation, Started};
use pentaport::socket::{Family, Socket};

use super::client::Client;
use super::{Desk, Key, PortSocket, Runner};
use crate::runners::accept::is_callers;
use crate::{Connection, Service};

/// The listener, and the accept operations that are not pending.
pub(super) struct Acceptor<S: Service> {
    listener: Mutex<Option<PortSocket<S>>>,
    /// Operations that could not be started for want of descriptors or memory.
    parked: Mutex<Vec<Operation<()>>>,
}

/// Accept operations that are pending for each worker. Connections that come faster wait in the listener's backlog.
const PENDING_PER_WORKER: usize = 2;
const MOST_PENDING: usize = 64;

impl<S: Service> Acceptor<S> {
    pub(super) fn new(listener: PortSocket<S>) -> Self {
        Acceptor { listener: Mutex::new(Some(listener)), parked: Mutex::default() }
    }

    /// Lets go of the listener, by which its operations are cancelled.
    pub(super) fn close(&self) {
        let listener = self.listener.lock().take();
        drop(listener);
        self.parked.lock().clear();
    }
}

impl<S: Service> Runner<S> {
    /// Starts the first accept operations. It fails if none could be started.
    pub(super) fn begin_to_accept(&self) -> io::Result<()> {
        let listener = self.acceptor.listener.lock().clone().expect("not closed yet");
        let pending = (PENDING_PER_WORKER * self.host.options.threads.get()).min(MOST_PENDING);
        let mut operation = Operation::new(Vec::new(), ());
        for started in 0..pending {
            match self.accept(&listener, operation) {
                Ok(()) => operation = Operation::new(Vec::new(), ()),
                Err(failed) if started == 0 => return Err(failed.into()),
                Err(_) => break,
            }
        }
        Ok(())
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
                desk.lane.accept_errors.fetch_add(1, Relaxed);
                self.park(desk, operation);
            }
            // The next caller is let in before this one is looked after.
            _ => self.accept_or_park(desk, listener, operation),
        }
        if let Ok(accepted) = accepted {
            self.welcome(desk, accepted);
        }
    }

    /// Starts the operations that could not be started before.
    pub(super) fn accept_parked(&self, desk: &mut Desk<'_>) {
        let Some(listener) = self.acceptor.listener.lock().clone() else { return };
        let parked = std::mem::take(&mut *self.acceptor.parked.lock());
        for operation in parked {
            if let Err(Failed { operation, .. }) = self.accept(&listener, operation) {
                self.park(desk, operation);
            }
        }
    }

    fn accept_or_park(&self, desk: &mut Desk<'_>, listener: &PortSocket<S>, operation: Operation<()>) {
        if let Err(Failed { operation, .. }) = self.accept(listener, operation) {
            desk.lane.accept_errors.fetch_add(1, Relaxed);
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
        match listener.accept(operation, acceptor) {
            Ok(Started::Pending) => Ok(()),
            Ok(Started::Done(..)) => unreachable!("the listener's operations all leave packets"),
            Err(mut failed) => {
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
            Err(_) => {
                desk.lane.accept_errors.fetch_add(1, Relaxed);
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

/// Resets a connection, as CF_REJECT would: an accept operation has no condition function.
fn refuse(socket: Socket) {
    // It fails only for a socket that is gone already.
    let _ = socket.set_linger(Some(Duration::ZERO));
}
