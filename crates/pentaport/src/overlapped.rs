//! Overlapped operations, by event and by completion routine.

mod pending;
mod routine;
mod socket;
mod waker;

pub use crate::operation::{Accepted, Failed, Operation, OperationKind};
pub use pending::Pending;
pub use routine::{Routine, RoutineScope};
pub use socket::{OverlappedSocket, StartResult};
pub use waker::{Waker, sleep_alertable};

use crate::Result;

/// How an operation ended.
///
/// Taken apart, its three parts can be used at once: `let Completion { socket, result, operation } = completion;`.
#[derive(Debug)]
pub struct Completion<C> {
    /// The socket that it was started on, if that is still open.
    pub socket: Option<OverlappedSocket>,
    /// How many bytes were transferred (0 for a receive is the end of the stream), or why the operation failed.
    #[doc(alias = "lpcbTransfer")]
    #[doc(alias = "cbTransferred")]
    #[doc(alias = "dwError")]
    pub result: Result<usize>,
    /// The operation, with buffer and context, to be used again.
    #[doc(alias = "lpOverlapped")]
    pub operation: Operation<C>,
}
