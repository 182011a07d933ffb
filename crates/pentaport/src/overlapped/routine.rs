//! Operations by completion routine.

use super::{Completion, OverlappedSocket};
use crate::operation::{Failed, Operation};
use crate::raw::routine::Flights;
use crate::raw::start::Call;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

/// What is called when an operation is over: a plain function, or a closure that captures nothing.
///
/// It gets the scope, on which it may start the next operation, and what became of the last. What it needs to know
/// besides is in the operation's [context](Operation::context).
#[doc(alias = "LPWSAOVERLAPPED_COMPLETION_ROUTINE")]
pub type Routine<C> = fn(&RoutineScope, Completion<C>);

/// The operations by routine of one thread.
///
/// Dropping it cancels what is under way, and waits, alertably, until the routine of each operation was called; those
/// can start no others any more. Where the thread itself is ending (the scope is in a thread-local), no routine is
/// called any more, and what is under way is leaked instead.
///
/// It stays on its thread:
///
/// ```compile_fail,E0277
/// # use pentaport::overlapped::RoutineScope;
/// let scope = RoutineScope::new();
/// std::thread::spawn(move || drop(scope));
/// ```
pub struct RoutineScope {
    flights: Rc<Flights>,
    /// Not so for what a routine gets.
    closes: bool,
}

impl RoutineScope {
    /// A scope on the calling thread.
    pub fn new() -> Self {
        Self { flights: Rc::default(), closes: true }
    }

    /// For a routine.
    pub(crate) fn lent(flights: Rc<Flights>) -> Self {
        Self { flights, closes: false }
    }

    /// How many operations of this scope are under way, their routines not called.
    pub fn pending(&self) -> usize {
        self.flights.count()
    }
}

/// Starting operations. Each moves the operation into the system. If it started, its routine is called **once**, in an
/// alertable wait of this thread, also if it succeeded at once; if not, it never is, and the operation comes back in
/// [`Failed`].
///
/// Results have Winsock's codes, such as `WSAECONNRESET` or `WSA_OPERATION_ABORTED` (995). Where the scope is being
/// dropped, starting fails with the latter.
impl RoutineScope {
    /// Starts to receive into the operation's buffer, as [`OverlappedSocket::receive`].
    ///
    /// # Errors
    /// As there. As the result `WSAECONNRESET` if the peer reset the connection, `WSAECONNABORTED` if the socket was
    /// closed, `WSA_OPERATION_ABORTED` (995) if it was cancelled (on Windows also if the socket was closed).
    #[doc(alias = "WSARecv")]
    pub fn receive<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.start(socket, operation, Call::Receive, routine)
    }

    /// Starts to wait until there is something to receive, as [`OverlappedSocket::receive_ready`]. An idle connection
    /// needs no buffer.
    ///
    /// # Errors
    /// As [`receive`](Self::receive); `WSAEOPNOTSUPP` if it is no stream socket.
    #[doc(alias = "WSARecv")]
    #[doc(alias = "zero-byte receive")]
    pub fn receive_ready<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.start(socket, operation, Call::ReceiveReady, routine)
    }

    /// Starts to send the operation's buffer, or the [range](Operation::with_range) of it, as
    /// [`OverlappedSocket::send`].
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    #[doc(alias = "WSASend")]
    pub fn send<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.start(socket, operation, Call::Send, routine)
    }

    /// Starts to receive a datagram, as [`OverlappedSocket::receive_from`].
    ///
    /// # Errors
    /// `WSAEINVAL` if the socket is not bound; as the result `WSAEMSGSIZE` if the datagram was larger than the buffer,
    /// which then holds its beginning.
    #[doc(alias = "WSARecvFrom")]
    pub fn receive_from<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.start(socket, operation, Call::ReceiveFrom, routine)
    }

    /// Starts to send a datagram, as [`OverlappedSocket::send_to`].
    ///
    /// # Errors
    /// As there.
    #[doc(alias = "WSASendTo")]
    pub fn send_to<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        to: &SocketAddr,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.start(socket, operation, Call::SendTo(to), routine)
    }

    fn start<C: 'static>(
        &self,
        socket: &OverlappedSocket,
        operation: Operation<C>,
        call: Call,
        routine: Routine<C>,
    ) -> std::result::Result<(), Failed<C>> {
        self.flights.start(&socket.owner, operation.into_record(), call, routine).map_err(Failed::new)
    }
}

impl Default for RoutineScope {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for RoutineScope {
    fn drop(&mut self) {
        if self.closes {
            self.flights.close();
        }
    }
}

impl fmt::Debug for RoutineScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutineScope").field("pending", &self.pending()).finish_non_exhaustive()
    }
}
