use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;

use super::check;
use crate::apc::Apc;
use crate::dispatcher::{self, Outcome};
use crate::port::{self, GetError, Packet, Port};
use crate::thread as threads;
use crate::types::*;

fn packet(key: usize) -> Packet {
    Packet::new(key, std::ptr::null_mut(), STATUS_SUCCESS, 0)
}

const STOP: usize = usize::MAX;
const HANDLE: usize = 4;

fn get(port: &Arc<Port>, timeout: Option<Duration>) -> Result<usize, GetError> {
    let mut entries = [MaybeUninit::uninit()];
    port::get(HANDLE, || Some(port.clone()), &mut entries, timeout).map(|_| key_of(&entries))
}

fn key_of([entry]: &[MaybeUninit<OVERLAPPED_ENTRY>; 1]) -> usize {
    // SAFETY: the call that took a packet wrote the entry.
    unsafe { entry.assume_init_ref() }.lpCompletionKey
}

/// A worker: takes packets until it gets one that says to stop. Asserts that no more than the cap run at a time.
fn work(port: &Arc<Port>, running: &AtomicUsize, cap: usize) -> Vec<usize> {
    let mut keys = Vec::new();
    loop {
        let key = get(port, None).expect("a packet");
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(now <= cap, "{now} workers run");
        thread::yield_now();
        running.fetch_sub(1, Ordering::SeqCst);
        if key == STOP {
            return keys;
        }
        keys.push(key);
    }
}

fn every_packet_is_taken_once_and_the_cap_holds(has_sockets: bool) {
    check(move || {
        let port = Port::new(1);
        if has_sockets {
            port.epoll().expect("an epoll");
        }
        let running = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let (port, running) = (port.clone(), running.clone());
            thread::spawn(move || work(&port, &running, 1))
        });
        let posters = [1, 2].map(|key| {
            let port = port.clone();
            thread::spawn(move || port.push(packet(key)))
        });
        for poster in posters {
            poster.join().expect("no panic");
        }
        port.push(packet(STOP));
        port.push(packet(STOP));
        let mut keys: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect();
        keys.sort_unstable();
        assert_eq!(keys, [1, 2]);
    });
}

#[test]
fn every_packet_of_a_port_without_sockets_is_taken_once_and_the_cap_holds() {
    every_packet_is_taken_once_and_the_cap_holds(false);
}

#[test]
fn every_packet_of_a_port_with_sockets_is_taken_once_and_the_cap_holds() {
    every_packet_is_taken_once_and_the_cap_holds(true);
}

#[test]
fn closing_ends_every_wait() {
    check(|| {
        let port = Port::new(2);
        let waitable = port.waitable();
        let workers = [(); 2].map(|()| {
            let port = port.clone();
            thread::spawn(move || get(&port, None))
        });
        let watcher = thread::spawn(move || dispatcher::wait(&[waitable], false, None, false));
        port.close_handle();
        for worker in workers {
            let result = worker.join().expect("no panic");
            assert!(matches!(result, Err(GetError::Abandoned | GetError::InvalidHandle)), "{result:?}");
        }
        assert_eq!(watcher.join().expect("no panic"), Outcome::Object(0));
    });
}

/// Packets are handed to the worker that polls and to those that are parked: none twice, none before an older one, and none
/// beyond the cap.
fn the_worker_that_polls_gets_its_packet_in_order(cap: u32) {
    check(move || {
        let port = Port::new(cap);
        port.epoll().expect("an epoll");
        let running = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let (port, running) = (port.clone(), running.clone());
            thread::spawn(move || work(&port, &running, cap as usize))
        });
        (1..=3).for_each(|key| port.push(packet(key)));
        port.push(packet(STOP));
        port.push(packet(STOP));
        let taken = workers.map(|worker| worker.join().expect("no panic"));
        assert!(taken.iter().all(|keys| keys.is_sorted()), "{taken:?}");
        let mut keys = taken.concat();
        keys.sort_unstable();
        assert_eq!(keys, [1, 2, 3]);
    });
}

#[test]
fn the_worker_that_polls_gets_its_packet_in_order_and_all_may_run() {
    the_worker_that_polls_gets_its_packet_in_order(2);
}

#[test]
fn the_worker_that_polls_gets_its_packet_in_order_and_one_may_run() {
    the_worker_that_polls_gets_its_packet_in_order(1);
}

/// Packets that edges bring, taken by workers that poll in turn.
#[test]
fn what_edges_bring_reaches_the_workers() {
    check(|| {
        let port = Port::new(2);
        let epoll = port.epoll().expect("an epoll").clone();
        let running = Arc::new(AtomicUsize::new(0));
        let left = Arc::new(AtomicUsize::new(2));
        let workers = [(); 2].map(|()| {
            let (port, running, left) = (port.clone(), running.clone(), left.clone());
            thread::spawn(move || {
                let keys = work(&port, &running, 2);
                left.fetch_sub(1, Ordering::SeqCst);
                keys
            })
        });
        for key in [1, 2] {
            let port = port.clone();
            epoll.edge(move || port.push(packet(key)));
        }
        port.push(packet(STOP));
        port.push(packet(STOP));
        // As the watchdog does: edges that nobody takes are its business.
        while left.load(Ordering::SeqCst) > 0 {
            port.inspect();
            thread::yield_now();
        }
        let mut keys: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect();
        // A worker may have stopped before the edges were taken: then they are still there to take.
        while keys.len() < 2 {
            port.inspect();
            match get(&port, Some(Duration::ZERO)) {
                Ok(key) => keys.push(key),
                Err(error) => assert_eq!(error, GetError::Timeout),
            }
        }
        keys.sort_unstable();
        assert_eq!(keys, [1, 2]);
    });
}

#[test]
fn a_worker_that_blocks_lets_another_run() {
    check(|| {
        let port = Port::new(1);
        port.push(packet(1));
        port.push(packet(2));
        let blocked = {
            let port = port.clone();
            thread::spawn(move || {
                let key = get(&port, None).expect("a packet");
                let event = dispatcher::Object::event(true, false);
                let setter = {
                    let (port, event) = (port.clone(), event.clone());
                    thread::spawn(move || {
                        let key = get(&port, None).expect("a packet");
                        event.set();
                        key
                    })
                };
                // The other thread gets its packet only while this one waits.
                dispatcher::wait(&[event], false, None, false);
                [key, setter.join().expect("no panic")]
            })
        };
        let keys = blocked.join().expect("no panic");
        assert_eq!(keys, [1, 2]);
    });
}

/// Where packets that could wake nobody are queued aside, the first that could is not.
#[test]
fn a_slot_that_becomes_free_while_nothing_queues_is_used_by_the_next_packet() {
    check(|| {
        let port = Port::new(1);
        port.push(packet(1));
        assert_eq!(get(&port, None), Ok(1));
        let event = dispatcher::Object::event(true, false);
        let other = {
            let (port, event) = (port.clone(), event.clone());
            thread::spawn(move || {
                let key = get(&port, None);
                event.set();
                key
            })
        };
        // Only this thread may run, so the packet is its own.
        port.push(packet(2));
        assert_eq!(get(&port, None), Ok(2));
        let poster = {
            let port = port.clone();
            thread::spawn(move || port.push(packet(3)))
        };
        dispatcher::wait(&[event], false, None, false);
        assert_eq!(other.join().expect("no panic"), Ok(3));
        poster.join().expect("no panic");
    });
}

unsafe extern "system" fn count(counter: usize) {
    // SAFETY: the tests pass a counter that outlives the thread on which the routine runs.
    unsafe { &*(counter as *const AtomicUsize) }.fetch_add(1, Ordering::SeqCst);
}

/// Waits alertably until both have come: the packet 9, and the routine that counts.
fn take_packet_and_routine(port: &Arc<Port>, ran: &AtomicUsize) {
    let mut got = Vec::new();
    while got.len() < 2 {
        let mut entries = [MaybeUninit::uninit()];
        got.push(match port::get_alertably(HANDLE, || Some(port.clone()), &mut entries, None) {
            Ok(_) => key_of(&entries),
            Err(error) => {
                assert_eq!(error, GetError::Alerted);
                0
            }
        });
    }
    got.sort_unstable();
    assert_eq!(got, [0, 9]);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn a_routine_gets_a_worker_out_of_an_alertable_wait_and_takes_no_packet() {
    check(|| {
        let port = Port::new(1);
        let ran = Arc::new(AtomicUsize::new(0));
        let me = threads::number();
        let helper = {
            let (port, ran) = (port.clone(), ran.clone());
            thread::spawn(move || {
                let argument = Arc::as_ptr(&ran) as usize;
                assert!(dispatcher::queue_apc(me, Apc::User { routine: count, argument }).is_ok());
                port.push(packet(9));
            })
        };
        take_packet_and_routine(&port, &ran);
        helper.join().expect("no panic");
    });
}

#[test]
fn a_thread_that_has_waited_for_the_port_itself_gets_packet_and_routine() {
    check(|| {
        let port = Port::new(1);
        let handle = port.waitable();
        let ran = Arc::new(AtomicUsize::new(0));
        let me = threads::number();
        let poster = {
            let port = port.clone();
            // It ends the wait for the handle, and wakes the thread, with the port locked.
            thread::spawn(move || port.push(packet(9)))
        };
        let helper = {
            let ran = ran.clone();
            thread::spawn(move || {
                let argument = Arc::as_ptr(&ran) as usize;
                assert!(dispatcher::queue_apc(me, Apc::User { routine: count, argument }).is_ok());
            })
        };
        dispatcher::wait(&[handle], false, None, false);
        take_packet_and_routine(&port, &ran);
        poster.join().expect("no panic");
        helper.join().expect("no panic");
    });
}
