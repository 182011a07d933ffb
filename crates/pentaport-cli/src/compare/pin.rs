//! Keeping server and load on CPUs of their own, by the program `taskset` of util-linux.

use super::subject::Peer;
use crate::failure::Failure;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// The CPU of the servers; the load, this process, is on another.
pub(crate) struct Pin {
    server: usize,
}

impl Pin {
    /// Moves this process to one CPU and the peers to another, where servers will be started too.
    pub(super) fn new<'a>(peers: impl Iterator<Item = &'a Peer>) -> anyhow::Result<Pin> {
        let own = std::process::id();
        let cpus = allowed(own)?;
        let [server, load, ..] = cpus[..] else {
            return Err(cannot_pin("this process may use one CPU only, and pinning needs two").into());
        };
        pin(own, load)?;
        for pid in peers.filter_map(|peer| peer.pid) {
            pin(pid, server)?;
        }
        Ok(Pin { server })
    }

    /// A command that runs `program` on the server's CPU, or anywhere without a pin.
    pub(super) fn server_command(pin: Option<&Pin>, program: &OsStr) -> Command {
        match pin {
            None => Command::new(program),
            // taskset becomes the program: the process is the same.
            Some(pin) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &pin.server.to_string()]).arg(program);
                command
            }
        }
    }
}

/// The CPUs that a process may use.
fn allowed(pid: u32) -> anyhow::Result<Vec<usize>> {
    // "pid 123's current affinity list: 0-3,6"
    let told = taskset(&["-c", "-p", &pid.to_string()])?;
    let list = told.trim_end().rsplit(' ').next().unwrap_or_default();
    parse_list(list).ok_or_else(|| cannot_pin(&format!("taskset says {told}")).into())
}

fn pin(pid: u32, cpu: usize) -> anyhow::Result<()> {
    taskset(&["-a", "-c", "-p", &cpu.to_string(), &pid.to_string()]).map(drop)
}

fn taskset(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("taskset").args(arguments).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(cannot_pin(String::from_utf8_lossy(&output.stderr).trim()).into()),
        Err(error) => Err(cannot_pin(&format!("taskset does not run: {error}")).into()),
    }
}

fn cannot_pin(why: &str) -> Failure {
    Failure::new(
        format!("cannot keep server and load on CPUs of their own: {why}"),
        "leave out --pin, or install taskset (util-linux, Linux only)",
    )
}

/// `0-3,6` as numbers.
fn parse_list(list: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("0,1"), Some(vec![0, 1]));
        assert_eq!(parse_list("0-2,6"), Some(vec![0, 1, 2, 6]));
        assert_eq!(parse_list(""), None);
        assert_eq!(parse_list("f"), None);
    }
}
