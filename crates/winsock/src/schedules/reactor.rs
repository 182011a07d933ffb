//! An epoll without a kernel, for the runs under shuttle: its edges are what a test says.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::{Condvar, Mutex};

use crate::os::OsResult;
use crate::socket::Socket;

#[derive(Default)]
pub(crate) struct Epoll {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    edges: VecDeque<Box<dyn FnOnce() + Send>>,
    nudged: bool,
    harvests: u32,
}

impl Epoll {
    pub(crate) fn new() -> OsResult<Epoll> {
        Ok(Epoll::default())
    }

    pub(crate) fn home() -> OsResult<Arc<Epoll>> {
        Epoll::new().map(Arc::new)
    }

    pub(crate) fn add(&self, _: RawFd, _: &'static Socket, _: u16) -> OsResult<()> {
        Ok(())
    }

    pub(crate) fn remove(&self, _: RawFd) {}

    /// Something becomes ready; `run` is what that makes possible.
    pub(crate) fn edge(&self, run: impl FnOnce() + Send + 'static) {
        self.state.lock().expect("not poisoned").edges.push_back(Box::new(run));
        self.changed.notify_one();
    }

    pub(crate) fn nudge(&self) {
        self.state.lock().expect("not poisoned").nudged = true;
        self.changed.notify_one();
    }

    pub(crate) fn harvest(&self, timeout: Option<Duration>) {
        self.harvest_at_home(timeout, || true, || {});
    }

    pub(crate) fn harvest_at_home(
        &self,
        timeout: Option<Duration>,
        asleep: impl FnOnce() -> bool,
        waited: impl FnOnce(),
    ) {
        let timeout = if asleep() { timeout } else { Some(Duration::ZERO) };
        let mut state = self.state.lock().expect("not poisoned");
        while timeout != Some(Duration::ZERO) && state.edges.is_empty() && !state.nudged {
            state = self.changed.wait(state).expect("not poisoned");
        }
        (state.nudged, state.harvests) = (false, state.harvests + 1);
        let edges = std::mem::take(&mut state.edges);
        drop(state);
        waited();
        edges.into_iter().for_each(|run| run());
    }

    pub(crate) fn harvest_deserted(&self) {
        self.harvest(Some(Duration::ZERO));
    }

    pub(crate) fn is_deserted(&self) -> bool {
        false
    }

    pub(crate) fn is_ready(&self) -> bool {
        let state = self.state.lock().expect("not poisoned");
        state.nudged || !state.edges.is_empty()
    }

    pub(crate) fn harvests(&self) -> u32 {
        self.state.lock().expect("not poisoned").harvests
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        -1
    }
}
