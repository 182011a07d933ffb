//! The threads that carry out file operations: lanes of requests, each with threads of its own.
//!
//! Regular files share one lane of a few threads, since every transfer there ends by itself. What may block for as long
//! as it likes, such as a pipe or a terminal, has a lane for reads and one for writes, of one thread each: its
//! transfers go in posting order, and keep nobody else from going on. Threads start when there is work for them, sleep
//! without a timer for a while, and end when there has been none for long.
//!
//! A lane's lock is held while a request completes, so that a program that has seen a completion does not find the
//! operation among the outstanding ones any more. It comes before a file's, and that before a port's.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use ranked_locks::{Condvar, Mutex, rank};

use crate::file::request::Request;
use crate::os::{self, OsResult};
use crate::types::*;

/// How many transfers of regular files go on at once. More would only queue in the kernel's disk scheduler instead;
/// fewer would leave a disk without a choice.
const MOST_THREADS: usize = 8;

/// How long a thread waits for work before it ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// What identifies an operation to those who cancel it.
pub(super) struct Ticket {
    /// The address of the file that it is about.
    pub(super) file: usize,
    /// The address of the OVERLAPPED; 0 for a call that waits for its end and has none.
    pub(super) overlapped: usize,
    /// Our number of the thread that started it.
    pub(super) thread: u32,
    /// Its completion goes to the port and nowhere else, if the file has one.
    pub(super) only_to_port: bool,
    cancelled: AtomicBool,
}

impl Ticket {
    pub(super) fn new(file: usize, overlapped: usize, thread: u32, only_to_port: bool) -> Arc<Ticket> {
        Arc::new(Ticket { file, overlapped, thread, only_to_port, cancelled: AtomicBool::new(false) })
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

/// A queue of requests and the threads that work on it.
pub(super) struct Lane {
    most: usize,
    state: Mutex<State, rank::Lane>,
    work: Condvar,
    finished: Condvar,
    /// Written to when a request that runs is cancelled, if that can have an effect.
    recall: Option<OwnedFd>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Request>,
    running: Vec<Arc<Ticket>>,
    threads: usize,
    idle: usize,
    /// Nothing comes any more.
    closed: bool,
}

impl Lane {
    fn new(most: usize, recall: Option<OwnedFd>) -> Arc<Lane> {
        Arc::new(Lane { most, state: Mutex::default(), work: Condvar::new(), finished: Condvar::new(), recall })
    }

    /// The lane of all regular files.
    pub(super) fn shared() -> Arc<Lane> {
        static SHARED: LazyLock<Arc<Lane>> = LazyLock::new(|| Lane::new(MOST_THREADS, None));
        SHARED.clone()
    }

    /// A lane for one direction of a file whose transfers may block.
    pub(super) fn own() -> OsResult<Arc<Lane>> {
        Ok(Lane::new(1, Some(os::eventfd()?)))
    }

    /// Queues a request; its completion comes from a thread of the lane.
    ///
    /// # Errors
    /// ERROR_NO_SYSTEM_RESOURCES if there is no thread and none can be started.
    pub(super) fn submit(self: &Arc<Lane>, request: Request) -> Result<(), WIN32_ERROR> {
        let mut state = self.state.lock();
        state.queue.push_back(request);
        if state.idle >= state.queue.len() {
            self.work.notify_one();
        } else if state.threads < self.most {
            match self.start_thread() {
                true => state.threads += 1,
                false if state.threads == 0 => {
                    state.queue.pop_back();
                    return Err(ERROR_NO_SYSTEM_RESOURCES);
                }
                false => {}
            }
        }
        Ok(())
    }

    fn start_thread(self: &Arc<Lane>) -> bool {
        let lane = self.clone();
        let thread = thread::Builder::new().name("winsock-file".into()).stack_size(128 * 1024);
        thread.spawn(move || lane.run()).is_ok()
    }

    fn run(&self) {
        os::file::block_signals();
        while let Some(request) = self.next() {
            let result = request.run(self);
            let mut state = self.state.lock();
            state.running.retain(|ticket| !Arc::ptr_eq(ticket, &request.ticket));
            request.complete(result);
            drop(state);
            self.finished.notify_all();
        }
    }

    fn next(&self) -> Option<Request> {
        let mut state = self.state.lock();
        let mut waited_long = false;
        loop {
            if let Some(request) = state.queue.pop_front() {
                state.running.push(request.ticket.clone());
                return Some(request);
            }
            if waited_long || state.closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            waited_long = self.work.wait_for(&mut state, PATIENCE);
            state.idle -= 1;
        }
    }

    /// Cancels the requests that `wanted` names: those that have not begun are over then, those that have are asked to
    /// end. Returns how many there were.
    pub(super) fn cancel(&self, wanted: impl Fn(&Ticket) -> bool) -> usize {
        let mut state = self.state.lock();
        let (cancelled, kept) = state.queue.drain(..).partition(|request| wanted(&request.ticket));
        state.queue = kept;
        let cancelled: VecDeque<Request> = cancelled;
        let mut count = cancelled.len();
        for request in cancelled {
            request.complete(Err(STATUS_CANCELLED));
        }
        for ticket in state.running.iter().filter(|ticket| wanted(ticket)) {
            ticket.cancelled.store(true, Ordering::Release);
            count += 1;
        }
        if let Some(recall) = &self.recall {
            os::eventfd_write(recall);
        }
        count
    }

    /// Waits until none of the requests that run is one that `wanted` names.
    pub(super) fn wait_for(&self, wanted: impl Fn(&Ticket) -> bool) {
        let mut state = self.state.lock();
        while state.running.iter().any(|ticket| wanted(ticket)) {
            self.finished.wait(&mut state);
        }
    }

    /// Lets the lane's idle threads end at once.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
    }

    /// Waits, as the thread that runs a request in a lane of its own, until the descriptor is ready or the request is
    /// cancelled; false if it is.
    pub(super) fn wait_ready(&self, ticket: &Ticket, fd: RawFd, events: i16) -> bool {
        // In the shared lane nobody is recalled: poll leaves -1 out.
        let recall = self.recall.as_ref().map_or(-1, |recall| recall.as_raw_fd());
        while !ticket.is_cancelled() {
            let mut fds = [
                libc::pollfd { fd, events, revents: 0 },
                libc::pollfd { fd: recall, events: libc::POLLIN, revents: 0 },
            ];
            let ready = os::poll(&mut fds, None);
            if let Some(recall) = self.recall.as_ref().filter(|_| fds[1].revents != 0) {
                os::eventfd_drain(recall);
            }
            if ready.is_err() || fds[0].revents != 0 {
                break;
            }
        }
        !ticket.is_cancelled()
    }
}
