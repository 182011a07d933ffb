//! What the stress tests share: a port, operations that count their packets, sockets, and a source of chance.

use std::cell::UnsafeCell;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};
use winsock::*;

/// A packet that takes this long, in milliseconds, is lost.
pub(crate) const DEADLINE_MS: u32 = 30_000;

/// The tests run one by one: a race may use a handle that was just closed, and no other test shall get its value then.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    static STARTUP: Once = Once::new();
    STARTUP.call_once(|| {
        let mut data = WSADATA::default();
        // SAFETY: a whole WSADATA.
        assert_eq!(unsafe { WSAStartup(0x0202, &mut data) }, 0);
    });
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the open-ended tests go on.
pub(crate) fn not_over(start: Instant) -> bool {
    start.elapsed() < Duration::from_millis(1_500)
}

/// Numbers by chance, the same in every run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: usize) -> Chance {
        Chance(0x9E37_79B9_7F4A_7C15 ^ (seed as u64 + 1).wrapping_mul(0xD129_0D3B_3B19_6D67))
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// A completion port.
#[derive(Clone, Copy)]
pub(crate) struct Port(usize);

/// What came out of a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) key: usize,
    pub(crate) bytes: u32,
    pub(crate) overlapped: usize,
    /// 0 or the Win32 error.
    pub(crate) error: u32,
}

impl Port {
    pub(crate) fn new(concurrency: u32) -> Port {
        // SAFETY: no pointers but handles.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, concurrency) };
        assert!(!port.is_null());
        Port(port as usize)
    }

    pub(crate) fn associate(self, socket: SOCKET, key: usize) {
        // SAFETY: no pointers but handles.
        let port = unsafe { CreateIoCompletionPort(socket as HANDLE, self.0 as HANDLE, key, 0) };
        assert_eq!(port as usize, self.0);
    }

    pub(crate) fn post(self, bytes: u32, key: usize) -> Result<(), u32> {
        // SAFETY: a null OVERLAPPED is passed through.
        let ok = unsafe { PostQueuedCompletionStatus(self.0 as HANDLE, bytes, key, null()) } != 0;
        if ok { Ok(()) } else { Err(last_error()) }
    }

    /// The next packet, or the reason why there is none.
    pub(crate) fn get(self, milliseconds: u32) -> Result<Packet, u32> {
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        // SAFETY: the variables outlive the call.
        let ok =
            unsafe { GetQueuedCompletionStatus(self.0 as HANDLE, &mut bytes, &mut key, &mut overlapped, milliseconds) }
                != 0;
        let error = if ok { 0 } else { last_error() };
        if !ok && overlapped.is_null() {
            return Err(error);
        }
        Ok(Packet { key, bytes, overlapped: overlapped as usize, error })
    }

    /// Some packets, or the reason why there are none.
    pub(crate) fn get_many(self, most: usize, milliseconds: u32) -> Result<Vec<Packet>, u32> {
        let mut entries = vec![OVERLAPPED_ENTRY::default(); most];
        let mut removed = 0;
        // SAFETY: the array has the count given; both outlive the call.
        let ok = unsafe {
            GetQueuedCompletionStatusEx(
                self.0 as HANDLE,
                entries.as_mut_ptr(),
                most as u32,
                &mut removed,
                milliseconds,
                0,
            )
        } != 0;
        if !ok {
            return Err(last_error());
        }
        let packet = |entry: &OVERLAPPED_ENTRY| Packet {
            key: entry.lpCompletionKey,
            bytes: entry.dwNumberOfBytesTransferred,
            overlapped: entry.lpOverlapped as usize,
            error: entry.Internal as u32,
        };
        assert!((1..=most).contains(&(removed as usize)), "{removed} of at most {most}");
        Ok(entries[..removed as usize].iter().map(packet).collect())
    }

    pub(crate) fn close(self) {
        // SAFETY: no pointers but a handle.
        assert_ne!(unsafe { CloseHandle(self.0 as HANDLE) }, 0);
    }
}

pub(crate) fn last_error() -> u32 {
    // SAFETY: no pointers.
    unsafe { GetLastError() }
}

/// An overlapped operation that counts the packets that name it. It must not be dropped while it may be in flight.
#[repr(C)]
pub(crate) struct Operation {
    /// First, so that a packet's address is the operation's.
    overlapped: UnsafeCell<OVERLAPPED>,
    packets: AtomicU32,
    /// What the test wants to know of the operation when its packet comes.
    pub(crate) tag: usize,
    buffer: UnsafeCell<Vec<u8>>,
}

// SAFETY: the cells are written by the system while the operation is in flight, and read only by whoever got its packet.
unsafe impl Sync for Operation {}

impl Operation {
    pub(crate) fn new(tag: usize, buffer: Vec<u8>) -> Operation {
        Operation {
            overlapped: UnsafeCell::default(),
            packets: AtomicU32::new(0),
            tag,
            buffer: UnsafeCell::new(buffer),
        }
    }

    pub(crate) fn overlapped(&self) -> *mut OVERLAPPED {
        self.overlapped.get()
    }

    /// The operation that a packet names.
    ///
    /// # Safety
    /// The packet is one of an `Operation` that is not dropped yet.
    pub(crate) unsafe fn of<'a>(packet: &Packet) -> &'a Operation {
        // SAFETY: the OVERLAPPED is the first field of an Operation, which the caller says is alive.
        unsafe { &*(packet.overlapped as *const Operation) }
    }

    /// Counts a packet; panics if it is not the first.
    pub(crate) fn count_packet(&self) {
        assert_eq!(self.packets.fetch_add(1, Ordering::SeqCst), 0, "a second packet");
    }

    pub(crate) fn packets(&self) -> u32 {
        self.packets.load(Ordering::SeqCst)
    }

    /// The data, for whoever got the packet or has not started the operation yet.
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: see above: the system writes only while the operation is in flight.
        unsafe { &*self.buffer.get() }
    }

    /// The whole buffer, from the pointer that may be written through.
    fn wsabuf(&self) -> WSABUF {
        // SAFETY: called before the operation is started: nobody else uses the buffer.
        let buffer = unsafe { &mut *self.buffer.get() };
        WSABUF { len: buffer.len() as u32, buf: buffer.as_mut_ptr() }
    }

    /// WSARecv: whether the operation started.
    pub(crate) fn recv(&self, socket: SOCKET) -> Result<(), u32> {
        let (buffer, mut bytes, mut flags) = (self.wsabuf(), 0, 0);
        // SAFETY: the buffer and the OVERLAPPED live until the packet came; the rest outlives the call.
        let result = unsafe { WSARecv(socket, &buffer, 1, &mut bytes, &mut flags, self.overlapped(), None) };
        started(result == 0)
    }

    /// WSASend: whether the operation started.
    pub(crate) fn send(&self, socket: SOCKET) -> Result<(), u32> {
        let (buffer, mut bytes) = (self.wsabuf(), 0);
        // SAFETY: as above.
        let result = unsafe { WSASend(socket, &buffer, 1, &mut bytes, 0, self.overlapped(), None) };
        started(result == 0)
    }

    /// AcceptEx without receiving: whether the operation started. The buffer must have 64 bytes.
    pub(crate) fn accept(&self, listener: SOCKET, acceptor: SOCKET) -> Result<(), u32> {
        assert!(self.data().len() >= 64);
        // Not by the listener, which may be closed.
        let (function, mut bytes) = (accept_ex(acceptor), 0);
        let buffer = self.wsabuf().buf.cast();
        // SAFETY: the buffer has the room that the lengths say; it and the OVERLAPPED live until the packet came.
        let ok = unsafe { function(listener, acceptor, buffer, 0, 32, 32, &mut bytes, self.overlapped()) };
        started(ok != 0)
    }
}

fn started(at_once: bool) -> Result<(), u32> {
    match if at_once { 0 } else { last_error() } {
        0 | ERROR_IO_PENDING => Ok(()),
        error => Err(error),
    }
}

type AcceptEx =
    unsafe extern "system" fn(SOCKET, SOCKET, *mut core::ffi::c_void, u32, u32, u32, *mut u32, *mut OVERLAPPED) -> BOOL;

fn accept_ex(socket: SOCKET) -> AcceptEx {
    let (guid, mut function, mut bytes) = (WSAID_ACCEPTEX, None::<AcceptEx>, 0);
    // SAFETY: the GUID and the pointer have the lengths given and outlive the call; the GUID is AcceptEx's, whose
    // type this is.
    let result = unsafe {
        WSAIoctl(
            socket,
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const guid).cast(),
            size_of::<GUID>() as u32,
            (&raw mut function).cast(),
            size_of::<Option<AcceptEx>>() as u32,
            &mut bytes,
            null_mut(),
            None,
        )
    };
    assert_eq!(result, 0);
    function.expect("AcceptEx")
}

pub(crate) fn cancel(socket: SOCKET, operation: Option<&Operation>) {
    let overlapped = operation.map_or(null_mut(), Operation::overlapped);
    // SAFETY: the OVERLAPPED is used as a name only.
    if unsafe { CancelIoEx(socket as HANDLE, overlapped) } == 0 {
        let error = last_error();
        assert!([ERROR_NOT_FOUND, ERROR_INVALID_HANDLE].contains(&error), "CancelIoEx: {error}");
    }
}

pub(crate) fn tcp() -> SOCKET {
    // SAFETY: no pointers.
    let socket = unsafe { socket(i32::from(AF_INET), SOCK_STREAM, IPPROTO_TCP) };
    assert_ne!(socket, INVALID_SOCKET);
    socket
}

pub(crate) fn close(socket: SOCKET) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { closesocket(socket) }, 0);
}

/// Closes so that nothing of the connection stays behind: with a reset.
pub(crate) fn reset(socket: SOCKET) {
    let linger = LINGER { l_onoff: 1, l_linger: 0 };
    let length = size_of::<LINGER>() as i32;
    // SAFETY: the option's value outlives the call.
    unsafe { setsockopt(socket, SOL_SOCKET, SO_LINGER, (&raw const linger).cast(), length) };
    close(socket);
}

/// A listener on 127.0.0.1 and its address.
pub(crate) fn listener() -> (SOCKET, SOCKADDR_IN) {
    let listener = tcp();
    let mut address = SOCKADDR_IN { sin_family: AF_INET, ..Default::default() };
    address.sin_addr.S_un.S_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    let mut length = size_of::<SOCKADDR_IN>() as i32;
    let at: *mut SOCKADDR = (&raw mut address).cast();
    // SAFETY: the address has the length given; both outlive the calls.
    unsafe {
        assert_eq!(bind(listener, at, length), 0);
        assert_eq!(getsockname(listener, at, &mut length), 0);
        assert_eq!(listen(listener, 200), 0);
    }
    (listener, address)
}

/// connect, which may fail if the listener is closed meanwhile.
pub(crate) fn connect_to(socket: SOCKET, address: &SOCKADDR_IN) -> bool {
    let length = size_of::<SOCKADDR_IN>() as i32;
    // SAFETY: the address has the length given and outlives the call.
    unsafe { connect(socket, std::ptr::from_ref(address).cast(), length) == 0 }
}

/// Two connected sockets.
pub(crate) fn pair() -> (SOCKET, SOCKET) {
    let (listener, address) = listener();
    let client = tcp();
    assert!(connect_to(client, &address));
    // SAFETY: null pointers are allowed here.
    let server = unsafe { accept(listener, null_mut(), null_mut()) };
    assert_ne!(server, INVALID_SOCKET);
    close(listener);
    (client, server)
}
