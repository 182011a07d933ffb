//! How many threads of a port run at once (SEMANTICS 6.3, P7).
//!
//! That a packet is *not* handed out can only be watched for a while (`Crew::assert_nobody_takes`): such a check can
//! miss a fault on a loaded machine, but it never fails a right implementation. That a packet *is* handed out is waited
//! for with a deadline.
#![forbid(unsafe_code)]

use conformance::fixture::{DEADLINE, DEADLINE_MS, pends};
use conformance::raw::{Event, FdSet, Port, Request, get_overlapped_result, listener, pair, select, sleep};
use conformance::{nap, until};
use pentaport::sys;
use std::cell::Cell;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::{self, JoinHandle};

/// The key of the packet that ends a worker.
const QUIT: usize = usize::MAX;

/// How many packets a test may post.
const PACKETS: usize = 64;

type Task = Box<dyn FnOnce() + Send>;

/// What the threads of a crew share. A worker never blocks on it: that would free its slot.
struct Shared {
    port: Port,
    /// The tasks by the keys of their packets. Each is locked by its poster, and then by the worker that got the packet.
    tasks: [Mutex<Option<Task>>; PACKETS],
    /// Which worker took which packet, in order; `taken` says how many there are, and an entry follows its number.
    log: [OnceLock<(usize, usize)>; PACKETS],
    taken: AtomicUsize,
}

/// Threads that get packets from one port and do what the packet's key stands for.
struct Crew {
    shared: Arc<Shared>,
    posted: Cell<usize>,
    seen: Cell<usize>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    fn new(concurrency: u32, workers: usize) -> Crew {
        let shared = Arc::new(Shared {
            port: Port::new(concurrency),
            tasks: [const { Mutex::new(None) }; PACKETS],
            log: [const { OnceLock::new() }; PACKETS],
            taken: AtomicUsize::new(0),
        });
        let worker = |id: usize| {
            let shared = shared.clone();
            thread::spawn(move || shared.work(id))
        };
        let threads = (0..workers).map(worker).collect();
        Crew { shared, posted: Cell::new(0), seen: Cell::new(0), threads }
    }

    /// Posts a packet for a task; gives the key by which [`Crew::take`] names it.
    fn post(&self, task: impl FnOnce() + Send + 'static) -> usize {
        let key = self.posted.replace(self.posted.get() + 1);
        *self.shared.tasks[key].lock().unwrap() = Some(Box::new(task));
        self.shared.port.post(0, key, 0).expect("a post");
        key
    }

    /// Waits until a worker takes a packet: which worker, and which packet.
    #[track_caller]
    fn next(&self) -> (usize, usize) {
        let entry = &self.shared.log[self.seen.replace(self.seen.get() + 1)];
        until("somebody takes a packet", || entry.get().is_some());
        entry.get().copied().unwrap()
    }

    /// Waits until a worker took this packet, the next one that anybody takes; says which worker.
    #[track_caller]
    fn take(&self, key: usize) -> usize {
        let (worker, taken) = self.next();
        assert_eq!(taken, key, "another packet came first");
        worker
    }

    /// Waits until workers took these packets, the next ones that anybody takes, in any order; says which workers.
    #[track_caller]
    fn take_all(&self, keys: &[usize]) -> Vec<usize> {
        let (workers, mut taken): (Vec<usize>, Vec<usize>) = keys.iter().map(|_| self.next()).unzip();
        taken.sort_unstable();
        assert_eq!(taken, keys, "another packet came first");
        workers
    }

    /// The packet goes to one of the two workers that ran: the last of them to come back takes it itself, and nobody
    /// else is released. Which one is last is up to the scheduler.
    #[track_caller]
    fn assert_taken_by_either(&self, key: usize, workers: [usize; 2]) {
        let worker = self.take(key);
        assert!(workers.contains(&worker), "a waiter was released instead of a thread that ran");
    }

    /// Watches for a while that nobody takes a packet.
    #[track_caller]
    fn assert_nobody_takes(&self) {
        nap();
        assert_eq!(self.shared.taken.load(Ordering::SeqCst), self.seen.get(), "a packet was handed out");
    }

    /// Ends the workers that are not blocked by a task.
    fn quit(self) {
        for _ in &self.threads {
            self.shared.port.post(0, QUIT, 0).expect("a post");
        }
        for thread in self.threads {
            thread.join().expect("a worker panicked");
        }
    }
}

impl Shared {
    fn work(&self, id: usize) {
        loop {
            let packet = self.port.get(sys::INFINITE);
            assert!(packet.ok, "{packet:?}");
            if packet.key == QUIT {
                return;
            }
            let entry = self.taken.fetch_add(1, Ordering::SeqCst);
            self.log[entry].set((id, packet.key)).unwrap();
            let task = self.tasks[packet.key].lock().unwrap().take().expect("each packet is taken once");
            task();
        }
    }
}

/// A flag that a task waits for by running: it never blocks.
#[derive(Clone, Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Uses the processor until the flag is set.
    fn spin(&self) {
        while !self.is_set() {
            for _ in 0..1_000 {
                std::hint::spin_loop();
            }
            thread::yield_now();
        }
    }

    /// A task that runs until the flag is set.
    fn spinner(&self) -> impl FnOnce() + Send + 'static {
        let flag = self.clone();
        move || flag.spin()
    }
}

/// A flag that is set when the test ends in whatever way, so that no task runs on.
struct SetOnDrop(Flag);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

fn flag() -> (Flag, SetOnDrop) {
    let flag = Flag::default();
    (flag.clone(), SetOnDrop(flag))
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p7_concurrency_zero_is_the_number_of_processors() {
    let processors = thread::available_parallelism().expect("a number of processors").get();
    let crew = Crew::new(0, processors + 2);
    let (go, _end) = flag();
    let keys: Vec<usize> = (0..=processors).map(|_| crew.post(go.spinner())).collect();
    crew.take_all(&keys[..processors]);
    crew.assert_nobody_takes();
    go.set();
    crew.take(keys[processors]);
    crew.quit();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p18_p19_a_full_cap_releases_nobody_and_the_running_thread_takes_the_next() {
    // With a socket one of the threads that wait does so for its events.
    for with_socket in [false, true].repeat(5) {
        let crew = Crew::new(1, 3);
        let sockets = with_socket.then(pair);
        if let Some((_, socket)) = &sockets {
            crew.shared.port.associate(socket, 0).expect("the association");
            pends(socket.wsa_recv(Request::new(8)));
        }
        let (go, _end) = flag();
        let (first, second) = (crew.post(go.spinner()), crew.post(|| ()));
        let worker = crew.take(first);
        crew.assert_nobody_takes();
        go.set();
        assert_eq!(crew.take(second), worker, "the running thread takes the next packet itself");
        crew.quit();
    }
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p18_as_many_threads_run_as_the_cap_allows() {
    let crew = Crew::new(2, 4);
    let (go, _end) = flag();
    let keys = [(); 3].map(|()| crew.post(go.spinner()));
    let workers = crew.take_all(&keys[..2]);
    assert_ne!(workers[0], workers[1]);
    crew.assert_nobody_takes();
    go.set();
    assert!(workers.contains(&crew.take(keys[2])));
    crew.quit();
}

#[test]
fn p17_a_thread_that_exits_is_no_longer_counted() {
    let port = Arc::new(Port::new(1));
    for round in 0..10 {
        port.post(0, round, 0).unwrap();
        let worker = port.clone();
        // The thread ends while it is counted as running.
        let thread = thread::spawn(move || worker.get(DEADLINE_MS).key);
        assert_eq!(thread.join().unwrap(), round, "the slot of the last round's thread is free");
    }
}

#[test]
fn p17_a_thread_that_uses_another_port_leaves_the_first() {
    let crew = Crew::new(1, 2);
    let other = Port::new(1);
    let (go, _end) = flag();
    let spin = go.clone();
    let first = crew.post(move || {
        assert!(other.get(0).timed_out());
        spin.spin();
    });
    let second = crew.post(|| ());
    let worker = crew.take(first);
    // The first worker runs, but for the other port.
    assert_ne!(crew.take(second), worker);
    go.set();
    crew.quit();
}

/// P20, P21: with a cap of 1, a worker that blocks lets another one run.
///
/// `block` blocks until `release` is called, which happens only after the second packet was taken. Several rounds, since
/// the slot of a worker that blocked must come back exactly once.
fn a_blocked_worker_frees_its_slot<B, R>(mut setup: impl FnMut() -> (B, R))
where
    B: FnOnce() + Send + 'static,
    R: FnOnce(),
{
    let crew = Crew::new(1, 3);
    for _ in 0..3 {
        let (block, release) = setup();
        let blocked = Flag::default();
        let back = blocked.clone();
        let (go, _end) = flag();
        let first = crew.post(move || {
            block();
            back.set();
        });
        let second = crew.post(go.spinner());
        let sleeper = crew.take(first);
        let runner = crew.take(second);
        assert_ne!(sleeper, runner);
        assert!(!blocked.is_set(), "the first worker did not block at all");
        release();
        blocked.spin();

        // The first one is back and finds the cap full, with the second one still running.
        let third = crew.post(|| ());
        crew.assert_nobody_takes();
        go.set();
        crew.assert_taken_by_either(third, [sleeper, runner]);
    }
    crew.quit();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_recv_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (peer, socket) = pair();
        let block = move || assert_eq!(socket.recv_exact(1), b"x");
        (block, move || assert_eq!(peer.send(b"x"), Ok(1)))
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_select_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (peer, socket) = pair();
        let block = move || {
            let mut set = FdSet::of(&[&socket]);
            assert_eq!(select(Some(&mut set), None, None, None), Ok(1));
        };
        (block, move || assert_eq!(peer.send(b"x"), Ok(1)))
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_accept_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (listener, address) = listener();
        let client = conformance::raw::tcp();
        let block = move || {
            listener.accept().expect("a connection");
        };
        (block, move || assert_eq!(client.connect(address), Ok(())))
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_a_wait_for_an_event_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let event = Arc::new(Event::manual(false));
        let waited = event.clone();
        let block = move || assert_eq!(waited.wait(DEADLINE_MS), sys::WAIT_OBJECT_0);
        (block, move || event.set())
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_get_overlapped_result_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (peer, socket) = pair();
        let request = Request::new(8);
        let block = move || {
            assert!(socket.wsa_recv(request).started());
            assert!(get_overlapped_result(socket.raw(), request, true).ok);
        };
        (block, move || assert_eq!(peer.send(b"x"), Ok(1)))
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_worker_blocked_in_send_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        const LENGTH: usize = 16 << 20;
        let (peer, socket) = pair();
        let block = move || assert_eq!(socket.send(&vec![7; LENGTH]), Ok(LENGTH));
        (block, move || drop(peer.recv_exact(LENGTH)))
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_woken_threads_exceed_the_cap_and_nobody_is_released_until_it_falls() {
    let crew = Crew::new(1, 3);
    let (peer, socket) = pair();
    let ((first_go, _end1), (second_go, _end2)) = (flag(), flag());
    let (awake, spin) = (Flag::default(), first_go.clone());
    let woken = awake.clone();
    let first = crew.post(move || {
        socket.recv_exact(1);
        woken.set();
        spin.spin();
    });
    let second = crew.post(second_go.spinner());
    let workers = [crew.take(first), crew.take(second)];
    peer.send(b"x").unwrap();
    awake.spin();

    // Two run under a cap of one. Another packet waits, also when one of the two comes back for it.
    let third = crew.post(|| ());
    crew.assert_nobody_takes();
    first_go.set();
    crew.assert_nobody_takes();
    second_go.set();
    crew.assert_taken_by_either(third, workers);
    crew.quit();
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p20_a_woken_thread_is_counted_again() {
    let crew = Crew::new(1, 3);
    let (peer, socket) = pair();
    let ((first_go, _end1), (second_go, _end2)) = (flag(), flag());
    let (awake, spin) = (Flag::default(), first_go.clone());
    let woken = awake.clone();
    let first = crew.post(move || {
        socket.recv_exact(1);
        woken.set();
        spin.spin();
    });
    let second = crew.post(second_go.spinner());
    let workers = [crew.take(first), crew.take(second)];
    peer.send(b"x").unwrap();
    awake.spin();

    // The one that ran meanwhile comes back first. The woken one alone fills the cap.
    second_go.set();
    let third = crew.post(|| ());
    crew.assert_nobody_takes();
    first_go.set();
    crew.assert_taken_by_either(third, workers);
    crew.quit();
}

#[test]
fn p20_a_worker_in_sleep_frees_its_slot() {
    a_sleeping_worker_frees_its_slot(|| sleep(DEADLINE_MS));
}

#[test]
fn p21_a_worker_that_sleeps_frees_its_slot() {
    a_sleeping_worker_frees_its_slot(|| thread::sleep(DEADLINE));
}

/// The sleep ends long after the packet must have been taken; nobody waits for its end.
fn a_sleeping_worker_frees_its_slot(sleep: impl FnOnce() + Send + 'static) {
    let crew = Crew::new(1, 2);
    let woke = Flag::default();
    let over = woke.clone();
    let first = crew.post(move || {
        sleep();
        over.set();
    });
    let second = crew.post(|| ());
    assert_ne!(crew.take(first), crew.take(second));
    assert!(!woke.is_set(), "the packet waited for the end of the sleep");
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p21_a_worker_blocked_on_a_mutex_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let mutex = Arc::new(Mutex::new(()));
        let contended = mutex.clone();
        // The lock is held by a thread of its own, since a guard cannot be sent.
        let (release, released) = mpsc::channel::<()>();
        let (held, is_held) = mpsc::channel();
        thread::spawn(move || {
            let _guard = mutex.lock().unwrap();
            held.send(()).unwrap();
            let _ = released.recv();
        });
        is_held.recv().unwrap();
        let block = move || drop(contended.lock().unwrap());
        (block, move || release.send(()).unwrap())
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p21_a_worker_blocked_on_a_pipe_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
        let block = move || reader.read_exact(&mut [0]).unwrap();
        (block, move || writer.write_all(b"x").unwrap())
    });
}

#[test]
#[cfg_attr(windows, ignore = "Wine 8: a port releases waiters whatever its concurrency value")]
fn p21_a_worker_blocked_on_a_channel_frees_its_slot() {
    a_blocked_worker_frees_its_slot(|| {
        let (sender, receiver) = mpsc::channel();
        let block = move || receiver.recv().unwrap();
        (block, move || sender.send(()).unwrap())
    });
}

#[test]
fn p21_a_thread_that_polls_gets_what_a_blocked_worker_would_hold_up() {
    let port = Arc::new(Port::new(1));
    let (release, released) = mpsc::channel::<()>();
    let (took, taken) = mpsc::channel();
    let worker = {
        let port = port.clone();
        thread::spawn(move || {
            took.send(port.packet().key).unwrap();
            released.recv().unwrap();
        })
    };
    port.post(0, 1, 0).unwrap();
    assert_eq!(taken.recv(), Ok(1));
    port.post(0, 2, 0).unwrap();
    // Nobody waits for packets: this thread comes now and then, and is gone when somebody looks at who does.
    until("the packet comes", || {
        nap();
        port.get(0).ok
    });
    release.send(()).unwrap();
    worker.join().unwrap();
}

#[test]
fn p21_p20_packets_of_sockets_reach_another_worker_too() {
    // The packet that waits is one of a socket, which somebody must first read from the network.
    let crew = Crew::new(1, 2);
    let (peer, socket) = pair();
    let request = Request::new(8);
    crew.shared.port.associate(&socket, QUIT).unwrap();
    assert!(socket.wsa_recv(request).started());
    let (sender, receiver) = mpsc::channel::<()>();
    let first = crew.post(move || receiver.recv().unwrap());
    crew.take(first);
    peer.send(b"x").unwrap();
    // The packet ends the worker that gets it.
    until("the other worker got the packet", || crew.threads.iter().any(JoinHandle::is_finished));
    sender.send(()).unwrap();
    crew.shared.port.post(0, QUIT, 0).unwrap();
    crew.threads.into_iter().for_each(|thread| thread.join().unwrap());
}
