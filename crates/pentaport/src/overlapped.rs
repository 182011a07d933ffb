//! Overlapped operations: start receives and sends, and be told by an event or by a routine when they are over.
//!
//! # Mechanism
//! A program starts an [`Operation`] on an [`OverlappedSocket`] and goes on. The operation is one record: what the
//! system needs to know, the buffer, and a context of the program's. Starting moves it into the system, and while it is
//! there nobody can touch the buffer; it comes back in a [`Completion`], with the result, to be started again. Once a
//! program has its operations, receiving and sending allocate nothing.
//!
//! ```text
//!                     ┌─ by event ──► Pending ── its event is set ──► finish() ─┐
//!  Operation ── start ┤                                                         ├─► Completion: socket, result, operation
//!                     └─ by routine ─────────── in an alertable wait ──► called ┘
//! ```
//!
//! Several operations on one socket are served in the order in which they started: receives are filled, and sends leave,
//! one after the other. The operation is the same as a [completion port](crate::completion_port)'s; the three ways
//! differ only in how the program is told.
//!
//! While an operation is in the system's hands its buffer cannot be touched, since it was moved there:
//!
//! ```compile_fail,E0382
//! # use pentaport::overlapped::*;
//! fn touch(socket: &OverlappedSocket, operation: Operation<()>) {
//!     let pending = socket.receive(operation);
//!     operation.buffer(); // the operation was moved
//! }
//! ```
//!
//! # By event
//! The start gives a [`Pending`], whose [event](Pending::event) is set when the operation is over. A thread waits for the
//! events of its operations with [`wait_any`], and takes the results with [`Pending::finish`], which resets the event.
//! The event stays with the operation when it is started again.
//!
//! * An operation may succeed at once. Its event is set then too, so a program may simply wait for all; one that
//!   [looks](Pending::is_complete) before it waits saves the wait.
//! * A `Pending` that is dropped is cancelled, and freed when it is over. [`Pending::cancel`] does not wait.
//! * Connections are accepted, and made, by operations as well.
//!
//! One wait is for [64 events](crate::event_select::MAX_EVENTS) at most, and reports the lowest that is set. The
//! documents advise groups of 64, each with a thread: the first event of a group is kept for the listener, or for
//! telling the thread that there is a new client, so a group serves 63 of them (or fewer: an operation that sends has an
//! event of its own). A [`WaitSet`] knows no such limit: an event is registered once, under a token, and reported in fair
//! rotation.
//!
//! A thread that waits for a client who neither sends nor leaves can be got back from outside, which blocking calls do not
//! offer: [shut down](crate::socket::Socket::shutdown) both directions, so that nothing is started any more, then
//! [cancel](OverlappedSocket::cancel). Or let it wait for an event of the program's as well.
//!
//! # By completion routine
//! The operation is started in a [`RoutineScope`], with a [`Routine`] that is called when it is over: on the thread that
//! started it, and only while that thread waits **alertably**: in [`sleep_alertable`], [`Pending::wait_alertable`],
//! [`wait_any_alertable`](crate::event_select::wait_any_alertable) and their like. So nothing runs behind the program's
//! back, no two routines run at once, and none needs a lock. The routine gets the scope and the completion, and starts
//! what comes next. What else it needs is in the operation's context; that may be an `Rc`.
//!
//! * If an operation was started, its routine is called once, whatever becomes of it; if not, never.
//! * All routines that are queued are called before the wait returns, those included that are queued meanwhile, and it
//!   returns to say that it has called some, not that what it waited for has happened. So a routine that goes on to start
//!   what succeeds at once (a receive at the end of the stream) keeps its thread in that wait for ever.
//! * A routine may itself wait alertably. Others run in that wait, inside it.
//! * A **panic** in a routine goes on out of the wait that called it, when the other routines have run.
//! * Calls that **block** (`accept`, `recv`, [`select`](crate::select::select), …) wait alertably too, as on Windows: if
//!   they have to wait, queued routines run in them. So a program does not hold a borrow across one that a routine needs.
//!   A routine itself must not call what blocks; what becomes of that is undefined on Windows.
//! * Dropping the scope cancels what is under way and waits for the routines. A scope stays on its thread, and a thread
//!   that ends loses what is under way: its records are leaked rather than freed, for the system may still write to them.
//! * Accepting and connecting know no routines in Winsock. A server accepts by event, and waits for that event alertably;
//!   one that has no event to wait for gives an alertable wait a *dummy event* that nobody sets, or just sleeps.
//!
//! A thread that sleeps alertably is reached from others by a [`Waker`]: it ends the wait, or has a closure called there.
//!
//! # Limits, and when to choose it
//! **By event**, when a thread waits for a few operations along with other things; each step of the program stands where
//! it waits. Its price is an event for each operation, a call to reset it, and the groups of 64 or the wait set.
//! **By routine**, when one thread serves many connections: there is no array of events, no limit of 64, and no search
//! for what has happened. Its price is that a thread's operations are that thread's for good: connections are spread over
//! threads when they are accepted, and stay there. A program whose threads share the work takes a
//! [completion port](crate::completion_port).
//!
//! An operation that waits for data has its buffer in the system's hands for as long as it takes. Where thousands of
//! connections are idle, [`receive_ready`](OverlappedSocket::receive_ready) waits without one.
//!
//! By event and by routine alike, an operation ends with the thread that started it (SEMANTICS D87): it is cancelled.
//!
//! # Differences from Windows
//! * [`Pending::finish`] resets the event, which Winsock leaves to the program until the next start resets it.
//! * Results are asked for without the socket's help, so that they are to be had after it was closed too; by event they
//!   have Win32 codes as at a port (a reset is 64, `ERROR_NETNAME_DELETED`), by routine Winsock's
//!   (10054, `WSAECONNRESET`). [`Error::kind`](crate::Error::kind) joins them.
//!
//! # An echo server, by event
//! One thread, any number of clients. Token 0 is the listener's; each client has one operation, which receives and sends
//! in turn.
//!
//! ```
//! use pentaport::event_select::WaitSet;
//! use pentaport::overlapped::{Completion, Operation, OperationKind, OverlappedSocket, Pending};
//! use pentaport::socket::{Shutdown, Socket};
//! use std::collections::HashMap;
//! use std::net::SocketAddr;
//! use std::thread;
//!
//! const LISTENER: usize = 0;
//!
//! struct Client {
//!     socket: OverlappedSocket,
//!     pending: Pending<()>,
//! }
//!
//! /// Serves until so many clients have come and gone.
//! fn serve(listener: OverlappedSocket, clients: usize) -> pentaport::Result<()> {
//!     let address = listener.local_addr()?;
//!     let set = WaitSet::new()?;
//!     let mut accepting = listener.accept(Operation::from(()), Socket::tcp(&address)?)?;
//!     set.add(accepting.event(), LISTENER)?;
//!     let mut table = HashMap::new();
//!     let (mut next, mut gone) = (LISTENER + 1, 0);
//!     let mut tokens = [0; 64];
//!     while gone < clients {
//!         let count = set.wait(&mut tokens, None)?;
//!         for &token in &tokens[..count] {
//!             if token == LISTENER {
//!                 // Its event was set; if that was for nothing, it comes back.
//!                 let Completion { result, mut operation, .. } = match accepting.finish() {
//!                     Ok(completion) => completion,
//!                     Err(pending) => {
//!                         accepting = pending;
//!                         continue;
//!                     }
//!                 };
//!                 // A caller who has gone again is no reason to stop.
//!                 if let (Ok(_), Some(accepted)) = (result, operation.take_accepted()) {
//!                     let socket = OverlappedSocket::new(accepted.socket);
//!                     if let Ok(pending) = socket.receive(Operation::new(vec![0; 1024], ())) {
//!                         set.add(pending.event(), next)?;
//!                         table.insert(next, Client { socket, pending });
//!                         next += 1;
//!                     }
//!                 }
//!                 accepting = listener.accept(operation, Socket::tcp(&address)?)?;
//!             } else if let Some(client) = table.remove(&token) {
//!                 let event = client.pending.event().clone();
//!                 match go_on(client) {
//!                     Some(client) => drop(table.insert(token, client)),
//!                     None => {
//!                         set.remove(&event)?;
//!                         gone += 1;
//!                     }
//!                 }
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//!
//! /// Starts what comes next: after a receive the send, after the send a receive. At the end the client is dropped.
//! fn go_on(client: Client) -> Option<Client> {
//!     let Client { socket, pending } = client;
//!     let Completion { result, operation, .. } = match pending.finish() {
//!         Ok(completion) => completion,
//!         Err(pending) => return Some(Client { socket, pending }),
//!     };
//!     let pending = match (operation.kind(), result.ok()?) {
//!         (OperationKind::Receive, 0) => return None, // the client said goodbye
//!         (OperationKind::Receive, count) => socket.send(operation.with_range(..count)),
//!         _ => socket.receive(operation),
//!     };
//!     Some(Client { socket, pending: pending.ok()? })
//! }
//!
//! # fn listener() -> pentaport::Result<Socket> {
//! #     let any = SocketAddr::from(([127, 0, 0, 1], 0));
//! #     let listener = Socket::tcp(&any)?;
//! #     listener.bind(&any)?;
//! #     listener.listen(5)?;
//! #     Ok(listener)
//! # }
//! #
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = OverlappedSocket::new(listener()?); // bound to a port of 127.0.0.1, listening
//! let address = listener.local_addr()?;
//! // With the thread that starts them operations end, so the server's thread starts them all.
//! let server = thread::spawn(move || serve(listener, 2));
//! for message in [&b"hello"[..], b"and goodbye"] {
//!     let client = Socket::tcp(&address)?;
//!     client.connect(&address)?;
//!     client.send_all(message)?;
//!     client.shutdown(Shutdown::Send)?;
//!     assert_eq!(client.recv_to_end()?, message);
//! }
//! server.join().expect("no panic")?;
//! # Ok(())
//! # }
//! ```
//!
//! With [`wait_any`] in place of the wait set, the loop is the documents' own: an array of up to 64 events, and one of
//! operations in step with it.
//!
//! ```
//! # use pentaport::event_select::{Event, wait_any};
//! # use pentaport::overlapped::{Operation, OverlappedSocket};
//! # use pentaport::socket::Socket;
//! # use std::net::SocketAddr;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let any = SocketAddr::from(([127, 0, 0, 1], 0));
//! # let (one, other) = (Socket::udp(&any)?, Socket::udp(&any)?);
//! # one.bind(&any)?;
//! # other.bind(&any)?;
//! # other.send_to(b"hello", &one.local_addr()?)?;
//! # let sockets = [OverlappedSocket::new(other), OverlappedSocket::new(one)];
//! let mut pending = Vec::new();
//! for socket in &sockets {
//!     pending.push(socket.receive_from(Operation::new(vec![0; 1500], ()))?);
//! }
//! let events: Vec<&Event> = pending.iter().map(|pending| pending.event()).collect();
//! let index = wait_any(&events, None)?.expect("an endless wait");
//! let completion = pending.swap_remove(index).finish().expect("its event was set");
//! # assert_eq!(index, 1);
//! assert_eq!(completion.operation.received(), b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # An echo server, by completion routine
//! One thread: it accepts by event, and all else happens in routines, while it waits for that.
//!
//! ```
//! use pentaport::event_select::Wake;
//! use pentaport::overlapped::{Completion, Operation, OverlappedSocket, RoutineScope, sleep_alertable};
//! use pentaport::socket::{Shutdown, Socket};
//! use std::cell::Cell;
//! use std::net::SocketAddr;
//! use std::rc::Rc;
//! use std::thread;
//!
//! /// A connection, kept open by its operation's context.
//! struct Client {
//!     socket: OverlappedSocket,
//!     gone: Rc<Cell<usize>>,
//! }
//!
//! impl Drop for Client {
//!     fn drop(&mut self) {
//!         self.gone.set(self.gone.get() + 1);
//!     }
//! }
//!
//! fn received(scope: &RoutineScope, completion: Completion<Client>) {
//!     let Completion { result, operation, .. } = completion;
//!     // At the end of the stream, or a failure, the operation is dropped, and with it the client.
//!     let Ok(count @ 1..) = result else { return };
//!     let socket = operation.context().socket.clone();
//!     let _ = scope.send(&socket, operation.with_range(..count), sent);
//! }
//!
//! fn sent(scope: &RoutineScope, completion: Completion<Client>) {
//!     let Completion { result: Ok(_), operation, .. } = completion else { return };
//!     let socket = operation.context().socket.clone();
//!     let _ = scope.receive(&socket, operation, received);
//! }
//!
//! /// Serves so many clients.
//! fn serve(listener: Socket, clients: usize) -> pentaport::Result<()> {
//!     let address = listener.local_addr()?;
//!     let listener = OverlappedSocket::new(listener);
//!     let scope = RoutineScope::new();
//!     let gone = Rc::new(Cell::new(0));
//!     let mut accept = Operation::from(());
//!     for _ in 0..clients {
//!         let pending = listener.accept(accept, Socket::tcp(&address)?)?;
//!         // Routines run meanwhile, and end the wait each time.
//!         while pending.wait_alertable(None)? == Wake::Routines {}
//!         let Completion { result, mut operation, .. } = pending.finish().expect("its event was set");
//!         result?;
//!         let accepted = operation.take_accepted().expect("it did not fail");
//!         let client = Client { socket: accepted.socket.into(), gone: Rc::clone(&gone) };
//!         let socket = client.socket.clone();
//!         let _ = scope.receive(&socket, Operation::new(vec![0; 1024], client), received);
//!         accept = operation;
//!     }
//!     while gone.get() < clients {
//!         sleep_alertable(None);
//!     }
//!     Ok(())
//! }
//!
//! # fn listener() -> pentaport::Result<Socket> {
//! #     let any = SocketAddr::from(([127, 0, 0, 1], 0));
//! #     let listener = Socket::tcp(&any)?;
//! #     listener.bind(&any)?;
//! #     listener.listen(5)?;
//! #     Ok(listener)
//! # }
//! #
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = listener()?; // bound to a port of 127.0.0.1, listening
//! let address = listener.local_addr()?;
//! let server = thread::spawn(move || serve(listener, 2));
//! for message in [&b"hello"[..], b"and goodbye"] {
//!     let client = Socket::tcp(&address)?;
//!     client.connect(&address)?;
//!     client.send_all(message)?;
//!     client.shutdown(Shutdown::Send)?;
//!     assert_eq!(client.recv_to_end()?, message);
//! }
//! server.join().expect("no panic")?;
//! # Ok(())
//! # }
//! ```
//!
//! [`wait_any`]: crate::event_select::wait_any
//! [`WaitSet`]: crate::event_select::WaitSet

mod pending;
mod routine;
mod socket;
mod waker;

pub use crate::operation::{Accepted, Failed, Operation, OperationKind};
pub use pending::Pending;
pub use routine::{Routine, RoutineScope};
pub use socket::{OverlappedSocket, StartResult};
pub use waker::{Waker, sleep_alertable};

use crate::Result;

/// How an operation ended.
///
/// Taken apart, its three parts can be used at once: `let Completion { socket, result, operation } = completion;`.
#[derive(Debug)]
pub struct Completion<C> {
    /// The socket that it was started on, if that is still open.
    pub socket: Option<OverlappedSocket>,
    /// How many bytes were transferred (0 for a receive is the end of the stream), or why the operation failed.
    #[doc(alias = "lpcbTransfer")]
    #[doc(alias = "cbTransferred")]
    #[doc(alias = "dwError")]
    pub result: Result<usize>,
    /// The operation, with buffer and context, to be used again.
    #[doc(alias = "lpOverlapped")]
    pub operation: Operation<C>,
}
