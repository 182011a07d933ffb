//! The life of one connection, as a pure state machine: no sockets, no clock, no threads.
//!
//! A runner tells the machine what happened (its *inputs*: received, sent, end of stream, reset, idle, stop …) and then
//! carries out what [`Machine::next`] returns until that is [`Action::Wait`]. All branching is here: partial sends, the
//! bounded send queue, half-close, reset, and the order in which a connection ends. So a runner only translates: its
//! model's notifications into inputs, and actions into its model's calls. [`Action::Receive`] and [`Action::Send`] say
//! that an operation is to begin; one of each may be under way at a time. What "under way" means is the runner's own:
//! a pending overlapped operation, a blocked thread, or an interest in readiness.
//!
//! ```text
//!              end of stream               queue is empty
//!      Open ───────────────────▶ Answering ────────────────────────────▶ Ended
//!        │ reply.close(), or a lull after stop()                          ▲
//!        └──────▶ Closing ─────────────────▶ Lingering ───────────────────┘
//!                         queue is empty:    end of stream, or the time to drain is over
//!                         shut down sending
//! ```
//! From every state a reset, a failure or a deadline leads to `Ended`, and from there one `Close` or `Abort` to
//! `Closed`, which is final.
//!
//! `Lingering` is there since closing a socket with unread bytes sends a reset, by which the peer loses what was on its
//! way to it. So a connection that we end is first shut down for sending, and then read and discarded until the peer
//! ends its side as well.
//!
//! A stop leaves a connection open: what the peer has sent is answered. TCP has no way to say "no more requests": after
//! our FIN nothing can be answered, and what was on its way to us by then is lost. So the FIN waits for a *lull*, a time
//! in which the peer has sent nothing and has got all answers ([`Patience::Lull`]). A peer that makes no pause is
//! answered until the time to drain is over, and then sees a reset, never a FIN behind which its bytes are missing.
//! What comes behind the FIN all the same is discarded until the time to drain is over, so that the answers before the
//! FIN can still be read; then it is a reset as well. Either way the connection counts as cut off.
//!
//! A connection with nothing to send gives its [`SendQueue`] back to the [`Pool`] of its worker and holds none.

use crate::Close;
use crate::pool::Pool;
use crate::send_queue::SendQueue;

/// What a runner is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Begin to receive; ends in [`Machine::received`], [`Machine::end_of_stream`] or one of the failures.
    Receive,
    /// Begin to send [`Machine::front`] or [`Machine::take_front`]; ends in [`Machine::sent`] or one of the failures.
    Send,
    /// Ask the service for more to send.
    More,
    /// Shut down the sending side.
    ShutdownSend,
    /// Close the socket in order. Nothing follows.
    Close(Close),
    /// Close the socket so that the peer sees a reset, and cancel what is under way. Nothing follows.
    Abort(Close),
    /// Nothing to do before the next input.
    Wait,
}

/// Which time limit applies to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The idle timeout; when it is over, [`Machine::idle`].
    Idle,
    /// The drain time; when it is over, [`Machine::drain_over`].
    Drain,
    /// How long the peer has to be silent before a server that is being stopped ends its side; when it is over,
    /// [`Machine::lull_over`].
    Lull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Receives, answers, sends.
    Open,
    /// The peer has ended its side; what is queued, and what the service still adds, is sent.
    Answering,
    /// We end the connection: what is queued is sent, what comes is discarded.
    Closing(Close),
    /// All is sent and our side is shut down; what comes is discarded until the peer ends its side.
    Lingering(Close),
    /// The socket is to be closed, by abort if so said.
    Ended(Close, bool),
    /// The socket is closed.
    Closed,
}

/// What comes from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intake {
    /// Nothing is being received.
    Idle,
    Receiving,
    /// The peer has ended its side.
    Ended,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// The server is being stopped.
    Draining,
    /// The same, and the peer has sent something since.
    Answering,
    /// The same, and bytes of the peer are lost: it sent them, and they are not answered.
    CutOff,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Machine {
    /// What is to be sent, if there is anything.
    queue: Option<Box<SendQueue>>,
    limit: usize,
    phase: Phase,
    intake: Intake,
    sending: bool,
    /// The queue was full and is not half empty yet.
    full: bool,
    /// The service wants to send more.
    again: bool,
    stopping: Stopping,
    progress: bool,
}

// 10,000 idle connections are to cost little.
const _: () = assert!(size_of::<Machine>() <= 2 * size_of::<usize>() + 8);

impl Machine {
    /// A connection that has just been accepted, whose send queue is full at `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Machine {
            queue: None,
            limit: limit.max(1),
            phase: Phase::Open,
            intake: Intake::Idle,
            sending: false,
            full: false,
            again: false,
            stopping: Stopping::No,
            progress: false,
        }
    }

    /// What is to be done now. To be called until it says [`Action::Wait`].
    ///
    /// Sending comes before receiving, so that what is received next finds the answer gone; and both come before asking
    /// the service for more, so that an endless service does not keep the peer's end from being seen.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Action {
        if !matches!(self.phase, Phase::Open)
            && let Some(action) = self.end_further()
        {
            return action;
        }
        if self.wants_send() {
            self.sending = true;
            Action::Send
        } else if self.wants_receive() {
            self.intake = Intake::Receiving;
            Action::Receive
        } else if self.wants_more() {
            self.again = false;
            Action::More
        } else {
            Action::Wait
        }
    }

    /// The next step of a connection that is on its way to its end, if it is due.
    #[cold]
    fn end_further(&mut self) -> Option<Action> {
        match self.phase {
            Phase::Answering if self.queued() == 0 && !self.wants_more() => self.end(Close::Peer),
            Phase::Closing(why) if self.queued() == 0 && self.intake == Intake::Ended => self.end(why),
            Phase::Closing(why) if self.queued() == 0 => {
                self.phase = Phase::Lingering(why);
                self.progress = true;
                return Some(Action::ShutdownSend);
            }
            Phase::Lingering(why) if self.intake == Intake::Ended => self.end(why),
            Phase::Open | Phase::Answering | Phase::Closing(_) | Phase::Lingering(_) | Phase::Ended(..) => {}
            Phase::Closed => return Some(Action::Wait),
        }
        if let Phase::Ended(why, abort) = self.phase {
            self.phase = Phase::Closed;
            return Some(if abort { Action::Abort(why) } else { Action::Close(why) });
        }
        None
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub(crate) fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.len())
    }

    /// Bytes that the send queue still has room for.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.queued())
    }

    /// Whether the connection has been closed. Operations may still be under way then.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether nothing that the service says matters any more.
    #[inline]
    pub(crate) fn is_ending(&self) -> bool {
        !matches!(self.phase, Phase::Open | Phase::Answering)
    }

    /// Whether the server is being stopped.
    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping != Stopping::No
    }

    /// Whether bytes are lost: queued ones that have not been sent or, at a stop, ones of the peer that are not answered.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.queued() > 0 || self.stopping == Stopping::CutOff
    }

    /// Which time limit applies now.
    #[inline]
    pub(crate) fn patience(&self) -> Patience {
        match self.phase {
            Phase::Open | Phase::Answering if !self.is_stopping() => Patience::Idle,
            Phase::Open if self.has_answered() => Patience::Lull,
            _ => Patience::Drain,
        }
    }

    /// Whether all is sent, and the service has nothing to add.
    #[inline]
    fn has_answered(&self) -> bool {
        self.queued() == 0 && !self.again
    }

    /// Whether the connection has moved since the last call, so that its time limit begins anew.
    #[inline]
    pub(crate) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    #[inline]
    fn wants_send(&self) -> bool {
        !self.sending && self.queued() > 0
    }

    #[inline]
    fn wants_receive(&self) -> bool {
        let room = match self.phase {
            Phase::Open => !self.full,
            // What is discarded needs no room, and reading on lets a peer finish that sends before it reads.
            Phase::Closing(_) | Phase::Lingering(_) => true,
            Phase::Answering | Phase::Ended(..) | Phase::Closed => false,
        };
        room && self.intake == Intake::Idle
    }

    #[inline]
    fn wants_more(&self) -> bool {
        let answers = matches!(self.phase, Phase::Open | Phase::Answering);
        self.again && answers && self.queued() <= self.limit / 2
    }
}

/// Inputs: what happened to the connection.
impl Machine {
    /// Bytes were received. True if the service is to have them; they are discarded otherwise.
    #[must_use]
    #[inline]
    pub(crate) fn received(&mut self) -> bool {
        self.intake = Intake::Idle;
        if self.phase == Phase::Open {
            self.progress = true;
            if self.stopping == Stopping::Draining {
                self.stopping = Stopping::Answering;
            }
            return true;
        }
        self.lose_received();
        false
    }

    /// The peer has ended its side. True if the service is to be told.
    #[must_use]
    pub(crate) fn end_of_stream(&mut self) -> bool {
        self.intake = Intake::Ended;
        let open = self.phase == Phase::Open;
        if open {
            self.phase = Phase::Answering;
            self.progress = true;
        }
        open
    }

    /// A receive ended with nothing received, since the connection was closed or something else took what was there.
    pub(crate) fn received_nothing(&mut self) {
        self.intake = Intake::Idle;
    }

    /// The service put its answer into [`output`](Self::output).
    #[inline]
    pub(crate) fn replied(&mut self, close: bool, again: bool) {
        self.again |= again;
        self.note_fullness();
        if close {
            self.begin_closing(Close::Service);
        }
    }

    /// The next `count` bytes of the flight have been sent.
    #[inline]
    pub(crate) fn sent(&mut self, count: usize) {
        if let Some(queue) = &mut self.queue {
            queue.sent(count);
        }
        self.note_sent(count);
    }

    #[inline]
    fn note_sent(&mut self, count: usize) {
        self.sending = false;
        if count > 0 && !matches!(self.phase, Phase::Lingering(_)) {
            self.progress = true;
        }
        self.note_fullness();
    }

    /// A send ended with nothing sent, since the connection was closed.
    pub(crate) fn sent_nothing(&mut self) {
        self.sending = false;
    }

    /// The peer reset the connection.
    pub(crate) fn reset(&mut self) {
        self.lost(Close::Reset);
    }

    /// The connection failed for another reason.
    pub(crate) fn failed(&mut self) {
        self.lost(Close::Failed);
    }

    /// The idle timeout is over; `unread` says whether there is something to receive.
    pub(crate) fn idle(&mut self, unread: bool) {
        if self.patience() != Patience::Idle {
            return;
        }
        if unread && self.queued() == 0 {
            // The peer is not idle: its bytes have come, and wait for their turn.
            self.progress = true;
        } else {
            self.phase = Phase::Ended(Close::Idle, self.queued() > 0);
        }
    }

    /// The server stops: what the peer has sent is answered, and the connection ends with the next lull.
    pub(crate) fn stop(&mut self) {
        if self.stopping == Stopping::No {
            self.stopping = Stopping::Draining;
            // What is on its way has all of the drain time; a peer that is silent for long has had its lull.
            self.progress |= !self.has_answered();
        }
    }

    /// The peer has been silent for long enough, and nothing of it is unread: the stop ends our side. What was queued
    /// for it just before is sent first.
    pub(crate) fn lull_over(&mut self) {
        if self.is_stopping() {
            self.begin_closing(Close::Stopped);
        }
    }

    /// The lull is not over: there is something to receive.
    pub(crate) fn lull_goes_on(&mut self) {
        self.progress = true;
    }

    /// The time to drain is over; `unread` says whether there is something to receive.
    pub(crate) fn drain_over(&mut self, unread: bool) {
        if self.patience() == Patience::Idle {
            return;
        }
        if unread {
            self.lose_received();
        }
        match self.phase {
            // It is only sent to, by others, and has no lull for that.
            Phase::Open if self.has_answered() && self.stopping == Stopping::Draining => self.end(Close::Stopped),
            // There was no lull, or not all answers are made: the peer is to know that it has not got all.
            Phase::Open | Phase::Answering => {
                self.stopping = Stopping::CutOff;
                self.phase = Phase::Ended(Close::Stopped, true);
            }
            Phase::Closing(why) | Phase::Lingering(why) => self.phase = Phase::Ended(why, self.is_cut_off()),
            Phase::Ended(..) | Phase::Closed => {}
        }
    }

    /// Ends the connection at once; `unread` says whether there is something to receive.
    pub(crate) fn stop_now(&mut self, unread: bool) {
        if !matches!(self.phase, Phase::Ended(..) | Phase::Closed) {
            self.stop();
            if unread {
                self.lose_received();
            }
            self.phase = Phase::Ended(Close::Stopped, true);
        }
    }

    /// Something of the peer's is discarded. Where the service has ended the connection that is as it asked.
    fn lose_received(&mut self) {
        let by_stop = matches!(self.phase, Phase::Closing(Close::Stopped) | Phase::Lingering(Close::Stopped));
        if by_stop || (self.phase == Phase::Open && self.is_stopping()) {
            self.stopping = Stopping::CutOff;
        }
    }

    /// The service's handler panicked.
    pub(crate) fn panicked(&mut self) {
        if !matches!(self.phase, Phase::Ended(..) | Phase::Closed) {
            self.phase = Phase::Ended(Close::Failed, true);
        }
    }

    fn begin_closing(&mut self, why: Close) {
        // A peer that has ended its side needs no other end than that its answers have left.
        if self.phase == Phase::Open {
            self.phase = Phase::Closing(why);
            self.progress = true;
        } else if self.phase == Phase::Answering {
            self.again = false;
        }
    }

    fn lost(&mut self, why: Close) {
        self.phase = match self.phase {
            // All was sent; that the peer ends so is its own affair.
            Phase::Lingering(because) => Phase::Ended(because, true),
            Phase::Open | Phase::Answering | Phase::Closing(_) => Phase::Ended(why, true),
            ended @ (Phase::Ended(..) | Phase::Closed) => ended,
        };
    }

    fn end(&mut self, why: Close) {
        self.phase = Phase::Ended(why, false);
    }

    fn note_fullness(&mut self) {
        let queued = self.queued();
        if queued >= self.limit {
            self.full = true;
        } else if queued <= self.limit / 2 {
            self.full = false;
        }
    }
}

/// The send queue.
impl Machine {
    /// The end of the send queue, where a service puts its answer; [`replied`](Self::replied) follows.
    #[inline]
    pub(crate) fn output(&mut self, pool: &mut Pool) -> &mut Vec<u8> {
        self.queue.get_or_insert_with(|| pool.take()).end()
    }

    /// Queues the first `count` bytes of `buffer`, which were received, and are the answer; `buffer` becomes another one of
    /// its length. Nothing waits to be sent; [`replied`](Self::replied) follows.
    pub(crate) fn send_back(&mut self, pool: &mut Pool, buffer: &mut Vec<u8>, count: usize) {
        self.queue.get_or_insert_with(|| pool.take()).send_back(buffer, count);
    }

    /// Queues bytes that come from outside a handler. They are dropped if the connection is ending.
    pub(crate) fn push(&mut self, pool: &mut Pool, bytes: Vec<u8>) {
        if self.is_ending() || bytes.is_empty() {
            return;
        }
        self.queue.get_or_insert_with(|| pool.take()).push(bytes);
        self.note_fullness();
    }

    /// The bytes to be sent next.
    #[inline]
    pub(crate) fn front(&mut self) -> &[u8] {
        self.queue.as_mut().map_or(&[], |queue| queue.front())
    }

    /// The bytes to be sent next, in their buffer, which [`sent_from`](Self::sent_from) gives back.
    pub(crate) fn take_front(&mut self) -> Vec<u8> {
        self.queue.as_mut().map(|queue| queue.take_front()).unwrap_or_default()
    }

    /// `count` bytes of `buffer` have been sent, which is the one that [`take_front`](Self::take_front) lent.
    pub(crate) fn sent_from(&mut self, buffer: Vec<u8>, count: usize) {
        if let Some(queue) = &mut self.queue {
            queue.sent_from(buffer, count);
        }
        self.note_sent(count);
    }

    /// Gives back the send queue if it is empty, or of no use any more.
    #[inline]
    pub(crate) fn settle(&mut self, pool: &mut Pool) {
        if (self.queued() == 0 || self.is_closed())
            && !self.sending
            && let Some(queue) = self.queue.take()
        {
            pool.give(queue);
        }
    }
}

#[cfg(test)]
mod tests;
