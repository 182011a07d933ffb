//! The completion port.
//!
//! A port is a queue of packets, a stack of waiting threads, a count of running ones, and an epoll instance for its
//! sockets. epoll alone would not do: its waiters wake last in, first out one at a time, but a burst of edges also
//! wakes the oldest, and the kernel knows nothing of the concurrency value. So:
//!
//! * Packets queue first in, first out; waiters are released last in, first out, each on a futex of its own, and get
//!   their packet handed over (P11). A running thread that asks again takes the next packet itself (P19).
//! * Threads that post packets and threads that take them do not share a lock while the takers keep up: packets are posted
//!   to a queue beside ([`Posted`]), which takers move over when they have run out. It is open only while no packet could
//!   wake anybody, and to a port with sockets only once several packets came between two sleeps in `epoll_wait`. A taker
//!   that has run out while posters bring several packets between two of its calls lets them get ahead, or it would meet
//!   them at every packet. A thread that finds nothing looks for a few microseconds before it sleeps; it counts as a waiter
//!   that came last.
//! * At most one waiter *polls*, that is, sits in `epoll_wait`: the latest. One that comes while another polls takes
//!   its place. None polls while the concurrency value is reached. A port without sockets never touches epoll.
//! * A poller that leaves with a packet does not wake another to poll in its place: it will most likely be back
//!   before the next edge, and a hop through another thread costs more than a message. If it stays away, the watchdog
//!   ([`crate::watchdog`]) sees edges that nobody takes and puts a waiter to the poll.
//! * The concurrency value is real (P17–P21): a thread counts as running from the moment it gets a packet until it
//!   asks again, blocks in a call of ours, ends, or is found asleep by the watchdog while packets queue and waiters
//!   are parked.
//!
//! A port's lock comes after a socket's. Under it come the wait engine's and leaves: that of its [`Posted`], that of what a
//! [`Worker`] is given, and the watchdog's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot_core::SpinWait;
use ranked_locks::rank;

use crate::deadline::Deadline;
use crate::dispatcher::{self, Alertable, Object};
use crate::objects::table::{self, Value};
use crate::os;
use crate::reactor::Epoll;
use crate::sleeper::Elsewhere;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard, futex_wait, futex_wake, local};
use crate::thread;
use crate::types::*;
use crate::watchdog;

/// How many packets are taken from the queue before edges are looked at, though there are more. Packets that keep coming
/// without edges, such as those of AcceptEx while connections wait, would else keep all sockets waiting, until the watchdog
/// takes their edges on a thread of its own. As many as edges are taken at once, or the queue would grow where each edge
/// brings a packet.
const BEFORE_EDGES: usize = 64;

/// How many packets are queued one by one on a port with sockets before it is opened for posts. The schedules that are
/// chosen in tests have few packets.
const BEFORE_OPEN: u32 = if cfg!(feature = "shuttle") { 1 } else { 32 };

/// For how long posters are let get ahead, at the most: some hundred nanoseconds, or a microsecond, by the processor.
const PAUSES: usize = 32;

/// One completion, as GetQueuedCompletionStatus will tell it.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    key: usize,
    overlapped: *mut OVERLAPPED,
    /// The status in the lower half, the bytes in the upper: a packet is moved in words, and a word that was just written
    /// in two parts cannot be read at once.
    outcome: u64,
}

// SAFETY: the pointer is only passed through; the program that gave it says who may use it.
unsafe impl Send for Packet {}

impl Packet {
    #[inline]
    pub(crate) fn new(key: usize, overlapped: *mut OVERLAPPED, status: NTSTATUS, bytes: u32) -> Packet {
        Packet { key, overlapped, outcome: u64::from(bytes) << 32 | u64::from(status as u32) }
    }

    #[inline]
    fn entry(self) -> OVERLAPPED_ENTRY {
        OVERLAPPED_ENTRY {
            lpCompletionKey: self.key,
            lpOverlapped: self.overlapped,
            Internal: self.outcome as u32 as usize,
            dwNumberOfBytesTransferred: (self.outcome >> 32) as u32,
        }
    }
}

/// How often the watchdog looks for sleepers after a thread went away without a packet: it has to see each twice, and it
/// stops if the thread does not come again.
const LOOKS_FOR_SLEEPERS: u8 = 3;

/// What a parked thread is woken with.
enum Given {
    Packet(Packet),
    /// Look again: there is something to poll, or the port is closed.
    Nudge,
}

/// Whether a thread uses up one of the slots that the concurrency value limits.
mod running {
    /// It asks for a packet, or waits in another call of ours.
    pub(super) const NO: u8 = 0;
    pub(super) const YES: u8 = 1;
    /// It got a packet, but the watchdog found it asleep and freed its slot.
    pub(super) const ASLEEP: u8 = 2;
}

/// A thread that uses a port (P17).
pub(crate) struct Worker {
    /// The kernel's id of the thread, under which /proc knows it.
    thread: i32,
    /// 1 while parked.
    parked: AtomicU32,
    /// One of [`running`]; changes under the port's lock only.
    running: AtomicU8,
    /// How often it began to run, and which of these times the watchdog has found it asleep once.
    runs: AtomicU32,
    suspected: AtomicU32,
    given: Mutex<Option<Given>, rank::Leaf>,
    /// A routine is queued to it in an alertable wait.
    alerted: AtomicBool,
}

/// A worker in an alertable wait for packets, for those who queue a routine to it.
#[derive(Clone)]
pub(crate) struct Wakeable {
    port: Arc<Port>,
    worker: Arc<Worker>,
}

impl Wakeable {
    pub(crate) fn wake(&self) {
        self.port.alert(&self.worker);
    }
}

pub(crate) struct Port {
    /// How many handles mean the port: with the last it is closed.
    pub(crate) handles: AtomicU32,
    state: Mutex<State, rank::Port>,
    /// Kept by the threads that post, too.
    posted: Arc<Posted>,
    /// Made when the first socket needs it.
    epoll: OnceLock<Arc<Epoll>>,
    /// Under which the watchdog knows the port.
    id: u64,
    /// The watchdog looks at this port until the port need not be watched.
    pub(crate) watched: AtomicBool,
}

/// On cache lines of its own (in pairs, as processors fetch them).
#[repr(align(128))]
struct Apart<T>(T);

/// Where threads post while nobody has to be woken for it. Posters and takers would share a lock, and what lies beside it,
/// with each packet; so they meet only when the takers have nothing left.
#[repr(align(128))]
pub(crate) struct Posted {
    packets: Mutex<VecDeque<Packet>, rank::Leaf>,
    /// Nothing may be posted here: somebody may have to be woken. Changes under the port's lock and that of the packets.
    closed: AtomicBool,
    /// Whether there may be any, for those who look without a lock. They look often, so it is not beside what posters
    /// write, and is written only where it changes.
    any: Apart<AtomicBool>,
}

impl Posted {
    fn new() -> Arc<Posted> {
        Arc::new(Posted {
            packets: Mutex::new(VecDeque::new()),
            closed: AtomicBool::new(false),
            any: Apart(AtomicBool::new(false)),
        })
    }

    /// Queues a packet for which nobody has to be woken; false, and nothing is done, if somebody may have to be.
    #[inline(always)]
    pub(crate) fn push(&self, packet: Packet) -> bool {
        if self.is_closed() {
            return false;
        }
        let mut packets = self.packets.lock();
        let open = !self.is_closed();
        if open {
            packets.push_back(packet);
            self.tell();
        }
        open
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    #[inline]
    fn has_any(&self) -> bool {
        self.any.0.load(Ordering::Relaxed)
    }

    /// Shows those who look that there is something.
    #[inline]
    fn tell(&self) {
        if !self.has_any() {
            self.any.0.store(true, Ordering::Relaxed);
        }
    }
}

struct State {
    concurrency: u32,
    /// The packets to take next; those that were [`Posted`] follow them.
    packets: VecDeque<Packet>,
    /// How many were taken since edges were last looked at.
    taken: usize,
    /// How many were queued one by one since a thread last slept in `epoll_wait`.
    pushed: u32,
    /// How many a running thread found posted when it had taken all, the last time.
    gathered: usize,
    /// How many threads are about to wait and look for packets without the lock. Each is as good as a waiter that came
    /// last, and takes up a slot.
    looking: u32,
    /// Parked threads with the number of their arrival, latest last.
    waiters: Vec<(u64, Arc<Worker>)>,
    arrivals: u64,
    /// Every thread that uses the port.
    workers: Vec<Arc<Worker>>,
    /// How many workers run.
    active: u32,
    /// The arrival of the thread that sits in `epoll_wait`, or works on what that brought.
    poller: Option<u64>,
    /// The polling thread has been called back.
    recalled: bool,
    /// What it has been given meanwhile. It has a slot with it.
    given: Option<Packet>,
    /// A thread whose time was over before it had a slot may come again: how often the watchdog is still to look for
    /// sleepers on its behalf.
    turned_away: u8,
    closed: bool,
    /// The port's handle as something to wait for: set while packets are queued. Made when somebody waits.
    waitable: Option<Object>,
}

/// What ends a wait for packets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GetError {
    Timeout,
    /// The port was closed during the wait.
    Abandoned,
    /// The port was closed before.
    InvalidHandle,
    /// A routine is queued to the thread.
    Alerted,
}

/// The port that this thread uses, and as what.
struct Association {
    handle: usize,
    /// Where the handle's value lies. (The schedules have ports without handles.)
    value: Option<(&'static Value, u32)>,
    port: Arc<Port>,
    worker: Arc<Worker>,
}

impl Association {
    /// Whether the handle means the port still.
    #[inline]
    fn holds(&self) -> bool {
        // A value that has come round again is that of another port.
        let is_open = self.port.handles.load(Ordering::Relaxed) > 0;
        is_open && self.value.is_none_or(|(value, handle)| value.means(handle))
    }
}

impl Drop for Association {
    fn drop(&mut self) {
        self.port.leave(&self.worker);
    }
}

local! {
    static ASSOCIATION: RefCell<Option<Rc<Association>>> = const { RefCell::new(None) };
    /// The port whose events this thread is dispatching, as the thread that polls.
    static DISPATCHING: Cell<*const Port> = const { Cell::new(std::ptr::null()) };
}

/// Dequeues up to `entries.len()` packets from the port that `handle` means, as this thread.
#[inline(always)]
pub(crate) fn get(
    handle: usize,
    find: impl FnOnce() -> Option<Arc<Port>>,
    entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
    timeout: Option<Duration>,
) -> Result<usize, GetError> {
    let association = match current_association(handle) {
        Some(association) => association,
        None => associate(handle, find)?,
    };
    let Association { port, worker, .. } = &*association;
    let state = match port.take_next(worker, entries) {
        Ok(taken) => return Ok(taken),
        Err(state) => state,
    };
    let deadline = Deadline::after(timeout);
    let mut result = port.stop_and_wait(state, worker, entries, timeout);
    while let Err(GetError::Alerted) = result {
        // What was to get the thread out of an earlier wait came late.
        worker.alerted.store(false, Ordering::Relaxed);
        result = port.get(worker, entries, deadline.remaining());
    }
    result
}

/// As [`get`], but routines queued to the thread are run, and end the wait: before a packet is looked for if the thread
/// has not used this port before, and otherwise if there is no packet (P34).
pub(crate) fn get_alertably(
    handle: usize,
    find: impl FnOnce() -> Option<Arc<Port>>,
    entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
    timeout: Option<Duration>,
) -> Result<usize, GetError> {
    let me = thread::current();
    let (association, newcomer) = match current_association(handle) {
        Some(association) => (association, false),
        None => (associate(handle, find)?, true),
    };
    let Association { port, worker, .. } = &*association;
    if newcomer && dispatcher::run_queued_apcs(&me) {
        return Err(GetError::Alerted);
    }
    let deadline = Deadline::after(timeout);
    loop {
        let wakeable = Wakeable { port: port.clone(), worker: worker.clone() };
        let result = match Alertable::enter(&me, Elsewhere::Port(wakeable)) {
            Some(_alertable) => port.get(worker, entries, deadline.remaining()),
            None => port.get(worker, entries, Some(Duration::ZERO)),
        };
        worker.alerted.store(false, Ordering::Relaxed);
        match result {
            Err(GetError::Timeout | GetError::Alerted) if dispatcher::run_queued_apcs(&me) => {
                return Err(GetError::Alerted);
            }
            Err(GetError::Alerted) => {}
            result => return result,
        }
    }
}

/// The calling thread as a user of the port that `handle` means, if it is one.
#[inline]
fn current_association(handle: usize) -> Option<Rc<Association>> {
    let current = |current: &RefCell<Option<Rc<Association>>>| {
        current.borrow().as_ref().filter(|association| association.handle == handle && association.holds()).cloned()
    };
    ASSOCIATION.try_with(current).ok().flatten()
}

/// Makes the calling thread a user of the port that `handle` means.
#[cold]
fn associate(handle: usize, find: impl FnOnce() -> Option<Arc<Port>>) -> Result<Rc<Association>, GetError> {
    let port = find().ok_or(GetError::InvalidHandle)?;
    let worker = port.join();
    let association = Rc::new(Association { handle, value: table::object_value(handle), port, worker });
    // The old association ends here: a thread uses one port at a time.
    let old = ASSOCIATION.try_with(|current| current.replace(Some(association.clone())));
    drop(old);
    Ok(association)
}

/// For the time of a blocking call of ours: this thread does not run, so another worker of its port may (P20).
pub(crate) struct Blocking(Option<Rc<Association>>);

/// Says that this thread is about to block.
pub(crate) fn blocking() -> Blocking {
    let association = ASSOCIATION.try_with(|current| current.borrow().clone()).ok().flatten();
    Blocking(association.filter(|association| association.port.pause(&association.worker)))
}

impl Drop for Blocking {
    fn drop(&mut self) {
        if let Some(association) = &self.0 {
            association.port.resume(&association.worker);
        }
    }
}

impl Port {
    /// `concurrency` 0 means the number of processors (P7).
    pub(crate) fn new(concurrency: u32) -> Arc<Port> {
        let concurrency = match concurrency {
            0 => std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
            value => value,
        };
        let state = State {
            concurrency,
            packets: VecDeque::new(),
            taken: 0,
            pushed: 0,
            gathered: 0,
            looking: 0,
            waiters: Vec::new(),
            arrivals: 0,
            workers: Vec::new(),
            active: 0,
            poller: None,
            recalled: false,
            given: None,
            turned_away: 0,
            closed: false,
            waitable: None,
        };
        Arc::new_cyclic(|port| Port {
            handles: AtomicU32::new(1),
            state: Mutex::new(state),
            posted: Posted::new(),
            epoll: OnceLock::new(),
            id: watchdog::register_port(port),
            watched: AtomicBool::new(false),
        })
    }

    /// The epoll instance for the port's sockets.
    pub(crate) fn epoll(&self) -> os::OsResult<&Arc<Epoll>> {
        if let Some(epoll) = self.epoll.get() {
            return Ok(epoll);
        }
        let epoll = Arc::new(Epoll::new()?);
        if self.epoll.set(epoll).is_ok()
            && let Some(epoll) = self.epoll.get()
        {
            watchdog::watch(self.id, epoll);
            // Threads that were parked while there was nothing to poll.
            let mut state = self.state.lock();
            self.put_to_poll(&mut state);
        }
        self.epoll.get().ok_or(libc::EIO)
    }

    /// Queues a packet. Called under the lock of the socket that it is about, so that packets of one socket queue in
    /// the order in which its operations completed.
    pub(crate) fn push(&self, packet: Packet) {
        if self.posted.push(packet) {
            return;
        }
        let mut state = self.state.lock();
        self.gather(&mut state);
        if state.closed {
            return;
        }
        state.packets.push_back(packet);
        if state.looking > 0 {
            self.posted.tell();
        }
        // The thread that polls looks at the queue when it has dispatched all that it brought.
        if !std::ptr::eq(DISPATCHING.with(Cell::get), self) {
            state.pushed = state.pushed.saturating_add(1);
            self.hand_out(&mut state);
            self.open_for_posts(&state);
        }
    }

    /// Where most packets are posted.
    pub(crate) fn posted(&self) -> &Arc<Posted> {
        &self.posted
    }

    /// Moves what was posted to the packets to take.
    #[inline]
    fn gather(&self, state: &mut State) {
        if self.posted.has_any() {
            self.gather_what_is_there(state);
        }
    }

    #[inline(never)]
    fn gather_what_is_there(&self, state: &mut State) {
        self.gather_from(state, &mut self.posted.packets.lock());
    }

    fn gather_from(&self, state: &mut State, posted: &mut VecDeque<Packet>) {
        self.posted.any.0.store(false, Ordering::Relaxed);
        if state.packets.is_empty() {
            // They exchange their memory, too, so that none is allocated once both have grown.
            std::mem::swap(&mut state.packets, posted);
        } else {
            state.packets.append(posted);
        }
    }

    /// Moves what was posted to the packets to take, for a running thread that has taken all. Where posters keep bringing
    /// several between two calls, it lets them get ahead first: else they would meet it at each packet.
    #[inline(never)]
    fn refill(&self, state: &mut MutexGuard<'_, State, rank::Port>) -> bool {
        if state.gathered > 1 {
            let pauses = state.gathered.min(PAUSES);
            MutexGuard::unlocked(state, || (0..pauses).for_each(|_| std::hint::spin_loop()));
        }
        self.gather(state);
        state.gathered = state.packets.len();
        state.gathered > 0
    }

    /// Whether at least `count` packets are there to take.
    #[inline]
    fn has(&self, state: &mut State, count: usize) -> bool {
        if state.packets.len() < count {
            self.gather(state);
        }
        state.packets.len() >= count
    }

    /// Whether somebody may have to be woken for a packet.
    #[inline(never)]
    fn heeds_packets(&self, state: &State) -> bool {
        let waits = state.poller.is_some() || !state.waiters.is_empty();
        let heeds = waits && (state.has_slot() || !self.watched.load(Ordering::Relaxed));
        // A port with sockets is mostly polled; it is not opened to be closed a moment later.
        let polled = state.pushed < BEFORE_OPEN && self.epoll.get().is_some();
        heeds || state.waitable.is_some() || state.closed || polled
    }

    #[inline]
    fn open_for_posts(&self, state: &State) {
        if self.posted.is_closed() && !self.heeds_packets(state) {
            let _packets = self.posted.packets.lock();
            self.posted.closed.store(false, Ordering::Relaxed);
        }
    }

    /// To be called where from now on somebody may have to be woken for a packet. What was posted meanwhile is moved to
    /// the packets to take, so the caller looks whether there are any.
    #[inline]
    fn close_for_posts(&self, state: &mut State) {
        if !self.posted.is_closed() && self.heeds_packets(state) {
            let mut packets = self.posted.packets.lock();
            self.posted.closed.store(true, Ordering::Relaxed);
            self.gather_from(state, &mut packets);
        }
    }

    /// One of the port's handles is closed.
    pub(crate) fn close_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }

    /// Ends the port for its users: packets are dropped, every waiter wakes (P26).
    fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        self.close_for_posts(&mut state);
        state.packets = VecDeque::new();
        *self.posted.packets.lock() = VecDeque::new();
        while let Some((_, worker)) = state.waiters.pop() {
            worker.wake(Given::Nudge);
        }
        self.recall(&mut state);
        self.show(&mut state);
    }

    /// The port's handle as something to wait for: signalled while packets are queued, and once it is closed (P37).
    pub(crate) fn waitable(&self) -> Object {
        let mut state = self.state.lock();
        let object = state.waitable.get_or_insert_with(|| Object::event(true, false)).clone();
        self.close_for_posts(&mut state);
        self.show(&mut state);
        object
    }

    fn join(&self) -> Arc<Worker> {
        let worker = Arc::new(Worker {
            thread: os::thread_id(),
            parked: AtomicU32::new(0),
            running: AtomicU8::new(running::NO),
            runs: AtomicU32::new(0),
            suspected: AtomicU32::new(0),
            given: Mutex::new(None),
            alerted: AtomicBool::new(false),
        });
        self.state.lock().workers.push(worker.clone());
        worker
    }

    fn leave(&self, worker: &Arc<Worker>) {
        let mut state = self.state.lock();
        state.workers.retain(|other| !Arc::ptr_eq(other, worker));
        self.stop(&mut state, worker);
        self.hand_out(&mut state);
        self.put_to_poll(&mut state);
    }

    /// Frees the slot of a running worker; false if it has none.
    fn pause(&self, worker: &Worker) -> bool {
        let mut state = self.state.lock();
        let ran = self.stop(&mut state, worker);
        if ran {
            self.hand_out(&mut state);
            self.put_to_poll(&mut state);
        }
        ran
    }

    fn resume(&self, worker: &Worker) {
        // The count may now exceed the concurrency value for a while; nobody is released until it falls (P20).
        worker.run(&mut self.state.lock());
    }

    fn stop(&self, state: &mut State, worker: &Worker) -> bool {
        let ran = worker.is_running();
        worker.running.store(running::NO, Ordering::Relaxed);
        state.active -= u32::from(ran);
        ran
    }

    fn get(
        &self,
        worker: &Arc<Worker>,
        entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
        timeout: Option<Duration>,
    ) -> Result<usize, GetError> {
        match self.take_next(worker, entries) {
            Ok(taken) => Ok(taken),
            Err(state) => self.stop_and_wait(state, worker, entries, timeout),
        }
    }

    /// A running thread that asks again takes the next packet itself (P19), and keeps its slot.
    #[inline(always)]
    fn take_next(
        &self,
        worker: &Worker,
        entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
    ) -> Result<usize, MutexGuard<'_, State, rank::Port>> {
        let mut state = self.state.lock();
        let looks_at_edges = state.taken >= BEFORE_EDGES && self.epoll.get().is_some();
        if !worker.keeps_slot(&state) || looks_at_edges || state.closed {
            return Err(state);
        }
        // To refill lets others in.
        if state.packets.is_empty()
            && !(self.posted.has_any() && self.refill(&mut state) && worker.keeps_slot(&state) && !state.closed)
        {
            return Err(state);
        }
        worker.run_anew();
        Ok(self.take(&mut state, entries))
    }

    /// Frees the slot, if the thread has one, and waits for packets.
    #[inline(never)]
    fn stop_and_wait(
        &self,
        mut state: MutexGuard<'_, State, rank::Port>,
        worker: &Arc<Worker>,
        entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
        timeout: Option<Duration>,
    ) -> Result<usize, GetError> {
        self.stop(&mut state, worker);
        let result = self.wait(&mut state, worker, entries, timeout);
        // Whatever it brought, the thread runs from now on.
        worker.run(&mut state);
        result
    }

    /// Takes packets if the concurrency value allows it, and else waits for them.
    fn wait(
        &self,
        state: &mut MutexGuard<'_, State, rank::Port>,
        worker: &Arc<Worker>,
        entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
        timeout: Option<Duration>,
    ) -> Result<usize, GetError> {
        if state.closed {
            return Err(GetError::InvalidHandle);
        }
        state.arrivals += 1;
        let arrival = state.arrivals;
        let deadline = Deadline::after(timeout);
        let looks_only = timeout == Some(Duration::ZERO);
        let (mut looks, mut looked) = (SpinWait::new(), false);
        // The time is over only once the call has looked.
        let mut over = false;
        let mut given: Option<Packet> = None;
        loop {
            if let Some(packet) = given {
                worker.run(state);
                entries[0].write(packet.entry());
                let taken = 1 + self.take(state, &mut entries[1..]);
                self.hand_out(state);
                return Ok(taken);
            }
            if state.closed {
                return Err(GetError::Abandoned);
            }
            let alerted = worker.alerted.load(Ordering::Relaxed);
            // A later waiter goes first, but for a thread that has just come.
            let first = state.waiters.last().is_none_or(|&(other, _)| other < arrival);
            let may_run = first && state.active < state.concurrency;
            if may_run && self.has(state, 1) {
                if state.taken >= BEFORE_EDGES
                    && state.poller.is_none()
                    && let Some(epoll) = self.epoll.get()
                {
                    given = self.poll(state, epoll, arrival, Some(Duration::ZERO));
                    continue;
                }
                let taken = self.take(state, entries);
                worker.run(state);
                self.hand_out(state);
                return Ok(taken);
            }
            if alerted {
                self.hand_out(state);
                self.put_to_poll(state);
                return Err(GetError::Alerted);
            }
            if over {
                // Somebody else may wait for longer than we did.
                self.put_to_poll(state);
                if state.active >= state.concurrency {
                    state.turned_away = LOOKS_FOR_SLEEPERS;
                    self.watch_if_stuck(state);
                }
                return Err(GetError::Timeout);
            }
            match self.epoll.get() {
                Some(epoll) if may_run && state.poller.is_none() => {
                    given = self.poll(state, epoll, arrival, deadline.remaining());
                    if !self.has(state, 1) {
                        over = deadline.is_over();
                    }
                    continue;
                }
                // Who polls came before us: it makes room, so that the latest waiter is the one that polls.
                Some(_) if may_run && !looks_only => self.recall(state),
                None if may_run && state.has_slot() && !looks_only && !looked => {
                    looked = !self.look(state, worker, &mut looks);
                    continue;
                }
                _ => {}
            }
            self.hand_out(state);
            self.put_to_poll_before(state, arrival);
            match self.park(state, worker, arrival, deadline.remaining()) {
                Some(Given::Packet(packet)) => given = Some(packet),
                Some(Given::Nudge) => {}
                None => over = deadline.is_over(),
            }
        }
    }

    /// Looks for packets for a while, without the lock: where threads work together, the next is mostly near, and to
    /// sleep and be woken costs them a hundred times as much. Returns false when that has been long enough.
    fn look(&self, state: &mut MutexGuard<'_, State, rank::Port>, worker: &Worker, looks: &mut SpinWait) -> bool {
        state.looking += 1;
        let found = MutexGuard::unlocked(state, || {
            while looks.spin() {
                if self.posted.has_any() || worker.alerted.load(Ordering::Relaxed) {
                    return true;
                }
            }
            false
        });
        state.looking -= 1;
        found
    }

    /// Sits in `epoll_wait` and works on what it brings, without the lock. Returns the packet that the thread was given
    /// meanwhile, if it was.
    fn poll(
        &self,
        state: &mut MutexGuard<'_, State, rank::Port>,
        epoll: &Epoll,
        arrival: u64,
        timeout: Option<Duration>,
    ) -> Option<Packet> {
        state.poller = Some(arrival);
        state.taken = 0;
        let may_sleep = state.packets.is_empty() && timeout != Some(Duration::ZERO);
        if may_sleep {
            state.pushed = 0;
        }
        // Who sleeps is to be woken; who only looks is back at once.
        if may_sleep || !state.waiters.is_empty() {
            self.close_for_posts(state);
        }
        // What came in meanwhile is ours to take.
        let timeout = if state.packets.is_empty() { timeout } else { Some(Duration::ZERO) };
        MutexGuard::unlocked(state, || {
            DISPATCHING.with(|port| port.set(self));
            epoll.harvest(timeout);
            DISPATCHING.with(|port| port.set(std::ptr::null()));
        });
        state.poller = None;
        state.recalled = false;
        let given = state.given.take();
        // Its slot is the thread's from now on.
        state.active -= u32::from(given.is_some());
        given
    }

    fn park(
        &self,
        state: &mut MutexGuard<'_, State, rank::Port>,
        worker: &Arc<Worker>,
        arrival: u64,
        timeout: Option<Duration>,
    ) -> Option<Given> {
        worker.parked.store(1, Ordering::Relaxed);
        let place = state.waiters.partition_point(|&(other, _)| other < arrival);
        state.waiters.insert(place, (arrival, worker.clone()));
        self.watch_if_stuck(state);
        self.close_for_posts(state);
        if !state.packets.is_empty() {
            self.hand_out(state);
        }
        MutexGuard::unlocked(state, || {
            if worker.parked.load(Ordering::Acquire) == 1 && timeout != Some(Duration::ZERO) {
                futex_wait(&worker.parked, 1, timeout);
            }
        });
        let given = worker.given.lock().take();
        if given.is_none() {
            state.waiters.retain(|&(other, _)| other != arrival);
        }
        given
    }

    /// Releases waiting threads, latest first, while packets queue and the concurrency value allows it.
    #[inline]
    fn hand_out(&self, state: &mut State) {
        if !state.waiters.is_empty() || state.poller.is_some() {
            // A slot may have become free, so that the next packet is to wake somebody.
            self.close_for_posts(state);
            self.release(state);
            self.watch_if_stuck(state);
        }
        // Who waits for the port itself comes after those who wait for packets (P37).
        self.show(state);
    }

    #[inline(never)]
    fn release(&self, state: &mut State) {
        // Packets and slots may be meant for threads that look for them.
        let reserved = state.looking as usize;
        while state.has_slot() && self.has(state, reserved + 1) {
            let latest = state.waiters.last().map(|&(arrival, _)| arrival);
            let to_poller = state.poller > latest && state.given.is_none();
            if !to_poller && latest.is_none() {
                break;
            }
            // The oldest, though one that looks may be on its way: it must not take what is older than this one's.
            let Some(packet) = state.packets.pop_front() else { break };
            if to_poller {
                state.given = Some(packet);
                state.active += 1;
                self.recall(state);
            } else if let Some((_, worker)) = state.waiters.pop() {
                worker.run(state);
                worker.wake(Given::Packet(packet));
            }
        }
    }

    /// Gets a worker out of its wait: a routine is queued to it.
    fn alert(&self, worker: &Arc<Worker>) {
        let mut state = self.state.lock();
        worker.alerted.store(true, Ordering::Relaxed);
        match state.waiters.iter().position(|(_, other)| Arc::ptr_eq(other, worker)) {
            Some(at) => {
                let (_, worker) = state.waiters.remove(at);
                worker.wake(Given::Nudge);
            }
            // It may be the one that polls.
            None => self.recall(&mut state),
        }
    }

    /// Calls back the thread that polls, if one does.
    fn recall(&self, state: &mut State) {
        if state.poller.is_some()
            && !std::mem::replace(&mut state.recalled, true)
            && let Some(epoll) = self.epoll.get()
        {
            epoll.nudge();
        }
    }

    /// Wakes the latest waiter to poll, if nobody polls and it may. Returns whether it did.
    fn put_to_poll(&self, state: &mut State) -> bool {
        self.put_to_poll_before(state, 0)
    }

    /// Wakes the latest waiter to poll, if it came after `arrival`, nobody polls and it may.
    fn put_to_poll_before(&self, state: &mut State, arrival: u64) -> bool {
        if self.epoll.get().is_none() || state.poller.is_some() || state.active >= state.concurrency {
            return false;
        }
        match state.waiters.pop_if(|&mut (other, _)| other > arrival) {
            Some((_, worker)) => {
                worker.wake(Given::Nudge);
                true
            }
            None => false,
        }
    }

    /// Whether threads wait, or did a moment ago, that the concurrency value holds back.
    fn is_full(state: &State) -> bool {
        let wanted = state.poller.is_some() || !state.waiters.is_empty() || state.turned_away > 0;
        wanted && state.active >= state.concurrency
    }

    /// Has the watchdog look for sleepers, if packets queue while the concurrency value is reached.
    fn watch_if_stuck(&self, state: &mut State) {
        if Port::is_full(state) && self.has(state, 1) && !self.watched.swap(true, Ordering::Relaxed) {
            watchdog::wake();
        }
    }

    /// Has the port's handle say whether packets are queued.
    #[inline]
    fn show(&self, state: &mut State) {
        if state.waitable.is_some() {
            self.show_waitable(state);
        }
    }

    #[inline(never)]
    fn show_waitable(&self, state: &mut State) {
        let signalled = state.closed || self.has(state, 1);
        match &state.waitable {
            Some(object) if signalled => object.set(),
            Some(object) => object.reset(),
            None => {}
        }
    }

    /// Moves queued packets into `entries`; returns how many.
    #[inline]
    fn take(&self, state: &mut State, entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>]) -> usize {
        // Once, and not for each entry: who posts meanwhile would be met each time.
        self.has(state, entries.len());
        let mut taken = 0;
        for entry in entries {
            let Some(packet) = state.packets.pop_front() else { break };
            entry.write(packet.entry());
            taken += 1;
        }
        state.taken = state.taken.saturating_add(taken);
        self.show(state);
        taken
    }

    /// The watchdog's look at the port. Returns whether it is to look again soon.
    pub(crate) fn inspect(&self) -> bool {
        let mut state = self.state.lock();
        let ready = self.epoll.get().is_some_and(|epoll| epoll.is_ready());
        let unread = ready && state.poller.is_none();
        // Who polls is still at work on earlier edges, and may not come back for these.
        let left_lying = ready && !unread;
        // The port is watched no more.
        self.close_for_posts(&mut state);
        if Port::is_full(&state) && (unread || self.has(&mut state, 1)) {
            state.turned_away = state.turned_away.saturating_sub(1);
            self.free_slots_of_sleepers(&mut state);
            self.hand_out(&mut state);
            self.put_to_poll(&mut state);
            return true;
        }
        if unread && !self.put_to_poll(&mut state) {
            drop(state);
            // Nobody waits for packets: the program looks at its operations in other ways.
            if let Some(epoll) = self.epoll.get() {
                epoll.harvest(Some(Duration::ZERO));
                // A thread may have begun to poll since, and what calls it back may have come to us instead.
                if self.state.lock().recalled {
                    epoll.nudge();
                }
            }
        }
        left_lying
    }

    /// Frees the slots of running workers that are found asleep twice in a row: once may be a page fault or a lock.
    fn free_slots_of_sleepers(&self, state: &mut MutexGuard<'_, State, rank::Port>) {
        let runs = |worker: &Worker| match worker.running.load(Ordering::Relaxed) {
            running::YES => Some(worker.runs.load(Ordering::Relaxed)),
            _ => None,
        };
        let running: Vec<_> = state.workers.iter().filter_map(|worker| Some((worker.clone(), runs(worker)?))).collect();
        // Without the lock, or a worker that waits for it would be taken for one that sleeps.
        let looked_at = MutexGuard::unlocked(state, || {
            running
                .into_iter()
                .map(|(worker, run)| (watchdog::is_asleep(worker.thread), worker, run))
                .collect::<Vec<_>>()
        });
        for (asleep, worker, run) in looked_at {
            let suspected = worker.suspected.swap(if asleep { run } else { 0 }, Ordering::Relaxed);
            if asleep && suspected == run && runs(&worker) == Some(run) {
                worker.running.store(running::ASLEEP, Ordering::Relaxed);
                state.active -= 1;
            }
        }
    }

    /// The epoll instance, if there is one already.
    pub(crate) fn made_epoll(&self) -> Option<&Epoll> {
        self.epoll.get().map(|epoll| &**epoll)
    }

    /// How often events were taken from the port's epoll, to tell a busy port from a deserted one.
    pub(crate) fn harvests(&self) -> u32 {
        self.epoll.get().map_or(0, |epoll| epoll.harvests())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        watchdog::unregister(self.id);
    }
}

impl State {
    /// Whether the concurrency value allows another thread to run.
    fn has_slot(&self) -> bool {
        self.active + self.looking < self.concurrency
    }
}

impl Worker {
    /// Whether the thread may go on to its next packet without a wait.
    #[inline]
    fn keeps_slot(&self, state: &State) -> bool {
        self.is_running() && state.active <= state.concurrency
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) == running::YES
    }

    fn run(&self, state: &mut State) {
        state.active += u32::from(!self.is_running());
        self.running.store(running::YES, Ordering::Relaxed);
        self.run_anew();
    }

    /// For a running thread: with the next packet, it does something else.
    #[inline]
    fn run_anew(&self) {
        // Under the port's lock, as all that changes it.
        self.runs.store(self.runs.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn wake(&self, given: Given) {
        *self.given.lock() = Some(given);
        self.parked.store(0, Ordering::Release);
        futex_wake(&self.parked);
    }
}
