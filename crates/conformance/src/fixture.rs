//! What the tests of completion ports and overlapped operations set up again and again.

use crate::raw::{
    Begin, Completed, Dequeued, Event, FdSet, File, Port, Request, Socket, UNTOUCHED, current_thread, listener, pair,
    queue_user_apc, select, sleep_ex, startup, tcp, udp, wsa_socket,
};
use crate::{nap, until};
use pentaport::sys;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a wait may take before the test fails, in milliseconds. No test passes by waiting that long.
pub const DEADLINE_MS: u32 = 30_000;

/// The same for waits of the standard library.
pub const DEADLINE: Duration = Duration::from_millis(DEADLINE_MS as u64);

/// Two connected TCP sockets, the second one associated with a new port under this key.
pub fn pair_on_port(key: usize) -> (Port, Socket, Socket) {
    let port = Port::new(0);
    let (peer, socket) = pair();
    port.associate(&socket, key).expect("the association");
    (port, peer, socket)
}

/// A listener on a new port, under this key, and its address.
pub fn listener_on_port(key: usize) -> (Port, Socket, SocketAddr) {
    let (listener, address) = listener();
    let port = Port::new(0);
    port.associate(&listener, key).expect("the association");
    (port, listener, address)
}

/// A client that is connected to this address.
pub fn connected(address: SocketAddr) -> Socket {
    let client = tcp();
    client.connect(address).expect("connect");
    client
}

/// A connected pair whose second socket has no overlapped attribute.
pub fn pair_without_overlapped() -> (Socket, Socket) {
    startup();
    let (listener, address) = listener();
    let socket = wsa_socket(sys::SOCK_STREAM, sys::IPPROTO_TCP, 0).expect("a socket");
    socket.connect(address).expect("connect");
    let (peer, _) = listener.accept().expect("accept");
    (peer, socket)
}

/// Two bound UDP sockets, the second one's address, and the second one associated with a new port under this key.
pub fn udp_on_port(key: usize) -> (Port, Socket, Socket, SocketAddr) {
    let port = Port::new(0);
    let (peer, socket) = (udp(), udp());
    peer.bind_loopback();
    let address = socket.bind_loopback();
    port.associate(&socket, key).expect("the association");
    (port, peer, socket, address)
}

/// The packet of a request that succeeded.
pub fn success(key: usize, request: Request, bytes: u32) -> Dequeued {
    Dequeued { ok: true, bytes, key, overlapped: request.address(), error: UNTOUCHED }
}

/// The packet of a request that failed with this Win32 error.
pub fn failure(key: usize, request: Request, bytes: u32, error: u32) -> Dequeued {
    Dequeued { ok: false, bytes, key, overlapped: request.address(), error }
}

/// Asserts that the operation started and is pending.
#[track_caller]
pub fn pends(begin: Begin) {
    assert_eq!(begin, Begin::Pending, "the operation is to pend");
}

/// Asserts that a port has no packet, by polling it and by posting one, which must come out at once and alone.
#[track_caller]
pub fn assert_no_packet(port: &Port) {
    const MARKER: usize = 0x4D41_524B;
    let nothing = port.get(0);
    assert!(nothing.timed_out(), "a packet is queued: {nothing:?}");
    port.post(1, MARKER, 0).expect("a post");
    let marker = port.packet();
    assert_eq!((marker.ok, marker.key, marker.bytes), (true, MARKER, 1), "a packet was queued");
    assert!(port.is_empty(), "a packet was queued behind the marker");
}

/// Runs `call` on a thread of its own and gives its result; fails the test, instead of hanging it, after the deadline.
#[track_caller]
pub fn finishes<T: Send + 'static>(what: &str, call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(call()));
    match receiver.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} does not return"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{what} panicked"),
    }
}

/// Lets three threads wait for ever on a port with `wait`, closes the port, and gives what each of them was told; first
/// on a port without sockets, then on one with a socket.
///
/// A thread that was late to enter the wait finds a closed handle and says `late`: then the round is played again.
#[track_caller]
pub fn closed_under(wait: fn(&Port) -> u32, late: u32) -> [Vec<u32>; 2] {
    [false, true].map(|with_socket| closed_under_with(with_socket, wait, late))
}

#[track_caller]
fn closed_under_with(with_socket: bool, wait: fn(&Port) -> u32, late: u32) -> Vec<u32> {
    for _ in 0..20 {
        let port = Arc::new(Port::new(0));
        let sockets = with_socket.then(pair);
        if let Some((_, socket)) = &sockets {
            port.associate(socket, 0).expect("the association");
        }
        let about_to_wait = Arc::new(AtomicUsize::new(0));
        let (sender, told) = mpsc::channel();
        for _ in 0..3 {
            let (port, about_to_wait, sender) = (port.clone(), about_to_wait.clone(), sender.clone());
            thread::spawn(move || {
                about_to_wait.fetch_add(1, Ordering::SeqCst);
                sender.send(wait(&port))
            });
        }
        until("all are about to wait", || about_to_wait.load(Ordering::SeqCst) == 3);
        nap();
        port.close().unwrap();
        let told: Vec<u32> =
            (0..3).map(|_| told.recv_timeout(DEADLINE).expect("a waiter sleeps on after the close")).collect();
        if !told.contains(&late) {
            return told;
        }
    }
    panic!("in no round did all threads get into their wait");
}

/// An address to which a connect stays in progress, and what keeps it so.
///
/// A listener with a full backlog does not answer on Linux.
#[track_caller]
pub fn unanswered() -> (SocketAddr, Vec<Socket>) {
    let listener = tcp();
    let address = listener.bind_loopback();
    listener.listen(0).expect("listen");
    let mut kept = vec![listener];
    for _ in 0..64 {
        let filler = tcp();
        filler.set_nonblocking(true);
        assert_eq!(filler.connect(address), Err(sys::WSAEWOULDBLOCK));
        let (mut write, mut except) = (FdSet::of(&[&filler]), FdSet::of(&[&filler]));
        let wait = Some(Duration::from_millis(200));
        select(None, Some(&mut write), Some(&mut except), wait).expect("select");
        let (connected, failed) = (write.contains(&filler), except.contains(&filler));
        kept.push(filler);
        assert!(!failed, "a full backlog refuses here: another way is needed to keep a connect in progress");
        if !connected {
            return (address, kept);
        }
    }
    panic!("a backlog of 0 takes 64 connections");
}

/// The handle of an event that was closed, which no other object gets soon.
pub fn closed_event() -> usize {
    let events = (0..64).map(|_| Event::manual(false)).collect();
    closed(events, Event::handle, drop).1
}

/// A TCP socket that was closed, whose handle no other object gets soon.
pub fn closed_socket() -> Socket {
    let sockets = (0..64).map(|_| tcp()).collect();
    let close = |socket: Socket| {
        socket.close().expect("closesocket");
        socket
    };
    closed(sockets, Socket::raw, close).0
}

/// Closes all of these, and gives what `close` made of the one with the highest handle, and that handle.
///
/// Systems give out again the lowest handle that is free, or the one that was closed last. So half of the others go
/// before this one, and half after it.
fn closed<T, C>(mut objects: Vec<T>, handle: fn(&T) -> usize, close: impl FnOnce(T) -> C) -> (C, usize) {
    objects.sort_by_key(handle);
    let highest = objects.pop().expect("there are some");
    let value = handle(&highest);
    objects.truncate(objects.len() / 2);
    (close(highest), value)
}

/// What happened, in order, on whichever thread.
#[derive(Clone, Debug)]
pub struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + 'static> Log<T> {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry.
    pub fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }

    /// A copy of all entries.
    pub fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A closure that adds an entry, such as an APC that says that it ran.
    pub fn entry(&self, entry: T) -> impl FnOnce() + Send + 'static {
        let log = self.clone();
        move || log.push(entry)
    }
}

/// Queues an APC to the calling thread that logs `entry`.
#[track_caller]
pub fn queue_entry<T: Clone + Send + 'static>(log: &Log<T>, entry: T) {
    queue_user_apc(current_thread(), log.entry(entry)).expect("an APC to the own thread");
}

/// The request, whose completion routine logs what it is told.
pub fn logged(request: Request, log: &Log<Completed>) -> Request {
    let log = log.clone();
    request.on_completion(move |completed| log.push(completed))
}

/// Waits alertably until the log has that many entries, such as those of completion routines.
#[track_caller]
pub fn run_routines<T: Clone + Send + 'static>(log: &Log<T>, count: usize) {
    while log.count() < count {
        assert_eq!(sleep_ex(DEADLINE_MS, true), sys::WAIT_IO_COMPLETION, "{} of {count} routines ran", log.count());
    }
}

/// A file in the system's directory for such, removed when dropped.
#[derive(Debug)]
pub struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// A new file with these contents.
    pub fn holding(contents: &[u8]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("pentaport-conformance-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, contents).expect("a temporary file");
        Self(path)
    }

    /// Makes the file longer, by zeros that take no room.
    pub fn extend_to(&self, length: u64) {
        let file = std::fs::OpenOptions::new().write(true).open(&self.0).expect("the temporary file");
        file.set_len(length).expect("a longer file");
    }

    /// Opens the file for synchronous use.
    pub fn open(&self) -> File {
        File::open(&self.0, 0)
    }

    /// Opens the file with FILE_FLAG_OVERLAPPED.
    pub fn open_overlapped(&self) -> File {
        File::open(&self.0, sys::FILE_FLAG_OVERLAPPED)
    }

    /// What the file holds.
    pub fn contents(&self) -> Vec<u8> {
        std::fs::read(&self.0).expect("the temporary file")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
