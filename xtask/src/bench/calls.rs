//! System calls for each message, counted by perf or by strace.
//!
//! Each server is run twice, for a short and for a longer time: what starting, connecting and stopping take is in both, so
//! the difference of the calls over the difference of the messages is what a message takes.
//!
//! perf counts in the kernel and slows the server by little. strace, where perf may not count, slows it by ten: what a
//! server does now and then by the clock weighs ten times as much for each message, and at each turn more work waits for it
//! than would by itself.

use super::peers::{self, PENTAPORT, Peer};
use super::results::{CallsResult, CallsRound, Origin, SubjectCalls};
use super::{cases, shell};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 64;
/// What the counter leaves.
const COUNTS: &str = "target/calls.txt";
/// How long the two runs load, in the form that `load` takes.
const SHORT: &str = "200ms";
const LONG: &str = "1200ms";
/// How often each server is counted, all in turn: how many messages are found at once differs from one run to the next.
const ROUNDS: usize = 3;
/// What perf counts all calls by, and one by one those that servers make for each message. To count every call by its name
/// takes perf a quarter of a minute for a server.
const ALL_CALLS: &str = "raw_syscalls:sys_enter";
const NAMED_CALLS: &str = "syscalls:sys_enter_";
const NAMED: [&str; 15] = [
    "clock_nanosleep",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "futex",
    "io_uring_enter",
    "ioctl",
    "poll",
    "ppoll",
    "read",
    "recvfrom",
    "recvmsg",
    "sendmsg",
    "sendto",
    "write",
];
/// All others of perf's.
const OTHERS: &str = "others";
/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Calls below so many for each message are not worth a word.
const SELDOM: f64 = 0.0005;

/// What counts.
#[derive(Clone, Copy)]
enum Counter {
    Perf,
    Strace,
}

/// Counts the calls of every server; None if nothing is there that can.
pub(super) fn count(peers: &[Peer], origin: Origin) -> anyhow::Result<Option<CallsResult>> {
    let Some((counter, version)) = Counter::found() else {
        println!("system calls are not counted: perf may not, and strace is missing (Debian: strace)");
        return Ok(None);
    };
    let mut origin = Origin { command: counter.command(&serve("MODEL")), ..origin };
    origin.versions.insert(counter.name().to_owned(), version);
    let models = cases::MODELS.into_iter().map(|model| (model, serve(model)));
    let others = peers.iter().filter(|peer| peer.name != peers::YARDSTICK_AGAIN);
    let others = others.map(|peer| (peer.name, shell::split(&peer.command.replace("{threads}", "1"))));
    let servers: Vec<(&str, Vec<String>)> = models.chain(others).collect();
    let new = |name: &&str| SubjectCalls { name: (*name).to_owned(), error: None, rounds: Vec::new() };
    let mut subjects: Vec<SubjectCalls> = servers.iter().map(|(name, _)| new(name)).collect();
    for round in 1..=ROUNDS {
        for ((name, server), subject) in
            servers.iter().zip(&mut subjects).filter(|(_, subject)| subject.error.is_none())
        {
            match calls_per_message(counter, server) {
                Ok(counted) => {
                    println!("round {round}, {name}: {:.3} calls/echo", counted.total());
                    subject.rounds.push(counted);
                }
                Err(error) => subject.error = Some(format!("{error:#}")),
            }
        }
    }
    Ok(Some(CallsResult { origin, connections: CONNECTIONS, subjects }))
}

fn serve(model: &str) -> Vec<String> {
    [PENTAPORT, "serve", "--listen", "127.0.0.1:0", "--threads", "1", "--model", model].map(str::to_owned).into()
}

impl Counter {
    /// The better one that works here, and its version.
    fn found() -> Option<(Counter, String)> {
        let mut trial = Command::new("perf");
        trial.args(["stat", "-e", ALL_CALLS, "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        let perf = if trial.status().is_ok_and(|status| status.success()) { Counter::Perf.version() } else { None };
        perf.or_else(|| Counter::Strace.version())
    }

    fn version(self) -> Option<(Counter, String)> {
        Some((self, peers::first_line(&[self.name(), "--version"])?))
    }

    fn name(self) -> &'static str {
        match self {
            Counter::Perf => "perf",
            Counter::Strace => "strace",
        }
    }

    /// Counts what a server calls, those of its threads included, and writes it down when the server has ended.
    fn command(self, server: &[String]) -> Vec<String> {
        let counter: &[&str] = match self {
            Counter::Perf => &["perf", "stat", "-x,", "-o", COUNTS, "-e", ALL_CALLS],
            Counter::Strace => &["strace", "-f", "-c", "-o", COUNTS],
        };
        let mut words: Vec<String> = counter.iter().map(|&word| word.to_owned()).collect();
        if let Counter::Perf = self {
            let named: Vec<String> = NAMED.iter().map(|name| format!("{NAMED_CALLS}{name}")).collect();
            words.extend(["-e".to_owned(), named.join(",")]);
        }
        words.extend(server.iter().cloned());
        words
    }

    /// How often each call was made, of what was written down.
    fn read(self, counts: &str) -> BTreeMap<String, u64> {
        match self {
            Counter::Perf => read_perf(counts),
            Counter::Strace => read_strace(counts),
        }
    }
}

fn calls_per_message(counter: Counter, server: &[String]) -> anyhow::Result<CallsRound> {
    let (few, base) = run(counter, server, SHORT)?;
    let (many, counted) = run(counter, server, LONG)?;
    ensure!(!counted.is_empty(), "nothing was counted");
    ensure!(many > few, "the longer run had no more messages: {many} after {few}");
    let messages = many - few;
    let calls = counted.into_iter().filter_map(|(name, calls)| {
        let more = calls as f64 - base.get(&name).copied().unwrap_or(0) as f64;
        let each = more / messages as f64;
        (each >= SELDOM).then(|| (name, (each * 1e4).round() / 1e4))
    });
    Ok(CallsRound { messages, calls: calls.collect() })
}

/// Runs a server under the counter and loads it: the messages, and how often each call was made from its start to its end.
fn run(counter: Counter, server: &[String], duration: &str) -> anyhow::Result<(u64, BTreeMap<String, u64>)> {
    let words = counter.command(server);
    let root = crate::root();
    let mut counting = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(&root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the counter")?;
    let loaded = load(&mut counting, duration);
    let ended = end(&mut counting)?;
    let messages = loaded?;
    ensure!(ended, "the server did not end at SIGTERM");
    let counts = std::fs::read_to_string(root.join(COUNTS)).context(COUNTS)?;
    Ok((messages, counter.read(&counts)))
}

/// Ends the server, and waits for the counter to end after it. Both are killed after a while; whether that was not needed.
fn end(counting: &mut Child) -> anyhow::Result<bool> {
    let counter = counting.id();
    // The counter would end by the signal before it has written what it counted, so the server alone gets it.
    let servers = std::fs::read_to_string(format!("/proc/{counter}/task/{counter}/children")).unwrap_or_default();
    let servers: Vec<&str> = servers.split_whitespace().collect();
    signal("TERM", &servers);
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if counting.try_wait().context("cannot wait for the counter")?.is_some() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(5));
    }
    signal("KILL", &servers);
    counting.kill().context("cannot end the counter")?;
    counting.wait().context("cannot wait for the counter")?;
    Ok(false)
}

fn signal(name: &str, processes: &[&str]) {
    if !processes.is_empty() {
        // One that has ended by itself is told of by the load, which failed.
        let _ = Command::new("kill").args(["-s", name]).args(processes).stderr(Stdio::null()).status();
    }
}

/// Loads the server that says on its output where it is, and returns how many messages came back.
fn load(counting: &mut Child, duration: &str) -> anyhow::Result<u64> {
    let mut line = String::new();
    let mut stdout = BufReader::new(counting.stdout.take().context("it is piped")?);
    stdout.read_line(&mut line)?;
    let address = line.split_whitespace().last().context("the server did not start")?;
    let connections = CONNECTIONS.to_string();
    let output = Command::new(crate::root().join(PENTAPORT))
        .args(["load", address, "--connections", &connections, "--threads", "1", "--duration", duration, "--json"])
        .stderr(Stdio::inherit())
        .output()
        .context("pentaport load")?;
    // What it prints when it stops goes nowhere, but is not refused.
    counting.stdout = Some(stdout.into_inner());
    if !output.status.success() {
        bail!("the load failed: {}", output.status);
    }
    let report: Value = serde_json::from_slice(&output.stdout).context("the load's report")?;
    report["messages"].as_u64().context("the load's report has no messages")
}

/// Of perf's lines "count,unit,event,…".
fn read_perf(counts: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let mut fields = line.split(',');
        Some((fields.next()?.parse::<u64>().ok()?, fields.nth(1)?.to_owned()))
    };
    let rows: Vec<(u64, String)> = counts.lines().filter_map(row).collect();
    let all: u64 = rows.iter().filter(|(_, event)| event == ALL_CALLS).map(|(calls, _)| calls).sum();
    let named = rows.iter().filter_map(|(calls, event)| Some((event.strip_prefix(NAMED_CALLS)?.to_owned(), *calls)));
    let mut calls: BTreeMap<String, u64> = named.collect();
    calls.insert(OTHERS.to_owned(), all.saturating_sub(calls.values().sum()));
    calls
}

/// Of strace's table.
fn read_strace(summary: &str) -> BTreeMap<String, u64> {
    // "% time  seconds  usecs/call  calls  [errors]  syscall"
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [share, _, _, calls, .., name] = words[..] else { return None };
        share.parse::<f64>().ok()?;
        Some((name.to_owned(), calls.parse().ok()?)).filter(|(name, _)| name != "total")
    };
    summary.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ------------------
 45.86    0.003107           3       962           sendto
 40.00    0.002107           2       900        12 recvfrom
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ------------------
100.00    0.006775           3      2000        12 total
";
        let perf = "\
# started on Sat Nov 21

905,,raw_syscalls:sys_enter,567301,100.00,,
900,,syscalls:sys_enter_recvfrom,567301,100.00,,
0,,syscalls:sys_enter_read,567301,100.00,,
";
        let expected = [("others", 5), ("read", 0), ("recvfrom", 900)];
        assert_eq!(read_perf(perf), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
        let expected = [("execve", 1), ("recvfrom", 900), ("sendto", 962)];
        assert_eq!(read_strace(summary), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
    }
}
