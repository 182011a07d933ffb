//! CancelIo, CancelIoEx, and what the end of a thread cancels.

use crate::blocked::{self, Target};
use crate::error::finish_bool;
use crate::file::{self, standard};
use crate::objects::table;
use crate::socket::address_calls::finish_sending;
use crate::socket::overlapped::{self, Completion};
use crate::socket::request::{Request, Role};
use crate::socket::{Locked, accept_ex, connect, lock, receive, select, send};
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
    if standard::descriptor(hfile).is_some() {
        return TRUE;
    }
    let result = lock(hfile as SOCKET).map(|mut socket| cancel(&mut socket, |request| request.thread == mine));
    finish_bool(result.map(drop).map_err(|_| ERROR_INVALID_HANDLE))
}

/// Cancels one operation on a handle, or all of them if `lpoverlapped` is null, of any thread of the process (D78).
///
/// Calls that threads are blocked in on the handle are cancelled too, if `lpoverlapped` is null or was given to them: Win32
/// functions fail with ERROR_OPERATION_ABORTED, Winsock functions with WSAEINTR on a listener or a datagram socket and with
/// WSA_OPERATION_ABORTED on a stream. `select` and `WSAPoll` are not.
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
    let blocked = |target| blocked::cancel_on(target, lpoverlapped);
    if let Some(stream) = standard::descriptor(hfile) {
        return finish_bool(if blocked(Target::Standard(stream)) > 0 { Ok(()) } else { Err(ERROR_NOT_FOUND) });
    }
    let named = |request: &Request| lpoverlapped.is_null() || request.overlapped.cast_const() == lpoverlapped;
    let result = lock(hfile as SOCKET).map(|mut socket| {
        // With the lock: a thread that has left its call would not be blocked on the socket.
        let calls = if socket.has_blocked() { blocked(Target::Socket(socket.handle)) } else { 0 };
        calls + cancel(&mut socket, named)
    });
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

/// Ends the operations that `wanted` names; returns how many. The lock may be let go of meanwhile: the socket may have been
/// closed when this returns.
fn cancel(socket: &mut Locked, wanted: impl Fn(&Request) -> bool) -> usize {
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
    taken.len() + accept_ex::cancel(socket, wanted)
}
