//! A socket without a port: what its handles and its operations in flight share.

use super::shared::{Lifecycle, Owner};
use super::socket;
use super::start::Place;
use crate::Result;
use crate::socket::Socket;
use crate::sys;
use std::mem::ManuallyDrop;

/// A socket whose operations end by event or by routine. Closed when the last owner goes.
pub(crate) struct OpenSocket(ManuallyDrop<Socket>);

/// Each operation knows its own type, so one socket takes operations of any context.
impl<C> Place<C> for OpenSocket {
    fn socket(&self) -> &Socket {
        &self.0
    }

    fn skips_on_success(&self) -> bool {
        false
    }
}

impl Owner<OpenSocket> {
    pub(crate) fn open(socket: Socket) -> Self {
        Owner::new(OpenSocket(ManuallyDrop::new(socket)))
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.0
    }

    /// Cancels one operation, or all; whether there was anything to cancel.
    pub(crate) fn cancel(&self, one: Option<*const sys::OVERLAPPED>) -> Result<bool> {
        socket::cancel(self.socket().raw(), one)
    }
}

impl Lifecycle for OpenSocket {
    type Farewell = ();

    fn close(&self) {
        socket::end_operations(self.0.raw());
        let _ = self.0.close_for_good();
    }

    /// Each operation that is in flight has its own way back: nobody waits for the last.
    fn retire(&self) {}
}
