//! Cancelling.

use crate::case::Step;
use crate::trace::Outcome;
use crate::worker::Worker;
use conformance::raw::{cancel_io, cancel_io_ex, cancel_synchronous_io};

impl Worker {
    pub(super) fn cancel_mine(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.world.pick(step.on, |_| true) else { return Outcome::Nothing };
        self.uses(&socket);
        socket.expect_cancel();
        cancel_io(socket.raw.raw()).into()
    }

    pub(super) fn cancel_all(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.world.pick(step.on, |_| true) else { return Outcome::Nothing };
        self.uses(&socket);
        socket.expect_cancel();
        cancel_io_ex(socket.raw.raw(), None).into()
    }

    pub(super) fn cancel_one(&mut self, step: Step) -> Outcome {
        let Some(operation) = self.world.pick_operation(step.on, |_| true) else { return Outcome::Nothing };
        self.uses(&operation.socket);
        self.world.expect_cancel(&operation);
        cancel_io_ex(operation.socket.raw.raw(), Some(operation.lent.request)).into()
    }

    pub(super) fn cancel_thread(&mut self, step: Step) -> Outcome {
        let workers = self.world.ended_threads.len();
        let Some(thread) = self.world.thread(step.on as usize % workers) else { return Outcome::Nothing };
        cancel_synchronous_io(thread).into()
    }
}
