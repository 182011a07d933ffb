//! A request: an operation that waits in one of a socket's queues.

use std::collections::VecDeque;

use ranked_locks::{Mutex, rank};

use crate::address::Address;
use crate::apc::{FileRoutine, WinsockRoutine};
use crate::dispatcher;
use crate::socket::accept::AcceptData;
use crate::socket::transmission::Transmission;
use crate::types::*;

/// The buffers of a request. The array of descriptions is captured when the call is made (D9); the memory that they
/// describe stays the caller's until the request completes.
pub(crate) enum Buffers {
    One(One),
    #[expect(clippy::box_collection, reason = "every request has room for it")]
    Many(Box<Vec<WSABUF>>),
    /// Memory of our own.
    Owned(Box<Owned>),
}

/// A WSABUF whose padding says that there is one, so that this costs the queues nothing.
#[repr(C)]
pub(crate) struct One {
    len: u32,
    tag: Tag,
    buf: *mut u8,
}

#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    One = 0,
}

const _: () = assert!(size_of::<One>() == size_of::<WSABUF>() && align_of::<One>() == align_of::<WSABUF>());
const _: () = assert!(std::mem::offset_of!(One, len) == std::mem::offset_of!(WSABUF, len));
const _: () = assert!(std::mem::offset_of!(One, buf) == std::mem::offset_of!(WSABUF, buf));

impl One {
    fn as_slice(&self) -> &[WSABUF] {
        // SAFETY: both are laid out alike, and what is more here lies in the padding there.
        std::slice::from_ref(unsafe { &*(&raw const *self).cast::<WSABUF>() })
    }
}

/// Memory, and the description that points into it.
#[derive(Default)]
pub(crate) struct Owned {
    description: [WSABUF; 1],
    data: Vec<u8>,
}

// SAFETY: the description points into the memory, which is its own.
unsafe impl Send for Owned {}

impl Owned {
    /// Changes what is in the memory.
    pub(crate) fn fill(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        fill(&mut self.data);
        self.description = [WSABUF { len: self.data.len() as u32, buf: self.data.as_mut_ptr() }];
    }

    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    pub(crate) fn as_slice(&self) -> &[WSABUF] {
        &self.description
    }
}

impl Buffers {
    #[inline]
    pub(crate) fn capture(buffers: &[WSABUF]) -> Buffers {
        match buffers {
            &[WSABUF { len, buf }] => Buffers::One(One { len, tag: Tag::One, buf }),
            many => Buffers::Many(Box::new(many.to_vec())),
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[WSABUF] {
        match self {
            Buffers::One(one) => one.as_slice(),
            Buffers::Owned(owned) => owned.as_slice(),
            Buffers::Many(many) => many,
        }
    }
}

/// How many bytes the buffers hold together; more than 4 GiB cannot be asked for at once.
pub(crate) fn total(buffers: &[WSABUF]) -> u32 {
    buffers.iter().fold(0u32, |sum, buffer| sum.saturating_add(buffer.len))
}

/// Whether a call's flags have one of MSG_OOB, MSG_PEEK …
pub(crate) fn has(flags: u32, flag: SEND_RECV_FLAGS) -> bool {
    flags & flag as u32 != 0
}

/// How the program learns that an operation has completed.
#[derive(Clone)]
pub(crate) enum Notice {
    /// By the event that `hEvent` was when the operation started, whatever becomes of its handle, or by the handle that
    /// the operation is on; and by a packet, if that handle has a port and the program has not said otherwise (D22).
    Event { event: Option<dispatcher::Object>, packet: bool },
    /// By a routine on the thread that started it.
    Routine(WinsockRoutine),
    /// The same, of ReadFileEx and WriteFileEx.
    FileRoutine(FileRoutine),
    /// A thread of the program waits for it in a blocking call, polls the descriptor itself and alone runs it, so
    /// that nobody has to wake that thread.
    Synchronous,
}

/// What is special about a request.
pub(crate) enum Role {
    Plain,
    /// The address of the datagram's sender goes here.
    From(*mut SOCKADDR, *mut i32),
    To(Box<Destination>),
    /// Of WSARecvMsg: the address and the rest of what came go there.
    Message(*mut WSAMSG),
    /// The rest of what a non-blocking send accepted whole (D60); nobody waits for it.
    Spill,
    /// The first data of a connection that AcceptEx took; completes as the listener's operation.
    AcceptData(Box<AcceptData>),
    /// Of TransmitFile or DisconnectEx.
    Transmission(Box<Transmission>),
}

/// Where a datagram goes, and how.
pub(crate) struct Destination {
    /// To the peer, if there is none.
    pub(crate) address: Option<Address>,
    /// Control data, as the kernel has it.
    pub(crate) control: Box<[u64]>,
}

pub(crate) struct Request {
    pub(crate) overlapped: *mut OVERLAPPED,
    pub(crate) notice: Notice,
    /// Our number of the thread that started the operation.
    pub(crate) thread: u32,
    /// MSG_OOB, MSG_PEEK, MSG_WAITALL …
    pub(crate) flags: u32,
    /// Bytes transferred so far.
    pub(crate) done: u32,
    pub(crate) buffers: Buffers,
    pub(crate) role: Role,
}

// SAFETY: the pointers are the caller's, who keeps what they point to alive and untouched until completion; the
// request itself is only reached under its socket's lock.
unsafe impl Send for Request {}

impl Notice {
    /// By the handle that the operation is on, and by a packet.
    pub(crate) const HANDLE: Notice = Notice::Event { event: None, packet: true };

    /// Whether the handle is what is waited for (D21).
    pub(crate) fn is_by_handle(&self) -> bool {
        matches!(self, Notice::Event { event: None, .. })
    }

    /// Whether nobody but a port is told, if there is one (D87).
    pub(crate) fn is_for_port(&self) -> bool {
        matches!(self, Notice::Event { event: None, packet: true })
    }
}

impl Request {
    pub(crate) fn is_synchronous(&self) -> bool {
        matches!(self.notice, Notice::Synchronous)
    }

    pub(crate) fn total(&self) -> u32 {
        total(self.buffers.as_slice())
    }
}

/// A queue of requests. The first lies in place: a socket with one receive in flight allocates nothing.
#[derive(Default)]
pub(crate) struct Fifo {
    head: Option<Request>,
    #[expect(clippy::box_collection, reason = "a pointer per socket, not a queue per socket")]
    rest: Option<Box<VecDeque<Request>>>,
}

impl Fifo {
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    #[inline]
    pub(crate) fn push(&mut self, request: Request) {
        if self.head.is_none() {
            self.head = Some(request);
        } else {
            self.rest.get_or_insert_default().push_back(request);
        }
    }

    pub(crate) fn front(&self) -> Option<&Request> {
        self.head.as_ref()
    }

    /// Puts back what [`Fifo::pop`] gave.
    pub(crate) fn put_back(&mut self, request: Request) {
        if let Some(next) = self.head.replace(request) {
            self.rest.get_or_insert_default().push_front(next);
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Request> {
        let next = self.rest.as_mut().and_then(|rest| rest.pop_front());
        std::mem::replace(&mut self.head, next)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.head.iter().chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// Takes out the requests that `wanted` names; both parts keep their order.
    pub(crate) fn take(&mut self, mut wanted: impl FnMut(&Request) -> bool) -> Vec<Request> {
        let all = std::iter::from_fn(|| self.pop()).collect::<Vec<_>>();
        let (taken, kept) = all.into_iter().partition(|request| wanted(request));
        for request in kept {
            self.push(request);
        }
        taken
    }
}

/// A queue that most sockets never need, apart from the socket. Queues that are not needed any more are kept for the
/// sockets that need one next.
#[derive(Default)]
pub(crate) struct Apart(Option<Box<Fifo>>);

/// Queues that no socket needs at the moment.
#[expect(clippy::vec_box, reason = "what is kept is the allocation")]
static SPARE: Mutex<Vec<Box<Fifo>>, rank::Leaf> = Mutex::new(Vec::new());
const MOST_SPARE: usize = 64;

impl Apart {
    pub(crate) fn is_empty(&self) -> bool {
        self.front().is_none()
    }

    pub(crate) fn push(&mut self, request: Request) {
        self.queue().push(request);
    }

    pub(crate) fn front(&self) -> Option<&Request> {
        self.0.as_ref()?.front()
    }

    /// Puts back what [`Apart::pop`] gave.
    pub(crate) fn put_back(&mut self, request: Request) {
        self.queue().put_back(request);
    }

    pub(crate) fn pop(&mut self) -> Option<Request> {
        self.0.as_mut()?.pop()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.0.iter().flat_map(|queue| queue.iter())
    }

    /// As [`Fifo::take`].
    pub(crate) fn take(&mut self, wanted: impl FnMut(&Request) -> bool) -> Vec<Request> {
        self.0.as_mut().map(|queue| queue.take(wanted)).unwrap_or_default()
    }

    /// Gives up an empty queue.
    pub(crate) fn settle(&mut self) {
        if let Some(queue) = self.0.take_if(|queue| queue.is_empty()) {
            let mut spare = SPARE.lock();
            if spare.len() < MOST_SPARE {
                spare.push(queue);
            }
        }
    }

    fn queue(&mut self) -> &mut Fifo {
        self.0.get_or_insert_with(|| SPARE.lock().pop().unwrap_or_default())
    }
}

const _: () = assert!(size_of::<Request>() <= 80, "every socket has room for one");
