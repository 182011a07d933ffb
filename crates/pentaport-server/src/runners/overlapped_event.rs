//! Overlapped operations, and an event for each of them.
//!
//! A connection has a receive and, once it needed one, a send, each with an event that is set when the operation is
//! over. The worker waits for the events of all its connections, and takes the result of each operation whose event was
//! set.

use std::io;
use std::time::Duration;

use pentaport::Result;
use pentaport::event_select::Event;
use pentaport::overlapped::{Failed, Operation, Pending};
use pentaport::socket::Socket;

use super::Host;
use super::events::{self, Events};
use super::overlapped::{self, Begun, Side};
use super::worker::{self, ClientId, Desk, Mechanism, Notice, Untaken};
use crate::Service;
use crate::conversation::Conversation;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    worker::run::<S, OverlappedEvent>(host, listener)
}

/// The events of a worker. A connection's tokens are twice its number, and one more for its send.
struct OverlappedEvent(Events);

struct Line {
    id: ClientId,
    line: overlapped::Line<(), Pending<()>>,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Receive = 0,
    Send = 1,
}

impl<S: Service> Mechanism<S> for OverlappedEvent {
    type Waker = Event;
    type Line = Line;
    type Signal = Direction;

    fn new() -> Result<(Self, Event)> {
        Events::new().map(|(events, waker)| (OverlappedEvent(events), waker))
    }

    fn listen(&mut self, listener: &Socket) -> Result<()> {
        self.0.listen(listener)
    }

    fn ignore(&mut self, listener: &Socket) {
        self.0.ignore(listener);
    }

    fn rehearse(&mut self, probe: &Socket) -> Result<()> {
        events::rehearse(probe)
    }

    fn take_in(&mut self, id: ClientId, socket: Socket) -> std::result::Result<Line, Untaken> {
        // Its event is needed in any case, and a client is not to be let down for want of one later.
        let receive = match self.new_operation(id, Direction::Receive) {
            Ok(receive) => receive,
            Err(error) => return Err(Untaken { socket, error }),
        };
        let mut line = Line { id, line: overlapped::Line::new(socket)? };
        line.line.receive = Side::AtRest(receive);
        Ok(line)
    }

    fn let_go(&mut self, mut line: Line) {
        for side in [&mut line.line.receive, &mut line.line.send] {
            match side {
                Side::Away => {}
                // Its event was made when it was.
                Side::AtRest(operation) => self.0.remove(operation.event().expect("it has one")),
                Side::Pending(pending) => self.0.remove(pending.event()),
            }
        }
    }

    fn socket(line: &Line) -> &Socket {
        line.line.socket()
    }

    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<Direction>>) -> Result<()> {
        self.0.wait(timeout, notices, |token| {
            let direction = if token % 2 == 0 { Direction::Receive } else { Direction::Send };
            Notice::Client(ClientId::from_token(token / 2), direction)
        })
    }

    fn signalled(
        &mut self,
        Line { line, .. }: &mut Line,
        signal: Direction,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        let side = match signal {
            Direction::Receive => &mut line.receive,
            Direction::Send => &mut line.send,
        };
        match std::mem::take(side) {
            Side::Pending(pending) => match pending.finish() {
                Ok(completion) => line.completed(completion, conversation, desk),
                // The event told of an operation before this one, which has been seen to.
                Err(pending) => *side = Side::Pending(pending),
            },
            other => *side = other,
        }
    }

    fn receive(&mut self, Line { id, line }: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        let new = || self.new_operation(*id, Direction::Receive);
        line.receive(new, |socket, operation| begun(socket.receive_ready(operation)), conversation, desk);
    }

    fn send(&mut self, Line { id, line }: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        let new = || self.new_operation(*id, Direction::Send);
        line.send(new, |socket, operation| begun(socket.send(operation)), conversation, desk);
    }
}

impl OverlappedEvent {
    /// An operation whose event is waited for.
    fn new_operation(&self, id: ClientId, direction: Direction) -> Result<Operation<()>> {
        let mut operation = Operation::new(Vec::new(), ());
        self.0.add(operation.event()?, 2 * id.token() + direction as usize)?;
        Ok(operation)
    }
}

/// Looks at once whether an operation is over: many are.
fn begun(
    started: std::result::Result<Pending<()>, Failed<()>>,
) -> std::result::Result<Begun<(), Pending<()>>, Failed<()>> {
    started.map(|pending| match pending.is_complete() {
        true => pending.finish().map_or_else(Begun::Pending, Begun::Done),
        // Not asked to finish: that would reset its event, which has been reset.
        false => Begun::Pending(pending),
    })
}
