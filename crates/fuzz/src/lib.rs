//! Random sequences of Winsock calls from several threads, and a model that knows what may come of them.
#![forbid(unsafe_code)]

pub mod call;
pub mod case;
mod coverage;
mod datagram;
mod finish;
mod operation;
mod perform;
mod plateau;
mod pool;
mod release;
pub mod report;
pub mod run;
pub mod shrink;
mod socket;
mod stream;
mod trace;
mod waiting;
mod worker;
mod world;
