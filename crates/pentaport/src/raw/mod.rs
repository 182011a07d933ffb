//! All the `unsafe` of this crate: calls into Winsock, and the records that are in the system's hands.
//!
//! What is exported from here is safe to call, whatever its arguments: a [`SOCKET`](crate::sys::SOCKET) that is closed
//! or never was one makes a call fail, no more. Who owns a handle is the business of the types above.
//!
//! | file | what is inside |
//! |---|---|
//! | `call.rs` | startup, and last errors as [`Result`](crate::Result)s |
//! | `address.rs` | `SocketAddr` to and from `SOCKADDR` |
//! | `socket.rs` | the calls on one socket |
//! | `accept_if.rs` | `WSAAccept` with a closure as its condition function |
//! | `set.rs` | the layout of a counted set, and `select` |
//! | `event.rs` | event objects, and waiting for handles |
//! | `network_events.rs` | `WSAEventSelect` and its record |
//! | `window.rs` | a message-only window, and the thread's queue of messages |
//! | `shared.rs` | what is shared by handles and operations in flight: two counts in one word |
//! | `record.rs` | the record of one operation |
//! | `start.rs` | handing a record to the system |
//! | `open_socket.rs` | a socket without a port |
//! | `pending.rs` | operations by event: taking their records back |
//! | `routine.rs` | operations by completion routine: their scope, and what the system calls |
//! | `panic.rs` | panics in routines |
//! | `waker.rs` | reaching into another thread's alertable waits |
//! | `association.rs` | a socket's place at a port |
//! | `port.rs` | the port: taking records back, and the last one out |

pub(crate) mod accept_if;
pub(crate) mod address;
pub(crate) mod association;
pub(crate) mod call;
pub(crate) mod event;
pub(crate) mod network_events;
pub(crate) mod open_socket;
pub(crate) mod panic;
pub(crate) mod pending;
pub(crate) mod port;
pub(crate) mod record;
pub(crate) mod routine;
pub(crate) mod set;
pub(crate) mod shared;
pub(crate) mod socket;
pub(crate) mod start;
pub(crate) mod waker;
pub(crate) mod window;
