//! The end of a sequence: everything is closed, and every operation that started has to be told once.

use crate::case::style;
use crate::coverage::Counts;
use crate::operation::{Notice, Operation, Work};
use crate::report::deadline;
use crate::socket::Sock;
use crate::stream::Side;
use crate::trace::Event;
use crate::worker::{Handle, Order};
use crate::world::{PORTS, World};
use conformance::raw::{cancel_io_ex, routine_calls, wait_for_single_object_ex};
use pentaport::sys;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Ends a sequence whose workers have carried out their steps; how many operations it had.
pub(crate) fn finish(world: &Arc<World>, workers: &[Handle], routines_before: u32) -> u64 {
    let mut end = End { world, worker: workers.len(), counts: Counts::default() };
    if world.case.style & style::DRAIN != 0 {
        end.drain();
    }
    if world.case.style & style::CANCEL != 0 {
        for socket in world.sockets() {
            socket.expect_cancel();
            let _ = cancel_io_ex(socket.raw.raw(), None);
        }
    }
    end.close_all();
    end.run_routines(workers);
    end.await_operations();
    end.judge(routines_before);
    world.shared.coverage.add(&mut end.counts);
    let operations = world.operations();
    operations.iter().for_each(|operation| world.shared.pool.give_back(&operation.lent));
    operations.len() as u64
}

struct End<'a> {
    world: &'a Arc<World>,
    /// Its place in the trace.
    worker: usize,
    counts: Counts,
}

impl End<'_> {
    /// Ends every direction of every connection and reads it to its end: nothing may be missing.
    fn drain(&mut self) {
        let mut pairs = BTreeMap::<u32, [Option<Arc<Sock>>; 2]>::new();
        for socket in self.world.sockets() {
            if let Some((connection, side)) = socket.connection() {
                pairs.entry(connection.id).or_default()[side as usize] = Some(socket);
            }
        }
        for pair in pairs.into_values() {
            let [Some(client), Some(server)] = pair else { continue };
            if client.blocks {
                continue;
            }
            for (from, to) in [(&client, &server), (&server, &client)] {
                let Some((connection, side)) = from.connection() else { continue };
                connection.from(side).ended.store(true, Ordering::SeqCst);
                if from.raw.shutdown(sys::SD_SEND).is_ok() {
                    self.read_to_end(to, side);
                }
            }
        }
    }

    fn read_to_end(&mut self, socket: &Arc<Sock>, from: Side) {
        self.world.trace.note(self.worker, Event::Note("reads to its end, on socket", socket.id));
        loop {
            let Some((connection, side)) = socket.connection() else { return };
            assert_ne!(side, from);
            let ticket = *connection.to(side).receive_gate.lock().unwrap();
            let work = Work::Receive(connection.clone(), side, Some(ticket));
            let lent = self.world.shared.pool.take(5);
            let step = self.world.case.steps.len();
            let operation = Operation::new(step, (0, u32::MAX), socket, Notice::Event, work, lent);
            self.world.register(&operation);
            let begun = socket.raw.wsa_recv(operation.lent.request);
            *operation.begun.lock().unwrap() = Some(begun);
            if !begun.started() {
                return;
            }
            *connection.to(side).receive_gate.lock().unwrap() += 1;
            let milliseconds = deadline().as_millis() as u32;
            if wait_for_single_object_ex(operation.lent.event.handle(), milliseconds, false) != sys::WAIT_OBJECT_0 {
                let id = socket.id;
                self.world
                    .fail(&format!("the end of the stream that socket {id} reads does not come; {}", self.pending()));
            }
            self.world.settle(self.worker, &operation, &mut self.counts);
            if !operation.succeeded() || operation.lent.request.internal_high() == 0 {
                return;
            }
        }
    }

    fn close_all(&self) {
        let close = |sockets: Vec<Arc<Sock>>| {
            for socket in sockets {
                self.world.trace.note(self.worker, Event::Note("closes socket", socket.id));
                // Most by a reset: ports in TIME_WAIT would run out.
                let reset = socket.id % 8 != 0;
                let result = self.world.close(&socket, reset);
                if result.is_err() && result != Err(sys::WSAENOTSOCK) {
                    self.world.fail(&format!("closesocket of socket {} failed with {result:?}", socket.id));
                }
            }
        };
        if self.world.case.style & style::CLOSE_TOGETHER == 0 {
            return close(self.world.sockets());
        }
        let mut other = self.world.sockets();
        let mine = other.split_off(other.len() / 2);
        std::thread::scope(|scope| {
            scope.spawn(|| close(other));
            close(mine);
        });
    }

    fn run_routines(&self, workers: &[Handle]) {
        let (done, is_done) = mpsc::channel();
        for worker in workers {
            worker.tell(Order::RunRoutines(self.world.clone(), done.clone()));
        }
        for _ in workers {
            // A worker reports by itself what it misses.
            if is_done.recv_timeout(2 * deadline()).is_err() {
                self.world.fail("a worker does not come back from an alertable wait");
            }
        }
    }

    /// Takes packets until every operation is over and told, and every packet that was posted is there.
    fn await_operations(&mut self) {
        let end = Instant::now() + deadline();
        let mut missing = self.world.operations();
        missing.retain(|operation| operation.started() == Some(true));
        loop {
            let mut found = false;
            for port in 0..PORTS {
                found |= self.take_packet(port, 0);
            }
            missing.retain(|operation| !is_told(operation));
            let posts = (0..PORTS).map(|port| self.world.posts_due(port)).sum::<usize>();
            if missing.is_empty() && posts == 0 {
                break;
            }
            if Instant::now() > end {
                self.world.fail(&format!("{}; {posts} posted packets are missing", self.pending()));
            }
            if !found {
                std::thread::sleep(std::time::Duration::from_micros(100));
            }
        }
        for operation in self.world.operations().iter().filter(|it| it.started() == Some(true)) {
            self.world.settle(self.worker, operation, &mut self.counts);
        }
        // What is in the ports now came twice, or belongs to nothing.
        for port in 0..PORTS {
            self.world.post(port).expect("a post to an open port");
            while self.world.posts_due(port) > 0 {
                if !self.take_packet(port, deadline().as_millis() as u32) {
                    self.world.fail(&format!("a posted packet does not come out of port {port}"));
                }
            }
        }
    }

    fn take_packet(&mut self, port: usize, milliseconds: u32) -> bool {
        let packet = self.world.ports[port].port.get(milliseconds);
        if !packet.ok && packet.overlapped == 0 {
            return false;
        }
        self.world.packet(self.worker, port, packet, &mut self.counts);
        true
    }

    /// The operations that are not told of.
    fn pending(&self) -> String {
        let operations = self.world.operations();
        let missing = operations.iter().filter(|it| it.started() == Some(true) && !is_told(it));
        let describe = |it: &Arc<Operation>| {
            let (step, name, socket) = (it.step, it.work.name(), it.socket.id);
            let (status, packets, due) = (it.status(), it.packets.load(Ordering::SeqCst), it.packets_due());
            format!(
                "step {step}, {name} on socket {socket}: status {status:#x}, {packets} of {due} packets, {:?}",
                it.notice
            )
        };
        format!("operations without an end:\n  {}", missing.map(describe).collect::<Vec<_>>().join("\n  "))
    }

    fn judge(&self, routines_before: u32) {
        let mut routines = 0;
        for operation in self.world.operations() {
            let (packets, due) = (operation.packets.load(Ordering::SeqCst), operation.packets_due());
            let (step, name) = (operation.step, operation.work.name());
            if packets != due {
                self.world
                    .fail(&format!("the operation of step {step}, {name}, had {packets} packets instead of {due}"));
            }
            let ran = operation.routines.load(Ordering::SeqCst);
            if ran > u32::from(operation.started() == Some(true)) {
                self.world.fail(&format!("the routine of step {step}, {name}, ran {ran} times"));
            }
            routines += ran;
        }
        let calls = routine_calls().wrapping_sub(routines_before);
        if calls != routines {
            self.world.fail(&format!("routines were called {calls} times for {routines} operations"));
        }
        for (worker, due) in self.world.apcs_due.iter().enumerate() {
            let due = due.load(Ordering::SeqCst);
            if due > 0 && self.world.ended_threads[worker].load(Ordering::SeqCst) == 0 {
                self.world.fail(&format!("{due} routines that were queued to worker {worker} did not run"));
            }
        }
    }
}

/// Whether the operation is over, and all that tells of it has come.
fn is_told(operation: &Operation) -> bool {
    let event = || wait_for_single_object_ex(operation.lent.event.handle(), 0, false) == sys::WAIT_OBJECT_0;
    operation.is_over()
        && operation.packets.load(Ordering::SeqCst) >= operation.packets_due()
        && (!operation.sets_event() || event())
}
