//! One measurement: one server, one scenario, once.

use super::hold::Holder;
use super::pin::Pin;
use super::scenario::{MANY, Scenario};
use super::subject::{Running, Subject};
use crate::load::command::new_seed;
use crate::load::report::Latency;
use crate::load::{Latencies, LoadOptions, LoadSession, churn, command};
use crate::process::{self, Usage};
use serde::{Deserialize, Serialize};
use std::thread;
use std::time::{Duration, Instant};

/// How often a server is looked at that is to come to rest, and how long at most.
const GLANCE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a load is repeated in which no message was sent.
const TRIES: usize = 20;

/// What is the same for all measurements of a run.
pub(super) struct Conditions {
    pub(super) server_threads: usize,
    pub(super) load_threads: usize,
    pub(super) timeout: Duration,
    pub(super) pin: Option<Pin>,
}

/// What one measurement found, in the shape in which `--save` writes it. In a churn each message is a connection.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) messages_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    #[serde(rename = "p99.9_us")]
    pub(crate) p99_9_us: f64,
    /// The server's; None if its process is not known. So are the others below.
    #[serde(flatten)]
    pub(crate) process: Option<ProcessMeasurement>,
}

/// What the server's process used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ProcessMeasurement {
    /// User and system time from when all connections were open until they closed.
    pub(crate) server_cpu_us_per_message: f64,
    /// While loaded; None if the system does not tell.
    pub(crate) server_threads: Option<usize>,
    /// Growth of its memory from before connecting until before closing, for each connection, idle or not. None in a churn,
    /// and with so few connections that it would be the growth of the process's beginning.
    pub(crate) memory_per_connection_bytes: Option<f64>,
}

/// A server that runs, and idle connections to it.
pub(super) struct Ready {
    server: Running,
    /// What it had used before any connection.
    before: Option<Usage>,
    holder: Option<Holder>,
}

impl Ready {
    /// Starts a server and opens the idle connections of the scenario, if they are kept.
    pub(super) fn start(subject: &Subject, scenario: &Scenario, conditions: &Conditions) -> anyhow::Result<Ready> {
        let server = subject.start(&scenario.name, conditions.server_threads, conditions.pin.as_ref())?;
        let before = server.pid().and_then(process::usage);
        if !scenario.kept || scenario.idle == 0 {
            return Ok(Ready { server, before, holder: None });
        }
        match Holder::start(server.address(), scenario.idle, conditions.timeout) {
            Ok(holder) => {
                // It may have them yet to accept.
                wait_for_rest(|| server.pid().and_then(process::usage));
                Ok(Ready { server, before, holder: Some(holder) })
            }
            Err(error) => Err(server.explain(error)),
        }
    }

    /// Loads it once.
    pub(super) fn measure(
        &self,
        scenario: &Scenario,
        conditions: &Conditions,
    ) -> anyhow::Result<(Measurement, Latencies)> {
        let options = LoadOptions {
            address: self.server.address(),
            connections: scenario.connections,
            idle: if self.holder.is_some() { 0 } else { scenario.idle },
            message: scenario.message_bytes,
            depth: scenario.depth,
            duration: scenario.duration(),
            threads: conditions.load_threads,
            rate: scenario.rate,
            timeout: conditions.timeout,
            seed: new_seed(),
        };
        if scenario.churn { self.churn(&options, scenario) } else { self.load(&options, scenario) }
    }

    fn churn(&self, options: &LoadOptions, scenario: &Scenario) -> anyhow::Result<(Measurement, Latencies)> {
        if !scenario.warmup().is_zero() {
            churn::verdict(&churn::churn(
                &LoadOptions { duration: scenario.warmup(), ..options.clone() },
                None,
                |_, _| {},
            )?)?;
        }
        let before = self.usage();
        let report = churn::churn(options, None, |_, _| {})?;
        let after = self.usage();
        let threads = self.threads();
        churn::verdict(&report)?;
        let process = before.zip(after).map(|(before, after)| ProcessMeasurement {
            server_cpu_us_per_message: cpu_us(before, after, report.connections),
            server_threads: threads,
            memory_per_connection_bytes: None,
        });
        Ok((Measurement::new(report.connections_per_second, &report.latency_us, process), report.latencies))
    }

    fn load(&self, options: &LoadOptions, scenario: &Scenario) -> anyhow::Result<(Measurement, Latencies)> {
        let mut session = LoadSession::connect(options, |_| {})?;
        if options.idle > 0 {
            // Nothing was exchanged on these: the server may have them yet to accept.
            wait_for_rest(|| self.usage());
        }
        if !scenario.warmup().is_zero() {
            command::verdict(&session.run_for(scenario.warmup(), None, |_, _| {}))?;
        }
        let mut connected = self.usage();
        let mut report = session.run(None, |_, _| {});
        // On a very busy machine the threads of the load may begin when its time is over.
        for _ in 0..TRIES {
            if report.messages > 0 || report.failed > 0 || report.interrupted {
                break;
            }
            connected = self.usage();
            report = session.run(None, |_, _| {});
        }
        let after = self.usage();
        let threads = self.threads();
        drop(session);
        command::verdict(&report)?;
        let connections = scenario.connections + scenario.idle;
        let per_connection = |growth: u64| (connections >= MANY).then(|| growth as f64 / connections as f64);
        let process = self.before.zip(connected).zip(after).map(|((before, connected), after)| ProcessMeasurement {
            server_cpu_us_per_message: cpu_us(connected, after, report.messages),
            server_threads: threads,
            memory_per_connection_bytes: per_connection(after.memory.saturating_sub(before.memory)),
        });
        Ok((Measurement::new(report.messages_per_second, &report.latency_us, process), report.latencies))
    }

    fn usage(&self) -> Option<Usage> {
        self.server.pid().and_then(process::usage)
    }

    fn threads(&self) -> Option<usize> {
        self.server.pid().and_then(process::threads)
    }

    /// Closes the idle connections, stops the server, and says whether it ended well.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let closed = self.holder.map_or(Ok(()), Holder::stop);
        self.server.stop().and(closed)
    }

    /// Why it failed, as the server itself says if it ended, and otherwise `error`.
    pub(super) fn explain(self, error: anyhow::Error) -> anyhow::Error {
        self.server.explain(error)
    }
}

/// Waits until a server uses next to no CPU time, or the patience is used up.
fn wait_for_rest(usage: impl Fn() -> Option<Usage>) {
    let start = Instant::now();
    let Some(mut before) = usage() else { return };
    while start.elapsed() < PATIENCE {
        thread::sleep(GLANCE);
        let Some(now) = usage() else { return };
        if now.cpu.saturating_sub(before.cpu) < GLANCE / 20 {
            return;
        }
        before = now;
    }
}

fn cpu_us(before: Usage, after: Usage, messages: u64) -> f64 {
    after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / messages.max(1) as f64
}

impl Measurement {
    fn new(messages_per_second: f64, latency: &Latency, process: Option<ProcessMeasurement>) -> Measurement {
        Measurement { messages_per_second, p50_us: latency.p50, p99_us: latency.p99, p99_9_us: latency.p99_9, process }
    }

    pub(crate) fn cpu(&self) -> Option<f64> {
        Some(self.process?.server_cpu_us_per_message)
    }

    pub(crate) fn threads(&self) -> Option<f64> {
        self.process?.server_threads.map(|threads| threads as f64)
    }
}
