//! Services that are shipped: `echo`, `discard` and `chargen` of RFC 862 to 864, and the documents' printing server.
//!
//! The RFCs describe each service over TCP and over UDP. Only the TCP half is offered: the models that this crate is
//! about differ in how they wait for connections.

mod chargen;
mod discard;
mod echo;
mod print;

pub use chargen::{Chargen, ChargenSession};
pub use discard::Discard;
pub use echo::Echo;
pub use print::{Print, PrintSession};
