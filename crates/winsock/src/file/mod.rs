//! Files: CreateFile, ReadFile, WriteFile and their like, on files and on sockets.
//!
//! A file is opened either *overlapped* (FILE_FLAG_OVERLAPPED) or not, and that decides everything about it.
//!
//! * An overlapped file has no position. Each operation says in its OVERLAPPED where it begins, is handed to a thread
//!   of the [pool], and the call returns ERROR_IO_PENDING, always: not even the end of the file is found out within the
//!   call (F5, F8). How its end is told is as for a socket: by the OVERLAPPED's event or the file's handle, by
//!   completion routine, by the port that the file was associated with.
//! * Any other file has a position that each operation moves (F3). Its operations are over when the call returns.
//!
//! Why threads and not io_uring: regular files never say "not ready", so the choice is between the two; threads work in
//! every container, and a measurement that asks for more has yet to be made. An overlapped transfer costs a hop to
//! another thread and back, some 20 µs; a file that is read within the call costs the system call.
//!
//! What CreateFile opens need not be a regular file. Pipes, terminals and the like have no offsets: an offset is ignored,
//! a read takes what comes next, and whatever may block is done by a thread that can be recalled, so that CancelIoEx
//! and CloseHandle get the operation out of it.
//!
//! Two objects stand behind a handle. [`File`] is what the handles to a file share, and goes with the last of them.
//! [`Core`] has the descriptor and what a completion needs; operations hold on to it, so that a handle can be closed
//! while they run: transfers of regular files then end by themselves, others are cancelled, and the packet comes all
//! the same, with the file's key (P14).

pub(crate) mod codes;
mod delete;
mod io;
mod on_sockets;
mod open;
mod pool;
mod position;
mod request;
mod routine;
mod share;
pub(crate) mod standard;

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use crate::dispatcher;
use crate::file::open::Doomed;
use crate::file::pool::{Lane, Ticket};
use crate::file::request::Direction;
use crate::file::share::Claim;
use crate::objects::{Object, table};
use crate::os;
use crate::port::Port;
use crate::socket::Association;
use crate::socket::overlapped::Operation;
use crate::socket::request::Notice;
use crate::types::*;

pub(crate) use delete::delete;
pub use io::{ReadFile, WriteFile};
pub use open::{CreateFileA, CreateFileW};
pub use position::{FlushFileBuffers, GetFileSizeEx, SetFilePointerEx};
pub use routine::{ReadFileEx, WriteFileEx};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A regular file or a block device.
    Positioned,
    /// A pipe, a terminal, another device: it has no offsets, and may block.
    Stream,
}

/// What a handle may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Access {
    read: bool,
    write: bool,
    /// FILE_APPEND_DATA without FILE_WRITE_DATA: every write goes to the end.
    append: bool,
}

struct State {
    association: Option<Association>,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS and its sisters, as set.
    notification_modes: u8,
}

/// An open file, as its operations know it.
struct Core {
    fd: OwnedFd,
    kind: Kind,
    access: Access,
    /// FILE_FLAG_OVERLAPPED.
    overlapped: bool,
    state: Mutex<State, rank::File>,
    /// The handle itself, as something to wait for.
    signalled: dispatcher::Object,
    /// Of a file that is not overlapped. Locked for the time of an operation: such a file has one at a time.
    position: Mutex<u64, rank::Leaf>,
    reads: Arc<Lane>,
    writes: Arc<Lane>,
}

/// An open file, as its handles know it.
pub(crate) struct File {
    /// What is to be deleted with the last handle. Dropped before the claim: until then nobody else opens it.
    _doomed: Option<Doomed>,
    /// Dropped before the descriptor: until then no other file is given the number that the claim knows this one by.
    _claim: Option<Claim>,
    core: Arc<Core>,
}

/// The file that a handle means.
pub(crate) fn find(handle: HANDLE) -> Option<Arc<File>> {
    match table::object(handle as usize) {
        Some(Object::File(file)) => Some(file),
        _ => None,
    }
}

/// Cancels what a thread that ends leaves behind, but for operations whose completion goes to a port alone (D87), and
/// waits for what is too late to cancel: the OVERLAPPED may lie on the thread's stack.
pub(crate) fn cancel_of_thread(number: u32) {
    for object in table::all_objects() {
        if let Object::File(file) = object {
            let port = file.core.state.lock().association.is_some();
            let wanted = |ticket: &Ticket| ticket.thread == number && !(port && ticket.only_to_port);
            file.cancel(wanted);
            file.core.lanes().for_each(|lane| lane.wait_for(|ticket| file.core.owns(ticket) && wanted(ticket)));
        }
    }
}

impl File {
    /// What waiting for the handle waits for.
    pub(crate) fn waitable(&self) -> dispatcher::Object {
        self.core.signalled.clone()
    }

    /// Associates the file with a port, for its life.
    pub(crate) fn associate(&self, port: Arc<Port>, key: usize) -> Result<(), WIN32_ERROR> {
        let mut state = self.core.state.lock();
        if !self.core.overlapped || state.association.is_some() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        state.association = Some(Association { port, key });
        self.core.signal(&state, &Notice::HANDLE);
        Ok(())
    }

    /// SetFileCompletionNotificationModes.
    pub(crate) fn add_notification_modes(&self, flags: u8) -> Result<(), WIN32_ERROR> {
        if !self.core.overlapped {
            return Err(ERROR_INVALID_PARAMETER);
        }
        self.core.state.lock().notification_modes |= flags;
        Ok(())
    }

    /// The end of the file and its position, for TransmitFile.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED for a file that may not be read; ERROR_INVALID_HANDLE for what has no offsets.
    pub(crate) fn to_be_sent(&self) -> Result<(u64, u64), WIN32_ERROR> {
        if !self.core.access.read {
            return Err(ERROR_ACCESS_DENIED);
        }
        if self.core.kind != Kind::Positioned {
            return Err(ERROR_INVALID_HANDLE);
        }
        let end = os::file::end(self.descriptor()).map_err(codes::win32_from_errno)?;
        Ok((end, *self.core.position.lock()))
    }

    /// The descriptor.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.core.fd.as_raw_fd()
    }

    /// A descriptor of the file for another process, whose calls may block.
    ///
    /// The other process begins at this handle's position, or behind what other processes have read or written.
    ///
    /// # Errors
    /// ERROR_FILE_NOT_FOUND for a pipe that nobody reads.
    pub(crate) fn for_another_process(&self) -> Result<OwnedFd, WIN32_ERROR> {
        let fd = match self.core.kind {
            Kind::Positioned => {
                let position = *self.core.position.lock();
                os::file::advance(self.descriptor(), position).and_then(|()| os::file::duplicate(self.descriptor()))
            }
            Kind::Stream => os::file::reopen(self.descriptor()),
        };
        fd.map_err(codes::win32_from_errno)
    }

    /// Cancels the operations of one of the program's threads (CancelIo).
    pub(crate) fn cancel_of(&self, thread: u32) {
        self.cancel(|ticket| ticket.thread == thread);
    }

    /// Cancels one operation, or all for null, and calls that threads are blocked in (CancelIoEx). False if there was none.
    pub(crate) fn cancel_one(&self, overlapped: *const OVERLAPPED) -> bool {
        self.cancel(|ticket| overlapped.is_null() || ticket.overlapped == overlapped.addr()) > 0
    }

    /// Cancels the operations that `wanted` names.
    fn cancel(&self, wanted: impl Fn(&Ticket) -> bool) -> usize {
        let is_wanted = |ticket: &Ticket| self.core.owns(ticket) && wanted(ticket);
        self.core.lanes().map(|lane| lane.cancel(is_wanted)).sum()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.core.kind == Kind::Stream {
            self.cancel(|_| true);
            self.core.lanes().for_each(|lane| lane.close());
        }
    }
}

impl Core {
    fn lane(&self, direction: Direction) -> &Arc<Lane> {
        match direction {
            Direction::Read => &self.reads,
            Direction::Write => &self.writes,
        }
    }

    /// Each lane once.
    fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        let both = !Arc::ptr_eq(&self.reads, &self.writes);
        [Some(&self.reads), both.then_some(&self.writes)].into_iter().flatten()
    }

    fn owns(&self, ticket: &Ticket) -> bool {
        ticket.file == std::ptr::from_ref(self).addr()
    }

    /// Begins an operation; says whether the file has a port.
    ///
    /// Never between the status of an operation that ends and its event: a program that has seen the status may use the
    /// same event again at once, and would find it set by the last one.
    fn begin(&self, operation: &Operation) -> bool {
        let state = self.state.lock();
        operation.begin();
        // Without an event the handle is what is waited for (D21).
        if operation.notice.is_by_handle() {
            self.signalled.reset();
        }
        state.association.is_some()
    }

    /// Signals the handle, for an operation without an event, unless the program asked to leave it alone (P39).
    fn signal(&self, state: &State, notice: &Notice) {
        if notice.is_by_handle() && u32::from(state.notification_modes) & FILE_SKIP_SET_EVENT_ON_HANDLE == 0 {
            self.signalled.set();
        }
    }
}

#[cfg(test)]
mod tests;
