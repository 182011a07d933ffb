//! An echo server over the raw functions of `winsock`: a completion port.
//!
//! Two accepts pend for each worker. An idle connection has a receive of no bytes pending, which completes when there
//! is something to receive; so it holds no buffer, and what comes is received into the worker's own. It is sent from
//! there with `send`, which nearly always takes all; if not, the buffer goes along with an overlapped send, and the
//! worker gets another. Packets are taken many at a time, and what succeeds at once leaves none
//! (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS).
//!
//! All threads take from one port. A connection has one operation pending at a time, so one worker at a time has it, and
//! it needs no lock.

use std::convert::Infallible;
use std::ffi::c_void;
use std::io;
use std::mem::{replace, take, zeroed};
use std::net::{Ipv4Addr, SocketAddr};
use std::ptr::null_mut;
use std::thread;

use winsock::*;

use crate::cli::{Options, announce};
use crate::{BUFFER, TURNS};

/// Packets taken at a time: more would leave other workers idle, fewer would cost more calls.
const BATCH: usize = 64;
const ACCEPTS_PER_WORKER: usize = 2;
/// How long to wait before accepting again when there are no descriptors, in milliseconds.
const ACCEPT_AGAIN: u32 = 50;
/// What AcceptEx wants for each address.
const ADDRESS: usize = size_of::<SOCKADDR_STORAGE>() + 16;

/// Whose packet it is.
const CONNECTION: usize = 0;
const LISTENER: usize = 1;

/// Per-I/O and per-handle data of a connection. The OVERLAPPED comes first, so that its address is that of all.
#[repr(C)]
struct Connection {
    overlapped: OVERLAPPED,
    socket: SOCKET,
    /// What is being sent, if the socket did not take it at once.
    sending: Vec<u8>,
}

/// One accept. The OVERLAPPED comes first here, too.
#[repr(C)]
struct Accept {
    overlapped: OVERLAPPED,
    socket: SOCKET,
    addresses: [u8; 2 * ADDRESS],
}

/// Serves from as many workers as the options say. IPv4 only.
pub fn serve(options: &Options) -> io::Result<Infallible> {
    let threads = options.threads.get();
    // SAFETY: the calls are made as their contracts ask, with pointers to locals that outlive them.
    let server = unsafe {
        let mut data: WSADATA = zeroed();
        let started = WSAStartup(0x0202, &mut data);
        if started != 0 {
            return Err(error(started));
        }
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, threads as u32);
        let listener = listen_at(options.listen)?;
        CreateIoCompletionPort(listener as HANDLE, port, LISTENER, 0);
        Server { port, listener }
    };
    announce(server.address()?)?;
    for _ in 1..threads {
        thread::spawn(move || server.work());
    }
    server.work()
}

/// # Safety
/// None is asked: the calls get pointers to locals only.
unsafe fn listen_at(address: SocketAddr) -> io::Result<SOCKET> {
    let SocketAddr::V4(wanted) = address else { return Err(error(WSAEAFNOSUPPORT)) };
    // SAFETY: as above.
    unsafe {
        let listener = socket(AF_INET.into(), SOCK_STREAM, 0);
        let mut address: SOCKADDR_IN = zeroed();
        address.sin_family = AF_INET;
        address.sin_port = wanted.port().to_be();
        address.sin_addr.S_un.S_addr = u32::from(*wanted.ip()).to_be();
        check(bind(listener, (&raw const address).cast(), size_of::<SOCKADDR_IN>() as i32))?;
        // Accepted sockets inherit it.
        let on: i32 = 1;
        check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, (&raw const on).cast(), size_of::<i32>() as i32))?;
        check(listen(listener, SOMAXCONN as i32))?;
        Ok(listener)
    }
}

#[derive(Clone, Copy)]
struct Server {
    port: HANDLE,
    listener: SOCKET,
}

// SAFETY: a HANDLE is a number, which every thread may use.
unsafe impl Send for Server {}

/// What one worker has for itself.
struct Desk {
    /// Where everything is received.
    scratch: Vec<u8>,
    /// How many accepts are to be started later: there was no descriptor.
    parked: usize,
}

impl Server {
    fn address(&self) -> io::Result<SocketAddr> {
        // SAFETY: the pointers are to locals that outlive the calls; the name of an IPv4 socket is a SOCKADDR_IN.
        unsafe {
            let mut name: SOCKADDR_IN = zeroed();
            let mut len = size_of::<SOCKADDR_IN>() as i32;
            check(getsockname(self.listener, (&raw mut name).cast(), &mut len))?;
            Ok((Ipv4Addr::from(u32::from_be(name.sin_addr.S_un.S_addr)), u16::from_be(name.sin_port)).into())
        }
    }

    fn work(self) -> ! {
        let mut desk = Desk { scratch: vec![0; BUFFER], parked: ACCEPTS_PER_WORKER };
        // SAFETY: these are plain data, for which zero is a value.
        let mut entries: [OVERLAPPED_ENTRY; BATCH] = unsafe { zeroed() };
        loop {
            for _ in 0..take(&mut desk.parked) {
                // SAFETY: an Accept is plain data, for which zero is a value.
                self.accept(&mut desk, unsafe { Box::new(zeroed()) });
            }
            let wait = if desk.parked == 0 { INFINITE } else { ACCEPT_AGAIN };
            let mut count = 0;
            // SAFETY: `entries` has room for as many as it is said to have.
            unsafe { GetQueuedCompletionStatusEx(self.port, entries.as_mut_ptr(), BATCH as u32, &mut count, wait, 0) };
            for entry in &entries[..count as usize] {
                // SAFETY: each packet of these keys gives back one that was let go of when its operation began, and
                // nothing is pending on it any more.
                unsafe {
                    match entry.lpCompletionKey {
                        LISTENER => self.accepted(&mut desk, Box::from_raw(entry.lpOverlapped.cast())),
                        _ => self.progress(&mut desk, Box::from_raw(entry.lpOverlapped.cast())),
                    }
                }
            }
        }
    }

    fn accept(&self, desk: &mut Desk, mut accept: Box<Accept>) {
        // SAFETY: the memory is let go of while the accept pends.
        unsafe {
            accept.socket = socket(AF_INET.into(), SOCK_STREAM, 0);
            if accept.socket == INVALID_SOCKET {
                desk.parked += 1;
                return;
            }
            let accept = Box::into_raw(accept);
            let (addresses, mut bytes) = ((&raw mut (*accept).addresses).cast::<c_void>(), 0);
            let size = ADDRESS as u32;
            let overlapped = accept.cast();
            let pends = AcceptEx(self.listener, (*accept).socket, addresses, 0, size, size, &mut bytes, overlapped)
                != 0
                || WSAGetLastError() == WSA_IO_PENDING;
            if !pends {
                let accept = Box::from_raw(accept);
                closesocket(accept.socket);
                desk.parked += 1;
            }
        }
    }

    fn accepted(&self, desk: &mut Desk, accept: Box<Accept>) {
        let (socket, good) = (accept.socket, accept.overlapped.Internal == 0);
        self.accept(desk, accept);
        // SAFETY: the pointers are to what outlives the calls.
        unsafe {
            let (listener, size) = (&raw const self.listener, size_of::<SOCKET>() as i32);
            if !good || setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listener.cast(), size) != 0 {
                closesocket(socket);
                return;
            }
            let mut nonblocking = 1;
            ioctlsocket(socket, FIONBIO, &mut nonblocking);
            CreateIoCompletionPort(socket as HANDLE, self.port, CONNECTION, 0);
            SetFileCompletionNotificationModes(socket as HANDLE, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8);
            self.progress(desk, Box::new(Connection { overlapped: zeroed(), socket, sending: Vec::new() }));
        }
    }

    /// Something has happened to a connection with nothing pending: it answers what is there, until an operation pends.
    fn progress(&self, desk: &mut Desk, connection: Box<Connection>) {
        let connection = Box::into_raw(connection);
        // SAFETY: the connection is ours until an operation pends, and nobody touches it here from then on.
        unsafe {
            match (*connection).answer(&mut desk.scratch) {
                Next::Wait => {}
                // Others have their turn first.
                Next::Receive if PostQueuedCompletionStatus(self.port, 0, CONNECTION, connection.cast()) != 0 => {}
                Next::Receive | Next::Close => drop(Box::from_raw(connection)),
            }
        }
    }
}

enum Next {
    /// There is likely something to receive.
    Receive,
    /// An operation pends, and owns the connection.
    Wait,
    Close,
}

impl Connection {
    fn answer(&mut self, scratch: &mut Vec<u8>) -> Next {
        self.sending = Vec::new();
        if self.overlapped.Internal != 0 {
            return Next::Close;
        }
        for _ in 0..TURNS {
            let next = self.receive_and_send(scratch);
            let Next::Receive = next else { return next };
        }
        Next::Receive
    }

    fn receive_and_send(&mut self, scratch: &mut Vec<u8>) -> Next {
        // SAFETY: the calls get live buffers, as long as they are said to be. What an overlapped send gets stays where
        // it is until its packet comes, since the connection keeps it.
        unsafe {
            let count = recv(self.socket, scratch.as_mut_ptr(), scratch.len() as i32, 0);
            if count <= 0 {
                let nothing = count < 0 && WSAGetLastError() == WSAEWOULDBLOCK;
                return if nothing { self.wait_to_receive() } else { Next::Close };
            }
            if send(self.socket, scratch.as_ptr(), count, 0) == count {
                // What filled less than the buffer was all there was.
                return if count as usize == scratch.len() { Next::Receive } else { self.wait_to_receive() };
            }
            if WSAGetLastError() != WSAEWOULDBLOCK {
                return Next::Close;
            }
            self.sending = replace(scratch, vec![0; BUFFER]);
            let all = WSABUF { len: count as u32, buf: self.sending.as_mut_ptr() };
            let mut sent = 0;
            if WSASend(self.socket, &all, 1, &mut sent, 0, &mut self.overlapped, None) == 0 {
                self.sending = Vec::new();
                return Next::Receive;
            }
        }
        pends()
    }

    /// Starts a receive of no bytes.
    fn wait_to_receive(&mut self) -> Next {
        let none = WSABUF { len: 0, buf: null_mut() };
        let (mut bytes, mut flags) = (0, 0);
        // SAFETY: the OVERLAPPED stays where it is until its packet comes: the connection is boxed, and let go of.
        let result = unsafe { WSARecv(self.socket, &none, 1, &mut bytes, &mut flags, &mut self.overlapped, None) };
        if result == 0 { Next::Receive } else { pends() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the socket is this connection's own.
        unsafe { closesocket(self.socket) };
    }
}

fn pends() -> Next {
    // SAFETY: nothing is asked of the caller.
    if unsafe { WSAGetLastError() } == WSA_IO_PENDING { Next::Wait } else { Next::Close }
}

fn check(result: i32) -> io::Result<()> {
    // SAFETY: nothing is asked of the caller.
    if result == 0 { Ok(()) } else { Err(error(unsafe { WSAGetLastError() })) }
}

fn error(code: i32) -> io::Error {
    io::Error::other(format!("Winsock error {code}"))
}
