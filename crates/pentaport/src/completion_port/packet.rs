//! Packets: what comes out of a port.

use super::{Operation, OperationKind, PortSocket};
use crate::Result;
use crate::raw::association::Association;
use crate::raw::port::Landing;
use crate::raw::shared::Remnant;
use std::fmt;

/// The end of an operation, or a packet that was posted.
///
/// Taken apart, its three parts can be used at once: `let Packet { source, result, operation } = packet;`.
#[derive(Debug)]
pub struct Packet<K, C> {
    /// Where it comes from: the key, and the socket.
    pub source: Source<K, C>,
    /// How many bytes were transferred (0 for a receive is the end of the stream), or why the operation failed. For a
    /// posted packet, the number that was posted.
    #[doc(alias = "lpNumberOfBytesTransferred")]
    pub result: Result<usize>,
    /// The operation, with buffer and context, to be used again.
    #[doc(alias = "lpOverlapped")]
    pub operation: Operation<C>,
}

impl<K, C> Packet<K, C> {
    pub(super) fn new(landing: Landing<K, C>) -> Self {
        let source = match landing.source {
            Ok(owner) => Inner::Open(PortSocket { owner }),
            Err(remnant) => Inner::Closed(remnant),
        };
        Self { source: Source(source), result: landing.result, operation: Operation::from_record(landing.record) }
    }

    /// The key of the socket, or the one that was posted.
    #[doc(alias = "lpCompletionKey")]
    pub fn key(&self) -> &K {
        self.source.key()
    }

    /// The socket, if it is open still.
    pub fn socket(&self) -> Option<&PortSocket<K, C>> {
        self.source.socket()
    }

    /// What kind of operation it was.
    pub fn kind(&self) -> OperationKind {
        self.operation.kind()
    }
}

/// Where a packet comes from. While its socket is open, this is a handle of it.
pub struct Source<K, C>(Inner<K, C>);

enum Inner<K, C> {
    Open(PortSocket<K, C>),
    Closed(Remnant<Association<K, C>>),
}

impl<K, C> Source<K, C> {
    /// The key of the socket, or the one that was posted.
    #[doc(alias = "lpCompletionKey")]
    pub fn key(&self) -> &K {
        match &self.0 {
            Inner::Open(socket) => socket.key(),
            Inner::Closed(remnant) => remnant.key(),
        }
    }

    /// The socket; `None` if it was closed before the packet was taken, or if the packet was posted to the port rather
    /// than to a socket.
    pub fn socket(&self) -> Option<&PortSocket<K, C>> {
        match &self.0 {
            Inner::Open(socket) => Some(socket),
            Inner::Closed(_) => None,
        }
    }

    /// The socket, as a handle of its own.
    pub fn into_socket(self) -> Option<PortSocket<K, C>> {
        match self.0 {
            Inner::Open(socket) => Some(socket),
            Inner::Closed(_) => None,
        }
    }

    /// Whether there was a socket, and it is closed.
    pub fn is_closed(&self) -> bool {
        matches!(&self.0, Inner::Closed(remnant) if remnant.has_socket())
    }
}

impl<K: fmt::Debug, C> fmt::Debug for Source<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("key", self.key())
            .field("socket", &self.socket().map(|socket| socket.raw()))
            .finish()
    }
}
