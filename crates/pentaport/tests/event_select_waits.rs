//! Events, and waiting for them.

mod common;

use common::*;
use pentaport::Result;
use pentaport::event_select::{
    Event, MAX_EVENTS, WaitSet, Wake, wait_all, wait_all_alertable, wait_any, wait_any_alertable,
};
use std::collections::HashSet;
use std::thread;
use std::time::Duration;

const NO_TIME: Option<Duration> = Some(Duration::ZERO);

fn manual(count: usize) -> Vec<Event> {
    (0..count).map(|_| Event::manual_reset()).collect::<Result<_>>().expect("events")
}

fn auto(count: usize) -> Vec<Event> {
    (0..count).map(|_| Event::auto_reset()).collect::<Result<_>>().expect("events")
}

fn set_of(events: &[Event]) -> WaitSet {
    let set = WaitSet::new().expect("a set");
    for (token, event) in events.iter().enumerate() {
        set.add(event, token).expect("added");
    }
    set
}

/// The tokens that one wait gives, at most `room` of them.
fn tokens(set: &WaitSet, room: usize) -> Vec<usize> {
    let mut tokens = vec![usize::MAX; room];
    let count = set.wait(&mut tokens, Some(PATIENCE)).expect("a wait");
    assert!(count > 0, "an event in time");
    tokens.truncate(count);
    tokens
}

#[test]
fn a_manual_event_stays_set_and_an_automatic_one_does_not() {
    let manual = Event::manual_reset().unwrap();
    assert!(!manual.is_set());
    manual.set();
    manual.set();
    assert!(manual.is_set() && manual.is_set());
    manual.reset();
    assert!(!manual.is_set());

    let auto = Event::auto_reset().unwrap();
    auto.set();
    auto.set();
    assert!(auto.is_set() && !auto.is_set());
    assert_eq!(auto.wait(NO_TIME), Ok(false));
}

#[test]
fn clones_are_the_same_event() {
    let event = Event::manual_reset().unwrap();
    let clone = event.clone();
    assert!(event == clone && event != Event::manual_reset().unwrap());
    clone.set();
    drop(clone);
    assert!(event.is_set());
}

/// SEMANTICS V35.
#[test]
fn the_lowest_of_those_set_is_given_and_taken() {
    let events = auto(MAX_EVENTS);
    for index in [63, 5, 40] {
        events[index].set();
    }
    for index in [5, 40, 63] {
        assert_eq!(wait_any(&events, NO_TIME), Ok(Some(index)));
    }
    assert_eq!(wait_any(&events, NO_TIME), Ok(None));
}

#[test]
fn sixty_four_and_no_more() {
    let events = manual(MAX_EVENTS + 1);
    events[MAX_EVENTS - 1].set();
    assert_eq!(wait_any(&events[..MAX_EVENTS], NO_TIME), Ok(Some(MAX_EVENTS - 1)));
    for events in [&events[..], &[]] {
        assert_eq!(wait_any(events, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
        assert_eq!(wait_all(events, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
        assert_eq!(wait_any_alertable(events, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
        assert_eq!(wait_all_alertable(events, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
    }
}

/// SEMANTICS V36.
#[test]
fn all_or_none_are_taken() {
    let events = auto(3);
    events[0].set();
    events[2].set();
    assert_eq!(wait_all(&events, NO_TIME), Ok(false));
    assert_eq!(wait_any(&events, NO_TIME), Ok(Some(0)));
    events[0].set();
    events[1].set();
    assert_eq!(wait_all(&events, NO_TIME), Ok(true));
    assert_eq!(wait_any(&events, NO_TIME), Ok(None));
}

/// SEMANTICS V36.
#[test]
#[cfg_attr(windows, ignore = "Wine 8: a wait for all that names an event twice is no error (V36)")]
fn a_wait_for_all_takes_no_event_twice() {
    let events = auto(1);
    let twice = [&events[0], &events[0]];
    assert_eq!(wait_all(&twice, NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
    assert_eq!(wait_any(&twice, NO_TIME), Ok(None));
}

#[test]
fn a_wait_is_ended_by_another_thread() {
    let events = manual(4);
    let (asked, asking) = (Event::auto_reset().unwrap(), Event::auto_reset().unwrap());
    let setter = thread::spawn({
        let (events, asked, asking) = (events.clone(), asked.clone(), asking.clone());
        move || {
            for event in &events {
                assert_eq!(asking.wait(Some(PATIENCE)), Ok(true));
                event.set();
            }
            asked.set();
        }
    });
    for index in 0..events.len() {
        asking.set();
        assert_eq!(wait_any(&events[index..], Some(PATIENCE)), Ok(Some(0)));
    }
    assert_eq!(asked.wait(Some(PATIENCE)), Ok(true));
    assert_eq!(wait_all(&events, Some(PATIENCE)), Ok(true));
    setter.join().unwrap();
}

/// One signal is one thread's, however many wait.
#[test]
fn each_signal_of_an_automatic_event_releases_one() {
    let event = Event::auto_reset().unwrap();
    let released = Event::auto_reset().unwrap();
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            let (event, released) = (event.clone(), released.clone());
            thread::spawn(move || {
                assert_eq!(event.wait(Some(PATIENCE)), Ok(true));
                released.set();
            })
        })
        .collect();
    for _ in 0..waiters.len() {
        event.set();
        assert_eq!(released.wait(Some(PATIENCE)), Ok(true));
    }
    for waiter in waiters {
        waiter.join().unwrap();
    }
    assert!(!event.is_set());
}

#[test]
fn an_alertable_wait_without_routines_is_a_wait() {
    let events = manual(2);
    assert_eq!(wait_any_alertable(&events, NO_TIME), Ok(Wake::Timeout));
    assert_eq!(wait_all_alertable(&events, NO_TIME), Ok(Wake::Timeout));
    events[1].set();
    assert_eq!(wait_any_alertable(&events, None), Ok(Wake::Signalled(1)));
    events[0].set();
    assert_eq!(wait_all_alertable(&events, None), Ok(Wake::Signalled(())));
    let set = set_of(&events);
    assert!(matches!(set.wait_alertable(&mut [0; 2], None), Ok(Wake::Signalled(1..=2))));
}

#[test]
fn two_hundred_events_have_their_turns() {
    let events = manual(200);
    let set = set_of(&events);
    assert_eq!(set.len(), 200);
    assert_eq!(set.wait(&mut [0; 8], NO_TIME), Ok(0));
    for event in &events {
        event.set();
    }
    // All stay set. A set that began at the front each time would never get to the last.
    let mut seen = HashSet::new();
    let mut waits = 0;
    while seen.len() < events.len() {
        seen.extend(tokens(&set, 8));
        waits += 1;
        assert!(waits <= 4 * events.len() / 8, "{} of {} after {waits} waits", seen.len(), events.len());
    }
    // And the others have theirs beside one that is set all the time.
    for event in &events[1..] {
        event.reset();
    }
    let rest: Vec<usize> = vec![0];
    until("only the first is left", || tokens(&set, 8) == rest);
    events[199].set();
    until("the last has its turn", || tokens(&set, 1) == [199]);
    until("the first has its turn", || tokens(&set, 1) == [0]);
}

#[test]
fn each_signal_of_a_set_is_reported_once() {
    let events = auto(200);
    let set = set_of(&events);
    for round in 0..3 {
        for event in &events {
            event.set();
        }
        let mut seen = vec![0; events.len()];
        while seen.iter().sum::<usize>() < events.len() {
            for token in tokens(&set, 7) {
                seen[token] += 1;
            }
        }
        assert_eq!(seen, vec![1; events.len()], "round {round}");
        assert_eq!(set.wait(&mut [0; 8], NO_TIME), Ok(0));
    }
}

#[test]
fn what_is_removed_is_not_reported_and_its_token_serves_another() {
    let events = auto(3);
    let set = set_of(&events);
    assert_eq!(set.add(&events[1], 9).unwrap_err().name(), Some("ERROR_ALREADY_EXISTS"));
    events[1].set();
    set.remove(&events[1]).unwrap();
    assert_eq!(set.remove(&events[1]).unwrap_err().name(), Some("ERROR_NOT_FOUND"));
    assert_eq!(set.wait(&mut [0; 4], NO_TIME), Ok(0));
    // Another event under the token, and the same one under another.
    let other = Event::auto_reset().unwrap();
    set.add(&other, 1).unwrap();
    other.set();
    assert_eq!(tokens(&set, 4), [1]);
    events[1].reset();
    set.add(&events[1], 7).unwrap();
    events[1].set();
    assert_eq!(tokens(&set, 4), [7]);
    // Two may have one token.
    set.add(&Event::auto_reset().unwrap(), 7).unwrap();
    assert_eq!(set.len(), 5);
    assert_eq!(set.wait(&mut [], NO_TIME).unwrap_err().name(), Some("ERROR_INVALID_PARAMETER"));
}

#[test]
fn an_event_that_is_set_when_it_is_added_is_reported() {
    let set = WaitSet::new().unwrap();
    assert!(set.is_empty());
    for event in [Event::manual_reset().unwrap(), Event::auto_reset().unwrap()] {
        event.set();
        set.add(&event, 3).unwrap();
        assert_eq!(tokens(&set, 1), [3]);
        set.remove(&event).unwrap();
    }
}

/// The set keeps its events open, and forgets them when it goes.
#[test]
fn sets_and_events_go_in_any_order() {
    let events = manual(100);
    let set = set_of(&events);
    drop(events);
    assert_eq!(set.wait(&mut [0; 4], NO_TIME), Ok(0));
    drop(set);

    let events = manual(100);
    let sets = [set_of(&events), set_of(&events)];
    let [first, second] = sets;
    events[50].set();
    assert_eq!((tokens(&first, 4), tokens(&second, 4)), (vec![50], vec![50]));
    drop(first);
    assert_eq!(tokens(&second, 4), [50]);
    drop(second);
    assert!(events[50].is_set());
}

/// An event that stays set is for all who wait, also for those who wait already.
#[test]
fn a_manual_event_of_a_set_releases_all_who_wait() {
    let stop = Event::manual_reset().unwrap();
    let set = WaitSet::new().unwrap();
    set.add(&stop, 7).unwrap();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| tokens(&set, 2))).collect();
        stop.set();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), [7]);
        }
    });
}

#[test]
fn several_threads_set_add_remove_and_wait() {
    const SIGNALS: usize = 2000;
    let events = auto(80);
    let set = set_of(&events);
    let stop = Event::manual_reset().unwrap();
    set.add(&stop, usize::MAX).unwrap();
    let acknowledged: Vec<Event> = auto(80);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0;
                    loop {
                        for token in tokens(&set, 4) {
                            let Some(event) = acknowledged.get(token) else { return count };
                            count += 1;
                            event.set();
                        }
                    }
                })
            })
            .collect();
        let setters: Vec<_> = (0..2)
            .map(|setter| {
                let (events, acknowledged) = (&events, &acknowledged);
                scope.spawn(move || {
                    for signal in 0..SIGNALS / 2 {
                        let index = setter * 40 + signal % 40;
                        events[index].set();
                        assert_eq!(acknowledged[index].wait(Some(PATIENCE)), Ok(true), "no signal is lost");
                    }
                })
            })
            .collect();
        let changer = scope.spawn(|| {
            for _ in 0..200 {
                let event = Event::manual_reset().unwrap();
                set.add(&event, 0).unwrap();
                set.remove(&event).unwrap();
            }
        });
        changer.join().unwrap();
        for setter in setters {
            setter.join().unwrap();
        }
        stop.set();
        let counts: usize = waiters.into_iter().map(|waiter| waiter.join().unwrap()).sum();
        assert_eq!(counts, SIGNALS, "no signal is reported twice");
    });
}
