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
use crate::event_select::Event;
use crate::operation::{Accepted, OperationKind};
use crate::socket::Socket;
use crate::sys::{self, HANDLE};
use crate::{Error, Result};
use std::net::SocketAddr;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the system and the program know about one operation.
///
/// Every pending operation is one of these, and an idle connection has one pending: what only some operations need is
/// elsewhere, and what each needs comes first.
#[repr(C)]
pub(crate) struct Record<C> {
    /// First, because the packet brings back the OVERLAPPED's address, and that must be the record's.
    overlapped: sys::OVERLAPPED,
    /// The flight whose record this is (`Flight::into_raw`); set exactly while the system has the record.
    pub(super) flight: Option<NonNull<()>>,
    /// The part of the buffer that the operation uses, or used last.
    start: usize,
    length: u32,
    /// Flags of a receive: in the record because the system may write them as long as the operation lasts.
    pub(super) flags: u32,
    /// How many bytes the last operation transferred.
    pub(crate) transferred: u32,
    pub(crate) kind: OperationKind,
    pub(crate) buffer: Vec<u8>,
    /// The event of operations by event: made once; not here, but with the program's handle, while one is under way.
    pub(crate) event: Option<Event>,
    extra: Option<Box<Extra<C>>>,
    pub(crate) context: C,
}

/// What only some operations need. It is kept, so that a record that needs it again allocates nothing.
struct Extra<C> {
    /// The part that the program wants the next operation to use; all of it if it does not say.
    next_range: Option<Range<usize>>,
    /// What is to be called when an operation by routine is over; set exactly while the system has it.
    errand: Option<Errand<C>>,
    detail: Option<Box<Detail>>,
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

// 10,000 idle connections have as many records.
const _: () = assert!(size_of::<usize>() != 8 || size_of::<Record<()>>() <= 104);

// SAFETY: a record in the program's hands is plain data and its context. The raw pointers inside the OVERLAPPED are not
// followed, `flight` and the errand are None, and the sockets and the event are Send.
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
            start: 0,
            length: 0,
            flags: 0,
            transferred: 0,
            kind: OperationKind::Posted,
            buffer,
            event: None,
            extra: None,
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

    /// The part of the buffer that the operation uses, or used last.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.length as usize
    }

    /// Settles the part of the buffer that the next operation uses.
    ///
    /// # Errors
    /// `WSAEFAULT` if it is not within the buffer, `WSAEMSGSIZE` if its length has no 32 bits.
    pub(super) fn set_range(&mut self, range: Range<usize>) -> Result<()> {
        let part = self.buffer.get(range.clone()).ok_or(Error::from_code(sys::WSAEFAULT))?;
        self.length = u32::try_from(part.len()).map_err(|_| Error::from_code(sys::WSAEMSGSIZE))?;
        self.start = range.start;
        Ok(())
    }

    /// Notes what part the program wants the next operation to use.
    pub(crate) fn ask_for(&mut self, range: Range<usize>) {
        self.extra().next_range = Some(range);
    }

    /// The part that the program wants this operation to use, once.
    pub(super) fn take_asked(&mut self) -> Range<usize> {
        let asked = self.extra.as_mut().and_then(|extra| extra.next_range.take());
        asked.unwrap_or(0..self.buffer.len())
    }

    pub(super) fn set_errand(&mut self, errand: Errand<C>) {
        self.extra().errand = Some(errand);
    }

    pub(super) fn take_errand(&mut self) -> Option<Errand<C>> {
        self.extra.as_mut()?.errand.take()
    }

    pub(super) fn detail(&mut self) -> &mut Detail {
        self.extra().detail.get_or_insert_with(|| Box::new(Detail::None))
    }

    fn extra(&mut self) -> &mut Extra<C> {
        self.extra.get_or_insert_with(|| Box::new(Extra { next_range: None, errand: None, detail: None }))
    }

    /// The sender of the datagram, if this was a receive of one and the system told.
    pub(crate) fn sender(&self) -> Option<SocketAddr> {
        match self.extra.as_ref()?.detail.as_deref()? {
            Detail::Sender(address) => address.get().ok(),
            _ => None,
        }
    }

    pub(crate) fn take_accepted(&mut self) -> Option<Accepted> {
        match self.take_detail()? {
            Detail::Accepted(accepted) => Some(accepted),
            other => {
                *self.detail() = other;
                None
            }
        }
    }

    pub(crate) fn take_acceptor(&mut self) -> Option<Socket> {
        match self.take_detail()? {
            Detail::Acceptor(socket) => Some(socket),
            other => {
                *self.detail() = other;
                None
            }
        }
    }

    fn take_detail(&mut self) -> Option<Detail> {
        let detail = self.extra.as_mut()?.detail.as_deref_mut()?;
        Some(std::mem::replace(detail, Detail::None))
    }
}
