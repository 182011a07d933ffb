//! What starting an operation at a port gives.

use super::{Failed, Operation};

/// An operation that was started.
///
/// Unless the socket [skips](super::PortSocket::skip_completion_on_success) packets, this is always `Pending`.
#[derive(Debug)]
pub enum Started<C> {
    /// The operation is under way, or done already: its packet comes.
    #[doc(alias = "WSA_IO_PENDING")]
    Pending,
    /// It succeeded at once with so many bytes, and no packet comes. Only after
    /// [`skip_completion_on_success`](super::PortSocket::skip_completion_on_success).
    Done(Operation<C>, usize),
}

/// What starting an operation gives.
pub type StartResult<C> = std::result::Result<Started<C>, Failed<C>>;

impl<C> Started<C> {
    /// The operation and its bytes, if it is done.
    pub fn done(self) -> Option<(Operation<C>, usize)> {
        match self {
            Self::Pending => None,
            Self::Done(operation, bytes) => Some((operation, bytes)),
        }
    }

    /// Whether a packet comes.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}
