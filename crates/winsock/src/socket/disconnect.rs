//! DisconnectEx.

use crate::error::{fail, finish_bool};
use crate::socket::overlapped::{Operation, Overlapped};
use crate::socket::transmission::{self, EMPTY, Transmission};
use crate::socket::{Phase, connect, lock};
use crate::types::*;

/// Ends a connection, and makes the handle one for another with TF_REUSE_SOCKET. Fetched by WSAIoctl with
/// WSAID_DISCONNECTEX.
///
/// Without that flag it is as shutdown with SD_SEND: what the peer still sends can be received. With it the operation ends
/// when the peer has ended its side too, what it sends meanwhile is lost, and the handle can be given to AcceptEx or
/// to ConnectEx. It keeps its options and its completion port; one for ConnectEx stays bound, to another
/// port of the same address, which has no TIME_WAIT to wait for. Always pends if there is an OVERLAPPED; without one the call
/// blocks until the operation is over.
///
/// # Errors
/// FALSE with WSA_IO_PENDING, WSAENOTSOCK, WSAENOTCONN, WSAEINVAL for another flag or if `dwreserved` is not 0.
///
/// # Safety
/// `lpoverlapped` is null or points to an OVERLAPPED that lives until the operation completes.
#[unsafe(export_name = "ws_DisconnectEx")]
pub unsafe extern "system" fn DisconnectEx(
    s: SOCKET,
    lpoverlapped: *mut OVERLAPPED,
    dwflags: u32,
    dwreserved: u32,
) -> BOOL {
    let run = || {
        let mut socket = lock(s)?;
        connect::settle(&mut socket);
        if !socket.is_stream() || socket.phase != Phase::Connected {
            return fail(WSAENOTCONN);
        }
        if dwreserved != 0 || dwflags & !TF_REUSE_SOCKET != 0 {
            return fail(WSAEINVAL);
        }
        let transmission = Transmission::new(EMPTY, None, EMPTY, true, dwflags & TF_REUSE_SOCKET != 0);
        // Nothing is sent any more, even if what was queued before has not gone out yet.
        socket.send_shut = true;
        // SAFETY: as the caller promises; there are no buffers.
        unsafe {
            let operation = Overlapped::new(lpoverlapped).map(|overlapped| Operation::new(overlapped, None));
            transmission::run(&mut socket, transmission, operation)
        }
    };
    finish_bool(run().map_err(|error| error.0 as u32))
}
