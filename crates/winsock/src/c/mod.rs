//! What only programs in C see: exported as `ws_…`, and not part of the crate's interface for Rust.
//!
//! Here are the functions that differ from those of `windows-sys` because C's types do on Linux (`wchar_t` has 32 bits,
//! `timeval` 64-bit members), the A beside the W functions, and what programs in C need beside Winsock: heap, locks,
//! strings of addresses, time, modules, console. A file for each family. The headers in `include/` declare them.
//!
//! Nothing here panics, as nobody could catch it: what a program passes is checked or, where only its author can know,
//! used as Windows would.

// Public as symbols, not as paths.
#![allow(unreachable_pub)]

mod addresses;
mod block;
mod code_pages;
mod console;
mod create_process;
mod crt;
mod files;
mod format_message;
mod heap;
mod hosts;
mod locks;
mod memory;
mod messages;
mod names;
mod objects;
mod pool;
mod process;
mod screen;
mod select;
mod sockets;
mod system;
mod text;
mod threads;
mod time;
mod tls;
mod windows;
