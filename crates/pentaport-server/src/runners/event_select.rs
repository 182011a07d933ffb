//! An event object for each connection, and a wait for all of them.
//!
//! WSAEventSelect ties a socket to an event; the worker waits for its events, and asks the socket of each that was set
//! what happened to it.

use std::io;
use std::time::Duration;

use pentaport::Result;
use pentaport::event_select::{self, Event, NetworkEvents};
use pentaport::socket::Socket;

use super::events::{self, Events};
use super::worker::{self, ClientId, Desk, Mechanism, Notice, Untaken};
use super::{Host, lost, readiness};
use crate::Service;
use crate::conversation::Conversation;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    worker::run::<S, EventSelect>(host, listener)
}

/// The events of a worker. A connection's token is its number.
struct EventSelect(Events);

struct Line {
    line: readiness::Line,
    event: Event,
}

impl<S: Service> Mechanism<S> for EventSelect {
    type Waker = Event;
    type Line = Line;
    type Signal = ();

    fn new() -> Result<(Self, Event)> {
        Events::new().map(|(events, waker)| (EventSelect(events), waker))
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
        let line = readiness::Line::new(socket)?;
        match self.tie(id, &line.socket) {
            Ok(event) => Ok(Line { line, event }),
            Err(error) => Err(Untaken { socket: line.socket, error }),
        }
    }

    fn let_go(&mut self, line: Line) {
        self.0.remove(&line.event);
    }

    fn socket(line: &Line) -> &Socket {
        &line.line.socket
    }

    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<()>>) -> Result<()> {
        self.0.wait(timeout, notices, |token| Notice::Client(ClientId::from_token(token), ()))
    }

    fn signalled(&mut self, line: &mut Line, (): (), conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        // The wait has reset the event, so that it is set again by what happens from now on.
        match event_select::enumerate(&line.line.socket, None) {
            Ok(record) => line.line.notified(record.events(), conversation, desk),
            Err(error) => lost(conversation, error),
        }
    }

    fn receive(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.line.receive(conversation, desk);
    }

    fn send(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.line.send(conversation, desk);
    }
}

impl EventSelect {
    /// Ties a socket to an event of its own.
    fn tie(&self, id: ClientId, socket: &Socket) -> Result<Event> {
        let event = Event::auto_reset()?;
        event_select::select(socket, &event, NetworkEvents::READ | NetworkEvents::WRITE | NetworkEvents::CLOSE)?;
        self.0.add(&event, id.token())?;
        Ok(event)
    }
}
