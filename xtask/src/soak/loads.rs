//! Loads that are processes of their own, killed in the middle of what they do, over and over.

use super::behaviours::Stress;
use super::peer::Dice;
use super::server::{Server, pentaport};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::net::SocketAddrV4;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

const ACTIVE: u64 = 60;
const IDLE: u64 = 60;

/// How long a load may take until its connections are open.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `pentaport load --json` reports, as far as it is looked at.
#[derive(Deserialize)]
struct Report {
    messages: u64,
    failed: u64,
}

/// A load that is killed when this is dropped.
struct Load(Child);

impl Load {
    fn start(server: SocketAddrV4, duration: &str) -> anyhow::Result<Load> {
        let mut command = Command::new(pentaport());
        command.args(["load", &server.to_string(), "--json", "--threads", "1", "--duration", duration]);
        command.args(["--connections", &ACTIVE.to_string(), "--idle", &IDLE.to_string()]);
        command.args(["--message", "3000", "--depth", "4", "--timeout", "30s"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().map(Load).context("pentaport load")
    }
}

impl Drop for Load {
    /// SIGKILL: it ends nothing itself.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills loads as soon as they have their connections, and a random moment later; lets the last one end as it should.
pub(super) fn killed(stress: &Stress<'_>, server: &Server) -> anyhow::Result<()> {
    let mut dice = Dice::new(stress.seed);
    let ledger = stress.ledger;
    while Instant::now() < stress.end && !ledger.is_over() {
        let before = server.vitals()?.descriptors;
        let begun = Instant::now();
        ledger.load_connections.fetch_add(ACTIVE + IDLE, Relaxed);
        let mut load = Load::start(stress.server, "60s")?;
        // Half of them at least: descriptors of clients that came before may go at the same time.
        while server.vitals()?.descriptors < before + (ACTIVE + IDLE) / 2 && Instant::now() < stress.end {
            ensure!(begun.elapsed() < PATIENCE, "a load had not connected after {PATIENCE:?}");
            ensure!(load.0.try_wait()?.is_none(), "a load ended before its time");
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(dice.below(200)));
        drop(load);
        ledger.kills.fetch_add(1, Relaxed);
    }
    if ledger.is_over() {
        return Ok(());
    }
    ledger.load_connections.fetch_add(ACTIVE + IDLE, Relaxed);
    let mut load = Load::start(stress.server, "300ms")?;
    let report: Report =
        serde_json::from_reader(load.0.stdout.take().context("its report")?).context("a load's report")?;
    let status = load.0.wait()?;
    ensure!(status.success() && report.failed == 0, "a load after the kills: {status}, {} failed", report.failed);
    ledger.load_messages.fetch_add(report.messages, Relaxed);
    Ok(())
}
