//! Threads that are blocked in synchronous calls, and how others cancel these calls (D75, D78).
//!
//! A thread that blocks on a descriptor polls an eventfd beside it. CancelIoEx names what the thread is blocked on,
//! CancelSynchronousIo the thread; either marks the call as cancelled and writes to the eventfd. The mark says that a call
//! was cancelled, not the eventfd: that is written to, too, for what no readiness tells of, and one that was written to for
//! a call that has ended since wakes the next call once, for nothing.
//!
//! Threads share these eventfds, so that a server with a thread for each client has not two descriptors for each. A cancel
//! wakes all threads that poll the same one; they see that it was not for them, and begin anew with another. Only a thread
//! that routines can be queued to has one of its own, which those need as well.
//!
//! A thread is blocked in several calls if a routine that runs within one blocks in another.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use crate::error::finish_bool;
use crate::objects::threads;
use crate::os::{self, OsResult};
use crate::thread;
use crate::types::*;

/// What a thread is blocked on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// A socket, by its first handle.
    Socket(u32),
    /// A standard stream, by its descriptor.
    Standard(RawFd),
    /// A file. CancelIoEx finds the operation in the file's queue.
    File,
}

/// How many eventfds threads share. With one alone, all would meet at its lock in the kernel.
const SHARED: usize = 4;

/// Those that the next calls are to poll.
static CURRENT: [Mutex<Option<Arc<OwnedFd>>, rank::Leaf>; SHARED] = [const { Mutex::new(None) }; SHARED];

/// An eventfd that a blocked thread polls.
#[derive(Clone)]
pub(crate) struct Eventfd {
    fd: Arc<OwnedFd>,
    /// Its place among the shared ones; `None` if it is the thread's own.
    shared: Option<usize>,
}

impl Eventfd {
    /// The one for the next call of the calling thread.
    pub(crate) fn for_call(me: &thread::Current) -> OsResult<Eventfd> {
        if me.can_get_apcs() {
            return Ok(Eventfd { fd: me.wake_descriptor()?, shared: None });
        }
        let place = me.number() as usize % SHARED;
        let mut current = CURRENT[place].lock();
        let fd = match &*current {
            Some(fd) => fd.clone(),
            None => current.insert(Arc::new(os::eventfd()?)).clone(),
        };
        Ok(Eventfd { fd, shared: Some(place) })
    }

    /// The descriptor, if it is the thread's own.
    pub(crate) fn own(&self) -> Option<&Arc<OwnedFd>> {
        self.shared.is_none().then_some(&self.fd)
    }

    /// What `poll` is to be asked for.
    pub(crate) fn poll_entry(&self) -> libc::pollfd {
        libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }
    }

    /// To be called when `poll` has reported it.
    pub(crate) fn reported(&self) {
        // A shared one stays as it is for the others that poll it.
        if self.shared.is_none() {
            os::eventfd_drain(&self.fd);
        }
    }

    /// Wakes who polls it.
    fn write(&self) {
        if let Some(place) = self.shared {
            CURRENT[place].lock().take_if(|current| Arc::ptr_eq(current, &self.fd));
        }
        os::eventfd_write(&self.fd);
    }
}

/// How a call that was cancelled is ended.
enum Alarm {
    /// The thread polls it.
    Eventfd(Eventfd),
    Function(Box<dyn Fn() + Send>),
}

struct Call {
    target: Target,
    /// The address of the OVERLAPPED that the program gave to the call; 0 if it gave none.
    overlapped: usize,
    alarm: Alarm,
    cancelled: bool,
}

/// The calls that one thread is blocked in, the innermost last.
#[derive(Default)]
struct Calls(Mutex<Vec<Call>, rank::BlockedCalls>);

/// The threads that have blocked, by their numbers.
static THREADS: Mutex<BTreeMap<u32, Arc<Calls>>, rank::BlockedThreads> = Mutex::new(BTreeMap::new());

impl Call {
    /// False if it was cancelled before.
    fn cancel(&mut self) -> bool {
        if std::mem::replace(&mut self.cancelled, true) {
            return false;
        }
        match &self.alarm {
            Alarm::Eventfd(eventfd) => eventfd.write(),
            Alarm::Function(end) => end(),
        }
        true
    }
}

/// What a thread's record has for this module.
#[derive(Default)]
pub(crate) struct OfThread {
    calls: OnceCell<Arc<Calls>>,
    /// Of the call that the thread is about to block in.
    overlapped: Cell<usize>,
}

impl OfThread {
    /// Carries out a call that blocks although the program gave it an OVERLAPPED (D3), by which it can be cancelled.
    pub(crate) fn with_overlapped<T>(&self, overlapped: usize, call: impl FnOnce() -> T) -> T {
        let outer = self.overlapped.replace(overlapped);
        let result = call();
        self.overlapped.set(outer);
        result
    }

    /// The thread with this number ends.
    pub(crate) fn end(&self, number: u32) {
        if self.calls.get().is_some() {
            THREADS.lock().remove(&number);
        }
    }
}

/// A call in which the calling thread is blocked, or about to be. Others can cancel it until this is dropped.
pub(crate) struct Blocked<'a>(&'a Calls);

impl<'a> Blocked<'a> {
    /// A call that polls an eventfd beside what it waits for.
    pub(crate) fn polling(me: &'a thread::Current, target: Target, eventfd: Eventfd) -> Blocked<'a> {
        Blocked::new(me, target, Alarm::Eventfd(eventfd))
    }

    /// A call that `end` ends.
    pub(crate) fn until(me: &'a thread::Current, target: Target, end: impl Fn() + Send + 'static) -> Blocked<'a> {
        Blocked::new(me, target, Alarm::Function(Box::new(end)))
    }

    fn new(me: &'a thread::Current, target: Target, alarm: Alarm) -> Blocked<'a> {
        let calls = me.blocked.calls.get_or_init(|| THREADS.lock().entry(me.number()).or_default().clone());
        let overlapped = me.blocked.overlapped.get();
        calls.0.lock().push(Call { target, overlapped, alarm, cancelled: false });
        Blocked(calls)
    }

    /// The thread is not blocked any more; true if the call was cancelled. One that comes later finds no call: it would be
    /// told that it had cancelled one that blocks again.
    pub(crate) fn end(self) -> bool {
        let call = self.0.0.lock().pop();
        std::mem::forget(self);
        call.is_some_and(|call| call.cancelled)
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.0.lock().pop();
    }
}

/// Cancels the calls that threads are blocked in on something, or the one with this OVERLAPPED; returns how many.
pub(crate) fn cancel_on(target: Target, overlapped: *const OVERLAPPED) -> usize {
    let is_meant =
        |call: &Call| call.target == target && (overlapped.is_null() || call.overlapped == overlapped.addr());
    let on = |calls: &Arc<Calls>| {
        let mut calls = calls.0.lock();
        calls.iter_mut().filter(|call| is_meant(call)).filter_map(|call| call.cancel().then_some(())).count()
    };
    THREADS.lock().values().map(on).sum()
}

/// Has the threads that are blocked on something look again at what they wait for, which no readiness tells of.
pub(crate) fn wake_on(target: Target) {
    for calls in THREADS.lock().values() {
        for call in calls.0.lock().iter().filter(|call| call.target == target) {
            if let Alarm::Eventfd(eventfd) = &call.alarm {
                eventfd.write();
            }
        }
    }
}

/// Waits until `events` hold for a descriptor that is no socket's.
///
/// # Errors
/// ECANCELED if the call was cancelled.
pub(crate) fn wait_ready(target: Target, fd: RawFd, events: i16) -> OsResult<()> {
    let me = thread::current();
    loop {
        // Without a descriptor to spare the call cannot be cancelled, and works.
        let Ok(eventfd) = Eventfd::for_call(&me) else { return Ok(()) };
        let call = Blocked::polling(&me, target, eventfd.clone());
        let mut fds = [libc::pollfd { fd, events, revents: 0 }, eventfd.poll_entry()];
        os::poll(&mut fds, None)?;
        if fds[1].revents != 0 {
            eventfd.reported();
        }
        match call.end() {
            true => return Err(libc::ECANCELED),
            false if fds[0].revents != 0 => return Ok(()),
            false => {}
        }
    }
}

/// Cancels the synchronous call that a thread is blocked in: on a socket, on a pipe or a terminal, on a standard stream.
///
/// The call fails with ERROR_OPERATION_ABORTED; a Winsock call with WSAEINTR on a listener or a datagram socket, and with
/// WSA_OPERATION_ABORTED on a stream. Does not wait until it has. A call may also end normally.
///
/// Differs from Windows: `select`, `WSAPoll` and waits are not cancelled; a call on a regular file ends by itself.
///
/// # Errors
/// FALSE with ERROR_INVALID_HANDLE if `hthread` is no thread's, ERROR_NOT_FOUND if the thread is not blocked in such a call.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
#[unsafe(export_name = "ws_CancelSynchronousIo")]
pub unsafe extern "system" fn CancelSynchronousIo(hthread: HANDLE) -> BOOL {
    let cancel = || {
        let thread = threads::find(hthread as usize).ok_or(ERROR_INVALID_HANDLE)?;
        let calls = thread.number().and_then(|number| THREADS.lock().get(&number).cloned());
        // An outer call goes on only when the routine within it has returned.
        let cancelled = calls.is_some_and(|calls| calls.0.lock().last_mut().is_some_and(Call::cancel));
        if cancelled { Ok(()) } else { Err(ERROR_NOT_FOUND) }
    };
    finish_bool(cancel())
}
