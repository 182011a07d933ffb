//! Servers that are stopped while their clients are busy: what was received is answered, or the client sees a reset and
//! the totals say so.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pentaport_server::services::{Chargen, Discard, Echo};
use pentaport_server::{Connection, ConnectionId, Model, Options, Reply, Server, Service, Totals};

use super::harness::*;
use super::services::Greeting;

/// More than one receive of no model, and no power of two.
const MESSAGE: usize = 5000;

/// How a connection ended for its client.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// In order, with an answer to every byte.
    Answered,
    Reset,
    /// In order, with bytes unanswered.
    CutOff,
}

/// A client, and how long it was silent at most: its server may take a long pause for a lull.
struct Ended {
    end: End,
    longest_pause: Duration,
}

/// Time to drain for clients that are to have no lull, and the half of a lull then.
const DRAIN: Duration = Duration::from_millis(1200);
const HALF_A_LULL: Duration = Duration::from_millis(125);

fn draining(model: Model, drain: Duration) -> Options {
    Options { drain, ..options(model) }
}

fn is_reset(error: &std::io::Error) -> bool {
    assert!(
        matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe),
        "{error}"
    );
    true
}

/// Exchanges messages until the connection ends.
fn exchange_until_the_end(mut stream: TcpStream) -> Ended {
    let (message, mut answer) = (pattern(1, MESSAGE), [0; MESSAGE]);
    let (mut last, mut longest_pause) = (Instant::now(), Duration::ZERO);
    let end = loop {
        let sent = stream.write_all(&message);
        longest_pause = longest_pause.max(last.elapsed());
        let answered = sent.and_then(|()| stream.read_exact(&mut answer));
        last = Instant::now();
        match answered {
            Ok(()) => assert!(answer == *message, "the echo differs"),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break End::CutOff,
            Err(error) if is_reset(&error) => break End::Reset,
            Err(error) => unreachable!("{error}"),
        }
    };
    Ended { end, longest_pause }
}

/// Sends without pause, and receives what comes, until the connection ends. Of a reset either may be told first, and then
/// the other sees an end.
fn stream_until_the_end(mut stream: TcpStream, answers: bool) -> Ended {
    let mut receiving = stream.try_clone().expect("a second handle");
    let receiver = thread::spawn(move || {
        let (mut buffer, mut received) = (vec![0; 1 << 16], 0);
        loop {
            match receiving.read(&mut buffer) {
                Ok(0) => return (received, false),
                Ok(count) => received += count,
                Err(error) => return (received, is_reset(&error)),
            }
        }
    });
    let message = pattern(2, MESSAGE);
    let (mut sent, mut last, mut longest_pause) = (0, Instant::now(), Duration::ZERO);
    let told = loop {
        let result = stream.write(&message);
        longest_pause = longest_pause.max(last.elapsed());
        last = Instant::now();
        match result {
            Ok(count) => sent += count,
            Err(error) => break is_reset(&error),
        }
    };
    let (received, reset) = receiver.join().unwrap();
    let end = match told || reset {
        true => End::Reset,
        false if !answers || received == sent => End::Answered,
        false => End::CutOff,
    };
    Ended { end, longest_pause }
}

/// None of those who made no pause has lost anything without knowing, and all who have are counted.
#[track_caller]
fn check(ended: &[Ended], totals: Totals) {
    let busy = || ended.iter().filter(|client| client.longest_pause < HALF_A_LULL);
    assert!(busy().all(|client| client.end != End::CutOff), "an end in order, with bytes unanswered");
    let lost = busy().filter(|client| client.end != End::Answered).count();
    assert!(totals.cut_off >= lost as u64, "{lost} clients have lost something: {totals}");
}

/// Stops an echo server under so many clients, each of which makes no pause, and checks how all end.
#[track_caller]
fn stop_under(model: Model, count: u64, client: fn(TcpStream) -> Ended) {
    let server = Running::start(draining(model, DRAIN), Echo);
    let clients: Vec<_> = (0..count)
        .map(|_| {
            let stream = server.connect();
            thread::spawn(move || client(stream))
        })
        .collect();
    let is_busy = |totals: Totals| totals.accepted == count && totals.bytes_in > count * 20 * MESSAGE as u64;
    wait_until("all are busy", || is_busy(server.handle.totals()));
    let totals = server.stop();
    let ended: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    check(&ended, totals);
    assert_eq!(totals.stopped, count, "{totals}");
}

pub(crate) fn who_exchanges_without_pause_is_answered_and_then_reset(model: Model) {
    stop_under(model, 16, exchange_until_the_end);
}

pub(crate) fn who_streams_without_pause_is_answered_and_then_reset(model: Model) {
    stop_under(model, 4, |stream| stream_until_the_end(stream, true));
}

pub(crate) fn who_streams_to_a_service_without_answers_is_reset(model: Model) {
    let server = Running::start(draining(model, DRAIN), Discard);
    let stream = server.connect();
    let client = thread::spawn(move || stream_until_the_end(stream, false));
    wait_until("it is busy", || server.handle.totals().bytes_in > 20 * MESSAGE as u64);
    let totals = server.stop();
    let ended = client.join().unwrap();
    assert!(ended.end == End::Reset || ended.longest_pause >= HALF_A_LULL);
    assert_eq!((totals.stopped, totals.cut_off), (1, 1));
}

/// An echo whose handler waits at a gate if the message says so.
#[derive(Default)]
struct Gated {
    is_open: Mutex<bool>,
    opened: Condvar,
    waits: AtomicBool,
}

impl Gated {
    fn open_gate(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Service for Gated {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        if data == b"wait" {
            self.waits.store(true, SeqCst);
            let _open = self.opened.wait_while(self.is_open.lock().unwrap(), |open| !*open).unwrap();
        }
        reply.send(data);
    }
}

/// A server of one worker that is busy with the first client, and 10 others, silent for long, who have just sent.
fn busy(options: Options) -> (Running, Arc<Gated>, TcpStream, Vec<TcpStream>) {
    let service = Arc::new(Gated::default());
    let lull = options.drain / 4;
    let server = Running::start(Options { threads: 1.try_into().unwrap(), ..options }, Arc::clone(&service));
    let mut first = server.connect();
    let mut others: Vec<_> = (0..10).map(|_| server.connect()).collect();
    others.iter_mut().for_each(|stream| exchange(stream, b"hello"));
    // To be silent.
    thread::sleep(lull.min(2 * HALF_A_LULL));
    first.write_all(b"wait").unwrap();
    wait_until("the worker is busy", || service.waits.load(SeqCst));
    others.iter_mut().for_each(|stream| stream.write_all(b"before").unwrap());
    (server, service, first, others)
}

pub(crate) fn what_had_come_before_a_stop_is_answered(model: Model) {
    let (server, service, mut first, others) = busy(draining(model, Duration::from_secs(60)));
    server.handle.stop();
    server.handle.stop();
    service.open_gate();
    for mut stream in others {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("no reset");
        assert_eq!(answer, "before");
    }
    let mut answer = String::new();
    first.read_to_string(&mut answer).expect("no reset");
    assert_eq!(answer, "wait");
    drop(first);
    let totals = server.join();
    assert_eq!((totals.accepted, totals.cut_off), (11, 0), "{totals}");
    assert_eq!((totals.bytes_in, totals.bytes_out), (10 * 11 + 4, 10 * 11 + 4));
}

pub(crate) fn without_time_to_drain_what_had_come_is_answered_or_reset(model: Model) {
    let (server, service, mut first, others) = busy(draining(model, Duration::ZERO));
    let silent = server.connect();
    server.handle.stop();
    service.open_gate();
    let mut reset = 0;
    for mut stream in others {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert_eq!(answer, b"before"),
            Err(error) => reset += u64::from(is_reset(&error)),
        }
    }
    let _ = first.read(&mut [0; 4]);
    drop((first, silent));
    let totals = server.join();
    assert!(totals.cut_off >= reset, "{reset} are reset: {totals}");
}

pub(crate) fn what_comes_after_the_end_is_cut_off(model: Model) {
    let server = Running::start(draining(model, DRAIN), Echo);
    let mut early = server.connect();
    let mut silent = server.connect();
    wait_until("both are accepted", || server.handle.totals().accepted == 2);
    server.handle.stop();
    for stream in [&mut early, &mut silent] {
        assert_eq!(stream.read(&mut [0; 1]).expect("no reset"), 0);
    }
    early.write_all(b"too late").unwrap();
    let totals = server.join();
    assert_eq!((totals.stopped, totals.cut_off, totals.bytes_in), (2, 1, 0), "{totals}");
}

pub(crate) fn who_does_not_take_its_answers_is_reset(model: Model) {
    let server = Running::start(draining(model, DRAIN), Greeting(vec![1; 20_000_000]));
    let mut deaf = server.connect();
    deaf.read_exact(&mut [0; 1]).unwrap();
    let totals = server.stop();
    assert_eq!((totals.stopped, totals.cut_off), (1, 1));
    let mut rest = Vec::new();
    let end = deaf.read_to_end(&mut rest);
    assert!(rest.len() < 19_999_999);
    assert!(is_reset(&end.expect_err("a reset")));
}

pub(crate) fn who_has_ended_its_side_gets_all_answers(model: Model) {
    let server = Running::start(draining(model, Duration::from_secs(60)), Echo);
    let message = pattern(3, 1_000_000);
    let mut stream = server.connect();
    let sender = {
        let (mut stream, message) = (stream.try_clone().unwrap(), message.clone());
        thread::spawn(move || {
            stream.write_all(&message).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        })
    };
    stream.read_exact(&mut [0; 1]).unwrap();
    server.handle.stop();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("no reset");
    sender.join().unwrap();
    assert!(rest == message[1..]);
    let totals = server.join();
    assert_eq!((totals.closed, totals.cut_off), (1, 0), "{totals}");
}

pub(crate) fn clients_that_come_meanwhile_lose_nothing_unseen(model: Model) {
    let server = Running::start(draining(model, DRAIN), Echo);
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(move || {
                let mut ended = Vec::new();
                // Until nobody listens any more.
                while let Ok(mut stream) = TcpStream::connect(address) {
                    let start = Instant::now();
                    let mut answer = [0; 5];
                    let sent = stream.write_all(b"hello");
                    let longest_pause = start.elapsed();
                    let end = match sent.and_then(|()| stream.read_exact(&mut answer)) {
                        Ok(()) => End::Answered,
                        Err(error) if error.kind() == ErrorKind::UnexpectedEof => End::CutOff,
                        Err(error) if is_reset(&error) => End::Reset,
                        Err(error) => unreachable!("{error}"),
                    };
                    ended.push(Ended { end, longest_pause });
                }
                ended
            })
        })
        .collect();
    wait_until("many have come", || server.handle.totals().accepted > 200);
    let totals = server.stop();
    let ended: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let busy = || ended.iter().filter(|client| client.longest_pause < HALF_A_LULL);
    assert!(busy().all(|client| client.end != End::CutOff), "an end in order, with bytes unanswered");
    assert_eq!(totals.bytes_in, totals.bytes_out, "{totals}");
}

pub(crate) fn an_endless_service_ends_in_order(model: Model) {
    let server = Running::start(draining(model, Duration::from_secs(60)), Chargen);
    let mut stream = server.connect();
    stream.read_exact(&mut [0; 1000]).unwrap();
    server.handle.stop();
    stream.read_to_end(&mut Vec::new()).expect("no reset");
    drop(stream);
    let totals = server.join();
    assert_eq!((totals.stopped, totals.cut_off), (1, 0), "{totals}");
}

/// Answers by so many pieces, one at a time.
struct Pieces(usize);

impl Service for Pieces {
    type Session = usize;

    fn open(&self, _: &Connection, _: &mut Reply<'_>) -> usize {
        self.0
    }

    fn receive(&self, _: &mut usize, _: &[u8], reply: &mut Reply<'_>) {
        reply.again();
    }

    fn more(&self, left: &mut usize, reply: &mut Reply<'_>) {
        reply.send(&[*left as u8; 100_000]);
        *left -= 1;
        if *left > 0 {
            reply.again();
        }
    }
}

pub(crate) fn an_answer_in_pieces_is_completed(model: Model) {
    let server = Running::start(draining(model, Duration::from_secs(60)), Pieces(100));
    let mut stream = server.connect();
    stream.write_all(b"all, please").unwrap();
    stream.read_exact(&mut [0; 1]).unwrap();
    server.handle.stop();
    wait_until("nobody listens", || Server::bind(server.address, options(model)).is_ok());
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("no reset");
    assert_eq!(rest.len(), 100 * 100_000 - 1);
    drop(stream);
    assert_eq!(server.join().cut_off, 0);
}

pub(crate) fn who_is_only_sent_to_is_ended_in_order(model: Model) {
    let server = Running::start(draining(model, DRAIN), Echo);
    let mut stream = server.connect();
    exchange(&mut stream, b"hello");
    let receiver = thread::spawn(move || {
        stream.read_to_end(&mut Vec::new()).expect("no reset");
    });
    server.handle.stop();
    while server.handle.send(ConnectionId::new(1), b"and this").is_ok() {
        // Often enough that there is no lull, and not so often that there always is something on its way.
        thread::sleep(HALF_A_LULL / 10);
    }
    receiver.join().unwrap();
    let totals = server.join();
    assert_eq!((totals.stopped, totals.cut_off), (1, 0), "{totals}");
}

pub(crate) fn what_is_sent_from_outside_until_the_end_arrives(model: Model) {
    let server = Running::start(draining(model, Duration::from_secs(60)), Echo);
    let mut stream = server.connect();
    exchange(&mut stream, b"hello");
    server.handle.stop();
    let (mut sent, mut pause) = (Vec::new(), HALF_A_LULL);
    wait_until("it is ending", || {
        let bytes = pattern(sent.len() as u64, 100);
        let taken = server.handle.send(ConnectionId::new(1), &bytes).is_ok();
        if taken {
            sent.extend_from_slice(&bytes);
        }
        // It would never have a lull otherwise.
        pause *= 2;
        thread::sleep(pause);
        !taken
    });
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("no reset");
    assert!(all == sent, "{} of {} bytes", all.len(), sent.len());
    drop(stream);
    assert_eq!(server.join().cut_off, 0);
}
