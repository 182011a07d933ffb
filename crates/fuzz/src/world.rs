//! What exists while one sequence runs, and what is known of it.

use crate::case::{Case, style};
use crate::coverage::{Counts, Coverage};
use crate::operation::{Operation, Work};
use crate::pool::Pool;
use crate::report;
use crate::socket::{Role, Sock};
use crate::stream::{Connection, FILE_LENGTH, Got, Side, file_byte};
use crate::trace::{Event, Trace};
use crate::waiting::Waiting;
use conformance::raw::{
    Dequeued, File, Port, Socket, Thread, get_accept_ex_sockaddrs, loopback, set_file_completion_notification_modes,
    tcp, udp, wsa_socket,
};
use pentaport::sys;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// How many ports there are.
pub(crate) const PORTS: usize = 2;

/// The key of packets that are posted; those of sockets are their numbers.
pub(crate) const POSTED: usize = 0x504F_5354;

/// What the address of an AcceptEx takes.
pub(crate) const ADDRESS_ROOM: u32 = 32;

/// A port and what was posted to it.
#[derive(Debug)]
pub(crate) struct Posts {
    /// The port.
    pub port: Port,
    /// Each packet that was posted, by its number; true once it came.
    posted: Mutex<Vec<bool>>,
}

/// Where the thread is that is some worker now, if it has a handle.
pub(crate) type ThreadSlot = Arc<Mutex<Option<Thread<()>>>>;

/// One sequence and its world.
#[derive(Debug)]
pub(crate) struct World {
    /// The sequence.
    pub case: Case,
    /// Which sequence of which run it is.
    pub label: String,
    threads: Vec<ThreadSlot>,
    /// What the threads do.
    pub trace: Trace,
    /// The ports.
    pub ports: Vec<Posts>,
    /// Who waits for what.
    pub waiting: Waiting,
    /// What outlives it.
    pub shared: Arc<Shared>,
    sockets: Mutex<Vec<Arc<Sock>>>,
    operations: Mutex<HashMap<usize, Arc<Operation>, foldhash::fast::RandomState>>,
    connections: Mutex<HashMap<u16, Arc<Connection>>>,
    next_socket: AtomicU32,
    /// A number that datagrams carry: one of another world may come late.
    pub nonce: u32,
    /// For each worker, how many of the threads that were it have ended or are about to.
    pub ended_threads: Vec<AtomicU32>,
    /// User APCs that were queued to each worker and are still to run; lost if its thread ends.
    pub apcs_due: Vec<AtomicU32>,
}

/// What all sequences of a run use.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// OVERLAPPEDs.
    pub pool: Pool,
    /// The counts.
    pub coverage: Coverage,
}

/// The file that TransmitFile sends.
pub(crate) static FILE: LazyLock<File> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("pentaport-fuzz-{}", std::process::id()));
    let bytes: Vec<u8> = (0..FILE_LENGTH).map(file_byte).collect();
    std::fs::write(&path, bytes).expect("a file in the temporary directory");
    let file = File::open(&path, sys::FILE_FLAG_OVERLAPPED);
    std::fs::remove_file(&path).expect("the file is there");
    file
});

/// The beginning of the file, which TransmitFile sends ahead of it.
pub(crate) static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| (0..FILE_LENGTH).map(file_byte).collect());

fn stream_without_overlapped() -> Socket {
    wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, 0).expect("a socket")
}

impl World {
    /// A world for this sequence and so many workers.
    pub(crate) fn new(case: Case, label: String, threads: Vec<ThreadSlot>, shared: &Arc<Shared>) -> Arc<World> {
        let workers = threads.len();
        static NONCE: AtomicU32 = AtomicU32::new(1);
        let concurrency = if case.style & style::ONE_AT_A_TIME != 0 { 1 } else { 16 };
        let port = |_| Posts { port: Port::new(concurrency), posted: Mutex::default() };
        let world = Arc::new(World {
            trace: Trace::new(workers),
            ports: (0..PORTS).map(port).collect(),
            waiting: Waiting::new(workers),
            shared: shared.clone(),
            sockets: Mutex::default(),
            operations: Mutex::default(),
            connections: Mutex::default(),
            next_socket: AtomicU32::new(0),
            nonce: NONCE.fetch_add(1, Ordering::Relaxed),
            ended_threads: (0..workers).map(|_| AtomicU32::new(0)).collect(),
            apcs_due: (0..workers).map(|_| AtomicU32::new(0)).collect(),
            case,
            label,
            threads,
        });
        for how in 0..2 {
            world.add_listener(how);
        }
        for how in 0..world.case.pairs {
            world.pair(how.wrapping_mul(67));
        }
        for how in 0..world.case.datagrams {
            world.datagrams(how);
        }
        world
    }

    /// Reports a fault, with the trace, and ends the process.
    pub(crate) fn fail(&self, what: &str) -> ! {
        report::fault(self, what)
    }

    /// The handle of a worker's thread, if that has one.
    pub(crate) fn thread(&self, worker: usize) -> Option<usize> {
        self.threads[worker].lock().unwrap().as_ref().map(Thread::handle)
    }

    /// Adds a socket. The lowest bits of `how` choose its port: none, or one of them.
    pub(crate) fn add(&self, raw: Socket, role: Role, how: u8) -> Arc<Sock> {
        let id = self.next_socket.fetch_add(1, Ordering::Relaxed);
        let port = [None, Some(0), Some(1)][how as usize % 3];
        if let Some(port) = port {
            self.ports[port].port.associate(&raw, id as usize).expect("a new socket can be associated");
        }
        let skips = port.is_some() && how & 0x18 == 0x18;
        if skips {
            let mode = sys::FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
            set_file_completion_notification_modes(raw.raw(), mode).expect("the mode of an overlapped socket");
        }
        let socket = Sock::new(id, raw, role, port, skips, false);
        self.sockets.lock().unwrap().push(socket.clone());
        socket
    }

    /// Adds a socket without the overlapped attribute, which no port takes.
    fn add_blocking(&self, raw: Socket, role: Role) -> Arc<Sock> {
        let id = self.next_socket.fetch_add(1, Ordering::Relaxed);
        let socket = Sock::new(id, raw, role, None, false, true);
        self.sockets.lock().unwrap().push(socket.clone());
        socket
    }

    /// Adds a listener.
    pub(crate) fn add_listener(&self, how: u8) -> Arc<Sock> {
        let raw = tcp();
        let address = raw.bind_loopback();
        raw.listen(200).expect("listen");
        self.add(raw, Role::Listening(address), how.wrapping_add(1))
    }

    /// Adds a datagram socket.
    pub(crate) fn datagrams(&self, how: u8) -> Arc<Sock> {
        let raw = udp();
        let address = raw.bind_loopback();
        self.add(raw, Role::Datagrams(address), how)
    }

    /// A stream socket with the buffers of this world.
    pub(crate) fn stream(&self) -> Socket {
        let raw = tcp();
        if self.case.style & style::SMALL_BUFFERS != 0 {
            // Much smaller ones make Linux wait for timers between segments, which on loopback are large.
            for (option, size) in [(sys::SO_SNDBUF, 20_000), (sys::SO_RCVBUF, 100_000)] {
                raw.set_sol_option(option, size).expect("a buffer's size");
            }
        }
        raw
    }

    /// Adds a connected pair, made with a listener of its own.
    pub(crate) fn pair(&self, how: u8) {
        let (listener, address) = conformance::raw::listener();
        let blocks = how & 0xC0 == 0xC0;
        let client = if blocks { stream_without_overlapped() } else { self.stream() };
        let Some(connection) = self.bind_client(&client) else { return };
        client.connect(address).expect("connect to a listener");
        let (server, _) = listener.accept().expect("accept what has connected");
        connection.accepted.store(true, Ordering::SeqCst);
        let role = Role::Connected(connection.clone(), Side::Client);
        let first = if blocks { self.add_blocking(client, role) } else { self.add(client, role, how) };
        first.bound.store(true, Ordering::SeqCst);
        self.add(server, Role::Connected(connection, Side::Server), how / 3);
    }

    /// Binds a client, and makes the connection that it will have. `None` if its port was used in this world before.
    pub(crate) fn bind_client(&self, client: &Socket) -> Option<Arc<Connection>> {
        client.bind(loopback()).expect("bind to 127.0.0.1:0");
        self.connection_of(client.getsockname().expect("the name of a bound socket"))
    }

    /// The connection that a client bound to this address will have; `None` if it is known already.
    pub(crate) fn connection_of(&self, address: SocketAddr) -> Option<Arc<Connection>> {
        let mut connections = self.connections.lock().unwrap();
        if connections.contains_key(&address.port()) {
            return None;
        }
        let connection = Connection::new(connections.len() as u32);
        connections.insert(address.port(), connection.clone());
        Some(connection)
    }

    /// The connection that was accepted from this address.
    pub(crate) fn accepted_from(&self, address: SocketAddr) -> Arc<Connection> {
        let connection = self.connections.lock().unwrap().get(&address.port()).cloned();
        let Some(connection) = connection else {
            self.fail(&format!("a connection from {address} was accepted, from where nobody has connected"))
        };
        if connection.claimed.swap(true, Ordering::SeqCst) {
            self.fail(&format!("connection {} was accepted twice", connection.id));
        }
        connection
    }

    /// The socket that a step is for, among those that fit.
    pub(crate) fn pick(&self, on: u8, fits: impl Fn(&Sock) -> bool) -> Option<Arc<Sock>> {
        let sockets = self.sockets.lock().unwrap();
        let fitting: Vec<_> = sockets.iter().filter(|socket| fits(socket)).collect();
        (!fitting.is_empty()).then(|| fitting[on as usize % fitting.len()].clone())
    }

    /// All sockets that are open.
    pub(crate) fn sockets(&self) -> Vec<Arc<Sock>> {
        self.sockets.lock().unwrap().clone()
    }

    /// A socket was closed.
    pub(crate) fn remove(&self, socket: &Arc<Sock>) {
        self.sockets.lock().unwrap().retain(|other| !Arc::ptr_eq(socket, other));
    }

    /// Closes a socket, with a reset if so said.
    pub(crate) fn close(&self, socket: &Arc<Sock>, reset: bool) -> Result<(), i32> {
        socket.expect_close();
        if reset {
            let _ = socket.raw.set_linger(1, 0);
        }
        let result = socket.raw.close();
        if result.is_ok() {
            self.remove(socket);
        }
        result
    }

    /// Adds an operation whose call is about to be made.
    pub(crate) fn register(&self, operation: &Arc<Operation>) {
        self.operations.lock().unwrap().insert(operation.address(), operation.clone());
    }

    /// The operation of an OVERLAPPED.
    pub(crate) fn operation_at(&self, address: usize) -> Option<Arc<Operation>> {
        self.operations.lock().unwrap().get(&address).cloned()
    }

    /// All operations, in the order of their steps.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        let mut all: Vec<_> = self.operations.lock().unwrap().values().cloned().collect();
        all.sort_by_key(|operation| operation.step);
        all
    }

    /// Some operation that is not over, of those that fit.
    pub(crate) fn pick_operation(&self, on: u8, fits: impl Fn(&Operation) -> bool) -> Option<Arc<Operation>> {
        let all = self.operations.lock().unwrap();
        let mut fitting: Vec<_> = all.values().filter(|it| !it.is_over() && fits(it)).collect();
        fitting.sort_by_key(|operation| operation.step);
        (!fitting.is_empty()).then(|| fitting[on as usize % fitting.len()].clone())
    }

    /// Something is about to be done that may cancel an operation.
    pub(crate) fn expect_cancel(&self, operation: &Operation) {
        operation.cancelled.store(true, Ordering::SeqCst);
        match &operation.work {
            &Work::Send { ref connection, side, number, .. } => connection.from(side).tear(number),
            Work::Connect { connection, .. } => connection.go_wild(),
            _ => {}
        }
    }

    /// A worker's thread is about to end.
    pub(crate) fn thread_ends(&self, worker: usize, generation: u32) {
        let operations = self.operations();
        operations.iter().filter(|it| it.thread == (worker, generation)).for_each(|it| self.expect_cancel(it));
    }

    /// Posts a packet to a port.
    pub(crate) fn post(&self, port: usize) -> Result<(), u32> {
        let posts = &self.ports[port];
        let number = {
            let mut posted = posts.posted.lock().unwrap();
            posted.push(false);
            posted.len()
        };
        posts.port.post(number as u32, POSTED, number)
    }

    /// How many packets were posted to a port and have not come.
    pub(crate) fn posts_due(&self, port: usize) -> usize {
        self.ports[port].posted.lock().unwrap().iter().filter(|came| !**came).count()
    }

    /// A packet came out of a port.
    pub(crate) fn packet(&self, worker: usize, port: usize, packet: Dequeued, counts: &mut Counts) {
        if packet.key == POSTED {
            let mut posted = self.ports[port].posted.lock().unwrap();
            let number = packet.overlapped;
            let came = posted.get_mut(number.wrapping_sub(1));
            if came.is_none_or(|came| std::mem::replace(came, true)) || !packet.ok || packet.bytes as usize != number {
                drop(posted);
                self.fail(&format!("port {port} gave the posted packet {number} twice, or changed it: {packet:?}"));
            }
            return;
        }
        let Some(operation) = self.operation_at(packet.overlapped) else {
            self.fail(&format!("port {port} gave a packet of no operation: {packet:?}"))
        };
        self.trace.note(worker, Event::Packet(operation.step));
        let before = operation.packets.fetch_add(1, Ordering::SeqCst);
        let step = operation.step;
        if before > 0 {
            self.fail(&format!("port {port} gave a second packet of the operation of step {step}: {packet:?}"));
        }
        if operation.socket.port != Some(port) || packet.key != operation.socket.id as usize {
            self.fail(&format!(
                "the packet of step {step} came from port {port} with the key {}: {packet:?}",
                packet.key
            ));
        }
        if !operation.is_over() {
            self.fail(&format!("the packet of step {step} came before the status: {packet:?}"));
        }
        let bytes = operation.lent.request.internal_high();
        if packet.ok != (operation.status() == 0) || packet.bytes as usize != bytes {
            let status = operation.status();
            self.fail(&format!(
                "the packet of step {step} says {packet:?}, its OVERLAPPED {status:#x} and {bytes} bytes"
            ));
        }
        self.settle(worker, &operation, counts);
    }

    /// Takes note of the end of an operation, if it is over and nobody has.
    pub(crate) fn settle(&self, worker: usize, operation: &Arc<Operation>, counts: &mut Counts) {
        if !operation.settle() {
            return;
        }
        let status = operation.status();
        self.trace.note(worker, Event::Ended(operation.step, status));
        counts.end(operation.work.name(), status);
        self.judge_status(operation, status);
        self.take_note(operation);
    }

    /// An operation is cancelled only if somebody asked for it, and a connection fails only if somebody ended it.
    fn judge_status(&self, operation: &Operation, status: u32) {
        let asked = || {
            let (worker, thread) = operation.thread;
            let acceptor = match &operation.work {
                Work::Accept { acceptor, .. } => acceptor.cancelled.load(Ordering::SeqCst),
                _ => false,
            };
            operation.cancelled.load(Ordering::SeqCst)
                || operation.socket.cancelled.load(Ordering::SeqCst)
                || acceptor
                || self.ended_threads[worker].load(Ordering::SeqCst) > thread
        };
        let lossy = || match &operation.work {
            Work::Receive(connection, ..)
            | Work::Send { connection, .. }
            | Work::Connect { connection, .. }
            | Work::Disconnect { connection, .. } => connection.is_lossy(),
            // A client may have reset what is accepted.
            Work::Accept { .. } => true,
            Work::ReceiveDatagram | Work::SendDatagram(_) => true,
        };
        let expected = match status as i32 {
            0 => true,
            sys::STATUS_CANCELLED => asked(),
            sys::STATUS_BUFFER_OVERFLOW => matches!(operation.work, Work::ReceiveDatagram),
            sys::STATUS_CONNECTION_REFUSED => matches!(operation.work, Work::Connect { .. }),
            sys::STATUS_CONNECTION_RESET | sys::STATUS_CONNECTION_ABORTED => lossy() || asked(),
            sys::STATUS_PORT_UNREACHABLE => matches!(operation.work, Work::ReceiveDatagram),
            _ => false,
        };
        if !expected {
            let (step, name) = (operation.step, operation.work.name());
            self.fail(&format!(
                "the operation of step {step}, {name}, ended with {status:#x}, for which there is no reason"
            ));
        }
    }

    fn take_note(&self, operation: &Arc<Operation>) {
        let (request, succeeded) = (operation.lent.request, operation.succeeded());
        let bytes = request.internal_high();
        let full = |length: usize| {
            if bytes != length {
                let step = operation.step;
                self.fail(&format!("the send of step {step} succeeded with {bytes} of {length} bytes"));
            }
        };
        match &operation.work {
            &Work::Receive(ref connection, side, ticket) => {
                let got = match (succeeded, bytes) {
                    (true, 0) if operation.lent.length() > 0 => Got::End,
                    (true, 1..) => Got::Data(request.read(bytes)),
                    _ => Got::Nothing,
                };
                if let Some(ticket) = ticket {
                    self.received(operation.step, connection, side, ticket, got);
                }
            }
            &Work::Send { ref connection, side, number, length, reuse, .. } => {
                if succeeded {
                    full(length);
                    connection.from(side).sent(number);
                    if reuse {
                        self.given_back(&operation.socket, connection);
                    }
                } else {
                    connection.from(side).tear(number);
                }
            }
            Work::Accept { acceptor, data } => self.accept_ended(operation, acceptor, *data),
            &Work::Connect { ref connection, number, length } => {
                if succeeded {
                    full(length);
                    if let Some(number) = number {
                        connection.from(Side::Client).sent(number);
                    }
                    let _ = operation.socket.raw.update_connect_context();
                    operation.socket.become_(Role::Connected(connection.clone(), Side::Client));
                } else {
                    connection.go_wild();
                    operation.socket.become_(Role::Dead);
                }
            }
            Work::Disconnect { connection, reuse: true } if succeeded => self.given_back(&operation.socket, connection),
            &Work::SendDatagram(length) if succeeded => full(length),
            Work::Disconnect { .. } | Work::SendDatagram(_) => {}
            Work::ReceiveDatagram if succeeded => {
                if let Err(what) = self.datagram(&operation.socket, &request.read(bytes)) {
                    self.fail(&format!("the receive of step {}: {what}", operation.step));
                }
            }
            Work::ReceiveDatagram => {}
        }
    }

    /// What a receive of a stream got.
    pub(crate) fn received(&self, step: usize, connection: &Connection, side: Side, ticket: u64, got: Got) {
        if let Err(what) = connection.to(side).received(ticket, got, || connection.is_lossy()) {
            self.fail(&format!("the receive of step {step}, connection {}, {side:?}: {what}", connection.id));
        }
    }

    /// A socket has no connection any more, and may get another.
    fn given_back(&self, socket: &Arc<Sock>, connection: &Connection) {
        // What the peer sends from now on is lost.
        connection.break_off();
        socket.become_(Role::Fresh);
    }

    fn accept_ended(&self, operation: &Operation, acceptor: &Arc<Sock>, data: u32) {
        let request = operation.lent.request;
        if !operation.succeeded() {
            // Cancelled while it waited for data, the acceptor has a connection, of which nothing is known.
            let connected = acceptor.raw.getpeername().is_ok();
            acceptor.become_(if connected { Role::Dead } else { Role::Fresh });
            return;
        }
        let (_, peer) = get_accept_ex_sockaddrs(request, data, ADDRESS_ROOM, ADDRESS_ROOM);
        let Some(peer) = peer else { self.fail("AcceptEx left no address of the peer") };
        let connection = self.accepted_from(peer);
        let bytes = request.internal_high();
        if data > 0 {
            let ticket = {
                let mut gate = connection.to(Side::Server).receive_gate.lock().unwrap();
                std::mem::replace(&mut *gate, 1)
            };
            let got = if bytes > 0 { Got::Data(request.read(bytes)) } else { Got::End };
            self.received(operation.step, &connection, Side::Server, ticket, got);
        }
        let _ = acceptor.raw.update_accept_context(operation.socket.raw.raw());
        acceptor.become_(Role::Connected(connection.clone(), Side::Server));
        if acceptor.closed.load(Ordering::SeqCst) {
            // By a thread that did not see the connection.
            connection.break_off();
        }
        connection.accepted.store(true, Ordering::SeqCst);
    }
}
