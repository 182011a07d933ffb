//! A socket as the model sees it.

use crate::stream::{Connection, Side};
use conformance::raw::{Event, Socket};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};

/// What a socket is now.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// A stream without a connection, which may be given to AcceptEx or ConnectEx.
    Fresh,
    /// Given to AcceptEx, or about to be given to that or to ConnectEx.
    Taken,
    /// ConnectEx is under way.
    Connecting(Arc<Connection>),
    /// One end of a connection.
    Connected(Arc<Connection>, Side),
    /// It is of no use any more.
    Dead,
    /// A listener at this address.
    Listening(SocketAddr),
    /// A datagram socket at this address.
    Datagrams(SocketAddr),
}

/// A socket.
#[derive(Debug)]
pub(crate) struct Sock {
    /// Its number in the world.
    pub id: u32,
    /// The socket.
    pub raw: Socket,
    /// Its port, by its number in the world.
    pub port: Option<usize>,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
    pub skips: bool,
    /// It has no overlapped attribute: every call blocks until it is done, with an OVERLAPPED, too.
    pub(crate) blocks: bool,
    /// Something was done that may cancel any of its operations.
    pub cancelled: AtomicBool,
    /// It was closed.
    pub closed: AtomicBool,
    /// It was bound before it was given back.
    pub bound: AtomicBool,
    /// The datagrams that were seen: sender and number.
    pub seen: Mutex<HashSet<(u32, u32)>>,
    /// The next datagram's number.
    pub next_datagram: AtomicU32,
    /// The event that it was selected for, which has to outlive the selection.
    pub event: Mutex<Option<Arc<Event>>>,
    /// Held for reading by calls that are about the connection which the socket has, so that it does not get another.
    pub hold: RwLock<()>,
    role: Mutex<Role>,
}

impl Sock {
    /// A socket that is about to be used.
    pub(crate) fn new(id: u32, raw: Socket, role: Role, port: Option<usize>, skips: bool, blocks: bool) -> Arc<Sock> {
        Arc::new(Sock {
            id,
            raw,
            port,
            skips,
            blocks,
            cancelled: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            bound: AtomicBool::new(false),
            seen: Mutex::default(),
            next_datagram: AtomicU32::new(0),
            event: Mutex::default(),
            hold: RwLock::default(),
            role: Mutex::new(role),
        })
    }

    /// What it is now.
    pub(crate) fn role(&self) -> Role {
        self.role.lock().unwrap().clone()
    }

    /// Makes it something else.
    pub(crate) fn become_(&self, role: Role) {
        *self.role.lock().unwrap() = role;
    }

    /// Takes a fresh one for AcceptEx or ConnectEx; false if it is not fresh.
    pub(crate) fn take(&self) -> bool {
        let Ok(_alone) = self.hold.try_write() else { return false };
        let mut role = self.role.lock().unwrap();
        let fresh = matches!(*role, Role::Fresh);
        if fresh {
            *role = Role::Taken;
        }
        fresh
    }

    /// Its connection and which end it is, if it has one.
    pub(crate) fn connection(&self) -> Option<(Arc<Connection>, Side)> {
        match self.role() {
            Role::Connected(connection, side) => Some((connection, side)),
            _ => None,
        }
    }

    /// Whether it is a listener.
    pub(crate) fn listens(&self) -> bool {
        matches!(self.role(), Role::Listening(_))
    }

    /// Whether a send that begins now may end anywhere.
    pub(crate) fn tears(&self, connection: &Connection) -> bool {
        self.cancelled.load(Ordering::SeqCst) || connection.broken.load(Ordering::SeqCst)
    }

    /// Something is about to be done that ends the connection, or the operations.
    pub(crate) fn expect_close(&self) {
        self.expect_cancel();
        self.closed.store(true, Ordering::SeqCst);
        if let Some((connection, _)) = self.connection() {
            connection.break_off();
        }
    }

    /// The address of a listener or a datagram socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self.role() {
            Role::Listening(address) | Role::Datagrams(address) => Some(address),
            _ => None,
        }
    }

    /// Something is about to be done that may cancel its operations and calls.
    pub(crate) fn expect_cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        match self.role() {
            Role::Connected(connection, side) => connection.from(side).tear_all(),
            Role::Connecting(connection) => connection.go_wild(),
            _ => {}
        }
    }
}
