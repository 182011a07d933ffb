use proptest::prelude::*;

use super::*;

const LIMIT: usize = 100;
const LONGEST_REPLY: usize = 150;

/// A runner over a socket that is made up: it carries out the machine's actions, and checks each.
struct Runner {
    machine: Machine,
    pool: Pool,
    /// All that was put into the send queue, and all that left it.
    expected: Vec<u8>,
    wire: Vec<u8>,
    receiving: bool,
    /// A send is under way, with the buffer if the machine lent it.
    sending: Option<Option<Vec<u8>>>,
    /// Fullness as the documentation of the send queue limit says it.
    full: bool,
    shut_down: bool,
    peer_ended: bool,
    /// The service asks for more so many times.
    more: u32,
    stopped: bool,
    service_closed: bool,
    /// The peer sent something after the server was stopped, or left something unread, that nobody answers.
    lost: bool,
    closed: Option<(Close, bool)>,
}

impl Runner {
    fn new(more: u32) -> Self {
        let mut runner = Runner {
            machine: Machine::new(LIMIT),
            pool: Pool::new(4, 4096),
            expected: Vec::new(),
            wire: Vec::new(),
            receiving: false,
            sending: None,
            full: false,
            shut_down: false,
            peer_ended: false,
            more,
            stopped: false,
            service_closed: false,
            lost: false,
            closed: None,
        };
        runner.reply(0, false);
        runner.act(true);
        runner
    }

    /// The service answers with `count` bytes, each different from its neighbours.
    fn reply(&mut self, count: usize, close: bool) {
        let from = self.expected.len();
        let bytes = (from..from + count).map(|index| index as u8);
        self.expected.extend(bytes.clone());
        self.machine.output(&mut self.pool).extend(bytes);
        if close {
            self.more = 0;
            self.service_closed = true;
        }
        let again = self.more > 0;
        self.machine.replied(close, again);
        self.note_fullness();
    }

    fn note_fullness(&mut self) {
        let queued = self.expected.len() - self.wire.len();
        assert_eq!(self.machine.queued(), queued);
        assert!(queued <= LIMIT + LONGEST_REPLY, "the queue is bounded");
        if queued >= LIMIT {
            self.full = true;
        } else if queued <= LIMIT / 2 {
            self.full = false;
        }
    }

    fn input(&mut self, input: &Input) {
        match *input {
            Input::Received { reply, close } if self.receiving => {
                self.receiving = false;
                let by_stop = self.stopped && self.shut_down && self.closed.is_none() && !self.service_closed;
                if self.machine.received() {
                    assert!(!self.shut_down && !self.peer_ended && self.closed.is_none());
                    self.reply(reply, close);
                } else {
                    self.lost |= by_stop;
                }
            }
            Input::EndOfStream { reply, close } if self.receiving => {
                self.receiving = false;
                self.peer_ended = true;
                if self.machine.end_of_stream() {
                    self.reply(reply, close);
                }
            }
            Input::Sent(part) if self.sending.is_some() => {
                let lent = self.sending.take().unwrap();
                let buffer = lent.clone().unwrap_or_else(|| self.machine.front().to_vec());
                assert!(!buffer.is_empty());
                let count = (buffer.len() * part as usize).div_ceil(255);
                self.wire.extend_from_slice(&buffer[..count]);
                match lent {
                    None => self.machine.sent(count),
                    Some(buffer) => self.machine.sent_from(buffer, count),
                }
                self.note_fullness();
            }
            Input::Push(count) => {
                let queued = self.expected.len() - self.wire.len();
                if queued + count <= LIMIT && !self.machine.is_ending() {
                    let from = self.expected.len();
                    let bytes: Vec<u8> = (from..from + count).map(|index| index as u8).collect();
                    self.expected.extend_from_slice(&bytes);
                    self.machine.push(&mut self.pool, bytes);
                    self.note_fullness();
                }
            }
            Input::Reset => self.machine.reset(),
            Input::Failed => self.machine.failed(),
            Input::Idle { unread } => self.machine.idle(unread),
            Input::Stop => {
                self.machine.stop();
                self.stopped = true;
            }
            Input::LullOver if self.machine.patience() == Patience::Lull => self.machine.lull_over(),
            Input::DrainOver { unread } => {
                self.lost |=
                    unread && self.stopped && self.closed.is_none() && !self.service_closed && !self.peer_ended;
                self.machine.drain_over(unread);
            }
            Input::StopNow => self.machine.stop_now(false),
            Input::Panicked => self.machine.panicked(),
            // What is not under way cannot end.
            Input::Received { .. } | Input::EndOfStream { .. } | Input::Sent(_) | Input::LullOver => {}
        }
    }

    /// Carries out actions until there are none.
    fn act(&mut self, lend: bool) {
        for _ in 0..10_000 {
            let action = self.machine.next();
            if action != Action::Wait {
                assert_eq!(self.closed, None, "{action:?} after the close");
            }
            match action {
                Action::Receive => {
                    assert!(!self.receiving && !self.peer_ended);
                    assert!(!self.full || self.machine.is_ending(), "a full queue receives");
                    self.receiving = true;
                }
                Action::Send => {
                    assert!(self.sending.is_none() && !self.shut_down);
                    self.sending = Some(lend.then(|| self.machine.take_front()));
                }
                Action::More => {
                    assert!(self.machine.queued() <= LIMIT / 2);
                    self.more -= 1;
                    let room = self.machine.room();
                    self.reply(room, false);
                }
                Action::ShutdownSend => {
                    assert_eq!(self.wire, self.expected, "all is sent before the shutdown");
                    assert!(!self.shut_down && !self.peer_ended);
                    self.shut_down = true;
                }
                Action::Close(why) => self.close(why, false),
                Action::Abort(why) => self.close(why, true),
                Action::Wait => return self.check_waiting(),
            }
        }
        panic!("the machine never waits");
    }

    fn close(&mut self, why: Close, abort: bool) {
        self.closed = Some((why, abort));
        if !abort {
            assert_eq!(self.wire, self.expected, "a connection closed in order has sent all");
        }
        if self.lost {
            assert!(self.machine.is_cut_off(), "bytes of the peer are lost, and nobody is told");
        }
        if why == Close::Peer {
            assert!(self.peer_ended && !abort);
        }
    }

    fn check_waiting(&mut self) {
        assert_eq!(self.machine.is_closed(), self.closed.is_some());
        if self.closed.is_some() {
            return;
        }
        if !self.receiving {
            let ended = self.peer_ended;
            assert!(ended || self.full, "it receives unless the queue is full or the peer ended");
        }
        if self.sending.is_none() {
            assert_eq!(self.machine.queued(), 0, "what is queued is being sent");
        }
        assert!(self.receiving || self.sending.is_some(), "it waits for something");
        assert!(
            self.more == 0 || self.machine.queued() > LIMIT / 2 || self.machine.is_ending(),
            "the service is asked for more while there is room"
        );
        self.machine.settle(&mut self.pool);
        if self.machine.queued() == 0 {
            assert!(self.machine.queue.is_none());
        }
    }
}

#[derive(Clone, Debug)]
enum Input {
    Received { reply: usize, close: bool },
    EndOfStream { reply: usize, close: bool },
    Sent(u8),
    Push(usize),
    Reset,
    Failed,
    Idle { unread: bool },
    Stop,
    LullOver,
    DrainOver { unread: bool },
    StopNow,
    Panicked,
}

fn any_input() -> impl Strategy<Value = Input> {
    let close = prop::bool::weighted(0.05);
    prop_oneof![
        30 => (0..=LONGEST_REPLY, close)
            .prop_map(|(reply, close)| Input::Received { reply, close }),
        30 => any::<u8>().prop_map(Input::Sent),
        10 => (0..=LIMIT).prop_map(Input::Push),
        3 => (0..=LONGEST_REPLY, close)
            .prop_map(|(reply, close)| Input::EndOfStream { reply, close }),
        1 => prop_oneof![
            Just(Input::Reset),
            Just(Input::Failed),
            any::<bool>().prop_map(|unread| Input::Idle { unread }),
            Just(Input::Stop),
            Just(Input::LullOver),
            any::<bool>().prop_map(|unread| Input::DrainOver { unread }),
            Just(Input::StopNow),
            Just(Input::Panicked),
        ],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: bytes leave in order, the queue is bounded, the connection is closed once
    /// and nothing follows; and if the peer behaves from some moment on, the connection ends.
    #[test]
    fn any_life_ends_once_and_keeps_its_bytes_in_order(
        inputs in prop::collection::vec(any_input(), 0..60),
        lend: bool,
        more in 0..4_u32,
    ) {
        let mut runner = Runner::new(more);
        for input in &inputs {
            runner.input(input);
            runner.act(lend);
            prop_assert!(runner.expected.starts_with(&runner.wire));
        }
        while runner.closed.is_none() {
            let before = (runner.wire.len(), runner.peer_ended);
            runner.input(&Input::Sent(255));
            runner.act(lend);
            runner.input(&Input::EndOfStream { reply: 10, close: false });
            runner.act(lend);
            prop_assert!(runner.closed.is_some() || before != (runner.wire.len(), runner.peer_ended));
        }
        for input in &inputs {
            runner.input(input);
            runner.act(lend);
        }
    }

    /// A stop ends every connection whose peer takes what is sent, and the drain time every other.
    #[test]
    fn after_a_stop_the_end_of_the_drain_time_ends_it(
        inputs in prop::collection::vec(any_input(), 0..30),
        after in prop::collection::vec(any_input(), 0..10),
        unread: bool,
    ) {
        let mut runner = Runner::new(2);
        let drain_over = Input::DrainOver { unread };
        for input in inputs.iter().chain([&Input::Stop]).chain(&after).chain([&drain_over]) {
            runner.input(input);
            runner.act(true);
        }
        prop_assert!(runner.closed.is_some());
    }
}

fn after(inputs: &[Input]) -> Runner {
    let mut runner = Runner::new(0);
    for input in inputs {
        runner.input(input);
        runner.act(false);
    }
    runner
}

const RECEIVED: Input = Input::Received { reply: 10, close: false };
const DRAIN_OVER: Input = Input::DrainOver { unread: false };
const IDLE: Input = Input::Idle { unread: false };
const END: Input = Input::EndOfStream { reply: 0, close: false };

#[test]
fn a_peer_that_ended_its_side_gets_its_answers() {
    let mut runner = after(&[RECEIVED, RECEIVED, END]);
    assert_eq!((runner.closed, runner.machine.queued()), (None, 20));
    runner.input(&Input::Sent(100));
    runner.act(false);
    assert_eq!(runner.closed, None);
    while runner.machine.queued() > 0 {
        runner.input(&Input::Sent(255));
        runner.act(false);
    }
    assert_eq!((runner.closed, runner.wire.len()), (Some((Close::Peer, false)), 20));
}

#[test]
fn a_service_that_closes_waits_for_the_peers_end() {
    let mut runner = after(&[Input::Received { reply: 10, close: true }]);
    assert!(!runner.shut_down);
    runner.input(&Input::Sent(255));
    runner.act(false);
    assert!(runner.shut_down && runner.receiving);
    runner.input(&RECEIVED);
    runner.act(false);
    assert_eq!((runner.closed, runner.machine.queued()), (None, 0));
    runner.input(&END);
    runner.act(false);
    assert_eq!(runner.closed, Some((Close::Service, false)));
}

/// All that is queued is sent.
fn send_all(runner: &mut Runner) {
    while runner.machine.queued() > 0 {
        runner.input(&Input::Sent(255));
        runner.act(false);
    }
}

#[test]
fn a_stop_answers_until_there_is_a_lull() {
    let mut runner = after(&[RECEIVED, Input::Stop, RECEIVED]);
    assert_eq!((runner.machine.queued(), runner.machine.patience()), (20, Patience::Drain));
    send_all(&mut runner);
    assert_eq!((runner.shut_down, runner.machine.patience()), (false, Patience::Lull));
    runner.input(&Input::LullOver);
    runner.act(false);
    assert!(runner.shut_down && runner.wire.len() == 20);
    runner.input(&END);
    runner.act(false);
    assert_eq!((runner.closed, runner.machine.is_cut_off()), (Some((Close::Stopped, false)), false));
}

#[test]
fn a_stop_lets_the_service_finish_its_answer() {
    let mut runner = Runner::new(3);
    runner.input(&Input::Stop);
    runner.act(false);
    send_all(&mut runner);
    assert_eq!((runner.more, runner.machine.patience()), (0, Patience::Lull));
}

#[test]
fn who_makes_no_pause_is_reset_when_the_time_to_drain_is_over() {
    let mut runner = after(&[Input::Stop, RECEIVED]);
    send_all(&mut runner);
    runner.input(&DRAIN_OVER);
    runner.act(false);
    assert_eq!((runner.closed, runner.machine.is_cut_off()), (Some((Close::Stopped, true)), true));
}

#[test]
fn what_comes_after_the_end_of_a_stop_is_lost_and_said_to_be() {
    let mut runner = after(&[Input::Stop, Input::LullOver, RECEIVED]);
    assert_eq!((runner.closed, runner.machine.is_cut_off()), (None, true));
    runner.input(&DRAIN_OVER);
    runner.act(false);
    assert_eq!(runner.closed, Some((Close::Stopped, true)));
    // Unread, it is the same.
    let runner = after(&[Input::Stop, Input::LullOver, Input::DrainOver { unread: true }]);
    assert_eq!((runner.closed, runner.machine.is_cut_off()), (Some((Close::Stopped, true)), true));
}

#[test]
fn a_reset_is_told_from_an_end() {
    assert_eq!(after(&[Input::Reset]).closed, Some((Close::Reset, true)));
    assert_eq!(after(&[END]).closed, Some((Close::Peer, false)));
    assert_eq!(after(&[RECEIVED, END, Input::Reset]).closed, Some((Close::Reset, true)));
}

#[test]
fn a_reset_after_all_was_sent_changes_no_reason() {
    let runner = after(&[Input::Received { reply: 0, close: true }, Input::Reset]);
    assert_eq!(runner.closed, Some((Close::Service, true)));
}

#[test]
fn an_idle_connection_is_closed_and_a_stuck_one_is_aborted() {
    assert_eq!(after(&[IDLE]).closed, Some((Close::Idle, false)));
    assert_eq!(after(&[RECEIVED, IDLE]).closed, Some((Close::Idle, true)));
    assert_eq!(after(&[RECEIVED, END, IDLE]).closed, Some((Close::Idle, true)));
    assert_eq!(after(&[Input::Idle { unread: true }]).closed, None, "its bytes wait to be received");
    assert_eq!(after(&[RECEIVED, Input::Idle { unread: true }]).closed, Some((Close::Idle, true)));
}

#[test]
fn each_time_limit_ends_only_what_it_is_for() {
    assert_eq!(after(&[DRAIN_OVER]).closed, None);
    assert_eq!(after(&[Input::Stop, IDLE]).closed, None);
    assert_eq!(after(&[Input::Stop, Input::LullOver, DRAIN_OVER]).closed, Some((Close::Stopped, false)));
    assert_eq!(after(&[RECEIVED, Input::Stop, DRAIN_OVER]).closed, Some((Close::Stopped, true)));
    assert_eq!(after(&[Input::Stop, DRAIN_OVER]).closed, Some((Close::Stopped, false)), "it has sent nothing since");
}

#[test]
fn discarded_bytes_do_not_renew_the_time_to_drain() {
    let mut runner = after(&[Input::Stop, Input::LullOver]);
    assert_eq!(runner.machine.patience(), Patience::Drain);
    assert!(runner.machine.take_progress());
    runner.input(&RECEIVED);
    runner.act(false);
    assert!(!runner.machine.take_progress());
}

#[test]
fn a_full_queue_stops_receiving_until_half_of_it_is_free() {
    let mut runner = after(&[Input::Received { reply: LIMIT, close: false }]);
    assert!(!runner.receiving);
    runner.input(&Input::Sent(100));
    runner.act(false);
    assert!(!runner.receiving, "{} bytes are left", runner.machine.queued());
    runner.input(&Input::Sent(100));
    runner.act(false);
    assert!(runner.receiving, "{} bytes are left", runner.machine.queued());
}

#[test]
fn a_steady_exchange_reuses_its_buffers() {
    let mut machine = Machine::new(LIMIT);
    let mut pool = Pool::new(4, 4096);
    let mut seen = Vec::new();
    assert_eq!(machine.next(), Action::Receive);
    for _ in 0..10 {
        assert!(machine.received());
        machine.output(&mut pool).extend_from_slice(b"hello");
        machine.replied(false, false);
        assert_eq!(machine.next(), Action::Send);
        seen.push(machine.front().as_ptr());
        machine.sent(5);
        assert_eq!(machine.next(), Action::Receive);
        assert_eq!(machine.next(), Action::Wait);
        machine.settle(&mut pool);
    }
    assert!(seen.iter().all(|address| *address == seen[0]));
}

#[test]
fn a_stop_renews_the_time_of_those_only_who_have_something_to_get() {
    assert!(!after(&[Input::Stop]).machine.take_progress());
    let mut runner = after(&[RECEIVED]);
    assert!(runner.machine.take_progress());
    runner.input(&Input::Stop);
    assert!(runner.machine.take_progress());
}
