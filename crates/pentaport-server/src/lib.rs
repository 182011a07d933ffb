//! One network service, run under any of the Winsock I/O models.
//!
//! A [`Service`] says what a server does with its clients. A [`Server`] runs it under a [`Model`], which says how the
//! server waits for them; changing the model changes one value in the [`Options`], and nothing of what clients see.
//!
//! ```
//! use pentaport_server::{Model, Options, Server, services::Echo};
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::thread;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! for model in Model::ALL {
//!     let options = Options { model: *model, ..Options::default() };
//!     let server = Server::bind("127.0.0.1:0".parse()?, options)?;
//!     let (address, handle) = (server.local_addr(), server.handle());
//!     let running = thread::spawn(|| server.run(Echo));
//!
//!     let mut client = TcpStream::connect(address)?;
//!     client.write_all(b"hello")?;
//!     let mut answer = [0; 5];
//!     client.read_exact(&mut answer)?;
//!     assert_eq!(answer, *b"hello");
//!     drop(client);
//!
//!     handle.stop();
//!     let totals = running.join().expect("no panic")?;
//!     assert_eq!((totals.accepted, totals.bytes_in), (1, 5));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What the server sees to
//! * The bytes of a connection arrive at the service in order, and what it answers leaves in order, however the system
//!   cuts them up.
//! * A client that does not read is not received from either, once [`Options::send_queue_limit`] bytes wait for it: so
//!   it costs bounded memory.
//! * A client that ends its sending side gets all its answers before the connection is closed.
//! * A reset is told from a close, and each session is opened once and closed once.
//! * A server that is [stopped](Handle::stop) answers what its clients have sent, within [`Options::drain`]. A client
//!   that loses something sees a reset, and is counted in [`Totals::cut_off`].
//! * Without clients, and with idle ones, it sleeps.
//! * It begins with all that it needs to serve a client, or [`Server::run`] says what it lacks. Without descriptors or
//!   threads for more clients it goes on with the connections that it has, and accepts again when there are some: those
//!   who come wait, and an [`Observer`] is told once.
//!
//! # Sending to other connections
//! A [`Handle`] stops a server, and sends to its connections from outside: from another thread, or from the handler of
//! another connection.
//!
//! ```
//! use pentaport_server::{Close, Connection, ConnectionId, Handle, Options, Reply, Server, Service};
//! use std::collections::HashSet;
//! use std::sync::Mutex;
//!
//! /// Everybody hears what anybody says.
//! struct Chat {
//!     handle: Handle,
//!     members: Mutex<HashSet<ConnectionId>>,
//! }
//!
//! impl Service for Chat {
//!     type Session = ConnectionId;
//!
//!     fn open(&self, connection: &Connection, _: &mut Reply<'_>) -> ConnectionId {
//!         self.members.lock().unwrap().insert(connection.id());
//!         connection.id()
//!     }
//!
//!     fn receive(&self, _: &mut ConnectionId, said: &[u8], _: &mut Reply<'_>) {
//!         for member in self.members.lock().unwrap().iter() {
//!             // One who reads too slowly misses something; one who is leaving needs nothing.
//!             let _ = self.handle.send(*member, said);
//!         }
//!     }
//!
//!     fn close(&self, id: ConnectionId, _: Close) {
//!         self.members.lock().unwrap().remove(&id);
//!     }
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let server = Server::bind("127.0.0.1:0".parse().unwrap(), Options::default())?;
//! let chat = Chat { handle: server.handle(), members: Mutex::default() };
//! # let handle = server.handle();
//! # handle.stop();
//! server.run(chat)?; // until somebody stops it
//! # Ok(())
//! # }
//! ```
//!
//! # Inside
//! All models share one state machine for a connection, which is pure: no sockets, no clock. A runner, of which there
//! is one for each model, tells it what happened and does what it says next.
#![forbid(unsafe_code)]

mod conversation;
mod handle;
mod machine;
mod mailbox;
mod model;
mod observer;
mod options;
mod pool;
mod registry;
mod reply;
mod runners;
mod send_queue;
mod server;
mod service;
pub mod services;
mod sweep;
mod totals;

pub use handle::{Handle, SendError};
pub use model::{Model, UnknownModel};
pub use observer::{Observer, Resource, Shortage};
pub use options::Options;
pub use reply::Reply;
pub use server::Server;
pub use service::{Admit, Close, Connection, ConnectionId, Service};
pub use totals::Totals;
