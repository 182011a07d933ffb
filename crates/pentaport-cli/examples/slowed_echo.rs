//! An echo server over the completion port that uses a given share of CPU time more for each message than it needs: what
//! `cargo xtask compare-check` plants, to see whether `compare` finds it.
//!
//! `slowed_echo --share 0.1 [--threads N]` serves until it is told to stop by SIGTERM. What a message costs differs by the
//! load, so it is measured all the time: the CPU time of the process, without what was burnt, divided by the messages.
//! `--share 64=0.1,1000=0.2 --scenario 64` chooses one of several shares.
#![forbid(unsafe_code)]

use cpu_time::ProcessTime;
use pentaport_server::{Connection, Model, Options, Reply, Server, Service};
use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Messages after which the cost is looked at again: fewer at the beginning, so that little of a short load is not slowed.
const WINDOW: u64 = 64;
const FIRST_WINDOW: u64 = 16;
/// A window that took longer was no load: connections were opened in it, or nothing was done.
const LONGEST_WINDOW: Duration = Duration::from_millis(20);

struct Slowed {
    share: f64,
    /// How many turns of the loop a nanosecond has.
    turns_per_nanosecond: f64,
    messages: AtomicU64,
    /// Turns that each message burns.
    turns: AtomicU64,
    window: Mutex<Window>,
}

/// The beginning of a window.
struct Window {
    cpu: ProcessTime,
    time: Instant,
}

impl Service for Slowed {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        reply.send(data);
        let messages = self.messages.fetch_add(1, Relaxed) + 1;
        let window = if messages <= WINDOW * 4 { FIRST_WINDOW } else { WINDOW };
        if messages.is_multiple_of(window) {
            self.look(window);
        }
        burn(self.turns.load(Relaxed));
    }
}

impl Slowed {
    /// Sets what a message burns by what messages of the last window cost.
    fn look(&self, messages: u64) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, took) = (window.cpu.elapsed(), window.time.elapsed());
        *window = Window { cpu: ProcessTime::now(), time: Instant::now() };
        if took > LONGEST_WINDOW {
            return;
        }
        let burnt = self.turns.load(Relaxed) as f64 / self.turns_per_nanosecond;
        let cost = (used.as_nanos() as f64 / messages as f64 - burnt).max(0.0);
        let turns = cost * self.share * self.turns_per_nanosecond;
        // The mean of the last few windows.
        let before = self.turns.load(Relaxed) as f64;
        let turns = if before == 0.0 { turns } else { before * 0.8 + turns * 0.2 };
        self.turns.store(turns as u64, Relaxed);
    }
}

fn burn(turns: u64) {
    let mut x = 1u64;
    for turn in 0..turns {
        x = black_box(x ^ turn);
    }
}

/// Turns per nanosecond: the best of some attempts, since whatever else runs makes one worse.
fn calibrate() -> f64 {
    const TURNS: u64 = 500_000;
    let attempts = (0..5).map(|_| {
        let start = ProcessTime::now();
        burn(TURNS);
        start.elapsed()
    });
    TURNS as f64 / attempts.min().map_or(1.0, |best| best.as_nanos() as f64).max(1.0)
}

/// The share itself, or that of the scenario.
fn share(text: &str, scenario: Option<&str>) -> f64 {
    let of_scenario = |part: &str| {
        let (name, share) = part.split_once('=')?;
        (Some(name) == scenario).then(|| share.to_owned())
    };
    let share = text.split(',').find_map(of_scenario).unwrap_or_else(|| text.to_owned());
    share.parse().expect("--share SHARE, or SCENARIO=SHARE,… and --scenario SCENARIO")
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let number = |name: &str| value(name).map(|text| text.parse::<f64>().expect("a number"));
    let mut options = Options { model: Model::CompletionPort, ..Options::default() };
    if let Some(threads) = number("--threads").and_then(|threads| NonZeroUsize::new(threads as usize)) {
        options.threads = threads;
    }
    let service = Slowed {
        share: share(&value("--share").expect("--share SHARE"), value("--scenario").as_deref()),
        turns_per_nanosecond: calibrate(),
        messages: AtomicU64::new(0),
        turns: AtomicU64::new(0),
        window: Mutex::new(Window { cpu: ProcessTime::now(), time: Instant::now() }),
    };
    let server = Server::bind("127.0.0.1:0".parse().expect("an address"), options)?;
    println!("listening on {}", server.local_addr());
    std::io::stdout().flush()?;
    server.run(service).map(drop)
}
