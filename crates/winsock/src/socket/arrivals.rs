//! From the kernel to the record of network events, and from the record to the event or the window.
//!
//! Edges say that something has come; calls that re-enable an event are followed by one look at what still holds, since
//! a receive that leaves data gives no edge. Two things make that harder than it sounds:
//!
//! * What epoll reports with an edge is all that holds then, not what is new. Data that was told of and not received yet
//!   is in the mask of an edge that the end of the stream made.
//! * An edge may be harvested after a look has seen what it is about, and would tell of it twice (V7).
//!
//! So what was told of and not consumed yet *stands*, with the amount that waited when it was last looked at; an edge in
//! doubt is asked whether more waits now. In the usual case nothing is in doubt: an edge finds nothing standing, the
//! program receives less than its buffer holds, which says that nothing is left, and no system call is spent on any of
//! this.
//!
//! A wrong FD_CLOSE would end a healthy connection, so it is never taken from an edge, which may be older than the
//! connection, but from a look.

use crate::dispatcher::Object;
use crate::error::{WsaError, WsaResult, wsa_from_errno};
use crate::message;
use crate::os::{self, OsResult};
use crate::socket::network_events::{ACCEPT, CONNECT, Mode, Notice, OOB, READ, Record, WRITE, in_order};
use crate::socket::{Locked, Phase, Readable, State, connect, lock};
use crate::thread;
use crate::types::*;

/// What a socket has since its network events were selected for the first time.
pub(crate) struct NetworkEvents {
    record: Record,
    target: Target,
    /// Data, or connections at a listener.
    standing: Standing,
    /// How much is to be received before the urgent byte that was told of and waits.
    urgent_at: Option<u32>,
    /// Its edge has been harvested since, so that another edge is about another one.
    urgent_edge_seen: bool,
    /// The thread that received last; 0 if none did.
    receiver: u32,
}

/// Who is told of events.
#[derive(Clone)]
pub(crate) enum Target {
    Nobody,
    Event(Object),
    /// A window, and the message that it wants.
    Window(usize, u32),
}

/// What was told of and was not consumed yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    /// Something that nobody has measured.
    Something,
    /// See [`amount`].
    Amount(u32),
}

/// What a look finds.
struct Now {
    /// Conditions that hold: FD_READ, FD_WRITE, FD_OOB, FD_ACCEPT.
    holds: u32,
    standing: Standing,
    urgent_at: Option<u32>,
    /// The connection has ended, and with what error.
    closed: Option<i32>,
}

impl Now {
    const NOTHING: Now = Now { holds: 0, standing: Standing::Nothing, urgent_at: None, closed: None };
}

const ENDED: i32 = libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;

impl NetworkEvents {
    /// For a socket whose first events come by the first edge.
    fn new(record: Record) -> NetworkEvents {
        NetworkEvents {
            record,
            target: Target::Nobody,
            standing: Standing::Nothing,
            urgent_at: None,
            urgent_edge_seen: false,
            receiver: 0,
        }
    }

    /// Notes what a look has found, and its teller is about to tell.
    fn stand(&mut self, now: &Now) {
        (self.standing, self.urgent_at, self.urgent_edge_seen) = (now.standing, now.urgent_at, false);
    }

    /// Does what the record says is to be done for the socket with this handle.
    fn act(&self, notice: Notice, handle: u32) {
        match (notice, &self.target) {
            (Notice::Set, Target::Event(event)) => event.set(),
            (Notice::Post(events), &Target::Window(window, id)) => {
                for event in in_order(events) {
                    // A window that is gone is told nothing.
                    let error = self.record.error(event) as u32;
                    let _ = message::post_network_event(window, id, handle as SOCKET, event, error);
                }
            }
            _ => {}
        }
    }
}

// What the calls ask for.

/// Whether events are selected, so that the socket may not become blocking (A2).
pub(crate) fn are_selected(socket: &State) -> bool {
    let recorded = || socket.network_events.as_ref().is_some_and(|events| events.record.mode() != Mode::Off);
    socket.inherited_accept || recorded()
}

/// Selects events for an event object or a window, and makes the socket non-blocking.
pub(crate) fn select(socket: &mut Locked, selected: u32, target: Target) -> WsaResult<()> {
    connect::settle(socket);
    watch_for(socket, &target).map_err(|errno| WsaError(wsa_from_errno(errno)))?;
    socket.nonblocking = true;
    socket.inherited_accept = false;
    let now = look(socket);
    begin(socket, &now);
    let (handle, connected) = (socket.handle, socket.phase == Phase::Connected);
    let Some(events) = &mut socket.network_events else { return Ok(()) };
    // What the look finds out is news for the record, too, and nobody is to be told of it twice.
    events.record.deselect();
    take_over(events, &now, connected);
    events.target = target;
    let notice = match events.target {
        Target::Window(..) => events.record.select_for_messages(selected, now.holds),
        _ => events.record.select_for_event(selected),
    };
    events.act(notice, handle);
    Ok(())
}

/// Has the socket's edges harvested where its events are waited for.
fn watch_for(socket: &mut Locked, target: &Target) -> OsResult<()> {
    match *target {
        // The thread of the window is the one that wants the messages, whoever calls.
        Target::Window(window, _) if socket.association.is_none() => match message::home_of(window) {
            Some(home) => socket.watch_at(home),
            None => socket.watch(),
        },
        _ => socket.watch(),
    }
}

/// Has the socket follow its events to the calling thread, if another one waited for them than harvested them.
fn come_home(socket: &mut Locked) {
    if socket.is_at_home() {
        return;
    }
    let Some(events) = &socket.network_events else { return };
    // Registering gives an edge for what is there already. To tell what is new then, it must be known how much that is.
    if events.record.mode() == Mode::Event && events.standing != Standing::Something {
        // If it cannot be watched here, it stays where it is.
        let _ = socket.watch();
    }
}

/// Ends the selection. The record goes on (V8).
pub(crate) fn deselect(socket: &mut Locked) {
    socket.nonblocking = true;
    socket.inherited_accept = false;
    if let Some(events) = &mut socket.network_events {
        events.record.deselect();
        events.target = Target::Nobody;
    }
}

/// Takes what is recorded and selected, and what makes a caller's event agree with that.
pub(crate) fn enumerate(socket: &mut Locked, mut each: impl FnMut(u32, i32)) {
    if let Some(events) = &mut socket.network_events {
        let taken = events.record.enumerate();
        in_order(taken).for_each(|event| each(event, events.record.error(event)));
        come_home(socket);
    }
}

/// Makes the record of a socket, if nobody has asked for its events before: what holds counts as having begun (V8), and
/// so does a connect that is over (V17, V19).
fn begin(socket: &mut Locked, now: &Now) {
    if socket.network_events.is_some() {
        return;
    }
    // A datagram socket that is not bound has that recorded when it is (V23).
    let writable = socket.is_stream() || socket.phase != Phase::Fresh;
    let mut begun = if writable { now.holds & WRITE } else { 0 };
    if (socket.phase == Phase::Connected && !socket.accepted) || socket.connect_error != 0 {
        begun |= CONNECT;
    }
    socket.network_events = Some(Box::new(NetworkEvents::new(Record::new(begun, socket.connect_error))));
}

/// Notes what a look at a socket, connected or not, has found before its edge was harvested, while nobody is to be told.
fn take_over(events: &mut NetworkEvents, now: &Now, connected: bool) {
    let arrived = match (events.standing, now.standing) {
        (Standing::Nothing, _) => true,
        (Standing::Amount(known), Standing::Amount(amount)) => amount > known,
        // How much of it is new only an edge can tell.
        _ => false,
    };
    if arrived {
        events.standing = now.standing;
        for event in in_order(now.holds & (READ | ACCEPT)) {
            let _ = events.record.arrived(event);
        }
    }
    if now.urgent_at > events.urgent_at {
        (events.urgent_at, events.urgent_edge_seen) = (now.urgent_at, false);
        let _ = events.record.arrived(OOB);
    }
    if let Some(error) = now.closed {
        let _ = events.record.closed(error);
    }
    if connected && now.holds & WRITE == 0 {
        // Room will be news.
        events.record.send_refused();
    }
}

/// What a connection inherits of its listener's selection of events (V21, A9).
pub(crate) struct Inheritance {
    selected: u32,
    target: Target,
}

/// What the connections of a listener inherit, if events are selected.
pub(crate) fn inheritance(listener: &State) -> Option<Inheritance> {
    let events = listener.network_events.as_ref().filter(|_| are_selected(listener))?;
    Some(Inheritance { selected: events.record.selected(), target: events.target.clone() })
}

impl Inheritance {
    /// Gives it to a new connection.
    pub(crate) fn give_to(self, connection: SOCKET) -> WsaResult<()> {
        let mut socket = lock(connection)?;
        if self.selected == ACCEPT {
            // A connection never has it. Without a record, what it receives and sends needs no looks.
            socket.inherited_accept = true;
            return Ok(());
        }
        let mut events = Box::new(NetworkEvents::new(Record::default()));
        let _nothing_yet = match self.target {
            Target::Window(..) => events.record.select_for_messages(self.selected, 0),
            _ => events.record.select_for_event(self.selected),
        };
        events.target = self.target;
        socket.network_events = Some(events);
        accepted(&mut socket)
    }
}

// What happens.

/// Which queues an edge has found requests in.
#[derive(Clone, Copy)]
pub(crate) struct Waited {
    pub(crate) receives: bool,
    pub(crate) sends: bool,
}

/// What an edge tells. The queues have run.
pub(crate) fn edge(socket: &mut Locked, edges: i32, waited: Waited) {
    let refused = socket.network_events.as_ref().is_some_and(|events| events.record.waits_for_room());
    // Room for a send can have made the edge.
    let for_room = refused || waited.sends;
    match socket.phase {
        Phase::Listening => connection_edge(socket),
        Phase::Connected if socket.is_stream() => {
            let urgent = urgent_edge(socket, edges, for_room);
            data_edge(socket, edges, waited.receives, for_room || urgent);
            room(socket);
            end_edge(socket, edges);
        }
        _ if !socket.is_stream() => {
            data_edge(socket, edges, waited.receives, for_room);
            room(socket);
        }
        _ => {}
    }
}

fn connection_edge(socket: &mut Locked) {
    let amount = connections(socket);
    let Some(events) = &mut socket.network_events else { return };
    let known = if let Standing::Amount(known) = events.standing { known } else { 0 };
    events.standing = Standing::Amount(amount);
    if amount > known {
        tell(socket, |record| record.arrived(ACCEPT));
    }
}

/// `received` says that a receive waited when the edge came, `other` that something else can have made it.
fn data_edge(socket: &mut Locked, edges: i32, received: bool, other: bool) {
    if received {
        return after_receiving(socket);
    }
    let meant = if socket.is_stream() { libc::EPOLLIN } else { libc::EPOLLIN | libc::EPOLLERR };
    let Some(events) = &socket.network_events else { return };
    if edges & meant == 0 {
        return;
    }
    let only_data = edges & ENDED == 0 && !other;
    // Who harvests the edge and receives cannot have received since it was harvested.
    let same_thread = events.receiver == 0 || events.receiver == thread::number();
    let (standing, arrived) = match events.standing {
        Standing::Nothing if only_data && same_thread => (Standing::Something, true),
        Standing::Nothing => {
            let now = look(socket);
            (now.standing, now.holds & READ != 0)
        }
        Standing::Something if only_data => (Standing::Something, true),
        Standing::Something => (Standing::Amount(amount(socket)), false),
        Standing::Amount(known) => {
            let amount = amount(socket);
            // What comes behind an urgent byte is not counted: of such edges the first may be older than the look.
            let uncounted = edges & libc::EPOLLPRI != 0 && amount <= known && only_data;
            (if uncounted { Standing::Something } else { Standing::Amount(amount) }, amount > known)
        }
    };
    if let Some(events) = &mut socket.network_events {
        events.standing = standing;
    }
    if arrived {
        tell(socket, |record| record.arrived(READ));
    }
}

/// Whether an urgent byte has made the edge, which room for a send may have made, too.
fn urgent_edge(socket: &mut Locked, edges: i32, for_room: bool) -> bool {
    if edges & libc::EPOLLPRI == 0 {
        return false;
    }
    let now = look(socket);
    let Some(events) = &mut socket.network_events else { return false };
    let known = std::mem::replace(&mut events.urgent_at, now.urgent_at);
    let another =
        std::mem::replace(&mut events.urgent_edge_seen, true) && edges & (ENDED | libc::EPOLLIN) == 0 && !for_room;
    // A second urgent byte moves the mark and makes the first an ordinary one; or, if the first was next to be received,
    // takes its place.
    let arrived = now.urgent_at > known || (now.urgent_at.is_some() && another);
    if arrived {
        tell(socket, |record| record.arrived(OOB));
    }
    arrived
}

fn end_edge(socket: &mut Locked, edges: i32) {
    let is_over = socket.network_events.as_ref().is_none_or(|events| events.record.is_closed());
    if edges & ENDED == 0 || is_over {
        return;
    }
    let polled = os::poll_now(socket.fd(), libc::POLLRDHUP);
    if let Some(error) = end_of_connection(socket, polled) {
        tell(socket, |record| record.closed(error));
    }
}

/// There may be room for a send.
pub(crate) fn room(socket: &mut Locked) {
    let asked = socket.network_events.as_ref().is_some_and(|events| events.record.waits_for_room());
    if !asked || !socket.sends.is_empty() || !is_open(socket) {
        return;
    }
    let polled = os::poll_now(socket.fd(), libc::POLLOUT);
    let ended = socket.is_stream() && polled & (libc::POLLHUP | libc::POLLERR) != 0;
    if polled & libc::POLLOUT != 0 && !ended {
        tell(socket, |record| record.has_room());
    }
}

/// A connect has ended.
pub(crate) fn connect_ended(socket: &mut Locked) {
    let error = socket.connect_error;
    match socket.phase {
        Phase::Connected => {
            forget_standing(socket);
            tell(socket, |record| record.connected());
        }
        _ => tell(socket, |record| record.connect_failed(error)),
    }
}

/// The socket has become a connection that a listener took. What that brings comes as its first edge.
pub(crate) fn accepted(socket: &mut Locked) -> WsaResult<()> {
    if socket.network_events.is_none() {
        return Ok(());
    }
    forget_standing(socket);
    tell(socket, |record| record.accepted());
    let target = socket.network_events.as_ref().map_or(Target::Nobody, |events| events.target.clone());
    watch_for(socket, &target).map_err(|errno| WsaError(wsa_from_errno(errno)))
}

/// A socket has a local address.
pub(crate) fn bound(socket: &mut Locked) {
    if !socket.is_stream() {
        tell(socket, |record| record.bound());
    }
}

/// A datagram socket has a peer.
pub(crate) fn has_peer(socket: &mut Locked) {
    tell(socket, |record| record.has_peer());
}

/// The descriptor is about to be registered, which gives an edge for all that holds.
pub(crate) fn before_registration(socket: &mut Locked) {
    if socket.network_events.is_none() {
        return;
    }
    let amount = amount(socket);
    if let Some(events) = &mut socket.network_events {
        events.urgent_edge_seen = false;
        if events.standing == Standing::Something {
            events.standing = Standing::Amount(amount);
        }
    }
}

// Calls that re-enable.

/// A call to receive has been made (A15).
#[inline]
pub(crate) fn receive_called<T>(socket: &mut Locked, result: &WsaResult<T>) {
    if socket.network_events.is_some() {
        note_receive(socket, result);
    }
}

fn note_receive<T>(socket: &mut Locked, result: &WsaResult<T>) {
    let Some(events) = &mut socket.network_events else { return };
    let at_fault = result.as_ref().is_err_and(|error| is_fault(error.0));
    if !at_fault {
        events.receiver = thread::number();
        after_receiving(socket);
        come_home(socket);
    } else if events.record.mode() == Mode::Message {
        let now = look(socket);
        tell(socket, |record| record.failed(OOB, now.holds & OOB != 0));
        tell(socket, |record| record.failed(READ, now.holds & READ != 0));
    }
}

fn after_receiving(socket: &mut Locked) {
    let Some(events) = &socket.network_events else { return };
    let is_empty = socket.readable == Readable::No && events.urgent_at.is_none();
    if is_empty || !socket.receives.is_empty() {
        if let Some(events) = &mut socket.network_events {
            events.stand(&Now::NOTHING);
            events.record.consumed(OOB | READ);
        }
        return;
    }
    let now = look_at_data(socket);
    if let Some(events) = &mut socket.network_events {
        events.stand(&now);
    }
    tell(socket, |record| record.re_enabled(OOB, now.holds & OOB != 0));
    tell(socket, |record| record.re_enabled(READ, now.holds & READ != 0));
}

/// A call to accept a connection has been made, and has not deferred it (A15, X39).
pub(crate) fn accept_called<T>(socket: &mut Locked, result: &WsaResult<T>) {
    let Some(events) = &socket.network_events else { return };
    let at_fault = result.as_ref().is_err_and(|error| is_fault(error.0));
    if at_fault && events.record.mode() != Mode::Message {
        return;
    }
    let amount = connections(socket);
    socket.network_events.iter_mut().for_each(|events| events.standing = Standing::Amount(amount));
    match at_fault {
        true => tell(socket, |record| record.failed(ACCEPT, amount > 0)),
        false => tell(socket, |record| record.re_enabled(ACCEPT, amount > 0)),
    }
}

/// A call to send has been made.
pub(crate) fn send_called<T>(socket: &mut Locked, result: &WsaResult<T>) {
    if let Some(events) = &mut socket.network_events
        && matches!(result, Err(WsaError(WSAEWOULDBLOCK)))
    {
        events.record.send_refused();
    }
}

/// Whether a call failed by what it was given, without touching what there is to receive or accept.
fn is_fault(code: i32) -> bool {
    matches!(code, WSAEFAULT | WSAEINVAL | WSAEOPNOTSUPP | WSAENOTCONN | WSAESHUTDOWN)
}

// Looks.

fn look(socket: &mut Locked) -> Now {
    match socket.phase {
        Phase::Listening => {
            let amount = connections(socket);
            let holds = if amount > 0 { ACCEPT } else { 0 };
            Now { holds, standing: Standing::Amount(amount), ..Now::NOTHING }
        }
        Phase::Connected if socket.is_stream() => look_at_stream(socket),
        _ if !socket.is_stream() => look_at_datagrams(socket),
        _ => Now::NOTHING,
    }
}

fn look_at_stream(socket: &Locked) -> Now {
    let polled = os::poll_now(socket.fd(), libc::POLLIN | libc::POLLOUT | libc::POLLPRI | libc::POLLRDHUP);
    let has = |events: i16| polled & events != 0;
    let amount = amount(socket);
    let closed = end_of_connection(socket, polled);
    // The end of the stream is readable too, and is no data (A31).
    let data = if closed.is_some() { amount > 0 } else { has(libc::POLLIN) };
    let urgent = has(libc::POLLPRI) && !socket.options().oob_inline && !socket.awaits_urgent_data();
    let mut now = Now { closed, ..Now::NOTHING };
    if data && is_unclaimed(socket) {
        now.holds |= READ;
        now.standing = Standing::Amount(amount);
    }
    if urgent {
        now.holds |= OOB;
        now.urgent_at = Some(amount);
    }
    if has(libc::POLLOUT) && socket.sends.is_empty() && is_open(socket) && closed != Some(WSAECONNABORTED) {
        now.holds |= WRITE;
    }
    now
}

fn look_at_datagrams(socket: &Locked) -> Now {
    let polled = os::poll_now(socket.fd(), libc::POLLIN | libc::POLLOUT);
    let met = polled & libc::POLLERR != 0 && socket.options().udp_connection_reset;
    let refused = met || socket.owes_refusal();
    let mut now = Now::NOTHING;
    if (polled & libc::POLLIN != 0 || refused) && is_unclaimed(socket) {
        now.holds |= READ;
        now.standing = Standing::Amount(amount(socket));
    }
    if polled & libc::POLLOUT != 0 && socket.sends.is_empty() && !socket.send_shut {
        now.holds |= WRITE;
    }
    now
}

/// Looks for data, by one call where no urgent byte and no end of the stream has been seen.
fn look_at_data(socket: &mut Locked) -> Now {
    if !socket.is_stream() || socket.sticky {
        return look(socket);
    }
    match amount(socket) {
        0 => Now::NOTHING,
        amount => Now { holds: READ, standing: Standing::Amount(amount), ..Now::NOTHING },
    }
}

/// Whether data that comes is the program's to receive: that which a pending operation waits for is not (A29, V22).
fn is_unclaimed(socket: &State) -> bool {
    socket.receives.is_empty() && socket.fatal == 0
}

fn is_open(socket: &State) -> bool {
    socket.fatal == 0 && !socket.send_shut
}

/// Whether the connection has ended, by what `poll` says now, and with what error. The kernel's own error may have been
/// taken from it by a call, which then has noted it.
fn end_of_connection(socket: &State, polled: i16) -> Option<i32> {
    if i32::from(polled) & ENDED == 0 {
        return None;
    }
    let reset = polled & libc::POLLERR != 0 || socket.fatal != 0;
    Some(if reset { WSAECONNABORTED } else { 0 })
}

/// How many connections wait to be accepted; none if pending operations wait for them (S36).
fn connections(socket: &State) -> u32 {
    let Some(queues) = socket.listener() else { return 0 };
    if !queues.accepts.is_empty() {
        return 0;
    }
    let waiting = if socket.readable == Readable::No { 0 } else { os::connections_waiting(socket.fd()).unwrap_or(0) };
    queues.deferred.len() as u32 + waiting
}

/// A measure of what waits to be received, which grows with each arrival: of a stream the bytes (up to an urgent mark),
/// of a datagram socket the memory.
fn amount(socket: &State) -> u32 {
    let amount = match socket.is_stream() {
        true => os::ioctl_read(socket.fd(), libc::FIONREAD as _).map(|bytes| bytes as u32),
        false => os::receive_memory(socket.fd()),
    };
    // A descriptor that cannot be asked has nothing to give.
    amount.unwrap_or(0)
}

fn forget_standing(socket: &mut Locked) {
    if let Some(events) = &mut socket.network_events {
        events.stand(&Now::NOTHING);
    }
}

fn tell(socket: &mut Locked, input: impl FnOnce(&mut Record) -> Notice) {
    let handle = socket.handle;
    if let Some(events) = &mut socket.network_events {
        let notice = input(&mut events.record);
        events.act(notice, handle);
    }
}

#[cfg(test)]
mod tests;
