//! Errors: the codes of Winsock and Win32, the same on every system.
//!
//! A call that fails at once reports a Winsock code (`WSAECONNRESET`, 10054). So does an operation that was started and
//! failed later, to its routine; in its packet, or by event, it reports the Win32 code that a completion port gives
//! (`ERROR_NETNAME_DELETED`, 64, for the same reset). [`Error::kind`] joins what belongs together: both are
//! [`ErrorKind::ConnectionReset`].

use std::fmt;
use std::io::{self, ErrorKind};

/// The result of a call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A Winsock or Win32 error code.
///
/// ```
/// use std::io::ErrorKind;
/// let reset = pentaport::Error::from_code(10054);
/// assert_eq!(reset.to_string(), "connection reset by peer (WSAECONNRESET 10054)");
/// assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
/// // The same event, as a completion port tells it.
/// assert_eq!(pentaport::Error::from_code(64).kind(), ErrorKind::ConnectionReset);
/// let error: std::io::Error = reset.into();
/// assert_eq!(error.kind(), ErrorKind::ConnectionReset);
/// ```
#[doc(alias = "WSAGetLastError")]
#[doc(alias = "GetLastError")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    code: i32,
}

impl Error {
    /// The error with this Winsock or Win32 code.
    pub const fn from_code(code: i32) -> Self {
        Self { code }
    }

    /// The number, as in Microsoft's tables: 10054, 995, 64 …
    pub const fn code(self) -> i32 {
        self.code
    }

    /// The name of the code (`"WSAECONNRESET"`), if it is one that these calls are known to give.
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.name)
    }

    /// What sort of failure it is, without regard to which layer reported it.
    ///
    /// Codes without a counterpart in [`ErrorKind`] give [`ErrorKind::Other`].
    pub fn kind(self) -> ErrorKind {
        self.entry().map_or(ErrorKind::Other, |entry| entry.kind)
    }

    /// Whether the operation was cancelled (995): by `cancel`, by the end of its thread or scope, or, if it was one that
    /// accepts or is of a datagram socket, since its socket was closed. A receive or send of a connection that was closed
    /// ends as [`ErrorKind::ConnectionAborted`] instead.
    #[doc(alias = "ERROR_OPERATION_ABORTED")]
    #[doc(alias = "WSA_OPERATION_ABORTED")]
    pub const fn is_cancelled(self) -> bool {
        self.code == 995
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.code == self.code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some(entry) => write!(f, "{} ({} {})", entry.text, entry.name, self.code),
            None => write!(f, "error {}", self.code),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some(entry) => write!(f, "Error({} {})", entry.name, self.code),
            None => write!(f, "Error({})", self.code),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// An error of the same kind that carries this one; `raw_os_error` is not set, since on Linux these codes are not
    /// the system's.
    fn from(error: Error) -> Self {
        io::Error::new(error.kind(), error)
    }
}

struct Entry {
    code: i32,
    name: &'static str,
    text: &'static str,
    kind: ErrorKind,
}

const fn entry(code: i32, name: &'static str, kind: ErrorKind, text: &'static str) -> Entry {
    Entry { code, name, text, kind }
}

use ErrorKind as K;

/// Every code that the calls used here are documented or known to give.
#[rustfmt::skip]
const TABLE: &[Entry] = &[
    // Winsock's own, from a call that failed at once.
    entry(10004, "WSAEINTR", K::Interrupted, "interrupted call"),
    entry(10009, "WSAEBADF", K::InvalidInput, "bad file handle"),
    entry(10013, "WSAEACCES", K::PermissionDenied, "permission denied"),
    entry(10014, "WSAEFAULT", K::InvalidInput, "bad buffer or address"),
    entry(10022, "WSAEINVAL", K::InvalidInput, "invalid argument"),
    entry(10024, "WSAEMFILE", K::Other, "too many open sockets"),
    entry(10035, "WSAEWOULDBLOCK", K::WouldBlock, "the call would block"),
    entry(10036, "WSAEINPROGRESS", K::Other, "a blocking call is in progress"),
    entry(10037, "WSAEALREADY", K::Other, "an operation is already in progress"),
    entry(10038, "WSAENOTSOCK", K::InvalidInput, "not a socket, or already closed"),
    entry(10039, "WSAEDESTADDRREQ", K::InvalidInput, "destination address required"),
    entry(10040, "WSAEMSGSIZE", K::Other, "the datagram is larger than the buffer"),
    entry(10041, "WSAEPROTOTYPE", K::InvalidInput, "wrong protocol for the type of socket"),
    entry(10042, "WSAENOPROTOOPT", K::InvalidInput, "unknown option"),
    entry(10043, "WSAEPROTONOSUPPORT", K::Unsupported, "protocol not supported"),
    entry(10044, "WSAESOCKTNOSUPPORT", K::Unsupported, "type of socket not supported"),
    entry(10045, "WSAEOPNOTSUPP", K::Unsupported, "operation not supported on this socket"),
    entry(10046, "WSAEPFNOSUPPORT", K::Unsupported, "protocol family not supported"),
    entry(10047, "WSAEAFNOSUPPORT", K::Unsupported, "address family not supported"),
    entry(10048, "WSAEADDRINUSE", K::AddrInUse, "address already in use"),
    entry(10049, "WSAEADDRNOTAVAIL", K::AddrNotAvailable, "address not available"),
    entry(10050, "WSAENETDOWN", K::NetworkDown, "network is down"),
    entry(10051, "WSAENETUNREACH", K::NetworkUnreachable, "network is unreachable"),
    entry(10052, "WSAENETRESET", K::ConnectionReset, "connection dropped by a reset of the network"),
    entry(10053, "WSAECONNABORTED", K::ConnectionAborted, "connection aborted"),
    entry(10054, "WSAECONNRESET", K::ConnectionReset, "connection reset by peer"),
    entry(10055, "WSAENOBUFS", K::OutOfMemory, "no buffer space available"),
    entry(10056, "WSAEISCONN", K::Other, "already connected"),
    entry(10057, "WSAENOTCONN", K::NotConnected, "not connected"),
    entry(10058, "WSAESHUTDOWN", K::BrokenPipe, "this direction was shut down"),
    entry(10059, "WSAETOOMANYREFS", K::Other, "too many references"),
    entry(10060, "WSAETIMEDOUT", K::TimedOut, "timed out"),
    entry(10061, "WSAECONNREFUSED", K::ConnectionRefused, "connection refused"),
    entry(10062, "WSAELOOP", K::Other, "name cannot be translated"),
    entry(10063, "WSAENAMETOOLONG", K::InvalidInput, "name too long"),
    entry(10064, "WSAEHOSTDOWN", K::HostUnreachable, "host is down"),
    entry(10065, "WSAEHOSTUNREACH", K::HostUnreachable, "no route to host"),
    entry(10066, "WSAENOTEMPTY", K::Other, "directory not empty"),
    entry(10067, "WSAEPROCLIM", K::Other, "too many processes"),
    entry(10068, "WSAEUSERS", K::Other, "user quota exceeded"),
    entry(10069, "WSAEDQUOT", K::Other, "disk quota exceeded"),
    entry(10070, "WSAESTALE", K::Other, "stale file handle"),
    entry(10071, "WSAEREMOTE", K::Other, "item is remote"),
    entry(10091, "WSASYSNOTREADY", K::Other, "network subsystem not ready"),
    entry(10092, "WSAVERNOTSUPPORTED", K::Unsupported, "version of Winsock not supported"),
    entry(10093, "WSANOTINITIALISED", K::Other, "WSAStartup has not been called"),
    entry(10101, "WSAEDISCON", K::Other, "graceful shutdown in progress"),
    entry(10107, "WSASYSCALLFAILURE", K::Other, "system call failure"),
    entry(11001, "WSAHOST_NOT_FOUND", K::NotFound, "host not found"),
    entry(11002, "WSATRY_AGAIN", K::Other, "not now, try again"),
    entry(11003, "WSANO_RECOVERY", K::Other, "unrecoverable failure of name resolution"),
    entry(11004, "WSANO_DATA", K::NotFound, "no data of the requested type"),
    // Win32's, from a packet of a completion port or from a call on a handle.
    entry(5, "ERROR_ACCESS_DENIED", K::PermissionDenied, "access denied"),
    entry(6, "ERROR_INVALID_HANDLE", K::InvalidInput, "invalid handle"),
    entry(8, "ERROR_NOT_ENOUGH_MEMORY", K::OutOfMemory, "not enough memory"),
    entry(31, "ERROR_GEN_FAILURE", K::Other, "general failure"),
    entry(38, "ERROR_HANDLE_EOF", K::UnexpectedEof, "end of file"),
    entry(50, "ERROR_NOT_SUPPORTED", K::Unsupported, "not supported"),
    entry(53, "ERROR_BAD_NETPATH", K::NetworkUnreachable, "network path not found"),
    entry(54, "ERROR_NETWORK_BUSY", K::Other, "network is busy"),
    entry(55, "ERROR_DEV_NOT_EXIST", K::NotFound, "resource no longer available"),
    entry(58, "ERROR_BAD_NET_RESP", K::Other, "the server cannot perform the operation"),
    entry(59, "ERROR_UNEXP_NET_ERR", K::Other, "unexpected network error"),
    entry(64, "ERROR_NETNAME_DELETED", K::ConnectionReset, "connection reset by peer"),
    entry(87, "ERROR_INVALID_PARAMETER", K::InvalidInput, "invalid parameter"),
    entry(121, "ERROR_SEM_TIMEOUT", K::TimedOut, "timed out"),
    entry(122, "ERROR_INSUFFICIENT_BUFFER", K::InvalidInput, "buffer too small"),
    entry(183, "ERROR_ALREADY_EXISTS", K::AlreadyExists, "already exists"),
    entry(233, "ERROR_PIPE_NOT_CONNECTED", K::BrokenPipe, "this direction was shut down"),
    entry(234, "ERROR_MORE_DATA", K::Other, "the datagram is larger than the buffer"),
    entry(258, "WAIT_TIMEOUT", K::TimedOut, "the wait timed out"),
    entry(735, "ERROR_ABANDONED_WAIT_0", K::Other, "the completion port was closed"),
    entry(995, "ERROR_OPERATION_ABORTED", K::Other, "the operation was cancelled"),
    entry(996, "ERROR_IO_INCOMPLETE", K::WouldBlock, "the operation has not completed"),
    entry(997, "ERROR_IO_PENDING", K::WouldBlock, "the operation is pending"),
    entry(998, "ERROR_NOACCESS", K::InvalidInput, "bad buffer or address"),
    entry(1168, "ERROR_NOT_FOUND", K::NotFound, "nothing was found"),
    entry(1225, "ERROR_CONNECTION_REFUSED", K::ConnectionRefused, "connection refused"),
    entry(1226, "ERROR_GRACEFUL_DISCONNECT", K::Other, "connection closed gracefully"),
    entry(1229, "ERROR_CONNECTION_INVALID", K::NotConnected, "no such connection"),
    entry(1230, "ERROR_CONNECTION_ACTIVE", K::Other, "already connected"),
    entry(1231, "ERROR_NETWORK_UNREACHABLE", K::NetworkUnreachable, "network is unreachable"),
    entry(1232, "ERROR_HOST_UNREACHABLE", K::HostUnreachable, "no route to host"),
    entry(1233, "ERROR_PROTOCOL_UNREACHABLE", K::NetworkUnreachable, "protocol is unreachable"),
    entry(1234, "ERROR_PORT_UNREACHABLE", K::ConnectionReset, "no service at the remote port"),
    entry(1235, "ERROR_REQUEST_ABORTED", K::Other, "request aborted"),
    entry(1236, "ERROR_CONNECTION_ABORTED", K::ConnectionAborted, "connection aborted"),
    entry(1400, "ERROR_INVALID_WINDOW_HANDLE", K::NotFound, "the message queue is gone"),
    entry(1450, "ERROR_NO_SYSTEM_RESOURCES", K::OutOfMemory, "no system resources"),
    entry(1816, "ERROR_NOT_ENOUGH_QUOTA", K::Other, "too many messages are queued"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<i32> = TABLE.iter().map(|entry| entry.code).collect();
        codes.sort_unstable();
        let listed = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }

    /// The numbers are written out above, for the reader; here they are held against the system's declarations.
    #[test]
    fn numbers_are_those_of_the_system() {
        for (code, name) in [
            (crate::sys::WSAECONNRESET, "WSAECONNRESET"),
            (crate::sys::WSAEWOULDBLOCK, "WSAEWOULDBLOCK"),
            (crate::sys::WSAEADDRINUSE, "WSAEADDRINUSE"),
            (crate::sys::WSATRY_AGAIN, "WSATRY_AGAIN"),
            (crate::sys::ERROR_NETNAME_DELETED as i32, "ERROR_NETNAME_DELETED"),
            (crate::sys::ERROR_OPERATION_ABORTED as i32, "ERROR_OPERATION_ABORTED"),
            (crate::sys::ERROR_CONNECTION_REFUSED as i32, "ERROR_CONNECTION_REFUSED"),
            (crate::sys::ERROR_CONNECTION_ABORTED as i32, "ERROR_CONNECTION_ABORTED"),
            (crate::sys::ERROR_ABANDONED_WAIT_0 as i32, "ERROR_ABANDONED_WAIT_0"),
            (crate::sys::ERROR_MORE_DATA as i32, "ERROR_MORE_DATA"),
            (crate::sys::WAIT_TIMEOUT as i32, "WAIT_TIMEOUT"),
        ] {
            assert_eq!(Error::from_code(code).name(), Some(name));
        }
    }

    #[test]
    fn an_unknown_code_keeps_its_number() {
        let error = Error::from_code(31_337);
        assert_eq!((error.name(), error.kind()), (None, ErrorKind::Other));
        assert_eq!(error.to_string(), "error 31337");
    }

    #[test]
    fn one_event_has_one_kind_whichever_layer_tells_it() {
        for (at_once, later) in [(10054, 64), (10053, 1236), (10061, 1225), (10060, 121), (10065, 1232), (10051, 1231)]
        {
            assert_eq!(Error::from_code(at_once).kind(), Error::from_code(later).kind());
        }
    }
}
