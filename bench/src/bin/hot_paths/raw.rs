//! The hot paths through the raw functions.

use std::cell::Cell;
use std::mem::zeroed;
use std::ptr::{null, null_mut};

use winsock::*;

use crate::Meter;
use crate::peer::{Listener, MESSAGE, Peer};

pub(crate) fn startup() {
    // SAFETY: all zeros is a WSADATA, which the call fills.
    unsafe {
        let mut data: WSADATA = zeroed();
        assert_eq!(WSAStartup(0x0202, &mut data), 0);
    }
}

/// A receive that pends, its packet by GetQueuedCompletionStatus, and a send that is done at once.
pub(crate) fn port_receive_send(meter: &mut Meter) {
    // SAFETY: the calls are made as their contracts ask; the connection lives until the last operation is over.
    unsafe {
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1);
        let mut connection = Connection::new();
        connection.associate(port);
        meter.run(|meter| {
            meter.measure(&mut || connection.receive(null_mut()));
            connection.peer.write();
            meter.measure(&mut || {
                let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
                check(GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE));
                connection.send(bytes);
            });
            connection.peer.read();
        });
    }
}

/// The same, with the packet by GetQueuedCompletionStatusEx.
pub(crate) fn port_receive_send_batch(meter: &mut Meter) {
    // SAFETY: as in `port_receive_send`; the array has room for as many entries as it is said to have.
    unsafe {
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1);
        let mut connection = Connection::new();
        connection.associate(port);
        let mut entries: [OVERLAPPED_ENTRY; 64] = zeroed();
        meter.run(|meter| {
            meter.measure(&mut || connection.receive(null_mut()));
            connection.peer.write();
            meter.measure(&mut || {
                let mut count = 0;
                check(GetQueuedCompletionStatusEx(port, entries.as_mut_ptr(), 64, &mut count, INFINITE, FALSE));
                connection.send(entries[0].dwNumberOfBytesTransferred);
            });
            connection.peer.read();
        });
    }
}

/// A packet of the program's own, and its get.
pub(crate) fn posted(meter: &mut Meter) {
    // SAFETY: a null OVERLAPPED is only passed through; the places live through the calls.
    unsafe {
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1);
        meter.run(|meter| {
            meter.measure(&mut || {
                check(PostQueuedCompletionStatus(port, 1, 2, null()));
                let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
                check(GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE));
            });
        });
    }
}

/// Sixteen packets, taken by one call.
pub(crate) fn posted_batch(meter: &mut Meter) {
    // SAFETY: as in `posted`; the array has room for as many entries as it is said to have.
    unsafe {
        let port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1);
        let mut entries: [OVERLAPPED_ENTRY; 16] = zeroed();
        meter.run(|meter| {
            meter.measure(&mut || {
                for key in 0..16 {
                    check(PostQueuedCompletionStatus(port, 1, key, null()));
                }
                let mut count = 0;
                check(GetQueuedCompletionStatusEx(port, entries.as_mut_ptr(), 16, &mut count, INFINITE, FALSE));
                assert_eq!(count, 16);
            });
        });
    }
}

pub(crate) fn event(meter: &mut Meter) {
    // SAFETY: null attributes and a null name are allowed; the handle is open.
    unsafe {
        let event = CreateEventW(null(), FALSE, FALSE, null());
        meter.run(|meter| {
            meter.measure(&mut || {
                check(SetEvent(event));
                assert_eq!(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
            });
        });
    }
}

/// As many events as one wait takes, the last of which is set.
pub(crate) fn event_of_64(meter: &mut Meter) {
    // SAFETY: as in `event`; pointer and count are those of one array.
    unsafe {
        let events = [(); 64].map(|()| CreateEventW(null(), FALSE, FALSE, null()));
        meter.run(|meter| {
            meter.measure(&mut || {
                check(SetEvent(events[63]));
                let result = WSAWaitForMultipleEvents(64, events.as_ptr(), FALSE, INFINITE, FALSE);
                assert_eq!(result, WAIT_OBJECT_0 + 63);
            });
        });
    }
}

/// A receive that pends, a wait for its event, and a send that is done at once.
pub(crate) fn event_receive_send(meter: &mut Meter) {
    // SAFETY: as in `port_receive_send`.
    unsafe {
        let event = WSACreateEvent() as HANDLE;
        let mut connection = Connection::new();
        meter.run(|meter| {
            meter.measure(&mut || connection.receive(event));
            connection.peer.write();
            meter.measure(&mut || {
                assert_eq!(WSAWaitForMultipleEvents(1, &event, FALSE, INFINITE, FALSE), WAIT_OBJECT_0);
                let (mut bytes, mut flags) = (0, 0);
                let overlapped = &*connection.overlapped;
                check(WSAGetOverlappedResult(connection.socket, overlapped, &mut bytes, FALSE, &mut flags));
                connection.send(bytes);
            });
            connection.peer.read();
        });
    }
}

thread_local! {
    /// What the last routine was told.
    static RECEIVED: Cell<u32> = const { Cell::new(0) };
}

unsafe extern "system" fn received(_: u32, bytes: u32, _: *mut OVERLAPPED, _: u32) {
    RECEIVED.set(bytes);
}

/// A receive that pends, its routine in an alertable wait, and a send that is done at once.
pub(crate) fn routine_receive_send(meter: &mut Meter) {
    // SAFETY: as in `port_receive_send`.
    unsafe {
        let mut connection = Connection::new();
        meter.run(|meter| {
            meter.measure(&mut || connection.receive_by(null_mut(), Some(received)));
            connection.peer.write();
            meter.measure(&mut || {
                assert_eq!(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
                connection.send(RECEIVED.get());
            });
            connection.peer.read();
        });
    }
}

unsafe extern "system" fn called(bytes: usize) {
    RECEIVED.set(bytes as u32);
}

/// A routine that the thread queues to itself, and the wait in which it runs.
pub(crate) fn queued_routine(meter: &mut Meter) {
    // SAFETY: the routine takes any number; the handle stands for the calling thread.
    unsafe {
        meter.run(|meter| {
            meter.measure(&mut || {
                assert_ne!(QueueUserAPC(Some(called), GetCurrentThread(), 1), 0);
                assert_eq!(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
            });
        });
    }
}

/// An arrival that WSAEventSelect tells of, its record, a receive and a send.
pub(crate) fn network_event_receive(meter: &mut Meter) {
    // SAFETY: as in `port_receive_send`.
    unsafe {
        let event = WSACreateEvent();
        let mut connection = Connection::new();
        assert_eq!(WSAEventSelect(connection.socket, event, FD_READ as i32), 0);
        meter.run(|meter| {
            connection.peer.write();
            meter.measure(&mut || {
                assert_eq!(WSAWaitForMultipleEvents(1, &(event as HANDLE), FALSE, INFINITE, FALSE), WAIT_OBJECT_0);
                let mut events = zeroed();
                assert_eq!(WSAEnumNetworkEvents(connection.socket, event, &mut events), 0);
                let buffer = connection.buffer.as_mut_ptr();
                let bytes = recv(connection.socket, buffer, connection.buffer.len() as i32, 0);
                assert_eq!(send(connection.socket, buffer, bytes, 0), MESSAGE.len() as i32);
            });
            connection.peer.read();
        });
    }
}

/// A wait set of 64 events, one of which is set.
pub(crate) fn wait_set(meter: &mut Meter) {
    // SAFETY: as in `event`.
    unsafe {
        let set = WaitSet::new().expect("a wait set");
        let events = [(); 64].map(|()| CreateEventW(null(), FALSE, FALSE, null()));
        for (token, event) in events.into_iter().enumerate() {
            set.add(event, token).expect("not in the set yet");
        }
        let mut tokens = [0; 64];
        meter.run(|meter| {
            meter.measure(&mut || {
                check(SetEvent(events[63]));
                assert_eq!(set.wait(&mut tokens, INFINITE, false), Ok(1));
            });
        });
    }
}

/// A connected socket with one operation, as a server has it.
struct Connection {
    socket: SOCKET,
    peer: Peer,
    overlapped: Box<OVERLAPPED>,
    buffer: Box<[u8; 4096]>,
}

impl Connection {
    fn new() -> Connection {
        let listener = Listener::bind();
        // SAFETY: the structures live through the calls, and their lengths are told.
        let socket = unsafe {
            let socket = socket(AF_INET.into(), SOCK_STREAM, 0);
            let mut address: SOCKADDR_IN = zeroed();
            address.sin_family = AF_INET;
            address.sin_addr.S_un.S_addr = INADDR_LOOPBACK.to_be();
            address.sin_port = listener.address().port().to_be();
            assert_eq!(connect(socket, (&raw const address).cast(), size_of::<SOCKADDR_IN>() as i32), 0);
            socket
        };
        // SAFETY: all zeros is an OVERLAPPED that nothing is pending on.
        let overlapped = Box::new(unsafe { zeroed() });
        Connection { socket, peer: listener.accept(), overlapped, buffer: Box::new([0; 4096]) }
    }

    /// Brings the socket to the port. What is done at once makes no packet.
    fn associate(&self, port: HANDLE) {
        // SAFETY: both handles are open.
        unsafe {
            assert_eq!(CreateIoCompletionPort(self.socket as HANDLE, port, 1, 0), port);
            let modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8;
            check(SetFileCompletionNotificationModes(self.socket as HANDLE, modes));
        }
    }

    /// # Safety
    /// Nothing is pending on the operation, and the connection stays until this is over.
    unsafe fn receive(&mut self, event: HANDLE) {
        // SAFETY: as the caller promises.
        unsafe { self.receive_by(event, None) }
    }

    /// # Safety
    /// As [`Connection::receive`].
    unsafe fn receive_by(&mut self, event: HANDLE, routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE) {
        self.overlapped.hEvent = event;
        let room = WSABUF { len: self.buffer.len() as u32, buf: self.buffer.as_mut_ptr() };
        let mut flags = 0;
        // SAFETY: buffer and OVERLAPPED lie in boxes, which stay until the operation is over.
        unsafe {
            let overlapped = &mut *self.overlapped;
            assert_eq!(WSARecv(self.socket, &room, 1, null_mut(), &mut flags, overlapped, routine), SOCKET_ERROR);
            assert_eq!(WSAGetLastError(), WSA_IO_PENDING);
        }
    }

    /// # Safety
    /// Nothing is pending on the operation.
    unsafe fn send(&mut self, bytes: u32) {
        let reply = WSABUF { len: bytes, buf: self.buffer.as_mut_ptr() };
        self.overlapped.hEvent = null_mut();
        let mut sent = 0;
        // SAFETY: it is done when the call returns, which the assertion says.
        unsafe { assert_eq!(WSASend(self.socket, &reply, 1, &mut sent, 0, &mut *self.overlapped, None), 0) };
        assert_eq!(sent as usize, MESSAGE.len());
    }
}

fn check(result: BOOL) {
    assert_ne!(result, FALSE);
}
