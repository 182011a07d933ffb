//! How each kind of step is carried out.

mod cancel;
mod connections;
mod datagrams;
mod events;
mod ports;
mod streams;

use crate::call::Call;
use crate::case::Step;
use crate::operation::Notice;
use crate::socket::Sock;
use crate::trace::Outcome;
use crate::worker::Worker;

impl Worker {
    /// Carries out a step.
    pub(crate) fn perform(&mut self, step: Step) -> Outcome {
        match step.call {
            Call::Receive => self.receive(step),
            Call::Send => self.send(step),
            Call::ReceiveNow => self.receive_now(step),
            Call::SendNow => self.send_now(step),
            Call::Transmit => self.transmit(step),
            Call::ReceiveDatagram => self.receive_datagram(step),
            Call::SendDatagram => self.send_datagram(step),
            Call::AcceptEx => self.accept_ex(step),
            Call::Connect => self.connect(step),
            Call::ConnectEx => self.connect_ex(step),
            Call::Accept => self.accept(step),
            Call::Disconnect => self.disconnect(step),
            Call::Shutdown => self.shutdown(step),
            Call::Close => self.close(step, false),
            Call::Reset => self.close(step, true),
            Call::Pair => {
                self.world.pair(step.how);
                Outcome::Done
            }
            Call::PortPoll => self.port_get(step, false),
            Call::PortWait => self.port_get(step, true),
            Call::PortMany => self.port_many(step),
            Call::Post => self.post(step),
            Call::CancelMine => self.cancel_mine(step),
            Call::CancelAll => self.cancel_all(step),
            Call::CancelOne => self.cancel_one(step),
            Call::CancelThread => self.cancel_thread(step),
            Call::WaitResult => self.wait_result(step),
            Call::WaitEvents => self.wait_events(step),
            Call::Look => self.look(step),
            Call::Alertable => self.alertable(),
            Call::AlertableWait => self.alertable_wait(step),
            Call::QueueApc => self.queue_apc(step),
            Call::EventSelect => self.event_select(step),
            Call::EnumEvents => self.enum_events(step),
            Call::AsyncSelect => self.async_select(step),
            Call::Messages => self.messages(),
            Call::Select => self.select(step),
            Call::Poll => self.poll(step),
            Call::Nonblocking => self.nonblocking(step),
            Call::ThreadEnd => Outcome::Done,
        }
    }
}

/// How the end of an operation of this socket is to be told. With a port a routine is refused, which is rarely asked for.
fn notice(socket: &Sock, how: u8) -> Notice {
    match how % 4 {
        0 => Notice::Handle,
        1 => Notice::Event,
        2 if socket.port.is_none() || how & 0xE0 == 0xE0 => Notice::Routine,
        2 => Notice::Handle,
        _ => Notice::EventOnly,
    }
}

/// The same for a function that takes no routine.
fn notice_without_routine(how: u8) -> Notice {
    match how % 3 {
        0 => Notice::Handle,
        1 => Notice::Event,
        _ => Notice::EventOnly,
    }
}
