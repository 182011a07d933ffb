//! Transfers of datagrams.

use super::notice;
use crate::case::Step;
use crate::datagram::HEADER;
use crate::operation::{Notice, Work};
use crate::pool::class_for;
use crate::socket::Role;
use crate::trace::Outcome;
use crate::worker::Worker;
use conformance::raw::{Begin, How, wsa_recv_msg_overlapped, wsa_send_msg};
use pentaport::sys;

/// What a receive of a datagram may be told of the address's room.
const ADDRESS: i32 = 128;

/// The lengths of datagrams, all of which are those of buffers.
const LENGTHS: [usize; 4] = [HEADER, 100, 1000, 4096];

impl Worker {
    pub(super) fn receive_datagram(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.world.pick(step.on, |it| matches!(it.role(), Role::Datagrams(_))) else {
            self.world.datagrams(step.how);
            return Outcome::Nothing;
        };
        self.uses(&socket);
        let class = class_for([100, 1000, HEADER, 30_000, 1][step.with as usize % 5]);
        let (by_message, notice) = match step.how & 0x40 {
            0 => (false, notice(&socket, step.how)),
            _ => (true, super::notice_without_routine(step.how)),
        };
        let how = How { routine: notice == Notice::Routine, ..How::default() };
        let (_, outcome) = self.start(&socket, notice, Work::ReceiveDatagram, class, |it| {
            if !by_message {
                return socket.raw.wsa_recv_from_how(it.lent.request, how, ADDRESS);
            }
            match wsa_recv_msg_overlapped(&socket.raw, it.lent.request) {
                Ok(()) => Begin::Done(it.lent.request.count()),
                Err(sys::WSA_IO_PENDING) => Begin::Pending,
                Err(code) => Begin::Failed(code),
            }
        });
        outcome
    }

    pub(super) fn send_datagram(&mut self, step: Step) -> Outcome {
        let datagrams = |it: &crate::socket::Sock| matches!(it.role(), Role::Datagrams(_));
        let (Some(socket), Some(to)) = (self.world.pick(step.on, datagrams), self.world.pick(step.with, datagrams))
        else {
            return Outcome::Nothing;
        };
        self.uses(&socket);
        let Some(to) = to.address() else { return Outcome::Nothing };
        let length = LENGTHS[step.how as usize >> 6];
        let bytes = self.world.next_datagram(&socket, length);
        if step.how & 0x30 == 0x30 {
            return match step.how & 4 {
                0 => wsa_send_msg(&socket.raw, &bytes, Some(to), true).into(),
                _ => socket.raw.sendto(&bytes, to).into(),
            };
        }
        let notice = notice(&socket, step.how);
        let how = How { routine: notice == Notice::Routine, ..How::default() };
        let class = class_for(length);
        let (_, outcome) = self.start(&socket, notice, Work::SendDatagram(length), class, |it| {
            it.lent.request.write(&bytes);
            socket.raw.wsa_send_to_how(it.lent.request, to, how)
        });
        outcome
    }
}
