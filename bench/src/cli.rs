//! What the mains of all servers share: arguments, the line that says where, how the process ends.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use crate::{listener, sys};

/// The status of a server that this kernel lacks something for: sysexits' EX_UNAVAILABLE.
pub const UNAVAILABLE: u8 = 69;

pub struct Options {
    pub listen: SocketAddr,
    pub threads: NonZero<usize>,
    /// Whether there is one thread more, which does nothing. With it alone every call on a descriptor becomes dearer.
    pub idle_thread: bool,
}

/// The main of a server that is told its options, and serves until a signal ends the process.
pub fn run(name: &str, serve: impl FnOnce(&Options) -> io::Result<Infallible>) -> ExitCode {
    let options = match parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", usage(name));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{name}: {error}\n{}", usage(name));
            return ExitCode::from(2);
        }
    };
    sys::raise_descriptor_limit();
    sys::end_well_at_signals();
    if options.idle_thread {
        thread::spawn(|| {
            loop {
                thread::park()
            }
        });
    }
    let Err(error) = serve(&options);
    failed(name, &error)
}

/// A machine that lacks what the server is built on is another matter than a fault.
fn failed(name: &str, error: &io::Error) -> ExitCode {
    eprintln!("{name}: {error}");
    if error.kind() == io::ErrorKind::Unsupported { ExitCode::from(UNAVAILABLE) } else { ExitCode::FAILURE }
}

/// The main of a server that is a loop for one thread: each of its threads has one, with a listener of its own, among
/// which the kernel divides the connections (SO_REUSEPORT).
pub fn run_loops(name: &'static str, serve: fn(TcpListener) -> io::Result<Infallible>) -> ExitCode {
    run(name, |options| {
        let mut listeners = listener::bind(options)?;
        announce(listeners[0].local_addr()?)?;
        let first = listeners.remove(0);
        for listener in listeners {
            thread::spawn(move || {
                let Err(error) = serve(listener);
                eprintln!("{name}: {error}");
                std::process::exit(1);
            });
        }
        serve(first)
    })
}

/// Says where the server listens. What comes from now on is accepted.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "listening on {address}")?;
    out.flush()
}

fn usage(name: &str) -> String {
    format!("usage: {name} [--listen ADDR:PORT] [--threads N] [--idle-thread]")
}

/// `None`: help is wanted.
fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;

    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = Options { listen, threads: NonZero::<usize>::MIN, idle_thread: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.parse()?,
            Long("threads") => options.threads = parser.value()?.parse()?,
            Long("idle-thread") => options.idle_thread = true,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}
