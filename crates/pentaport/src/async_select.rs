//! `WSAAsyncSelect`: network events come as messages, into the program's message loop.
//!
//! # Mechanism
//! Each thread has a queue of messages, and a loop that takes them out one by one and acts on them. A [`MessageQueue`]
//! is the calling thread's. A socket is [selected](MessageQueue::select) on it, with the [`NetworkEvents`] that are of
//! interest; when one happens, a [`NetworkMessage`] is posted to the queue: which socket, which event, and an error
//! if it is a failure. Other threads post messages of their own by a [`Poster`]. So everything that the thread has to
//! react to comes to it in one order, at one place, and its data need no lock. Selecting makes the socket non-blocking.
//!
//! **One message for each event that was enabled.** After a message of a kind, no other of that kind is posted for
//! this socket until the program has made the call that *enables* it again, whatever happens meanwhile:
//!
//! | message | posted when | enabled again by |
//! |---|---|---|
//! | `ACCEPT` | a connection waits to be accepted | an accept |
//! | `READ` | there is data to receive | a receive, also one that fails |
//! | `WRITE` | the connection is made; there is room again | a send that failed with `WSAEWOULDBLOCK` |
//! | `OOB` | there is urgent data | a receive |
//! | `CONNECT` | a connect succeeded or failed: see its error | nothing: it comes once |
//! | `CLOSE` | the peer ended its direction, or reset the connection (error 10053) | nothing: it comes once |
//!
//! `READ`, `OOB` and `ACCEPT` are told of as states at that moment: a receive that leaves data, an accept that leaves a
//! connection, brings the next message. So a program that makes one call for one message loses nothing, and no peer,
//! however fast, can hold the loop. Calls without a message are allowed, and then a message may come for what was
//! received already: the call for it fails with `WSAEWOULDBLOCK`, and that is all.
//!
//! `CLOSE` may come before all data was read: after it, receive to the end.
//!
//! # Limits
//! All sockets of a queue are served by its one thread, and each message is queued, taken and looked at. On Windows a
//! queue holds 10,000 messages. For a server with nothing but sockets, the other models cost less.
//!
//! # When to choose it
//! When the program has a loop already: a window's on Windows; on Linux a loop of GLib, Qt, winit or calloop, which can
//! watch the queue, since a `MessageQueue` has a descriptor there (`AsFd`) that is readable while messages wait, or may
//! be made by what its sockets are ready for. It works with descriptors that are level-triggered: whenever it is
//! readable, [`peek`](MessageQueue::peek) until there is nothing. The project's example `main_loop` puts an echo server
//! into calloop's loop.
//!
//! # Late messages
//! Messages that are in the queue stay there when their socket is closed, so the loop must expect a [`SocketId`] that
//! it does not know any more, and ignore it. Worse, the number of a closed socket may be another's by then. The queue
//! sees to that: each [`select`](MessageQueue::select) has a message number of its own, and messages of an earlier
//! selection of the same number are left out. It knows a selection that an accepted socket has inherited only by its
//! listener's; so select each accepted socket.
//!
//! # Differences from Windows
//! * There are no windows but message-only ones, and nothing is ever shown.
//! * Late messages are left out where they can be told, as said above.
//! * Urgent data: Linux keeps one urgent byte, so a second one that comes before the first was received is not told of
//!   separately (SEMANTICS A28).
//!
//! # An echo server
//! A message loop, and a thread that asks it to end by a message of its own.
//!
//! ```
//! use pentaport::async_select::{Message, MessageQueue, NetworkEvents, NetworkMessage, PostedMessage};
//! use pentaport::socket::{Shutdown, Socket, SocketId};
//! use std::collections::HashMap;
//! use std::io::ErrorKind;
//! use std::sync::mpsc;
//!
//! const STOP: u32 = 1;
//!
//! struct Client {
//!     socket: Socket,
//!     waiting: Vec<u8>,
//! }
//!
//! fn serve(queue: &MessageQueue, listener: &Socket) -> pentaport::Result<()> {
//!     let mut clients: HashMap<SocketId, Client> = HashMap::new();
//!     queue.select(listener, NetworkEvents::ACCEPT)?;
//!     loop {
//!         match queue.get()? {
//!             Message::Network(NetworkMessage { event: NetworkEvents::ACCEPT, .. }) => {
//!                 let Ok((socket, _)) = listener.accept() else { continue };
//!                 queue.select(&socket, NetworkEvents::READ | NetworkEvents::WRITE | NetworkEvents::CLOSE)?;
//!                 clients.insert(socket.id(), Client { socket, waiting: Vec::new() });
//!             }
//!             // READ, WRITE or CLOSE; of a client that is gone, perhaps.
//!             Message::Network(NetworkMessage { socket, .. }) => {
//!                 if clients.get_mut(&socket).is_some_and(|client| !echo(client)) {
//!                     clients.remove(&socket);
//!                 }
//!             }
//!             Message::Posted(PostedMessage { number: STOP, .. }) | Message::Quit(_) => return Ok(()),
//!             Message::Posted(_) => {}
//!         }
//!     }
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
//! let (tell, told) = mpsc::channel();
//! let server = std::thread::spawn(move || {
//!     let queue = MessageQueue::new()?; // of this thread
//!     tell.send(queue.poster()).expect("the other thread listens");
//!     serve(&queue, &listener)
//! });
//! let poster = told.recv()?;
//!
//! for message in [&b"hello"[..], b"winsock"] {
//!     let client = Socket::tcp(&address)?;
//!     client.connect(&address)?;
//!     client.send_all(message)?;
//!     client.shutdown(Shutdown::Send)?;
//!     assert_eq!(client.recv_to_end()?, message);
//! }
//! poster.post(STOP, 0, 0)?;
//! server.join().expect("no panic")?;
//! # Ok(())
//! # }
//! ```

mod message;
mod poster;
mod selections;

pub use crate::event_select::NetworkEvents;
pub use message::{Message, NetworkMessage, PostedMessage, Woken};
pub use poster::Poster;

use crate::Result;
use crate::event_select::{Event, MAX_EVENTS, handles};
use crate::raw::call::milliseconds;
use crate::raw::event::Ending;
use crate::raw::socket::option;
use crate::raw::window::{Raw, Taken, Window};
use crate::socket::{Socket, SocketId};
use crate::sys;
use crate::sys::ext::Descriptor;
use selections::Selections;
use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

/// The calling thread's message queue, with a message-only window of its own.
///
/// It stays on its thread; a [`Poster`] is what others get. Messages of other windows of the thread, if it has any,
/// are handed to them on the way. Dropping it ends the selections: their messages are not posted any more.
///
/// ```compile_fail,E0277
/// # use pentaport::async_select::MessageQueue;
/// let queue = MessageQueue::new().unwrap();
/// std::thread::spawn(move || queue.get()); // it is this thread's
/// ```
pub struct MessageQueue {
    window: Window,
    selections: RefCell<Selections>,
    descriptor: Descriptor,
}

impl MessageQueue {
    /// A window for the calling thread's queue.
    ///
    /// # Errors
    /// `ERROR_NO_SYSTEM_RESOURCES` or `ERROR_NOT_ENOUGH_MEMORY`, by what the system lacks.
    #[doc(alias = "CreateWindowExW")]
    #[doc(alias = "HWND_MESSAGE")]
    pub fn new() -> Result<Self> {
        Ok(Self { window: Window::new()?, selections: RefCell::default(), descriptor: Descriptor::default() })
    }

    /// Lets network events of a socket be posted here, in place of what was selected before. The socket becomes
    /// non-blocking.
    ///
    /// Each of `events` that holds now is posted at once, again if it was posted for an earlier selection. The
    /// exceptions are a connect that is over, and what was not selected with a connect that is pending. A selection on
    /// an [event](crate::event_select) ends.
    ///
    /// # Errors
    /// `WSAENOBUFS`, for what the system lacks.
    #[doc(alias = "WSAAsyncSelect")]
    pub fn select(&self, socket: &Socket, events: NetworkEvents) -> Result<()> {
        let number = self.selections.borrow_mut().unused();
        self.window.async_select(socket.raw(), number, events.bits())?;
        self.selections.borrow_mut().begin(socket.id(), events, number, is_open);
        Ok(())
    }

    /// Ends the selection of a socket; messages of it that are queued are not given out. It stays non-blocking; from
    /// now on [`set_nonblocking(false)`](Socket::set_nonblocking) is allowed again.
    ///
    /// # Errors
    /// None that is known for an open socket.
    #[doc(alias = "WSAAsyncSelect")]
    pub fn cancel(&self, socket: &Socket) -> Result<()> {
        self.selections.borrow_mut().end(socket.id());
        self.window.async_select(socket.raw(), 0, 0)
    }

    /// A handle for other threads, to post messages here.
    pub fn poster(&self) -> Poster {
        Poster::new(self.window.address().clone())
    }

    /// Has [`Message::Quit`] come once what was posted before is taken.
    #[doc(alias = "PostQuitMessage")]
    pub fn quit(&self, code: i32) {
        self.window.quit(code);
    }

    /// Waits for the next message and takes it.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "GetMessageW")]
    pub fn get(&self) -> Result<Message> {
        loop {
            if let Some(message) = self.decode(self.window.get()?) {
                return Ok(message);
            }
        }
    }

    /// Takes the next message if there is one, and does not wait.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "PeekMessageW")]
    #[doc(alias = "PM_REMOVE")]
    pub fn peek(&self) -> Result<Option<Message>> {
        while let Some(taken) = self.window.peek() {
            if let Some(message) = self.decode(taken) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Waits for the next message and takes it; `None` if the time was over first. A `timeout` of zero does not wait,
    /// `None` waits without end; others are rounded up to milliseconds.
    ///
    /// # Errors
    /// None that is known.
    #[doc(alias = "MsgWaitForMultipleObjectsEx")]
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Option<Message>> {
        if timeout.is_none() {
            return self.get().map(Some);
        }
        // Mostly there is one, and then the clock need not be asked.
        if let Some(message) = self.peek()? {
            return Ok(Some(message));
        }
        self.wait_for(&[], timeout).map(|woken| match woken {
            Some(Woken::Message(message)) => Some(message),
            Some(Woken::Event(_)) | None => None,
        })
    }

    /// Waits until one of the events is set, and gives the lowest index, or there is a message, and takes it; `None`
    /// if the time was over first. Events come before messages. The timeout is as for [`wait`](Self::wait).
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` if there are more than 63 events.
    #[doc(alias = "MsgWaitForMultipleObjectsEx")]
    pub fn wait_any<E: Borrow<Event>>(&self, events: &[E], timeout: Option<Duration>) -> Result<Option<Woken>> {
        let mut room = [std::ptr::null_mut(); MAX_EVENTS - 1];
        self.wait_for(handles(events, &mut room)?, timeout)
    }

    fn wait_for(&self, handles: &[crate::sys::HANDLE], timeout: Option<Duration>) -> Result<Option<Woken>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.window.wait(handles, milliseconds(remaining))? {
                Ending::Signalled(index) if index < handles.len() => return Ok(Some(Woken::Event(index))),
                Ending::Timeout => return Ok(None),
                Ending::Signalled(_) | Ending::Routines => {}
            }
            // There may be none: what woke us can have been another window's message, or a late one.
            if let Some(message) = self.peek()? {
                return Ok(Some(Woken::Message(message)));
            }
        }
    }

    /// A message for the program; `None` if it is not for it.
    fn decode(&self, taken: Taken) -> Option<Message> {
        match taken {
            Taken::Quit(code) => Some(Message::Quit(code)),
            Taken::Nothing => None,
            Taken::Ours(raw @ Raw { number, .. }) if selections::is_network(number) => {
                let message = NetworkMessage::decode(raw);
                self.selections.borrow().is_current(message.socket, number).then_some(Message::Network(message))
            }
            Taken::Ours(raw) => Some(Message::Posted(PostedMessage::decode(raw))),
        }
    }

    /// For [`sys::ext`](crate::sys), where it becomes `AsFd` on systems that have descriptors.
    #[allow(dead_code, reason = "not on every system")]
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

/// Whether a socket has this number, be it another than the one that was selected.
fn is_open(SocketId(socket): SocketId) -> bool {
    !option::<i32>(socket, sys::SOL_SOCKET, sys::SO_TYPE).is_err_and(|error| error.code() == sys::WSAENOTSOCK)
}

impl fmt::Debug for MessageQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageQueue").field("window", &self.window.address()).finish_non_exhaustive()
    }
}
