//! `pentaport serve`: one service under one model, until it is told to stop.

use crate::failure::Failure;
use crate::interrupt::Interrupted;
use crate::text::{duration, plural};
use crate::{address, interrupt, limits, output, process, value};
use anyhow::Context;
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pentaport_server::services::{Chargen, Discard, Echo, Print};
use pentaport_server::{Handle, Model, Observer, Options, Resource, Server, Shortage};
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What the second Ctrl-C leaves the server to reset its connections.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Serve clients under one of the I/O models.
///
/// Prints one line when it can serve clients; if it lacks something for that, it says what, and ends. Ctrl-C or SIGTERM:
/// accepts no more, answers what clients have sent and those who go on sending, resets whoever is not done after
/// --drain, prints what was done. A second Ctrl-C ends at once.
///
/// What was done: clients that were accepted, each of which ended closed (in order), reset (by the client), timed out
/// (--idle-timeout), stopped (by the end of the server) or failed (any other error); refused, besides, those beyond
/// --max-connections; cut off, among all of them, those that lost bytes: queued for them, or sent by them and not
/// answered; accept errors and thread errors, how often there was no descriptor or memory, or no thread, for one more.
/// Then clients wait, and the server says once on standard error what it lacks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How the server waits for its clients.
    #[arg(long, value_name = "MODEL", default_value = "completion-port", value_parser = model())]
    model: Model,
    /// Where to listen; port 0 picks a free port.
    #[arg(short, long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5150")]
    listen: String,
    /// What to do with what clients send.
    #[arg(short, long, value_name = "SERVICE", default_value = "echo")]
    service: ServiceName,
    /// Worker threads; thread-per-client ignores it [default: the number of CPUs].
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, value_parser = value::threads)]
    threads: Option<usize>,
    /// Refuse further clients while N are served [default: no limit].
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = value::at_least_one)]
    max_connections: Option<usize>,
    /// Close connections on which for so long nothing was received and no send was completed [default: never].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = value::duration)]
    idle_timeout: Option<Duration>,
    /// How long clients are still answered when the server stops, and have to take what is queued for them.
    #[arg(long, value_name = "TIME", default_value = "5s", allow_hyphen_values = true, value_parser = value::duration_or_zero)]
    drain: Duration,
    /// Bytes that may wait for a client that does not read; nothing is received from it meanwhile.
    #[arg(long, value_name = "BYTES", default_value = "262144", allow_hyphen_values = true, value_parser = value::at_least_one)]
    send_queue_limit: usize,
    /// Stop at the end of standard input as well: how `compare` stops its servers on every system, and what ends them
    /// if it is killed.
    #[arg(long, hide = true)]
    stop_at_eof: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ServiceName {
    /// Send back what comes (RFC 862).
    Echo,
    /// Throw away what comes (RFC 863).
    Discard,
    /// Send characters without end (RFC 864).
    Chargen,
    /// Print what comes, and who comes and leaves.
    Print,
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServiceName::Echo => "echo",
            ServiceName::Discard => "discard",
            ServiceName::Chargen => "chargen",
            ServiceName::Print => "print",
        })
    }
}

/// Reads the name of a model; an unknown one is answered with the list.
pub(crate) fn model() -> impl TypedValueParser<Value = Model> {
    PossibleValuesParser::new(Model::ALL.iter().map(|model| model.name())).try_map(|name| name.parse::<Model>())
}

/// Worker threads of a server that is not told how many.
pub(crate) fn default_workers() -> usize {
    Options::default().threads.get()
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.max_connections {
        Some(n) => limits::allow_connections(n as u64)?,
        None => limits::allow_all(),
    }
    let server = bind(arguments)?;
    let handle = server.handle();
    let ended_at_once = stop_on_signals(handle.clone(), arguments.drain)?;
    if arguments.stop_at_eof {
        stop_at_eof(handle.clone())?;
    }
    let ready_line =
        format!("pentaport: {} {} server listening on {}\n", arguments.model, arguments.service, server.local_addr());
    let told = Arc::new(Mutex::new(None));
    let console = Console { ready_line, told: Arc::clone(&told), handle: handle.clone() };
    let totals = match arguments.service {
        ServiceName::Echo => server.run_observed(Echo, console),
        ServiceName::Discard => server.run_observed(Discard, console),
        ServiceName::Chargen => server.run_observed(Chargen, console),
        ServiceName::Print => server.run_observed(Print::new(Paper { handle }), console),
    };
    let totals = totals.map_err(|error| cannot_serve(&error))?;
    if let Some(error) = told.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    if ended_at_once.load(Ordering::SeqCst) {
        return Err(Interrupted.into());
    }
    output::write(format!("pentaport: stopped: {totals}\n"))
}

/// Tells the user what the server tells.
struct Console {
    ready_line: String,
    /// Why the ready line could not be printed.
    told: Arc<Mutex<Option<anyhow::Error>>>,
    handle: Handle,
}

impl Observer for Console {
    fn ready(&self) {
        if let Err(error) = output::write(self.ready_line.clone()) {
            *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.handle.stop();
        }
    }

    fn lacks(&self, shortage: &Shortage) {
        let more = how_to_get_more(shortage.resource());
        // A server does not end because nobody reads what it says.
        let _ = writeln!(io::stderr(), "pentaport: {shortage}; clients wait until there are some\nhint: {more}");
    }
}

/// What the server lacks, if that is the error.
fn lacking(error: &io::Error) -> Option<Resource> {
    error.get_ref().and_then(|error| error.downcast_ref::<Shortage>()).map(Shortage::resource)
}

fn cannot_serve(error: &io::Error) -> Failure {
    let resource = lacking(error).unwrap_or(Resource::Other);
    match process::refused() {
        Some((what, why)) if resource == Resource::Other => Failure::new(
            format!("cannot serve: {error}; the system refuses {what}: {why}"),
            format!(
                "let the sandbox (a seccomp filter?) allow {what}, or choose a model that does without it: `--model thread-per-client`"
            ),
        ),
        _ => Failure::new(format!("cannot serve: {error}"), how_to_get_more(resource)),
    }
}

fn how_to_get_more(resource: Resource) -> &'static str {
    match resource {
        Resource::Descriptors => process::MORE_DESCRIPTORS,
        Resource::Threads => process::MORE_THREADS,
        Resource::Memory => "more memory, or fewer --threads",
        _ => "fewer --threads, or more descriptors, threads or memory",
    }
}

/// Binds to the first address of the name that can be bound.
fn bind(arguments: &Arguments) -> anyhow::Result<Server> {
    let mut options = Options {
        model: arguments.model,
        max_connections: arguments.max_connections,
        idle_timeout: arguments.idle_timeout,
        send_queue_limit: arguments.send_queue_limit,
        drain: arguments.drain,
        ..Options::default()
    };
    if let Some(threads) = arguments.threads.and_then(NonZeroUsize::new) {
        options.threads = threads;
    }
    let mut last = None;
    for address in address::resolve(&arguments.listen)? {
        match Server::bind(address, options.clone()) {
            Ok(server) => return Ok(server),
            Err(error) => last = Some((address, error)),
        }
    }
    let (address, error) = last.context("no address to listen on")?;
    Err(cannot_listen(address, &error).into())
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let (why, hint) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            "the port is in use".to_owned(),
            "another server listens there: stop it, choose another port, or `--listen 127.0.0.1:0` for any free one",
        ),
        io::ErrorKind::AddrNotAvailable => (
            "this machine does not have that address".to_owned(),
            "127.0.0.1 serves this machine only, 0.0.0.0 every network that it is on",
        ),
        io::ErrorKind::PermissionDenied => {
            ("not permitted".to_owned(), "ports below 1024 need privileges: choose a higher one")
        }
        _ => match lacking(error) {
            Some(resource) => (error.to_string(), how_to_get_more(resource)),
            None => (error.to_string(), "choose another address, for example `--listen 127.0.0.1:0`"),
        },
    };
    Failure::new(format!("cannot listen on {address}: {why}"), hint)
}

/// Ctrl-C, SIGTERM and SIGHUP stop the server; the second one ends the process, and says so in the flag.
fn stop_on_signals(handle: Handle, drain: Duration) -> anyhow::Result<Arc<AtomicBool>> {
    let stopping = AtomicBool::new(false);
    let ended_at_once = Arc::new(AtomicBool::new(false));
    let at_once = Arc::clone(&ended_at_once);
    ctrlc::set_handler(move || {
        if stopping.swap(true, Ordering::SeqCst) {
            at_once.store(true, Ordering::SeqCst);
            end_at_once(&handle);
        }
        if io::stderr().is_terminal() {
            let clients = plural(handle.connections() as u64, "connection");
            let _ = writeln!(
                io::stderr(),
                "pentaport: stopping; {clients} may take up to {}, Ctrl-C again ends at once",
                duration(drain)
            );
        }
        handle.stop();
    })
    .map_err(|error| match error {
        ctrlc::Error::System(error) => {
            Failure::new(format!("cannot wait for Ctrl-C, which takes a thread: {error}"), process::MORE_THREADS).into()
        }
        error => anyhow::Error::new(error).context("cannot handle Ctrl-C"),
    })?;
    Ok(ended_at_once)
}

/// Ends the process without regard for its clients: they are reset. What had been accepted for one that does not read
/// would keep the process from exiting for seconds.
fn end_at_once(handle: &Handle) -> ! {
    handle.stop_now();
    // By then the server has returned and the process has ended, unless a handler holds on.
    thread::sleep(AT_ONCE);
    std::process::exit(interrupt::STATUS.into())
}

fn stop_at_eof(handle: Handle) -> anyhow::Result<()> {
    let watch = move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        handle.stop();
    };
    thread::Builder::new().spawn(watch).map(drop).context("no thread to watch standard input")
}

/// Standard output for the printing server. When its reader has left, the server has nobody to print for and stops.
struct Paper {
    handle: Handle,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = io::stdout().write(bytes);
        self.stop_without_reader(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = io::stdout().flush();
        self.stop_without_reader(outcome)
    }
}

impl Paper {
    fn stop_without_reader<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        outcome.inspect_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.handle.stop();
            }
        })
    }
}
