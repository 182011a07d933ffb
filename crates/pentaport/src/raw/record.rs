//! The record of one operation.
//!
//! It is a single heap allocation that the program and the system hand to each other. In the program's hands it is a
//! `Box<Record<C>>`, whole and exclusive. In the system's hands there is no Rust reference to any part of it, only the
//! pointer that the system has: neither the record nor its buffer can be touched or freed, and `flight` is set. The
//! record comes back with its packet (`port.rs`), when its status says that the operation is over (`pending.rs`), with
//! its routine (`routine.rs`), or at once if the start failed (`start.rs`): by one of these ways, once.

use super::address::Address;
use super::call::check_bool;
use super::routine::Errand;
use crate::Result;
use crate::event_select::Event;
use crate::operation::{Accepted, OperationKind};
use crate::socket::Socket;
use crate::sys::{self, HANDLE};
use std::net::SocketAddr;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the system and the program know about one operation.
#[repr(C)]
pub(crate) struct Record<C> {
    /// First, because the packet brings back the OVERLAPPED's address, and that must be the record's.
    overlapped: sys::OVERLAPPED,
    /// The flight whose record this is (`Flight::into_raw`); set exactly while the system has the record.
    pub(super) flight: Option<NonNull<()>>,
    pub(crate) kind: OperationKind,
    /// Flags of a receive: in the record because the system may write them as long as the operation lasts.
    pub(super) flags: u32,
    /// How many bytes the last operation transferred.
    pub(crate) transferred: u32,
    /// The part of the buffer that the operation uses, or used last.
    pub(crate) range: Range<usize>,
    /// The part that the program wants the next one to use; all of it if it does not say.
    pub(crate) next_range: Option<Range<usize>>,
    pub(super) detail: Detail,
    /// The event of operations by event: made once; not here, but with the program's handle, while one is under way.
    pub(crate) event: Option<Event>,
    /// What is to be called when an operation by routine is over; set exactly while the system has it.
    pub(super) errand: Option<Errand<C>>,
    pub(crate) buffer: Vec<u8>,
    pub(crate) context: C,
}

/// What only some kinds of operation need.
pub(super) enum Detail {
    None,
    /// A datagram's sender: the system writes it here.
    Sender(Address),
    /// The socket that an accept operation is to fill, or failed to fill.
    Acceptor(Socket),
    /// The socket that it filled.
    Accepted(Accepted),
}

// SAFETY: a record in the program's hands is plain data and its context. The raw pointers inside the OVERLAPPED are not
// followed, `flight` and `errand` are None, and the sockets and the event are Send.
unsafe impl<C: Send> Send for Record<C> {}
// SAFETY: as above; a shared record gives shared access to its context and buffer only.
unsafe impl<C: Sync> Sync for Record<C> {}

impl<C> Record<C> {
    const OVERLAPPED_IS_FIRST: () = assert!(std::mem::offset_of!(Self, overlapped) == 0);

    pub(crate) fn new(buffer: Vec<u8>, context: C) -> Box<Self> {
        let () = Self::OVERLAPPED_IS_FIRST;
        Box::new(Self {
            overlapped: sys::OVERLAPPED::default(),
            flight: None,
            kind: OperationKind::Posted,
            flags: 0,
            transferred: 0,
            range: 0..0,
            next_range: None,
            detail: Detail::None,
            event: None,
            errand: None,
            buffer,
            context,
        })
    }

    /// Makes the record ready for an operation of this kind, of which nothing has happened yet.
    pub(super) fn prepare(&mut self, kind: OperationKind, flight: NonNull<()>, event: HANDLE) {
        self.overlapped = sys::OVERLAPPED { hEvent: event, ..Default::default() };
        self.flight = Some(flight);
        self.kind = kind;
        self.flags = 0;
        self.transferred = 0;
    }

    /// Whether the operation of a record that the system has is over. If so, what the system wrote is seen from now on.
    ///
    /// # Safety
    /// The record is allocated, and an operation was started with it.
    pub(super) unsafe fn is_over(record: NonNull<Self>) -> bool {
        // SAFETY: the field is aligned and alive by the caller's promise. The system writes it as a whole, as its last
        // access to the record (SEMANTICS D15), and nobody else does meanwhile.
        let status = unsafe { AtomicUsize::from_ptr(&raw mut (*record.as_ptr()).overlapped.Internal) };
        status.load(Ordering::Acquire) as sys::NTSTATUS != sys::STATUS_PENDING
    }

    /// How an operation that is over ended, in Win32 codes.
    pub(super) fn outcome(&self) -> Result<()> {
        // An NTSTATUS is 32 bits wide; the field has a pointer's width. Negative is a failure.
        if self.overlapped.Internal as sys::NTSTATUS >= 0 {
            return Ok(());
        }
        let mut transferred = 0;
        // SAFETY: the operation is over: the call reads its status, and translates it as a port does for a single
        // packet. The handle is not used without a wait (SEMANTICS D37).
        check_bool(unsafe {
            sys::GetOverlappedResult(std::ptr::null_mut(), &self.overlapped, &mut transferred, sys::FALSE)
        })
    }

    /// How many bytes an operation that is over transferred.
    pub(super) fn bytes(&self) -> u32 {
        // The count is 32 bits wide; the field has a pointer's width.
        self.overlapped.InternalHigh as u32
    }

    /// The pointer for the system, and back.
    pub(super) fn overlapped(record: *mut Self) -> *mut sys::OVERLAPPED {
        record.cast()
    }

    /// The sender of the datagram, if this was a receive of one and the system told.
    pub(crate) fn sender(&self) -> Option<SocketAddr> {
        match &self.detail {
            Detail::Sender(address) => address.get().ok(),
            _ => None,
        }
    }

    pub(crate) fn take_accepted(&mut self) -> Option<Accepted> {
        match std::mem::replace(&mut self.detail, Detail::None) {
            Detail::Accepted(accepted) => Some(accepted),
            other => {
                self.detail = other;
                None
            }
        }
    }

    pub(crate) fn take_acceptor(&mut self) -> Option<Socket> {
        match std::mem::replace(&mut self.detail, Detail::None) {
            Detail::Acceptor(socket) => Some(socket),
            other => {
                self.detail = other;
                None
            }
        }
    }
}
