//! Winsock 2 for Linux.
#![allow(non_snake_case)]
#![cfg(target_os = "linux")]

// Helpers that the engine does not use yet.
#[allow(dead_code)]
mod address;
#[allow(dead_code)]
mod error;
mod resolve;
#[allow(dead_code)]
mod startup;
mod stubs;
pub mod types;

pub use error::{GetLastError, SetLastError, WSAGetLastError, WSASetLastError};
pub use resolve::{freeaddrinfo, getaddrinfo, getnameinfo};
pub use startup::{WSACleanup, WSAStartup};
pub use stubs::*;
pub use types::*;
