//! The wait engine: what can be waited for, which threads wait for it, and what ends their waits.
//!
//! Wait-all that takes either everything or nothing, the lowest index of several, and routines before objects cannot be
//! built from `poll` over descriptors. So objects live in user space and keep lists of who waits for them. One lock
//! guards them all, as NT's dispatcher lock did: every rule here concerns several objects or an object and a thread,
//! and with one lock each rule is a few lines without an order of locks. It is a leaf: it may be taken under a
//! socket's or a port's lock, is held for some dozen instructions, and never while code of the program runs.
//!
//! Everything that can be waited for is an event, a semaphore, a mutex or a wait set in here. Sockets, files, ports,
//! threads, timers and message queues own an event that says whether they are signalled.
//!
//! Who signals an object also ends the waits that this satisfies, takes from the objects what the waits take (E12), and
//! only then wakes the threads: so no thread wakes in vain, and an auto-reset event releases exactly one.
//!
//! A thread sleeps where what it waits for will happen: in the epoll of its [home](crate::home), if sockets are homed
//! there, so that the events of its own sockets cost no hop through another thread; else on its futex.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ranked_locks::rank;
use slab::Slab;
use smallvec::SmallVec;

use crate::apc::Apc;
use crate::deadline::Deadline;
use crate::port::blocking;
use crate::sleeper::{Elsewhere, Sleeper};
use crate::sync::{Mutex, MutexGuard, global, local};
use crate::thread;

/// Something that can be waited for. Clones mean the same object, which lives as long as one of them.
#[derive(Clone)]
pub(crate) struct Object(Arc<Place>);

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// An object that may be gone: what its name refers to.
pub(crate) struct WeakObject(Weak<Place>);

impl WeakObject {
    pub(crate) fn upgrade(&self) -> Option<Object> {
        self.0.upgrade().map(Object)
    }
}

/// The place of an object among all.
struct Place(usize);

impl Drop for Place {
    fn drop(&mut self) {
        let mut dispatcher = DISPATCHER.lock();
        let node = dispatcher.objects.remove(self.0);
        match &node.kind {
            Kind::Set(set) => {
                for &member in set.members.keys() {
                    dispatcher.objects[member].links.retain(|link| link.set as usize != self.0);
                }
            }
            // The place may be another mutex's soon, which this thread is not to abandon.
            Kind::Mutex(mutex) => {
                if let Some(thread) = mutex.owner {
                    dispatcher.threads[thread].owned.retain(|&mutex| mutex != self.0);
                }
            }
            Kind::Event { .. } | Kind::Semaphore { .. } => {}
        }
        drop(dispatcher);
        // What the set kept alive goes without the lock.
        drop(node);
    }
}

enum Kind {
    Event { manual_reset: bool, set: bool },
    Semaphore { count: u32, maximum: u32 },
    Mutex(Box<Ownership>),
    Set(Box<Set>),
}

/// The state of a mutex.
#[derive(Default)]
struct Ownership {
    owner: Option<usize>,
    depth: u32,
    abandoned: bool,
}

/// A wait set.
#[derive(Default)]
struct Set {
    /// The objects in it, by their places.
    members: BTreeMap<usize, Object>,
    /// The places of those that were signalled.
    ready: VecDeque<usize>,
}

/// An object. In a cache line of its own, since a program that waits for many comes to each after all the others.
#[repr(align(64))]
struct Node {
    kind: Kind,
    waiters: SmallVec<[Waiter; 2]>,
    links: SmallVec<[Link; 1]>,
}

const _: () = assert!(size_of::<Node>() == 64);

#[derive(Clone, Copy)]
struct Waiter {
    thread: u32,
    /// Which of the objects that the thread waits for this one is.
    index: u32,
}

/// A wait set that an object is in.
struct Link {
    token: usize,
    set: u32,
    /// It is in the set's ready list.
    listed: bool,
}

/// A thread, as far as waits concern it.
struct ThreadNode {
    number: u32,
    sleeper: Arc<Sleeper>,
    apcs: VecDeque<Apc>,
    /// It waits for `objects`.
    waits: bool,
    objects: Vec<usize>,
    all: bool,
    /// Routines end its wait.
    alertable: bool,
    /// How the wait ended.
    outcome: Option<Outcome>,
    /// The mutexes that it owns.
    owned: Vec<usize>,
}

struct Dispatcher {
    objects: Slab<Node>,
    threads: Slab<ThreadNode>,
    /// For the numbers of threads.
    turns: u32,
}

global! {
    static DISPATCHER: Mutex<Dispatcher, rank::Dispatcher> =
        Mutex::new(Dispatcher { objects: Slab::new(), threads: Slab::new(), turns: 0 });
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The object of this index was signalled; in a wait for all of them, 0.
    Object(usize),
    /// The same, of a mutex whose owner ended without releasing it.
    Abandoned(usize),
    Timeout,
    /// Routines have run.
    Apc,
}

impl Object {
    fn new(kind: Kind) -> Object {
        let node = Node { kind, waiters: SmallVec::new(), links: SmallVec::new() };
        Object(Arc::new(Place(DISPATCHER.lock().objects.insert(node))))
    }

    pub(crate) fn downgrade(&self) -> WeakObject {
        WeakObject(Arc::downgrade(&self.0))
    }

    pub(crate) fn event(manual_reset: bool, set: bool) -> Object {
        Object::new(Kind::Event { manual_reset, set })
    }

    /// `count` is no more than `maximum`.
    pub(crate) fn semaphore(count: u32, maximum: u32) -> Object {
        Object::new(Kind::Semaphore { count, maximum })
    }

    /// A mutex, owned by the calling thread if so said.
    pub(crate) fn mutex(owned: bool) -> Object {
        let mutex = Object::new(Kind::Mutex(Box::default()));
        if owned {
            // Not by a wait, which may look after the thread's sockets: a mutex with a name is made under the names' lock.
            let me = thread::current();
            DISPATCHER.lock().take(mutex.0.0, key_of(me.number()), 0);
        }
        mutex
    }

    pub(crate) fn is_mutex(&self) -> bool {
        matches!(DISPATCHER.lock().objects[self.0.0].kind, Kind::Mutex(_))
    }

    /// Sets an event, and releases those whose waits this satisfies.
    pub(crate) fn set(&self) {
        let mut dispatcher = DISPATCHER.lock();
        dispatcher.set_event(self.0.0, true);
        let wakes = dispatcher.signal(self.0.0);
        drop(dispatcher);
        wakes.wake();
    }

    /// Resets an event.
    pub(crate) fn reset(&self) {
        self.take();
    }

    /// Resets an event; returns whether it was set.
    pub(crate) fn take(&self) -> bool {
        DISPATCHER.lock().set_event(self.0.0, false)
    }

    /// Releases those who wait for an event now, and leaves it reset (E3).
    pub(crate) fn pulse(&self) {
        let mut dispatcher = DISPATCHER.lock();
        dispatcher.set_event(self.0.0, true);
        let wakes = dispatcher.signal(self.0.0);
        dispatcher.set_event(self.0.0, false);
        drop(dispatcher);
        wakes.wake();
    }

    pub(crate) fn is_set(&self) -> bool {
        let dispatcher = DISPATCHER.lock();
        dispatcher.objects[self.0.0].is_available(None)
    }

    /// Adds to a semaphore's count; returns what it was, or nothing if it would exceed its maximum.
    pub(crate) fn release_semaphore(&self, by: u32) -> Option<u32> {
        let mut dispatcher = DISPATCHER.lock();
        let Kind::Semaphore { count, maximum } = &mut dispatcher.objects[self.0.0].kind else { return None };
        let previous = *count;
        *count = previous.checked_add(by).filter(|count| count <= maximum)?;
        let wakes = dispatcher.signal(self.0.0);
        drop(dispatcher);
        wakes.wake();
        Some(previous)
    }

    /// Undoes one wait of the calling thread for a mutex; false if the mutex is not its own.
    pub(crate) fn release_mutex(&self) -> bool {
        let me = thread::current();
        let mut dispatcher = DISPATCHER.lock();
        let Kind::Mutex(mutex) = &mut dispatcher.objects[self.0.0].kind else { return false };
        if mutex.owner != Some(key_of(me.number())) {
            return false;
        }
        mutex.depth -= 1;
        if mutex.depth == 0 {
            mutex.owner = None;
            let thread = &mut dispatcher.threads[key_of(me.number())];
            thread.owned.retain(|&mutex| mutex != self.0.0);
            let wakes = dispatcher.signal(self.0.0);
            drop(dispatcher);
            wakes.wake();
        }
        true
    }
}

impl Node {
    /// Whether a wait of this thread is satisfied, as far as this object is concerned.
    fn is_available(&self, thread: Option<usize>) -> bool {
        match &self.kind {
            Kind::Event { set, .. } => *set,
            Kind::Semaphore { count, .. } => *count > 0,
            Kind::Mutex(mutex) => mutex.owner.is_none() || mutex.owner == thread,
            Kind::Set(set) => !set.ready.is_empty(),
        }
    }

    /// Takes what a satisfied wait takes (E12); returns whether it was an abandoned mutex.
    fn take(&mut self, thread: usize) -> bool {
        match &mut self.kind {
            Kind::Event { manual_reset, set } => *set = *manual_reset,
            Kind::Semaphore { count, .. } => *count -= 1,
            Kind::Mutex(mutex) => {
                mutex.owner = Some(thread);
                mutex.depth += 1;
                return std::mem::take(&mut mutex.abandoned);
            }
            Kind::Set(_) => {}
        }
        false
    }
}

/// The threads to wake once the lock is released: mostly none, and else mostly one.
#[derive(Default)]
struct Wakes {
    first: Option<Arc<Sleeper>>,
    more: Vec<Arc<Sleeper>>,
}

impl Wakes {
    fn push(&mut self, sleeper: &Arc<Sleeper>) {
        // A thread that signals what it will wait for itself is awake, and looks before it sleeps again.
        if sleeper.must_be_woken() {
            match &self.first {
                None => self.first = Some(sleeper.clone()),
                Some(_) => self.more.push(sleeper.clone()),
            }
        }
    }

    fn wake(self) {
        let Some(first) = self.first else { return };
        note_wake();
        first.wake();
        self.more.iter().for_each(|sleeper| sleeper.wake());
    }
}

local! {
    /// How often the calling thread has woken others.
    static WAKES: Cell<u32> = const { Cell::new(0) };
}

fn note_wake() {
    WAKES.with(|wakes| wakes.set(wakes.get().wrapping_add(1)));
}

/// How often the calling thread has woken others: who does something finds out whether another thread waited for it.
pub(crate) fn wakes() -> u32 {
    WAKES.with(Cell::get)
}

impl Dispatcher {
    /// Returns whether it was set before.
    fn set_event(&mut self, object: usize, to: bool) -> bool {
        match &mut self.objects[object].kind {
            Kind::Event { set, .. } => std::mem::replace(set, to),
            _ => false,
        }
    }

    /// Ends the waits that an object satisfies, first come first served; returns whom to wake.
    fn signal(&mut self, object: usize) -> Wakes {
        let mut wakes = Wakes::default();
        self.release(object, &mut wakes);
        wakes
    }

    fn release(&mut self, object: usize, wakes: &mut Wakes) {
        // Mostly nobody waits for an object that is in a set.
        if !self.objects[object].waiters.is_empty() && !self.end_waits(object, wakes) {
            return;
        }
        let node = &self.objects[object];
        if node.links.is_empty() || !node.is_available(None) {
            return;
        }
        for at in 0..node.links.len() {
            let link = &mut self.objects[object].links[at];
            // Who was woken for what is listed already wakes the next.
            if !std::mem::replace(&mut link.listed, true) {
                let set = link.set as usize;
                if let Kind::Set(listing) = &mut self.objects[set].kind {
                    listing.ready.push_back(object);
                    self.release(set, wakes);
                }
            }
        }
    }

    /// Ends the waits for an object that it satisfies; whether it may be signalled still.
    fn end_waits(&mut self, object: usize, wakes: &mut Wakes) -> bool {
        let mut at = 0;
        while let Some(&Waiter { thread, index }) = self.objects[object].waiters.get(at) {
            let thread = thread as usize;
            if !self.objects[object].is_available(Some(thread)) {
                return false;
            }
            match self.satisfy(thread, index as usize) {
                // The thread is out of the list.
                Some(outcome) => self.end_wait(thread, outcome, wakes),
                None => at += 1,
            }
            // One thread is enough for what a set has ready.
            if let Kind::Set(_) = self.objects[object].kind {
                return false;
            }
        }
        true
    }

    /// Takes what the wait of a thread needs, if it is all there.
    fn satisfy(&mut self, thread: usize, index: usize) -> Option<Outcome> {
        let ThreadNode { objects, all, .. } = &self.threads[thread];
        if !*all {
            let object = objects[index];
            return Some(self.take(object, thread, index));
        }
        if !objects.iter().all(|&object| self.objects[object].is_available(Some(thread))) {
            return None;
        }
        Some(self.take_all(thread))
    }

    fn take(&mut self, object: usize, thread: usize, index: usize) -> Outcome {
        let abandoned = self.objects[object].take(thread);
        self.note_owner(object, thread);
        if abandoned { Outcome::Abandoned(index) } else { Outcome::Object(index) }
    }

    fn take_all(&mut self, thread: usize) -> Outcome {
        let mut abandoned = false;
        for at in 0..self.threads[thread].objects.len() {
            let object = self.threads[thread].objects[at];
            abandoned |= self.objects[object].take(thread);
            self.note_owner(object, thread);
        }
        if abandoned { Outcome::Abandoned(0) } else { Outcome::Object(0) }
    }

    fn note_owner(&mut self, object: usize, thread: usize) {
        if let Kind::Mutex(mutex) = &self.objects[object].kind
            && mutex.depth == 1
        {
            self.threads[thread].owned.push(object);
        }
    }

    /// Takes a thread out of the lists of all objects that it waits for.
    fn delist(&mut self, thread: usize) {
        let ThreadNode { waits, objects, .. } = &mut self.threads[thread];
        if std::mem::take(waits) {
            for object in objects.drain(..) {
                self.objects[object].waiters.retain(|waiter| waiter.thread as usize != thread);
            }
        }
    }

    fn end_wait(&mut self, thread: usize, outcome: Outcome, wakes: &mut Wakes) {
        self.delist(thread);
        let thread = &mut self.threads[thread];
        thread.outcome = Some(outcome);
        wakes.push(&thread.sleeper);
    }

    /// Enters what a thread is about to wait for, and ends the wait at once if it is satisfied or a routine is queued.
    fn begin_wait(&mut self, thread: usize, objects: &[Object], until: Until, alertable: bool) -> Option<Outcome> {
        let node = &self.threads[thread];
        // The routine wins over an object that is signalled as well (V39).
        if alertable && !node.apcs.is_empty() {
            return Some(Outcome::Apc);
        }
        if let Until::Any = until
            && let Some(index) = objects.iter().position(|object| self.objects[object.0.0].is_available(Some(thread)))
        {
            return Some(self.take(objects[index].0.0, thread, index));
        }
        let node = &mut self.threads[thread];
        node.objects.clear();
        node.objects.extend(objects.iter().map(|object| object.0.0));
        node.all = matches!(until, Until::All);
        match until {
            Until::Any => None,
            Until::All => self.satisfy(thread, 0),
            Until::Over(over) => over().then_some(Outcome::Object(0)),
        }
    }

    /// Has the objects of [`Dispatcher::begin_wait`] end the wait.
    fn enlist(&mut self, thread: usize, alertable: bool) {
        let node = &mut self.threads[thread];
        (node.waits, node.alertable, node.outcome) = (true, alertable, None);
        for (index, &object) in node.objects.iter().enumerate() {
            self.objects[object].waiters.push(Waiter { thread: thread as u32, index: index as u32 });
        }
    }

    /// How much a thread has found that did not have to wait.
    fn found(&self, thread: usize, objects: &[Object], outcome: Outcome) -> usize {
        match (outcome, objects) {
            (Outcome::Apc, _) => self.threads[thread].apcs.len(),
            (Outcome::Object(0), [only]) => match &self.objects[only.0.0].kind {
                Kind::Set(set) => set.ready.len(),
                _ => 1,
            },
            _ => 1,
        }
    }

    /// What ended the wait of a thread, if something did.
    fn outcome(&mut self, thread: usize) -> Option<Outcome> {
        let node = &mut self.threads[thread];
        let outcome = node.outcome.take()?;
        node.alertable = false;
        Some(outcome)
    }
}

/// What ends a wait.
#[derive(Clone, Copy)]
enum Until<'a> {
    /// One of the objects.
    Any,
    /// All of them, of which there is at least one.
    All,
    /// That this is so, or that the event is set from now on.
    Over(&'a dyn Fn() -> bool),
}

/// Waits for one of the objects, or for all of them at once; for none, until the time is over or, alertably, a routine
/// has run. The caller holds no lock.
pub(crate) fn wait(objects: &[Object], all: bool, timeout: Option<Duration>, alertable: bool) -> Outcome {
    let until = if all { Until::All } else { Until::Any };
    wait_on(&thread::current(), objects, until, timeout, alertable)
}

/// Waits until something is `over`, of which the event tells by being set, for this and for other things: so it may be
/// set already, and is left so for others. Asks under the wait engine's lock: an answer has to need no other.
pub(crate) fn wait_until(
    event: &Object,
    over: impl Fn() -> bool,
    timeout: Option<Duration>,
    alertable: bool,
) -> Outcome {
    let me = thread::current();
    let deadline = Deadline::after(timeout);
    loop {
        let event = std::slice::from_ref(event);
        let outcome = wait_on(&me, event, Until::Over(&over), deadline.remaining(), alertable);
        if outcome != Outcome::Object(0) || over() {
            return outcome;
        }
    }
}

fn wait_on(
    me: &thread::Current,
    objects: &[Object],
    until: Until,
    timeout: Option<Duration>,
    alertable: bool,
) -> Outcome {
    let outcome = sleep_on(me, objects, until, timeout, alertable);
    if outcome == Outcome::Apc {
        run_apcs(me);
    }
    outcome
}

fn sleep_on(
    me: &thread::Current,
    objects: &[Object],
    until: Until,
    timeout: Option<Duration>,
    alertable: bool,
) -> Outcome {
    let key = key_of(me.number());
    let deadline = Deadline::after(timeout);
    let mut dispatcher = DISPATCHER.lock();
    if let Some(outcome) = dispatcher.begin_wait(key, objects, until, alertable) {
        let found = dispatcher.found(key, objects, outcome);
        drop(dispatcher);
        // A thread that always finds something signalled must not starve its other sockets.
        me.harvest_now_and_then(found);
        return outcome;
    }
    if timeout == Some(Duration::ZERO) {
        drop(dispatcher);
        if me.harvest() {
            let outcome = DISPATCHER.lock().begin_wait(key, objects, until, alertable);
            return outcome.unwrap_or(Outcome::Timeout);
        }
        return Outcome::Timeout;
    }
    dispatcher.enlist(key, alertable);
    drop(dispatcher);
    let _elsewhere = blocking();
    let mut dispatcher = DISPATCHER.lock();
    loop {
        if let Some(outcome) = dispatcher.outcome(key) {
            return outcome;
        }
        let remaining = deadline.remaining();
        if remaining == Some(Duration::ZERO) {
            dispatcher.delist(key);
            dispatcher.threads[key].alertable = false;
            return Outcome::Timeout;
        }
        me.sleeper().prepare();
        MutexGuard::unlocked(&mut dispatcher, || me.sleeper().sleep(remaining));
    }
}

/// Runs the routines queued to the calling thread, and those that they queue (E14).
fn run_apcs(me: &thread::Current) {
    loop {
        let Some(apc) = DISPATCHER.lock().threads[key_of(me.number())].apcs.pop_front() else { return };
        apc.run();
    }
}

/// A blocking call that sleeps elsewhere, but in which routines are to run (D75, P33).
pub(crate) struct Alertable<'a> {
    me: &'a thread::Current,
}

impl<'a> Alertable<'a> {
    /// From now on a routine that is queued wakes the thread in its place. `None` if one is queued already.
    pub(crate) fn enter(me: &'a thread::Current, place: Elsewhere) -> Option<Alertable<'a>> {
        me.sleeper().go_elsewhere(place);
        let mut dispatcher = DISPATCHER.lock();
        let node = &mut dispatcher.threads[key_of(me.number())];
        if !node.apcs.is_empty() {
            drop(dispatcher);
            me.sleeper().awake();
            return None;
        }
        node.alertable = true;
        me.sleeper().prepare_elsewhere();
        Some(Alertable { me })
    }
}

impl Drop for Alertable<'_> {
    fn drop(&mut self) {
        DISPATCHER.lock().threads[key_of(self.me.number())].alertable = false;
        self.me.sleeper().awake();
    }
}

/// Runs queued routines; returns whether there were any.
pub(crate) fn run_queued_apcs(me: &thread::Current) -> bool {
    let any = has_apcs(me);
    if any {
        run_apcs(me);
    }
    any
}

pub(crate) fn has_apcs(me: &thread::Current) -> bool {
    !DISPATCHER.lock().threads[key_of(me.number())].apcs.is_empty()
}

/// Queues a routine to a thread; gives it back if there is no such thread any more.
pub(crate) fn queue_apc(thread: u32, apc: Apc) -> Result<(), Apc> {
    let mut wakes = Wakes::default();
    let mut elsewhere = None;
    let mut dispatcher = DISPATCHER.lock();
    let key = key_of(thread);
    let Some(node) = dispatcher.threads.get_mut(key).filter(|node| node.number == thread) else { return Err(apc) };
    node.apcs.push_back(apc);
    if node.alertable && node.outcome.is_none() {
        match node.waits {
            true => dispatcher.end_wait(key, Outcome::Apc, &mut wakes),
            false => elsewhere = Some(node.sleeper.clone()).filter(|sleeper| sleeper.must_be_woken()),
        }
    }
    drop(dispatcher);
    wakes.wake();
    if let Some(sleeper) = elsewhere {
        note_wake();
        sleeper.alert();
    }
    Ok(())
}

/// How many threads there may be at a time. The bits above hold what makes a number unlike earlier ones of its place.
const THREADS: u32 = 1 << 20;

/// The place of the thread with this number.
fn key_of(number: u32) -> usize {
    (number % THREADS) as usize
}

/// Enters a thread; returns its number, which is never 0.
pub(crate) fn add_thread(sleeper: Arc<Sleeper>) -> u32 {
    let mut dispatcher = DISPATCHER.lock();
    // Counts from 1.
    let turn = dispatcher.turns % (u32::MAX / THREADS) + 1;
    dispatcher.turns = turn;
    let entry = dispatcher.threads.vacant_entry();
    let number = turn * THREADS + entry.key() as u32;
    entry.insert(ThreadNode {
        number,
        sleeper,
        apcs: VecDeque::new(),
        waits: false,
        objects: Vec::new(),
        all: false,
        alertable: false,
        outcome: None,
        owned: Vec::new(),
    });
    number
}

/// A thread ends: its routines are lost (E18), its mutexes are abandoned (E8).
pub(crate) fn remove_thread(number: u32) {
    let mut wakes = Wakes::default();
    let mut dispatcher = DISPATCHER.lock();
    let ThreadNode { apcs, owned, .. } = dispatcher.threads.remove(key_of(number));
    for object in owned {
        if let Some(Node { kind: Kind::Mutex(mutex), .. }) = dispatcher.objects.get_mut(object) {
            **mutex = Ownership { abandoned: true, ..Ownership::default() };
            dispatcher.release(object, &mut wakes);
        }
    }
    drop(dispatcher);
    wakes.wake();
    drop(apcs);
}

/// An empty wait set.
pub(crate) fn new_set() -> Object {
    Object::new(Kind::Set(Box::default()))
}

/// Puts an object into a set; false if it is there already.
pub(crate) fn add_to_set(set: &Object, object: Object, token: usize) -> bool {
    let mut dispatcher = DISPATCHER.lock();
    let (set, place) = (set.0.0, object.0.0);
    let Kind::Set(listing) = &mut dispatcher.objects[set].kind else { return false };
    if listing.members.contains_key(&place) {
        return false;
    }
    listing.members.insert(place, object);
    dispatcher.objects[place].links.push(Link { token, set: set as u32, listed: false });
    if dispatcher.objects[place].is_available(None) {
        let wakes = dispatcher.signal(place);
        drop(dispatcher);
        wakes.wake();
    }
    true
}

/// Takes an object out of a set; false if it is not there.
pub(crate) fn remove_from_set(set: &Object, object: &Object) -> bool {
    let mut dispatcher = DISPATCHER.lock();
    let (set, place) = (set.0.0, object.0.0);
    let Kind::Set(listing) = &mut dispatcher.objects[set].kind else { return false };
    let Some(removed) = listing.members.remove(&place) else { return false };
    listing.ready.retain(|&other| other != place);
    dispatcher.objects[place].links.retain(|link| link.set as usize != set);
    drop(dispatcher);
    drop(removed);
    true
}

/// Fills `tokens` with those of signalled members, each at most once, and takes from the objects what a wait takes.
/// Members that stay signalled come last next time.
pub(crate) fn take_ready(set: &Object, tokens: &mut [usize]) -> usize {
    let mut dispatcher = DISPATCHER.lock();
    let Dispatcher { objects, .. } = &mut *dispatcher;
    let set = set.0.0;
    // It is put back below: meanwhile it is looked at by nobody.
    let mut ready = match &mut objects[set].kind {
        Kind::Set(listing) => std::mem::take(&mut listing.ready),
        _ => return 0,
    };
    let mut count = 0;
    for _ in 0..ready.len() {
        if count == tokens.len() {
            break;
        }
        let Some(place) = ready.pop_front() else { break };
        let node = &mut objects[place];
        let signalled = node.is_available(None);
        if signalled {
            // Mutexes are not let into sets, so that it does not matter for which thread.
            node.take(usize::MAX);
        }
        let stays = signalled && node.is_available(None);
        let Some(link) = node.links.iter_mut().find(|link| link.set as usize == set) else { continue };
        link.listed = stays;
        if signalled {
            tokens[count] = link.token;
            count += 1;
        }
        if stays {
            ready.push_back(place);
        }
    }
    let all_taken = ready.is_empty();
    if let Kind::Set(listing) = &mut objects[set].kind {
        listing.ready = ready;
    }
    if all_taken {
        return count;
    }
    // Another thread that waits may take the rest, and is told as well of what stays signalled.
    let wakes = dispatcher.signal(set);
    drop(dispatcher);
    wakes.wake();
    count
}
