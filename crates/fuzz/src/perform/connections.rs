//! Steps that make connections and end them.

use super::notice_without_routine;
use crate::case::Step;
use crate::operation::Work;
use crate::pool::class_for;
use crate::socket::{Role, Sock};
use crate::stream::{Content, Side};
use crate::trace::Outcome;
use crate::waiting::For;
use crate::worker::Worker;
use crate::world::ADDRESS_ROOM;
use conformance::raw::{Socket, accept_ex, connect_ex, disconnect_ex, loopback};
use pentaport::sys;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Worker {
    /// A stream without a connection: one that was given back, if there is one and the step says so, or a new one.
    fn fresh(&self, step: Step) -> Arc<Sock> {
        let reused = || self.world.pick(step.with, |it| matches!(it.role(), Role::Fresh)).filter(|it| it.take());
        let used = if step.how & 0x60 == 0 { None } else { reused() };
        used.unwrap_or_else(|| self.world.add(self.world.stream(), Role::Taken, step.how >> 2))
    }

    pub(super) fn accept_ex(&mut self, step: Step) -> Outcome {
        let Some(listener) = self.world.pick(step.on, Sock::listens) else {
            self.world.add_listener(step.how);
            return Outcome::Nothing;
        };
        let acceptor = self.fresh(step);
        self.uses(&listener);
        self.uses(&acceptor);
        let data = if step.with & 1 == 0 { 0 } else { 100 };
        let work = Work::Accept { acceptor: acceptor.clone(), data };
        let class = class_for(data as usize + 2 * ADDRESS_ROOM as usize);
        let (operation, outcome) = self.start(&listener, notice_without_routine(step.how), work, class, |it| {
            accept_ex(&listener.raw, &acceptor.raw, it.lent.request, data)
        });
        if operation.started() == Some(false) {
            // Bound for ConnectEx, closed, or no listener any more.
            acceptor.become_(Role::Fresh);
        }
        outcome
    }

    pub(super) fn connect(&mut self, step: Step) -> Outcome {
        let Some(listener) = self.world.pick(step.on, Sock::listens) else { return Outcome::Nothing };
        let Some(address) = listener.address() else { return Outcome::Nothing };
        let raw = self.world.stream();
        let Some(connection) = self.world.bind_client(&raw) else { return Outcome::Nothing };
        if connects_to_itself(&raw, address) {
            return Outcome::Nothing;
        }
        let result = raw.connect(address);
        if result.is_ok() {
            let client = self.world.add(raw, Role::Connected(connection, Side::Client), step.how);
            client.bound.store(true, Ordering::SeqCst);
            self.uses(&client);
        }
        result.into()
    }

    pub(super) fn connect_ex(&mut self, step: Step) -> Outcome {
        let Some(listener) = self.world.pick(step.on, Sock::listens) else { return Outcome::Nothing };
        let Some(address) = listener.address() else { return Outcome::Nothing };
        let client = self.fresh(step);
        self.uses(&client);
        if !client.bound.swap(true, Ordering::SeqCst) && client.raw.bind(loopback()).is_err() {
            client.become_(Role::Dead);
            return Outcome::Nothing;
        }
        let connection = client.raw.getsockname().ok().and_then(|name| self.world.connection_of(name));
        let Some(connection) = connection.filter(|_| !connects_to_itself(&client.raw, address)) else {
            client.become_(Role::Dead);
            return Outcome::Nothing;
        };
        client.become_(Role::Connecting(connection.clone()));
        if client.cancelled.load(Ordering::SeqCst) {
            connection.go_wild();
        }
        let length = if step.with & 1 == 0 { 0 } else { 1000 };
        let direction = connection.from(Side::Client);
        let number = (length > 0).then(|| direction.announce(length, Content::Own, client.tears(&connection)));
        let work = Work::Connect { connection: connection.clone(), number, length };
        let (operation, outcome) =
            self.start(&client, notice_without_routine(step.how), work, class_for(length), |it| {
                if let Some(number) = number {
                    it.lent.request.write(&direction.bytes(number, length));
                }
                connect_ex(&client.raw, address, it.lent.request, length as u32)
            });
        if operation.started() == Some(false) {
            connection.go_wild();
            client.become_(Role::Dead);
        }
        outcome
    }

    pub(super) fn accept(&mut self, step: Step) -> Outcome {
        let Some(listener) = self.world.pick(step.on, Sock::listens) else { return Outcome::Nothing };
        self.uses(&listener);
        match self.wait(For::Call("accept", listener.clone()), step.how, || listener.raw.accept()) {
            Ok((raw, peer)) => {
                let connection = self.world.accepted_from(peer);
                connection.accepted.store(true, Ordering::SeqCst);
                let server = self.world.add(raw, Role::Connected(connection, Side::Server), step.how >> 3);
                self.uses(&server);
                Outcome::Done
            }
            Err(code) => Outcome::Failed(code.into()),
        }
    }

    pub(super) fn disconnect(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.world.pick(step.on, |it| !it.blocks && it.connection().is_some()) else {
            return Outcome::Nothing;
        };
        self.uses(&socket);
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let Ok(_gate) = connection.from(side).send_gate.try_lock() else { return Outcome::Nothing };
        let reuse = !step.with.is_multiple_of(4);
        connection.from(side).ended.store(true, Ordering::SeqCst);
        if reuse {
            // What queues behind it is cancelled when the socket is given back, and what comes meanwhile is lost.
            socket.expect_cancel();
            connection.to(side).go_wild();
        }
        let flags = if reuse { sys::TF_REUSE_SOCKET } else { 0 };
        let work = Work::Disconnect { connection: connection.clone(), reuse };
        let (_, outcome) = self.start(&socket, notice_without_routine(step.how), work, 2, |it| {
            disconnect_ex(&socket.raw, Some(it.lent.request), flags, 0)
        });
        outcome
    }

    pub(super) fn shutdown(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.world.pick(step.on, |it| it.connection().is_some()) else { return Outcome::Nothing };
        self.uses(&socket);
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let how = [sys::SD_SEND, sys::SD_SEND, sys::SD_BOTH, sys::SD_RECEIVE][step.how as usize % 4];
        if how != sys::SD_RECEIVE {
            connection.from(side).ended.store(true, Ordering::SeqCst);
        }
        socket.raw.shutdown(how).into()
    }

    pub(super) fn close(&mut self, step: Step, reset: bool) -> Outcome {
        // A listener is closed seldom, or nothing would be accepted.
        let with_listener = step.how.is_multiple_of(16);
        let Some(socket) = self.world.pick(step.on, |it| with_listener || !it.listens()) else {
            return Outcome::Nothing;
        };
        self.uses(&socket);
        self.world.close(&socket, reset).into()
    }
}

/// Whether a client got the port of a listener that was closed a moment ago. TCP connects such a one to itself: it receives
/// what it sends.
fn connects_to_itself(client: &Socket, address: SocketAddr) -> bool {
    client.getsockname() == Ok(address)
}
