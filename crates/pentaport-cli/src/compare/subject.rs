//! What is measured: a model or another server, each a child process, or a peer that runs already.

use super::pin::Pin;
use crate::address;
use crate::failure::Failure;
use crate::process;
use anyhow::{Context, bail};
use pentaport_server::Model;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
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
    /// A model, and its name: that of the model, and a number if the model is there more than once.
    Model(Model, String),
    Peer(Peer),
    Server(OwnServer),
}

/// An echo server that runs already.
pub(crate) struct Peer {
    name: String,
    address: SocketAddr,
    pub(super) pid: Option<u32>,
}

/// An echo server of the user, started for each measurement.
#[derive(Clone)]
pub(crate) struct OwnServer {
    name: String,
    /// Program and arguments.
    words: Vec<String>,
}

impl OwnServer {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Subject {
    pub(crate) fn name(&self) -> &str {
        match self {
            Subject::Model(_, name) => name,
            Subject::Peer(peer) => &peer.name,
            Subject::Server(server) => &server.name,
        }
    }

    pub(crate) fn is_peer(&self) -> bool {
        !matches!(self, Subject::Model(..))
    }

    /// The server that runs already, if it is one.
    pub(super) fn peer(&self) -> Option<&Peer> {
        match self {
            Subject::Peer(peer) => Some(peer),
            Subject::Model(..) | Subject::Server(_) => None,
        }
    }

    /// What to do if it failed.
    pub(super) fn advice(&self, connections: usize) -> String {
        match self {
            Subject::Model(model, _) => format!(
                "try it alone: `pentaport serve --model {model}` in one terminal, `pentaport load 127.0.0.1:5150 -c \
                 {connections}` in another"
            ),
            Subject::Peer(peer) => {
                format!(
                    "is it running, and an echo server? Try it alone: `pentaport load {} -c {connections}`",
                    peer.address
                )
            }
            Subject::Server(server) => format!(
                "start it yourself: `{}`; the first line that it prints, and flushes, has to end with its address, and \
                 SIGTERM has to end it",
                shell_words::join(&server.words)
            ),
        }
    }

    /// A server to measure in a scenario of this name.
    pub(super) fn start(&self, scenario: &str, threads: usize, pin: Option<&Pin>) -> anyhow::Result<Running> {
        match self {
            Subject::Model(model, _) => {
                let program = std::env::current_exe().context("cannot find this program")?;
                let mut command = Command::new(program);
                command.args(["serve", "--listen", "127.0.0.1:0", "--stop-at-eof", "--drain", "1s"]).args([
                    "--model",
                    model.name(),
                    "--threads",
                    &threads.to_string(),
                ]);
                Served::start(command, pin, End::OfInput).map(Running::Served)
            }
            Subject::Server(server) => {
                let filled =
                    |word: &String| word.replace("{threads}", &threads.to_string()).replace("{scenario}", scenario);
                let mut words = server.words.iter().map(filled);
                let program = words.next().context("a command has words")?;
                let mut command = Command::new(program);
                command.args(words);
                Served::start(command, pin, End::BySignal).map(Running::Served)
            }
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

/// Reads `NAME=COMMAND`.
pub(super) fn server(text: &str) -> Result<OwnServer, String> {
    const FORM: &str = "it is not NAME=COMMAND, for example mine='./server --threads {threads}'";
    let (name, command) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(FORM)?;
    match shell_words::split(command) {
        Ok(words) if words.is_empty() => Err(FORM.into()),
        Ok(words) => Ok(OwnServer { name: name.to_owned(), words }),
        Err(error) => Err(format!("its command cannot be read: {error}")),
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
    end: End,
}

/// How a child is told to end.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    /// By the end of its standard input. So it ends as well if this process is killed.
    OfInput,
    /// By SIGTERM, or, where there are no signals, at once.
    BySignal,
}

impl Served {
    /// Starts a server and waits until it says where it listens.
    pub(super) fn start(mut command: Command, pin: Option<&Pin>, end: End) -> anyhow::Result<Served> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Pin::spawn(pin, &mut command)
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let lines = child.stdout.take().map(read_lines);
        let complaints = child.stderr.take().map(read_complaints);
        let (Some(lines), Some(complaints)) = (lines, complaints) else { bail!("the server's output is lost") };
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        // From here on it is killed if anything fails.
        let mut served = Served { child, address: any, complaints, end };
        let line = match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(served.explain(anyhow::anyhow!("the server did not start")));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("the server did not say where it listens"),
        };
        match address_in(&line) {
            Some(address) => served.address = address,
            None => bail!("the server did not say where it listens, but: {line}"),
        }
        Ok(served)
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        match self.end {
            End::OfInput => drop(self.child.stdin.take()),
            End::BySignal => match self.child.try_wait().context("cannot wait for the server")? {
                None => process::terminate(&mut self.child).context("cannot stop the server")?,
                Some(status) => {
                    return Err(self.explain(anyhow::anyhow!("the server ended by itself with {status}")));
                }
            },
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait().context("cannot wait for the server")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) if self.end == End::BySignal && process::has_obeyed(status) => return Ok(()),
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
        match complaints.lines().find(|line| !line.trim().is_empty()) {
            // The first line says what; a hint is for people who started it themselves.
            Some(line) if self.end == End::OfInput => {
                anyhow::Error::msg(line.strip_prefix("pentaport: ").unwrap_or(line).to_owned())
            }
            // Who knows what others write there.
            Some(line) => anyhow::anyhow!("{error:#}; the server's first words: {line}"),
            None => error,
        }
    }
}

/// The address that ends a server's first line. One that listens everywhere is reached by loopback.
fn address_in(line: &str) -> Option<SocketAddr> {
    let mut address: SocketAddr = line.split_whitespace().last()?.parse().ok()?;
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Some(address)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_a_shell_reads_them() {
        let mine = server("mine='/path with spaces/server' --name=x \"a b\"").map_err(|_| ()).unwrap();
        assert_eq!(
            (mine.name.as_str(), &mine.words[..]),
            ("mine", &["/path with spaces/server", "--name=x", "a b"].map(String::from)[..])
        );
        let refused = |text: &str| server(text).map(drop).unwrap_err();
        assert!(refused("./server").contains("not NAME=COMMAND"));
        assert!(refused("=./server").contains("not NAME=COMMAND"));
        assert!(refused("mine=").contains("not NAME=COMMAND"));
        assert!(refused("mine='./server").contains("cannot be read"));
    }

    #[test]
    fn the_last_word_of_the_first_line_is_the_address() {
        let found = |line: &str| address_in(line).map(|address| address.to_string());
        assert_eq!(found("listening on 127.0.0.1:7000\r\n").as_deref(), Some("127.0.0.1:7000"));
        assert_eq!(found("[::1]:7").as_deref(), Some("[::1]:7"));
        assert_eq!(found("on 0.0.0.0:7").as_deref(), Some("127.0.0.1:7"));
        assert_eq!(found("on [::]:7").as_deref(), Some("[::1]:7"));
        assert_eq!(found("ready"), None);
        assert_eq!(found(""), None);
    }
}
