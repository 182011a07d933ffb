//! What servers are loaded with: the scenarios of the default run, one of the user's own, and the points of a sweep.

use super::Arguments;
use crate::process;
use crate::text::{bytes, count, plural};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// With fewer connections, the growth of a server's memory is that of its beginning and says nothing of connections.
pub(super) const MANY: usize = 1_000;
/// Idle connections of the default run, if the limit on descriptors allows them.
const MOST_IDLE: usize = 10_000;
/// What the default run does before it counts: first messages meet cold caches and pages that are not there yet.
const WARMUP: Duration = Duration::from_millis(5);
/// One load of a custom scenario.
const CUSTOM_LOAD: Duration = Duration::from_secs(3);
/// One load of a sweep, and of one by rate, in which few messages may be due.
const SWEEP_LOAD: Duration = Duration::from_millis(100);
const RATE_LOAD: Duration = Duration::from_millis(400);
/// How long all points of a sweep take together, about.
const SWEEP_BUDGET: Duration = Duration::from_secs(90);

/// One load, which all servers get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scenario {
    /// As `--scenario` takes it, and as files name it.
    pub(crate) name: String,
    /// As people read it.
    pub(crate) title: String,
    pub(crate) connections: usize,
    /// Connections besides, which send nothing.
    pub(crate) idle: usize,
    /// Each connection is closed after one message, and another one made: messages are connections.
    pub(crate) churn: bool,
    pub(crate) message_bytes: usize,
    /// Messages in flight on each connection.
    pub(crate) depth: usize,
    /// Messages per second over all connections; None: as fast as answers come.
    pub(crate) rate: Option<f64>,
    pub(crate) duration_seconds: f64,
    /// Loaded before, and not counted.
    pub(crate) warmup_seconds: f64,
    /// Servers and their idle connections last for all rounds; else each round has servers of its own.
    pub(crate) kept: bool,
}

/// How many rounds a scenario has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rounds {
    Exactly(usize),
    /// As many as fit into this time, and at least three.
    Within(Duration),
}

/// A scenario to be measured.
pub(super) struct Planned {
    pub(super) scenario: Scenario,
    pub(super) rounds: Rounds,
    /// Descriptors that the load and each server need for it.
    pub(super) connections: u64,
}

/// What a sweep changes.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Axis {
    /// Busy connections.
    Connections,
    /// Idle connections beside the busy ones.
    Idle,
    /// The size of a message.
    Message,
    /// Messages in flight on each connection.
    Depth,
    /// Messages per second, until a server does not keep up.
    Rate,
}

/// The scenarios of the default run.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(crate) enum Standard {
    /// One connection.
    #[value(name = "one")]
    One,
    /// 64 busy connections.
    #[value(name = "64")]
    Busy,
    /// 1,000 busy connections.
    #[value(name = "1000")]
    Many,
    /// 64 busy connections among many idle ones.
    #[value(name = "idle")]
    Idle,
    /// Connect, exchange a message, close; 64 at a time.
    #[value(name = "churn")]
    Churn,
}

impl Standard {
    const ALL: [Standard; 5] = [Standard::One, Standard::Busy, Standard::Many, Standard::Idle, Standard::Churn];

    /// How long its rounds may take: more where a round opens 1,000 connections for each server, and where rounds differ more.
    fn budget(self) -> Duration {
        Duration::from_secs(match self {
            Standard::One => 13,
            Standard::Busy | Standard::Churn => 18,
            Standard::Idle => 22,
            Standard::Many => 37,
        })
    }

    fn scenario(self, arguments: &Arguments) -> Scenario {
        let plain = plain(arguments, process::SHORT_LOAD, WARMUP);
        let depth = plain.depth;
        match self {
            Standard::One => Scenario { name: "one".into(), title: "one connection".into(), connections: 1, ..plain },
            Standard::Busy => Scenario { name: "64".into(), title: "64 busy".into(), ..plain },
            Standard::Many => Scenario { name: "1000".into(), title: "1,000 busy".into(), connections: 1_000, ..plain },
            Standard::Idle => {
                let idle = idle_that_fits(arguments.subjects_and_control());
                let title = format!("64 busy among {} idle", count(idle as u64));
                Scenario { name: "idle".into(), title, idle, kept: true, ..plain }
            }
            Standard::Churn => Scenario {
                name: "churn".into(),
                title: "connect, exchange, close".into(),
                churn: true,
                depth: 1,
                // A server's first connections are what it is about.
                warmup_seconds: if arguments.warmup.is_some() { plain.warmup_seconds } else { 0.0 },
                ..plain
            },
        }
        .with_depth_in_title(depth)
    }
}

impl Scenario {
    fn with_depth_in_title(mut self, depth: usize) -> Scenario {
        if depth > 1 && !self.churn {
            self.title += &format!(", {} in flight each", count(depth as u64));
        }
        self
    }

    /// What its figures are of.
    pub(crate) fn counted(&self) -> &'static str {
        if self.churn { "connection" } else { "message" }
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration_seconds)
    }

    pub(crate) fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup_seconds)
    }

    /// What a reader has to know of the load beyond its title.
    pub(crate) fn how(&self) -> String {
        let message = format!("{} messages", byte_size(self.message_bytes));
        let flight = match self {
            Scenario { churn: true, connections, .. } => {
                format!("one on each connection, {} at a time", count(*connections as u64))
            }
            Scenario { depth, .. } => format!("{} in flight on each connection", count(*depth as u64)),
        };
        let load = Duration::from_secs_f64(self.duration_seconds);
        format!("{message}, {flight}; loads of {}", crate::text::duration(load))
    }
}

/// The scenarios that the arguments ask for.
pub(super) fn planned(arguments: &Arguments) -> Vec<Planned> {
    let planned = |scenario: Scenario, within: Option<Duration>| Planned {
        rounds: match (arguments.runs, within) {
            (Some(runs), _) => Rounds::Exactly(runs),
            (None, Some(budget)) => Rounds::Within(budget),
            (None, None) => Rounds::Exactly(1),
        },
        connections: (scenario.connections as u64).saturating_add(scenario.idle as u64),
        scenario,
    };
    if let Some(axis) = arguments.sweep {
        let points = sweep(axis, arguments);
        let each = SWEEP_BUDGET / points.len() as u32;
        return points.into_iter().map(|scenario| planned(scenario, Some(each))).collect();
    }
    if arguments.is_custom() {
        let connections = arguments.connections.clone().unwrap_or_else(|| vec![1, 64, 1_000]);
        let mut scenarios: Vec<Scenario> = Vec::new();
        for connections in connections {
            let mut scenario = custom(arguments, connections);
            // Cells are known by their scenario's name.
            while scenarios.iter().any(|other| other.name == scenario.name) {
                scenario.name += "-again";
                scenario.title += ", again";
            }
            scenarios.push(scenario);
        }
        return scenarios.into_iter().map(|scenario| planned(scenario, None)).collect();
    }
    let chosen = |standard: &Standard| arguments.scenarios.is_empty() || arguments.scenarios.contains(standard);
    let standards = Standard::ALL.into_iter().filter(chosen);
    standards.map(|standard| planned(standard.scenario(arguments), Some(standard.budget()))).collect()
}

fn plain(arguments: &Arguments, load: Duration, warmup: Duration) -> Scenario {
    Scenario {
        name: String::new(),
        title: String::new(),
        connections: 64,
        idle: 0,
        churn: false,
        message_bytes: arguments.message,
        depth: arguments.depth.unwrap_or(1),
        rate: None,
        duration_seconds: arguments.duration.unwrap_or(load).as_secs_f64(),
        warmup_seconds: arguments.warmup.unwrap_or(warmup).as_secs_f64(),
        kept: false,
    }
}

fn custom(arguments: &Arguments, connections: usize) -> Scenario {
    let Arguments { churn, idle, .. } = *arguments;
    let idle = idle.unwrap_or(0);
    let mut title = plural(connections as u64, "connection");
    let mut name = connections.to_string();
    if churn {
        title = format!("churn, {} at a time", count(connections as u64));
        name = format!("churn-{name}");
    } else if idle > 0 {
        title += &format!(" among {} idle", count(idle as u64));
        name += &format!("-idle-{idle}");
    }
    Scenario { name, title, connections, idle, churn, ..plain(arguments, CUSTOM_LOAD, Duration::ZERO) }
        .with_depth_in_title(arguments.depth.unwrap_or(1))
}

fn sweep(axis: Axis, arguments: &Arguments) -> Vec<Scenario> {
    let load = if axis == Axis::Rate { RATE_LOAD } else { SWEEP_LOAD };
    let base = Scenario {
        connections: arguments.connections.as_ref().map_or(64, |connections| connections[0]),
        idle: arguments.idle.unwrap_or(0),
        ..plain(arguments, load, WARMUP)
    };
    let points: &[usize] = match axis {
        Axis::Connections => &[1, 4, 16, 64, 256, 1_000, 4_000, 10_000],
        Axis::Idle => &[0, 100, 300, 1_000, 3_000, 10_000],
        Axis::Message => &[16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20],
        Axis::Depth => &[1, 2, 4, 8, 16, 32, 64],
        Axis::Rate => &[1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 150_000, 200_000, 300_000, 500_000, 1_000_000],
    };
    let point = |&point: &usize| {
        let name = format!("{}-{point}", axis.name());
        let of = |title: String| Scenario { name: name.clone(), title, ..base.clone() };
        match axis {
            Axis::Connections => Scenario { connections: point, ..of(plural(point as u64, "connection")) },
            Axis::Idle => Scenario { idle: point, kept: true, ..of(format!("{} idle", count(point as u64))) },
            Axis::Message => Scenario { message_bytes: point, ..of(byte_size(point)) },
            Axis::Depth => Scenario { depth: point, ..of(format!("{} in flight", count(point as u64))) },
            Axis::Rate => Scenario { rate: Some(point as f64), ..of(format!("{}/s", count(point as u64))) },
        }
    };
    points.iter().map(point).collect()
}

impl Axis {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Axis::Connections => "connections",
            Axis::Idle => "idle",
            Axis::Message => "message",
            Axis::Depth => "depth",
            Axis::Rate => "rate",
        }
    }
}

fn byte_size(n: usize) -> String {
    if n < 1024 { format!("{n}-byte") } else { bytes(n as f64) }
}

/// As many idle connections as each of `servers` can have at once.
fn idle_that_fits(servers: usize) -> usize {
    let busy = 64;
    let of_one_process = crate::limits::connections_that_fit().saturating_sub(busy);
    let together = process::MOST_CONNECTIONS_TOGETHER / servers.max(1) as u64;
    let fits = of_one_process.min(together).min(MOST_IDLE as u64) as usize;
    // A round number is easier to read and to repeat.
    if fits < 100 { fits } else { fits / 100 * 100 }
}
