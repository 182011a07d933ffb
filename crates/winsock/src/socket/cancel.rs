//! CancelIo, CancelIoEx, and what the end of a thread cancels.

use crate::error::finish_bool;
use crate::file;
use crate::objects::table;
use crate::socket::address_calls::finish_sending;
use crate::socket::overlapped::{self, Completion};
use crate::socket::request::{Request, Role};
use crate::socket::{Locked, connect, lock, receive, select, send};
use crate::thread;
use crate::types::*;

/// Cancels the calling thread's operations on a handle (D77). TRUE even if there are none.
///
/// A cancelled operation completes with ERROR_OPERATION_ABORTED and all its indications.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_CancelIo")]
pub unsafe extern "system" fn CancelIo(hfile: HANDLE) -> BOOL {
    let mine = thread::number();
    if let Some(file) = file::find(hfile) {
        file.cancel_of(mine);
        return TRUE;
    }
    let result = lock(hfile as SOCKET).map(|mut socket| cancel(&mut socket, |request| request.thread == mine));
    finish_bool(result.map(drop).map_err(|_| ERROR_INVALID_HANDLE))
}

/// Cancels one operation on a handle, or all of them if `lpoverlapped` is null, of any thread of the process (D78).
///
/// Does not wait: an operation may also end normally, as a transfer of a regular file that has begun always does. Data
/// that a non-blocking send has accepted is no operation.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE, or ERROR_NOT_FOUND if nothing was cancelled.
///
/// # Safety
/// `lpoverlapped` is only compared.
#[unsafe(export_name = "ws_CancelIoEx")]
pub unsafe extern "system" fn CancelIoEx(hfile: HANDLE, lpoverlapped: *const OVERLAPPED) -> BOOL {
    if let Some(file) = file::find(hfile) {
        return finish_bool(if file.cancel_one(lpoverlapped) { Ok(()) } else { Err(ERROR_NOT_FOUND) });
    }
    let named = |request: &Request| lpoverlapped.is_null() || request.overlapped.cast_const() == lpoverlapped;
    let result = lock(hfile as SOCKET).map(|mut socket| cancel(&mut socket, named));
    finish_bool(match result {
        Ok(0) => Err(ERROR_NOT_FOUND),
        Ok(_) => Ok(()),
        Err(_) => Err(ERROR_INVALID_HANDLE),
    })
}

/// Cancels what a thread that ends leaves behind, but for operations whose completion goes to a port alone (D87).
pub(crate) fn cancel_of_thread(number: u32) {
    for handle in table::all_sockets() {
        if let Ok(mut socket) = lock(handle) {
            let port = socket.association.is_some();
            cancel(&mut socket, |request| request.thread == number && !(port && request.notice.is_for_port()));
        }
    }
}

/// Ends the operations that `wanted` names; returns how many. Blocking calls are no operations.
fn cancel(socket: &mut Locked, wanted: impl Fn(&Request) -> bool) -> usize {
    let handle = socket.handle;
    let is_operation = |request: &Request| {
        // An AcceptEx in its data phase is the listener's operation (D80).
        !request.is_synchronous() && !matches!(request.role, Role::Spill | Role::AcceptData(_)) && wanted(request)
    };
    let mut taken = socket.receives.take(is_operation);
    if let Some(queue) = socket.urgent_receives() {
        taken.extend(queue.take(is_operation));
    }
    taken.extend(socket.sends.take(is_operation));
    if socket.connecting().and_then(|connecting| connecting.request()).is_some_and(is_operation) {
        taken.extend(connect::give_up(socket));
    }
    let mut count = taken.len();
    if let Some(listener) = socket.listener_mut() {
        let (cancelled, kept) = listener.accepts.drain(..).partition(|accept| wanted(&accept.request));
        listener.accepts = kept;
        let cancelled: std::collections::VecDeque<_> = cancelled;
        count += cancelled.len() + listener.receiving.cancel(handle, &wanted);
        for accept in cancelled {
            accept.release_acceptor();
            taken.push(accept.request);
        }
    }
    for request in &taken {
        overlapped::complete(socket, request, Completion::failure(STATUS_CANCELLED));
    }
    // What queued behind a cancelled request may go on.
    if !taken.is_empty() {
        select::look_again(socket);
        receive::drain(socket, None);
        send::drain(socket, None);
        finish_sending(socket);
    }
    count
}
