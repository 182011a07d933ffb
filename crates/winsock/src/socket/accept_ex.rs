//! AcceptEx: a connection, and on request its first data, as one overlapped operation of the listener.
//!
//! The acceptor's handle exists before the connection does; the connection's descriptor is put behind it. The first
//! data is then a receive in the acceptor's queue that completes as the listener's operation: with the listener's port
//! and key.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use crate::address::Address;
use crate::blocked::{self, Target};
use crate::dispatcher;
use crate::error::{WsaError, fail, finish_bool, status_from_errno, wsa_from_errno};
use crate::objects::table;
use crate::os::{self, Errno};
use crate::socket::accept::{self, Connection, Listener, next_connection};
use crate::socket::overlapped::{self, Completion, Operation, Overlapped};
use crate::socket::request::{Request, Role};
use crate::socket::{
    Association, Locked, Phase, Readable, Socket, State, arrivals, create, lock, lock_second, receive, select,
};
use crate::types::*;
use crate::watchdog;

/// Where AcceptEx puts what it learns: the data, the local address, the peer's.
#[derive(Clone, Copy)]
struct Output {
    buffer: *mut u8,
    data_len: u32,
    local_len: u32,
    remote_len: u32,
}

/// A pending AcceptEx without a connection.
pub(crate) struct AcceptRequest {
    pub(crate) request: Request,
    acceptor: &'static Socket,
    acceptor_handle: u32,
    output: Output,
}

// SAFETY: the buffer is the caller's, who keeps it alive and untouched until completion.
unsafe impl Send for AcceptRequest {}

impl AcceptRequest {
    /// Makes the acceptor an ordinary fresh socket again.
    fn release_acceptor(&self) {
        let mut acceptor = self.acceptor.lock();
        if acceptor.handle == self.acceptor_handle {
            acceptor.stop_accepting();
            if acceptor.fd < 0 {
                // It was given up for a connection that has gone. Failing, calls on the socket say that there is none.
                if let Ok(fd) = create::descriptor_for(&acceptor) {
                    acceptor.replace_fd(fd);
                }
            }
        }
    }
}

/// An acceptor was closed: the operation that was to make it a connection is cancelled (X13).
pub(crate) fn acceptor_closed(listener: &'static Socket, acceptor: &'static Socket) {
    let mut listener = listener.lock();
    let Some(queues) = listener.listener_mut() else { return };
    let Some(at) = queues.accepts.iter().position(|accept| std::ptr::eq(accept.acceptor, acceptor)) else { return };
    if let Some(accept) = queues.accepts.remove(at) {
        overlapped::complete(&listener, &accept.request, Completion::failure(STATUS_CANCELLED));
        select::look_again(&listener);
    }
}

/// What tells of the end of a listener's operation where the listener is not locked.
struct Teller {
    association: Option<Association>,
    /// The listener's handle, if that is what is waited for.
    handle: Option<dispatcher::Object>,
}

impl Teller {
    fn new(listener: &mut State, request: &Request) -> Teller {
        Teller { association: listener.association.clone(), handle: listener.signalled_by(&request.notice) }
    }

    fn tell(&self, request: &Request, completion: Completion) {
        let association = self.association.as_ref();
        overlapped::indicate(association, request.overlapped, &request.notice, request.thread, completion);
        self.handle.iter().for_each(|handle| handle.set());
    }
}

/// What a receive in an acceptor's queue has to know of the listener's operation.
pub(crate) struct AcceptData {
    teller: Teller,
    receiving: Receiving,
    /// The acceptor, by its handle.
    acceptor: u32,
}

impl Drop for AcceptData {
    fn drop(&mut self) {
        self.receiving.0.lock().remove(&self.acceptor);
    }
}

/// The acceptors of a listener that wait for first data, by their handles. Nothing is locked under its lock, so that it may
/// be taken with a socket locked: the acceptor whose operation ends.
#[derive(Clone, Default)]
pub(crate) struct Receiving(Arc<Mutex<HashMap<u32, &'static Socket>, rank::Leaf>>);

impl Receiving {
    fn add(&self, acceptor: &Locked, teller: Teller) -> AcceptData {
        self.0.lock().insert(acceptor.handle, acceptor.socket);
        AcceptData { teller, receiving: self.clone(), acceptor: acceptor.handle }
    }

    /// Takes the operations that `wanted` names out of their acceptors' queues and has them end. The caller has no socket
    /// locked. Returns how many there were.
    fn take(&self, wanted: impl Fn(&Request) -> bool, end: impl Fn(Request)) -> usize {
        let acceptors: Vec<_> = self.0.lock().iter().map(|(&handle, &acceptor)| (handle, acceptor)).collect();
        let mut count = 0;
        for (handle, acceptor) in acceptors {
            let mut acceptor = acceptor.lock();
            // One that was closed meanwhile has ended its operation.
            if acceptor.handle == handle {
                let taken = acceptor.receives.take(|request| self.has(request) && wanted(request));
                count += taken.len();
                taken.into_iter().for_each(&end);
            }
        }
        count
    }

    fn has(&self, request: &Request) -> bool {
        matches!(&request.role, Role::AcceptData(data) if Arc::ptr_eq(&data.receiving.0, &self.0))
    }
}

/// Ends an AcceptEx in its data phase.
pub(crate) fn end_data_phase(request: Request, completion: Completion) {
    if let Role::AcceptData(data) = &request.role {
        data.teller.tell(&request, completion);
    }
}

/// Operations without a connection that were taken out of their listener's queue and are to end.
struct Taken(Vec<(AcceptRequest, Teller)>);

impl Taken {
    fn new(listener: &mut State, accepts: impl IntoIterator<Item = AcceptRequest>) -> Taken {
        let with_teller = |accept: AcceptRequest| {
            let teller = Teller::new(listener, &accept.request);
            (accept, teller)
        };
        Taken(accepts.into_iter().map(with_teller).collect())
    }

    /// Ends them. The caller has no socket locked.
    fn end(self, completion: Completion, indicate: bool) -> usize {
        for (accept, teller) in &self.0 {
            // First, since a program that learns of the end may use the acceptor at once.
            accept.release_acceptor();
            match indicate {
                true => teller.tell(&accept.request, completion),
                false => overlapped::end_silently(&accept.request, completion),
            }
        }
        self.0.len()
    }
}

/// Cancels the operations of a listener that `wanted` names; returns how many. The lock is let go of meanwhile, since each
/// operation has a second socket: the listener may have been closed when this returns.
pub(crate) fn cancel(listener: &mut Locked, wanted: impl Fn(&Request) -> bool) -> usize {
    let Some(queues) = listener.listener_mut() else { return 0 };
    let receiving = queues.receiving.clone();
    let (cancelled, kept): (VecDeque<_>, _) = queues.accepts.drain(..).partition(|accept| wanted(&accept.request));
    queues.accepts = kept;
    if !cancelled.is_empty() {
        select::look_again(listener);
    }
    let cancelled = Taken::new(listener, cancelled);
    let completion = Completion::failure(STATUS_CANCELLED);
    listener.unlocked(|| {
        let waited_for_data = receiving.take(wanted, |request| end_data_phase(request, completion));
        waited_for_data + cancelled.end(completion, true)
    })
}

/// Ends all operations of a listener that is being closed. The lock is let go of meanwhile.
pub(crate) fn end_all(listener: &mut Locked, queues: Listener, indicate: bool) {
    let accepts = Taken::new(listener, queues.accepts);
    let completion = Completion::failure(STATUS_CANCELLED);
    let end_data_phase = |request: Request| match indicate {
        true => end_data_phase(request, completion),
        false => overlapped::end_silently(&request, completion),
    };
    listener.unlocked(|| {
        queues.deferred.into_iter().for_each(accept::reset);
        queues.receiving.take(|_| true, end_data_phase);
        accepts.end(completion, indicate);
    });
}

/// Gives waiting operations the connections that are there. Edge-triggered: until there are none. The lock may be let go of
/// meanwhile; false if the listener was closed then.
#[must_use = "a listener that was closed may be another socket by now"]
pub(crate) fn drain(listener: &mut Locked) -> bool {
    let mut gave_up = false;
    loop {
        let Some(queues) = listener.listener() else { return true };
        if queues.accepts.is_empty() {
            if queues.has_deferred() {
                tell_of_deferred(listener);
            }
            return true;
        }
        if (listener.readable == Readable::No || queues.refused) && !queues.has_deferred() {
            return true;
        }
        let goes_on = match next_connection(listener) {
            Ok(connection) => {
                gave_up = false;
                let goes_on = connect_acceptor(listener, connection);
                if goes_on && listener.listener().is_some_and(|queues| queues.accepts.is_empty()) {
                    select::look_again(listener);
                }
                goes_on
            }
            Err(libc::EAGAIN) => return true,
            // The limit has been lowered below what was given up, or another thread has taken it.
            Err(errno @ (libc::EMFILE | libc::ENFILE)) if gave_up => refused(listener, errno),
            Err(libc::EMFILE | libc::ENFILE) => match end_lack_of_descriptors(listener) {
                Lack::Ended => {
                    gave_up = true;
                    true
                }
                Lack::Unfelt => return true,
                Lack::Lasts => {
                    starve(listener);
                    return true;
                }
            },
            Err(libc::ENOBUFS | libc::ENOMEM) => {
                starve(listener);
                return true;
            }
            Err(errno) => refused(listener, errno),
        };
        if !goes_on {
            return false;
        }
    }
}

/// A connection that was put back is for accept: threads in that call and in select do not learn of it by the descriptor.
fn tell_of_deferred(listener: &Locked) {
    if listener.has_blocked() {
        blocked::wake_on(Target::Socket(listener.handle));
    }
    select::look_again(listener);
}

/// What is to be said of a lack of descriptors.
enum Lack {
    /// One is free now.
    Ended,
    /// There is no connection that needs one.
    Unfelt,
    Lasts,
}

/// Frees a descriptor for a connection, if there is one to take. An acceptor that waits needs no descriptor: it is given the
/// connection's.
fn end_lack_of_descriptors(listener: &mut Locked) -> Lack {
    // The kernel asks for a descriptor before it looks for a connection.
    if os::poll_now(listener.fd(), libc::POLLIN) == 0 {
        listener.readable = if listener.is_watched() { Readable::No } else { Readable::Unknown };
        return Lack::Unfelt;
    }
    let give_up = |accept: &AcceptRequest| {
        let mut acceptor = accept.acceptor.try_lock()?;
        // One that is bound could not be bound again to the same port.
        let dispensable = acceptor.handle == accept.acceptor_handle && acceptor.phase == Phase::Fresh;
        if dispensable {
            acceptor.unwatch();
        }
        dispensable.then(|| acceptor.take_fd()).flatten()
    };
    match listener.listener().and_then(|queues| queues.accepts.iter().find_map(give_up)) {
        Some(descriptor) => {
            drop(descriptor);
            Lack::Ended
        }
        None => Lack::Lasts,
    }
}

/// Without a descriptor or memory the connection stays with the kernel, and no edge will come for it: try again later.
fn starve(listener: &mut Locked) {
    let socket = listener.socket;
    if let Some(queues) = listener.listener_mut()
        && !std::mem::replace(&mut queues.starved, true)
    {
        watchdog::retry_accept(socket);
    }
}

/// The system refuses connections. One operation ends with that; the others wait for the next try. False if the listener
/// was closed meanwhile.
fn refused(listener: &mut Locked, errno: Errno) -> bool {
    starve(listener);
    let Some(queues) = listener.listener_mut() else { return true };
    queues.refused = true;
    let accept = queues.accepts.pop_front();
    let (mine, taken) = (listener.handle, Taken::new(listener, accept));
    listener.unlocked(|| taken.end(Completion::failure(status_from_errno(errno)), true));
    listener.handle == mine
}

/// Tries again to take what a listener had to leave.
pub(crate) fn retry(listener: &'static Socket) {
    let mut listener = listener.lock();
    if let Some(queues) = listener.listener_mut() {
        queues.starved = false;
        queues.refused = false;
        listener.readable = Readable::Yes;
        let _closed = drain(&mut listener);
    }
}

/// Makes the first acceptor in the queue the connection. The lock may be let go of meanwhile; false if the listener was closed
/// then.
fn connect_acceptor(listener: &mut Locked, connection: Connection) -> bool {
    // Where the listener's edges are taken, the acceptor's are.
    let epoll = listener.watcher.clone();
    let Some(queues) = listener.listener_mut() else {
        accept::reset(connection);
        return true;
    };
    let Some(acceptor) = queues.accepts.front().map(|accept| accept.acceptor) else {
        queues.deferred.push_front(connection);
        return true;
    };
    let Some(mut target) = acceptor.try_lock() else {
        // The connection is given away anew when the lock has been free.
        queues.deferred.push_front(connection);
        return listener.let_go_until_free(acceptor);
    };
    let Some(pending) = queues.accepts.pop_front() else { unreachable!("it was looked at under the same lock") };
    let AcceptRequest { mut request, acceptor_handle, output, .. } = pending;
    let local = queues.local_address(&connection);
    if target.handle != acceptor_handle {
        // Closed a moment ago by a thread that has not got to the listener yet.
        queues.deferred.push_front(connection);
        overlapped::complete(listener, &request, Completion::failure(STATUS_CANCELLED));
        return true;
    }
    if !output.fits(&local, &connection.peer) {
        // The connection is not consumed: the next accept gets it (X7).
        queues.deferred.push_front(connection);
        target.stop_accepting();
        overlapped::complete(listener, &request, Completion::failure(STATUS_BUFFER_TOO_SMALL));
        return true;
    }
    output.write(&local, &connection.peer);
    target.replace_fd(connection.fd);
    target.phase = Phase::Connected;
    target.connected_now();
    target.accepted = true;
    // If it cannot be watched, neither can what follows.
    let _ = arrivals::accepted(&mut target);
    if output.data_len == 0 {
        drop(target);
        overlapped::complete(listener, &request, Completion::success(0));
        return true;
    }
    let teller = Teller::new(listener, &request);
    let Some(queues) = listener.listener_mut() else { unreachable!("it is locked") };
    request.role = Role::AcceptData(Box::new(queues.receiving.add(&target, teller)));
    target.receives.push(request);
    if epoll.is_none_or(|epoll| target.watch_at(epoll).is_err()) {
        for request in target.receives.take(|request| matches!(request.role, Role::AcceptData(_))) {
            end_data_phase(request, Completion::failure(STATUS_INSUFFICIENT_RESOURCES));
        }
        return true;
    }
    receive::drain(&mut target, None);
    true
}

impl Output {
    fn fits(&self, local: &Address, peer: &Address) -> bool {
        let local_fits = self.local_len == 0 || self.local_len as i32 >= local.winsock_len() + 16;
        local_fits && self.remote_len as i32 >= peer.winsock_len() + 16
    }

    fn write(&self, local: &Address, peer: &Address) {
        let (at_local, at_peer) = (self.data_len as usize, self.data_len as usize + self.local_len as usize);
        for (address, offset, space) in [(local, at_local, self.local_len), (peer, at_peer, self.remote_len)] {
            let mut len = space as i32;
            // SAFETY: the program keeps the buffer writable, for all three parts, until the operation completes. A
            // local part of length 0 takes nothing, which is as asked.
            let _ = unsafe { address.write(self.buffer.add(offset).cast(), &mut len) };
        }
    }
}

/// Accepts a connection as an overlapped operation. Fetched by WSAIoctl with WSAID_ACCEPTEX.
///
/// With `dwreceivedatalength` above 0 the operation completes when the first data (or the end of the stream) is there,
/// else when the connection is. It always pends, completes at the listener's port with the listener's key, and takes
/// the next connection before accept or an event sees it.
///
/// # Errors
/// FALSE with WSA_IO_PENDING, ERROR_INVALID_PARAMETER for a null OVERLAPPED, WSAENOTSOCK for either socket, WSAEINVAL if
/// the listener does not listen or the acceptor is not a fresh stream socket, WSAEFAULT for a null buffer or a
/// remote-address length of 0. Too short an address length ends the operation with ERROR_INSUFFICIENT_BUFFER; the
/// connection stays, as it does when the operation ends because the system refuses connections: with
/// ERROR_TOO_MANY_OPEN_FILES, ERROR_ACCESS_DENIED and the like.
///
/// # Safety
/// `lpoutputbuffer` is writable for the three lengths, and lives, as the OVERLAPPED does, until the operation completes.
#[unsafe(export_name = "ws_AcceptEx")]
pub unsafe extern "system" fn AcceptEx(
    slistensocket: SOCKET,
    sacceptsocket: SOCKET,
    lpoutputbuffer: *mut core::ffi::c_void,
    dwreceivedatalength: u32,
    dwlocaladdresslength: u32,
    dwremoteaddresslength: u32,
    _lpdwbytesreceived: *mut u32,
    lpoverlapped: *mut OVERLAPPED,
) -> BOOL {
    let run = || {
        // SAFETY: as the caller promises.
        let overlapped = unsafe { Overlapped::new(lpoverlapped) }.ok_or(WsaError(WSA_INVALID_PARAMETER))?;
        let mut listener = lock(slistensocket)?;
        let operation = Operation::new(overlapped, None);
        operation.begin();
        let itself = table::socket(sacceptsocket).is_some_and(|(_, other, _)| std::ptr::eq(other, listener.socket));
        if !itself {
            // Whether it is a socket comes first; what it is like is looked at below.
            drop(lock_second(&mut listener, sacceptsocket)?);
        }
        if listener.phase != Phase::Listening || itself {
            return fail(WSAEINVAL);
        }
        if lpoutputbuffer.is_null() || dwremoteaddresslength == 0 {
            return fail(WSAEFAULT);
        }
        let output = Output {
            buffer: lpoutputbuffer.cast(),
            data_len: dwreceivedatalength,
            local_len: dwlocaladdresslength,
            remote_len: dwremoteaddresslength,
        };
        let data = [WSABUF { len: dwreceivedatalength, buf: output.buffer }];
        let request = overlapped::request(&operation, 0, &data, Role::Plain);
        listener.watch().map_err(|errno| WsaError(wsa_from_errno(errno)))?;
        let mut acceptor = lock_second(&mut listener, sacceptsocket)?;
        if !is_fresh_stream(&acceptor) {
            return fail(WSAEINVAL);
        }
        let pending = AcceptRequest { request, acceptor: acceptor.socket, acceptor_handle: acceptor.handle, output };
        let socket = listener.socket;
        let Some(queues) = listener.listener_mut() else { return fail(WSAEINVAL) };
        queues.accepts.push_back(pending);
        acceptor.accept_for(socket);
        drop(acceptor);
        overlapped::pend(&listener, &operation);
        let pending = fail::<()>(WSA_IO_PENDING);
        if drain(&mut listener) {
            arrivals::accept_called(&mut listener, &pending);
        }
        pending
    };
    finish_bool(run().map_err(|error| error.0 as u32))
}

fn is_fresh_stream(state: &State) -> bool {
    let fresh = state.phase == Phase::Fresh || (state.phase == Phase::Bound && state.reused);
    state.is_stream() && fresh && state.accepting_for().is_none()
}

/// Finds the addresses in the buffer that AcceptEx filled. Fetched by WSAIoctl with WSAID_GETACCEPTEXSOCKADDRS.
///
/// With a local length of 0 the caller's local outputs are left alone.
///
/// # Safety
/// The buffer is one that AcceptEx has filled with these lengths; the other pointers are writable.
#[unsafe(export_name = "ws_GetAcceptExSockaddrs")]
pub unsafe extern "system" fn GetAcceptExSockaddrs(
    lpoutputbuffer: *const core::ffi::c_void,
    dwreceivedatalength: u32,
    dwlocaladdresslength: u32,
    dwremoteaddresslength: u32,
    localsockaddr: *mut *mut SOCKADDR,
    localsockaddrlength: *mut i32,
    remotesockaddr: *mut *mut SOCKADDR,
    remotesockaddrlength: *mut i32,
) {
    let buffer = lpoutputbuffer.cast_mut().cast::<u8>();
    let (at_local, at_peer) =
        (dwreceivedatalength as usize, dwreceivedatalength as usize + dwlocaladdresslength as usize);
    let parts = [
        (at_local, dwlocaladdresslength, localsockaddr, localsockaddrlength),
        (at_peer, dwremoteaddresslength, remotesockaddr, remotesockaddrlength),
    ];
    for (offset, len, address, address_len) in parts {
        if len == 0 || address.is_null() || address_len.is_null() {
            continue;
        }
        // SAFETY: as the caller promises; the part holds at least a family, which says how long the address is.
        unsafe {
            let place = buffer.add(offset).cast::<SOCKADDR>();
            let family = place.cast::<ADDRESS_FAMILY>().read_unaligned();
            *address = place;
            *address_len = match family {
                AF_INET6 => size_of::<SOCKADDR_IN6>() as i32,
                _ => size_of::<SOCKADDR_IN>() as i32,
            };
        }
    }
}
