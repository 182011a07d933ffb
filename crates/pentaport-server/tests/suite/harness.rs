//! Servers and clients for the suite.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pentaport::socket::Socket;
use pentaport_server::{Handle, Model, Observer, Options, Server, Service, Totals};

/// Longer than anything here takes, on a machine that is busy with other things.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A server that runs in a thread of its own; dropping it stops it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    thread: Option<JoinHandle<Totals>>,
}

impl Running {
    pub(crate) fn start(options: Options, service: impl Service) -> Running {
        Running::start_with(options, |_| service)
    }

    /// Starts a service that needs the server's handle.
    pub(crate) fn start_with<S: Service>(options: Options, service: impl FnOnce(Handle) -> S) -> Running {
        Running::begin(options, service, ())
    }

    /// Starts such a service, whose server tells an observer.
    pub(crate) fn begin<S: Service>(
        options: Options,
        service: impl FnOnce(Handle) -> S,
        observer: impl Observer,
    ) -> Running {
        rlimit::increase_nofile_limit(u64::MAX).expect("the descriptor limit is readable");
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), options).expect("binds");
        let (address, handle) = (server.local_addr(), server.handle());
        let service = service(handle.clone());
        let thread = thread::spawn(move || server.run_observed(service, observer).expect("runs"));
        Running { address, handle, thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connects");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A client that can [reset](reset) its connection.
    pub(crate) fn connect_to_reset(&self) -> Socket {
        let socket = self.client();
        socket.connect(&self.address).expect("connects");
        socket
    }

    /// A client that is not connected yet.
    pub(crate) fn client(&self) -> Socket {
        let socket = Socket::tcp(&self.address).expect("a socket");
        socket.set_receive_timeout(Some(DEADLINE)).unwrap();
        socket.set_no_delay(true).unwrap();
        socket
    }

    /// Waits for the server to end, and returns what it did.
    pub(crate) fn join(mut self) -> Totals {
        let thread = self.thread.take().expect("joined once");
        wait_until("the server ends", || thread.is_finished());
        thread.join().expect("the server does not panic")
    }

    pub(crate) fn stop(self) -> Totals {
        self.handle.stop();
        self.join()
    }

    /// Waits until no thread of the server wakes up any more: not once in ten looks, for one that spins may be kept from
    /// running for a while on a busy machine.
    pub(crate) fn wait_for_rest(&self) {
        let (mut before, mut quiet) = (self.handle.totals(), 0);
        wait_until("the server is at rest", || {
            thread::sleep(Duration::from_millis(20));
            let now = self.handle.totals();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
            quiet == 10
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.handle.stop_now();
            if thread.join().is_err() && !thread::panicking() {
                panic!("the server panicked");
            }
        }
    }
}

/// Waits for a condition, and fails the test if it never comes.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Options for tests: two workers, so that connections meet other workers also on a machine with one processor; and
/// little time for clients that do not leave by themselves.
pub(crate) fn options(model: Model) -> Options {
    let drain = Duration::from_millis(200);
    Options { model, threads: 2.try_into().unwrap(), drain, ..Options::default() }
}

/// Closes a connection by a reset.
pub(crate) fn reset(socket: Socket) {
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
}

/// Sends `message` and reads as many bytes back.
pub(crate) fn exchange(stream: &mut (impl Read + Write), message: &[u8]) {
    stream.write_all(message).expect("sends");
    let mut answer = vec![0; message.len()];
    stream.read_exact(&mut answer).expect("receives");
    assert!(answer == message, "the echo of {} bytes differs", message.len());
}

/// Whether the server ended the connection, by a close or by a reset.
pub(crate) fn is_ended(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => {
            use std::io::ErrorKind::*;
            assert!(matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe), "{error}");
            true
        }
    }
}

/// Bytes that differ from place to place and from `seed` to `seed`, so that none can be lost, doubled or misdirected
/// unseen.
pub(crate) fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A generator of numbers that only has to be reproducible (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A length from 1 to `most`, small ones as often as large ones.
    pub(crate) fn length(&mut self, most: usize) -> usize {
        let bits = self.next() % (u64::from(most.ilog2()) + 1);
        let base = 1_u64 << bits;
        ((base + self.next() % base) as usize).min(most)
    }
}
