//! The port: taking records back from the system, and the last one out.
//!
//! Types are kept apart by the port's own: a socket is associated with one port for life, so a packet of a
//! `Port<K, C>` is of an operation that was started or posted through a handle of the same `K` and `C`.
//!
//! **The last one out.** A record in the system's hands must not be freed, and only the port says when it comes back.
//! So somebody must take the packets that are still to come when nobody is left to call `get`. The port counts its
//! *users* (handles of the port, and sockets that are open) and what is *unretired* (sockets that are open or have
//! operations in flight, and posted keys). When the last user goes, all sockets are closed, their operations are
//! cancelled by that, and each one's packet is on its way (SEMANTICS P12, D84): the last user takes them until nothing
//! is unretired. Both counts change only when sockets come and go, not with each operation.

use super::association::{Association, Origin, post};
use super::call::{check_bool, last_error, milliseconds, startup};
use super::record::Record;
use super::shared::{Flight, Owner};
use crate::Error;
use crate::socket::Socket;
use crate::sys::{self, HANDLE};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// The most packets that one call takes: they pass through an array on the stack (4 KiB).
pub(crate) const BATCH: usize = 128;

/// How long the last user waits for a packet that is due, in milliseconds.
const DRAIN_PATIENCE: u32 = 60_000;

/// The port itself: untyped, closed when the last reference to it goes.
pub(super) struct Inner {
    pub(super) handle: HANDLE,
    /// Set by `close`: whoever calls or waits is sent away.
    closed: AtomicBool,
    users: AtomicUsize,
    pub(super) unretired: AtomicUsize,
}

// SAFETY: a port's handle may be used by any thread.
unsafe impl Send for Inner {}
// SAFETY: as above, also by several at once.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the handle is ours. No record is out, since each would keep the port through its flight.
        unsafe { sys::CloseHandle(self.handle) };
    }
}

/// Keys and contexts are put in through some handles and taken out through others, so no handle's types may vary.
pub(super) type Invariant<K, C> = PhantomData<fn(K, C) -> (K, C)>;

/// A user of the port.
pub(crate) struct Port<K, C> {
    inner: Arc<Inner>,
    types: Invariant<K, C>,
}

/// What came out of the port.
pub(crate) struct Landing<K, C> {
    pub(crate) source: Origin<K, C>,
    pub(crate) result: Result<usize>,
    pub(crate) record: Box<Record<C>>,
}

pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

impl<K, C> Port<K, C> {
    pub(crate) fn new(concurrency: u32) -> Result<Self> {
        startup()?;
        // SAFETY: asks for a new port; no handle is passed.
        let handle =
            unsafe { sys::CreateIoCompletionPort(sys::INVALID_HANDLE_VALUE, std::ptr::null_mut(), 0, concurrency) };
        if handle.is_null() {
            return Err(last_error());
        }
        Ok(Self::enter(Arc::new(Inner {
            handle,
            closed: AtomicBool::new(false),
            users: AtomicUsize::new(0),
            unretired: AtomicUsize::new(0),
        })))
    }

    /// One more user.
    pub(super) fn enter(inner: Arc<Inner>) -> Self {
        inner.users.fetch_add(1, Ordering::Relaxed);
        Self::adopt(inner)
    }

    /// A user that is counted already.
    pub(super) fn adopt(inner: Arc<Inner>) -> Self {
        Self { inner, types: PhantomData }
    }

    /// Whether both are the same port.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn associate(&self, socket: Socket, key: K) -> Result<Owner<Association<K, C>>> {
        // From here on, the socket counts as a user until its last owner goes (`close` adopts that), also if what follows
        // fails.
        self.inner.users.fetch_add(1, Ordering::Relaxed);
        let owner = Owner::new(Association::new(&self.inner, socket, key));
        // SAFETY: both handles are open: the socket until `owner` goes, the port as long as `self`. The key is a
        // number to the system.
        let port = unsafe { sys::CreateIoCompletionPort(owner.handle(), self.inner.handle, owner.address(), 0) };
        if port.is_null() { Err(last_error()) } else { Ok(owner) }
    }

    /// The next packet; `None` if the time was over first.
    pub(crate) fn get(&self, timeout: Option<Duration>) -> Result<Option<Landing<K, C>>> {
        self.check_open()?;
        // SAFETY: the port's records are of C, and their flights of K and C, by the module's rule.
        let taken = unsafe { take::<K, C>(&self.inner, milliseconds(timeout)) }?;
        match taken {
            Taken::Packet(landing) => Ok(Some(landing)),
            Taken::Nothing => Ok(None),
            Taken::Closed => Err(self.pass_on_closing()),
        }
    }

    /// Up to `max` packets, and no more than [`BATCH`], each given to `receive`; the count is 0 if the time was over.
    pub(crate) fn get_many(
        &self,
        max: usize,
        timeout: Option<Duration>,
        mut receive: impl FnMut(Landing<K, C>),
    ) -> Result<usize> {
        self.check_open()?;
        if max == 0 {
            // Not every system refuses this by itself (SEMANTICS P32), and what it then says of the array is nothing.
            return Err(Error::from_code(sys::ERROR_INVALID_PARAMETER as i32));
        }
        let mut entries = [const { MaybeUninit::<sys::OVERLAPPED_ENTRY>::uninit() }; BATCH];
        let mut count = 0;
        // SAFETY: the array has room for `BATCH` entries, and at least as many as asked for.
        let status = unsafe {
            sys::GetQueuedCompletionStatusEx(
                self.inner.handle,
                entries.as_mut_ptr().cast(),
                max.min(BATCH) as u32,
                &mut count,
                milliseconds(timeout),
                sys::FALSE,
            )
        };
        if let Err(error) = check_bool(status) {
            return if is_timeout(error) { Ok(0) } else { Err(error) };
        }
        let mut closing = false;
        let mut taken = 0;
        for entry in &entries[..count as usize] {
            // SAFETY: the system filled the first `count` entries.
            let entry = unsafe { entry.assume_init_ref() };
            match NonNull::new(entry.lpOverlapped) {
                Some(overlapped) => {
                    // SAFETY: a record of this port's comes back, once.
                    let landing =
                        unsafe { land_entry(overlapped, entry.lpCompletionKey, entry.dwNumberOfBytesTransferred) };
                    receive(landing);
                    taken += 1;
                }
                None => closing = true,
            }
        }
        if closing {
            let closed = self.pass_on_closing();
            if taken == 0 {
                return Err(closed);
            }
        }
        Ok(taken)
    }

    /// Queues a packet with a key of its own. A failure gives the record back and drops the key.
    pub(crate) fn post_key(&self, key: K, bytes: u32, record: Box<Record<C>>) -> Result<(), (Error, Box<Record<C>>)> {
        let association = Association::new(&self.inner, Socket::none(), key);
        post(&self.inner, Flight::alone(association), bytes, record)
    }

    /// Sends away all who wait, and all who come. Does nothing if done already.
    ///
    /// The handle stays open, since packets of operations in flight are still to be taken with it. A packet without a
    /// record is the sign; each waiter that finds it passes it on to the next.
    pub(crate) fn close(&self) -> Result<()> {
        if self.inner.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.post_closing()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(abandoned()) } else { Ok(()) }
    }

    fn pass_on_closing(&self) -> Error {
        match self.post_closing() {
            Ok(()) => abandoned(),
            Err(error) => error,
        }
    }

    fn post_closing(&self) -> Result<()> {
        // SAFETY: the port is open; a null record is never followed.
        check_bool(unsafe { sys::PostQueuedCompletionStatus(self.inner.handle, 0, 0, std::ptr::null()) })
    }
}

impl<K, C> Clone for Port<K, C> {
    fn clone(&self) -> Self {
        Self::enter(Arc::clone(&self.inner))
    }
}

impl<K, C> Drop for Port<K, C> {
    fn drop(&mut self) {
        if self.inner.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            drain::<K, C>(&self.inner);
        }
    }
}

/// Takes back every record that is still out. Called by the last user: nobody else takes packets, nobody starts
/// operations, and every socket is closed.
///
/// The system owes the packets, and they are due. If it fails to bring one all the same, its record stays out: leaked,
/// which is sound, rather than waited for without end.
fn drain<K, C>(inner: &Inner) {
    while inner.unretired.load(Ordering::Acquire) > 0 {
        // SAFETY: the port's records are of C, and their flights of K and C, by the module's rule.
        match unsafe { take::<K, C>(inner, DRAIN_PATIENCE) } {
            // Dropping it may run the program's code (of K and C), which can no longer reach this port.
            Ok(Taken::Packet(landing)) => drop(landing),
            // The sign of `close`, that nobody was left to find.
            Ok(Taken::Closed) => {}
            Ok(Taken::Nothing) | Err(_) => {
                debug_assert!(std::thread::panicking(), "an operation ended without its packet");
                return;
            }
        }
    }
}

enum Taken<K, C> {
    Packet(Landing<K, C>),
    /// The time was over.
    Nothing,
    /// The sign of `close`.
    Closed,
}

/// Takes one packet.
///
/// # Safety
/// Records at this port are `Record<C>`, their flights those of `Association<K, C>`.
unsafe fn take<K, C>(inner: &Inner, milliseconds: u32) -> Result<Taken<K, C>> {
    let (mut bytes, mut key, mut overlapped) = (0, 0, std::ptr::null_mut());
    // SAFETY: the port is open; the system writes into our three variables.
    let status = check_bool(unsafe {
        sys::GetQueuedCompletionStatus(inner.handle, &mut bytes, &mut key, &mut overlapped, milliseconds)
    });
    match (NonNull::new(overlapped), status) {
        (Some(overlapped), status) => {
            // SAFETY: a record of this port's comes back, once.
            let landing = unsafe { land(overlapped, key, bytes, status) };
            Ok(Taken::Packet(landing))
        }
        (None, Ok(())) => Ok(Taken::Closed),
        (None, Err(error)) if is_timeout(error) => Ok(Taken::Nothing),
        (None, Err(error)) => Err(error),
    }
}

/// A record comes back in a batch, where only the record itself tells whether its operation failed.
///
/// # Safety
/// As [`land`].
unsafe fn land_entry<K, C>(overlapped: NonNull<sys::OVERLAPPED>, key: usize, bytes: u32) -> Landing<K, C> {
    // SAFETY: the packet was taken, so the record is ours again.
    let status = unsafe { overlapped.cast::<Record<C>>().as_ref() }.outcome();
    // SAFETY: by the caller's promise.
    unsafe { land(overlapped, key, bytes, status) }
}

/// A record comes back with its packet.
///
/// # Safety
/// The packet was taken from a port whose records are `Record<C>` with flights of `Association<K, C>`, and this is
/// called once for it.
unsafe fn land<K, C>(
    overlapped: NonNull<sys::OVERLAPPED>,
    key: usize,
    bytes: u32,
    status: Result<()>,
) -> Landing<K, C> {
    // SAFETY: the OVERLAPPED is the first field of a record that was given away as a Box; the system is done with it.
    let mut record = unsafe { Box::from_raw(overlapped.cast::<Record<C>>().as_ptr()) };
    let flight = record.flight.take().expect("a record comes back once");
    debug_assert_eq!(key, flight.addr().get(), "a packet brings the key that it was started with");
    // SAFETY: the pointer is from `into_raw` of a flight of this type, by the caller's promise, and was just taken out.
    let flight = unsafe { Flight::<Association<K, C>>::from_raw(flight) };
    let source = flight.land();
    record.transferred = bytes;
    let listener = source.as_ref().ok().map(|owner| owner.socket());
    let result = status.and_then(|()| super::start::finish(&mut record, listener));
    Landing { source, result: result.map(|()| bytes as usize), record }
}

fn is_timeout(error: Error) -> bool {
    error.code() == sys::WAIT_TIMEOUT as i32
}

fn abandoned() -> Error {
    Error::from_code(sys::ERROR_ABANDONED_WAIT_0 as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::start::Call;
    use crate::socket::Family;

    /// A port that is not closed keeps two descriptors.
    #[test]
    fn the_port_is_closed_when_nobody_is_left() {
        let orders: [fn(Port<(), ()>, _); 2] =
            [|port, owner: Owner<Association<(), ()>>| drop((port, owner)), |port, owner| drop((owner, port))];
        for drop_in_order in orders {
            let port = Port::<(), ()>::new(1).unwrap();
            let inner = Arc::downgrade(&port.inner);
            let socket = Socket::datagram(Family::V4).unwrap();
            socket.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
            let owner = port.associate(socket, ()).unwrap();
            assert!(owner.start(Record::new(vec![0; 8], ()), Call::ReceiveFrom).is_ok());
            assert!(port.post_key((), 0, Record::new(Vec::new(), ())).is_ok());
            drop_in_order(port, owner);
            assert_eq!(inner.strong_count(), 0);
        }
    }

    #[test]
    fn the_port_is_closed_though_a_socket_could_not_be_associated() {
        let port = Port::<(), ()>::new(1).unwrap();
        let inner = Arc::downgrade(&port.inner);
        assert!(port.associate(Socket::none(), ()).is_err());
        drop(port);
        assert_eq!(inner.strong_count(), 0);
    }
}
