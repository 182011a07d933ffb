//! The raw contract, wrapped just enough that the tests need no `unsafe` of their own.
//!
//! One method per function of the contract, of the same name in Rust's spelling. Nothing is made comfortable that a
//! fact is about: error codes stay numbers, output variables are prefilled with [`UNTOUCHED`] so that "left untouched"
//! can be asserted, and an OVERLAPPED and its buffers live to the end of the process ([`Request`]), so no test can free
//! what the system may still write.
#![allow(unsafe_code)]

mod address;
mod apc;
mod c;
mod event;
mod extension;
mod file;
mod message;
mod messages;
mod network_events;
mod object;
mod options;
mod overlapped;
mod poll;
mod port;
mod routine;
mod select;
mod socket;
mod startup;
mod thread;
mod wait;

pub use apc::queue_user_apc;
pub use c::{SlimLock, inet_addr_of, string_to_address, vsnprintf_again};
pub use event::Event;
pub use extension::{
    Transmit, accept_ex, accept_ex_with, accept_ex_without_buffer, accept_ex_without_overlapped, connect_ex,
    connect_ex_without_overlapped, disconnect_ex, extension_pointer_size, get_accept_ex_sockaddrs, transmit_file,
};
pub use file::{Answer, File, read_file, read_file_ex, read_file_now, write_file, write_file_ex, write_file_now};
pub use message::{Message, Window, get_message, msg_wait};
pub use messages::{
    ReceiveMessage, Received, wsa_recv_msg, wsa_recv_msg_null, wsa_recv_msg_overlapped, wsa_send_msg,
    wsa_send_msg_from, wsa_send_msg_null,
};
pub use network_events::NetworkEvents;
pub use object::{
    Mutex, Semaphore, duplicate_handle, pulse_event, reset_event, set_event, wsa_close_event, wsa_create_event,
    wsa_reset_event, wsa_set_event,
};
pub use overlapped::{
    Begin, How, Request, Transferred, cancel_io, cancel_io_ex, cancel_synchronous_io, get_overlapped_result,
    get_overlapped_result_ex, routine_calls, wsa_get_overlapped_result,
};
pub use poll::{PollEntry, polled, wsa_poll, wsa_poll_null};
pub use port::{
    Dequeued, Entry, Port, close_handle, create_io_completion_port, invalid_handle, null_handle,
    set_file_completion_notification_modes,
};
pub use routine::Completed;
pub use select::{FdSet, Set, readiness, select, select_bad, select_one, select_same_set, select_with_timeval};
pub use socket::{
    Caller, Socket, accept_raw, any_v4, listener, loopback, pair, socket, tcp, tcp6, udp, udp6, wsa_socket,
};
pub use startup::{
    StartupData, get_last_error, set_last_error, startup, startup_for_long, wsa_cleanup, wsa_get_last_error,
    wsa_set_last_error, wsa_startup, wsa_startup_without_data,
};
pub use thread::{Thread, current_process, current_thread};
pub use wait::{
    signal_object_and_wait, sleep, sleep_ex, wait_for_multiple_objects, wait_for_multiple_objects_ex,
    wait_for_single_object_ex, wsa_wait_for_multiple_events,
};

/// What an output variable holds before a call. A call that does not write it leaves this value.
pub const UNTOUCHED: u32 = 0xDEAD_BEEF;

/// What a call answers: its result, or the code that WSAGetLastError gives after it.
pub type Outcome<T> = Result<T, i32>;

/// A pointer that a call must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// The null pointer.
    Null,
    /// An address in the first page, which no program can access.
    NoAccess,
}

impl Bad {
    fn pointer<T>(self) -> *mut T {
        match self {
            Bad::Null => std::ptr::null_mut(),
            Bad::NoAccess => std::ptr::without_provenance_mut(16),
        }
    }
}

/// Turns 0 or SOCKET_ERROR into an outcome.
fn zero_or_error(result: i32) -> Outcome<()> {
    match result {
        0 => Ok(()),
        pentaport::sys::SOCKET_ERROR => Err(wsa_get_last_error()),
        other => panic!("neither 0 nor SOCKET_ERROR: {other}"),
    }
}

/// Turns a count or SOCKET_ERROR into an outcome.
fn count_or_error(result: i32) -> Outcome<usize> {
    match result {
        pentaport::sys::SOCKET_ERROR => Err(wsa_get_last_error()),
        count => Ok(usize::try_from(count).expect("a count is not negative")),
    }
}
