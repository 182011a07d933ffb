//! Sockets: their state, how a call reaches it, and what readiness does with it.
//!
//! A socket keeps a queue of receives, of sends and of accepts. A request goes into its queue; an edge drains the
//! queue with ordinary non-blocking calls. So buffers are used in posting order, nothing in the kernel holds a
//! caller's buffer between completions, and cancelling is taking out of a queue.
//!
//! One lock per socket, never held while code of the program runs. No thread that has one waits for another socket's:
//! [`lock_second`] is the way to it.

pub(crate) mod accept;
pub(crate) mod accept_ex;
mod address_calls;
pub(crate) mod arrivals;
pub(crate) mod async_select;
pub(crate) mod cancel;
mod close;
mod connect;
mod create;
mod disconnect;
pub(crate) mod event_select;
mod messages;
mod network_events;
mod options;
pub(crate) mod overlapped;
mod poll;
pub(crate) mod receive;
pub(crate) mod request;
pub(crate) mod select;
pub(crate) mod send;
mod spare;
mod spill;
pub(crate) mod transmission;
mod transmit_file;

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ranked_locks::{Mutex, MutexGuard, rank};

use crate::blocked::{Blocked, Eventfd, Target};
use crate::deadline::Deadline;
use crate::dispatcher::{self, Alertable};
use crate::error::{WsaError, WsaResult, fail, wsa_from_errno};
use crate::objects::table::{self, Value};
use crate::os::{self, OsResult};
use crate::port::{Port, blocking};
use crate::reactor::Epoll;
use crate::sleeper::Elsewhere;
use crate::socket::accept::Listener;
use crate::socket::arrivals::{NetworkEvents, Waited};
use crate::socket::connect::Connecting;
use crate::socket::request::{Apart, Fifo, Notice};
use crate::thread;
use crate::types::*;
use crate::watchdog;

pub use accept::{WSAAccept, accept};
pub use accept_ex::{AcceptEx, GetAcceptExSockaddrs};
pub use address_calls::{WSARecvDisconnect, WSASendDisconnect, bind, getpeername, getsockname, listen, shutdown};
pub use async_select::WSAAsyncSelect;
pub use cancel::{CancelIo, CancelIoEx};
pub(crate) use close::{abandon, duplicate, owes};
pub use close::{closesocket, winsock_fd};
pub use connect::{ConnectEx, WSAConnect, connect};
pub use create::{WSASocketW, socket};
pub use disconnect::DisconnectEx;
pub use event_select::{WSAEnumNetworkEvents, WSAEventSelect};
pub use messages::{WSARecvMsg, WSASendMsg};
pub use options::{getsockopt, setsockopt};
pub use overlapped::{
    GetOverlappedResult, GetOverlappedResultEx, SetFileCompletionNotificationModes, WSAGetOverlappedResult,
};
pub use poll::WSAPoll;
pub use receive::{WSARecv, WSARecvFrom, recv, recvfrom};
pub use select::{__WSAFDIsSet, select};
pub use send::{WSASend, WSASendTo, send, sendto};
pub use transmit_file::TransmitFile;

pub(crate) use cancel::cancel_of_thread;
pub(crate) use close::close_all_sockets;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Stream,
    Datagram,
    Raw,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Neither bound nor connected.
    Fresh,
    Bound,
    Connecting,
    /// A stream with a peer, or a datagram socket with one.
    Connected,
    Listening,
    /// The handle is gone; what a non-blocking send accepted is still on its way out.
    Lingering,
    /// The handle is gone.
    Closed,
}

/// What is known of the kernel's receive queue without asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readable {
    /// Nothing: it must be tried.
    Unknown,
    /// An edge said so, and nothing was received since.
    Yes,
    /// It was emptied, and an edge will say when that changes.
    No,
    /// It was emptied while no edge was to tell of what comes; whoever registers the descriptor is told.
    Emptied,
}

/// Options that live here because the kernel has no such thing or would not give back what was set.
#[derive(Clone)]
pub(crate) struct Options {
    /// SO_RCVTIMEO and SO_SNDTIMEO in milliseconds; 0 is for ever.
    pub(crate) receive_timeout: u32,
    pub(crate) send_timeout: u32,
    /// SO_RCVBUF and SO_SNDBUF as the program set them: Linux doubles what it is given.
    pub(crate) receive_buffer: Option<i32>,
    pub(crate) send_buffer: Option<i32>,
    /// The seconds of SO_LINGER, if it is on. The kernel learns of it when the socket is closed.
    pub(crate) linger: Option<u16>,
    pub(crate) reuse_address: bool,
    pub(crate) exclusive_address_use: bool,
    pub(crate) conditional_accept: bool,
    pub(crate) oob_inline: bool,
    /// Options that are kept and change nothing, a bit each.
    pub(crate) inert: u8,
    /// SIO_UDP_CONNRESET: whether a refused datagram fails a later receive.
    pub(crate) udp_connection_reset: bool,
    /// Level, name and value of what was set on a stream socket before it had a connection: AcceptEx puts another
    /// descriptor behind the handle, which is to have them too.
    pub(crate) replay: Vec<(i32, i32, i32)>,
}

impl Options {
    const DEFAULT: Options = Options {
        receive_timeout: 0,
        send_timeout: 0,
        receive_buffer: None,
        send_buffer: None,
        linger: None,
        reuse_address: false,
        exclusive_address_use: false,
        conditional_accept: false,
        oob_inline: false,
        inert: 0,
        udp_connection_reset: true,
        replay: Vec::new(),
    };
}

/// The port that a socket was associated with.
#[derive(Clone)]
pub(crate) struct Association {
    pub(crate) port: Arc<Port>,
    pub(crate) key: usize,
}

/// What a socket has only while it is in some state.
#[derive(Default)]
enum Part {
    #[default]
    None,
    /// The listener with a pending AcceptEx whose connection this socket is to be.
    AcceptingFor(&'static Socket),
    Listener(Box<Listener>),
    Connecting(Box<Connecting>),
    ConnectedAt(Instant),
}

/// What few sockets have.
#[derive(Default)]
struct Rare {
    options: Option<Box<Options>>,
    /// Receives of urgent data: satisfied independently of the others (D48).
    urgent_receives: Option<Box<Fifo>>,
    /// The event that says whether the handle is signalled to those who wait for it.
    waitable: Option<dispatcher::Object>,
    /// Handles of the socket beside the first.
    duplicates: u32,
}

/// What every message touches comes first.
#[repr(C)]
pub(crate) struct State {
    /// The descriptor; -1 when there is none.
    fd: RawFd,
    /// The handle that the socket was made with; 0 when it is closed.
    pub(crate) handle: u32,
    /// How often it was registered with an epoll, to tell edges that come late.
    registration: u16,
    pub(crate) kind: Kind,
    pub(crate) phase: Phase,
    pub(crate) nonblocking: bool,
    /// WSA_FLAG_OVERLAPPED.
    pub(crate) overlapped: bool,
    /// SD_RECEIVE and SD_SEND.
    pub(crate) receive_shut: bool,
    pub(crate) send_shut: bool,
    /// The peer's end of stream was received.
    pub(crate) end_of_stream: bool,
    pub(crate) readable: Readable,
    /// RDHUP, HUP, ERR or PRI was seen: an emptied queue may have more behind it without an edge.
    pub(crate) sticky: bool,
    /// Another thread than the one at home waited for what an edge brought: the next that uses the socket takes it home.
    away: bool,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS and its sisters, as set.
    pub(crate) notification_modes: u8,
    /// Whether the handle itself is signalled.
    signalled: Cell<bool>,
    /// A thread in select looks or looked at this socket.
    pub(crate) selected: bool,
    /// Nobody has asked for the descriptor since it was made: it is as new.
    fd_untouched: Cell<bool>,
    /// What ended the connection, as a WSA code, once an operation has reported it (D52); 0 while it lives.
    pub(crate) fatal: i32,
    /// The set of a call of select that has this socket already.
    pub(crate) select_stamp: u32,
    pub(crate) association: Option<Association>,
    /// The epoll that the descriptor is registered with: its port's, or the home of a thread.
    watcher: Option<Arc<Epoll>>,
    pub(crate) sends: Apart,
    /// Since network events were selected for the first time, or inherited.
    pub(crate) network_events: Option<Box<NetworkEvents>>,
    pub(crate) receives: Fifo,
    rare: Option<Box<Rare>>,
    part: Part,
    /// The error of the last connect that failed later (S29): SO_ERROR, and the except set of select.
    pub(crate) connect_error: i32,
    pub(crate) protocol: i32,
    pub(crate) family: ADDRESS_FAMILY,
    /// The last connect failed, so that select shows the socket in the except set (S28, S31).
    pub(crate) connect_failed: bool,
    /// Connected by ConnectEx, and SO_UPDATE_CONNECT_CONTEXT not set yet (X25).
    pub(crate) connect_context: bool,
    /// Given back by DisconnectEx or TransmitFile: AcceptEx takes it bound, too, and ConnectEx unbound.
    pub(crate) reused: bool,
    /// An ICMP "port unreachable" that a send met, for the next receive (D69).
    pub(crate) refused_datagram: bool,
    /// The listener's selection, which the connection has inherited, is of FD_ACCEPT alone.
    pub(crate) inherited_accept: bool,
    /// The connection was taken by a listener.
    pub(crate) accepted: bool,
}

/// A socket. Never freed but recycled in place, so that a pointer to one stays valid: who holds one locks it and looks
/// whether it is still what it was.
pub(crate) struct Socket {
    state: Mutex<State, rank::Socket>,
    /// How many threads poll the descriptor in a blocking call.
    blocked: AtomicU32,
    /// Its first handle.
    pub(crate) value: Value,
}

const _: () = assert!(size_of::<Socket>() <= 216, "PLATFORM.md says what a socket costs");

/// A socket, locked.
pub(crate) struct Locked {
    pub(crate) socket: &'static Socket,
    guard: MutexGuard<'static, State, rank::Socket>,
}

impl Deref for Locked {
    type Target = State;

    fn deref(&self) -> &State {
        &self.guard
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.guard
    }
}

/// Locks the socket that a handle means.
#[inline]
#[cfg_attr(debug_assertions, track_caller)]
pub(crate) fn lock(handle: SOCKET) -> WsaResult<Locked> {
    let (value, socket, handle) = table::candidate(handle).ok_or(WsaError(WSAENOTSOCK))?;
    let locked = socket.lock();
    if value.means(handle) { Ok(locked) } else { fail(WSAENOTSOCK) }
}

/// Locks a second socket. Others may lock the two the other way round, so it is waited for without the first.
#[cfg_attr(debug_assertions, track_caller)]
pub(crate) fn lock_second(first: &mut Locked, handle: SOCKET) -> WsaResult<Locked> {
    loop {
        let (value, socket, handle) = table::socket(handle).ok_or(WsaError(WSAENOTSOCK))?;
        if let Some(second) = socket.try_lock() {
            return if value.means(handle) { Ok(second) } else { fail(WSAENOTSOCK) };
        }
        if !first.let_go_until_free(socket) {
            return fail(WSAENOTSOCK);
        }
    }
}

/// A new socket over a descriptor, with a handle of its own.
pub(crate) fn create(fd: OwnedFd, set_up: impl FnOnce(&mut State)) -> WsaResult<SOCKET> {
    let socket = table::take_socket().ok_or(WsaError(WSAEMFILE))?;
    let mut state = socket.lock();
    set_up(&mut state);
    let handle = table::open(socket);
    state.handle = handle;
    state.guard.fd = fd.into_raw_fd();
    Ok(handle as SOCKET)
}

/// What an edge makes possible.
pub(crate) fn ready(socket: &'static Socket, registration: u16, edges: i32) {
    let mut locked = socket.lock();
    // An edge may come late: of a descriptor that is closed by now, or watched elsewhere, where it comes again.
    if locked.fd < 0 || locked.registration != registration {
        return;
    }
    let wakes = dispatcher::wakes();
    if run(&mut locked, edges) {
        locked.away = dispatcher::wakes() != wakes || watchdog::is_me();
    }
}

/// False if the socket was closed meanwhile.
fn run(locked: &mut Locked, edges: i32) -> bool {
    let ended = libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
    if edges & (ended | libc::EPOLLPRI) != 0 {
        locked.sticky = true;
    }
    if edges & (libc::EPOLLHUP | libc::EPOLLERR | libc::EPOLLPRI) != 0 {
        // Whether there is something to receive, and not only an error to report, is still to be asked.
        locked.readable = Readable::Unknown;
    } else if edges & (libc::EPOLLIN | libc::EPOLLRDHUP) != 0 {
        locked.readable = Readable::Yes;
    }
    let waited = Waited { receives: !locked.receives.is_empty(), sends: !locked.sends.is_empty() };
    let phase = locked.phase;
    match phase {
        Phase::Listening if !accept_ex::drain(locked) => return false,
        Phase::Connecting => connect::settle(locked),
        _ => {}
    }
    receive::drain(locked, None);
    if edges & (libc::EPOLLOUT | ended) != 0 || transmission::waits_for_end(locked) {
        send::drain(locked, None);
        locked.sends.settle();
    }
    if locked.network_events.is_some() {
        arrivals::edge(locked, edges, waited);
    }
    true
}

impl Socket {
    pub(crate) fn new(value: Value) -> Socket {
        Socket { state: Mutex::new(State::new()), blocked: AtomicU32::new(0), value }
    }

    /// Waits for the socket's lock. The calling thread has no other socket locked.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn lock(&'static self) -> Locked {
        Locked { socket: self, guard: self.state.lock() }
    }

    /// Locks the socket if nobody has it locked.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn try_lock(&'static self) -> Option<Locked> {
        self.state.try_lock().map(|guard| Locked { socket: self, guard })
    }
}

impl State {
    fn new() -> State {
        State {
            fd: -1,
            fd_untouched: Cell::new(false),
            handle: 0,
            registration: 0,
            kind: Kind::Stream,
            phase: Phase::Closed,
            nonblocking: false,
            overlapped: false,
            receive_shut: false,
            send_shut: false,
            end_of_stream: false,
            readable: Readable::Unknown,
            sticky: false,
            away: false,
            notification_modes: 0,
            signalled: Cell::new(false),
            selected: false,
            accepted: false,
            fatal: 0,
            association: None,
            watcher: None,
            sends: Apart::default(),
            network_events: None,
            receives: Fifo::default(),
            rare: None,
            part: Part::None,
            connect_error: 0,
            select_stamp: 0,
            family: AF_UNSPEC,
            protocol: 0,
            connect_failed: false,
            connect_context: false,
            reused: false,
            refused_datagram: false,
            inherited_accept: false,
        }
    }

    /// Makes it that of a socket that is not in use. The numbers of registrations go on: an edge may come late, when
    /// the socket is another one already.
    fn clear(&mut self) {
        let registration = self.registration;
        *self = State::new();
        self.registration = registration;
    }

    pub(crate) fn fd(&self) -> RawFd {
        // Whatever is done with it may leave traces.
        self.fd_untouched.set(false);
        self.fd
    }

    /// Whether edges tell when the descriptor becomes ready.
    pub(crate) fn is_watched(&self) -> bool {
        self.watcher.is_some()
    }

    /// Whether its edges come where they are waited for, as far as is known.
    fn is_at_home(&self) -> bool {
        self.is_watched() && !self.away
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.kind == Kind::Stream
    }

    pub(crate) fn options(&self) -> &Options {
        let options = self.rare.as_ref().and_then(|rare| rare.options.as_deref());
        options.unwrap_or(const { &Options::DEFAULT })
    }

    pub(crate) fn options_mut(&mut self) -> &mut Options {
        self.rare().options.get_or_insert_with(|| Box::new(Options::DEFAULT))
    }

    /// The options, if any was set.
    fn own_options(&self) -> Option<Box<Options>> {
        self.rare.as_ref()?.options.clone()
    }

    /// Takes over those of another socket.
    fn set_own_options(&mut self, options: Option<Box<Options>>) {
        if options.is_some() || self.rare.is_some() {
            self.rare().options = options;
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The listener with a pending AcceptEx whose connection this socket is to be.
    pub(crate) fn accepting_for(&self) -> Option<&'static Socket> {
        match self.part {
            Part::AcceptingFor(listener) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn accept_for(&mut self, listener: &'static Socket) {
        self.part = Part::AcceptingFor(listener);
    }

    /// Makes an acceptor an ordinary socket again.
    pub(crate) fn stop_accepting(&mut self) -> Option<&'static Socket> {
        let listener = self.accepting_for()?;
        self.part = Part::None;
        Some(listener)
    }

    pub(crate) fn listener(&self) -> Option<&Listener> {
        match &self.part {
            Part::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn listener_mut(&mut self) -> Option<&mut Listener> {
        match &mut self.part {
            Part::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn listen(&mut self) {
        self.part = Part::Listener(Box::new(Listener::new(self.fd())));
    }

    pub(crate) fn take_listener(&mut self) -> Option<Box<Listener>> {
        match std::mem::take(&mut self.part) {
            Part::Listener(listener) => Some(listener),
            other => {
                self.part = other;
                None
            }
        }
    }

    /// The connect under way.
    pub(crate) fn connecting(&self) -> Option<&Connecting> {
        match &self.part {
            Part::Connecting(connecting) => Some(connecting),
            _ => None,
        }
    }

    pub(crate) fn begin_connecting(&mut self, connecting: Connecting) {
        self.part = Part::Connecting(Box::new(connecting));
    }

    pub(crate) fn take_connecting(&mut self) -> Option<Box<Connecting>> {
        match std::mem::take(&mut self.part) {
            Part::Connecting(connecting) => Some(connecting),
            other => {
                self.part = other;
                None
            }
        }
    }

    /// When the connection was made, if there is one.
    pub(crate) fn connected_at(&self) -> Option<Instant> {
        match self.part {
            Part::ConnectedAt(time) => Some(time),
            _ => None,
        }
    }

    /// Notes that there is a connection from now on.
    pub(crate) fn connected_now(&mut self) {
        self.part = Part::ConnectedAt(Instant::now());
    }

    /// Notes that there is none any more.
    pub(crate) fn not_connected(&mut self) {
        self.part = Part::None;
    }

    /// The queue of receives of urgent data, if there are any.
    pub(crate) fn urgent_receives(&mut self) -> Option<&mut Fifo> {
        self.rare.as_mut()?.urgent_receives.as_deref_mut()
    }

    pub(crate) fn awaits_urgent_data(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.urgent_receives.is_some())
    }

    pub(crate) fn urgent_queue(&mut self) -> &mut Fifo {
        self.rare().urgent_receives.get_or_insert_default()
    }

    pub(crate) fn take_urgent_receives(&mut self) -> Option<Box<Fifo>> {
        self.rare.as_mut()?.urgent_receives.take()
    }

    pub(crate) fn set_urgent_receives(&mut self, queue: Box<Fifo>) {
        self.rare().urgent_receives = Some(queue);
    }

    fn add_duplicate(&mut self) {
        self.rare().duplicates += 1;
    }

    /// Whether there was a handle beside the first, which there is no more.
    fn take_duplicate(&mut self) -> bool {
        let Some(rare) = self.rare.as_mut().filter(|rare| rare.duplicates > 0) else { return false };
        rare.duplicates -= 1;
        true
    }

    /// Whether the next receive is to be told that a datagram was refused.
    pub(crate) fn owes_refusal(&self) -> bool {
        self.refused_datagram && self.options().udp_connection_reset
    }

    /// Signals the handle, for an operation without an event, unless the program asked to leave it alone (P39).
    pub(crate) fn signal(&self, notice: &Notice) {
        if self.signals(notice) {
            self.signalled.set(true);
            if let Some(object) = self.waited_for() {
                object.set();
            }
        }
    }

    /// Who waits for the handle waits no longer: it is closed.
    pub(crate) fn release_waiters(&self) {
        if let Some(object) = self.waited_for() {
            object.set();
        }
    }

    fn signals(&self, notice: &Notice) -> bool {
        notice.is_by_handle() && u32::from(self.notification_modes) & FILE_SKIP_SET_EVENT_ON_HANDLE == 0
    }

    /// What [`State::signal`] would set, for those who may not have the lock when they want to.
    pub(crate) fn signalled_by(&mut self, notice: &Notice) -> Option<dispatcher::Object> {
        self.signals(notice).then(|| self.waitable())
    }

    /// The handle is what is waited for until an operation has completed.
    pub(crate) fn unsignal(&self) {
        self.signalled.set(false);
        if let Some(object) = self.waited_for() {
            object.reset();
        }
    }

    /// What waiting for the handle waits for.
    pub(crate) fn waitable(&mut self) -> dispatcher::Object {
        let signalled = self.signalled.get();
        self.rare().waitable.get_or_insert_with(|| dispatcher::Object::event(true, signalled)).clone()
    }

    fn waited_for(&self) -> Option<&dispatcher::Object> {
        self.rare.as_ref()?.waitable.as_ref()
    }

    /// Ends the connection for all later operations.
    pub(crate) fn end(&mut self, code: i32) {
        if self.fatal == 0 {
            self.fatal = code;
        }
        self.sticky = true;
    }
}

impl Locked {
    /// Lets go of the lock for the time of `f`.
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn unlocked<T>(&mut self, f: impl FnOnce() -> T) -> T {
        MutexGuard::unlocked(&mut self.guard, f)
    }

    /// Lets go of the lock until another socket's was free; false if this socket was closed meanwhile.
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn let_go_until_free(&mut self, other: &'static Socket) -> bool {
        let mine = self.handle;
        self.unlocked(|| drop(other.lock()));
        self.handle == mine
    }

    /// Registers the descriptor with the epoll that the socket belongs to: its port's, or the home of the calling
    /// thread. What is ready already comes as an edge.
    #[inline]
    pub(crate) fn watch(&mut self) -> OsResult<()> {
        if self.watcher.is_some() && !self.away {
            return Ok(());
        }
        self.watch_here()
    }

    fn watch_here(&mut self) -> OsResult<()> {
        let away = std::mem::take(&mut self.away);
        if self.watcher.is_some() && (!away || self.association.is_some()) {
            return Ok(());
        }
        let epoll = match &self.association {
            Some(association) => association.port.epoll()?.clone(),
            None => match thread::home() {
                // Far from home is better than nowhere.
                Err(_) if self.is_watched() => return Ok(()),
                home => home?,
            },
        };
        self.watch_at(epoll)
    }

    /// Registers the descriptor with an epoll, and with no other.
    pub(crate) fn watch_at(&mut self, epoll: Arc<Epoll>) -> OsResult<()> {
        if self.watcher.as_ref().is_some_and(|watcher| Arc::ptr_eq(watcher, &epoll)) {
            return Ok(());
        }
        arrivals::before_registration(self);
        self.unwatch();
        self.registration = self.registration.wrapping_add(1);
        epoll.add(self.fd, self.socket, self.registration)?;
        self.watcher = Some(epoll);
        if self.readable == Readable::Emptied {
            self.readable = Readable::No;
        }
        Ok(())
    }

    /// Takes the descriptor from the epoll again.
    pub(crate) fn unwatch(&mut self) {
        if let Some(epoll) = self.watcher.take() {
            epoll.remove(self.fd);
            self.readable = Readable::Unknown;
        }
    }

    /// Puts another descriptor behind the handle. The old one is closed, or handed on if it is as new.
    pub(crate) fn replace_fd(&mut self, fd: OwnedFd) {
        let was_watched = self.is_watched();
        self.unwatch();
        for &(level, name, value) in &self.options().replay {
            let _ = os::set_option(fd.as_raw_fd(), level, name, value);
        }
        let old = own(std::mem::replace(&mut self.guard.fd, fd.into_raw_fd()));
        self.sticky = false;
        if let Some(old) = old
            && self.fd_untouched.replace(false)
            && !was_watched
        {
            spare::keep(self.family, self.protocol, old);
        }
    }

    /// Takes the descriptor away.
    pub(crate) fn take_fd(&mut self) -> Option<OwnedFd> {
        own(std::mem::replace(&mut self.guard.fd, -1))
    }

    /// Blocks the calling thread, without the lock, until `events` hold for the descriptor or the time is over, or now
    /// and then earlier: when routines have run (D75).
    ///
    /// # Errors
    /// WSAEINTR if the socket was closed meanwhile; WSAETIMEDOUT; if the call was cancelled, WSA_OPERATION_ABORTED on a
    /// stream and WSAEINTR on a listener or a datagram socket (D78).
    pub(crate) fn block(&mut self, events: i16, deadline: Deadline) -> WsaResult<()> {
        let (socket, handle, fd) = (self.socket, self.handle, self.fd);
        let timeout = deadline.remaining();
        let me = thread::current();
        // Without a descriptor to spare the call cannot be cancelled, and works.
        let wake = Eventfd::for_call(&me).ok();
        let call = wake.as_ref().map(|wake| Blocked::polling(&me, Target::Socket(handle), wake.clone()));
        socket.blocked.fetch_add(1, Ordering::Relaxed);
        let result = self.unlocked(|| poll_alertably(&me, wake.as_ref(), fd, events, timeout));
        let cancelled = call.is_some_and(Blocked::end);
        let last = socket.blocked.fetch_sub(1, Ordering::Relaxed) == 1;
        if self.handle != handle {
            if last {
                os::futex_wake(&socket.blocked);
            }
            return fail(WSAEINTR);
        }
        if cancelled {
            let stream = self.is_stream() && self.phase != Phase::Listening;
            return fail(if stream { WSA_OPERATION_ABORTED } else { WSAEINTR });
        }
        match result {
            Ok(0) if deadline.is_over() => fail(WSAETIMEDOUT),
            Ok(_) => Ok(()),
            Err(errno) => fail(wsa_from_errno(errno)),
        }
    }

    /// Whether threads poll the descriptor in blocking calls.
    pub(crate) fn has_blocked(&self) -> bool {
        self.socket.blocked.load(Ordering::Relaxed) > 0
    }

    /// Gives the socket back to the pool: the handle is gone, the descriptor taken, and nobody blocks on it.
    pub(crate) fn recycle(&mut self) {
        debug_assert!(self.fd < 0 && self.socket.blocked.load(Ordering::Relaxed) == 0);
        self.guard.clear();
        table::give_back(self.socket);
    }
}

/// Polls a descriptor, and with it the thread's eventfd, by which the call is cancelled and routines are announced.
fn poll_alertably(
    me: &thread::Current,
    wake: Option<&Eventfd>,
    fd: RawFd,
    events: i16,
    timeout: Option<Duration>,
) -> OsResult<usize> {
    let _elsewhere = blocking();
    let Some(wake) = wake else {
        // Routines could not reach the thread.
        let mut fds = [libc::pollfd { fd, events, revents: 0 }];
        return if me.can_get_apcs() { Err(libc::EMFILE) } else { os::poll(&mut fds, timeout) };
    };
    let mut fds = [libc::pollfd { fd, events, revents: 0 }, wake.poll_entry()];
    let polled = match wake.own() {
        Some(own) => Alertable::enter(me, Elsewhere::Descriptor(own.clone()))
            .map_or(Ok(0), |_alertable| os::poll(&mut fds, timeout)),
        None => os::poll(&mut fds, timeout),
    };
    if fds[1].revents != 0 {
        wake.reported();
    }
    if wake.own().is_some() {
        // What a routine blocks in is another call, and was not given this one's OVERLAPPED.
        me.blocked.with_overlapped(0, || dispatcher::run_queued_apcs(me));
    }
    polled
}

fn own(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: the descriptor belonged to the socket, which has just let go of it.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Drop for State {
    fn drop(&mut self) {
        // Descriptors are taken out before; this is for a socket whose set-up failed half-way.
        drop(own(self.fd));
    }
}

#[cfg(test)]
mod tests;
