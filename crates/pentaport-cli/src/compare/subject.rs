//! What is measured: a model, served by a child process, or a peer that runs already.

use super::pin::Pin;
use crate::address;
use crate::failure::Failure;
use crate::process;
use anyhow::{Context, bail};
use pentaport_server::Model;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to start or to stop. It takes milliseconds; this is for machines that hardly run.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server that fails may take from that to its end.
const MOMENT: Duration = Duration::from_secs(1);
/// How much of a server's complaints is kept.
const COMPLAINTS: u64 = 64 * 1024;

/// One row of the comparison.
pub(crate) enum Subject {
    Model(Model),
    Peer(Peer),
}

/// An echo server that runs already.
pub(crate) struct Peer {
    name: String,
    address: SocketAddr,
    pub(super) pid: Option<u32>,
}

impl Subject {
    pub(crate) fn name(&self) -> &str {
        match self {
            Subject::Model(model) => model.name(),
            Subject::Peer(peer) => &peer.name,
        }
    }

    pub(crate) fn is_peer(&self) -> bool {
        matches!(self, Subject::Peer(_))
    }

    /// What to do if it failed.
    pub(super) fn advice(&self, connections: usize) -> String {
        match self {
            Subject::Model(model) => format!(
                "try it alone: `pentaport serve --model {model}` in one terminal, `pentaport load 127.0.0.1:5150 -c \
                 {connections}` in another"
            ),
            Subject::Peer(peer) => {
                format!(
                    "is it running, and an echo server? Try it alone: `pentaport load {} -c {connections}`",
                    peer.address
                )
            }
        }
    }

    /// A server to measure.
    pub(super) fn start(&self, threads: usize, pin: Option<&Pin>) -> anyhow::Result<Running> {
        match self {
            Subject::Model(model) => Served::start(*model, threads, pin).map(Running::Served),
            Subject::Peer(peer) => Ok(Running::Peer { address: peer.address, pid: peer.pid }),
        }
    }
}

/// Reads `NAME=ADDR:PORT`.
pub(super) fn peer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => Ok((name.to_owned(), address.to_owned())),
        _ => Err("it is not NAME=ADDR:PORT, for example epoll=127.0.0.1:7".into()),
    }
}

impl Peer {
    /// The peers of the command line with their processes, each found to be there.
    pub(super) fn all(peers: &[(String, String)], pids: &[u32], timeout: Duration) -> anyhow::Result<Vec<Peer>> {
        if pids.len() > peers.len() {
            bail!(Failure::new(
                format!("{} --pid for {} --peer", pids.len(), peers.len()),
                "each --pid belongs to the --peer of the same place: --peer epoll=127.0.0.1:7 --pid 1234"
            ));
        }
        let mut found = Vec::new();
        for (index, (name, address)) in peers.iter().enumerate() {
            let pid = pids.get(index).copied();
            if let Some(pid) = pid
                && process::usage(pid).is_none()
            {
                bail!(Failure::new(
                    format!("peer {name}: there is no process {pid}"),
                    "--pid takes the number of the peer's process, as `ps` shows it"
                ));
            }
            let address = address::choose(address, timeout).with_context(|| format!("peer {name}"))?;
            found.push(Peer { name: name.clone(), address, pid });
        }
        Ok(found)
    }
}

/// A server that runs.
pub(super) enum Running {
    Served(Served),
    Peer { address: SocketAddr, pid: Option<u32> },
}

impl Running {
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Running::Served(served) => served.address,
            Running::Peer { address, .. } => *address,
        }
    }

    /// The process to look at, if it is known.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Running::Served(served) => Some(served.child.id()),
            Running::Peer { pid, .. } => *pid,
        }
    }

    /// Stops it, if it is ours, and says whether it ended well.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self {
            Running::Served(served) => served.stop(),
            Running::Peer { .. } => Ok(()),
        }
    }

    /// Why it failed, as the server itself says if it ended, and otherwise `error`.
    pub(super) fn explain(self, error: anyhow::Error) -> anyhow::Error {
        match self {
            Running::Served(served) => served.explain(error),
            Running::Peer { .. } => error,
        }
    }
}

/// A child process that serves; killed when dropped.
pub(super) struct Served {
    child: Child,
    address: SocketAddr,
    complaints: mpsc::Receiver<String>,
}

impl Served {
    fn start(model: Model, threads: usize, pin: Option<&Pin>) -> anyhow::Result<Served> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Pin::server_command(pin, &program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--stop-at-eof", "--drain", "1s", "--model", model.name()])
            .args(["--threads", &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let lines = child.stdout.take().map(read_lines);
        let complaints = child.stderr.take().map(read_complaints);
        let (Some(lines), Some(complaints)) = (lines, complaints) else { bail!("the server's output is lost") };
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        // From here on it is killed if anything fails.
        let mut served = Served { child, address: any, complaints };
        let Ok(line) = lines.recv_timeout(PATIENCE) else {
            return Err(served.explain(anyhow::anyhow!("the server did not start")));
        };
        match line.rsplit(' ').next().and_then(|address| address.parse().ok()) {
            Some(address) => served.address = address,
            None => bail!("the server did not say where it listens, but: {line}"),
        }
        Ok(served)
    }

    fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait().context("cannot wait for the server")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(self.explain(anyhow::anyhow!("the server ended with {status}")));
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
        Err(self.explain(anyhow::anyhow!("the server does not stop")))
    }

    fn explain(self, error: anyhow::Error) -> anyhow::Error {
        // Complaints come when the process has ended; of one that lives, what was seen from outside is the fault.
        let Ok(complaints) = self.complaints.recv_timeout(MOMENT) else { return error };
        // The first line says what; a hint is for people who started it themselves.
        match complaints.lines().find(|line| !line.trim().is_empty()) {
            Some(line) => anyhow::Error::msg(line.strip_prefix("pentaport: ").unwrap_or(line).to_owned()),
            None => error,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, so that the server never waits for a reader; hands on what somebody still wants.
fn read_lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

fn read_complaints(stderr: ChildStderr) -> mpsc::Receiver<String> {
    let (sender, complaints) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut stderr = stderr.take(COMPLAINTS);
        let _ = stderr.read_to_end(&mut kept);
        let _ = io::copy(&mut stderr.into_inner(), &mut io::sink());
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    complaints
}
