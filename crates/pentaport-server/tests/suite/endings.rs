//! Connections that are refused, and those that end in every way there is.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use pentaport_server::services::{Chargen, Echo};
use pentaport_server::{Close, Model, Options, Server};

use super::harness::*;
use super::services::{Choosy, Counting, Greeting, Moody};

pub(crate) fn a_reset_is_told_from_a_close(model: Model) {
    let service = Arc::new(Counting::default());
    let server = Running::start(options(model), Arc::clone(&service));
    for (way, expected) in [(drop as fn(_), Close::Peer), (reset, Close::Reset), (drop as fn(_), Close::Peer)] {
        let before = service.ended().len();
        let mut stream = server.connect_to_reset();
        exchange(&mut stream, b"hello");
        // It comes to a server that waits for something to receive.
        server.wait_for_rest();
        way(stream);
        wait_until("the session is closed", || service.ended().len() > before);
        assert_eq!(service.ended()[before..], [expected]);
    }
    let totals = server.stop();
    assert_eq!((totals.closed, totals.reset), (2, 1));
}

pub(crate) fn sessions_open_and_close_once_over_1000_connects_and_resets(model: Model) {
    let service = Arc::new(Counting::default());
    let server = Running::start(options(model), Arc::clone(&service));
    for round in 0..1000 {
        let mut stream = server.connect_to_reset();
        match round % 4 {
            // At once; perhaps before it is accepted.
            0 => reset(stream),
            // With bytes on their way to the server.
            1 => {
                stream.write_all(b"hello").unwrap();
                reset(stream);
            }
            // With bytes on their way back.
            2 => {
                stream.write_all(&[1; 5000]).unwrap();
                stream.read_exact(&mut [0; 1]).unwrap();
                reset(stream);
            }
            _ => {
                exchange(&mut stream, b"hello");
                reset(stream);
            }
        }
    }
    exchange(&mut server.connect(), b"still there");
    wait_until("all have left", || server.handle.connections() == 0);
    let totals = server.stop();
    let opened = service.opened.load(SeqCst);
    assert_eq!(service.ended().len() as u64, opened);
    assert_eq!(totals.accepted, opened);
    assert_eq!(totals.closed + totals.reset, opened, "{totals}");
    // The others may have gone before they were accepted.
    assert!(opened > 500, "{totals}");
}

pub(crate) fn every_reset_of_200_is_told(model: Model) {
    let server = Running::start(options(model), Echo);
    for round in 0..200 {
        let mut stream = server.connect_to_reset();
        exchange(&mut stream, b"hello");
        if round % 2 == 0 {
            // With bytes on their way to the server.
            stream.write_all(b"hello").unwrap();
        }
        reset(stream);
    }
    wait_until("all have left", || server.handle.connections() == 0);
    let totals = server.stop();
    assert_eq!((totals.accepted, totals.reset), (200, 200));
}

pub(crate) fn a_client_killed_in_mid_message_harms_no_other(model: Model) {
    let service = Arc::new(Counting::default());
    let server = Running::start(options(model), Arc::clone(&service));
    let mut others: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for round in 0..20 {
        let mut victim = server.connect_to_reset();
        victim.write_all(&pattern(round, 100_000)).unwrap();
        reset(victim);
        for (index, stream) in others.iter_mut().enumerate() {
            exchange(stream, &pattern(index as u64, 500));
        }
    }
    drop(others);
    wait_until("all have left", || server.handle.connections() == 0);
    assert_eq!(service.ended().len() as u64, service.opened.load(SeqCst));
}

pub(crate) fn refuses_when_full_and_accepts_again_after(model: Model) {
    let options = Options { max_connections: Some(2), ..options(model) };
    let server = Running::start(options, Echo);
    let (mut first, mut second) = (server.connect(), server.connect());
    exchange(&mut first, b"one");
    exchange(&mut second, b"two");
    for refused in 1..=5 {
        assert!(is_ended(&mut server.connect()));
        wait_until("it is counted", || server.handle.totals().refused == refused);
    }
    // Some of them wait while one is refused.
    let mut many: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(many.iter_mut().all(is_ended));
    wait_until("all are counted", || server.handle.totals().refused == 25);
    assert_eq!(server.handle.connections(), 2);
    exchange(&mut first, b"one");

    drop(first);
    wait_until("there is room", || server.handle.connections() == 1);
    exchange(&mut server.connect(), b"three");
    exchange(&mut second, b"two");
    let totals = server.stop();
    assert_eq!((totals.accepted, totals.refused), (3, 25));
}

pub(crate) fn the_service_admits_whom_it_likes(model: Model) {
    let service = Arc::new(Choosy::default());
    let server = Running::start(options(model), Arc::clone(&service));
    let mut stream = server.connect();
    exchange(&mut stream, b"welcome");
    let mut refused = server.connect();
    let refused_address = refused.local_addr().unwrap();
    assert!(is_ended(&mut refused));
    exchange(&mut server.connect(), b"welcome");
    exchange(&mut stream, b"welcome");
    {
        let asked = service.asked.lock().unwrap();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[1], (refused_address, server.address, 1));
    }
    let totals = server.stop();
    assert_eq!((totals.accepted, totals.refused), (2, 1));
    assert_eq!(service.admitted.load(SeqCst), 2);
}

pub(crate) fn an_idle_client_is_closed_and_a_busy_one_is_not(model: Model) {
    let limit = Duration::from_millis(500);
    let options = Options { idle_timeout: Some(limit), ..options(model) };
    let service = Arc::new(Counting::default());
    let server = Running::start(options, Arc::clone(&service));
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    let (mut busy, mut idle) = (server.connect(), server.connect());
    let watched = thread::spawn(move || {
        exchange(&mut idle, b"hello");
        idle.read(&mut [0; 1]).expect("closed, not reset")
    });
    while longest < limit / 2 && service.ended().is_empty() {
        let served = busy.write_all(b"hello").is_ok() && busy.read_exact(&mut [0; 5]).is_ok();
        longest = longest.max(last.elapsed());
        last = Instant::now();
        assert!(served || longest >= limit / 2, "a client was closed that paused for {longest:?} at most");
    }
    // Otherwise this machine stood still for so long that the busy client was an idle one.
    if longest < limit / 2 {
        assert_eq!(service.ended(), [Close::Idle]);
        assert_eq!(watched.join().unwrap(), 0);
        busy.write_all(b"hello").unwrap();
    }
    drop(busy);
    wait_until("it is closed", || server.handle.totals().timed_out >= 1);
}

pub(crate) fn a_client_that_does_not_read_is_idle_too(model: Model) {
    let options = Options { idle_timeout: Some(Duration::from_millis(200)), ..options(model) };
    let server = Running::start(options, Chargen);
    let deaf = server.connect();
    wait_until("it is ended", || server.handle.totals().timed_out == 1);
    assert_eq!(server.stop().cut_off, 1);
    drop(deaf);
}

pub(crate) fn a_service_can_end_a_connection(model: Model) {
    let server = Running::start(options(model), Moody);
    let mut stream = server.connect();
    exchange(&mut stream, b"hello");
    stream.write_all(b"quit").unwrap();
    let mut farewell = String::new();
    stream.read_to_string(&mut farewell).unwrap();
    assert_eq!(farewell, "farewell");
    // What the client still sends is read and thrown away, so that no reset overtakes the farewell.
    stream.write_all(b"one more thing").unwrap();
    drop(stream);
    wait_until("it has left", || server.handle.connections() == 0);
    assert_eq!(server.stop().closed, 1);
}

pub(crate) fn a_handler_that_panics_costs_its_own_connection(model: Model) {
    let server = Running::start(options(model), Moody);
    let mut other = server.connect();
    for _ in 0..5 {
        let mut stream = server.connect();
        stream.write_all(b"panic").unwrap();
        assert!(is_ended(&mut stream));
        exchange(&mut other, b"hello");
    }
    wait_until("all are counted", || server.handle.totals().failed == 5);
    exchange(&mut server.connect(), b"hello");
}

pub(crate) fn a_stop_sends_what_is_queued(model: Model) {
    let greeting = pattern(5, 8_000_000);
    let server_options = Options { drain: Duration::from_secs(60), ..options(model) };
    let server = Running::start(server_options.clone(), Greeting(greeting.clone()));
    let mut clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    for stream in &mut clients {
        // Unread bytes at the server must not turn its close into a reset.
        stream.write_all(b"not of interest").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
    }
    server.handle.stop();
    wait_until("nobody listens", || Server::bind(server.address, server_options.clone()).is_ok());
    let clients: Vec<_> = clients
        .into_iter()
        .map(|mut stream| {
            thread::spawn(move || {
                // Nor must those that come now.
                let _ = stream.write_all(b"nor this");
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).expect("no reset");
                rest
            })
        })
        .collect();
    for client in clients {
        assert!(client.join().unwrap() == greeting[1..]);
    }
    let totals = server.join();
    assert_eq!((totals.stopped, totals.cut_off), (5, 0));
    assert_eq!(totals.bytes_out, 5 * 8_000_000);
}

pub(crate) fn a_stop_ends_clients_that_neither_read_nor_leave(model: Model) {
    let server = Running::start(options(model), Greeting(vec![1; 20_000_000]));
    let mut deaf: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut deaf {
        stream.read_exact(&mut [0; 1]).unwrap();
    }
    let totals = server.stop();
    assert_eq!((totals.accepted, totals.stopped, totals.cut_off), (3, 3, 3));
    // What was on its way comes to an end, and is not all.
    for mut stream in deaf {
        let mut rest = 0;
        while !is_ended(&mut stream) {
            rest += 1 + stream.read(&mut vec![0; 1 << 16]).unwrap_or(0);
        }
        assert!(rest < 19_999_999, "{model}");
    }
}

pub(crate) fn a_stop_ends_silent_clients(model: Model) {
    let server = Running::start(options(model), Echo);
    let mut silent: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut silent {
        exchange(stream, b"hello");
    }
    let totals = server.stop();
    assert_eq!((totals.stopped, totals.cut_off), (20, 0));
    for mut stream in silent {
        assert!(is_ended(&mut stream));
    }
}

pub(crate) fn a_stop_without_clients_ends_at_once(model: Model) {
    // A drain time that the test would not survive.
    let options = Options { drain: Duration::from_secs(100_000), ..options(model) };
    let server = Running::start(options.clone(), Echo);
    exchange(&mut server.connect(), b"hello");
    wait_until("it has left", || server.handle.connections() == 0);
    assert_eq!(server.stop().accepted, 1);

    // Also before it runs.
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), options).unwrap();
    server.handle().stop();
    assert_eq!(server.run(Echo).unwrap().accepted, 0);
}

pub(crate) fn a_harder_stop_cuts_the_drain_short(model: Model) {
    let server_options = Options { drain: Duration::from_secs(100_000), ..options(model) };
    let server = Running::start(server_options.clone(), Greeting(vec![1; 20_000_000]));
    let mut deaf = server.connect();
    let mut silent = server.connect();
    deaf.read_exact(&mut [0; 1]).unwrap();
    silent.read_exact(&mut [0; 1]).unwrap();
    server.handle.stop();
    wait_until("nobody listens", || Server::bind(server.address, server_options.clone()).is_ok());
    assert_eq!(server.handle.connections(), 2);
    server.handle.stop_now();
    let totals = server.join();
    assert_eq!((totals.stopped, totals.cut_off), (2, 2));
}

pub(crate) fn the_address_is_free_after_the_server(model: Model) {
    let options = Options { drain: Duration::from_secs(60), ..options(model) };
    let server = Running::start(options.clone(), Echo);
    let address = server.address;
    let mut stream = server.connect();
    exchange(&mut stream, b"hello");
    // The server ends first, and leaves the connection behind in TIME_WAIT.
    server.handle.stop();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(is_ended(&mut stream));
    server.join();
    Server::bind(address, options).expect("the address is free");
}
