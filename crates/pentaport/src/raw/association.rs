//! A socket's place at a port: what its handles and its operations in flight share.

use super::call::check_bool;
use super::port::{Inner, Invariant, Port, Result};
use super::record::Record;
use super::shared::{Flight, Lifecycle, Owner, Remnant};
use super::socket;
use super::start::{self, Call, Notice, Outcome, Place, take_back};
use crate::Error;
use crate::operation::OperationKind;
use crate::socket::Socket;
use crate::sys::{self, HANDLE};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A socket at the port, with its key; or a key alone, for a packet that is posted.
pub(crate) struct Association<K, C> {
    /// Closed when the last owner goes, not dropped: packets of it may come after that.
    socket: ManuallyDrop<Socket>,
    key: K,
    inner: Arc<Inner>,
    types: Invariant<K, C>,
}

/// The socket that a packet is of, while it is open; else what is left of it.
pub(crate) type Origin<K, C> = Result<Owner<Association<K, C>>, Remnant<Association<K, C>>>;

impl<K, C> Association<K, C> {
    /// Counts among what is unretired.
    pub(super) fn new(inner: &Arc<Inner>, socket: Socket, key: K) -> Self {
        inner.unretired.fetch_add(1, Ordering::Relaxed);
        let socket = ManuallyDrop::new(socket);
        Self { socket, key, inner: Arc::clone(inner), types: PhantomData }
    }

    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    /// Whether there is a socket, be it open or closed: not so for a packet posted with a key of its own.
    pub(crate) fn has_socket(&self) -> bool {
        self.socket.raw() != sys::INVALID_SOCKET
    }

    pub(super) fn handle(&self) -> HANDLE {
        self.socket.raw() as HANDLE
    }
}

/// Records of the port's own `C` are started here.
impl<K, C> Place<C> for Association<K, C> {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn skips_on_success(&self) -> bool {
        self.socket.skips_on_success.load(Ordering::Relaxed)
    }
}

/// What only an owner may do: for a flight or a remnant, the socket may be closed and its number another's.
impl<K, C> Owner<Association<K, C>> {
    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(crate) fn port(&self) -> Port<K, C> {
        Port::enter(Arc::clone(&self.inner))
    }

    /// Starts an operation, whose packet comes at the port.
    pub(crate) fn start(&self, record: Box<Record<C>>, call: Call) -> Outcome<C> {
        start::start(self, record, call, Notice::Packet)
    }

    /// Queues a packet with this socket's key. A failure gives the record back.
    pub(crate) fn post(&self, bytes: u32, record: Box<Record<C>>) -> Result<(), (Error, Box<Record<C>>)> {
        post(&self.inner, self.fly(), bytes, record)
    }

    /// Cancels what is in flight; whether there was anything.
    pub(crate) fn cancel(&self) -> Result<bool> {
        socket::cancel(self.socket.raw(), None)
    }

    /// From now on, operations that succeed at once leave no packet. Fails unless nobody else uses the socket, who
    /// might be between starting an operation and looking whether its packet comes.
    pub(crate) fn skip_on_success(&mut self) -> Result<()> {
        if !self.is_alone() {
            return Err(Error::from_code(sys::ERROR_INVALID_PARAMETER as i32));
        }
        let mode = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
        // SAFETY: the socket is open while it has an owner.
        check_bool(unsafe { sys::SetFileCompletionNotificationModes(self.handle(), mode) })?;
        self.socket.skips_on_success.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl<K, C> Lifecycle for Association<K, C> {
    type Farewell = Port<K, C>;

    /// Closes the socket, and gives up its place among the port's users.
    fn close(&self) -> Port<K, C> {
        socket::end_operations(self.socket.raw());
        let _ = self.socket.close_for_good();
        Port::adopt(Arc::clone(&self.inner))
    }

    fn retire(&self) {
        self.inner.unretired.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Queues a packet that is no operation's.
pub(super) fn post<K, C>(
    inner: &Inner,
    flight: Flight<Association<K, C>>,
    bytes: u32,
    mut record: Box<Record<C>>,
) -> Result<(), (Error, Box<Record<C>>)> {
    // A packet has no part of the buffer, and the range that was asked for holds for one start.
    let _ = record.take_asked();
    record.prepare(OperationKind::Posted, flight.into_raw(), std::ptr::null_mut());
    let key = record.flight.map_or(0, |flight| flight.addr().get());
    let record = Box::into_raw(record);
    // SAFETY: the port is open; the record is given away, and comes back with its packet.
    let posted =
        check_bool(unsafe { sys::PostQueuedCompletionStatus(inner.handle, bytes, key, Record::overlapped(record)) });
    // SAFETY: nothing was queued, so the record is ours again, with its flight of K and C.
    posted.map_err(|error| (error, unsafe { take_back::<Association<K, C>, C>(record) }))
}
