//! The five Winsock I/O models as a safe API, with the same meaning on Linux and on Windows.
//!
//! On Windows the system itself is underneath; on Linux it is the crate `winsock`, which gives the same functions the
//! same meaning.
//!
//! | module | mechanism | choose it when |
//! |---|---|---|
//! | [`socket`] | blocking and non-blocking calls | one thread for each connection is enough |
//! | [`select`] | ask which of many sockets are ready | there are few sockets, or the program must be simple |
//! | [`async_select`] | network events come as messages | the program has a message loop, or another's main loop |
//! | [`event_select`] | network events set event objects | one thread waits for the network and for other things |
//! | [`overlapped`] | start operations, be told by an event or by a routine | each thread keeps to its own operations |
//! | [`completion_port`] | start operations, take their results from a queue | there are many connections, or several processors |
//!
//! Each module opens with an essay and a whole echo server. Words are Winsock's own, so the documents about Winsock
//! apply; searching this documentation for a Win32 name (`WSARecv`, `AcceptEx`, …) finds what stands for it.
#![deny(unsafe_code)]

pub mod async_select;
pub mod completion_port;
pub mod error;
pub mod event_select;
mod operation;
pub mod overlapped;
#[allow(unsafe_code)]
mod raw;
pub mod select;
pub mod socket;
#[doc(hidden)]
pub mod sys;

pub use error::{Error, Result};
