//! Ports, and waits for operations and routines.

use crate::case::Step;
use crate::trace::Outcome;
use crate::waiting::For;
use crate::worker::Worker;
use crate::world::PORTS;
use conformance::raw::{
    Dequeued, UNTOUCHED, get_overlapped_result, queue_user_apc, sleep_ex, wait_for_multiple_objects,
};
use pentaport::sys;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Worker {
    pub(super) fn port_get(&mut self, step: Step, wait: bool) -> Outcome {
        let port = step.on as usize % PORTS;
        let world = self.world.clone();
        let get = |milliseconds| world.ports[port].port.get(milliseconds);
        let packet = match wait {
            true => self.wait(For::Port(port), step.how, || get(sys::INFINITE)),
            false => get(0),
        };
        if packet.ok || packet.overlapped != 0 {
            self.world.packet(self.index, port, packet, &mut self.counts);
            return Outcome::Done;
        }
        if wait {
            self.world.fail(&format!("GetQueuedCompletionStatus without a limit gave {packet:?}"));
        }
        Outcome::Failed(packet.error.into())
    }

    pub(super) fn port_many(&mut self, step: Step) -> Outcome {
        let port = step.on as usize % PORTS;
        let (entries, _) = self.world.ports[port].port.get_many(1 + step.with as usize % 8, 0);
        let entries = match entries {
            Ok(entries) => entries,
            Err(code) => return Outcome::Failed(code.into()),
        };
        for entry in entries {
            let (bytes, key, overlapped) = (entry.bytes, entry.key, entry.overlapped);
            let packet = Dequeued { ok: entry.internal == 0, bytes, key, overlapped, error: UNTOUCHED };
            self.world.packet(self.index, port, packet, &mut self.counts);
        }
        Outcome::Done
    }

    pub(super) fn post(&mut self, step: Step) -> Outcome {
        self.world.post(step.on as usize % PORTS).into()
    }

    pub(super) fn wait_result(&mut self, step: Step) -> Outcome {
        let waitable = |it: &crate::operation::Operation| it.sets_event() && it.started() == Some(true);
        let Some(operation) = self.world.pick_operation(step.on, waitable) else { return Outcome::Nothing };
        self.uses(&operation.socket);
        let (socket, request) = (operation.socket.raw.raw(), operation.lent.request);
        let result =
            self.wait(For::Operation(operation.clone()), step.how, || get_overlapped_result(socket, request, true));
        if !operation.is_over() {
            self.world
                .fail(&format!("GetOverlappedResult waited for step {}, whose status is pending", operation.step));
        }
        self.settle(&operation);
        if result.ok { Outcome::Done } else { Outcome::Failed(result.error.into()) }
    }

    pub(super) fn wait_events(&mut self, step: Step) -> Outcome {
        let waitable = |it: &crate::operation::Operation| it.sets_event() && it.started() == Some(true);
        let Some(first) = self.world.pick_operation(step.on, waitable) else { return Outcome::Nothing };
        let Some(second) = self.world.pick_operation(step.with, waitable) else { return Outcome::Nothing };
        let events = [first.lent.event.handle(), second.lent.event.handle()];
        let different = !Arc::ptr_eq(&first, &second);
        let all = different && step.how & 0x80 != 0;
        let answer = match step.how & 0x40 {
            0 => wait_for_multiple_objects(&events, all, 0),
            // The events of all are set in the end: for either of them the release is the same.
            _ => self.wait(For::Operation(first.clone()), step.how, || {
                wait_for_multiple_objects(
                    if all { &events } else { &events[..1] },
                    all,
                    if all { 1 } else { sys::INFINITE },
                )
            }),
        };
        for operation in [first, second] {
            self.settle(&operation);
        }
        if answer == sys::WAIT_TIMEOUT { Outcome::Failed(answer.into()) } else { Outcome::Done }
    }

    pub(super) fn look(&mut self, step: Step) -> Outcome {
        let Some(operation) = self.world.pick_operation(step.on, |it| it.started() == Some(true)) else {
            return Outcome::Nothing;
        };
        // The handle is looked at only when the call waits.
        let result = get_overlapped_result(operation.socket.raw.raw(), operation.lent.request, false);
        if operation.is_over() {
            self.settle(&operation);
        }
        if result.ok { Outcome::Done } else { Outcome::Failed(result.error.into()) }
    }

    pub(super) fn alertable(&mut self) -> Outcome {
        sleep_outcome(sleep_ex(0, true))
    }

    pub(super) fn alertable_wait(&mut self, step: Step) -> Outcome {
        // The first worker's thread has no handle, so that nothing could release it.
        if self.index == 0 {
            return self.alertable();
        }
        sleep_outcome(self.wait(For::Routine, step.how, || sleep_ex(sys::INFINITE, true)))
    }

    pub(super) fn queue_apc(&mut self, step: Step) -> Outcome {
        let workers = self.world.apcs_due.len();
        let Some(thread) = self.world.thread(1 + step.on as usize % (workers - 1)) else { return Outcome::Nothing };
        self.world.queue_apc(1 + step.on as usize % (workers - 1), thread).into()
    }
}

impl crate::world::World {
    /// Queues a user APC to a worker, whose thread has this handle.
    pub(crate) fn queue_apc(self: &Arc<Self>, worker: usize, thread: usize) -> Result<(), u32> {
        self.apcs_due[worker].fetch_add(1, Ordering::SeqCst);
        let world = Arc::downgrade(self);
        let run = move || {
            if let Some(world) = world.upgrade() {
                world.apcs_due[worker].fetch_sub(1, Ordering::SeqCst);
            }
        };
        queue_user_apc(thread, run).inspect_err(|_| {
            self.apcs_due[worker].fetch_sub(1, Ordering::SeqCst);
        })
    }
}

fn sleep_outcome(answer: u32) -> Outcome {
    if answer == sys::WAIT_IO_COMPLETION { Outcome::Done } else { Outcome::Failed(answer.into()) }
}
