//! Error codes: errno, NTSTATUS, Winsock and Win32, each relation written down once, and the thread's last error.
//!
//! A finished operation keeps an NTSTATUS (that is what `OVERLAPPED.Internal` holds), because one status reads as
//! *different* codes in the two families: a reset is `WSAECONNRESET` to `WSAGetOverlappedResult` and
//! `ERROR_NETNAME_DELETED` to `GetQueuedCompletionStatus`. A call that fails at once needs no status and goes straight
//! from errno to the Winsock code.
//!
//! Two answers depend on the socket and are the caller's to give: EPIPE is `WSAESHUTDOWN` if we shut the direction
//! down ourselves, and ECONNREFUSED on a datagram socket is `WSAECONNRESET` on a receive.

use std::cell::Cell;

use crate::types::*;

/// A call that failed, by its Winsock code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WsaError(pub(crate) WSA_ERROR);

/// What the inside of a Winsock function returns.
pub(crate) type WsaResult<T> = Result<T, WsaError>;

impl WsaError {
    /// The failure that the system call just made on this thread reported in errno.
    pub(crate) fn last_os() -> Self {
        Self(wsa_from_errno(last_errno()))
    }
}

/// Fails with a Winsock code.
pub(crate) fn fail<T>(code: WSA_ERROR) -> WsaResult<T> {
    Err(WsaError(code))
}

/// Ends an API function that answers 0 or `SOCKET_ERROR`. Success sets the last error to 0, as Winsock does.
pub(crate) fn finish(r: WsaResult<()>) -> i32 {
    finish_count(r.map(|()| 0))
}

/// As [`finish`], for a function that answers how many there are.
pub(crate) fn finish_count(r: WsaResult<usize>) -> i32 {
    match r {
        Ok(count) => {
            set_last_error(ERROR_SUCCESS);
            count as i32
        }
        Err(WsaError(code)) => {
            set_last_error(code as u32);
            SOCKET_ERROR
        }
    }
}

/// Ends an API function of the Win32 family, which leaves the last error alone when it succeeds.
pub(crate) fn finish_bool(r: Result<(), WIN32_ERROR>) -> BOOL {
    match r {
        Ok(()) => TRUE,
        Err(code) => {
            set_last_error(code);
            FALSE
        }
    }
}

/// Whether a pointer is null or as bad: neither Windows nor Linux maps the first 64 KiB. A wild pointer beyond them is
/// not found out before it is used, where the kernel does not use it for us.
pub(crate) fn is_bad<T>(pointer: *const T) -> bool {
    pointer.addr() < 0x1_0000
}

/// The errno that the thread's last failed system call left.
pub(crate) fn last_errno() -> i32 {
    // SAFETY: libc's errno is thread-local and its address is valid while the thread lives.
    unsafe { *libc::__errno_location() }
}

/// The Winsock code of a failed system call.
pub(crate) fn wsa_from_errno(errno: i32) -> WSA_ERROR {
    ERRNO.iter().find(|row| row.0 == errno).map_or(WSAEINVAL, |row| row.1)
}

/// The status that an operation keeps when its system call failed with `errno`.
pub(crate) fn status_from_errno(errno: i32) -> NTSTATUS {
    ERRNO.iter().find(|row| row.0 == errno).map_or(STATUS_UNSUCCESSFUL, |row| row.2)
}

/// The Winsock code of a finished operation (`WSAGetOverlappedResult`, completion routines, network events).
pub(crate) fn wsa_from_status(status: NTSTATUS) -> WSA_ERROR {
    match STATUS.iter().find(|row| row.0 == status) {
        Some(row) => row.1,
        None if status >= 0 => win32_from_status(status) as WSA_ERROR,
        None => WSAEINVAL,
    }
}

/// The status of an operation that ends with a Winsock code.
pub(crate) fn status_from_wsa(code: WSA_ERROR) -> NTSTATUS {
    STATUS.iter().find(|row| row.1 == code).map_or(STATUS_UNSUCCESSFUL, |row| row.0)
}

/// The Win32 code of a finished operation (`GetOverlappedResult`, `GetQueuedCompletionStatus`).
pub(crate) fn win32_from_status(status: NTSTATUS) -> WIN32_ERROR {
    STATUS.iter().find(|row| row.0 == status).map_or(ERROR_MR_MID_NOT_FOUND, |row| row.2)
}

/// The Win32 code of a call that failed with a Winsock code: ReadFile and WriteFile on a socket.
pub(crate) fn win32_from_wsa(code: WSA_ERROR) -> WIN32_ERROR {
    match code {
        WSAEINVAL => ERROR_INVALID_PARAMETER,
        // The socket was closed under a call that blocked.
        WSAEINTR => ERROR_OPERATION_ABORTED,
        WSAENOBUFS => ERROR_NO_SYSTEM_RESOURCES,
        // Codes below Winsock's own are Win32's: WSA_IO_PENDING.
        code if code < WSABASEERR => code as WIN32_ERROR,
        code => STATUS.iter().find(|row| row.1 == code).map_or(ERROR_GEN_FAILURE, |row| row.2),
    }
}

/// The status column of an errno that no operation in flight can end with.
const NONE: NTSTATUS = STATUS_UNSUCCESSFUL;

/// errno, Winsock code, status. EAGAIN stands first since it is the only frequent one.
const ERRNO: &[(i32, WSA_ERROR, NTSTATUS)] = &[
    (libc::EAGAIN, WSAEWOULDBLOCK, STATUS_DEVICE_NOT_READY),
    // Not WSAEINPROGRESS: that belongs to Winsock 1.1, and no 2.x call answers it.
    (libc::EINPROGRESS, WSAEWOULDBLOCK, STATUS_DEVICE_NOT_READY),
    (libc::EINTR, WSAEINTR, NONE),
    // WSAEBADF exists, but a dead socket handle is WSAENOTSOCK.
    (libc::EBADF, WSAENOTSOCK, STATUS_INVALID_HANDLE),
    (libc::EACCES, WSAEACCES, STATUS_ACCESS_DENIED),
    (libc::EPERM, WSAEACCES, STATUS_ACCESS_DENIED),
    (libc::EFAULT, WSAEFAULT, STATUS_ACCESS_VIOLATION),
    (libc::EINVAL, WSAEINVAL, STATUS_INVALID_PARAMETER),
    (libc::EMFILE, WSAEMFILE, STATUS_TOO_MANY_OPENED_FILES),
    (libc::ENFILE, WSAEMFILE, STATUS_TOO_MANY_OPENED_FILES),
    (libc::EALREADY, WSAEALREADY, NONE),
    (libc::ENOTSOCK, WSAENOTSOCK, STATUS_OBJECT_TYPE_MISMATCH),
    (libc::EDESTADDRREQ, WSAEDESTADDRREQ, NONE),
    (libc::EMSGSIZE, WSAEMSGSIZE, STATUS_BUFFER_OVERFLOW),
    (libc::EPROTOTYPE, WSAEPROTOTYPE, NONE),
    (libc::ENOPROTOOPT, WSAENOPROTOOPT, NONE),
    (libc::EPROTONOSUPPORT, WSAEPROTONOSUPPORT, NONE),
    (libc::ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT, NONE),
    (libc::EOPNOTSUPP, WSAEOPNOTSUPP, STATUS_NOT_SUPPORTED),
    (libc::EPFNOSUPPORT, WSAEPFNOSUPPORT, NONE),
    (libc::EAFNOSUPPORT, WSAEAFNOSUPPORT, NONE),
    (libc::EADDRINUSE, WSAEADDRINUSE, STATUS_SHARING_VIOLATION),
    (libc::EADDRNOTAVAIL, WSAEADDRNOTAVAIL, STATUS_INVALID_ADDRESS_COMPONENT),
    // What Linux says to a scope id that names no interface.
    (libc::ENODEV, WSAEADDRNOTAVAIL, STATUS_INVALID_ADDRESS_COMPONENT),
    (libc::ENETDOWN, WSAENETDOWN, STATUS_NETWORK_BUSY),
    (libc::ENETUNREACH, WSAENETUNREACH, STATUS_NETWORK_UNREACHABLE),
    (libc::ENETRESET, WSAENETRESET, NONE),
    (libc::ECONNABORTED, WSAECONNABORTED, STATUS_CONNECTION_ABORTED),
    (libc::ECONNRESET, WSAECONNRESET, STATUS_CONNECTION_RESET),
    // The peer's doing; the caller answers WSAESHUTDOWN itself where the socket was shut down here.
    (libc::EPIPE, WSAECONNRESET, STATUS_CONNECTION_RESET),
    (libc::ENOBUFS, WSAENOBUFS, STATUS_INSUFFICIENT_RESOURCES),
    (libc::ENOMEM, WSAENOBUFS, STATUS_INSUFFICIENT_RESOURCES),
    (libc::EISCONN, WSAEISCONN, STATUS_CONNECTION_ACTIVE),
    (libc::ENOTCONN, WSAENOTCONN, STATUS_INVALID_CONNECTION),
    (libc::ESHUTDOWN, WSAESHUTDOWN, STATUS_PIPE_DISCONNECTED),
    (libc::ETIMEDOUT, WSAETIMEDOUT, STATUS_IO_TIMEOUT),
    (libc::ECONNREFUSED, WSAECONNREFUSED, STATUS_CONNECTION_REFUSED),
    (libc::ELOOP, WSAELOOP, NONE),
    (libc::ENAMETOOLONG, WSAENAMETOOLONG, NONE),
    (libc::EHOSTDOWN, WSAEHOSTDOWN, STATUS_HOST_DOWN),
    (libc::EHOSTUNREACH, WSAEHOSTUNREACH, STATUS_HOST_UNREACHABLE),
    (libc::ENOTEMPTY, WSAENOTEMPTY, NONE),
    (libc::EUSERS, WSAEUSERS, NONE),
    (libc::EDQUOT, WSAEDQUOT, NONE),
    (libc::ESTALE, WSAESTALE, NONE),
    (libc::EREMOTE, WSAEREMOTE, NONE),
    // By a kernel or a filter that does not have the call.
    (libc::ENOSYS, WSASYSCALLFAILURE, STATUS_NOT_SUPPORTED),
    (libc::ECANCELED, WSA_OPERATION_ABORTED, STATUS_CANCELLED),
];

/// Status, Winsock code, Win32 code.
const STATUS: &[(NTSTATUS, WSA_ERROR, WIN32_ERROR)] = &[
    (STATUS_SUCCESS, 0, ERROR_SUCCESS),
    // To Winsock a pending operation is an incomplete one; RtlNtStatusToDosError says pending.
    (STATUS_PENDING, WSA_IO_INCOMPLETE, ERROR_IO_PENDING),
    (STATUS_CANCELLED, WSA_OPERATION_ABORTED, ERROR_OPERATION_ABORTED),
    (STATUS_BUFFER_OVERFLOW, WSAEMSGSIZE, ERROR_MORE_DATA),
    // A success that no operation here ends with, but programs store statuses of their own (D35).
    (STATUS_MORE_ENTRIES, ERROR_MORE_DATA as WSA_ERROR, ERROR_MORE_DATA),
    (STATUS_INVALID_BUFFER_SIZE, WSAEMSGSIZE, ERROR_INVALID_USER_BUFFER),
    (STATUS_CONNECTION_RESET, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_CONNECTION_DISCONNECTED, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_REMOTE_DISCONNECT, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_LINK_FAILED, WSAECONNRESET, ERROR_UNEXP_NET_ERR),
    (STATUS_PORT_UNREACHABLE, WSAECONNRESET, ERROR_PORT_UNREACHABLE),
    (STATUS_CONNECTION_ABORTED, WSAECONNABORTED, ERROR_CONNECTION_ABORTED),
    (STATUS_LOCAL_DISCONNECT, WSAECONNABORTED, ERROR_NETNAME_DELETED),
    (STATUS_TRANSACTION_ABORTED, WSAECONNABORTED, ERROR_UNEXP_NET_ERR),
    (STATUS_CONNECTION_REFUSED, WSAECONNREFUSED, ERROR_CONNECTION_REFUSED),
    (STATUS_REMOTE_NOT_LISTENING, WSAECONNREFUSED, ERROR_REM_NOT_LIST),
    (STATUS_IO_TIMEOUT, WSAETIMEDOUT, ERROR_SEM_TIMEOUT),
    (STATUS_LINK_TIMEOUT, WSAETIMEDOUT, ERROR_UNEXP_NET_ERR),
    (STATUS_NETWORK_UNREACHABLE, WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE),
    (STATUS_BAD_NETWORK_PATH, WSAENETUNREACH, ERROR_BAD_NETPATH),
    (STATUS_PROTOCOL_UNREACHABLE, WSAENETUNREACH, ERROR_PROTOCOL_UNREACHABLE),
    (STATUS_HOST_UNREACHABLE, WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE),
    (STATUS_HOST_DOWN, WSAEHOSTDOWN, ERROR_HOST_DOWN),
    (STATUS_INVALID_CONNECTION, WSAENOTCONN, ERROR_UNEXP_NET_ERR),
    (STATUS_CONNECTION_ACTIVE, WSAEISCONN, ERROR_CONNECTION_ACTIVE),
    (STATUS_PIPE_DISCONNECTED, WSAESHUTDOWN, ERROR_PIPE_NOT_CONNECTED),
    (STATUS_GRACEFUL_DISCONNECT, WSAEDISCON, ERROR_GRACEFUL_DISCONNECT),
    (STATUS_DEVICE_NOT_READY, WSAEWOULDBLOCK, ERROR_NOT_READY),
    (STATUS_REQUEST_NOT_ACCEPTED, WSAEWOULDBLOCK, ERROR_REQ_NOT_ACCEP),
    (STATUS_INVALID_HANDLE, WSAENOTSOCK, ERROR_INVALID_HANDLE),
    (STATUS_OBJECT_TYPE_MISMATCH, WSAENOTSOCK, ERROR_INVALID_HANDLE),
    (STATUS_ACCESS_VIOLATION, WSAEFAULT, ERROR_NOACCESS),
    (STATUS_BUFFER_TOO_SMALL, WSAEFAULT, ERROR_INSUFFICIENT_BUFFER),
    (STATUS_DATATYPE_MISALIGNMENT_ERROR, WSAEFAULT, ERROR_NOACCESS),
    (STATUS_SHARING_VIOLATION, WSAEADDRINUSE, ERROR_SHARING_VIOLATION),
    (STATUS_ADDRESS_ALREADY_EXISTS, WSAEADDRINUSE, ERROR_DUP_NAME),
    (STATUS_INVALID_ADDRESS, WSAEADDRNOTAVAIL, ERROR_UNEXP_NET_ERR),
    (STATUS_INVALID_ADDRESS_COMPONENT, WSAEADDRNOTAVAIL, ERROR_INVALID_NETNAME),
    (STATUS_ACCESS_DENIED, WSAEACCES, ERROR_ACCESS_DENIED),
    (STATUS_NOT_SUPPORTED, WSAEOPNOTSUPP, ERROR_NOT_SUPPORTED),
    (STATUS_NOT_IMPLEMENTED, WSAEOPNOTSUPP, ERROR_INVALID_FUNCTION),
    (STATUS_NO_MEMORY, WSAENOBUFS, ERROR_NOT_ENOUGH_MEMORY),
    (STATUS_INSUFFICIENT_RESOURCES, WSAENOBUFS, ERROR_NO_SYSTEM_RESOURCES),
    (STATUS_QUOTA_EXCEEDED, WSAENOBUFS, ERROR_NOT_ENOUGH_QUOTA),
    (STATUS_PAGEFILE_QUOTA, WSAENOBUFS, ERROR_PAGEFILE_QUOTA),
    (STATUS_PAGEFILE_QUOTA_EXCEEDED, WSAENOBUFS, ERROR_PAGEFILE_QUOTA),
    (STATUS_WORKING_SET_QUOTA, WSAENOBUFS, ERROR_WORKING_SET_QUOTA),
    (STATUS_COMMITMENT_LIMIT, WSAENOBUFS, ERROR_COMMITMENT_LIMIT),
    (STATUS_COMMITMENT_MINIMUM, WSAENOBUFS, ERROR_COMMITMENT_MINIMUM),
    (STATUS_CONFLICTING_ADDRESSES, WSAENOBUFS, ERROR_INVALID_ADDRESS),
    (STATUS_TOO_MANY_ADDRESSES, WSAENOBUFS, ERROR_TOO_MANY_NAMES),
    (STATUS_REMOTE_RESOURCES, WSAENOBUFS, ERROR_REM_NOT_LIST),
    (STATUS_NO_SUCH_DEVICE, WSAENETDOWN, ERROR_FILE_NOT_FOUND),
    (STATUS_NO_SUCH_FILE, WSAENETDOWN, ERROR_FILE_NOT_FOUND),
    (STATUS_NETWORK_BUSY, WSAENETDOWN, ERROR_NETWORK_BUSY),
    (STATUS_OBJECT_NAME_NOT_FOUND, WSAENETDOWN, ERROR_FILE_NOT_FOUND),
    (STATUS_OBJECT_PATH_NOT_FOUND, WSAENETDOWN, ERROR_PATH_NOT_FOUND),
    (STATUS_UNEXPECTED_NETWORK_ERROR, WSAENETDOWN, ERROR_UNEXP_NET_ERR),
    (STATUS_INVALID_NETWORK_RESPONSE, WSAENETDOWN, ERROR_BAD_NET_RESP),
    (STATUS_REQUEST_ABORTED, WSAEINTR, ERROR_REQUEST_ABORTED),
    // From here on Winsock knows no code of its own.
    (STATUS_END_OF_FILE, WSAEINVAL, ERROR_HANDLE_EOF),
    (STATUS_NOT_FOUND, WSAEINVAL, ERROR_NOT_FOUND),
    (STATUS_INVALID_PARAMETER, WSAEINVAL, ERROR_INVALID_PARAMETER),
    (STATUS_DISK_FULL, WSAEINVAL, ERROR_DISK_FULL),
    (STATUS_FILE_TOO_LARGE, WSAEINVAL, ERROR_FILE_TOO_LARGE),
    (STATUS_IO_DEVICE_ERROR, WSAEINVAL, ERROR_IO_DEVICE),
    (STATUS_PIPE_CLOSING, WSAEINVAL, ERROR_NO_DATA),
    (STATUS_TOO_MANY_OPENED_FILES, WSAEINVAL, ERROR_TOO_MANY_OPEN_FILES),
    (STATUS_CONNECTION_INVALID, WSAEINVAL, ERROR_CONNECTION_INVALID),
    (STATUS_UNSUCCESSFUL, WSAEINVAL, ERROR_GEN_FAILURE),
];

thread_local! {
    static LAST_ERROR: Cell<u32> = const { Cell::new(ERROR_SUCCESS) };
}

/// The calling thread's last error.
pub(crate) fn last_error() -> u32 {
    LAST_ERROR.get()
}

/// Replaces the calling thread's last error.
pub(crate) fn set_last_error(code: u32) {
    LAST_ERROR.set(code);
}

/// Answers the calling thread's last error: the code of the last call of this library that failed on it.
///
/// Shares its storage with [`WSAGetLastError`]. Linux's `errno` is something else, and no call here promises its value.
///
/// # Errors
/// None.
///
/// # Safety
/// Always safe to call.
///
/// ```
/// use winsock::{GetLastError, SetLastError, WSAGetLastError};
/// // SAFETY: neither function has a precondition.
/// unsafe {
///     SetLastError(995);
///     assert_eq!((GetLastError(), WSAGetLastError()), (995, 995));
/// }
/// ```
#[doc(alias = "errno")]
#[unsafe(export_name = "ws_GetLastError")]
pub unsafe extern "system" fn GetLastError() -> WIN32_ERROR {
    last_error()
}

/// Sets the calling thread's last error.
///
/// # Errors
/// None.
///
/// # Safety
/// Always safe to call.
#[unsafe(export_name = "ws_SetLastError")]
pub unsafe extern "system" fn SetLastError(dwerrcode: WIN32_ERROR) {
    set_last_error(dwerrcode);
}

/// Answers the Winsock code of the last call that failed on the calling thread; most calls that succeed set it to 0.
///
/// Works before [`WSAStartup`](crate::WSAStartup) too.
///
/// # Errors
/// None.
///
/// # Safety
/// Always safe to call.
#[doc(alias = "errno")]
#[unsafe(export_name = "ws_WSAGetLastError")]
pub unsafe extern "system" fn WSAGetLastError() -> WSA_ERROR {
    last_error() as WSA_ERROR
}

/// Sets what [`WSAGetLastError`] answers on the calling thread.
///
/// # Errors
/// None.
///
/// # Safety
/// Always safe to call.
#[unsafe(export_name = "ws_WSASetLastError")]
pub unsafe extern "system" fn WSASetLastError(ierror: i32) {
    set_last_error(ierror as u32);
}

#[cfg(test)]
mod tests;
