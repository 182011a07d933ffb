//! `pentaport compare`: what the models cost and give on this machine, side by side.
//!
//! Each measurement has a server process of its own, so that CPU and memory are that model's alone: started, connected
//! to, measured from when all connections are open until they close, stopped, and its exit looked at. So are other
//! servers whose commands are given. Peers run already; they are only connected to.

mod measure;
mod order;
mod pin;
mod report;
mod subject;
mod table;

use crate::failure::Failure;
use crate::interrupt::{self, Interrupted};
use crate::load::command::{default_threads, new_seed};
use crate::machine::Machine;
use crate::text::plural;
use crate::{limits, output, serve, text, value};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use measure::Load;
use pentaport_server::Model;
use pin::Pin;
use report::{Cell, Report, Run, Settings};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;
use subject::{OwnServer, Peer, Subject};

/// Measure all models side by side.
///
/// Each model serves echo in a process of its own and is loaded with each number of connections; every byte that comes
/// back is checked. The default run takes less than two minutes. Ctrl-C ends with the table of what was measured so
/// far. Exit status 1 if a model or peer failed, else 130 after Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The models [default: all].
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',', value_parser = serve::model())]
    models: Vec<Model>,
    /// Numbers of connections.
    #[arg(
        short,
        long,
        value_name = "C,…",
        value_delimiter = ',',
        default_value = "1,64,1000",
        value_parser = value::at_least_one
    )]
    connections: Vec<usize>,
    /// Further connections that stay open and send nothing.
    #[arg(long, value_name = "N", default_value = "0")]
    idle: usize,
    /// Size of a message.
    #[arg(short, long, value_name = "BYTES", default_value = "64", value_parser = value::message_size)]
    message: usize,
    /// Messages in flight on each connection.
    #[arg(long, value_name = "D", default_value = "1", value_parser = value::depth)]
    depth: usize,
    /// Close each connection after one message and make another: the figures are those of connections. CPU time then
    /// includes connecting and closing.
    #[arg(long, conflicts_with_all = ["idle", "depth"])]
    churn: bool,
    /// How long to load each model with each number of connections.
    #[arg(short, long, value_name = "TIME", default_value = "3s", value_parser = value::duration)]
    duration: Duration,
    /// Repeat everything N times, the servers in turn; the table shows medians.
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::at_least_one)]
    runs: usize,
    /// Worker threads of each server that is started [default: half of the CPUs, or 1 with --pin].
    #[arg(short, long, value_name = "N", value_parser = value::threads)]
    threads: Option<usize>,
    /// Threads of the load generator [default: half of the CPUs, or 1 with --pin].
    #[arg(long, value_name = "N", value_parser = value::threads)]
    load_threads: Option<usize>,
    /// Keep the server on one CPU and the load on another, by the program taskset. A peer of which --pid is known is
    /// moved to the server's CPU and stays there.
    #[arg(long)]
    pin: bool,
    /// Measure another echo server as well, started by this command for each measurement; may be repeated.
    ///
    /// The command is split into words as a shell does it, and no shell runs it. {threads} in it becomes the number of
    /// worker threads. The first line that the server prints on standard output ends with its address. SIGTERM ends it.
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
    /// Write the figures as JSON too; - is standard output, instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How long a connection may wait for its next byte.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    check_names(arguments)?;
    let peers = Peer::all(&arguments.peers, &arguments.pids, arguments.timeout)?;
    let most = arguments.connections.iter().copied().max().unwrap_or(1);
    limits::allow_connections((most as u64).saturating_add(arguments.idle as u64))?;
    if let Some(file) = &arguments.json {
        check_writable(file)?;
    }
    // Before pinning, which leaves this process one CPU.
    let machine = Machine::describe();
    let pin = if arguments.pin { Some(Pin::new(&peers)?) } else { None };
    let threads = |given: Option<usize>| given.unwrap_or(if pin.is_some() { 1 } else { default_threads() });
    let settings = Settings {
        churn: arguments.churn,
        idle: arguments.idle,
        message_bytes: arguments.message,
        depth: arguments.depth,
        duration_seconds: arguments.duration.as_secs_f64(),
        runs: arguments.runs,
        server_threads: threads(arguments.threads),
        load_threads: threads(arguments.load_threads),
        pinned: pin.is_some(),
    };
    interrupt::watch()?;
    let cells = measure_all(arguments, &settings, subjects(arguments, peers), pin.as_ref());
    let interrupted = interrupt::requested();
    let report = Report::new(machine, settings, interrupted, cells);
    if !report.results.is_empty() {
        tell(&report, arguments.json.as_deref())?;
    }
    verdict(&report)?;
    if interrupted { Err(Interrupted.into()) } else { Ok(()) }
}

/// Rows are known by their names.
fn check_names(arguments: &Arguments) -> anyhow::Result<()> {
    let mut known: Vec<&str> = models(arguments).iter().map(|model| model.name()).collect();
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
    Ok(())
}

fn models(arguments: &Arguments) -> &[Model] {
    if arguments.models.is_empty() { Model::ALL } else { &arguments.models }
}

fn subjects(arguments: &Arguments, peers: Vec<Peer>) -> Vec<Subject> {
    let models = models(arguments).iter().map(|&model| Subject::Model(model));
    let servers = arguments.servers.iter().cloned().map(Subject::Server);
    models.chain(peers.into_iter().map(Subject::Peer)).chain(servers).collect()
}

/// Measures every subject with every number of connections. Subjects take turns, so that what changes on the machine
/// meanwhile touches all. Ctrl-C ends it with what is done.
fn measure_all(arguments: &Arguments, settings: &Settings, subjects: Vec<Subject>, pin: Option<&Pin>) -> Vec<Cell> {
    let yardstick = subjects.iter().position(Subject::is_peer);
    let mut cells = Vec::new();
    let steps = arguments.connections.len() * arguments.runs * subjects.len();
    // On a terminal only: indicatif draws nothing elsewhere.
    let bar = ProgressBar::new(steps as u64).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    for &connections in &arguments.connections {
        let load = Load {
            connections,
            churn: settings.churn,
            idle: settings.idle,
            message: settings.message_bytes,
            depth: settings.depth,
            duration: arguments.duration,
            threads: settings.load_threads,
            timeout: arguments.timeout,
        };
        let mut runs: Vec<Vec<Run>> = vec![Vec::new(); subjects.len()];
        'rounds: for round in 0..arguments.runs {
            for index in order::order(subjects.len(), round) {
                let subject = &subjects[index];
                bar.set_message(format!("{}, {}", subject.name(), plural(connections as u64, "connection")));
                let outcome = measure::measure(subject, &load, settings.server_threads, pin, new_seed());
                if interrupt::requested() {
                    // Whatever came out of it: the servers may have had the signal as well.
                    break 'rounds;
                }
                runs[index]
                    .push(outcome.map_or_else(|error| Run::Failed { error: format!("{error:#}") }, Run::Measured));
                bar.inc(1);
            }
        }
        let yardstick = yardstick.map(|index| runs[index].as_slice());
        let measured = subjects.iter().zip(&runs).filter(|(_, runs)| !runs.is_empty());
        cells.extend(measured.map(|(subject, runs)| Cell::new(subject, connections, runs, yardstick)));
        if interrupt::requested() {
            break;
        }
    }
    bar.finish_and_clear();
    cells
}

fn tell(report: &Report, json: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = json else { return output::write(table::text(report)) };
    let json = serde_json::to_string_pretty(report).context("cannot write JSON")? + "\n";
    if file == Path::new("-") {
        return output::write(json);
    }
    // The table is not lost if the file cannot be written after all.
    output::write(table::text(report))?;
    std::fs::write(file, json).map_err(|error| cannot_write(file, &error).into())
}

/// Finds out before the measurement whether its result can be kept.
fn check_writable(file: &Path) -> anyhow::Result<()> {
    if file != Path::new("-") {
        let opened = OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|error| cannot_write(file, &error))?;
    }
    Ok(())
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot write {}: {error}", file.display()),
        "--json takes a file in a directory that exists and may be written to, or - for standard output",
    )
}

fn verdict(report: &Report) -> anyhow::Result<()> {
    let mut failed = report.results.iter().filter_map(|cell| Some((cell, cell.error.as_ref()?)));
    let Some((cell, error)) = failed.next() else { return Ok(()) };
    let more = match failed.count() as u64 {
        0 => String::new(),
        n => format!(" (and {} more)", text::count(n)),
    };
    Err(Failure::new(
        format!("{} failed with {}: {error}{more}", cell.name, plural(cell.connections as u64, "connection")),
        cell.advice.clone(),
    )
    .into())
}
