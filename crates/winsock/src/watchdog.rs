//! The watchdog: the one thread of the engine's own. It costs nothing while nothing is amiss.
//!
//! It blocks on an epoll that holds the other epoll instances, edge-triggered. Woken, it naps for a millisecond: on a
//! busy port some worker takes the edges meanwhile, and at a busy thread's home that thread; there is nothing to do. Who is
//! busy is out of that epoll until a nap has passed in which nothing happened: in it, each edge and each registration costs
//! the kernel a second round. And as long as all are busy, the naps grow.
//! What nobody took, it takes, or puts a parked worker to the poll. So operations complete for programs that spin on
//! `HasOverlappedIoCompleted`, compute for a second or sit in `getchar()`. It also
//! * frees the slots of workers that block outside our calls (P21);
//! * retries listeners that met EMFILE: edge-triggered, they get no new edge when a descriptor is free again;
//! * gives up closed sockets whose peer does not take the data that a non-blocking send had accepted (D61).

use std::cell::Cell;
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ranked_locks::{Mutex, rank};

use crate::os;
use crate::port::Port;
use crate::reactor::Epoll;
use crate::socket::{self, Socket, accept_ex};

/// How long edges may lie before the watchdog takes them, in the least.
const NAP: Duration = Duration::from_millis(1);

/// How often in a row the naps grow, each to twice the one before, while others take the edges: looks every millisecond
/// would cost a server with ten thousand messages a second a quarter of a system call for each.
const LONGER: u32 = 3;

/// How often listeners that lack descriptors are tried again, if no socket of ours is closed meanwhile.
const RETRY: Duration = Duration::from_millis(20);

/// How long a closed socket's peer may take no byte of what it is still owed.
const LINGER_STALL: Duration = Duration::from_secs(120);

const WAKE: u64 = 0;

/// An epoll instance whose edges somebody is to take.
#[derive(Clone)]
enum Charge {
    Port(Weak<Port>),
    Home(Weak<Epoll>),
}

/// What the watchdog has to look after. Apart from the thread, so that noting something does not start it.
#[derive(Default)]
struct Charges {
    epolls: HashMap<u64, Charge>,
    last_id: u64,
    /// Listeners that could not accept for want of a descriptor.
    starved: Vec<&'static Socket>,
    /// Closed sockets that still owe data: how much, and since when.
    lingering: Vec<(&'static Socket, usize, Instant)>,
}

thread_local! {
    /// Whether this is the watchdog's own thread.
    static IS_WATCHDOG: Cell<bool> = const { Cell::new(false) };
}

static CHARGES: LazyLock<Mutex<Charges, rank::Leaf>> = LazyLock::new(Mutex::default);

/// Whether [`Charges::starved`] has any, for those who close descriptors.
static STARVING: AtomicBool = AtomicBool::new(false);

/// Takes a port into its charge; returns under what number.
pub(crate) fn register_port(port: &Weak<Port>) -> u64 {
    register(Charge::Port(port.clone()))
}

/// Takes the home of a thread into its charge; returns under what number.
pub(crate) fn register_home(home: &Weak<Epoll>) -> u64 {
    register(Charge::Home(home.clone()))
}

fn register(charge: Charge) -> u64 {
    let mut charges = CHARGES.lock();
    charges.last_id += 1;
    let id = charges.last_id;
    charges.epolls.insert(id, charge);
    id
}

/// A port or a home is no more.
pub(crate) fn unregister(id: u64) {
    CHARGES.lock().epolls.remove(&id);
}

/// Looks for edges that nobody takes.
pub(crate) fn watch(id: u64, epoll: &Epoll) {
    if let Some(watchdog) = Watchdog::get() {
        watchdog.watch(epoll, id);
    }
}

/// Whether the calling thread is the watchdog.
pub(crate) fn is_me() -> bool {
    IS_WATCHDOG.get()
}

/// Has the watchdog look at the ports that ask for it ([`Port::watched`]).
pub(crate) fn wake() {
    if let Some(watchdog) = Watchdog::get() {
        os::eventfd_write(&watchdog.wake);
    }
}

/// Tries the listener again when descriptors may be free.
pub(crate) fn retry_accept(listener: &'static Socket) {
    CHARGES.lock().starved.push(listener);
    STARVING.store(true, Ordering::Relaxed);
    // The watchdog itself has just tried: waking itself, it would try again at once and for ever.
    if !IS_WATCHDOG.get() {
        wake();
    }
}

/// A descriptor was closed: a starved listener may have it.
pub(crate) fn descriptor_freed() {
    if STARVING.load(Ordering::Relaxed) {
        wake();
    }
}

/// Keeps an eye on a closed socket that still owes `bytes`.
pub(crate) fn linger(socket: &'static Socket, bytes: usize) {
    let mut charges = CHARGES.lock();
    // It may have lingered before, as another socket, and nobody has looked since.
    charges.lingering.retain(|&(other, ..)| !std::ptr::eq(other, socket));
    charges.lingering.push((socket, bytes, Instant::now()));
    drop(charges);
    wake();
}

/// The closed sockets that still owe data.
pub(crate) fn lingering() -> Vec<&'static Socket> {
    CHARGES.lock().lingering.iter().map(|&(socket, ..)| socket).collect()
}

/// Whether the kernel has put the thread to sleep.
pub(crate) fn is_asleep(thread: i32) -> bool {
    let Ok(stat) = std::fs::read(format!("/proc/self/task/{thread}/stat")) else { return false };
    // "tid (name) state ...": the name may hold anything, so the state follows the last parenthesis.
    let state = stat.iter().rposition(|&byte| byte == b')').and_then(|end| stat.get(end + 2));
    matches!(state, Some(b'S' | b'D'))
}

struct Watchdog {
    outer: OwnedFd,
    wake: OwnedFd,
}

impl Watchdog {
    /// Starts the thread on first use. `None` if the system refuses what it needs: until it grants it to a later call,
    /// nothing harvests for programs that do not wait in our calls, and everything else works.
    fn get() -> Option<&'static Watchdog> {
        // It would not be among the threads whose order is chosen.
        if cfg!(feature = "shuttle") {
            return None;
        }
        static STARTED: OnceLock<Arc<Watchdog>> = OnceLock::new();
        static STARTING: Mutex<(), rank::Leaf> = Mutex::new(());
        if STARTED.get().is_none() {
            let _one_at_a_time = STARTING.lock();
            if STARTED.get().is_none() {
                let watchdog = Watchdog::start()?;
                STARTED.get_or_init(|| watchdog);
            }
        }
        STARTED.get().map(|watchdog| &**watchdog)
    }

    fn start() -> Option<Arc<Watchdog>> {
        let watchdog = Arc::new(Watchdog::new().ok()?);
        let its = Arc::clone(&watchdog);
        let thread = thread::Builder::new().name("winsock-watchdog".into()).stack_size(128 * 1024);
        thread.spawn(move || its.run()).ok()?;
        Some(watchdog)
    }

    fn new() -> os::OsResult<Watchdog> {
        let watchdog = Watchdog { outer: os::epoll_create()?, wake: os::eventfd()? };
        os::epoll_add(&watchdog.outer, watchdog.wake.as_raw_fd(), libc::EPOLLIN, WAKE)?;
        Ok(watchdog)
    }

    fn watch(&self, epoll: &Epoll, id: u64) {
        // Failing, nobody harvests for programs that do not wait in our calls; a closed port leaves by itself.
        let _ = os::epoll_add(&self.outer, epoll.as_raw_fd(), libc::EPOLLIN | libc::EPOLLET, id);
    }

    fn run(&self) {
        IS_WATCHDOG.set(true);
        let mut room = [const { MaybeUninit::uninit() }; 16];
        // Ports that had edges or asked to be looked at, and how often each had been harvested then.
        let mut suspects: HashMap<u64, u32> = HashMap::new();
        let mut room_for_all = Vec::new();
        // Naps in a row after which others had taken the edges of all.
        let mut busy = 0;
        loop {
            let timeout = self.timeout(&suspects);
            let events = os::epoll_wait(&self.outer, &mut room, timeout);
            let mut noted = false;
            for event in events {
                match (event.u64, Charge::find(event.u64)) {
                    (WAKE, _) => os::eventfd_drain(&self.wake),
                    (_, None) => {}
                    (_, Some(Living::Home(home))) if home.is_deserted() => home.harvest_deserted(),
                    (id, Some(living)) => {
                        living.epoll().into_iter().for_each(|epoll| os::epoll_remove(&self.outer, epoll.as_raw_fd()));
                        suspects.entry(id).or_insert_with(|| living.harvests());
                        noted = true;
                        busy = 0;
                    }
                }
            }
            self.note_watched(&mut suspects, &mut room_for_all);
            if noted || !suspects.is_empty() {
                thread::sleep(NAP * (1 << busy.min(LONGER)));
            }
            busy += 1;
            suspects.retain(|&id, seen| {
                let Some(living) = Charge::find(id) else { return false };
                if living.harvests() == *seen || living.asks() {
                    busy = 0;
                }
                let again = living.look(seen);
                if !again {
                    // What came meanwhile is told at once.
                    living.epoll().into_iter().for_each(|epoll| self.watch(epoll, id));
                }
                again
            });
            self.retry_starved();
            self.give_up_stalled();
        }
    }

    /// In milliseconds, for `epoll_wait`.
    fn timeout(&self, suspects: &HashMap<u64, u32>) -> i32 {
        let charges = CHARGES.lock();
        if !suspects.is_empty() {
            0
        } else if !charges.starved.is_empty() {
            RETRY.as_millis() as i32
        } else if !charges.lingering.is_empty() {
            1000
        } else {
            -1
        }
    }

    /// `all` is room for a list, which is looked at without the lock: the last to let go of a port takes that lock.
    fn note_watched(&self, suspects: &mut HashMap<u64, u32>, all: &mut Vec<(u64, Charge)>) {
        all.extend(CHARGES.lock().epolls.iter().map(|(&id, charge)| (id, charge.clone())));
        for (id, charge) in all.drain(..) {
            if let Some(Living::Port(port)) = charge.upgrade()
                && port.watched.load(Ordering::Relaxed)
            {
                suspects.entry(id).or_insert_with(|| port.harvests());
            }
        }
    }

    fn retry_starved(&self) {
        STARVING.store(false, Ordering::Relaxed);
        let starved = std::mem::take(&mut CHARGES.lock().starved);
        starved.into_iter().for_each(accept_ex::retry);
    }

    /// Looks at a copy: the process's exit reads the list meanwhile, and a socket's lock may not be taken under ours.
    fn give_up_stalled(&self) {
        let lingering = CHARGES.lock().lingering.clone();
        for (socket, owed, since) in lingering {
            let now = socket::owes(socket);
            let stalled = now == owed && since.elapsed() >= LINGER_STALL;
            if stalled {
                socket::abandon(socket);
            }
            let mut charges = CHARGES.lock();
            if now == 0 || stalled {
                charges.lingering.retain(|&(other, ..)| !std::ptr::eq(other, socket));
            } else if now < owed
                && let Some(entry) = charges.lingering.iter_mut().find(|(other, ..)| std::ptr::eq(*other, socket))
            {
                *entry = (socket, now, Instant::now());
            }
        }
    }
}

/// A charge that exists still.
enum Living {
    Port(Arc<Port>),
    Home(Arc<Epoll>),
}

impl Charge {
    fn find(id: u64) -> Option<Living> {
        let charge = CHARGES.lock().epolls.get(&id).cloned();
        charge.and_then(|charge| charge.upgrade())
    }

    fn upgrade(&self) -> Option<Living> {
        match self {
            Charge::Port(port) => port.upgrade().map(Living::Port),
            Charge::Home(home) => home.upgrade().map(Living::Home),
        }
    }
}

impl Living {
    fn harvests(&self) -> u32 {
        match self {
            Living::Port(port) => port.harvests(),
            Living::Home(home) => home.harvests(),
        }
    }

    fn epoll(&self) -> Option<&Epoll> {
        match self {
            Living::Port(port) => port.made_epoll(),
            Living::Home(home) => Some(home),
        }
    }

    /// Whether it wants to be looked at soon, edges or not.
    fn asks(&self) -> bool {
        matches!(self, Living::Port(port) if port.watched.load(Ordering::Relaxed))
    }

    /// Looks after the nap; returns whether to look again after the next.
    fn look(&self, seen: &mut u32) -> bool {
        let harvests = self.harvests();
        let deserted = harvests == *seen;
        *seen = harvests;
        match self {
            Living::Port(port) => look_at_port(port, deserted),
            // Somebody takes the edges: look again, since they may have stopped in the middle of it.
            Living::Home(_) if !deserted => true,
            Living::Home(home) => {
                if home.is_ready() {
                    home.harvest_deserted();
                }
                *seen = home.harvests();
                home.is_ready()
            }
        }
    }
}

fn look_at_port(port: &Port, deserted: bool) -> bool {
    let watched = port.watched.swap(false, Ordering::Relaxed);
    // As above.
    if !deserted && !watched {
        return true;
    }
    let again = port.inspect();
    if again {
        port.watched.store(true, Ordering::Relaxed);
    }
    again
}
