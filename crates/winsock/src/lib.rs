//! Winsock 2 for Linux.
#![allow(non_snake_case)]
#![cfg(target_os = "linux")]

mod stubs;
pub mod types;

pub use stubs::*;
pub use types::*;
