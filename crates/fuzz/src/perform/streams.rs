//! Transfers on connections.

use super::{notice, notice_without_routine};
use crate::case::Step;
use crate::operation::{Notice, Operation, Work};
use crate::pool::{CLASSES, chosen};
use crate::socket::Sock;
use crate::stream::{Content, Direction, FILE_LENGTH, Got};
use crate::trace::Outcome;
use crate::waiting::For;
use crate::worker::Worker;
use crate::world::{FILE, HEAD};
use conformance::raw::{How, Transmit, transmit_file};
use pentaport::sys;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Worker {
    fn connected(&self, step: Step) -> Option<Arc<Sock>> {
        let socket = self.world.pick(step.on, |socket| socket.connection().is_some())?;
        self.uses(&socket);
        Some(socket)
    }

    pub(super) fn receive(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.connected(step) else { return Outcome::Nothing };
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let Ok(mut gate) = connection.to(side).receive_gate.try_lock() else { return Outcome::Nothing };
        let how = How { routine: notice(&socket, step.how) == Notice::Routine, ..How::default() };
        let work = Work::Receive(connection.clone(), side, Some(*gate));
        let class = chosen(step.with);
        let call = |it: &Operation| socket.raw.wsa_recv_how(it.lent.request, how);
        let (operation, outcome) = self.start(&socket, notice(&socket, step.how), work, class, call);
        if operation.started() == Some(true) {
            *gate += 1;
        }
        outcome
    }

    pub(super) fn send(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.connected(step) else { return Outcome::Nothing };
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let direction = connection.from(side);
        let Ok(_gate) = direction.send_gate.try_lock() else { return Outcome::Nothing };
        let class = chosen(step.with);
        let length = CLASSES[class];
        let number = direction.announce(length, Content::Own, socket.tears(&connection));
        let how = How { routine: notice(&socket, step.how) == Notice::Routine, ..How::default() };
        let work = Work::Send { connection: connection.clone(), side, number, length, reuse: false };
        let (operation, outcome) = self.start(&socket, notice(&socket, step.how), work, class, |it| {
            it.lent.request.write(&direction.bytes(number, length));
            socket.raw.wsa_send_how(it.lent.request, how)
        });
        if operation.started() == Some(false) {
            unsent(direction, number, outcome);
        }
        outcome
    }

    pub(super) fn transmit(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.connected(step).filter(|it| !it.blocks) else { return Outcome::Nothing };
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let direction = connection.from(side);
        let Ok(_gate) = direction.send_gate.try_lock() else { return Outcome::Nothing };
        let head = [0, 5, 2000][step.with as usize % 3];
        let count = [0, 1, 7000][step.with as usize / 3 % 3];
        let length = head + if count == 0 { FILE_LENGTH } else { count };
        let flags = match step.how >> 5 {
            0 | 1 => sys::TF_DISCONNECT | sys::TF_REUSE_SOCKET,
            2 => sys::TF_DISCONNECT,
            _ => 0,
        };
        let (disconnect, reuse) = (flags & sys::TF_DISCONNECT != 0, flags & sys::TF_REUSE_SOCKET != 0);
        let number = direction.announce(length, Content::File(head), socket.tears(&connection));
        if disconnect {
            direction.ended.store(true, Ordering::SeqCst);
        }
        if reuse {
            // What queues behind it is cancelled when the socket is given back, and what comes meanwhile is lost.
            socket.expect_cancel();
            connection.to(side).go_wild();
        }
        let work = Work::Send { connection: connection.clone(), side, number, length, reuse };
        let (operation, outcome) = self.start(&socket, notice_without_routine(step.how), work, 2, |it| {
            let request = it.lent.request.at(0);
            let (file, around) = (FILE.handle(), Some((&HEAD[..head], &HEAD[..0])));
            transmit_file(&socket.raw, Transmit { file, count: count as u32, request: Some(request), around, flags })
        });
        if operation.started() == Some(false) {
            unsent(direction, number, outcome);
        }
        outcome
    }

    pub(super) fn receive_now(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.connected(step) else { return Outcome::Nothing };
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let Ok(mut gate) = connection.to(side).receive_gate.try_lock() else { return Outcome::Nothing };
        let ticket = *gate;
        *gate += 1;
        let mut buffer = vec![0; CLASSES[chosen(step.with)].max(1)];
        let result = self.wait(For::Call("recv", socket.clone()), step.how, || socket.raw.recv(&mut buffer));
        let got = match result {
            Ok(0) => Got::End,
            Ok(count) => Got::Data(buffer[..count].to_vec()),
            Err(_) => Got::Nothing,
        };
        self.world.received(self.step, &connection, side, ticket, got);
        result.into()
    }

    pub(super) fn send_now(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.connected(step) else { return Outcome::Nothing };
        let _hold = socket.hold.read().unwrap();
        let Some((connection, side)) = socket.connection() else { return Outcome::Nothing };
        let direction = connection.from(side);
        let Ok(_gate) = direction.send_gate.try_lock() else { return Outcome::Nothing };
        let length = CLASSES[chosen(step.with)];
        let number = direction.announce(length, Content::Own, socket.tears(&connection));
        let bytes = direction.bytes(number, length);
        let result = self.wait(For::Call("send", socket.clone()), step.how, || socket.raw.send(&bytes));
        match result {
            Ok(count) if count == length => direction.sent(number),
            Ok(count) => self.world.fail(&format!("send of step {} gave {count} for {length} bytes", self.step)),
            Err(_) => unsent(direction, number, result.into()),
        }
        result.into()
    }
}

/// A call that was to send has failed. If the connection has ended, or the call was cancelled, a part may have gone before.
fn unsent(direction: &Direction, number: usize, outcome: Outcome) {
    const MAY_HAVE_SENT: [i32; 4] =
        [sys::WSAECONNABORTED, sys::WSAECONNRESET, sys::WSA_OPERATION_ABORTED, sys::WSAEINTR];
    match outcome {
        Outcome::Failed(code) if MAY_HAVE_SENT.iter().any(|&known| i64::from(known) == code) => direction.tear(number),
        _ => direction.withdraw(number),
    }
}
