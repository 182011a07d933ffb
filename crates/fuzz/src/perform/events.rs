//! Selections of network events, and calls that ask for readiness.

use crate::case::Step;
use crate::socket::Sock;
use crate::trace::Outcome;
use crate::worker::Worker;
use conformance::raw::{Event, FdSet, PollEntry, Window, select, wsa_poll};
use pentaport::sys;
use std::sync::Arc;

/// The message that selections post.
const MESSAGE: u32 = sys::WM_USER + 1;

impl Worker {
    fn any(&self, on: u8) -> Option<Arc<Sock>> {
        let socket = self.world.pick(on, |_| true)?;
        self.uses(&socket);
        Some(socket)
    }

    pub(super) fn event_select(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.any(step.on) else { return Outcome::Nothing };
        let mut event = socket.event.lock().unwrap();
        let event = event.get_or_insert_with(|| Arc::new(Event::manual(false))).clone();
        let mask = if step.with & 3 == 0 { 0 } else { u32::from(step.with) & 0x3F };
        socket.raw.wsa_event_select(Some(&event), mask).into()
    }

    pub(super) fn enum_events(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.any(step.on) else { return Outcome::Nothing };
        let event = socket.event.lock().unwrap().clone();
        socket.raw.wsa_enum_network_events(event.as_deref()).into()
    }

    pub(super) fn async_select(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.any(step.on) else { return Outcome::Nothing };
        let mask = if step.with & 3 == 0 { 0 } else { u32::from(step.with) & 0x3F };
        let window = self.window.get_or_insert_with(Window::new);
        socket.raw.wsa_async_select(window, MESSAGE, mask).into()
    }

    pub(super) fn messages(&mut self) -> Outcome {
        let Some(window) = &self.window else { return Outcome::Nothing };
        let mut count = 0;
        while window.take(MESSAGE).is_some() {
            count += 1;
        }
        if count > 0 { Outcome::Done } else { Outcome::Nothing }
    }

    pub(super) fn select(&mut self, step: Step) -> Outcome {
        let (Some(first), Some(second)) = (self.any(step.on), self.any(step.with)) else { return Outcome::Nothing };
        let (mut read, mut write) = (FdSet::of(&[&first.raw]), FdSet::of(&[&second.raw]));
        select(Some(&mut read), Some(&mut write), None, Some(std::time::Duration::ZERO)).into()
    }

    pub(super) fn poll(&mut self, step: Step) -> Outcome {
        let (Some(first), Some(second)) = (self.any(step.on), self.any(step.with)) else { return Outcome::Nothing };
        let events = sys::POLLRDNORM | sys::POLLWRNORM;
        let mut entries = [PollEntry::of(&first.raw, events), PollEntry::of(&second.raw, events)];
        wsa_poll(&mut entries, i32::from(step.how & 1)).into()
    }

    pub(super) fn nonblocking(&mut self, step: Step) -> Outcome {
        let Some(socket) = self.any(step.on) else { return Outcome::Nothing };
        socket.raw.ioctl(sys::FIONBIO, u32::from(step.how & 3 != 0)).into()
    }
}
