//! Keeping servers and load on CPUs of their own.

use crate::failure::Failure;
use crate::process;
use std::io;
use std::process::{Child, Command};

/// The CPU of the servers; the load, this process, is on another.
pub(crate) struct Pin {
    server: usize,
}

impl Pin {
    /// Moves this process to one CPU and the processes `servers` to another, where servers will be started too.
    pub(super) fn new(servers: impl Iterator<Item = u32>) -> anyhow::Result<Pin> {
        let cpus = process::allowed_cpus().map_err(cannot_pin)?;
        let [server, load, ..] = cpus[..] else {
            return Err(cannot_pin("this process may use one CPU only, and pinning needs two").into());
        };
        process::keep_on(std::process::id(), load).map_err(cannot_pin)?;
        for pid in servers {
            process::keep_on(pid, server).map_err(cannot_pin)?;
        }
        Ok(Pin { server })
    }

    /// Starts a server: on the servers' CPU, or anywhere without a pin.
    pub(super) fn spawn(pin: Option<&Pin>, command: &mut Command) -> io::Result<Child> {
        match pin {
            None => command.spawn(),
            Some(pin) => process::spawn_on(command, pin.server),
        }
    }
}

fn cannot_pin(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("cannot keep server and load on CPUs of their own: {why}"),
        "leave out --pin, which takes Linux and two CPUs",
    )
}
