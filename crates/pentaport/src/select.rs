//! `select`: ask which of many sockets are ready.
//!
//! # Mechanism
//! The program keeps sets of sockets: those it wants to read from, those it wants to write to. [`select`] takes copies
//! of them, waits until a socket in one is ready, and leaves in each copy the sockets that are. The program then makes
//! calls on these, on non-blocking sockets, and asks again.
//!
//! | set | a socket is ready in it when |
//! |---|---|
//! | read | there is data, an end of stream or a reset to receive; or, for a listener, a connection to accept |
//! | write | there is room to send; or a non-blocking connect succeeded |
//! | except | a non-blocking connect failed; or urgent data came |
//!
//! Readiness is a state, not an event: a socket with unread data is reported again and again. A socket belongs in the
//! write set only while there is something to send, since it is ready there nearly always.
//!
//! # Limits
//! Each call names all sockets anew and the system looks at each, so a call costs time for every socket, ready or not.
//! For ten or a hundred that is nothing. For thousands, most of them idle, a
//! [completion port](crate::completion_port) costs only for what happens. The limit of 64 sockets that the documents
//! about Winsock speak of is one of its macros: a [`SelectSet`] holds any number.
//!
//! # Differences from Windows
//! None. A set whose sockets are all gone is an error (`WSAEINVAL`), so that `select` is no sleep.
//!
//! # An echo server
//! One thread, one loop. `waiting` is what a client has not taken yet; while there is some, the socket is in the write
//! set and is not read, so that a client that does not read cannot fill the memory.
//!
//! ```
//! use pentaport::select::{SelectSet, select};
//! use pentaport::socket::{Shutdown, Socket, SocketId};
//! use std::collections::HashMap;
//! use std::io::ErrorKind;
//!
//! struct Client {
//!     socket: Socket,
//!     waiting: Vec<u8>,
//! }
//!
//! fn serve(listener: &Socket, mut expected: usize) -> pentaport::Result<()> {
//!     listener.set_nonblocking(true)?;
//!     let mut clients: HashMap<SocketId, Client> = HashMap::new();
//!     let (mut read, mut write) = (SelectSet::new(), SelectSet::new());
//!     while expected > 0 || !clients.is_empty() {
//!         read.clear();
//!         write.clear();
//!         if expected > 0 {
//!             read.insert(listener);
//!         }
//!         for client in clients.values() {
//!             if client.waiting.is_empty() { &mut read } else { &mut write }.insert(&client.socket);
//!         }
//!         select(Some(&mut read), Some(&mut write), None, None)?;
//!         for id in read.iter().chain(write.iter()) {
//!             if id == listener.id() {
//!                 let Ok((socket, _)) = listener.accept() else { continue };
//!                 expected -= 1;
//!                 clients.insert(socket.id(), Client { socket, waiting: Vec::new() });
//!             } else if !clients.get_mut(&id).is_none_or(|client| echo(client)) {
//!                 clients.remove(&id);
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//!
//! /// Whether the client stays.
//! fn echo(client: &mut Client) -> bool {
//!     let mut buffer = [0; 1024];
//!     if client.waiting.is_empty() {
//!         match client.socket.recv(&mut buffer) {
//!             Ok(0) => return false,
//!             Ok(count) => client.waiting.extend_from_slice(&buffer[..count]),
//!             Err(error) => return error.kind() == ErrorKind::WouldBlock,
//!         }
//!     }
//!     match client.socket.send(&client.waiting) {
//!         Ok(sent) => drop(client.waiting.drain(..sent)),
//!         Err(error) => return error.kind() == ErrorKind::WouldBlock,
//!     }
//!     true
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

use crate::Result;
use crate::raw::set::{self, Set};
use crate::socket::{Socket, SocketId};
use std::fmt;
use std::time::Duration;

/// A set of sockets, of any size.
///
/// It is laid out as the system wants it, so that a call copies nothing. A program with many sockets keeps one set up
/// to date and makes the copy for each call with [`copy_from`](Self::copy_from), which allocates nothing once the copy
/// is large enough and costs 8 bytes of copying for each socket.
///
/// The set knows sockets by number and does not keep them open. A socket that was closed must be
/// [removed](Self::remove): `select` fails with `WSAENOTSOCK` for it.
#[doc(alias = "fd_set")]
#[doc(alias = "FD_SETSIZE")]
#[derive(Clone)]
pub struct SelectSet {
    set: Set,
}

impl SelectSet {
    /// An empty set.
    #[doc(alias = "FD_ZERO")]
    pub fn new() -> Self {
        Self { set: Set::new() }
    }

    /// An empty set with room for that many sockets.
    pub fn with_capacity(sockets: usize) -> Self {
        Self { set: Set::with_capacity(sockets) }
    }

    /// Adds a socket, at no cost that grows with the set.
    ///
    /// A socket that is added twice is in the set twice; `select` reports it once. (Windows's macro looks through the
    /// set instead; [`contains`](Self::contains) does that.)
    #[doc(alias = "FD_SET")]
    pub fn insert(&mut self, socket: &Socket) {
        self.set.push(socket.raw());
    }

    /// Removes a socket; whether it was there. Looks through the set; the order of the others may change.
    #[doc(alias = "FD_CLR")]
    pub fn remove(&mut self, socket: SocketId) -> bool {
        let found = self.set.sockets().iter().position(|&raw| raw == socket.0);
        if let Some(index) = found {
            self.set.swap_remove(index);
        }
        found.is_some()
    }

    /// Whether the socket is in the set. Looks through it: to see what is ready, [`iter`](Self::iter) is better.
    #[doc(alias = "FD_ISSET")]
    #[doc(alias = "__WSAFDIsSet")]
    pub fn contains(&self, socket: SocketId) -> bool {
        self.set.sockets().contains(&socket.0)
    }

    /// The sockets, in their order; after [`select`], those that are ready.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SocketId> + '_ {
        self.set.sockets().iter().copied().map(SocketId)
    }

    /// How many sockets are in the set.
    #[doc(alias = "fd_count")]
    pub fn len(&self) -> usize {
        self.set.sockets().len()
    }

    /// Whether no socket is in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all sockets, and keeps the memory.
    #[doc(alias = "FD_ZERO")]
    pub fn clear(&mut self) {
        self.set.clear();
    }

    /// Makes this set the same as `other`, in the memory that it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.set.copy_from(&other.set);
    }
}

impl Default for SelectSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SelectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<'a> Extend<&'a Socket> for SelectSet {
    fn extend<I: IntoIterator<Item = &'a Socket>>(&mut self, sockets: I) {
        for socket in sockets {
            self.insert(socket);
        }
    }
}

/// Waits until a socket in one of the sets is ready, and leaves in each set those that are; returns how many that are,
/// over all sets. 0 says that the time was over: then the sets are empty.
///
/// A `timeout` of zero does not wait, `None` waits without end; others are rounded up to microseconds. While it waits,
/// [routines](crate::overlapped#by-completion-routine) of this thread run, as in every call that blocks.
///
/// # Errors
/// `WSAEINVAL` if no socket is given at all, `WSAENOTSOCK` if one of them is closed.
///
/// ```
/// use pentaport::select::{SelectSet, select};
/// use pentaport::socket::Socket;
/// use std::time::Duration;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = Socket::udp(&"127.0.0.1:0".parse()?)?;
/// socket.bind(&"127.0.0.1:0".parse()?)?;
/// let (mut read, mut write) = (SelectSet::new(), SelectSet::new());
/// read.insert(&socket);
/// write.insert(&socket);
/// assert_eq!(select(Some(&mut read), Some(&mut write), None, Some(Duration::ZERO))?, 1);
/// assert!(read.is_empty() && write.contains(socket.id()));
/// # Ok(())
/// # }
/// ```
pub fn select(
    read: Option<&mut SelectSet>,
    write: Option<&mut SelectSet>,
    except: Option<&mut SelectSet>,
    timeout: Option<Duration>,
) -> Result<usize> {
    set::select([read, write, except].map(|set| set.map(|set| &mut set.set)), timeout)
}
