//! Completion ports: start operations, take their results from a queue.
//!
//! # Mechanism
//! A [`CompletionPort`] is a queue of packets. A socket is [associated](CompletionPort::associate) with it, along with
//! a key of the program's: the per-handle data. The program starts an [`Operation`] on the socket (a receive, a send)
//! and goes on; when the operation is over, a [`Packet`] with its result and its buffer appears in the queue, and one
//! of the threads that call [`get`](CompletionPort::get) takes it. No thread waits for any particular socket, so a few
//! threads serve any number of them.
//!
//! ```text
//!   program                            system
//!   Operation ── receive(operation) ─► record, buffer, context    nobody else can reach them
//!   Packet    ◄─ get() ─────────────── result
//!      │  source: the key, and the socket to start the next one on
//!      │  result: bytes, or why it failed
//!      └─ operation: buffer and context, to be used again
//! ```
//!
//! * An [`Operation`] is one allocation that goes round and round. Once a program has its operations, receiving and
//!   sending allocate nothing.
//! * There is **exactly one packet for each operation that started**, also if it succeeded at once or its socket was
//!   closed, and none for one that did not start: that one comes back in [`Failed`].
//! * While an operation is in the system's hands its buffer cannot be touched, since it was moved there:
//!
//! ```compile_fail,E0382
//! # use pentaport::completion_port::*;
//! fn touch(socket: &PortSocket<(), ()>, operation: Operation<()>) {
//!     let pending = socket.receive(operation);
//!     operation.buffer(); // the operation was moved
//! }
//! ```
//!
//! ```compile_fail,E0505
//! # use pentaport::completion_port::*;
//! fn keep(socket: &PortSocket<(), ()>, mut operation: Operation<()>) {
//!     let buffer = operation.buffer_mut();
//!     let pending = socket.receive(operation); // the buffer is borrowed
//!     buffer.clear();
//! }
//! ```
//!
//! # Who closes the socket
//! A [`PortSocket`] is a handle; clones of it, and the packets of an open socket, are handles too. The socket closes
//! when the last one is dropped. Operations in flight do not keep it open: they are cancelled by the close, and their
//! packets come with an error, and with the key, which lives as long as anything of the socket's does. So a server
//! keeps one handle of each connection somewhere (a table, which it needs to end idle ones anyway), and its workers use
//! the handle in the packet.
//!
//! The port lives as long as a handle of it or an open socket at it. Whoever is the last to go takes the packets that
//! are still to come, so that no record is lost. For that, a handle of a port or of a socket at it must not be part of
//! a key or context of the same port, unless the program sees to it that the packet is taken: like a cycle of
//! [`Arc`](std::sync::Arc)s, it would keep itself alive.
//!
//! # Concurrency
//! The port lets as many threads run as its concurrency value says, and releases the one that waited last, whose caches
//! are warm. A thread that took a packet counts until it calls `get` again or blocks; when it blocks, in whatever way,
//! another is released in its place. So start more threads than the value if they may block.
//!
//! # Limits, and when to choose it
//! It is the model for many connections and for several processors, and the only one in which threads share the work
//! without agreeing on it. Its price is that every operation needs a buffer for as long as it is pending; where
//! thousands of idle connections matter, [`receive_ready`](PortSocket::receive_ready) waits without one. Data of one
//! connection must be received by one operation at a time, if its order is to be kept among several workers.
//!
//! # Differences from Windows
//! * [`CompletionPort::close`] wakes those who wait, as closing the handle does; the handle itself lives until all
//!   records are back.
//! * Failed operations report Win32 codes, as on Windows (a reset is 64, `ERROR_NETNAME_DELETED`);
//!   [`Error::kind`](crate::Error::kind) joins them with Winsock's.
//!
//! # An echo server
//! Two workers. The table keeps the connections open; a worker that sees the end of one takes it out.
//!
//! ```
//! use pentaport::completion_port::{CompletionPort, Operation, OperationKind, Packet, PortSocket};
//! use pentaport::socket::{Shutdown, Socket};
//! use std::collections::HashMap;
//! use std::sync::{Mutex, mpsc};
//! use std::thread;
//!
//! type Id = usize;
//! type Table = Mutex<HashMap<Id, PortSocket<Id, ()>>>;
//!
//! fn worker(port: &CompletionPort<Id, ()>, table: &Table, departures: mpsc::Sender<Id>) {
//!     // Until the port is closed.
//!     while let Ok(packet) = port.get(None) {
//!         let packet = packet.expect("an endless wait gives a packet");
//!         let id = *packet.key();
//!         if !goes_on(packet) {
//!             table.lock().unwrap().remove(&id);
//!             departures.send(id).unwrap();
//!         }
//!     }
//! }
//!
//! /// Starts what comes next: after a receive the send, after the send a receive.
//! fn goes_on(packet: Packet<Id, ()>) -> bool {
//!     let Packet { source, result, operation } = packet;
//!     let (Some(socket), Ok(count)) = (source.socket(), result) else { return false };
//!     match operation.kind() {
//!         OperationKind::Receive if count == 0 => false, // the client said goodbye
//!         OperationKind::Receive => socket.send(operation.with_range(..count)).is_ok(),
//!         _ => socket.receive(operation).is_ok(),
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Socket::tcp(&"127.0.0.1:0".parse()?)?;
//! listener.bind(&"127.0.0.1:0".parse()?)?;
//! listener.listen(5)?;
//! let address = listener.local_addr()?;
//!
//! let port = CompletionPort::new(0)?;
//! let table = Table::default();
//! let (departures, departed) = mpsc::channel();
//! thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
//!     for _ in 0..2 {
//!         scope.spawn(|| worker(&port, &table, departures.clone()));
//!     }
//!     let client = scope.spawn(|| -> pentaport::Result<Vec<u8>> {
//!         let client = Socket::tcp(&address)?;
//!         client.connect(&address)?;
//!         client.send_all(b"hello")?;
//!         client.shutdown(Shutdown::Send)?;
//!         client.recv_to_end()
//!     });
//!
//!     let (socket, _) = listener.accept()?;
//!     let socket = port.associate(socket, 1)?;
//!     table.lock().unwrap().insert(1, socket.clone());
//!     socket.receive(Operation::new(vec![0; 1024], ()))?;
//!     drop(socket); // the table has a handle
//!
//!     assert_eq!(departed.recv()?, 1);
//!     assert_eq!(client.join().expect("no panic")?, b"hello");
//!     Ok(port.close()?)
//! })?;
//! # Ok(())
//! # }
//! ```

mod packet;
mod port;
mod port_socket;
mod started;

pub use crate::operation::{Accepted, Failed, Operation, OperationKind};
pub use packet::{Packet, Source};
pub use port::CompletionPort;
pub use port_socket::PortSocket;
pub use started::{StartResult, Started};
