//! An echo server over the safe crate `pentaport`: a completion port.
//!
//! As `winsock_echo` over the raw functions: two accepts pend for each worker; an idle connection waits without a buffer
//! (`receive_ready`), and what comes goes through the worker's own; only what the socket does not take at once is sent
//! by an operation, which takes the buffer along; packets are taken many at a time, and what succeeds at once leaves
//! none.
//!
//! A connection has one operation, whose context keeps the socket open: when the operation is dropped rather than
//! started again, the socket closes. So there is no table of connections, and no lock.

use std::convert::Infallible;
use std::io;
use std::mem::{replace, take};
use std::thread;
use std::time::Duration;

use pentaport::completion_port::{self as port, OperationKind, Started};
use pentaport::socket::{Family, Socket};

use crate::cli::{Options, announce};
use crate::{BUFFER, TURNS, listener};

/// Packets taken at a time: more would leave other workers idle, fewer would cost more calls.
const BATCH: usize = 64;
const ACCEPTS_PER_WORKER: usize = 2;
/// How long to wait before accepting again when there are no descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What keeps a connection's socket open. (The listener's is kept by its server.)
struct Keeper {
    _socket: Option<PortSocket>,
}

type PortSocket = port::PortSocket<(), Keeper>;
type CompletionPort = port::CompletionPort<(), Keeper>;
type Operation = port::Operation<Keeper>;
type Packet = port::Packet<(), Keeper>;

/// Serves from as many workers as the options say.
pub fn serve(options: &Options) -> io::Result<Infallible> {
    let threads = options.threads.get();
    let port = CompletionPort::new(threads as u32)?;
    let family = Family::of(&options.listen);
    let listener = Socket::stream(family)?;
    listener.bind(&options.listen)?;
    listener.set_no_delay(true)?;
    listener.listen(listener::BACKLOG as u32)?;
    announce(listener.local_addr()?)?;
    let listener = port.associate(listener, ())?;
    let server = Server { port, listener, family };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| server.work());
        }
        server.work()
    })
}

struct Server {
    port: CompletionPort,
    listener: PortSocket,
    family: Family,
}

/// What one worker has for itself.
struct Desk {
    /// Where everything is received.
    scratch: Vec<u8>,
    /// How many accepts are to be started later: there was no descriptor.
    parked: usize,
}

impl Server {
    fn work(&self) -> io::Result<Infallible> {
        let mut desk = Desk { scratch: vec![0; BUFFER], parked: ACCEPTS_PER_WORKER };
        let mut packets = Vec::with_capacity(BATCH);
        loop {
            for _ in 0..take(&mut desk.parked) {
                self.accept(&mut desk, Keeper { _socket: None }.into());
            }
            let timeout = (desk.parked > 0).then_some(ACCEPT_AGAIN);
            self.port.get_many(&mut packets, BATCH, timeout)?;
            for packet in packets.drain(..) {
                self.handle(&mut desk, packet);
            }
        }
    }

    fn handle(&self, desk: &mut Desk, packet: Packet) {
        let Packet { source, result, mut operation } = packet;
        if operation.kind() == OperationKind::Accept {
            let accepted = operation.take_accepted();
            self.accept(desk, operation);
            if let Some(accepted) = accepted
                && let Ok(socket) = self.associate(accepted.socket)
            {
                let keeper = Keeper { _socket: Some(socket.clone()) };
                progress(desk, &socket, keeper.into());
            }
        } else if let (Some(socket), Ok(_)) = (source.socket(), result) {
            *operation.buffer_mut() = Vec::new();
            progress(desk, socket, operation);
        }
    }

    fn accept(&self, desk: &mut Desk, accept: Operation) {
        let Ok(acceptor) = Socket::stream(self.family) else {
            desk.parked += 1;
            return;
        };
        if self.listener.accept(accept, acceptor).is_err() {
            desk.parked += 1;
        }
    }

    fn associate(&self, socket: Socket) -> pentaport::Result<PortSocket> {
        socket.set_nonblocking(true)?;
        let mut socket = self.port.associate(socket, ())?;
        socket.skip_completion_on_success()?;
        Ok(socket)
    }
}

/// Answers what is there, until an operation pends. A connection whose operation is dropped on the way is closed.
fn progress(desk: &mut Desk, socket: &PortSocket, mut operation: Operation) {
    for _ in 0..TURNS {
        let (count, done) = match socket.recv(&mut desk.scratch) {
            Ok(0) => return,
            Ok(count) => (count, answer(desk, count, socket, operation)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (0, Some(operation)),
            Err(_) => return,
        };
        let Some(done) = done else { return };
        if count == desk.scratch.len() {
            // There is likely more.
            operation = done;
            continue;
        }
        match socket.receive_ready(done) {
            Ok(Started::Done(done, _)) => operation = done,
            Ok(Started::Pending) | Err(_) => return,
        }
    }
    // Others have their turn first.
    let _ = socket.post(0, operation);
}

/// Sends what is in the scratch buffer. Gives the operation back unless it pends.
fn answer(desk: &mut Desk, count: usize, socket: &PortSocket, mut operation: Operation) -> Option<Operation> {
    match socket.socket().send(&desk.scratch[..count]) {
        Ok(_) => return Some(operation),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(_) => return None,
    }
    *operation.buffer_mut() = replace(&mut desk.scratch, vec![0; BUFFER]);
    match socket.send(operation.with_range(..count)) {
        Ok(Started::Done(mut done, _)) => {
            *done.buffer_mut() = Vec::new();
            Some(done)
        }
        Ok(Started::Pending) | Err(_) => None,
    }
}
