//! `pentaport compare`: what the models cost and give on this machine, side by side, and what may be claimed of it.
//!
//! Servers are processes of their own, so that CPU and memory are that model's alone. In each round of a [`scenario`] every
//! server is started, connected to, measured from when all connections are open until they close, stopped, and its exit
//! looked at; only where many idle connections take too long to open do servers last for all rounds. Rounds are short and
//! many, since noise that lasts for seconds is no smaller in a longer one: [`order`] says in which order, [`claims`] what
//! follows, [`verdict`] puts it into words.

mod claims;
mod csv;
mod foreign;
pub(crate) mod hold;
mod measure;
mod order;
mod pin;
mod progress;
mod ranking;
mod report;
mod rounds;
mod scenario;
mod side_by_side;
#[cfg(test)]
mod simulation;
mod subject;
mod sweep;
mod table;
mod text;
mod verdict;

pub(crate) use csv::write as write_csv;
pub(crate) use report::{Report, SCHEMA};
pub(crate) use side_by_side::{MOST, side_by_side};
pub(crate) use text::{Format, text};

use crate::failure::Failure;
use crate::interrupt::{self, Interrupted};
use crate::load::command::{default_threads, new_seed};
use crate::load::{Latencies, hgrm};
use crate::machine::Machine;
use crate::text::plural;
use crate::{limits, output, process, serve, value};
use anyhow::Context;
use claims::Claims;
use foreign::Watch;
use measure::Conditions;
use pentaport_server::Model;
use pin::Pin;
use progress::Progress;
use report::{LeftOut, Settings};
use scenario::{Axis, Planned, Rounds, Standard};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use subject::{OwnServer, Peer, Subject};

/// Measure all models side by side, and say which differences are real.
///
/// Without further options: five scenarios in less than two minutes, each of many short rounds in which every model serves
/// echo in a process of its own; every byte that comes back is checked. What is claimed holds with 95 % for all of it
/// together. --connections, --idle and --churn choose one scenario of your own instead, --sweep a row of them. Ctrl-C ends
/// with what was measured so far. Exit status 1 if a model or peer failed or a scenario did not fit the machine's limits,
/// else 130 after Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The models; one that is there twice is measured twice [default: all].
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',', value_parser = serve::model())]
    models: Vec<Model>,
    /// Some of the scenarios of the default run.
    #[arg(
        long = "scenario",
        value_name = "SCENARIO,…",
        value_delimiter = ',',
        conflicts_with_all = ["connections", "idle", "churn", "sweep"]
    )]
    scenarios: Vec<Standard>,
    /// Numbers of connections; with --idle or --churn alone 1, 64 and 1000.
    #[arg(short, long, value_name = "C,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::at_least_one)]
    connections: Option<Vec<usize>>,
    /// Further connections that stay open and send nothing.
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::whole)]
    idle: Option<usize>,
    /// Size of a message.
    #[arg(short, long, value_name = "BYTES", default_value = "64", allow_hyphen_values = true, value_parser = value::message_size)]
    message: usize,
    /// Messages in flight on each connection [default: 1].
    #[arg(long, value_name = "D", allow_hyphen_values = true, value_parser = value::depth)]
    depth: Option<usize>,
    /// Close each connection after one message and make another: the figures are those of connections. CPU time then
    /// includes connecting and closing.
    #[arg(long, conflicts_with_all = ["idle", "depth", "sweep"])]
    churn: bool,
    /// Change one thing step by step, and all else not: latency and CPU time along it.
    ///
    /// By rate: messages are due at that rate, latency counts from when they were due, and a model that does not keep up has
    /// reached its end.
    #[arg(long, value_name = "WHAT")]
    sweep: Option<Axis>,
    /// How long each load takes [default: 25ms, 3s with --connections, --idle or --churn, 100ms or more in a sweep].
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true, value_parser = value::duration)]
    duration: Option<Duration>,
    /// Load each server for so long before it is measured [default: 5ms, 0s with --connections, --idle or --churn].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = value::duration_or_zero)]
    warmup: Option<Duration>,
    /// Rounds of each scenario [default: as many as fit, 1 with --connections, --idle or --churn].
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::at_least_one)]
    runs: Option<usize>,
    /// Worker threads of each server that is started, as of `serve` [default: the number of CPUs, or 1 with --pin].
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, value_parser = value::threads)]
    threads: Option<usize>,
    /// Threads of the load generator [default: half of the CPUs, or 1 with --pin].
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::threads)]
    load_threads: Option<usize>,
    /// Keep the server on one CPU and the load on another (on Linux). A peer of which --pid is known is moved to the
    /// server's CPU and stays there.
    #[arg(long)]
    pin: bool,
    /// Measure no model against itself.
    #[arg(long)]
    no_control: bool,
    /// Measure another echo server as well, started by this command for each measurement; may be repeated.
    ///
    /// The command is split into words as a shell does it, and no shell runs it. {threads} in it becomes the number of
    /// worker threads, {scenario} the scenario's name. The first line that the server prints on standard output ends with
    /// its address. SIGTERM ends it.
    ///
    /// CPU time is compared with that of the first --peer or, without any, of the first --server.
    #[arg(long = "server", value_name = "NAME=COMMAND", value_parser = subject::server)]
    servers: Vec<OwnServer>,
    /// Measure an echo server that runs already as well; may be repeated.
    #[arg(long = "peer", value_name = "NAME=ADDR:PORT", value_parser = subject::peer)]
    peers: Vec<(String, String)>,
    /// The process of the peer, in the order of the peers: for its CPU time, threads and memory.
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,
    /// Write every run as JSON too, for --against and `pentaport report`; - is standard output, instead of the text.
    #[arg(long, visible_alias = "json", value_name = "FILE")]
    save: Option<PathBuf>,
    /// Set this run beside one that --save wrote: of another version, machine or system.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Write every run as CSV too.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write all latencies of each server in each scenario to a file SCENARIO-SERVER.hgrm in this directory, in
    /// microseconds, as HdrHistogram's plotter reads them.
    #[arg(long, value_name = "DIR")]
    hgrm: Option<PathBuf>,
    /// How long a connection may wait for its next byte.
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true, value_parser = value::duration)]
    timeout: Duration,
}

impl Arguments {
    /// A scenario of the user's own.
    fn is_custom(&self) -> bool {
        self.connections.is_some() || self.idle.is_some() || self.churn
    }

    fn models(&self) -> &[Model] {
        if self.models.is_empty() { Model::ALL } else { &self.models }
    }

    fn subjects_and_control(&self) -> usize {
        self.models().len() + self.peers.len() + self.servers.len() + 1
    }

    /// Whether one model is measured a second time in each round.
    fn has_control(&self, rounds: Rounds) -> bool {
        !self.no_control && self.sweep.is_none() && rounds != Rounds::Exactly(1)
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let against = arguments.against.as_deref().map(crate::report::read).transpose()?;
    let subjects = subjects(arguments)?;
    let (planned, left_out) = what_fits(scenario::planned(arguments))?;
    check_writable(arguments)?;
    // Before pinning, which leaves this process one CPU.
    let machine = Machine::describe();
    let peers = || subjects.iter().filter_map(Subject::peer);
    let pin = if arguments.pin { Some(Pin::new(peers().filter_map(|peer| peer.pid))?) } else { None };
    let threads = |given: Option<usize>, default: usize| given.unwrap_or(if pin.is_some() { 1 } else { default });
    let settings = Settings {
        server_threads: threads(arguments.threads, serve::default_workers()),
        load_threads: threads(arguments.load_threads, default_threads()),
        pinned: pin.is_some(),
        seed: new_seed(),
    };
    let conditions = Conditions {
        server_threads: settings.server_threads,
        load_threads: settings.load_threads,
        timeout: arguments.timeout,
        pin,
    };
    interrupt::watch()?;
    let mut report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: std::env::args().collect(),
        machine,
        measured: process::WHAT_IS_MEASURED.to_owned(),
        settings,
        foreign: None,
        yardstick: None,
        interrupted: false,
        sweep: arguments.sweep,
        scenarios: Vec::new(),
        left_out,
        results: Vec::new(),
        controls: Vec::new(),
        claims: Vec::new(),
    };
    let watch = Watch::start(peers().filter_map(|peer| peer.pid));
    let latencies = measure_all(arguments, &planned, &subjects, &conditions, &mut report);
    report.foreign = watch.stop();
    report.interrupted = interrupt::requested();
    report.yardstick = report.results.iter().find(|cell| cell.peer).map(|cell| cell.name.clone());
    report.claims = Claims::of(&report).list(&report);
    if !report.results.is_empty() {
        tell(arguments, &report, against.as_ref(), &latencies)?;
    }
    fault(&report)?;
    if report.interrupted { Err(Interrupted.into()) } else { Ok(()) }
}

/// The subjects by their names, by which rows are known.
fn subjects(arguments: &Arguments) -> anyhow::Result<Vec<Subject>> {
    let models = arguments.models();
    let name = |index: usize, model: Model| {
        let places = |models: &[Model]| models.iter().filter(|&&other| other == model).count();
        match places(models) {
            1 => model.name().to_owned(),
            _ => format!("{model}#{}", places(&models[..=index])),
        }
    };
    let models: Vec<Subject> =
        models.iter().enumerate().map(|(index, &model)| Subject::Model(model, name(index, model))).collect();
    let mut known: Vec<&str> = models.iter().map(Subject::name).collect();
    let peers = arguments.peers.iter().map(|(name, _)| name.as_str());
    for name in peers.chain(arguments.servers.iter().map(OwnServer::name)) {
        if known.contains(&name) {
            return Err(Failure::new(
                format!("the name {name} is there twice"),
                "give each --peer and --server a name of its own, which no model has",
            )
            .into());
        }
        known.push(name);
    }
    let peers = Peer::all(&arguments.peers, &arguments.pids, arguments.timeout)?.into_iter().map(Subject::Peer);
    let servers = arguments.servers.iter().cloned().map(Subject::Server);
    Ok(models.into_iter().chain(peers).chain(servers).collect())
}

/// The scenarios that the limits allow; an error if they allow none.
fn what_fits(planned: Vec<Planned>) -> anyhow::Result<(Vec<Planned>, Vec<LeftOut>)> {
    let mut fitting = Vec::new();
    let mut left_out = Vec::new();
    let mut first = None;
    for planned in planned {
        match limits::allow_connections(planned.connections) {
            Ok(()) => fitting.push(planned),
            Err(error) => {
                left_out.push(LeftOut {
                    scenario: planned.scenario.title,
                    reason: error.to_string(),
                    advice: error
                        .downcast_ref()
                        .map_or_else(String::new, |failure: &Failure| failure.hint().to_owned()),
                });
                first = first.or(Some(error));
            }
        }
    }
    match first {
        Some(error) if fitting.is_empty() => Err(error),
        _ => Ok((fitting, left_out)),
    }
}

/// Measures every scenario into the report. Returns how long messages took: by scenario and subject.
fn measure_all(
    arguments: &Arguments,
    planned: &[Planned],
    subjects: &[Subject],
    conditions: &Conditions,
    report: &mut Report,
) -> Vec<(String, String, Latencies)> {
    let with_control =
        subjects.len() + usize::from(planned.iter().any(|planned| arguments.has_control(planned.rounds)));
    let mut progress = Progress::new(planned, with_control);
    let mut latencies = Vec::new();
    // The last model: in the default list the completion port, which keeps connections among all workers.
    let control = subjects.iter().rposition(|subject| !subject.is_peer());
    let mut taking_part: Vec<&Subject> = subjects.iter().collect();
    for planned in planned {
        if taking_part.is_empty() {
            break;
        }
        let scenario = &planned.scenario;
        progress.begin(planned, with_control);
        let control = control.filter(|_| arguments.has_control(planned.rounds));
        let seed = report.settings.seed ^ report.scenarios.len() as u64;
        let outcome = rounds::measure(planned, &taking_part, control, conditions, seed, &mut progress);
        if scenario.rate.is_some() {
            let is_broken =
                |name: &str| outcome.cells.iter().any(|cell| cell.name == name && !rounds::kept_up(cell, scenario));
            taking_part.retain(|subject| !is_broken(subject.name()));
        }
        let of_subject = |(name, latencies)| (scenario.name.clone(), name, latencies);
        latencies.extend(outcome.latencies.into_iter().map(of_subject));
        report.scenarios.push(scenario.clone());
        report.results.extend(outcome.cells);
        report.controls.extend(outcome.control);
        if interrupt::requested() {
            break;
        }
    }
    progress.finish();
    latencies
}

fn tell(
    arguments: &Arguments,
    report: &Report,
    against: Option<&Report>,
    latencies: &[(String, String, Latencies)],
) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report).context("cannot write JSON")? + "\n";
    let to_stdout = arguments.save.as_deref() == Some(Path::new("-"));
    // The text is not lost if a file cannot be written after all.
    output::write(if to_stdout { json.clone() } else { text(report, Format::Text) })?;
    if let (Some(against), false) = (against, to_stdout) {
        output::write(format!("\n{}", side_by_side(&[against, report], Format::Text)))?;
    }
    if let Some(file) = arguments.save.as_deref().filter(|_| !to_stdout) {
        fs::write(file, json).map_err(|error| cannot_write(file, &error))?;
    }
    if let Some(file) = &arguments.csv {
        let rows = write_csv(&[report])?;
        fs::write(file, rows).map_err(|error| cannot_write(file, &error))?;
    }
    for (scenario, subject, latencies) in latencies {
        let Some(directory) = &arguments.hgrm else { break };
        let name: String = subject.chars().map(|c| if c == '/' || c == '\\' { '_' } else { c }).collect();
        let file = directory.join(format!("{scenario}-{name}.hgrm"));
        hgrm::write(&file, latencies).map_err(|error| cannot_write(&file, &error))?;
    }
    Ok(())
}

/// Finds out before the measurement whether its result can be kept.
fn check_writable(arguments: &Arguments) -> anyhow::Result<()> {
    let files = [&arguments.save, &arguments.csv].into_iter().flatten();
    for file in files.filter(|file| file.as_path() != Path::new("-")) {
        let opened = OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|error| cannot_write(file, &error))?;
    }
    if let Some(directory) = &arguments.hgrm {
        fs::create_dir_all(directory).map_err(|error| cannot_write(directory, &error))?;
    }
    Ok(())
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot write {}: {error}", file.display()),
        "it has to be in a directory that exists and may be written to; --save - writes to standard output",
    )
}

/// An error if a subject failed or a scenario was left out, told by the first.
fn fault(report: &Report) -> anyhow::Result<()> {
    let mut failed = report.results.iter().filter_map(|cell| Some((cell, cell.error.as_ref()?)));
    let more = |more: usize| match more as u64 {
        0 => String::new(),
        n => format!(" (and {} more)", crate::text::count(n)),
    };
    if let Some((cell, error)) = failed.next() {
        let (with, more) = (plural(cell.connections as u64, "connection"), more(failed.count()));
        return Err(
            Failure::new(format!("{} failed with {with}: {error}{more}", cell.name), cell.advice.clone()).into()
        );
    }
    if let Some(left_out) = report.left_out.first() {
        let more = more(report.left_out.len() - 1);
        let message = format!("left out: {}: {}{more}", left_out.scenario, left_out.reason);
        return Err(Failure::new(message, left_out.advice.clone()).into());
    }
    Ok(())
}
