//! One connection's state machine and its session with the service, driven together.
//!
//! This is what all runners share above the socket. A panic in the service's handler is caught here: it costs its own
//! connection and no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use crate::machine::{Action, Machine, Patience};
use crate::pool::Pool;
use crate::totals::{Lane, Tally};
use crate::{Close, Connection, Reply, Service};

/// A connection between a peer and a service, without its socket.
#[derive(Debug)]
pub(crate) struct Conversation<S: Service> {
    machine: Machine,
    session: Option<S::Session>,
}

/// What a conversation needs of the worker that drives it.
pub(crate) struct Worker<'a, S> {
    pub(crate) service: &'a S,
    pub(crate) pool: &'a mut Pool,
    pub(crate) lane: &'a Lane,
    pub(crate) tally: &'a mut Tally,
}

/// What a runner is to do with the socket next; the service's part has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin to receive.
    Receive,
    /// Begin to send.
    Send,
    /// Shut down the sending side.
    ShutdownSend,
    /// Close the socket in order.
    Close,
    /// Close the socket by a reset and cancel what is under way.
    Abort,
    /// The service goes on making up what is sent, and other connections wait: come back after them.
    Yield,
    /// Nothing to do before the next input.
    Wait,
}

impl<S: Service> Conversation<S> {
    /// A connection that has just been accepted; [`open`](Self::open) follows.
    pub(crate) fn new(send_queue_limit: usize) -> Self {
        Conversation { machine: Machine::new(send_queue_limit), session: None }
    }

    /// Opens the service's session.
    pub(crate) fn open(&mut self, worker: &mut Worker<'_, S>, connection: &Connection) {
        worker.lane.accepted.fetch_add(1, Relaxed);
        (self.session, _) = self.call(worker, &[], |service, reply| service.open(connection, reply));
    }

    /// The peer sent the first `count` bytes of `buffer`, which may be sent back from there: then `buffer` becomes another
    /// one of its length.
    pub(crate) fn received(&mut self, worker: &mut Worker<'_, S>, buffer: &mut Vec<u8>, count: usize) {
        if !self.machine.received() {
            return;
        }
        worker.tally.bytes_in += count as u64;
        // A little is copied more cheaply.
        if count > buffer.len() / 2 && self.machine.queued() == 0 {
            return self.received_much(worker, buffer, count);
        }
        let data = &buffer[..count];
        self.with_session(worker, &[], |service, session, reply| service.receive(session, data, reply));
    }

    #[cold]
    fn received_much(&mut self, worker: &mut Worker<'_, S>, buffer: &mut Vec<u8>, count: usize) {
        let data = &buffer[..count];
        if self.with_session(worker, data, |service, session, reply| service.receive(session, data, reply)) {
            self.machine.send_back(worker.pool, buffer, count);
            self.machine.replied(false, false);
            worker.lane.queued(self.machine.queued());
        }
    }

    /// The peer has ended its side.
    pub(crate) fn end_of_stream(&mut self, worker: &mut Worker<'_, S>) {
        if self.machine.end_of_stream() {
            self.with_session(worker, &[], |service, session, reply| service.finish(session, reply));
        }
    }

    /// `count` bytes of [`front`](Self::front) were sent.
    pub(crate) fn sent(&mut self, worker: &mut Worker<'_, S>, count: usize) {
        worker.tally.bytes_out += count as u64;
        self.machine.sent(count);
    }

    /// `count` bytes of `buffer` were sent, which [`take_front`](Self::take_front) lent.
    pub(crate) fn sent_from(&mut self, worker: &mut Worker<'_, S>, buffer: Vec<u8>, count: usize) {
        worker.tally.bytes_out += count as u64;
        self.machine.sent_from(buffer, count);
    }

    /// Queues what was sent from outside a handler.
    pub(crate) fn push(&mut self, worker: &mut Worker<'_, S>, bytes: Vec<u8>) {
        self.machine.push(worker.pool, bytes);
        worker.lane.queued(self.machine.queued());
    }

    /// What is to be done with the socket now. To be called until it says [`Step::Wait`] or [`Step::Yield`].
    ///
    /// `turns` is how often the service may be asked for more before other connections have their turn.
    #[inline(always)]
    pub(crate) fn next(&mut self, worker: &mut Worker<'_, S>, turns: &mut u32) -> Step {
        match self.machine.next() {
            Action::Receive => Step::Receive,
            Action::Send => Step::Send,
            Action::Wait => {
                self.machine.settle(worker.pool);
                Step::Wait
            }
            action => self.next_rarely(action, worker, turns),
        }
    }

    #[cold]
    fn next_rarely(&mut self, action: Action, worker: &mut Worker<'_, S>, turns: &mut u32) -> Step {
        match action {
            Action::Receive | Action::Send | Action::Wait => unreachable!("done by next"),
            Action::ShutdownSend => Step::ShutdownSend,
            Action::Close(why) => {
                self.close(worker, why);
                Step::Close
            }
            Action::Abort(why) => {
                self.close(worker, why);
                Step::Abort
            }
            Action::More if *turns == 0 => {
                self.machine.replied(false, true);
                Step::Yield
            }
            Action::More => {
                *turns -= 1;
                self.with_session(worker, &[], |service, session, reply| service.more(session, reply));
                self.next(worker, turns)
            }
        }
    }

    fn close(&mut self, worker: &mut Worker<'_, S>, why: Close) {
        if self.machine.is_cut_off() {
            worker.lane.cut_off.fetch_add(1, Relaxed);
        }
        worker.lane.ended(why);
        if let Some(session) = self.session.take() {
            // A panic has been reported by its hook; the connection is gone in any case.
            let _ = catch_unwind(AssertUnwindSafe(|| worker.service.close(session, why)));
        }
        self.machine.settle(worker.pool);
    }

    /// Says whether the answer is what was `received`, which is not copied.
    #[inline(always)]
    fn with_session(
        &mut self,
        worker: &mut Worker<'_, S>,
        received: &[u8],
        handler: impl FnOnce(&S, &mut S::Session, &mut Reply<'_>),
    ) -> bool {
        let Some(mut session) = self.session.take() else { return false };
        let (_, returns) = self.call(worker, received, |service, reply| handler(service, &mut session, reply));
        self.session = Some(session);
        returns
    }

    /// Calls the service and takes its answer, unless that is what was `received`. If it panics the connection ends.
    #[inline(always)]
    fn call<T>(
        &mut self,
        worker: &mut Worker<'_, S>,
        received: &[u8],
        handler: impl FnOnce(&S, &mut Reply<'_>) -> T,
    ) -> (Option<T>, bool) {
        let room = self.machine.room();
        let stopping = self.machine.is_stopping();
        let mut reply = Reply::to(received, self.machine.output(worker.pool), room, stopping);
        // The session of a handler that panicked is only closed after it, never used.
        let result = catch_unwind(AssertUnwindSafe(|| handler(worker.service, &mut reply)));
        let (close, again, returns) = (reply.closes(), reply.wants_more(), reply.returns());
        self.machine.replied(close, again);
        worker.lane.queued(self.machine.queued());
        if result.is_err() {
            self.machine.panicked();
        }
        (result.ok(), returns)
    }
}

/// What passes through to the machine unchanged.
impl<S: Service> Conversation<S> {
    pub(crate) fn front(&mut self) -> &[u8] {
        self.machine.front()
    }

    pub(crate) fn take_front(&mut self) -> Vec<u8> {
        self.machine.take_front()
    }

    pub(crate) fn queued(&self) -> usize {
        self.machine.queued()
    }

    pub(crate) fn received_nothing(&mut self) {
        self.machine.received_nothing();
    }

    pub(crate) fn sent_nothing(&mut self) {
        self.machine.sent_nothing();
    }

    pub(crate) fn reset(&mut self) {
        self.machine.reset();
    }

    pub(crate) fn failed(&mut self) {
        self.machine.failed();
    }

    pub(crate) fn stop(&mut self) {
        self.machine.stop();
    }

    pub(crate) fn stop_now(&mut self, unread: bool) {
        self.machine.stop_now(unread);
    }

    pub(crate) fn lull_over(&mut self) {
        self.machine.lull_over();
    }

    pub(crate) fn drain_over(&mut self, unread: bool) {
        self.machine.drain_over(unread);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.machine.is_stopping()
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.machine.is_ending()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.machine.is_closed()
    }

    pub(crate) fn patience(&self) -> Patience {
        self.machine.patience()
    }

    pub(crate) fn take_progress(&mut self) -> bool {
        self.machine.take_progress()
    }

    /// The time limit that [`patience`](Self::patience) names is over; `unread` says whether there is something to
    /// receive.
    pub(crate) fn out_of_patience(&mut self, unread: bool) {
        match self.machine.patience() {
            Patience::Idle => self.machine.idle(unread),
            Patience::Drain => self.machine.drain_over(unread),
            Patience::Lull if unread => self.machine.lull_goes_on(),
            Patience::Lull => self.machine.lull_over(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::ConnectionId;

    /// Answers each receive by these parts, where `None` is what was received.
    struct Parts(&'static [Option<&'static [u8]>]);

    impl Service for Parts {
        type Session = ();

        fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

        fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
            let before = reply.room();
            let mut sent = 0;
            for part in self.0 {
                reply.send(part.unwrap_or(data));
                sent += part.unwrap_or(data).len();
                assert_eq!(reply.room(), before - sent);
            }
        }
    }

    const SIZE: usize = 1000;

    /// What a conversation sends that receives `counts` bytes, one after the other; it sends `step` bytes at a time, and
    /// lends its buffer out for every other send. Also how many buffers it kept for that.
    fn sends(parts: &'static [Option<&'static [u8]>], counts: &[usize], step: usize) -> (Vec<u8>, usize) {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (service, lane) = (Parts(parts), Lane::default());
        let (mut pool, mut tally) = (Pool::new(1, SIZE), Tally::default());
        let worker = &mut Worker { service: &service, pool: &mut pool, lane: &lane, tally: &mut tally };
        let mut conversation = Conversation::new(10 * SIZE);
        conversation.open(worker, &Connection::new(ConnectionId::new(1), address, address));
        let mut buffer = vec![0; SIZE];
        let (mut wire, mut kept, mut lends) = (Vec::new(), 0, false);
        for (turn, &count) in counts.iter().enumerate() {
            assert_eq!(conversation.next(worker, &mut 1), Step::Receive);
            buffer[..count].fill(turn as u8);
            let place = buffer.as_ptr();
            conversation.received(worker, &mut buffer, count);
            assert_eq!(buffer.len(), SIZE);
            kept += usize::from(buffer.as_ptr() != place);
            while conversation.queued() > 0 {
                assert_eq!(conversation.next(worker, &mut 1), Step::Send);
                lends = !lends;
                if lends {
                    let front = conversation.take_front();
                    let count = front.len().min(step);
                    wire.extend_from_slice(&front[..count]);
                    conversation.sent_from(worker, front, count);
                } else {
                    let front = conversation.front();
                    let count = front.len().min(step);
                    wire.extend_from_slice(&front[..count]);
                    conversation.sent(worker, count);
                }
            }
        }
        (wire, kept)
    }

    #[test]
    fn what_is_sent_back_as_it_came_is_not_copied() {
        for step in [70, SIZE - 1, SIZE] {
            let (wire, kept) = sends(&[None], &[SIZE, 600, SIZE, 10, SIZE], step);
            let expected = [vec![0; SIZE], vec![1; 600], vec![2; SIZE], vec![3; 10], vec![4; SIZE]].concat();
            assert!(wire == expected);
            assert_eq!(kept, 4, "the short one is copied");
        }
    }

    #[test]
    fn what_is_sent_back_with_more_is_sent_in_order() {
        let expected = |parts: &[&[u8]]| parts.concat();
        let all = &[0; SIZE][..];
        assert!(sends(&[None, Some(b"end")], &[SIZE], 70).0 == expected(&[all, b"end"]));
        assert!(sends(&[Some(b"begin"), None], &[SIZE], 70).0 == expected(&[b"begin", all]));
        assert!(sends(&[None, None], &[SIZE], 70).0 == expected(&[all, all]));
        assert!(sends(&[None, Some(b"")], &[SIZE], 70) == (expected(&[all]), 1));
        assert_eq!(sends(&[None, None, None], &[SIZE; 2], 70).1, 0);
    }
}
