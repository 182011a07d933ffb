//! What can go wrong with one connection.

use super::pattern::Mismatch;
use crate::{process, text};
use std::fmt;
use std::io;
use std::time::Duration;

/// Why a connection is no longer used.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It was never made.
    Connect {
        error: io::Error,
        timeout: Duration,
    },
    /// Nothing came back for so long while bytes were due.
    NoAnswer {
        sent: u64,
        received: u64,
        timeout: Duration,
    },
    /// The server ended it.
    Closed {
        missing: u64,
    },
    Reset {
        missing: u64,
    },
    WrongByte(Mismatch),
    /// The server sent more than it was sent.
    Unasked,
    /// Any other error of the system.
    Lost(io::Error),
}

impl Fault {
    /// The fault that an error of send or receive means; `missing` bytes have not come back.
    pub(crate) fn from_io(error: io::Error, missing: u64) -> Fault {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Fault::Reset { missing },
            io::ErrorKind::BrokenPipe => Fault::Closed { missing },
            _ => Fault::Lost(error),
        }
    }

    /// One word for programs that read the report.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Fault::Connect { .. } => "connect",
            Fault::NoAnswer { .. } => "no-answer",
            Fault::Closed { .. } => "closed",
            Fault::Reset { .. } => "reset",
            Fault::WrongByte(_) => "wrong-byte",
            Fault::Unasked => "unasked",
            Fault::Lost(_) => "lost",
        }
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Fault::Connect { error, .. } if process::no_port_left(error) => process::MORE_PORTS,
            Fault::Connect { .. } => "is the server still running?",
            Fault::NoAnswer { .. } => {
                "the server hangs, lost bytes or is too slow for this load: try fewer connections \
                 or a longer --timeout"
            }
            Fault::Closed { .. } | Fault::Reset { .. } => {
                "the server ended, is full, or gave up idle connections: its own output may say why"
            }
            Fault::WrongByte(_) => {
                "the server changed, lost, doubled or mixed up bytes; if it is no echo server, that \
                 is its right"
            }
            Fault::Unasked => "the server doubles bytes, or is no echo server",
            Fault::Lost(_) => "try again; if it stays, look at the network between",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = |f: &mut fmt::Formatter<'_>, what: &str, missing: u64| match missing {
            0 => write!(f, "the server {what} the connection"),
            n => write!(f, "the server {what} the connection before {} came back", text::plural(n, "byte")),
        };
        match self {
            Fault::Connect { error, .. } if process::no_port_left(error) => {
                f.write_str("the system has no local port left for one more connection")
            }
            Fault::Connect { error, timeout } if error.kind() == io::ErrorKind::TimedOut => {
                write!(f, "not connected within {}", text::duration(*timeout))
            }
            Fault::Connect { error, .. } => write!(f, "cannot connect: {error}"),
            Fault::NoAnswer { sent, received, timeout } => write!(
                f,
                "{} of {} came back and nothing more for {}",
                text::count(*received),
                text::plural(*sent, "byte"),
                text::duration(*timeout)
            ),
            Fault::Closed { missing: n } => missing(f, "closed", *n),
            Fault::Reset { missing: n } => missing(f, "reset", *n),
            Fault::WrongByte(Mismatch { position, sent, received }) => write!(
                f,
                "wrong byte: number {} of the stream was sent as {sent:#04x} and came back as \
                 {received:#04x}",
                text::count(*position)
            ),
            Fault::Unasked => write!(f, "the server sent bytes that nobody sent to it"),
            Fault::Lost(error) => write!(f, "connection lost: {error}"),
        }
    }
}
