//! A completion port as a queue between threads, beside channels: `bench/src/bin/queue.rs` run, and what it prints kept.

use super::cases::JUDGED;
use super::peers;
use super::results::{Origin, QueueCase, QueueResult};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::process::{Command, Stdio};

/// What the ports are compared with.
pub(super) const CHANNELS: &str = "crossbeam-channel";

const PROGRAM: &str = "bench/target/release/queue";

/// What `queue --json` prints.
#[derive(Deserialize)]
struct Printed {
    cases: Vec<QueueCase>,
}

pub(super) fn measure(runs: Option<usize>, origin: Origin) -> anyhow::Result<QueueResult> {
    let command = [PROGRAM, "--runs", &runs.unwrap_or(JUDGED).to_string(), "--json"].map(str::to_owned);
    let mut queue = Command::new(&command[0]);
    queue.args(&command[1..]).current_dir(crate::root()).stderr(Stdio::inherit());
    let output = queue.output().context(PROGRAM)?;
    ensure!(output.status.success(), "{queue:?}: {}", output.status);
    let Printed { cases } = serde_json::from_slice(&output.stdout).context("what queue prints")?;
    let versions = peers::version_of(CHANNELS).map(|version| (CHANNELS.to_owned(), version));
    let versions = origin.versions.into_iter().chain(versions).collect();
    Ok(QueueResult { origin: Origin { command: command.into(), versions, ..origin }, cases })
}
