//! Handing a record to the system, and what is left to do when it is back.

use super::address::Address;
use super::call::{check, last_socket_error};
use super::record::{Detail, Record};
use super::shared::{Flight, Lifecycle, Owner};
use super::socket::extension;
use crate::operation::{Accepted, OperationKind};
use crate::socket::Socket;
use crate::sys::{self, HANDLE, SOCKET};
use crate::{Error, Result};
use std::ffi::c_void;
use std::net::SocketAddr;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// What is to be started.
pub(crate) enum Call<'a> {
    /// `WSARecv` into the record's range.
    Receive,
    /// `WSARecv` with no buffer at all.
    ReceiveReady,
    /// `WSASend` of the record's range.
    Send,
    /// `WSARecvFrom` into the record's range.
    ReceiveFrom,
    /// `WSASendTo` of the record's range.
    SendTo(&'a SocketAddr),
    /// `AcceptEx` into this socket.
    Accept(Socket),
    /// As `Accept`, with the first data into the whole buffer.
    AcceptReceive(Socket),
    /// `ConnectEx`, with the record's range as the first data.
    Connect(&'a SocketAddr),
}

/// How the end of an operation is told.
#[derive(Clone, Copy)]
pub(super) enum Notice {
    /// By a packet at the socket's port.
    Packet,
    /// By setting an event. The status tells that it is over.
    Event(HANDLE),
    /// By calling a routine.
    Routine(sys::LPWSAOVERLAPPED_COMPLETION_ROUTINE),
}

/// What operations with a context `C` are started on.
pub(crate) trait Place<C>: Lifecycle {
    /// Open as long as there is an owner.
    fn socket(&self) -> &Socket;

    /// Whether operations that succeed at once leave no packet.
    fn skips_on_success(&self) -> bool;
}

/// An operation that was started.
pub(crate) enum Start<C> {
    /// The record is the system's until the notice comes.
    Pending(NonNull<Record<C>>),
    /// It succeeded at once, and no notice comes.
    Done(Box<Record<C>>, usize),
}

/// An operation that was not started, or failed at once: no notice comes.
pub(crate) type Rejected<C> = (Error, Box<Record<C>>);

pub(super) type Outcome<C> = std::result::Result<Start<C>, Rejected<C>>;

/// Starts an operation, with which the record moves into the system. Whoever asks for a notice must know what to do when
/// it comes.
pub(super) fn start<T: Place<C>, C>(
    owner: &Owner<T>,
    mut record: Box<Record<C>>,
    call: Call,
    notice: Notice,
) -> Outcome<C> {
    let asked = record.take_asked();
    let (socket, skips_on_success) = (Place::socket(&**owner), owner.skips_on_success());
    let starting = Starting { owner, socket, skips_on_success, notice, asked };
    match call {
        Call::Receive => starting.receive(record),
        Call::ReceiveReady => starting.receive_ready(record),
        Call::Send => starting.send(record),
        Call::ReceiveFrom => starting.receive_from(record),
        Call::SendTo(to) => starting.send_to(record, to),
        Call::Accept(acceptor) => starting.accept(record, acceptor, false),
        Call::AcceptReceive(acceptor) => starting.accept(record, acceptor, true),
        Call::Connect(to) => starting.connect(record, to),
    }
}

struct Starting<'a, T: Lifecycle> {
    owner: &'a Owner<T>,
    socket: &'a Socket,
    skips_on_success: bool,
    notice: Notice,
    /// The part of the buffer that the program wants the operation to use.
    asked: Range<usize>,
}

impl<T: Lifecycle> Starting<'_, T> {
    fn receive<C>(&self, record: Box<Record<C>>) -> Outcome<C> {
        self.receive_into(record, OperationKind::Receive, self.asked.clone())
    }

    fn receive_into<C>(&self, record: Box<Record<C>>, kind: OperationKind, range: Range<usize>) -> Outcome<C> {
        let routine = self.notice.routine();
        self.start(record, kind, range, |socket, record, buffer, bytes| {
            // SAFETY: the array of one buffer is read at once; the buffer itself, the flags and the OVERLAPPED are in
            // or owned by the record, which is the system's from here on.
            unsafe {
                let flags = &raw mut (*record).flags;
                let overlapped = Record::overlapped(record);
                sys::WSARecv(socket, &buffer, 1, bytes, flags, overlapped, routine)
            }
            .into()
        })
    }

    fn receive_ready<C>(&self, record: Box<Record<C>>) -> Outcome<C> {
        if !self.socket.is_stream() {
            return Err((Error::from_code(sys::WSAEOPNOTSUPP), record));
        }
        self.receive_into(record, OperationKind::ReceiveReady, 0..0)
    }

    fn send<C>(&self, record: Box<Record<C>>) -> Outcome<C> {
        let routine = self.notice.routine();
        self.start(record, OperationKind::Send, self.asked.clone(), |socket, record, buffer, bytes| {
            let overlapped = Record::overlapped(record);
            // SAFETY: as for WSARecv.
            unsafe { sys::WSASend(socket, &buffer, 1, bytes, 0, overlapped, routine) }.into()
        })
    }

    fn receive_from<C>(&self, mut record: Box<Record<C>>) -> Outcome<C> {
        let routine = self.notice.routine();
        *record.detail() = Detail::Sender(Address::room());
        self.start(record, OperationKind::ReceiveFrom, self.asked.clone(), |socket, record, buffer, bytes| {
            // SAFETY: as for WSARecv; the sender's address and its length are in the record too. The reference to
            // them ends before the system gets the pointers.
            unsafe {
                let Detail::Sender(sender) = (*record).detail() else { unreachable!() };
                let (address, length) = (sender.as_mut_ptr(), &raw mut sender.length);
                let flags = &raw mut (*record).flags;
                let overlapped = Record::overlapped(record);
                sys::WSARecvFrom(socket, &buffer, 1, bytes, flags, address, length, overlapped, routine)
            }
            .into()
        })
    }

    fn send_to<C>(&self, record: Box<Record<C>>, to: &SocketAddr) -> Outcome<C> {
        let routine = self.notice.routine();
        let to = Address::from(to);
        self.start(record, OperationKind::SendTo, self.asked.clone(), |socket, record, buffer, bytes| {
            let overlapped = Record::overlapped(record);
            // SAFETY: as for WSASend; the address is read at once.
            unsafe { sys::WSASendTo(socket, &buffer, 1, bytes, 0, to.as_ptr(), to.length, overlapped, routine) }.into()
        })
    }

    fn accept<C>(&self, mut record: Box<Record<C>>, acceptor: Socket, data: bool) -> Outcome<C> {
        let accepting = acceptor.raw();
        *record.detail() = Detail::Acceptor(acceptor);
        let accept_ex = match Functions::of(self.socket) {
            Ok(functions) => functions.accept_ex,
            Err(error) => return Err((error, record)),
        };
        // The addresses come behind the data: in the buffer's spare capacity.
        let end = record.buffer.len();
        let range = if data { 0..end } else { end..end };
        record.buffer.reserve(ADDRESSES_LENGTH);
        self.start(record, OperationKind::Accept, range, |socket, record, buffer, bytes| {
            let overlapped = Record::overlapped(record);
            // SAFETY: behind the buffer's `len` bytes there is spare capacity for both addresses. It, the OVERLAPPED
            // and the acceptor are the record's, which is the system's from here on. The function is the system's.
            let started = unsafe {
                accept_ex(
                    socket,
                    accepting,
                    buffer.buf.cast(),
                    buffer.len,
                    ADDRESS_LENGTH,
                    ADDRESS_LENGTH,
                    bytes,
                    overlapped,
                )
            };
            Called::from_bool(started)
        })
    }

    fn connect<C>(&self, record: Box<Record<C>>, to: &SocketAddr) -> Outcome<C> {
        let connect_ex = match Functions::of(self.socket) {
            Ok(functions) => functions.connect_ex,
            Err(error) => return Err((error, record)),
        };
        let to = Address::from(to);
        self.start(record, OperationKind::Connect, self.asked.clone(), |socket, record, buffer, bytes| {
            let overlapped = Record::overlapped(record);
            let data = if buffer.len == 0 { std::ptr::null() } else { buffer.buf.cast_const() };
            // SAFETY: the address is read at once; the data and the OVERLAPPED are the record's. The function is the
            // system's.
            let started = unsafe {
                connect_ex(socket, to.as_ptr(), to.length, data.cast::<c_void>(), buffer.len, bytes, overlapped)
            };
            Called::from_bool(started)
        })
    }

    /// Gives the record to `call`, and takes it back if no notice comes.
    ///
    /// `call` gets the socket, the record, this range of it as a buffer, and where to count bytes that go at once.
    fn start<C>(
        &self,
        mut record: Box<Record<C>>,
        kind: OperationKind,
        range: Range<usize>,
        call: impl FnOnce(SOCKET, *mut Record<C>, sys::WSABUF, *mut u32) -> Called,
    ) -> Outcome<C> {
        if let Err(error) = record.set_range(range) {
            return Err((error, record));
        }
        let Range { start, end } = record.range();
        let len = (end - start) as u32;
        record.prepare(kind, self.owner.fly().into_raw(), self.notice.event());
        let record = Box::into_raw(record);
        // SAFETY: the record is not yet the system's; `start` is within the buffer or at its end.
        let buf = unsafe { (*record).buffer.as_mut_ptr().add(start) };
        let mut bytes = 0;
        let called = call(self.socket.raw(), record, sys::WSABUF { len, buf }, &mut bytes);
        // Unless no notice comes, the record may already be in another thread's hands: it is not touched.
        if called.leaves_notice(kind, self.skips_on_success) {
            // SAFETY: a Box's pointer is never null.
            return Ok(Start::Pending(unsafe { NonNull::new_unchecked(record) }));
        }
        // SAFETY: no notice comes, so the record is ours again; its flight of T was set above.
        let mut record = unsafe { take_back::<T, C>(record) };
        match called {
            Called::Failed(error) => {
                if error.code() == sys::WSAEMSGSIZE {
                    // A datagram was cut off to fill the buffer.
                    record.transferred = len;
                }
                Err((error, record))
            }
            Called::Done | Called::Pending => {
                record.transferred = bytes;
                match finish(&mut record, Some(self.socket)) {
                    Ok(()) => Ok(Start::Done(record, bytes as usize)),
                    Err(error) => Err((error, record)),
                }
            }
        }
    }
}

impl Notice {
    fn event(self) -> HANDLE {
        match self {
            Self::Event(event) => event,
            Self::Packet | Self::Routine(_) => std::ptr::null_mut(),
        }
    }

    fn routine(self) -> sys::LPWSAOVERLAPPED_COMPLETION_ROUTINE {
        match self {
            Self::Routine(routine) => routine,
            Self::Packet | Self::Event(_) => None,
        }
    }
}

/// A record that the system did not keep.
///
/// # Safety
/// The record was given away as a Box with a flight of `T`, and is used once: no notice of it comes, or it came.
pub(super) unsafe fn take_back<T: Lifecycle, C>(record: *mut Record<C>) -> Box<Record<C>> {
    // SAFETY: by the caller's promise it is ours, and was a Box.
    let mut record = unsafe { Box::from_raw(record) };
    if let Some(flight) = record.flight.take() {
        // SAFETY: by the caller's promise it is of this type; it was just taken out.
        drop(unsafe { Flight::<T>::from_raw(flight) });
    }
    record
}

/// What the system said to the start of an operation.
enum Called {
    Done,
    Pending,
    Failed(Error),
}

impl From<i32> for Called {
    fn from(status: i32) -> Self {
        if status == 0 { Self::Done } else { Self::from_error(last_socket_error()) }
    }
}

impl Called {
    fn from_bool(status: sys::BOOL) -> Self {
        if status != sys::FALSE { Self::Done } else { Self::from_error(last_socket_error()) }
    }

    fn from_error(error: Error) -> Self {
        if error.code() == sys::WSA_IO_PENDING { Self::Pending } else { Self::Failed(error) }
    }

    /// Exactly one notice for each operation that started, success at once included; none for one that failed at
    /// once (SEMANTICS D5–D7).
    fn leaves_notice(&self, kind: OperationKind, skips_on_success: bool) -> bool {
        match self {
            Self::Pending => true,
            Self::Done => !skips_on_success,
            // A datagram that was cut off is a warning, which counts as started (D57).
            Self::Failed(error) => {
                let receives =
                    matches!(kind, OperationKind::Receive | OperationKind::ReceiveReady | OperationKind::ReceiveFrom);
                receives && error.code() == sys::WSAEMSGSIZE && !skips_on_success
            }
        }
    }
}

/// What Winsock asks to be done with the sockets of an AcceptEx or ConnectEx that succeeded. `socket` is the one that
/// the operation was started on, if it is open still.
pub(super) fn finish<C>(record: &mut Record<C>, socket: Option<&Socket>) -> Result<()> {
    match record.kind {
        OperationKind::Accept => finish_accept(record, socket),
        OperationKind::Connect => socket.map_or(Ok(()), update_connect_context),
        _ => Ok(()),
    }
}

fn finish_accept<C>(record: &mut Record<C>, listener: Option<&Socket>) -> Result<()> {
    // A connection whose listener is gone cannot be made whole: it goes too.
    let listener = listener.ok_or(Error::from_code(sys::ERROR_OPERATION_ABORTED as i32))?;
    let acceptor = record.take_acceptor().expect("an accept operation has an acceptor");
    let name = sys::SO_UPDATE_ACCEPT_CONTEXT;
    super::socket::set_option(acceptor.raw(), sys::SOL_SOCKET, name, listener.raw())?;
    let functions = Functions::of(listener)?;
    let (local, peer) = accepted_addresses(record, functions)?;
    *record.detail() = Detail::Accepted(Accepted { socket: acceptor, local, peer });
    Ok(())
}

fn accepted_addresses<C>(record: &Record<C>, functions: &Functions) -> Result<(SocketAddr, SocketAddr)> {
    let (mut local, mut local_length) = (std::ptr::null_mut(), 0);
    let (mut peer, mut peer_length) = (std::ptr::null_mut(), 0);
    let range = record.range();
    // SAFETY: the buffer, with its spare capacity, is as AcceptEx filled it, and the lengths are the same as then. The
    // pointers that come back point into it, with their lengths.
    unsafe {
        (functions.accept_ex_addresses)(
            record.buffer.as_ptr().add(range.start).cast(),
            range.len() as u32,
            ADDRESS_LENGTH,
            ADDRESS_LENGTH,
            &mut local,
            &mut local_length,
            &mut peer,
            &mut peer_length,
        );
        if local.is_null() || peer.is_null() {
            return Err(Error::from_code(sys::WSAEFAULT));
        }
        Ok((Address::read(local, local_length)?, Address::read(peer, peer_length)?))
    }
}

fn update_connect_context(socket: &Socket) -> Result<()> {
    let name = sys::SO_UPDATE_CONNECT_CONTEXT;
    // SAFETY: the option has no value.
    check(unsafe { sys::setsockopt(socket.raw(), sys::SOL_SOCKET, name, std::ptr::null(), 0) })
}

/// AcceptEx wants 16 bytes more than the longest address, for each of two.
const ADDRESS_LENGTH: u32 = size_of::<sys::SOCKADDR_INET>() as u32 + 16;
const ADDRESSES_LENGTH: usize = 2 * ADDRESS_LENGTH as usize;

type AcceptEx =
    unsafe extern "system" fn(SOCKET, SOCKET, *mut c_void, u32, u32, u32, *mut u32, *mut sys::OVERLAPPED) -> sys::BOOL;

type ConnectEx = unsafe extern "system" fn(
    SOCKET,
    *const sys::SOCKADDR,
    i32,
    *const c_void,
    u32,
    *mut u32,
    *mut sys::OVERLAPPED,
) -> sys::BOOL;

type GetAcceptExSockaddrs = unsafe extern "system" fn(
    *const c_void,
    u32,
    u32,
    u32,
    *mut *mut sys::SOCKADDR,
    *mut i32,
    *mut *mut sys::SOCKADDR,
    *mut i32,
);

/// The extension functions, which are fetched by their ids.
struct Functions {
    accept_ex: AcceptEx,
    accept_ex_addresses: GetAcceptExSockaddrs,
    connect_ex: ConnectEx,
}

impl Functions {
    /// Fetched once, through the first socket that needs them: this crate's sockets all have the same provider.
    fn of(socket: &Socket) -> Result<&'static Self> {
        static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
        if let Some(functions) = FUNCTIONS.get() {
            return Ok(functions);
        }
        let functions = Self::fetch(socket.raw())?;
        Ok(FUNCTIONS.get_or_init(|| functions))
    }

    fn fetch(socket: SOCKET) -> Result<Self> {
        let missing = Error::from_code(sys::WSAEOPNOTSUPP);
        // SAFETY: each type is the one that belongs to the id.
        let (accept_ex, accept_ex_addresses, connect_ex) = unsafe {
            (
                extension::<sys::LPFN_ACCEPTEX>(socket, sys::WSAID_ACCEPTEX)?,
                extension::<sys::LPFN_GETACCEPTEXSOCKADDRS>(socket, sys::WSAID_GETACCEPTEXSOCKADDRS)?,
                extension::<sys::LPFN_CONNECTEX>(socket, sys::WSAID_CONNECTEX)?,
            )
        };
        Ok(Self {
            accept_ex: accept_ex.ok_or(missing)?,
            accept_ex_addresses: accept_ex_addresses.ok_or(missing)?,
            connect_ex: connect_ex.ok_or(missing)?,
        })
    }
}
