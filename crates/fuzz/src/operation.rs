//! One overlapped operation, and what is known of its end.

use crate::pool::Lent;
use crate::socket::Sock;
use crate::stream::{Connection, Side};
use conformance::raw::Begin;
use pentaport::sys;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// How the end of an operation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// By the socket's handle, and by a packet if it has a port.
    Handle,
    /// By an event, and by a packet if the socket has a port.
    Event,
    /// By an event alone, which the lowest bit of its handle asks for.
    EventOnly,
    /// By a routine.
    Routine,
}

/// What the operation does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// A receive of a stream, with its number.
    Receive(Arc<Connection>, Side, Option<u64>),
    /// A send of a stream or a file, with its number and length; whether it gives the socket back.
    Send { connection: Arc<Connection>, side: Side, number: usize, length: usize, reuse: bool },
    /// AcceptEx with room for so much data.
    Accept { acceptor: Arc<Sock>, data: u32 },
    /// ConnectEx with so much data.
    Connect { connection: Arc<Connection>, number: Option<usize>, length: usize },
    /// DisconnectEx.
    Disconnect { connection: Arc<Connection>, reuse: bool },
    /// A receive of a datagram.
    ReceiveDatagram,
    /// A send of a datagram of this length.
    SendDatagram(usize),
}

impl Work {
    /// Its name in the table.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Work::Receive(..) => "receive",
            Work::Send { reuse: true, .. } => "transmit-file, reuse",
            Work::Send { .. } => "send",
            Work::Accept { data: 0, .. } => "accept-ex",
            Work::Accept { .. } => "accept-ex, data",
            Work::Connect { .. } => "connect-ex",
            Work::Disconnect { reuse: true, .. } => "disconnect-ex, reuse",
            Work::Disconnect { .. } => "disconnect-ex",
            Work::ReceiveDatagram => "receive-datagram",
            Work::SendDatagram(_) => "send-datagram",
        }
    }
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its step.
    pub step: usize,
    /// The worker that started it, and which of the threads that were this worker.
    pub thread: (usize, u32),
    /// The socket whose operation it is.
    pub socket: Arc<Sock>,
    /// How its end is told.
    pub notice: Notice,
    /// What it does.
    pub work: Work,
    /// Its OVERLAPPED, buffer and event.
    pub lent: Lent,
    /// How the call began it, once that has returned.
    pub begun: Mutex<Option<Begin>>,
    /// The packets that were seen.
    pub packets: AtomicU32,
    /// How often its routine ran.
    pub routines: AtomicU32,
    /// Something was done that may cancel it.
    pub cancelled: AtomicBool,
    settled: AtomicBool,
}

/// STATUS_BUFFER_OVERFLOW: part of a datagram. A success, though the call says that it failed.
const TRUNCATED: u32 = 0x8000_0005;

impl Operation {
    /// One whose call has yet to be made.
    pub(crate) fn new(
        step: usize,
        thread: (usize, u32),
        socket: &Arc<Sock>,
        notice: Notice,
        work: Work,
        lent: Lent,
    ) -> Arc<Operation> {
        let tag = match notice {
            Notice::Handle | Notice::Routine => 0,
            Notice::Event => lent.event.handle(),
            Notice::EventOnly => lent.event.handle() | 1,
        };
        lent.request.with_event_handle(tag);
        Arc::new(Operation {
            step,
            thread,
            socket: socket.clone(),
            notice,
            work,
            lent,
            begun: Mutex::default(),
            packets: AtomicU32::new(0),
            routines: AtomicU32::new(0),
            cancelled: AtomicBool::new(false),
            settled: AtomicBool::new(false),
        })
    }

    /// The address of its OVERLAPPED.
    pub(crate) fn address(&self) -> usize {
        self.lent.request.address()
    }

    /// Whether its status says that it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.lent.request.has_completed()
    }

    /// Its status, as an NTSTATUS.
    pub(crate) fn status(&self) -> u32 {
        self.lent.request.status() as u32
    }

    /// Whether it ended with some result, if only with a part.
    pub(crate) fn succeeded(&self) -> bool {
        self.status() == 0 || self.status() == TRUNCATED
    }

    /// True for the first who asks once it is over: the model is to take note of its end.
    pub(crate) fn settle(&self) -> bool {
        self.is_over() && !self.settled.swap(true, Ordering::SeqCst)
    }

    /// Whether the operation has started; `None` while the call runs.
    pub(crate) fn started(&self) -> Option<bool> {
        let begun = (*self.begun.lock().unwrap())?;
        Some(begun.started() || (begun == Begin::Failed(sys::WSAEMSGSIZE) && self.status() == TRUNCATED))
    }

    /// How many packets are due once it is over: at least and at most.
    pub(crate) fn packets_due(&self) -> u32 {
        let told = matches!(self.notice, Notice::Handle | Notice::Event) && self.socket.port.is_some();
        let skipped = self.socket.skips && *self.begun.lock().unwrap() != Some(Begin::Pending);
        u32::from(told && !skipped && self.started() == Some(true))
    }

    /// Whether its event is to be set once it is over.
    pub(crate) fn sets_event(&self) -> bool {
        matches!(self.notice, Notice::Event | Notice::EventOnly)
    }
}
