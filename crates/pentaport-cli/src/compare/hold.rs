//! Idle connections, held by a process of their own, so that each server can have as many as one process may open.

use super::subject::{End, Served};
use crate::load::command::new_seed;
use crate::load::{LoadOptions, LoadSession};
use crate::text::plural;
use crate::{address, interrupt, output};
use anyhow::Context;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// Open connections that send nothing, and close them at the end of standard input: how `compare` keeps them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    #[arg(long, value_name = "N")]
    idle: usize,
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::value::duration)]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = LoadOptions {
        address: address::choose(&arguments.address, arguments.timeout)?,
        connections: 0,
        idle: arguments.idle,
        message: 1,
        depth: 1,
        duration: Duration::from_secs(1),
        threads: 1,
        rate: None,
        timeout: arguments.timeout,
        seed: new_seed(),
    };
    interrupt::watch()?;
    let session = LoadSession::connect(&options, |_| {})?;
    let held = plural(options.idle as u64, "idle connection");
    output::write(format!("pentaport: holds {held} to {}\n", options.address))?;
    io::copy(&mut io::stdin().lock(), &mut io::sink()).context("standard input")?;
    drop(session);
    Ok(())
}

/// A process that holds idle connections to a server.
pub(super) struct Holder {
    process: Served,
}

impl Holder {
    /// Returns when all of them are open.
    pub(super) fn start(server: SocketAddr, idle: usize, timeout: Duration) -> anyhow::Result<Holder> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(["hold", &server.to_string(), "--idle", &idle.to_string()]);
        command.args(["--timeout", &crate::text::duration(timeout)]);
        Ok(Holder { process: Served::start(command, None, End::OfInput)? })
    }

    /// Closes them.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.process.stop()
    }
}
