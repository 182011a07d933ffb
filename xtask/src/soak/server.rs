//! The server of a soak: `pentaport serve`, in a process of its own.

use super::totals::Totals;
use super::vitals::Vitals;
use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pentaport_server::Model;
use rlimit::Resource;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long the server may take to end when it is told to (--drain), and what an abort takes on a machine that is busy.
pub(super) const DRAIN: Duration = Duration::from_secs(2);
const ABORT: Duration = Duration::from_secs(3);

/// Bytes that may wait for a client that does not read (--send-queue-limit). A worker keeps the buffers of 64 such queues, of
/// up to twice the limit each, for the next ones: by the default limit this is tens of megabytes, which come slowly, as one
/// queue after the other has grown, and in which a leak is not seen.
const SEND_QUEUE_LIMIT: &str = "16384";

/// The command, built for release.
pub(super) fn pentaport() -> PathBuf {
    crate::root().join("target/release/pentaport")
}

/// A server that runs; it is killed when this is dropped.
pub(super) struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    /// At its end the server stops: it does not survive a soak that is killed.
    _input: Option<ChildStdin>,
    pub(super) address: SocketAddrV4,
    /// Descriptors that it may have, by the soft and by the hard limit.
    limit: (u64, u64),
}

impl Server {
    /// Starts a server, and waits until it can serve clients. What it says of errors goes to that file.
    pub(super) fn start(model: Model, log: &Path) -> anyhow::Result<Server> {
        let log = File::create(log).with_context(|| log.display().to_string())?;
        let mut process = Command::new(pentaport())
            .args(["serve", "--listen", "127.0.0.1:0", "--stop-at-eof", "--model", model.name()])
            .args(["--send-queue-limit", SEND_QUEUE_LIMIT])
            .args(["--drain", &humantime::format_duration(DRAIN).to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("target/release/pentaport")?;
        let output = BufReader::new(process.stdout.take().context("its output")?);
        let any = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
        let mut server = Server { _input: process.stdin.take(), process, output, address: any, limit: (0, 0) };
        let mut line = String::new();
        server.output.read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default();
        server.address =
            address.parse().with_context(|| format!("the server did not say where it listens: {line:?}"))?;
        let (soft, hard) = (&mut server.limit.0, &mut server.limit.1);
        rlimit::prlimit(server.process.id() as i32, Resource::NOFILE, None, Some((soft, hard)))?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn vitals(&self) -> anyhow::Result<Vitals> {
        Vitals::of(self.pid())
    }

    /// Lets it have so many descriptors; without a number, as many as at its start. Those that it has are left to it.
    pub(super) fn limit_descriptors(&self, soft: Option<u64>) -> anyhow::Result<()> {
        let limit = (soft.map_or(self.limit.0, |soft| soft.min(self.limit.1)), self.limit.1);
        rlimit::prlimit(self.pid() as i32, Resource::NOFILE, Some(limit), None).context("prlimit of the server")
    }

    /// Ends it by SIGTERM, and returns what it says it has done.
    pub(super) fn stop(mut self) -> anyhow::Result<Totals> {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGTERM).context("SIGTERM")?;
        let told = Instant::now();
        let status = loop {
            match self.process.try_wait()? {
                Some(status) => break status,
                None if told.elapsed() > DRAIN + ABORT => bail!("it had not ended {:?} after SIGTERM", DRAIN + ABORT),
                None => thread::sleep(Duration::from_millis(10)),
            }
        };
        ensure!(status.success(), "it ended with {status}");
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        Totals::parse(&text).with_context(|| format!("no totals: {text:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
