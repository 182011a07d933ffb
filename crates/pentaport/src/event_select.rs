//! `WSAEventSelect`: network events set an event object, and a thread waits for many of those.
//!
//! # Mechanism
//! A socket is [selected](select) on an [`Event`], with the [`NetworkEvents`] that are of interest. When one of them
//! happens, the system records it for the socket and sets the event. A thread waits for its events with [`wait_any`];
//! woken by one, it takes the socket's record with [`enumerate`], which also resets the event, and makes the calls
//! that the record suggests. The socket is non-blocking from its selection on.
//!
//! | network event | recorded when | and again after |
//! |---|---|---|
//! | `ACCEPT` | a connection waits to be accepted | the next one's arrival; an accept that leaves one waiting |
//! | `READ` | data came | more data; a receive that leaves some |
//! | `WRITE` | the connection is made, or the datagram socket bound | a send that failed with `WSAEWOULDBLOCK`, when there is room |
//! | `OOB` | urgent data came | more of it |
//! | `CONNECT` | a connect succeeded or failed: see its error | |
//! | `CLOSE` | the peer ended its direction, or reset the connection (error 10053) | |
//!
//! These are *events*, not states: each is recorded once, and if the program does nothing about it, nothing reminds it.
//! Three habits keep a program from waiting for what has been already:
//!
//! * Having seen `READ`, receive. What is left is recorded again by that very call.
//! * Wait for `WRITE` only after a send has failed with `WSAEWOULDBLOCK`.
//! * `CLOSE` may come before all data was read: after it, receive to the end.
//!
//! A record that is empty is nothing to worry about: the event was set for something that was taken since.
//!
//! # The nine steps
//! So the documents' servers are made, and the one below:
//!
//! 1. Make a listener: create, bind, listen.
//! 2. Make an event, and select the listener on it for `ACCEPT`.
//! 3. Keep an array of events and one of sockets, in step.
//! 4. Wait for any of the events.
//! 5. With the index, enumerate that socket's network events, which resets the event.
//! 6. On `ACCEPT`, accept, unless the server is full.
//! 7. Make an event for the new socket, select it for `READ`, `WRITE` and `CLOSE`, and add both to the arrays.
//! 8. On `READ` and `WRITE`, receive and send; at the end of the stream take both out of the arrays and close.
//! 9. Go on with step 4.
//!
//! # Limits
//! One wait is for [64 events](MAX_EVENTS) at most, and always reports the lowest that is set: one that is set all
//! the time hides those behind it. The documents advise groups of 64, each with a thread. A [`WaitSet`] knows neither
//! limit: events are registered once, under a token, and reported in fair rotation, however many there are.
//!
//! Accepted sockets inherit the selection of their listener, event and all, until they are selected anew. Several
//! sockets may share an event; then each of them must be asked, since the event does not tell which it was.
//!
//! # When to choose it
//! When a thread waits for network and other things at once: an event to stop it, a queue that another thread fills,
//! [overlapped operations](crate::overlapped). No window is needed, unlike for
//! [messages](crate::async_select). A server of thousands of connections on several processors is better served by a
//! [completion port](crate::completion_port).
//!
//! # Alertable waits
//! Routines (of overlapped operations, or queued by another thread) run in a thread while it waits *alertably*:
//! [`wait_any_alertable`], [`WaitSet::wait_alertable`]. A wait needs at least one event; a thread that has nothing but
//! routines to wait for gives it one that nobody sets, the *dummy event* of the documents:
//!
//! ```
//! use pentaport::event_select::{Event, Wake, wait_any_alertable};
//! use std::time::Duration;
//! # fn main() -> pentaport::Result<()> {
//! let dummy = Event::manual_reset()?;
//! match wait_any_alertable(&[&dummy], Some(Duration::from_millis(1)))? {
//!     Wake::Routines => println!("all that were queued have run"),
//!     Wake::Timeout => println!("there were none"),
//!     Wake::Signalled(_) => unreachable!("nobody sets it"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Differences from Windows
//! * Urgent data: Linux keeps one urgent byte, so a second one that comes before the first was received is not told of
//!   separately (SEMANTICS A28).
//! * A [`WaitSet`] has no counterpart there. On Windows it waits by threads of its own, and may report an event once
//!   that was reset meanwhile; on Linux it is one wait.
//!
//! # An echo server
//! One thread, the nine steps. A client that does not read is not read either: what it has not taken is `waiting`, and
//! it is `WRITE` that goes on with it.
//!
//! ```
//! use pentaport::event_select::{self, Event, MAX_EVENTS, NetworkEvents, wait_any};
//! use pentaport::socket::{Condition, Shutdown, Socket};
//! use std::io::ErrorKind;
//!
//! struct Client {
//!     socket: Socket,
//!     waiting: Vec<u8>,
//! }
//!
//! fn serve(listener: &Socket, mut expected: usize) -> pentaport::Result<()> {
//!     // Index 0 is the listener's; the client of events[n] is clients[n - 1].
//!     let mut events = vec![Event::manual_reset()?];
//!     let mut clients: Vec<Client> = Vec::new();
//!     event_select::select(listener, &events[0], NetworkEvents::ACCEPT)?;
//!     while expected > 0 || !clients.is_empty() {
//!         let index = wait_any(&events, None)?.expect("an endless wait ends with an event");
//!         if index == 0 {
//!             event_select::enumerate(listener, Some(&events[0]))?;
//!             let full = events.len() == MAX_EVENTS;
//!             let admit = |_, _| if full { Condition::Reject } else { Condition::Accept };
//!             let Ok((socket, _)) = listener.accept_if(admit) else { continue };
//!             let event = Event::manual_reset()?;
//!             event_select::select(
//!                 &socket,
//!                 &event,
//!                 NetworkEvents::READ | NetworkEvents::WRITE | NetworkEvents::CLOSE,
//!             )?;
//!             events.push(event);
//!             clients.push(Client { socket, waiting: Vec::new() });
//!             expected -= 1;
//!         } else {
//!             let client = &mut clients[index - 1];
//!             event_select::enumerate(&client.socket, Some(&events[index]))?;
//!             if !echo(client) {
//!                 events.swap_remove(index);
//!                 clients.swap_remove(index - 1);
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//!
//! /// Goes on until there is nothing to receive or no room to send; whether the client stays.
//! fn echo(client: &mut Client) -> bool {
//!     let mut buffer = [0; 1024];
//!     loop {
//!         if client.waiting.is_empty() {
//!             match client.socket.recv(&mut buffer) {
//!                 Ok(0) => return false,
//!                 Ok(count) => client.waiting.extend_from_slice(&buffer[..count]),
//!                 Err(error) => return error.kind() == ErrorKind::WouldBlock,
//!             }
//!         }
//!         match client.socket.send(&client.waiting) {
//!             Ok(sent) => drop(client.waiting.drain(..sent)),
//!             Err(error) => return error.kind() == ErrorKind::WouldBlock,
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Socket::tcp(&"127.0.0.1:0".parse()?)?;
//! listener.bind(&"127.0.0.1:0".parse()?)?;
//! listener.listen(5)?;
//! let address = listener.local_addr()?;
//! let server = std::thread::spawn(move || serve(&listener, 3));
//!
//! let mut clients = Vec::new();
//! for _ in 0..3 {
//!     let client = Socket::tcp(&address)?;
//!     client.connect(&address)?;
//!     client.send_all(b"hello")?;
//!     clients.push(client);
//! }
//! for client in clients {
//!     client.shutdown(Shutdown::Send)?;
//!     assert_eq!(client.recv_to_end()?, b"hello");
//! }
//! server.join().expect("no panic")?;
//! # Ok(())
//! # }
//! ```

mod event;
mod network_events;
mod wait_set;
mod waits;

pub use event::Event;
pub use network_events::{NetworkEvents, NetworkRecord};
pub use wait_set::WaitSet;
pub(crate) use waits::handles;
pub use waits::{MAX_EVENTS, Wake, wait_all, wait_all_alertable, wait_any, wait_any_alertable};

use crate::Result;
use crate::raw::network_events as raw;
use crate::socket::Socket;

/// Lets network events of a socket set an event, in place of what was selected before. The socket becomes non-blocking.
///
/// What of `events` is recorded already, and was not taken, sets the event at once. A condition whose record *was*
/// taken is not recorded anew by selecting again. A selection on a [message queue](crate::async_select) ends.
///
/// The event must be kept as long as it is waited for; the selection itself does not need it.
///
/// ```
/// use pentaport::event_select::{self, Event, NetworkEvents};
/// use pentaport::socket::Socket;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = Socket::udp(&"127.0.0.1:0".parse()?)?;
/// socket.bind(&"127.0.0.1:0".parse()?)?;
/// let event = Event::manual_reset()?;
/// event_select::select(&socket, &event, NetworkEvents::READ | NetworkEvents::WRITE)?;
/// assert!(event.wait(None)?);
/// let record = event_select::enumerate(&socket, Some(&event))?;
/// assert_eq!(record.events(), NetworkEvents::WRITE);
/// assert!(!event.is_set());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `WSAENOBUFS`, for what the system lacks.
#[doc(alias = "WSAEventSelect")]
pub fn select(socket: &Socket, event: &Event, events: NetworkEvents) -> Result<()> {
    raw::event_select(socket.raw(), event.raw(), events.bits())
}

/// Takes what is recorded of the selected network events, and resets `event`, in one step: what happens after it sets
/// the event again.
///
/// With `None` the event stays as it is: for one that is auto-reset, or shared by several sockets.
///
/// # Errors
/// None that is known for an open socket.
#[doc(alias = "WSAEnumNetworkEvents")]
pub fn enumerate(socket: &Socket, event: Option<&Event>) -> Result<NetworkRecord> {
    let event = event.map_or(std::ptr::null_mut(), Event::raw);
    let (events, codes) = raw::enumerate(socket.raw(), event)?;
    Ok(NetworkRecord::new(events, codes))
}

/// Ends the selection of a socket, on an event as on a message queue. It stays non-blocking; from now on
/// [`set_nonblocking(false)`](Socket::set_nonblocking) is allowed again.
///
/// # Errors
/// None that is known for an open socket.
#[doc(alias = "WSAEventSelect")]
pub fn cancel(socket: &Socket) -> Result<()> {
    raw::event_select(socket.raw(), std::ptr::null_mut(), 0)
}
