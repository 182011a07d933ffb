//! One network service, run under any of the Winsock I/O models.
//!
//! A [`Service`] says what a server does with its clients. A [`Server`] runs it under a [`Model`], which says how the
//! server waits for them; changing the model changes one value in the [`Options`]. A [`Handle`] stops a server, and
//! sends to its connections from outside.
#![forbid(unsafe_code)]

mod conversation;
mod handle;
mod machine;
mod mailbox;
mod model;
mod options;
mod pool;
mod registry;
mod reply;
mod runners;
mod server;
mod service;
pub mod services;
mod sweep;
mod totals;

pub use handle::{Handle, SendError};
pub use model::{Model, UnknownModel};
pub use options::Options;
pub use reply::Reply;
pub use server::Server;
pub use service::{Admit, Close, Connection, ConnectionId, Service};
pub use totals::Totals;
