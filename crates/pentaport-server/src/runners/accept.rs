//! Who is let in.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use pentaport::Error;
use pentaport::socket::{Condition, Socket};

use super::Host;
use crate::totals::Lane;
use crate::{Admit, Service};

/// Who was found at the door.
pub(super) enum Caller {
    /// A connection that is to be served. A place has been taken for it.
    Accepted { socket: Socket, peer: SocketAddr, local: SocketAddr },
    /// Someone who was refused, or went before he could be asked.
    Gone,
    /// Nobody.
    Nobody,
    /// Someone for whom there is no descriptor or no memory. He waits.
    Unservable,
}

impl<S: Service> Host<S> {
    /// A place for one more connection, until it [leaves](Self::leave): how many others there are, or `None` if the
    /// server is full.
    pub(super) fn take_place(&self, lane: &Lane) -> Option<usize> {
        let most = self.options.max_connections.unwrap_or(usize::MAX);
        let one_more = |others| (others < most).then_some(others + 1);
        let place = self.shared.connections.fetch_update(SeqCst, SeqCst, one_more).ok();
        if place.is_none() {
            lane.refused.fetch_add(1, Relaxed);
        }
        place
    }

    /// Whether the service takes a connection for which there is a place.
    pub(super) fn admits(&self, lane: &Lane, peer: SocketAddr, local: SocketAddr, others: usize) -> bool {
        // A panic has been reported by its hook; whom the service cannot judge it does not serve.
        let ask = || self.service.admit(peer, local, others);
        let admits = matches!(catch_unwind(AssertUnwindSafe(ask)), Ok(Admit::Accept));
        if !admits {
            lane.refused.fetch_add(1, Relaxed);
        }
        admits
    }

    /// Gives back a place. Returns how many connections are left.
    pub(super) fn leave(&self) -> usize {
        self.shared.connections.fetch_sub(1, SeqCst) - 1
    }

    /// Accepts the next connection from a listener that does not block, if it is to be served.
    pub(super) fn accept(&self, lane: &Lane, listener: &Socket) -> Caller {
        let mut place = None;
        let accepted = listener.accept_if(|caller, callee| {
            let Some(others) = self.take_place(lane) else { return Condition::Reject };
            place = Some(callee);
            if self.admits(lane, caller, callee, others) { Condition::Accept } else { Condition::Reject }
        });
        match (accepted, place) {
            (Ok((socket, peer)), Some(local)) => Caller::Accepted { socket, peer, local },
            (Ok(_), None) => unreachable!("nobody is accepted without a place"),
            (Err(error), place) => {
                if place.is_some() {
                    self.leave();
                }
                match error.kind() {
                    ErrorKind::WouldBlock => Caller::Nobody,
                    ErrorKind::ConnectionRefused => Caller::Gone,
                    _ if is_callers(error) => Caller::Gone,
                    _ => {
                        self.lacks(lane, error);
                        Caller::Unservable
                    }
                }
            }
        }
    }
}

/// Whether an accept failed through its caller, who has gone before he was accepted, and not through this system. Wine
/// says that he is not connected.
pub(super) fn is_callers(error: Error) -> bool {
    use ErrorKind::*;
    matches!(error.kind(), ConnectionReset | ConnectionAborted | NotConnected)
}
