//! Overlapped operations, and a completion routine that is called when one is over.
//!
//! The system calls a routine on the thread that started its operation, while that thread waits alertably. Here the
//! routine only puts the completion down, and the worker looks after it when its wait is over. So nothing is called in
//! the middle of something else; and a worker has all that it owns at hand, which a routine, called by the system, would
//! have to find by what its operation carries.
//!
//! Other threads reach a worker by queueing a routine of their own to it. Callers are told of by an event, which the
//! first worker waits for alertably: an accept does not end in a routine.

use std::cell::RefCell;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;

use pentaport::Result;
use pentaport::event_select::{Wake as Woken, wait_any_alertable};
use pentaport::overlapped::{Completion, Operation, RoutineScope, Waker, sleep_alertable};
use pentaport::socket::Socket;

use super::Host;
use super::events::{self, Door};
use super::overlapped::{self, Begun};
use super::worker::{self, ClientId, Desk, Mechanism, Notice, Untaken, Wake};
use crate::Service;
use crate::conversation::Conversation;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    worker::run::<S, OverlappedRoutine>(host, listener)
}

/// The operations of a worker, and what has become of them.
struct OverlappedRoutine {
    scope: RoutineScope,
    completed: Rc<Completed>,
    /// Where callers come in; the first worker has one.
    door: Option<Door>,
}

struct Line {
    id: ClientId,
    line: overlapped::Line<Context, ()>,
}

type Completed = RefCell<Vec<Completion<Context>>>;

/// What an operation carries.
struct Context {
    id: ClientId,
    /// Where its routine puts it down.
    completed: Weak<Completed>,
}

/// The routine of all operations.
fn put_down(_: &RoutineScope, completion: Completion<Context>) {
    // When the worker has gone, its operations go as well.
    if let Some(completed) = completion.operation.context().completed.upgrade() {
        completed.borrow_mut().push(completion);
    }
}

impl<S: Service> Mechanism<S> for OverlappedRoutine {
    type Waker = Waker;
    type Line = Line;
    type Signal = Completion<Context>;

    fn new() -> Result<(Self, Waker)> {
        let mechanism = OverlappedRoutine { scope: RoutineScope::new(), completed: Rc::default(), door: None };
        Ok((mechanism, Waker::current()?))
    }

    fn listen(&mut self, listener: &Socket) -> Result<()> {
        if self.door.is_none() {
            self.door = Some(Door::new()?);
        }
        self.door.as_ref().map_or(Ok(()), |door| door.open(listener))
    }

    fn ignore(&mut self, listener: &Socket) {
        if let Some(door) = &self.door {
            door.close(listener);
        }
    }

    fn rehearse(&mut self, probe: &Socket) -> Result<()> {
        events::rehearse(probe)
    }

    fn take_in(&mut self, id: ClientId, socket: Socket) -> std::result::Result<Line, Untaken> {
        overlapped::Line::new(socket).map(|line| Line { id, line })
    }

    fn let_go(&mut self, line: Line) {
        // What is pending is cancelled by the close, and its routine finds nobody to tell.
        drop(line);
    }

    fn socket(line: &Line) -> &Socket {
        line.line.socket()
    }

    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<Self::Signal>>) -> Result<()> {
        // A handler may have called something that blocks, and routines have run in that.
        let timeout = if self.completed.borrow().is_empty() { timeout } else { Some(Duration::ZERO) };
        match &self.door {
            None => drop(sleep_alertable(timeout)),
            Some(door) => match wait_any_alertable(&[door.event()], timeout)? {
                Woken::Signalled(_) => notices.push(Notice::Caller),
                // Routines come first in a wait; under load callers would never have their turn.
                Woken::Routines if door.event().is_set() => notices.push(Notice::Caller),
                Woken::Routines | Woken::Timeout => {}
            },
        }
        let mut completed = self.completed.borrow_mut();
        notices.extend(completed.drain(..).map(|completion| {
            let id = completion.operation.context().id;
            Notice::Client(id, completion)
        }));
        Ok(())
    }

    fn signalled(
        &mut self,
        line: &mut Line,
        signal: Self::Signal,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        line.line.completed(signal, conversation, desk);
    }

    fn receive(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        let Line { id, line } = line;
        let new = || Ok(self.new_operation(*id));
        let start = |socket: &_, operation| self.scope.receive_ready(socket, operation, put_down).map(Begun::Pending);
        line.receive(new, start, conversation, desk);
    }

    fn send(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        let Line { id, line } = line;
        let new = || Ok(self.new_operation(*id));
        let start = |socket: &_, operation| self.scope.send(socket, operation, put_down).map(Begun::Pending);
        line.send(new, start, conversation, desk);
    }
}

impl OverlappedRoutine {
    fn new_operation(&self, id: ClientId) -> Operation<Context> {
        Operation::new(Vec::new(), Context { id, completed: Rc::downgrade(&self.completed) })
    }
}

impl Wake for Waker {
    fn wake(&self) -> Result<()> {
        Waker::wake(self)
    }
}
