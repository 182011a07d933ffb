//! `pentaport compare`: what the models cost and give on this machine, side by side.
//!
//! Each measurement has a server process of its own, so that CPU and memory are that model's alone: started, connected
//! to, measured from when all connections are open until they close, stopped, and its exit looked at. Peers run already;
//! they are only connected to.

mod measure;
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
use measure::{Load, Measurement};
use pentaport_server::Model;
use pin::Pin;
use report::{Cell, Report, Settings};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;
use subject::{Peer, Subject};

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
    /// Size of a message.
    #[arg(short, long, value_name = "BYTES", default_value = "64", value_parser = value::message_size)]
    message: usize,
    /// Messages in flight on each connection.
    #[arg(long, value_name = "D", default_value = "1", value_parser = value::depth)]
    depth: usize,
    /// How long to load each model with each number of connections.
    #[arg(short, long, value_name = "TIME", default_value = "3s", value_parser = value::duration)]
    duration: Duration,
    /// Repeat everything N times in turn; the table shows medians.
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::at_least_one)]
    runs: usize,
    /// Worker threads of each model [default: half of the CPUs, or 1 with --pin].
    #[arg(short, long, value_name = "N", value_parser = value::threads)]
    threads: Option<usize>,
    /// Threads of the load generator [default: half of the CPUs, or 1 with --pin].
    #[arg(long, value_name = "N", value_parser = value::threads)]
    load_threads: Option<usize>,
    /// Keep the server on one CPU and the load on another, by the program taskset. A peer of which --pid is known is
    /// moved to the server's CPU and stays there.
    #[arg(long)]
    pin: bool,
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
    let peers = Peer::all(&arguments.peers, &arguments.pids, arguments.timeout)?;
    let most = arguments.connections.iter().copied().max().unwrap_or(1);
    limits::allow_connections(most as u64)?;
    if let Some(file) = &arguments.json {
        check_writable(file)?;
    }
    // Before pinning, which leaves this process one CPU.
    let machine = Machine::describe();
    let pin = if arguments.pin { Some(Pin::new(&peers)?) } else { None };
    let threads = |given: Option<usize>| given.unwrap_or(if pin.is_some() { 1 } else { default_threads() });
    let settings = Settings {
        message_bytes: arguments.message,
        depth: arguments.depth,
        duration_seconds: arguments.duration.as_secs_f64(),
        runs: arguments.runs,
        server_threads: threads(arguments.threads),
        load_threads: threads(arguments.load_threads),
        pinned: pin.is_some(),
    };
    interrupt::watch()?;
    let cells = measure_all(arguments, &settings, subjects(&arguments.models, peers), pin.as_ref());
    let interrupted = interrupt::requested();
    let report = Report::new(machine, settings, interrupted, cells);
    if !report.results.is_empty() {
        tell(&report, arguments.json.as_deref())?;
    }
    verdict(&report)?;
    if interrupted { Err(Interrupted.into()) } else { Ok(()) }
}

fn subjects(models: &[Model], peers: Vec<Peer>) -> Vec<Subject> {
    let models = if models.is_empty() { Model::ALL } else { models };
    models.iter().map(|&model| Subject::Model(model)).chain(peers.into_iter().map(Subject::Peer)).collect()
}

/// Measures every subject with every number of connections. Subjects take turns, so that what changes on the machine
/// meanwhile touches all. Ctrl-C ends it with what is done.
fn measure_all(arguments: &Arguments, settings: &Settings, subjects: Vec<Subject>, pin: Option<&Pin>) -> Vec<Cell> {
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
            message: settings.message_bytes,
            depth: settings.depth,
            duration: arguments.duration,
            threads: settings.load_threads,
            timeout: arguments.timeout,
        };
        let mut outcomes: Vec<Vec<Result<Measurement, String>>> = vec![Vec::new(); subjects.len()];
        'runs: for _ in 0..arguments.runs {
            for (subject, outcomes) in subjects.iter().zip(&mut outcomes) {
                bar.set_message(format!("{}, {}", subject.name(), plural(connections as u64, "connection")));
                let outcome = measure::measure(subject, &load, settings.server_threads, pin, new_seed());
                if interrupt::requested() {
                    // Whatever came out of it: the servers may have had the signal as well.
                    break 'runs;
                }
                outcomes.push(outcome.map_err(|error| format!("{error:#}")));
                bar.inc(1);
            }
        }
        let measured = subjects.iter().zip(&outcomes).filter(|(_, outcomes)| !outcomes.is_empty());
        cells.extend(measured.map(|(subject, outcomes)| Cell::new(subject, connections, outcomes)));
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
