//! One conformance suite for Winsock's semantics, run on Linux and on Windows.
//!
//! The facts are numbered; `facts.tsv` is their register and says which are testable and when they are due. A test
//! says in its name which facts it covers: `s12_all_sets_empty_is_wsaeinval` covers S12, `p12_p13_exactly_one_packet`
//! covers P12 and P13. A test whose name begins with `deviates_` asserts what happens *instead* of the fact where the
//! system below cannot do it. `cargo xtask conformance` joins the run of the tests with the register.
//!
//! The tests in `tests/` are ordinary ones and forbid `unsafe`: what they need of the raw contract is in [`raw`] and
//! [`raw_port`], the only modules here with `unsafe`. They use nothing that only one system has.
#![deny(unsafe_code)]

pub mod fixture;
pub mod flow;
pub mod network_fixture;
mod process;
pub mod raw;
pub mod raw_port;

pub use process::{child, in_child, in_child_with, is_child, nap, until};
