//! A message loop for each worker, and a message for each thing that happens to a connection.
//!
//! WSAAsyncSelect ties a socket to the window of a thread, whose message loop then hears FD_ACCEPT, FD_READ, FD_WRITE and
//! FD_CLOSE among its other messages. It is made for programs that have such a loop already; a server that has none runs
//! one here, and pays a message where other models pay a flag.

use std::io;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt};
use pentaport::Result;
use pentaport::async_select::{Message, MessageQueue, NetworkEvents, NetworkMessage, Poster};
use pentaport::socket::{Socket, SocketId};

use super::Host;
use super::readiness::Line;
use super::worker::{self, ClientId, Desk, Mechanism, Notice, Untaken, Wake};
use crate::Service;
use crate::conversation::Conversation;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    worker::run::<S, AsyncSelect>(host, listener)
}

/// Messages taken at a time: after them it is time to look at the clock, and at what others want.
const BATCH: usize = 64;

/// The queue of a worker, and whose sockets its messages are about.
struct AsyncSelect {
    queue: MessageQueue,
    clients: HashMap<SocketId, ClientId>,
}

impl<S: Service> Mechanism<S> for AsyncSelect {
    type Waker = Poster;
    type Line = Line;
    type Signal = NetworkEvents;

    fn new() -> Result<(Self, Poster)> {
        let queue = MessageQueue::new()?;
        let poster = queue.poster();
        Ok((AsyncSelect { queue, clients: HashMap::new() }, poster))
    }

    fn listen(&mut self, listener: &Socket) -> Result<()> {
        self.queue.select(listener, NetworkEvents::ACCEPT)
    }

    fn ignore(&mut self, listener: &Socket) {
        // It fails only for a socket that is gone already. The listener goes on not to block.
        let _ = self.queue.cancel(listener);
    }

    fn rehearse(&mut self, probe: &Socket) -> Result<()> {
        self.queue.select(probe, NetworkEvents::READ)?;
        self.queue.cancel(probe)
    }

    fn take_in(&mut self, id: ClientId, socket: Socket) -> std::result::Result<Line, Untaken> {
        let line = Line::new(socket)?;
        let events = NetworkEvents::READ | NetworkEvents::WRITE | NetworkEvents::CLOSE;
        if let Err(error) = self.queue.select(&line.socket, events) {
            return Err(Untaken { socket: line.socket, error });
        }
        self.clients.insert(line.socket.id(), id);
        Ok(line)
    }

    fn let_go(&mut self, line: Line) {
        self.clients.remove(&line.socket.id());
    }

    fn socket(line: &Line) -> &Socket {
        &line.socket
    }

    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<NetworkEvents>>) -> Result<()> {
        let mut message = self.queue.wait(timeout)?;
        while let Some(told) = message {
            notices.extend(self.read(told));
            // Others have to be looked after as well, and so has the time.
            message = if notices.len() < BATCH { self.queue.peek()? } else { None };
        }
        Ok(())
    }

    fn signalled(
        &mut self,
        line: &mut Line,
        signal: NetworkEvents,
        conversation: &mut Conversation<S>,
        desk: &mut Desk<'_, S>,
    ) {
        line.notified(signal, conversation, desk);
    }

    fn receive(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.receive(conversation, desk);
    }

    fn send(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.send(conversation, desk);
    }
}

impl AsyncSelect {
    fn read(&self, message: Message) -> Option<Notice<NetworkEvents>> {
        match message {
            Message::Network(NetworkMessage { event: NetworkEvents::ACCEPT, .. }) => Some(Notice::Caller),
            // A message may be about a socket that was closed after it was posted.
            Message::Network(NetworkMessage { socket, event, .. }) => {
                self.clients.get(&socket).map(|&client| Notice::Client(client, event))
            }
            // Whoever woke the worker has left a note.
            Message::Posted(_) | Message::Quit(_) => None,
        }
    }
}

impl Wake for Poster {
    fn wake(&self) -> Result<()> {
        self.post(0, 0, 0)
    }
}
