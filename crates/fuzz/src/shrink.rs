//! A sequence that failed, made smaller. Each candidate runs in a process of its own, since one that fails ends it, and many
//! times, since a race does not come each time.

use crate::case::{Case, generate};
use crate::report::CASE;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How to try candidates.
#[derive(Clone, Debug)]
pub struct Trial {
    /// This program.
    pub program: PathBuf,
    /// Where files go.
    pub directory: PathBuf,
    /// How many workers there are.
    pub threads: usize,
    /// How often a candidate runs before it counts as clean.
    pub times: u64,
    /// How long to go on.
    pub time: Duration,
}

impl Trial {
    /// Whether a candidate fails.
    fn fails(&self, case: &Case) -> anyhow::Result<bool> {
        let (directory, file) = (self.directory.join("trial"), self.directory.join("candidate.txt"));
        std::fs::write(&file, case.to_string())?;
        let mut child = Command::new(&self.program);
        child.arg("--child").arg("--replay").arg(&file).arg("--directory").arg(&directory);
        child.args(["--repeat", &self.times.to_string(), "--threads", &self.threads.to_string(), "--deadline", "3"]);
        let status = child.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            for name in [CASE, crate::report::TRACE, crate::report::FAULT] {
                let _ = std::fs::copy(directory.join(name), self.directory.join(format!("shrunk-{name}")));
            }
        }
        Ok(!status.success())
    }

    /// Shrinks the sequence with this number; `None` if it does not fail again.
    pub fn shrink(&self, seed: u64, number: u64) -> anyhow::Result<Option<Case>> {
        let end = Instant::now() + self.time;
        let mut tree = generate(seed, number);
        let mut smallest = None;
        if !self.fails(&tree.current())? {
            return Ok(None);
        }
        loop {
            smallest = Some(tree.current()).or(smallest);
            if !tree.simplify() {
                return Ok(smallest);
            }
            while !self.fails(&tree.current())? {
                if Instant::now() > end || !tree.complicate() {
                    return Ok(smallest);
                }
            }
            if Instant::now() > end {
                return Ok(Some(tree.current()));
            }
        }
    }
}

/// The seed and the number in the first line of a case's file.
pub fn label(file: &Path) -> anyhow::Result<(u64, u64)> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let words: Vec<&str> = text.lines().next().unwrap_or_default().split_whitespace().collect();
    match words[..] {
        ["#", "seed", seed, "number", number] => Ok((seed.parse()?, number.parse()?)),
        _ => anyhow::bail!("the file does not say which sequence it is"),
    }
}
