//! A thread's message queue.
//!
//! Queues are leaked and recycled, as sockets are: a window's pointer to its queue is valid for ever, and who has locked
//! the queue asks the window whether it still is.
//!
//! Under the lock nothing of the program runs, and nothing else is locked but the table of windows when one
//! is made or destroyed, and the wait engine's lock when an owner that waits is woken.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ranked_locks::{Mutex, rank};

use super::descriptor::Descriptor;
use super::filter::{Filter, POSTED};
use super::send::Sent;
use super::timer::Timers;
use super::window;
use crate::dispatcher::Object;
use crate::os;
use crate::reactor::Epoll;
use crate::thread;
use crate::types::*;

/// How many posted messages a queue holds before PostMessage fails; Windows's own number.
pub(super) const MOST_POSTED: usize = 10_000;

/// A message in a queue.
#[derive(Clone, Copy)]
pub(super) struct Message {
    /// 0 for the thread itself.
    pub(super) window: u32,
    pub(super) message: u32,
    pub(super) wparam: WPARAM,
    pub(super) lparam: LPARAM,
    pub(super) time: u32,
}

impl Message {
    pub(super) fn new(window: u32, message: u32, wparam: WPARAM, lparam: LPARAM) -> Message {
        Message { window, message, wparam, lparam, time: os::milliseconds() }
    }

    pub(super) fn to_msg(self) -> MSG {
        MSG {
            hwnd: window::hwnd(self.window),
            message: self.message,
            wParam: self.wparam,
            lParam: self.lparam,
            time: self.time,
            // There is no pointer that could be anywhere.
            pt: POINT { x: 0, y: 0 },
        }
    }
}

/// What a call looks for, and whether it takes it out.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) filter: Filter,
    /// QS_SENDMESSAGE, QS_POSTMESSAGE, QS_TIMER.
    pub(super) kinds: u32,
    pub(super) remove: bool,
}

pub(super) enum Found {
    /// To be run; then the caller looks again.
    Sent(Sent),
    Message(Message),
    /// Nothing; and when the next timer that the call looks for is due.
    Nothing(Option<Instant>),
}

/// What becomes of a look that finds nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// The caller returns.
    Return,
    /// The caller harvests its sockets and looks again.
    Harvest,
    /// The caller waits for the queue's event and looks again.
    Wait,
}

pub(super) struct Queue {
    /// The thread whose queue it is, as GetCurrentThreadId tells; 0 in the pool.
    thread: AtomicU32,
    /// Set when what its owner waits for has come; the wait resets it. It may be set once too often, so that who was woken
    /// looks again.
    pub(super) event: Object,
    state: Mutex<State, rank::MessageQueue>,
}

#[derive(Default)]
pub(super) struct State {
    posted: VecDeque<Message>,
    sent: VecDeque<Sent>,
    /// PostQuitMessage's code, until WM_QUIT is made of it.
    quit: Option<i32>,
    pub(super) timers: Timers,
    windows: Vec<u32>,
    /// Where sockets that post to the windows are watched; the thread's first window brings it.
    home: Option<Arc<Epoll>>,
    /// The kinds of input (QS_…) that came since the thread last looked.
    changed: u32,
    /// The kinds of input that set the event; 0 while the owner does not wait.
    awaited: u32,
    /// The owner is inside one of our calls and will look again before it returns: the descriptor need not say so.
    looking: bool,
    descriptor: Option<Descriptor>,
}

struct Queues {
    of_threads: BTreeMap<u32, &'static Queue>,
    pool: Vec<&'static Queue>,
}

static QUEUES: Mutex<Queues, rank::MessageQueues> =
    Mutex::new(Queues { of_threads: BTreeMap::new(), pool: Vec::new() });

/// A thread's hold on its queue; the end of the thread is the end of both.
struct Own(OnceCell<&'static Queue>);

thread_local! {
    static OWN: Own = const { Own(OnceCell::new()) };
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(queue) = self.0.get() {
            queue.end();
        }
    }
}

/// The calling thread's queue, which is made on first use; `None` while the thread's locals are being destroyed.
pub(super) fn current() -> Option<&'static Queue> {
    OWN.try_with(|own| *own.0.get_or_init(Queue::take_on)).ok()
}

/// The calling thread's queue if it has one.
pub(super) fn existing() -> Option<&'static Queue> {
    OWN.try_with(|own| own.0.get().copied()).ok().flatten()
}

/// The queue of a thread, by what GetCurrentThreadId tells.
pub(super) fn of_thread(number: u32) -> Option<&'static Queue> {
    QUEUES.lock().of_threads.get(&number).copied()
}

impl Queue {
    fn take_on() -> &'static Queue {
        let mut queues = QUEUES.lock();
        let queue = queues.pool.pop().unwrap_or_else(|| {
            let (thread, state) = (AtomicU32::new(0), Mutex::default());
            Box::leak(Box::new(Queue { thread, event: Object::event(false, false), state }))
        });
        let number = os::thread_id() as u32;
        queue.thread.store(number, Ordering::Release);
        queues.of_threads.insert(number, queue);
        queue
    }

    /// The thread ends: its windows are destroyed without a word to their procedures, which have no thread to run on.
    fn end(&'static self) {
        let mut queues = QUEUES.lock();
        queues.of_threads.remove(&self.thread());
        let mut state = self.state.lock();
        self.thread.store(0, Ordering::Release);
        let old = std::mem::take(&mut *state);
        for &handle in &old.windows {
            if let Some((window, handle)) = window::find(handle as usize) {
                window.close(handle);
            }
        }
        drop(state);
        queues.pool.push(self);
        drop(queues);
        // Here the messages that other threads have sent and wait for are answered, with 0, and descriptors closed.
        drop(old);
    }

    pub(super) fn thread(&self) -> u32 {
        self.thread.load(Ordering::Acquire)
    }

    pub(super) fn is_current(&'static self) -> bool {
        existing().is_some_and(|queue| std::ptr::eq(queue, self))
    }

    /// Adds to the queue if `valid` says so under its lock, and wakes its owner if that waits for such a thing.
    fn deliver(
        &self,
        kinds: u32,
        valid: impl FnOnce() -> bool,
        add: impl FnOnce(&mut State) -> Result<(), WIN32_ERROR>,
    ) -> Result<(), WIN32_ERROR> {
        let mut state = self.state.lock();
        if !valid() {
            return Err(ERROR_INVALID_WINDOW_HANDLE);
        }
        add(&mut state)?;
        state.changed |= kinds;
        state.show();
        if state.awaited & kinds != 0 {
            // Once is enough until the owner has looked.
            state.awaited = 0;
            // Under the lock, or it might be late: for a wait that asks for what is new and finds nothing.
            self.event.set();
        }
        Ok(())
    }

    /// Posts a message, if there is room.
    pub(super) fn post(&self, valid: impl FnOnce() -> bool, message: Message) -> Result<(), WIN32_ERROR> {
        self.deliver(POSTED, valid, |state| {
            if state.posted.len() >= MOST_POSTED {
                return Err(ERROR_NOT_ENOUGH_QUOTA);
            }
            state.posted.push_back(message);
            Ok(())
        })
    }

    /// Posts a message, room or not.
    ///
    /// For network messages. A socket posts one for each kind of event and then is silent until the program has called the
    /// re-enabling function (A14), so that a message lost is a connection that stands still for ever; and for the same
    /// reason sockets cannot fill a queue without bound.
    pub(super) fn post_always(&self, valid: impl FnOnce() -> bool, message: Message) -> Result<(), WIN32_ERROR> {
        self.deliver(POSTED, valid, |state| {
            state.posted.push_back(message);
            Ok(())
        })
    }

    pub(super) fn post_quit(&self, code: i32) {
        // Cannot fail: nothing is asked.
        let _ = self.deliver(
            POSTED,
            || true,
            |state| {
                state.quit = Some(code);
                Ok(())
            },
        );
    }

    pub(super) fn send(&self, valid: impl FnOnce() -> bool, sent: Sent) -> Result<(), WIN32_ERROR> {
        self.deliver(QS_SENDMESSAGE, valid, |state| {
            state.sent.push_back(sent);
            Ok(())
        })
    }

    /// Looks for a message. `otherwise` says what the caller does if there is none.
    pub(super) fn look(&self, look: &Look, otherwise: Otherwise) -> Found {
        let mut state = self.state.lock();
        state.awaited = 0;
        let found = state.find(look);
        let nothing = matches!(found, Found::Nothing(_));
        state.looking = nothing && otherwise != Otherwise::Return;
        if nothing && otherwise == Otherwise::Wait {
            state.awaited = look.kinds;
        }
        state.show();
        found
    }

    /// Prepares a wait for input of the kinds in `mask`: for any that is there, or only for what came since the thread
    /// last looked. The event is set if there is some. Returns how long until a timer could bring some.
    pub(super) fn arm(&self, mask: u32, available: bool) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.note_timers(now);
        state.awaited = mask;
        state.looking = true;
        let counts = if available { state.present(now) } else { state.changed };
        if counts & mask != 0 {
            self.event.set();
        } else {
            self.event.reset();
        }
        let timer = if mask & QS_TIMER != 0 { state.timers.next_new() } else { None };
        timer.map(|due| due.saturating_duration_since(now))
    }

    /// Ends what [`Queue::arm`] began. What came of the kinds in `seen` is old from now on.
    pub(super) fn disarm(&self, seen: u32) {
        let mut state = self.state.lock();
        state.awaited = 0;
        state.looking = false;
        state.changed &= !seen;
        state.show();
    }

    /// The kinds of input that came since the thread last looked, and those that are there. The former are old from now
    /// on.
    pub(super) fn status(&self, mask: u32) -> (u32, u32) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.note_timers(now);
        let changed = state.changed & mask;
        state.changed &= !mask;
        (changed, state.present(now) & mask)
    }

    pub(super) fn with_timers<T>(&self, f: impl FnOnce(&mut Timers) -> T) -> T {
        let mut state = self.state.lock();
        let result = f(&mut state.timers);
        state.show();
        result
    }

    /// Begins a window of the queue, which is the calling thread's.
    pub(super) fn open_window(&self, window: &window::Window, handle: u32) {
        let mut state = self.state.lock();
        if state.home.is_none() {
            // Failing, its sockets are watched elsewhere, at the price of a hop through another thread.
            state.home = thread::home().ok();
        }
        window.open(handle);
        state.windows.push(handle);
    }

    /// Ends a window of the queue, with its messages and timers.
    pub(super) fn close_window(&self, window: &window::Window, handle: u32) {
        let mut state = self.state.lock();
        window.close(handle);
        state.windows.retain(|&other| other != handle);
        state.posted.retain(|message| message.window != handle);
        let (gone, kept): (VecDeque<_>, _) = state.sent.drain(..).partition(|sent| sent.is_for(handle));
        state.sent = kept;
        state.timers.remove_window(handle);
        state.show();
        drop(state);
        // Their senders wait.
        drop(gone);
    }

    pub(super) fn home(&self) -> Option<Arc<Epoll>> {
        self.state.lock().home.clone()
    }

    pub(super) fn windows(&self) -> Vec<u32> {
        self.state.lock().windows.clone()
    }

    /// The queue's descriptor, made by `make` if it has none.
    pub(super) fn descriptor(&self, make: impl FnOnce() -> os::OsResult<Descriptor>) -> os::OsResult<i32> {
        let mut state = self.state.lock();
        if state.descriptor.is_none() {
            state.descriptor = Some(make()?);
            state.show();
        }
        state.descriptor.as_ref().map(Descriptor::as_raw_fd).ok_or(libc::EIO)
    }
}

impl State {
    fn find(&mut self, look: &Look) -> Found {
        if look.kinds & QS_SENDMESSAGE != 0 {
            if let Some(sent) = self.sent.pop_front() {
                return Found::Sent(sent);
            }
            self.changed &= !QS_SENDMESSAGE;
        }
        if look.kinds & QS_POSTMESSAGE != 0 {
            self.changed &= if look.filter.is_narrow() { !QS_POSTMESSAGE } else { !POSTED };
            if let Some(message) = self.find_posted(look).or_else(|| self.find_quit(look)) {
                return Found::Message(message);
            }
        }
        if look.kinds & QS_TIMER == 0 || self.timers.is_empty() {
            return Found::Nothing(None);
        }
        self.changed &= !QS_TIMER;
        let now = Instant::now();
        match self.timers.find(&look.filter, now, look.remove) {
            Some(message) => Found::Message(message),
            None => Found::Nothing(self.timers.next(&look.filter, now)),
        }
    }

    fn find_posted(&mut self, look: &Look) -> Option<Message> {
        let takes = |message: &Message| look.filter.takes(message.window, message.message);
        let first = self.posted.iter().position(takes)?;
        if look.remove { self.posted.remove(first) } else { self.posted.get(first).copied() }
    }

    /// WM_QUIT is made when no posted message is left that the call could take.
    fn find_quit(&mut self, look: &Look) -> Option<Message> {
        let code = if look.remove { self.quit.take() } else { self.quit }?;
        Some(Message::new(0, WM_QUIT, code as u32 as WPARAM, 0))
    }

    /// The kinds of input that are there.
    fn present(&self, now: Instant) -> u32 {
        let kind = |there: bool, kind: u32| if there { kind } else { 0 };
        kind(!self.posted.is_empty() || self.quit.is_some(), POSTED)
            | kind(!self.sent.is_empty(), QS_SENDMESSAGE)
            | kind(self.timers.is_due(now), QS_TIMER)
    }

    fn note_timers(&mut self, now: Instant) {
        if self.timers.note_due(now) {
            self.changed |= QS_TIMER;
        }
    }

    /// Has the descriptor say what is in the queue, unless its owner is about to look for itself.
    fn show(&mut self) {
        if let Some(descriptor) = &mut self.descriptor
            && !self.looking
        {
            let waiting = !self.posted.is_empty() || !self.sent.is_empty() || self.quit.is_some();
            descriptor.show(waiting, self.timers.next_any());
        }
    }
}
