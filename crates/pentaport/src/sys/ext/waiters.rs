//! The wait set where the system has none: waiter threads, each of which waits for up to 63 objects.
//!
//! One call waits for 64 objects at most. So the objects of a set are divided into groups of 63, and each group has a
//! thread that waits for them, and for an event by which it is called back when its group changes. A thread that finds
//! an object signalled takes it out of its wait (the object is *disarmed*) and puts it on the set's list of those that
//! are ready; the event `ready` is set while that list has something, and it is what [`WaitSet::wait`] waits for. An
//! object that was handed out is armed again at the next wait, by when the program has probably dealt with it; or at
//! once, if another thread waits, which is to be told as well if the object stays signalled.
//!
//! So each report costs two changes of threads, which is what any wait beyond 64 objects costs on such a system. What
//! it also means: a wait without a time sees what the waiters have seen so far, and an object that was reset again may
//! still be reported once.
//!
//! A waiter waits with no lock held.

use super::super::{
    ERROR_ALREADY_EXISTS, ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_FOUND, HANDLE, INFINITE, WAIT_EVENT,
    WAIT_FAILED, WAIT_IO_COMPLETION, WAIT_TIMEOUT, WIN32_ERROR, WSA_MAXIMUM_WAIT_EVENTS,
};
use crate::raw::event::{Ending, OwnedEvent, wait};
use ranked_locks::{Condvar, Mutex, rank};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many objects a thread waits for, besides the event that calls it back.
const GROUP: usize = WSA_MAXIMUM_WAIT_EVENTS as usize - 1;

/// A set of objects to wait for, with a token for each.
///
/// The caller keeps the objects open while they are in the set.
#[derive(Debug)]
pub struct WaitSet {
    members: Mutex<Members, rank::WaitSetMembers>,
    ready: Arc<Ready>,
    /// How many threads wait.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Members {
    /// The group of each object.
    groups_of: HashMap<Object, usize>,
    groups: Vec<Group>,
}

/// A handle, as a number: threads pass it on.
type Object = usize;

/// One waiter thread and what it waits for.
#[derive(Debug)]
struct Group {
    shared: Arc<Shared>,
    /// How many objects belong here, armed or not.
    members: usize,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    plan: Mutex<Plan, rank::WaitSetPlan>,
    /// Calls the waiter back to look at the plan.
    changed: OwnedEvent,
    /// Somebody waits for the waiter to have seen the plan.
    seen: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    armed: Vec<Object>,
    /// Counts the changes, and how many of them the waiter has seen.
    version: u64,
    seen: u64,
    stop: bool,
}

/// The objects that were found signalled.
#[derive(Debug)]
struct Ready {
    lists: Mutex<Lists, rank::WaitSetReady>,
    /// Manual-reset; set while `lists.waiting` has something.
    event: OwnedEvent,
}

#[derive(Debug, Default)]
struct Lists {
    tokens: HashMap<Object, usize>,
    waiting: VecDeque<Object>,
    /// Handed out, and to be armed again at the next wait.
    handed_out: HashSet<Object>,
}

impl WaitSet {
    /// An empty set.
    ///
    /// # Errors
    /// A Win32 code.
    pub fn new() -> Result<WaitSet, WIN32_ERROR> {
        let event = OwnedEvent::new(true).map_err(code)?;
        let ready = Arc::new(Ready { lists: Mutex::default(), event });
        Ok(WaitSet { members: Mutex::default(), ready, waiting: AtomicUsize::new(0) })
    }

    /// Adds an object under a token.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_ALREADY_EXISTS if it is in the set; ERROR_NOT_ENOUGH_MEMORY for want of a thread.
    pub fn add(&self, handle: HANDLE, token: usize) -> Result<(), WIN32_ERROR> {
        let object = handle.expose_provenance();
        let mut members = self.members.lock();
        if members.groups_of.contains_key(&object) {
            return Err(ERROR_ALREADY_EXISTS);
        }
        let group = members.group_with_room(&self.ready)?;
        // This also tells whether it is a handle at all. If the object is auto-reset, this takes its signal.
        let signalled = wait(&[handle], false, 0, false).map_err(|_| ERROR_INVALID_HANDLE)? != Ending::Timeout;
        members.groups_of.insert(object, group);
        members.groups[group].members += 1;
        self.ready.lists.lock().tokens.insert(object, token);
        match signalled {
            true => self.ready.report(object),
            false => members.groups[group].shared.arm(object),
        }
        Ok(())
    }

    /// Takes an object out of the set. When this returns nobody waits for it any more.
    ///
    /// # Errors
    /// ERROR_NOT_FOUND.
    pub fn remove(&self, handle: HANDLE) -> Result<(), WIN32_ERROR> {
        let object = handle.expose_provenance();
        let mut members = self.members.lock();
        let group = members.groups_of.remove(&object).ok_or(ERROR_NOT_FOUND)?;
        members.groups[group].members -= 1;
        members.groups[group].shared.disarm(object);
        self.ready.forget(object);
        Ok(())
    }

    /// Waits until an object of the set is signalled; fills `tokens` with those of as many as fit and returns how many.
    ///
    /// # Errors
    /// WAIT_TIMEOUT, or WAIT_IO_COMPLETION after routines have run in an alertable wait.
    pub fn wait(&self, tokens: &mut [usize], milliseconds: u32, alertable: bool) -> Result<usize, WAIT_EVENT> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.arm_again();
        let waited = self.wait_for_ready(tokens, milliseconds, alertable);
        // Who begins to wait from here on arms by itself.
        if self.waiting.fetch_sub(1, Ordering::SeqCst) > 1 && waited.is_ok() {
            self.arm_again();
        }
        waited
    }

    fn wait_for_ready(&self, tokens: &mut [usize], milliseconds: u32, alertable: bool) -> Result<usize, WAIT_EVENT> {
        let deadline = (milliseconds != INFINITE)
            .then(|| Instant::now().checked_add(Duration::from_millis(milliseconds.into())))
            .flatten();
        loop {
            let remaining = deadline.map_or(INFINITE, |deadline| {
                let remaining = deadline.saturating_duration_since(Instant::now());
                crate::raw::call::milliseconds(Some(remaining))
            });
            match wait(&[self.ready.event.handle()], false, remaining, alertable) {
                Ok(Ending::Signalled(_)) => {}
                Ok(Ending::Routines) => return Err(WAIT_IO_COMPLETION),
                Ok(Ending::Timeout) => return Err(WAIT_TIMEOUT),
                Err(_) => return Err(WAIT_FAILED),
            }
            // Nothing if another thread was quicker.
            match self.ready.hand_out(tokens) {
                0 => {}
                count => return Ok(count),
            }
        }
    }

    /// Arms what earlier waits have handed out.
    fn arm_again(&self) {
        let members = self.members.lock();
        let handed_out = std::mem::take(&mut self.ready.lists.lock().handed_out);
        for object in handed_out {
            members.groups[members.groups_of[&object]].shared.arm(object);
        }
    }
}

impl Drop for WaitSet {
    fn drop(&mut self) {
        for group in &mut self.members.lock().groups {
            group.shared.plan.lock().stop = true;
            group.shared.changed.set();
            if let Some(thread) = group.thread.take() {
                // A waiter that panicked has nothing more to say.
                let _ = thread.join();
            }
        }
    }
}

impl Members {
    /// The number of a group that has room for one more.
    fn group_with_room(&mut self, ready: &Arc<Ready>) -> Result<usize, WIN32_ERROR> {
        if let Some(group) = self.groups.iter().position(|group| group.members < GROUP) {
            return Ok(group);
        }
        self.groups.push(Group::new(ready)?);
        Ok(self.groups.len() - 1)
    }
}

impl Group {
    fn new(ready: &Arc<Ready>) -> Result<Self, WIN32_ERROR> {
        let changed = OwnedEvent::new(false).map_err(code)?;
        let shared = Arc::new(Shared { plan: Mutex::default(), changed, seen: Condvar::new() });
        let (of_thread, ready) = (Arc::clone(&shared), Arc::clone(ready));
        let thread = thread::Builder::new()
            .name(String::from("wait set"))
            .stack_size(256 << 10)
            .spawn(move || of_thread.serve(&ready))
            .map_err(|_| ERROR_NOT_ENOUGH_MEMORY)?;
        Ok(Self { shared, members: 0, thread: Some(thread) })
    }
}

impl Shared {
    /// The waiter's whole life.
    fn serve(&self, ready: &Ready) {
        let mut handles = Vec::with_capacity(GROUP + 1);
        while self.look(&mut handles) {
            match wait(&handles, false, INFINITE, false) {
                // Called back.
                Ok(Ending::Signalled(0)) => {}
                Ok(Ending::Signalled(index)) => self.report(handles[index].expose_provenance(), ready),
                Ok(Ending::Timeout | Ending::Routines) => unreachable!("an endless wait that is not alertable"),
                Err(error) => unreachable!("the caller keeps the objects open: {error}"),
            }
        }
    }

    /// Copies what there is to wait for; false at the end.
    fn look(&self, handles: &mut Vec<HANDLE>) -> bool {
        let mut plan = self.plan.lock();
        plan.seen = plan.version;
        self.seen.notify_all();
        handles.clear();
        handles.push(self.changed.handle());
        handles.extend(plan.armed.iter().map(|&object| handle(object)));
        !plan.stop
    }

    /// An object was found signalled. One that is not armed was removed meanwhile.
    fn report(&self, object: Object, ready: &Ready) {
        let mut plan = self.plan.lock();
        if let Some(index) = plan.armed.iter().position(|&armed| armed == object) {
            // The order is kept, so that each one's turn comes to be the lowest index.
            plan.armed.remove(index);
            ready.report(object);
        }
    }

    fn arm(&self, object: Object) {
        let mut plan = self.plan.lock();
        plan.armed.push(object);
        plan.version += 1;
        self.changed.set();
    }

    /// Returns when the waiter does not wait for the object any more.
    fn disarm(&self, object: Object) {
        let mut plan = self.plan.lock();
        let armed = plan.armed.len();
        plan.armed.retain(|&armed| armed != object);
        if plan.armed.len() == armed {
            // It was reported: the waiter has taken it out of its wait itself.
            return;
        }
        plan.version += 1;
        let version = plan.version;
        self.changed.set();
        while plan.seen < version {
            self.seen.wait(&mut plan);
        }
    }
}

impl Ready {
    fn report(&self, object: Object) {
        let mut lists = self.lists.lock();
        lists.waiting.push_back(object);
        self.event.set();
    }

    fn hand_out(&self, tokens: &mut [usize]) -> usize {
        let mut lists = self.lists.lock();
        let count = tokens.len().min(lists.waiting.len());
        for token in &mut tokens[..count] {
            let object = lists.waiting.pop_front().expect("counted just now");
            *token = lists.tokens[&object];
            lists.handed_out.insert(object);
        }
        if lists.waiting.is_empty() {
            self.event.reset();
        }
        count
    }

    fn forget(&self, object: Object) {
        let mut lists = self.lists.lock();
        lists.tokens.remove(&object);
        lists.handed_out.remove(&object);
        lists.waiting.retain(|&waiting| waiting != object);
        if lists.waiting.is_empty() {
            self.event.reset();
        }
    }
}

fn handle(object: Object) -> HANDLE {
    std::ptr::with_exposed_provenance_mut(object)
}

fn code(error: crate::Error) -> WIN32_ERROR {
    error.code() as WIN32_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far beyond what anything here takes, in milliseconds.
    const PATIENCE: u32 = 60_000;

    fn events(count: usize, manual_reset: bool) -> Vec<OwnedEvent> {
        (0..count).map(|_| OwnedEvent::new(manual_reset).unwrap()).collect()
    }

    /// Made after the events, so that it goes before them.
    fn set_of(events: &[OwnedEvent]) -> WaitSet {
        let set = WaitSet::new().unwrap();
        for (token, event) in events.iter().enumerate() {
            set.add(event.handle(), token).unwrap();
        }
        set
    }

    fn tokens(set: &WaitSet, room: usize) -> Vec<usize> {
        let mut tokens = vec![usize::MAX; room];
        let count = set.wait(&mut tokens, PATIENCE, false).expect("an event in time");
        tokens.truncate(count);
        tokens
    }

    #[test]
    fn each_signal_of_an_automatic_event_is_reported_once() {
        let events = events(200, false);
        let set = set_of(&events);
        assert_eq!(set.members.lock().groups.len(), 4);
        for _ in 0..3 {
            events.iter().for_each(OwnedEvent::set);
            let mut seen = vec![0; events.len()];
            while seen.iter().sum::<usize>() < events.len() {
                tokens(&set, 7).into_iter().for_each(|token| seen[token] += 1);
            }
            assert_eq!(seen, vec![1; events.len()]);
            assert_eq!(set.wait(&mut [0], 0, false), Err(WAIT_TIMEOUT));
        }
    }

    #[test]
    fn a_manual_event_is_reported_until_it_is_reset_and_hides_no_other() {
        let events = events(130, true);
        let set = set_of(&events);
        events[0].set();
        for _ in 0..5 {
            assert_eq!(tokens(&set, 4), [0]);
        }
        events.iter().for_each(OwnedEvent::set);
        let mut seen = HashSet::new();
        while seen.len() < events.len() {
            seen.extend(tokens(&set, 4));
        }
        events.iter().for_each(OwnedEvent::reset);
        // What was found before the reset may still be reported, once each.
        let mut late = 0;
        while set.wait(&mut [0], 10, false).is_ok() {
            late += 1;
            assert!(late <= events.len());
        }
    }

    #[test]
    fn what_is_removed_is_not_waited_for_any_more() {
        let events = events(100, false);
        let set = set_of(&events);
        assert_eq!(set.add(events[70].handle(), 1), Err(ERROR_ALREADY_EXISTS));
        events[70].set();
        set.remove(events[70].handle()).unwrap();
        assert_eq!(set.remove(events[70].handle()), Err(ERROR_NOT_FOUND));
        set.remove(events[3].handle()).unwrap();
        // Nobody takes this signal, now that the object is out.
        events[3].set();
        assert_eq!(wait(&[events[3].handle()], false, 0, false), Ok(Ending::Signalled(0)));
        assert_eq!(set.wait(&mut [0], 0, false), Err(WAIT_TIMEOUT));
        // A place is used again.
        let other = OwnedEvent::new(false).unwrap();
        other.set();
        set.add(other.handle(), 9).unwrap();
        assert_eq!(tokens(&set, 4), [9]);
        assert_eq!(set.members.lock().groups.len(), 2);
        assert_eq!(set.add(std::ptr::null_mut(), 0), Err(ERROR_INVALID_HANDLE));
        drop(set);
    }

    #[test]
    fn several_threads_set_add_remove_and_wait() {
        const SIGNALS: usize = 1000;
        let (events, acknowledged) = (events(80, false), events(80, false));
        let stop = OwnedEvent::new(true).unwrap();
        let set = set_of(&events);
        set.add(stop.handle(), usize::MAX).unwrap();
        thread::scope(|scope| {
            let waiter = || {
                let mut count = 0;
                loop {
                    for token in tokens(&set, 4) {
                        let Some(event) = acknowledged.get(token) else { return count };
                        count += 1;
                        event.set();
                    }
                }
            };
            let waiters = [scope.spawn(waiter), scope.spawn(waiter)];
            let changer = scope.spawn(|| {
                for _ in 0..100 {
                    let event = OwnedEvent::new(true).unwrap();
                    set.add(event.handle(), 0).unwrap();
                    set.remove(event.handle()).unwrap();
                }
            });
            for signal in 0..SIGNALS {
                let index = signal % events.len();
                events[index].set();
                let heard = wait(&[acknowledged[index].handle()], false, PATIENCE, false);
                assert_eq!(heard, Ok(Ending::Signalled(0)), "no signal is lost");
            }
            changer.join().unwrap();
            stop.set();
            let counts: usize = waiters.into_iter().map(|waiter| waiter.join().unwrap()).sum();
            assert_eq!(counts, SIGNALS, "no signal is reported twice");
        });
    }
}
