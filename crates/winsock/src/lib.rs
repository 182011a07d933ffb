//! Winsock 2 for Linux.
#![allow(non_snake_case)]
#![cfg(target_os = "linux")]
#![cfg_attr(feature = "shuttle", allow(dead_code))]

mod address;
mod apc;
mod blocked;
mod c;
mod completion_port;
mod deadline;
mod dispatcher;
mod error;
mod file;
mod ioctl;
mod message;
mod objects;
mod os;
mod port;
#[cfg_attr(feature = "shuttle", path = "schedules/reactor.rs")]
mod reactor;
mod resolve;
#[cfg(all(test, feature = "shuttle"))]
mod schedules;
mod sleeper;
mod socket;
mod startup;
mod sync;
#[cfg(test)]
mod testing;
mod thread;
pub mod types;
mod wait;
mod wait_set;
mod watchdog;

pub use apc::QueueUserAPC;
pub use blocked::CancelSynchronousIo;
pub use completion_port::{
    CreateIoCompletionPort, GetQueuedCompletionStatus, GetQueuedCompletionStatusEx, PostQueuedCompletionStatus,
};
pub use error::{GetLastError, SetLastError, WSAGetLastError, WSASetLastError};
pub use file::{
    CreateFileA, CreateFileW, FlushFileBuffers, GetFileSizeEx, ReadFile, ReadFileEx, SetFilePointerEx, WriteFile,
    WriteFileEx,
};
pub use ioctl::{WSAIoctl, ioctlsocket};
pub use message::message_queue_fd;
pub use message::{
    CreateWindowExA, CreateWindowExW, DefWindowProcA, DefWindowProcW, DestroyWindow, DispatchMessageA,
    DispatchMessageW, GetMessageA, GetMessageW, GetQueueStatus, GetWindowLongPtrA, GetWindowLongPtrW, IsWindow,
    KillTimer, MsgWaitForMultipleObjects, MsgWaitForMultipleObjectsEx, PeekMessageA, PeekMessageW, PostMessageA,
    PostMessageW, PostQuitMessage, PostThreadMessageA, PostThreadMessageW, RegisterClassA, RegisterClassExA,
    RegisterClassExW, RegisterClassW, SendMessageA, SendMessageW, SetTimer, SetWindowLongPtrA, SetWindowLongPtrW,
    TranslateMessage, UnregisterClassA, UnregisterClassW, WaitMessage,
};
pub use objects::CloseHandle;
pub use objects::duplicate::DuplicateHandle;
pub use objects::event::{
    CreateEventW, PulseEvent, ResetEvent, SetEvent, WSACloseEvent, WSACreateEvent, WSAResetEvent, WSASetEvent,
    take_event,
};
pub use objects::mutex::{CreateMutexW, ReleaseMutex};
pub use objects::semaphore::{CreateSemaphoreW, ReleaseSemaphore};
pub use objects::threads::{
    CreateThread, GetCurrentProcess, GetCurrentThread, GetCurrentThreadId, GetExitCodeThread, ResumeThread,
};
pub use objects::timer::{CancelWaitableTimer, CreateWaitableTimerW, SetWaitableTimer};
pub use resolve::{freeaddrinfo, getaddrinfo, getnameinfo};
pub use socket::{
    __WSAFDIsSet, AcceptEx, CancelIo, CancelIoEx, ConnectEx, DisconnectEx, GetAcceptExSockaddrs, GetOverlappedResult,
    GetOverlappedResultEx, SetFileCompletionNotificationModes, TransmitFile, WSAAccept, WSAAsyncSelect, WSAConnect,
    WSAEnumNetworkEvents, WSAEventSelect, WSAGetOverlappedResult, WSAPoll, WSARecv, WSARecvDisconnect, WSARecvFrom,
    WSARecvMsg, WSASend, WSASendDisconnect, WSASendMsg, WSASendTo, WSASocketW, accept, bind, closesocket, connect,
    getpeername, getsockname, getsockopt, listen, recv, recvfrom, select, send, sendto, setsockopt, shutdown, socket,
    winsock_fd,
};
pub use startup::{WSACleanup, WSAStartup};
pub use thread::thread_is_over;
pub use types::*;
pub use wait::{
    SignalObjectAndWait, Sleep, SleepEx, WSAWaitForMultipleEvents, WaitForMultipleObjects, WaitForMultipleObjectsEx,
    WaitForSingleObject, WaitForSingleObjectEx,
};
pub use wait_set::WaitSet;
