//! Descriptors that are as new, for the next sockets.
//!
//! AcceptEx puts a connection's descriptor behind the acceptor's handle. The one that was there has mostly seen nothing but
//! its creation, and the next acceptor will want just such a one: handing it on saves a `socket` and a `close` for each
//! connection, a fifth of what the kernel does for it on the server's side.

use std::os::fd::OwnedFd;

use ranked_locks::{Mutex, rank};

use crate::types::ADDRESS_FAMILY;

/// How many are kept at most. So many connections can come between two looks of a program.
const MOST: usize = 32;

/// A stream socket, neither bound nor connected, with the options that it was made with.
struct Spare {
    family: ADDRESS_FAMILY,
    protocol: i32,
    fd: OwnedFd,
}

static SPARES: Mutex<Vec<Spare>, rank::Leaf> = Mutex::new(Vec::new());

/// Keeps a descriptor of a stream socket with which nothing was done, or closes it.
pub(crate) fn keep(family: ADDRESS_FAMILY, protocol: i32, fd: OwnedFd) {
    let mut spares = SPARES.lock();
    if spares.len() < MOST {
        spares.push(Spare { family, protocol, fd });
    }
}

/// A descriptor of a stream socket, if one is there.
pub(crate) fn take(family: ADDRESS_FAMILY, protocol: i32) -> Option<OwnedFd> {
    let mut spares = SPARES.lock();
    let at = spares.iter().rposition(|spare| (spare.family, spare.protocol) == (family, protocol))?;
    Some(spares.swap_remove(at).fd)
}

/// Closes all, for whoever lacks a descriptor; false if there were none.
pub(crate) fn close_all() -> bool {
    let spares = std::mem::take(&mut *SPARES.lock());
    !spares.is_empty()
}
