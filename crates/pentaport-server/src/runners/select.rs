//! Every worker calls `select` over its share of the connections.
//!
//! A connection is in the read set while its conversation wants to receive, and in the write set only while a send
//! found no room. Both sets are kept from call to call, and copied for each.
//!
//! A set may be of any size here, so there are no groups of 64. But each call looks at every socket, which is the
//! model's price: it grows with all connections, not with the busy ones.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt};
use pentaport::event_select::NetworkEvents;
use pentaport::select::{SelectSet, select};
use pentaport::socket::{Socket, SocketId};
use pentaport::{Error, Result};

use super::Host;
use super::readiness::{self, Waits};
use super::waker::Waker;
use super::worker::{self, ClientId, Desk, Mechanism, Notice, Untaken, Wake};
use crate::Service;
use crate::conversation::Conversation;

/// Serves until stopped.
pub(crate) fn run<S: Service>(host: Host<S>, listener: Socket) -> io::Result<()> {
    worker::run::<S, Select>(host, listener)
}

const WSAEINVAL: i32 = 10_022;
const WSAEMFILE: i32 = 10_024;

/// Which sockets are waited for; and the sets that `select` changes.
struct Select {
    waker: Arc<Waker>,
    listener: Option<SocketId>,
    clients: HashMap<SocketId, ClientId>,
    read: SelectSet,
    write: SelectSet,
    readable: SelectSet,
    writable: SelectSet,
}

struct Line {
    line: readiness::Line,
    /// Which sets the socket is in.
    is_in: Waits,
}

impl<S: Service> Mechanism<S> for Select {
    type Waker = Arc<Waker>;
    type Line = Line;
    type Signal = NetworkEvents;

    // Each pass costs what all connections cost, so accept what is there.
    const ACCEPTS: usize = super::ACCEPTS;

    fn new() -> Result<(Self, Arc<Waker>)> {
        let waker = Arc::new(Waker::new()?);
        let mut read = SelectSet::new();
        read.insert(waker.socket());
        let mechanism = Select {
            waker: Arc::clone(&waker),
            listener: None,
            clients: HashMap::new(),
            read,
            write: SelectSet::new(),
            readable: SelectSet::new(),
            writable: SelectSet::new(),
        };
        Ok((mechanism, waker))
    }

    fn listen(&mut self, listener: &Socket) -> Result<()> {
        self.listener = Some(listener.id());
        self.read.insert(listener);
        Ok(())
    }

    fn ignore(&mut self, listener: &Socket) {
        self.read.remove(listener.id());
    }

    fn rehearse(&mut self, _: &Socket) -> Result<()> {
        // A connection needs nothing but its place in the sets.
        Ok(())
    }

    fn take_in(&mut self, id: ClientId, socket: Socket) -> std::result::Result<Line, Untaken> {
        let line = readiness::Line::new(socket)?;
        self.clients.insert(line.socket.id(), id);
        Ok(Line { line, is_in: Waits::default() })
    }

    fn let_go(&mut self, mut line: Line) {
        line.line.waits = Waits::default();
        self.put_into_sets(&mut line);
        self.clients.remove(&line.line.socket.id());
    }

    fn socket(line: &Line) -> &Socket {
        &line.line.socket
    }

    fn wait(&mut self, timeout: Option<Duration>, notices: &mut Vec<Notice<NetworkEvents>>) -> Result<()> {
        self.readable.copy_from(&self.read);
        self.writable.copy_from(&self.write);
        select(Some(&mut self.readable), Some(&mut self.writable), None, timeout).map_err(|error| {
            match error.code() {
                // Linux looks at no more sockets than the limit allows, which has been lowered.
                WSAEINVAL => Error::from_code(WSAEMFILE),
                _ => error,
            }
        })?;
        for (set, events) in [(&self.writable, NetworkEvents::WRITE), (&self.readable, NetworkEvents::READ)] {
            for socket in set.iter() {
                if let Some(&client) = self.clients.get(&socket) {
                    notices.push(Notice::Client(client, events));
                } else if Some(socket) == self.listener {
                    notices.push(Notice::Caller);
                } else {
                    self.waker.clear();
                }
            }
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
        line.line.notified(signal, conversation, desk);
    }

    fn receive(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.line.receive(conversation, desk);
    }

    fn send(&mut self, line: &mut Line, conversation: &mut Conversation<S>, desk: &mut Desk<'_, S>) {
        line.line.send(conversation, desk);
    }

    fn settle(&mut self, line: &mut Line) {
        self.put_into_sets(line);
    }
}

impl Select {
    /// Puts a socket into the sets that it is to be in, and takes it out of the others.
    fn put_into_sets(&mut self, line: &mut Line) {
        let Line { line, is_in } = line;
        for (set, wanted, is) in
            [(&mut self.read, line.waits.read, is_in.read), (&mut self.write, line.waits.write, is_in.write)]
        {
            match (is, wanted) {
                (false, true) => set.insert(&line.socket),
                (true, false) => drop(set.remove(line.socket.id())),
                (true, true) | (false, false) => {}
            }
        }
        *is_in = line.waits;
    }
}

impl Wake for Arc<Waker> {
    fn wake(&self) -> Result<()> {
        Waker::wake(self)
    }
}
