//! The facts that the record alone decides, one by one, and any order of inputs against a model that reads them off the
//! history.

use proptest::prelude::*;

use super::Notice::{Nothing, Post, Set};
use super::*;

const ALL: u32 = READ | WRITE | OOB | ACCEPT | CONNECT | CLOSE;

/// Conditions that begin by arriving and end by being consumed.
const CONSUMED: [u32; 3] = [READ, OOB, ACCEPT];

fn for_event(events: u32) -> Record {
    let mut record = Record::new(0, 0);
    assert_eq!(record.select_for_event(events), Nothing);
    record
}

fn for_messages(events: u32) -> Record {
    let mut record = Record::new(0, 0);
    assert_eq!(record.select_for_messages(events, 0), Nothing);
    record
}

#[test]
fn a12_messages_are_posted_in_this_order() {
    assert_eq!(in_order(ALL).collect::<Vec<_>>(), [CONNECT, ACCEPT, OOB, READ, WRITE, CLOSE]);
    assert_eq!(in_order(CLOSE | READ).collect::<Vec<_>>(), [READ, CLOSE]);
}

#[test]
fn a14_a18_one_post_then_silence_until_re_enabled() {
    for event in CONSUMED {
        let mut record = for_messages(ALL);
        assert_eq!(record.arrived(event), Post(event));
        assert_eq!(record.arrived(event), Nothing);
        assert_eq!(record.re_enabled(event, false), Nothing);
        assert_eq!(record.arrived(event), Post(event));
    }
}

#[test]
fn a17_v11_what_still_holds_after_a_re_enabling_call_is_told_again() {
    for event in CONSUMED {
        let mut record = for_messages(event);
        assert_eq!(record.arrived(event), Post(event));
        assert_eq!(record.re_enabled(event, true), Post(event));
        assert_eq!(record.arrived(event), Nothing);

        let mut record = for_event(event);
        assert_eq!(record.arrived(event), Set);
        assert_eq!(record.enumerate(), event);
        assert_eq!(record.re_enabled(event, true), Set);
        assert_eq!(record.enumerate(), event);
        assert_eq!(record.re_enabled(event, false), Nothing);
        assert_eq!(record.enumerate(), 0);
    }
}

#[test]
fn a16_v12_a_failing_call_re_enables_messages_only() {
    let mut record = for_messages(READ);
    assert_eq!(record.arrived(READ), Post(READ));
    assert_eq!(record.failed(READ, true), Post(READ));
    assert_eq!(record.arrived(READ), Nothing);
    assert_eq!(record.failed(READ, false), Nothing);
    assert_eq!(record.arrived(READ), Post(READ));

    let mut record = for_event(READ);
    assert_eq!(record.arrived(READ), Set);
    assert_eq!(record.failed(READ, true), Nothing);
    assert_eq!(record.enumerate(), READ, "a failed call withdraws nothing either");
    assert_eq!(record.failed(READ, true), Nothing);
    assert_eq!(record.enumerate(), 0);
}

#[test]
fn a21_v7_selecting_again_posts_what_holds_and_records_nothing() {
    for event in CONSUMED {
        let mut record = for_messages(ALL);
        assert_eq!(record.arrived(event), Post(event));
        assert_eq!(record.select_for_messages(ALL, event), Post(event));
        record.deselect();
        assert_eq!(record.arrived(event), Nothing);
        assert_eq!(record.select_for_messages(ALL, event | WRITE), Post(event | WRITE));
        assert_eq!(record.arrived(event), Nothing);

        let mut record = for_event(ALL);
        assert_eq!(record.arrived(event), Set);
        assert_eq!(record.enumerate(), event);
        assert_eq!(record.select_for_event(ALL), Nothing);
        record.deselect();
        assert_eq!(record.select_for_event(ALL), Nothing);
        assert_eq!(record.enumerate(), 0);
    }
}

#[test]
fn a22_v17_a_connect_that_is_over_is_recorded_and_not_posted() {
    let mut record = Record::new(CONNECT | WRITE, 0);
    assert_eq!(record.select_for_messages(ALL, WRITE | CONNECT), Post(WRITE));
    let mut record = Record::new(CONNECT | WRITE, 0);
    assert_eq!(record.select_for_event(ALL), Set);
    assert_eq!(record.enumerate(), CONNECT | WRITE);
}

#[test]
fn a23_a24_v14_v15_room_is_told_once_and_after_a_refusal() {
    let mut record = for_event(WRITE);
    assert_eq!(record.accepted(), Set);
    assert_eq!(record.has_room(), Nothing);
    assert_eq!(record.enumerate(), WRITE, "a send between does not withdraw it");
    assert_eq!(record.has_room(), Nothing);
    record.send_refused();
    assert_eq!(record.enumerate(), 0);
    assert_eq!(record.has_room(), Set);
    assert_eq!(record.has_room(), Nothing);
    assert_eq!(record.enumerate(), WRITE);

    let mut record = for_messages(WRITE);
    assert_eq!(record.accepted(), Post(WRITE));
    assert_eq!(record.has_room(), Nothing);
    record.send_refused();
    assert_eq!(record.has_room(), Post(WRITE));
}

#[test]
fn a25_v16_v19_a_connect_ends_once_and_with_its_error() {
    let mut record = for_event(ALL);
    assert_eq!(record.connect_failed(WSAECONNREFUSED), Set);
    assert_eq!((record.enumerate(), record.error(CONNECT)), (CONNECT, WSAECONNREFUSED));
    assert_eq!(record.select_for_event(ALL), Nothing);
    assert_eq!(record.connected(), Set);
    assert_eq!((record.enumerate(), record.error(CONNECT)), (CONNECT | WRITE, 0));

    let mut record = for_messages(ALL);
    assert_eq!(record.connect_failed(WSAECONNREFUSED), Post(CONNECT));
    assert_eq!(record.connected(), Post(CONNECT | WRITE));
}

#[test]
fn a26_v23_datagram_sockets() {
    let mut record = for_event(ALL);
    assert_eq!(record.bound(), Set);
    assert_eq!(record.enumerate(), WRITE);
    assert_eq!(record.has_peer(), Set);
    assert_eq!(record.enumerate(), CONNECT | WRITE);

    let mut record = Record::new(0, 0);
    assert_eq!(record.select_for_messages(ALL, WRITE), Post(WRITE));
    assert_eq!(record.bound(), Nothing);
    assert_eq!(record.has_peer(), Post(WRITE));
}

#[test]
fn a33_a34_a_connection_ends_once_and_its_error_is_kept() {
    let mut record = for_messages(ALL);
    assert_eq!(record.closed(WSAECONNABORTED), Post(CLOSE));
    assert_eq!(record.closed(0), Nothing);
    assert_eq!(record.select_for_messages(ALL, 0), Post(CLOSE));
    assert_eq!(record.error(CLOSE), WSAECONNABORTED);

    let mut record = for_event(ALL);
    assert_eq!(record.closed(0), Set);
    assert_eq!(record.enumerate(), CLOSE);
    assert_eq!(record.closed(WSAECONNABORTED), Nothing);
    assert_eq!(record.connected(), Set);
    assert_eq!(record.closed(WSAECONNABORTED), Set);
    assert_eq!((record.enumerate(), record.error(CLOSE)), (CONNECT | WRITE | CLOSE, WSAECONNABORTED));
}

#[test]
fn v3_a5_nobody_is_told_after_a_selection_of_nothing() {
    let mut record = for_event(ALL);
    assert_eq!(record.arrived(READ), Set);
    record.deselect();
    assert_eq!(record.enumerate(), 0);
    assert_eq!(record.arrived(ACCEPT), Nothing);
}

#[test]
fn v4_v6_v8_v26_the_record_survives_a_narrower_selection() {
    let mut record = for_event(ALL);
    assert_eq!(record.arrived(ACCEPT), Set);
    assert_eq!(record.select_for_event(CLOSE), Nothing);
    assert_eq!(record.arrived(READ), Nothing);
    assert_eq!(record.enumerate(), 0);
    assert_eq!(record.select_for_event(ACCEPT), Set);
    assert_eq!(record.select_for_event(ACCEPT), Set, "each time until it is taken");
    assert_eq!(record.enumerate(), ACCEPT);
    assert_eq!(record.select_for_event(ACCEPT), Nothing);
    assert_eq!(record.select_for_event(READ), Set);
    assert_eq!(record.enumerate(), READ);
}

#[test]
fn v9_what_was_consumed_is_not_delivered() {
    let mut record = for_event(CLOSE);
    assert_eq!(record.arrived(READ), Nothing);
    assert_eq!(record.re_enabled(READ, false), Nothing);
    assert_eq!(record.select_for_event(ALL), Nothing);
}

#[test]
fn v10_a_new_arrival_is_recorded_and_signalled_again() {
    for event in CONSUMED {
        let mut record = for_event(event);
        assert_eq!(record.arrived(event), Set);
        assert_eq!(record.arrived(event), Set, "also while the first is not taken");
        assert_eq!(record.enumerate(), event);
        assert_eq!(record.arrived(event), Set);
        assert_eq!(record.enumerate(), event);
    }
}

#[test]
fn v18_a_connect_is_recorded_though_it_was_not_selected() {
    let mut record = for_event(WRITE);
    assert_eq!(record.connected(), Set);
    assert_eq!(record.enumerate(), WRITE);
    assert_eq!(record.select_for_event(WRITE | CONNECT), Set);
    assert_eq!(record.enumerate(), CONNECT);
}

#[test]
fn v31_enumerating_re_enables_nothing() {
    let mut record = for_event(READ);
    assert_eq!(record.arrived(READ), Set);
    assert_eq!((record.enumerate(), record.enumerate()), (READ, 0));
}

/// An input.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Input {
    Arrived(u32),
    ReEnabled(u32, bool),
    Failed(u32, bool),
    Connected,
    ConnectFailed(i32),
    Closed(i32),
    SendRefused,
    HasRoom,
    ForEvent(u32),
    /// With what holds.
    ForMessages(u32, u32),
    Deselect,
    Enumerate,
}

use Input::*;

/// What has been put in so far, and which messages each input has posted. Everything else is read off that.
#[derive(Default)]
struct History(Vec<(Input, u32)>);

impl History {
    fn backwards(&self) -> impl Iterator<Item = &(Input, u32)> {
        self.0.iter().rev()
    }

    fn selection(&self) -> (Mode, u32) {
        let selection = |&(input, _): &(Input, u32)| match input {
            ForEvent(events) => Some((Mode::Event, events)),
            ForMessages(events, _) => Some((Mode::Message, events)),
            Deselect => Some((Mode::Off, 0)),
            _ => None,
        };
        self.backwards().find_map(selection).unwrap_or_default()
    }

    fn until(&self, len: usize) -> History {
        History(self.0[..len].to_vec())
    }

    /// Whether a send was refused since there was room.
    fn refused(&self) -> bool {
        let last = self.backwards().find(|(input, _)| matches!(input, SendRefused | HasRoom | Connected));
        last.is_some_and(|(input, _)| *input == SendRefused)
    }

    /// Whether the connection has ended before.
    fn has_ended(&self) -> bool {
        let last = self.backwards().find(|(input, _)| matches!(input, Closed(_) | Connected));
        last.is_some_and(|(input, _)| matches!(input, Closed(_)))
    }

    /// Whether WSAEnumNetworkEvents has something to return: whether the event has begun, and neither was taken nor
    /// ended since.
    fn is_recorded(&self, event: u32) -> bool {
        for (at, &(input, _)) in self.0.iter().enumerate().rev() {
            let before = self.until(at);
            match input {
                Enumerate if before.selection().0 == Mode::Event && before.selection().1 & event != 0 => return false,
                Arrived(it) if it == event => return true,
                ReEnabled(it, holds) if it == event => return holds,
                Connected => return matches!(event, CONNECT | WRITE),
                ConnectFailed(_) if event == CONNECT => return true,
                Closed(_) if event == CLOSE && !before.has_ended() => return true,
                HasRoom if event == WRITE && before.refused() => return true,
                _ => {}
            }
        }
        false
    }

    /// Whether a message for the event was posted, and no call has re-enabled it since.
    fn is_silent(&self, event: u32) -> bool {
        for &(input, posted) in self.backwards() {
            if posted & event != 0 {
                return CONSUMED.contains(&event);
            }
            match input {
                ReEnabled(it, _) | Failed(it, _) if it == event => return false,
                Connected | ForMessages(..) => return false,
                _ => {}
            }
        }
        false
    }

    /// The events that an input begins, whoever is told.
    fn begun(&self, input: Input) -> u32 {
        match input {
            Arrived(event) | ReEnabled(event, true) => event,
            Connected => CONNECT | WRITE,
            ConnectFailed(_) => CONNECT,
            Closed(_) if !self.has_ended() => CLOSE,
            HasRoom if self.refused() => WRITE,
            _ => 0,
        }
    }

    fn expected(&self, input: Input) -> Notice {
        let (mode, selected) = self.selection();
        let begun = self.begun(input) & selected;
        let posted = match input {
            ForEvent(events) => {
                let any = in_order(events).any(|event| self.is_recorded(event));
                return if any { Set } else { Nothing };
            }
            ForMessages(events, holds) => events & (holds | if self.has_ended() { CLOSE } else { 0 }),
            _ if mode == Mode::Event => return if begun != 0 { Set } else { Nothing },
            _ if mode == Mode::Off => return Nothing,
            Failed(event, true) => event & selected,
            Arrived(event) if self.is_silent(event) => 0,
            _ => begun,
        };
        if posted == 0 { Nothing } else { Post(posted) }
    }
}

fn put_in(record: &mut Record, input: Input) -> Notice {
    match input {
        Arrived(event) => record.arrived(event),
        ReEnabled(event, holds) => record.re_enabled(event, holds),
        Failed(event, holds) => record.failed(event, holds),
        Connected => record.connected(),
        ConnectFailed(error) => record.connect_failed(error),
        Closed(error) => record.closed(error),
        HasRoom => record.has_room(),
        ForEvent(events) => record.select_for_event(events),
        ForMessages(events, holds) => record.select_for_messages(events, holds),
        SendRefused => {
            record.send_refused();
            Nothing
        }
        Deselect => {
            record.deselect();
            Nothing
        }
        Enumerate => {
            record.enumerate();
            Nothing
        }
    }
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let consumed = || prop::sample::select(CONSUMED.to_vec());
    // Wide selections more often: a narrow one sees little.
    let events = || prop_oneof![Just(ALL), 0..=ALL].prop_map(|events| events & ALL);
    let input = prop_oneof![
        4 => consumed().prop_map(Arrived),
        4 => (consumed(), any::<bool>()).prop_map(|(event, holds)| ReEnabled(event, holds)),
        1 => (consumed(), any::<bool>()).prop_map(|(event, holds)| Failed(event, holds)),
        1 => Just(Connected),
        1 => Just(ConnectFailed(WSAECONNREFUSED)),
        1 => prop::sample::select(vec![0, WSAECONNABORTED]).prop_map(Closed),
        1 => Just(SendRefused),
        1 => Just(HasRoom),
        2 => events().prop_map(ForEvent),
        2 => (events(), events()).prop_map(|(events, holds)| ForMessages(events, holds & !(CONNECT | CLOSE))),
        1 => Just(Deselect),
        4 => Just(Enumerate),
    ];
    prop::collection::vec(input, 0..40)
}

proptest! {
    #[test]
    fn any_order_of_inputs_leads_to_what_the_facts_say(inputs in inputs()) {
        let mut record = Record::default();
        let mut history = History::default();
        for input in inputs {
            if input == Enumerate {
                let (mode, selected) = history.selection();
                let expected: u32 = in_order(selected).filter(|&event| history.is_recorded(event)).sum();
                prop_assert_eq!(record.enumerate(), if mode == Mode::Event { expected } else { 0 });
                history.0.push((input, 0));
                continue;
            }
            let notice = put_in(&mut record, input);
            prop_assert_eq!(notice, history.expected(input), "{:?} after {:?}", input, history.0);
            history.0.push((input, if let Post(events) = notice { events } else { 0 }));
        }
    }
}
