//! Services that the suite needs besides those that are shipped.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use pentaport_server::{Admit, Close, Connection, ConnectionId, Handle, Reply, Service};

/// Echo that counts its sessions and remembers how they ended.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) opened: AtomicU64,
    pub(crate) received: AtomicUsize,
    live: Mutex<HashSet<ConnectionId>>,
    ended: Mutex<Vec<Close>>,
}

impl Counting {
    pub(crate) fn ended(&self) -> Vec<Close> {
        self.ended.lock().unwrap().clone()
    }
}

impl Service for Counting {
    type Session = ConnectionId;

    fn open(&self, connection: &Connection, _: &mut Reply<'_>) -> ConnectionId {
        assert!(self.live.lock().unwrap().insert(connection.id()), "a name is given once");
        self.opened.fetch_add(1, SeqCst);
        connection.id()
    }

    fn receive(&self, id: &mut ConnectionId, data: &[u8], reply: &mut Reply<'_>) {
        assert!(!data.is_empty());
        assert!(self.live.lock().unwrap().contains(id), "received after the close");
        self.received.fetch_add(data.len(), SeqCst);
        reply.send(data);
    }

    fn close(&self, id: ConnectionId, why: Close) {
        assert!(self.live.lock().unwrap().remove(&id), "closed twice");
        self.ended.lock().unwrap().push(why);
    }
}

/// Sends a number of bytes as soon as a client comes, all at once.
pub(crate) struct Greeting(pub(crate) Vec<u8>);

impl Service for Greeting {
    type Session = ();

    fn open(&self, _: &Connection, reply: &mut Reply<'_>) {
        reply.send(&self.0);
    }

    fn receive(&self, (): &mut (), _: &[u8], _: &mut Reply<'_>) {}
}

/// Answers "quit" by a farewell and the end of the connection, and "panic" by a panic; echoes the rest.
pub(crate) struct Moody;

impl Service for Moody {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        match data {
            b"quit" => {
                reply.send(b"farewell");
                reply.close();
            }
            b"panic" => panic!("as asked for by the client"),
            data => reply.send(data),
        }
    }
}

/// Counts what it receives, and tells the sum at the end of the client's side.
pub(crate) struct Sum;

impl Service for Sum {
    type Session = u64;

    fn open(&self, _: &Connection, _: &mut Reply<'_>) -> u64 {
        0
    }

    fn receive(&self, sum: &mut u64, data: &[u8], _: &mut Reply<'_>) {
        *sum += data.len() as u64;
    }

    fn finish(&self, sum: &mut u64, reply: &mut Reply<'_>) {
        reply.send(sum.to_string().as_bytes());
    }
}

/// Echo for those whose port is even or, at least, whom it has not refused before.
#[derive(Default)]
pub(crate) struct Choosy {
    pub(crate) admitted: AtomicUsize,
    pub(crate) asked: Mutex<Vec<(SocketAddr, SocketAddr, usize)>>,
}

impl Service for Choosy {
    type Session = ();

    fn admit(&self, peer: SocketAddr, local: SocketAddr, connections: usize) -> Admit {
        let mut asked = self.asked.lock().unwrap();
        asked.push((peer, local, connections));
        if asked.len() % 2 == 1 { Admit::Accept } else { Admit::Refuse }
    }

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {
        self.admitted.fetch_add(1, SeqCst);
    }

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        reply.send(data);
    }
}

/// Passes on every message of 8 bytes to all who are there, its sender included.
pub(crate) struct Chat {
    pub(crate) handle: Handle,
    members: Mutex<HashSet<ConnectionId>>,
}

impl Chat {
    pub(crate) fn new(handle: Handle) -> Self {
        Chat { handle, members: Mutex::default() }
    }
}

impl Service for Chat {
    type Session = (ConnectionId, Vec<u8>);

    fn open(&self, connection: &Connection, _: &mut Reply<'_>) -> Self::Session {
        self.members.lock().unwrap().insert(connection.id());
        (connection.id(), Vec::new())
    }

    fn receive(&self, (_, begun): &mut Self::Session, data: &[u8], _: &mut Reply<'_>) {
        begun.extend_from_slice(data);
        let whole = begun.len() - begun.len() % 8;
        for message in begun[..whole].chunks(8) {
            for member in self.members.lock().unwrap().iter() {
                // Who has left meanwhile needs no message.
                let _ = self.handle.send(*member, message);
            }
        }
        begun.drain(..whole);
    }

    fn close(&self, (id, _): Self::Session, _: Close) {
        self.members.lock().unwrap().remove(&id);
    }
}
