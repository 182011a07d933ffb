//! What pentaport is measured against: echo servers, each as an expert in its library would write it.
//!
//! All take one command line, `NAME --listen ADDR:PORT [--threads N]` (those in Rust also `--idle-thread`), and keep to one
//! bargain, which `tests/echo.rs` holds them to: they say where they listen, answer what comes, whatever its size, keep no
//! more than a bounded part of it for a reader who is slow, and end with status 0 at SIGTERM.

pub mod cli;
pub mod compio_echo;
pub mod epoll_echo;
pub mod listener;
pub mod monoio_echo;
pub mod pentaport_echo;
pub mod sys;
pub mod tokio_echo;
pub mod uring_echo;
pub mod winsock_echo;

/// What is received at once, of all servers that choose it freely.
pub const BUFFER: usize = 64 * 1024;

/// How many full buffers one connection may move before the others have their turn.
pub const TURNS: usize = 16;
