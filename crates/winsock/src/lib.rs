//! Winsock 2 for Linux.
#![allow(non_snake_case)]
#![cfg(target_os = "linux")]

mod address;
mod completion_port;
mod deadline;
mod error;
mod ioctl;
mod objects;
mod os;
mod port;
mod reactor;
mod resolve;
mod socket;
mod startup;
#[cfg(test)]
mod testing;
mod thread;
pub mod types;
mod wait;
mod watchdog;

pub use completion_port::{
    CreateIoCompletionPort, GetQueuedCompletionStatus, GetQueuedCompletionStatusEx, PostQueuedCompletionStatus,
};
pub use error::{GetLastError, SetLastError, WSAGetLastError, WSASetLastError};
pub use ioctl::{WSAIoctl, ioctlsocket};
pub use objects::CloseHandle;
pub use objects::event::{CreateEventW, ResetEvent, SetEvent};
pub use resolve::{freeaddrinfo, getaddrinfo, getnameinfo};
pub use socket::{
    __WSAFDIsSet, AcceptEx, CancelIo, CancelIoEx, ConnectEx, GetAcceptExSockaddrs, GetOverlappedResult,
    SetFileCompletionNotificationModes, WSAAccept, WSAConnect, WSAGetOverlappedResult, WSARecv, WSARecvDisconnect,
    WSARecvFrom, WSASend, WSASendDisconnect, WSASendTo, WSASocketW, accept, bind, closesocket, connect, getpeername,
    getsockname, getsockopt, listen, recv, recvfrom, select, send, sendto, setsockopt, shutdown, socket, winsock_fd,
};
pub use startup::{WSACleanup, WSAStartup};
pub use types::*;
pub use wait::WaitForSingleObject;
