//! AcceptEx: a connection, and on request its first data, as one overlapped operation of the listener.
//!
//! The acceptor's handle exists before the connection does; the connection's descriptor is put behind it. The first
//! data is then a receive in the acceptor's queue that completes as the listener's operation: with the listener's port
//! and key.

use crate::address::Address;
use crate::dispatcher;
use crate::error::{WsaError, fail, finish_bool, wsa_from_errno};
use crate::objects::table;
use crate::socket::accept::{self, Connection, next_connection};
use crate::socket::overlapped::{self, Completion, Operation, Overlapped};
use crate::socket::request::{Request, Role};
use crate::socket::{
    Association, Locked, Phase, Readable, Socket, State, arrivals, lock, lock_second, receive, select,
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
    /// Makes the acceptor an ordinary fresh socket again. Called under the listener's lock.
    pub(crate) fn release_acceptor(&self) {
        let mut acceptor = self.acceptor.lock();
        if acceptor.handle == self.acceptor_handle {
            acceptor.stop_accepting();
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

/// What a receive in an acceptor's queue has to know of the listener's operation.
pub(crate) struct AcceptData {
    /// The listener, by its handle.
    pub(crate) listener: u32,
    association: Option<Association>,
    /// The listener's handle, if that is what is waited for.
    handle: Option<dispatcher::Object>,
}

/// The acceptors of a listener that wait for first data. Entries outlive what they name and are weeded out now and
/// then: an acceptor's lock is held when its data comes, and the listener's may not be taken after it.
#[derive(Default)]
pub(crate) struct Receiving {
    acceptors: Vec<(&'static Socket, u32)>,
    weed_at: usize,
}

impl Receiving {
    fn push(&mut self, acceptor: &'static Socket, handle: u32, listener: u32) {
        if self.acceptors.len() >= self.weed_at {
            self.acceptors.retain(|&(acceptor, handle)| {
                let acceptor = acceptor.lock();
                acceptor.handle == handle && acceptor.receives.iter().any(|request| belongs_to(request, listener))
            });
            self.weed_at = (2 * self.acceptors.len()).max(64);
        }
        self.acceptors.push((acceptor, handle));
    }

    /// Takes the requests of this listener that `wanted` names out of their acceptors' queues and ends them.
    pub(crate) fn cancel(&mut self, listener: u32, wanted: impl Fn(&Request) -> bool) -> usize {
        let mut count = 0;
        for &(acceptor, handle) in &self.acceptors {
            let mut acceptor = acceptor.lock();
            if acceptor.handle != handle {
                continue;
            }
            let taken = acceptor.receives.take(|request| belongs_to(request, listener) && wanted(request));
            count += taken.len();
            for request in taken {
                end_data_phase(request, Completion::failure(STATUS_CANCELLED));
            }
        }
        count
    }
}

fn belongs_to(request: &Request, listener: u32) -> bool {
    matches!(&request.role, Role::AcceptData(data) if data.listener == listener)
}

/// Ends an AcceptEx in its data phase.
pub(crate) fn end_data_phase(request: Request, completion: Completion) {
    if let Role::AcceptData(data) = &request.role {
        overlapped::indicate(
            data.association.as_ref(),
            request.overlapped,
            &request.notice,
            request.thread,
            completion,
        );
        data.handle.iter().for_each(|handle| handle.set());
    }
}

/// Gives waiting operations the connections that are there. Edge-triggered: until there are none.
pub(crate) fn drain(listener: &mut Locked) {
    loop {
        let Some(queues) = listener.listener() else { return };
        if queues.accepts.is_empty() || (listener.readable == Readable::No && !queues.has_deferred()) {
            return;
        }
        match next_connection(listener) {
            Ok(connection) => {
                connect_acceptor(listener, connection);
                if listener.listener().is_some_and(|queues| queues.accepts.is_empty()) {
                    select::look_again(listener);
                }
            }
            Err(libc::EAGAIN) => return,
            Err(_) => return starve(listener),
        }
    }
}

/// Without a free descriptor the connection stays with the kernel, and no edge will come for it: try again later.
fn starve(listener: &mut Locked) {
    let socket = listener.socket;
    if let Some(queues) = listener.listener_mut()
        && !std::mem::replace(&mut queues.starved, true)
    {
        watchdog::retry_accept(socket);
    }
}

/// Tries again to take what a listener without descriptors had to leave.
pub(crate) fn retry(listener: &'static Socket) {
    let mut listener = listener.lock();
    if let Some(queues) = listener.listener_mut() {
        queues.starved = false;
        listener.readable = Readable::Yes;
        drain(&mut listener);
    }
}

fn connect_acceptor(listener: &mut Locked, connection: Connection) {
    let listener_handle = listener.handle;
    let association = listener.association.clone();
    // Where the listener's edges are taken, the acceptor's are.
    let epoll = listener.watcher.clone();
    let Some(queues) = listener.listener_mut() else { return accept::reset(connection) };
    let Some(pending) = queues.accepts.pop_front() else { return queues.deferred.push_front(connection) };
    let output = pending.output;
    let local = queues.local_address(&connection);
    if !output.fits(&local, &connection.peer) {
        // The connection is not consumed: the next accept gets it (X7).
        queues.deferred.push_front(connection);
        pending.release_acceptor();
        return overlapped::complete(listener, &pending.request, Completion::failure(STATUS_BUFFER_TOO_SMALL));
    }
    let AcceptRequest { mut request, acceptor, acceptor_handle, .. } = pending;
    let mut target = acceptor.lock();
    if target.handle != acceptor_handle {
        // Closed a moment ago by a thread that has not got to the listener yet.
        queues.deferred.push_front(connection);
        return overlapped::complete(listener, &request, Completion::failure(STATUS_CANCELLED));
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
        return overlapped::complete(listener, &request, Completion::success(0));
    }
    let handle = listener.signalled_by(&request.notice);
    request.role = Role::AcceptData(Box::new(AcceptData { listener: listener_handle, association, handle }));
    if let Some(queues) = listener.listener_mut() {
        queues.receiving.push(acceptor, acceptor_handle, listener_handle);
    }
    target.receives.push(request);
    if epoll.is_none_or(|epoll| target.watch_at(epoll).is_err()) {
        for request in target.receives.take(|request| belongs_to(request, listener_handle)) {
            end_data_phase(request, Completion::failure(STATUS_INSUFFICIENT_RESOURCES));
        }
        return;
    }
    receive::drain(&mut target, None);
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
/// connection stays.
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
        drain(&mut listener);
        let pending = fail::<()>(WSA_IO_PENDING);
        arrivals::accept_called(&mut listener, &pending);
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
